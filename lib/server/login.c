/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/server.h"

static const struct mox_config_account *account_of(struct mox_server *s, const char *username)
{
    struct mox_config_target target;
    enum mox_config_found found =
        mox_config_lookup_address(s->files, slice_of(username), MOX_CONFIG_LOGIN, &target);
    /* Users of a domain that is disabled for mail may still read theirs. */
    return found == MOX_CONFIG_FOUND || found == MOX_CONFIG_DOMAIN_DISABLED ? target.account : NULL;
}

/* On the hashing thread. An unknown user takes as long as a wrong password. */
static void check(struct work *w)
{
    struct login *l = container_of(w, struct login, work);
    l->account = NULL;
    if (l->config == NULL) {
        mox_store_dummy_check(l->server->store, l->password);
        l->status = MOX_EDENIED;
        return;
    }
    l->status = mox__account_open(l->server, l->config->name, &l->account, &l->error);
    if (l->status == MOX_OK)
        l->status = mox_account_check_password(l->account, l->password, &l->error);
    if (l->status < 0) {
        mox_account_close(l->account);
        l->account = NULL;
    }
}

static void checked(struct work *w)
{
    struct login *l = container_of(w, struct login, work);
    l->done(l);
}

int mox__login_start(struct login *l, const char *username, const char *password)
{
    l->config = account_of(l->server, username);
    l->username = username;
    l->password = password;
    l->work.run = check;
    l->work.done = checked;
    l->status = MOX_LATER;
    int rc = mox__pool_submit(l->server->hashing, &l->work);
    if (rc == MOX_OK)
        return MOX_LATER; /* from here on the result is the worker's to write */
    l->status = rc;
    return mox__fail(&l->error, rc, "check a password: too many logins at once");
}

void mox__login_log_failure(const struct login *l, const char *pkg, uint64_t cid)
{
    bool denied = l->status == MOX_EDENIED;
    log_line(&l->server->env, denied ? MOX_LOG_INFO : MOX_LOG_ERROR, pkg,
             "failed authentication attempt", denied ? NULL : l->error.text, F_HEX("cid", cid),
             F_TEXT("username", l->username), F_TEXT("result", denied ? "badcreds" : "error"));
}

/* Called by the control socket, on a worker: the files do not change, and the store takes any
 * thread. */
int mox__server_set_password(struct mox_server *s, const char *address, const char *password,
                             struct mox_error *err)
{
    const struct mox_config_account *config = mox_config_account(s->files, address);
    if (config == NULL)
        config = account_of(s, address);
    if (config == NULL)
        return mox__fail(err, MOX_ENOTFOUND,
                         "set the password of %s: no account has that name or address", address);
    struct mox_account *account = NULL;
    int rc = mox__account_open(s, config->name, &account, err);
    if (rc == MOX_OK)
        rc = mox_account_set_password(account, password, err);
    mox_account_close(account);
    return rc;
}
