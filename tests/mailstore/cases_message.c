/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <mox/header.h>

#include "base/text.h"
#include "mailstore/ops.h"

/* Append, views and fetch. */

static const struct mox_uid_range all = {1, UINT32_MAX};

static void a_new_store_has_an_empty_inbox(void **state)
{
    struct fixture *f = *state;
    const struct mox_mailboxes *list = NULL;
    assert_int_equal(f->store.ops->mailboxes(f->store.self, &list, NULL), MOX_OK);
    assert_int_equal(list->count, 1);
    assert_string_equal(list->list[0].name, "Inbox");
    assert_true(list->list[0].subscribed);
    assert_int_equal(list->list[0].special_use, 0);
    mox_mailboxes_unref(list);
    struct mox_mailbox_status status = status_of(f, f->inbox);
    assert_int_equal(status.messages, 0);
    assert_int_equal(status.uidnext, 1);
    assert_int_equal(status.recent_from, 1);
    assert_true(status.modseq > 0); /* RFC 7162 §3.1.2: HIGHESTMODSEQ is not 0 */
    check_account(f);
}

static void append_gives_ascending_uids_and_counts(void **state)
{
    struct fixture *f = *state;
    uint64_t modseq = status_of(f, f->inbox).modseq;
    static const uint32_t flags[] = {0, MOX_FLAG_SEEN, MOX_FLAG_DELETED | MOX_FLAG_JUNK};
    for (uint32_t i = 0; i < 3; i++) {
        struct mox_append op = {
            .mailbox = f->inbox, .spool = spool_of(f, "a: b\r\n\r\nc\r\n", 11), .flags = flags[i]};
        op.prefix = slice_of("p: q\r\n");
        op.left_out = true; /* of an earlier use */
        assert_int_equal(do_append(f, &op), MOX_OK);
        mox_spool_free(op.spool);
        assert_false(op.left_out);
        assert_int_equal(op.uid, i + 1);
        assert_true(op.write.modseq > modseq);
        modseq = op.write.modseq;
        struct mox_view_row row = row_of(f, f->inbox, op.uid);
        assert_int_equal(row.flags, flags[i]);
        assert_int_equal(row.keywords, 0);
        assert_int_equal(row.modseq, modseq);
        assert_int_equal(status_of(f, f->inbox).modseq, modseq);
        assert_int_equal(status_of(f, f->inbox).uidvalidity, op.uidvalidity);
    }
    struct mox_mailbox_status status = status_of(f, f->inbox);
    assert_int_equal(status.messages, 3);
    assert_int_equal(status.unseen, 2);
    assert_int_equal(status.deleted, 1);
    assert_int_equal(status.uidnext, 4);
    assert_int_equal(status.bytes, 3 * (6 + 11));
    check_account(f);
}

static void append_by_name_creates_the_mailbox_and_its_parents(void **state)
{
    struct fixture *f = *state;
    struct mox_append op = {.mailbox_name = "lists/2026/c", .spool = spool_of(f, "x\r\n", 3)};
    assert_int_equal(do_append(f, &op), MOX_OK);
    assert_int_equal(op.uid, 1);
    uint64_t id = mailbox_id(f, "lists/2026/c");
    assert_true(id > 0 && mailbox_id(f, "lists") > 0 && mailbox_id(f, "lists/2026") > 0);
    assert_int_equal(status_of(f, id).messages, 1);
    assert_int_equal(status_of(f, id).uidvalidity, op.uidvalidity);
    assert_int_equal(status_of(f, mailbox_id(f, "lists")).messages, 0);
    assert_int_equal(do_append(f, &op), MOX_OK);
    assert_int_equal(op.uid, 2);
    assert_int_equal(mailbox_id(f, "lists/2026/c"), id);
    op.mailbox_name = "Inbox";
    assert_int_equal(do_append(f, &op), MOX_OK);
    assert_int_equal(status_of(f, f->inbox).messages, 1);

    const struct mox_mailboxes *list = NULL;
    assert_int_equal(f->store.ops->mailboxes(f->store.self, &list, NULL), MOX_OK);
    assert_int_equal(list->count, 4);
    for (size_t i = 0; i < list->count; i++)
        assert_true(list->list[i].subscribed);
    mox_mailboxes_unref(list);
    mox_spool_free(op.spool);
    check_account(f);
}

