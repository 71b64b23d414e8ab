/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mox/junk_file.h>

#include "base/text.h"
#include "store/junk_page.h"
#include "store/junk_weights.h"
#include "store/storefix.h"
#include "support/cm.h"
#include "support/testenv.h"

struct rig {
    struct test_env t;
    char dir[32], path[64];
    struct mox_junk_params params;
    struct mox_junk_file *file;
    struct mox_junk_db db;
};

static void rig_open(struct rig *r)
{
    assert_int_equal(mox_junk_file_open(&r->file, &r->t.env, r->path, NULL, NULL), MOX_OK);
    r->db = mox_junk_file_db(r->file);
}

static void rig_init(struct rig *r)
{
    test_env_init(&r->t);
    mox_junk_params_init(&r->params);
    strcpy(r->dir, "/tmp/mox-junk-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    (void)snprintf(r->path, sizeof r->path, "%s/junk.db", r->dir);
    rig_open(r);
}

static void rig_done(struct rig *r)
{
    mox_junk_file_close(r->file);
    remove_tree(r->dir);
    test_env_done(&r->t);
}

static int64_t change(struct rig *r, const char *content, bool junk, const int64_t *trace)
{
    struct mox_junk_words *words;
    int64_t out = 0;
    assert_int_equal(mox_junk_words_new(&words, &r->t.env, &r->params, slice_of(content)), MOX_OK);
    if (trace == NULL)
        assert_int_equal(mox_junk_learn(&r->db, &r->params, words, junk, &out, NULL), MOX_OK);
    else
        assert_int_equal(mox_junk_unlearn(&r->db, words, junk, *trace, NULL), MOX_OK);
    mox_junk_words_free(words);
    return out;
}

static double classify(struct rig *r, const struct mox_junk_db *db, const char *content)
{
    struct mox_junk_words *words;
    struct mox_junk_verdict v;
    assert_int_equal(mox_junk_words_new(&words, &r->t.env, &r->params, slice_of(content)), MOX_OK);
    assert_int_equal(mox_junk_classify(db, &r->params, words, &v, NULL), MOX_OK);
    mox_junk_words_free(words);
    return v.probability;
}

/* Different messages, of words that many share. */
static const char *message(char out[200], unsigned n)
{
    static const char *const words[] = {"apple", "banana", "cherry", "damson",
                                        "elder", "figs",   "grape"};
    (void)snprintf(out, 200, "Subject: %s\r\n\r\nsome %s and %s with a%cb%cc%cd\r\n", words[n % 7],
                   words[n / 7 % 7], words[n / 49 % 7], 'a' + (char)(n % 5), 'a' + (char)(n % 11),
                   'a' + (char)(n % 23));
    return out;
}

static void begin(struct rig *r)
{
    assert_int_equal(mox_junk_file_begin(r->file, NULL), MOX_OK);
}

static void commit(struct rig *r)
{
    assert_int_equal(mox_junk_file_commit(r->file, NULL), MOX_OK);
}

static long long rows(struct rig *r, const char *table)
{
    sqlite3 *sql;
    sqlite3_stmt *s;
    char text[100];
    (void)snprintf(text, sizeof text, "SELECT count(*) FROM %s", table);
    assert_int_equal(sqlite3_open(r->path, &sql), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sql, text, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    const long long n = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(sql);
    return n;
}

/* The same messages into a file, in transactions of some, and into memory: no verdict differs, also when
 * it was opened again, nor when it was loaded; forgetting all leaves nothing. */
static void a_file_knows_what_memory_knows(void **state)
{
    (void)state;
    enum { COUNT = 600 };
    struct rig r;
    struct mox_junk_memory *memory, *loaded;
    char text[200];
    static int64_t traces[COUNT];
    rig_init(&r);
    assert_int_equal(mox_junk_memory_new(&memory, &r.t.env, 8 << 20), MOX_OK);
    assert_int_equal(mox_junk_memory_new(&loaded, &r.t.env, 8 << 20), MOX_OK);
    const struct mox_junk_db file_db = r.db, memory_db = mox_junk_memory_db(memory);
    for (unsigned n = 0; n < COUNT; n++) {
        if (n % 50 == 0)
            begin(&r);
        traces[n] = change(&r, message(text, n), n % 3 == 0, NULL);
        r.db = memory_db;
        assert_int_equal(change(&r, message(text, n), n % 3 == 0, NULL), traces[n]);
        r.db = file_db;
        if (n % 50 == 49)
            commit(&r);
    }
    mox_junk_file_close(r.file);
    rig_open(&r);
    assert_int_equal(mox_junk_file_load(r.file, loaded, NULL), MOX_OK);
    const struct mox_junk_db loaded_db = mox_junk_memory_db(loaded);
    for (unsigned n = 0; n < COUNT; n += 7) {
        const double expected = classify(&r, &memory_db, message(text, n));
        assert_true(classify(&r, &r.db, text) == expected);
        assert_true(classify(&r, &loaded_db, text) == expected);
    }
    begin(&r);
    for (unsigned n = 0; n < COUNT; n++)
        (void)change(&r, message(text, n * 7 % COUNT), n * 7 % COUNT % 3 == 0,
                     &traces[n * 7 % COUNT]);
    commit(&r);
    assert_true(classify(&r, &r.db, message(text, 1)) == 0.5);
    assert_int_equal(rows(&r, "page"), 0);
    mox_junk_memory_free(memory);
    mox_junk_memory_free(loaded);
    rig_done(&r);
}

static void what_is_rolled_back_was_never_learned(void **state)
{
    (void)state;
    struct rig r;
    char text[200];
    rig_init(&r);
    begin(&r);
    (void)change(&r, message(text, 1), true, NULL);
    commit(&r);
    const double before = classify(&r, &r.db, message(text, 2));
    begin(&r);
    for (unsigned n = 0; n < 20; n++)
        (void)change(&r, message(text, n), false, NULL);
    mox_junk_file_rollback(r.file);
    assert_true(classify(&r, &r.db, message(text, 2)) == before);
    rig_done(&r);
}

static void learning_needs_a_transaction(void **state)
{
    (void)state;
    struct rig r;
    struct mox_junk_words *words;
    int64_t trace;
    rig_init(&r);
    assert_int_equal(mox_junk_words_new(&words, &r.t.env, &r.params, slice_of("\r\nword\r\n")),
                     MOX_OK);
    assert_int_equal(mox_junk_learn(&r.db, &r.params, words, true, &trace, NULL), MOX_EINVAL);
    mox_junk_words_free(words);
    rig_done(&r);
}

static void other_groups_of_words_are_refused(void **state)
{
    (void)state;
    struct rig r;
    struct mox_junk_file *other;
    struct mox_error err = {0};
    rig_init(&r);
    mox_junk_file_close(r.file);
    r.params.top_words = 20;
    assert_int_equal(mox_junk_file_open(&r.file, &r.t.env, r.path, &r.params, &err), MOX_OK);
    assert_int_equal(mox_junk_file_params(r.file)->top_words, 20);
    r.params.twograms = true;
    assert_int_equal(mox_junk_file_open(&other, &r.t.env, r.path, &r.params, &err), MOX_EINVAL);
    assert_non_null(strstr(err.text, "other groups"));
    rig_done(&r);
}

static void a_damaged_page_is_found(void **state)
{
    static const uint8_t good[] = {0, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2};
    (void)state;
    struct junk_row row;
    struct junk_page page = mox__junk_page(1, slice(good, sizeof good));
    assert_true(mox__junk_page_find(&page, (UINT64_C(1) << JUNK_PAGE_SHIFT) + 9, &row));
    assert_true(row.hams == 0 && row.spams == 2 && !page.damaged);
    for (size_t i = 0; i < 4; i++) {
        uint8_t bad[sizeof good];
        memcpy(bad, good, sizeof good);
        if (i == 0)
            bad[15] = 5; /* the same key again */
        if (i == 1)
            bad[7] = 0; /* zeros are no row */
        if (i == 2)
            bad[0] = 0xff; /* not of this page */
        page = mox__junk_page(1, slice(bad, i == 3 ? sizeof bad - 1 : sizeof bad)); /* or cut */
        while (mox__junk_page_next(&page, &row)) {
        }
        assert_true(page.damaged);
    }
}

static void places_come_back_sorted(void **state)
{
    static const uint32_t places[] = {70000, 0, 5, MOX_JUNK_WEIGHTS - 1, 64, 63};
    static const uint32_t sorted[] = {0, 5, 63, 64, 70000, MOX_JUNK_WEIGHTS - 1};
    (void)state;
    struct test_env t;
    struct buf bytes;
    uint32_t out[64];
    size_t count;
    test_env_init(&t);
    mox__buf_init(&bytes, &t.env, 1000);
    mox__junk_places_encode(&bytes, places, 6);
    assert_true(mox__junk_places_decode(slice(bytes.data, bytes.len), out, &count));
    assert_int_equal(count, 6);
    assert_memory_equal(out, sorted, sizeof sorted);
    assert_false(mox__junk_places_decode(slice("\x05\x00", 2), out, &count));         /* twice */
    assert_false(mox__junk_places_decode(slice("\x85", 1), out, &count));             /* cut */
    assert_false(mox__junk_places_decode(slice("\xff\xff\xff\x01", 4), out, &count)); /* too far */
    mox__buf_free(&bytes);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_knows_what_memory_knows),
        cmocka_unit_test(what_is_rolled_back_was_never_learned),
        cmocka_unit_test(learning_needs_a_transaction),
        cmocka_unit_test(other_groups_of_words_are_refused),
        cmocka_unit_test(a_damaged_page_is_found),
        cmocka_unit_test(places_come_back_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
