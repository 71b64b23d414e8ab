/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "store/filter.h"

/* How long learning waits for a disk that fails: a cable is put back, a network comes back. */
#define DISK_WAIT_US INT64_C(60000000)

/* The words of one message, kept while the entries that share it are done: both sides of a move, or
 * copies. */
struct lesson {
    struct filter *f;
    struct filter_file *file;
    struct db *index;
    uint64_t message; /* whose words these are */
    struct mox_junk_words *words;
};

static void drop_words(struct lesson *l)
{
    mox_junk_words_free(l->words);
    l->words = NULL;
}

int mox__filter_words(struct mox_account *a, struct db *db, const struct mox_junk_params *params,
                      uint64_t message, struct mox_junk_words **out, struct mox_error *err)
{
    int rc = MOX_OK;
    *out = NULL;
    sqlite3_stmt *s = db_query(db, SQL_CONTENT_READ, V_INT(message));
    if (mox__db_step(db, s)) {
        size_t bytes = (size_t)sqlite3_column_int64(s, 0);
        void *map = NULL;
        if (sqlite3_column_type(s, 1) != SQLITE_NULL)
            rc = mox_junk_words_new(out, a->env, params, mox__db_blob(s, 1));
        else
            rc = mox__body_map(a, message, bytes, &map, err);
        if (map != NULL) {
            rc = mox_junk_words_new(out, a->env, params, slice(map, bytes));
            (void)munmap(map, bytes);
        }
        (void)sqlite3_reset(s);
    } else {
        rc = mox__fail(err, MOX_ECORRUPT, "its content is missing");
    }
    if (db->status < 0) {
        rc = mox__fail(err, db->status, "%s", db->error.text);
        mox__db_clear(db);
    }
    return rc;
}

/* MOX_ECORRUPT or MOX_EIO with a text: this message cannot be read, others may be. */
static int read_words(struct lesson *l, uint64_t message, struct mox_error *err)
{
    if (l->words != NULL && l->message == message)
        return MOX_OK;
    drop_words(l);
    l->message = message;
    return mox__filter_words(l->f->account, l->index, mox_junk_file_params(l->file->words), message,
                             &l->words, err);
}

/* What cannot be read is not learnt, and the record says so; mail goes on. */
static void skipped(struct lesson *l, const struct change *c, const char *why)
{
    log_line(l->f->account->env, MOX_LOG_WARN, "store", "the junk filter cannot read a message",
             why, F_TEXT("account", l->f->account->name), F_UINT("message", c->message));
}

/* Taking back what was learnt needs the message again. */
static void cannot_forget(struct lesson *l, const struct change *c)
{
    struct filter_file *file = l->file;
    if (!file->relearn)
        log_line(l->f->account->env, MOX_LOG_WARN, "store",
                 "the junk filter cannot forget a message; it is built anew", NULL,
                 F_TEXT("account", l->f->account->name), F_UINT("message", c->message));
    file->relearn = true;
    (void)mox__db_run(&file->words->db, SQL_FILTER_RELEARN, NULL, 0);
}

static void record(struct filter_file *file, const struct change *c, unsigned kind, int64_t trace)
{
    if (kind == LEARNT_NOTHING)
        (void)db_run(&file->words->db, SQL_TRAINED_DELETE, V_INT(c->mailbox), V_INT(c->uid));
    else
        (void)db_run(&file->words->db, SQL_TRAINED_WRITE, V_INT(c->mailbox), V_INT(c->uid),
                     V_INT(kind), V_INT(trace));
}

static int forget(struct lesson *l, const struct change *c, struct mox_error *err)
{
    const struct mox_junk_db db = mox_junk_file_db(l->file->words);
    return mox_junk_unlearn(&db, l->words, (c->had & LEARNT_CLASS) == LEARNT_SPAM, c->trace, err);
}

static int learn(struct lesson *l, const struct change *c, struct learn_counts *counts,
                 struct mox_error *err)
{
    bool junk = c->wants == LEARNT_SPAM;
    int64_t trace = 0;
    const struct mox_junk_db db = mox_junk_file_db(l->file->words);
    int rc = mox_junk_learn(&db, mox_junk_file_params(l->file->words), l->words, junk, &trace, err);
    if (rc == MOX_OK) {
        record(l->file, c, c->wants, trace);
        counts->hams += !junk;
        counts->spams += junk;
    }
    return rc;
}

