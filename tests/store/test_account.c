/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "store/password.h"
#include "store/storefix.h"
#include "support/cm.h"

/* Data directories and accounts: opening, locking, damage, passwords. */

static void a_new_account_has_the_usual_mailboxes(void **state)
{
    struct storefix *f = *state;
    static const struct {
        const char *name;
        unsigned use;
    } expected[] = {
        {"Archive", MOX_USE_ARCHIVE}, {"Drafts", MOX_USE_DRAFTS}, {"Inbox", 0},
        {"Junk", MOX_USE_JUNK},       {"Sent", MOX_USE_SENT},     {"Trash", MOX_USE_TRASH}};
    const struct mox_mailboxes *list = NULL;
    assert_int_equal(f->mail.ops->mailboxes(f->mail.self, &list, NULL), MOX_OK);
    assert_int_equal(list->count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(list->list[i].name, expected[i].name);
        assert_int_equal(list->list[i].special_use, expected[i].use);
        assert_true(list->list[i].subscribed);
        for (size_t j = 0; j < i; j++)
            assert_true(list->list[i].uidvalidity != list->list[j].uidvalidity);
    }
    mox_mailboxes_unref(list);
}

static void a_directory_has_one_user_at_a_time(void **state)
{
    struct storefix *f = *state;
    struct mox_store *second = NULL;
    struct mox_error err = {0};
    char pid[32];
    assert_int_equal(mox_store_open(&second, &f->t.env, f->dir, &err), MOX_EBUSY);
    assert_null(second);
    (void)snprintf(pid, sizeof pid, "process %ld ", (long)getpid());
    assert_non_null(strstr(err.text, pid));
    assert_non_null(strstr(err.text, f->dir));
    storefix_stop(f);
    assert_int_equal(mox_store_open(&second, &f->t.env, f->dir, &err), MOX_OK);
    mox_store_close(second);
    storefix_start(f);
}

static void accounts_are_shared_and_closed_with_the_last_user(void **state)
{
    struct storefix *f = *state;
    struct mox_account *again = NULL;
    assert_int_equal(mox_account_open(&again, f->store, "mjl", MOX_ACCOUNT_EXISTING, NULL, NULL),
                     MOX_OK);
    assert_ptr_equal(again, f->account);
    mox_account_close(again);
    (void)add_mail(f, box_id(f, "Inbox"), "Subject: still open\r\n", 10);
    mox_account_close(f->account);
    char wal[128];
    (void)snprintf(wal, sizeof wal, "%s/accounts/mjl/index.db-wal", f->dir);
    assert_int_equal(access(wal, F_OK), -1); /* nobody has the database open */
    assert_int_equal(
        mox_account_open(&f->account, f->store, "mjl", MOX_ACCOUNT_EXISTING, NULL, NULL), MOX_OK);
    f->mail = mox_account_mailstore(f->account);
}

