/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "delivery/regexp.h"
#include "support/cm.h"
#include "support/testenv.h"

#ifdef MOX_HAVE_REGEX

#define STEPS 1000000u

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

static struct regexp *compiled(struct test_env *t, const char *pattern)
{
    struct regexp *r = NULL;
    struct mox_error err = {.text = ""};
    if (mox__regexp_new(&r, &t->env, pattern, REGEXP_ANY_CASE, &err) != MOX_OK)
        fail_msg("%s: %s", pattern, err.text);
    return r;
}

/* What one match says, and how many steps of STEPS are left then. */
static int match(struct test_env *t, const char *pattern, struct mox_slice text, uint32_t *left)
{
    struct regexp *r = compiled(t, pattern);
    struct regexp_run *run = NULL;
    assert_int_equal(mox__regexp_run_new(&run, &t->env, STEPS), MOX_OK);
    int rc = mox__regexp_match(r, run, text);
    *left = mox__regexp_run_left(run);
    mox__regexp_run_free(run);
    mox__regexp_free(r);
    return rc;
}

static void texts_match_anywhere_unless_the_expression_is_anchored(void **state)
{
    static const struct {
        const char *pattern, *text;
        int rc;
    } cases[] = {
        {"b", "abc", MOX_OK},
        {"^b", "abc", MOX_ENOTFOUND},
        {"c$", "abc", MOX_OK},
        {"c$", "abc\n", MOX_ENOTFOUND},
        {"", "", MOX_OK},
        {"^(a|b)*$", "abab", MOX_OK},
        {"(?i)BOSS", "the boss", MOX_OK},
        {"BOSS", "the boss", MOX_ENOTFOUND},
        {"^a.c$",
         "a\xc3\xbc"
         "c",
         MOX_OK}, /* a character, not a byte */
        {"a.c", "a\nc", MOX_ENOTFOUND},
        {"(?s)a.c", "a\nc", MOX_OK},
        {"(?m)^c$", "a\nc\nd", MOX_OK},
        {"[^@]+@example\\.org$", "user@example.org", MOX_OK},
        {"[^@]+@example\\.org$", "user@example-org", MOX_ENOTFOUND},
        {"\\bspam\\b", "no spam!", MOX_OK},
        {"\\d{3,}", "ab12c", MOX_ENOTFOUND},
        {"^\\pL+$", "\xc3\xa4x", MOX_OK},
        {"^\\p{Greek}$", "\xce\xb1", MOX_OK},
        {"\\x{e4}\\x41",
         "\xc3\xa4"
         "A",
         MOX_OK},
        {"^[[:alpha:]]+[])}]$", "ab]", MOX_OK},
        {"^\\Qa(b\\E[)]$", "a(b)", MOX_OK},
        {"\\Qa(b", "a(b", MOX_OK},
        {"(?P<x>a)(?<y>b)(?:c)", "abc", MOX_OK},
        {"a+?b*?c??$", "aab", MOX_OK},
        {"a{2}?b{1,}c{0,1}{x", "aabb{x", MOX_OK},
        {"\xc3\xbc", "a\xff\xc3\xbc", MOX_OK}, /* behind a byte that is not UTF-8 */
        {".", "\xff", MOX_ENOTFOUND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t left = 0;
        int rc = match(*state, cases[i].pattern, slice_of(cases[i].text), &left);
        if (rc != cases[i].rc)
            fail_msg("%s on %s: %d", cases[i].pattern, cases[i].text, rc);
    }
}

static void mistakes_are_told_with_their_place(void **state)
{
    static const struct {
        const char *pattern, *text;
    } cases[] = {
        {"a(b", "at character 4: missing closing parenthesis"},
        {"\xc3\xbc)", "at character 2: unmatched closing parenthesis"},
        {"*", "at character 1: quantifier does not follow a repeatable item"},
        {"[a", "missing terminating ]"},
        {"[z-a]", "range out of order"},
        {"a\\", "at character 2: a \\ at the end"},
        {"x\\y", "at character 2: this letter has no meaning"},
        {"a{2,1}", "numbers out of order"},
        {"\\p{Nonsense}", "unknown property"},
        {"(a)\\1", "at character 4: back-references"},
        {"(?P<n>a)\\k<n>", "back-references"},
        {"(?P<n>a)(?P=n)", "at character 9: back-references"},
        {"\\g1", "back-references"},
        {"a(?=b)", "at character 2: look-ahead"},
        {"a(?!b)", "look-ahead"},
        {"(?<=a)b", "look-behind"},
        {"(?<!a)b", "look-behind"},
        {"(?R)", "recursion"},
        {"(a)(?1)", "recursion"},
        {"(?-1)", "recursion"},
        {"(?+1)", "recursion"},
        {"(?&n)", "recursion"},
        {"(?P>n)", "recursion"},
        {"(?>a)", "not gone back into"},
        {"(?|a|b)", "equal numbers"},
        {"(?(1)a)", "conditions"},
        {"(?#x)", "comments"},
        {"(?C1)", "callouts"},
        {"(*LIMIT_MATCH=9)a", "control verbs"},
        {"(*positive_lookahead:a)", "control verbs"},
        {"a(*SKIP)b", "control verbs"},
        {"(?x)a", "unknown kind of group"},
        {"(?P<n", "no > at its end"},
        {"a++", "at character 3: quantifiers that do not go back"},
        {"a*+", "do not go back"},
        {"a?+", "do not go back"},
        {"a{2}+", "at character 5: quantifiers that do not go back"},
        {"a**", "two quantifiers"},
        {"a\\Kb", "no meaning behind"},
        {"\\C", "no meaning behind"},
        {"\\X", "no meaning behind"},
        {"((((((((((((((((((((((((((((((((((((((((((((((((((((a", "too deep"},
        {"((a{1,200}){1,200}){1,200}", "too large"},
        {"\xff", "not UTF-8"},
    };
    struct test_env *t = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct regexp *r = NULL;
        struct mox_error err = {.text = ""};
        int rc = mox__regexp_new(&r, &t->env, cases[i].pattern, REGEXP_ANY_CASE, &err);
        if (rc != MOX_ESYNTAX || r != NULL || strstr(err.text, cases[i].text) == NULL)
            fail_msg("%s: %d, %s", cases[i].pattern, rc, err.text);
    }
    char longest[1002];
    struct regexp *r = NULL;
    struct mox_error err;
    memset(longest, 'a', sizeof longest);
    longest[1001] = '\0';
    assert_int_equal(mox__regexp_new(&r, &t->env, longest, REGEXP_ANY_CASE, &err), MOX_ESYNTAX);
    assert_non_null(strstr(err.text, "longer than 1000 bytes"));
}

