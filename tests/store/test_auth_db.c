/* SPDX-License-Identifier: MIT */
#include <mox/auth_db.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/auth_db.h"
#include "store/storefix.h"
#include "store/vfsshim.h"
#include "support/cm.h"

/* The database that all accounts share. The clock stands still until it is moved. */

#define DAY (INT64_C(24) * 3600 * 1000000)

static struct mox_auth_db *open_db(struct storefix *f)
{
    struct mox_auth_db *db = NULL;
    struct mox_error err = {0};
    if (mox_auth_db_open(&db, &f->t.env, f->dir, &err) < 0)
        fail_msg("%s", err.text);
    return db;
}

static long long ask(struct storefix *f, const char *sql)
{
    char path[128];
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    (void)snprintf(path, sizeof path, "%s/auth.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    long long n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    return n;
}

static bool logged(struct storefix *f, const char *text)
{
    return f->t.log != NULL && strstr(f->t.log, text) != NULL;
}

/* -- keys ------------------------------------------------------------------------------------ */

static struct mox_client_key key_of(uint8_t number, const char *account)
{
    struct mox_client_key key = {.size = sizeof key, .kind = "ecdsa-p256", .created_us = 42};
    memset(key.fingerprint, number, sizeof key.fingerprint);
    (void)snprintf(key.account, sizeof key.account, "%s", account);
    (void)snprintf(key.address, sizeof key.address, "%s@x.example", account);
    (void)snprintf(key.name, sizeof key.name, "laptop %u", number);
    return key;
}

static void add(struct mox_auth_db *db, uint8_t number, const char *account)
{
    struct mox_client_key key = key_of(number, account);
    struct mox_error err = {0};
    if (mox_auth_db_add_key(db, &key, &err) < 0)
        fail_msg("%s", err.text);
}

static int collect_key(void *user, const struct mox_client_key *key)
{
    char *out = user, one[16];
    (void)snprintf(one, sizeof one, "%u ", key->fingerprint[0]);
    (void)strcat(out, one);
    return MOX_OK;
}

static void keys_are_found_listed_and_removed(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    for (uint8_t i = 0; i < 40; i++)
        add(db, (uint8_t)(i * 7 % 40), i % 2 == 0 ? "mjl" : "eve");
    struct mox_client_key key = key_of(21, "");
    assert_true(mox_auth_db_find_key(db, key.fingerprint, &key));
    assert_string_equal(key.account, "eve");
    assert_string_equal(key.address, "eve@x.example");
    assert_string_equal(key.name, "laptop 21");
    assert_string_equal(key.kind, "ecdsa-p256");
    assert_int_equal(key.created_us, 42);
    char list[512] = "";
    assert_int_equal(mox_auth_db_keys(db, "mjl", collect_key, list), MOX_OK);
    assert_string_equal(list, "0 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 32 34 36 38 ");
    assert_int_equal(mox_auth_db_remove_key(db, key.fingerprint, NULL), MOX_OK);
    assert_false(mox_auth_db_find_key(db, key.fingerprint, NULL));
    assert_int_equal(mox_auth_db_remove_key(db, key.fingerprint, NULL), MOX_ENOTFOUND);
    mox_auth_db_close(db);
}

static void keys_are_there_after_a_restart(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    struct mox_client_key key = key_of(3, "mjl");
    key.no_imap_preauth = true;
    assert_int_equal(mox_auth_db_add_key(db, &key, NULL), MOX_OK);
    add(db, 1, "eve");
    add(db, 2, "eve");
    assert_int_equal(mox_auth_db_remove_key(db, key_of(2, "").fingerprint, NULL), MOX_OK);
    mox_auth_db_close(db);

    db = open_db(f);
    struct mox_client_key found;
    assert_true(mox_auth_db_find_key(db, key.fingerprint, &found));
    assert_memory_equal(&found, &key, sizeof key);
    char list[64] = "";
    assert_int_equal(mox_auth_db_keys(db, NULL, collect_key, list), MOX_OK);
    assert_string_equal(list, "1 3 ");
    mox_auth_db_close(db);
}

static void a_key_has_one_user(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    struct mox_error err;
    add(db, 1, "mjl");
    struct mox_client_key key = key_of(1, "eve");
    assert_int_equal(mox_auth_db_add_key(db, &key, &err), MOX_EEXISTS);
    assert_non_null(strstr(err.text, "mjl@x.example, account mjl"));
    assert_true(mox_auth_db_find_key(db, key.fingerprint, &key));
    assert_string_equal(key.account, "mjl");
    mox_auth_db_close(db);
}

static void a_key_that_the_disk_refuses_is_not_there(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    struct vfsshim *disk = vfsshim();
    struct mox_client_key key = key_of(1, "mjl");
    struct mox_error err;
    add(db, 2, "mjl");
    atomic_store(&disk->fail_writes, true);
    assert_int_equal(mox_auth_db_add_key(db, &key, &err), MOX_EIO);
    assert_false(mox_auth_db_find_key(db, key.fingerprint, NULL));
    assert_int_equal(mox_auth_db_remove_key(db, key_of(2, "").fingerprint, &err), MOX_EIO);
    assert_true(mox_auth_db_find_key(db, key_of(2, "").fingerprint, NULL));
    atomic_store(&disk->fail_writes, false);
    add(db, 1, "mjl");
    mox_auth_db_close(db);
    assert_int_equal(ask(f, "SELECT count(*) FROM client_key"), 2);
}

/* -- attempts -------------------------------------------------------------------------------- */

static struct mox_login_attempt guess(const char *address)
{
    return (struct mox_login_attempt){
        .size = sizeof(struct mox_login_attempt),
        .address = address,
        .remote_ip = "192.0.2.1",
        .local_ip = "192.0.2.2",
        .protocol = "imap",
        .mechanism = "plain",
        .result = "badcreds",
    };
}

struct listed {
    char text[4096];
    unsigned rows;
    uint64_t count;
};

static int collect(void *user, const struct mox_login_attempt *a)
{
    struct listed *l = user;
    size_t len = strlen(l->text);
    (void)snprintf(l->text + len, sizeof l->text - len, "%s %s %s %s x%llu\n", a->account,
                   a->address, a->mechanism, a->result, (unsigned long long)a->count);
    l->rows++;
    l->count += a->count;
    return MOX_OK;
}

static void list(struct mox_auth_db *db, const char *account, struct listed *l)
{
    struct mox_error err;
    memset(l, 0, sizeof *l);
    if (mox_auth_db_logins(db, account, 0, collect, l, &err) < 0)
        fail_msg("%s", err.text);
}

static void equal_attempts_are_counted(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    struct listed l;
    struct mox_login_attempt a = guess("mjl@x.example");
    for (int i = 0; i < 3; i++)
        mox_auth_db_note_login(db, &a);
    test_env_advance(&f->t, DAY);
    mox_auth_db_note_login(db, &a);
    a.account = "mjl";
    a.result = "ok";
    test_env_advance(&f->t, 1);
    mox_auth_db_note_login(db, &a);
    list(db, NULL, &l);
    assert_string_equal(l.text, "mjl mjl@x.example plain ok x1\n"
                                "- mjl@x.example plain badcreds x4\n");
    list(db, "mjl", &l);
    assert_string_equal(l.text, "mjl mjl@x.example plain ok x1\n");
    mox_auth_db_close(db);
    assert_int_equal(ask(f, "SELECT last - first FROM login_attempt WHERE account = '-'"), DAY);
}

static void any_difference_is_another_row(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    struct listed l;
    const struct mox_login_attempt base = guess("ab");
    mox_auth_db_note_login(db, &base);
    const size_t fields[] = {offsetof(struct mox_login_attempt, account),
                             offsetof(struct mox_login_attempt, address),
                             offsetof(struct mox_login_attempt, remote_ip),
                             offsetof(struct mox_login_attempt, local_ip),
                             offsetof(struct mox_login_attempt, tls),
                             offsetof(struct mox_login_attempt, protocol),
                             offsetof(struct mox_login_attempt, user_agent),
                             offsetof(struct mox_login_attempt, mechanism),
                             offsetof(struct mox_login_attempt, result)};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct mox_login_attempt a = base;
        *(const char **)(void *)((char *)&a + fields[i]) = "other";
        mox_auth_db_note_login(db, &a);
    }
    list(db, NULL, &l);
    assert_int_equal(l.rows, 10);
    mox_auth_db_close(db);
}

