/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/store.h"

/*
 * Commits append to the WAL; a checkpoint copies it back into the database. Doing that within a
 * commit makes one in some hundreds slow, so:
 *
 *   the WAL has CHECKPOINT_PAGES → the background thread copies (PASSIVE), commits go on meanwhile
 *   it is done → the committer copies the short tail between two commits; then all of the WAL is
 *                copied, and the next commit writes at its beginning again
 *   commits outrun it, the WAL has CHECKPOINT_PAGES_MAX → the committer waits for it, and copies
 *                the rest itself
 *   it fails → the log grows, and nothing is lost; tried again when CHECKPOINT_PAGES more are there
 *   its sync fails → the kernel takes what it did not write for written, and SQLite for copied what the
 *                background thread copied: before that thread goes on it writes all pages of the
 *                database again, and nobody else copies or removes the log before
 */
#define CHECKPOINT_PAGES     2000
#define CHECKPOINT_PAGES_MAX 16000

#define CHUNK (64 * 1024) /* SQLite writes less than 128 KiB at once */

/* Through SQLite's own file: to close another one of this name would drop its locks. Nobody else writes to
 * the database meanwhile. */
static int write_pages(sqlite3_file *file, uint8_t *chunk)
{
    const sqlite3_io_methods *ops = file->pMethods;
    sqlite3_int64 size = 0;
    int result = ops->xFileSize(file, &size);
    for (sqlite3_int64 at = 0; result == SQLITE_OK && at < size; at += CHUNK) {
        const int len = (int)(size - at < CHUNK ? size - at : CHUNK);
        result = ops->xRead(file, chunk, len, at);
        if (result == SQLITE_OK)
            result = ops->xWrite(file, chunk, len, at);
    }
    return result == SQLITE_OK ? ops->xSync(file, SQLITE_SYNC_NORMAL) : result;
}

static int write_again(struct mox_account *a, struct db *db)
{
    sqlite3_file *file = NULL;
    uint8_t *chunk = mem_new(a->env, uint8_t, CHUNK);
    int result = chunk == NULL
                     ? SQLITE_NOMEM
                     : sqlite3_file_control(db->sql, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (result == SQLITE_OK)
        result = write_pages(file, chunk);
    mox__mem_free(a->env, chunk);
    return result;
}

static int copy_log(struct mox_account *a, struct db *db, int *pages, int *copied)
{
    struct mox_store *s = a->store;
    pthread_mutex_lock(&s->lock);
    const bool doubtful = a->checkpoint_doubtful;
    pthread_mutex_unlock(&s->lock);
    int result = doubtful ? write_again(a, db) : SQLITE_OK;
    if (result != SQLITE_OK)
        return result;
    result = sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_PASSIVE, pages, copied);
    pthread_mutex_lock(&s->lock);
    a->checkpoint_doubtful = result == SQLITE_IOERR_FSYNC;
    pthread_mutex_unlock(&s->lock);
    return result;
}

/* By the background thread and the committer. Trouble is told when it begins and when it ends. */
static void checkpoint(struct mox_account *a, struct db *db)
{
    struct mox_store *s = a->store;
    int pages = 0, copied = 0;
    int result = copy_log(a, db, &pages, &copied);
    int status = mox__db_status(db->sql, result);
    if (status == MOX_EBUSY) /* the other one is at it */
        return;
    bool failed = status < 0;
    pthread_mutex_lock(&s->lock);
    bool failed_before = a->checkpoint_fails;
    /* SQLite syncs the database when all of the log is copied, which a background thread does not
     * reach while commits go on: that it copied a part proves nothing. */
    bool whole = db == &a->writer && copied == pages;
    a->checkpoint_fails = failed || (failed_before && !whole);
    a->checkpoint_failed = failed;
    bool recovered = failed_before && !a->checkpoint_fails;
    pthread_mutex_unlock(&s->lock);
    if (failed && !failed_before)
        log_line(a->env, MOX_LOG_ERROR, "store",
                 "cannot write the database; its log grows until that is possible",
                 mox_status_text(status), F_TEXT("file", a->db_path));
    else if (recovered)
        log_line(a->env, MOX_LOG_INFO, "store", "the database is written again", NULL,
                 F_TEXT("file", a->db_path));
}

