/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "base/metric.h"
#include "store/store.h"

/*
 * Group commit: while one transaction is being synced, what arrives is queued; all of it enters the
 * next one. So one sync serves as many writes as arrived during the sync before it.
 *
 *        queue ──▶ BEGIN ─ apply, apply, … ─ COMMIT (one sync) ─▶ publish ─▶ done, done, …
 *                     │ database failed
 *                     └─▶ ROLLBACK, all of it fails, memory is read again from the database
 */

/* What one transaction takes: enough to amortise the sync, so little that nobody waits long. */
#define BATCH_JOBS  1000
#define BATCH_BYTES (16 * 1024 * 1024)

/* ---- the queue ---- */

void mox__submit(struct mox_account *a, struct job *j)
{
    pthread_mutex_lock(&a->lock);
    j->next = NULL;
    *a->queue_end = j;
    a->queue_end = &j->next;
    pthread_mutex_unlock(&a->lock);
    pthread_cond_signal(&a->work); /* not under the lock, which it needs when it wakes */
}

void mox__write_fail(struct mox_write *w, int status, const char *doing)
{
    w->status = mox__fail(&w->error, status, "%s: %s", doing, mox_status_text(status));
    w->modseq = 0;
    w->done(w);
}

int mox__job_fail(struct job *j, int status, const char *text)
{
    return mox__fail(&j->write->error, status, "%s", text);
}

uint64_t mox__next_modseq(struct mox_account *a, struct job *j)
{
    a->modseq++;
    if (j != NULL && j->write != NULL)
        j->write->modseq = a->modseq;
    return a->modseq;
}

/* The next batch; NULL when the committer shall end. */
static struct job *take(struct mox_account *a)
{
    pthread_mutex_lock(&a->lock);
    while (a->queue == NULL && !a->erase_wanted && !a->stop)
        (void)pthread_cond_wait(&a->work, &a->lock);
    struct job *first = a->queue;
    size_t jobs = 0, bytes = 0;
    struct job **end = &first;
    while (*end != NULL && jobs < BATCH_JOBS && bytes < BATCH_BYTES) {
        jobs++;
        bytes += (*end)->cost;
        end = &(*end)->next;
    }
    a->queue = *end;
    *end = NULL;
    if (a->queue == NULL)
        a->queue_end = &a->queue;
    if (first == NULL && a->erase_wanted && !a->stop) {
        a->erase_wanted = false;
        first = &a->erase_job;
        first->next = NULL;
    }
    pthread_mutex_unlock(&a->lock);
    return first;
}

/* ---- a transaction ---- */

/* Nothing calls it after a transaction that wrote nothing. */
static int on_commit(void *user, sqlite3 *sql, const char *schema, int pages)
{
    (void)sql;
    (void)schema;
    struct mox_account *a = user;
    a->wal_pages = pages;
    a->wrote = true;
    return SQLITE_OK;
}

int mox__writer_open(struct mox_account *a, struct mox_error *err)
{
    int rc = mox__db_open(&a->writer, a->db_path, DB_WRITER, err);
    if (rc == MOX_OK)
        (void)sqlite3_wal_hook(a->writer.sql, on_commit, a);
    return rc;
}

/* The suspect one is closed when there is another: as long as any connection is open, frames that a
 * failed COMMIT wrote are forgotten. The first one to open the database would find them, and store
 * what was refused. */
static int reopen(struct mox_account *a)
{
    struct db suspect = a->writer;
    struct mox_error error;
    int rc = mox__writer_open(a, &error);
    if (rc < 0) {
        a->writer = suspect;
        a->writer.status = rc;
        a->writer.error = error;
        return rc;
    }
    mox__db_close(&suspect);
    a->suspect = false;
    a->stale = true;
    return MOX_OK;
}

static int prepare(struct mox_account *a)
{
    mox__db_clear(&a->writer);
    if (a->suspect && reopen(a) < 0)
        return a->writer.status;
    if (mox__db_run(&a->writer, SQL_BEGIN, NULL, 0) == MOX_OK && a->stale)
        a->stale = mox__boxes_load(a) < 0;
    return a->writer.status;
}

static void flush(struct mox_account *a)
{
    mox__boxes_flush(a);
    pthread_mutex_lock(&a->lock);
    uint64_t message = a->next_message;
    pthread_mutex_unlock(&a->lock);
    (void)db_run(&a->writer, SQL_ACCOUNT_WRITE, V_INT(a->modseq), V_INT(a->uidvalidity),
                 V_INT(message), V_INT(mox__arrivals_from(a, message)));
}

/* The frame that makes a transaction valid is written last: when a write fails, there is none. When
 * the sync behind it fails, there may be. */
