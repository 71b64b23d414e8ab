/* SPDX-License-Identifier: MIT */
#include "mailstore/conformance.h"
#include "store/storefix.h"
#include "support/cm.h"

/* The durable store does what mox/mailstore.h promises. In memory where there is such a file system:
 * some two thousand syncs say nothing here (test_crash.c and test_writes.c look at what is synced). */

static void open_account(struct storefix *f, struct mox_mailstore *out)
{
    static const struct mox_mailbox none;
    const struct mox_account_config only_inbox = {.size = sizeof only_inbox, .mailboxes = &none};
    struct mox_error err = {0};
    if (mox_store_open(&f->store, &f->t.env, f->dir, &err) < 0 ||
        mox_account_open(&f->account, f->store, "mjl", MOX_ACCOUNT_CREATE, &only_inbox, &err) < 0)
        fail_msg("%s", err.text);
    *out = mox_account_mailstore(f->account);
}

static void open_store(void *user, struct mox_mailstore *out)
{
    struct storefix *f = user;
    storefix_init_fast(f);
    open_account(f, out);
}

static void reopen_store(void *user, struct mox_mailstore *store)
{
    struct storefix *f = user;
    store->ops->close(store->self);
    mox_store_close(f->store);
    open_account(f, store);
}

static void close_store(void *user, struct mox_mailstore *store)
{
    struct storefix *f = user;
    store->ops->close(store->self);
    mox_store_close(f->store);
    storefix_verify(f);
    storefix_done(f);
}

int main(void)
{
    static struct storefix f;
    const struct conformance durable = {
        .name = "store",
        .user = &f,
        .env = &f.t.env,
        .open = open_store,
        .reopen = reopen_store,
        .close = close_store,
    };
    return conformance_run(&durable);
}
