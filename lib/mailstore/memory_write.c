/* SPDX-License-Identifier: MIT */
#include "mailstore/memory.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

/* A walk over the messages of a mailbox in ranges. Those that a copy adds on the way are not met.
 */
struct walk {
    const struct mox_uid_range *ranges;
    size_t range_count, range, index;
    uint32_t end; /* the mailbox's first UID that is not met */
};

static struct walk walk_begin(const struct mailbox *mb, const struct mox_uid_range *ranges,
                              size_t count)
{
    return (struct walk){.ranges = ranges, .range_count = count, .end = mb->status.uidnext};
}

/* The next message, or NULL. */
static struct entry *walk_next(const struct mailbox *mb, struct walk *w)
{
    for (; w->range < w->range_count; w->range++) {
        size_t first = mox__memory_find(mb, w->ranges[w->range].first);
        w->index = first > w->index ? first : w->index;
        while (w->index < mb->count && mb->entries[w->index].row.uid < w->end &&
               mb->entries[w->index].row.uid <= w->ranges[w->range].last) {
            struct entry *e = &mb->entries[w->index++];
            if (!e->removed)
                return e;
        }
    }
    return NULL;
}

static void reset(struct mox_write *w)
{
    w->modseq = 0;
    w->error = (struct mox_error){0};
}

static struct memory *begin(void *self, struct mox_write *w)
{
    struct memory *m = self;
    reset(w);
    pthread_mutex_lock(&m->lock);
    return m;
}

/* The mailbox of a write that changes messages in it. */
static int source(const struct memory *m, uint64_t id, struct mailbox **out, struct mox_error *err)
{
    *out = mox__memory_mailbox(m, id);
    return *out != NULL ? MOX_OK
                        : mox__fail(err, MOX_EGONE, "change messages: the mailbox was removed");
}

/* The mailbox that messages are added to. */
static int target(const struct memory *m, uint64_t id, struct mailbox **out, struct mox_error *err)
{
    *out = mox__memory_mailbox(m, id);
    return *out != NULL
               ? MOX_OK
               : mox__fail(err, MOX_ENOTFOUND, "add messages: no such mailbox; create it first");
}

/* The mailbox of an append; by name it is made in the draft. */
static int append_target(struct memory *m, struct mox_append *op, struct draft *d,
                         struct mailbox **out, struct mox_error *err)
{
    if (op->mailbox != 0)
        return target(m, op->mailbox, out, err);
    const struct mox_mailbox *known = mox_mailboxes_find(m->names, op->mailbox_name);
    if (known != NULL && known->id != 0)
        return target(m, known->id, out, err);
    int rc = mox__memory_draft_begin(d, m, err);
    if (rc == MOX_OK)
        rc = mox__memory_draft_create(d, op->mailbox_name, true, out, err);
    return rc == MOX_OK ? mox__memory_draft_freeze(d, err) : rc;
}

static int append(struct memory *m, struct mox_append *op, struct message **message,
                  struct aftermath *after)
{
    struct mox_error *err = &op->write.error;
    struct draft draft = {.store = NULL};
    struct mailbox *mb = NULL;
    uint64_t keywords = 0;
    int rc = append_target(m, op, &draft, &mb, err);
    if (rc == MOX_OK)
        rc = mox__memory_reserve(mb, 1, err);
    if (rc == MOX_OK)
        rc = mox__memory_keywords(mb, op->keywords, op->keyword_count, true, &keywords, err);
    if (rc < 0)
        goto done;

    op->write.modseq = ++m->modseq;
    if (draft.store != NULL)
        mox__memory_draft_commit(&draft, m->modseq, after);
    struct edits edits = {0};
    struct entry entry = {
        .row = {.flags = op->flags & MOX_FLAG_ALL,
                .keywords = keywords,
                .modseq = m->modseq,
                .bytes = (*message)->prefix.len + (*message)->content.len},
        .saved_us = m->env.wall_us(m->env.user),
        .message = *message,
    };
    (*message)->id = m->next_message++;
    *message = NULL; /* the mailbox's from here on */
    op->uid = mb->status.uidnext;
    op->uidvalidity = mb->status.uidvalidity;
    mox__memory_add(mb, &entry, &edits);
    mox__memory_changed(mb, m->modseq, &edits, after);
done:
    mox__memory_draft_end(&draft);
    return rc;
}

void mox__memory_append(void *self, struct mox_append *op)
{
    struct memory *m = self;
    struct aftermath after = {0};
    struct message *message = NULL;
    reset(&op->write);
    op->uid = 0;
    op->uidvalidity = 0;
    op->left_out = false; /* rejects are mail like any other here */
    int rc = mox__memory_message_new(&message, &m->env, op, &op->write.error);
    pthread_mutex_lock(&m->lock);
    if (rc == MOX_OK)
        rc = append(m, op, &message, &after);
    mox__memory_message_free(&m->env, message);
    mox__memory_finish(m, &op->write, rc, &after);
}