/* Whether it is too early after a failure; under the store's lock. */
static bool rests(struct mox_account *a)
{
    if (a->checkpoint_failed)
        a->checkpoint_from = a->wal_pages + a->store->checkpoint_pages;
    else if (!a->checkpoint_fails)
        a->checkpoint_from = 0;
    a->checkpoint_failed = false;
    return a->wal_pages < a->checkpoint_from;
}

/* ---- the committer's part ---- */

void mox__checkpoint_consider(struct mox_account *a)
{
    struct mox_store *s = a->store;
    if (a->wal_pages < s->checkpoint_pages)
        return;
    bool outran = a->wal_pages >= CHECKPOINT_PAGES_MAX;
    pthread_mutex_lock(&s->lock);
    while (outran && a->checkpoint_running) /* two at once do not work: the second does nothing */
        (void)pthread_cond_wait(&s->changed, &s->lock);
    if (rests(a)) {
        pthread_mutex_unlock(&s->lock);
        return;
    }
    bool mine = (a->checkpoint_tail || outran) && !a->checkpoint_doubtful;
    a->checkpoint_tail = false;
    if (!mine && !a->checkpoint_queued && !a->checkpoint_running) {
        a->checkpoint_queued = true;
        a->checkpoint_next = NULL;
        *s->checkpoints_end = a;
        s->checkpoints_end = &a->checkpoint_next;
        pthread_cond_signal(&s->checkpoint_work);
    }
    pthread_mutex_unlock(&s->lock);
    if (mine) {
        checkpoint(a, &a->writer);
        a->wal_pages = 0; /* until the next commit tells */
    }
}

void mox__checkpoint_leave(struct mox_account *a)
{
    struct mox_store *s = a->store;
    pthread_mutex_lock(&s->lock);
    while (a->checkpoint_queued || a->checkpoint_running)
        (void)pthread_cond_wait(&s->changed, &s->lock);
    const bool doubtful = a->checkpoint_doubtful;
    a->checkpoint_doubtful = false;
    pthread_mutex_unlock(&s->lock);
    /* The log stays then, and all of it is copied at the next start. */
    if (doubtful && a->writer.sql != NULL)
        (void)sqlite3_db_config(a->writer.sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    mox__db_close(&a->checkpoint_db);
}

/* ---- the background thread ---- */

/* A connection checkpoints nothing before it has read something. */
static bool ready(struct mox_account *a)
{
    struct db *db = &a->checkpoint_db;
    if (db->sql == NULL && mox__db_open(db, a->db_path, DB_CHECKPOINT, NULL) < 0)
        return false;
    mox__db_clear(db);
    return mox__db_run(db, SQL_ACCOUNT_READ, NULL, 0) == MOX_OK;
}

static void *checkpointer(void *user)
{
    struct mox_store *s = user;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (s->checkpoints == NULL && !s->stop)
            (void)pthread_cond_wait(&s->checkpoint_work, &s->lock);
        struct mox_account *a = s->checkpoints;
        if (a == NULL)
            break;
        s->checkpoints = a->checkpoint_next;
        if (s->checkpoints == NULL)
            s->checkpoints_end = &s->checkpoints;
        a->checkpoint_queued = false;
        a->checkpoint_running = true;
        pthread_mutex_unlock(&s->lock);
        if (ready(a))
            checkpoint(a, &a->checkpoint_db);
        pthread_mutex_lock(&s->lock);
        a->checkpoint_running = false;
        a->checkpoint_tail = true;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int mox__checkpointer_start(struct mox_store *s, struct mox_error *err)
{
    s->checkpoints_end = &s->checkpoints;
    s->checkpoint_pages = CHECKPOINT_PAGES;
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    s->has_checkpointer = pthread_create(&s->checkpointer, NULL, checkpointer, s) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!s->has_checkpointer)
        return mox__fail(err, MOX_EIO, "open data directory %s: cannot start a thread", s->dir);
    return MOX_OK;
}

void mox__checkpointer_stop(struct mox_store *s)
{
    if (!s->has_checkpointer)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->checkpoint_work);
    pthread_mutex_unlock(&s->lock);
    (void)pthread_join(s->checkpointer, NULL);
    s->has_checkpointer = false;
}
