/* SPDX-License-Identifier: MIT */
#include "store/junk_db.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "junk/memory.h"
#include "store/junk_page.h"

/* Changes that wait in memory: 12 MB while the table grows to that many, and 8 MB to sort them. */
#define CHANGES_MAX    ((size_t)1 << 19)
#define PAGE_BYTES_MAX ((size_t)1 << 28)

/*
 * - filter: its parameters, and how many messages it was trained with.
 * - page: words by the upper bits of their keys (junk_page.h).
 * - progress, trained: of an account's filter, what it has learned from which message (filter.h).
 * - weight: 8192 weights each, 8 bytes little-endian; step: their changes since (junk_weights.h).
 */
static const char version_1[] = "CREATE TABLE filter ("
                                " id INTEGER PRIMARY KEY CHECK (id = 1),"
                                " hams INTEGER NOT NULL CHECK (hams BETWEEN 0 AND 4294967295),"
                                " spams INTEGER NOT NULL CHECK (spams BETWEEN 0 AND 4294967295),"
                                " onegrams INTEGER NOT NULL CHECK (onegrams IN (0, 1)),"
                                " twograms INTEGER NOT NULL CHECK (twograms IN (0, 1)),"
                                " threegrams INTEGER NOT NULL CHECK (threegrams IN (0, 1)),"
                                " max_power REAL NOT NULL,"
                                " top_words INTEGER NOT NULL,"
                                " ignore_words REAL NOT NULL,"
                                " rare_words INTEGER NOT NULL"
                                ") STRICT;"
                                "CREATE TABLE page ("
                                " id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 4095),"
                                " words BLOB NOT NULL"
                                ") STRICT;"
                                "CREATE TABLE progress ("
                                " id INTEGER PRIMARY KEY CHECK (id = 1),"
                                " modseq INTEGER NOT NULL," /* of the account: all before is learned */
                                " relearn INTEGER NOT NULL" /* 1: it is to be built anew */
                                ") STRICT;"
                                "INSERT INTO progress(id, modseq, relearn) VALUES(1, 0, 0);"
                                "CREATE TABLE trained ("
                                " mailbox INTEGER NOT NULL,"
                                " uid INTEGER NOT NULL,"
                                " kind INTEGER NOT NULL,"  /* enum learnt */
                                " trace INTEGER NOT NULL," /* what mox_junk_unlearn() wants */
                                " PRIMARY KEY (mailbox, uid)"
                                ") STRICT, WITHOUT ROWID;"
                                "CREATE TABLE weight ("
                                " id INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 63),"
                                " weights BLOB NOT NULL CHECK (length(weights) = 65536)"
                                ") STRICT;"
                                "CREATE TABLE step ("
                                " id INTEGER PRIMARY KEY,"
                                " by INTEGER NOT NULL,"
                                " places BLOB NOT NULL"
                                ") STRICT;";

/* Messages are read in another way than before: all is learned again, since a filter that begins with
 * nothing catches up (filter_learn.c). */
static const char version_2[] = "UPDATE filter SET hams = 0, spams = 0;"
                                "UPDATE progress SET modseq = 0, relearn = 0;"
                                "DELETE FROM page; DELETE FROM trained;"
                                "DELETE FROM weight; DELETE FROM step;";

static const char *const steps[] = {version_1, version_2};

/* ---- looking up ---- */

/* Whatever failed in the database, with what it was for. */
static int failed(struct mox_junk_file *file, const char *doing, struct mox_error *err)
{
    const int rc = mox__fail(err, file->db.status, "%s: %s", doing, file->db.error.text);
    if (!file->in_transaction)
        mox__db_clear(&file->db);
    return rc;
}

static uint32_t count_of(int64_t n)
{
    return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : (uint32_t)n;
}

