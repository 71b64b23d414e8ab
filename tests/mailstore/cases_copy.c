/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "mailstore/ops.h"

/* Copy and move. */

static const struct mox_uid_range all = {1, UINT32_MAX};

/* The copied ranges as text: "1:3 7:7 ". */
static void assert_copied(const struct mox_copy *op, const char *want)
{
    char text[256] = "";
    size_t at = 0;
    uint32_t count = 0;
    for (size_t i = 0; i < op->copied_count; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%u:%u ", (unsigned)op->copied[i].first,
                               (unsigned)op->copied[i].last);
        count += op->copied[i].last - op->copied[i].first + 1;
    }
    assert_string_equal(text, want);
    assert_int_equal(op->count, count);
}

static void copies_are_listed_and_numbered_from_first_uid(void **state)
{
    struct fixture *f = *state;
    uint64_t to = new_mailbox(f, "to");
    (void)add_message(f, to, 0);
    for (int i = 0; i < 9; i++)
        (void)add_message(f, f->inbox, 0);
    (void)expunge_range(f, f->inbox, 3, 4);
    static const struct mox_uid_range ranges[] = {{1, 1}, {2, 6}, {8, UINT32_MAX}};
    struct mox_copy op = {
        .mailbox = f->inbox, .destination = to, .ranges = ranges, .range_count = 3};
    uint64_t modseq = status_of(f, to).modseq, source = status_of(f, f->inbox).modseq;
    assert_int_equal(do_copy(f, &op), MOX_OK);
    assert_copied(&op, "1:2 5:6 8:9 ");
    assert_int_equal(op.first_uid, 2);
    assert_int_equal(op.uidvalidity, status_of(f, to).uidvalidity);
    assert_true(op.write.modseq > modseq);
    assert_int_equal(status_of(f, to).modseq, op.write.modseq);
    assert_int_equal(status_of(f, f->inbox).modseq, source); /* nothing changed there */
    for (uint32_t uid = 2; uid <= 7; uid++)
        assert_int_equal(row_of(f, to, uid).modseq, op.write.modseq);
    mox_copy_free(&op);
    assert_null(op.copied);
    check_account(f);
}

static void a_copy_of_nothing_is_no_failure(void **state)
{
    struct fixture *f = *state;
    uint64_t to = new_mailbox(f, "to");
    (void)add_message(f, f->inbox, 0);
    (void)expunge_range(f, f->inbox, 1, 1);
    struct mox_copy op = {.mailbox = f->inbox, .destination = to, .ranges = &all, .range_count = 1};
    for (int i = 0; i < 2; i++) {
        op.move = i == 1;
        assert_int_equal(do_copy(f, &op), MOX_OK);
        assert_copied(&op, "");
        assert_int_equal(op.write.modseq, 0);
        mox_copy_free(&op);
    }
    assert_int_equal(status_of(f, to).uidnext, 1);
    check_account(f);
}

