/* SPDX-License-Identifier: MIT */
#include <mox/org_domain.h>

#include <string.h>

#ifdef MOX_HAVE_PSL
#include <libpsl.h>
#endif

#include "base/text.h"

/* libpsl's list is compiled in, and constant. */
#ifdef MOX_HAVE_PSL
static bool is_suffix(const char *domain)
{
    /* `*` is a rule of the list only for names that no other rule knows (RFC 7489 §3.2). */
    return psl_is_public_suffix2(psl_builtin(), domain, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) !=
               0 ||
           strchr(domain, '.') == NULL;
}
#else
static bool is_suffix(const char *domain)
{
    return strchr(domain, '.') == NULL;
}
#endif

/* Behind the first label; NULL: there is none. */
static const char *parent_of(const char *domain)
{
    const char *dot = strchr(domain, '.');
    return dot == NULL ? NULL : dot + 1;
}

bool mox_is_public_suffix(const char *domain)
{
    return is_suffix(domain);
}

void mox_org_domain(void *user, const char *domain, char out[MOX_DOMAIN_MAX + 1])
{
    (void)user;
    const char *org = domain;
    for (const char *up = parent_of(domain); up != NULL && !is_suffix(org); up = parent_of(up)) {
        if (is_suffix(up))
            break;
        org = up;
    }
    size_t len = strlen(org);
    if (len > MOX_DOMAIN_MAX)
        len = MOX_DOMAIN_MAX;
    memcpy(out, org, len);
    out[len] = '\0';
}
