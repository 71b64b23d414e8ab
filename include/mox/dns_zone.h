/* SPDX-License-Identifier: MIT */
#ifndef MOX_DNS_ZONE_H
#define MOX_DNS_ZONE_H

#include <mox/resolver.h>

MOX_BEGIN_DECLS

/**
 * Names and what they answer, from a text file: instead of a network, so that a verdict can be replayed.
 * A line has name, type and value with tabs between; `#` begins a comment line. Several lines for
 * several records, the same twice included. A TXT value is taken as it is to the end of the line, MX is
 * "10 host", SRV "priority weight port target", TLSA "usage selector matching hex". A value !NXDOMAIN,
 * !NODATA, !TIMEOUT, !SERVFAIL or !BOGUS is that outcome. A name with other types only has
 * no data; one that is not there does not exist, also when names below it are. CNAMEs are followed, 16 at
 * most; a loop is MOX_DNS_SERVFAIL. All answers are insecure, with a TTL of 0. Names are written in ASCII.
 *
 * Threads: read by any number at once.
 */
struct mox_dns_zone;

/** @param text  not needed afterwards; at most 64 MiB, and a million lines that say something
 *  @param name  of the file, for errors: "zone.tsv:7: …"
 *  @return MOX_ESYNTAX, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_dns_zone_parse(struct mox_dns_zone **out, const struct mox_env *env,
                                            struct mox_slice text, const char *name,
                                            struct mox_error *err);
/** NULL is fine. */
MOX_API void mox_dns_zone_free(struct mox_dns_zone *z);

/** Answers all that a set wants. @return MOX_OK, MOX_ELIMIT, MOX_ENOMEM of mox_dns_put() */
MOX_API MOX_MUST_USE int mox_dns_zone_answer(const struct mox_dns_zone *z,
                                             struct mox_dns_answers *answers);

/** A resolver that answers from the zone, at once. @param zone  borrowed while the resolver is used */
MOX_API void mox_dns_zone_resolver(struct mox_resolver *out, const struct mox_dns_zone *zone);

MOX_END_DECLS

#endif
