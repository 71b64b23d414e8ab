/* SPDX-License-Identifier: MIT */
#include "store/filter.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"

/* How much is learnt before one message is judged, so that what a user has just marked counts; with
 * more than that, it is judged by what is known. */
#define LEARN_BEFORE_MAX 192

/* Of so many open filters those that come on top stay open for one message only: a message to a list may ask those
 * of hundreds of accounts at once, at some 4 MB each. The sweep leaves fewer open, those used last. */
#define FILTERS_OPEN_AT_ONCE 64

int mox__filter_new(struct mox_account *a, const struct mox_junk_params *params)
{
    struct filter *f = mem_new(a->env, struct filter, 1);
    if (f == NULL)
        return MOX_ENOMEM;
    f->account = a;
    mox_junk_params_init(&f->params);
    memcpy(&f->params, params, params->size < sizeof f->params ? params->size : sizeof f->params);
    f->params.size = sizeof f->params;
    (void)pthread_mutex_init(&f->lock, NULL);
    (void)pthread_cond_init(&f->turn, NULL);
    f->path = mox__path(a->env, "%s/junk.db", a->dir);
    f->new_path = mox__path(a->env, "%s/junk.db.new", a->dir);
    a->filter = f;
    a->learn_from = 1; /* nobody knows yet how far it is */
    return f->path == NULL || f->new_path == NULL ? MOX_ENOMEM : MOX_OK;
}

void mox__filter_stop(struct filter *f)
{
    mox__trainer_leave(f);
    mox__retrain_end(f->rebuilding);
    f->rebuilding = NULL;
    mox__filter_close(f);
}

void mox__filter_free(struct mox_account *a)
{
    struct filter *f = a->filter;
    if (f == NULL)
        return;
    (void)pthread_mutex_destroy(&f->lock);
    (void)pthread_cond_destroy(&f->turn);
    mox__mem_free(a->env, f->path);
    mox__mem_free(a->env, f->new_path);
    mox__mem_free(a->env, f);
    a->filter = NULL;
}

/* ---- behind the committer ---- */

/* The modseq of the change is at least that of the transaction's first one. */
void mox__learn_later(struct mox_account *a, uint32_t before, uint32_t now)
{
    if (a->filter != NULL && a->learn_first == 0 &&
        mox__learnt_wanted(before) != mox__learnt_wanted(now))
        a->learn_first = a->modseq;
}

void mox__learn_note(struct mox_account *a)
{
    if (a->learn_first == 0)
        return;
    if (a->learn_from == 0)
        a->learn_from = a->learn_first;
    a->learn_to = a->modseq;
    a->learn_first = 0;
}

/* ---- turns ---- */

