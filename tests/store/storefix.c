/* SPDX-License-Identifier: MIT */
#include "store/storefix.h"

#include <ftw.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/cm.h"

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void remove_tree(const char *dir)
{
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void print_problem(void *user, const char *text)
{
    (void)user;
    print_error("verify: %s\n", text);
}

void storefix_init(struct storefix *f)
{
    memset(f, 0, sizeof *f);
    test_env_init(&f->t);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/mox-store.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
}

void storefix_init_fast(struct storefix *f)
{
    storefix_init(f);
    char dir[] = "/dev/shm/mox-store.XXXXXX";
    if (mkdtemp(dir) == NULL)
        return;
    remove_tree(f->dir);
    (void)snprintf(f->dir, sizeof f->dir, "%s", dir);
}

void storefix_start(struct storefix *f)
{
    struct mox_error err = {0};
    if (mox_store_open(&f->store, &f->t.env, f->dir, &err) < 0 ||
        mox_account_open(&f->account, f->store, "mjl", MOX_ACCOUNT_CREATE, f->config, &err) < 0)
        fail_msg("%s", err.text);
    f->mail = mox_account_mailstore(f->account);
}

void storefix_stop(struct storefix *f)
{
    mox_account_close(f->account);
    mox_store_close(f->store);
    f->account = NULL;
    f->store = NULL;
}

void storefix_verify(struct storefix *f)
{
    struct mox_error err = {0};
    if (mox_store_verify(&f->t.env, f->dir, print_problem, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

void storefix_done(struct storefix *f)
{
    remove_tree(f->dir);
    test_env_done(&f->t);
}

int storefix_open(void **state)
{
    struct storefix *f = malloc(sizeof *f);
    assert_non_null(f);
    storefix_init(f);
    storefix_start(f);
    *state = f;
    return 0;
}

int storefix_close(void **state)
{
    struct storefix *f = *state;
    storefix_stop(f);
    storefix_verify(f);
    storefix_done(f);
    free(f);
    return 0;
}

/* ---- writes ---- */

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

static void wake(struct mox_write *w)
{
    struct waiter *waiter = w->user;
    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    pthread_cond_signal(&waiter->changed);
    pthread_mutex_unlock(&waiter->lock);
}

static void prepare(struct mox_write *w, struct waiter *waiter)
{
    *waiter =
        (struct waiter){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    w->done = wake;
    w->user = waiter;
}

static int wait_for(struct mox_write *w, struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    while (!waiter->done)
        pthread_cond_wait(&waiter->changed, &waiter->lock);
    pthread_mutex_unlock(&waiter->lock);
    return w->status;
}

#define WAIT_FOR(name, type, member)                                                               \
    int name(struct storefix *f, struct type *op)                                                  \
    {                                                                                              \
        struct waiter waiter;                                                                      \
        prepare(&op->write, &waiter);                                                              \
        f->mail.ops->member(f->mail.self, op);                                                     \
        return wait_for(&op->write, &waiter);                                                      \
    }

WAIT_FOR(wait_append, mox_append, append)
WAIT_FOR(wait_set_flags, mox_set_flags, set_flags)
WAIT_FOR(wait_expunge, mox_expunge, expunge)
WAIT_FOR(wait_copy, mox_copy, copy)
WAIT_FOR(wait_change, mox_mailbox_change, change_mailbox)

int wait_outgoing(struct storefix *f, struct mox_outgoing *op)
{
    struct waiter waiter;
    prepare(&op->write, &waiter);
    mox_account_outgoing(f->account, op);
    return wait_for(&op->write, &waiter);
}

uint64_t box_id(struct storefix *f, const char *name)
{
    const struct mox_mailboxes *list = NULL;
    assert_int_equal(f->mail.ops->mailboxes(f->mail.self, &list, NULL), MOX_OK);
    const struct mox_mailbox *m = mox_mailboxes_find(list, name);
    assert_non_null(m);
    uint64_t id = m->id;
    mox_mailboxes_unref(list);
    return id;
}

struct mox_spool *mail_spool(struct storefix *f, const char *headers, size_t len)
{
    struct mox_spool *spool = NULL;
    assert_int_equal(
        mox_spool_new(&spool, &f->t.env, f->mail.ops->spool_dir(f->mail.self), UINT64_MAX), MOX_OK);
    assert_int_equal(
        mox_spool_write(spool, (struct mox_slice){(const uint8_t *)headers, strlen(headers)}),
        MOX_OK);
    char line[] = "\r\n0123456789 0123456789 0123456789 0123456789 0123456789 012345678\r\n";
    for (size_t n = len; n > 0;) {
        size_t piece = n < sizeof line - 1 ? n : sizeof line - 1;
        assert_int_equal(mox_spool_write(spool, (struct mox_slice){(uint8_t *)line, piece}),
                         MOX_OK);
        n -= piece;
    }
    return spool;
}

uint32_t add_mail(struct storefix *f, uint64_t mailbox, const char *headers, size_t len)
{
    struct mox_append op = {.mailbox = mailbox, .spool = mail_spool(f, headers, len)};
    int rc = wait_append(f, &op);
    if (rc < 0)
        fail_msg("%s", op.write.error.text);
    mox_spool_free(op.spool);
    return op.uid;
}

long long query(struct storefix *f, const char *sql)
{
    char path[128];
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    long long n = -1;
    (void)snprintf(path, sizeof path, "%s/accounts/mjl/index.db", f->dir);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 60000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    if (sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}
