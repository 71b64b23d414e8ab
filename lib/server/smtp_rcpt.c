/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/metrics.h"
#include "server/smtp_session.h"

/* RCPT: who gets the mail of an address.
 *
 * On delivery an unknown address of ours is taken like any other, and refused when the whole message
 * has come: guessing addresses costs a message each. A message that some of its recipients do not get
 * would have to be answered by a message to its sender, who may be forged; so a client whose sender is
 * not known to be genuine gets one recipient for each message, whether the others exist or not, and
 * sends to them in messages of their own (RFC 5321 §4.5.3.1.10). */

static enum mox_config_found look_up(const struct mox_server *s, const struct mox_smtp_path *path,
                                     struct mox_config_target *target)
{
    if (path->is_literal)
        return MOX_CONFIG_NO_DOMAIN;
    return mox_config_lookup(s->files, slice_of(path->localpart),
                             slice_of(path->is_postmaster ? "" : path->domain),
                             MOX_CONFIG_RECIPIENT, target);
}

/* A recipient without an account does not exist. */
static int resolve(const struct smtp_session *ss, const struct mox_smtp_path *path,
                   struct recipient *out, struct mox_smtp_reply *reply)
{
    const struct mox_server *s = ss->server;
    struct mox_config_target target = {.account = NULL};
    enum mox_config_found found = look_up(s, path, &target);
    *out = (struct recipient){target.account, target.mailbox};
    if (found == MOX_CONFIG_FOUND)
        return MOX_OK;
    if (s->config.localserve) {
        out->account = mox_config_account(s->files, s->files->mox->postmaster.account);
        out->mailbox = "Inbox";
        return MOX_OK;
    }
    *out = (struct recipient){NULL, ""};
    if (found == MOX_CONFIG_NO_ADDRESS && ss->endpoint->kind == SERVE_SMTP)
        return MOX_OK;
    if (found == MOX_CONFIG_DOMAIN_DISABLED)
        mox_smtp_reply_set(reply, 450, "4.2.1", "the domain is disabled for now; try again later");
    else if (found == MOX_CONFIG_NO_DOMAIN)
        mox_smtp_reply_set(reply, 550, "5.1.1", "not accepting mail for this domain");
    else
        mox_smtp_reply_set(reply, 550, "5.1.1", "no such user");
    return MOX_ENOTFOUND;
}

static int add(struct smtp_session *ss, const struct recipient *r)
{
    if (ss->recipient_count == ss->recipient_cap) {
        size_t cap =
            ss->recipient_cap == 0 ? 4 : 2 * ss->recipient_cap; /* the engine has the bound */
        void *more = mox__realloc(&ss->server->env, ss->recipients, cap, sizeof *ss->recipients);
        if (more == NULL)
            return MOX_ENOMEM;
        ss->recipients = more;
        ss->recipient_cap = cap;
    }
    ss->recipients[ss->recipient_count++] = *r;
    ss->nobody = ss->nobody || r->account == NULL;
    return MOX_OK;
}

int mox__smtp_rcpt(struct smtp_session *ss, const struct mox_smtp_path *path,
                   struct mox_smtp_reply *reply)
{
    struct recipient r;
    bool delivery = ss->endpoint->kind == SERVE_SMTP;
    if (delivery && !ss->server->config.localserve && ss->recipient_count > 0) {
        mox_smtp_reply_set(reply, 452, "4.5.3",
                           "one recipient for each message, please: send to "
                           "this one in another message");
        return MOX_ETOOMANY;
    }
    int rc = resolve(ss, path, &r, reply);
    if (rc < 0) {
        if (delivery)
            mox__count_delivery(ss->server, "unknownuser", "");
        return rc;
    }
    rc = add(ss, &r);
    if (rc < 0)
        mox_smtp_reply_set(reply, 452, "4.3.0", "out of memory; try again later");
    return rc;
}

int mox__smtp_nobody(struct smtp_session *ss, const struct mox_smtp_envelope *envelope,
                     struct mox_smtp_reply *reply)
{
    mox__count_delivery(ss->server, "unknownuser", "");
    log_line(mox__conn_env(ss->conn), MOX_LOG_INFO, "smtpserver", "incoming message rejected", NULL,
             F_TEXT("reason", "unknownuser"), F_TEXT("mailfrom", envelope->mail_from.address),
             F_TEXT("rcptto", envelope->recipients[0].address));
    mox_smtp_reply_set(reply, 550, "5.1.1", "no such user");
    return mox__smtp_refuse_late(ss, reply, ss->server->delays.unknown_recipients_us);
}