static int totals(void *self, struct mox_junk_totals *out, struct mox_error *err)
{
    struct mox_junk_file *file = self;
    sqlite3_stmt *s = db_query(&file->db, SQL_JUNK_TOTALS, V_INT(1));
    *out = (struct mox_junk_totals){0};
    if (mox__db_step(&file->db, s)) {
        out->hams = count_of(sqlite3_column_int64(s, 0) + file->hams);
        out->spams = count_of(sqlite3_column_int64(s, 1) + file->spams);
        (void)sqlite3_reset(s);
    }
    return file->db.status < 0 ? failed(file, "read a junk filter", err) : MOX_OK;
}

static void damaged(struct mox_junk_file *file)
{
    (void)mox__db_fail(&file->db, MOX_ECORRUPT, "a page of words makes no sense");
}

static void find_stored(struct mox_junk_file *file, uint64_t key, struct junk_row *row)
{
    sqlite3_stmt *s = db_query(&file->db, SQL_JUNK_PAGE, V_INT(key >> JUNK_PAGE_SHIFT));
    if (!mox__db_step(&file->db, s))
        return;
    struct junk_page page = mox__junk_page(key >> JUNK_PAGE_SHIFT, mox__db_blob(s, 0));
    struct junk_row found;
    if (mox__junk_page_find(&page, key, &found))
        *row = found;
    if (page.damaged)
        damaged(file);
    (void)sqlite3_reset(s);
}

static int find(void *self, struct mox_junk_count *counts, size_t count, struct mox_error *err)
{
    struct mox_junk_file *file = self;
    for (size_t i = 0; i < count && file->db.status == MOX_OK; i++) {
        const struct junk_row *change = mox__junk_table_find(&file->changes, counts[i].key);
        struct junk_row row = {0};
        find_stored(file, counts[i].key, &row);
        counts[i].hams = count_of((int64_t)row.hams + (change == NULL ? 0 : change->hams));
        counts[i].spams = count_of((int64_t)row.spams + (change == NULL ? 0 : change->spams));
    }
    return file->db.status < 0 ? failed(file, "look up words", err) : MOX_OK;
}

/* ---- writing changes ---- */

/* The changes by page, with where each page's begin. */
struct sorted {
    struct junk_row *rows;
    size_t begin[JUNK_PAGES + 1];
};

static int compare(const void *a, const void *b)
{
    const uint64_t left = ((const struct junk_row *)a)->key,
                   right = ((const struct junk_row *)b)->key;
    return (left > right) - (left < right);
}

static bool says_something(const struct junk_row *row)
{
    return row->hams != 0 || row->spams != 0;
}

static void sort(struct sorted *sorted, const struct junk_table *changes)
{
    size_t counts[JUNK_PAGES] = {0}, at = 0;
    for (size_t i = 0; i < changes->room; i++)
        if (says_something(&changes->rows[i]))
            counts[changes->rows[i].key >> JUNK_PAGE_SHIFT]++;
    for (size_t page = 0; page < JUNK_PAGES; page++) {
        sorted->begin[page] = at;
        at += counts[page];
        counts[page] = sorted->begin[page];
    }
    sorted->begin[JUNK_PAGES] = at;
    for (size_t i = 0; i < changes->room; i++)
        if (says_something(&changes->rows[i]))
            sorted->rows[counts[changes->rows[i].key >> JUNK_PAGE_SHIFT]++] = changes->rows[i];
    for (size_t page = 0; page < JUNK_PAGES; page++)
        qsort(sorted->rows + sorted->begin[page], sorted->begin[page + 1] - sorted->begin[page],
              sizeof *sorted->rows, compare);
}

