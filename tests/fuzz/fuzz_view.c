/* SPDX-License-Identifier: MIT */

/* Views made by edits show what an array shows that is edited the plain way, older views stay as they
 * were, and the difference of two of them turns the one into the other. Input: how many rows to begin
 * with, and then edits: a batch is as many UIDs as its first byte says. */

#include <mox/view.h>
#include <stdlib.h>

#include "fuzz/input.h"
#include "mailstore/view.h"
#include "support/testenv.h"

#define ROWS_MAX  6000
#define VIEWS_MAX 8

struct model {
    struct mox_view_row rows[ROWS_MAX];
    uint32_t count, uidnext;
    uint64_t modseq;
};

struct state {
    struct test_env t;
    struct model now;
    struct mox_view *views[VIEWS_MAX];
    struct model *models[VIEWS_MAX];
    size_t count;
};

static struct mox_view_info info_of(const struct model *m)
{
    return (struct mox_view_info){.size = sizeof(struct mox_view_info),
                                  .mailbox = 1,
                                  .uidvalidity = 1,
                                  .uidnext = m->uidnext,
                                  .modseq = m->modseq};
}

static bool same_row(const struct mox_view_row *a, const struct mox_view_row *b)
{
    return a->uid == b->uid && a->flags == b->flags && a->keywords == b->keywords &&
           a->modseq == b->modseq;
}

static void check_view(const struct mox_view *v, const struct model *m)
{
    uint32_t unseen = m->count, n = 0;
    assert(mox_view_count(v) == m->count && mox_view_modseq(v) == m->modseq);
    for (uint32_t i = 0; i < m->count; i += n) {
        const struct mox_view_row *run = mox_view_run(v, i, &n);
        assert(n > 0 && n <= m->count - i && mox_view_row(v, i) == run);
        for (uint32_t k = 0; k < n; k++) {
            assert(same_row(&run[k], &m->rows[i + k]));
            if (unseen == m->count && (m->rows[i + k].flags & MOX_FLAG_SEEN) == 0)
                unseen = i + k;
        }
        assert(mox_view_find(v, run[0].uid) == i);
        assert(mox_view_find(v, run[n - 1].uid + 1) == i + n);
    }
    assert(mox_view_first_unseen(v) == unseen);
    assert(v->run_count <= 1 + m->count / (RUN_JOIN / 2)); /* what mailstore/view.h promises */
}

/* --- the difference --- */

struct patch {
    struct model *from; /* becomes the other */
    uint32_t last_index;
};

static int removed(void *user, uint32_t index, const struct mox_view_row *row)
{
    struct patch *p = user;
    struct model *m = p->from;
    assert(index < p->last_index && index < m->count && same_row(&m->rows[index], row));
    p->last_index = index;
    m->count--;
    memmove(&m->rows[index], &m->rows[index + 1], (m->count - index) * sizeof m->rows[0]);
    return 0;
}

static int changed(void *user, uint32_t index, const struct mox_view_row *before,
                   const struct mox_view_row *now)
{
    struct model *m = ((struct patch *)user)->from;
    assert(index < m->count && same_row(&m->rows[index], before) && !same_row(before, now));
    m->rows[index] = *now;
    return 0;
}

static int added(void *user, uint32_t index, const struct mox_view_row *row)
{
    struct model *m = ((struct patch *)user)->from;
    assert(index == m->count && m->count < ROWS_MAX);
    m->rows[m->count++] = *row;
    return 0;
}

static void check_diff(const struct state *s, size_t from, size_t to)
{
    static const struct mox_view_diff diff = {removed, changed, added};
    struct model *copy = malloc(sizeof *copy);
    assert(copy != NULL);
    *copy = *s->models[from];
    struct patch p = {copy, UINT32_MAX};
    assert(mox_view_diff(s->views[from], s->views[to], &diff, &p) == 0);
    assert(copy->count == s->models[to]->count);
    for (uint32_t i = 0; i < copy->count; i++)
        assert(same_row(&copy->rows[i], &s->models[to]->rows[i]));
    free(copy);
}

/* --- edits --- */