static void only_fit_names_of_accounts_are_opened(void **state)
{
    struct storefix *f = *state;
    static const char *const bad[] = {
        "",         ".",
        "..",       "../mjl",
        "a/b",      "-x",
        ".x",       "a b",
        "\xc3\xa9", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg"};
    struct mox_account *a = NULL;
    struct mox_error err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(mox_account_open(&a, f->store, bad[i], MOX_ACCOUNT_CREATE, NULL, &err),
                         MOX_EINVAL);
    assert_int_equal(mox_account_open(&a, f->store, "other", MOX_ACCOUNT_EXISTING, NULL, &err),
                     MOX_ENOTFOUND);
    assert_non_null(strstr(err.text, "other"));
    assert_null(a);
}

/* ---- databases of others ---- */

static void change_db(struct storefix *f, const char *sql)
{
    char path[128];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof path, "%s/accounts/mjl/index.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* One line: what was opened, what is wrong, what helps. */
static void expect_failure(struct storefix *f, int status, const char *text)
{
    struct mox_error err = {0};
    char line[256];
    assert_int_equal(mox_store_open(&f->store, &f->t.env, f->dir, &err), MOX_OK);
    assert_int_equal(mox_account_open(&f->account, f->store, "mjl", MOX_ACCOUNT_CREATE, NULL, &err),
                     status);
    (void)snprintf(line, sizeof line, "open mail store %s/accounts/mjl/index.db: %s", f->dir, text);
    assert_string_equal(err.text, line);
    assert_null(f->account);
    mox_store_close(f->store);
    f->store = NULL;
}

static void a_newer_database_is_refused(void **state)
{
    struct storefix *f = *state;
    storefix_stop(f);
    change_db(f, "PRAGMA user_version=7000");
    expect_failure(f, MOX_ECORRUPT,
                   "its format 7000 is newer than 1, the newest that this program knows; use the "
                   "newer program");
    change_db(f, "PRAGMA user_version=1");
    storefix_start(f);
}

static void a_foreign_database_is_refused(void **state)
{
    struct storefix *f = *state;
    storefix_stop(f);
    change_db(f, "PRAGMA application_id=77");
    expect_failure(f, MOX_ECORRUPT,
                   "this SQLite database is not a mail store; move it away or choose another "
                   "folder");
    change_db(f, "PRAGMA application_id=1836021761");
    storefix_start(f);
}

static void database_path(const struct storefix *f, char path[static 128])
{
    (void)snprintf(path, 128, "%s/accounts/mjl/index.db", f->dir);
}

/* From byte `at` on. */
static void scribble(const struct storefix *f, const char *mode, long at)
{
    char path[128];
    database_path(f, path);
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    for (int i = 0; i < 200; i++)
        fputs("this is no database at all. ", file);
    fclose(file);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct storefix *f = *state;
    char path[128];
    storefix_stop(f);
    scribble(f, "w", 0);
    expect_failure(f, MOX_ECORRUPT, "file is not a database; restore it from a backup");
    database_path(f, path);
    remove(path);
    storefix_start(f);
}

static void a_damaged_database_is_refused(void **state)
{
    struct storefix *f = *state;
    char path[128];
    storefix_stop(f);
    scribble(f, "r+", 100); /* behind the header: the list of tables */
    expect_failure(f, MOX_ECORRUPT, "database disk image is malformed; restore it from a backup");
    database_path(f, path);
    remove(path);
    storefix_start(f);
}

static void what_cannot_be_opened_is_said(void **state)
{
    struct storefix *f = *state;
    char path[128];
    storefix_stop(f);
    database_path(f, path);
    remove(path);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_failure(f, MOX_EIO,
                   "unable to open database file; it and its folder must be readable and writable");
    assert_int_equal(rmdir(path), 0);
    storefix_start(f);
}

static void count_problem(void *user, const char *text)
{
    assert_true(text[0] != '\0');
    ++*(unsigned *)user;
}

static void damage_is_found(void **state)
{
    struct storefix *f = *state;
    (void)add_mail(f, box_id(f, "Inbox"), "Message-ID: <a@b.example>\r\n", 10);
    storefix_stop(f);
    static const struct {
        const char *harm, *cure;
    } harms[] = {
        {"UPDATE mailbox SET messages = 5 WHERE name = 'Inbox'",
         "UPDATE mailbox SET messages = 1 WHERE name = 'Inbox'"},
        {"UPDATE mailbox SET uidnext = 1 WHERE name = 'Inbox'",
         "UPDATE mailbox SET uidnext = 2 WHERE name = 'Inbox'"},
        {"UPDATE mailbox SET name = CAST(x'49ff' AS TEXT) WHERE name = 'Inbox'",
         "UPDATE mailbox SET name = 'Inbox' WHERE name = CAST(x'49ff' AS TEXT)"},
        {"UPDATE entry SET bytes = bytes + 1", "UPDATE entry SET bytes = bytes - 1"},
        {"UPDATE entry SET keywords = 1", "UPDATE entry SET keywords = 0"},
        {"UPDATE entry SET modseq = 900", "UPDATE entry SET modseq = 3"},
        {"UPDATE entry SET message = 900", "UPDATE entry SET message = 1"},
        {"INSERT INTO ref VALUES(1, 1)", "DELETE FROM ref"},
        {"UPDATE key SET hash = hash + 1", "UPDATE key SET hash = hash - 1"},
        {"UPDATE account SET message = 1", "UPDATE account SET message = 2"},
        {"UPDATE entry SET held = 1", "UPDATE entry SET held = 0"},
        {"UPDATE message SET uid = 900", "UPDATE message SET uid = 1"},
        {"INSERT INTO subjectpass VALUES('a@b.example', 'short')", "DELETE FROM subjectpass"},
        {"INSERT INTO verdict VALUES(1, 1, 1, 1, 1, 1, 1)", "DELETE FROM verdict"},
    };
    for (size_t i = 0; i < sizeof harms / sizeof harms[0]; i++) {
        unsigned problems = 0;
        struct mox_error err;
        change_db(f, harms[i].harm);
        int rc = mox_store_verify(&f->t.env, f->dir, count_problem, &problems, &err);
        if (rc != MOX_ECORRUPT || problems == 0)
            fail_msg("not found: %s", harms[i].harm);
        change_db(f, harms[i].cure);
        storefix_verify(f);
    }
    storefix_start(f);
}

/* A statement that is left open keeps its connection. */
static void looking_at_damage_leaves_nothing_open(void **state)
{
    struct storefix *f = *state;
    unsigned problems = 0;
    struct mox_error err;
    char path[128];
    (void)add_mail(f, box_id(f, "Inbox"), "Subject: a\r\n", 10);
    storefix_stop(f);
    long root = (long)query(f, "SELECT rootpage FROM sqlite_schema WHERE name = 'entry'");
    long long before = sqlite3_memory_used();
    scribble(f, "r+", (root - 1) * 4096);
    assert_int_equal(mox_store_verify(&f->t.env, f->dir, count_problem, &problems, &err),
                     MOX_ECORRUPT);
    assert_true(problems > 0);
    assert_int_equal(sqlite3_memory_used(), before);
    database_path(f, path);
    remove(path);
    storefix_start(f);
}

/* What does not fit together is an error of the mailbox, not a search without end. */
static void a_mailbox_that_is_damaged_is_refused(void **state)
{
    struct storefix *f = *state;
    static const char *const harms[] = {
        "DELETE FROM mailbox WHERE name = 'Inbox'",
        "UPDATE mailbox SET modseq = 0 WHERE name = 'Inbox'",
        "UPDATE entry SET uid = uid + 4294967296",
        "UPDATE entry SET uid = -1",
    };
    (void)add_mail(f, box_id(f, "Inbox"), "Subject: a\r\n", 10);
    for (size_t i = 0; i < sizeof harms / sizeof harms[0]; i++) {
        struct mox_view *view = NULL;
        struct mox_error err = {0};
        char path[128], copy[sizeof path + 8], text[600];
        storefix_stop(f);
        database_path(f, path);
        (void)snprintf(copy, sizeof copy, "%s.sound", path);
        (void)snprintf(text, sizeof text, "cp '%s' '%s'", path, copy);
        assert_int_equal(system(text), 0);
        storefix_start(f);
        (void)query(f, harms[i]);
        assert_int_equal(f->mail.ops->view(f->mail.self, box_id(f, "Inbox"), &view, &err),
                         MOX_ECORRUPT);
        assert_null(view);
        assert_string_equal(err.text, "read a mailbox of account mjl: stored data is damaged");
        storefix_stop(f);
        assert_int_equal(rename(copy, path), 0);
        storefix_start(f);
    }
}

static void a_damaged_subscription_is_left_out(void **state)
{
    struct storefix *f = *state;
    const struct mox_mailboxes *list = NULL;
    struct mox_mailbox_change change = {.kind = MOX_MAILBOX_SUBSCRIBE, .name = "elsewhere"};
    struct mox_error err = {0};
    unsigned problems = 0;
    assert_int_equal(wait_change(f, &change), MOX_OK);
    storefix_stop(f);
    (void)query(f, "UPDATE subscription SET name = CAST(x'e9' AS TEXT) WHERE name = 'elsewhere'");
    assert_int_equal(mox_store_verify(&f->t.env, f->dir, count_problem, &problems, &err),
                     MOX_ECORRUPT);
    assert_int_equal(problems, 1);
    storefix_start(f);
    assert_int_equal(f->mail.ops->mailboxes(f->mail.self, &list, &err), MOX_OK);
    for (size_t i = 0; i < list->count; i++)
        assert_int_not_equal(list->list[i].id, 0);
    mox_mailboxes_unref(list);
    storefix_stop(f);
    (void)query(f, "DELETE FROM subscription WHERE name = CAST(x'e9' AS TEXT)");
    storefix_start(f);
}

/* ---- passwords ---- */

static void passwords_are_set_and_checked(void **state)
{
    struct storefix *f = *state;
    struct mox_error err = {0};
    mox__store_password_cost(f->store, 1, 8192);
    assert_int_equal(mox_account_check_password(f->account, "any password", &err), MOX_EDENIED);
    assert_int_equal(mox_account_set_password(f->account, "short", &err), MOX_EDENIED);
    assert_non_null(strstr(err.text, "short"));
    assert_int_equal(mox_account_set_password(f->account, "tabs\tare bad", &err), MOX_EDENIED);
    assert_int_equal(mox_account_set_password(f->account, "te\xcc\x81st1234", &err), MOX_OK);
    for (int i = 0; i < 2; i++) { /* the second time from the cache */
        assert_int_equal(mox_account_check_password(f->account, "t\xc3\xa9st1234", &err), MOX_OK);
        assert_int_equal(mox_account_check_password(f->account, "test1234", &err), MOX_EDENIED);
        assert_int_equal(mox_account_check_password(f->account, "tabs\tare bad", &err),
                         MOX_EDENIED);
    }
    mox_store_dummy_check(f->store, "whatever it is");
    assert_int_equal(query(f, "SELECT count(*) FROM credential"), 4);
    assert_int_equal(query(f, "SELECT count(*) FROM credential WHERE value LIKE '%1234%'"), 0);
}

static void a_new_password_ends_the_old_one(void **state)
{
    struct storefix *f = *state;
    mox__store_password_cost(f->store, 1, 8192);
    assert_int_equal(mox_account_set_password(f->account, "first password", NULL), MOX_OK);
    assert_int_equal(mox_account_check_password(f->account, "first password", NULL), MOX_OK);
    assert_int_equal(mox_account_set_password(f->account, "second password", NULL), MOX_OK);
    assert_int_equal(mox_account_check_password(f->account, "first password", NULL), MOX_EDENIED);
    assert_int_equal(mox_account_check_password(f->account, "second password", NULL), MOX_OK);
    storefix_stop(f);
    storefix_start(f);
    assert_int_equal(mox_account_check_password(f->account, "second password", NULL), MOX_OK);
}

/* A record that another process changed counts once the cache has aged. */
static void right_passwords_are_remembered_for_a_quarter_of_an_hour(void **state)
{
    struct storefix *f = *state;
    mox__store_password_cost(f->store, 1, 8192);
    assert_int_equal(mox_account_set_password(f->account, "a password", NULL), MOX_OK);
    assert_int_equal(mox_account_check_password(f->account, "a password", NULL), MOX_OK);
    change_db(f, "DELETE FROM credential");
    assert_int_equal(mox_account_check_password(f->account, "a password", NULL), MOX_OK);
    test_env_advance(&f->t, INT64_C(15) * 60 * 1000000 + 1);
    assert_int_equal(mox_account_check_password(f->account, "a password", NULL), MOX_EDENIED);
}

static void mechanisms_get_their_records(void **state)
{
    struct storefix *f = *state;
    char record[MOX_SASL_RECORD_MAX];
    mox__store_password_cost(f->store, 1, 8192);
    assert_int_equal(mox_account_credential(f->account, "scram-sha-256", record, NULL),
                     MOX_ENOTFOUND);
    assert_int_equal(mox_account_set_password(f->account, "a password", NULL), MOX_OK);
    assert_int_equal(mox_account_credential(f->account, "scram-sha-256", record, NULL), MOX_OK);
    struct scram_record r;
    assert_int_equal(mox__scram_parse(&r, HASH_SHA256, record), MOX_OK);
    assert_int_equal(r.iterations, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_new_account_has_the_usual_mailboxes),
        STORE_TEST(a_directory_has_one_user_at_a_time),
        STORE_TEST(accounts_are_shared_and_closed_with_the_last_user),
        STORE_TEST(only_fit_names_of_accounts_are_opened),
        STORE_TEST(a_newer_database_is_refused),
        STORE_TEST(a_foreign_database_is_refused),
        STORE_TEST(a_file_that_is_no_database_is_refused),
        STORE_TEST(a_damaged_database_is_refused),
        STORE_TEST(what_cannot_be_opened_is_said),
        STORE_TEST(damage_is_found),
        STORE_TEST(looking_at_damage_leaves_nothing_open),
        STORE_TEST(a_mailbox_that_is_damaged_is_refused),
        STORE_TEST(a_damaged_subscription_is_left_out),
        STORE_TEST(passwords_are_set_and_checked),
        STORE_TEST(a_new_password_ends_the_old_one),
        STORE_TEST(right_passwords_are_remembered_for_a_quarter_of_an_hour),
        STORE_TEST(mechanisms_get_their_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
