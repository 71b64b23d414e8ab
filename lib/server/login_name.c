/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/domain.h"
#include "server/login.h"

/* From what users call themselves to the configuration: an address in any of its spellings. */

const struct mox_config_account *mox__login_account(const struct mox_server *s,
                                                    const char *username)
{
    struct mox_config_target target;
    enum mox_config_found found =
        mox_config_lookup_address(s->files, slice_of(username), MOX_CONFIG_LOGIN, &target);
    /* Users of a domain that is disabled for mail may still read theirs. */
    return found == MOX_CONFIG_FOUND || found == MOX_CONFIG_DOMAIN_DISABLED ? target.account : NULL;
}

void mox__login_canonical(const struct mox_server *s, const char *username,
                          char out[MOX_SASL_USERNAME_MAX])
{
    struct mox_config_target target;
    struct mox_slice localpart, domain;
    char unquoted[LOCALPART_MAX], local[LOCALPART_CANONICAL_MAX + 1];
    out[0] = '\0';
    (void)mox_config_lookup_address(s->files, slice_of(username), MOX_CONFIG_LOGIN, &target);
    if (target.domain == NULL ||
        !mox__config_split(slice_of(username), unquoted, &localpart, &domain) ||
        !mox__config_localpart(target.domain, localpart, local))
        return;
    int n = snprintf(out, MOX_SASL_USERNAME_MAX, "%s@%s", local, target.domain->name);
    if (n < 0 || n >= MOX_SASL_USERNAME_MAX)
        out[0] = '\0';
}
