/* SPDX-License-Identifier: MIT */
#include "store/db.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "store/gather.h"
#include "store/sql.h"

/* What the system said to the last write or sync of the WAL: a failed COMMIT tells it nobody else. */
static int wal_errno(sqlite3 *sql)
{
    int error = EIO;
    sqlite3_file *wal = NULL;
    if (sqlite3_file_control(sql, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK &&
        wal != NULL && wal->pMethods != NULL)
        (void)wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &error);
    return error;
}

/* What the system said behind an error of SQLite. */
static int system_status(sqlite3 *sql, int result)
{
    if (sql == NULL)
        return MOX_EIO;
    bool wrote = result == SQLITE_IOERR_WRITE || result == SQLITE_IOERR_FSYNC;
    int status = mox__status_of_errno(wrote ? wal_errno(sql) : sqlite3_system_errno(sql));
    return status == MOX_ENOTFOUND || status == MOX_EEXISTS ? MOX_EIO : status;
}

int mox__db_status(sqlite3 *sql, int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return MOX_OK;
    case SQLITE_NOMEM:
        return MOX_ENOMEM;
    case SQLITE_FULL:
        return MOX_ENOSPACE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return MOX_ECORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return MOX_EBUSY;
    case SQLITE_READONLY:
        return MOX_EREADONLY;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return system_status(sql, result);
    default:
        return MOX_EIO;
    }
}

int mox__db_check(struct db *db, int result)
{
    if (db->status < 0)
        return db->status;
    db->status = mox__db_status(db->sql, result);
    db->code = result;
    if (db->status < 0)
        (void)mox__fail(&db->error, db->status, "%s: %s (%s)", mox__db_kind(db),
                        sqlite3_errmsg(db->sql), mox_status_text(db->status));
    return db->status;
}

int mox__db_fail(struct db *db, int status, const char *doing)
{
    if (db->status == MOX_OK && status < 0)
        db->status = mox__fail(&db->error, status, "%s: %s: %s", mox__db_kind(db), doing,
                               mox_status_text(status));
    return db->status;
}

void mox__db_clear(struct db *db)
{
    db->status = MOX_OK;
    db->code = SQLITE_OK;
}

int mox__db_exec(struct db *db, const char *text)
{
    if (db->status < 0)
        return db->status;
    return mox__db_check(db, sqlite3_exec(db->sql, text, NULL, NULL, NULL));
}

/* DESIGN: commits are synced (FULL), checkpoints are ours, deleted bytes are not overwritten. */
#define WRITER_PRAGMAS                                                                             \
    "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"                     \
    "PRAGMA foreign_keys=ON; PRAGMA secure_delete=OFF; PRAGMA cache_size=-8000;"                   \
    "PRAGMA temp_store=MEMORY;"

static const char *const pragmas[] = {
    [DB_WRITER] = WRITER_PRAGMAS "PRAGMA wal_autocheckpoint=0;",
    [DB_READER] = "PRAGMA query_only=ON; PRAGMA mmap_size=1073741824; PRAGMA cache_size=-1000;"
                  "PRAGMA wal_autocheckpoint=0;",
    [DB_SCANNER] = "PRAGMA query_only=ON; PRAGMA cache_size=-1000; PRAGMA wal_autocheckpoint=0;",
    [DB_CHECKPOINT] = "PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=FULL;"
                      "PRAGMA cache_size=-100;",
    [DB_FILTER] = WRITER_PRAGMAS "PRAGMA wal_autocheckpoint=1000;",
};

const char *mox__db_kind(const struct db *db)
{
    return db->role == DB_FILTER ? "junk filter" : "mail store";
}

