/* SPDX-License-Identifier: MIT */
#include "mailstore/view.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

/* A view is a list of runs. A run is the first `count` rows of a chunk, and chunks are shared between
 * views: a change copies the chunks that it touches, and appending fills the free end of the last
 * chunk, which older views do not look at.
 *
 *   view 1:  [run 0: chunk A, 1024] [run 1: chunk B, 10]
 *   view 2:  [run 0: chunk A, 1024] [run 1: chunk B, 12]      two messages came
 *   view 3:  [run 0: chunk C, 1023] [run 1: chunk B, 12]      one of the first was removed
 */
#define CHUNK_ROWS 1024

struct chunk {
    atomic_uint refs;
    atomic_uint used; /* rows written; only grows. Who moves it on from `count` owns the new rows */
    uint32_t cap;
    struct mox_view_row rows[];
};

struct run {
    struct chunk *chunk;
    uint32_t start; /* index of the first row in the view */
    uint32_t count, unseen;
};

/* The names, shared by views until they change. */
struct keywords {
    atomic_uint refs;
    unsigned count;
    const char *names[MOX_KEYWORDS_MAX];
    char text[]; /* what names point to */
};

struct mox_view {
    struct mox_env env;
    atomic_uint refs;
    struct mox_view_info info;
    struct keywords *keywords;
    uint32_t count, run_count;
    struct run runs[];
};

/* ---- chunks and keywords ---- */

static struct chunk *chunk_new(const struct mox_env *env, uint32_t cap)
{
    struct chunk *c =
        mox__realloc(env, NULL, 1, sizeof *c + (size_t)cap * sizeof(struct mox_view_row));
    if (c == NULL)
        return NULL;
    atomic_init(&c->refs, 1);
    atomic_init(&c->used, 0);
    c->cap = cap;
    return c;
}

static void chunk_unref(const struct mox_env *env, struct chunk *c)
{
    if (atomic_fetch_sub(&c->refs, 1) == 1)
        mox__mem_free(env, c);
}

static bool same_keywords(const struct keywords *k, const struct mox_view_info *info)
{
    if (k->count != info->keyword_count)
        return false;
    for (unsigned i = 0; i < k->count; i++)
        if (strcmp(k->names[i], info->keywords[i]) != 0)
            return false;
    return true;
}

static struct keywords *keywords_new(const struct mox_env *env, const struct mox_view_info *info)
{
    assert(info->keyword_count <= MOX_KEYWORDS_MAX);
    size_t bytes = 0;
    for (unsigned i = 0; i < info->keyword_count; i++)
        bytes += strlen(info->keywords[i]) + 1;
    struct keywords *k = mox__realloc(env, NULL, 1, sizeof *k + bytes);
    if (k == NULL)
        return NULL;
    atomic_init(&k->refs, 1);
    k->count = info->keyword_count;
    char *at = k->text;
    for (unsigned i = 0; i < k->count; i++) {
        size_t len = strlen(info->keywords[i]) + 1;
        memcpy(at, info->keywords[i], len);
        k->names[i] = at;
        at += len;
    }
    return k;
}

static void keywords_unref(const struct mox_env *env, struct keywords *k)
{
    if (k != NULL && atomic_fetch_sub(&k->refs, 1) == 1)
        mox__mem_free(env, k);
}

/* ---- building ---- */

static struct mox_view *view_alloc(const struct mox_env *env, const struct mox_view_info *info,
                                   size_t max_runs)
{
    if (max_runs > (SIZE_MAX - sizeof(struct mox_view)) / sizeof(struct run))
        return NULL;
    struct mox_view *v =
        mox__realloc(env, NULL, 1, sizeof *v + max_runs * sizeof(struct run));
    if (v == NULL)
        return NULL;
    memset(v, 0, sizeof *v);
    v->env = *env;
    atomic_init(&v->refs, 1);
    v->info = *info;
    v->info.keywords = NULL; /* the caller's; ours are in `keywords` */
    return v;
}

/* Frees a view without telling anybody: also one that was never finished. */
static void view_free(struct mox_view *v)
{
    struct mox_env env = v->env;
    for (uint32_t i = 0; i < v->run_count; i++)
        chunk_unref(&env, v->runs[i].chunk);
    keywords_unref(&env, v->keywords);
    mox__mem_free(&env, v);
}

