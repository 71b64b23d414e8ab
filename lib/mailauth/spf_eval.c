/* SPDX-License-Identifier: MIT */
#include "mailauth/spf_eval.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

/* ---- what terms stand on ---- */

void mox__spf_clean(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

enum spf_outcome mox__spf_problem(struct spf_eval *e, enum spf_outcome outcome, const char *format,
                                  ...)
{
    struct mox_spf_verdict *v = e->verdict;
    va_list args;
    if (e->missing || v->problem[0] != '\0')
        return outcome;
    va_start(args, format);
    (void)vsnprintf(v->problem, sizeof v->problem, format, args);
    va_end(args);
    mox__spf_clean(v->problem);
    return outcome;
}

enum spf_outcome mox__spf_ask(struct spf_eval *e, struct mox_slice name, enum mox_dns_type type,
                              const struct mox_dns_answer **out)
{
    int rc = mox_dns_ask(e->answers, name, type, out);
    if (rc == MOX_ELIMIT)
        return mox__spf_problem(e, SPF_PERMERROR, "too many names are looked up for this message");
    if (rc == MOX_NEED_DNS || rc < 0) {
        e->rc = rc < 0 ? rc : e->rc;
        e->missing = true;
        return SPF_MISSING;
    }
    e->secure = (e->secure || !e->asked) && (*out)->secure;
    e->asked = true;
    if (mox_dns_is_temporary((*out)->status))
        return mox__spf_problem(e, SPF_TEMPERROR, "%s of %.*s: %s", mox_dns_type_name(type),
                                (int)name.len, (const char *)name.data,
                                mox_dns_status_name((*out)->status));
    return (*out)->count > 0 ? SPF_MATCH : SPF_NO_MATCH;
}

/* §4.6.4 counts terms, not the hosts of one. */
enum spf_outcome mox__spf_look_up(struct spf_eval *e, struct mox_slice name, enum mox_dns_type type,
                                  const struct mox_dns_answer **out)
{
    enum spf_outcome found = mox__spf_ask(e, name, type, out);
    if (found != SPF_NO_MATCH || e->void_counted)
        return found;
    e->void_counted = true;
    if (++e->voids <= SPF_VOIDS_MAX)
        return found;
    return mox__spf_problem(e, SPF_PERMERROR, "more than %d terms look up what is not there",
                            SPF_VOIDS_MAX);
}

struct spf_macros mox__spf_macros(const struct spf_eval *e, const char *domain,
                                  const char *validated)
{
    return (struct spf_macros){
        .sender_localpart = e->localpart,
        .sender_domain = e->sender_domain,
        .domain = domain,
        .ip = &e->ip,
        .helo = e->query->helo,
        .receiver = e->query->receiver != NULL ? e->query->receiver : "unknown",
        .now_us = e->query->now_us,
        .validated = validated,
    };
}

static enum spf_outcome count_lookup(struct spf_eval *e)
{
    e->void_counted = false;
    if (++e->lookups <= SPF_LOOKUPS_MAX)
        return SPF_NO_MATCH;
    return mox__spf_problem(e, SPF_PERMERROR, "more than %d terms look something up",
                            SPF_LOOKUPS_MAX);
}

enum spf_outcome mox__spf_target(struct spf_eval *e, struct mox_slice spec, const char *domain,
                                 char out[MOX_DOMAIN_MAX + 1])
{
    char validated[MOX_DOMAIN_MAX + 1] = "unknown";
    if (spec.len == 0) {
        (void)snprintf(out, MOX_DOMAIN_MAX + 1, "%s", domain);
        return SPF_NO_MATCH;
    }
    if (mox__spf_macro_has_p(spec)) {
        enum spf_outcome found = mox__spf_validated(e, domain, validated);
        if (found == SPF_MISSING || found == SPF_PERMERROR)
            return found;
    }
    struct spf_macros m = mox__spf_macros(e, domain, validated);
    mox__spf_expand_domain(out, spec, &m);
    return SPF_NO_MATCH;
}

/* ---- records ---- */

/* The record of a domain (§4.4, §4.5). SPF_MATCH: *record is it; SPF_NO_MATCH: there is none. */
static enum spf_outcome find_record(struct spf_eval *e, const char *domain,
                                    struct mox_slice *record)
{
    const struct mox_dns_answer *answer;
    enum spf_outcome found = mox__spf_ask(e, slice_of(domain), MOX_DNS_TXT, &answer);
    size_t count = 0;
    if (found != SPF_MATCH)
        return found;
    for (size_t i = 0; i < answer->count; i++)
        if (mox__spf_is_record(answer->records[i].data.txt)) {
            *record = answer->records[i].data.txt;
            count++;
        }
    if (count > 1)
        return mox__spf_problem(e, SPF_PERMERROR, "%s has %zu SPF records", domain, count);
    return count == 1 ? SPF_MATCH : SPF_NO_MATCH;
}

/* A record as terms that are right, its modifiers at hand. */
struct checked {
    struct mox_slice terms;
    struct mox_slice redirect, exp; /* domain-specs; data is NULL when there is none */
    bool has_all;
};

static bool set_once(struct mox_slice *modifier, const struct spf_term *t)
{
    bool first = modifier->data == NULL;
    *modifier = t->domain;
    return first;
}

/* All of it, before any of it is evaluated (§4.6). */
static enum spf_outcome check_syntax(struct spf_eval *e, const char *domain,
                                     struct mox_slice record, struct checked *out)
{
    struct spf_term t;
    const char *problem = "";
    enum spf_next next;
    *out = (struct checked){.terms = mox__spf_terms(record)};
    struct mox_slice rest = out->terms;
    while ((next = mox__spf_next(&rest, &t, &problem)) == SPF_TERM) {
        out->has_all = out->has_all || t.kind == SPF_ALL;
        if ((t.kind == SPF_REDIRECT && !set_once(&out->redirect, &t)) ||
            (t.kind == SPF_EXP && !set_once(&out->exp, &t)))
            return mox__spf_problem(e, SPF_PERMERROR, "the record of %s has %s= twice", domain,
                                    mox__spf_kind_name(t.kind));
    }
    if (next == SPF_END)
        return SPF_MATCH;
    return mox__spf_problem(e, SPF_PERMERROR, "the record of %s is wrong at %.*s: %s", domain,
                            (int)(t.text.len < 80 ? t.text.len : 80), (const char *)t.text.data,
                            problem);
}

/* ---- evaluation ---- */

/* §5.2. */
static enum spf_outcome include(struct spf_eval *e, const char *target)
{
    switch (mox__spf_check_host(e, target, false)) {
    case MOX_SPF_PASS:
        return SPF_MATCH;
    case MOX_SPF_FAIL:
    case MOX_SPF_SOFTFAIL:
    case MOX_SPF_NEUTRAL:
        return SPF_NO_MATCH;
    case MOX_SPF_TEMPERROR:
        return SPF_TEMPERROR;
    case MOX_SPF_NONE:
        return mox__spf_problem(e, SPF_PERMERROR, "%s, which is included, has no SPF record",
                                target);
    case MOX_SPF_PERMERROR:
        break;
    }
    return SPF_PERMERROR;
}

static enum spf_outcome match_name(struct spf_eval *e, const struct spf_term *t, const char *domain)
{
    char target[MOX_DOMAIN_MAX + 1];
    enum spf_outcome found = count_lookup(e);
    if (found == SPF_NO_MATCH)
        found = mox__spf_target(e, t->domain, domain, target);
    if (found != SPF_NO_MATCH)
        return found;
    if (t->kind == SPF_INCLUDE) {
        bool missing = e->missing;
        e->missing = false; /* what is missing inside makes this term's match unknown, no other's */
        found = include(e, target);
        found = e->missing ? SPF_MISSING : found;
        e->missing = e->missing || missing;
        return found;
    }
    if (t->kind == SPF_A)
        return mox__spf_a(e, t, target);
    if (t->kind == SPF_MX)
        return mox__spf_mx(e, t, target);
    return t->kind == SPF_PTR ? mox__spf_ptr(e, target) : mox__spf_exists(e, target);
}

static enum spf_outcome match(struct spf_eval *e, const struct spf_term *t, const char *domain)
{
    switch (t->kind) {
    case SPF_ALL:
        return SPF_MATCH;
    case SPF_IP4:
        return mox__spf_in_network(&e->ip, &t->network, t->prefix4) ? SPF_MATCH : SPF_NO_MATCH;
    case SPF_IP6:
        return mox__spf_in_network(&e->ip, &t->network, t->prefix6) ? SPF_MATCH : SPF_NO_MATCH;
    case SPF_INCLUDE:
    case SPF_A:
    case SPF_MX:
    case SPF_PTR:
    case SPF_EXISTS:
        return match_name(e, t, domain);
    case SPF_REDIRECT:
    case SPF_EXP:
    case SPF_UNKNOWN:
        break;
    }
    return SPF_NO_MATCH;
}

/* Which directive decided, for people: that of the record that was asked first, or redirected to. */
static void note(struct spf_eval *e, struct mox_slice directive)
{
    (void)snprintf(
        e->verdict->mechanism, sizeof e->verdict->mechanism, "%.*s",
        (int)(directive.len < MOX_SPF_MECHANISM_MAX ? directive.len : MOX_SPF_MECHANISM_MAX),
        (const char *)directive.data);
    mox__spf_clean(e->verdict->mechanism);
}

/* §6.1: when nothing matched. */
static enum mox_spf_result redirect(struct spf_eval *e, const struct checked *c, const char *domain,
                                    bool is_top)
{
    char target[MOX_DOMAIN_MAX + 1];
    if (count_lookup(e) != SPF_NO_MATCH)
        return MOX_SPF_PERMERROR;
    enum spf_outcome found = mox__spf_target(e, c->redirect, domain, target);
    if (found != SPF_NO_MATCH)
        return MOX_SPF_PERMERROR;
    enum mox_spf_result result = mox__spf_check_host(e, target, is_top);
    if (result != MOX_SPF_NONE)
        return result;
    (void)mox__spf_problem(e, SPF_PERMERROR, "%s, which redirect= names, has no SPF record",
                           target);
    return MOX_SPF_PERMERROR;
}

static enum mox_spf_result evaluate(struct spf_eval *e, const struct checked *c, const char *domain,
                                    bool is_top)
{
    struct mox_slice rest = c->terms;
    struct spf_term t;
    const char *problem;
    if (is_top) {
        e->exp = c->exp;
        (void)snprintf(e->exp_domain, sizeof e->exp_domain, "%s", domain);
    }
    while (mox__spf_next(&rest, &t, &problem) == SPF_TERM) {
        switch (match(e, &t, domain)) {
        case SPF_NO_MATCH:
        case SPF_MISSING:
            break;
        case SPF_MATCH:
            if (is_top)
                note(e, t.text);
            return t.qualifier;
        case SPF_TEMPERROR:
            return MOX_SPF_TEMPERROR;
        case SPF_PERMERROR:
            return MOX_SPF_PERMERROR;
        }
    }
    if (c->redirect.data != NULL && !c->has_all)
        return redirect(e, c, domain, is_top);
    if (is_top)
        note(e, slice_of("default"));
    return MOX_SPF_NEUTRAL;
}

/* A name with more than one label, each of 1 to 63 bytes (§4.3). */
static bool is_checkable(const char *domain)
{
    size_t len = strlen(domain), label = 0, labels = 1;
    if (len > 0 && domain[len - 1] == '.')
        len--;
    for (size_t i = 0; i < len; i++) {
        if (domain[i] != '.') {
            if (++label > 63)
                return false;
            continue;
        }
        if (label == 0)
            return false;
        label = 0;
        labels++;
    }
    return label > 0 && labels > 1 && len <= MOX_DOMAIN_MAX;
}

/* Not deeper than SPF_LOOKUPS_MAX: each step in is a term that counts. */
enum mox_spf_result mox__spf_check_host(struct spf_eval *e, const char *domain, bool is_top)
{
    struct mox_slice record;
    struct checked c;
    if (!is_checkable(domain))
        return MOX_SPF_NONE;
    enum spf_outcome found = find_record(e, domain, &record);
    if (found == SPF_MATCH)
        found = check_syntax(e, domain, record, &c);
    switch (found) {
    case SPF_MATCH:
        return evaluate(e, &c, domain, is_top);
    case SPF_TEMPERROR:
        return MOX_SPF_TEMPERROR;
    case SPF_PERMERROR:
        return MOX_SPF_PERMERROR;
    case SPF_NO_MATCH:
    case SPF_MISSING:
        break;
    }
    return MOX_SPF_NONE;
}
