/* SPDX-License-Identifier: MIT */
#include "mailstore/ops.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Whoever submitted a write sleeps here until it is done. */
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    unsigned done;
};

static void wake(struct mox_write *w)
{
    struct waiter *waiter = w->user;
    pthread_mutex_lock(&waiter->lock);
    waiter->done++;
    pthread_cond_signal(&waiter->cond);
    pthread_mutex_unlock(&waiter->lock);
}

static void prepare(struct waiter *waiter, struct mox_write *w)
{
    *waiter = (struct waiter){.done = 0};
    pthread_mutex_init(&waiter->lock, NULL);
    pthread_cond_init(&waiter->cond, NULL);
    memset(w, 0xa5, sizeof *w); /* only `done` and `user` are the submitter's to set */
    w->done = wake;
    w->user = waiter;
}

static int wait_for(struct waiter *waiter, const struct mox_write *w)
{
    pthread_mutex_lock(&waiter->lock);
    while (waiter->done == 0)
        pthread_cond_wait(&waiter->cond, &waiter->lock);
    pthread_mutex_unlock(&waiter->lock);
    assert_int_equal(waiter->done, 1);
    pthread_cond_destroy(&waiter->cond);
    pthread_mutex_destroy(&waiter->lock);
    if (w->status != MOX_OK) {
        assert_true(w->status < 0);
        assert_int_equal(w->error.status, w->status);
        assert_true(w->error.text[0] != '\0');
        assert_int_equal(w->modseq, 0);
    }
    return w->status;
}

int do_append(struct fixture *f, struct mox_append *op)
{
    struct waiter waiter;
    prepare(&waiter, &op->write);
    f->store.ops->append(f->store.self, op);
    return wait_for(&waiter, &op->write);
}

