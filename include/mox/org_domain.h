/* SPDX-License-Identifier: MIT */
#ifndef MOX_ORG_DOMAIN_H
#define MOX_ORG_DOMAIN_H

#include <mox/dns.h>

MOX_BEGIN_DECLS

/**
 * The organizational domain of a name (RFC 7489 §3.2): the name one label below its public suffix, or
 * the name itself when it has no more labels than that. The same function with a list of an embedder's
 * own may be given wherever this one is used.
 *
 * @param domain  ASCII, lower case
 * @param out     the organizational domain, ASCII
 */
typedef void mox_org_domain_fn(void *user, const char *domain, char out[MOX_DOMAIN_MAX + 1]);

/** By the ICANN rules of the public suffix list that libpsl was built with; names without a rule have a
 *  suffix of one label. Without the feature `psl` that holds for all names. `user` is not used. */
MOX_API void mox_org_domain(void *user, const char *domain, char out[MOX_DOMAIN_MAX + 1]);

/** Whether the domain is a public suffix, or above one: nobody's own. */
MOX_API bool mox_is_public_suffix(const char *domain);

MOX_END_DECLS

#endif
