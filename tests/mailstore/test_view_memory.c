/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "mailstore/model.h"
#include "support/cm.h"

/* What views share, and what they cost. */

static int count_told(void *user, uint32_t index, const struct mox_view_row *row)
{
    (void)index;
    (void)row;
    (*(size_t *)user)++;
    return 0;
}

static int count_changed(void *user, uint32_t index, const struct mox_view_row *before,
                         const struct mox_view_row *now)
{
    (void)before;
    return count_told(user, index, now);
}

static void a_change_shares_what_it_does_not_touch(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static const struct {
        struct mox_view_edit edit;
        size_t most; /* bytes */
    } cases[] = {
        {{.row = {.uid = 50000, .flags = MOX_FLAG_SEEN, .modseq = 2}}, 40000},
        {{.row = {.uid = 1, .modseq = 2}}, 40000},
        {{.row = {.uid = 99999}, .remove = true}, 40000},
        {{.row = {.uid = COUNT + 1, .modseq = 2}}, 40000},
    };
    struct test_env t;
    test_env_init(&t);
    struct mox_view *base = large_view(&t, COUNT);
    size_t before = t.live_bytes;
    assert_true(before >= COUNT * sizeof(struct mox_view_row));
    assert_true(before < COUNT * sizeof(struct mox_view_row) * 11 / 10);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mox_view_info info = {.size = sizeof info, .uidnext = COUNT + 2, .modseq = 2};
        static const struct mox_view_diff count = {count_told, count_changed, count_told};
        struct mox_view *view = NULL;
        assert_int_equal(mox_view_edit(&view, base, &info, &cases[i].edit, 1), MOX_OK);
        assert_true(t.live_bytes - before < cases[i].most);
        size_t told = 0;
        assert_int_equal(mox_view_diff(base, view, &count, &told), 0);
        assert_int_equal(told, 1);
        mox_view_unref(view);
        assert_int_equal(t.live_bytes, before);
    }
    mox_view_unref(base);
    test_env_done(&t);
}

/* Thousands of views one after the other, all held: each may cost its list of runs, not its rows.
 */
static void a_message_after_the_other_fills_the_same_memory(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    struct test_env t;
    test_env_init(&t);
    struct mox_view **views = calloc(COUNT + 1, sizeof views[0]);
    assert_non_null(views);
    views[0] = large_view(&t, 0);
    for (uint32_t i = 1; i <= COUNT; i++) {
        const struct mox_view_edit edit = {.row = {.uid = i, .modseq = i + 1}};
        const struct mox_view_info info = {.size = sizeof info, .uidnext = i + 1, .modseq = i + 1};
        assert_int_equal(mox_view_edit(&views[i], views[i - 1], &info, &edit, 1), MOX_OK);
    }
    for (uint32_t i = 0; i <= COUNT; i++)
        assert_int_equal(mox_view_count(views[i]), i);
    assert_true(t.live_bytes < COUNT * (size_t)800);
    for (uint32_t i = 0; i <= COUNT; i++)
        mox_view_unref(views[i]);
    free(views);
    test_env_done(&t);
}

/* Every keep-th message of very many stays: once the rest has gone in one edit, once in pieces that
 * each touch a few runs, after each of which the rows must be right. */
static void a_mailbox_that_was_thinned_out_costs_what_it_keeps(void **state)
{
    (void)state;
    enum { COUNT = 60000, ROW_BYTES = sizeof(struct mox_view_row) };
    static const uint32_t keeps[] = {7, 300, 1000, 5000, COUNT}, pieces[] = {COUNT, 3000, 997};
    static struct mox_view_edit edits[COUNT];
    struct test_env t;
    test_env_init(&t);
    struct mox_view *full = large_view(&t, COUNT);
    const size_t before = (size_t)t.live_bytes;
    for (size_t k = 0; k < 5 * 3; k++) {
        uint32_t keep = keeps[k / 3], piece = pieces[k % 3], kept = 0;
        const struct mox_view_info info = {.size = sizeof info, .uidnext = COUNT + 1, .modseq = 2};
        struct mox_view *view = mox_view_ref(full), *next = NULL;
        for (uint32_t uid = 1; uid <= COUNT; view = next) {
            size_t n = 0;
            for (uint32_t end = uid + piece; uid < end && uid <= COUNT; uid++)
                if (uid % keep != 0)
                    edits[n++] = (struct mox_view_edit){.row.uid = uid, .remove = true};
            assert_int_equal(mox_view_edit(&next, view, &info, edits, n), MOX_OK);
            mox_view_unref(view);
        }
        kept = mox_view_count(view);
        assert_int_equal(kept, COUNT / keep);
        for (uint32_t i = 0; i < kept; i++)
            assert_int_equal(mox_view_row(view, i)->uid, (i + 1) * keep);
        assert_int_equal(mox_view_first_unseen(view), 0);
        size_t rows = 2 * kept + 16 * (1 + kept / 256);
        assert_true((size_t)t.live_bytes - before < rows * ROW_BYTES + 3000 + kept / 4);
        mox_view_unref(view);
    }
    mox_view_unref(full);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_shares_what_it_does_not_touch),
        cmocka_unit_test(a_message_after_the_other_fills_the_same_memory),
        cmocka_unit_test(a_mailbox_that_was_thinned_out_costs_what_it_keeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
