/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "faults/powercut.h"
#include "support/cm.h"

/* Pages went back into the database between two steps, once in vain, and the log began anew. */
static void look_for_checkpoints(const struct record *r)
{
    size_t restarts = 0, copied = 0, failed = 0, last = r->count;
    while (last > 0 && r->ops[last - 1].kind != OP_ACKNOWLEDGED)
        last--;
    for (size_t i = r->start; i < last; i++) {
        const struct op *op = &r->ops[i];
        const char *name = op->kind == OP_WRITE ? record_name(r, op->file) : "";
        copied += strcmp(name, "index.db") == 0;
        failed += op->kind == OP_SYNC_FAILED;
        restarts += strcmp(name, "index.db-wal") == 0 && op->at == 0;
    }
    assert_true(copied > 0);
    assert_true(restarts > 1);
    assert_int_equal(failed, 1);
}

static void checkpoints(void **state)
{
    (void)state;
    struct step steps[24];
    for (size_t i = 0; i < COUNT(steps); i++)
        steps[i] = i % 4 == 0 ? (struct step){STEP_APPEND, "Inbox", .size = 5000}
                              : (struct step){STEP_FLAGS, "Inbox", .first = 1, .last = 3,
                                              .flags = i % 8 < 4 ? 1u << i % 4 : 8u << i % 4};
    for (size_t i = 1; i < COUNT(steps);
         i += 2) /* and commits in the middle of it, if chance will */
        steps[i].way = WAY_CHECKPOINTED;
    steps[2].way = WAY_LATER_FAILS;
    steps[2].failing = "index.db";
    power_cuts(&(struct workload){.setup = some_mail,
                                  .setup_count = COUNT(some_mail),
                                  .steps = steps,
                                  .count = COUNT(steps),
                                  .checkpoint_pages = 25,
                                  .look = look_for_checkpoints});
}

/* The first attempt of each is refused, for a disk that takes no more. */
static void syncs_that_fail(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_APPEND, "Inbox", .size = 100, .way = WAY_SYNC_FAILS, .failing = "*-wal"},
        {STEP_APPEND, "Inbox", .size = 150000, .way = WAY_SYNC_FAILS, .failing = "*-wal"},
        {STEP_APPEND, "Inbox", .size = 150000, .way = WAY_SYNC_FAILS, .failing = "spool.*"},
        {STEP_APPEND, "Inbox", .size = 150000, .way = WAY_SYNC_FAILS, .failing = "msg"},
        {STEP_APPEND, "Inbox", .size = 150000, .way = WAY_SYNC_FAILS, .failing = "??"},
        {STEP_EXPUNGE, "Inbox", .first = 2, .last = 2, .way = WAY_SYNC_FAILS, .failing = "*-wal"},
        {STEP_FLAGS, "Inbox", .first = 1, .last = 9, .flags = MOX_FLAG_SEEN},
    };
    power_cuts(&(struct workload){.setup = some_mail,
                                  .setup_count = COUNT(some_mail),
                                  .steps = steps,
                                  .count = COUNT(steps),
                                  .reopen_every = 9});
}

/* A message for several accounts is one file with several names: no account may take it once its sync
 * failed, though the next sync would succeed. */
static void a_spool_whose_sync_failed_is_refused_by_all(void **state)
{
    (void)state;
    char root[32];
    struct storefix f;
    make_root(root);
    storefix_at(&f, root);
    storefix_start(&f);
    record_start(root, 0, 0);
    struct mox_append op = {.mailbox = box_id(&f, "Inbox"),
                            .spool = mail_spool(&f, "Subject: several\r\n", 140000)};
    record_fail_sync("spool.*");
    assert_int_equal(wait_append(&f, &op), MOX_EIO);
    assert_int_equal(wait_append(&f, &op), MOX_EIO);
    mox_spool_free(op.spool);
    record_free(record_stop());
    storefix_stop(&f);
    test_env_done(&f.t);
    remove_tree(root);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        CUT_TEST(checkpoints),
        CUT_TEST(syncs_that_fail),
        CUT_TEST(a_spool_whose_sync_failed_is_refused_by_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
