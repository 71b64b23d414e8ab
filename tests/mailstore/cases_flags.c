/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "mailstore/ops.h"

/* Flags, keywords, expunge, and the differences of views. */

static int set(struct fixture *f, uint32_t first, uint32_t last, enum mox_flags_mode mode,
               uint32_t flags, const char *const *keywords, size_t keyword_count)
{
    const struct mox_uid_range range = {first, last};
    struct mox_set_flags op = {
        .mailbox = f->inbox,
        .ranges = &range,
        .range_count = 1,
        .mode = mode,
        .flags = flags,
        .keywords = keywords,
        .keyword_count = keyword_count,
    };
    return do_set_flags(f, &op);
}

static void assert_keywords(struct fixture *f, uint32_t uid, const char *want)
{
    char got[2048];
    struct mox_view *view = view_of(f, f->inbox);
    row_keywords(view, mox_view_row(view, mox_view_find(view, uid)), got, sizeof got);
    assert_string_equal(got, want);
    mox_view_unref(view);
}

static void flags_are_set_added_and_removed(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum mox_flags_mode mode;
        uint32_t had, given, has;
        bool changes;
    } cases[] = {
        {MOX_FLAGS_SET, MOX_FLAG_SEEN, MOX_FLAG_FLAGGED, MOX_FLAG_FLAGGED, true},
        {MOX_FLAGS_SET, MOX_FLAG_SEEN, MOX_FLAG_SEEN, MOX_FLAG_SEEN, false},
        {MOX_FLAGS_SET, MOX_FLAG_ALL, 0, 0, true},
        {MOX_FLAGS_ADD, MOX_FLAG_SEEN, MOX_FLAG_JUNK, MOX_FLAG_SEEN | MOX_FLAG_JUNK, true},
        {MOX_FLAGS_ADD, MOX_FLAG_SEEN, MOX_FLAG_SEEN, MOX_FLAG_SEEN, false},
        {MOX_FLAGS_ADD, MOX_FLAG_SEEN, 0, MOX_FLAG_SEEN, false},
        {MOX_FLAGS_ADD, 0, MOX_FLAG_ALL, MOX_FLAG_ALL, true},
        {MOX_FLAGS_REMOVE, MOX_FLAG_ALL, MOX_FLAG_DELETED, MOX_FLAG_ALL & ~MOX_FLAG_DELETED, true},
        {MOX_FLAGS_REMOVE, MOX_FLAG_SEEN, MOX_FLAG_DRAFT, MOX_FLAG_SEEN, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t uid = add_message(f, f->inbox, cases[i].had);
        struct mox_view_row before = row_of(f, f->inbox, uid);
        uint64_t modseq = change_flags(f, f->inbox, uid, uid, cases[i].mode, cases[i].given);
        struct mox_view_row after = row_of(f, f->inbox, uid);
        assert_int_equal(after.flags, cases[i].has);
        assert_int_equal(modseq != 0, cases[i].changes);
        assert_int_equal(after.modseq, cases[i].changes ? modseq : before.modseq);
        assert_true(!cases[i].changes || modseq > before.modseq);
        check_mailbox(f, f->inbox);
    }
}

static void only_messages_that_change_get_a_modseq(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 5; i++)
        (void)add_message(f, f->inbox, i % 2 == 0 ? MOX_FLAG_SEEN : 0);
    uint64_t before[6], highest = status_of(f, f->inbox).modseq;
    for (uint32_t uid = 1; uid <= 5; uid++)
        before[uid] = row_of(f, f->inbox, uid).modseq;
    uint64_t modseq = change_flags(f, f->inbox, 1, UINT32_MAX, MOX_FLAGS_ADD, MOX_FLAG_SEEN);
    assert_true(modseq > highest);
    for (uint32_t uid = 1; uid <= 5; uid++)
        assert_int_equal(row_of(f, f->inbox, uid).modseq, uid % 2 == 0 ? modseq : before[uid]);
    assert_int_equal(status_of(f, f->inbox).modseq, modseq);
    assert_int_equal(status_of(f, f->inbox).unseen, 0);
    assert_int_equal(change_flags(f, f->inbox, 1, UINT32_MAX, MOX_FLAGS_ADD, MOX_FLAG_SEEN), 0);
    assert_int_equal(status_of(f, f->inbox).modseq, modseq);
}

