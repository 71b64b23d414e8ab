/* SPDX-License-Identifier: MIT */
#include "net/conn.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/conn_priv.h"

/* Steps of one connection before the others get their turn. */
#define TURN_STEPS 64
/* After the last reply the peer has so long to close: a socket closed while its input waits unread
 * is reset, and the reset may overtake that reply. */
#define LINGER_US    INT64_C(2000000)
#define LINGER_BYTES (1024 * 1024)
/* A connection is idle when the sweep has found it without traffic so often. */
#define IDLE_ROUNDS 2
/* An engine that stays due, say because its output is stuck, is not asked more often than this. */
#define TICK_REST_US INT64_C(50000)

static struct conn *conn_of_work(struct work *w)
{
    return container_of(w, struct conn, work);
}

/* -- end ------------------------------------------------------------------------------------- */

static void free_if_over(struct conn *c)
{
    if (c->state != CONN_CLOSED || !c->release || c->working || atomic_load(&c->wake_posted))
        return;
    struct net *net = c->net;
    bool lasts = c->lasts, apart = c->endpoint->apart;
    mox__conn_log_end(&c->log);
    mox__mem_free(&net->env, c);
    mox__net_forget(net, lasts, apart);
}

static void end_session(struct conn *c)
{
    if (c->engine.ops == NULL) {
        mox__conn_release(c); /* there never was one */
        return;
    }
    c->engine.ops = NULL;
    c->endpoint->service->closed(c->session);
}

/* The socket goes, and with it all that it needs; the session follows when it can. */
enum next mox__conn_close(struct conn *c)
{
    ev_io_stop(mox__loop_ev(c->net->loop), &c->io);
    mox__timer_stop(&c->timer);
    mox__conn_turn_leave(c);
    mox__tls_free(c->tls);
    c->tls = NULL;
    (void)close(c->fd);
    c->fd = -1;
    if (c->remote_ip[0] != '\0')
        c->endpoint->service->left(c->endpoint->user, c->remote_ip);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        c->net->conns = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    bool had_session = c->state != CONN_LINGER;
    c->state = CONN_CLOSED;
    if (had_session)
        end_session(c); /* may free c, by mox__conn_release() */
    else
        free_if_over(c);
    return NEXT_GONE;
}

const struct mox_env *mox__conn_env(const struct conn *c)
{
    return &c->log.env;
}

void mox__conn_set_user(struct conn *c, const char *username)
{
    mox__conn_log_user(&c->log, username);
}

void mox__conn_release(struct conn *c)
{
    c->release = true;
    free_if_over(c);
}

/* The session can go now, the socket when the peer has seen the end. */
enum next mox__conn_linger(struct conn *c)
{
    if (c->eof || shutdown(c->fd, SHUT_WR) != 0)
        return mox__conn_close(c);
    mox__tls_free(c->tls);
    c->tls = NULL;
    c->state = CONN_LINGER;
    c->blocked = false;
    mox__timer_at(&c->timer, mox__loop_now(c->net->loop) + LINGER_US);
    mox__conn_watch(c, EV_READ);
    end_session(c);
    return NEXT_GONE;
}

/* All was sent. */
static enum next say_goodbye(struct conn *c)
{
    if (c->tls != NULL)
        mox__tls_close_notify(c->tls);
    return mox__conn_linger(c);
}

static void linger(struct conn *c)
{
    ssize_t n = recv(c->fd, c->net->chunk, MOX_INPUT_MAX, 0);
    c->lingered += n > 0 ? (size_t)n : 0;
    if (n <= 0 || c->lingered > LINGER_BYTES)
        (void)mox__conn_close(c);
}

void mox__conn_fail(struct conn *c, int rc)
{
    if (rc >= 0 || c->failed)
        return;
    c->failed = true;
    if (rc == MOX_ENOMEM) /* what the peer did wrong the engine has told him */
        log_line(&c->log.env, MOX_LOG_ERROR, c->endpoint->pkg, "connection ended",
                 mox_status_text(rc), F_HEX("cid", c->log.cid));
}

/* -- steps ----------------------------------------------------------------------------------- */

