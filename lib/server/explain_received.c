/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <mox/dns.h>
#include <mox/judge.h>

#include "base/error.h"
#include "base/text.h"
#include "server/explain.h"
#include "server/smtp_session.h"

#define ANSWER_MAX  (1024 * 1024)
#define ADDRESS_MAX 1024

/* A message as if it came now, and its recipient. */
struct received {
    const struct mox_env *env;
    const struct mox_explain *explain;
    const struct mox_explain_incoming *incoming;
    struct explained_target target;
    char recipient[ADDRESS_MAX], localpart[ADDRESS_MAX], mail_from[ADDRESS_MAX];
    struct mox_domain mail_from_domain, ehlo_domain, recipient_domain;
    struct mox_judge_message message;
    struct mox_judge_recipient query;
    struct mox_smtp_reply over_limit; /* when query.over_limit */
    struct mox_error problem;         /* what the account failed to tell */
    struct mox_error *err;
};

void mox_explain_incoming_init(struct mox_explain_incoming *incoming)
{
    *incoming =
        (struct mox_explain_incoming){.size = sizeof *incoming, .recipient = "", .tls = true};
}

/* ---- whom it is for ---- */

/* The first address that is no catchall. */
static const char *first_address(const struct mox_config_account *account)
{
    for (size_t i = 0; i < account->destinations.count; i++)
        if (account->destinations.items[i].address[0] != '@')
            return account->destinations.items[i].address;
    return "";
}

static int no_recipient(const struct received *r)
{
    return mox__fail(r->err, MOX_ENOTFOUND, "%.200s is no address of account %s", r->recipient,
                     mox_account_name(r->explain->account));
}

static int find_recipient(struct received *r)
{
    const char *name = mox_account_name(r->explain->account);
    const struct mox_config_account *account = mox_config_account(r->explain->config, name);
    if (account == NULL)
        return mox__fail(r->err, MOX_ENOTFOUND, "account %s is not configured", name);
    const char *wanted = r->incoming->recipient;
    (void)snprintf(r->recipient, sizeof r->recipient, "%s",
                   wanted[0] != '\0' ? wanted : first_address(account));
    const char *at = strrchr(r->recipient, '@');
    if (at == NULL ||
        mox_domain_parse(&r->recipient_domain, slice_of(at + 1), MOX_DOMAIN_UNDERSCORES) != MOX_OK)
        return no_recipient(r);
    (void)snprintf(r->localpart, sizeof r->localpart, "%.*s", (int)(at - r->recipient),
                   r->recipient);
    return mox__explain_target(r->explain->config, name, slice_of(r->localpart), slice_of(at + 1),
                               &r->target)
               ? MOX_OK
               : no_recipient(r);
}

static bool has_lists(const struct mox_config *config)
{
    for (size_t i = 0; i < config->mox->listeners.count; i++)
        if (config->mox->listeners.items[i].smtp.dnsbls.count > 0)
            return true;
    return false;
}

static bool is_over_limit(struct received *r)
{
    struct mox_arrivals stored;
    if (!r->incoming->limits)
        return false;
    mox_account_arrivals(r->explain->account, r->incoming->query->ip, &stored);
    return mox__delivery_limits(&r->explain->config->mox->limits, &stored, r->incoming->content.len,
                                &r->over_limit) < 0;
}

static void fill_query(struct received *r)
{
    const struct explained_target *t = &r->target;
    const struct mox_config_junk_filter *filter = t->account->junk_filter;
    struct mox_judge_recipient *q = &r->query;
    mox_judge_recipient_init(q);
    q->account = r->explain->account;
    q->localpart = r->localpart;
    q->domain = r->recipient_domain.ascii;
    q->address = t->destination != NULL ? t->destination->address : r->recipient;
    q->mailbox = t->mailbox;
    q->rulesets = t->rulesets;
    q->introbox = t->account->introbox;
    q->has_junk_filter = filter != NULL;
    q->threshold = filter != NULL ? filter->threshold : 0;
    q->subjectpass_us = t->account->subject_pass.period_us;
    q->has_dnsbl = has_lists(r->explain->config);
    q->over_limit = is_over_limit(r);
    if (t->destination == NULL)
        return;
    q->ruleset_list = t->destination->rulesets.items;
    q->auth_required = t->destination->message_auth_required_smtp_error;
}

/* ---- who sent it ---- */

static bool is_name(struct mox_domain *out, const char *name)
{
    return name[0] != '\0' &&
           mox_domain_parse(out, slice_of(name), MOX_DOMAIN_UNDERSCORES) == MOX_OK;
}

/* In the forms in which accounts remember them; "" for what is no name. */
static void fill_names(struct received *r)
{
    const struct mox_checks_query *q = r->incoming->query;
    struct mox_judge_message *m = &r->message;
    if (!q->helo_is_literal && is_name(&r->ehlo_domain, q->helo))
        m->ehlo_domain = r->ehlo_domain.ascii;
    if (is_name(&r->mail_from_domain, q->mail_from_domain))
        m->mail_from_domain = r->mail_from_domain.unicode;
}

