/* SPDX-License-Identifier: MIT */
#include "rig.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/script.h"

/* What the clients of all dialogues say, with each allocation failing in turn: the session says what
 * it can or ends with MOX_ENOMEM, and nothing leaks. */

/* Returns whether the nth allocation failed. */
static bool play(const struct script *s, long nth)
{
    struct test_env t;
    struct mox_mailstore store;
    struct rig r;
    test_env_init(&t);
    t.log_level = MOX_LOG_ERROR;
    assert_int_equal(mox_memory_mailstore_new(&store, &t.env), MOX_OK);
    t.fail_at = t.allocations + nth;
    int rc = rig_open(&r, &t.env, &store);
    for (size_t i = 0; rc == MOX_OK && i < s->count; i++)
        rc = rig_send_bytes(&r, s->lines[i], s->lens[i]);
    bool failed = t.allocations >= t.fail_at;
    rig_close(&r);
    mox_memory_mailstore_free(&store);
    test_env_done(&t);
    return failed;
}

struct totals {
    long dialogues, allocations;
};

static void each_allocation(void *user, const char *path, struct mox_slice data)
{
    struct totals *totals = user;
    struct script s;
    (void)path;
    script_read(&s, data);
    for (long nth = 1; play(&s, nth); nth++)
        totals->allocations++;
    script_free(&s);
    totals->dialogues++;
}

static void every_dialogue_survives_any_allocation_that_fails(void **state)
{
    (void)state;
    struct totals totals = {0};
    each_file(tests_path("transcripts/imap"), each_allocation, &totals);
    assert_true(totals.dialogues > 30);
    print_message("%ld dialogues, %ld allocations failed\n", totals.dialogues, totals.allocations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dialogue_survives_any_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
