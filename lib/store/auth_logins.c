/* SPDX-License-Identifier: MIT */
#include "store/auth_db.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

/*
 * Attempts to log in. A guesser makes hundreds in a second, so they wait up to a second in memory and are
 * written in one transaction:
 *
 *   note ──▶ queue ──▶ the thread: waits a second, takes all ─▶ BEGIN ─ row, row, … ─ COMMIT
 *              ▲                                                             │ failed
 *              └──────────────── back to its beginning, tried again ◀────────┘
 */

#define GATHER_SECONDS 1
#define DAY_US         (INT64_C(24) * 60 * 60 * 1000000)
/* How often what is old is looked for. */
#define PRUNE_US (DAY_US / 24)

/* ---- writing ---- */

/* SHA-256 of each text with its length in front, the first half. */
static void hash_of(const struct noted *n, uint8_t hash[HASH_MAX])
{
    uint8_t all[NOTED_TEXTS * (2 + NOTED_TEXT_MAX)];
    size_t len = 0;
    for (size_t i = 0; i < NOTED_TEXTS; i++) {
        size_t l = strlen(n->texts[i]);
        all[len++] = (uint8_t)(l >> 8);
        all[len++] = (uint8_t)l;
        memcpy(all + len, n->texts[i], l);
        len += l;
    }
    mox__hash(HASH_SHA256, slice(all, len), hash);
}

static void write_one(struct mox_auth_db *db, const struct noted *n)
{
    uint8_t hash[HASH_MAX];
    hash_of(n, hash);
    (void)db_run(&db->db, SQL_AUTH_LOGIN_NOTE, V_BLOB(slice(hash, HASH_MAX / 2)),
                 V_TEXT(n->texts[NOTED_ACCOUNT]), V_INT(n->failed), V_INT(n->at_us),
                 V_TEXT(n->texts[NOTED_ADDRESS]), V_TEXT(n->texts[NOTED_REMOTE_IP]),
                 V_TEXT(n->texts[NOTED_LOCAL_IP]), V_TEXT(n->texts[NOTED_TLS]),
                 V_TEXT(n->texts[NOTED_PROTOCOL]), V_TEXT(n->texts[NOTED_USER_AGENT]),
                 V_TEXT(n->texts[NOTED_MECHANISM]), V_TEXT(n->texts[NOTED_RESULT]));
}

/* Whether an earlier one of the batch is of the same account and kind. Batches have few accounts: the
 * search ends at the first. */
static bool was_capped(const struct noted *batch, const struct noted *n)
{
    while (batch != n && (batch->failed != n->failed ||
                          strcmp(batch->texts[NOTED_ACCOUNT], n->texts[NOTED_ACCOUNT]) != 0))
        batch = batch->next;
    return batch != n;
}

/* The clock of a batch is that of its newest: the thread has none of its own. */
static void prune(struct mox_auth_db *db, const struct noted *batch)
{
    int64_t now_us = 0;
    for (const struct noted *n = batch; n != NULL; n = n->next) {
        now_us = n->at_us > now_us ? n->at_us : now_us;
        if (!was_capped(batch, n))
            (void)db_run(&db->db, SQL_AUTH_LOGIN_CAP, V_TEXT(n->texts[NOTED_ACCOUNT]),
                         V_INT(n->failed), V_INT(MOX_LOGIN_ATTEMPTS_MAX));
    }
    if (now_us - db->pruned_us < PRUNE_US)
        return;
    (void)db_run(&db->db, SQL_AUTH_LOGIN_PRUNE, V_INT(now_us - MOX_LOGIN_ATTEMPT_DAYS * DAY_US));
    if (db->db.status == MOX_OK)
        db->pruned_us = now_us;
}

static int write_batch(struct mox_auth_db *db, const struct noted *batch, struct mox_error *err)
{
    pthread_mutex_lock(&db->db_lock);
    mox__auth_begin(db);
    for (const struct noted *n = batch; n != NULL && db->db.status == MOX_OK; n = n->next)
        write_one(db, n);
    prune(db, batch);
    int rc = mox__auth_end(db, "record attempts to log in", err);
    pthread_mutex_unlock(&db->db_lock);
    return rc;
}

/* ---- the thread ---- */

static void wait_a_second(struct mox_auth_db *db)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += GATHER_SECONDS;
    while (!db->stop && !db->hurry && pthread_cond_timedwait(&db->work, &db->lock, &until) == 0)
        continue;
}

/* Under the lock: the next batch, a second after its first; NULL: it is time to end. */
static struct noted *take(struct mox_auth_db *db)
{
    while (db->queue == NULL && !db->stop)
        (void)pthread_cond_wait(&db->work, &db->lock);
    if (!db->stop && !(db->hurry && !db->failing))
        wait_a_second(db);
    struct noted *batch = db->queue;
    db->queue = NULL;
    db->queue_end = &db->queue;
    db->hurry = false;
    return batch;
}

/* Under the lock. */
static void let_go(struct mox_auth_db *db, struct noted *batch)
{
    while (batch != NULL) {
        struct noted *next = batch->next;
        mox__mem_free(&db->env, batch);
        db->waiting--;
        db->written++;
        batch = next;
    }
}

