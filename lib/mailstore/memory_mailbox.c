/* SPDX-License-Identifier: MIT */
#include "mailstore/memory.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

struct mailbox *mox__memory_mailbox_new(struct memory *m, uint64_t id, uint32_t uidvalidity)
{
    struct mailbox *mb = mem_new(&m->env, struct mailbox, 1);
    if (mb == NULL)
        return NULL;
    mb->store = m;
    mb->id = id;
    mb->status.uidvalidity = uidvalidity;
    mb->status.uidnext = 1;
    mb->status.recent_from = 1;
    return mb;
}

static void drop_message(struct mailbox *mb, struct entry *e)
{
    if (--e->message->entries == 0)
        mox__memory_message_free(&mb->store->env, e->message);
    e->message = NULL;
}

void mox__memory_mailbox_free(struct mailbox *mb)
{
    if (mb == NULL)
        return;
    assert(mb->oldest == NULL);
    const struct mox_env *env = &mb->store->env;
    for (size_t i = 0; i < mb->count; i++) {
        if (mb->entries[i].message != NULL)
            drop_message(mb, &mb->entries[i]);
    }
    for (unsigned i = 0; i < mb->keyword_count; i++)
        mox__mem_free(env, mb->keywords[i]);
    mox__mem_free(env, mb->entries);
    mox__mem_free(env, mb->removals);
    mox__mem_free(env, mb);
}

