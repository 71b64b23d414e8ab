/* SPDX-License-Identifier: MIT */
#include <mox/dmarc.h>

#include <stdio.h>

#include "base/text.h"

const char *mox_dmarc_status_name(enum mox_dmarc_status status)
{
    static const char *const names[] = {"none", "pass", "fail", "temperror", "permerror"};
    return names[status];
}

const char *mox_dmarc_policy_name(enum mox_dmarc_policy policy)
{
    static const char *const names[] = {"none", "quarantine", "reject"};
    return names[policy];
}

/* ---- finding the record (RFC 7489 §6.6.3) ---- */

/* The record at one name. NONE: there is none, or there are several, which counts as none. */
static void take_record(struct mox_dmarc_found *out, const struct mox_dns_answer *answer)
{
    size_t count = 0;
    out->status = MOX_DMARC_NONE;
    for (size_t i = 0; i < answer->count; i++) {
        struct mox_dmarc_record record;
        struct mox_error err = {0};
        int rc = mox_dmarc_record_parse(&record, answer->records[i].data.txt, &err);
        if (rc == MOX_ENOTFOUND)
            continue;
        count++;
        out->record = record;
        out->status = rc == MOX_OK ? MOX_DMARC_PASS : MOX_DMARC_PERMERROR;
        (void)snprintf(out->problem, sizeof out->problem, "%.255s", err.text);
    }
    if (count > 1) {
        out->status = MOX_DMARC_NONE;
        (void)snprintf(out->problem, sizeof out->problem, "_dmarc.%.180s has %zu DMARC records",
                       out->domain, count);
    }
}

static int ask(struct mox_dns_answers *answers, const char *domain,
               const struct mox_dns_answer **out)
{
    char name[MOX_DOMAIN_MAX + 10];
    (void)snprintf(name, sizeof name, "_dmarc.%s", domain);
    return mox_dns_ask(answers, slice_of(name), MOX_DNS_TXT, out);
}

/* Whether the search ends at this answer. */
static bool settle(struct mox_dmarc_found *out, const char *domain, int rc,
                   const struct mox_dns_answer *answer)
{
    (void)snprintf(out->domain, sizeof out->domain, "%s", domain);
    out->problem[0] = '\0';
    if (rc == MOX_ELIMIT) {
        out->status = MOX_DMARC_PERMERROR;
        (void)snprintf(out->problem, sizeof out->problem,
                       "too many names are looked up for this message");
        return true;
    }
    out->secure = out->secure && answer->secure;
    if (mox_dns_is_temporary(answer->status)) {
        out->status = MOX_DMARC_TEMPERROR;
        (void)snprintf(out->problem, sizeof out->problem, "_dmarc.%.180s cannot be looked up: %s",
                       domain, mox_dns_status_name(answer->status));
        return true;
    }
    take_record(out, answer);
    return out->status != MOX_DMARC_NONE;
}

int mox_dmarc_lookup(struct mox_dmarc_found *out, const char *domain, mox_org_domain_fn *org_domain,
                     void *org_domain_user, struct mox_dns_answers *answers)
{
    const struct mox_dns_answer *own = NULL, *parent = NULL;
    char org[MOX_DOMAIN_MAX + 1];
    *out = (struct mox_dmarc_found){.status = MOX_DMARC_NONE, .secure = true};
    (org_domain != NULL ? org_domain : mox_org_domain)(org_domain_user, domain, org);
    bool has_parent = strcmp(org, domain) != 0;
    /* Both are asked at once: the second is needed for most subdomains. */
    int rc = ask(answers, domain, &own);
    int parent_rc = has_parent ? ask(answers, org, &parent) : MOX_OK;
    if (rc == MOX_ENOMEM || parent_rc == MOX_ENOMEM)
        return MOX_ENOMEM;
    if (rc == MOX_NEED_DNS)
        return rc;
    if (settle(out, domain, rc, own))
        return MOX_OK;
    if (has_parent) {
        if (parent_rc == MOX_NEED_DNS)
            return parent_rc;
        out->from_org_domain = settle(out, org, parent_rc, parent);
    }
    if (out->status == MOX_DMARC_NONE && out->problem[0] == '\0')
        (void)snprintf(out->problem, sizeof out->problem, "%.200s has no DMARC record", domain);
    return MOX_OK;
}

