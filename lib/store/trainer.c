/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "store/filter.h"

/*
 * One thread learns for all accounts, a transaction of one and then one of the next, so that an
 * account that has much to learn holds nobody up. Now and then it closes filters that nobody used
 * for a while, and tries again what failed.
 */

#define SWEEP_SECONDS 10
/* A filter's memory is its weights and its page cache, some 4 MB. */
#define FILTER_IDLE_US   INT64_C(300000000)
#define FILTERS_OPEN_MAX 16

void mox__trainer_init(struct mox_store *s)
{
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s->trainer.work, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    s->trainer.end = &s->trainer.queue;
}

/* ---- the queue, under the store's lock ---- */

static void enqueue(struct trainer *t, struct filter *f)
{
    if (f->queued || f->leaving)
        return;
    f->queued = true;
    f->next = NULL;
    *t->end = f;
    t->end = &f->next;
}

static struct filter *dequeue(struct trainer *t)
{
    struct filter *f = t->queue;
    t->queue = f->next;
    if (t->queue == NULL)
        t->end = &t->queue;
    f->queued = false;
    return f;
}

static void unqueue(struct trainer *t, struct filter *f)
{
    struct filter **at = &t->queue;
    while (*at != NULL && *at != f)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    *at = f->next;
    f->queued = false;
    for (t->end = &t->queue; *t->end != NULL;)
        t->end = &(*t->end)->next;
}

/* ---- the work, without the store's lock ---- */

/* What does not pass is not tried again before the account is opened anew. Returns whether it does. */
static bool rebuild_failed(struct filter *f, int status, const char *text)
{
    const bool passes = mox__learn_passes(status);
    if (!f->rebuild_failed || !passes)
        log_line(f->account->env, MOX_LOG_ERROR, "store",
                 passes ? "the junk filter cannot be built anew; tried again later"
                        : "the junk filter cannot be built anew",
                 text, F_TEXT("account", f->account->name));
    f->rebuild_failed = true;
    f->given_up = !passes;
    return passes;
}

/* The parameters of the configuration are not those of the file, or it holds what cannot be forgotten.
 * *failed: it is to be tried again. */
static void begin_rebuild(struct filter *f, bool *failed)
{
    const struct mox_account *a = f->account;
    struct mox_error err = {0};
    int rc = mox__account_retrain_begin(f->account, &f->rebuilding, &err);
    if (rc == MOX_OK)
        log_line(a->env, MOX_LOG_INFO, "store", "the junk filter is built anew", NULL,
                 F_TEXT("account", a->name));
    if (rc == MOX_EBUSY) /* somebody asked for the same, and may end it before it is done */
        *failed = true;
    else if (rc < 0)
        *failed = rebuild_failed(f, rc, err.text);
}

/* Whether there is more to do. */
static bool rebuild(struct filter *f, bool *failed)
{
    const struct mox_account *a = f->account;
    struct mox_error err = {0};
    int rc = mox__retrain_step(f->rebuilding, &err);
    if (rc == MOX_LATER)
        return true;
    mox__retrain_end(f->rebuilding);
    f->rebuilding = NULL;
    if (rc < 0) {
        *failed = rebuild_failed(f, rc, err.text);
        return false;
    }
    f->rebuild_failed = false;
    log_line(a->env, MOX_LOG_INFO, "store", "the junk filter was built anew", NULL,
             F_TEXT("account", a->name));
    return false;
}

static bool work(struct filter *f, bool *failed)
{
    bool more = false;
    mox__filter_enter(f);
    size_t max = f->file.due.count > LEARN_MANY ? LEARN_MANY : LEARN_AT_ONCE;
    *failed = mox__filter_catch_up(f, max, &more) < 0;
    bool stale = mox__filter_is_stale(f);
    if (!more)
        mox__filter_spare(f);
    mox__filter_leave(f);
    if (*failed || more)
        return more && !*failed;
    if (stale && f->rebuilding == NULL && !f->given_up)
        begin_rebuild(f, failed);
    return f->rebuilding != NULL && rebuild(f, failed);
}

/* ---- the sweep ---- */

/* The one that was not used for longest, with its turn; NULL: none is open and idle. */
static struct filter *least_used(struct trainer *t, size_t *open)
{
    struct filter *oldest = NULL;
    *open = 0;
    for (struct filter *f = t->all; f != NULL; f = f->all_next) {
        if (f->queued || !mox__filter_try_enter(f))
            continue;
        bool is_open = f->file.words != NULL;
        bool older = is_open && (oldest == NULL || f->used_us < oldest->used_us);
        *open += is_open;
        if (older && oldest != NULL)
            mox__filter_leave(oldest);
        if (older)
            oldest = f;
        else
            mox__filter_leave(f);
    }
    return oldest;
}

