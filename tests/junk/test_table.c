/* SPDX-License-Identifier: MIT */
#include "junk/table.h"

#include "support/cm.h"
#include "support/testenv.h"

/* Numbers by key. */

#define ROWS 10000

static void put(struct junk_table *t, uint64_t key, int32_t hams)
{
    struct junk_row *row;
    assert_int_equal(mox__junk_table_row(t, key, &row), MOX_OK);
    row->hams = hams;
}

static void numbers_are_found_while_it_grows(void **state)
{
    struct test_env e;
    struct junk_table t;
    (void)state;
    test_env_init(&e);
    mox__junk_table_init(&t, &e.env, 1 << 20);
    assert_null(mox__junk_table_find(&t, 5));
    for (int32_t i = 1; i <= ROWS; i++)
        put(&t, (uint64_t)i << 50 | (uint64_t)i, i);
    for (int32_t i = 1; i <= ROWS; i++)
        assert_int_equal(mox__junk_table_find(&t, (uint64_t)i << 50 | (uint64_t)i)->hams, i);
    assert_null(mox__junk_table_find(&t, 5));
    assert_int_equal(t.used, ROWS);
    mox__junk_table_clear(&t);
    assert_null(mox__junk_table_find(&t, UINT64_C(1) << 50 | 1));
    mox__junk_table_free(&t);
    test_env_done(&e);
}

static void it_grows_no_further_than_it_may(void **state)
{
    struct test_env e;
    struct junk_table t;
    struct junk_row *row = NULL;
    uint64_t key = 1;
    int rc;
    (void)state;
    test_env_init(&e);
    mox__junk_table_init(&t, &e.env, 2048);
    while ((rc = mox__junk_table_row(&t, key, &row)) == MOX_OK) {
        row->spams = 1;
        key++;
    }
    assert_int_equal(rc, MOX_ELIMIT);
    assert_int_equal(key, 1 + 2048 / 8 * 7);
    mox__junk_table_free(&t);
    test_env_done(&e);
}

/* The same bits in the middle, or at the end, or at the begin, as who chooses words can have it. */
static void rows_are_not_all_in_one_place_whoever_chooses_keys(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift <= 44; shift += 4) {
        struct test_env e;
        struct junk_table t;
        size_t run = 0, longest = 0;
        test_env_init(&e);
        mox__junk_table_init(&t, &e.env, 1 << 20);
        for (uint64_t i = 0; i < 500; i++)
            put(&t, (i * i << 45) + (UINT64_C(77) << shift) + i % 3, 1);
        for (size_t i = 0; i < t.room; i++) {
            run = t.rows[i].hams == 0 ? 0 : run + 1;
            longest = run > longest ? run : longest;
        }
        assert_in_range(longest, 1, 100);
        mox__junk_table_free(&t);
        test_env_done(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_found_while_it_grows),
        cmocka_unit_test(it_grows_no_further_than_it_may),
        cmocka_unit_test(rows_are_not_all_in_one_place_whoever_chooses_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
