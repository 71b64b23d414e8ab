/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "faults/powercut.h"
#include "store/filterfix.h"
#include "support/cm.h"

/* The power is cut while the junk filter learns. Its database is another than the account's, and no
 * transaction joins them: whatever is left, it catches up to what is marked, and has not lost what it had
 * learnt. */

#define HAM  MOX_FLAG_NOTJUNK
#define SPAM MOX_FLAG_JUNK

/* Each disk is opened twice and learnt from four times, with some megabytes for each. */
#define FILTER_CUTS(before, had_none, work, look_at)                                               \
    power_cuts(&(struct workload){.setup = before,                                                 \
                                  .setup_count = COUNT(before),                                    \
                                  .steps = work,                                                   \
                                  .count = COUNT(work),                                            \
                                  .seeds = 1,                                                      \
                                  .config = filter_config(),                                       \
                                  .config_is_new = had_none,                                       \
                                  .look = look_at})

static const struct step marked_mail[] = {
    {STEP_APPEND, "Inbox", .size = 100, .flags = HAM},
    {STEP_APPEND, "Inbox", .size = 3000, .flags = SPAM},
    {STEP_APPEND, "Inbox", .size = 150000, .flags = HAM},
    {STEP_APPEND, "Inbox", .size = 200},
};

static void a_filter_that_is_made(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_APPEND, "Inbox", .size = 100, .flags = HAM, .way = WAY_LEARNT},
        {STEP_FLAGS, "Inbox", .first = 4, .last = 4, .flags = SPAM, .way = WAY_LEARNT},
    };
    FILTER_CUTS(marked_mail, true, steps, NULL);
}

static void what_is_marked_and_removed(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_FLAGS, "Inbox", .first = 4, .last = 4, .flags = SPAM, .way = WAY_LEARNT},
        {STEP_APPEND, "Inbox", .size = 500, .flags = SPAM}, /* learnt while the next is written */
        {STEP_FLAGS, "Inbox", .first = 1, .last = 1, .flags = SPAM, .way = WAY_LEARNT},
        {STEP_MOVE, "Inbox", "Junk", .first = 3, .last = 3},
        {STEP_EXPUNGE, "Inbox", .first = 2, .last = 2, .way = WAY_ERASED},
        {STEP_APPEND, "Inbox", .size = 100, .flags = HAM, .way = WAY_LEARNT},
    };
    FILTER_CUTS(marked_mail, false, steps, NULL);
}

/* A message that is learnt as two, and forgotten as one. */
static void what_is_copied(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_COPY, "Inbox", "Archive", .first = 1, .last = 2, .way = WAY_LEARNT},
        {STEP_COPY, "Inbox", "Junk", .first = 4, .last = 4},
        {STEP_EXPUNGE, "Inbox", .first = 1, .last = 1, .way = WAY_ERASED},
        {STEP_COPY, "Archive", "Junk", .first = 1, .last = 1, .way = WAY_LEARNT},
    };
    FILTER_CUTS(marked_mail, false, steps, NULL);
}

/* The names of the old one are gone for good before the new one gets its own: the old log beside it would be played
 * into it, and might even make sense. So this is looked for, not only what comes of it. */
static void look_at_names(const struct record *r)
{
    bool gone_for_good = true;
    unsigned folder = 0, renamed = 0;
    for (size_t i = r->start; i < r->count; i++) {
        const struct op *op = &r->ops[i];
        if (op->kind == OP_SYNC && op->file == folder)
            gone_for_good = true;
        if (op->name == NULL)
            continue;
        if (op->kind == OP_UNLINK && strncmp(op->name, "junk.db", 7) == 0 &&
            strcmp(op->name, "junk.db.new") != 0) {
            gone_for_good = false;
            folder = op->dir;
        }
        if (op->kind == OP_LINK && strcmp(op->name, "junk.db") == 0) {
            assert_true(gone_for_good);
            renamed++;
        }
    }
    assert_int_equal(renamed, 1);
}

static void a_filter_that_is_built_anew(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_FLAGS, "Inbox", .first = 4, .last = 4, .flags = HAM, .way = WAY_LEARNT},
        {.kind = STEP_RETRAIN},
        {STEP_APPEND, "Inbox", .size = 100, .flags = SPAM, .way = WAY_LEARNT},
    };
    FILTER_CUTS(marked_mail, false, steps, look_at_names);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        CUT_TEST(a_filter_that_is_made),
        CUT_TEST(what_is_marked_and_removed),
        CUT_TEST(what_is_copied),
        CUT_TEST(a_filter_that_is_built_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
