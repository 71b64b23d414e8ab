/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/ruleset.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

#define NO_TEXTS                                                                                   \
    .smtp_mail_from_regexp = "", .msg_from_regexp = "", .verified_domain = "",                     \
    .list_allow_domain = "", .accept_rejects_to_mailbox = "", .mailbox = "", .comment = ""

/* A ruleset with nothing but what is set behind. Some members are set twice then. */
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif
#define RULE(...) ((struct mox_ruleset){NO_TEXTS, __VA_ARGS__})

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

static const struct mox_ruleset_query nobody = {
    .mail_from = "", .msg_from = "", .verified_ehlo = "", .verified_mail_from = ""};

/* The index of the ruleset that matches, or -1. */
static int find(struct test_env *t, const struct mox_ruleset *list, size_t count,
                const struct mox_ruleset_query *query)
{
    struct mox_rulesets *rs = NULL;
    struct mox_error err = {.text = ""};
    size_t bad = 0, index = 0;
    if (mox_rulesets_new(&rs, &t->env, list, count, &bad, &err) != MOX_OK)
        fail_msg("ruleset %zu: %s", bad, err.text);
    int rc = mox_rulesets_match(rs, query, &index);
    assert_true(rc == MOX_OK || rc == MOX_ENOTFOUND);
    mox_rulesets_free(rs);
    return rc == MOX_OK ? (int)index : -1;
}

static void a_verified_domain_stands_for_those_below_it(void **state)
{
    static const struct {
        const char *ehlo, *mail_from, *dkim;
        bool matches;
    } cases[] = {
        {"", "", "", false},
        {"example.org", "", "", true},
        {"mx.example.org", "", "", true},
        {"", "lists.example.org", "", true},
        {"", "", "a.b.example.org", true},
        {"notexample.org", "org", "example.org.example", false},
    };
    const struct mox_ruleset rule = RULE(.verified_domain = "example.org");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *dkim[] = {"other.example", cases[i].dkim};
        struct mox_ruleset_query q = nobody;
        q.verified_ehlo = cases[i].ehlo;
        q.verified_mail_from = cases[i].mail_from;
        q.dkim_domains = dkim;
        q.dkim_domain_count = 2;
        if ((find(*state, &rule, 1, &q) == 0) != cases[i].matches)
            fail_msg("case %zu", i);
    }
}

static void a_ruleset_needs_a_condition(void **state)
{
    struct test_env *t = *state;
    struct mox_rulesets *rs = NULL;
    struct mox_error err;
    size_t bad = 9;
    const struct mox_ruleset rules[] = {RULE(.verified_domain = "example.org"),
                                        RULE(.mailbox = "X"),
                                        RULE(.verified_domain = "example.org")};
    assert_int_equal(mox_rulesets_new(&rs, &t->env, rules, 3, &bad, &err), MOX_ESYNTAX);
    assert_int_equal(bad, 1);
    assert_null(rs);
    assert_non_null(strstr(err.text, "without condition"));
}

static void headers_that_cannot_be_read_match_nothing(void **state)
{
    static const struct {
        const char *headers;
        bool matches;
    } cases[] = {
        {"", true},
        {"Subject: a\r\n\r\nno colon here\r\n", true},
        {"Subject: a\nX:\n b\n", true},
        {"Subject : a\r\n", true},
        {"Subject: a\r\nno colon here\r\n", false},
        {" folded: at first\r\nSubject: a\r\n", false},
        {": no name\r\n", false},
        {"two words: a\r\n", false},
        {"From someone@example.org Fri Nov 27 02:00:00 2026\r\nSubject: a\r\n", false},
        {"S\xc3\xbc: a\r\n", false},
    };
    const struct mox_ruleset rule = RULE(.verified_domain = "example.org");
    struct mox_ruleset_query q = nobody;
    q.verified_ehlo = "example.org";
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        q.headers = slice_of(cases[i].headers);
        if ((find(*state, &rule, 1, &q) == 0) != cases[i].matches)
            fail_msg("%s", cases[i].headers);
    }
    static char many[3 * 4097 + 1];
    for (size_t i = 0; i < 4097; i++)
        memcpy(many + 3 * i, "x:\n", 3);
    q.headers = slice(many, 3 * 4096);
    assert_int_equal(find(*state, &rule, 1, &q), 0);
    q.headers = slice(many, 3 * 4097);
    assert_int_equal(find(*state, &rule, 1, &q), -1);
}

#ifdef MOX_HAVE_REGEX

