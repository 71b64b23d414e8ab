/* SPDX-License-Identifier: MIT */
#include "mailstore/ops.h"
#include "support/testenv.h"

/* The suite for all stores, and what only the one in memory can show: what it keeps. */

static void advance(void *user)
{
    test_env_advance(user, 1000000);
}

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

static void ignore(struct mox_write *w)
{
    assert_int_equal(w->status, MOX_OK);
}

static void append(struct mox_mailstore *store, struct test_env *t, size_t bytes)
{
    static const uint8_t text[4096];
    struct mox_append op = {.write.done = ignore, .mailbox_name = "Inbox"};
    assert_int_equal(mox_spool_new(&op.spool, &t->env, NULL, sizeof text), MOX_OK);
    assert_int_equal(mox_spool_write(op.spool, (struct mox_slice){text, bytes}), MOX_OK);
    store->ops->append(store->self, &op);
    mox_spool_free(op.spool);
}

static void expunge_all(struct mox_mailstore *store, uint64_t mailbox)
{
    const struct mox_uid_range all = {1, UINT32_MAX};
    struct mox_expunge op = {
        .write.done = ignore, .mailbox = mailbox, .ranges = &all, .range_count = 1};
    store->ops->expunge(store->self, &op);
}

static uint64_t inbox_of(struct mox_mailstore *store)
{
    const struct mox_mailboxes *list = NULL;
    assert_int_equal(store->ops->mailboxes(store->self, &list, NULL), MOX_OK);
    uint64_t id = mox_mailboxes_find(list, "Inbox")->id;
    mox_mailboxes_unref(list);
    return id;
}

static void removed_messages_are_freed_with_the_last_view_of_them(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct mox_mailstore store;
    struct mox_view *older = NULL, *newer = NULL, *after = NULL;
    open_store(&t, &store);
    uint64_t inbox = inbox_of(&store);
    size_t empty = t.live_bytes;
    append(&store, &t, 4096);
    assert_int_equal(store.ops->view(store.self, inbox, &older, NULL), MOX_OK);
    append(&store, &t, 4096);
    assert_int_equal(store.ops->view(store.self, inbox, &newer, NULL), MOX_OK);
    expunge_all(&store, inbox);
    assert_int_equal(store.ops->view(store.self, inbox, &after, NULL), MOX_OK);
    assert_true(t.live_bytes > empty + 8192);
    mox_view_unref(newer); /* the older one still shows the first message */
    assert_true(t.live_bytes > empty + 4096);
    mox_view_unref(older);
    assert_true(t.live_bytes < empty + 4096);
    mox_view_unref(after);
    close_store(&t, &store);
    test_env_done(&t);
}

static void coming_and_going_messages_leave_nothing_behind(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct mox_mailstore store;
    open_store(&t, &store);
    uint64_t inbox = inbox_of(&store);
    size_t early = 0;
    for (int i = 0; i < 2000; i++) {
        append(&store, &t, 100);
        expunge_all(&store, inbox);
        early = i == 100 ? t.live_bytes : early;
    }
    assert_true(t.live_bytes <= early);
    close_store(&t, &store);
    test_env_done(&t);
}

/* One of each write, which fail only for want of memory. */
static void some_writes(struct mox_mailstore *store, struct test_env *t,
                        void (*done)(struct mox_write *))
{
    static const char *const keywords[] = {"k"};
    const struct mox_uid_range all = {1, UINT32_MAX};
    uint64_t inbox = 1;
    struct mox_append append = {
        .write.done = done, .mailbox_name = "a/b", .keywords = keywords, .keyword_count = 1};
    if (mox_spool_new(&append.spool, &t->env, NULL, 100) == MOX_OK) {
        if (mox_spool_write(append.spool,
                            (struct mox_slice){(const uint8_t *)"a: b\r\n\r\nc", 9}) == MOX_OK) {
            store->ops->append(store->self, &append);
            append.mailbox_name = "Inbox";
            store->ops->append(store->self, &append);
        }
        mox_spool_free(append.spool);
    }
    struct mox_view *view = NULL;
    if (store->ops->view(store->self, inbox, &view, NULL) < 0)
        view = NULL;
    struct mox_set_flags flags = {.write.done = done,
                                  .mailbox = inbox,
                                  .ranges = &all,
                                  .range_count = 1,
                                  .mode = MOX_FLAGS_ADD,
                                  .flags = MOX_FLAG_DELETED};
    store->ops->set_flags(store->self, &flags);
    struct mox_copy copy = {.write.done = done,
                            .mailbox = inbox,
                            .destination = inbox,
                            .ranges = &all,
                            .range_count = 1,
                            .move = true};
    store->ops->copy(store->self, &copy);
    mox_copy_free(&copy);
    struct mox_expunge expunge = {.write.done = done,
                                  .mailbox = inbox,
                                  .ranges = &all,
                                  .range_count = 1,
                                  .only_deleted = true};
    store->ops->expunge(store->self, &expunge);
    struct mox_mailbox_change change = {
        .write.done = done, .kind = MOX_MAILBOX_RENAME, .name = "Inbox", .new_name = "c"};
    store->ops->change_mailbox(store->self, &change);
    change.name = "a";
    change.new_name = "d/e";
    store->ops->change_mailbox(store->self, &change);
    mox_view_unref(view);
}

static void ok_or_no_memory(struct mox_write *w)
{
    assert_true(w->status == MOX_OK || w->status == MOX_ENOMEM || w->status == MOX_ENOTFOUND);
    assert_true(w->status == MOX_OK || w->error.status == w->status);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    long failing = 1, allocations = 0;
    do {
        struct test_env t;
        test_env_init(&t);
        struct mox_mailstore store;
        t.fail_at = failing;
        bool made = mox_memory_mailstore_new(&store, &t.env) == MOX_OK;
        if (made)
            some_writes(&store, &t, ok_or_no_memory);
        allocations = t.allocations;
        t.fail_at = 0;
        if (made) {
            struct fixture f = {.store = store};
            check_account(&f); /* whatever failed, nothing is half done */
            mox_memory_mailstore_free(&store);
        }
        test_env_done(&t);
    } while (failing++ <= allocations);
    assert_true(failing > 50);
}

int main(void)
{
    struct test_env t;
    test_env_init(&t);
    const struct conformance memory = {
        .name = "memory",
        .user = &t,
        .env = &t.env,
        .advance = advance,
        .open = open_store,
        .close = close_store,
    };
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(removed_messages_are_freed_with_the_last_view_of_them),
        cmocka_unit_test(coming_and_going_messages_leave_nothing_behind),
        cmocka_unit_test(each_allocation_may_fail),
    };
    int rc = conformance_run(&memory);
    test_env_done(&t);
    return cmocka_run_group_tests_name("memory alone", tests, NULL, NULL) + rc;
}
