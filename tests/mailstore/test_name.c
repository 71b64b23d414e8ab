/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <mox/mailstore.h>

#include "base/text.h"
#include "support/cm.h"

static void names_are_checked_and_inbox_is_normalized(void **state)
{
    (void)state;
    static const struct {
        const char *name, *proper; /* NULL: refused */
    } cases[] = {
        {"INBOX", "Inbox"},
        {"inbox/a", "Inbox/a"},
        {"inboxes", "inboxes"},
        {"a/inbox", "a/inbox"},
        {"a%*&b", "a%*&b"},
#ifdef MOX_HAVE_IDN /* without its tables no other name is known to be normal */
        {"h\xc3\xa9", "h\xc3\xa9"},
        {"a\xe2\x80\xaa", "a\xe2\x80\xaa"},
#endif
        {"", NULL},
        {"/x", NULL},
        {"x/", NULL},
        {"a//b", NULL},
        {"a/./b", NULL},
        {"..", NULL},
        {"#news", NULL},
        {"a#", "a#"},
        {"a\x01", NULL},
        {"a\x7f", NULL},
        {"a\xc2\x80", NULL},
        {"a\xe2\x80\xa8", NULL},
        {"he\xcc\x81", NULL}, /* e and a combining acute: not NFC */
        {"a\xff", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[MOX_MAILBOX_NAME_MAX + 1];
        struct mox_error err;
        int rc = mox_mailbox_name_check(cases[i].name, out, &err);
        assert_int_equal(rc, cases[i].proper == NULL ? MOX_ESYNTAX : MOX_OK);
        if (cases[i].proper != NULL)
            assert_string_equal(out, cases[i].proper);
    }
}

static void names_have_a_longest_length(void **state)
{
    (void)state;
    char name[MOX_MAILBOX_NAME_MAX + 2], out[MOX_MAILBOX_NAME_MAX + 1];
    memset(name, 'a', sizeof name);
    name[MOX_MAILBOX_NAME_MAX + 1] = '\0';
    assert_int_equal(mox_mailbox_name_check(name, out, NULL), MOX_ELIMIT);
    name[MOX_MAILBOX_NAME_MAX] = '\0';
    assert_int_equal(mox_mailbox_name_check(name, out, NULL), MOX_OK);
}

static void keywords_are_lower_case_atoms(void **state)
{
    (void)state;
    static const char *const good[] = {"$label1", "work", "a.b-c_d", "[x"};
    static const char *const bad[] = {"", "Work", "a b", "a(b", "x]", "a\\b", "h\xc3\xa9", "a\"", "a%"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(mox_keyword_is_valid(slice_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(mox_keyword_is_valid(slice_of(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_checked_and_inbox_is_normalized),
        cmocka_unit_test(names_have_a_longest_length),
        cmocka_unit_test(keywords_are_lower_case_atoms),
    };
    return cmocka_run_group_tests_name("mailstore names", tests, NULL, NULL);
}
