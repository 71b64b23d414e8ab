/* SPDX-License-Identifier: MIT */
#include "store/auth_db.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/store.h"

struct check {
    struct db db;
    void (*report)(void *user, const char *text);
    void *user;
    unsigned problems;
};

static void problem(struct check *c, const char *format, ...) MOX_PRINTF(2, 3);

static void problem(struct check *c, const char *format, ...)
{
    char text[512] = "auth.db: ";
    size_t at = strlen(text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + at, sizeof text - at, format, args);
    va_end(args);
    c->problems++;
    c->report(c->user, text);
}

/* Each row of the query is a problem, named by its first column. */
static void check_rows(struct check *c, const char *query, const char *text)
{
    sqlite3_stmt *s = NULL;
    if (mox__db_prepare(&c->db, &s, query) == MOX_OK)
        while (mox__db_step(&c->db, s)) {
            const char *name = mox__db_text(s, 0);
            problem(c, "%s: %s", text, name == NULL ? "?" : name);
        }
    (void)sqlite3_finalize(s);
}

static void check_all(struct check *c)
{
    char too_many[160];
    (void)snprintf(
        too_many, sizeof too_many,
        "SELECT account FROM login_attempt GROUP BY account, failed HAVING count(*) > %d",
        MOX_LOGIN_ATTEMPTS_MAX);
    check_rows(c, "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
               "integrity check");
    check_rows(c, "SELECT address FROM client_key WHERE account = '' OR address = ''",
               "a key belongs to nobody");
    check_rows(c, "SELECT account FROM login_attempt WHERE (result = 'ok') = failed",
               "an attempt to log in has failed and not");
    check_rows(c, too_many, "more attempts to log in than are kept");
}

int mox__auth_verify(const struct mox_env *env, const char *dir,
                     void (*report)(void *user, const char *text), void *user, unsigned *problems,
                     struct mox_error *err)
{
    struct check c = {.report = report, .user = user};
    struct stat st;
    char *path = mox__path(env, "%s/auth.db", dir);
    if (path == NULL)
        return mox__fail(err, MOX_ENOMEM, "verify %s/auth.db: out of memory", dir);
    int rc = MOX_OK;
    if (stat(path, &st) == 0) { /* otherwise nobody has tried to log in */
        rc = mox__wal_settle(env, path, err);
        if (rc == MOX_OK)
            rc = mox__auth_open(&c.db, path, DB_CHECKPOINT, err);
        if (rc == MOX_ECORRUPT)
            problem(&c, "%s", err->text);
        if (rc == MOX_OK) {
            check_all(&c);
            if (c.db.status == MOX_ECORRUPT)
                problem(&c, "%s", c.db.error.text);
            else if (c.db.status < 0)
                rc = mox__fail(err, c.db.status, "verify %s: %s", path, c.db.error.text);
            mox__db_close(&c.db);
        }
    }
    mox__mem_free(env, path);
    *problems += c.problems;
    return rc == MOX_ECORRUPT ? MOX_OK : rc;
}