static void write_page(struct mox_junk_file *file, uint64_t number, const struct junk_row *changes,
                       size_t count, struct buf *bytes)
{
    mox__buf_clear(bytes);
    sqlite3_stmt *s = db_query(&file->db, SQL_JUNK_PAGE, V_INT(number));
    const bool known = mox__db_step(&file->db, s);
    const struct mox_slice old = known ? mox__db_blob(s, 0) : slice(NULL, 0);
    if (!mox__junk_page_merge(bytes, mox__junk_page(number, old), changes, count, &file->missed))
        damaged(file);
    if (known)
        (void)sqlite3_reset(s);
    if (bytes->failed)
        (void)mox__db_fail(&file->db, MOX_ENOMEM, "change words");
    if (bytes->len > 0)
        (void)db_run(&file->db, SQL_JUNK_PAGE_WRITE, V_INT(number),
                     V_BLOB(slice(bytes->data, bytes->len)));
    else if (known)
        (void)db_run(&file->db, SQL_JUNK_PAGE_DELETE, V_INT(number));
}

static void write_words(struct mox_junk_file *file)
{
    struct buf bytes;
    struct sorted *sorted = mem_new(&file->env, struct sorted, 1);
    struct junk_row *rows = mem_new(&file->env, struct junk_row, file->changes.used + 1);
    mox__buf_init(&bytes, &file->env, PAGE_BYTES_MAX);
    if (sorted == NULL || rows == NULL) {
        (void)mox__db_fail(&file->db, MOX_ENOMEM, "change words");
        goto done;
    }
    sorted->rows = rows;
    sort(sorted, &file->changes);
    for (size_t page = 0; page < JUNK_PAGES && file->db.status == MOX_OK; page++) {
        const size_t begin = sorted->begin[page], end = sorted->begin[page + 1];
        if (begin < end)
            write_page(file, page, rows + begin, end - begin, &bytes);
    }
done:
    mox__buf_free(&bytes);
    mox__mem_free(&file->env, rows);
    mox__mem_free(&file->env, sorted);
}

/* Within the transaction. */
static int flush(struct mox_junk_file *file)
{
    if (file->changes.used > 0)
        write_words(file);
    if (file->hams != 0 || file->spams != 0)
        (void)db_run(&file->db, SQL_JUNK_TOTALS_ADD, V_INT(file->hams), V_INT(file->spams));
    mox__junk_table_clear(&file->changes);
    file->hams = file->spams = 0;
    return file->db.status;
}

static int change(struct mox_junk_file *file, uint64_t key, bool junk, int by)
{
    struct junk_row *row;
    int rc = mox__junk_table_row(&file->changes, key, &row);
    if (rc == MOX_ELIMIT) {
        rc = flush(file);
        if (rc == MOX_OK)
            rc = mox__junk_table_row(&file->changes, key, &row);
    }
    if (rc < 0)
        return mox__db_fail(&file->db, rc, "change words");
    *(junk ? &row->spams : &row->hams) += by;
    return MOX_OK;
}

static int add(void *self, const uint64_t *keys, size_t count, bool junk, int by,
               struct mox_error *err)
{
    struct mox_junk_file *file = self;
    if (!file->in_transaction)
        return mox__fail(err, MOX_EINVAL, "learn words: begin a transaction first");
    for (size_t i = 0; i < count && file->db.status == MOX_OK; i++)
        (void)change(file, keys[i], junk, by);
    *(junk ? &file->spams : &file->hams) += by;
    return file->db.status < 0 ? failed(file, "learn words", err) : MOX_OK;
}

static int weights(void *self, const uint64_t **out, struct mox_junk_middle **middle,
                   struct mox_error *err)
{
    struct mox_junk_file *file = self;
    mox__junk_weights_load(&file->weights, &file->db, &file->env);
    *out = file->weights.table;
    *middle = &file->weights.middle;
    return file->db.status < 0 ? failed(file, "read weights", err) : MOX_OK;
}

static int step(void *self, const struct mox_junk_step *list, size_t count, struct mox_error *err)
{
    struct mox_junk_file *file = self;
    if (!file->in_transaction)
        return mox__fail(err, MOX_EINVAL, "learn: begin a transaction first");
    for (size_t i = 0; i < count; i++)
        mox__junk_weights_step(&file->weights, &file->db, &file->env, &list[i]);
    return file->db.status < 0 ? failed(file, "change weights", err) : MOX_OK;
}

