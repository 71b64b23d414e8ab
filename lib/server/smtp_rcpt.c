/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/metrics.h"
#include "server/smtp_checks.h"

/* RCPT: who gets the mail of an address.
 *
 * On delivery an unknown address of ours is taken like any other, and refused when the whole message
 * has come: guessing addresses costs a message each. A message that some of its recipients do not get
 * would have to be answered by a message to its sender, who may be forged; so a client whose sender is
 * not known to be genuine gets one recipient for each message, whether the others exist or not, and
 * sends to them in messages of their own (RFC 5321 §4.5.3.1.10). Once SPF has passed for the sender it may
 * have more, and those that do not exist are refused at once: nothing is silently lost, and guesses are
 * made in the name of a domain that can be held to account. */

static enum mox_config_found look_up(const struct mox_server *s, const struct mox_smtp_path *path,
                                     struct mox_config_target *target)
{
    if (path->is_literal)
        return MOX_CONFIG_NO_DOMAIN;
    return mox_config_lookup(s->files, slice_of(path->localpart),
                             slice_of(path->is_postmaster ? "" : path->domain),
                             MOX_CONFIG_RECIPIENT, target);
}

/* A recipient with neither account nor alias does not exist. */
static bool exists(const struct mox_config_target *r)
{
    return r->account != NULL || r->alias != NULL;
}

/* SMTPError of a destination: 421 or 550, and maybe a text. 421 itself would end the connection. */
static int refuse_as_configured(const char *error, struct mox_smtp_reply *reply)
{
    bool later = error[0] == '4';
    const char *text = error[3] == ' ' ? error + 4 : "";
    if (text[0] == '\0')
        text = later ? "this address takes no mail for now; try again later" : "no such user";
    mox_smtp_reply_set(reply, later ? 451 : 550, later ? "4.3.0" : "5.1.1", "%s", text);
    return MOX_EREFUSED;
}

static int resolve(const struct smtp_session *ss, const struct mox_smtp_path *path,
                   struct mox_config_target *out, struct mox_smtp_reply *reply)
{
    const struct mox_server *s = ss->server;
    *out = (struct mox_config_target){.mailbox = ""};
    enum mox_config_found found = look_up(s, path, out);
    if (found == MOX_CONFIG_FOUND && out->destination != NULL &&
        *out->destination->smtp_error != '\0')
        return refuse_as_configured(out->destination->smtp_error, reply);
    if (found == MOX_CONFIG_FOUND)
        return MOX_OK;
    *out = (struct mox_config_target){.mailbox = ""};
    if (s->config.localserve) {
        out->account = mox_config_account(s->files, s->files->mox->postmaster.account);
        out->mailbox = "Inbox";
        return MOX_OK;
    }
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

static int add(struct smtp_session *ss, const struct mox_config_target *r)
{
    if (!mem_room(&ss->server->env, &ss->recipients, &ss->recipient_cap, ss->recipient_count, 4))
        return MOX_ENOMEM; /* the engine has the bound */
    ss->recipients[ss->recipient_count++] = *r;
    ss->nobody = ss->nobody || !exists(r);
    return MOX_OK;
}

static int refuse_another(struct mox_smtp_reply *reply)
{
    mox_smtp_reply_set(reply, 452, "4.5.3",
                       "one recipient for each message, please: send to "
                       "this one in another message");
    return MOX_ETOOMANY;
}

static int take(struct smtp_session *ss, const struct mox_smtp_path *path,
                struct mox_smtp_reply *reply)
{
    struct mox_config_target r;
    int rc = resolve(ss, path, &r, reply);
    if (rc == MOX_OK && !exists(&r) && ss->recipient_count > 0) {
        mox_smtp_reply_set(reply, 550, "5.1.1", "no such user");
        rc = MOX_ENOTFOUND;
    }
    if (rc < 0) {
        if (ss->endpoint->kind == SERVE_SMTP && rc != MOX_EREFUSED)
            mox__count_delivery(ss->server, "unknownuser", "");
        return rc;
    }
    rc = add(ss, &r);
    if (rc < 0)
        mox_smtp_reply_set(reply, 452, "4.3.0", "out of memory; try again later");
    return rc;
}

/* ---- more than one ---- */

/* A recipient that waits for SPF. */
struct proof {
    struct smtp_names names;
    const struct mox_smtp_envelope *envelope;
    const struct mox_smtp_path *path;
    struct mox_spf_verdict verdict;
};

static int ask_spf(struct smtp_names *n, struct mox_dns_answers *answers)
{
    struct proof *p = container_of(n, struct proof, names);
    const struct mox_spf_query query = mox__smtp_spf_query(n->session, p->envelope);
    return mox_spf_check(&query, answers, &p->verdict);
}

/* Takes the recipient if SPF vouches for the sender, and frees. */
static int decide(struct proof *p, int rc, struct mox_smtp_reply *reply)
{
    struct smtp_session *ss = p->names.session;
    ss->vouched = rc == MOX_OK && p->verdict.result == MOX_SPF_PASS &&
                  p->verdict.identity == MOX_SPF_IDENTITY_MAILFROM;
    rc = ss->vouched ? take(ss, p->path, reply) : refuse_another(reply);
    mox__mem_free(&ss->server->env, p);
    return rc;
}

static void spf_done(struct smtp_names *n, int rc)
{
    struct smtp_session *ss = n->session;
    struct mox_smtp_reply reply;
    rc = decide(container_of(n, struct proof, names), rc, &reply);
    mox__smtp_answer_pending(ss, rc, rc == MOX_OK ? NULL : &reply);
}

static int take_if_genuine(struct smtp_session *ss, const struct mox_smtp_envelope *envelope,
                           const struct mox_smtp_path *path, struct mox_smtp_reply *reply)
{
    struct proof *p = mem_new(&ss->server->env, struct proof, 1);
    if (p == NULL)
        return refuse_another(reply);
    p->names = (struct smtp_names){.session = ss, .run = ask_spf, .done = spf_done};
    p->envelope = envelope;
    p->path = path;
    int rc = mox__smtp_names_start(&p->names);
    if (rc != MOX_LATER)
        return decide(p, rc, reply);
    ss->pending = true;
    return rc;
}

int mox__smtp_rcpt(struct smtp_session *ss, const struct mox_smtp_envelope *envelope,
                   const struct mox_smtp_path *path, struct mox_smtp_reply *reply)
{
    const struct mox_server *s = ss->server;
    bool first = ss->recipient_count == 0;
    if (ss->endpoint->kind != SERVE_SMTP || s->config.localserve || first)
        return take(ss, path, reply);
    if (ss->nobody)
        return refuse_another(reply);
    return ss->vouched ? take(ss, path, reply) : take_if_genuine(ss, envelope, path, reply);
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
