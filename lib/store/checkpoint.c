/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "store/checkpoint_again.h"
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
 *   its sync fails → what was copied before is written again (checkpoint_again.h), and until that is done nobody
 *                copies or removes the log
 */
#define CHECKPOINT_PAGES     2000
#define CHECKPOINT_PAGES_MAX 16000

/* What is copied of this log and not synced as far as anybody knows; under the store's lock. */
static uint32_t unsynced(struct mox_account *a, uint64_t log)
{
    pthread_mutex_lock(&a->store->lock);
    const uint32_t frames = a->copied_log == log ? a->copied_frames : 0;
    pthread_mutex_unlock(&a->store->lock);
    return frames;
}

/* A log that has begun anew meanwhile was copied and synced before. */
static void note_copied(struct mox_account *a, struct db *db, uint64_t log, int pages, int copied)
{
    uint64_t now;
    const bool same = mox__log_salts(db, &now) == SQLITE_OK && now == log;
    /* The other one may have committed more, and then there was no sync. */
    const bool synced = db == &a->writer && copied == pages;
    pthread_mutex_lock(&a->store->lock);
    a->copied_log = log;
    a->copied_frames = same && !synced && copied > 0 ? (uint32_t)copied : 0;
    pthread_mutex_unlock(&a->store->lock);
}

/* Once a sync has failed nothing is copied before what was copied is written again. */
static int settle(struct mox_account *a, struct db *db, uint64_t log)
{
    struct mox_store *s = a->store;
    pthread_mutex_lock(&s->lock);
    const bool doubtful = a->checkpoint_doubtful;
    pthread_mutex_unlock(&s->lock);
    if (!doubtful)
        return SQLITE_OK;
    const uint32_t frames = unsynced(a, log);
    int result = frames == 0 ? SQLITE_OK : mox__checkpoint_again(a->env, db, frames);
    pthread_mutex_lock(&s->lock);
    a->checkpoint_doubtful = result != SQLITE_OK;
    pthread_mutex_unlock(&s->lock);
    return result;
}

static int copy_log(struct mox_account *a, struct db *db, int *pages, int *copied)
{
    uint64_t log;
    int result = mox__log_salts(db, &log);
    if (result == SQLITE_OK)
        result = settle(a, db, log);
    if (result != SQLITE_OK)
        return result;
    result = sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_PASSIVE, pages, copied);
    if (result == SQLITE_OK)
        note_copied(a, db, log, *pages, *copied);
    if (result == SQLITE_IOERR_FSYNC) {
        pthread_mutex_lock(&a->store->lock);
        a->checkpoint_doubtful = true;
        pthread_mutex_unlock(&a->store->lock);
        (void)settle(a, db, log); /* at once, for what the kernel may give instead */
    }
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
    while (outran && (a->checkpoint_queued || a->checkpoint_running)) /* one at a time */
        (void)pthread_cond_wait(&s->changed, &s->lock);
    if (rests(a)) {
        pthread_mutex_unlock(&s->lock);
        return;
    }
    bool mine = a->checkpoint_tail || outran;
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