static void a_copy_keeps_what_the_message_is(void **state)
{
    struct fixture *f = *state;
    uint64_t to = new_mailbox(f, "to");
    static const char *const here[] = {"unused", "b", "a", NULL}, *const there[] = {"x", "y", "a",
                                                                                    NULL};
    (void)add_tagged(f, to, 0, there);
    (void)add_tagged(f, f->inbox, 0, here);
    struct mox_append append = {.mailbox = f->inbox,
                                .spool = spool_of(f, "a: b\r\n\r\nc", 9),
                                .flags = MOX_FLAG_SEEN | MOX_FLAG_PHISHING,
                                .keywords = here + 1,
                                .keyword_count = 2,
                                .received_us = 1234567890123456};
    append.prefix = (struct mox_slice){(const uint8_t *)"p: q\r\n", 6};
    assert_int_equal(do_append(f, &append), MOX_OK);
    mox_spool_free(append.spool);

    const struct mox_uid_range one = {append.uid, append.uid};
    const struct mox_env *env = f->c->env;
    if (f->c->advance != NULL)
        f->c->advance(f->c->user);
    int64_t before = env->wall_us(env->user);
    struct mox_copy op = {.mailbox = f->inbox, .destination = to, .ranges = &one, .range_count = 1};
    assert_int_equal(do_copy(f, &op), MOX_OK);
    mox_copy_free(&op);
    struct mox_view *from = view_of(f, f->inbox), *view = view_of(f, to);
    const struct mox_view_row *row = mox_view_row(view, 1);
    char keywords[256];
    row_keywords(view, row, keywords, sizeof keywords);
    assert_string_equal(keywords, "a b ");
    assert_int_equal(row->flags, MOX_FLAG_SEEN | MOX_FLAG_PHISHING);
    unsigned known = 0;
    (void)mox_view_keywords(view, &known);
    assert_int_equal(known, 4); /* x, y, a, b; a keyword that no copied message has stays away */

    struct fetched old = {0}, new = {0};
    assert_int_equal(fetch_ranges(f, from, &one, 1, MOX_FETCH_CONTENT, &old), MOX_OK);
    const struct mox_uid_range copied = {op.first_uid, op.first_uid};
    assert_int_equal(fetch_ranges(f, view, &copied, 1, MOX_FETCH_CONTENT, &new), MOX_OK);
    assert_int_equal(new.count, 1);
    assert_string_equal(new.content[0], "p: q\r\na: b\r\n\r\nc");
    assert_int_equal(new.data[0].message, old.data[0].message); /* shared by copies */
    assert_int_equal(new.data[0].bytes, old.data[0].bytes);
    assert_true(new.data[0].received_us == 1234567890123456);
    assert_true(new.data[0].saved_us >= before);
    mox_view_unref(from);
    mox_view_unref(view);

    /* The copy stands on its own. */
    (void)expunge_range(f, f->inbox, 1, UINT32_MAX);
    view = view_of(f, to);
    assert_int_equal(fetch_ranges(f, view, &copied, 1, MOX_FETCH_CONTENT, &new), MOX_OK);
    assert_string_equal(new.content[0], "p: q\r\na: b\r\n\r\nc");
    mox_view_unref(view);
    check_account(f);
}

static void a_copy_into_the_same_mailbox_ends(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++)
        (void)add_message(f, f->inbox, MOX_FLAG_SEEN);
    struct mox_copy op = {
        .mailbox = f->inbox, .destination = f->inbox, .ranges = &all, .range_count = 1};
    assert_int_equal(do_copy(f, &op), MOX_OK);
    assert_copied(&op, "1:3 ");
    assert_int_equal(op.first_uid, 4);
    mox_copy_free(&op);
    assert_int_equal(status_of(f, f->inbox).messages, 6);
    check_mailbox(f, f->inbox);
}

static void a_move_takes_messages_along(void **state)
{
    struct fixture *f = *state;
    uint64_t to = new_mailbox(f, "to");
    static const char *const keywords[] = {"k", NULL};
    for (int i = 0; i < 4; i++)
        (void)add_tagged(f, f->inbox, MOX_FLAG_DELETED, keywords);
    struct mox_view *before = view_of(f, f->inbox);
    static const struct mox_uid_range ranges[] = {{2, 2}, {4, 5}};
    struct mox_copy op = {
        .mailbox = f->inbox, .destination = to, .ranges = ranges, .range_count = 2, .move = true};
    assert_int_equal(do_copy(f, &op), MOX_OK);
    assert_copied(&op, "2:2 4:4 ");
    assert_int_equal(op.first_uid, 1);
    mox_copy_free(&op);
    assert_int_equal(status_of(f, to).modseq, op.write.modseq);
    assert_int_equal(status_of(f, f->inbox).modseq, op.write.modseq);
    struct mox_view *from = view_of(f, f->inbox), *view = view_of(f, to);
    assert_uids(from, (const uint32_t[]){1, 3}, 2);
    assert_uids(view, (const uint32_t[]){1, 2}, 2);
    assert_int_equal(mox_view_row(view, 1)->flags, MOX_FLAG_DELETED);
    char text[64];
    row_keywords(view, mox_view_row(view, 1), text, sizeof text);
    assert_string_equal(text, "k ");

    struct fetched old = {0}, new = {0};
    assert_int_equal(fetch_ranges(f, before, &all, 1, MOX_FETCH_CONTENT, &old), MOX_OK);
    assert_int_equal(fetch_ranges(f, view, &all, 1, MOX_FETCH_CONTENT, &new), MOX_OK);
    assert_int_equal(old.count, 4);
    assert_int_equal(new.count, 2);
    assert_int_equal(new.data[0].message, old.data[1].message);
    assert_string_equal(old.content[3], "Subject: s\r\n\r\nn\r\n");
    mox_view_unref(before);
    assert_int_equal(fetch_ranges(f, view, &all, 1, MOX_FETCH_CONTENT, &new), MOX_OK);
    assert_string_equal(new.content[1], "Subject: s\r\n\r\nn\r\n");
    mox_view_unref(from);
    mox_view_unref(view);
    check_account(f);
}

