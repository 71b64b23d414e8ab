/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "net/conn_priv.h"

/* One change may wake thousands of sessions that idle on a mailbox, and each has something to send. So many
 * have their turn, then the loop's other tasks and sockets: the answer to whoever made the change is among
 * them. */
#define WAKES_AT_ONCE 100

/* The next one, or NULL; from then on it may be woken again. */
static struct conn *take_woken(struct net *net)
{
    pthread_mutex_lock(&net->woken_lock);
    struct conn *c = net->woken;
    if (c != NULL) {
        net->woken = c->next_woken;
        if (net->woken == NULL)
            net->woken_end = &net->woken;
    }
    pthread_mutex_unlock(&net->woken_lock);
    return c;
}

/* Wakes some, and posts itself again as long as there are more. */
static void wake_some(struct loop_task *task)
{
    struct net *net = container_of(task, struct net, wake_task);
    for (unsigned i = 0; i < WAKES_AT_ONCE; i++) {
        struct conn *c = take_woken(net);
        if (c == NULL)
            break;
        atomic_store(&c->wake_posted, false);
        mox__conn_woken(c);
    }
    pthread_mutex_lock(&net->woken_lock);
    net->wake_waits = net->woken != NULL;
    if (net->wake_waits)
        mox__loop_post(net->loop, &net->wake_task);
    pthread_mutex_unlock(&net->woken_lock);
}

void mox__conn_wake(struct conn *c)
{
    struct net *net = c->net;
    if (atomic_exchange(&c->wake_posted, true))
        return;
    pthread_mutex_lock(&net->woken_lock);
    c->next_woken = NULL;
    *net->woken_end = c;
    net->woken_end = &c->next_woken;
    if (!net->wake_waits)
        mox__loop_post(net->loop, &net->wake_task);
    net->wake_waits = true;
    pthread_mutex_unlock(&net->woken_lock);
}

void mox__conn_wakes_init(struct net *net)
{
    (void)pthread_mutex_init(&net->woken_lock, NULL);
    net->woken_end = &net->woken;
    net->wake_task.run = wake_some;
}

void mox__conn_wakes_end(struct net *net)
{
    (void)pthread_mutex_destroy(&net->woken_lock);
}
