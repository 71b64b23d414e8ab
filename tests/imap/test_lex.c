/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <mox/mailstore.h>

#include "imap/lex.h"
#include "imap/match.h"
#include "mailstore/utf7.h"
#include "support/cm.h"
#include "support/testenv.h"

static struct test_env env;
static struct arena arena;

static int setup(void **state)
{
    (void)state;
    test_env_init(&env);
    mox__arena_init(&arena, &env.env, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mox__arena_reset(&arena);
    test_env_done(&env);
    return 0;
}

static struct lexer lexer_of(const char *text)
{
    struct lexer l;
    mox__lex_init(&l, slice_of(text), &arena);
    return l;
}

static void astrings_are_atoms_quoted_or_literal(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value, *rest; /* value NULL: refused */
    } cases[] = {
        {"abc def", "abc", " def"},
        {"a]b(", "a]b", "("},
        {"\"a b\"", "a b", ""},
        {"\"\"", "", ""},
        {"\"a\\\"b\\\\\" x", "a\"b\\", " x"},
        {"\"a\\\\\"", "a\\", ""}, /* an escaped backslash ends the escape */
        {"\"a\\b\"", NULL, NULL},
        {"\"a\\\"", NULL, NULL},
        {"\"a", NULL, NULL},
        {"\"a\nb\"", NULL, NULL},
        {"{3}\r\na\"b x", "a\"b", " x"},
        {"{3+}\na\nb", "a\nb", ""},
        {"{0}\r\n", "", ""},
        {"{4}\r\nabc", NULL, NULL},
        {"{3} abc", NULL, NULL},
        {"{}\r\n", NULL, NULL},
        {"{99999999999999999999}\r\n", NULL, NULL},
        {"", NULL, NULL},
        {" a", NULL, NULL},
        {"(a", NULL, NULL},
        {"%", NULL, NULL},
        {"\x7f", NULL, NULL},
        {"\x80", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lexer l = lexer_of(cases[i].text);
        struct mox_slice out;
        bool there = mox__lex_astring(&l, &out);
        assert_int_equal(there, cases[i].value != NULL);
        if (!there) {
            assert_int_equal(mox__lex_failure(&l), MOX_ESYNTAX);
            assert_string_not_equal(l.expected, "");
            assert_ptr_equal(l.at, cases[i].text); /* nothing was taken */
            continue;
        }
        assert_true(mox__slice_is(out, cases[i].value));
        assert_true(mox__slice_is(slice(l.at, (size_t)(l.end - l.at)), cases[i].rest));
    }
}

static void numbers_are_consecutive_digits(void **state)
{
    (void)state;
    uint64_t n = 0;
    struct lexer l = lexer_of("12 SMALLER 3");
    assert_true(mox__lex_number(&l, 100, &n));
    assert_int_equal(n, 12);
    assert_true(mox__lex_space(&l));
    assert_false(mox__lex_number(&l, 100, &n));
    l = lexer_of("4294967296");
    assert_false(mox__lex_number(&l, UINT32_MAX, &n));
    assert_true(mox__lex_number(&l, UINT64_MAX, &n));
}

static void words_end_where_the_letters_end(void **state)
{
    (void)state;
    struct lexer l = lexer_of("returning");
    assert_false(mox__lex_word(&l, "RETURN"));
    l = lexer_of("Return(");
    assert_true(mox__lex_word(&l, "RETURN"));
    assert_int_equal(mox__lex_peek(&l), '(');
}

static void dates_are_days_and_must_exist(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t days; /* -1: refused */
    } cases[] = {
        {"1-Jan-1970", 0},      {"\"1-Jan-1970\"", 0}, {"01-Feb-1970", 31},  {"1-MAR-2000", 11017},
        {"29-Feb-2000", 11016}, {"29-Feb-1900", -1},   {"31-Apr-2020", -1},  {"0-Jan-2020", -1},
        {"1-Foo-2020", -1},     {"1-Jan-20", -1},      {"\"1-Jan-2020", -1}, {"32-Jan-2020", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t days = -1;
        struct lexer l = lexer_of(cases[i].text);
        bool there = mox__lex_date(&l, &days);
        assert_int_equal(there, cases[i].days >= 0);
        if (there)
            assert_int_equal(days, cases[i].days);
    }
}

static void date_times_are_utc_microseconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* INT64_MIN: refused */
    } cases[] = {
        {"\" 1-Jan-1970 00:00:00 +0000\"", 0},
        {"\"01-Jan-1970 01:00:00 +0100\"", 0},
        {"\"1-Jan-1970 00:00:01 +0000\"", 1},
        {"\"31-Dec-1969 23:00:00 -0130\"", 1800},
        {"\"01-Jan-2022 10:10:00 +0100\"", 1641028200},
        {"\"01-Jan-2022 24:10:00 +0100\"", INT64_MIN},
        {"\"01-Jan-2022 10:60:00 +0100\"", INT64_MIN},
        {"\"01-Jan-2022 10:10:00 0100\"", INT64_MIN},
        {"\"01-Jan-2022 10:10:00 +01\"", INT64_MIN},
        {"\"01-Jan-2022 10:10:00 +0100", INT64_MIN},
        {"\"01-Jan-2022T10:10:00 +0100\"", INT64_MIN},
        {"01-Jan-2022 10:10:00 +0100", INT64_MIN},
        {"\"", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t us = 0;
        struct lexer l = lexer_of(cases[i].text);
        bool there = mox__lex_date_time(&l, &us);
        assert_int_equal(there, cases[i].seconds != INT64_MIN);
        if (there)
            assert_int_equal(us, cases[i].seconds * 1000000);
    }
}

