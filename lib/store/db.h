/* SPDX-License-Identifier: MIT */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>

#include <mox/env.h>
#include <mox/error.h>

/*
 * A connection to an account's database with its prepared statements. A failure sticks until
 * mox__db_clear(): whatever is run after it does nothing, so a transaction looks at `status` once,
 * before it commits.
 *
 * Threads: one at a time.
 */

enum sql {
    SQL_BEGIN,
    SQL_BEGIN_READ,
    SQL_COMMIT,
    SQL_ACCOUNT_READ,
    SQL_ACCOUNT_WRITE,
    SQL_MAILBOX_ALL,
    SQL_MAILBOX_STATE,
    SQL_MAILBOX_INSERT,
    SQL_MAILBOX_WRITE,
    SQL_MAILBOX_NAME,
    SQL_MAILBOX_REMOVE,
    SQL_MAILBOX_ERASE,
    SQL_SUBSCRIPTION_ALL,
    SQL_SUBSCRIPTION_INSERT,
    SQL_SUBSCRIPTION_DELETE,
    SQL_ENTRY_VIEW,
    SQL_ENTRY_RANGE,
    SQL_ENTRY_FACTS,
    SQL_ENTRY_RECEIVED,
    SQL_ENTRY_INSERT,
    SQL_ENTRY_FLAGS_RANGE,
    SQL_ENTRY_DELETE_RANGE,
    SQL_ENTRY_CHANGED,
    SQL_GONE_INSERT_RANGE,
    SQL_GONE_OLDEST,
    SQL_GONE_KEPT,
    SQL_GONE_ERASED,
    SQL_GONE_MAILBOXES,
    SQL_GONE_CHANGED,
    SQL_GONE_UNLEARNT,
    SQL_MESSAGE_INSERT,
    SQL_MESSAGE_FACTS,
    SQL_MESSAGE_KEYS,
    SQL_MESSAGE_ARRIVED,
    SQL_MESSAGE_DELETE,
    SQL_MESSAGE_THREAD,
    SQL_CONTENT_INSERT,
    SQL_CONTENT_FILE,
    SQL_CONTENT_READ,
    SQL_CONTENT_DELETE,
    SQL_RECIPIENT_INSERT,
    SQL_RECIPIENT_LAST,
    SQL_RECIPIENT_LAST_DOMAIN,
    SQL_RECIPIENT_LAST_ORG_DOMAIN,
    SQL_RECIPIENT_FROM,
    SQL_RECIPIENT_DELETE,
    SQL_REF_ADD_RANGE,
    SQL_REF_FIND,
    SQL_REF_DROP,
    SQL_REF_DELETE,
    SQL_KEY_INSERT,
    SQL_KEY_DELETE,
    SQL_KEY_COPIES,
    SQL_KEY_FIND,
    SQL_VERDICT_INSERT,
    SQL_VERDICT_DELETE,
    SQL_VERDICT_FIND,
    SQL_VERDICT_HASHES,
    SQL_OUTGOING_DAY,
    SQL_OUTGOING_ADD,
    SQL_OUTGOING_PRUNE,
    SQL_CONTACT_FIND,
    SQL_CONTACT_INSERT,
    SQL_FILTER_READ,
    SQL_FILTER_WRITE,
    SQL_FILTER_RELEARN,
    SQL_TRAINED_FIND,
    SQL_TRAINED_WRITE,
    SQL_TRAINED_DELETE,
    SQL_CREDENTIAL_ALL,
    SQL_CREDENTIAL_CLEAR,
    SQL_CREDENTIAL_INSERT,
    SQL_SUBJECTPASS_FIND,
    SQL_SUBJECTPASS_INSERT,
    SQL_AUTH_KEYS,
    SQL_AUTH_KEY_INSERT,
    SQL_AUTH_KEY_DELETE,
    SQL_AUTH_LOGIN_NOTE,
    SQL_AUTH_LOGIN_PRUNE,
    SQL_AUTH_LOGIN_CAP,
    SQL_AUTH_LOGINS,
    SQL_AUTH_LOGINS_OF,
    SQL_JUNK_FILTER,
    SQL_JUNK_FILTER_INSERT,
    SQL_JUNK_TOTALS,
    SQL_JUNK_TOTALS_ADD,
    SQL_JUNK_PAGE,
    SQL_JUNK_PAGE_WRITE,
    SQL_JUNK_PAGE_DELETE,
    SQL_JUNK_PAGES,
    SQL_JUNK_WEIGHTS,
    SQL_JUNK_WEIGHTS_WRITE,
    SQL_JUNK_STEPS,
    SQL_JUNK_STEP_INSERT,
    SQL_JUNK_STEPS_CLEAR,
    SQL_COUNT
};

/* One for each set of enum mox_fetch_want, for messages that are there and for removed ones. */
#define FETCH_GONE       64
#define FETCH_STATEMENTS 128

