/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/filter.h"

/*
 * A filter is built anew in junk.db.new, from nothing, by the same steps that keep it up to date:
 *
 *   look ──▶ learn, learn, … ──▶ look again at what changed meanwhile ──▶ … ──▶ little is left:
 *     with the turn: look, learn, write all of it to the disk, rename it to junk.db
 *
 * Until then nobody but us has it, so it needs no journal: when anything fails, or is interrupted,
 * it is removed, and after a crash the next one who opens the account does that. Messages that are
 * removed meanwhile stay readable, as its modseq says (mox_account.relearn_from).
 */

/* A last round of so few messages is done while others wait for the filter. */
#define LAST_ROUND_MAX LEARN_AT_ONCE
/* Somebody may mark messages faster than we learn; the rest then is learnt by the usual way. */
#define ROUNDS_MAX 8

struct retrain {
    struct filter *f;
    const char *path;
    struct filter_file file;
    struct learn_counts counts;
    uint64_t total, words;
    unsigned rounds;
};

/* Messages that were removed later than at `modseq` stay readable. */
static void keep_since(struct filter *f, uint64_t modseq)
{
    struct mox_account *a = f->account;
    pthread_mutex_lock(&a->lock);
    a->relearn_from = modseq;
    for (size_t i = 0; i < a->box_count; i++)
        mox__erase_check(a->boxes[i]);
    pthread_mutex_unlock(&a->lock);
}

static int open_fresh(struct retrain *r, struct mox_error *err)
{
    struct filter *f = r->f;
    mox__filter_file_remove(f->account->env, r->path);
    int rc = mox__filter_file_open(f, &r->file, r->path, err);
    r->file.bulk = true;
    if (rc < 0)
        return rc;
    struct db *db = &r->file.words->db;
    rc = mox__db_exec(db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
    if (rc < 0)
        return mox__fail(err, rc, "make %s: %s", r->path, db->error.text);
    return mox_junk_file_begin(r->file.words, err);
}

/* With the turn. */
static int begin(struct filter *f, struct retrain **out, struct mox_error *err)
{
    const struct mox_account *a = f->account;
    if (f->retraining)
        return mox__fail(err, MOX_EBUSY, "the junk filter of account %s is being built already",
                         a->name);
    struct retrain *r = mem_new(a->env, struct retrain, 1);
    if (r == NULL)
        return mox__fail(err, MOX_ENOMEM, "retrain account %s: out of memory", a->name);
    f->retraining = true;
    r->f = f;
    r->path = f->new_path;
    *out = r;
    keep_since(f, 1);
    return open_fresh(r, err);
}

static int look(struct retrain *r, struct mox_error *err)
{
    int rc = mox__filter_look(r->f, &r->file, err);
    if (rc < 0)
        return rc;
    if (r->rounds++ == 0)
        r->total = r->file.due.count;
    if (r->file.due.count == 0 && r->file.due.modseq != 0)
        rc = mox__filter_learn(r->f, &r->file, 0, &r->counts, err); /* just its modseq */
    keep_since(r->f, r->file.modseq + 1);
    return rc;
}

/* ---- into place ---- */

static int sync_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return mox__status_of_errno(errno);
    int rc = fsync(fd) == 0 ? MOX_OK : mox__status_of_errno(errno);
    (void)close(fd);
    return rc;
}

/* Closed, with no journal beside it, and on the disk. */
static int settle(struct retrain *r, struct mox_error *err)
{
    struct db *db = &r->file.words->db;
    int rc = mox_junk_file_commit(r->file.words, err);
    if (rc < 0)
        return rc;
    rc = mox__filter_file_count(&r->file, &r->words);
    if (rc == MOX_OK)
        rc = mox__db_exec(db, "PRAGMA journal_mode=WAL");
    if (rc < 0)
        return mox__fail(err, rc, "write %s: %s", r->path, db->error.text);
    mox__filter_file_close(r->f, &r->file);
    rc = sync_file(r->path);
    return rc < 0 ? mox__fail(err, rc, "write %s: %s", r->path, mox_status_text(rc)) : MOX_OK;
}

