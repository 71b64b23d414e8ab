/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "mailstore/view.h"
#include "store/store.h"

/*
 * Views of a mailbox: `live` lists all that anybody has, `current` is the newest. The store keeps
 * no reference to a view that it gave away, so that the last session's goodbye frees it. Only a
 * view that a commit made and nobody was given yet is `owned`; when all older ones are gone, nobody
 * looks at the mailbox any more, and it goes too.
 *
 * A view is loaded without stopping the committer: what it commits meanwhile is kept in `pending`
 * and applied to what was read.
 */

static void released(void *user, const struct mox_view *view)
{
    (void)view;
    struct live_view *v = user;
    struct box *b = v->box;
    struct mox_account *a = b->account;
    struct mox_view *idle = NULL;
    pthread_mutex_lock(&a->lock);
    *v->prev = v->next;
    if (v->next != NULL)
        v->next->prev = v->prev;
    if (b->current == v)
        b->current = NULL;
    if (b->current != NULL && b->owned && b->live == b->current && b->live->next == NULL) {
        idle = b->current->view;
        b->current = NULL;
        b->owned = false;
    }
    mox__erase_check(b);
    pthread_mutex_unlock(&a->lock);
    mox__mem_free(a->env, v);
    mox_view_unref(idle);
}

static struct mox_view_info info_of(struct box *b, struct live_view *v, uint32_t uidnext,
                                    uint64_t modseq)
{
    return (struct mox_view_info){
        .size = sizeof(struct mox_view_info),
        .mailbox = b->id,
        .uidvalidity = b->uidvalidity,
        .uidnext = uidnext,
        .modseq = modseq,
        .keywords = (const char *const *)b->keywords,
        .keyword_count = b->now.keyword_count,
        .released = v == NULL ? NULL : released,
        .released_user = v,
    };
}

/* Under the lock. */
static void set_current(struct box *b, struct live_view *v, struct mox_view *view, bool owned)
{
    v->box = b;
    v->view = view;
    v->modseq = mox_view_modseq(view);
    v->prev = &b->live;
    v->next = b->live;
    if (v->next != NULL)
        v->next->prev = &v->next;
    b->live = v;
    b->current = v;
    b->owned = owned;
}

static void keep_pending(struct box *b, const struct mox_view_edit *edits, size_t count)
{
    const struct mox_env *env = b->account->env;
    struct edit_batch *e = mem_new(env, struct edit_batch, 1);
    struct mox_view_edit *copy = mem_new(env, struct mox_view_edit, count);
    if (e == NULL || copy == NULL) { /* the loader notices the gap and starts over */
        mox__mem_free(env, e);
        mox__mem_free(env, copy);
        return;
    }
    if (count > 0)
        memcpy(copy, edits, count * sizeof *copy);
    *e = (struct edit_batch){
        .edits = copy, .count = count, .uidnext = b->now.uidnext, .modseq = b->now.modseq};
    struct edit_batch **end = &b->pending;
    while (*end != NULL)
        end = &(*end)->next;
    *end = e;
}

void mox__view_advance(struct box *b, struct mox_view_edit *edits, size_t count)
{
    const struct mox_env *env = b->account->env;
    if (b->loading)
        keep_pending(b, edits, count);
    struct live_view *old = b->current;
    if (old == NULL)
        return;
    b->current = NULL;
    if (b->owned)
        b->drop[0] = old->view;
    else if (mox__view_try_ref(old->view))
        b->drop[1] = old->view;
    else
        return; /* its last reference goes this very moment */
    b->owned = false;
    if (!b->now.live)
        return;
    struct live_view *v = mem_new(env, struct live_view, 1);
    if (v == NULL)
        return; /* then the next who asks reads the database */
    struct mox_view_info info = info_of(b, v, b->now.uidnext, b->now.modseq);
    struct mox_view *view = NULL;
    if (mox_view_edit(&view, old->view, &info, edits, count) < 0)
        mox__mem_free(env, v);
    else
        set_current(b, v, view, true);
}

uint64_t mox__view_erasable(const struct box *b)
{
    const struct mox_account *a = b->account;
    uint64_t low = UINT64_MAX;
    if (a->learn_from != 0 && !a->learn_lacks_space)
        low = a->learn_from - 1;
    if (a->relearn_from != 0 && a->relearn_from - 1 < low)
        low = a->relearn_from - 1;
    for (const struct live_view *v = b->live; v != NULL; v = v->next)
        low = v->modseq < low ? v->modseq : low;
    return low;
}

