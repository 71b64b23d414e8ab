/* SPDX-License-Identifier: MIT */
#include "server/smtp_submit.h"

#include <mox/config.h>

#include "base/log.h"
#include "base/text.h"
#include "server/metrics.h"

#define PKG "smtpserver"

/* Addresses of one message, as they are counted: a local part, a domain, and what stands between. */
#define ADDRESS_MAX       800
#define ADDRESSES_MAX     1000 /* the engine's bound of recipients */
#define ADDRESSES_MAX_MEM (ADDRESSES_MAX * (ADDRESS_MAX + sizeof(char *)))

static bool may_send_as(const struct mox_config_target *target,
                        const struct mox_config_account *account)
{
    if (target->alias == NULL || !target->alias->allow_msg_from)
        return target->account == account;
    for (size_t i = 0; i < target->member_count; i++)
        if (target->members[i].account == account)
            return true;
    return false;
}

/* A user sends as himself, or in the name of an alias that lets its members do so. A test server takes
 * any sender, unless it is pedantic: programs under test send from addresses of their own. */
int mox__submission_sender(struct smtp_session *ss, struct mox_slice localpart, const char *domain,
                           struct mox_smtp_reply *reply)
{
    struct mox_server *s = ss->server;
    struct mox_config_target target;
    if (s->config.localserve && !s->pedantic)
        return MOX_OK;
    enum mox_config_found found =
        mox_config_lookup(s->files, localpart, slice_of(domain), MOX_CONFIG_LOGIN, &target);
    if (found == MOX_CONFIG_DOMAIN_DISABLED) {
        mox_smtp_reply_set(reply, 451, "4.3.0", "the domain of this address is disabled for now");
        return MOX_EREFUSED;
    }
    if (found == MOX_CONFIG_FOUND && may_send_as(&target, ss->user))
        return MOX_OK;
    mox_smtp_reply_set(reply, 550, "5.7.1", "this address is not one of your account's");
    return MOX_EDENIED;
}

static int check_from(void *user, struct mox_slice localpart, const char *domain,
                      struct mox_smtp_reply *reply)
{
    return mox__submission_sender(user, localpart, domain, reply);
}

int mox__submission_examine(struct smtp_session *ss, struct mox_smtp_envelope *envelope,
                            struct mox_smtp_reply *reply, enum mox_submission_outcome *outcome)
{
    const struct mox_submission_rules rules = {
        .size = sizeof rules, .pedantic = ss->server->pedantic, .sender = check_from, .user = ss};
    int rc = mox_submission_check(ss->submission, envelope, &rules, reply);
    const struct mox_submission_result *result = mox_submission_result(ss->submission);
    *outcome = result->outcome;
    if (rc == MOX_OK)
        envelope->smtputf8 = result->smtputf8;
    return rc;
}

/* ---- limits ---- */

/* One form for each recipient. Local parts that differ only in case are the same person's. */
static const char *counted_address(struct arena *arena, const struct mox_smtp_path *path)
{
    size_t local = strlen(path->localpart), domain = strlen(path->domain);
    char *text = arena_new(arena, char, local + 1 + domain + 1);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < local; i++)
        text[i] = (char)to_lower((uint8_t)path->localpart[i]);
    text[local] = '@';
    memcpy(text + local + 1, path->domain, domain);
    return text;
}

static int list_recipients(struct submission_count *c, const struct mox_smtp_envelope *e)
{
    const char **list = arena_new(&c->arena, const char *, e->recipient_count);
    for (size_t i = 0; list != NULL && i < e->recipient_count; i++) {
        list[i] = counted_address(&c->arena, &e->recipients[i]);
        if (list[i] == NULL)
            return MOX_ENOMEM;
    }
    c->op.recipients = list;
    c->op.recipient_count = e->recipient_count;
    return list == NULL ? MOX_ENOMEM : MOX_OK;
}

int mox__submission_count(struct submission_count *c, struct smtp_session *ss,
                          const struct mox_smtp_envelope *envelope,
                          void (*done)(struct mox_write *w), void *user)
{
    const struct mox_config_account *limits = ss->user;
    bool limited = ss->server->config.limits;
    mox__arena_init(&c->arena, &ss->server->env, ADDRESSES_MAX_MEM);
    int rc = list_recipients(c, envelope);
    if (rc == MOX_OK)
        rc = mox__account_open(ss->server, ss->user->name, &c->account, &c->error);
    if (rc < 0)
        return rc;
    c->op.write.done = done;
    c->op.write.user = user;
    c->op.max_recipients = limited ? limits->max_outgoing_messages_per_day : UINT64_MAX;
    c->op.max_first_time = limited ? limits->max_first_time_recipients_per_day : UINT64_MAX;
    mox_account_outgoing(c->account, &c->op);
    return MOX_OK;
}

int mox__submission_counted(const struct submission_count *c, const struct smtp_session *ss,
                            struct mox_smtp_reply *reply, enum mox_submission_outcome *outcome)
{
    const struct mox_outgoing *op = &c->op;
    *outcome = op->write.status == MOX_OK ? MOX_SUBMISSION_OK : MOX_SUBMISSION_QUEUE;
    if (op->exceeded == MOX_OUTGOING_RECIPIENTS) {
        *outcome = MOX_SUBMISSION_MESSAGE_LIMIT;
        mox_smtp_reply_set(reply, 451, "4.7.1",
                           "too many messages in 24 hours: %llu of %llu are sent; the limit is "
                           "MaxOutgoingMessagesPerDay of account %s",
                           (unsigned long long)op->day_recipients,
                           (unsigned long long)op->max_recipients, ss->user->name);
    } else if (op->exceeded == MOX_OUTGOING_FIRST_TIME) {
        *outcome = MOX_SUBMISSION_RECIPIENT_LIMIT;
        mox_smtp_reply_set(reply, 451, "4.7.1",
                           "too many new recipients in 24 hours: %llu of %llu were written to; the "
                           "limit is MaxFirstTimeRecipientsPerDay of account %s",
                           (unsigned long long)op->day_first_time,
                           (unsigned long long)op->max_first_time, ss->user->name);
    }
    return op->write.status;
}

void mox__submission_count_free(struct submission_count *c, struct smtp_session *ss)
{
    if (c->account != NULL)
        mox__account_keep(ss->server, ss->user, c->account);
    c->account = NULL;
    mox__arena_reset(&c->arena);
}

void mox__submission_ended(struct smtp_session *ss, enum mox_submission_outcome outcome,
                           const struct mox_smtp_reply *reply)
{
    const char *word = mox_submission_word(outcome);
    mox__count_submission(ss->server, word);
    if (outcome != MOX_SUBMISSION_OK)
        log_line(mox__conn_env(ss->conn), MOX_LOG_INFO, PKG, "submission refused", reply->text,
                 F_TEXT("result", word), F_INT("code", reply->code),
                 F_TEXT("ecode", reply->enhanced));
}
