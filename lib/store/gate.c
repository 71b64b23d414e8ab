/* SPDX-License-Identifier: MIT */
#include "store/gate.h"

void mox__gate_init(struct gate *g, unsigned max)
{
    *g = (struct gate){.max = max};
    (void)pthread_mutex_init(&g->lock, NULL);
    (void)pthread_cond_init(&g->left, NULL);
}

void mox__gate_destroy(struct gate *g)
{
    (void)pthread_mutex_destroy(&g->lock);
    (void)pthread_cond_destroy(&g->left);
}

void mox__gate_enter(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->waiting++;
    while (g->inside >= g->max)
        (void)pthread_cond_wait(&g->left, &g->lock);
    g->waiting--;
    g->inside++;
    if (g->most < g->inside)
        g->most = g->inside;
    pthread_mutex_unlock(&g->lock);
}

void mox__gate_leave(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->inside--;
    pthread_cond_signal(&g->left);
    pthread_mutex_unlock(&g->lock);
}
