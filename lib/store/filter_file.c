/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/filter.h"
#include "store/junk_page.h"

/* KiB, negative as SQLite wants it: many accounts may have their filter open. */
#define CACHE_SIZE "-2000"

static int read_state(struct filter_file *file)
{
    struct db *db = &file->words->db;
    sqlite3_stmt *s = mox__db_query(db, SQL_FILTER_READ, NULL, 0);
    while (mox__db_step(db, s)) {
        file->modseq = (uint64_t)sqlite3_column_int64(s, 0);
        file->relearn = sqlite3_column_int(s, 1) != 0;
    }
    return db->status;
}

int mox__filter_file_open(struct filter *f, struct filter_file *file, const char *path,
                          struct mox_error *err)
{
    const struct mox_env *env = f->account->env;
    *file = (struct filter_file){0};
    int rc = mox__wal_settle(env, path, err);
    if (rc == MOX_OK)
        rc = mox_junk_file_open(&file->words, env, path, &f->params, err);
    if (rc == MOX_EINVAL) /* those of the configuration are not its own: until it is built anew */
        rc = mox_junk_file_open(&file->words, env, path, NULL, err);
    if (rc < 0)
        return rc;
    if (file == &f->file)
        atomic_fetch_add(&f->account->store->trainer.open, 1);
    rc = mox__db_exec(&file->words->db, "PRAGMA cache_size=" CACHE_SIZE);
    if (rc == MOX_OK)
        rc = read_state(file);
    if (rc < 0) {
        rc = mox__fail(err, rc, "read %s: %s", path, file->words->db.error.text);
        mox__filter_file_close(f, file);
    }
    return rc;
}

void mox__filter_file_close(struct filter *f, struct filter_file *file)
{
    if (file == &f->file)
        mox__filter_changes(f);
    if (file == &f->file && file->words != NULL)
        atomic_fetch_sub(&f->account->store->trainer.open, 1);
    mox_junk_file_close(file->words);
    mox__db_close(&file->index);
    mox__changes_free(f->account->env, &file->due);
    *file = (struct filter_file){0};
}

/* Not one of those for reading mail: they map the database, and all that was learnt from would count as
 * memory of ours. */
int mox__filter_index(struct filter *f, struct filter_file *file, struct mox_error *err)
{
    if (file->index.status < 0)
        mox__db_close(&file->index);
    if (file->index.sql != NULL)
        return MOX_OK;
    int rc = mox__db_open(&file->index, f->account->db_path, DB_SCANNER, err);
    return rc == MOX_ECORRUPT ? MOX_EIO : rc; /* the damage is not the filter's */
}

int mox__filter_file_count(struct filter_file *file, uint64_t *words)
{
    struct db *db = &file->words->db;
    *words = 0;
    sqlite3_stmt *s = db_query(db, SQL_JUNK_PAGES, V_INT(0));
    while (mox__db_step(db, s)) {
        struct junk_row row;
        struct junk_page page =
            mox__junk_page((uint64_t)sqlite3_column_int64(s, 0), mox__db_blob(s, 1));
        while (mox__junk_page_next(&page, &row))
            ++*words;
    }
    return db->status;
}

static const char *const companions[] = {"-wal", "-shm", "-journal"};
#define COMPANIONS (sizeof companions / sizeof companions[0])

void mox__filter_file_remove(const struct mox_env *env, const char *path)
{
    for (size_t i = 0; i < COMPANIONS; i++) {
        char *name = mox__path(env, "%s%s", path, companions[i]);
        if (name != NULL)
            (void)unlink(name);
        mox__mem_free(env, name);
    }
    (void)unlink(path);
}

/* What belongs to it first: a log that is left behind would be played into the next database. */
static int rename_all(const struct mox_env *env, const char *from, const char *to)
{
    int rc = MOX_OK;
    for (size_t i = 0; i < COMPANIONS && rc == MOX_OK; i++) {
        char *a = mox__path(env, "%s%s", from, companions[i]);
        char *b = mox__path(env, "%s%s", to, companions[i]);
        if (a == NULL || b == NULL)
            rc = MOX_ENOMEM;
        else if (rename(a, b) < 0 && access(a, F_OK) == 0)
            rc = MOX_EIO;
        mox__mem_free(env, a);
        mox__mem_free(env, b);
    }
    return rc == MOX_OK && rename(from, to) < 0 ? MOX_EIO : rc;
}

void mox__filter_set_aside(struct filter *f, const char *why)
{
    const struct mox_account *a = f->account;
    time_t now = (time_t)(a->env->wall_us(a->env->user) / 1000000);
    struct tm tm;
    char stamp[32] = "";
    mox__filter_file_close(f, &f->file);
    if (gmtime_r(&now, &tm) != NULL)
        (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    char *to = mox__path(a->env, "%s.damaged-%s", f->path, stamp);
    int rc = to == NULL ? MOX_ENOMEM : rename_all(a->env, f->path, to);
    if (rc < 0) /* without another file the account would have no filter */
        mox__filter_file_remove(a->env, f->path);
    (void)mox__sync_dir(a->dir);
    log_line(a->env, MOX_LOG_ERROR, "store",
             "the database of the junk filter cannot be used; it was set aside, and the filter "
             "learns anew from the messages that are marked",
             why, F_TEXT("account", a->name), F_TEXT("file", rc < 0 ? "(removed)" : to));
    mox__mem_free(a->env, to);
}
