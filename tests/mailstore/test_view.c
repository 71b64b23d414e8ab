/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "mailstore/model.h"
#include "support/cm.h"

#define EDITS_MAX 3000

/* Edits a share of the rows in one stretch or all over, adds some, and names UIDs that are not
 * there. The model follows. */
static size_t random_edits(struct model *m, struct mox_view_edit *edits)
{
    size_t count = 0;
    uint32_t kept = 0, from = below(m, m->count + 1), share = 1 + below(m, 200);
    uint32_t to = below(m, 3) == 0 ? m->count : from + below(m, 30);
    bool purge = below(m, 4) == 0;
    m->modseq++;
    for (uint32_t i = 0; i < m->count; i++) {
        struct mox_view_row row = m->rows[i];
        bool hit = i >= from && i < to && count < EDITS_MAX - 100 && below(m, share) == 0;
        if (hit && row.uid > 1 && i > 0 && m->rows[i - 1].uid + 1 < row.uid && below(m, 5) == 0)
            edits[count++] = (struct mox_view_edit){.row.uid = row.uid - 1, .row.modseq = 99};
        if (hit && (purge || below(m, 3) == 0)) {
            edits[count++] = (struct mox_view_edit){.row.uid = row.uid, .remove = true};
            continue;
        }
        if (hit) {
            row.flags = below(m, 1024);
            row.keywords = below(m, 8);
            row.modseq = m->modseq;
            edits[count++] = (struct mox_view_edit){.row = row};
        }
        m->rows[kept++] = row;
    }
    m->count = kept;
    for (uint32_t n = below(m, 4) == 0 ? below(m, 80) : below(m, 3); n > 0 && m->count < ROWS_MAX;
         n--) {
        struct mox_view_row row = {.uid = m->uidnext, .flags = below(m, 4), .modseq = m->modseq};
        m->uidnext += 1 + below(m, 3);
        m->rows[m->count++] = row;
        edits[count++] = (struct mox_view_edit){.row = row};
    }
    if (below(m, 4) == 0)
        edits[count++] = (struct mox_view_edit){.row.uid = m->uidnext++, .remove = true};
    return count;
}

/* The old view's rows becoming the new one's by what the difference tells. */
struct replay {
    const struct mox_view *before, *now;
    struct model *rows;
    uint32_t last_removed, last_changed, kept;
    unsigned phase; /* 0 removed, 1 changed, 2 added */
    size_t told;
};

static int replay_removed(void *user, uint32_t index, const struct mox_view_row *row)
{
    struct replay *r = user;
    struct model *m = r->rows;
    assert_int_equal(r->phase, 0);
    assert_true(index < r->last_removed);
    r->last_removed = index;
    assert_true(same_row(row, mox_view_row(r->before, index)));
    memmove(&m->rows[index], &m->rows[index + 1], (m->count - index - 1) * sizeof m->rows[0]);
    m->count--;
    r->told++;
    return 0;
}

static int replay_changed(void *user, uint32_t index, const struct mox_view_row *before,
                          const struct mox_view_row *now)
{
    struct replay *r = user;
    assert_true(r->phase <= 1);
    assert_true(r->phase == 0 || index > r->last_changed);
    r->phase = 1;
    r->last_changed = index;
    assert_true(same_row(now, mox_view_row(r->now, index)));
    assert_true(same_row(before, &r->rows->rows[index]));
    assert_false(same_row(before, now));
    r->rows->rows[index] = *now;
    r->told++;
    return 0;
}

static int replay_added(void *user, uint32_t index, const struct mox_view_row *row)
{
    struct replay *r = user;
    r->phase = 2;
    assert_int_equal(index, r->rows->count);
    assert_true(same_row(row, mox_view_row(r->now, index)));
    r->rows->rows[r->rows->count++] = *row;
    r->told++;
    return 0;
}

static const struct mox_view_diff replay = {replay_removed, replay_changed, replay_added};

