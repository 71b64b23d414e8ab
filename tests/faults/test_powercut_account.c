/* SPDX-License-Identifier: MIT */
#include "faults/powercut.h"
#include "support/cm.h"

static void mailboxes_come_and_go(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_CREATE, .box = "projects/2026/mail"}, {STEP_APPEND, "projects/2026", .size = 100},
        {STEP_SUBSCRIBE, .box = "elsewhere"},       {STEP_RENAME, .box = "projects", .to = "plans"},
        {STEP_UNSUBSCRIBE, .box = "elsewhere"},     {STEP_DELETE, .box = "plans/2026/mail"},
        {STEP_DELETE, .box = "plans/2026"},         {STEP_RENAME, .box = "Inbox", .to = "old"},
        {STEP_CREATE, .box = "plans/2026"},
    };
    POWER_CUTS(some_mail, steps);
}

static void passwords(void **state)
{
    (void)state;
    static const struct step before[] = {{STEP_PASSWORD, .box = "the first password"}};
    static const struct step steps[] = {
        {STEP_PASSWORD, .box = "the second password"},
        {STEP_PASSWORD, .box = "the first password"},
    };
    POWER_CUTS(before, steps);
}

static void messages_that_are_sent_are_counted(void **state)
{
    (void)state;
    static const struct step before[] = {{STEP_SEND, .box = "a@x.example"}};
    static const struct step steps[] = {
        {STEP_SEND, .box = "a@x.example", .to = "b@x.example"},
        {STEP_SEND, .box = "c@x.example", .way = WAY_WITH_NEXT},
        {STEP_APPEND, "Inbox", .size = 100, .way = WAY_WITH_NEXT},
        {STEP_SEND, .box = "b@x.example"},
        {STEP_SEND, .box = "d@x.example", .way = WAY_SYNC_FAILS, .failing = "index.db-wal"},
        {STEP_SEND, .box = "d@x.example"},
    };
    POWER_CUTS(before, steps);
}

static void a_new_account(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {STEP_CREATE_ACCOUNT, .box = ""},
        {STEP_APPEND, "Inbox", .size = 100},
        {STEP_APPEND, "Inbox", .size = 140000},
        {STEP_PASSWORD, .box = "the first password"},
    };
    power_cuts(&(struct workload){.steps = steps, .count = COUNT(steps)});
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        CUT_TEST(mailboxes_come_and_go),
        CUT_TEST(passwords),
        CUT_TEST(messages_that_are_sent_are_counted),
        CUT_TEST(a_new_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