static void modified_utf7_goes_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *utf7, *utf8;
    } cases[] = {
        {"&Jjo-", "\u263a"},
        {"&-", "&"},
        {"a&-b", "a&b"},
        {"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e"},
        {"&2Dzf0Q-", "\U0001f3d1"},
        {"&AOkA6Q-", "\u00e9\u00e9"},
        {"&AOk-&-", "\u00e9&"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[200];
        struct buf encoded;
        assert_int_equal(mox__utf7_decode(slice_of(cases[i].utf7), out), MOX_OK);
        assert_string_equal(out, cases[i].utf8);
        mox__buf_init(&encoded, &env.env, 1000);
        mox__utf7_encode(&encoded, cases[i].utf8);
        assert_true(mox__slice_is(slice(encoded.data, encoded.len), cases[i].utf7));
        mox__buf_free(&encoded);
    }
}

static void an_ampersand_is_read_within_a_run_too(void **state)
{
    (void)state;
    char out[64];
    assert_int_equal(mox__utf7_decode(slice_of("&AOkAJgDp-"), out), MOX_OK);
    assert_string_equal(out, "\u00e9&\u00e9");
}

static void broken_utf7_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "&Jjo",                            /* no end */
        "&",        "a&b",   "&Jjo-&Jjo-", /* two runs side by side */
        "&AGE-",                           /* a, which needs no shift */
        "&YQ-",                            /* odd number of bytes */
        "&Jj/-",                           /* "/" is "," here */
        "&Jj=-",    "&AAA-",               /* NUL */
        "&2Dw-",                           /* a high surrogate alone */
        "&39E-",                           /* a low one */
        "&2DzYPA-",                        /* two high ones */
        "&JjoA-",                          /* too much padding */
        "&Jjp-",                           /* padding that is not zero */
        "\x80",     "\t",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[64];
        assert_int_equal(mox__utf7_decode(slice_of(cases[i]), out), MOX_ESYNTAX);
    }
}

static void decoded_names_fit_the_room_that_is_promised(void **state)
{
    (void)state;
    char text[3000] = "&";
    for (int i = 0; i < 300; i++)
        strcat(text, "ZeVnLIqe"); /* 8 characters: 3 units of 3 bytes */
    strcat(text, "-");
    char *out = mox__arena_alloc(&arena, mox__utf7_decoded_max(strlen(text)) + 1, 1);
    assert_int_equal(mox__utf7_decode(slice_of(text), out), MOX_OK);
    assert_true(strlen(out) <= mox__utf7_decoded_max(strlen(text)));
}

static bool is_match(const char *pattern, const char *name, size_t *work)
{
    bool matched[MOX_MAILBOX_NAME_MAX + 1];
    const size_t done = mox__pattern_match(pattern, name, strlen(name), matched);
    if (work != NULL)
        *work = done;
    return matched[strlen(name)];
}

