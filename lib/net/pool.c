/* SPDX-License-Identifier: MIT */
#include "net/pool.h"

#include <pthread.h>
#include <signal.h>

#include "base/mem.h"

#define THREADS_MAX 16

struct queue {
    struct loop_task *first, **end;
    size_t count;
};

struct pool {
    struct mox_env env;
    struct loop *loop;
    const char *name;
    size_t max_waiting;
    struct queue fresh; /* of this turn of the loop, on whose thread it is */
    ev_prepare turn_ends;
    atomic_size_t waiting;
    pthread_mutex_t lock; /* guards what follows, down to stop */
    pthread_cond_t filled;
    struct queue queue;
    unsigned idle; /* threads that wait */
    bool stop;
    unsigned thread_count;
    pthread_t threads[THREADS_MAX];
};

static struct work *work_of(struct loop_task *t)
{
    return container_of(t, struct work, task);
}

static void run_done(struct loop_task *t)
{
    struct work *w = work_of(t);
    w->done(w);
}

static void join(struct queue *to, struct queue *from)
{
    *to->end = from->first;
    to->end = from->end;
    to->count += from->count;
    from->first = NULL;
    from->end = &from->first;
    from->count = 0;
}

/* The next work, or NULL when the pool ends. */
static struct work *take(struct pool *p)
{
    struct work *w = NULL;
    pthread_mutex_lock(&p->lock);
    while (p->queue.first == NULL && !p->stop) {
        p->idle++;
        pthread_cond_wait(&p->filled, &p->lock);
        p->idle--;
    }
    if (p->queue.first != NULL) {
        w = work_of(p->queue.first);
        p->queue.first = p->queue.first->next;
        if (p->queue.first == NULL)
            p->queue.end = &p->queue.first;
        p->queue.count--;
        atomic_fetch_sub(&p->waiting, 1);
    }
    pthread_mutex_unlock(&p->lock);
    return w;
}

/* All that a turn of the loop has submitted goes to the threads at once: they are woken together, and none of
 * them, being awake, takes a processor from the loop that has more for them. */
static void hand_out(struct pool *p)
{
    size_t wake = p->fresh.count;
    if (wake == 0)
        return;
    pthread_mutex_lock(&p->lock);
    join(&p->queue, &p->fresh);
    wake = wake < p->idle ? wake : p->idle;
    pthread_mutex_unlock(&p->lock);
    for (; wake > 0; wake--)
        pthread_cond_signal(&p->filled);
}

static void turn_ended(struct ev_loop *ev, ev_prepare *w, int events)
{
    (void)ev;
    (void)events;
    hand_out(w->data);
}

static void *thread_main(void *arg)
{
    struct pool *p = arg;
    (void)pthread_setname_np(pthread_self(), p->name);
    for (struct work *w = take(p); w != NULL; w = take(p)) {
        bool tells = w->done != NULL;
        w->run(w);
        if (!tells)
            continue;
        w->task.run = run_done;
        mox__loop_post(p->loop, &w->task);
    }
    return NULL;
}

/* Signals are the business of the thread that runs the loop, or of the embedder. */
static int start_threads(struct pool *p, unsigned count)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = 0;
    for (; rc == 0 && p->thread_count < count; p->thread_count += rc == 0)
        rc = pthread_create(&p->threads[p->thread_count], NULL, thread_main, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? MOX_OK : MOX_ENOMEM;
}

int mox__pool_new(struct pool **out, const struct mox_env *env, struct loop *loop, const char *name,
                  unsigned threads, size_t max_waiting)
{
    *out = NULL;
    if (threads == 0 || threads > THREADS_MAX)
        return MOX_EINVAL;
    struct pool *p = mem_new(env, struct pool, 1);
    if (p == NULL)
        return MOX_ENOMEM;
    p->env = *env;
    p->loop = loop;
    p->name = name;
    p->max_waiting = max_waiting;
    p->fresh.end = &p->fresh.first;
    p->queue.end = &p->queue.first;
    ev_prepare_init(&p->turn_ends, turn_ended);
    p->turn_ends.data = p;
    ev_prepare_start(mox__loop_ev(loop), &p->turn_ends);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->filled, NULL);
    int rc = start_threads(p, threads);
    if (rc < 0) {
        mox__pool_free(p);
        return rc;
    }
    *out = p;
    return MOX_OK;
}

void mox__pool_free(struct pool *p)
{
    if (p == NULL)
        return;
    hand_out(p);
    ev_prepare_stop(mox__loop_ev(p->loop), &p->turn_ends);
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->filled);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->filled);
    pthread_mutex_destroy(&p->lock);
    struct mox_env env = p->env;
    mox__mem_free(&env, p);
}

int mox__pool_submit(struct pool *p, struct work *w)
{
    if (atomic_load(&p->waiting) >= p->max_waiting)
        return MOX_ETOOMANY;
    atomic_fetch_add(&p->waiting, 1);
    w->loop = p->loop;
    w->task.next = NULL;
    *p->fresh.end = &w->task;
    p->fresh.end = &w->task.next;
    p->fresh.count++;
    return MOX_OK;
}
