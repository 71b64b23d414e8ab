/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/storefix.h"
#include "store/vfsshim.h"
#include "support/cm.h"

/* Writes: how they share transactions, what they leave on disk, and what a failing disk does. */

static char *path_of(const struct storefix *f, const char *rest)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/accounts/mjl/%s", f->dir, rest);
    return path;
}

/* ---- many at once ---- */

struct crowd {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned left;
};

static void one_less(struct mox_write *w)
{
    struct crowd *c = w->user;
    pthread_mutex_lock(&c->lock);
    c->left--;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static void wait_crowd(struct crowd *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->left > 0)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

#define CROWD 200

static void start_crowd(struct storefix *f, struct crowd *c, struct mox_append *ops)
{
    uint64_t inbox = box_id(f, "Inbox");
    *c = (struct crowd){
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .left = CROWD};
    for (unsigned i = 0; i < CROWD; i++) {
        ops[i] = (struct mox_append){.write = {.done = one_less, .user = c},
                                     .mailbox = inbox,
                                     .spool = mail_spool(f, "Subject: crowd\r\n", 100)};
        if (i % 10 == 7)
            ops[i].mailbox = 777;
    }
    for (unsigned i = 0; i < CROWD; i++)
        f->mail.ops->append(f->mail.self, &ops[i]);
}

static void writes_that_wait_share_a_sync(void **state)
{
    struct storefix *f = *state;
    struct vfsshim *shim = vfsshim();
    static struct mox_append ops[CROWD];
    struct crowd c;
    shim->sync_delay_us = 300000; /* a slow machine takes long to submit them all */
    start_crowd(f, &c, ops);
    wait_crowd(&c);
    shim->sync_delay_us = 0;
    assert_in_range(shim->wal_syncs, 1, CROWD / 10);
    uint32_t uid = 0;
    for (unsigned i = 0; i < CROWD; i++) {
        if (i % 10 == 7) { /* fails alone */
            assert_int_equal(ops[i].write.status, MOX_ENOTFOUND);
            assert_non_null(strstr(ops[i].write.error.text, "no such mailbox"));
        } else {
            assert_int_equal(ops[i].write.status, MOX_OK);
            assert_int_equal(ops[i].uid, ++uid); /* in the order of submission */
        }
        mox_spool_free(ops[i].spool);
    }
    assert_int_equal(query(f, "SELECT messages FROM mailbox WHERE name = 'Inbox'"), uid);
}

/* ---- disks that fail ---- */

static int try_append(struct storefix *f, struct mox_error *err, size_t len)
{
    struct mox_append op = {.mailbox = box_id(f, "Inbox"),
                            .spool = mail_spool(f, "Subject: try\r\n", len)};
    int rc = wait_append(f, &op);
    *err = op.write.error;
    mox_spool_free(op.spool);
    return rc;
}

static void a_disk_that_fails_fails_writes_and_nothing_else(void **state)
{
    struct storefix *f = *state;
    struct vfsshim *shim = vfsshim();
    atomic_bool *const faults[] = {&shim->full, &shim->fail_writes, &shim->fail_syncs};
    static const int expected[] = {MOX_ENOSPACE, MOX_EIO, MOX_EIO};
    struct mox_error err;
    struct mox_mailbox_status before, after;
    assert_int_equal(try_append(f, &err, 10), MOX_OK);
    uint64_t inbox = box_id(f, "Inbox");
    struct mox_view *view = NULL, *later = NULL;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(f->mail.ops->status(f->mail.self, inbox, &before, NULL), MOX_OK);
        assert_int_equal(f->mail.ops->view(f->mail.self, inbox, &view, NULL), MOX_OK);
        *faults[i] = true;
        assert_int_equal(try_append(f, &err, 10), expected[i]);
        assert_true(err.text[0] != '\0');
        assert_int_equal(try_append(f, &err, 300000), expected[i]); /* its file goes too */
        static const char *const keywords[] = {"new"};
        struct mox_uid_range all = {1, 100};
        struct mox_set_flags flags = {.mailbox = inbox,
                                      .ranges = &all,
                                      .range_count = 1,
                                      .mode = MOX_FLAGS_ADD,
                                      .keywords = keywords,
                                      .keyword_count = 1};
        assert_int_equal(wait_set_flags(f, &flags), expected[i]);
        struct mox_mailbox_change change = {.kind = MOX_MAILBOX_CREATE, .name = "made/later"};
        assert_int_equal(wait_change(f, &change), expected[i]);
        *faults[i] = false;

        assert_int_equal(f->mail.ops->status(f->mail.self, inbox, &after, NULL), MOX_OK);
        assert_memory_equal(&before, &after, sizeof before);
        assert_int_equal(f->mail.ops->view(f->mail.self, inbox, &later, NULL), MOX_OK);
        assert_int_equal(mox_view_count(later), before.messages);
        mox_view_unref(later);
        mox_view_unref(view);
        assert_int_equal(try_append(f, &err, 10), MOX_OK); /* and it recovers */
        assert_int_equal(f->mail.ops->status(f->mail.self, inbox, &after, NULL), MOX_OK);
        assert_int_equal(after.messages, before.messages + 1);
    }
    struct mox_mailbox_change change = {.kind = MOX_MAILBOX_CREATE, .name = "made/later"};
    assert_int_equal(wait_change(f, &change), MOX_OK);
}

