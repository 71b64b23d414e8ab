/* SPDX-License-Identifier: MIT */
#include "net/net.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/mem.h"
#include "net/conn.h"
#include "net/conn_priv.h"
#include "net/tls.h"

/* Each connection has at most one piece of work under way, so this is never the first bound. */
#define WORK_MAX 65536
/* How often idle TLS connections are looked for, and so how long one keeps its record buffers. */
#define SWEEP_US INT64_C(5000000)
/* When so many connections have gone, their memory goes back to the system. */
#define CROWD 200

/* On a worker: with much to give back it takes milliseconds. */
static void trim(struct work *w)
{
    (void)w;
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

static void trimmed(struct work *w)
{
    struct net *net = container_of(w, struct net, trim);
    net->trimming = false;
}

/* The C library keeps what a crowd has freed: 40 MiB after 1,000 connections with TLS. */
static void trim_after_crowd(struct net *net)
{
    if (net->trimming || net->conn_count + CROWD > net->most_conns)
        return;
    net->most_conns = net->conn_count;
    net->trim.run = trim;
    net->trim.done = trimmed;
    net->trimming = mox__pool_submit(net->workers, &net->trim) == MOX_OK;
}

static void sweep(struct timer *t)
{
    struct net *net = container_of(t, struct net, sweep);
    for (struct conn *c = net->conns; c != NULL; c = c->next)
        mox__conn_release_idle(c);
    trim_after_crowd(net);
    mox__timer_at(&net->sweep, mox__loop_now(net->loop) + SWEEP_US);
}

/* A connection may go while it is told something, but only itself. */
static void tell_all(struct net *net, void (*tell)(struct conn *c))
{
    for (struct conn *c = net->conns, *next; c != NULL; c = next) {
        next = c->next;
        tell(c);
    }
}

static bool is_drained(const struct net *net)
{
    return net->conn_count <= net->lasting_count;
}

static void say_drained(struct loop_task *t)
{
    struct net *net = container_of(t, struct net, drain_task);
    net->drain_posted = false;
    if (!is_drained(net)) /* somebody came meanwhile, and hears of it */
        return;
    net->drained(net->drained_user);
}

static void check_drained(struct net *net)
{
    if (!net->stopping || !is_drained(net) || net->drain_posted)
        return;
    net->drain_posted = true;
    net->drain_task.run = say_drained;
    mox__loop_post(net->loop, &net->drain_task);
}

int mox__net_new(struct net **out, const struct mox_env *env, const struct net_config *config)
{
    *out = NULL;
    struct net *net = mem_new(env, struct net, 1);
    if (net == NULL)
        return MOX_ENOMEM;
    net->env = *env;
    net->max_conns = config->max_conns;
    net->slow_step_us = config->slow_step_us;
    net->slow_reply_us = config->slow_reply_us;
    net->last_cid = (uint64_t)(env->wall_us(env->user) / 1000);
    mox__conn_wakes_init(net);
    mox__conn_turns_init(net);
    net->chunk = mox__calloc(env, MOX_INPUT_MAX, 1);
    int rc = net->chunk == NULL ? MOX_ENOMEM : mox__loop_new(&net->loop, env, config->ev);
    if (rc == MOX_OK)
        rc = mox__pool_new(&net->workers, env, net->loop, "mox-work", config->workers, WORK_MAX);
    if (rc < 0) {
        mox__net_free(net);
        return rc;
    }
    mox__timer_init(&net->sweep, net->loop, sweep);
    mox__timer_at(&net->sweep, mox__loop_now(net->loop) + SWEEP_US);
    *out = net;
    return MOX_OK;
}

void mox__net_join_workers(struct net *net)
{
    mox__pool_free(net->workers);
    net->workers = NULL;
}

void mox__net_free(struct net *net)
{
    if (net == NULL)
        return;
    mox__net_join_workers(net);
    net->stopping = false; /* nobody is told any more */
    tell_all(net, mox__conn_end);
    if (net->sweep.loop != NULL)
        mox__timer_stop(&net->sweep);
    mox__loop_free(net->loop);
    mox__conn_wakes_end(net);
    struct mox_env env = net->env;
    mox__mem_free(&env, net->chunk);
    mox__mem_free(&env, net);
}

uint64_t mox__net_next_cid(struct net *net)
{
    return ++net->last_cid;
}

void mox__net_stop(struct net *net, void (*drained)(void *user), void *user)
{
    net->stopping = true;
    net->drained = drained;
    net->drained_user = user;
    tell_all(net, mox__conn_shutdown);
    check_drained(net);
}

void mox__net_lasting(struct net *net)
{
    net->lasting_count++;
    check_drained(net);
}

void mox__net_forget(struct net *net, bool lasts, bool apart)
{
    net->conn_count--;
    net->lasting_count -= lasts;
    net->apart_count -= apart;
    check_drained(net);
}

void mox__net_abort(struct net *net)
{
    net->aborting = true;
    tell_all(net, mox__conn_abort);
}