static size_t mailbox_index(const struct memory *m, uint64_t id)
{
    size_t low = 0, high = m->mailbox_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->mailboxes[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct mailbox *mox__memory_mailbox_any(const struct memory *m, uint64_t id)
{
    size_t i = mailbox_index(m, id);
    return i < m->mailbox_count && m->mailboxes[i]->id == id ? m->mailboxes[i] : NULL;
}

struct mailbox *mox__memory_mailbox(const struct memory *m, uint64_t id)
{
    struct mailbox *mb = mox__memory_mailbox_any(m, id);
    return mb != NULL && !mb->gone ? mb : NULL;
}

/* Frees a mailbox that is gone once nobody sees it. */
static void forget_if_unseen(struct mailbox *mb)
{
    struct memory *m = mb->store;
    if (!mb->gone || mb->oldest != NULL)
        return;
    size_t i = mailbox_index(m, mb->id);
    m->mailbox_count--;
    memmove(m->mailboxes + i, m->mailboxes + i + 1,
            (m->mailbox_count - i) * sizeof m->mailboxes[0]);
    mox__memory_mailbox_free(mb);
}

size_t mox__memory_find(const struct mailbox *mb, uint32_t uid)
{
    size_t low = 0, high = mb->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mb->entries[middle].row.uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The capacity for `count` things and some more, so that growing one by one is linear. */
static size_t grown(size_t cap, size_t count)
{
    size_t more = cap + cap / 2;
    return more > count ? more : count + 8;
}

int mox__memory_reserve(struct mailbox *mb, size_t more, struct mox_error *err)
{
    if (more > UINT32_MAX - mb->status.uidnext)
        return mox__fail(err, MOX_ELIMIT,
                         "add to mailbox: its UIDs are used up; create a new mailbox and move the "
                         "messages there");
    if (more <= mb->cap - mb->count)
        return MOX_OK;
    size_t cap = grown(mb->cap, mb->count + more);
    struct entry *entries = mox__realloc(&mb->store->env, mb->entries, cap, sizeof mb->entries[0]);
    if (entries == NULL)
        return mox__fail(err, MOX_ENOMEM, "add to mailbox: out of memory");
    mb->entries = entries;
    mb->cap = cap;
    return MOX_OK;
}

int mox__memory_reserve_removals(struct mailbox *mb, size_t more, struct mox_error *err)
{
    if (mb->removal_first > mb->removal_cap / 2) {
        memmove(mb->removals, mb->removals + mb->removal_first,
                (mb->removal_count - mb->removal_first) * sizeof mb->removals[0]);
        mb->removal_count -= mb->removal_first;
        mb->removal_first = 0;
    }
    if (more <= mb->removal_cap - mb->removal_count)
        return MOX_OK;
    size_t cap = grown(mb->removal_cap, mb->removal_count + more);
    struct removal *removals =
        mox__realloc(&mb->store->env, mb->removals, cap, sizeof mb->removals[0]);
    if (removals == NULL)
        return mox__fail(err, MOX_ENOMEM, "remove from mailbox: out of memory");
    mb->removals = removals;
    mb->removal_cap = cap;
    return MOX_OK;
}

static unsigned find_keyword(const struct mailbox *mb, const char *keyword)
{
    unsigned i = 0;
    while (i < mb->keyword_count && strcmp(mb->keywords[i], keyword) != 0)
        i++;
    return i;
}

static int add_keyword(struct mailbox *mb, const char *keyword, struct mox_error *err)
{
    if (mb->keyword_count == MOX_KEYWORDS_MAX)
        return mox__fail(err, MOX_ELIMIT,
                         "add keyword %s: the mailbox has %d keywords already; use one of these",
                         keyword, MOX_KEYWORDS_MAX);
    char *copy = mox__strndup(&mb->store->env, keyword, strlen(keyword));
    if (copy == NULL)
        return mox__fail(err, MOX_ENOMEM, "add keyword: out of memory");
    mb->keywords[mb->keyword_count++] = copy;
    return MOX_OK;
}

int mox__memory_keywords(struct mailbox *mb, const char *const *keywords, size_t count, bool add,
                         uint64_t *bits, struct mox_error *err)
{
    int rc = MOX_OK;
    unsigned before = mb->keyword_count;
    *bits = 0;
    for (size_t i = 0; i < count && rc == MOX_OK; i++) {
        unsigned bit = find_keyword(mb, keywords[i]);
        if (bit == mb->keyword_count && add)
            rc = add_keyword(mb, keywords[i], err);
        if (bit < mb->keyword_count)
            *bits |= UINT64_C(1) << bit;
    }
    while (rc != MOX_OK && mb->keyword_count > before)
        mox__mem_free(&mb->store->env, mb->keywords[--mb->keyword_count]);
    return rc;
}

/* Adds (sign 1) or takes away (sign -1) a message in the mailbox's counts. */
static void count_message(struct mailbox *mb, const struct entry *e, int sign)
{
    struct mox_mailbox_status *s = &mb->status;
    uint32_t one = sign > 0 ? 1 : UINT32_MAX;
    uint64_t bytes = e->row.bytes;
    s->messages += one;
    s->unseen += (e->row.flags & MOX_FLAG_SEEN) == 0 ? one : 0;
    s->deleted += (e->row.flags & MOX_FLAG_DELETED) != 0 ? one : 0;
    s->bytes += sign > 0 ? bytes : 0 - bytes;
}

static void add_edit(struct mailbox *mb, struct edits *edits, const struct mox_view_row *row,
                     bool remove)
{
    edits->failed =
        edits->failed || !mem_room(&mb->store->env, &edits->list, &edits->cap, edits->count, 8);
    if (!edits->failed)
        edits->list[edits->count] = (struct mox_view_edit){.row = *row, .remove = remove};
    edits->count += !edits->failed;
}

void mox__memory_add(struct mailbox *mb, const struct entry *entry, struct edits *edits)
{
    struct entry *e = &mb->entries[mb->count++];
    *e = *entry;
    e->message->entries++;
    e->row.uid = mb->status.uidnext++;
    count_message(mb, e, 1);
    add_edit(mb, edits, &e->row, false);
}

void mox__memory_change(struct mailbox *mb, struct entry *e, uint32_t flags, uint64_t keywords,
                        uint64_t modseq, struct edits *edits)
{
    count_message(mb, e, -1);
    e->row.flags = flags;
    e->row.keywords = keywords;
    e->row.modseq = modseq;
    count_message(mb, e, 1);
    add_edit(mb, edits, &e->row, false);
}

void mox__memory_remove(struct mailbox *mb, struct entry *e, uint64_t modseq, struct edits *edits)
{
    count_message(mb, e, -1);
    e->removed = true;
    mb->removals[mb->removal_count++] = (struct removal){e->row.uid, modseq};
    add_edit(mb, edits, &e->row, true);
}

/* Takes out the entries without a message once they are the most, so that it costs each of them a
 * constant share. */
static void pack(struct mailbox *mb)
{
    if (mb->dead <= mb->count / 2)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < mb->count; i++) {
        if (mb->entries[i].message != NULL)
            mb->entries[kept++] = mb->entries[i];
    }
    mb->count = kept;
    mb->dead = 0;
}

/* Frees what was removed and no view shows any more. */
static void purge(struct mailbox *mb)
{
    uint64_t seen = mb->oldest == NULL ? UINT64_MAX : mb->oldest->modseq;
    while (mb->removal_first < mb->removal_count &&
           mb->removals[mb->removal_first].modseq <= seen) {
        uint32_t uid = mb->removals[mb->removal_first++].uid;
        drop_message(mb, &mb->entries[mox__memory_find(mb, uid)]);
        mb->dead++;
    }
    pack(mb);
}

static void view_released(void *user, const struct mox_view *view)
{
    (void)view;
    struct pin *pin = user;
    struct mailbox *mb = pin->mailbox;
    struct memory *m = mb->store;
    pthread_mutex_lock(&m->lock);
    *(pin->older == NULL ? &mb->oldest : &pin->older->newer) = pin->newer;
    *(pin->newer == NULL ? &mb->newest : &pin->newer->older) = pin->older;
    purge(mb);
    forget_if_unseen(mb);
    pthread_mutex_unlock(&m->lock);
    mox__mem_free(&m->env, pin);
}

/* All rows, for a view that cannot be made from another. */
static int whole_view(struct mailbox *mb, const struct mox_view_info *info, struct mox_view **out)
{
    const struct mox_env *env = &mb->store->env;
    struct mox_view_row *rows = mem_new(env, struct mox_view_row, mb->status.messages);
    if (rows == NULL)
        return MOX_ENOMEM;
    uint32_t count = 0;
    for (size_t i = 0; i < mb->count; i++) {
        if (!mb->entries[i].removed)
            rows[count++] = mb->entries[i].row;
    }
    assert(count == mb->status.messages);
    int rc = mox_view_new(out, env, info, rows, count);
    mox__mem_free(env, rows);
    return rc;
}

/* Makes the current view, from the one before if there are edits. */
static int make_view(struct mailbox *mb, const struct edits *edits, struct mox_view **out)
{
    const struct mox_env *env = &mb->store->env;
    struct pin *pin = mem_new(env, struct pin, 1);
    if (pin == NULL)
        return MOX_ENOMEM;
    pin->mailbox = mb;
    pin->modseq = mb->status.modseq;
    const struct mox_view_info info = {
        .size = sizeof info,
        .mailbox = mb->id,
        .uidvalidity = mb->status.uidvalidity,
        .uidnext = mb->status.uidnext,
        .modseq = mb->status.modseq,
        .keywords = (const char *const *)mb->keywords,
        .keyword_count = mb->keyword_count,
        .released = view_released,
        .released_user = pin,
    };
    int rc = edits != NULL ? mox_view_edit(out, mb->view, &info, edits->list, edits->count)
                           : whole_view(mb, &info, out);
    if (rc < 0) {
        mox__mem_free(env, pin);
        return rc;
    }
    pin->older = mb->newest;
    *(pin->older == NULL ? &mb->oldest : &pin->older->newer) = pin;
    mb->newest = pin;
    return MOX_OK;
}

void mox__memory_changed(struct mailbox *mb, uint64_t modseq, struct edits *edits,
                         struct aftermath *after)
{
    mb->status.modseq = modseq;
    if (mb->view != NULL) {
        struct mox_view *now = NULL;
        if (edits->failed || make_view(mb, edits, &now) < 0)
            now = NULL; /* the next who asks for it makes it, or is told that memory is out */
        after->views[after->view_count++] = mb->view;
        mb->view = now;
    }
    after->changed[after->changed_count++] = mb->id;
    mox__mem_free(&mb->store->env, edits->list);
    *edits = (struct edits){0};
    purge(mb);
}

void mox__memory_mailbox_gone(struct mailbox *mb, struct aftermath *after)
{
    after->changed[after->changed_count++] = mb->id;
    mb->gone = true;
    if (mb->view != NULL)
        after->views[after->view_count++] = mb->view;
    mb->view = NULL;
    forget_if_unseen(mb);
}

int mox__memory_view(struct mailbox *mb, struct mox_view **out, struct mox_error *err)
{
    if (mb->view == NULL) {
        int rc = make_view(mb, NULL, &mb->view);
        if (rc < 0)
            return mox__fail(err, rc, "list messages of mailbox: %s", mox_status_text(rc));
    }
    *out = mb->view;
    return MOX_OK;
}