static void a_move_within_a_mailbox_gives_new_uids(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++)
        (void)add_message(f, f->inbox, 0);
    const struct mox_uid_range middle = {2, 3};
    struct mox_view *before = view_of(f, f->inbox);
    struct mox_copy op = {.mailbox = f->inbox,
                          .destination = f->inbox,
                          .ranges = &middle,
                          .range_count = 1,
                          .move = true};
    assert_int_equal(do_copy(f, &op), MOX_OK);
    assert_copied(&op, "2:3 ");
    assert_int_equal(op.first_uid, 5);
    mox_copy_free(&op);
    struct mox_view *view = view_of(f, f->inbox);
    assert_uids(view, (const uint32_t[]){1, 4, 5, 6}, 4);
    mox_view_unref(view);
    struct fetched old = {0};
    assert_int_equal(fetch_ranges(f, before, &all, 1, MOX_FETCH_CONTENT, &old), MOX_OK);
    assert_int_equal(old.count, 4);
    mox_view_unref(before);
    check_account(f);
}

static void a_copy_with_too_many_keywords_changes_nothing(void **state)
{
    struct fixture *f = *state;
    uint64_t to = new_mailbox(f, "to");
    char text[MOX_KEYWORDS_MAX][8];
    const char *keywords[MOX_KEYWORDS_MAX + 1] = {NULL};
    for (int i = 0; i < MOX_KEYWORDS_MAX; i++) {
        (void)snprintf(text[i], sizeof text[i], "n%02d", i);
        keywords[i] = text[i];
    }
    (void)add_tagged(f, to, 0, keywords);
    (void)add_message(f, f->inbox, 0);
    (void)add_tagged(f, f->inbox, 0, (const char *const[]){"one-more", NULL});
    struct mox_copy op = {
        .mailbox = f->inbox, .destination = to, .ranges = &all, .range_count = 1, .move = true};
    assert_int_equal(do_copy(f, &op), MOX_ELIMIT);
    mox_copy_free(&op);
    assert_int_equal(status_of(f, to).messages, 1);
    assert_int_equal(status_of(f, f->inbox).messages, 2);
    const struct mox_uid_range first = {1, 1};
    op.ranges = &first;
    assert_int_equal(do_copy(f, &op), MOX_OK);
    mox_copy_free(&op);
    assert_int_equal(status_of(f, to).messages, 2);
    check_account(f);
}

const struct CMUnitTest copy_cases[] = {
    CASE(copies_are_listed_and_numbered_from_first_uid),
    CASE(a_copy_of_nothing_is_no_failure),
    CASE(a_copy_keeps_what_the_message_is),
    CASE(a_copy_into_the_same_mailbox_ends),
    CASE(a_move_takes_messages_along),
    CASE(a_move_within_a_mailbox_gives_new_uids),
    CASE(a_copy_with_too_many_keywords_changes_nothing),
};
const size_t copy_case_count = COUNT_OF(copy_cases);
