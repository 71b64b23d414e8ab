/* SPDX-License-Identifier: MIT */
#include "server/zone_resolver.h"

#include "base/text.h"

int mox__zone_resolver_init(struct zone_resolver *z, const struct mox_env *env, const char *text,
                            struct mox_error *err)
{
    int rc = mox_dns_zone_parse(&z->zone, env, slice_of(text), "built-in names", err);
    if (rc == MOX_OK)
        mox_dns_zone_resolver(&z->resolver, z->zone);
    return rc;
}

void mox__zone_resolver_done(struct zone_resolver *z)
{
    mox_dns_zone_free(z->zone);
    z->zone = NULL;
}