/* ---- transactions ---- */

int mox_junk_file_begin(struct mox_junk_file *file, struct mox_error *err)
{
    mox__db_clear(&file->db);
    if (mox__db_run(&file->db, SQL_BEGIN, NULL, 0) < 0)
        return failed(file, "change a junk filter", err);
    file->in_transaction = true;
    file->missed = 0;
    return MOX_OK;
}

void mox_junk_file_rollback(struct mox_junk_file *file)
{
    if (file->in_transaction)
        (void)sqlite3_exec(file->db.sql, "ROLLBACK", NULL, NULL, NULL);
    file->in_transaction = false;
    mox__db_clear(&file->db);
    mox__junk_table_clear(&file->changes);
    mox__junk_weights_free(&file->weights, &file->env);
    file->hams = file->spams = 0;
}

int mox_junk_file_commit(struct mox_junk_file *file, struct mox_error *err)
{
    int rc = flush(file);
    mox__junk_weights_flush(&file->weights, &file->db, &file->env);
    if (rc == MOX_OK)
        rc = mox__db_run(&file->db, SQL_COMMIT, NULL, 0);
    if (rc < 0) {
        (void)failed(file, "change a junk filter", err);
        mox_junk_file_rollback(file);
        return rc;
    }
    file->in_transaction = false;
    if (file->missed > 0)
        log_line(&file->env, MOX_LOG_ERROR, "junk", "more was forgotten than learned", NULL,
                 F_UINT("words", file->missed));
    return MOX_OK;
}

/* ---- opening ---- */

static bool same_groups(const struct mox_junk_params *a, const struct mox_junk_params *b)
{
    return a->onegrams == b->onegrams && a->twograms == b->twograms &&
           a->threegrams == b->threegrams;
}

/* V_INT for the bits of a double: SQLite's REAL is the same. */
static void bind_params(sqlite3_stmt *s, const struct mox_junk_params *p)
{
    (void)sqlite3_bind_int(s, 1, p->onegrams);
    (void)sqlite3_bind_int(s, 2, p->twograms);
    (void)sqlite3_bind_int(s, 3, p->threegrams);
    (void)sqlite3_bind_double(s, 4, p->max_power);
    (void)sqlite3_bind_int64(s, 5, p->top_words);
    (void)sqlite3_bind_double(s, 6, p->ignore_words);
    (void)sqlite3_bind_int64(s, 7, p->rare_words);
}

static int write_params(struct mox_junk_file *file, const struct mox_junk_params *given)
{
    mox_junk_params_init(&file->params);
    if (given != NULL)
        file->params = *given;
    sqlite3_stmt *s = db_query(&file->db, SQL_JUNK_FILTER_INSERT, V_NULL);
    if (s != NULL)
        bind_params(s, &file->params);
    while (mox__db_step(&file->db, s)) {
    }
    return file->db.status;
}

static void take_params(struct mox_junk_params *p, sqlite3_stmt *s)
{
    mox_junk_params_init(p);
    p->onegrams = sqlite3_column_int(s, 0) != 0;
    p->twograms = sqlite3_column_int(s, 1) != 0;
    p->threegrams = sqlite3_column_int(s, 2) != 0;
    p->max_power = sqlite3_column_double(s, 3);
    p->top_words = (unsigned)sqlite3_column_int64(s, 4);
    p->ignore_words = sqlite3_column_double(s, 5);
    p->rare_words = (unsigned)sqlite3_column_int64(s, 6);
}

