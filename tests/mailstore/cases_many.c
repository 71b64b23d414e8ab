/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailstore/ops.h"

/* Thousands of messages under random operations, compared with a model that is as simple as can be;
 * and what is left after the store was closed. */

#define BOXES     3
#define MODEL_MAX 12000
#define START     5000
#define STEPS     400

struct model_message {
    uint32_t uid, flags;
    bool gone;
};

struct model_box {
    uint64_t id;
    uint32_t uidnext;
    size_t count;
    struct model_message list[MODEL_MAX];
};

struct model {
    struct fixture *f;
    uint64_t seed;
    struct model_box boxes[BOXES];
};

/* A linear congruential generator: the same operations everywhere, every time. */
static uint32_t below(struct model *m, uint32_t n)
{
    m->seed = m->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(m->seed >> 33) % n;
}

static void model_add(struct model_box *box, uint32_t flags)
{
    assert_true(box->count < MODEL_MAX);
    box->list[box->count++] = (struct model_message){.uid = box->uidnext++, .flags = flags};
}

static void append(struct model *m)
{
    struct model_box *box = &m->boxes[below(m, BOXES)];
    uint32_t flags = below(m, MOX_FLAG_ALL + 1);
    assert_int_equal(add_message(m->f, box->id, flags), box->uidnext);
    model_add(box, flags);
}

/* Thousands, submitted a hundred at a time: a durable store syncs them together. Writes of one thread
 * are done in the order in which it submits them. */
static void append_start(struct model *m)
{
    struct mox_append ops[APPENDS_MAX];
    struct model_box *boxes[APPENDS_MAX];
    for (size_t done = 0; done < START; done += APPENDS_MAX) {
        for (size_t i = 0; i < APPENDS_MAX; i++) {
            boxes[i] = &m->boxes[below(m, BOXES)];
            ops[i] = (struct mox_append){.mailbox = boxes[i]->id,
                                         .spool = small_spool(m->f),
                                         .flags = below(m, MOX_FLAG_ALL + 1)};
        }
        do_appends(m->f, ops, APPENDS_MAX);
        for (size_t i = 0; i < APPENDS_MAX; i++) {
            assert_int_equal(ops[i].uid, boxes[i]->uidnext);
            model_add(boxes[i], ops[i].flags);
            mox_spool_free(ops[i].spool);
        }
    }
}

/* A short or a long range. */
static struct mox_uid_range some_range(struct model *m, const struct model_box *box)
{
    uint32_t first = below(m, box->uidnext) + 1;
    return (struct mox_uid_range){first, first + below(m, below(m, 8) == 0 ? 500 : 20)};
}

static bool meets(const struct model_message *message, struct mox_uid_range range)
{
    return !message->gone && message->uid >= range.first && message->uid <= range.last;
}

static void flag(struct model *m)
{
    struct model_box *box = &m->boxes[below(m, BOXES)];
    struct mox_uid_range range = some_range(m, box);
    uint32_t flags = 1u << below(m, 10), mode = below(m, 3);
    (void)change_flags(m->f, box->id, range.first, range.last, (enum mox_flags_mode)mode, flags);
    for (size_t i = 0; i < box->count; i++) {
        struct model_message *message = &box->list[i];
        if (!meets(message, range))
            continue;
        message->flags = mode == MOX_FLAGS_SET   ? flags
                         : mode == MOX_FLAGS_ADD ? message->flags | flags
                                                 : message->flags & ~flags;
    }
}

static void expunge(struct model *m)
{
    struct model_box *box = &m->boxes[below(m, BOXES)];
    struct mox_uid_range range = some_range(m, box);
    struct mox_expunge op = {
        .mailbox = box->id, .ranges = &range, .range_count = 1, .only_deleted = below(m, 3) > 0};
    assert_int_equal(do_expunge(m->f, &op), MOX_OK);
    for (size_t i = 0; i < box->count; i++) {
        struct model_message *message = &box->list[i];
        if (meets(message, range) && (!op.only_deleted || (message->flags & MOX_FLAG_DELETED) != 0))
            message->gone = true;
    }
}