int mox__db_open_failed(const struct db *db, const char *path, struct mox_error *err)
{
    static const struct {
        int status;
        const char *help;
    } table[] = {
        {MOX_ECORRUPT, "restore it from a backup"},
        {MOX_ENOSPACE, "make room on its disk"},
        {MOX_EBUSY, "another program uses it, stop that one"},
        {MOX_EIO, "it and its folder must be readable and writable"},
        {MOX_EREADONLY, "it and its folder must be writable"},
        {MOX_EFILES, "too many files are open, raise the limit"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (db->status == table[i].status && db->code != SQLITE_OK && db->code != SQLITE_ERROR)
            return mox__fail(err, db->status, "open %s %s: %s; %s", mox__db_kind(db), path,
                             sqlite3_errstr(db->code),
                             db->role == DB_FILTER && db->status == MOX_ECORRUPT
                                 ? "remove it and train a new one"
                                 : table[i].help);
    return mox__fail(err, db->status, "open %s %s: %s", mox__db_kind(db), path, db->error.text);
}

int mox__db_open(struct db *db, const char *path, enum db_role role, struct mox_error *err)
{
    *db = (struct db){.role = role};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (role == DB_WRITER || role == DB_FILTER)
        flags |= SQLITE_OPEN_CREATE;
    const char *vfs = mox__gather_vfs();
    int result = vfs == NULL ? SQLITE_NOMEM : sqlite3_open_v2(path, &db->sql, flags, vfs);
    if (result != SQLITE_OK) {
        int rc = mox__db_check(db, result);
        (void)mox__db_open_failed(db, path, err);
        mox__db_close(db);
        return rc;
    }
    (void)sqlite3_extended_result_codes(db->sql, 1);
    (void)sqlite3_busy_timeout(db->sql, 5000);
    /* What cannot be opened for writing SQLite opens for reading: that would fail later, and stick. */
    int rc = sqlite3_db_readonly(db->sql, "main") == 1 ? mox__db_check(db, SQLITE_READONLY)
                                                       : mox__db_exec(db, pragmas[role]);
    if (rc < 0) {
        (void)mox__db_open_failed(db, path, err);
        mox__db_close(db);
    }
    return rc;
}

void mox__db_close(struct db *db)
{
    for (size_t i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(db->stmts[i]);
    for (size_t i = 0; i < FETCH_STATEMENTS; i++)
        (void)sqlite3_finalize(db->fetch[i]);
    (void)sqlite3_close_v2(db->sql);
    memset(db, 0, sizeof *db);
}

int mox__db_prepare(struct db *db, sqlite3_stmt **out, const char *text)
{
    *out = NULL; /* with a failure there is nothing to finalize */
    if (db->status < 0)
        return db->status;
    return mox__db_check(
        db, sqlite3_prepare_v3(db->sql, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL));
}

struct val mox__val_text(const char *text)
{
    if (text == NULL)
        return (struct val)V_NULL;
    return (struct val){.type = VAL_TEXT, .bytes = slice_of(text)};
}

struct val mox__val_blob(struct mox_slice s)
{
    return (struct val){.type = VAL_BLOB, .bytes = s};
}

static int bind(sqlite3_stmt *stmt, int at, const struct val *v)
{
    const char *data = v->bytes.data == NULL ? "" : (const char *)v->bytes.data;
    switch (v->type) {
    case VAL_INT:
        return sqlite3_bind_int64(stmt, at, v->i);
    case VAL_TEXT:
        return sqlite3_bind_text64(stmt, at, data, v->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    case VAL_BLOB:
        return sqlite3_bind_blob64(stmt, at, data, v->bytes.len, SQLITE_STATIC);
    default:
        return sqlite3_bind_null(stmt, at);
    }
}

void mox__db_bind(struct db *db, sqlite3_stmt *stmt, const struct val *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int result = bind(stmt, (int)i + 1, &values[i]);
        if (result != SQLITE_OK)
            (void)mox__db_check(db, result);
    }
}

sqlite3_stmt *mox__db_query(struct db *db, enum sql which, const struct val *values, size_t count)
{
    if (db->status < 0)
        return NULL;
    if (db->stmts[which] == NULL &&
        mox__db_prepare(db, &db->stmts[which], mox__sql_text(which)) < 0)
        return NULL;
    mox__db_bind(db, db->stmts[which], values, count);
    return db->status < 0 ? NULL : db->stmts[which];
}

bool mox__db_step(struct db *db, sqlite3_stmt *stmt)
{
    if (stmt == NULL)
        return false;
    int result = sqlite3_step(stmt);
    if (result == SQLITE_ROW)
        return true;
    if (result != SQLITE_DONE)
        (void)mox__db_check(db, result);
    (void)sqlite3_reset(stmt);
    return false;
}

int mox__db_run(struct db *db, enum sql which, const struct val *values, size_t count)
{
    sqlite3_stmt *stmt = mox__db_query(db, which, values, count);
    while (mox__db_step(db, stmt)) {
    }
    return db->status;
}

struct mox_slice mox__db_blob(sqlite3_stmt *stmt, int column)
{
    const void *data = sqlite3_column_blob(stmt, column);
    return slice(data, (size_t)sqlite3_column_bytes(stmt, column));
}

const char *mox__db_text(sqlite3_stmt *stmt, int column)
{
    return (const char *)sqlite3_column_text(stmt, column);
}