static void commit(struct mox_account *a)
{
    bool failed = mox__db_run(&a->writer, SQL_COMMIT, NULL, 0) < 0;
    a->in_doubt = failed && a->writer.code != SQLITE_FULL && a->writer.code != SQLITE_IOERR_WRITE;
}

/* Whoever submitted a write is told of its failure, and logs it. */
static bool somebody_is_told(const struct job *batch)
{
    while (batch != NULL && batch->write == NULL)
        batch = batch->next;
    return batch != NULL;
}

/* After an input/output error nothing is known of the connection and its page cache. */
static void undo(struct mox_account *a, const struct job *batch)
{
    int status = a->writer.status;
    log_line(a->env, somebody_is_told(batch) ? MOX_LOG_DEBUG : MOX_LOG_ERROR, "store",
             "transaction failed", a->writer.error.text, F_TEXT("account", a->name));
    mox__publish_discard(a);
    a->stale = true;
    (void)sqlite3_exec(a->writer.sql, "ROLLBACK", NULL, NULL, NULL);
    if (status != MOX_ENOMEM && status != MOX_ENOSPACE && status != MOX_ELIMIT)
        a->suspect = true;
}

static void answer(struct mox_account *a, struct job *j, int status)
{
    struct mox_write *w = j->write;
    if (w != NULL) {
        w->status = status;
        if (status < 0) {
            w->modseq = 0;
            if (status == a->writer.status)
                w->error = a->writer.error;
        }
    }
    if (j->finish != NULL)
        j->finish(a, j, status);
    if (w != NULL)
        w->done(w);
}

static const struct mox_metric commit_writes = {
    .name = "mox_store_commit_writes",
    .help = "Writes, deliveries among them, that one transaction made durable.",
    .type = MOX_METRIC_HISTOGRAM,
    .bounds = {1, 2, 5, 10, 20, 50, 100, 200},
};
static const struct mox_metric commit_durations = {
    .name = "mox_store_commit_duration_seconds",
    .help = "How long a transaction took, its sync included.",
    .type = MOX_METRIC_HISTOGRAM,
    .unit = MOX_METRIC_SECONDS,
    .bounds = METRIC_BOUNDS_SHORT,
};
static const struct mox_metric commit_errors = {
    .name = "mox_store_commit_errors_total",
    .help = "Transactions that failed.",
};

static void count(const struct mox_account *a, const struct job *batch, int64_t began_us)
{
    int64_t writes = 0;
    for (; batch != NULL; batch = batch->next)
        writes += batch->write != NULL;
    if (a->writer.status < 0)
        metric_count(a->env, &commit_errors, NULL);
    metric_add(a->env, &commit_writes, writes, NULL);
    metric_add(a->env, &commit_durations, a->env->monotonic_us(a->env->user) - began_us, NULL);
}

static void run(struct mox_account *a, struct job *batch)
{
    const int64_t began_us = a->env->monotonic_us(a->env->user);
    a->in_doubt = false;
    a->wrote = false;
    int rc = prepare(a);
    uint64_t before = a->modseq;
    for (struct job *j = batch; j != NULL && rc == MOX_OK; j = j->next) {
        if (j->write != NULL)
            j->write->modseq = 0;
        j->status = j->apply(a, j);
        rc = a->writer.status;
    }
    if (rc == MOX_OK && mox__publish_prepare(a) == MOX_OK) {
        if (a->modseq != before)
            flush(a);
        commit(a);
    }
    bool failed = a->writer.status < 0;
    if (failed || a->wrote)
        count(a, batch, began_us);
    if (failed) {
        undo(a, batch);
    } else {
        mox__publish(a);
        if (a->wrote)
            mox__append_settle(a);
    }
    for (struct job *j = batch, *next; j != NULL; j = next) {
        next = j->next; /* the job's memory goes with the answer */
        answer(a, j, failed ? a->writer.status : j->status);
    }
    if (failed)
        return;
    mox__erase_again(a);
    mox__checkpoint_consider(a);
}

static void *committer(void *user)
{
    struct mox_account *a = user;
    for (struct job *batch; (batch = take(a)) != NULL;)
        run(a, batch);
    return NULL;
}

int mox__committer_start(struct mox_account *a, struct mox_error *err)
{
    sigset_t all, before; /* signals are the host's business, in its own threads */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&a->committer, NULL, committer, a);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    a->has_committer = error == 0;
    if (error != 0)
        return mox__fail(err, MOX_EIO, "open account %s: cannot start its thread", a->name);
    return MOX_OK;
}

void mox__committer_stop(struct mox_account *a)
{
    if (!a->has_committer)
        return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_signal(&a->work);
    pthread_mutex_unlock(&a->lock);
    (void)pthread_join(a->committer, NULL);
    a->has_committer = false;
}
