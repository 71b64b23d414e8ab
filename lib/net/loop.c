/* SPDX-License-Identifier: MIT */
#include "net/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

struct loop {
    struct mox_env env;
    struct ev_loop *ev;
    bool own_ev;
    ev_async wake;
    pthread_mutex_t lock; /* guards first and last */
    struct loop_task *first, **last;
};

static struct loop_task *take_tasks(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    struct loop_task *first = l->first;
    l->first = NULL;
    l->last = &l->first;
    pthread_mutex_unlock(&l->lock);
    return first;
}

/* What the tasks post in turn waits for the next round, so that sockets get their turn too. */
static void run_tasks(struct ev_loop *ev, ev_async *w, int events)
{
    (void)ev;
    (void)events;
    struct loop *l = w->data;
    for (struct loop_task *t = take_tasks(l), *next; t != NULL; t = next) {
        next = t->next;
        t->run(t);
    }
}

/* libev ends the process when it gets no memory. It asks for little, and seldom: it waits, as its
 * manual suggests, until somebody gives some back. */
static void *patient_realloc(void *ptr, long size)
{
    static const struct timespec a_while = {.tv_nsec = 10000000};
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    void *more = realloc(ptr, (size_t)size);
    while (more == NULL) {
        (void)nanosleep(&a_while, NULL);
        more = realloc(ptr, (size_t)size);
    }
    return more;
}

int mox__loop_new(struct loop **out, const struct mox_env *env, struct ev_loop *ev)
{
    *out = NULL;
    struct loop *l = mem_new(env, struct loop, 1);
    if (l == NULL)
        return MOX_ENOMEM;
    l->env = *env;
    l->own_ev = ev == NULL;
    if (l->own_ev) /* for all loops of the process, of which a host that has its own is the master */
        ev_set_allocator(patient_realloc);
    l->ev = ev != NULL ? ev : ev_loop_new(EVFLAG_AUTO);
    l->last = &l->first;
    if (l->ev == NULL || pthread_mutex_init(&l->lock, NULL) != 0) {
        mox__mem_free(env, l);
        return MOX_ENOMEM;
    }
    ev_async_init(&l->wake, run_tasks);
    l->wake.data = l;
    ev_async_start(l->ev, &l->wake);
    *out = l;
    return MOX_OK;
}

void mox__loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    ev_async_stop(l->ev, &l->wake);
    if (l->own_ev)
        ev_loop_destroy(l->ev);
    pthread_mutex_destroy(&l->lock);
    struct mox_env env = l->env;
    mox__mem_free(&env, l);
}

struct ev_loop *mox__loop_ev(struct loop *l)
{
    return l->ev;
}

void mox__loop_run(struct loop *l)
{
    ev_run(l->ev, 0);
}

void mox__loop_break(struct loop *l)
{
    ev_break(l->ev, EVBREAK_ALL);
}

void mox__loop_post(struct loop *l, struct loop_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&l->lock);
    bool was_empty = l->first == NULL;
    *l->last = task;
    l->last = &task->next;
    /* Under the lock: once it is released, the loop may run the task and be freed by it. */
    if (was_empty)
        ev_async_send(l->ev, &l->wake);
    pthread_mutex_unlock(&l->lock);
}

int64_t mox__loop_now(const struct loop *l)
{
    return l->env.monotonic_us(l->env.user);
}

static void arm(struct timer *t)
{
    int64_t left_us = t->at_us - mox__loop_now(t->loop);
    if (left_us < 0)
        left_us = 0;
    ev_timer_stop(t->loop->ev, &t->watcher);
    ev_timer_set(&t->watcher, (double)left_us / 1e6, 0.);
    ev_timer_start(t->loop->ev, &t->watcher);
    t->armed_us = t->at_us;
}

static void fired(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)ev;
    (void)events;
    struct timer *t = w->data;
    t->armed_us = INT64_MAX;
    if (t->at_us == INT64_MAX)
        return;
    if (mox__loop_now(t->loop) < t->at_us) {
        arm(t);
        return;
    }
    t->at_us = INT64_MAX;
    t->due(t);
}

void mox__timer_init(struct timer *t, struct loop *l, void (*due)(struct timer *t))
{
    ev_init(&t->watcher, fired);
    t->watcher.data = t;
    t->loop = l;
    t->due = due;
    t->at_us = INT64_MAX;
    t->armed_us = INT64_MAX;
}

void mox__timer_at(struct timer *t, int64_t at_us)
{
    t->at_us = at_us;
    if (at_us < t->armed_us)
        arm(t);
}

void mox__timer_stop(struct timer *t)
{
    t->at_us = INT64_MAX;
    t->armed_us = INT64_MAX;
    ev_timer_stop(t->loop->ev, &t->watcher);
}
