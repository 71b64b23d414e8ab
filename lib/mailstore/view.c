/* SPDX-License-Identifier: MIT */
/* Reading a view. */
#include "mailstore/view.h"

#include <assert.h>

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
            if (view_row_unseen(&r->chunk->rows[k]))
                return r->start + k;
    }
    return v->count;
}
