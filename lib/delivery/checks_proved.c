/* SPDX-License-Identifier: MIT */
#include "delivery/checks.h"

#include "base/text.h"

static enum mox_validation of_spf(enum mox_spf_result result)
{
    static const enum mox_validation validations[] = {
        [MOX_SPF_NONE] = MOX_VALIDATION_NONE,
        [MOX_SPF_NEUTRAL] = MOX_VALIDATION_NEUTRAL,
        [MOX_SPF_PASS] = MOX_VALIDATION_PASS,
        [MOX_SPF_FAIL] = MOX_VALIDATION_FAIL,
        [MOX_SPF_SOFTFAIL] = MOX_VALIDATION_SOFTFAIL,
        [MOX_SPF_TEMPERROR] = MOX_VALIDATION_TEMPERROR,
        [MOX_SPF_PERMERROR] = MOX_VALIDATION_PERMERROR,
    };
    return validations[result];
}

static bool has(const char *const *domains, size_t count, const char *domain)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(domains[i], domain) == 0)
            return true;
    return false;
}

/* The domains of passing signatures, each once: at most MOX_DKIM_SIGNATURES_MAX are judged. */
static int collect_domains(struct mox_checks *c)
{
    struct mox_checks_verdict *v = &c->verdict;
    const char **domains = arena_new(&c->arena, const char *, MOX_DKIM_SIGNATURES_MAX);
    if (domains == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < v->dkim_count && v->dkim_domain_count < MOX_DKIM_SIGNATURES_MAX; i++)
        if (v->dkim[i].status == MOX_DKIM_PASS &&
            !has(domains, v->dkim_domain_count, v->dkim[i].domain))
            domains[v->dkim_domain_count++] = v->dkim[i].domain;
    v->dkim_domains = domains;
    return MOX_OK;
}

static bool is_same_organization(const struct mox_checks *c, const char *domain)
{
    char org[MOX_DOMAIN_MAX + 1];
    c->query.org_domain(c->query.org_domain_user, domain, org);
    return mox__slice_is_nocase(slice_of(org), c->verdict.from_org_domain);
}

/* What a domain that is proved says about From. */
static enum mox_validation compare(const struct mox_checks *c, const char *domain)
{
    if (mox__slice_is_nocase(slice_of(domain), c->verdict.from_domain))
        return MOX_VALIDATION_STRICT;
    if (is_same_organization(c, domain))
        return c->dmarc.status == MOX_DMARC_PASS ? MOX_VALIDATION_DMARC : MOX_VALIDATION_RELAXED;
    return MOX_VALIDATION_NONE;
}

static enum mox_validation of_from(const struct mox_checks *c)
{
    const struct mox_checks_verdict *v = &c->verdict;
    enum mox_validation best = MOX_VALIDATION_NONE;
    if (v->from_domain[0] == '\0')
        return best;
    if (c->spf.result == MOX_SPF_PASS)
        best = compare(c, c->spf.domain);
    for (size_t i = 0; i < v->dkim_domain_count; i++) {
        enum mox_validation now = compare(c, v->dkim_domains[i]);
        best = now < best ? now : best; /* the stronger has the smaller number */
    }
    return best;
}

int mox__checks_prove(struct mox_checks *c)
{
    struct mox_checks_verdict *v = &c->verdict;
    int rc = collect_domains(c);
    if (rc < 0)
        return rc;
    v->from = of_from(c);
    if (c->spf.identity == MOX_SPF_IDENTITY_MAILFROM)
        v->mail_from = of_spf(c->spf.result);
    if (c->spf.identity == MOX_SPF_IDENTITY_HELO)
        v->helo = of_spf(c->spf.result);
    return MOX_OK;
}
