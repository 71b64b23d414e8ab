/* SPDX-License-Identifier: MIT */
#include "delivery/checks.h"

#include "base/ip.h"
#include "base/mem.h"
#include "base/text.h"

/* Texts of the query, results and names: bounded by MOX_SIGNED_MESSAGE_FIELDS_MAX signatures. */
#define ARENA_MAX (2 * 1024 * 1024)

void mox_checks_query_init(struct mox_checks_query *query)
{
    *query = (struct mox_checks_query){.size = sizeof *query,
                                       .ip = "",
                                       .helo = "",
                                       .mail_from_localpart = "",
                                       .mail_from_domain = "",
                                       .authserv_id = "localhost"};
}

/* ---- the begin ---- */

static int copy_query(struct mox_checks *c, const struct mox_checks_query *given)
{
    struct mox_checks_query *q = &c->query;
    mox_checks_query_init(q);
    memcpy(q, given, given->size < sizeof *q ? given->size : sizeof *q);
    if (q->org_domain == NULL)
        q->org_domain = mox_org_domain;
    const char **const texts[] = {&q->ip, &q->helo, &q->mail_from_localpart, &q->mail_from_domain,
                                  &q->authserv_id};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = mox__arena_strndup(&c->arena, *texts[i], strlen(*texts[i]));
        if (*texts[i] == NULL)
            return MOX_ENOMEM;
    }
    return MOX_OK;
}

/* A name as the DNS has it: SPF asks for what EHLO said, and its fields are ASCII. What is no name stays. */
static int to_ascii(struct mox_checks *c, const char *text, const char **out)
{
    struct mox_domain name;
    int rc = mox_domain_parse(&name, slice_of(text), MOX_DOMAIN_UNDERSCORES);
    *out = text;
    if (rc == MOX_ENOMEM)
        return rc;
    if (rc == MOX_OK)
        *out = mox__arena_strndup(&c->arena, name.ascii, strlen(name.ascii));
    return *out == NULL ? MOX_ENOMEM : MOX_OK;
}

static int make_spf_query(struct mox_checks *c)
{
    const struct mox_checks_query *q = &c->query;
    mox_spf_query_init(&c->spf_query);
    c->spf_query.ip = q->ip;
    c->spf_query.helo_is_literal = q->helo_is_literal;
    c->spf_query.mail_from_localpart = q->mail_from_localpart;
    c->spf_query.mail_from_domain = q->mail_from_domain;
    c->spf_query.now_us = q->now_us;
    int rc = to_ascii(c, q->helo, &c->spf_query.helo);
    return rc < 0 ? rc : to_ascii(c, q->authserv_id, &c->spf_query.receiver);
}

static int read_message(struct mox_checks *c, struct mox_slice content)
{
    struct mox_dkim_config config;
    mox_dkim_config_init(&config);
    config.now_us = c->query.now_us;
    config.org_domain = c->query.org_domain;
    config.org_domain_user = c->query.org_domain_user;
    config.pedantic = c->query.pedantic;
    config.localhost_signs = c->query.localhost_signs;
    int rc = mox__checks_from(c, content);
    if (rc == MOX_OK)
        rc = mox_signed_message_new(&c->message, &c->env, content);
    if (rc == MOX_OK)
        rc = mox_dkim_verify_new(&c->dkim_verify, &c->env, c->message, &config);
    if (rc == MOX_OK)
        rc = mox_arc_verify_new(&c->arc_verify, &c->env, c->message, &config);
    return rc;
}

int mox_checks_new(struct mox_checks **out, const struct mox_env *env,
                   const struct mox_checks_query *query, struct mox_slice content)
{
    struct ip ip;
    *out = NULL;
    if (!mox__ip_parse(slice_of(query->ip), &ip))
        return MOX_EINVAL;
    struct mox_checks *c = mem_new(env, struct mox_checks, 1);
    if (c == NULL)
        return MOX_ENOMEM;
    c->env = *env;
    mox__arena_init(&c->arena, &c->env, ARENA_MAX);
    int rc = copy_query(c, query);
    if (rc == MOX_OK)
        rc = make_spf_query(c);
    if (rc == MOX_OK)
        rc = read_message(c, content);
    if (rc < 0) {
        mox_checks_free(c);
        return rc;
    }
    *out = c;
    return MOX_OK;
}

void mox_checks_free(struct mox_checks *c)
{
    if (c == NULL)
        return;
    const struct mox_env env = c->env;
    mox_arc_verify_free(c->arc_verify);
    mox_dkim_verify_free(c->dkim_verify);
    mox_signed_message_free(c->message);
    mox__arena_reset(&c->arena);
    mox__mem_free(&env, c);
}

/* ---- the checks ---- */

