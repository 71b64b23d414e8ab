/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "faults/powercut.h"
#include "store/db.h"
#include "support/cm.h"

/* The power is cut while a database is taken to a newer format: it has the old one or the new one,
 * wholly, and the next try succeeds. */

static const char *const steps[] = {
    NULL, /* it is made by the store itself */
    "CREATE TABLE added (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
    "INSERT INTO added SELECT id, name FROM mailbox;"
    "ALTER TABLE message ADD COLUMN novel INTEGER NOT NULL DEFAULT 0;"
    "UPDATE message SET novel = id;"
    "DROP INDEX recipient_address;"
    "CREATE INDEX message_novel ON message(novel)",
};

static void upgrade(const char *path)
{
    const struct schema newer = {
        .application_id = SCHEMA_APPLICATION_ID, .what = "ours", .steps = steps, .newest = 2};
    struct db db;
    struct mox_error err = {0};
    if (mox__db_open(&db, path, DB_WRITER, &err) < 0 ||
        mox__schema_upgrade_to(&db, &newer, path, &err) < 0)
        fail_msg("%s", err.text);
    mox__db_close(&db);
}

static int64_t number(sqlite3 *db, const char *query)
{
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
    return n;
}

/* Whether it is the newer format. */
static bool look(const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    int64_t version = number(db, "PRAGMA user_version");
    int64_t parts = number(db, "SELECT count(*) FROM sqlite_schema WHERE name IN"
                               " ('added', 'message_novel') OR sql LIKE '%novel INTEGER%'");
    int64_t old = number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'recipient_address'");
    if (number(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'") > 0)
        cut_failed("the database is damaged");
    if (version == 2 && parts == 3)
        parts =
            3 + number(db, "SELECT (SELECT count(*) FROM mailbox) - (SELECT count(*) FROM added)"
                           " + (SELECT count(*) FROM message WHERE novel <> id)");
    sqlite3_close(db);
    if (version == 2 ? parts != 3 || old != 0 : version != 1 || parts != 0 || old != 1)
        cut_failed("version %" PRId64 " has %" PRId64 " new parts and %" PRId64 " old", version,
                   parts, old);
    return version == 2;
}

static void check(void *user, const struct cut *cut)
{
    (void)user;
    struct storefix f;
    char path[128];
    storefix_at(&f, cut->dir);
    (void)snprintf(path, sizeof path, "%s/accounts/mjl/index.db", f.dir);
    if (!look(path)) {
        if (cut->acknowledged > 0)
            cut_failed("it is the old format again");
        storefix_verify(&f);
        upgrade(path);
        assert_true(look(path));
    }
    test_env_done(&f.t);
}

static void an_upgrade_is_done_or_not(void **state)
{
    (void)state;
    char root[32], path[128];
    struct storefix f;
    struct cut_counts counts = {0};
    make_root(root);
    storefix_at(&f, root);
    storefix_start(&f);
    steps_slowly(&f, some_mail, COUNT(some_mail), NULL);
    storefix_stop(&f);
    (void)snprintf(path, sizeof path, "%s/accounts/mjl/index.db", f.dir);
    record_start(root, 0, 1);
    upgrade(path);
    record_acknowledged(1);
    struct record *r = record_stop();
    cut_everywhere(r, 20, check, NULL, &counts);
    print_message("cut at %zu points, %zu different disks checked\n", counts.points, counts.disks);
    record_free(r);
    test_env_done(&f.t);
    remove_tree(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CUT_TEST(an_upgrade_is_done_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
