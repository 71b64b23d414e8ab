/* SPDX-License-Identifier: MIT */

/* A set of messages names the rows that its elements name one by one. Input: the view's rows as gaps
 * between UIDs, up to a NUL, and the set. */

#include "fuzz/input.h"
#include "imap/seqset.h"

#define ROWS_MAX 64

static struct mox_view *view_of(const struct mox_env *env, struct mox_slice gaps)
{
    struct mox_view_row rows[ROWS_MAX] = {0};
    struct mox_view *view = NULL;
    uint32_t count = 0, uid = 0;
    for (size_t i = 0; i < gaps.len && count < ROWS_MAX; i++) {
        /* Some gaps are large, and the last UID may be the last there is. */
        uid += gaps.data[i] < 250 ? gaps.data[i] : UINT32_C(1) << 29;
        if (count > 0 && uid <= rows[count - 1].uid)
            break;
        rows[count++].uid = uid;
    }
    if (count > 0 && gaps.data[0] == 249)
        rows[count - 1].uid = UINT32_MAX;
    const struct mox_view_info info = {.size = sizeof info, .mailbox = 1, .uidnext = uid + 1};
    assert(mox_view_new(&view, env, &info, rows, count) == MOX_OK);
    return view;
}

/* Whether one element names a number that lies at `number`, of `last` at most. */
static bool element_has(struct seqset_range r, uint32_t last, uint32_t number)
{
    uint32_t a = r.first == 0 ? last : r.first, b = r.last == 0 ? last : r.last;
    return (a <= number && number <= b) || (b <= number && number <= a);
}

static void check_rows(struct arena *a, const struct seqset *set, enum seqset_kind kind,
                       const struct mox_view *view)
{
    struct row_set rows;
    uint32_t count = mox_view_count(view), found = 0;
    uint32_t last = kind != SEQSET_UID ? count
                    : count == 0       ? 0
                                       : mox_view_row(view, count - 1)->uid;
    bool beyond = count == 0;
    for (size_t i = 0; i < set->count; i++)
        beyond = beyond || set->ranges[i].first > count || set->ranges[i].last > count;
    int rc = mox__seqset_rows(&rows, a, set, kind, view);
    assert(rc == (kind == SEQSET_SEQUENCE && beyond ? MOX_EINVAL : MOX_OK));
    if (rc < 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = kind == SEQSET_UID ? mox_view_row(view, i)->uid : i + 1;
        bool named = false;
        for (size_t k = 0; k < set->count; k++)
            named = named || element_has(set->ranges[k], last, number);
        assert(mox__row_set_has(&rows, i) == named);
        found += named;
    }
    assert(rows.rows == found);
    struct mox_uid_range *uids = mox__row_set_uids(a, &rows, view);
    for (size_t i = 0; i < rows.count; i++) {
        assert(rows.ranges[i].first < rows.ranges[i].end && rows.ranges[i].end <= count);
        assert(i == 0 || rows.ranges[i - 1].end < rows.ranges[i].first);
        assert(uids[i].first <= uids[i].last);
        assert(mox_view_find(view, uids[i].first) == rows.ranges[i].first);
    }
}

/* As a set is written; the reader takes it for the same. */
static void check_written(struct arena *a, const struct seqset *set)
{
    struct buf text;
    struct seqset again;
    mox__buf_init(&text, a->env, SIZE_MAX / 2);
    for (size_t i = 0; i < set->count; i++) {
        mox__buf_text(&text, i == 0 ? "" : ",");
        mox__buf_printf(&text, set->ranges[i].first == 0 ? "*:" : "%u:", set->ranges[i].first);
        mox__buf_printf(&text, set->ranges[i].last == 0 ? "*" : "%u", set->ranges[i].last);
    }
    assert(mox__seqset_parse(&again, a, buf_bytes(&text)) == MOX_OK && again.count == set->count);
    for (size_t i = 0; i < set->count; i++)
        assert(again.ranges[i].first == set->ranges[i].first &&
               again.ranges[i].last == set->ranges[i].last);
    mox__buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct arena a;
    struct seqset set;
    struct input in = {{data, len}};
    mox_env_system(&env);
    mox__arena_init(&a, &env, SIZE_MAX / 2);
    struct mox_view *view = view_of(&env, input_until(&in, 0));
    int rc = mox__seqset_parse(&set, &a, in.rest);
    assert(rc == MOX_OK || rc == MOX_ESYNTAX);
    if (rc == MOX_OK) {
        check_written(&a, &set);
        for (int kind = SEQSET_SEQUENCE; kind <= SEQSET_UID; kind++)
            check_rows(&a, &set, (enum seqset_kind)kind, view);
    }
    mox_view_unref(view);
    mox__arena_reset(&a);
    return 0;
}