/* ---- loading ---- */

struct loaded {
    struct mox_view_row *rows;
    uint32_t count, cap;
    uint32_t uidnext;
    uint64_t modseq;
    bool found; /* the mailbox's own row */
};

static int add_row(struct mox_account *a, struct loaded *l, sqlite3_stmt *s)
{
    int64_t uid = sqlite3_column_int64(s, 0), last = l->count == 0 ? 0 : l->rows[l->count - 1].uid;
    if (uid <= last || uid > UINT32_MAX)
        return MOX_ECORRUPT;
    if (l->count == l->cap) {
        uint32_t cap = l->cap * 2;
        struct mox_view_row *more = mox__realloc(a->env, l->rows, cap, sizeof *more);
        if (more == NULL)
            return MOX_ENOMEM;
        l->rows = more;
        l->cap = cap;
    }
    l->rows[l->count++] = (struct mox_view_row){
        .uid = (uint32_t)uid,
        .modseq = (uint64_t)sqlite3_column_int64(s, 1),
        .flags = (uint32_t)sqlite3_column_int64(s, 2),
        .keywords = (uint64_t)sqlite3_column_int64(s, 3),
        .bytes = (uint64_t)sqlite3_column_int64(s, 4),
    };
    return MOX_OK;
}

static int read_rows(struct box *b, uint32_t expected, struct loaded *l, struct mox_error *err)
{
    struct mox_account *a = b->account;
    struct reader *r = NULL;
    int rc = mox__reader_take(a, &r, err);
    if (rc < 0)
        return rc;
    l->cap = expected + 64;
    l->rows = mox__realloc(a->env, NULL, l->cap, sizeof l->rows[0]);
    rc = l->rows == NULL ? MOX_ENOMEM : mox__db_run(&r->db, SQL_BEGIN_READ, NULL, 0);
    sqlite3_stmt *s = rc < 0 ? NULL : db_query(&r->db, SQL_MAILBOX_STATE, V_INT(b->id));
    while (mox__db_step(&r->db, s)) {
        l->uidnext = (uint32_t)sqlite3_column_int64(s, 0);
        l->modseq = (uint64_t)sqlite3_column_int64(s, 1);
        l->found = true;
    }
    s = rc < 0 ? NULL : db_query(&r->db, SQL_ENTRY_VIEW, V_INT(b->id));
    while (rc == MOX_OK && mox__db_step(&r->db, s))
        rc = add_row(a, l, s);
    if (s != NULL)
        (void)sqlite3_reset(s);
    rc = rc < 0 ? rc : r->db.status;
    if (rc < 0)
        (void)mox__fail(err, rc, "read a mailbox of account %s: %s", a->name,
                        r->db.status < 0 ? r->db.error.text : mox_status_text(rc));
    mox__db_clear(&r->db);
    (void)mox__db_run(&r->db, SQL_COMMIT, NULL, 0);
    mox__reader_give(a, r);
    return rc;
}

/* Brings what was read up to `now`; under the lock. MOX_ETOOMANY: a batch is missing. */
static int catch_up(struct box *b, struct mox_view **view, struct live_view *v, uint64_t modseq)
{
    for (struct edit_batch *e = b->pending; e != NULL; e = e->next) {
        if (e->modseq <= modseq)
            continue;
        struct mox_view_info info = info_of(b, NULL, e->uidnext, e->modseq);
        struct mox_view *newer = NULL;
        int rc = mox_view_edit(&newer, *view, &info, e->edits, e->count);
        if (rc < 0)
            return rc;
        mox_view_unref(*view);
        *view = newer;
    }
    if (mox_view_modseq(*view) != b->now.modseq)
        return MOX_ETOOMANY;
    struct mox_view_info info = info_of(b, v, b->now.uidnext, b->now.modseq);
    struct mox_view *last = NULL;
    int rc = mox_view_edit(&last, *view, &info, NULL, 0);
    if (rc < 0)
        return rc;
    mox_view_unref(*view);
    *view = last;
    return MOX_OK;
}