/* A store that knows of rejects leaves some out; what was accepted it never does. */
static void only_a_reject_may_be_left_out(void **state)
{
    struct fixture *f = *state;
    struct mox_delivery_facts facts = {.size = sizeof facts, .rejects_mailbox = "Rejects"};
    struct mox_append op = {.mailbox_name = "Rejects",
                            .spool = spool_of(f, "Message-Id: <a@b>\r\n\r\n", 21),
                            .facts = &facts};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(do_append(f, &op), MOX_OK);
        assert_false(op.left_out);
    }
    facts.is_reject = true;
    assert_int_equal(do_append(f, &op), MOX_OK);
    assert_true(op.left_out == (op.uid == 0));
    assert_int_equal(status_of(f, mailbox_id(f, "Rejects")).messages, op.left_out ? 2 : 3);
    op.mailbox_name = "Elsewhere"; /* and was accepted all the same */
    assert_int_equal(do_append(f, &op), MOX_OK);
    assert_false(op.left_out);
    mox_spool_free(op.spool);
    check_account(f);
}

static void append_to_a_missing_mailbox_fails(void **state)
{
    struct fixture *f = *state;
    uint64_t id = new_mailbox(f, "a");
    assert_int_equal(delete_mailbox(f, "a"), MOX_OK);
    struct mox_append op = {.mailbox = id, .spool = spool_of(f, "x\r\n", 3)};
    assert_int_equal(do_append(f, &op), MOX_ENOTFOUND);
    op.mailbox = 999999;
    assert_int_equal(do_append(f, &op), MOX_ENOTFOUND);
    mox_spool_free(op.spool);
    check_account(f);
}

static void an_append_with_too_many_keywords_makes_no_mailbox(void **state)
{
    struct fixture *f = *state;
    char text[MOX_KEYWORDS_MAX + 1][8];
    const char *keywords[MOX_KEYWORDS_MAX + 1];
    for (int i = 0; i <= MOX_KEYWORDS_MAX; i++) {
        (void)snprintf(text[i], sizeof text[i], "n%02d", i);
        keywords[i] = text[i];
    }
    struct mox_append op = {.mailbox_name = "lists/c",
                            .spool = spool_of(f, "x\r\n", 3),
                            .keywords = keywords,
                            .keyword_count = MOX_KEYWORDS_MAX + 1};
    assert_int_equal(do_append(f, &op), MOX_ELIMIT);
    assert_int_equal(mailbox_id(f, "lists/c"), 0);
    assert_int_equal(mailbox_id(f, "lists"), 0);
    keywords[MOX_KEYWORDS_MAX] = text[0]; /* as many as it takes, one of them twice */
    assert_int_equal(do_append(f, &op), MOX_OK);
    assert_int_equal(status_of(f, mailbox_id(f, "lists/c")).messages, 1);
    mox_spool_free(op.spool);
    check_account(f);
}

static void received_time_is_kept_or_now(void **state)
{
    struct fixture *f = *state;
    const struct mox_env *env = f->c->env;
    struct mox_append op = {
        .mailbox = f->inbox, .spool = spool_of(f, "x\r\n", 3), .received_us = 946684800000001};
    int64_t before = env->wall_us(env->user);
    assert_int_equal(do_append(f, &op), MOX_OK);
    op.received_us = 0;
    assert_int_equal(do_append(f, &op), MOX_OK);
    op.received_us = -1000001; /* before 1970 */
    assert_int_equal(do_append(f, &op), MOX_OK);
    int64_t after = env->wall_us(env->user);
    mox_spool_free(op.spool);

    struct fetched got = {0};
    struct mox_view *view = view_of(f, f->inbox);
    assert_int_equal(fetch_ranges(f, view, &all, 1, 0, &got), MOX_OK);
    mox_view_unref(view);
    assert_int_equal(got.count, 3);
    assert_true(got.data[0].received_us == 946684800000001);
    assert_true(got.data[1].received_us >= before && got.data[1].received_us <= after);
    assert_true(got.data[2].received_us == -1000001);
    for (size_t i = 0; i < 3; i++)
        assert_true(got.data[i].saved_us >= before && got.data[i].saved_us <= after);
}