static void flags_of_nothing_change_nothing(void **state)
{
    struct fixture *f = *state;
    (void)add_message(f, f->inbox, 0);
    struct mox_view *before = view_of(f, f->inbox);
    assert_int_equal(change_flags(f, f->inbox, 2, 900, MOX_FLAGS_ADD, MOX_FLAG_SEEN), 0);
    struct mox_set_flags op = {.mailbox = f->inbox, .flags = MOX_FLAG_SEEN};
    assert_int_equal(do_set_flags(f, &op), MOX_OK); /* no ranges at all */
    assert_int_equal(op.write.modseq, 0);
    static const char *const unused[] = {"unused"};
    assert_int_equal(set(f, 2, 900, MOX_FLAGS_ADD, 0, unused, 1), MOX_OK);
    assert_int_equal(set(f, 1, 1, MOX_FLAGS_REMOVE, 0, unused, 1), MOX_OK);
    struct mox_view *after = view_of(f, f->inbox);
    assert_int_equal(mox_view_modseq(before), mox_view_modseq(after));
    mox_view_unref(before);
    mox_view_unref(after);
    (void)change_flags(f, f->inbox, 1, 1, MOX_FLAGS_ADD, MOX_FLAG_SEEN);
    after = view_of(f, f->inbox);
    unsigned keywords = 9;
    (void)mox_view_keywords(after, &keywords);
    assert_int_equal(keywords, 0); /* a keyword that no message got is not there later either */
    mox_view_unref(after);
}

static void flags_follow_the_ranges(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 9; i++)
        (void)add_message(f, f->inbox, 0);
    (void)expunge_range(f, f->inbox, 4, 4);
    static const struct mox_uid_range ranges[] = {{2, 2}, {4, 6}, {9, UINT32_MAX}};
    struct mox_set_flags op = {.mailbox = f->inbox,
                               .ranges = ranges,
                               .range_count = 3,
                               .mode = MOX_FLAGS_SET,
                               .flags = MOX_FLAG_FLAGGED};
    assert_int_equal(do_set_flags(f, &op), MOX_OK);
    static const uint32_t flagged[] = {2, 5, 6, 9};
    struct mox_view *view = view_of(f, f->inbox);
    size_t at = 0;
    for (uint32_t i = 0; i < mox_view_count(view); i++) {
        const struct mox_view_row *row = mox_view_row(view, i);
        if (row->flags == MOX_FLAG_FLAGGED)
            assert_int_equal(row->uid, flagged[at++]);
    }
    assert_int_equal(at, 4);
    mox_view_unref(view);
}

static void keywords_join_the_mailbox(void **state)
{
    struct fixture *f = *state;
    static const char *const two[] = {"red", "blue"}, *const three[] = {"green", "red", "red"};
    (void)add_message(f, f->inbox, 0);
    (void)add_tagged(f, f->inbox, MOX_FLAG_SEEN, (const char *const[]){"blue", "old", NULL});
    struct mox_view *before = view_of(f, f->inbox);
    unsigned count = 0;
    (void)mox_view_keywords(before, &count);
    assert_int_equal(count, 2);
    assert_keywords(f, 2, "blue old ");

    assert_int_equal(set(f, 1, 1, MOX_FLAGS_ADD, 0, two, 2), MOX_OK);
    assert_keywords(f, 1, "blue red ");
    assert_keywords(f, 2, "blue old ");
    (void)mox_view_keywords(before, &count);
    assert_int_equal(count, 2); /* the old view is as it was */
    mox_view_unref(before);

    assert_int_equal(set(f, 1, 2, MOX_FLAGS_SET, MOX_FLAG_DRAFT, three, 3), MOX_OK);
    assert_keywords(f, 1, "green red ");
    assert_keywords(f, 2, "green red ");
    assert_int_equal(row_of(f, f->inbox, 2).flags, MOX_FLAG_DRAFT);
    assert_int_equal(set(f, 2, 2, MOX_FLAGS_REMOVE, 0, three, 3), MOX_OK);
    assert_keywords(f, 2, "");
    assert_keywords(f, 1, "green red ");
    struct mox_view *after = view_of(f, f->inbox);
    (void)mox_view_keywords(after, &count);
    assert_int_equal(count, 4); /* blue, old, red, green: they stay for later use */
    mox_view_unref(after);
}

