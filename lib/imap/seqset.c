/* SPDX-License-Identifier: MIT */
#include "imap/seqset.h"

#include <stdlib.h>

#include "base/text.h"

/* seq-number: nz-number or "*", which is 0 here. */
static bool take_number(struct mox_slice text, size_t *at, uint32_t *out)
{
    if (*at < text.len && text.data[*at] == '*') {
        *at += 1;
        *out = 0;
        return true;
    }
    size_t start = *at;
    while (*at < text.len && is_digit(text.data[*at]))
        *at += 1;
    uint64_t n = 0;
    if (!mox__slice_uint(slice(text.data + start, *at - start), UINT32_MAX, &n) || n == 0)
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool take_range(struct mox_slice text, size_t *at, struct seqset_range *out)
{
    if (!take_number(text, at, &out->first))
        return false;
    out->last = out->first;
    if (*at == text.len || text.data[*at] != ':')
        return true;
    *at += 1;
    return take_number(text, at, &out->last);
}

int mox__seqset_parse(struct seqset *out, struct arena *a, struct mox_slice text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == ',';
    *out = (struct seqset){.ranges = arena_new(a, struct seqset_range, count)};
    if (out->ranges == NULL)
        return MOX_ENOMEM;

    size_t at = 0;
    while (out->count < count) {
        if (out->count > 0 && (at == text.len || text.data[at++] != ','))
            return MOX_ESYNTAX;
        if (!take_range(text, &at, &out->ranges[out->count]))
            return MOX_ESYNTAX;
        out->count++;
    }
    return at == text.len ? MOX_OK : MOX_ESYNTAX;
}

/* first <= last, with "*" resolved. */
static struct seqset_range ordered(struct seqset_range r, uint32_t star)
{
    if (r.first == 0)
        r.first = star;
    if (r.last == 0)
        r.last = star;
    return r.first <= r.last ? r : (struct seqset_range){r.last, r.first};
}

static int resolve(struct row_range *out, struct seqset_range r, enum seqset_kind kind,
                   const struct mox_view *view)
{
    uint32_t count = mox_view_count(view);
    *out = (struct row_range){0, 0};
    if (count == 0)
        return kind == SEQSET_SEQUENCE ? MOX_EINVAL : MOX_OK;
    if (kind == SEQSET_UID) {
        r = ordered(r, mox_view_row(view, count - 1)->uid);
        out->first = mox_view_find(view, r.first);
        out->end = r.last == UINT32_MAX ? count : mox_view_find(view, r.last + 1);
        return MOX_OK;
    }
    r = ordered(r, count);
    if (r.last > count && kind == SEQSET_SEQUENCE)
        return MOX_EINVAL;
    if (r.first > count)
        return MOX_OK;
    *out = (struct row_range){r.first - 1, r.last < count ? r.last : count};
    return MOX_OK;
}

static int by_first(const void *a, const void *b)
{
    const struct row_range *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Joins sorted ranges that overlap or touch. */
static void merge(struct row_set *set)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        struct row_range r = set->ranges[i];
        if (r.first >= r.end)
            continue;
        if (kept > 0 && r.first <= set->ranges[kept - 1].end) {
            if (r.end > set->ranges[kept - 1].end)
                set->ranges[kept - 1].end = r.end;
            continue;
        }
        set->ranges[kept++] = r;
    }
    set->count = kept;
    set->rows = 0;
    for (size_t i = 0; i < kept; i++)
        set->rows += set->ranges[i].end - set->ranges[i].first;
}

int mox__seqset_rows(struct row_set *out, struct arena *a, const struct seqset *set,
                     enum seqset_kind kind, const struct mox_view *view)
{
    *out = (struct row_set){.ranges = arena_new(a, struct row_range, set->count)};
    if (out->ranges == NULL)
        return MOX_ENOMEM;
    bool sorted = true;
    for (size_t i = 0; i < set->count; i++) {
        int rc = resolve(&out->ranges[i], set->ranges[i], kind, view);
        if (rc < 0)
            return rc;
        sorted = sorted && (i == 0 || out->ranges[i - 1].first <= out->ranges[i].first);
    }
    out->count = set->count;
    if (!sorted)
        qsort(out->ranges, out->count, sizeof out->ranges[0], by_first);
    merge(out);
    return MOX_OK;
}

bool mox__row_set_has(const struct row_set *set, uint32_t index)
{
    size_t low = 0, high = set->count; /* the first range that ends behind the index */
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (set->ranges[mid].end <= index)
            low = mid + 1;
        else
            high = mid;
    }
    return low < set->count && set->ranges[low].first <= index;
}

struct mox_uid_range *mox__row_set_uids(struct arena *a, const struct row_set *set,
                                        const struct mox_view *view)
{
    struct mox_uid_range *uids = arena_new(a, struct mox_uid_range, set->count + 1);
    for (size_t i = 0; uids != NULL && i < set->count; i++) {
        uids[i].first = mox_view_row(view, set->ranges[i].first)->uid;
        uids[i].last = mox_view_row(view, set->ranges[i].end - 1)->uid;
    }
    return uids;
}

void mox__row_set_begin(struct row_set_builder *b, struct arena *a)
{
    *b = (struct row_set_builder){.arena = a};
}

/* Doubling in an arena costs at most as much again as the set itself. */
static bool grow(struct row_set_builder *b)
{
    size_t cap = b->cap == 0 ? 16 : b->cap * 2;
    struct row_range *ranges = arena_new(b->arena, struct row_range, cap);
    if (ranges == NULL) {
        b->failed = true;
        return false;
    }
    if (b->set.count > 0)
        memcpy(ranges, b->set.ranges, b->set.count * sizeof ranges[0]);
    b->set.ranges = ranges;
    b->cap = cap;
    return true;
}

void mox__row_set_add(struct row_set_builder *b, uint32_t index)
{
    struct row_set *set = &b->set;
    if (b->failed)
        return;
    if (set->count > 0 && set->ranges[set->count - 1].end == index) {
        set->ranges[set->count - 1].end++;
    } else {
        if (set->count == b->cap && !grow(b))
            return;
        set->ranges[set->count++] = (struct row_range){index, index + 1};
    }
    set->rows++;
}
