/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "store/store.h"
#include "store/storefix.h"
#include "store/vfsshim.h"
#include "support/cm.h"

/* A disk whose sync fails while the log is copied into the database. */

struct fixture {
    struct storefix f;
    struct vfsshim *shim;
    sqlite3 *reader;
    char path[128], log[136];
    unsigned mails;
};

static void start(struct fixture *x)
{
    storefix_start(&x->f);
    x->f.store->checkpoint_pages = 25;
}

static void add(struct fixture *x)
{
    (void)add_mail(&x->f, box_id(&x->f, "Inbox"), "Subject: x\r\n", 3000);
    x->mails++;
}

static void wait_for_thread(struct fixture *x)
{
    struct mox_store *store = x->f.store;
    pthread_mutex_lock(&store->lock);
    while (x->f.account->checkpoint_queued || x->f.account->checkpoint_running)
        pthread_cond_wait(&store->changed, &store->lock);
    pthread_mutex_unlock(&store->lock);
}

static bool fails(struct fixture *x)
{
    struct mox_store *store = x->f.store;
    pthread_mutex_lock(&store->lock);
    bool fails = x->f.account->checkpoint_fails;
    pthread_mutex_unlock(&store->lock);
    return fails;
}

static void hold_the_log(struct fixture *x)
{
    assert_int_equal(sqlite3_open(x->path, &x->reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(x->reader, "BEGIN; SELECT * FROM account", NULL, NULL, NULL),
                     SQLITE_OK);
}

/* A part of the log is copied, and not synced, for somebody reads; the rest's sync fails. */
static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);
    assert_non_null(x);
    x->shim = vfsshim();
    storefix_init(&x->f);
    (void)snprintf(x->path, sizeof x->path, "%s/accounts/mjl/index.db", x->f.dir);
    (void)snprintf(x->log, sizeof x->log, "%s-wal", x->path);
    start(x);
    for (int i = 0; i < 10; i++)
        add(x);
    hold_the_log(x);
    for (int i = 0; i < 100; i++) {
        add(x);
        wait_for_thread(x);
    }
    x->shim->lose_index = true;
    assert_int_equal(sqlite3_close(x->reader), SQLITE_OK);
    while (!fails(x)) {
        add(x);
        wait_for_thread(x);
    }
    assert_true(x->shim->lost > 0);
    x->shim->lose_index = false;
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;
    storefix_stop(&x->f);
    storefix_verify(&x->f);
    assert_int_equal(x->shim->lost, 0);
    assert_int_equal(query(&x->f, "SELECT count(*) FROM entry"), x->mails);
    storefix_done(&x->f);
    free(x);
    return 0;
}

static void all_of_the_database_is_written_again(void **state)
{
    struct fixture *x = *state;
    while (fails(x)) {
        add(x);
        wait_for_thread(x);
    }
    assert_int_equal(x->shim->lost, 0);
}

static void the_log_stays_when_the_account_is_closed(void **state)
{
    struct fixture *x = *state;
    struct stat st;
    storefix_stop(&x->f);
    assert_true(x->shim->lost > 0);
    assert_int_equal(stat(x->log, &st), 0);
    assert_true(st.st_size > 25 * 4096);
    start(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_of_the_database_is_written_again, setup, teardown),
        cmocka_unit_test_setup_teardown(the_log_stays_when_the_account_is_closed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
