/* SPDX-License-Identifier: MIT */
#ifndef NET_POOL_H
#define NET_POOL_H

#include "net/loop.h"

/* A few threads for what the loop's thread must not do: wait for the disk, compute for
 * milliseconds. */
struct pool;

/* One piece of work. `run` is called on a thread of the pool, then `done` on the loop's thread.
 * Embedded in what it is about; not submitted again before `done`. Without a `done` it ends with `run`,
 * which may free it, or have it freed. */
struct work {
    void (*run)(struct work *w);
    void (*done)(struct work *w); /* or NULL */
    struct loop *loop;            /* the pool's */
    struct loop_task task;        /* the pool's: both queues */
};

/* @param name  of the threads, for people who look at them; borrowed, at most 15 bytes
 * @param max_waiting  work that no thread has taken yet; the next one is refused */
MOX_MUST_USE int mox__pool_new(struct pool **out, const struct mox_env *env, struct loop *loop,
                               const char *name, unsigned threads, size_t max_waiting);
/* Finishes what was submitted, then ends the threads; `done` of what was still under way is posted,
 * not yet run. NULL is fine. */
void mox__pool_free(struct pool *p);

/* A thread takes it once this turn of the loop is over. MOX_ETOOMANY when too much is waiting already. The loop's
 * thread. */
MOX_MUST_USE int mox__pool_submit(struct pool *p, struct work *w);

#endif
