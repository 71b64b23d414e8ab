/* SPDX-License-Identifier: MIT */
#include "mailstore/memory.h"

#include <assert.h>

#include "base/error.h"
#include "base/mem.h"

static int gone(struct mox_error *err)
{
    return mox__fail(err, MOX_EGONE, "open mailbox: it was removed");
}

static int mailboxes(void *self, const struct mox_mailboxes **out, struct mox_error *err)
{
    (void)err;
    struct memory *m = self;
    pthread_mutex_lock(&m->lock);
    *out = mox_mailboxes_ref(m->names);
    pthread_mutex_unlock(&m->lock);
    return MOX_OK;
}

static int status(void *self, uint64_t mailbox, struct mox_mailbox_status *out,
                  struct mox_error *err)
{
    struct memory *m = self;
    pthread_mutex_lock(&m->lock);
    const struct mailbox *mb = mox__memory_mailbox(m, mailbox);
    if (mb != NULL)
        *out = mb->status;
    pthread_mutex_unlock(&m->lock);
    return mb != NULL ? MOX_OK : gone(err);
}

static int view(void *self, uint64_t mailbox, struct mox_view **out, struct mox_error *err)
{
    struct memory *m = self;
    *out = NULL;
    pthread_mutex_lock(&m->lock);
    struct mailbox *mb = mox__memory_mailbox(m, mailbox);
    int rc = mb == NULL ? gone(err) : mox__memory_view(mb, out, err);
    if (rc == MOX_OK)
        mox_view_ref(*out);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

/* There is no disk to wait for. */
static bool view_ready(void *self, uint64_t mailbox)
{
    (void)self;
    (void)mailbox;
    return true;
}

/* Messages looked up under one lock. */
#define FETCH_BATCH 64

struct batch {
    uint32_t uids[FETCH_BATCH];
    int64_t saved_us[FETCH_BATCH];
    const struct message *messages[FETCH_BATCH];
    size_t count;
};

/* Where a walk over the view's rows in the ranges has come to. */
struct walk {
    const struct mox_view *view;
    const struct mox_uid_range *ranges;
    size_t range_count, range;
    uint32_t index;
};

static void next_uids(struct walk *w, struct batch *batch)
{
    batch->count = 0;
    uint32_t end = mox_view_count(w->view);
    for (; w->range < w->range_count; w->range++) {
        const struct mox_uid_range *range = &w->ranges[w->range];
        uint32_t first = mox_view_find(w->view, range->first);
        w->index = first > w->index ? first : w->index;
        for (; w->index < end; w->index++) {
            uint32_t uid = mox_view_row(w->view, w->index)->uid;
            if (uid > range->last)
                break;
            if (batch->count == FETCH_BATCH)
                return;
            batch->uids[batch->count++] = uid;
        }
    }
}

/* The messages stay while the caller holds the view, also without the lock. */
static int look_up(struct memory *m, uint64_t mailbox, struct batch *batch, struct mox_error *err)
{
    int rc = MOX_OK;
    pthread_mutex_lock(&m->lock);
    const struct mailbox *mb = mox__memory_mailbox_any(m, mailbox);
    for (size_t i = 0; i < batch->count && rc == MOX_OK; i++) {
        size_t at = mb == NULL ? 0 : mox__memory_find(mb, batch->uids[i]);
        if (mb == NULL || at == mb->count || mb->entries[at].row.uid != batch->uids[i] ||
            mb->entries[at].message == NULL) {
            rc = mox__fail(err, MOX_EINVAL, "read messages: the view is not of this store");
            break;
        }
        batch->saved_us[i] = mb->entries[at].saved_us;
        batch->messages[i] = mb->entries[at].message;
    }
    pthread_mutex_unlock(&m->lock);
    return rc;
}

static struct mox_slice wanted(unsigned wants, unsigned want, struct mox_slice s)
{
    return (wants & want) != 0 ? s : (struct mox_slice){NULL, 0};
}

static struct mox_message_data message_data(const struct batch *batch, size_t i, unsigned wants)
{
    const struct message *msg = batch->messages[i];
    return (struct mox_message_data){
        .uid = batch->uids[i],
        .message = msg->id,
        .bytes = msg->prefix.len + msg->content.len,
        .received_us = msg->received_us,
        .saved_us = batch->saved_us[i],
        .utf8_headers = msg->rendered.utf8_headers,
        .envelope = wanted(wants, MOX_FETCH_ENVELOPE, msg->rendered.envelope),
        .body = wanted(wants, MOX_FETCH_BODY, msg->rendered.body),
        .bodystructure = wanted(wants, MOX_FETCH_BODYSTRUCTURE, msg->rendered.bodystructure),
        .structure = wanted(wants, MOX_FETCH_STRUCTURE, msg->rendered.structure),
        .prefix = wanted(wants, MOX_FETCH_CONTENT | MOX_FETCH_HEADER, msg->prefix),
        .content = wanted(wants, MOX_FETCH_CONTENT | MOX_FETCH_HEADER, msg->content),
    };
}

static int fetch(void *self, const struct mox_view *of, const struct mox_uid_range *ranges,
                 size_t range_count, unsigned wants,
                 int (*each)(void *user, const struct mox_message_data *data), void *user,
                 struct mox_error *err)
{
    struct walk walk = {.view = of, .ranges = ranges, .range_count = range_count};
    struct batch batch;
    for (;;) {
        next_uids(&walk, &batch);
        if (batch.count == 0)
            return MOX_OK;
        int rc = look_up(self, mox_view_mailbox(of), &batch, err);
        for (size_t i = 0; i < batch.count && rc == MOX_OK; i++) {
            struct mox_message_data data = message_data(&batch, i, wants);
            rc = each(user, &data);
        }
        if (rc != MOX_OK)
            return rc;
    }
}

static uint32_t claim_recent(void *self, uint64_t mailbox, uint32_t uidnext)
{
    struct memory *m = self;
    uint32_t from = uidnext;
    pthread_mutex_lock(&m->lock);
    struct mailbox *mb = mox__memory_mailbox(m, mailbox);
    if (mb != NULL) {
        from = mb->status.recent_from;
        if (uidnext > from)
            mb->status.recent_from = uidnext;
    }
    pthread_mutex_unlock(&m->lock);
    return from;
}

static const char *spool_dir(void *self)
{
    (void)self;
    return NULL;
}

/* It lives until mox_memory_mailstore_free(): others may use it still. */
static void close_store(void *self)
{
    (void)self;
}

static const struct mox_mailstore_ops ops = {
    .size = sizeof ops,
    .mailboxes = mailboxes,
    .status = status,
    .view = view,
    .fetch = fetch,
    .view_ready = view_ready,
    .watch = mox__memory_watch,
    .unwatch = mox__memory_unwatch,
    .claim_recent = claim_recent,
    .append = mox__memory_append,
    .set_flags = mox__memory_set_flags,
    .expunge = mox__memory_expunge,
    .copy = mox__memory_copy,
    .change_mailbox = mox__memory_change_mailbox,
    .spool_dir = spool_dir,
    .close = close_store,
};

int mox_memory_mailstore_new(struct mox_mailstore *out, const struct mox_env *env)
{
    *out = (struct mox_mailstore){NULL, NULL};
    struct memory *m = mem_new(env, struct memory, 1);
    if (m == NULL)
        return MOX_ENOMEM;
    m->env = *env;
    m->modseq = 1;
    m->next_mailbox = 1;
    m->next_message = 1;
    /* Two seconds each: a store made later has higher ones, far beyond 2038. */
    m->next_uidvalidity = (uint32_t)(env->wall_us(env->user) / 2000000);
    if (m->next_uidvalidity == 0)
        m->next_uidvalidity = 1;
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_init(&m->watch_lock, NULL);
    *out = (struct mox_mailstore){&ops, m};
    int rc = mox__memory_names_init(m);
    if (rc < 0)
        mox_memory_mailstore_free(out);
    return rc;
}

void mox_memory_mailstore_free(struct mox_mailstore *store)
{
    struct memory *m = store == NULL ? NULL : store->self;
    if (m == NULL)
        return;
    assert(m->watches == NULL);
    for (size_t i = 0; i < m->mailbox_count; i++) {
        mox_view_unref(m->mailboxes[i]->view);
        mox__memory_mailbox_free(m->mailboxes[i]);
    }
    mox_mailboxes_unref(m->names);
    mox__mem_free(&m->env, m->mailboxes);
    pthread_mutex_destroy(&m->watch_lock);
    pthread_mutex_destroy(&m->lock);
    struct mox_env env = m->env;
    mox__mem_free(&env, m);
    *store = (struct mox_mailstore){NULL, NULL};
}