static void texts_of_clients_are_cleaned_and_cut(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    struct listed l;
    struct mox_login_attempt a = guess("a\nb\x1b[1m\xc2\x9b\xc3\xa9");
    mox_auth_db_note_login(db, &a);
    list(db, NULL, &l);
    assert_string_equal(l.text, "- a?b?[1m??\xc3\xa9 plain badcreds x1\n");
    a.address = "\xff\xc3\xa9";
    test_env_advance(&f->t, 1);
    mox_auth_db_note_login(db, &a);
    list(db, NULL, &l);
    assert_memory_equal(l.text, "- ??? ", 6);
    char text[1000];
    memset(text, 'x', sizeof text);
    memcpy(text + 255, "\xc3\xa9", 2); /* across the limit */
    text[999] = '\0';
    a.address = text;
    test_env_advance(&f->t, 1);
    mox_auth_db_note_login(db, &a);
    mox_auth_db_close(db);
    assert_int_equal(ask(f, "SELECT max(length(address)) FROM login_attempt"), 255);
}

static int collect_agent(void *user, const struct mox_login_attempt *a)
{
    char *out = user;
    size_t len = strlen(out);
    (void)snprintf(out + len, 256 - len, "[%s] ", a->user_agent);
    return MOX_OK;
}

static void a_client_may_say_a_little_later_who_it_is(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    struct mox_login_attempt a = guess("mjl@x.example");
    uint64_t numbers[4];
    char agents[256] = "";
    mox__auth_writer_stop(db); /* so that it is never too late */
    for (int i = 0; i < 4; i++) {
        numbers[i] = mox_auth_db_note_login(db, &a);
        test_env_advance(&f->t, 1);
    }
    mox_auth_db_name_client(db, numbers[3], "last\r");
    mox_auth_db_name_client(db, numbers[1], "middle");
    mox_auth_db_name_client(db, numbers[0], "first");
    mox_auth_db_name_client(db, numbers[3] + 1, "nobody");
    a.user_agent = "behind";
    assert_true(mox_auth_db_note_login(db, &a) > numbers[3]);
    db->stop = false;
    assert_int_equal(mox__auth_writer_start(db, NULL), MOX_OK);
    assert_int_equal(mox_auth_db_logins(db, NULL, 0, collect_agent, agents, NULL), MOX_OK);
    mox_auth_db_name_client(db, numbers[2], "too late");
    assert_string_equal(agents, "[behind] [last?] [] [middle] [first] ");
    mox_auth_db_close(db);
}

