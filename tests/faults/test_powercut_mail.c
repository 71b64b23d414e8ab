/* SPDX-License-Identifier: MIT */
#include "faults/powercut.h"
#include "support/cm.h"

static void small_messages(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_APPEND, "Inbox", .size = 100},
        {STEP_APPEND, "Inbox", .size = 9000, .keyword = "new"},
        {STEP_APPEND, "Sent", .size = 2000, .flags = MOX_FLAG_SEEN},
    };
    POWER_CUTS(some_mail, steps);
}

static void large_messages_and_their_folders(void **state)
{
    (void)state;
    static const struct step before[] = {{STEP_APPEND, "Inbox", .size = 100}};
    static const struct step steps[] = {
        {STEP_APPEND, "Inbox", .size = 140000},
        {STEP_APPEND, "Archive", .size = 200000},
    };
    POWER_CUTS(before, steps);
}

static void messages_that_share_a_transaction(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_APPEND, "Inbox", .size = 100, .way = WAY_WITH_NEXT},
        {STEP_APPEND, "Inbox", .size = 200, .way = WAY_WITH_NEXT},
        {STEP_APPEND, "Inbox", .size = 150000, .way = WAY_WITH_NEXT},
        {STEP_APPEND, "Archive", .size = 300, .way = WAY_WITH_NEXT},
        {STEP_APPEND, "Inbox", .size = 400, .keyword = "group", .way = WAY_WITH_NEXT},
        {STEP_APPEND, "Inbox", .size = 140000, .way = WAY_WITH_NEXT},
        {STEP_FLAGS, "Inbox", .first = 1, .last = 2, .flags = MOX_FLAG_SEEN},
    };
    POWER_CUTS(some_mail, steps);
}

static void flags_copies_and_moves(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_FLAGS, "Inbox", .first = 1, .last = 3, .flags = MOX_FLAG_FLAGGED, .keyword = "todo"},
        {STEP_FLAGS, "Inbox", .first = 2, .last = 2, .flags = MOX_FLAG_JUNK},
        {STEP_COPY, "Inbox", "Archive", .first = 1, .last = 2},
        {STEP_MOVE, "Inbox", "Trash", .first = 2, .last = 3},
        {STEP_MOVE, "Archive", "Inbox", .first = 1, .last = 1},
    };
    POWER_CUTS(some_mail, steps);
}

static void removed_messages_and_their_files(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_COPY, "Inbox", "Archive", .first = 1, .last = 2},
        {STEP_EXPUNGE, "Inbox", .first = 1, .last = 2, .way = WAY_ERASED},
        {STEP_EXPUNGE, "Archive", .first = 1, .last = 9, .way = WAY_ERASED},
        {STEP_APPEND, "Inbox", .size = 150000},
        {STEP_EXPUNGE, "Inbox", .first = 3, .last = 4,
         .way = WAY_LOOK | WAY_LOOK_AWAY | WAY_ERASED},
        {STEP_APPEND, "Inbox", .size = 100},
    };
    POWER_CUTS(some_mail, steps);
}

/* The same one again, also with the first, stays out; what is let through removes it. */
static void rejects_once_and_accepted_messages_never_there(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_REJECT, "Rejects", .first = 101, .size = 100},
        {STEP_REJECT, "Rejects", .first = 102, .size = 150000, .way = WAY_WITH_NEXT},
        {STEP_REJECT, "Rejects", .first = 102, .size = 150001, .way = WAY_WITH_NEXT},
        {STEP_REJECT, "Rejects", .first = 101, .size = 200},
        {STEP_ACCEPT, "Inbox", .first = 102, .size = 150000, .way = WAY_ERASED},
        {STEP_REJECT, "Rejects", .first = 103, .size = 300, .way = WAY_WITH_NEXT},
        {STEP_ACCEPT, "Archive", .first = 103, .size = 300},
        {STEP_MOVE, "Rejects", "Junk", .first = 1, .last = 1},
    };
    POWER_CUTS(some_mail, steps);
}

/* What is read of it before it is there, is not there after a cut either. */
static void imports_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_IMPORT, "Inbox", "old/mail", .first = 3, .size = 3000, .flags = MOX_FLAG_SEEN,
         .keyword = "new"},
        {STEP_APPEND, "Inbox", .size = 100},
        {STEP_IMPORT, "old/mail", "Sent", .first = 1, .size = 150000},
    };
    POWER_CUTS(some_mail, steps);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        CUT_TEST(small_messages),
        CUT_TEST(large_messages_and_their_folders),
        CUT_TEST(messages_that_share_a_transaction),
        CUT_TEST(flags_copies_and_moves),
        CUT_TEST(removed_messages_and_their_files),
        CUT_TEST(rejects_once_and_accepted_messages_never_there),
        CUT_TEST(imports_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