static void fill_message(struct received *r)
{
    const struct mox_checks_query *q = r->incoming->query;
    struct mox_judge_message *m = &r->message;
    mox_judge_message_init(m);
    m->checks = r->incoming->checks;
    m->ip = q->ip;
    fill_names(r);
    if (q->mail_from_domain[0] != '\0') {
        (void)snprintf(r->mail_from, sizeof r->mail_from, "%s@%s", q->mail_from_localpart,
                       q->mail_from_domain);
        m->mail_from = r->mail_from;
        m->mail_from_localpart = q->mail_from_localpart;
    }
    m->tls = r->incoming->tls;
    m->lenient = r->incoming->lenient;
    m->content = r->incoming->content;
    m->now_us = q->now_us;
}

/* ---- what comes of it ---- */

static void put_rules(struct outline *o, const struct mox_analysis *a)
{
    mox__outline_list(o, "rules");
    for (size_t i = 0; i < a->rule_count; i++) {
        mox__outline_entry(o);
        mox__outline_text(o, "name", a->rules[i].name);
        mox__outline_bool(o, "decided", a->rules[i].decided);
        mox__outline_words(o, a->rules[i].text);
        mox__outline_close(o);
    }
    mox__outline_close(o);
}

static void put_reply(const struct received *r, struct outline *o, const struct mox_judgement *j)
{
    const struct mox_analysis *a = j->analysis;
    const bool limited = a->reason == MOX_REASON_HIGH_RATE;
    char reply[512] = "";
    if (!a->accept && !a->accepted_reject)
        (void)snprintf(reply, sizeof reply, "%d %s %.480s", a->code, a->enhanced,
                       limited ? r->over_limit.text : j->reply);
    mox__outline_text(o, "reply", reply);
}

static void put_judgement(const struct received *r, struct outline *o,
                          const struct mox_judgement *j)
{
    const struct mox_analysis_facts *f = j->facts;
    mox__outline_text(o, "account", mox_account_name(r->explain->account));
    mox__outline_text(o, "recipient", r->recipient);
    mox__outline_bool(o, "accepted", j->analysis->accept || j->analysis->accepted_reject);
    mox__outline_text(o, "reason", j->analysis->word);
    if (mox_analysis_is_failure(j->analysis))
        mox__outline_text(o, "problem", r->problem.text);
    put_reply(r, o, j);
    mox__outline_text(o, "mailbox", j->mailbox);
    mox__outline_text(o, "destined", j->destined);
    mox__outline_bool(o, "waits_as_first_message", j->first_time);
    put_rules(o, j->analysis);
    if (j->ruleset != NULL)
        mox__explain_ruleset(o, j->ruleset);
    if (f->reputation_state == MOX_FACT_FOUND)
        mox__explain_reputation(o, &f->reputation);
    if (f->junk_state == MOX_FACT_FOUND)
        mox__explain_junk(o, &f->junk, j->analysis->threshold, j->analysis->strict);
}

static int run(struct received *r, struct mox_judge *judge)
{
    int rc = mox_judge_run(judge, &r->problem);
    if (rc == MOX_NEED_DNS && r->incoming->listed_in != NULL) {
        const char *zone = r->incoming->listed_in;
        mox_judge_set_dnsbl(judge, zone[0] == '\0' ? MOX_FACT_ABSENT : MOX_FACT_FOUND, zone);
        rc = mox_judge_run(judge, &r->problem);
    }
    return rc < 0 ? mox__fail(r->err, rc, "judge a message: %s", mox_status_text(rc)) : rc;
}

static int write_judgement(const struct received *r, const struct mox_judgement *j, char **out)
{
    struct buf text;
    struct outline o;
    mox__buf_init(&text, r->env, ANSWER_MAX);
    mox__outline_begin(&o, &text, r->explain->json);
    put_judgement(r, &o, j);
    mox__outline_end(&o);
    mox__buf_byte(&text, '\0');
    if (text.failed) {
        mox__buf_free(&text);
        return mox__fail(r->err, MOX_ENOMEM, "judge a message: out of memory");
    }
    *out = (char *)text.data; /* the caller's from here on */
    return MOX_OK;
}

static int judge(struct received *r, char **out)
{
    struct mox_judge *judge;
    int rc = mox_judge_new(&judge, r->env, &r->message, &r->query);
    if (rc < 0)
        return mox__fail(r->err, rc, "judge a message: %s", mox_status_text(rc));
    rc = run(r, judge);
    if (rc == MOX_OK)
        rc = write_judgement(r, mox_judge_judgement(judge), out);
    mox_judge_free(judge);
    return rc;
}

int mox_explain_received(char **out, const struct mox_env *env, const struct mox_explain *explain,
                         const struct mox_explain_incoming *incoming, struct mox_error *err)
{
    struct received r = {.env = env, .explain = explain, .incoming = incoming, .err = err};
    *out = NULL;
    int rc = find_recipient(&r);
    if (rc < 0)
        return rc;
    fill_query(&r);
    fill_message(&r);
    return judge(&r, out);
}
