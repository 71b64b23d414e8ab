/* SPDX-License-Identifier: MIT */
#include <mox/auth_db.h>

#include <string.h>
#include <sys/stat.h>

#include "faults/powercut.h"
#include "support/cm.h"

/* The power is cut while keys of clients come and go and logins are recorded: the keys are those that were
 * acknowledged, and what opens is sound. */

enum { ONE = 1 << 1, TWO = 1 << 2, REFUSED = 1 << 3, LAST = 1 << 4 };

/* The keys after each step. REFUSED is a key whose sync failed: before the next step a power cut may
 * show it, as any that nobody has heard of. */
static const unsigned after[] = {0, ONE, ONE | TWO, TWO, TWO | REFUSED, TWO | LAST};
#define STEPS (COUNT(after) - 1)

static struct mox_client_key key_of(unsigned bit)
{
    struct mox_client_key key = {
        .size = sizeof key, .account = "mjl", .address = "mjl@x.example", .kind = "ecdsa-p256"};
    memset(key.fingerprint, (int)bit, sizeof key.fingerprint);
    return key;
}

static int add(struct mox_auth_db *db, unsigned bit)
{
    struct mox_client_key key = key_of(bit);
    return mox_auth_db_add_key(db, &key, NULL);
}

static int nothing(void *user, const struct mox_login_attempt *attempt)
{
    (void)user;
    (void)attempt;
    return MOX_OK;
}

static int record_login(struct mox_auth_db *db)
{
    struct mox_login_attempt a = {.size = sizeof a, .address = "mjl@x.example", .result = "ok"};
    (void)mox_auth_db_note_login(db, &a);
    return mox_auth_db_logins(db, NULL, 0, nothing, NULL, NULL);
}

static void work(struct mox_auth_db *db)
{
    record_submitted(1);
    assert_int_equal(add(db, ONE), MOX_OK);
    record_acknowledged(1);
    assert_int_equal(record_login(db), MOX_OK);
    record_submitted(2);
    assert_int_equal(add(db, TWO), MOX_OK);
    record_acknowledged(2);
    record_submitted(3);
    assert_int_equal(mox_auth_db_remove_key(db, key_of(ONE).fingerprint, NULL), MOX_OK);
    record_acknowledged(3);
    record_submitted(4);
    record_fail_sync("*-wal");
    assert_int_equal(add(db, REFUSED), MOX_EIO);
    record_submitted(5);
    assert_int_equal(add(db, LAST), MOX_OK);
    record_acknowledged(5);
    assert_int_equal(record_login(db), MOX_OK);
}

static int note_key(void *user, const struct mox_client_key *key)
{
    *(unsigned *)user |= key->fingerprint[0];
    return MOX_OK;
}

static void check(void *user, const struct cut *cut)
{
    struct storefix f;
    struct mox_auth_db *db = NULL;
    struct mox_error err = {0};
    unsigned keys = 0;
    bool right = false;
    (void)user;
    storefix_at(&f, cut->dir);
    if (mox_auth_db_open(&db, &f.t.env, f.dir, &err) < 0)
        cut_failed("%s", err.text);
    assert_int_equal(mox_auth_db_keys(db, NULL, note_key, &keys), MOX_OK);
    for (size_t i = cut->acknowledged; i <= cut->submitted && i <= STEPS; i++)
        right = right || keys == after[i];
    if (!right)
        cut_failed("keys %x after %zu to %zu steps", keys, cut->acknowledged, cut->submitted);
    if (add(db, 1 << 5) < 0 || record_login(db) < 0)
        cut_failed("it takes no more");
    mox_auth_db_close(db);
    storefix_verify(&f);
    test_env_done(&f.t);
}

static void acknowledged_keys_stay(void **state)
{
    (void)state;
    char root[32];
    struct storefix f;
    struct mox_auth_db *db = NULL;
    struct cut_counts counts = {0};
    make_root(root);
    storefix_at(&f, root);
    assert_int_equal(mkdir(f.dir, 0700), 0);
    record_start(root, 0, 0);
    assert_int_equal(mox_auth_db_open(&db, &f.t.env, f.dir, NULL), MOX_OK);
    work(db);
    mox_auth_db_close(db);
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
        CUT_TEST(acknowledged_keys_stay),
    };
    return cmocka_run_group_tests_name("powercut-auth", tests, NULL, NULL);
}