static void assert_diff_leads_to(const struct mox_view *before, const struct mox_view *now,
                                 const struct model *m)
{
    struct model *rows = calloc(1, sizeof *rows);
    assert_non_null(rows);
    for (; rows->count < mox_view_count(before); rows->count++)
        rows->rows[rows->count] = *mox_view_row(before, rows->count);
    struct replay r = {.before = before, .now = now, .rows = rows, .last_removed = UINT32_MAX};
    assert_int_equal(mox_view_diff(before, now, &replay, &r), 0);
    assert_int_equal(rows->count, m->count);
    for (uint32_t i = 0; i < m->count; i++)
        assert_true(same_row(&rows->rows[i], &m->rows[i]));
    free(rows);
}

static void random_edits_agree_with_an_array(void **state)
{
    (void)state;
    static const uint32_t starts[] = {0, 1, 15, 1023, 1024, 1025, 2048, 9000};
    static struct mox_view_edit edits[EDITS_MAX];
    struct test_env t;
    test_env_init(&t);
    for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
        struct model *m = model_new(starts[s]), *then = model_new(0);
        struct mox_view *view = view_of(&t, m), *old = mox_view_ref(view);
        assert_shows(view, m);
        *then = *m;
        for (int step = 0; step < 120; step++) {
            size_t count = random_edits(m, edits);
            struct mox_view_info info = info_of(m);
            struct mox_view *next = NULL;
            assert_int_equal(mox_view_edit(&next, view, &info, edits, count), MOX_OK);
            assert_shows(next, m);
            assert_diff_leads_to(view, next, m);
            mox_view_unref(view);
            view = next;
            if (step % 10 != 9)
                continue;
            assert_diff_leads_to(old, view, m); /* many edits at once */
            assert_shows(old, then);            /* an old view is as it was */
            mox_view_unref(old);
            old = mox_view_ref(view);
            *then = *m;
        }
        mox_view_unref(old);
        mox_view_unref(view);
        free(then);
        free(m);
    }
    test_env_done(&t);
}

/* Whole stretches go, at the start, in the middle, at the end, and at last everything. */
static void stretches_may_go_whole(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static const uint32_t stretches[][2] = {
        {1025, 2048}, {1, 1024}, {4097, 5000}, {1, COUNT}, {2049, 4096}};
    static struct mox_view_edit edits[COUNT];
    struct test_env t;
    test_env_init(&t);
    struct model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->uidnext = COUNT + 1;
    struct mox_view *base = large_view(&t, COUNT);
    for (size_t i = 0; i < sizeof stretches / sizeof stretches[0]; i++) {
        size_t count = 0;
        for (uint32_t uid = stretches[i][0]; uid <= stretches[i][1]; uid++)
            edits[count++] = (struct mox_view_edit){.row.uid = uid, .remove = true};
        m->count = 0;
        for (uint32_t uid = 1; uid <= COUNT; uid++)
            if (uid < stretches[i][0] || uid > stretches[i][1])
                m->rows[m->count++] = (struct mox_view_row){.uid = uid, .modseq = 1};
        struct mox_view_info info = info_of(m);
        struct mox_view *view = NULL, *more = NULL;
        assert_int_equal(mox_view_edit(&view, base, &info, edits, count), MOX_OK);
        assert_shows(view, m);
        assert_diff_leads_to(base, view, m);
        const struct mox_view_edit edit = {.row = {.uid = COUNT + 1, .modseq = 2}};
        m->rows[m->count++] = edit.row;
        m->uidnext++;
        info.uidnext++;
        assert_int_equal(mox_view_edit(&more, view, &info, &edit, 1), MOX_OK);
        assert_shows(more, m);
        m->uidnext--;
        mox_view_unref(view);
        mox_view_unref(more);
    }
    mox_view_unref(base);
    free(m);
    test_env_done(&t);
}