static void fetch_gives_prefix_and_content(void **state)
{
    struct fixture *f = *state;
    struct mox_append op = {.mailbox = f->inbox, .spool = spool_of(f, "From: a\r\n\r\nb\r\n", 14)};
    op.prefix = slice_of("Received: x\r\n");
    assert_int_equal(do_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    op.spool = spool_of(f, "", 0); /* even nothing is a message */
    op.prefix = slice("", 0);
    assert_int_equal(do_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);

    struct fetched got = {0};
    struct mox_view *view = view_of(f, f->inbox);
    assert_int_equal(fetch_ranges(f, view, &all, 1, MOX_FETCH_CONTENT, &got), MOX_OK);
    assert_int_equal(got.count, 2);
    assert_string_equal(got.content[0], "Received: x\r\nFrom: a\r\n\r\nb\r\n");
    assert_int_equal(got.data[0].bytes, 27);
    assert_int_equal(got.data[0].prefix.len, 13);
    assert_string_equal(got.content[1], "");
    assert_int_equal(got.data[1].bytes, 0);
    assert_true(got.data[0].message > 0 && got.data[0].message != got.data[1].message);
    mox_view_unref(view);
    check_account(f);
}

static void large_content_comes_back_whole(void **state)
{
    struct fixture *f = *state;
    enum { SIZE = 3 * MOX_SPOOL_INLINE_MAX };
    static char content[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (char)('a' + i % 26);
    memcpy(content, "X: y\r\n\r\n", 8);
    struct mox_append op = {.mailbox = f->inbox, .spool = spool_of(f, content, SIZE)};
    assert_int_equal(do_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    check_account(f);
    assert_int_equal(status_of(f, f->inbox).bytes, SIZE);
    struct fetched got = {0};
    struct mox_view *view = view_of(f, f->inbox);
    assert_int_equal(fetch_ranges(f, view, &all, 1, MOX_FETCH_CONTENT, &got), MOX_OK);
    assert_int_equal(got.data[0].content.len, SIZE);
    assert_memory_equal(got.content[0], content, 63);
    mox_view_unref(view);
}

/* Whether what was wanted of the one message is there, and well-formed at its ends. */
static int has_wire_forms(void *user, const struct mox_message_data *data)
{
    static const struct {
        unsigned want;
        size_t offset;
        const char *text;
    } forms[] = {
        {MOX_FETCH_ENVELOPE, offsetof(struct mox_message_data, envelope), "(NIL \"hello\" (("},
        {MOX_FETCH_BODY, offsetof(struct mox_message_data, body), "(\"TEXT\" \"HTML\" ("},
        {MOX_FETCH_BODYSTRUCTURE, offsetof(struct mox_message_data, bodystructure),
         "(\"TEXT\" \"HTML\" ("},
    };
    unsigned wants = *(unsigned *)user;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct mox_slice s;
        memcpy(&s, (const char *)data + forms[i].offset, sizeof s);
        if ((wants & forms[i].want) == 0)
            continue;
        assert_true(mox__slice_starts_nocase(s, forms[i].text));
        assert_int_equal(s.data[s.len - 1], ')');
    }
    if ((wants & (MOX_FETCH_CONTENT | MOX_FETCH_HEADER)) != 0) {
        assert_true(mox__slice_is(data->prefix, "Received: x\r\n"));
        size_t end = mox_header_end(data->content);
        assert_true(mox__slice_starts_nocase(slice_from(data->content, end - 9), "utf-8\r\n\r\n"));
        if ((wants & MOX_FETCH_CONTENT) != 0)
            assert_true(mox__slice_is(slice_from(data->content, end), "<p>\r\n"));
    }
    return 0;
}

static void fetch_gives_each_form_that_is_wanted(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "Subject: hello\r\nFrom: a@b.example\r\n"
                               "Content-Type: text/html; charset=utf-8\r\n\r\n<p>\r\n";
    struct mox_append op = {.mailbox = f->inbox, .spool = spool_of(f, text, sizeof text - 1)};
    op.prefix = slice_of("Received: x\r\n");
    assert_int_equal(do_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    struct mox_view *view = view_of(f, f->inbox);
    for (unsigned wants = 0; wants < MOX_FETCH_HEADER << 1; wants++)
        assert_int_equal(
            f->store.ops->fetch(f->store.self, view, &all, 1, wants, has_wire_forms, &wants, NULL),
            0);
    mox_view_unref(view);
}

static int check_envelope(void *user, const struct mox_message_data *data)
{
    static const char start[] = "(\"Fri, 2 Jan 2026 03:04:05 +0000\" \"hello\" ((NIL NIL \"a\" ";
    static const char end[] = "NIL \"<1@mx.example>\")";
    (void)user;
    assert_true(mox__slice_starts_nocase(data->envelope, start));
    assert_true(data->envelope.len > sizeof end);
    assert_true(
        mox__slice_is(slice_from(data->envelope, data->envelope.len - sizeof end + 1), end));
    return 0;
}

/* What a server adds to a submission (RFC 6409 §8) is the message's date and message-id. */
static void the_envelope_has_what_the_prefix_says(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "Subject: hello\r\nFrom: a@b.example\r\n\r\nbody\r\n";
    struct mox_append op = {.mailbox = f->inbox, .spool = spool_of(f, text, sizeof text - 1)};
    op.prefix = slice_of("Received: x\r\nMessage-Id: <1@mx.example>\r\n"
                         "Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n");
    assert_int_equal(do_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    struct mox_view *view = view_of(f, f->inbox);
    assert_int_equal(f->store.ops->fetch(f->store.self, view, &all, 1, MOX_FETCH_ENVELOPE,
                                         check_envelope, NULL, NULL),
                     0);
    mox_view_unref(view);
}

static int note_utf8(void *user, const struct mox_message_data *data)
{
    *(unsigned *)user |= data->utf8_headers ? 1u << data->uid : 0;
    return 0;
}

static void headers_beyond_ascii_are_marked(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "Subject: a\r\n\r\n\xc3\xa9\r\n",
        "Subject: \xc3\xa9\r\n\r\na\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct mox_append op = {.mailbox = f->inbox,
                                .spool = spool_of(f, texts[i], strlen(texts[i]))};
        assert_int_equal(do_append(f, &op), MOX_OK);
        mox_spool_free(op.spool);
    }
    unsigned marked = 0;
    struct mox_view *view = view_of(f, f->inbox);
    assert_int_equal(f->store.ops->fetch(f->store.self, view, &all, 1, MOX_FETCH_ENVELOPE,
                                         note_utf8, &marked, NULL),
                     0);
    mox_view_unref(view);
    assert_int_equal(marked, 1u << 2);
}

/* 1 to 10 without 4 and 5. */
static struct mox_view *some_messages(struct fixture *f)
{
    for (int i = 0; i < 10; i++)
        (void)add_message(f, f->inbox, 0);
    (void)expunge_range(f, f->inbox, 4, 5);
    return view_of(f, f->inbox);
}

static void fetch_follows_the_ranges(void **state)
{
    struct fixture *f = *state;
    struct mox_view *view = some_messages(f);
    static const struct {
        struct mox_uid_range ranges[3];
        size_t range_count;
        const char *uids; /* each as a character from 'a' = 0 */
    } cases[] = {
        {{{1, UINT32_MAX}}, 1, "bcdghijk"},
        {{{3, 6}}, 1, "dg"},
        {{{4, 5}}, 1, ""},
        {{{1, 1}, {5, 7}, {10, 10}}, 3, "bghk"},
        {{{11, 20}}, 1, ""},
        {{{2, 4}, {5, 5}, {6, 900}}, 3, "cdghijk"},
        {{{1, 1}}, 0, ""},
        {{{10, UINT32_MAX}}, 1, "k"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fetched got = {0};
        char uids[32] = "";
        assert_int_equal(fetch_ranges(f, view, cases[i].ranges, cases[i].range_count, 0, &got),
                         MOX_OK);
        for (size_t j = 0; j < got.count; j++)
            uids[j] = (char)('a' + got.data[j].uid);
        assert_string_equal(uids, cases[i].uids);
    }
    mox_view_unref(view);
}

static void fetch_stops_when_told_and_returns_why(void **state)
{
    struct fixture *f = *state;
    struct mox_view *view = some_messages(f);
    struct fetched got = {.stop_after = 3};
    assert_int_equal(fetch_ranges(f, view, &all, 1, MOX_FETCH_CONTENT, &got), 77);
    assert_int_equal(got.count, 3);
    assert_int_equal(got.data[2].uid, 3);
    mox_view_unref(view);
}

static void a_view_shows_the_mailbox_of_its_moment(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++)
        (void)add_message(f, f->inbox, 0);
    struct mox_view *before = view_of(f, f->inbox);
    (void)expunge_range(f, f->inbox, 2, 2);
    (void)change_flags(f, f->inbox, 3, 3, MOX_FLAGS_ADD, MOX_FLAG_SEEN);
    (void)add_message(f, f->inbox, 0);
    struct mox_view *after = view_of(f, f->inbox);
    assert_uids(before, (const uint32_t[]){1, 2, 3}, 3);
    assert_uids(after, (const uint32_t[]){1, 3, 4}, 3);
    assert_int_equal(mox_view_row(before, 2)->flags, 0);
    assert_int_equal(mox_view_row(after, 1)->flags, MOX_FLAG_SEEN);
    assert_int_equal(mox_view_uidnext(before), 4);
    assert_int_equal(mox_view_uidnext(after), 5);
    assert_true(mox_view_modseq(after) > mox_view_modseq(before));

    struct fetched got = {0};
    assert_int_equal(fetch_ranges(f, before, &all, 1, MOX_FETCH_CONTENT, &got), MOX_OK);
    assert_int_equal(got.count, 3);
    assert_int_equal(got.data[1].uid, 2);
    assert_string_equal(got.content[1], "Subject: s\r\n\r\nn\r\n");
    assert_int_equal(fetch_ranges(f, after, &all, 1, MOX_FETCH_CONTENT, &got), MOX_OK);
    assert_int_equal(got.count, 3);
    assert_int_equal(got.data[1].uid, 3);
    mox_view_unref(after);

    /* Also when it is the last that shows the message, and through another reference. */
    mox_view_unref(mox_view_ref(before));
    assert_int_equal(fetch_ranges(f, before, &all, 1, MOX_FETCH_CONTENT, &got), MOX_OK);
    assert_int_equal(got.count, 3);
    assert_string_equal(got.content[1], "Subject: s\r\n\r\nn\r\n");
    mox_view_unref(before);
    check_account(f);
}

static void messages_of_a_removed_mailbox_stay_readable_in_its_views(void **state)
{
    struct fixture *f = *state;
    uint64_t id = new_mailbox(f, "a");
    (void)add_message(f, id, 0);
    struct mox_view *view = view_of(f, id);
    assert_int_equal(delete_mailbox(f, "a"), MOX_OK);
    struct mox_view *none = NULL;
    struct mox_mailbox_status status;
    struct mox_error err;
    assert_int_equal(f->store.ops->view(f->store.self, id, &none, &err), MOX_EGONE);
    assert_int_equal(err.status, MOX_EGONE);
    assert_null(none);
    assert_int_equal(f->store.ops->status(f->store.self, id, &status, &err), MOX_EGONE);
    struct fetched got = {0};
    assert_int_equal(fetch_ranges(f, view, &all, 1, MOX_FETCH_CONTENT, &got), MOX_OK);
    assert_int_equal(got.count, 1);
    assert_string_equal(got.content[0], "Subject: s\r\n\r\nn\r\n");
    mox_view_unref(view);
    check_account(f);
}

static void an_unchanged_mailbox_has_one_view_for_all(void **state)
{
    struct fixture *f = *state;
    uint64_t other = new_mailbox(f, "other");
    (void)add_message(f, f->inbox, 0);
    struct mox_view *one = view_of(f, f->inbox);
    (void)add_message(f, other, 0);
    struct mox_view *two = view_of(f, f->inbox);
    assert_ptr_equal(one, two);
    if (f->store.ops->view_ready != NULL)
        assert_true(f->store.ops->view_ready(f->store.self, f->inbox));
    (void)add_message(f, f->inbox, 0);
    struct mox_view *three = view_of(f, f->inbox);
    assert_ptr_not_equal(one, three);
    if (f->store.ops->view_ready != NULL)
        assert_true(f->store.ops->view_ready(f->store.self, f->inbox));
    mox_view_unref(one);
    mox_view_unref(two);
    mox_view_unref(three);
}

const struct CMUnitTest message_cases[] = {
    CASE(a_new_store_has_an_empty_inbox),
    CASE(append_gives_ascending_uids_and_counts),
    CASE(append_by_name_creates_the_mailbox_and_its_parents),
    CASE(only_a_reject_may_be_left_out),
    CASE(append_to_a_missing_mailbox_fails),
    CASE(an_append_with_too_many_keywords_makes_no_mailbox),
    CASE(received_time_is_kept_or_now),
    CASE(fetch_gives_prefix_and_content),
    CASE(the_envelope_has_what_the_prefix_says),
    CASE(fetch_gives_each_form_that_is_wanted),
    CASE(headers_beyond_ascii_are_marked),
    CASE(large_content_comes_back_whole),
    CASE(fetch_follows_the_ranges),
    CASE(fetch_stops_when_told_and_returns_why),
    CASE(a_view_shows_the_mailbox_of_its_moment),
    CASE(messages_of_a_removed_mailbox_stay_readable_in_its_views),
    CASE(an_unchanged_mailbox_has_one_view_for_all),
};
const size_t message_case_count = COUNT_OF(message_cases);