static void copy(struct model *m)
{
    struct model_box *from = &m->boxes[below(m, BOXES)], *to = &m->boxes[below(m, BOXES)];
    struct mox_uid_range range = some_range(m, from);
    struct mox_copy op = {.mailbox = from->id,
                          .destination = to->id,
                          .ranges = &range,
                          .range_count = 1,
                          .move = below(m, 2) == 0};
    assert_int_equal(do_copy(m->f, &op), MOX_OK);
    uint32_t first = to->uidnext, count = 0;
    for (size_t i = 0, end = from->count; i < end; i++) {
        if (!meets(&from->list[i], range))
            continue;
        model_add(to, from->list[i].flags);
        from->list[i].gone = op.move;
        count++;
    }
    assert_int_equal(op.count, count);
    assert_true(count == 0 || op.first_uid == first);
    mox_copy_free(&op);
}

static void compare(struct model *m)
{
    for (int b = 0; b < BOXES; b++) {
        const struct model_box *box = &m->boxes[b];
        struct mox_view *view = view_of(m->f, box->id);
        uint32_t at = 0;
        for (size_t i = 0; i < box->count; i++) {
            if (box->list[i].gone)
                continue;
            assert_true(at < mox_view_count(view));
            const struct mox_view_row *row = mox_view_row(view, at++);
            assert_int_equal(row->uid, box->list[i].uid);
            assert_int_equal(row->flags, box->list[i].flags);
        }
        assert_int_equal(at, mox_view_count(view));
        assert_int_equal(mox_view_uidnext(view), box->uidnext);
        mox_view_unref(view);
    }
}

/* A view that was taken some steps ago must follow to the present by its differences alone. */
struct follower {
    uint32_t removed, changed, added, last;
};

static int follow_removed(void *user, uint32_t index, const struct mox_view_row *row)
{
    (void)row;
    struct follower *w = user;
    assert_true(index < w->last);
    w->last = index;
    w->removed++;
    return 0;
}

static int follow_changed(void *user, uint32_t index, const struct mox_view_row *before,
                          const struct mox_view_row *now)
{
    (void)index;
    assert_int_equal(before->uid, now->uid);
    ((struct follower *)user)->changed++;
    return 0;
}

static int follow_added(void *user, uint32_t index, const struct mox_view_row *row)
{
    (void)index;
    (void)row;
    ((struct follower *)user)->added++;
    return 0;
}

static void follow(struct mox_view **old, struct mox_view *now)
{
    static const struct mox_view_diff functions = {follow_removed, follow_changed, follow_added};
    struct follower w = {.last = UINT32_MAX};
    assert_int_equal(mox_view_diff(*old, now, &functions, &w), 0);
    assert_int_equal(mox_view_count(*old) - w.removed + w.added, mox_view_count(now));
    mox_view_unref(*old);
    *old = now;
}

static int count_message(void *user, const struct mox_message_data *data)
{
    *(uint32_t *)user += data->content.len == 17;
    return 0;
}

static void assert_all_readable(struct fixture *f, const struct mox_view *view)
{
    const struct mox_uid_range all = {1, UINT32_MAX};
    uint32_t count = 0;
    assert_int_equal(f->store.ops->fetch(f->store.self, view, &all, 1, MOX_FETCH_CONTENT,
                                         count_message, &count, NULL),
                     0);
    assert_int_equal(count, mox_view_count(view));
}

static void random_operations_agree_with_a_model(void **state)
{
    struct fixture *f = *state;
    struct model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->f = f;
    m->seed = 20260102;
    static const char *const names[BOXES] = {"Inbox", "b", "c"};
    for (int i = 0; i < BOXES; i++) {
        m->boxes[i].id = i == 0 ? f->inbox : new_mailbox(f, names[i]);
        m->boxes[i].uidnext = 1;
    }
    append_start(m);
    compare(m);
    static void (*const operations[])(struct model * m) = {append, flag, flag, expunge, copy};
    struct mox_view *old = view_of(f, f->inbox), *oldest = view_of(f, f->inbox);
    for (int i = 0; i < STEPS; i++) {
        operations[below(m, COUNT_OF(operations))](m);
        if (i % 20 == 0)
            follow(&old, view_of(f, f->inbox));
        if (i % 100 == 0)
            compare(m);
    }
    compare(m);
    assert_all_readable(f, oldest);
    mox_view_unref(oldest);
    assert_all_readable(f, old);
    mox_view_unref(old);
    check_account(f);
    free(m);
}

