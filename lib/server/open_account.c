/* SPDX-License-Identifier: MIT */
#include <mox/server.h>

#include "base/error.h"
#include "base/mem.h"
#include "server/first_mailboxes.h"

/* What the store is told of an account, but for its mailboxes. */
static void tell_store(const struct mox_config *files, const struct mox_config_account *account,
                       struct mox_account_config *config)
{
    int64_t quota = account->quota_message_size != 0 ? account->quota_message_size
                                                     : files->mox->quota_message_size;
    config->quota_bytes = quota > 0 ? (uint64_t)quota : 0;
    config->junk_flags_user = mox_config_junk_flags(files, account);
    if (config->junk_flags_user != NULL)
        config->junk_flags = mox_junk_flags_meaning;
    if (account->junk_filter != NULL)
        config->junk = &account->junk_filter->params;
}

/* The account of a configuration exists; its folder may be yet to be made. */
int mox_server_open_account(struct mox_account **out, const struct mox_env *env,
                            const struct mox_server_account *account, struct mox_error *err)
{
    struct mox_mailbox *first = NULL;
    struct mox_account_config config = {.size = sizeof config};
    const struct mox_config_account *configured =
        mox_config_account(account->config, account->name);
    *out = NULL;
    if (configured == NULL)
        return mox__fail(err, MOX_ENOTFOUND, "open account %s: none has that name", account->name);
    int rc = mox__first_mailboxes(account->config->mox, env, &first, &config.mailbox_count);
    if (rc < 0)
        return mox__fail(err, rc, "open account %s: out of memory", account->name);
    config.mailboxes = first;
    config.count_arrivals = account->count_arrivals;
    tell_store(account->config, configured, &config);
    rc = mox_account_open(out, account->store, account->name, account->mode, &config, err);
    if (rc == MOX_ENOTFOUND)
        (void)mox__fail(err, rc, "account %s is configured, but has no mail yet", account->name);
    mox__mem_free(env, first);
    return rc;
}
