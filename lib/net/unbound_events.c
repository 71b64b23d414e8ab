/* SPDX-License-Identifier: MIT */
#include "net/unbound_events.h"

#include <sys/time.h>

#include "base/mem.h"

/* A descriptor and a moment, as libevent has them in one: whichever comes first calls back, and unless it
 * is to persist, that was all. */
struct event {
    struct ub_event super; /* first */
    struct unbound_events *base;
    ev_io io;
    ev_timer timer;
    int fd;
    short bits;
    double seconds; /* until the moment; 0: never */
    void (*callback)(int fd, short bits, void *arg);
    void *arg;
};

static struct event *event_of(struct ub_event *e)
{
    return (struct event *)(void *)e;
}

static void stop(struct event *e)
{
    ev_io_stop(e->base->loop, &e->io);
    ev_timer_stop(e->base->loop, &e->timer);
}

/* The callback may free the event. */
static void fire(struct event *e, short what)
{
    if ((e->bits & UB_EV_PERSIST) == 0)
        stop(e);
    e->callback(e->fd, what, e->arg);
}

static void ready(struct ev_loop *loop, ev_io *io, int events)
{
    struct event *e = io->data;
    if ((e->bits & UB_EV_PERSIST) != 0 && e->seconds > 0) {
        ev_timer_stop(loop, &e->timer);
        ev_timer_set(&e->timer, e->seconds, 0.);
        ev_timer_start(loop, &e->timer);
    }
    int what =
        ((events & EV_READ) != 0 ? UB_EV_READ : 0) | ((events & EV_WRITE) != 0 ? UB_EV_WRITE : 0);
    fire(e, (short)what);
}

static void due(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    fire(timer->data, UB_EV_TIMEOUT);
}

/* ---- what libunbound calls ---- */

static void watch(struct event *e)
{
    int events =
        ((e->bits & UB_EV_READ) != 0 ? EV_READ : 0) | ((e->bits & UB_EV_WRITE) != 0 ? EV_WRITE : 0);
    ev_io_set(&e->io, e->fd, events);
}

static void add_bits(struct ub_event *ev, short bits)
{
    struct event *e = event_of(ev);
    stop(e);
    e->bits = (short)(e->bits | bits);
}

static void del_bits(struct ub_event *ev, short bits)
{
    struct event *e = event_of(ev);
    stop(e);
    e->bits = (short)(e->bits & ~bits);
}

static void set_fd(struct ub_event *ev, int fd)
{
    struct event *e = event_of(ev);
    stop(e);
    e->fd = fd;
}

static void free_event(struct ub_event *ev)
{
    struct event *e = event_of(ev);
    stop(e);
    mox__mem_free(e->base->env, e);
}

static int del(struct ub_event *ev)
{
    stop(event_of(ev));
    return 0;
}

static int add(struct ub_event *ev, struct timeval *after)
{
    struct event *e = event_of(ev);
    stop(e);
    e->seconds = 0;
    if (after != NULL && (e->bits & UB_EV_TIMEOUT) != 0) {
        e->seconds = (double)after->tv_sec + (double)after->tv_usec / 1e6;
        ev_timer_set(&e->timer, e->seconds, 0.);
        ev_timer_start(e->base->loop, &e->timer);
    }
    if (e->fd >= 0 && (e->bits & (UB_EV_READ | UB_EV_WRITE)) != 0) {
        watch(e);
        ev_io_start(e->base->loop, &e->io);
    }
    return 0;
}

static int add_timer(struct ub_event *ev, struct ub_event_base *base,
                     void (*callback)(int, short, void *), void *arg, struct timeval *after)
{
    struct event *e = event_of(ev);
    (void)base;
    e->callback = callback;
    e->arg = arg;
    e->bits = (short)(e->bits | UB_EV_TIMEOUT);
    return add(ev, after);
}

static struct ub_event *new_event(struct ub_event_base *base, int fd, short bits,
                                  void (*callback)(int, short, void *), void *arg)
{
    struct unbound_events *u = (struct unbound_events *)(void *)base;
    struct event *e = mem_new(u->env, struct event, 1);
    if (e == NULL)
        return NULL;
    e->super = (struct ub_event){UB_EVENT_MAGIC, &u->event_vmt};
    e->base = u;
    e->fd = fd;
    e->bits = bits;
    e->callback = callback;
    e->arg = arg;
    ev_init(&e->io, ready);
    ev_init(&e->timer, due);
    e->io.data = e->timer.data = e;
    return &e->super;
}

/* Not called by libunbound on a loop of others; without them it takes the base for incomplete. */

static void free_base(struct ub_event_base *base)
{
    (void)base;
}

static int dispatch(struct ub_event_base *base)
{
    (void)base;
    return -1;
}

static int loopexit(struct ub_event_base *base, struct timeval *after)
{
    (void)base;
    (void)after;
    return -1;
}

static struct ub_event *new_signal(struct ub_event_base *base, int fd,
                                   void (*callback)(int, short, void *), void *arg)
{
    (void)base;
    (void)fd;
    (void)callback;
    (void)arg;
    return NULL;
}

static int add_signal(struct ub_event *ev, struct timeval *after)
{
    (void)ev;
    (void)after;
    return -1;
}

static int del_signal(struct ub_event *ev)
{
    (void)ev;
    return -1;
}

void mox__unbound_events_init(struct unbound_events *e, const struct mox_env *env,
                              struct ev_loop *loop)
{
    *e = (struct unbound_events){
        .base_vmt = {.free = free_base,
                     .dispatch = dispatch,
                     .loopexit = loopexit,
                     .new_event = new_event,
                     .new_signal = new_signal},
        .event_vmt = {.add_bits = add_bits,
                      .del_bits = del_bits,
                      .set_fd = set_fd,
                      .free = free_event,
                      .add = add,
                      .del = del,
                      .add_timer = add_timer,
                      .del_timer = del,
                      .add_signal = add_signal,
                      .del_signal = del_signal},
        .env = env,
        .loop = loop,
    };
    e->base = (struct ub_event_base){UB_EVENT_MAGIC, &e->base_vmt};
}
