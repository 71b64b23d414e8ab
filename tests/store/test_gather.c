/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/gather.h"
#include "store/vfsshim.h"
#include "support/cm.h"

/* The layer that gathers SQLite's writes, seen from above and, by the shim, from below. */

#define ROW 3000 /* bytes: a page has one */

struct fixture {
    char dir[64], path[96];
    struct vfsshim *shim;
    sqlite3 *writer;
};

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static long long number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    long long n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

static sqlite3 *open_db(struct fixture *f)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     mox__gather_vfs()),
                     SQLITE_OK);
    assert_int_equal(run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                             "PRAGMA wal_autocheckpoint=0; CREATE TABLE IF NOT EXISTS t(a)"),
                     SQLITE_OK);
    return db;
}

static int start(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/mox-gather.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->path, sizeof f->path, "%s/t.db", f->dir);
    f->shim = vfsshim();
    f->writer = open_db(f);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;
    (void)vfsshim();
    sqlite3_close(f->writer);
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

static int insert(struct fixture *f, int rows)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%d)"
                   " INSERT INTO t SELECT randomblob(%d) FROM n",
                   rows, ROW);
    return run(f->writer, sql);
}

static void pages_of_a_commit_are_written_as_one(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(insert(f, 1), SQLITE_OK); /* lengthens the log */
    f->shim->wal_writes = f->shim->wal_syncs = 0;
    assert_int_equal(insert(f, 10), SQLITE_OK);
    assert_int_equal(f->shim->wal_writes, 1);
    assert_int_equal(f->shim->wal_syncs, 1);
}

static void a_log_is_lengthened_ahead_and_read_to_its_end(void **state)
{
    struct fixture *f = *state;
    char copy[96], log[112], copied_log[112], command[512];
    (void)snprintf(copy, sizeof copy, "%s/copy.db", f->dir);
    (void)snprintf(log, sizeof log, "%s-wal", f->path);
    (void)snprintf(copied_log, sizeof copied_log, "%s-wal", copy);
    assert_int_equal(insert(f, 3), SQLITE_OK);
    struct stat st;
    assert_int_equal(stat(log, &st), 0);
    assert_true(st.st_size > 200000);
    /* what a crash leaves: the log with zeros behind it */
    (void)snprintf(command, sizeof command, "cp %s %s && cp %s %s", f->path, copy, log, copied_log);
    assert_int_equal(system(command), 0);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(copy, &db), SQLITE_OK);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 3);
    sqlite3_close(db);
    (void)unlink(copy);
}

static void a_transaction_reads_what_left_its_cache(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run(f->writer, "PRAGMA cache_size=10; BEGIN"), SQLITE_OK);
    assert_int_equal(insert(f, 200), SQLITE_OK);
    assert_int_equal(number(f->writer, "SELECT sum(length(a)) FROM t"), 200 * ROW);
    assert_int_equal(run(f->writer, "UPDATE t SET a = randomblob(2000)"), SQLITE_OK);
    sqlite3 *reader = open_db(f);
    assert_int_equal(number(reader, "SELECT count(*) FROM t"), 0);
    assert_int_equal(run(f->writer, "COMMIT"), SQLITE_OK);
    assert_int_equal(number(reader, "SELECT sum(length(a)) FROM t"), 200 * 2000);
    sqlite3_close(reader);
}

static void a_checkpoint_is_read_from_the_database(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(insert(f, 100), SQLITE_OK);
    assert_int_equal(run(f->writer, "PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
    sqlite3 *reader = open_db(f);
    assert_int_equal(number(reader, "SELECT count(*) FROM t"), 100);
    assert_int_equal(insert(f, 1), SQLITE_OK);
    assert_int_equal(number(reader, "SELECT count(*) FROM t"), 101);
    assert_int_equal(number(reader, "SELECT count(*) FROM pragma_integrity_check"
                                    " WHERE integrity_check <> 'ok'"),
                     0);
    sqlite3_close(reader);
}

static void a_write_that_fails_fails_the_commit(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(insert(f, 5), SQLITE_OK);
    f->shim->full = true;
    assert_int_equal(insert(f, 5), SQLITE_FULL);
    f->shim->full = false;
    assert_int_equal(number(f->writer, "SELECT count(*) FROM t"), 5);
    f->shim->fail_writes = true;
    assert_int_equal(insert(f, 5) & 0xff, SQLITE_IOERR);
    f->shim->fail_writes = false;
    f->shim->fail_syncs = true;
    assert_int_equal(insert(f, 5) & 0xff, SQLITE_IOERR);
    f->shim->fail_syncs = false;
    assert_int_equal(insert(f, 5), SQLITE_OK);
    assert_int_equal(number(f->writer, "SELECT count(*) FROM t"), 10);
}

/* All rows are there, and go into the database. */
static void is_whole(struct fixture *f, int rows)
{
    assert_int_equal(number(f->writer, "SELECT sum(length(a)) FROM t"), rows * ROW);
    assert_int_equal(number(f->writer, "SELECT count(*) FROM pragma_integrity_check"
                                       " WHERE integrity_check <> 'ok'"),
                     0);
    assert_int_equal(run(f->writer, "PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
}

/* SQLite asks for nothing after the last page of a checkpoint that copies a part. */
static void no_page_that_a_checkpoint_could_not_write_is_lost(void **state)
{
    struct fixture *f = *state;
    int rows = 0;
    for (int n = 1, result = SQLITE_ERROR; result != SQLITE_OK; n++) {
        assert_int_equal(insert(f, 40), SQLITE_OK);
        rows += 40;
        sqlite3 *reader = open_db(f); /* what comes now is not copied */
        assert_int_equal(run(reader, "BEGIN; SELECT * FROM t LIMIT 1"), SQLITE_OK);
        assert_int_equal(insert(f, 1), SQLITE_OK);
        rows++;
        f->shim->db_write = n;
        result = sqlite3_wal_checkpoint_v2(f->writer, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        assert_int_equal(result, f->shim->db_write == 0 ? SQLITE_FULL : SQLITE_OK);
        f->shim->db_write = 0;
        sqlite3_close(reader);
        is_whole(f, rows);
    }
}

static void no_page_that_closing_could_not_write_is_lost(void **state)
{
    struct fixture *f = *state;
    int rows = 0;
    for (int n = 1, left = 0; left == 0; n++) {
        assert_int_equal(insert(f, 40), SQLITE_OK);
        rows += 40;
        f->shim->db_write = n;
        sqlite3_close(f->writer);
        left = (int)f->shim->db_write;
        f->shim->db_write = 0;
        f->writer = open_db(f);
        is_whole(f, rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_of_a_commit_are_written_as_one, start, stop),
        cmocka_unit_test_setup_teardown(a_log_is_lengthened_ahead_and_read_to_its_end, start, stop),
        cmocka_unit_test_setup_teardown(a_transaction_reads_what_left_its_cache, start, stop),
        cmocka_unit_test_setup_teardown(a_checkpoint_is_read_from_the_database, start, stop),
        cmocka_unit_test_setup_teardown(a_write_that_fails_fails_the_commit, start, stop),
        cmocka_unit_test_setup_teardown(no_page_that_a_checkpoint_could_not_write_is_lost, start,
                                        stop),
        cmocka_unit_test_setup_teardown(no_page_that_closing_could_not_write_is_lost, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
