/* SPDX-License-Identifier: MIT */
#include <mox/dns_zone.h>
#include <mox/explain.h>

#include "base/error.h"
#include "server/server.h"

/* Called by the control socket, on a worker: the files do not change, and the store takes any thread. */

/* An account that was never used has no mail to ask about. */
static int open_existing(struct mox_server *s, const char *name, struct mox_account **out,
                         struct mox_error *err)
{
    const struct mox_server_account account = {.size = sizeof account,
                                               .config = s->files,
                                               .store = s->store,
                                               .name = name,
                                               .mode = MOX_ACCOUNT_EXISTING,
                                               .count_arrivals = s->config.limits};
    return mox_server_open_account(out, &s->env, &account, err);
}

int mox__server_explain(void *user, const char *account, const char *mailbox, uint32_t uid,
                        bool json, char **text, struct mox_error *err)
{
    struct mox_server *s = user;
    struct mox_explain explain = {.size = sizeof explain, .config = s->files, .json = json};
    int rc = open_existing(s, account, &explain.account, err);
    if (rc == MOX_OK)
        rc = mox_explain_stored(text, &s->env, &explain, mailbox, uid, err);
    mox_account_close(explain.account);
    return rc;
}

/* ---- a message as if it came now ---- */

/* The checks over the names that the client has found, which are all that there are. */
static int run_checks(struct mox_checks *checks, const struct mox_dns_zone *zone,
                      struct mox_dns_answers *answers)
{
    int rc;
    while ((rc = mox_checks_run(checks, answers)) == MOX_NEED_DNS) {
        rc = mox_dns_zone_answer(zone, answers);
        if (rc < 0)
            return rc;
    }
    return rc;
}

/* The same verdict that the client has reached. */
static int check_sender(const struct mox_server *s, const struct mox_ctl_check *q,
                        const struct mox_checks_query *query, struct mox_checks **out,
                        struct mox_error *err)
{
    struct mox_dns_zone *zone = NULL;
    struct mox_dns_answers *answers = NULL;
    int rc = mox_dns_zone_parse(&zone, &s->env, q->zone, "names", err);
    if (rc < 0)
        return rc;
    rc = mox_dns_answers_new(&answers, &s->env);
    if (rc == MOX_OK)
        rc = mox_checks_new(out, &s->env, query, q->content);
    if (rc == MOX_OK)
        rc = run_checks(*out, zone, answers);
    mox_dns_answers_free(answers);
    mox_dns_zone_free(zone);
    return rc < 0 ? mox__fail(err, rc, "check a message: %s", mox_status_text(rc)) : MOX_OK;
}

static int judge(struct mox_server *s, const struct mox_ctl_check *q,
                 const struct mox_checks_query *query, const struct mox_checks *checks, char **text,
                 struct mox_error *err)
{
    struct mox_explain explain = {.size = sizeof explain, .config = s->files, .json = q->json};
    struct mox_explain_incoming incoming;
    mox_explain_incoming_init(&incoming);
    incoming.query = query;
    incoming.checks = mox_checks_verdict(checks);
    incoming.content = q->content;
    incoming.recipient = q->recipient;
    incoming.tls = q->tls;
    incoming.lenient = s->config.localserve;
    incoming.listed_in = q->listed_in;
    incoming.limits = s->config.limits;
    int rc = open_existing(s, q->account, &explain.account, err);
    if (rc == MOX_OK)
        rc = mox_explain_received(text, &s->env, &explain, &incoming, err);
    mox_account_close(explain.account);
    return rc;
}

int mox__server_check(void *user, const struct mox_ctl_check *check, char **text,
                      struct mox_error *err)
{
    struct mox_server *s = user;
    struct mox_checks_query query;
    struct mox_checks *checks = NULL;
    mox_checks_query_init(&query);
    query.ip = check->ip;
    query.helo = check->helo;
    query.helo_is_literal = check->helo[0] == '[';
    query.mail_from_localpart = check->mail_from_localpart;
    query.mail_from_domain = check->mail_from_domain;
    query.now_us = check->now_us;
    query.pedantic = s->pedantic;
    query.localhost_signs = s->config.localserve;
    int rc = check_sender(s, check, &query, &checks, err);
    if (rc == MOX_OK)
        rc = judge(s, check, &query, checks, text, err);
    mox_checks_free(checks);
    return rc;
}