static void run(struct work *w)
{
    struct conn *c = conn_of_work(w);
    c->run_rc = c->engine.ops->run(c->engine.self);
}

static void run_done(struct work *w)
{
    struct conn *c = conn_of_work(w);
    c->working = false;
    c->state = CONN_OPEN;
    mox__conn_fail(c, c->run_rc);
    if (c->net->aborting) {
        (void)mox__conn_close(c);
        return;
    }
    if (c->readable) /* nothing is read while there is more to run */
        mox__conn_look_for_end(c);
    mox__conn_drive(c);
}

static enum next run_on_worker(struct conn *c)
{
    if (!c->readable && !c->eof)
        mox__conn_watch(c, EV_READ);
    c->work.run = run;
    c->work.done = run_done;
    c->state = CONN_RUNNING;
    c->working = true;
    if (mox__pool_submit(c->net->workers, &c->work) == MOX_OK)
        return NEXT_WAIT;
    c->working = false;
    return mox__conn_close(c);
}

static enum next start_tls(struct conn *c)
{
    const uint8_t *data = NULL;
    size_t len = c->engine.ops->tls_rest(c->engine.self, &data);
    return mox__conn_start_tls(c, (struct mox_slice){data, len});
}

static void tell_shutdown(struct conn *c)
{
    const struct service *service = c->endpoint->service;
    c->told = true;
    c->engine.ops->shutdown(c->engine.self);
    if (service->lasts == NULL || !service->lasts(c->session))
        return;
    c->lasts = true;
    mox__net_lasting(c->net);
}

/* Output first: the last words of a failing session get out, and a peer that does not read is not
 * read from. */
static enum next step(struct conn *c)
{
    if (c->woken) {
        c->woken = false;
        mox__conn_fail(c, c->engine.ops->woken(c->engine.self));
    }
    unsigned wants = c->engine.ops->wants(c->engine.self);
    if (wants & MOX_WANTS_WRITE)
        return mox__conn_write(c);
    if ((wants & MOX_WANTS_CLOSE) || c->failed)
        return say_goodbye(c);
    if (c->net->stopping && !c->told) {
        tell_shutdown(c);
        return NEXT_STEP;
    }
    if (wants & MOX_WANTS_STARTTLS)
        return start_tls(c);
    if (wants & MOX_WANTS_RUN)
        return run_on_worker(c);
    if ((wants & MOX_WANTS_READ) && c->eof)
        return say_goodbye(c);
    if (wants & MOX_WANTS_READ)
        return mox__conn_read(c);
    return NEXT_WAIT;
}

static void set_timer(struct conn *c)
{
    if (c->state != CONN_OPEN)
        return;
    int64_t at_us = c->engine.ops->deadline(c->engine.self);
    int64_t io_us = mox__conn_io_deadline(c);
    if (io_us < at_us)
        at_us = io_us;
    mox__timer_at(&c->timer, at_us > c->rest_until_us ? at_us : c->rest_until_us);
}

void mox__conn_drive(struct conn *c)
{
    enum next next = NEXT_STEP;
    c->wants_read = false;
    for (unsigned i = 0; next == NEXT_STEP && i < TURN_STEPS && c->state == CONN_OPEN; i++)
        next = step(c);
    if (next == NEXT_GONE)
        return;
    if (next == NEXT_STEP && c->state == CONN_OPEN) /* the others first; then again */
        mox__conn_turn_wait(c);
    else if (c->state == CONN_OPEN && !c->readable && !c->blocked && !c->eof)
        mox__conn_watch(c, EV_READ); /* for the peer's end, if for nothing else */
    set_timer(c);
}

void mox__conn_go_on(struct conn *c, int rc)
{
    if (c->state != CONN_OPEN)
        return;
    mox__conn_fail(c, rc);
    mox__conn_drive(c);
}

/* -- events ---------------------------------------------------------------------------------- */

void mox__conn_watch(struct conn *c, int events)
{
    if ((c->io.events & events) == events && ev_is_active(&c->io))
        return;
    struct ev_loop *ev = mox__loop_ev(c->net->loop);
    int before = ev_is_active(&c->io) ? c->io.events & (EV_READ | EV_WRITE) : 0;
    ev_io_stop(ev, &c->io);
    ev_io_modify(&c->io, before | events);
    ev_io_start(ev, &c->io);
}

