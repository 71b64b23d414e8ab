/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <mox/ruleset.h>

#include "support/cm.h"
#include "support/testenv.h"

static int setup(void **state)
{
    struct test_env *t = calloc(1, sizeof *t);
    test_env_init(t);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    test_env_done(*state);
    free(*state);
    return 0;
}

#ifdef MOX_HAVE_REGEX

static int meaning(struct test_env *t, const struct mox_junk_flags_config *config,
                   const char *mailbox)
{
    struct mox_junk_flags *flags = NULL;
    assert_int_equal(mox_junk_flags_new(&flags, &t->env, config, NULL), MOX_OK);
    int result = mox_junk_flags_meaning(flags, mailbox);
    mox_junk_flags_free(flags);
    return result;
}

static void the_defaults_know_mailboxes_by_their_begin(void **state)
{
    static const struct mox_junk_flags_config config = {
        true, "^(junk|spam)", "^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects|introbox)", ""};
    static const struct {
        const char *mailbox;
        int meaning;
    } cases[] = {
        {"Junk", MOX_JUNK_IS_JUNK},       {"SPAM/2026", MOX_JUNK_IS_JUNK},
        {"Inbox", MOX_JUNK_NEUTRAL},      {"Rejects", MOX_JUNK_NEUTRAL},
        {"Introbox", MOX_JUNK_NEUTRAL},   {"inbox/x", MOX_JUNK_NEUTRAL},
        {"Archive", MOX_JUNK_IS_NOTJUNK}, {"list/spam", MOX_JUNK_IS_NOTJUNK},
        {"Sent", MOX_JUNK_IS_NOTJUNK},    {"\xc3\x84", MOX_JUNK_IS_NOTJUNK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (meaning(*state, &config, cases[i].mailbox) != cases[i].meaning)
            fail_msg("%s", cases[i].mailbox);
}

static void the_one_of_three_that_is_missing_is_all_others(void **state)
{
    static const struct {
        struct mox_junk_flags_config config;
        int a, b, c, other; /* what mailboxes of these names mean */
    } cases[] = {
        {{true, "a", "b", "c"},
         MOX_JUNK_IS_JUNK,
         MOX_JUNK_NEUTRAL,
         MOX_JUNK_IS_NOTJUNK,
         MOX_JUNK_UNCHANGED},
        {{true, "a", "b", ""},
         MOX_JUNK_IS_JUNK,
         MOX_JUNK_NEUTRAL,
         MOX_JUNK_IS_NOTJUNK,
         MOX_JUNK_IS_NOTJUNK},
        {{true, "a", "", "c"},
         MOX_JUNK_IS_JUNK,
         MOX_JUNK_NEUTRAL,
         MOX_JUNK_IS_NOTJUNK,
         MOX_JUNK_NEUTRAL},
        {{true, "", "b", "c"},
         MOX_JUNK_IS_JUNK,
         MOX_JUNK_NEUTRAL,
         MOX_JUNK_IS_NOTJUNK,
         MOX_JUNK_IS_JUNK},
        {{true, "a", "", ""},
         MOX_JUNK_IS_JUNK,
         MOX_JUNK_UNCHANGED,
         MOX_JUNK_UNCHANGED,
         MOX_JUNK_UNCHANGED},
        {{true, "", "", ""},
         MOX_JUNK_UNCHANGED,
         MOX_JUNK_UNCHANGED,
         MOX_JUNK_UNCHANGED,
         MOX_JUNK_UNCHANGED},
        {{false, "a", "b", ""},
         MOX_JUNK_UNCHANGED,
         MOX_JUNK_UNCHANGED,
         MOX_JUNK_UNCHANGED,
         MOX_JUNK_UNCHANGED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(meaning(*state, &cases[i].config, "A"), cases[i].a);
        assert_int_equal(meaning(*state, &cases[i].config, "B"), cases[i].b);
        assert_int_equal(meaning(*state, &cases[i].config, "C"), cases[i].c);
        assert_int_equal(meaning(*state, &cases[i].config, "x"), cases[i].other);
    }
}

static void junk_is_tried_first_and_neutral_second(void **state)
{
    static const struct mox_junk_flags_config all = {true, "x", "x|y", "x|y|z"};
    assert_int_equal(meaning(*state, &all, "xyz"), MOX_JUNK_IS_JUNK);
    assert_int_equal(meaning(*state, &all, "yz"), MOX_JUNK_NEUTRAL);
    assert_int_equal(meaning(*state, &all, "Z"), MOX_JUNK_IS_NOTJUNK);
}

static void a_name_that_takes_too_long_changes_nothing(void **state)
{
    static const struct mox_junk_flags_config config = {true, "^(a|aa)+$", "", "a"};
    char name[900];
    memset(name, 'a', sizeof name);
    name[898] = 'b';
    name[899] = '\0';
    assert_int_equal(meaning(*state, &config, name), MOX_JUNK_UNCHANGED);
}

static void mistakes_are_told_and_memory_may_run_out(void **state)
{
    struct test_env *t = *state;
    struct mox_junk_flags *flags = NULL;
    struct mox_error err;
    const struct mox_junk_flags_config bad = {true, "a", "b", "("}, good = {true, "a", "b", ""};
    assert_int_equal(mox_junk_flags_new(&flags, &t->env, &bad, &err), MOX_ESYNTAX);
    assert_null(flags);
    assert_non_null(strstr(err.text, "at character 2"));
    int rc = MOX_ENOMEM;
    for (long n = 1; rc != MOX_OK; n++) {
        t->allocations = 0;
        t->fail_at = n;
        rc = mox_junk_flags_new(&flags, &t->env, &good, NULL);
        assert_true(n < 100 && (rc == MOX_OK || rc == MOX_ENOMEM));
    }
    int got = MOX_JUNK_UNCHANGED;
    for (long n = 1; got == MOX_JUNK_UNCHANGED; n++) {
        t->allocations = 0;
        t->fail_at = n;
        got = mox_junk_flags_meaning(flags, "A");
        assert_true(n < 100);
    }
    assert_int_equal(got, MOX_JUNK_IS_JUNK);
    t->fail_at = 0;
    mox_junk_flags_free(flags);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_defaults_know_mailboxes_by_their_begin),
        TEST(the_one_of_three_that_is_missing_is_all_others),
        TEST(junk_is_tried_first_and_neutral_second),
        TEST(a_name_that_takes_too_long_changes_nothing),
        TEST(mistakes_are_told_and_memory_may_run_out),
    };
    return cmocka_run_group_tests_name("delivery-junk-flags", tests, NULL, NULL);
}

#else

static void without_expressions_nothing_changes(void **state)
{
    struct test_env *t = *state;
    struct mox_junk_flags *flags = NULL;
    const struct mox_junk_flags_config none = {true, "", "", ""}, some = {true, "a", "", ""};
    assert_int_equal(mox_junk_flags_new(&flags, &t->env, &some, NULL), MOX_EUNSUPPORTED);
    assert_int_equal(mox_junk_flags_new(&flags, &t->env, &none, NULL), MOX_OK);
    assert_int_equal(mox_junk_flags_meaning(flags, "Junk"), MOX_JUNK_UNCHANGED);
    mox_junk_flags_free(flags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_expressions_nothing_changes, setup, teardown)};
    return cmocka_run_group_tests_name("delivery-junk-flags", tests, NULL, NULL);
}

#endif
