/* SPDX-License-Identifier: MIT */
#include "support/cm.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "imap/flags.h"
#include "imap/seqset.h"
#include "support/testenv.h"

/* Sets of messages, and names of flags. */

/* A view with UIDs 10, 20, 30 … */
static struct mox_view *tens(struct test_env *t, uint32_t count)
{
    struct mox_view_row rows[16] = {{0}};
    for (uint32_t i = 0; i < count; i++)
        rows[i].uid = (i + 1) * 10;
    const struct mox_view_info info = {.size = sizeof info, .mailbox = 1, .uidnext = 1000};
    struct mox_view *view = NULL;
    assert_int_equal(mox_view_new(&view, &t->env, &info, rows, count), MOX_OK);
    return view;
}

/* "0-2,4" for the rows of a set, "BAD" or "EINVAL". */
static const char *rows_of(struct test_env *t, const char *text, enum seqset_kind kind,
                           const struct mox_view *view)
{
    static char out[256];
    struct arena a;
    struct seqset set;
    struct row_set rows;
    mox__arena_init(&a, &t->env, 1 << 20);
    int rc = mox__seqset_parse(&set, &a, slice_of(text));
    if (rc == MOX_OK)
        rc = mox__seqset_rows(&rows, &a, &set, kind, view);
    size_t len = 0;
    uint32_t total = 0;
    out[0] = '\0';
    for (size_t i = 0; rc == MOX_OK && i < rows.count; i++) {
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%u-%u", i > 0 ? "," : "",
                                rows.ranges[i].first, rows.ranges[i].end - 1);
        total += rows.ranges[i].end - rows.ranges[i].first;
    }
    if (rc == MOX_OK)
        assert_int_equal(rows.rows, total);
    else
        snprintf(out, sizeof out, "%s", rc == MOX_ESYNTAX ? "BAD" : "EINVAL");
    mox__arena_reset(&a);
    return out;
}

static void sets_name_rows_of_a_view(void **state)
{
    (void)state;
    static const struct {
        uint32_t count;
        enum seqset_kind kind;
        const char *text, *rows;
    } cases[] = {
        {5, SEQSET_SEQUENCE, "1", "0-0"},
        {5, SEQSET_SEQUENCE, "2:4", "1-3"},
        {5, SEQSET_SEQUENCE, "4:2", "1-3"},
        {5, SEQSET_SEQUENCE, "*", "4-4"},
        {5, SEQSET_SEQUENCE, "*:3", "2-4"},
        {5, SEQSET_SEQUENCE, "3:*", "2-4"},
        {5, SEQSET_SEQUENCE, "*:*", "4-4"},
        {5, SEQSET_SEQUENCE, "2:1,1", "0-1"},
        {5, SEQSET_SEQUENCE, "5,1,3,2", "0-2,4-4"},
        {5, SEQSET_SEQUENCE, "6", "EINVAL"},
        {5, SEQSET_SEQUENCE, "4:6", "EINVAL"},
        {5, SEQSET_SEQUENCE, "6:*", "EINVAL"},
        {0, SEQSET_SEQUENCE, "*", "EINVAL"},
        {0, SEQSET_SEQUENCE, "1:*", "EINVAL"},
        {5, SEQSET_LENIENT, "4:6,9", "3-4"},
        {5, SEQSET_LENIENT, "7:9", ""},
        {0, SEQSET_LENIENT, "1:*", ""},
        {5, SEQSET_UID, "20", "1-1"},
        {5, SEQSET_UID, "21", ""},
        {5, SEQSET_UID, "15:35", "1-2"},
        {5, SEQSET_UID, "35:15,50,10", "0-2,4-4"},
        {5, SEQSET_UID, "*", "4-4"},
        {5, SEQSET_UID, "4294967295:*", "4-4"},
        {5, SEQSET_UID, "70:*", "4-4"},
        {5, SEQSET_UID, "*:25", "2-4"},
        {5, SEQSET_UID, "1:4294967295", "0-4"},
        {0, SEQSET_UID, "*", ""},
        {5, SEQSET_UID, "", "BAD"},
        {5, SEQSET_UID, "0", "BAD"},
        {5, SEQSET_UID, "4294967296", "BAD"},
        {5, SEQSET_UID, "1,", "BAD"},
        {5, SEQSET_UID, ",1", "BAD"},
        {5, SEQSET_UID, "1:", "BAD"},
        {5, SEQSET_UID, ":1", "BAD"},
        {5, SEQSET_UID, "1:2:3", "BAD"},
        {5, SEQSET_UID, "1,,2", "BAD"},
        {5, SEQSET_UID, "**", "BAD"},
        {5, SEQSET_UID, "-1", "BAD"},
        {5, SEQSET_UID, "1 ", "BAD"},
        {5, SEQSET_UID, "a", "BAD"},
    };
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_view *view = tens(&t, cases[i].count);
        const char *rows = rows_of(&t, cases[i].text, cases[i].kind, view);
        if (strcmp(rows, cases[i].rows) != 0)
            fail_msg("set %s of %u: %s, not %s", cases[i].text, cases[i].count, rows,
                     cases[i].rows);
        mox_view_unref(view);
    }
    test_env_done(&t);
}