static void add_shared_run(struct mox_view *v, const struct run *r)
{
    atomic_fetch_add(&r->chunk->refs, 1);
    struct run *mine = &v->runs[v->run_count++];
    *mine = *r;
    mine->start = v->count;
    v->count += r->count;
}

static int add_empty_run(struct mox_view *v, uint32_t cap)
{
    struct chunk *c = chunk_new(&v->env, cap);
    if (c == NULL)
        return MOX_ENOMEM;
    v->runs[v->run_count++] = (struct run){.chunk = c, .start = v->count};
    return MOX_OK;
}

static uint32_t is_unseen(const struct mox_view_row *row)
{
    return (row->flags & MOX_FLAG_SEEN) == 0;
}

/* Appends to the last run if its chunk has room behind exactly the rows that this view shows. */
static bool append_to_last(struct mox_view *v, const struct mox_view_row *row)
{
    if (v->run_count == 0)
        return false;
    struct run *r = &v->runs[v->run_count - 1];
    unsigned used = r->count;
    if (used >= r->chunk->cap ||
        !atomic_compare_exchange_strong(&r->chunk->used, &used, used + 1))
        return false;
    r->chunk->rows[used] = *row;
    r->count++;
    r->unseen += is_unseen(row);
    v->count++;
    return true;
}

static int append_row(struct mox_view *v, const struct mox_view_row *row, size_t expected)
{
    if (append_to_last(v, row))
        return MOX_OK;
    /* A small mailbox gets a small chunk, a growing one a full chunk next. */
    size_t cap = v->run_count > 0 || expected > CHUNK_ROWS / 2 ? CHUNK_ROWS
                 : expected < 8                                ? 16
                                                               : expected * 2;
    int rc = add_empty_run(v, (uint32_t)cap);
    if (rc == MOX_OK && !append_to_last(v, row))
        rc = MOX_ENOMEM;
    return rc;
}

int mox_view_new(struct mox_view **out, const struct mox_env *env,
                 const struct mox_view_info *info, const struct mox_view_row *rows,
                 uint32_t count)
{
    *out = NULL;
    struct mox_view *v = view_alloc(env, info, (size_t)count / CHUNK_ROWS + 2);
    if (v == NULL)
        return MOX_ENOMEM;
    v->keywords = keywords_new(env, info);
    int rc = v->keywords == NULL ? MOX_ENOMEM : MOX_OK;
    for (uint32_t i = 0; i < count && rc == MOX_OK; i++)
        rc = append_row(v, &rows[i], count);
    if (rc < 0) {
        view_free(v);
        return rc;
    }
    *out = v;
    return MOX_OK;
}

/* The rows of one run with its edits applied, in a chunk of their own. */
static int add_edited_run(struct mox_view *v, const struct run *r,
                          const struct mox_view_edit *edits, size_t count)
{
    int rc = add_empty_run(v, r->chunk->cap);
    if (rc < 0)
        return rc;
    size_t e = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct mox_view_row *row = &r->chunk->rows[i];
        while (e < count && edits[e].row.uid < row->uid)
            e++;
        bool edited = e < count && edits[e].row.uid == row->uid;
        if (edited && edits[e].remove)
            continue;
        if (!append_to_last(v, edited ? &edits[e].row : row))
            return MOX_ENOMEM;
    }
    if (v->runs[v->run_count - 1].count == 0)
        chunk_unref(&v->env, v->runs[--v->run_count].chunk);
    return MOX_OK;
}

/* Takes over or replaces the runs of base; *used says how many edits are dealt with. */
static int edit_runs(struct mox_view *v, const struct mox_view *base,
                     const struct mox_view_edit *edits, size_t count, size_t *used)
{
    size_t e = 0;
    for (uint32_t i = 0; i < base->run_count; i++) {
        const struct run *r = &base->runs[i];
        uint32_t last = r->chunk->rows[r->count - 1].uid;
        while (e < count && edits[e].row.uid < r->chunk->rows[0].uid)
            e++; /* between two runs: a UID that is not there */
        size_t n = 0;
        while (e + n < count && edits[e + n].row.uid <= last)
            n++;
        int rc = MOX_OK;
        if (n == 0)
            add_shared_run(v, r);
        else
            rc = add_edited_run(v, r, edits + e, n);
        if (rc < 0)
            return rc;
        e += n;
    }
    *used = e;
    return MOX_OK;
}