static void flood(struct storefix *f, struct mox_auth_db *db, const char *account, int count)
{
    struct mox_login_attempt a = guess("");
    struct listed l;
    char address[32];
    a.account = account;
    a.address = address;
    for (int i = 0; i < count; i++) {
        (void)snprintf(address, sizeof address, "user%d", i);
        mox_auth_db_note_login(db, &a);
        f->t.wall_us++;
        if (i % 5000 == 4999)
            list(db, "nobody", &l); /* so that the queue is never full */
    }
}

static void the_newest_failed_ones_of_each_account_are_kept(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    struct mox_login_attempt good = guess("mjl@x.example");
    good.account = "mjl";
    good.result = "ok";
    mox_auth_db_note_login(db, &good);
    flood(f, db, "eve", 3);
    flood(f, db, "mjl", MOX_LOGIN_ATTEMPTS_MAX + 500);
    mox_auth_db_close(db);
    assert_int_equal(ask(f, "SELECT count(*) FROM login_attempt WHERE account = 'mjl' AND failed"),
                     MOX_LOGIN_ATTEMPTS_MAX);
    assert_int_equal(ask(f, "SELECT count(*) FROM login_attempt WHERE address = 'user499'"), 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM login_attempt WHERE address = 'user500'"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM login_attempt WHERE account = 'eve'"), 3);
    assert_int_equal(ask(f, "SELECT count(*) FROM login_attempt WHERE result = 'ok'"), 1);
}

static void after_thirty_days_they_are_gone(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    struct mox_login_attempt old = guess("old"), often = guess("often"), fresh = guess("new");
    struct listed l;
    mox_auth_db_note_login(db, &old);
    mox_auth_db_note_login(db, &often);
    test_env_advance(&f->t, 29 * DAY);
    mox_auth_db_note_login(db, &often);
    list(db, NULL, &l);
    assert_int_equal(l.rows, 2);
    test_env_advance(&f->t, 2 * DAY);
    mox_auth_db_note_login(db, &fresh);
    list(db, NULL, &l);
    assert_string_equal(l.text, "- new plain badcreds x1\n- often plain badcreds x2\n");
    mox_auth_db_close(db);
}

