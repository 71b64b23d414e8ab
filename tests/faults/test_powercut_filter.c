/* SPDX-License-Identifier: MIT */
#include "faults/powercut.h"
#include "store/filterfix.h"
#include "support/cm.h"

/* The power is cut while the junk filter learns. Its database is another than the account's, and no
 * transaction joins them: whatever is left, it catches up to what is marked, and has not lost what it had
 * learnt. */

#define HAM  MOX_FLAG_NOTJUNK
#define SPAM MOX_FLAG_JUNK

/* Each disk is opened twice and learnt from four times, with some megabytes for each. */
#define FILTER_CUTS(before, had_none, work)                                                        \
    power_cuts(&(struct workload){.setup = before,                                                 \
                                  .setup_count = COUNT(before),                                    \
                                  .steps = work,                                                   \
                                  .count = COUNT(work),                                            \
                                  .seeds = 1,                                                      \
                                  .config = filter_config(),                                       \
                                  .config_is_new = had_none})

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
    FILTER_CUTS(marked_mail, true, steps);
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
    FILTER_CUTS(marked_mail, false, steps);
}

static void a_filter_that_is_built_anew(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_FLAGS, "Inbox", .first = 4, .last = 4, .flags = HAM, .way = WAY_LEARNT},
        {.kind = STEP_RETRAIN},
        {STEP_APPEND, "Inbox", .size = 100, .flags = SPAM, .way = WAY_LEARNT},
    };
    FILTER_CUTS(marked_mail, false, steps);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        CUT_TEST(a_filter_that_is_made),
        CUT_TEST(what_is_marked_and_removed),
        CUT_TEST(a_filter_that_is_built_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
