/* SPDX-License-Identifier: MIT */
#include "mailstore/conformance.h"
#include "support/cm.h"
#include "support/testenv.h"

static void open_store(void *user, struct mox_mailstore *out)
{
    struct test_env *t = user;
    assert_int_equal(mox_memory_mailstore_new(out, &t->env), MOX_OK);
}

static void close_store(void *user, struct mox_mailstore *store)
{
    struct test_env *t = user;
    store->ops->close(store->self);
    mox_memory_mailstore_free(store);
    assert_int_equal(t->live, 0);
}

int main(void)
{
    struct test_env t;
    test_env_init(&t);
    const struct conformance memory = {
        .name = "memory",
        .user = &t,
        .env = &t.env,
        .open = open_store,
        .close = close_store,
    };
    int rc = conformance_run(&memory);
    test_env_done(&t);
    return rc;
}