static void what_looks_alike_is_no_mistake(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "[(?=]",         "\\(?=",   "[a++]",    "\\Q(?=a)++\\E", "a\\++",     "[\\]++]",
        "[]++]",         "[^]++]+", "{2}",      "a}+",           "a{x}+",     "a{,2}",
        "[[:alpha:]++]", "\\\\1",   "\\x{31}+", "\\p{L}+",       "(?i-s:a)+", "(?U)a+",
    };
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        size_t at = 0;
        if (mox__regexp_problem(patterns[i], REGEXP_ANY_CASE, &at) != NULL)
            fail_msg("%s at %zu", patterns[i], at);
    }
}

static void letters_that_only_upper_case_matches_can_be_refused(void **state)
{
    static const struct {
        const char *pattern;
        bool fine;
    } cases[] = {
        {"^list-id$", true},     {"List-Id", false},
        {"[A-Z]", false},        {"\\S\\W\\D\\PL\\p{Greek}", true},
        {"\\Qa\\E", true},       {"\\QA\\E", false},
        {"\\xAB", true},         {"(?P<Name>a)", true},
        {"(?U)a", true},         {"\\x{1F600}", true},
        {"<x\\.example>", true},
#ifdef MOX_HAVE_IDN
        {"\xc3\xa4", true},      {"\xc3\x84", false},
#endif
    };
    struct test_env *t = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct regexp *r = NULL;
        struct mox_error err = {.text = ""};
        int rc = mox__regexp_new(&r, &t->env, cases[i].pattern, REGEXP_LOWER_CASE, &err);
        mox__regexp_free(r);
        if ((rc == MOX_OK) != cases[i].fine)
            fail_msg("%s: %s", cases[i].pattern, err.text);
        if (rc < 0)
            assert_non_null(strstr(err.text, "upper case"));
    }
}

/* Expressions that go back again and again, on texts that make them do so. What they take is counted,
 * not timed. */
static void no_match_takes_more_than_its_steps(void **state)
{
    static const char *const patterns[] = {
        "(a+)+$[^a]",
        "^(a|aa)+$",
        "(a*)*[bc]",
        "(a|a)*$c",
        "^(([a-z])+.)+[0-9]([a-z])+$",
        "(.*)(.*)(.*)(.*)(.*)x",
        "(\\w+\\s*)+spam",
        "a*a*a*a*a*a*[bc]",
        "(?:a?){50}a{50}b",
        "((a{1,20}){1,20})b",
        ".{0,150}b.{0,150}c",
        "(x+x+)+y|(a+)+z",
        "[a-y]*z",
    };
    struct test_env *t = *state;
    static char text[1 << 16];
    size_t limited = 0;
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        uint32_t left = 0;
        long before = t->live;
        int rc = match(t, patterns[i], slice(text, sizeof text), &left);
        assert_true(rc == MOX_ELIMIT || rc == MOX_ENOTFOUND);
        limited += rc == MOX_ELIMIT;
        assert_true(left >= STEPS - REGEXP_CALL_STEPS - REGEXP_MATCH_STEPS);
        assert_true(t->live == before);
    }
    assert_true(limited >=
                6); /* of the others a letter is missing in the text, which is seen at once */
}

