/* SPDX-License-Identifier: MIT */
#include "store/store.h"

/* A write whose submitter has nothing else to do meanwhile. */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

static void done(struct mox_write *w)
{
    struct waiting *wait = w->user;
    pthread_mutex_lock(&wait->lock);
    wait->done = true;
    pthread_cond_signal(&wait->changed);
    pthread_mutex_unlock(&wait->lock);
}

int mox__submit_and_wait(struct mox_account *a, struct job *j, struct mox_error *err)
{
    struct waiting wait = {.done = false};
    struct mox_write w = {.done = done, .user = &wait};
    (void)pthread_mutex_init(&wait.lock, NULL);
    (void)pthread_cond_init(&wait.changed, NULL);
    j->write = &w;
    mox__submit(a, j);
    pthread_mutex_lock(&wait.lock);
    while (!wait.done)
        (void)pthread_cond_wait(&wait.changed, &wait.lock);
    pthread_mutex_unlock(&wait.lock);
    (void)pthread_mutex_destroy(&wait.lock);
    (void)pthread_cond_destroy(&wait.changed);
    if (w.status < 0 && err != NULL)
        *err = w.error;
    return w.status;
}