static void patterns_match_levels(void **state)
{
    (void)state;
    static const struct {
        const char *reference, *pattern, *name;
        bool matches;
    } cases[] = {
        {"", "*", "a/b/c", true},         {"", "%", "a", true},
        {"", "%", "a/b", false},          {"", "a/%", "a/b", true},
        {"", "a/%", "a/b/c", false},      {"", "%/%", "a/b", true},
        {"", "*/c", "a/b/c", true},       {"", "%/c", "a/b/c", false},
        {"", "*b*", "a/b/c", true},       {"", "%b%", "abc", true},
        {"", "%a%/x", "baab/x", true},    {"", "*a%", "a/a/b", false},
        {"", "*a%", "a/ba", true},        {"", "inbox", "Inbox", true},
        {"", "INBOX/*", "Inbox/x", true}, {"", "inbo*", "Inbox", false},
        {"", "INBO*", "Inbox", false},    {"a", "%", "a/b", true},
        {"a/", "%", "a/b", true},         {"a//", "b*", "a/b", true},
        {"inbox", "%", "Inbox/x", true},  {"", "", "a", false},
        {"/", "*", "a", false},           {"", "/a", "a", false},
        {"", "%%*%", "abc/d", true},      {"", "a*%b", "a/x/b", true},
        {"", "*%/d", "a/b/c/d", true},    {"", "%x*", "a/x", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *joined = NULL;
        assert_int_equal(mox__pattern_join(&arena, cases[i].reference, cases[i].pattern, &joined),
                         MOX_OK);
        const bool matches = joined != NULL && is_match(joined, cases[i].name, NULL);
        if (matches != cases[i].matches)
            fail_msg("%s %s %s", cases[i].reference, cases[i].pattern, cases[i].name);
    }
}

/* As the RFC says it: a wildcard takes nothing, or a byte and goes on. */
static bool matches_by_trying(const char *pattern, const char *name)
{
    if (*pattern == '\0')
        return *name == '\0';
    if (*pattern != '*' && *pattern != '%')
        return *pattern == *name && matches_by_trying(pattern + 1, name + 1);
    return matches_by_trying(pattern + 1, name) ||
           (*name != '\0' && (*pattern == '*' || *name != '/') &&
            matches_by_trying(pattern, name + 1));
}

/* A text of `letters`, which is the nth of all of them. */
static void nth_text(const char *letters, unsigned n, char *out)
{
    const unsigned base = (unsigned)strlen(letters);
    for (; n > 0; n = (n - 1) / base)
        *out++ = letters[(n - 1) % base];
    *out = '\0';
}

static void short_patterns_match_what_trying_finds(void **state)
{
    (void)state;
    char pattern[8], name[8];
    for (unsigned p = 0; p < 4000; p++) { /* all of up to 5 bytes, and some of 6 */
        nth_text("a/*%", p, pattern);
        for (unsigned n = 0; n < 127; n++) { /* all of up to 6 */
            nth_text("a/", n, name);
            if (is_match(pattern, name, NULL) != matches_by_trying(pattern, name))
                fail_msg("%s %s", pattern, name);
        }
    }
}

static void a_match_costs_pattern_times_name(void **state)
{
    (void)state;
    char pattern[PATTERN_MAX_BYTES + 1] = "*a%", name[MOX_MAILBOX_NAME_MAX + 1];
    size_t work = 0;
    memset(pattern + 3, 'a', 400);
    strcpy(pattern + 403, "b");
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(is_match(pattern, name, &work));
    assert_true(work <= strlen(pattern) * sizeof name);
    memset(pattern, '%', sizeof pattern - 1);
    assert_true(is_match(pattern, name, &work));
    assert_true(work <= strlen(pattern) * sizeof name);
    assert_false(is_match("b*", name, &work));
    assert_int_equal(work, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(astrings_are_atoms_quoted_or_literal),
        cmocka_unit_test(numbers_are_consecutive_digits),
        cmocka_unit_test(words_end_where_the_letters_end),
        cmocka_unit_test(dates_are_days_and_must_exist),
        cmocka_unit_test(date_times_are_utc_microseconds),
        cmocka_unit_test(modified_utf7_goes_both_ways),
        cmocka_unit_test(an_ampersand_is_read_within_a_run_too),
        cmocka_unit_test(broken_utf7_is_refused),
        cmocka_unit_test(decoded_names_fit_the_room_that_is_promised),
        cmocka_unit_test(patterns_match_levels),
        cmocka_unit_test(short_patterns_match_what_trying_finds),
        cmocka_unit_test(a_match_costs_pattern_times_name),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