int mox_dmarc_reports_accepted(bool *accepts, enum mox_dmarc_status *status, const char *domain,
                               const char *external, struct mox_dns_answers *answers)
{
    char name[2 * MOX_DOMAIN_MAX + 20], own_org[MOX_DOMAIN_MAX + 1], other_org[MOX_DOMAIN_MAX + 1];
    const struct mox_dns_answer *answer;
    mox_org_domain(NULL, domain, own_org);
    mox_org_domain(NULL, external, other_org);
    *accepts = strcmp(own_org, other_org) == 0;
    *status = MOX_DMARC_PASS;
    if (*accepts)
        return MOX_OK;
    (void)snprintf(name, sizeof name, "%s._report._dmarc.%s", domain, external);
    int rc = mox_dns_ask(answers, slice_of(name), MOX_DNS_TXT, &answer);
    if (rc == MOX_ELIMIT) {
        *status = MOX_DMARC_PERMERROR;
        return MOX_OK;
    }
    if (rc != MOX_OK)
        return rc;
    *status = mox_dns_is_temporary(answer->status) ? MOX_DMARC_TEMPERROR : MOX_DMARC_NONE;
    for (size_t i = 0; i < answer->count; i++) {
        struct mox_slice text = mox__slice_trim(answer->records[i].data.txt);
        /* Step 5: the record says at least its version; a `;` behind that may be left out. */
        if (mox__slice_starts_nocase(text, "v=DMARC1") &&
            (text.len == 8 || text.data[8] == ';' || text.data[8] == ' ')) {
            *accepts = true;
            *status = MOX_DMARC_PASS;
        }
    }
    return MOX_OK;
}

/* ---- judging (§6.6.2) ---- */

void mox_dmarc_query_init(struct mox_dmarc_query *query)
{
    *query = (struct mox_dmarc_query){.size = sizeof *query, .from_domain = "", .spf_domain = ""};
}

/* §3.1: the same name, or in relaxed mode the same organization. */
static bool is_aligned(const struct mox_dmarc_query *q, const char *domain, bool strict)
{
    char ours[MOX_DOMAIN_MAX + 1], theirs[MOX_DOMAIN_MAX + 1];
    mox_org_domain_fn *org = q->org_domain != NULL ? q->org_domain : mox_org_domain;
    if (mox__slice_is_nocase(slice_of(domain), q->from_domain))
        return true;
    if (strict || domain[0] == '\0')
        return false;
    org(q->org_domain_user, q->from_domain, ours);
    org(q->org_domain_user, domain, theirs);
    return mox__slice_is_nocase(slice_of(ours), theirs);
}

static void align(const struct mox_dmarc_query *q, struct mox_dmarc_verdict *v)
{
    const struct mox_dmarc_record *r = &v->found.record;
    v->spf_aligned = q->spf == MOX_SPF_PASS && is_aligned(q, q->spf_domain, r->strict_spf);
    for (size_t i = 0; i < q->dkim_count; i++)
        v->dkim_aligned = v->dkim_aligned || (q->dkim[i].status == MOX_DKIM_PASS &&
                                              is_aligned(q, q->dkim[i].domain, r->strict_dkim));
}

static bool may_pass_later(const struct mox_dmarc_query *q)
{
    bool later = q->spf == MOX_SPF_TEMPERROR;
    for (size_t i = 0; i < q->dkim_count; i++)
        later = later || q->dkim[i].status == MOX_DKIM_TEMPERROR;
    return later;
}

static void say(struct mox_dmarc_verdict *v, const char *reason)
{
    (void)snprintf(v->reason, sizeof v->reason, "%s", reason);
}

static void judge(const struct mox_dmarc_query *q, struct mox_dmarc_verdict *v)
{
    const struct mox_dmarc_record *r = &v->found.record;
    v->policy = v->found.from_org_domain ? r->subdomain_policy : r->policy;
    align(q, v);
    if (v->spf_aligned || v->dkim_aligned) {
        v->status = MOX_DMARC_PASS;
        return;
    }
    if (may_pass_later(q)) {
        v->status = MOX_DMARC_TEMPERROR;
        say(v, "a look-up for SPF or DKIM failed, and may succeed later");
        return;
    }
    v->status = MOX_DMARC_FAIL;
    v->sampled_out = v->policy != MOX_DMARC_POLICY_NONE && q->draw >= r->percent;
    v->disposition = v->sampled_out ? MOX_DMARC_POLICY_NONE : v->policy;
    say(v, v->sampled_out ? "neither SPF nor DKIM passes for the domain in From; spared by pct="
                          : "neither SPF nor DKIM passes for the domain in From");
}

int mox_dmarc_check(const struct mox_dmarc_query *given, struct mox_dns_answers *answers,
                    struct mox_dmarc_verdict *verdict)
{
    struct mox_dmarc_query q;
    mox_dmarc_query_init(&q);
    memcpy(&q, given, given->size < sizeof q ? given->size : sizeof q);
    *verdict = (struct mox_dmarc_verdict){.status = MOX_DMARC_NONE};
    if (q.from_domain[0] == '\0') {
        say(verdict, "From has not exactly one address");
        return MOX_OK;
    }
    int rc =
        mox_dmarc_lookup(&verdict->found, q.from_domain, q.org_domain, q.org_domain_user, answers);
    if (rc != MOX_OK)
        return rc;
    if (verdict->found.status == MOX_DMARC_PASS) {
        judge(&q, verdict);
        return MOX_OK;
    }
    verdict->status = verdict->found.status;
    say(verdict, verdict->found.problem);
    return MOX_OK;
}