/* Under the lock: what is noted since then comes behind it. */
static void put_back(struct mox_auth_db *db, struct noted *batch)
{
    struct noted *last = batch;
    while (last->next != NULL)
        last = last->next;
    last->next = db->queue;
    if (db->queue == NULL)
        db->queue_end = &last->next;
    db->queue = batch;
}

/* Trouble is told when it begins and when it ends. */
static void tell(struct mox_auth_db *db, bool failed_before, int rc, const struct mox_error *err)
{
    if (rc < 0 && !failed_before)
        log_line(&db->env, MOX_LOG_ERROR, "store", "attempts to log in cannot be recorded now",
                 err->text, F_TEXT("file", db->path));
    else if (rc == MOX_OK && failed_before)
        log_line(&db->env, MOX_LOG_INFO, "store", "attempts to log in are recorded again", NULL,
                 F_TEXT("file", db->path));
}

static void write_next(struct mox_auth_db *db)
{
    struct noted *batch = take(db);
    if (batch == NULL)
        return;
    bool failed_before = db->failing;
    pthread_mutex_unlock(&db->lock);
    struct mox_error err = {0};
    int rc = write_batch(db, batch, &err);
    tell(db, failed_before, rc, &err);
    pthread_mutex_lock(&db->lock);
    db->failing = rc < 0;
    if (rc == MOX_OK)
        db->dropped = 0;
    if (rc < 0 && !db->stop)
        put_back(db, batch);
    else
        let_go(db, batch);
    pthread_cond_broadcast(&db->done);
}

static void *writer(void *user)
{
    struct mox_auth_db *db = user;
    pthread_mutex_lock(&db->lock);
    while (!db->stop || db->queue != NULL)
        write_next(db);
    pthread_mutex_unlock(&db->lock);
    return NULL;
}

int mox__auth_writer_start(struct mox_auth_db *db, struct mox_error *err)
{
    sigset_t all, before; /* signals are the host's business, in its own threads */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&db->writer, NULL, writer, db);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    db->has_writer = error == 0;
    if (error != 0)
        return mox__fail(err, MOX_EIO, "open %s: cannot start its thread", db->path);
    return MOX_OK;
}

void mox__auth_writer_stop(struct mox_auth_db *db)
{
    if (!db->has_writer)
        return;
    pthread_mutex_lock(&db->lock);
    db->stop = true;
    pthread_cond_signal(&db->work);
    pthread_mutex_unlock(&db->lock);
    (void)pthread_join(db->writer, NULL);
    db->has_writer = false;
}

/* ---- listing ---- */

/* Until all that is noted now is written, or cannot be. */
static void wait_written(struct mox_auth_db *db)
{
    pthread_mutex_lock(&db->lock);
    uint64_t until = db->noted;
    db->hurry = db->written < until;
    pthread_cond_signal(&db->work);
    while (db->written < until && !db->failing)
        (void)pthread_cond_wait(&db->done, &db->lock);
    pthread_mutex_unlock(&db->lock);
}

static void read_row(sqlite3_stmt *s, struct mox_login_attempt *a)
{
    const char *texts[NOTED_TEXTS];
    for (int i = 0; i < NOTED_TEXTS; i++)
        texts[i] = mox__db_text(s, i) == NULL ? "" : mox__db_text(s, i); /* no memory */
    *a = (struct mox_login_attempt){
        .size = sizeof *a,
        .account = texts[NOTED_ACCOUNT],
        .address = texts[NOTED_ADDRESS],
        .remote_ip = texts[NOTED_REMOTE_IP],
        .local_ip = texts[NOTED_LOCAL_IP],
        .tls = texts[NOTED_TLS],
        .protocol = texts[NOTED_PROTOCOL],
        .user_agent = texts[NOTED_USER_AGENT],
        .mechanism = texts[NOTED_MECHANISM],
        .result = texts[NOTED_RESULT],
        .first_us = sqlite3_column_int64(s, NOTED_TEXTS),
        .last_us = sqlite3_column_int64(s, NOTED_TEXTS + 1),
        .count = (uint64_t)sqlite3_column_int64(s, NOTED_TEXTS + 2),
    };
}

int mox_auth_db_logins(struct mox_auth_db *db, const char *account, size_t limit,
                       int (*each)(void *user, const struct mox_login_attempt *attempt), void *user,
                       struct mox_error *err)
{
    wait_written(db);
    int64_t rows = limit == 0 || limit > INT32_MAX ? -1 : (int64_t)limit;
    int rc = MOX_OK;
    pthread_mutex_lock(&db->db_lock);
    mox__auth_begin(db);
    sqlite3_stmt *s = account == NULL
                          ? db_query(&db->db, SQL_AUTH_LOGINS, V_INT(rows))
                          : db_query(&db->db, SQL_AUTH_LOGINS_OF, V_INT(rows), V_TEXT(account));
    while (rc >= 0 && mox__db_step(&db->db, s)) {
        struct mox_login_attempt attempt;
        read_row(s, &attempt);
        rc = each(user, &attempt);
    }
    if (rc < 0)
        (void)sqlite3_reset(s);
    int ended = mox__auth_end(db, "read attempts to log in", err);
    pthread_mutex_unlock(&db->db_lock);
    if (rc < 0)
        return mox__fail(err, rc, "list attempts to log in: %s", mox_status_text(rc));
    return ended;
}