static void a_storm_costs_few_syncs(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    struct vfsshim *disk = vfsshim();
    struct mox_login_attempt a = guess("mjl@x.example");
    struct listed l;
    for (int i = 0; i < 5000; i++)
        mox_auth_db_note_login(db, &a);
    list(db, NULL, &l);
    assert_int_equal(l.rows, 1);
    assert_int_equal(l.count, 5000);
    print_message("5000 attempts: %ld syncs\n", atomic_load(&disk->wal_syncs));
    assert_in_range(atomic_load(&disk->wal_syncs), 1, 500);
    mox_auth_db_close(db);
}

static void what_the_disk_refuses_is_tried_again(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    struct vfsshim *disk = vfsshim();
    struct mox_login_attempt a = guess("mjl@x.example");
    struct listed l = {.text = ""};
    atomic_store(&disk->fail_syncs, true);
    mox_auth_db_note_login(db, &a);
    assert_true(mox_auth_db_logins(db, NULL, 0, collect, &l, NULL) <= MOX_OK);
    for (int i = 0; i < 10500; i++)
        mox_auth_db_note_login(db, &a);
    atomic_store(&disk->fail_syncs, false);
    for (int i = 0; i < 6000 && l.count < 10000; i++) { /* they may come in two parts */
        (void)usleep(10000);
        list(db, NULL, &l);
    }
    assert_int_equal(l.count, 10000); /* as many as wait */
    mox_auth_db_close(db);
    assert_true(logged(f, "attempts to log in cannot be recorded now"));
    assert_true(logged(f, "attempts to log in are not recorded until there is room again"));
    assert_true(logged(f, "attempts to log in are recorded again"));
}

/* -- files ----------------------------------------------------------------------------------- */

static void expect_corrupt(struct storefix *f, const char *text)
{
    struct mox_auth_db *db = NULL;
    struct mox_error err = {0};
    assert_int_equal(mox_auth_db_open(&db, &f->t.env, f->dir, &err), MOX_ECORRUPT);
    assert_non_null(strstr(err.text, "auth.db"));
    if (strstr(err.text, text) == NULL)
        fail_msg("%s", err.text);
}

static void auth_path(struct storefix *f, char path[128])
{
    (void)snprintf(path, 128, "%s/auth.db", f->dir);
}

static void overwrite(struct storefix *f, long at, size_t len)
{
    char path[128];
    auth_path(f, path);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(fputc('#', file), '#');
    assert_int_equal(fclose(file), 0);
}

