/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "store/storefix.h"
#include "store/vfsshim.h"
#include "support/cm.h"

/* Erasing what was removed, when it fails. */

#define PAUSE_US INT64_C(10000000)

static int deliver(struct storefix *f)
{
    struct mox_append op = {.mailbox = box_id(f, "Inbox"),
                            .spool = mail_spool(f, "Subject: another\r\n", 10)};
    int rc = wait_append(f, &op);
    mox_spool_free(op.spool);
    return rc;
}

/* Removes all of a mailbox while a session looks at it; what comes back keeps it. */
static struct mox_view *remove_all(struct storefix *f, uint64_t mailbox)
{
    struct mox_view *view = NULL;
    assert_int_equal(f->mail.ops->view(f->mail.self, mailbox, &view, NULL), MOX_OK);
    struct mox_uid_range all = {1, UINT32_MAX};
    struct mox_expunge op = {.mailbox = mailbox, .ranges = &all, .range_count = 1};
    assert_int_equal(wait_expunge(f, &op), MOX_OK);
    return view;
}

static void wait_count(struct storefix *f, const char *sql, long long count)
{
    for (int i = 0; i < 6000 && query(f, sql) != count; i++)
        usleep(10000);
    assert_int_equal(query(f, sql), count);
}

static void a_database_that_cannot_be_opened_is_not_tried_without_end(void **state)
{
    struct storefix *f = *state;
    struct vfsshim *shim = vfsshim();
    uint64_t inbox = box_id(f, "Inbox");
    (void)add_mail(f, inbox, "Subject: gone\r\n", 10);
    struct mox_view *view = remove_all(f, inbox);
    shim->fail_syncs = shim->fail_opens = true;
    assert_int_equal(deliver(f), MOX_EIO); /* from now on the connection is not believed */
    long before = shim->opens;
    mox_view_unref(view);
    for (int i = 0; i < 6000 && shim->opens == before; i++)
        usleep(10000);
    for (int i = 0; i < 50; i++)
        assert_true(deliver(f) < 0);
    assert_int_equal(shim->opens - before, 1 + 50);
    assert_int_equal(test_env_logged(&f->t, "l=error m=\"transaction failed\""), 1);

    shim->fail_syncs = shim->fail_opens = false;
    assert_int_equal(deliver(f), MOX_OK); /* too early */
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 2);
    test_env_advance(&f->t, PAUSE_US);
    assert_int_equal(deliver(f), MOX_OK);
    wait_count(f, "SELECT count(*) FROM message", 2);
}

static void damage_in_one_mailbox_keeps_no_other_from_being_erased(void **state)
{
    struct storefix *f = *state;
    uint64_t inbox = box_id(f, "Inbox"), sent = box_id(f, "Sent");
    assert_true(inbox < sent);
    (void)add_mail(f, inbox, "Subject: damaged\r\n", 10);
    (void)add_mail(f, sent, "Subject: behind it\r\n", 10);
    struct mox_view *first = remove_all(f, inbox), *second = remove_all(f, sent);
    char damage[200];
    (void)snprintf(damage, sizeof damage,
                   "CREATE TRIGGER damage BEFORE UPDATE ON gone WHEN old.mailbox = %llu"
                   " BEGIN SELECT RAISE(FAIL, 'cannot be read'); END",
                   (unsigned long long)inbox);
    (void)query(f, damage);
    mox_view_unref(first);
    mox_view_unref(second);
    wait_count(f, "SELECT count(*) FROM message", 1);
    for (int i = 0; i < 20; i++)
        assert_int_equal(deliver(f), MOX_OK);
    assert_int_equal(test_env_logged(&f->t, "cannot be read"), 1);

    (void)query(f, "DROP TRIGGER damage");
    test_env_advance(&f->t, PAUSE_US);
    assert_int_equal(deliver(f), MOX_OK);
    wait_count(f, "SELECT count(*) FROM message", 21);
}

int main(void)
{
    vfsshim();
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_database_that_cannot_be_opened_is_not_tried_without_end),
        STORE_TEST(damage_in_one_mailbox_keeps_no_other_from_being_erased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