/* DMARC waits for SPF and DKIM, and its records need not: who sends the message is known. */
static int ask_ahead(struct mox_checks *c, struct mox_dns_answers *answers)
{
    int rc = MOX_OK;
    if (!c->asked_ahead && c->verdict.from_domain[0] != '\0')
        rc = mox_dmarc_lookup(&c->dmarc.found, c->verdict.from_domain, c->query.org_domain,
                              c->query.org_domain_user, answers);
    c->asked_ahead = rc >= 0;
    return rc < 0 ? rc : MOX_OK;
}

/* Who decides about mail does not take a signature's word for more than it covers. */
static void doubt(struct mox_dkim_result *r)
{
    const char *reason = NULL;
    if ((r->flags & MOX_DKIM_WEAK_HASH) != 0)
        reason = "valid, but rsa-sha1 proves nothing any more";
    else if ((r->flags & MOX_DKIM_SUBJECT_UNSIGNED) != 0)
        reason = "valid, but Subject is not signed";
    else if ((r->flags & MOX_DKIM_BODY_LIMITED) != 0)
        reason = "valid, but l= lets anything follow what is signed";
    if (r->status != MOX_DKIM_PASS || reason == NULL)
        return;
    r->status = MOX_DKIM_POLICY;
    r->reason = reason;
}

static int take_dkim(struct mox_checks *c)
{
    size_t count = mox_dkim_result_count(c->dkim_verify);
    c->dkim = arena_new(&c->arena, struct mox_dkim_result, count + 1);
    if (c->dkim == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        c->dkim[i] = *mox_dkim_result_at(c->dkim_verify, i);
        doubt(&c->dkim[i]);
    }
    return MOX_OK;
}

static int run_one(struct mox_checks *c, enum check which, struct mox_dns_answers *answers)
{
    int rc;
    switch (which) {
    case CHECK_IPREV:
        return mox_iprev_check(c->query.ip, answers, &c->iprev);
    case CHECK_SPF:
        return mox_spf_check(&c->spf_query, answers, &c->spf);
    case CHECK_DKIM:
        rc = mox_dkim_verify_run(c->dkim_verify, answers);
        return rc == MOX_OK ? take_dkim(c) : rc;
    case CHECK_ARC:
        return mox_arc_verify_run(c->arc_verify, answers);
    case CHECKS:
        break;
    }
    return MOX_OK;
}

static int run_dmarc(struct mox_checks *c, struct mox_dns_answers *answers)
{
    size_t count = mox_dkim_result_count(c->dkim_verify);
    struct mox_dmarc_dkim *signatures = mem_new(&c->env, struct mox_dmarc_dkim, count + 1);
    if (signatures == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < count; i++)
        signatures[i] = (struct mox_dmarc_dkim){c->dkim[i].status, c->dkim[i].domain};
    struct mox_dmarc_query query;
    mox_dmarc_query_init(&query);
    query.from_domain = c->verdict.from_domain;
    query.spf = c->spf.result;
    query.spf_domain = c->spf.domain;
    query.dkim = signatures;
    query.dkim_count = count;
    query.draw = c->query.draw;
    query.org_domain = c->query.org_domain;
    query.org_domain_user = c->query.org_domain_user;
    int rc = mox_dmarc_check(&query, answers, &c->dmarc);
    mox__mem_free(&c->env, signatures);
    return rc;
}

static void fill_verdict(struct mox_checks *c)
{
    struct mox_checks_verdict *v = &c->verdict;
    v->iprev = &c->iprev;
    v->spf = &c->spf;
    v->dkim = c->dkim;
    v->dkim_count = mox_dkim_result_count(c->dkim_verify);
    v->dkim_problem = mox_dkim_problem(c->dkim_verify);
    v->arc = mox_arc_verdict(c->arc_verify);
    v->dmarc = &c->dmarc;
    v->dkim_domain_count = 0;
}

int mox_checks_run(struct mox_checks *c, struct mox_dns_answers *answers)
{
    bool waits = false;
    int rc = ask_ahead(c, answers);
    for (enum check i = 0; rc >= 0 && i < CHECKS; i++) {
        if (c->is_done[i])
            continue;
        rc = run_one(c, i, answers);
        c->is_done[i] = rc == MOX_OK;
        waits = waits || rc == MOX_NEED_DNS;
    }
    if (rc < 0)
        return rc;
    if (waits)
        return MOX_NEED_DNS;
    rc = run_dmarc(c, answers);
    if (rc != MOX_OK)
        return rc;
    fill_verdict(c);
    return mox__checks_prove(c);
}

const struct mox_checks_verdict *mox_checks_verdict(const struct mox_checks *c)
{
    return &c->verdict;
}
