/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/store.h"

/* ---- the list of mailboxes ---- */

struct name_list {
    struct mox_mailboxes pub; /* first: callers have a pointer to it */
    struct mox_env env;
    atomic_int refs;
    char *text; /* what the names point to */
    struct mox_mailbox list[];
};

static void names_count(const struct mox_mailboxes *m, int delta)
{
    struct name_list *n = (struct name_list *)(uintptr_t)m;
    if (atomic_fetch_add(&n->refs, delta) + delta > 0)
        return;
    struct mox_env env = n->env;
    mox__mem_free(&env, n->text);
    mox__mem_free(&env, n);
}

void mox__names_unref(struct name_list *n)
{
    if (n != NULL)
        names_count(&n->pub, -1);
}

const struct mox_mailboxes *mox__names_get(struct name_list *n)
{
    names_count(&n->pub, 1);
    return &n->pub;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct mox_mailbox *)a)->name, ((const struct mox_mailbox *)b)->name);
}

/* Names come from two places: mailboxes in memory, subscriptions in the database. A subscription whose
 * name is damaged is left out: no client could name it, and mail goes on; mox_store_verify() tells of it. */
struct gather {
    struct mox_account *a;
    struct name_list *list; /* NULL while counting */
    size_t count, bytes;
    size_t boxes; /* how many of the list are mailboxes, sorted */
};

static void gather(struct gather *g, const struct mox_mailbox *m)
{
    size_t len = strlen(m->name) + 1;
    if (g->list != NULL) {
        struct mox_mailbox *to = &g->list->list[g->count];
        *to = *m;
        to->name = memcpy(g->list->text + g->bytes, m->name, len);
    }
    g->count++;
    g->bytes += len;
}

static void gather_boxes(struct gather *g)
{
    for (size_t i = 0; i < g->a->box_count; i++) {
        const struct box *b = g->a->boxes[i];
        if (b->next.live && !box_is_hidden(b))
            gather(g, &(struct mox_mailbox){.id = b->id,
                                            .name = b->name,
                                            .uidvalidity = b->uidvalidity,
                                            .special_use = b->next.special_use});
    }
    g->boxes = g->count;
    if (g->list != NULL && g->count > 0)
        qsort(g->list->list, g->count, sizeof g->list->list[0], by_name);
}

static void gather_subscriptions(struct gather *g)
{
    sqlite3_stmt *s = mox__db_query(&g->a->writer, SQL_SUBSCRIPTION_ALL, NULL, 0);
    while (mox__db_step(&g->a->writer, s)) {
        struct mox_mailbox m = {.name = mox__db_text(s, 0), .subscribed = true};
        if (m.name == NULL || !mox__slice_is_utf8(slice_of(m.name)))
            continue;
        struct mox_mailbox *box = NULL;
        if (g->list != NULL && g->boxes > 0)
            box = bsearch(&m, g->list->list, g->boxes, sizeof m, by_name);
        if (box != NULL)
            box->subscribed = true;
        else
            gather(g, &m);
    }
}

int mox__names_build(struct mox_account *a, struct name_list **out)
{
    *out = NULL;
    struct gather g = {.a = a};
    gather_boxes(&g);
    gather_subscriptions(&g); /* counts those of mailboxes too: room to spare */
    struct name_list *n = mox__calloc(a->env, 1, sizeof *n + g.count * sizeof(struct mox_mailbox));
    char *text = mox__calloc(a->env, g.bytes, 1);
    if (n == NULL || text == NULL || a->writer.status < 0) {
        mox__mem_free(a->env, n);
        mox__mem_free(a->env, text);
        return mox__db_fail(&a->writer, MOX_ENOMEM, "list the mailboxes");
    }
    n->env = *a->env;
    n->text = text;
    atomic_init(&n->refs, 1);
    g = (struct gather){.a = a, .list = n};
    gather_boxes(&g);
    gather_subscriptions(&g);
    if (g.count > 0)
        qsort(n->list, g.count, sizeof n->list[0], by_name);
    n->pub = (struct mox_mailboxes){
        .count = g.count, .list = n->list, .version = a->modseq, .ref = names_count};
    *out = n;
    return a->writer.status;
}

/* ---- watches ---- */

void mox__watch(void *self, struct mox_watch *w)
{
    struct mox_account *a = self;
    pthread_mutex_lock(&a->watch_lock);
    w->prev = NULL;
    w->next = a->watches;
    if (w->next != NULL)
        w->next->prev = w;
    a->watches = w;
    pthread_mutex_unlock(&a->watch_lock);
}

