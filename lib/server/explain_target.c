/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "server/explain.h"

static bool is_account(const struct mox_config_account *account, const char *name)
{
    return account != NULL && strcmp(account->name, name) == 0;
}

bool mox__explain_target(const struct mox_config *config, const char *account,
                         struct mox_slice localpart, struct mox_slice domain,
                         struct explained_target *out)
{
    struct mox_config_target t;
    if (mox_config_lookup(config, localpart, domain, MOX_CONFIG_RECIPIENT, &t) != MOX_CONFIG_FOUND)
        return false;
    for (size_t i = 0; t.alias != NULL && i < t.member_count; i++) {
        const struct mox_config_member *m = &t.members[i];
        if (!is_account(m->account, account))
            continue;
        *out = (struct explained_target){.account = m->account,
                                         .destination = m->destination,
                                         .rulesets = mox_config_member_rulesets(config, m),
                                         .mailbox = m->mailbox};
        return true;
    }
    *out = (struct explained_target){.account = t.account,
                                     .destination = t.destination,
                                     .rulesets = t.rulesets,
                                     .mailbox = t.mailbox};
    return is_account(t.account, account);
}
