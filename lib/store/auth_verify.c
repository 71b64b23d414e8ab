/* SPDX-License-Identifier: MIT */
#include "store/auth_db.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/store.h"

struct check {
    struct db db;
    struct problems *problems;
};

/* Each row of the query is a problem, named by its first column. */
static void check_rows(struct check *c, const char *query, const char *text)
{
    sqlite3_stmt *s = NULL;
    if (mox__db_prepare(&c->db, &s, query) == MOX_OK)
        while (mox__db_step(&c->db, s)) {
            const char *name = mox__db_text(s, 0);
            mox__problem(c->problems, "%s: %s", text, name == NULL ? "?" : name);
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

int mox__auth_verify(const struct mox_env *env, const char *dir, struct problems *problems,
                     struct mox_error *err)
{
    struct check c = {.problems = problems};
    struct stat st;
    char *path = mox__path(env, "%s/auth.db", dir);
    if (path == NULL)
        return mox__fail(err, MOX_ENOMEM, "verify %s/auth.db: out of memory", dir);
    int rc = MOX_OK;
    if (stat(path, &st) == 0) { /* otherwise nobody has tried to log in */
        mox__problems_about(problems, "auth.db: ");
        rc = mox__wal_settle(env, path, err);
        if (rc == MOX_OK)
            rc = mox__auth_open(&c.db, path, DB_CHECKPOINT, err);
        if (rc == MOX_ECORRUPT)
            mox__problem(c.problems, "%s", err->text);
        if (rc == MOX_OK) {
            check_all(&c);
            if (c.db.status == MOX_ECORRUPT)
                mox__problem(c.problems, "%s", c.db.error.text);
            else if (c.db.status < 0)
                rc = mox__fail(err, c.db.status, "verify %s: %s", path, c.db.error.text);
            mox__db_close(&c.db);
        }
    }
    mox__mem_free(env, path);
    return rc == MOX_ECORRUPT ? MOX_OK : rc;
}
