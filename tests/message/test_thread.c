/* SPDX-License-Identifier: MIT */
#include "message/thread.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

static bool is(const struct buf *b, const char *text)
{
    return mox__slice_is(slice(b->data, b->len), text);
}

static void message_ids_have_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *value, *want;
    } rows[] = {
        {" <USER@DOMAIN>\r\n", "user@domain"},
        {"<user@domain> other", "user@domain"},
        {"<user@domain>\tother", "user@domain"},
        {"<User@Domain@Time>", "user@domain@time"},
        {"<User>", "user"},
        {"<\"User\"@domain>", "user@domain"},
        {"<\"a\\ B\"@domain>", "\"a b\"@domain"},
        {"<\"a\\\"\\\\b\"@domain>", "\"a\\\"\\\\b\"@domain"},
        {"<\"\\a.b\"@domain>", "a.b@domain"},
        {"<\"\"@domain>", "\"\"@domain"},
        {"<\"a\"@not a domain>", "\"a\"@not a domain"},
        {"<\"open@domain>", "\"open@domain"},
        {"<\xc3\x89@d\xc3\xa9>", "\xc3\x89@d\xc3\xa9"},
        {"<>", NULL},
        {"user@domain", NULL},
        {"<user@domain", NULL},
        {"user@domain>", NULL},
        {"x <user@domain>", NULL},
        {"<user@domain>x", NULL},
        {"", NULL},
    };
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;
        mox__buf_init(&out, &t.env, 1000);
        assert_int_equal(mox__message_id(slice_of(rows[i].value), &out), rows[i].want != NULL);
        assert_true(is(&out, rows[i].want != NULL ? rows[i].want : ""));
        mox__buf_free(&out);
    }
    test_env_done(&t);
}

static void references_are_read_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *value, *want; /* with a space behind each */
    } rows[] = {
        {" <A@b>\r\n <c@D>", "a@b c@d "},
        {"junk <a@b>, <c@d>junk<e@f> <", "a@b c@d e@f "},
        {"<cut <a@b> <> <  > <c\r\n @d>", "a@b c@d "},
        {"<a@b><cut", "a@b "},
        {"none", ""},
        {"", ""},
    };
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;
        struct references r = {.text = slice_of(rows[i].value)};
        mox__buf_init(&out, &t.env, 1000);
        while (mox__references_next(&r, &out))
            mox__buf_byte(&out, ' ');
        assert_true(is(&out, rows[i].want));
        mox__buf_free(&out);
    }
    test_env_done(&t);
}

static void subjects_have_a_base(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *want;
        bool is_response;
    } rows[] = {
        {"[list] re: [list] fwd: a b c", "a b c", true},
        {"[nonlist]", "[nonlist]", false},
        {"fwd [tag] Test", "fwd [tag] test", false},
        {"test (fwd) (fwd) ", "test", true},
        {" A \t\r\n  B  ", "a b", false},
        {"Re: Re : RE[2]: x", "x", true},
        {"Fwd:x", "x", true},
        {"fw : [a] [b] x", "x", true},
        {"[Fwd: Re: [list] x (fwd)]", "x", true},
        {"[fwd: a] b", "b", false},
        {"Re:", "", true},
        {"re: [x]", "[x]", true},
        {"regarding: x", "regarding: x", false},
        {"[open x", "[open x", false},
        {"[a[b] x", "[a[b] x", false},
        {"=?utf-8?q?Re:_=C3=A9?=", "\xc3\xa9", true},
        {"a =?utf-8?q?=00?=", "", false},
        {"", "", false},
    };
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;
        bool is_response = !rows[i].is_response;
        mox__buf_init(&out, &t.env, 1000);
        mox__subject_base(slice_of(rows[i].raw), &out, &is_response);
        if (!is(&out, rows[i].want))
            fail_msg("%s gives %.*s", rows[i].raw, (int)out.len, (char *)out.data);
        assert_int_equal(is_response, rows[i].is_response);
        mox__buf_free(&out);
    }
    test_env_done(&t);
}

/* Half a megabyte of each in well under a second: what is taken off is looked at once. */
static void long_subjects_take_linear_time(void **state)
{
    (void)state;
    static const char *const pieces[] = {"re:",   "[a]", "[fwd:", "(fwd)",
                                         "re[a]", "[",   "]",     "re [a]:"};
    struct test_env t;
    test_env_init(&t);
    size_t len = 500000;
    uint8_t *raw = malloc(len);
    assert_non_null(raw);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct buf out;
        bool is_response;
        for (size_t at = 0; at < len; at++)
            raw[at] = (uint8_t)pieces[i][at % strlen(pieces[i])];
        mox__buf_init(&out, &t.env, 2 * len);
        mox__subject_base(slice(raw, len), &out, &is_response);
        assert_false(out.failed);
        mox__buf_free(&out);
    }
    free(raw);
    test_env_done(&t);
}

static void failing_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    bool failed = true;
    for (long n = 1; failed; n++) {
        struct test_env t;
        test_env_init(&t);
        t.fail_at = n;
        struct buf out;
        bool is_response;
        struct references r = {.text = slice_of("<a@b>")};
        mox__buf_init(&out, &t.env, 1000);
        mox__subject_base(slice_of("Re: a =?koi8-r?q?=C1?="), &out, &is_response);
        bool more = mox__references_next(&r, &out);
        failed = out.failed;
        assert_true(failed || more);
        mox__buf_free(&out);
        test_env_done(&t);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_ids_have_one_form),
        cmocka_unit_test(references_are_read_one_by_one),
        cmocka_unit_test(subjects_have_a_base),
        cmocka_unit_test(long_subjects_take_linear_time),
        cmocka_unit_test(failing_allocations_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