/* The flags that a message has afterwards. */
static uint64_t with_flags(uint64_t had, uint64_t given, enum mox_flags_mode mode)
{
    switch (mode) {
    case MOX_FLAGS_ADD:
        return had | given;
    case MOX_FLAGS_REMOVE:
        return had & ~given;
    case MOX_FLAGS_SET:
        break;
    }
    return given;
}

static int set_flags(struct memory *m, struct mox_set_flags *op, struct aftermath *after)
{
    struct mailbox *mb = NULL;
    uint64_t keywords = 0;
    int rc = source(m, op->mailbox, &mb, &op->write.error);
    if (rc < 0)
        return rc;
    struct walk walk = walk_begin(mb, op->ranges, op->range_count);
    struct entry *e = walk_next(mb, &walk);
    if (e == NULL)
        return MOX_OK;
    rc = mox__memory_keywords(mb, op->keywords, op->keyword_count, op->mode != MOX_FLAGS_REMOVE,
                              &keywords, &op->write.error);
    if (rc < 0)
        return rc;

    struct edits edits = {0};
    uint64_t modseq = m->modseq + 1;
    bool changed = false;
    for (; e != NULL; e = walk_next(mb, &walk)) {
        uint32_t flags = (uint32_t)with_flags(e->row.flags, op->flags & MOX_FLAG_ALL, op->mode);
        uint64_t bits = with_flags(e->row.keywords, keywords, op->mode);
        if (flags == e->row.flags && bits == e->row.keywords)
            continue;
        mox__memory_change(mb, e, flags, bits, modseq, &edits);
        changed = true;
    }
    if (changed) {
        op->write.modseq = ++m->modseq;
        mox__memory_changed(mb, modseq, &edits, after);
    }
    return MOX_OK;
}

void mox__memory_set_flags(void *self, struct mox_set_flags *op)
{
    struct memory *m = begin(self, &op->write);
    struct aftermath after = {0};
    int rc = set_flags(m, op, &after);
    mox__memory_finish(m, &op->write, rc, &after);
}

static bool is_expunged(const struct mox_expunge *op, const struct entry *e)
{
    return !op->only_deleted || (e->row.flags & MOX_FLAG_DELETED) != 0;
}

static int expunge(struct memory *m, struct mox_expunge *op, struct aftermath *after)
{
    struct mailbox *mb = NULL;
    int rc = source(m, op->mailbox, &mb, &op->write.error);
    if (rc < 0)
        return rc;
    size_t count = 0;
    struct walk walk = walk_begin(mb, op->ranges, op->range_count);
    for (struct entry *e = walk_next(mb, &walk); e != NULL; e = walk_next(mb, &walk))
        count += is_expunged(op, e);
    if (count == 0)
        return MOX_OK;
    rc = mox__memory_reserve_removals(mb, count, &op->write.error);
    if (rc < 0)
        return rc;

    struct edits edits = {0};
    op->write.modseq = ++m->modseq;
    walk = walk_begin(mb, op->ranges, op->range_count);
    for (struct entry *e = walk_next(mb, &walk); e != NULL; e = walk_next(mb, &walk)) {
        if (is_expunged(op, e))
            mox__memory_remove(mb, e, m->modseq, &edits);
    }
    mox__memory_changed(mb, m->modseq, &edits, after);
    return MOX_OK;
}

void mox__memory_expunge(void *self, struct mox_expunge *op)
{
    struct memory *m = begin(self, &op->write);
    struct aftermath after = {0};
    int rc = expunge(m, op, &after);
    mox__memory_finish(m, &op->write, rc, &after);
}

/* Counts messages, the ranges that they make (each starts where the UID before was not met), and
 * collects their keywords. Fills `copied` once it is there. */
static uint64_t survey(struct transfer *t)
{
    uint64_t keywords = 0;
    uint32_t last = 0;
    t->count = 0;
    t->copied_count = 0;
    struct walk walk = walk_begin(t->from, t->ranges, t->range_count);
    for (const struct entry *e = walk_next(t->from, &walk); e != NULL;
         e = walk_next(t->from, &walk)) {
        uint32_t uid = e->row.uid;
        t->copied_count += t->count == 0 || uid != last + 1;
        if (t->copied != NULL && (t->count == 0 || uid != last + 1))
            t->copied[t->copied_count - 1].first = uid;
        if (t->copied != NULL)
            t->copied[t->copied_count - 1].last = uid;
        t->count++;
        keywords |= e->row.keywords;
        last = uid;
    }
    return keywords;
}

