/* SPDX-License-Identifier: MIT */
#include "imap/session.h"

#include "base/log.h"
#include "base/metric.h"

/* What makes life slow for those who guess passwords, and short for those who do not speak IMAP at
 * all. */

/* Logins that may fail before the session is slow, and before further ones have to wait. */
#define FREE_FAILURES 3
/* Bytes per second for slow sessions. */
#define SLOW_PACE 1

unsigned mox_imap_server_pace(struct mox_imap_server *s)
{
    return s->failed_logins >= FREE_FAILURES ? SLOW_PACE : 0;
}

/* -- logins ---------------------------------------------------------------------------------- */

/* Counted before it is known how it ends, so that it makes no difference what a guesser does then:
 * to give up, say. */
static bool begins_late(struct mox_imap_server *s)
{
    unsigned failed = s->failed_logins++;
    if (failed <= FREE_FAILURES || s->config.login_delay_us <= 0)
        return false;
    s->delayed_until_us = s->env.monotonic_us(s->env.user) +
                          (int64_t)(failed - FREE_FAILURES) * s->config.login_delay_us;
    return true;
}

enum step mox__imap_login_begins(struct mox_imap_server *s, struct command *c)
{
    if (c->counted)
        return s->delayed_until_us > 0 ? STEP_CALL : STEP_DONE;
    c->counted = true;
    return begins_late(s) ? STEP_CALL : STEP_DONE;
}

void mox__imap_login_undone(struct mox_imap_server *s)
{
    s->failed_logins -= s->failed_logins > 0;
}

void mox__imap_login_succeeded(struct mox_imap_server *s)
{
    s->failed_logins = 0;
}

/* -- other protocols ------------------------------------------------------------------------- */

static const struct mox_metric others = {
    .name = "mox_imap_not_imap_total",
    .help = "IMAP connections that began with another protocol.",
};

void mox__imap_not_imap(struct mox_imap_server *s)
{
    metric_count(&s->env, &others, NULL);
    log_line(&s->env, MOX_LOG_DEBUG, "imapserver", "not speaking imap", NULL,
             F_HEX("cid", s->peer.cid), F_TEXT("remote", s->peer.remote_ip));
    mox__imap_bye(s, "please try again speaking imap");
}

/* No tag begins with a control or beyond ASCII. A TLS handshake does, and may wait for our answer
 * without ever sending an LF. */
bool mox__imap_is_foreign(const struct mox_imap_server *s, uint8_t first)
{
    return !s->first_seen && !s->cmd_open && (first <= ' ' || first >= 0x7f);
}