/* Until something else is in the WAL, its transaction may be found there after a crash. */
static void a_file_in_doubt_goes_with_the_next_commit_of_any_kind(void **state)
{
    struct storefix *f = *state;
    struct vfsshim *shim = vfsshim();
    struct mox_error err;
    shim->fail_syncs = true;
    assert_int_equal(try_append(f, &err, 300000), MOX_EIO);
    shim->fail_syncs = false;
    assert_int_equal(access(path_of(f, "msg/01/1"), F_OK), 0);
    static const char *const people[] = {"a@x.example"};
    struct mox_outgoing op = {.recipients = people, .recipient_count = 1, .max_recipients = 0};
    assert_int_equal(wait_outgoing(f, &op), MOX_ELIMIT); /* writes nothing */
    assert_int_equal(access(path_of(f, "msg/01/1"), F_OK), 0);
    op.max_recipients = op.max_first_time = 10;
    assert_int_equal(wait_outgoing(f, &op), MOX_OK);
    assert_int_equal(access(path_of(f, "msg/01/1"), F_OK), -1);
}

/* ---- the WAL ---- */

static void the_wal_stays_short_under_load(void **state)
{
    (void)state;
    struct storefix f;
    struct stat st;
    storefix_init_fast(&f);
    storefix_start(&f);
    uint64_t inbox = box_id(&f, "Inbox");
    for (int i = 0; i < 3000; i++) /* some 30,000 pages */
        (void)add_mail(&f, inbox, "Subject: x\r\n", 32000);
    char wal[128];
    (void)snprintf(wal, sizeof wal, "%s/accounts/mjl/index.db-wal", f.dir);
    assert_int_equal(stat(wal, &st), 0);
    assert_in_range(st.st_size, 1, 17000 * 4120L);
    storefix_stop(&f);
    storefix_verify(&f);
    storefix_done(&f);
}

/* ---- large bodies ---- */

static int keep_content(void *user, const struct mox_message_data *d)
{
    *(uint64_t *)user = d->content.len;
    assert_true(d->content.data[d->content.len / 2] != 0);
    return 0;
}

static uint64_t content_of(struct storefix *f, struct mox_view *view, uint32_t uid)
{
    struct mox_error err = {0};
    uint64_t bytes = 0;
    struct mox_uid_range range = {uid, uid};
    if (f->mail.ops->fetch(f->mail.self, view, &range, 1, MOX_FETCH_CONTENT, keep_content, &bytes,
                           &err) < 0)
        fail_msg("%s", err.text);
    return bytes;
}

