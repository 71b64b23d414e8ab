/* SPDX-License-Identifier: MIT */
#include "store/auth_db.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/store.h"

/*
 * - client_key: whose a key is.
 * - login_attempt: who tried to log in, how often; those that differ in time alone are one row.
 *
 * Times are microseconds since 1970, UTC.
 */
static const char version_1[] =
    "CREATE TABLE client_key ("
    " fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),"
    " account TEXT NOT NULL,"
    " address TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " kind TEXT NOT NULL,"
    " no_imap_preauth INTEGER NOT NULL CHECK (no_imap_preauth IN (0, 1)),"
    " created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE login_attempt ("
    " hash BLOB PRIMARY KEY CHECK (length(hash) = 16)," /* of all texts */
    " account TEXT NOT NULL,"                           /* '-': none of ours */
    " failed INTEGER NOT NULL CHECK (failed IN (0, 1)),"
    " first INTEGER NOT NULL,"
    " last INTEGER NOT NULL CHECK (last >= first),"
    " count INTEGER NOT NULL CHECK (count > 0),"
    " address TEXT NOT NULL,"
    " remote_ip TEXT NOT NULL,"
    " local_ip TEXT NOT NULL,"
    " tls TEXT NOT NULL,"
    " protocol TEXT NOT NULL,"
    " user_agent TEXT NOT NULL,"
    " mechanism TEXT NOT NULL,"
    " result TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX login_attempt_account ON login_attempt(account, failed, last);"
    "CREATE INDEX login_attempt_last ON login_attempt(last);";

static const char *const steps[] = {version_1};

int mox__auth_open(struct db *db, const char *path, enum db_role role, struct mox_error *err)
{
    static const struct schema schema = {
        .application_id = AUTH_APPLICATION_ID,
        .what = "that of logins",
        .steps = steps,
        .newest = sizeof steps / sizeof steps[0],
    };
    int rc = mox__db_open(db, path, role, err);
    if (rc == MOX_OK) /* the writes here are few, and none is waited for by the mail */
        rc = mox__db_exec(db, "PRAGMA wal_autocheckpoint=1000; PRAGMA cache_size=-1000;") < 0
                 ? mox__db_open_failed(db, path, err)
                 : mox__schema_upgrade_to(db, &schema, path, err);
    if (rc < 0)
        mox__db_close(db);
    return rc;
}

/* As for accounts (committer.c): the connection that failed is closed when there is another. */
static int reopen(struct mox_auth_db *db)
{
    struct db suspect = db->db;
    struct mox_error error;
    int rc = mox__auth_open(&db->db, db->path, DB_WRITER, &error);
    if (rc < 0) {
        db->db = suspect;
        db->db.status = rc;
        db->db.error = error;
        return rc;
    }
    mox__db_close(&suspect);
    db->suspect = false;
    return MOX_OK;
}

void mox__auth_begin(struct mox_auth_db *db)
{
    mox__db_clear(&db->db);
    if (!db->suspect || reopen(db) == MOX_OK)
        (void)mox__db_run(&db->db, SQL_BEGIN, NULL, 0);
}

int mox__auth_end(struct mox_auth_db *db, const char *doing, struct mox_error *err)
{
    int rc = mox__db_run(&db->db, SQL_COMMIT, NULL, 0);
    if (rc == MOX_OK)
        return rc;
    (void)mox__fail(err, rc, "%s: %s", doing, db->db.error.text);
    (void)sqlite3_exec(db->db.sql, "ROLLBACK", NULL, NULL, NULL);
    if (rc != MOX_ENOMEM && rc != MOX_ENOSPACE && rc != MOX_ELIMIT)
        db->suspect = true;
    return rc;
}

static int open_all(struct mox_auth_db *db, const char *data_dir, struct mox_error *err)
{
    db->path = mox__path(&db->env, "%s/auth.db", data_dir);
    if (db->path == NULL)
        return mox__fail(err, MOX_ENOMEM, "open %s/auth.db: out of memory", data_dir);
    int rc = mox__wal_settle(&db->env, db->path, err);
    if (rc == MOX_OK)
        rc = mox__auth_open(&db->db, db->path, DB_WRITER, err);
    if (rc == MOX_OK)
        rc = mox__auth_keys_load(db, err);
    if (rc == MOX_OK)
        rc = mox__auth_writer_start(db, err);
    return rc;
}

int mox_auth_db_open(struct mox_auth_db **out, const struct mox_env *env, const char *data_dir,
                     struct mox_error *err)
{
    *out = NULL;
    struct mox_auth_db *db = mem_new(env, struct mox_auth_db, 1);
    if (db == NULL)
        return mox__fail(err, MOX_ENOMEM, "open %s/auth.db: out of memory", data_dir);
    db->env = *env;
    db->queue_end = &db->queue;
    (void)pthread_mutex_init(&db->db_lock, NULL);
    (void)pthread_mutex_init(&db->lock, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&db->work, &monotonic);
    (void)pthread_cond_init(&db->done, NULL);
    (void)pthread_condattr_destroy(&monotonic);
    int rc = open_all(db, data_dir, err);
    if (rc < 0) {
        mox_auth_db_close(db);
        return rc;
    }
    *out = db;
    return MOX_OK;
}

void mox_auth_db_close(struct mox_auth_db *db)
{
    if (db == NULL)
        return;
    mox__auth_writer_stop(db);
    mox__db_close(&db->db);
    mox__auth_keys_free(db);
    (void)pthread_mutex_destroy(&db->db_lock);
    (void)pthread_mutex_destroy(&db->lock);
    (void)pthread_cond_destroy(&db->work);
    (void)pthread_cond_destroy(&db->done);
    struct mox_env env = db->env;
    mox__mem_free(&env, db->path);
    mox__mem_free(&env, db);
}