static void expressions_match_addresses_anywhere_in_them(void **state)
{
    const struct mox_ruleset rules[] = {RULE(.smtp_mail_from_regexp = "^bounces-.*@example\\.org$"),
                                        RULE(.msg_from_regexp = "@example\\.org$"),
                                        RULE(.smtp_mail_from_regexp = "^$"),
                                        RULE(.smtp_mail_from_regexp = "b", .msg_from_regexp = "c")};
    struct mox_ruleset_query q = nobody;
    q.mail_from = "bounces-1@example.org";
    assert_int_equal(find(*state, rules, 4, &q), 0);
    q.mail_from = "x-bounces-1@example.org";
    assert_int_equal(find(*state, rules, 4, &q), -1);
    q.msg_from = "user@example.org";
    assert_int_equal(find(*state, rules, 4, &q), 1);
    q.mail_from = "";
    q.msg_from = "";
    assert_int_equal(find(*state, rules, 4, &q), 2); /* the null path */
    q.mail_from = "b";
    assert_int_equal(find(*state, rules, 4, &q), -1); /* all conditions must hold */
    q.msg_from = "c";
    assert_int_equal(find(*state, rules, 4, &q), 3);
}

static void an_absent_from_matches_no_expression(void **state)
{
    const struct mox_ruleset rules[] = {RULE(.msg_from_regexp = ".*"),
                                        RULE(.msg_from_regexp = "^$")};
    struct mox_ruleset_query q = nobody;
    assert_int_equal(find(*state, rules, 2, &q), -1);
    q.msg_from = "@";
    assert_int_equal(find(*state, rules, 2, &q), 0);
}

#define HEADERS                                                                                    \
    "Received: from a\r\n\tby b\r\n"                                                               \
    "List-Id:   The List <Announce.Lists.Example>  \r\n"                                           \
    "Subject: one\r\n"                                                                             \
    "Subject: =?utf-8?q?two?=\r\n"                                                                 \
    "X-Folded: a\r\n   b\r\n"                                                                      \
    "X-Empty:\r\n"                                                                                 \
    "\r\n"                                                                                         \
    "body: text\r\n"

static void headers_match_in_lower_case_and_trimmed(void **state)
{
    static const struct {
        struct mox_ruleset_header pairs[2];
        size_t count;
        bool matches;
    } cases[] = {
        {{{"^list-id$", "<announce\\.lists\\.example>$"}}, 1, true},
        {{{"^list-id$", "^the list"}}, 1, true},
        {{{"list", "^the list"}}, 1, true},
        {{{"^list$", "^the list"}}, 1, false},
        {{{"subject", ".*"}}, 1, true},
        {{{"^subject$", "^one$"}}, 1, true},
        {{{"^subject$", "two"}}, 1, true}, /* any of the fields */
        {{{"^subject$", "^three$"}}, 1, false},
        {{{"^x-folded$", "^a b$"}}, 1, true},
        {{{"^received$", "^from a by b$"}}, 1, true},
        {{{"^x-empty$", "^$"}}, 1, true},
        {{{"^x-empty$", ""}}, 1, true},
        {{{"^body$", ""}}, 1, false}, /* that is no header */
        {{{"^x-absent$", ""}}, 1, false},
        {{{"^subject$", "^one$"}, {"^list-id$", "list"}}, 2, true},
        {{{"^subject$", "^one$"}, {"^x-absent$", "list"}}, 2, false}, /* each must match */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_ruleset_header pairs[2] = {cases[i].pairs[0], cases[i].pairs[1]};
        const struct mox_ruleset rule = RULE(.headers = {pairs, cases[i].count});
        struct mox_ruleset_query q = nobody;
        q.headers = slice_of(HEADERS);
        if ((find(*state, &rule, 1, &q) == 0) != cases[i].matches)
            fail_msg("%s: %s", pairs[0].name, pairs[0].value);
    }
}

static void a_list_and_a_catch_all_are_tried_in_order(void **state)
{
    struct mox_ruleset_header list = {"^list-id$", "<x\\.example>"}, all = {"subject", ".*"};
    const struct mox_ruleset rules[] = {RULE(.headers = {&list, 1}), RULE(.headers = {&all, 1})};
    struct mox_ruleset_query q = nobody;
    q.headers = slice_of("List-Id: <X.example>\r\nSubject: a\r\n");
    assert_int_equal(find(*state, rules, 2, &q), 0);
    q.headers = slice_of("Subject:\r\n");
    assert_int_equal(find(*state, rules, 2, &q), 1);
    q.headers = slice_of("Date: now\r\n");
    assert_int_equal(find(*state, rules, 2, &q), -1);
}