static void large_bodies_are_files(void **state)
{
    struct storefix *f = *state;
    uint64_t inbox = box_id(f, "Inbox");
    (void)add_mail(f, inbox, "Subject: small\r\n", 1000);
    uint32_t uid = add_mail(f, inbox, "Subject: large\r\n", 200000);
    assert_int_equal(query(f, "SELECT count(*) FROM content WHERE data IS NULL"), 1);
    struct stat st;
    assert_int_equal(stat(path_of(f, "msg/02/2"), &st), 0);
    struct mox_view *view = NULL;
    assert_int_equal(f->mail.ops->view(f->mail.self, inbox, &view, NULL), MOX_OK);
    assert_int_equal(content_of(f, view, uid), (uint64_t)st.st_size);

    /* removed, it stays readable for this view, and goes with it */
    struct mox_uid_range all = {1, UINT32_MAX};
    struct mox_expunge op = {.mailbox = inbox, .ranges = &all, .range_count = 1};
    assert_int_equal(wait_expunge(f, &op), MOX_OK);
    assert_int_equal(content_of(f, view, uid), (uint64_t)st.st_size);
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 2);
    mox_view_unref(view);
    for (int i = 0; i < 6000 && query(f, "SELECT count(*) FROM message") > 0; i++)
        usleep(10000);
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 0);
    for (int i = 0; i < 6000 && stat(path_of(f, "msg/02/2"), &st) == 0; i++)
        usleep(10000);
    assert_int_equal(stat(path_of(f, "msg/02/2"), &st), -1);
    assert_int_equal(query(f, "SELECT count(*) FROM key"), 0);
}

static void files_that_nothing_refers_to_are_removed_at_open(void **state)
{
    struct storefix *f = *state;
    (void)add_mail(f, box_id(f, "Inbox"), "Subject: large\r\n", 200000);
    storefix_stop(f);
    char stray[256];
    (void)snprintf(stray, sizeof stray, "%s", path_of(f, "msg/01/257"));
    FILE *file = fopen(stray, "w");
    assert_non_null(file);
    fclose(file);
    char spool[128];
    (void)snprintf(spool, sizeof spool, "%s/tmp/spool.abcdef", f->dir);
    file = fopen(spool, "w");
    assert_non_null(file);
    fclose(file);
    storefix_start(f);
    assert_int_equal(access(stray, F_OK), -1);
    assert_int_equal(access(spool, F_OK), -1);
    assert_int_equal(access(path_of(f, "msg/01/1"), F_OK), 0);
    (void)add_mail(f, box_id(f, "Inbox"), "Subject: next\r\n", 200000);
    assert_int_equal(query(f, "SELECT max(id) FROM message"), 258); /* an id is never given twice */
}

static void a_missing_file_is_told(void **state)
{
    struct storefix *f = *state;
    uint64_t inbox = box_id(f, "Inbox");
    (void)add_mail(f, inbox, "Subject: large\r\n", 200000);
    (void)add_mail(f, inbox, "Subject: behind it\r\n", 200);
    char away[300];
    (void)snprintf(away, sizeof away, "%s.away", path_of(f, "msg/01/1"));
    assert_int_equal(rename(path_of(f, "msg/01/1"), away), 0);
    struct mox_view *view = NULL;
    struct mox_error err = {0};
    uint64_t bytes = 0;
    struct mox_uid_range range = {1, 2}, behind = {2, 2};
    assert_int_equal(f->mail.ops->view(f->mail.self, inbox, &view, NULL), MOX_OK);
    assert_int_equal(f->mail.ops->fetch(f->mail.self, view, &range, 1, MOX_FETCH_CONTENT,
                                        keep_content, &bytes, &err),
                     MOX_ECORRUPT);
    assert_non_null(strstr(err.text, "msg/01/1"));
    assert_int_equal(bytes, 0);
    assert_int_equal(f->mail.ops->fetch(f->mail.self, view, &behind, 1, MOX_FETCH_CONTENT,
                                        keep_content, &bytes, &err),
                     MOX_OK);
    assert_in_range(bytes, 200, 300);
    mox_view_unref(view);
    assert_int_equal(rename(away, path_of(f, "msg/01/1")), 0);
}

/* ---- removed while somebody looks ---- */

static void messages_of_a_deleted_mailbox_stay_for_old_views(void **state)
{
    struct storefix *f = *state;
    struct mox_mailbox_change change = {.kind = MOX_MAILBOX_CREATE, .name = "doomed"};
    assert_int_equal(wait_change(f, &change), MOX_OK);
    uint64_t id = box_id(f, "doomed");
    (void)add_mail(f, id, "Subject: doomed\r\n", 10);
    struct mox_view *view = NULL;
    assert_int_equal(f->mail.ops->view(f->mail.self, id, &view, NULL), MOX_OK);
    change.kind = MOX_MAILBOX_DELETE;
    assert_int_equal(wait_change(f, &change), MOX_OK);
    assert_true(content_of(f, view, 1) > 0);
    mox_view_unref(view);
    for (int i = 0; i < 6000 && query(f, "SELECT count(*) FROM content") > 0; i++)
        usleep(10000);
    assert_int_equal(query(f, "SELECT count(*) FROM content"), 0);
}