static void rows_become_ranges_of_uids(void **state)
{
    (void)state;
    struct test_env t;
    struct arena a;
    struct seqset set;
    struct row_set rows;
    test_env_init(&t);
    mox__arena_init(&a, &t.env, 1 << 20);
    struct mox_view *view = tens(&t, 5);
    assert_int_equal(mox__seqset_parse(&set, &a, slice_of("1:2,4:5")), MOX_OK);
    assert_int_equal(mox__seqset_rows(&rows, &a, &set, SEQSET_SEQUENCE, view), MOX_OK);
    const struct mox_uid_range *uids = mox__row_set_uids(&a, &rows, view);
    assert_non_null(uids);
    assert_int_equal(uids[0].first, 10);
    assert_int_equal(uids[0].last, 20);
    assert_int_equal(uids[1].first, 40);
    assert_int_equal(uids[1].last, 50);
    const bool has[5] = {true, true, false, true, true};
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(mox__row_set_has(&rows, i), has[i]);
    assert_false(mox__row_set_has(&rows, 7));
    mox_view_unref(view);
    mox__arena_reset(&a);
    test_env_done(&t);
}

static void rows_added_one_by_one_join(void **state)
{
    (void)state;
    struct test_env t;
    struct arena a;
    struct row_set_builder b;
    test_env_init(&t);
    mox__arena_init(&a, &t.env, 1 << 20);
    mox__row_set_begin(&b, &a);
    for (uint32_t i = 0; i < 100; i++) {
        mox__row_set_add(&b, i * 4);
        mox__row_set_add(&b, i * 4 + 1);
    }
    assert_false(b.failed);
    assert_int_equal(b.set.count, 100);
    assert_int_equal(b.set.rows, 200);
    assert_int_equal(b.set.ranges[99].first, 396);
    assert_int_equal(b.set.ranges[99].end, 398);
    mox__arena_reset(&a);
    test_env_done(&t);
}

static void flags_are_read_without_case_and_written_in_order(void **state)
{
    (void)state;
    static const char *const names[] = {"blue", "red"};
    static const struct {
        const char *text;
        int rc;
        const char *written;
    } cases[] = {
        {"", MOX_OK, "()"},
        {"\\Seen", MOX_OK, "(\\Seen)"},
        {"\\draft \\SEEN $mdnsent", MOX_OK, "(\\Seen \\Draft $MDNSent)"},
        {"$junk $NotJunk $Phishing $Forwarded", MOX_OK, "($Forwarded $Junk $NotJunk $Phishing)"},
        {"red", MOX_OK, "(red)"},
        {"\\Seen RED Blue red", MOX_OK, "(\\Seen blue red)"},
        {"\\Recent", MOX_ESYNTAX, ""},
        {"\\Unknown", MOX_ESYNTAX, ""},
        {"\\", MOX_ESYNTAX, ""},
        {"\\Seen  \\Draft", MOX_ESYNTAX, ""},
        {" \\Seen", MOX_ESYNTAX, ""},
        {"\\Seen ", MOX_ESYNTAX, ""},
        {"a]b", MOX_ESYNTAX, ""},
        {"a\"b", MOX_ESYNTAX, ""},
        {"caf\xc3\xa9", MOX_ESYNTAX, ""},
    };
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena a;
        struct buf out;
        struct flag_list list;
        struct mox_error err;
        mox__arena_init(&a, &t.env, 1 << 20);
        mox__buf_init(&out, &t.env, 1000);
        assert_int_equal(mox__flags_parse(&list, &a, slice_of(cases[i].text), &err), cases[i].rc);
        if (cases[i].rc == MOX_OK) {
            uint64_t bits = 0;
            for (size_t k = 0; k < list.keyword_count; k++)
                bits |= strcmp(list.keywords[k], "blue") == 0 ? 1 : 2;
            mox__flags_write(&out, list.flags, bits, names, 2, false);
            mox__buf_byte(&out, '\0');
            assert_string_equal((const char *)out.data, cases[i].written);
        }
        mox__buf_free(&out);
        mox__arena_reset(&a);
    }
    test_env_done(&t);
}

static void recent_follows_the_flags(void **state)
{
    (void)state;
    static const char *const names[] = {"blue"};
    struct test_env t;
    struct buf out;
    test_env_init(&t);
    mox__buf_init(&out, &t.env, 1000);
    mox__flags_write(&out, MOX_FLAG_SEEN, 1, names, 1, true);
    mox__flags_write(&out, 0, 0, names, 1, true);
    mox__flags_write(&out, MOX_FLAG_ALL, 1, names, 1, false);
    mox__buf_byte(&out, '\0');
    assert_string_equal((const char *)out.data,
                        "(\\Seen \\Recent blue)(\\Recent)"
                        "(\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded $Junk $NotJunk "
                        "$Phishing $MDNSent blue)");
    mox__buf_free(&out);
    test_env_done(&t);
}

static void too_many_flags_are_refused(void **state)
{
    (void)state;
    char text[FLAG_NAMES_MAX * 2 + 2];
    struct test_env t;
    struct arena a;
    struct flag_list list;
    struct mox_error err;
    test_env_init(&t);
    mox__arena_init(&a, &t.env, 1 << 20);
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = i % 2 == 0 ? 'x' : ' ';
    text[sizeof text - 1] = '\0';
    assert_int_equal(mox__flags_parse(&list, &a, slice_of(text), &err), MOX_ELIMIT);
    mox__arena_reset(&a);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_name_rows_of_a_view),
        cmocka_unit_test(rows_become_ranges_of_uids),
        cmocka_unit_test(rows_added_one_by_one_join),
        cmocka_unit_test(flags_are_read_without_case_and_written_in_order),
        cmocka_unit_test(recent_follows_the_flags),
        cmocka_unit_test(too_many_flags_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
