/* SPDX-License-Identifier: MIT */
#ifndef SERVER_ZONE_RESOLVER_H
#define SERVER_ZONE_RESOLVER_H

#include <mox/dns_zone.h>

/* Answers from a zone, at once: `done` has been called when `start` returns. */
struct zone_resolver {
    struct mox_resolver resolver;
    struct mox_dns_zone *zone; /* owned */
};

/* @param text  of the zone; not needed afterwards
 * @return MOX_ESYNTAX, MOX_ENOMEM */
MOX_MUST_USE int mox__zone_resolver_init(struct zone_resolver *z, const struct mox_env *env,
                                         const char *text, struct mox_error *err);
/* One that is all zeros is fine. */
void mox__zone_resolver_done(struct zone_resolver *z);

#endif
