/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/mem.h"
#include "net/conn_priv.h"

#define HANDSHAKE_US INT64_C(60000000)

/* The first byte of a TLS record that holds a handshake message (RFC 8446 §5.1), and the bit that one
 * of SSL 2.0 begins with, which gets an alert. */
#define RECORD_HANDSHAKE 0x16
#define SSL2_LENGTH      0x80

static struct conn *conn_of(struct work *w)
{
    return container_of(w, struct conn, work);
}

/* On a worker: it computes, and uses the socket as far as that is ready. */
static void handshake(struct work *w)
{
    struct conn *c = conn_of(w);
    c->handshake = mox__tls_handshake(c->tls);
}

static void log_failure(struct conn *c, const char *problem)
{
    struct mox_peer peer;
    mox__peer_fill(&peer, c->fd);
    log_line(&c->log.env, MOX_LOG_INFO, c->endpoint->pkg, "tls handshake failed", problem,
             F_TEXT("remote", peer.remote_ip));
}

/* Says of a handshake that began with STARTTLS how it failed. */
static void say_failure(struct conn *c, const char *word)
{
    if (c->engine.ops != NULL && c->endpoint->service->starttls_failed != NULL)
        c->endpoint->service->starttls_failed(c->endpoint->user, c->hello_is_ssl2 ? "sslv2" : word);
}

static void key_refused(struct conn *c)
{
    struct mox_peer peer;
    mox__peer_fill(&peer, c->fd);
    peer.cid = c->log.cid;
    peer.tls = c->endpoint->implicit_tls;
    mox__tls_info(c->tls, &peer.tls_info);
    c->endpoint->service->key_refused(c->endpoint->user, &peer);
}

/* -- not TLS at all -------------------------------------------------------------------------- */

static const struct mox_metric others = {
    .name = "mox_tls_not_tls_total",
    .help = "Connections that began something else than TLS where TLS was due.",
    .labels = {"pkg"},
};

/* Whoever looks what is there, or took the port for another, is a line at debug. */
static void not_tls(struct conn *c, const char *message, const char *word)
{
    struct mox_peer peer;
    metric_count(&c->net->env, &others, c->endpoint->pkg);
    mox__peer_fill(&peer, c->fd);
    log_line(&c->log.env, MOX_LOG_DEBUG, c->endpoint->pkg, message, NULL,
             F_TEXT("remote", peer.remote_ip));
    say_failure(c, word);
    (void)mox__conn_linger(c);
}

/* False: it is not worth a worker, and the connection is gone. */
static bool begins_handshake(struct conn *c)
{
    uint8_t first = 0;
    ssize_t n = c->hello_seen ? 1 : recv(c->fd, &first, 1, MSG_PEEK);
    if (n < 0 || c->hello_seen) /* the handshake finds what it is */
        return true;
    c->hello_seen = true;
    c->hello_is_ssl2 = first != RECORD_HANDSHAKE && (first & SSL2_LENGTH) != 0;
    if (n == 0)
        not_tls(c, "closed before a tls handshake", "eof");
    else if (first != RECORD_HANDSHAKE && !c->hello_is_ssl2)
        not_tls(c, "not speaking tls", "nottls");
    else
        return true;
    return false;
}

/* -- its steps ------------------------------------------------------------------------------- */

static void finished(struct conn *c)
{
    struct mox_tls_info info;
    mox__tls_info(c->tls, &info);
    c->state = CONN_OPEN;
    c->since_us = 0;
    c->readable = true; /* what it read in the last flight may hold the first command too */
    if (c->engine.ops == NULL) {
        if (mox__conn_start(c, &info) < 0)
            return;
    } else {
        c->engine.ops->tls_started(c->engine.self, &info);
    }
    mox__conn_drive(c);
}

/* Its minute is over, or the server stops. */
static void give_up(struct conn *c)
{
    if (!c->net->stopping) {
        log_failure(c, "not finished within a minute");
        say_failure(c, "other");
    }
    (void)mox__conn_close(c);
}

static void handshake_done(struct work *w)
{
    struct conn *c = conn_of(w);
    c->working = false;
    if (c->net->aborting) {
        (void)mox__conn_close(c);
        return;
    }
    bool waits = c->handshake == TLS_WANT_READ || c->handshake == TLS_WANT_WRITE;
    if (waits && c->late) {
        give_up(c);
        return;
    }
    switch (c->handshake) {
    case TLS_OK:
        finished(c);
        return;
    case TLS_WANT_READ:
        mox__conn_watch(c, EV_READ);
        return;
    case TLS_WANT_WRITE:
        mox__conn_watch(c, EV_WRITE);
        return;
    default:
        log_failure(c, mox__tls_problem(c->tls));
        say_failure(c, mox__tls_problem_word(c->tls));
        if (mox__tls_key_refused(c->tls) && c->endpoint->service->key_refused != NULL)
            key_refused(c);
        (void)mox__conn_linger(c);
    }
}

enum next mox__conn_handshake_ready(struct conn *c)
{
    if (!begins_handshake(c))
        return NEXT_GONE;
    c->work.run = handshake;
    c->work.done = handshake_done;
    c->working = true;
    if (mox__pool_submit(c->net->workers, &c->work) == MOX_OK)
        return NEXT_WAIT;
    c->working = false;
    log_failure(c, "too many handshakes at once");
    return mox__conn_close(c);
}

void mox__conn_handshake_due(struct conn *c)
{
    c->late = true; /* for a worker that has it, and is back in some milliseconds */
    if (!c->working)
        give_up(c);
}

enum next mox__conn_start_tls(struct conn *c, struct mox_slice rest)
{
    if (c->endpoint->tls == NULL || c->tls != NULL ||
        mox__tls_new(&c->tls, c->endpoint->tls, c->fd, rest) < 0)
        return mox__conn_close(c);
    c->state = CONN_HANDSHAKE;
    c->since_us = mox__loop_now(c->net->loop);
    mox__timer_at(&c->timer, c->since_us + HANDSHAKE_US);
    c->hello_seen = rest.len > 0; /* it is not in the socket */
    if (rest.len > 0)
        return mox__conn_handshake_ready(c);
    mox__conn_watch(c, EV_READ);
    return NEXT_WAIT;
}