static void another_file_in_its_place_is_refused(void **state)
{
    struct storefix *f = *state;
    char path[128], index[160];
    auth_path(f, path);
    mox_auth_db_close(open_db(f));
    (void)ask(f, "PRAGMA user_version = 99");
    expect_corrupt(f, "newer");
    overwrite(f, 0, 16);
    expect_corrupt(f, "restore it from a backup");
    storefix_stop(f);
    (void)snprintf(index, sizeof index, "%s/accounts/mjl/index.db", f->dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(link(index, path), 0);
    expect_corrupt(f, "this SQLite database is not that of logins");
    assert_int_equal(unlink(path), 0);
    storefix_start(f);
}

static void keep_text(void *user, const char *text)
{
    char *out = user;
    size_t len = strlen(out);
    (void)snprintf(out + len, 1024 - len, "%s\n", text);
}

static void verifying_finds_what_is_wrong(void **state)
{
    struct storefix *f = *state;
    char text[1024] = "";
    struct mox_auth_db *db = open_db(f);
    struct mox_login_attempt a = guess("mjl@x.example");
    mox_auth_db_note_login(db, &a);
    add(db, 1, "mjl");
    mox_auth_db_close(db);
    storefix_stop(f);
    assert_int_equal(mox_store_verify(&f->t.env, f->dir, keep_text, text, NULL), MOX_OK);
    (void)ask(f, "UPDATE login_attempt SET failed = 0");
    (void)ask(f, "UPDATE client_key SET account = ''");
    assert_int_equal(mox_store_verify(&f->t.env, f->dir, keep_text, text, NULL), MOX_ECORRUPT);
    assert_non_null(strstr(text, "auth.db: a key belongs to nobody: mjl@x.example"));
    assert_non_null(strstr(text, "auth.db: an attempt to log in has failed and not: -"));
    overwrite(f, 4096 + 100, 3000);
    text[0] = '\0';
    assert_int_equal(mox_store_verify(&f->t.env, f->dir, keep_text, text, NULL), MOX_ECORRUPT);
    assert_non_null(strstr(text, "auth.db: "));
    char path[128];
    auth_path(f, path);
    assert_int_equal(unlink(path), 0);
    storefix_start(f);
}

/* -- memory and threads ---------------------------------------------------------------------- */

static void live(struct storefix *f)
{
    struct mox_auth_db *db = NULL;
    struct mox_error err = {0};
    struct mox_login_attempt a = guess("mjl@x.example");
    struct mox_client_key key = key_of(1, "mjl");
    struct listed l;
    int rc = mox_auth_db_open(&db, &f->t.env, f->dir, &err);
    if (rc < 0) {
        assert_int_equal(rc, MOX_ENOMEM);
        assert_true(err.text[0] != '\0');
        return;
    }
    memset(&l, 0, sizeof l);
    mox_auth_db_note_login(db, &a);
    rc = mox_auth_db_add_key(db, &key, &err);
    assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
    assert_int_equal(mox_auth_db_logins(db, NULL, 0, collect, &l, &err), MOX_OK);
    if (rc == MOX_OK)
        assert_int_equal(mox_auth_db_remove_key(db, key.fingerprint, &err), MOX_OK);
    mox_auth_db_close(db);
}

static void any_allocation_may_fail(void **state)
{
    struct storefix *f = *state;
    long most = f->t.allocations;
    live(f);
    most = f->t.allocations - most;
    for (long n = 1; n <= most; n++) {
        f->t.fail_at = f->t.allocations + n;
        live(f);
        f->t.fail_at = 0;
    }
}

#define ROUNDS 200

static void *login_often(void *user)
{
    struct mox_auth_db *db = user;
    struct mox_login_attempt a = guess("mjl@x.example");
    uint8_t fingerprint[MOX_FINGERPRINT_BYTES] = {0};
    for (int i = 0; i < ROUNDS; i++) {
        (void)mox_auth_db_find_key(db, fingerprint, NULL);
        mox_auth_db_note_login(db, &a);
    }
    return NULL;
}

static void *change_keys(void *user)
{
    for (uint8_t i = 0; i < 20; i++) {
        add(user, i, "mjl");
        if (i % 2 == 0)
            assert_int_equal(mox_auth_db_remove_key(user, key_of(i, "").fingerprint, NULL), MOX_OK);
    }
    return NULL;
}

static void threads_use_it_side_by_side(void **state)
{
    struct storefix *f = *state;
    struct mox_auth_db *db = open_db(f);
    pthread_t threads[4];
    struct listed l;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i == 0 ? change_keys : login_often, db),
                         0);
    for (int i = 0; i < 3; i++)
        list(db, NULL, &l);
    for (int i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    list(db, NULL, &l);
    assert_int_equal(l.count, 3 * ROUNDS);
    char keys[512] = "";
    assert_int_equal(mox_auth_db_keys(db, NULL, collect_key, keys), MOX_OK);
    assert_string_equal(keys, "1 3 5 7 9 11 13 15 17 19 ");
    mox_auth_db_close(db);
}

int main(void)
{
    (void)vfsshim();
    const struct CMUnitTest tests[] = {
        STORE_TEST(keys_are_found_listed_and_removed),
        STORE_TEST(keys_are_there_after_a_restart),
        STORE_TEST(a_key_has_one_user),
        STORE_TEST(a_key_that_the_disk_refuses_is_not_there),
        STORE_TEST(equal_attempts_are_counted),
        STORE_TEST(any_difference_is_another_row),
        STORE_TEST(texts_of_clients_are_cleaned_and_cut),
        STORE_TEST(a_client_may_say_a_little_later_who_it_is),
        STORE_TEST(the_newest_failed_ones_of_each_account_are_kept),
        STORE_TEST(after_thirty_days_they_are_gone),
        STORE_TEST(a_storm_costs_few_syncs),
        STORE_TEST(what_the_disk_refuses_is_tried_again),
        STORE_TEST(another_file_in_its_place_is_refused),
        STORE_TEST(verifying_finds_what_is_wrong),
        STORE_TEST(any_allocation_may_fail),
        STORE_TEST(threads_use_it_side_by_side),
    };
    return cmocka_run_group_tests_name("store-auth-db", tests, NULL, NULL);
}