void mox__unwatch(void *self, struct mox_watch *w)
{
    struct mox_account *a = self;
    pthread_mutex_lock(&a->watch_lock);
    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        a->watches = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    pthread_mutex_unlock(&a->watch_lock);
}

static void notify(struct mox_account *a, uint64_t mailbox)
{
    for (struct mox_watch *w = a->watches; w != NULL;) {
        struct mox_watch *next = w->next;
        w->changed(w, mailbox);
        w = next;
    }
}

/* ---- after the commit ---- */

static int by_uid(const void *x, const void *y)
{
    const struct mox_view_edit *a = x, *b = y;
    return a->row.uid < b->row.uid ? -1 : a->row.uid > b->row.uid;
}

/* Several edits of a UID: the last counts. Modseqs tell the order, which qsort() may lose; a
 * removal has no modseq and is always the last. */
static void sort_edits(struct box *b)
{
    if (!b->edits_unsorted)
        return;
    b->edits_unsorted = false;
    qsort(b->edits, b->edit_count, sizeof b->edits[0], by_uid);
    size_t kept = 0;
    for (size_t i = 0; i < b->edit_count; i++) {
        struct mox_view_edit *last = kept > 0 ? &b->edits[kept - 1] : NULL;
        if (last == NULL || last->row.uid != b->edits[i].row.uid)
            b->edits[kept++] = b->edits[i];
        else if (!last->remove && (b->edits[i].remove || b->edits[i].row.modseq > last->row.modseq))
            *last = b->edits[i];
    }
    b->edit_count = kept;
}

int mox__publish_prepare(struct mox_account *a)
{
    if (a->names_changed)
        (void)mox__names_build(a, &a->new_names);
    for (size_t i = 0; i < a->box_count; i++)
        if (a->boxes[i]->dirty)
            sort_edits(a->boxes[i]);
    return a->writer.status;
}

void mox__publish_discard(struct mox_account *a)
{
    mox__names_unref(a->new_names);
    a->new_names = NULL;
    a->names_changed = false;
    a->learn_first = 0;
    for (size_t i = 0; i < a->box_count; i++) {
        struct box *b = a->boxes[i];
        mox__box_forget_edits(b);
    }
}

/* Under the account's lock: what the transaction made of one mailbox is what readers see. */
static void show_box(struct box *b)
{
    b->shown = b->edit_count > 0 || b->now.modseq != b->next.modseq ||
               b->now.keyword_count != b->next.keyword_count || b->now.live != b->next.live;
    uint32_t recent = b->now.live ? b->now.recent_from : b->next.recent_from;
    b->recent_dirty = recent != b->next.recent_from; /* moved on since it was written */
    b->now = b->next;
    b->published = true;
    b->now.recent_from = recent;
    if (b->shown)
        mox__view_advance(b, b->edits, b->edit_count);
    mox__erase_check(b);
}

static void show(struct mox_account *a)
{
    struct name_list *old = NULL;
    bool wake_loader = false;
    pthread_mutex_lock(&a->lock);
    mox__learn_note(a); /* first: what is removed now must not be erased */
    for (size_t i = 0; i < a->box_count; i++) {
        if (!a->boxes[i]->dirty)
            continue;
        show_box(a->boxes[i]);
        wake_loader = wake_loader || a->boxes[i]->loading;
    }
    if (a->new_names != NULL) {
        old = a->names;
        a->names = a->new_names;
        a->new_names = NULL;
    }
    if (wake_loader)
        pthread_cond_broadcast(&a->loaded);
    pthread_mutex_unlock(&a->lock);
    mox__names_unref(old);
}

static void tell_watches(struct mox_account *a)
{
    pthread_mutex_lock(&a->watch_lock);
    if (a->names_changed)
        notify(a, 0);
    for (size_t i = 0; i < a->box_count; i++)
        if (a->boxes[i]->dirty && a->boxes[i]->shown)
            notify(a, a->boxes[i]->id);
    pthread_mutex_unlock(&a->watch_lock);
}

/* Whole transactions, one after the other: only the committer publishes. */
void mox__publish(struct mox_account *a)
{
    bool learns = a->learn_first != 0;
    show(a);
    tell_watches(a);
    if (learns)
        mox__trainer_wake(a->filter);
    for (size_t i = 0; i < a->box_count; i++) {
        struct box *b = a->boxes[i];
        if (!b->dirty)
            continue;
        b->dirty = false;
        mox__box_forget_edits(b);
        mox_view_unref(b->drop[0]); /* no lock is held: the last reference takes it */
        mox_view_unref(b->drop[1]);
        b->drop[0] = b->drop[1] = NULL;
    }
    a->names_changed = false;
}