/* Else a match that begins at each character and runs over all that follow would cost two steps each. */
static void characters_that_are_run_over_in_vain_are_counted(void **state)
{
    char text[1000];
    uint32_t left = 0;
    memset(text, 'a', sizeof text);
    assert_int_equal(match(*state, "[a-y]*[0-9]", slice(text, sizeof text), &left), MOX_ELIMIT);
    assert_int_equal(match(*state, "^[a-y]*[0-9]", slice(text, sizeof text), &left),
                     MOX_ENOTFOUND);
    assert_true(left < STEPS - sizeof text);
}

static void matches_share_their_steps(void **state)
{
    struct test_env *t = *state;
    struct regexp *hard = compiled(t, "^(a|aa)+$"), *easy = compiled(t, "a");
    struct regexp_run *run = NULL;
    char text[200];
    memset(text, 'a', sizeof text);
    text[199] = 'b';
    assert_int_equal(mox__regexp_run_new(&run, &t->env, 150000), MOX_OK);
    const struct mox_slice long_text = slice(text, sizeof text);
    assert_int_equal(mox__regexp_match(hard, run, long_text), MOX_ELIMIT);
    uint32_t left = mox__regexp_run_left(run);
    assert_true(left < 50000 && left > 0);
    assert_int_equal(mox__regexp_match(easy, run, long_text), MOX_OK);
    assert_true(mox__regexp_run_left(run) > left - 100);
    assert_int_equal(mox__regexp_match(hard, run, long_text), MOX_ELIMIT);
    assert_int_equal(mox__regexp_match(easy, run, long_text), MOX_ELIMIT);
    assert_int_equal(mox__regexp_run_left(run), 0);
    mox__regexp_run_free(run);
    mox__regexp_free(hard);
    mox__regexp_free(easy);
}

static void what_people_write_is_far_from_the_bound(void **state)
{
    static const char *const patterns[] = {"^<?announce\\.lists\\.example\\.org>?$",
                                           "^\\[[a-z-]+\\] ", "(foo|bar|baz).*(qux|quux)",
                                           "^.*@example\\.(org|net)$"};
    char text[500];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "the quick brown fox foo bar "[i % 28];
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        uint32_t left = 0;
        assert_int_equal(match(*state, patterns[i], slice(text, sizeof text), &left),
                         MOX_ENOTFOUND);
        assert_true(left > STEPS - 30000);
    }
}

static void each_allocation_may_fail(void **state)
{
    struct test_env *t = *state;
    int rc = MOX_ENOMEM;
    for (long n = 1; rc != MOX_OK; n++) {
        struct regexp *r = NULL;
        struct regexp_run *run = NULL;
        assert_true(n < 100);
        t->allocations = 0;
        t->fail_at = n;
        rc = mox__regexp_new(&r, &t->env, "^(a|b)*c", REGEXP_ANY_CASE, NULL);
        if (rc == MOX_OK)
            rc = mox__regexp_run_new(&run, &t->env, STEPS);
        if (rc == MOX_OK)
            rc = mox__regexp_match(r, run, slice_of("ababababc"));
        assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
        mox__regexp_run_free(run);
        mox__regexp_free(r);
    }
    t->fail_at = 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(texts_match_anywhere_unless_the_expression_is_anchored),
        TEST(mistakes_are_told_with_their_place),
        TEST(what_looks_alike_is_no_mistake),
        TEST(letters_that_only_upper_case_matches_can_be_refused),
        TEST(no_match_takes_more_than_its_steps),
        TEST(characters_that_are_run_over_in_vain_are_counted),
        TEST(matches_share_their_steps),
        TEST(what_people_write_is_far_from_the_bound),
        TEST(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("delivery-regexp", tests, NULL, NULL);
}

#else

static void a_build_without_pcre2_says_so(void **state)
{
    struct test_env t;
    struct regexp *r = NULL;
    struct mox_error err;
    (void)state;
    test_env_init(&t);
    assert_int_equal(mox__regexp_new(&r, &t.env, "a", REGEXP_ANY_CASE, &err), MOX_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "no regular expressions"));
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_build_without_pcre2_says_so)};
    return cmocka_run_group_tests_name("delivery-regexp", tests, NULL, NULL);
}

#endif
