/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/metric.h"
#include "base/text.h"
#include "smtp/server.h"

/* What makes life slow for those who guess passwords or send what nobody wants, and short for those
 * who do not speak SMTP at all. */

/* Logins that may fail before the connection is slow, and before further ones have to wait. */
#define FREE_FAILURES 3
/* Bytes per second for slow connections. */
#define SLOW_PACE 1

unsigned mox_smtp_server_pace(struct mox_smtp_server *s)
{
    return s->slow || s->failed_logins >= FREE_FAILURES ? SLOW_PACE : 0;
}

/* -- logins ---------------------------------------------------------------------------------- */

/* Counted before it is known how it ends, so that it makes no difference what a guesser does then:
 * to give up, say. */
void mox__smtp_login_begins(struct mox_smtp_server *s)
{
    s->failed_logins++;
}

void mox__smtp_login_undone(struct mox_smtp_server *s)
{
    s->failed_logins -= s->failed_logins > 0;
}

void mox__smtp_login_succeeded(struct mox_smtp_server *s)
{
    s->failed_logins = 0;
    s->slow = false;
}

static bool is_auth(struct mox_slice line)
{
    return mox__slice_starts_nocase(line, "AUTH") && (line.len == 4 || line.data[4] == ' ');
}

/* The line stays unread until then: whatever is in it waits where it is wiped, and nowhere else. */
bool mox__smtp_holds(struct mox_smtp_server *s, struct mox_slice line)
{
    if (s->failed_logins <= FREE_FAILURES || s->config.login_delay_us <= 0 || !is_auth(line))
        return false;
    if (s->held_enough) {
        s->held_enough = false;
        return false;
    }
    s->held_until_us = s->env.monotonic_us(s->env.user) +
                       (int64_t)(s->failed_logins - FREE_FAILURES) * s->config.login_delay_us;
    return true;
}

void mox__smtp_release(struct mox_smtp_server *s)
{
    s->held_until_us = 0;
    s->held_enough = true;
    s->active_us = s->env.monotonic_us(s->env.user);
    mox__smtp_resume(s);
}

/* -- other protocols ------------------------------------------------------------------------- */

static const struct mox_metric others = {
    .name = "mox_smtpserver_not_smtp_total",
    .help = "SMTP connections that began with another protocol.",
};

/* Whoever starts with something else, HTTP say, is not answered line by line. */
void mox__smtp_not_smtp(struct mox_smtp_server *s)
{
    log_line(&s->env, MOX_LOG_DEBUG, SMTP_PKG, "not speaking smtp", NULL, F_HEX("cid", s->peer.cid),
             F_TEXT("remote", s->peer.remote_ip));
    metric_count(&s->env, &others, NULL);
    s->verb = "(unknown)";
    s->verb_us = s->env.monotonic_us(s->env.user);
    mox__smtp_bye(s, 500, "5.5.2", "please speak SMTP");
}

/* A verb begins with a letter. A TLS handshake does not, and may wait for our answer without ever
 * sending an LF. */
bool mox__smtp_is_foreign(const struct mox_smtp_server *s, struct mox_slice src)
{
    return !s->greeted && src.len > 0 && !is_alpha(src.data[0]);
}

/* -- patience -------------------------------------------------------------------------------- */

/* Guessing and fuzzing are cut off, but not a client that has shown that it can do better. */
void mox__smtp_check_patience(struct mox_smtp_server *s)
{
    bool proved = s->good_transactions > 0 || s->username != NULL;
    if (!proved && !s->closing && s->pending == ASK_NOTHING &&
        s->bad_commands >= s->config.max_bad_commands)
        mox__smtp_bye(s, 421, "4.7.0", "too many bad commands");
}