enum db_role {
    DB_WRITER,     /* creates the file; the committer's */
    DB_READER,     /* maps the file */
    DB_SCANNER,    /* reads once what nobody reads again soon: maps nothing */
    DB_CHECKPOINT, /* the background checkpointer's */
    DB_FILTER      /* creates the file of a junk filter, and makes its checkpoints too */
};

struct db {
    sqlite3 *sql; /* NULL while closed */
    enum db_role role;
    sqlite3_stmt *stmts[SQL_COUNT];
    sqlite3_stmt *fetch[FETCH_STATEMENTS];
    int status; /* the first failure: enum mox_status */
    int code;   /* and what SQLite called it; 0 when it was not SQLite's */
    struct mox_error error;
};

/* A value to bind. Texts and blobs are borrowed until the statement is run or reset. */
struct val {
    enum { VAL_NULL, VAL_INT, VAL_TEXT, VAL_BLOB } type;
    int64_t i;
    struct mox_slice bytes;
};

#define V_INT(n)                                                                                   \
    {                                                                                              \
        .type = VAL_INT, .i = (int64_t)(n)                                                         \
    }
#define V_NULL                                                                                     \
    {                                                                                              \
        .type = VAL_NULL                                                                           \
    }
#define V_BLOB(s) mox__val_blob(s)
#define V_TEXT(t) mox__val_text(t)

struct val mox__val_text(const char *text); /* NULL is NULL */
struct val mox__val_blob(struct mox_slice s);

/* Opens a connection; MOX_ENOMEM, or what is wrong with the disk. */
int mox__db_open(struct db *db, const char *path, enum db_role role, struct mox_error *err);
/* What people are told that it is. */
const char *mox__db_kind(const struct db *db);
/* Says that the database could not be opened, by the failure it has, and what helps. */
int mox__db_open_failed(const struct db *db, const char *path, struct mox_error *err);
/* May be called again and for one that is not open. */
void mox__db_close(struct db *db);
/* Forgets a failure. */
void mox__db_clear(struct db *db);
/* Takes a result of SQLite that did not come from a statement. */
int mox__db_check(struct db *db, int result);
/* Keeps a failure that is not SQLite's, as if a statement had failed. */
int mox__db_fail(struct db *db, int status, const char *doing);

/* A statement with its values, ready for mox__db_step(); NULL after a failure. */
#define db_query(db, which, ...)                                                                   \
    mox__db_query((db), (which), (const struct val[]){__VA_ARGS__},                                \
                  sizeof((const struct val[]){__VA_ARGS__}) / sizeof(struct val))
/* Runs a statement that gives no rows. */
#define db_run(db, which, ...)                                                                     \
    mox__db_run((db), (which), (const struct val[]){__VA_ARGS__},                                  \
                sizeof((const struct val[]){__VA_ARGS__}) / sizeof(struct val))

sqlite3_stmt *mox__db_query(struct db *db, enum sql which, const struct val *values, size_t count);
int mox__db_run(struct db *db, enum sql which, const struct val *values, size_t count);
/* Whether there is a row. At the end and after a failure the statement is reset. */
bool mox__db_step(struct db *db, sqlite3_stmt *stmt);
/* Runs SQL text: schema and pragmas. */
int mox__db_exec(struct db *db, const char *text);
/* Prepares a statement that lives as long as the connection. */
int mox__db_prepare(struct db *db, sqlite3_stmt **out, const char *text);
void mox__db_bind(struct db *db, sqlite3_stmt *stmt, const struct val *values, size_t count);

/* Columns. Borrowed until the next step. */
struct mox_slice mox__db_blob(sqlite3_stmt *stmt, int column);
const char *mox__db_text(sqlite3_stmt *stmt, int column); /* NULL for NULL */

/* MOX status of an SQLite result. */
int mox__db_status(sqlite3 *sql, int result);

/* The schema: creates it in an empty database, upgrades an older one, each step in a transaction.
 * MOX_ECORRUPT with a text for a foreign or newer database. */
int mox__schema_upgrade(struct db *db, const char *path, struct mox_error *err);
/* A kind of database, by its number in the header: steps[n] takes one from version n to n + 1. */
struct schema {
    int application_id;
    const char *what; /* "a mail store" */
    const char *const *steps;
    int newest;
};
int mox__schema_upgrade_to(struct db *db, const struct schema *schema, const char *path,
                           struct mox_error *err);
/* "mox\x01" in the header of every account's database, so that file(1) can tell. */
#define SCHEMA_APPLICATION_ID 0x6d6f7801
#define AUTH_APPLICATION_ID   0x6d6f7802 /* auth.db */
#define JUNK_APPLICATION_ID   0x6d6f7803 /* junk.db */
#define SCHEMA_VERSION        1

#endif