int mox_view_edit(struct mox_view **out, const struct mox_view *base,
                  const struct mox_view_info *info, const struct mox_view_edit *edits,
                  size_t count)
{
    *out = NULL;
    size_t max_runs = (size_t)base->run_count + count / CHUNK_ROWS + 2;
    struct mox_view *v = view_alloc(&base->env, info, max_runs);
    if (v == NULL)
        return MOX_ENOMEM;
    if (same_keywords(base->keywords, info)) {
        v->keywords = base->keywords;
        atomic_fetch_add(&v->keywords->refs, 1);
    } else {
        v->keywords = keywords_new(&base->env, info);
    }
    size_t e = 0;
    int rc = v->keywords == NULL ? MOX_ENOMEM : edit_runs(v, base, edits, count, &e);
    for (; e < count && rc == MOX_OK; e++)
        if (!edits[e].remove)
            rc = append_row(v, &edits[e].row, count - e);
    if (rc < 0) {
        view_free(v);
        return rc;
    }
    *out = v;
    return MOX_OK;
}

struct mox_view *mox_view_ref(struct mox_view *v)
{
    atomic_fetch_add(&v->refs, 1);
    return v;
}

bool mox__view_try_ref(struct mox_view *v)
{
    unsigned refs = atomic_load(&v->refs);
    while (refs > 0)
        if (atomic_compare_exchange_weak(&v->refs, &refs, refs + 1))
            return true;
    return false;
}

void mox_view_unref(struct mox_view *v)
{
    if (v == NULL || atomic_fetch_sub(&v->refs, 1) != 1)
        return;
    if (v->info.released != NULL)
        v->info.released(v->info.released_user, v);
    view_free(v);
}

/* ---- reading ---- */

uint64_t mox_view_mailbox(const struct mox_view *v)
{
    return v->info.mailbox;
}

uint32_t mox_view_uidvalidity(const struct mox_view *v)
{
    return v->info.uidvalidity;
}

uint32_t mox_view_uidnext(const struct mox_view *v)
{
    return v->info.uidnext;
}

uint64_t mox_view_modseq(const struct mox_view *v)
{
    return v->info.modseq;
}

uint32_t mox_view_count(const struct mox_view *v)
{
    return v->count;
}

const char *const *mox_view_keywords(const struct mox_view *v, unsigned *count)
{
    *count = v->keywords->count;
    return v->keywords->names;
}

/* The last run that starts at or before index; the view is not empty. */
static const struct run *run_of_index(const struct mox_view *v, uint32_t index)
{
    uint32_t low = 0, high = v->run_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (v->runs[middle].start <= index)
            low = middle;
        else
            high = middle;
    }
    return &v->runs[low];
}

const struct mox_view_row *mox_view_row(const struct mox_view *v, uint32_t index)
{
    assert(index < v->count);
    const struct run *r = run_of_index(v, index);
    return &r->chunk->rows[index - r->start];
}

const struct mox_view_row *mox_view_run(const struct mox_view *v, uint32_t index, uint32_t *count)
{
    *count = 0;
    if (index >= v->count)
        return NULL;
    const struct run *r = run_of_index(v, index);
    *count = r->count - (index - r->start);
    return &r->chunk->rows[index - r->start];
}

uint32_t mox_view_find(const struct mox_view *v, uint32_t uid)
{
    uint32_t low = 0, high = v->run_count; /* the first run whose last UID is not below uid */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct run *r = &v->runs[middle];
        if (r->chunk->rows[r->count - 1].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == v->run_count)
        return v->count;
    const struct run *r = &v->runs[low];
    uint32_t from = 0, to = r->count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (r->chunk->rows[middle].uid < uid)
            from = middle + 1;
        else
            to = middle;
    }
    return r->start + from;
}

uint32_t mox_view_first_unseen(const struct mox_view *v)
{
    for (uint32_t i = 0; i < v->run_count; i++) {
        const struct run *r = &v->runs[i];
        for (uint32_t k = 0; r->unseen > 0 && k < r->count; k++)
            if (is_unseen(&r->chunk->rows[k]))
                return r->start + k;
    }
    return v->count;
}

/* ---- differences ---- */