/* The old one goes first, and for good: its log would be played into the new one. Of what is done to names a power
 * cut leaves any part, in no order, unless the folder is synced in between. Who then opens the account finds
 * no filter, and builds one. */
static int replace(struct retrain *r, uint64_t modseq, struct mox_error *err)
{
    struct filter *f = r->f;
    mox__filter_close(f);
    mox__filter_file_remove(f->account->env, f->path);
    int rc = mox__sync_dir(f->account->dir);
    if (rc == MOX_OK && rename(r->path, f->path) < 0)
        rc = mox__status_of_errno(errno);
    if (rc == MOX_OK)
        rc = mox__sync_dir(f->account->dir);
    if (rc < 0)
        return mox__fail(err, rc, "rename %s to %s: %s", r->path, f->path, mox_status_text(rc));
    mox__filter_in_step(f, modseq);
    return MOX_OK;
}

static int finish(struct retrain *r, struct mox_error *err)
{
    mox__filter_enter(r->f);
    int rc = look(r, err);
    while (rc == MOX_OK && r->file.due.count > 0)
        rc = mox__filter_learn(r->f, &r->file, LEARN_AT_ONCE, &r->counts, err);
    uint64_t modseq = r->file.modseq;
    if (rc == MOX_OK)
        rc = settle(r, err);
    if (rc == MOX_OK)
        rc = replace(r, modseq, err);
    mox__filter_leave(r->f);
    return rc;
}

int mox__retrain_step(struct retrain *r, struct mox_error *err)
{
    int rc = MOX_OK;
    if (r->file.due.count > 0) {
        rc = mox__filter_learn(r->f, &r->file, LEARN_AT_ONCE, &r->counts, err);
        if (rc == MOX_OK && r->file.due.count == 0)
            keep_since(r->f, r->file.modseq + 1);
        return rc < 0 ? rc : MOX_LATER;
    }
    rc = look(r, err);
    if (rc < 0)
        return rc;
    if (r->file.due.count > LAST_ROUND_MAX && r->rounds < ROUNDS_MAX)
        return MOX_LATER;
    return finish(r, err);
}

void mox__retrain_end(struct retrain *r)
{
    if (r == NULL)
        return;
    struct filter *f = r->f;
    const struct mox_env *env = f->account->env;
    mox__filter_file_close(f, &r->file);
    mox__filter_file_remove(env, r->path); /* not there once it is in place */
    keep_since(f, 0);
    mox__filter_enter(f);
    f->retraining = false;
    mox__filter_leave(f);
    mox__mem_free(env, r);
}

void mox__retrain_tell(const struct retrain *r, struct mox_retrain *out)
{
    out->messages = r->counts.messages;
    out->hams = r->counts.hams;
    out->spams = r->counts.spams;
    out->failed = r->counts.failed;
    out->total = r->total > r->counts.messages ? r->total : r->counts.messages;
    out->words = r->words;
}

int mox__account_retrain_begin(struct mox_account *a, struct retrain **out, struct mox_error *err)
{
    *out = NULL;
    if (a->filter == NULL)
        return mox__fail(err, MOX_EUNSUPPORTED,
                         "account %s has no junk filter; give it a JunkFilter in domains.conf",
                         a->name);
    mox__filter_enter(a->filter);
    int rc = begin(a->filter, out, err);
    mox__filter_leave(a->filter);
    if (rc < 0) {
        mox__retrain_end(*out);
        *out = NULL;
    }
    return rc;
}

int mox_account_retrain(struct mox_account *a, struct mox_retrain *r, struct mox_error *err)
{
    struct retrain *task = NULL;
    int rc = mox__account_retrain_begin(a, &task, err);
    if (rc < 0)
        return rc;
    do {
        rc = mox__retrain_step(task, err);
        mox__retrain_tell(task, r);
        if (rc == MOX_LATER && r->progress != NULL) {
            int stop = r->progress(r->user, r);
            if (stop != 0)
                rc = mox__fail(err, stop < 0 ? stop : MOX_EREFUSED,
                               "retrain account %s: interrupted", a->name);
        }
    } while (rc == MOX_LATER);
    mox__retrain_end(task);
    return rc;
}
