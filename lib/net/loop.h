/* SPDX-License-Identifier: MIT */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <ev.h>
#include <stdatomic.h>

#include <mox/env.h>
#include <mox/error.h>

/* The event loop: libev, with a way for other threads to have something done on it, and timers that
 * are cheap to move. One thread runs it, its owner; only mox__loop_post() may be called from
 * others.
 *
 * The ev_loop may be an embedder's, which then runs it; else mox__loop_run() does. */
struct loop;

/* Something to be done on the loop's thread. Embedded in what it is about, so that posting cannot
 * fail. It may be posted again from its own `run`, not while it waits. */
struct loop_task {
    void (*run)(struct loop_task *task);
    struct loop_task *next;
};

/* @param ev  borrowed for the loop's life, or NULL for one of its own */
MOX_MUST_USE int mox__loop_new(struct loop **out, const struct mox_env *env, struct ev_loop *ev);
/* No watcher of it is active and no task waits. NULL is fine. */
void mox__loop_free(struct loop *l);
struct ev_loop *mox__loop_ev(struct loop *l);
/* Until mox__loop_break(), or until nothing is left to watch. */
void mox__loop_run(struct loop *l);
void mox__loop_break(struct loop *l);
/* Has `task` run on the loop's thread, soon. Any thread. All that is posted until the loop gets to
 * it costs one wake-up. */
void mox__loop_post(struct loop *l, struct loop_task *task);
int64_t mox__loop_now(const struct loop *l); /* the env's monotonic clock */

/* Tells the owner that a moment has come. Moving it to a later moment is free: it fires at the old
 * one, sees that it is early, and arms itself again. */
struct timer {
    ev_timer watcher;
    struct loop *loop;
    int64_t at_us;    /* when `due` is to be called; INT64_MAX: never */
    int64_t armed_us; /* when the watcher fires; at_us or earlier */
    void (*due)(struct timer *t);
};

void mox__timer_init(struct timer *t, struct loop *l, void (*due)(struct timer *t));
/* Sets the moment on the monotonic clock; INT64_MAX for never. Once it is due it has to be set
 * anew. */
void mox__timer_at(struct timer *t, int64_t at_us);
/* Off, and the loop forgets it. */
void mox__timer_stop(struct timer *t);

#endif
