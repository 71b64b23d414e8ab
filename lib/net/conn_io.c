/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "net/conn_priv.h"

/* A peer that takes nothing for so long is gone, or plays with us. */
#define WRITE_STALL_US INT64_C(30000000)

/* What a slow peer has read of it at a time, and so what it can make an engine keep. */
#define SLOW_READ_BYTES 4096

/* Bytes of each step, 0 for full speed: then a wait that was set is over. */
static unsigned pace_of(struct conn *c)
{
    bool never = c->net->stopping || c->net->slow_step_us <= 0;
    unsigned pace = never ? 0 : c->engine.ops->pace(c->engine.self);
    if (pace == 0)
        c->pace_at_us = 0;
    return pace;
}

/* Whether the wait that a paced step begins with is over; it is set on the first call. */
static bool pace_allows(struct conn *c, int64_t now_us)
{
    if (c->pace_at_us == 0)
        c->pace_at_us = now_us + c->net->slow_step_us;
    if (now_us < c->pace_at_us)
        return false;
    c->pace_at_us = 0;
    return true;
}

/* How much of `len` bytes may go out now. */
static size_t paced_len(struct conn *c, size_t len)
{
    unsigned pace = pace_of(c);
    if (pace == 0)
        return len;
    int64_t now_us = mox__loop_now(c->net->loop);
    if (c->reply_since_us == 0)
        c->reply_since_us = now_us;
    /* A sender that waits too long for a whole reply gives up, and tries again. */
    if (now_us - c->reply_since_us >= c->net->slow_reply_us) {
        c->pace_at_us = 0;
        return len;
    }
    if (!pace_allows(c, now_us))
        return 0;
    return len < pace ? len : pace;
}

static enum tls_status send_plain(struct conn *c, const uint8_t *data, size_t len, size_t *done)
{
    ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
    *done = n < 0 ? 0 : (size_t)n;
    if (n >= 0)
        return TLS_OK;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? TLS_WANT_WRITE : TLS_FAILED;
}

/* Bytes that the system holds for the peer. */
static int queued_bytes(const struct conn *c)
{
    int queued = 0;
    return ioctl(c->fd, SIOCOUTQ, &queued) == 0 ? queued : 0;
}

/* A slow peer may need long until there is room for more of our output, although it reads. */
bool mox__conn_output_moves(struct conn *c)
{
    int queued = queued_bytes(c);
    if (queued >= c->queued)
        return false;
    c->queued = queued;
    c->since_us = mox__loop_now(c->net->loop);
    return true;
}

enum next mox__conn_write(struct conn *c)
{
    if (c->blocked)
        return NEXT_WAIT;
    const uint8_t *data = NULL;
    size_t len = c->engine.ops->output(c->engine.self, &data);
    size_t now = paced_len(c, len);
    if (now == 0)
        return NEXT_WAIT;
    size_t done = 0;
    c->idle_rounds = 0;
    enum tls_status status =
        c->tls != NULL ? mox__tls_write(c->tls, data, now, &done) : send_plain(c, data, now, &done);
    if (status == TLS_WANT_WRITE || status == TLS_WANT_READ) {
        if (c->since_us == 0)
            c->since_us = mox__loop_now(c->net->loop);
        c->blocked = true;
        c->queued = queued_bytes(c);
        mox__conn_watch(c, status == TLS_WANT_WRITE ? EV_WRITE : EV_READ);
        return NEXT_WAIT;
    }
    if (status != TLS_OK)
        return mox__conn_close(c);
    c->since_us = 0;
    c->engine.ops->sent(c->engine.self, done);
    if (done == len)
        c->reply_since_us = 0;
    return NEXT_STEP;
}

static enum tls_status receive_plain(struct conn *c, size_t max, size_t *done)
{
    ssize_t n = recv(c->fd, c->net->chunk, max, 0);
    *done = n < 0 ? 0 : (size_t)n;
    c->readable = *done == max;
    if (n > 0)
        return TLS_OK;
    if (n == 0)
        return TLS_EOF;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? TLS_WANT_READ : TLS_FAILED;
}

static enum tls_status receive_tls(struct conn *c, size_t max, size_t *done)
{
    enum tls_status status = mox__tls_read(c->tls, c->net->chunk, max, done);
    c->readable = *done == max; /* else the socket says it */
    return status;
}

static enum tls_status peek_plain(const struct conn *c)
{
    uint8_t byte;
    ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK);
    if (n >= 0)
        return n > 0 ? TLS_OK : TLS_EOF;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? TLS_WANT_READ : TLS_FAILED;
}

void mox__conn_look_for_end(struct conn *c)
{
    if (c->eof)
        return;
    enum tls_status found = c->tls != NULL ? mox__tls_peek(c->tls) : peek_plain(c);
    if (found == TLS_WANT_READ)
        mox__conn_watch(c, EV_READ); /* a part of a record, which is no byte yet */
    if (found == TLS_OK || found == TLS_WANT_READ)
        return;
    c->eof = true;
    c->engine.ops->eof(c->engine.self);
    if (c->endpoint->service->gone != NULL)
        c->endpoint->service->gone(c->session);
}

enum next mox__conn_read(struct conn *c)
{
    if (!c->readable && (c->tls == NULL || !mox__tls_pending(c->tls))) {
        c->wants_read = true;
        mox__conn_watch(c, EV_READ);
        return NEXT_WAIT;
    }
    bool slow = pace_of(c) > 0;
    if (slow && !pace_allows(c, mox__loop_now(c->net->loop)))
        return NEXT_WAIT;
    size_t max = slow ? SLOW_READ_BYTES : MOX_INPUT_MAX, len = 0;
    c->idle_rounds = 0;
    switch (c->tls != NULL ? receive_tls(c, max, &len) : receive_plain(c, max, &len)) {
    case TLS_OK:
        mox__conn_fail(c, c->engine.ops->input(c->engine.self, c->net->chunk, len));
        return NEXT_STEP;
    case TLS_WANT_READ:
    case TLS_WANT_WRITE:
        c->readable = false;
        return NEXT_STEP;
    case TLS_EOF:
        c->eof = true;
        c->engine.ops->eof(c->engine.self);
        return NEXT_STEP;
    default:
        return mox__conn_close(c);
    }
}

int64_t mox__conn_io_deadline(const struct conn *c)
{
    int64_t at_us = INT64_MAX;
    if (c->pace_at_us > 0)
        at_us = c->pace_at_us;
    if (c->blocked && c->since_us > 0 && c->since_us + WRITE_STALL_US < at_us)
        at_us = c->since_us + WRITE_STALL_US;
    return at_us;
}
