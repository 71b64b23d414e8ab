/* SPDX-License-Identifier: MIT */
#include "mailstore/model.h"

#include <stdlib.h>

#include "support/cm.h"

uint32_t below(struct model *m, uint32_t n)
{
    m->seed = m->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(m->seed >> 33) % n;
}

struct mox_view_info info_of(const struct model *m)
{
    return (struct mox_view_info){.size = sizeof(struct mox_view_info),
                                  .mailbox = 7,
                                  .uidvalidity = 8,
                                  .uidnext = m->uidnext,
                                  .modseq = m->modseq};
}

struct model *model_new(uint32_t count)
{
    struct model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->seed = count + 1;
    m->modseq = 1;
    m->uidnext = 1;
    while (m->count < count) {
        m->rows[m->count++] =
            (struct mox_view_row){.uid = m->uidnext, .flags = below(m, 4), .modseq = 1};
        m->uidnext += 1 + below(m, 2);
    }
    return m;
}

struct mox_view *view_of(const struct test_env *t, const struct model *m)
{
    struct mox_view *view = NULL;
    struct mox_view_info info = info_of(m);
    assert_int_equal(mox_view_new(&view, &t->env, &info, m->rows, m->count), MOX_OK);
    return view;
}

struct mox_view *large_view(struct test_env *t, uint32_t count)
{
    struct mox_view_row *rows = calloc(count, sizeof *rows);
    assert_non_null(rows);
    for (uint32_t i = 0; i < count; i++)
        rows[i] = (struct mox_view_row){.uid = i + 1, .modseq = 1};
    const struct mox_view_info info = {
        .size = sizeof info, .mailbox = 7, .uidvalidity = 8, .uidnext = count + 1, .modseq = 1};
    struct mox_view *view = NULL;
    assert_int_equal(mox_view_new(&view, &t->env, &info, rows, count), MOX_OK);
    free(rows);
    return view;
}

bool same_row(const struct mox_view_row *a, const struct mox_view_row *b)
{
    return a->uid == b->uid && a->flags == b->flags && a->keywords == b->keywords &&
           a->modseq == b->modseq;
}

void assert_shows(const struct mox_view *view, const struct model *m)
{
    assert_int_equal(mox_view_mailbox(view), 7);
    assert_int_equal(mox_view_uidvalidity(view), 8);
    assert_int_equal(mox_view_uidnext(view), m->uidnext);
    assert_int_equal(mox_view_modseq(view), m->modseq);
    assert_int_equal(mox_view_count(view), m->count);
    uint32_t unseen = m->count, run = 0, at = 0;
    for (uint32_t i = m->count; i-- > 0;) {
        assert_true(same_row(mox_view_row(view, i), &m->rows[i]));
        unseen = (m->rows[i].flags & MOX_FLAG_SEEN) == 0 ? i : unseen;
    }
    assert_int_equal(mox_view_first_unseen(view), unseen);
    for (; at < m->count; at += run) {
        const struct mox_view_row *rows = mox_view_run(view, at, &run);
        assert_true(run > 0 && run <= m->count - at);
        for (uint32_t i = 0; i < run; i++)
            assert_true(same_row(&rows[i], &m->rows[at + i]));
    }
    for (uint32_t i = 0, uid = 0; uid <= m->uidnext + 2; uid += 1 + m->uidnext / 500) {
        while (i < m->count && m->rows[i].uid < uid)
            i++;
        assert_int_equal(mox_view_find(view, uid), i);
    }
    assert_int_equal(mox_view_find(view, UINT32_MAX), m->count);
}