static void forget_pending(struct box *b)
{
    const struct mox_env *env = b->account->env;
    while (b->pending != NULL) {
        struct edit_batch *e = b->pending;
        b->pending = e->next;
        mox__mem_free(env, e->edits);
        mox__mem_free(env, e);
    }
}

static int damaged(const struct mox_account *a, struct mox_error *err)
{
    return mox__fail(err, MOX_ECORRUPT, "read a mailbox of account %s: %s", a->name,
                     mox_status_text(MOX_ECORRUPT));
}

/* Under the lock, which it leaves for reading. MOX_ETOOMANY: it must be read once more; *read_at is
 * what was read up to. */
static int load(struct box *b, struct mox_view **out, uint64_t *read_at, struct mox_error *err)
{
    struct mox_account *a = b->account;
    struct loaded l = {0};
    uint32_t expected = b->now.messages;
    b->loading = true;
    pthread_mutex_unlock(&a->lock);
    int rc = read_rows(b, expected, &l, err);
    pthread_mutex_lock(&a->lock);
    while (rc == MOX_OK && l.modseq > b->now.modseq) /* committed, about to be published */
        (void)pthread_cond_wait(&a->loaded, &a->lock);

    struct live_view *v = mem_new(a->env, struct live_view, 1);
    struct mox_view *view = NULL;
    if (rc == MOX_OK && v == NULL)
        rc = MOX_ENOMEM;
    if (rc == MOX_OK && !b->now.live)
        rc = MOX_EGONE;
    if (rc == MOX_OK && !l.found)
        rc = damaged(a, err);
    if (rc == MOX_OK) {
        struct mox_view_info info = info_of(b, NULL, l.uidnext, l.modseq);
        rc = mox_view_new(&view, a->env, &info, l.rows, l.count);
    }
    if (rc == MOX_OK)
        rc = catch_up(b, &view, v, l.modseq);
    if (rc == MOX_ETOOMANY && l.modseq <= *read_at)
        rc = damaged(a, err); /* the change that is missing was committed before this read */
    *read_at = l.modseq;
    if (rc == MOX_OK) {
        set_current(b, v, view, false);
        *out = view;
        view = NULL;
        v = NULL;
    }
    forget_pending(b);
    b->loading = false;
    pthread_cond_broadcast(&a->loaded);
    mox_view_unref(view); /* has no `released` yet */
    mox__mem_free(a->env, v);
    mox__mem_free(a->env, l.rows);
    return rc;
}

/* The current view with a reference for the caller, or NULL; under the lock. */
static struct mox_view *give_current(struct box *b)
{
    if (b->current == NULL)
        return NULL;
    if (b->owned) {
        b->owned = false;
        return b->current->view; /* our reference becomes the caller's */
    }
    return mox__view_try_ref(b->current->view) ? b->current->view : NULL;
}

int mox__view(void *self, uint64_t mailbox, struct mox_view **out, struct mox_error *err)
{
    struct mox_account *a = self;
    *out = NULL;
    pthread_mutex_lock(&a->lock);
    int rc = MOX_ETOOMANY;
    uint64_t read_at = 0;
    while (rc == MOX_ETOOMANY) {
        struct box *b = mox__box_find(a, mailbox);
        if (b == NULL || !b->now.live) {
            rc = MOX_EGONE;
        } else if ((*out = give_current(b)) != NULL) {
            rc = MOX_OK;
        } else if (b->loading) {
            (void)pthread_cond_wait(&a->loaded, &a->lock);
        } else {
            b->current = NULL; /* on its way out, if there was one */
            rc = load(b, out, &read_at, err);
        }
    }
    pthread_mutex_unlock(&a->lock);
    if (rc == MOX_EGONE)
        (void)mox__fail(err, rc, "the mailbox was removed");
    else if (rc == MOX_ENOMEM)
        (void)mox__fail(err, rc, "read a mailbox: out of memory");
    return rc;
}

bool mox__view_ready(void *self, uint64_t mailbox)
{
    struct mox_account *a = self;
    pthread_mutex_lock(&a->lock);
    const struct box *b = mox__box_find(a, mailbox);
    bool ready = b != NULL && (b->current != NULL || !b->now.live);
    pthread_mutex_unlock(&a->lock);
    return ready;
}