/* Watching for input goes on while none is wanted, for most waits are short; only when some comes
 * is the watcher turned off. */
static void stop_watching(struct conn *c)
{
    ev_io_stop(mox__loop_ev(c->net->loop), &c->io);
}

static void ready(struct ev_loop *ev, ev_io *io, int events)
{
    (void)ev;
    struct conn *c = io->data;
    if (events & EV_READ)
        c->readable = true;
    if (c->working) {
        stop_watching(c);
        return;
    }
    switch (c->state) {
    case CONN_HANDSHAKE:
        stop_watching(c);
        (void)mox__conn_handshake_ready(c);
        return;
    case CONN_LINGER:
        linger(c);
        return;
    case CONN_OPEN:
        if (c->blocked || (events & EV_READ && !c->wants_read))
            stop_watching(c);
        if (events & EV_READ && !c->wants_read)
            mox__conn_look_for_end(c);
        c->blocked = false;
        mox__conn_drive(c);
        return;
    default:
        return;
    }
}

static void due(struct timer *t)
{
    struct conn *c = container_of(t, struct conn, timer);
    int64_t now_us = mox__loop_now(c->net->loop);
    switch (c->state) {
    case CONN_HANDSHAKE:
        mox__conn_handshake_due(c);
        return;
    case CONN_LINGER:
        (void)mox__conn_close(c);
        return;
    case CONN_OPEN:
        if (c->blocked && mox__conn_io_deadline(c) <= now_us && c->pace_at_us == 0 &&
            !mox__conn_output_moves(c)) {
            (void)mox__conn_close(c);
            return;
        }
        c->rest_until_us = now_us + TICK_REST_US;
        if (c->engine.ops->deadline(c->engine.self) <= now_us)
            mox__conn_fail(c, c->engine.ops->tick(c->engine.self));
        mox__conn_drive(c);
        return;
    default: /* a worker has it, and sets the timer anew when it is back */
        return;
    }
}

void mox__conn_woken(struct conn *c)
{
    c->woken = true;
    if (c->state == CONN_OPEN)
        mox__conn_drive(c);
    else
        free_if_over(c);
}

/* -- all of them ----------------------------------------------------------------------------- */

void mox__conn_shutdown(struct conn *c)
{
    if (c->state == CONN_OPEN) {
        c->pace_at_us = 0;
        mox__conn_drive(c);
    } else if (c->state == CONN_HANDSHAKE) {
        mox__conn_handshake_due(c);
    }
}

void mox__conn_abort(struct conn *c)
{
    if (!c->working && !c->lasts)
        (void)mox__conn_close(c);
}

void mox__conn_end(struct conn *c)
{
    (void)mox__conn_close(c);
}

void mox__conn_release_idle(struct conn *c)
{
    if (c->tls == NULL || c->state != CONN_OPEN || c->blocked)
        return;
    if (c->idle_rounds >= IDLE_ROUNDS)
        return;
    if (++c->idle_rounds == IDLE_ROUNDS)
        mox__tls_release_memory(c->tls);
}

struct net *mox__conn_net(struct conn *c)
{
    return c->net;
}

struct conn *mox__conn_new(struct net *net, const struct endpoint *endpoint, int fd)
{
    struct conn *c = mem_new(&net->env, struct conn, 1);
    if (c == NULL)
        return NULL;
    c->net = net;
    c->endpoint = endpoint;
    c->fd = fd;
    mox__conn_log_init(&c->log, &net->env, mox__net_next_cid(net));
    c->state = CONN_OPEN;
    atomic_init(&c->wake_posted, false);
    ev_io_init(&c->io, ready, fd, 0);
    c->io.data = c;
    mox__timer_init(&c->timer, net->loop, due);
    c->next = net->conns;
    if (c->next != NULL)
        c->next->prev = c;
    net->conns = c;
    net->conn_count++;
    net->apart_count += endpoint->apart;
    if (net->conn_count > net->most_conns)
        net->most_conns = net->conn_count;
    return c;
}