struct visitor {
    int (*removed)(void *user, uint32_t index, const struct mox_view_row *row);
    int (*both)(void *user, uint32_t index, const struct mox_view_row *before,
                const struct mox_view_row *now);
    void *user;
};

struct cursor {
    const struct mox_view *view;
    uint32_t run, row; /* row counts in the run */
};

static const struct run *at_run(const struct cursor *c)
{
    return &c->view->runs[c->run];
}

static const struct mox_view_row *at_row(const struct cursor *c)
{
    return c->run < c->view->run_count ? &at_run(c)->chunk->rows[c->row] : NULL;
}

static void move_on(struct cursor *c, uint32_t rows)
{
    c->row += rows;
    if (c->row < at_run(c)->count)
        return;
    c->row = 0;
    c->run++;
}

/* Rows at the same place of the same chunk are the same: how many of them follow. */
static uint32_t shared_rows(const struct cursor *a, const struct cursor *b)
{
    const struct run *x = at_run(a), *y = at_run(b);
    if (x->chunk != y->chunk || a->row != b->row)
        return 0;
    return (x->count < y->count ? x->count : y->count) - a->row;
}

/* Walks over the rows of `before`, beside those of `now` with the same UID. */
static int walk(const struct mox_view *before, const struct mox_view *now,
                const struct visitor *visit)
{
    struct cursor a = {before, 0, 0}, b = {now, 0, 0};
    int rc = 0;
    while (rc == 0 && at_row(&a) != NULL) {
        const struct mox_view_row *old = at_row(&a), *new = at_row(&b);
        uint32_t same = new != NULL ? shared_rows(&a, &b) : 0;
        if (same > 0) {
            move_on(&a, same);
            move_on(&b, same);
        } else if (new == NULL || old->uid < new->uid) {
            if (visit->removed != NULL)
                rc = visit->removed(visit->user, at_run(&a)->start + a.row, old);
            move_on(&a, 1);
        } else if (new->uid < old->uid) {
            move_on(&b, 1);
        } else {
            if (visit->both != NULL)
                rc = visit->both(visit->user, at_run(&b)->start + b.row, old, new);
            move_on(&a, 1);
            move_on(&b, 1);
        }
    }
    return rc;
}

struct removals {
    const struct mox_env *env;
    uint32_t *index;
    size_t count, cap;
};

static int note_removal(void *user, uint32_t index, const struct mox_view_row *row)
{
    struct removals *r = user;
    (void)row;
    if (r->count == r->cap) {
        size_t cap = r->cap == 0 ? 64 : r->cap * 2;
        uint32_t *grown = mox__realloc(r->env, r->index, cap, sizeof *grown);
        if (grown == NULL)
            return MOX_ENOMEM;
        r->index = grown;
        r->cap = cap;
    }
    r->index[r->count++] = index;
    return 0;
}

static int tell_removed(const struct mox_view *before, const struct mox_view *now,
                        const struct mox_view_diff *diff, void *user)
{
    struct removals found = {.env = &before->env};
    int rc = walk(before, now, &(struct visitor){.removed = note_removal, .user = &found});
    for (size_t i = found.count; rc == 0 && i-- > 0;)
        rc = diff->removed(user, found.index[i], mox_view_row(before, found.index[i]));
    mox__mem_free(&before->env, found.index);
    return rc;
}

struct changes {
    const struct mox_view_diff *diff;
    void *user;
};

static int tell_if_changed(void *user, uint32_t index, const struct mox_view_row *before,
                           const struct mox_view_row *now)
{
    const struct changes *c = user;
    if (before->flags == now->flags && before->keywords == now->keywords &&
        before->modseq == now->modseq)
        return 0;
    return c->diff->changed(c->user, index, before, now);
}

int mox_view_diff(const struct mox_view *before, const struct mox_view *now,
                  const struct mox_view_diff *diff, void *user)
{
    int rc = 0;
    if (before == now)
        return 0;
    if (diff->removed != NULL)
        rc = tell_removed(before, now, diff, user);
    if (rc == 0 && diff->changed != NULL)
        rc = walk(before, now,
                  &(struct visitor){.both = tell_if_changed,
                                    .user = &(struct changes){diff, user}});
    for (uint32_t i = mox_view_find(now, before->info.uidnext);
         rc == 0 && diff->added != NULL && i < now->count; i++)
        rc = diff->added(user, i, mox_view_row(now, i));
    return rc;
}