static void what_was_kept_is_erased_at_the_next_open(void **state)
{
    struct storefix *f = *state;
    uint64_t inbox = box_id(f, "Inbox");
    (void)add_mail(f, inbox, "Subject: kept\r\n", 10);
    storefix_stop(f);
    assert_int_equal(query(f, "INSERT INTO gone SELECT mailbox, uid, modseq, message FROM entry"),
                     -1);
    assert_int_equal(query(f, "DELETE FROM entry"), -1);
    assert_int_equal(query(f, "UPDATE mailbox SET messages = 0, unseen = 0, bytes = 0"), -1);
    storefix_verify(f);
    storefix_start(f);
    for (int i = 0; i < 6000 && query(f, "SELECT count(*) FROM content") > 0; i++)
        usleep(10000);
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 0);
}

static void many_removed_messages_are_erased_in_pieces(void **state)
{
    struct storefix *f = *state;
    uint64_t inbox = box_id(f, "Inbox");
    struct mox_uid_range all = {1, UINT32_MAX};
    (void)add_mail(f, inbox, "Subject: one\r\nMessage-ID: <1@x.example>\r\n", 10);
    for (int i = 0; i < 11; i++) { /* 2,048 */
        struct mox_copy copy = {
            .mailbox = inbox, .destination = inbox, .ranges = &all, .range_count = 1};
        assert_int_equal(wait_copy(f, &copy), MOX_OK);
        mox_copy_free(&copy);
    }
    assert_int_equal(query(f, "SELECT extra FROM ref"), 2047);
    struct mox_expunge op = {.mailbox = inbox, .ranges = &all, .range_count = 1};
    assert_int_equal(wait_expunge(f, &op), MOX_OK);
    for (int i = 0; i < 6000 && query(f, "SELECT count(*) FROM content") > 0; i++)
        usleep(10000);
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 0);
    assert_int_equal(query(f, "SELECT count(*) FROM ref"), 0);
}

static void double_messages(struct storefix *f, uint64_t mailbox, unsigned times)
{
    struct mox_uid_range all = {1, UINT32_MAX};
    for (unsigned i = 0; i < times; i++) {
        struct mox_copy copy = {
            .mailbox = mailbox, .destination = mailbox, .ranges = &all, .range_count = 1};
        assert_int_equal(wait_copy(f, &copy), MOX_OK);
        mox_copy_free(&copy);
    }
}

static void a_change_of_a_whole_mailbox_leaves_no_memory_behind(void **state)
{
    struct storefix *f = *state;
    uint64_t inbox = box_id(f, "Inbox");
    struct mox_uid_range all = {1, UINT32_MAX};
    add_mail(f, inbox, "Subject: one\r\n", 100);
    double_messages(f, inbox, 1);
    size_t before = f->t.live_bytes;
    double_messages(f, inbox, 11);
    struct mox_set_flags op = {
        .mailbox = inbox, .ranges = &all, .range_count = 1, .flags = MOX_FLAG_SEEN};
    assert_int_equal(wait_set_flags(f, &op), MOX_OK);
    assert_true(f->t.live_bytes <= before + 1024);
}

int main(void)
{
    vfsshim();
    const struct CMUnitTest tests[] = {
        STORE_TEST(writes_that_wait_share_a_sync),
        STORE_TEST(a_disk_that_fails_fails_writes_and_nothing_else),
        STORE_TEST(a_file_in_doubt_goes_with_the_next_commit_of_any_kind),
        cmocka_unit_test(the_wal_stays_short_under_load),
        STORE_TEST(large_bodies_are_files),
        STORE_TEST(files_that_nothing_refers_to_are_removed_at_open),
        STORE_TEST(a_missing_file_is_told),
        STORE_TEST(messages_of_a_deleted_mailbox_stay_for_old_views),
        STORE_TEST(what_was_kept_is_erased_at_the_next_open),
        STORE_TEST(many_removed_messages_are_erased_in_pieces),
        STORE_TEST(a_change_of_a_whole_mailbox_leaves_no_memory_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
