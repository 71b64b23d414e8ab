/* SPDX-License-Identifier: MIT */
#include <mox/ruleset.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/regexp.h"
#include "delivery/ruleset_headers.h"
#include "dns/question.h"

/* What the rulesets of one address may take for one message: a tenth of a second at worst. */
#define STEPS_MAX 1000000u

struct header_rule {
    struct regexp *name, *value;
};

struct rule {
    struct regexp *mail_from, *msg_from; /* NULL: no condition */
    char *verified_domain;               /* or NULL */
    struct header_rule *headers;
    size_t header_count;
};

struct mox_rulesets {
    struct mox_env env;
    struct rule *rules;
    size_t count;
    bool has_headers;
};

/* ---- made ---- */

static bool has_condition(const struct mox_ruleset *r)
{
    return *r->smtp_mail_from_regexp != '\0' || *r->msg_from_regexp != '\0' ||
           *r->verified_domain != '\0' || r->headers.count > 0;
}

static int compile(struct regexp **out, const struct mox_rulesets *rs, const char *pattern,
                   struct mox_error *err)
{
    if (*pattern == '\0')
        return MOX_OK;
    return mox__regexp_new(out, &rs->env, pattern, REGEXP_ANY_CASE, err);
}

static int make_headers(struct mox_rulesets *rs, struct rule *rule, const struct mox_ruleset *from,
                        struct mox_error *err)
{
    rule->headers = mem_new(&rs->env, struct header_rule, from->headers.count + 1);
    if (rule->headers == NULL)
        return mox__fail(err, MOX_ENOMEM, "read rulesets: out of memory");
    rule->header_count = from->headers.count;
    rs->has_headers = rs->has_headers || from->headers.count > 0;
    int rc = MOX_OK;
    for (size_t i = 0; i < rule->header_count && rc == MOX_OK; i++) {
        const struct mox_ruleset_header *h = &from->headers.items[i];
        rc = mox__regexp_new(&rule->headers[i].name, &rs->env, h->name, REGEXP_LOWER_CASE, err);
        if (rc == MOX_OK)
            rc = mox__regexp_new(&rule->headers[i].value, &rs->env, h->value, REGEXP_LOWER_CASE,
                                 err);
    }
    return rc;
}

static int make_rule(struct mox_rulesets *rs, struct rule *rule, const struct mox_ruleset *from,
                     struct mox_error *err)
{
    if (!has_condition(from))
        return mox__fail(err, MOX_ESYNTAX, "a ruleset without condition; add one");
    int rc = compile(&rule->mail_from, rs, from->smtp_mail_from_regexp, err);
    if (rc == MOX_OK)
        rc = compile(&rule->msg_from, rs, from->msg_from_regexp, err);
    if (rc == MOX_OK && *from->verified_domain != '\0') {
        rule->verified_domain =
            mox__strndup(&rs->env, from->verified_domain, strlen(from->verified_domain));
        if (rule->verified_domain == NULL)
            rc = mox__fail(err, MOX_ENOMEM, "read rulesets: out of memory");
    }
    return rc == MOX_OK ? make_headers(rs, rule, from, err) : rc;
}

int mox_rulesets_new(struct mox_rulesets **out, const struct mox_env *env,
                     const struct mox_ruleset *list, size_t count, size_t *bad,
                     struct mox_error *err)
{
    *out = NULL;
    *bad = 0;
    struct mox_rulesets *rs = mem_new(env, struct mox_rulesets, 1);
    if (rs == NULL)
        return mox__fail(err, MOX_ENOMEM, "read rulesets: out of memory");
    rs->env = *env;
    int rc = MOX_OK;
    rs->rules = mem_new(env, struct rule, count + 1);
    if (rs->rules == NULL)
        rc = mox__fail(err, MOX_ENOMEM, "read rulesets: out of memory");
    while (rc == MOX_OK && rs->count < count) {
        *bad = rs->count++;
        rc = make_rule(rs, &rs->rules[*bad], &list[*bad], err);
    }
    if (rc == MOX_OK)
        *out = rs;
    else
        mox_rulesets_free(rs);
    return rc;
}