static void what_was_stored_is_there_after_reopening(void **state)
{
    struct fixture *f = *state;
    if (f->c->reopen == NULL)
        skip();
    static const char *const keywords[] = {"k", "l", NULL};
    const struct mox_uid_range all = {1, UINT32_MAX};
    uint64_t id = new_mailbox(f, "a/b"), gone = new_mailbox(f, "gone");
    struct mox_mailbox_change use = {
        .kind = MOX_MAILBOX_USE, .name = "a/b", .special_use = MOX_USE_TRASH};
    assert_int_equal(do_change(f, &use), MOX_OK);
    struct mox_mailbox_change subscribe = {.kind = MOX_MAILBOX_SUBSCRIBE, .name = "only"};
    assert_int_equal(do_change(f, &subscribe), MOX_OK);
    for (uint32_t i = 0; i < 5; i++)
        (void)add_tagged(f, id, i == 1 ? MOX_FLAG_SEEN : 0, keywords);
    (void)expunge_range(f, id, 5, 5);
    (void)f->store.ops->claim_recent(f->store.self, id, 4);
    uint32_t gone_uidvalidity = status_of(f, gone).uidvalidity;
    assert_int_equal(delete_mailbox(f, "gone"), MOX_OK);
    struct mox_mailbox_status before = status_of(f, id);
    struct fetched old = {0}, new = {0};
    struct mox_view *view = view_of(f, id);
    assert_int_equal(fetch_ranges(f, view, &all, 1, MOX_FETCH_CONTENT, &old), MOX_OK);
    mox_view_unref(view);

    f->c->reopen(f->c->user, &f->store);
    check_account(f);
    assert_int_equal(mailbox_id(f, "Inbox"), f->inbox);
    assert_int_equal(mailbox_id(f, "a/b"), id);
    assert_int_equal(mailbox_id(f, "gone"), 0);
    const struct mox_mailboxes *list = NULL;
    assert_int_equal(f->store.ops->mailboxes(f->store.self, &list, NULL), MOX_OK);
    assert_int_equal(mox_mailboxes_find(list, "a/b")->special_use, MOX_USE_TRASH);
    assert_true(mox_mailboxes_find(list, "a")->subscribed);
    assert_non_null(mox_mailboxes_find(list, "only"));
    mox_mailboxes_unref(list);

    struct mox_mailbox_status after = status_of(f, id);
    assert_int_equal(after.messages, before.messages);
    assert_int_equal(after.unseen, before.unseen);
    assert_int_equal(after.bytes, before.bytes);
    assert_int_equal(after.uidnext, 6); /* not given again, though the last message is gone */
    assert_int_equal(after.uidvalidity, before.uidvalidity);
    assert_int_equal(after.recent_from, 4);
    assert_int_equal(after.modseq, before.modseq);
    view = view_of(f, id);
    assert_int_equal(fetch_ranges(f, view, &all, 1, MOX_FETCH_CONTENT, &new), MOX_OK);
    assert_int_equal(new.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(new.content[i], old.content[i]);
        assert_int_equal(new.data[i].message, old.data[i].message);
        assert_true(new.data[i].received_us == old.data[i].received_us);
        assert_true(new.data[i].saved_us == old.data[i].saved_us);
    }
    char text[64];
    row_keywords(view, mox_view_row(view, 0), text, sizeof text);
    assert_string_equal(text, "k l ");
    mox_view_unref(view);

    /* Counters go on where they were. */
    assert_true(change_flags(f, id, 1, 1, MOX_FLAGS_ADD, MOX_FLAG_SEEN) > before.modseq);
    assert_int_equal(add_message(f, id, 0), 6);
    uint64_t made = new_mailbox(f, "gone");
    assert_true(made != gone && made != id);
    assert_true(status_of(f, made).uidvalidity > gone_uidvalidity);
    check_account(f);
}

const struct CMUnitTest many_cases[] = {
    CASE(random_operations_agree_with_a_model),
    CASE(what_was_stored_is_there_after_reopening),
};
const size_t many_case_count = COUNT_OF(many_cases);