void do_appends(struct fixture *f, struct mox_append *ops, size_t count)
{
    struct waiter waiters[APPENDS_MAX];
    assert_true(count <= APPENDS_MAX);
    for (size_t i = 0; i < count; i++) {
        prepare(&waiters[i], &ops[i].write);
        f->store.ops->append(f->store.self, &ops[i]);
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(wait_for(&waiters[i], &ops[i].write), MOX_OK);
}

int do_set_flags(struct fixture *f, struct mox_set_flags *op)
{
    struct waiter waiter;
    prepare(&waiter, &op->write);
    f->store.ops->set_flags(f->store.self, op);
    return wait_for(&waiter, &op->write);
}

int do_expunge(struct fixture *f, struct mox_expunge *op)
{
    struct waiter waiter;
    prepare(&waiter, &op->write);
    f->store.ops->expunge(f->store.self, op);
    return wait_for(&waiter, &op->write);
}

int do_copy(struct fixture *f, struct mox_copy *op)
{
    struct waiter waiter;
    prepare(&waiter, &op->write);
    f->store.ops->copy(f->store.self, op);
    return wait_for(&waiter, &op->write);
}

int do_change(struct fixture *f, struct mox_mailbox_change *op)
{
    struct waiter waiter;
    prepare(&waiter, &op->write);
    f->store.ops->change_mailbox(f->store.self, op);
    return wait_for(&waiter, &op->write);
}

struct mox_spool *spool_of(struct fixture *f, const void *content, size_t len)
{
    struct mox_spool *spool = NULL;
    const char *dir = NULL;
    if (f->store.ops->spool_dir != NULL)
        dir = f->store.ops->spool_dir(f->store.self);
    assert_int_equal(mox_spool_new(&spool, f->c->env, dir, 64u << 20), MOX_OK);
    assert_int_equal(mox_spool_write(spool, slice(content, len)), MOX_OK);
    return spool;
}

struct mox_spool *small_spool(struct fixture *f)
{
    return spool_of(f, "Subject: s\r\n\r\nn\r\n", 17);
}

uint32_t add_tagged(struct fixture *f, uint64_t mailbox, uint32_t flags,
                    const char *const *keywords)
{
    struct mox_append op = {
        .mailbox = mailbox,
        .spool = small_spool(f),
        .flags = flags,
        .keywords = keywords,
    };
    while (keywords != NULL && keywords[op.keyword_count] != NULL)
        op.keyword_count++;
    assert_int_equal(do_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    assert_true(op.uid > 0);
    return op.uid;
}

uint32_t add_message(struct fixture *f, uint64_t mailbox, uint32_t flags)
{
    return add_tagged(f, mailbox, flags, NULL);
}

uint64_t change_flags(struct fixture *f, uint64_t mailbox, uint32_t first, uint32_t last,
                      enum mox_flags_mode mode, uint32_t flags)
{
    const struct mox_uid_range range = {first, last};
    struct mox_set_flags op = {
        .mailbox = mailbox, .ranges = &range, .range_count = 1, .mode = mode, .flags = flags};
    assert_int_equal(do_set_flags(f, &op), MOX_OK);
    return op.write.modseq;
}

uint64_t expunge_range(struct fixture *f, uint64_t mailbox, uint32_t first, uint32_t last)
{
    const struct mox_uid_range range = {first, last};
    struct mox_expunge op = {.mailbox = mailbox, .ranges = &range, .range_count = 1};
    assert_int_equal(do_expunge(f, &op), MOX_OK);
    return op.write.modseq;
}

int create_mailbox(struct fixture *f, const char *name)
{
    struct mox_mailbox_change op = {.kind = MOX_MAILBOX_CREATE, .name = name};
    return do_change(f, &op);
}

int delete_mailbox(struct fixture *f, const char *name)
{
    struct mox_mailbox_change op = {.kind = MOX_MAILBOX_DELETE, .name = name};
    return do_change(f, &op);
}

int rename_mailbox(struct fixture *f, const char *name, const char *new_name)
{
    struct mox_mailbox_change op = {.kind = MOX_MAILBOX_RENAME, .name = name, .new_name = new_name};
    return do_change(f, &op);
}

static const struct mox_mailboxes *mailboxes_of(struct fixture *f)
{
    const struct mox_mailboxes *list = NULL;
    assert_int_equal(f->store.ops->mailboxes(f->store.self, &list, NULL), MOX_OK);
    return list;
}

uint64_t mailbox_id(struct fixture *f, const char *name)
{
    const struct mox_mailboxes *list = mailboxes_of(f);
    const struct mox_mailbox *mailbox = mox_mailboxes_find(list, name);
    uint64_t id = mailbox == NULL ? 0 : mailbox->id;
    mox_mailboxes_unref(list);
    return id;
}

uint64_t new_mailbox(struct fixture *f, const char *name)
{
    assert_int_equal(create_mailbox(f, name), MOX_OK);
    uint64_t id = mailbox_id(f, name);
    assert_true(id > 0);
    return id;
}

struct mox_mailbox_status status_of(struct fixture *f, uint64_t mailbox)
{
    struct mox_mailbox_status status;
    memset(&status, 0xa5, sizeof status);
    assert_int_equal(f->store.ops->status(f->store.self, mailbox, &status, NULL), MOX_OK);
    return status;
}

struct mox_view *view_of(struct fixture *f, uint64_t mailbox)
{
    struct mox_view *view = NULL;
    assert_int_equal(f->store.ops->view(f->store.self, mailbox, &view, NULL), MOX_OK);
    assert_non_null(view);
    assert_int_equal(mox_view_mailbox(view), mailbox);
    return view;
}

struct mox_view_row row_of(struct fixture *f, uint64_t mailbox, uint32_t uid)
{
    struct mox_view *view = view_of(f, mailbox);
    uint32_t index = mox_view_find(view, uid);
    assert_true(index < mox_view_count(view));
    struct mox_view_row row = *mox_view_row(view, index);
    assert_int_equal(row.uid, uid);
    mox_view_unref(view);
    return row;
}

void assert_uids(const struct mox_view *view, const uint32_t *uids, size_t count)
{
    assert_int_equal(mox_view_count(view), count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(mox_view_row(view, i)->uid, uids[i]);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void row_keywords(const struct mox_view *view, const struct mox_view_row *row, char *out,
                  size_t size)
{
    const char *set[MOX_KEYWORDS_MAX];
    size_t count = 0, at = 0;
    unsigned known = 0;
    const char *const *keywords = mox_view_keywords(view, &known);
    assert_true(known <= MOX_KEYWORDS_MAX);
    for (unsigned i = 0; i < MOX_KEYWORDS_MAX; i++) {
        if ((row->keywords >> i & 1) == 0)
            continue;
        assert_true(i < known);
        set[count++] = keywords[i];
    }
    qsort(set, count, sizeof set[0], by_text);
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        at += (size_t)snprintf(out + at, size - at, "%s ", set[i]);
        assert_true(at < size);
    }
}

struct sums {
    uint64_t bytes;
    uint32_t count, last_uid;
};

static int sum(void *user, const struct mox_message_data *data)
{
    struct sums *s = user;
    assert_true(data->uid > s->last_uid);
    s->last_uid = data->uid;
    s->bytes += data->bytes;
    s->count++;
    return 0;
}

void check_mailbox(struct fixture *f, uint64_t mailbox)
{
    struct mox_mailbox_status status = status_of(f, mailbox);
    struct mox_view *view = view_of(f, mailbox);
    uint32_t unseen = 0, deleted = 0, last = 0;
    for (uint32_t i = 0; i < mox_view_count(view); i++) {
        const struct mox_view_row *row = mox_view_row(view, i);
        assert_true(row->uid > last);
        assert_true(row->modseq > 0 && row->modseq <= status.modseq);
        last = row->uid;
        unseen += (row->flags & MOX_FLAG_SEEN) == 0;
        deleted += (row->flags & MOX_FLAG_DELETED) != 0;
    }
    assert_int_equal(status.messages, mox_view_count(view));
    assert_int_equal(status.unseen, unseen);
    assert_int_equal(status.deleted, deleted);
    assert_true(status.uidnext > last);
    assert_int_equal(status.uidnext, mox_view_uidnext(view));
    assert_true(status.uidvalidity > 0);
    assert_int_equal(status.uidvalidity, mox_view_uidvalidity(view));
    assert_int_equal(status.modseq, mox_view_modseq(view));
    assert_true(status.recent_from >= 1 && status.recent_from <= status.uidnext);

    struct sums sums = {0};
    const struct mox_uid_range all = {1, UINT32_MAX};
    assert_int_equal(f->store.ops->fetch(f->store.self, view, &all, 1, 0, sum, &sums, NULL), 0);
    assert_int_equal(sums.count, status.messages);
    assert_int_equal(sums.bytes, status.bytes);
    mox_view_unref(view);
}

void check_account(struct fixture *f)
{
    const struct mox_mailboxes *list = mailboxes_of(f);
    unsigned roles = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct mox_mailbox *m = &list->list[i];
        if (i > 0)
            assert_true(strcmp(list->list[i - 1].name, m->name) < 0);
        assert_int_equal(roles & m->special_use, 0);
        roles |= m->special_use;
        if (m->id == 0) {
            assert_true(m->subscribed);
            continue;
        }
        for (size_t j = 0; j < i; j++)
            assert_true(list->list[j].id != m->id &&
                        (list->list[j].id == 0 || list->list[j].uidvalidity != m->uidvalidity));
        char parent[MOX_MAILBOX_NAME_MAX + 1];
        (void)snprintf(parent, sizeof parent, "%s", m->name);
        char *slash = strrchr(parent, '/');
        if (slash != NULL) {
            *slash = '\0';
            const struct mox_mailbox *above = mox_mailboxes_find(list, parent);
            assert_true(above != NULL && above->id != 0);
        }
        assert_int_equal(status_of(f, m->id).uidvalidity, m->uidvalidity);
        check_mailbox(f, m->id);
    }
    mox_mailboxes_unref(list);
}

static int keep(void *user, const struct mox_message_data *data)
{
    struct fetched *out = user;
    assert_true(out->count < FETCHED_MAX);
    size_t n = out->count++;
    out->data[n] = *data;
    int prefix = data->prefix.len < 63 ? (int)data->prefix.len : 63;
    int content = data->content.len < 63 ? (int)data->content.len : 63;
    (void)snprintf(out->content[n], sizeof out->content[n], "%.*s%.*s", prefix,
                   prefix == 0 ? "" : (const char *)data->prefix.data, content,
                   content == 0 ? "" : (const char *)data->content.data);
    return out->count == out->stop_after ? 77 : 0;
}

int fetch_ranges(struct fixture *f, const struct mox_view *view, const struct mox_uid_range *ranges,
                 size_t range_count, unsigned wants, struct fetched *out)
{
    out->count = 0;
    return f->store.ops->fetch(f->store.self, view, ranges, range_count, wants, keep, out, NULL);
}

int fixture_open(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->c = *state;
    f->c->open(f->c->user, &f->store);
    f->inbox = mailbox_id(f, "Inbox");
    *state = f;
    return f->inbox > 0 ? 0 : -1;
}

int fixture_close(void **state)
{
    struct fixture *f = *state;
    f->c->close(f->c->user, &f->store);
    free(f);
    return 0;
}