bool mox__learn_passes(int status)
{
    return status == MOX_ENOMEM || status == MOX_EFILES || status == MOX_EBUSY;
}

/* Whether a message that could not be read is tried again, and what comes behind it waits. A disk may fail for a
 * moment; but sectors that are gone must not keep all else from being learnt, so there is one wait until
 * the filter is in step. A filter that is built anew does not wait: it would begin from nothing. */
static bool is_worth_waiting(struct lesson *l, int status)
{
    struct filter *f = l->f;
    const struct mox_env *env = f->account->env;
    if (mox__learn_passes(status) || status == MOX_ENOSPACE)
        return true;
    if (status != MOX_EIO || l->file->bulk)
        return false;
    const int64_t now_us = env->monotonic_us(env->user);
    if (!f->disk_failed)
        f->disk_failed_us = now_us;
    f->disk_failed = true;
    return now_us - f->disk_failed_us < DISK_WAIT_US;
}

static int one(struct lesson *l, const struct change *c, struct learn_counts *counts,
               struct mox_error *err)
{
    struct mox_error why = {0};
    bool forgets = c->had != LEARNT_NOTHING && (c->had & LEARNT_SKIPPED) == 0;
    counts->messages++;
    int rc = MOX_OK;
    if (forgets || c->wants != LEARNT_NOTHING)
        rc = read_words(l, c->message, &why);
    if (is_worth_waiting(l, rc)) /* it says nothing of the message */
        return mox__fail(err, rc, "%s", why.text);
    if (rc < 0) {
        if (forgets)
            cannot_forget(l, c);
        if (c->wants != LEARNT_NOTHING) {
            skipped(l, c, why.text);
            counts->failed++;
        }
        record(l->file, c, c->wants == LEARNT_NOTHING ? 0u : c->wants | LEARNT_SKIPPED, 0);
        return l->file->words->db.status;
    }
    if (forgets)
        rc = forget(l, c, err);
    if (rc == MOX_OK && c->wants != LEARNT_NOTHING)
        rc = learn(l, c, counts, err);
    else if (rc == MOX_OK)
        record(l->file, c, LEARNT_NOTHING, 0);
    return rc < 0 ? rc : l->file->words->db.status;
}

int mox__filter_learn(struct filter *f, struct filter_file *file, size_t max,
                      struct learn_counts *counts, struct mox_error *err)
{
    struct changes *due = &file->due;
    struct lesson l = {.f = f, .file = file, .index = &file->index};
    struct learn_counts done = *counts;
    struct mox_error failure = {0};
    bool relearn = file->relearn;
    size_t at = due->at;
    int rc = mox__filter_index(f, file, err);
    if (rc < 0)
        return rc;
    struct db *db = &file->words->db;
    if (file == &f->file)
        mox__filter_changes(f);
    if (!file->bulk)
        rc = mox_junk_file_begin(file->words, &failure);
    const size_t begin = at;
    const struct mox_env *env = f->account->env;
    const int64_t until_us = env->monotonic_us(env->user) + LEARN_US;
    for (; rc == MOX_OK && db->status == MOX_OK && at < due->count && max > 0 &&
           (at == begin || env->monotonic_us(env->user) < until_us);
         max--)
        rc = one(&l, &due->list[at++], &done, &failure);
    if (rc == MOX_OK && at == due->count)
        (void)db_run(db, SQL_FILTER_WRITE, V_INT(due->modseq));
    rc = rc < 0 ? rc : db->status;
    if (rc == MOX_OK && !file->bulk)
        rc = mox_junk_file_commit(file->words, &failure);
    drop_words(&l);
    if (rc < 0) {
        (void)mox__fail(err, rc, "%s",
                        failure.text[0] != '\0' ? failure.text
                        : db->status < 0        ? db->error.text
                                                : mox_status_text(rc));
        mox_junk_file_rollback(file->words);
        file->relearn = relearn;
        return rc;
    }
    *counts = done;
    due->at = at;
    if (at == due->count) {
        file->modseq = due->modseq;
        mox__changes_free(f->account->env, due);
    }
    return MOX_OK;
}