static void free_rule(const struct mox_env *env, struct rule *rule)
{
    mox__regexp_free(rule->mail_from);
    mox__regexp_free(rule->msg_from);
    mox__mem_free(env, rule->verified_domain);
    for (size_t i = 0; i < rule->header_count; i++) {
        mox__regexp_free(rule->headers[i].name);
        mox__regexp_free(rule->headers[i].value);
    }
    mox__mem_free(env, rule->headers);
}

void mox_rulesets_free(struct mox_rulesets *rulesets)
{
    if (rulesets == NULL)
        return;
    struct mox_env env = rulesets->env;
    for (size_t i = 0; i < rulesets->count; i++)
        free_rule(&env, &rulesets->rules[i]);
    mox__mem_free(&env, rulesets->rules);
    mox__mem_free(&env, rulesets);
}

/* ---- matched ---- */

/* One message on its way through the rulesets. Conditions answer as mox__regexp_match() does. */
struct look {
    const struct mox_ruleset_query *query;
    struct regexp_run *run;
    struct ruleset_headers headers;
};

static int matches(const struct regexp *r, struct look *look, const char *text)
{
    return r == NULL ? MOX_OK : mox__regexp_match(r, look->run, slice_of(text));
}

static int from_matches(const struct regexp *r, struct look *look)
{
    if (r != NULL && *look->query->msg_from == '\0')
        return MOX_ENOTFOUND;
    return matches(r, look, look->query->msg_from);
}

static bool domain_matches(const char *domain, const struct mox_ruleset_query *q)
{
    if (domain == NULL || mox__dns_is_within(q->verified_ehlo, domain) ||
        mox__dns_is_within(q->verified_mail_from, domain))
        return true;
    for (size_t i = 0; i < q->dkim_domain_count; i++)
        if (mox__dns_is_within(q->dkim_domains[i], domain))
            return true;
    return false;
}

/* Whether some field matches. */
static int header_matches(const struct header_rule *rule, struct look *look)
{
    int rc = MOX_ENOTFOUND;
    for (size_t i = 0; i < look->headers.count && rc == MOX_ENOTFOUND; i++) {
        rc = mox__regexp_match(rule->name, look->run, ruleset_field_name(&look->headers, i));
        if (rc == MOX_OK)
            rc = mox__regexp_match(rule->value, look->run, ruleset_field_value(&look->headers, i));
    }
    return rc;
}

/* The cheapest first. */
static int rule_matches(const struct rule *rule, struct look *look)
{
    if (!domain_matches(rule->verified_domain, look->query))
        return MOX_ENOTFOUND;
    int rc = matches(rule->mail_from, look, look->query->mail_from);
    if (rc == MOX_OK)
        rc = from_matches(rule->msg_from, look);
    for (size_t i = 0; i < rule->header_count && rc == MOX_OK; i++)
        rc = header_matches(&rule->headers[i], look);
    return rc;
}

static int find(const struct mox_rulesets *rs, struct look *look, size_t *index)
{
    for (size_t i = 0; i < rs->count; i++) {
        int rc = rule_matches(&rs->rules[i], look);
        *index = i;
        if (rc == MOX_OK || rc == MOX_ENOMEM)
            return rc;
    }
    return MOX_ENOTFOUND;
}

int mox_rulesets_match(const struct mox_rulesets *rulesets, const struct mox_ruleset_query *query,
                       size_t *index)
{
    struct look look = {.query = query};
    size_t fields = 0;
    if (!mox__ruleset_headers_are_valid(query->headers, &fields))
        return MOX_ENOTFOUND;
    int rc = mox__regexp_run_new(&look.run, &rulesets->env, STEPS_MAX);
    if (rc == MOX_OK && rulesets->has_headers)
        rc = mox__ruleset_headers_read(&look.headers, &rulesets->env, query->headers, fields);
    if (rc == MOX_OK)
        rc = find(rulesets, &look, index);
    mox__ruleset_headers_free(&look.headers);
    mox__regexp_run_free(look.run);
    return rc;
}
