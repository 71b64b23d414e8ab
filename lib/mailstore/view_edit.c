/* SPDX-License-Identifier: MIT */
/* Making views: from rows, and from another view by edits. */
#include "mailstore/view.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

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

/* ---- runs ---- */

static struct mox_view *view_alloc(const struct mox_env *env, const struct mox_view_info *info,
                                   size_t max_runs)
{
    if (max_runs > (SIZE_MAX - sizeof(struct mox_view)) / sizeof(struct run))
        return NULL;
    struct mox_view *v = mox__realloc(env, NULL, 1, sizeof *v + max_runs * sizeof(struct run));
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

/* Appends to the last run if its chunk has room behind exactly the rows that this view shows. */
static bool append_to_last(struct mox_view *v, const struct mox_view_row *row)
{
    if (v->run_count == 0)
        return false;
    struct run *r = &v->runs[v->run_count - 1];
    unsigned used = r->count;
    if (used >= r->chunk->cap || !atomic_compare_exchange_strong(&r->chunk->used, &used, used + 1))
        return false;
    r->chunk->rows[used] = *row;
    r->count++;
    r->unseen += view_row_unseen(row);
    v->count++;
    return true;
}

/* Appends to the last run, whose chunk has room and is not known to anybody else yet. */
static void fill_last(struct mox_view *v, const struct mox_view_row *rows, uint32_t count)
{
    if (count == 0)
        return;
    struct run *r = &v->runs[v->run_count - 1];
    memcpy(&r->chunk->rows[r->count], rows, count * sizeof rows[0]);
    for (uint32_t i = 0; i < count; i++)
        r->unseen += view_row_unseen(&rows[i]);
    r->count += count;
    v->count += count;
    atomic_init(&r->chunk->used, r->count);
}

static uint32_t room_for(size_t rows)
{
    return rows < CHUNK_MIN / 2    ? CHUNK_MIN
           : rows > CHUNK_ROWS / 2 ? CHUNK_ROWS
                                   : (uint32_t)rows * 2;
}

/* Puts the last `runs` runs into one chunk of their own, with room for more. */
static int gather(struct mox_view *v, uint32_t runs, uint32_t cap)
{
    struct run *into = &v->runs[v->run_count - runs];
    struct chunk *c = chunk_new(&v->env, cap);
    if (c == NULL)
        return MOX_ENOMEM;
    struct run all = {.chunk = c, .start = into->start};
    for (uint32_t i = 0; i < runs; i++) {
        const struct run *r = &into[i];
        memcpy(&c->rows[all.count], r->chunk->rows, r->count * sizeof c->rows[0]);
        all.count += r->count;
        all.unseen += r->unseen;
        chunk_unref(&v->env, r->chunk);
    }
    atomic_init(&c->used, all.count);
    *into = all;
    v->run_count -= runs - 1;
    return MOX_OK;
}

/* To be called after each run that is added: keeps what RUN_JOIN promises. It copies rows only next
 * to a run that was edited or has gone, and no more than RUN_JOIN of them. */
static int join_last(struct mox_view *v)
{
    if (v->run_count < 2)
        return MOX_OK;
    const struct run *last = &v->runs[v->run_count - 1];
    uint32_t rows = last[-1].count + last->count;
    return rows > RUN_JOIN ? MOX_OK : gather(v, 2, room_for(rows));
}

/* A chunk that is full, or whose end another view has filled: a short one is copied to a larger
 * one, so that a mailbox pays for what it holds, and behind a long one comes a new one. */
static int make_room(struct mox_view *v, size_t expected)
{
    uint32_t rows = v->run_count == 0 ? 0 : v->runs[v->run_count - 1].count;
    if (rows == 0 || rows >= RUN_JOIN)
        return add_empty_run(v, room_for(expected));
    return gather(v, 1, room_for(rows + expected));
}

/* `expected`: how many rows are to come, this one included. */
static int append_row(struct mox_view *v, const struct mox_view_row *row, size_t expected)
{
    if (append_to_last(v, row))
        return MOX_OK;
    int rc = make_room(v, expected);
    if (rc == MOX_OK && !append_to_last(v, row))
        rc = MOX_ENOMEM;
    return rc;
}

/* ---- views ---- */

int mox_view_new(struct mox_view **out, const struct mox_env *env, const struct mox_view_info *info,
                 const struct mox_view_row *rows, uint32_t count)
{
    *out = NULL;
    struct mox_view *v = view_alloc(env, info, (size_t)count / CHUNK_ROWS + 2);
    if (v == NULL)
        return MOX_ENOMEM;
    v->keywords = keywords_new(env, info);
    int rc = v->keywords == NULL ? MOX_ENOMEM : MOX_OK;
    for (uint32_t i = 0; i < count && rc == MOX_OK; i += CHUNK_ROWS) {
        rc = add_empty_run(v, room_for(count - i));
        if (rc == MOX_OK)
            fill_last(v, &rows[i], count - i < CHUNK_ROWS ? count - i : CHUNK_ROWS);
    }
    if (rc < 0) {
        view_free(v);
        return rc;
    }
    *out = v;
    return MOX_OK;
}

/* How many of the edits remove a row of the run. */
static uint32_t count_removed(const struct run *r, const struct mox_view_edit *edits, size_t count)
{
    uint32_t removed = 0, i = 0;
    for (size_t e = 0; e < count; e++) {
        while (i < r->count && r->chunk->rows[i].uid < edits[e].row.uid)
            i++;
        if (edits[e].remove && i < r->count && r->chunk->rows[i].uid == edits[e].row.uid)
            removed++;
    }
    return removed;
}

/* The rows of one run with its edits applied, in a chunk of their own. */
static int add_edited_run(struct mox_view *v, const struct run *r,
                          const struct mox_view_edit *edits, size_t count)
{
    uint32_t kept = r->count - count_removed(r, edits, count);
    if (kept == 0)
        return MOX_OK;
    int rc = add_empty_run(v, room_for(kept));
    const struct mox_view_row *rows = r->chunk->rows;
    uint32_t at = 0;
    for (size_t e = 0; e < count && rc == MOX_OK; e++) {
        uint32_t same = at; /* up to the next one that is edited */
        while (same < r->count && rows[same].uid < edits[e].row.uid)
            same++;
        fill_last(v, &rows[at], same - at);
        at = same;
        if (at == r->count || rows[at].uid != edits[e].row.uid)
            continue;
        if (!edits[e].remove)
            fill_last(v, &edits[e].row, 1);
        at++;
    }
    if (rc == MOX_OK)
        fill_last(v, &rows[at], r->count - at);
    return rc;
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
        if (rc == MOX_OK)
            rc = join_last(v);
        if (rc < 0)
            return rc;
        e += n;
    }
    *used = e;
    return MOX_OK;
}

int mox_view_edit(struct mox_view **out, const struct mox_view *base,
                  const struct mox_view_info *info, const struct mox_view_edit *edits, size_t count)
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