static int map_keywords(struct transfer *t, uint64_t used, struct mox_error *err)
{
    const char *names[MOX_KEYWORDS_MAX] = {NULL};
    unsigned bits[MOX_KEYWORDS_MAX], count = 0;
    for (unsigned i = 0; i < t->from->keyword_count; i++) {
        if ((used >> i & 1) == 0)
            continue;
        names[count] = t->from->keywords[i];
        bits[count++] = i;
    }
    uint64_t all = 0;
    int rc = mox__memory_keywords(t->to, names, count, true, &all, err);
    for (unsigned i = 0; i < count && rc == MOX_OK; i++)
        rc = mox__memory_keywords(t->to, &names[i], 1, false, &t->bits[bits[i]], err);
    return rc;
}

int mox__memory_transfer_prepare(struct transfer *t, struct mox_error *err)
{
    const struct mox_env *env = &t->from->store->env;
    uint64_t used = survey(t);
    if (t->count == 0)
        return MOX_OK;
    t->copied = mem_new(env, struct mox_uid_range, t->copied_count);
    if (t->copied == NULL)
        return mox__fail(err, MOX_ENOMEM, "copy messages: out of memory");
    (void)survey(t);
    int rc = mox__memory_reserve(t->to, t->count, err);
    if (rc == MOX_OK && t->move)
        rc = mox__memory_reserve_removals(t->from, t->count, err);
    return rc == MOX_OK ? map_keywords(t, used, err) : rc;
}

static uint64_t mapped(const struct transfer *t, uint64_t bits)
{
    uint64_t out = 0;
    for (unsigned i = 0; bits != 0; i++, bits >>= 1)
        out |= (bits & 1) != 0 ? t->bits[i] : 0;
    return out;
}

/* Within one mailbox the removals, which have the lower UIDs, go first. */
static void add_edits(const struct mox_env *env, struct edits *first, struct edits *then)
{
    struct mox_view_edit *list = NULL;
    if (!first->failed && !then->failed)
        list = mox__realloc(env, first->list, first->count + then->count, sizeof list[0]);
    first->failed = list == NULL;
    if (list != NULL) {
        memcpy(list + first->count, then->list, then->count * sizeof list[0]);
        first->list = list;
        first->count += then->count;
        first->cap = first->count;
    }
    mox__mem_free(env, then->list);
}

void mox__memory_transfer_commit(struct transfer *t, uint64_t modseq, struct aftermath *after)
{
    const struct mox_env *env = &t->from->store->env;
    struct edits removed = {0}, added = {0};
    int64_t now = env->wall_us(env->user);
    struct walk walk = walk_begin(t->from, t->ranges, t->range_count);
    for (struct entry *e = walk_next(t->from, &walk); e != NULL; e = walk_next(t->from, &walk)) {
        struct entry copy = *e;
        if (t->move)
            mox__memory_remove(t->from, e, modseq, &removed);
        copy.row.keywords = mapped(t, copy.row.keywords);
        copy.row.modseq = modseq;
        copy.saved_us = now;
        mox__memory_add(t->to, &copy, &added);
    }
    if (t->move && t->from == t->to) {
        add_edits(env, &removed, &added);
        mox__memory_changed(t->to, modseq, &removed, after);
        return;
    }
    if (t->move)
        mox__memory_changed(t->from, modseq, &removed, after);
    mox__memory_changed(t->to, modseq, &added, after);
}

static int copy(struct memory *m, struct mox_copy *op, struct aftermath *after)
{
    struct transfer t = {.ranges = op->ranges, .range_count = op->range_count, .move = op->move};
    struct mox_error *err = &op->write.error;
    int rc = source(m, op->mailbox, &t.from, err);
    if (rc == MOX_OK)
        rc = target(m, op->destination, &t.to, err);
    if (rc == MOX_OK)
        rc = mox__memory_transfer_prepare(&t, err);
    if (rc < 0) {
        mox__mem_free(&m->env, t.copied);
        return rc;
    }
    op->uidvalidity = t.to->status.uidvalidity;
    if (t.count == 0)
        return MOX_OK;
    op->first_uid = t.to->status.uidnext;
    op->count = t.count;
    op->copied = t.copied;
    op->copied_count = t.copied_count;
    op->write.modseq = ++m->modseq;
    mox__memory_transfer_commit(&t, m->modseq, after);
    return MOX_OK;
}

void mox__memory_copy(void *self, struct mox_copy *op)
{
    struct memory *m = begin(self, &op->write);
    struct aftermath after = {0};
    op->env = &m->env;
    op->uidvalidity = 0;
    op->first_uid = 0;
    op->count = 0;
    op->copied = NULL;
    op->copied_count = 0;
    int rc = copy(m, op, &after);
    mox__memory_finish(m, &op->write, rc, &after);
}

void mox__memory_change_mailbox(void *self, struct mox_mailbox_change *op)
{
    struct memory *m = begin(self, &op->write);
    struct aftermath after = {0};
    int rc = mox__memory_change_names(m, op, &after);
    mox__memory_finish(m, &op->write, rc, &after);
}
