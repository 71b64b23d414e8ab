/* SPDX-License-Identifier: MIT */
#include <mox/explain.h>

#include "base/error.h"
#include "server/server.h"

/* Called by the control socket, on a worker: the files do not change, and the store takes any thread. */

/* An account that was never used has no mail to ask about. */
static int open_existing(struct mox_server *s, const char *name, struct mox_account **out,
                         struct mox_error *err)
{
    const struct mox_server_account account = {.size = sizeof account,
                                               .config = s->files,
                                               .store = s->store,
                                               .name = name,
                                               .mode = MOX_ACCOUNT_EXISTING,
                                               .count_arrivals = s->config.limits};
    return mox_server_open_account(out, &s->env, &account, err);
}

int mox__server_explain(void *user, const char *account, const char *mailbox, uint32_t uid,
                        bool json, char **text, struct mox_error *err)
{
    struct mox_server *s = user;
    struct mox_explain explain = {.size = sizeof explain, .config = s->files, .json = json};
    int rc = open_existing(s, account, &explain.account, err);
    if (rc == MOX_OK)
        rc = mox_explain_stored(text, &s->env, &explain, mailbox, uid, err);
    mox_account_close(explain.account);
    return rc;
}
