/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <mox/auth_results.h>
#include <mox/dns.h>
#include <mox/header.h>

#include "base/text.h"
#include "server/explain.h"

/* Who forwarded a message is told by what the server wrote into it when it came: the account remembers other
 * domains that signed, for the forwarder's says nothing of who wrote. */

/* @param domain  in Unicode form, as rulesets have it */
static bool is_signature_of(const struct mox_auth_method *m, const char *domain)
{
    struct mox_domain name;
    if (strcmp(m->method, "dkim") != 0 || strcmp(m->result, "pass") != 0)
        return false;
    for (size_t i = 0; i < m->property_count; i++) {
        const struct mox_auth_property *p = &m->properties[i];
        if (strcmp(p->type, "header") == 0 && strcmp(p->property, "d") == 0 &&
            mox_domain_parse(&name, slice_of(p->value), MOX_DOMAIN_UNDERSCORES) == MOX_OK &&
            strcmp(name.unicode, domain) == 0)
            return true;
    }
    return false;
}

static bool has_signature_of(const struct mox_auth_results *results, const char *domain)
{
    for (size_t i = 0; i < results->method_count; i++)
        if (is_signature_of(&results->methods[i], domain))
            return true;
    return false;
}

int mox__explain_add_forwarders(const struct explained *e,
                                const struct mox_config_destination *destination,
                                const char **domains, size_t *count)
{
    struct mox_auth_results *results;
    struct mox_slice value;
    struct mox_error err;
    if (!e->facts->arrival.is_forward ||
        !mox_header_find(e->prefix, "Authentication-Results", &value))
        return MOX_OK;
    int rc = mox_auth_results_parse(&results, e->env, value, &err);
    if (rc < 0)
        return rc == MOX_ENOMEM ? rc : MOX_OK; /* then nothing is known of it */
    for (size_t i = 0; i < destination->rulesets.count; i++) {
        const struct mox_ruleset *r = &destination->rulesets.items[i];
        if (r->is_forward && has_signature_of(results, r->verified_domain))
            domains[(*count)++] = r->verified_domain;
    }
    mox_auth_results_free(e->env, results);
    return MOX_OK;
}
