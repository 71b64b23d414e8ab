/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/storefix.h"
#include "store/vfsshim.h"
#include "support/cm.h"

/* Files of bodies that nothing refers to: when they are looked for. */

static const char *path_of(const struct storefix *f, const char *rest)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/accounts/mjl/%s", f->dir, rest);
    return path;
}

static void make_file(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

/* The account alone; the store stays open. */
static void open_again(struct storefix *f)
{
    struct mox_error err;
    mox_account_close(f->account);
    if (mox_account_open(&f->account, f->store, "mjl", MOX_ACCOUNT_EXISTING, f->config, &err) < 0)
        fail_msg("%s", err.text);
    f->mail = mox_account_mailstore(f->account);
}

static void an_account_that_was_closed_in_order_is_not_searched_again(void **state)
{
    struct storefix *f = *state;
    (void)add_mail(f, box_id(f, "Inbox"), "Subject: large\r\n", 200000);
    open_again(f);
    make_file(path_of(f, "msg/01/257"));
    open_again(f);
    assert_int_equal(access(path_of(f, "msg/01/257"), F_OK), 0);
    (void)add_mail(f, box_id(f, "Inbox"), "Subject: large\r\n", 200000);
    assert_int_equal(access(path_of(f, "msg/02/2"), F_OK), 0); /* ids go on */
    storefix_stop(f);                                          /* as another process */
    storefix_start(f);
    assert_int_equal(access(path_of(f, "msg/01/257"), F_OK), -1);
    assert_int_equal(access(path_of(f, "msg/01/1"), F_OK), 0);
}

static void a_file_in_doubt_is_looked_for_when_its_account_is_opened_again(void **state)
{
    struct storefix *f = *state;
    struct vfsshim *shim = vfsshim();
    open_again(f);
    shim->fail_syncs = true;
    struct mox_append op = {.mailbox = box_id(f, "Inbox"),
                            .spool = mail_spool(f, "Subject: doubtful\r\n", 200000)};
    assert_int_equal(wait_append(f, &op), MOX_EIO);
    mox_spool_free(op.spool);
    assert_int_equal(access(path_of(f, "msg/01/1"), F_OK), 0);
    shim->fail_syncs = false;
    open_again(f);
    assert_int_equal(access(path_of(f, "msg/01/1"), F_OK),
                     query(f, "SELECT count(*) FROM message") == 0 ? -1 : 0);
}

static void an_id_whose_file_is_there_is_not_given(void **state)
{
    struct storefix *f = *state;
    open_again(f);
    (void)add_mail(f, box_id(f, "Inbox"), "Subject: large\r\n", 200000);
    assert_int_equal(mkdir(path_of(f, "msg/02"), 0700), 0);
    make_file(path_of(f, "msg/02/2"));
    (void)add_mail(f, box_id(f, "Inbox"), "Subject: large\r\n", 200000);
    assert_int_equal(query(f, "SELECT max(id) FROM message"), 3);
    open_again(f);
    assert_int_equal(access(path_of(f, "msg/02/2"), F_OK), -1);
}

static void note(void *user, const char *text)
{
    (void)snprintf(user, 300, "%s", text);
}

static void a_folder_that_cannot_be_looked_into_is_not_empty(void **state)
{
    struct storefix *f = *state;
    assert_int_equal(mkdir(path_of(f, "msg"), 0700), 0);
    make_file(path_of(f, "msg/07"));
    storefix_stop(f);
    char said[300] = "";
    assert_int_equal(mox_store_verify(&f->t.env, f->dir, note, said, NULL), MOX_ECORRUPT);
    assert_non_null(strstr(said, "msg/07: Not a directory"));
    storefix_start(f); /* its mail is not held up by that */
    assert_int_equal(test_env_logged(&f->t, "cannot look for message files"), 1);
    open_again(f);
    assert_int_equal(test_env_logged(&f->t, "cannot look for message files"), 2);
    assert_int_equal(unlink(path_of(f, "msg/07")), 0);
    open_again(f);
}

static void a_folder_of_accounts_that_cannot_be_looked_into_is_not_verified(void **state)
{
    struct storefix *f = *state;
    char accounts[128], away[140], said[300] = "";
    struct mox_error err = {0};
    storefix_stop(f);
    (void)snprintf(accounts, sizeof accounts, "%s/accounts", f->dir);
    (void)snprintf(away, sizeof away, "%s.away", accounts);
    assert_int_equal(rename(accounts, away), 0);
    make_file(accounts);
    assert_int_equal(mox_store_verify(&f->t.env, f->dir, note, said, &err), MOX_EIO);
    assert_non_null(strstr(err.text, "accounts: Not a directory"));
    assert_int_equal(unlink(accounts), 0);
    assert_int_equal(rename(away, accounts), 0);
    storefix_start(f);
}

int main(void)
{
    vfsshim();
    const struct CMUnitTest tests[] = {
        STORE_TEST(an_account_that_was_closed_in_order_is_not_searched_again),
        STORE_TEST(a_file_in_doubt_is_looked_for_when_its_account_is_opened_again),
        STORE_TEST(an_id_whose_file_is_there_is_not_given),
        STORE_TEST(a_folder_that_cannot_be_looked_into_is_not_empty),
        STORE_TEST(a_folder_of_accounts_that_cannot_be_looked_into_is_not_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