/* Two views made from one base do not see each other's messages. */
static void branches_of_a_view_stay_apart(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct model *m = model_new(10), *other = model_new(10);
    struct mox_view *base = view_of(&t, m), *one = NULL, *two = NULL;
    struct mox_view_edit edit = {.row = {.uid = m->uidnext++, .flags = 1, .modseq = 2}};
    m->modseq = other->modseq = 2;
    m->rows[m->count++] = edit.row;
    struct mox_view_info info = info_of(m);
    assert_int_equal(mox_view_edit(&one, base, &info, &edit, 1), MOX_OK);
    other->uidnext++;
    edit.row.flags = 2;
    other->rows[other->count++] = edit.row;
    assert_int_equal(mox_view_edit(&two, base, &info, &edit, 1), MOX_OK);
    assert_shows(one, m);
    assert_shows(two, other);
    assert_diff_leads_to(one, two, other);
    mox_view_unref(base);
    mox_view_unref(one);
    assert_shows(two, other);
    mox_view_unref(two);
    free(m);
    free(other);
    test_env_done(&t);
}

static int stop_at_two(void *user, uint32_t index, const struct mox_view_row *row)
{
    (void)index;
    (void)row;
    return ++*(int *)user == 2 ? 42 : 0;
}

static int stop_changed(void *user, uint32_t index, const struct mox_view_row *before,
                        const struct mox_view_row *now)
{
    (void)before;
    return stop_at_two(user, index, now);
}

static void a_difference_stops_when_told(void **state)
{
    (void)state;
    static const struct mox_view_diff functions[] = {
        {.removed = stop_at_two}, {.changed = stop_changed}, {.added = stop_at_two}};
    struct test_env t;
    test_env_init(&t);
    struct mox_view *base = large_view(&t, 10), *view = NULL;
    struct mox_view_edit edits[9];
    for (uint32_t i = 0; i < 9; i++)
        edits[i] = (struct mox_view_edit){.row = {.uid = 3 + i, .modseq = 2}, .remove = i < 3};
    edits[8].row.uid = 12;
    const struct mox_view_info info = {.size = sizeof info, .uidnext = 13, .modseq = 2};
    assert_int_equal(mox_view_edit(&view, base, &info, edits, 9), MOX_OK);
    for (int i = 0; i < 3; i++) {
        int told = 0;
        assert_int_equal(mox_view_diff(base, view, &functions[i], &told), i == 2 ? 0 : 42);
        assert_int_equal(told, i == 2 ? 1 : 2);
    }
    int told = 0;
    assert_int_equal(mox_view_diff(base, view, &(struct mox_view_diff){NULL, NULL, NULL}, NULL), 0);
    assert_int_equal(mox_view_diff(base, base, &functions[0], &told), 0);
    assert_int_equal(told, 0);
    mox_view_unref(view);
    mox_view_unref(base);
    test_env_done(&t);
}

static void keywords_belong_to_the_view(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    char text[] = "red";
    const char *const keywords[] = {text, "blue"};
    struct mox_view_info info = {
        .size = sizeof info, .uidnext = 1, .modseq = 1, .keywords = keywords, .keyword_count = 1};
    struct mox_view *one = NULL, *two = NULL, *three = NULL;
    assert_int_equal(mox_view_new(&one, &t.env, &info, NULL, 0), MOX_OK);
    assert_int_equal(mox_view_edit(&two, one, &info, NULL, 0), MOX_OK);
    info.keyword_count = 2;
    assert_int_equal(mox_view_edit(&three, two, &info, NULL, 0), MOX_OK);
    memset(text, 'x', sizeof text - 1); /* they were copied */
    mox_view_unref(one);
    unsigned count = 0;
    assert_string_equal(mox_view_keywords(two, &count)[0], "red");
    assert_int_equal(count, 1);
    mox_view_unref(two);
    assert_string_equal(mox_view_keywords(three, &count)[0], "red");
    assert_string_equal(mox_view_keywords(three, &count)[1], "blue");
    assert_int_equal(count, 2);
    mox_view_unref(three);
    test_env_done(&t);
}

static void note_release(void *user, const struct mox_view *view)
{
    (void)view;
    (*(int *)user)++;
}

