/* SPDX-License-Identifier: MIT */
#ifndef STORE_AUTH_DB_H
#define STORE_AUTH_DB_H

#include <pthread.h>

#include <mox/auth_db.h>

#include "store/db.h"
#include "store/problems.h"

/* The database that all accounts share, from inside.
 *
 *   auth_db.c      opening and closing, transactions
 *   auth_keys.c    keys of clients; all of them are in memory too
 *   auth_noted.c   attempts to log in that wait in memory
 *   auth_logins.c  the thread that writes them, and their list */

/* Bytes of a text; addresses and user agents are the clients'. */
#define NOTED_TEXT_MAX 256

/* The texts of an attempt, in the order of the columns of SQL_AUTH_LOGINS. */
enum noted_text {
    NOTED_ACCOUNT,
    NOTED_ADDRESS,
    NOTED_REMOTE_IP,
    NOTED_LOCAL_IP,
    NOTED_TLS,
    NOTED_PROTOCOL,
    NOTED_USER_AGENT,
    NOTED_MECHANISM,
    NOTED_RESULT,
    NOTED_TEXTS
};

/* An attempt that waits to be written. */
struct noted {
    struct noted *next;
    uint64_t number;
    int64_t at_us;
    bool failed;
    const char *texts[NOTED_TEXTS]; /* all in this allocation */
};

struct mox_auth_db {
    struct mox_env env;
    char *path;

    pthread_mutex_t db_lock; /* guards down to pruned_us; taken before `lock` */
    struct db db;
    bool suspect;      /* `db` must be opened anew */
    int64_t pruned_us; /* what is old was removed then; 0: never */

    pthread_mutex_t lock;         /* guards the rest; nobody waits for the disk with it */
    struct mox_client_key **keys; /* by fingerprint */
    size_t key_count, key_room;
    struct noted *queue, **queue_end;
    size_t waiting;          /* attempts: in the queue, or being written */
    uint64_t dropped;        /* attempts, since the log said so */
    uint64_t noted, written; /* attempts ever: whoever waits for some waits for a number */
    bool hurry;              /* somebody waits */
    bool stop;
    bool failing; /* the last batch did; it is tried again */
    pthread_cond_t work, done;
    pthread_t writer;
    bool has_writer;
};

/* ---- auth_db.c ---- */
/* Between these, db->db is in a transaction; its status says what failed, and nothing more is run.
 * Under db_lock. End ends it in any case, fills err and returns what begin or the transaction said. */
void mox__auth_begin(struct mox_auth_db *db);
int mox__auth_end(struct mox_auth_db *db, const char *doing, struct mox_error *err);
/* Opens a connection to the database and brings its tables up to date. */
int mox__auth_open(struct db *db, const char *path, enum db_role role, struct mox_error *err);

/* ---- auth_keys.c ---- */
int mox__auth_keys_load(struct mox_auth_db *db, struct mox_error *err);
void mox__auth_keys_free(struct mox_auth_db *db);

/* ---- auth_logins.c ---- */
int mox__auth_writer_start(struct mox_auth_db *db, struct mox_error *err);
/* Writes what waits, if that is possible. */
void mox__auth_writer_stop(struct mox_auth_db *db);

/* ---- auth_verify.c ---- */
/* Reports what is wrong with the data directory's auth.db, if there is one. MOX_OK, or a failure to look. */
int mox__auth_verify(const struct mox_env *env, const char *dir,
                     struct problems *problems, struct mox_error *err);

#endif
