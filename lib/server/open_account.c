/* SPDX-License-Identifier: MIT */
#include <mox/server.h>

#include "base/error.h"
#include "base/mem.h"
#include "server/first_mailboxes.h"

/* The account of a configuration exists; its folder may be yet to be made. */
int mox_server_open_account(struct mox_account **out, const struct mox_env *env,
                            const struct mox_server_account *account, struct mox_error *err)
{
    struct mox_mailbox *first = NULL;
    struct mox_account_config config = {.size = sizeof config};
    *out = NULL;
    if (mox_config_account(account->config, account->name) == NULL)
        return mox__fail(err, MOX_ENOTFOUND, "open account %s: none has that name", account->name);
    int rc = mox__first_mailboxes(account->config->mox, env, &first, &config.mailbox_count);
    if (rc < 0)
        return mox__fail(err, rc, "open account %s: out of memory", account->name);
    config.mailboxes = first;
    config.count_arrivals = account->count_arrivals;
    rc = mox_account_open(out, account->store, account->name, account->mode, &config, err);
    mox__mem_free(env, first);
    return rc;
}