static void release_is_told_once_with_the_last_reference(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    int released = 0;
    const struct mox_view_info info = {.size = sizeof info,
                                       .uidnext = 1,
                                       .modseq = 1,
                                       .released = note_release,
                                       .released_user = &released};
    struct mox_view *one = NULL, *two = NULL;
    assert_int_equal(mox_view_new(&one, &t.env, &info, NULL, 0), MOX_OK);
    assert_ptr_equal(mox_view_ref(one), one);
    assert_int_equal(mox_view_edit(&two, one, &info, NULL, 0), MOX_OK);
    mox_view_unref(one);
    assert_int_equal(released, 0);
    mox_view_unref(one);
    assert_int_equal(released, 1);
    mox_view_unref(two);
    assert_int_equal(released, 2);
    mox_view_unref(NULL);
    test_env_done(&t);
}

static void a_failed_allocation_leaves_nothing_behind(void **state)
{
    (void)state;
    static struct mox_view_edit edits[EDITS_MAX];
    static const char *const keywords[] = {"new"};
    struct test_env t;
    test_env_init(&t);
    struct model *m = model_new(3000), *then = model_new(0);
    struct mox_view *base = view_of(&t, m);
    *then = *m;
    size_t count = 0;
    for (uint64_t seed = 1; count < 50 || m->count >= then->count; seed++) {
        *m = *then;
        m->seed = seed;
        count = random_edits(m, edits);
    }
    int released = 0, rc = MOX_ENOMEM;
    struct mox_view_info info = info_of(m);
    info.keywords = keywords;
    info.keyword_count = 1;
    info.released = note_release;
    info.released_user = &released;
    long live = t.live;
    for (long at = 1; rc == MOX_ENOMEM; at++) {
        struct mox_view *view = base;
        t.allocations = 0;
        t.fail_at = at;
        rc = mox_view_edit(&view, base, &info, edits, count);
        if (rc == MOX_OK) {
            struct model *rows = model_new(0);
            t.fail_at = t.allocations + 1; /* the list of removals */
            struct replay r = {
                .before = base, .now = view, .rows = rows, .last_removed = UINT32_MAX};
            assert_int_equal(mox_view_diff(base, view, &replay, &r), MOX_ENOMEM);
            assert_int_equal(r.told, 0);
            t.fail_at = 0;
            assert_shows(view, m);
            mox_view_unref(view);
            free(rows);
            assert_true(at > 3);
        } else {
            assert_null(view);
        }
        t.fail_at = 0;
        assert_int_equal(released, rc == MOX_OK);
        assert_int_equal(t.live, live);
        assert_shows(base, then);
    }
    assert_int_equal(rc, MOX_OK);
    mox_view_unref(base);
    free(m);
    free(then);
    test_env_done(&t);
}

static void *branch_and_read(void *arg)
{
    struct mox_view *base = arg;
    struct mox_view *view = mox_view_ref(base);
    uint32_t start = mox_view_count(base);
    bool good = true;
    for (uint32_t i = 1; i <= 200 && good; i++) {
        struct mox_view *next = NULL;
        const struct mox_view_edit edit = {
            .row = {.uid = start + i, .keywords = (uintptr_t)&view, .modseq = i}};
        const struct mox_view_info info = {
            .size = sizeof info, .uidnext = start + i + 1, .modseq = i + 1};
        good = mox_view_edit(&next, view, &info, &edit, 1) == MOX_OK;
        if (!good)
            break;
        mox_view_unref(view);
        view = next;
        for (uint32_t k = start; k < start + i; k++)
            good = good && mox_view_row(view, k)->keywords == (uintptr_t)&view;
    }
    mox_view_unref(view);
    mox_view_unref(base);
    return good ? base : NULL;
}

static void threads_may_branch_from_one_view(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct mox_view *base = large_view(&t, 500);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, branch_and_read, mox_view_ref(base)), 0);
    for (int i = 0; i < 4; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
    }
    assert_int_equal(mox_view_count(base), 500);
    mox_view_unref(base);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_edits_agree_with_an_array),
        cmocka_unit_test(stretches_may_go_whole),
        cmocka_unit_test(branches_of_a_view_stay_apart),
        cmocka_unit_test(a_difference_stops_when_told),
        cmocka_unit_test(keywords_belong_to_the_view),
        cmocka_unit_test(release_is_told_once_with_the_last_reference),
        cmocka_unit_test(a_failed_allocation_leaves_nothing_behind),
        cmocka_unit_test(threads_may_branch_from_one_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