void mox__filter_enter(struct filter *f)
{
    pthread_mutex_lock(&f->lock);
    uint64_t ticket = f->next_ticket++;
    while (f->serving != ticket)
        (void)pthread_cond_wait(&f->turn, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

bool mox__filter_try_enter(struct filter *f)
{
    pthread_mutex_lock(&f->lock);
    bool free = f->serving == f->next_ticket;
    f->next_ticket += free;
    pthread_mutex_unlock(&f->lock);
    return free;
}

void mox__filter_leave(struct filter *f)
{
    pthread_mutex_lock(&f->lock);
    f->serving++;
    pthread_cond_broadcast(&f->turn);
    pthread_mutex_unlock(&f->lock);
}

void mox__filter_changes(struct filter *f)
{
    pthread_mutex_lock(&f->lock);
    f->outline.is_valid = false;
    pthread_mutex_unlock(&f->lock);
}

/* ---- the database ---- */

static void check_erasing(struct mox_account *a)
{
    for (size_t i = 0; i < a->box_count; i++)
        mox__erase_check(a->boxes[i]);
}

/* On a full disk messages are erased before the filter has forgotten them, for that may be what makes room. It
 * finds out when it learns again, and is built anew. */
static void lacks_space(struct filter *f)
{
    struct mox_account *a = f->account;
    f->file.looked = false;
    pthread_mutex_lock(&a->lock);
    a->learn_lacks_space = true;
    check_erasing(a);
    pthread_mutex_unlock(&a->lock);
}

void mox__filter_failed(struct filter *f, int status, const char *text)
{
    if (status == MOX_ECORRUPT) {
        mox__filter_set_aside(f, text);
        return;
    }
    if (!f->failing)
        log_line(f->account->env, MOX_LOG_ERROR, "store",
                 "the junk filter cannot learn; tried again later", text,
                 F_TEXT("account", f->account->name));
    f->failing = true;
    if (status == MOX_ENOSPACE)
        lacks_space(f);
    if (status != MOX_ENOSPACE && !mox__learn_passes(status))
        mox__filter_close(f); /* after an input/output error nothing is known of a connection */
}

int mox__filter_open(struct filter *f, struct mox_error *err)
{
    struct mox_account *a = f->account;
    f->used_us = a->env->monotonic_us(a->env->user);
    if (f->file.words != NULL)
        return MOX_OK;
    int rc = mox__filter_file_open(f, &f->file, f->path, err);
    if (rc == MOX_ECORRUPT) {
        mox__filter_set_aside(f, err->text);
        rc = mox__filter_file_open(f, &f->file, f->path, err);
    }
    if (rc == MOX_OK && f->file.modseq == 0) { /* it is new: whoever thought otherwise */
        pthread_mutex_lock(&a->lock);
        a->learn_from = 1;
        pthread_mutex_unlock(&a->lock);
        mox__trainer_wake(f);
    }
    if (rc < 0 && !f->failing) {
        log_line(a->env, MOX_LOG_ERROR, "store", "cannot open the junk filter", err->text,
                 F_TEXT("account", a->name));
        f->failing = true;
    }
    if (rc == MOX_ENOSPACE)
        lacks_space(f);
    return rc;
}

void mox__filter_close(struct filter *f)
{
    mox__filter_file_close(f, &f->file);
}

/* What is to be learnt would have to be looked for again; and that it is to be built anew is seen in an open one. */
void mox__filter_spare(struct filter *f)
{
    const bool is_at_work = f->file.due.modseq != 0 || mox__filter_is_stale(f);
    if (f->file.words != NULL && !is_at_work &&
        atomic_load(&f->account->store->trainer.open) > FILTERS_OPEN_AT_ONCE)
        mox__filter_close(f);
}

void mox__filter_in_step(struct filter *f, uint64_t modseq)
{
    struct mox_account *a = f->account;
    if (f->failing)
        log_line(a->env, MOX_LOG_INFO, "store", "the junk filter learns again", NULL,
                 F_TEXT("account", a->name));
    f->failing = f->disk_failed = false;
    pthread_mutex_lock(&a->lock);
    a->learn_from = a->learn_to <= modseq ? 0 : modseq + 1;
    if (a->learn_lacks_space)
        f->file.looked = false; /* something may have been erased since it looked */
    a->learn_lacks_space = false;
    check_erasing(a);
    pthread_mutex_unlock(&a->lock);
}

static bool is_behind(struct filter *f)
{
    pthread_mutex_lock(&f->account->lock);
    bool behind = f->account->learn_from != 0;
    pthread_mutex_unlock(&f->account->lock);
    return behind;
}

/* A file that is ahead of the account, or damaged, was set aside: then there is more to do. */
static int failed(struct filter *f, int rc, const struct mox_error *err, bool *more)
{
    mox__filter_failed(f, rc, err->text);
    *more = rc == MOX_ECORRUPT;
    return rc == MOX_ECORRUPT ? MOX_OK : rc;
}

int mox__filter_catch_up(struct filter *f, size_t max, bool *more)
{
    struct mox_error err = {0};
    struct learn_counts counts = {0};
    *more = is_behind(f);
    if (!*more)
        return MOX_OK;
    int rc = mox__filter_open(f, &err);
    if (rc == MOX_OK && f->file.due.modseq == 0) {
        rc = mox__filter_look(f, &f->file, &err);
        if (rc < 0)
            return failed(f, rc, &err, more);
    }
    if (rc < 0)
        return rc;
    struct filter_file *file = &f->file;
    uint64_t modseq = file->due.modseq;
    if (file->due.count == 0) { /* nothing to write: to find nothing once more costs little */
        file->modseq = modseq;
        mox__changes_free(f->account->env, &file->due);
    } else {
        rc = mox__filter_learn(f, file, max, &counts, &err);
        if (rc < 0)
            return failed(f, rc, &err, more);
    }
    if (file->due.modseq == 0)
        mox__filter_in_step(f, modseq);
    *more = is_behind(f);
    if (!*more && mox__filter_is_stale(f))
        mox__trainer_wake(f);
    return MOX_OK;
}

static bool same_params(const struct mox_junk_params *a, const struct mox_junk_params *b)
{
    return a->onegrams == b->onegrams && a->twograms == b->twograms &&
           a->threegrams == b->threegrams;
}

bool mox__filter_is_stale(const struct filter *f)
{
    return f->file.words != NULL &&
           (f->file.relearn || !same_params(mox_junk_file_params(f->file.words), &f->params));
}

/* ---- asking ---- */

/* What somebody asks, and hears. */
struct question {
    struct mox_slice content;
    struct mox_junk_params params; /* how it is read */
    bool knows;                    /* the filter knows something */
    bool opened;                   /* or what failed is that */
    struct mox_junk_verdict *verdict;
    struct mox_error why;
};

static int open_for(struct question *q, struct filter *f)
{
    int rc = mox__filter_open(f, &q->why);
    q->opened = rc == MOX_OK;
    return rc;
}

/* The filter may have been closed since it was asked last, or found damaged. */
static int ask(struct question *q, struct filter *f, const struct mox_junk_words *words)
{
    int rc = open_for(q, f);
    if (rc < 0)
        return rc;
    const struct mox_junk_db db = mox_junk_file_db(f->file.words);
    return mox_junk_classify(&db, mox_junk_file_params(f->file.words), words, q->verdict, &q->why);
}

static int ask_again(struct question *q, struct filter *f, const struct mox_junk_words *words)
{
    int rc = ask(q, f, words);
    if (rc != MOX_ECORRUPT)
        return rc;
    mox__filter_failed(f, rc, q->why.text);
    return ask(q, f, words);
}

/* What prepare() says, if it said so before and nothing is new. */
static bool is_prepared(struct question *q, struct filter *f)
{
    if (is_behind(f))
        return false;
    pthread_mutex_lock(&f->lock);
    bool valid = f->outline.is_valid;
    if (valid) {
        q->params = f->outline.params;
        q->knows = f->outline.knows_something;
    }
    pthread_mutex_unlock(&f->lock);
    return valid;
}

static void keep_outline(struct filter *f, const struct question *q)
{
    pthread_mutex_lock(&f->lock);
    f->outline.is_valid = true;
    f->outline.params = q->params;
    f->outline.knows_something = q->knows;
    pthread_mutex_unlock(&f->lock);
}

/* With the turn: learns what is new, and says how messages are read and whether anything is known. */
static int prepare(struct question *q, struct filter *f)
{
    struct mox_junk_totals totals = {0};
    bool more = true;
    for (size_t n = 0; more && n < LEARN_BEFORE_MAX; n += LEARN_AT_ONCE)
        if (mox__filter_catch_up(f, LEARN_AT_ONCE, &more) < 0)
            break; /* told; what is known is better than nothing */
    int rc = open_for(q, f);
    if (rc < 0)
        return rc;
    const struct mox_junk_db db = mox_junk_file_db(f->file.words);
    q->params = *mox_junk_file_params(f->file.words);
    rc = db.ops->totals(db.self, &totals, &q->why);
    q->knows = rc < 0 || totals.hams > 0 || totals.spams > 0;
    if (rc == MOX_OK)
        keep_outline(f, q);
    return rc == MOX_ECORRUPT ? MOX_OK : rc; /* asking mends it */
}

/* Reading the message is most of the work, so others may ask meanwhile. */
static int read_and_ask(struct question *q, struct filter *f)
{
    struct mox_junk_words *words;
    int rc = mox_junk_words_new(&words, f->account->env, &q->params, q->content);
    if (rc < 0)
        return rc;
    mox__filter_enter(f);
    rc = ask_again(q, f, words);
    mox__filter_spare(f);
    mox__filter_leave(f);
    mox_junk_words_free(words);
    return rc;
}

static int prepare_and_ask(struct question *q, struct filter *f)
{
    int rc = MOX_OK;
    if (!is_prepared(q, f)) {
        mox__filter_enter(f);
        rc = prepare(q, f);
        if (rc < 0 || !q->knows)
            mox__filter_spare(f);
        mox__filter_leave(f);
    }
    return rc == MOX_OK && q->knows ? read_and_ask(q, f) : rc;
}

int mox_account_classify(struct mox_account *a, struct mox_slice content,
                         struct mox_junk_verdict *verdict, bool *opened, struct mox_error *err)
{
    struct question q = {.content = content, .verdict = verdict, .opened = true};
    if (a->filter == NULL)
        return mox__fail(err, MOX_EUNSUPPORTED, "account %s has no junk filter", a->name);
    *verdict = (struct mox_junk_verdict){.probability = 0.5};
    int rc = prepare_and_ask(&q, a->filter);
    if (opened != NULL)
        *opened = q.opened;
    if (rc < 0)
        return mox__fail(err, rc, "ask the junk filter of account %s: %s", a->name,
                         q.why.text[0] != '\0' ? q.why.text : mox_status_text(rc));
    return MOX_OK;
}