/* Closing waits for the disk: without the lock, and whoever closes the account waits for it. */
static void close_unused(struct mox_store *s)
{
    struct filter *f;
    size_t open;
    while ((f = least_used(&s->trainer, &open)) != NULL) {
        bool idle = s->env.monotonic_us(s->env.user) - f->used_us >= FILTER_IDLE_US;
        bool close = idle || open > FILTERS_OPEN_MAX;
        f->running = true;
        pthread_mutex_unlock(&s->lock);
        if (close)
            mox__filter_close(f);
        mox__filter_leave(f);
        pthread_mutex_lock(&s->lock);
        f->running = false;
        pthread_cond_broadcast(&s->changed);
        if (!close)
            break;
    }
}

static void sweep(struct mox_store *s)
{
    for (struct filter *f = s->trainer.all; f != NULL; f = f->all_next) {
        if (f->retry)
            enqueue(&s->trainer, f);
        f->retry = false;
    }
    close_unused(s);
}

static void wait_for_work(struct mox_store *s, struct timespec *next_sweep)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec >= next_sweep->tv_sec) {
        sweep(s);
        next_sweep->tv_sec = now.tv_sec + SWEEP_SECONDS;
    }
    if (s->trainer.queue == NULL && !s->trainer.stop)
        (void)pthread_cond_timedwait(&s->trainer.work, &s->lock, next_sweep);
}

static void *trainer(void *user)
{
    struct mox_store *s = user;
    struct trainer *t = &s->trainer;
    struct timespec next_sweep;
    (void)clock_gettime(CLOCK_MONOTONIC, &next_sweep);
    next_sweep.tv_sec += SWEEP_SECONDS;
    pthread_mutex_lock(&s->lock);
    while (!t->stop) {
        wait_for_work(s, &next_sweep);
        if (t->queue == NULL || t->stop)
            continue;
        struct filter *f = dequeue(t);
        bool failed = false;
        f->running = true;
        pthread_mutex_unlock(&s->lock);
        bool more = work(f, &failed);
        pthread_mutex_lock(&s->lock);
        f->running = false;
        f->retry = failed;
        if (more)
            enqueue(t, f);
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- accounts ---- */

static int start(struct mox_store *s)
{
    sigset_t all, before; /* signals are the host's business, in its own threads */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    s->trainer.has_thread = pthread_create(&s->trainer.thread, NULL, trainer, s) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->trainer.has_thread ? MOX_OK : MOX_EIO;
}

int mox__trainer_join(struct filter *f, struct mox_error *err)
{
    struct mox_store *s = f->account->store;
    struct trainer *t = &s->trainer;
    pthread_mutex_lock(&s->lock);
    int rc = t->has_thread ? MOX_OK : start(s);
    if (rc == MOX_OK) {
        f->all_next = t->all;
        t->all = f;
        enqueue(t, f);
        pthread_cond_signal(&t->work);
    }
    pthread_mutex_unlock(&s->lock);
    if (rc < 0)
        return mox__fail(err, rc, "open account %s: cannot start a thread", f->account->name);
    return MOX_OK;
}

void mox__trainer_leave(struct filter *f)
{
    struct mox_store *s = f->account->store;
    struct trainer *t = &s->trainer;
    pthread_mutex_lock(&s->lock);
    f->leaving = true;
    unqueue(t, f);
    while (f->running)
        (void)pthread_cond_wait(&s->changed, &s->lock);
    struct filter **at = &t->all;
    while (*at != NULL && *at != f)
        at = &(*at)->all_next;
    if (*at != NULL)
        *at = f->all_next;
    pthread_mutex_unlock(&s->lock);
}

void mox__trainer_wake(struct filter *f)
{
    struct mox_store *s = f->account->store;
    pthread_mutex_lock(&s->lock);
    enqueue(&s->trainer, f); /* also while it is at it: it may have looked already */
    pthread_cond_signal(&s->trainer.work);
    pthread_mutex_unlock(&s->lock);
}

void mox__trainer_stop(struct mox_store *s)
{
    pthread_mutex_lock(&s->lock);
    s->trainer.stop = true;
    pthread_cond_signal(&s->trainer.work);
    pthread_mutex_unlock(&s->lock);
    if (s->trainer.has_thread)
        (void)pthread_join(s->trainer.thread, NULL);
    (void)pthread_cond_destroy(&s->trainer.work);
}
