/* SPDX-License-Identifier: MIT */
#include "support/cm.h"

#include <mox/error.h>

#include "base/text.h"
#include "imap/textmatch.h"
#include "support/testenv.h"

/* Looks for `needle` in `text`, handed over in pieces of `step` bytes. */
static bool found_in_steps(struct test_env *t, const char *needle, const char *text, size_t step)
{
    struct arena a;
    struct needle n;
    struct text_scan scan;
    mox__arena_init(&a, &t->env, 1 << 20);
    assert_int_equal(mox__needle_init(&n, &a, slice_of(needle)), MOX_OK);
    struct needle_match m = {.needle = &n};
    mox__text_scan_begin(&scan, &m, 1);
    const size_t len = strlen(text);
    for (size_t at = 0; at < len; at += step)
        mox__text_scan_feed(&scan, slice(text + at, len - at < step ? len - at : step));
    mox__arena_reset(&a);
    return m.found;
}

static void needles_are_found_without_case_however_the_text_is_cut(void **state)
{
    (void)state;
    static const struct {
        const char *needle, *text;
        bool found;
    } cases[] = {
        {"", "", true},
        {"", "text", true},
        {"text", "", false},
        {"text", "text", true},
        {"text", "tex", false},
        {"TeXt", "in this tExT here", true},
        {"aab", "aaab", true},
        {"abcabd", "abcabcabd", true},
        {"abababc", "abababababc", true},
        {"aaaa", "aaabaaabaaa", false},
        {"nan", "banana", true},
        {"@[`{", "@[`{", true}, /* no letters: next to them in ASCII */
        {"@[`{", "`{@[", false},
        {"\xc3\xa9t\xc3\xa9", "un \xc3\xa9t\xc3\xa9 chaud", true},
        {"\xe2\x82\xac", "10 \xe2\x82\xac", true},
        {"abc",
         "x\xe2"
         "abc",
         true}, /* a character cut by another */
        {"abc",
         "x\xf0\x9f"
         "Abc",
         true},
        {"\xff"
         "a",
         "\xff"
         "A",
         true}, /* not UTF-8: bytes */
#ifdef MOX_HAVE_IDN
        {"\xc3\x89T\xc3\x89", "un \xc3\xa9t\xc3\xa9 chaud", true},
        {"\xd0\xbf\xd1\x80\xd0\xb8", "\xd0\x9f\xd0\xa0\xd0\x98\xd0\x92\xd0\x95\xd0\xa2", true},
        {"\xc8\xba", "x\xe2\xb1\xa5", true}, /* U+023A and its longer lower-case form */
#endif
    };
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t step = 1; step <= 8; step++) {
            if (found_in_steps(&t, cases[i].needle, cases[i].text, step) != cases[i].found)
                fail_msg("case %zu, \"%s\" in steps of %zu", i, cases[i].text, step);
        }
    }
    test_env_done(&t);
}

static void only_letters_have_a_case(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    for (int c = 1; c < 0x80; c++) {
        for (int d = 1; d < 0x80; d++) {
            char needle[2] = {(char)c, 0}, text[17] = {0};
            memset(text, c == '-' ? '+' : '-', 16); /* whole words, and d within one */
            text[d % 8 + 4] = (char)d;
            bool same = to_lower((uint8_t)c) == to_lower((uint8_t)d);
            assert_int_equal(found_in_steps(&t, needle, text, 16), same);
        }
    }
    test_env_done(&t);
}

static void many_needles_share_one_pass(void **state)
{
    (void)state;
    static const char *const words[] = {"alpha", "beta", "gamma", "delta", "alp"};
    struct test_env t;
    struct arena a;
    struct needle n[5];
    struct needle_match m[5] = {{0}};
    struct text_scan scan;
    test_env_init(&t);
    mox__arena_init(&a, &t.env, 1 << 20);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(mox__needle_init(&n[i], &a, slice_of(words[i])), MOX_OK);
        m[i].needle = &n[i];
    }
    m[3].paused = true;
    mox__text_scan_begin(&scan, m, 5);
    assert_true(mox__text_scan_feed(&scan, slice_of("ALPHA and del")));
    mox__text_scan_break(&scan);
    assert_true(mox__text_scan_feed(&scan, slice_of("ta gam")));
    assert_true(mox__text_scan_feed(&scan, slice_of("ma")));
    assert_false(mox__text_scan_feed(&scan, slice_of("beta")));
    const bool found[5] = {true, true, true, false, true};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(m[i].found, found[i]);
    mox__arena_reset(&a);
    test_env_done(&t);
}

static void a_break_ends_what_has_matched(void **state)
{
    (void)state;
    struct test_env t;
    struct arena a;
    struct needle n;
    struct text_scan scan;
    test_env_init(&t);
    mox__arena_init(&a, &t.env, 1 << 20);
    assert_int_equal(mox__needle_init(&n, &a, slice_of("onetwo")), MOX_OK);
    struct needle_match m = {.needle = &n};
    mox__text_scan_begin(&scan, &m, 1);
    mox__text_scan_feed(&scan, slice_of("one"));
    mox__text_scan_break(&scan);
    assert_true(mox__text_scan_feed(&scan, slice_of("two")));
    mox__arena_reset(&a);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needles_are_found_without_case_however_the_text_is_cut),
        cmocka_unit_test(only_letters_have_a_case),
        cmocka_unit_test(many_needles_share_one_pass),
        cmocka_unit_test(a_break_ends_what_has_matched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