static void header_values_need_not_be_utf8(void **state)
{
    struct mox_ruleset_header pair = {"^subject$", "caf\xc3\xa9"};
    const struct mox_ruleset rule = RULE(.headers = {&pair, 1});
    struct mox_ruleset_query q = nobody;
    q.headers = slice_of("Subject: \xff\xfe Caf\xc3\xa9 \xc3\r\n");
    assert_int_equal(find(*state, &rule, 1, &q), 0);
#ifdef MOX_HAVE_IDN
    q.headers = slice_of("Subject: CAF\xc3\x89\r\n");
    assert_int_equal(find(*state, &rule, 1, &q), 0);
#endif
    q.headers = slice_of("Subject: caf\xe9\r\n");
    assert_int_equal(find(*state, &rule, 1, &q), -1);
}

static void the_ruleset_that_is_wrong_is_named(void **state)
{
    struct test_env *t = *state;
    struct mox_ruleset_header upper = {"List-Id", ""}, broken = {"a", "("};
    const struct mox_ruleset bad[] = {RULE(.smtp_mail_from_regexp = "("),
                                      RULE(.msg_from_regexp = "a++"), RULE(.headers = {&upper, 1}),
                                      RULE(.headers = {&broken, 1})};
    for (size_t i = 0; i < 4; i++) {
        const struct mox_ruleset rules[] = {RULE(.msg_from_regexp = "a"), bad[i]};
        struct mox_rulesets *rs = NULL;
        struct mox_error err;
        size_t index = 9;
        assert_int_equal(mox_rulesets_new(&rs, &t->env, rules, 2, &index, &err), MOX_ESYNTAX);
        assert_int_equal(index, 1);
        assert_non_null(strstr(err.text, "bad expression, at character"));
    }
}

static void an_expression_that_takes_too_long_does_not_match(void **state)
{
    static char text[1 << 16];
    struct mox_ruleset_header hard = {"^subject$", "^(a|aa)+$"}, easy = {"^subject$", "b$"};
    const struct mox_ruleset rules[] = {RULE(.headers = {&hard, 1}), RULE(.headers = {&easy, 1})};
    struct mox_ruleset_query q = nobody;
    memset(text, 'a', sizeof text);
    memcpy(text, "subject:", 8);
    memcpy(text + sizeof text - 3, "b\r\n", 3);
    q.headers = slice(text, sizeof text);
    assert_int_equal(find(*state, rules, 2, &q), 1);
    /* what a message may cost in all comes to an end too */
    struct mox_ruleset many[60];
    for (size_t i = 0; i < 59; i++)
        many[i] = rules[0];
    many[59] = rules[1];
    assert_int_equal(find(*state, many, 60, &q), -1);
}

static void each_allocation_may_fail(void **state)
{
    struct test_env *t = *state;
    struct mox_ruleset_header pair = {"^list-id$", "x"};
    const struct mox_ruleset rules[] = {
        RULE(.verified_domain = "a.example", .smtp_mail_from_regexp = "b"),
        RULE(.headers = {&pair, 1}, .msg_from_regexp = "b")};
    struct mox_ruleset_query q = nobody;
    q.msg_from = "b";
    q.headers = slice_of("List-Id: x\r\n");
    int rc = MOX_ENOMEM;
    for (long n = 1; rc != MOX_OK; n++) {
        struct mox_rulesets *rs = NULL;
        size_t index = 0;
        assert_true(n < 200);
        t->allocations = 0;
        t->fail_at = n;
        rc = mox_rulesets_new(&rs, &t->env, rules, 2, &index, NULL);
        if (rc == MOX_OK)
            rc = mox_rulesets_match(rs, &q, &index);
        assert_true(rc == MOX_ENOMEM || (rc == MOX_OK && index == 1));
        mox_rulesets_free(rs);
    }
    t->fail_at = 0;
}

#else

static void expressions_are_not_supported(void **state)
{
    struct test_env *t = *state;
    struct mox_rulesets *rs = NULL;
    struct mox_error err;
    size_t bad = 9;
    const struct mox_ruleset rule = RULE(.msg_from_regexp = "a");
    assert_int_equal(mox_rulesets_new(&rs, &t->env, &rule, 1, &bad, &err), MOX_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "no regular expressions"));
}

#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_verified_domain_stands_for_those_below_it),
        TEST(a_ruleset_needs_a_condition),
        TEST(headers_that_cannot_be_read_match_nothing),
#ifdef MOX_HAVE_REGEX
        TEST(expressions_match_addresses_anywhere_in_them),
        TEST(an_absent_from_matches_no_expression),
        TEST(headers_match_in_lower_case_and_trimmed),
        TEST(a_list_and_a_catch_all_are_tried_in_order),
        TEST(header_values_need_not_be_utf8),
        TEST(the_ruleset_that_is_wrong_is_named),
        TEST(an_expression_that_takes_too_long_does_not_match),
        TEST(each_allocation_may_fail),
#else
        TEST(expressions_are_not_supported),
#endif
    };
    return cmocka_run_group_tests_name("delivery-ruleset", tests, NULL, NULL);
}