static void a_keyword_alone_is_a_change(void **state)
{
    struct fixture *f = *state;
    static const char *const keyword[] = {"$label1"};
    (void)add_message(f, f->inbox, MOX_FLAG_SEEN);
    uint64_t before = row_of(f, f->inbox, 1).modseq;
    assert_int_equal(set(f, 1, 1, MOX_FLAGS_ADD, 0, keyword, 1), MOX_OK);
    uint64_t after = row_of(f, f->inbox, 1).modseq;
    assert_true(after > before);
    assert_int_equal(set(f, 1, 1, MOX_FLAGS_ADD, MOX_FLAG_SEEN, keyword, 1), MOX_OK);
    assert_int_equal(row_of(f, f->inbox, 1).modseq, after);
}

/* Fills the mailbox's keywords; k0, k1 … */
static void use_all_keywords(struct fixture *f, uint32_t uid)
{
    for (int i = 0; i < MOX_KEYWORDS_MAX; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "k%d", i);
        const char *const keyword = text;
        assert_int_equal(set(f, uid, uid, MOX_FLAGS_ADD, 0, &keyword, 1), MOX_OK);
    }
}

static void too_many_keywords_change_nothing(void **state)
{
    struct fixture *f = *state;
    static const char *const known_and_new[] = {"k3", "k64"};
    (void)add_message(f, f->inbox, 0);
    (void)add_message(f, f->inbox, 0);
    use_all_keywords(f, 1);
    uint64_t modseq = status_of(f, f->inbox).modseq;
    assert_int_equal(set(f, 1, 2, MOX_FLAGS_ADD, MOX_FLAG_SEEN, known_and_new, 2), MOX_ELIMIT);
    assert_int_equal(row_of(f, f->inbox, 2).flags, 0);
    assert_keywords(f, 2, "");
    struct mox_append op = {.mailbox = f->inbox,
                            .spool = spool_of(f, "x\r\n", 3),
                            .keywords = known_and_new,
                            .keyword_count = 2};
    assert_int_equal(do_append(f, &op), MOX_ELIMIT);
    assert_int_equal(status_of(f, f->inbox).messages, 2);
    assert_int_equal(status_of(f, f->inbox).uidnext, 3);
    assert_int_equal(status_of(f, f->inbox).modseq, modseq);

    assert_int_equal(set(f, 2, 2, MOX_FLAGS_ADD, 0, known_and_new, 1), MOX_OK);
    assert_keywords(f, 2, "k3 ");
    op.keyword_count = 1;
    assert_int_equal(do_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    check_account(f);
}

/* A mailbox has its own keywords. */
static void many_keywords_at_once_are_all_or_none(void **state)
{
    struct fixture *f = *state;
    char text[MOX_KEYWORDS_MAX + 1][8];
    const char *keywords[MOX_KEYWORDS_MAX + 1];
    for (int i = 0; i <= MOX_KEYWORDS_MAX; i++) {
        (void)snprintf(text[i], sizeof text[i], "n%02d", i);
        keywords[i] = text[i];
    }
    (void)add_message(f, f->inbox, 0);
    assert_int_equal(set(f, 1, 1, MOX_FLAGS_ADD, 0, keywords, MOX_KEYWORDS_MAX + 1), MOX_ELIMIT);
    struct mox_view *view = view_of(f, f->inbox);
    unsigned count = 9;
    (void)mox_view_keywords(view, &count);
    assert_int_equal(count, 0);
    mox_view_unref(view);
    assert_int_equal(set(f, 1, 1, MOX_FLAGS_ADD, 0, keywords, MOX_KEYWORDS_MAX), MOX_OK);
    assert_true(row_of(f, f->inbox, 1).keywords == UINT64_MAX);
}

static void expunge_takes_all_or_the_deleted(void **state)
{
    struct fixture *f = *state;
    for (uint32_t i = 1; i <= 8; i++)
        (void)add_message(f, f->inbox, i % 2 == 0 ? MOX_FLAG_DELETED : 0);
    static const struct mox_uid_range ranges[] = {{1, 4}, {7, UINT32_MAX}};
    struct mox_expunge op = {
        .mailbox = f->inbox, .ranges = ranges, .range_count = 2, .only_deleted = true};
    uint64_t modseq = status_of(f, f->inbox).modseq;
    assert_int_equal(do_expunge(f, &op), MOX_OK);
    assert_true(op.write.modseq > modseq);
    assert_int_equal(status_of(f, f->inbox).modseq, op.write.modseq);
    struct mox_view *view = view_of(f, f->inbox);
    assert_uids(view, (const uint32_t[]){1, 3, 5, 6, 7}, 5);
    mox_view_unref(view);
    check_mailbox(f, f->inbox);
    assert_int_equal(status_of(f, f->inbox).uidnext, 9);

    assert_int_equal(do_expunge(f, &op), MOX_OK); /* nothing is left to remove */
    assert_int_equal(op.write.modseq, 0);
    op.only_deleted = false;
    assert_int_equal(do_expunge(f, &op), MOX_OK);
    view = view_of(f, f->inbox);
    assert_uids(view, (const uint32_t[]){5, 6}, 2);
    mox_view_unref(view);
    check_mailbox(f, f->inbox);

    /* RFC 9051 §2.3.1.1: UIDs are not used again, whatever was removed. */
    (void)expunge_range(f, f->inbox, 1, UINT32_MAX);
    check_mailbox(f, f->inbox);
    assert_int_equal(add_message(f, f->inbox, 0), 9);
    check_mailbox(f, f->inbox);
}

static void changes_of_a_removed_mailbox_fail(void **state)
{
    struct fixture *f = *state;
    uint64_t id = new_mailbox(f, "a");
    (void)add_message(f, id, 0);
    assert_int_equal(delete_mailbox(f, "a"), MOX_OK);
    const struct mox_uid_range all = {1, UINT32_MAX};
    struct mox_set_flags flags = {.mailbox = id, .ranges = &all, .range_count = 1};
    assert_int_equal(do_set_flags(f, &flags), MOX_EGONE);
    struct mox_expunge expunge = {.mailbox = id, .ranges = &all, .range_count = 1};
    assert_int_equal(do_expunge(f, &expunge), MOX_EGONE);
    struct mox_copy copy = {
        .mailbox = id, .destination = f->inbox, .ranges = &all, .range_count = 1};
    assert_int_equal(do_copy(f, &copy), MOX_EGONE);
    mox_copy_free(&copy);
    copy.mailbox = f->inbox;
    copy.destination = id;
    (void)add_message(f, f->inbox, 0);
    assert_int_equal(do_copy(f, &copy), MOX_ENOTFOUND);
    mox_copy_free(&copy);
    check_account(f);
}

/* The differences as text: "-2 ~3 +7 ". */
struct diff_text {
    char text[256];
    size_t len;
};

static void write_diff(struct diff_text *d, char kind, uint32_t uid)
{
    d->len +=
        (size_t)snprintf(d->text + d->len, sizeof d->text - d->len, "%c%u ", kind, (unsigned)uid);
    assert_true(d->len < sizeof d->text);
}

static int diff_removed(void *user, uint32_t index, const struct mox_view_row *row)
{
    (void)index;
    write_diff(user, '-', row->uid);
    return 0;
}

static int diff_changed(void *user, uint32_t index, const struct mox_view_row *before,
                        const struct mox_view_row *now)
{
    (void)index;
    assert_int_equal(before->uid, now->uid);
    assert_true(now->modseq > before->modseq);
    write_diff(user, '~', now->uid);
    return 0;
}

static int diff_added(void *user, uint32_t index, const struct mox_view_row *row)
{
    (void)index;
    write_diff(user, '+', row->uid);
    return 0;
}

static void assert_diff(struct fixture *f, struct mox_view **before, const char *want)
{
    static const struct mox_view_diff functions = {diff_removed, diff_changed, diff_added};
    struct diff_text d = {.len = 0};
    struct mox_view *now = view_of(f, f->inbox);
    assert_int_equal(mox_view_diff(*before, now, &functions, &d), 0);
    assert_string_equal(d.text, want);
    mox_view_unref(*before);
    *before = now;
}

static void views_differ_by_what_was_done(void **state)
{
    struct fixture *f = *state;
    const struct mox_uid_range some = {1, 2}, one = {6, 6};
    uint64_t other = new_mailbox(f, "other");
    struct mox_view *view = view_of(f, f->inbox);
    for (int i = 0; i < 4; i++)
        (void)add_message(f, f->inbox, 0);
    assert_diff(f, &view, "+1 +2 +3 +4 ");
    (void)change_flags(f, f->inbox, 2, 3, MOX_FLAGS_ADD, MOX_FLAG_SEEN);
    assert_diff(f, &view, "~2 ~3 ");
    (void)change_flags(f, f->inbox, 1, 2, MOX_FLAGS_ADD, MOX_FLAG_SEEN);
    assert_diff(f, &view, "~1 ");
    (void)expunge_range(f, f->inbox, 1, 1);
    assert_diff(f, &view, "-1 ");
    struct mox_copy copy = {
        .mailbox = f->inbox, .destination = f->inbox, .ranges = &some, .range_count = 1};
    assert_int_equal(do_copy(f, &copy), MOX_OK);
    mox_copy_free(&copy);
    assert_diff(f, &view, "+5 ");
    copy.destination = other;
    copy.move = true;
    assert_int_equal(do_copy(f, &copy), MOX_OK);
    mox_copy_free(&copy);
    assert_diff(f, &view, "-2 ");
    (void)add_message(f, f->inbox, 0);
    copy.destination = f->inbox;
    copy.ranges = &one;
    assert_int_equal(do_copy(f, &copy), MOX_OK);
    mox_copy_free(&copy);
    assert_diff(f, &view, "+7 ");
    (void)expunge_range(f, f->inbox, 3, 4);
    (void)change_flags(f, f->inbox, 5, 5, MOX_FLAGS_SET, MOX_FLAG_DRAFT);
    (void)change_flags(f, f->inbox, 5, 5, MOX_FLAGS_SET, MOX_FLAG_SEEN);
    (void)add_message(f, f->inbox, 0);
    (void)change_flags(f, f->inbox, 8, 8, MOX_FLAGS_SET, MOX_FLAG_SEEN);
    assert_diff(f, &view, "-4 -3 ~5 +8 ");
    assert_int_equal(rename_mailbox(f, "Inbox", "old"), MOX_OK);
    assert_diff(f, &view, "-8 -7 -5 ");
    assert_int_equal(delete_mailbox(f, "other"), MOX_OK);
    assert_diff(f, &view, "");
    mox_view_unref(view);
    check_account(f);
}

const struct CMUnitTest flag_cases[] = {
    CASE(flags_are_set_added_and_removed),  CASE(only_messages_that_change_get_a_modseq),
    CASE(flags_of_nothing_change_nothing),  CASE(flags_follow_the_ranges),
    CASE(keywords_join_the_mailbox),        CASE(a_keyword_alone_is_a_change),
    CASE(too_many_keywords_change_nothing), CASE(many_keywords_at_once_are_all_or_none),
    CASE(expunge_takes_all_or_the_deleted), CASE(changes_of_a_removed_mailbox_fail),
    CASE(views_differ_by_what_was_done),
};
const size_t flag_case_count = COUNT_OF(flag_cases);