static void keep(struct state *s, struct mox_view *view)
{
    if (s->count == VIEWS_MAX) { /* forget one in the middle */
        size_t at = VIEWS_MAX / 2;
        mox_view_unref(s->views[at]);
        free(s->models[at]);
        s->count--;
        memmove(&s->views[at], &s->views[at + 1], (s->count - at) * sizeof s->views[0]);
        memmove(&s->models[at], &s->models[at + 1], (s->count - at) * sizeof s->models[0]);
    }
    s->views[s->count] = view;
    s->models[s->count] = malloc(sizeof s->now);
    assert(s->models[s->count] != NULL);
    *s->models[s->count++] = s->now;
}

/* The plain way. */
static void apply(struct model *m, const struct mox_view_edit *e)
{
    uint32_t at = 0;
    while (at < m->count && m->rows[at].uid < e->row.uid)
        at++;
    bool there = at < m->count && m->rows[at].uid == e->row.uid;
    if (there && e->remove) {
        m->count--;
        memmove(&m->rows[at], &m->rows[at + 1], (m->count - at) * sizeof m->rows[0]);
    } else if (there) {
        m->rows[at] = e->row;
    } else if (!e->remove && e->row.uid >= m->uidnext && m->count < ROWS_MAX) {
        m->rows[m->count++] = e->row;
    }
}

/* What a store does: it adds no UID that was there before, and this one no more than fit. */
static bool is_allowed(const struct model *m, const struct mox_view_edit *e)
{
    uint32_t last = m->count == 0 ? 0 : m->rows[m->count - 1].uid;
    if (e->remove || e->row.uid <= last)
        return true;
    return e->row.uid >= m->uidnext && m->count + 300u < ROWS_MAX;
}

/* Ascending: known UIDs with gaps, then new ones. */
static size_t read_edits(struct input *in, const struct model *m, struct mox_view_edit *edits)
{
    size_t count = input_byte(in) % 64u, n = 0;
    uint32_t uid = 0;
    bool many = input_byte(in) % 8 == 0;
    for (size_t i = 0; i < count; i++) {
        unsigned what = input_byte(in);
        uid += 1u + (what & 15) * (many ? 200u : 1u);
        if (what % 32 == 31)
            uid = m->uidnext > uid ? m->uidnext : uid;
        edits[n] = (struct mox_view_edit){
            .row = {.uid = uid, .flags = what >> 3 & 9u, .modseq = m->modseq},
            .remove = (what & 16) != 0};
        n += is_allowed(m, &edits[n]);
    }
    return n;
}

static void edit(struct state *s, struct input *in)
{
    struct mox_view_edit edits[64];
    struct mox_view *view = NULL;
    s->now.modseq++;
    size_t n = read_edits(in, &s->now, edits);
    for (size_t i = 0; i < n; i++)
        apply(&s->now, &edits[i]);
    if (n > 0 && edits[n - 1].row.uid >= s->now.uidnext)
        s->now.uidnext = edits[n - 1].row.uid + 1;
    const struct mox_view_info info = info_of(&s->now);
    /* From any of the views of before, as two sessions may: both must not get in each other's way. */
    assert(mox_view_edit(&view, s->views[s->count - 1], &info, edits, n) == MOX_OK);
    keep(s, view);
}

static void begin(struct state *s, unsigned rows)
{
    struct mox_view *view = NULL;
    for (uint32_t i = 0; i < rows; i++)
        s->now.rows[i] = (struct mox_view_row){
            .uid = 1 + i + i / 7, .flags = i % 3 == 0 ? 0 : MOX_FLAG_SEEN, .modseq = 1};
    s->now.count = rows;
    s->now.uidnext = rows + rows / 7 + 1;
    s->now.modseq = 1;
    const struct mox_view_info info = info_of(&s->now);
    assert(mox_view_new(&view, &s->t.env, &info, s->now.rows, rows) == MOX_OK);
    keep(s, view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct state s;
    struct input in = {{data, len}};
    s = (struct state){.count = 0};
    test_env_init(&s.t);
    begin(&s, input_byte(&in) * 17u);
    while (in.rest.len > 0)
        edit(&s, &in);
    for (size_t i = 0; i < s.count; i++)
        check_view(s.views[i], s.models[i]);
    for (size_t i = 1; i < s.count; i++)
        check_diff(&s, i - 1, i);
    check_diff(&s, 0, s.count - 1);
    for (size_t i = 0; i < s.count; i++) {
        mox_view_unref(s.views[i]);
        free(s.models[i]);
    }
    test_env_done(&s.t);
    return 0;
}
