/* SPDX-License-Identifier: MIT */
#include "net/pool.h"

#include <pthread.h>
#include <signal.h>

#include "base/mem.h"

#define THREADS_MAX 16

struct pool {
    struct mox_env env;
    struct loop *loop;
    const char *name;
    pthread_mutex_t lock; /* guards what follows, down to stop */
    pthread_cond_t filled;
    struct loop_task *first, **last;
    size_t waiting, max_waiting;
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

/* The next work, or NULL when the pool ends. */
static struct work *take(struct pool *p)
{
    struct work *w = NULL;
    pthread_mutex_lock(&p->lock);
    while (p->first == NULL && !p->stop)
        pthread_cond_wait(&p->filled, &p->lock);
    if (p->first != NULL) {
        w = work_of(p->first);
        p->first = p->first->next;
        if (p->first == NULL)
            p->last = &p->first;
        p->waiting--;
    }
    pthread_mutex_unlock(&p->lock);
    return w;
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
    p->last = &p->first;
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
    w->loop = p->loop;
    w->task.next = NULL;
    pthread_mutex_lock(&p->lock);
    bool full = p->waiting >= p->max_waiting;
    if (!full) {
        *p->last = &w->task;
        p->last = &w->task.next;
        p->waiting++;
        pthread_cond_signal(&p->filled);
    }
    pthread_mutex_unlock(&p->lock);
    return full ? MOX_ETOOMANY : MOX_OK;
}