static int read_params(struct mox_junk_file *file, const char *path,
                       const struct mox_junk_params *given, struct mox_error *err)
{
    sqlite3_stmt *s = db_query(&file->db, SQL_JUNK_FILTER, V_INT(1));
    if (!mox__db_step(&file->db, s)) {
        if (file->db.status == MOX_OK)
            (void)write_params(file, given);
        return file->db.status < 0 ? failed(file, "open a junk filter", err) : MOX_OK;
    }
    take_params(&file->params, s);
    (void)sqlite3_reset(s);
    if (given == NULL)
        return MOX_OK;
    if (!same_groups(given, &file->params))
        return mox__fail(err, MOX_EINVAL,
                         "junk filter %s was trained with other groups of words; train a new one",
                         path);
    file->params = *given;
    return MOX_OK;
}

static int open_database(struct mox_junk_file *file, const char *path, struct mox_error *err)
{
    static const struct schema schema = {
        .application_id = JUNK_APPLICATION_ID,
        .what = "that of a junk filter",
        .steps = steps,
        .newest = sizeof steps / sizeof steps[0],
    };
    int rc = mox__db_open(&file->db, path, DB_FILTER, err);
    return rc < 0 ? rc : mox__schema_upgrade_to(&file->db, &schema, path, err);
}

int mox_junk_file_open(struct mox_junk_file **out, const struct mox_env *env, const char *path,
                       const struct mox_junk_params *params, struct mox_error *err)
{
    *out = NULL;
    struct mox_junk_file *file = mem_new(env, struct mox_junk_file, 1);
    if (file == NULL)
        return mox__fail(err, MOX_ENOMEM, "open junk filter %s: out of memory", path);
    file->env = *env;
    mox__junk_table_init(&file->changes, &file->env, CHANGES_MAX);
    int rc = open_database(file, path, err);
    if (rc == MOX_OK)
        rc = read_params(file, path, params, err);
    if (rc < 0) {
        mox_junk_file_close(file);
        return rc;
    }
    *out = file;
    return MOX_OK;
}

void mox_junk_file_close(struct mox_junk_file *file)
{
    if (file == NULL)
        return;
    const struct mox_env env = file->env;
    if (file->db.sql != NULL)
        mox_junk_file_rollback(file);
    mox__db_close(&file->db);
    mox__junk_weights_free(&file->weights, &env);
    mox__junk_table_free(&file->changes);
    mox__mem_free(&env, file);
}

const struct mox_junk_params *mox_junk_file_params(const struct mox_junk_file *file)
{
    return &file->params;
}

struct mox_junk_db mox_junk_file_db(struct mox_junk_file *file)
{
    static const struct mox_junk_db_ops ops = {.size = sizeof ops,
                                               .totals = totals,
                                               .find = find,
                                               .add = add,
                                               .weights = weights,
                                               .step = step};
    return (struct mox_junk_db){&ops, file};
}

int mox_junk_file_load(struct mox_junk_file *file, struct mox_junk_memory *memory,
                       struct mox_error *err)
{
    struct mox_junk_totals sums;
    int rc = totals(file, &sums, err);
    if (rc < 0)
        return rc;
    mox__junk_memory_set_totals(memory, &sums);
    (void)mox__junk_weights_read(mox__junk_memory_weights(memory), &file->db, &file->env);
    sqlite3_stmt *s = db_query(&file->db, SQL_JUNK_PAGES, V_INT(0));
    while (rc == MOX_OK && mox__db_step(&file->db, s)) {
        struct junk_row row;
        struct junk_page page =
            mox__junk_page((uint64_t)sqlite3_column_int64(s, 0), mox__db_blob(s, 1));
        while (rc == MOX_OK && mox__junk_page_next(&page, &row))
            rc = mox__junk_memory_set(memory, &row);
        if (page.damaged)
            damaged(file);
    }
    if (s != NULL)
        (void)sqlite3_reset(s);
    if (rc < 0)
        return mox__fail(err, rc, "load a junk filter: %s", mox_status_text(rc));
    return file->db.status < 0 ? failed(file, "load a junk filter", err) : MOX_OK;
}
