/* SPDX-License-Identifier: MIT */
#ifndef NET_CONN_PRIV_H
#define NET_CONN_PRIV_H

#include "base/conn_log.h"
#include "base/ip.h"
#include "net/conn.h"

/* The insides of a connection, for conn*.c and net.c.
 *
 *              implicit TLS
 *   accepted ──────────────▶ HANDSHAKE ──────▶ OPEN ─────────▶ LINGER ─────▶ CLOSED
 *      │                         ▲  STARTTLS   │ ▲   goodbye     until the     until the
 *      └─────────────────────────┼─────────────┘ │   was sent    peer closes   session is
 *                                └────────────── │ ◀──▶ RUNNING              gone too
 *
 * A handshake that fails leads to LINGER, too. In HANDSHAKE (while `working`) and in RUNNING a worker owns the engine or the TLS connection. A
 * socket that fails goes to CLOSED from everywhere. */
enum conn_state { CONN_HANDSHAKE, CONN_OPEN, CONN_RUNNING, CONN_LINGER, CONN_CLOSED };

/* What a step of the driver leads to. */
enum next {
    NEXT_STEP, /* look at what the engine wants now */
    NEXT_WAIT, /* for the socket, a timer, a worker or the session */
    NEXT_GONE  /* the connection is closed, and perhaps freed */
};

struct conn {
    struct net *net;
    struct conn *next, *prev; /* net->conns, while the socket is open */
    const struct endpoint *endpoint;
    struct mox_engine engine; /* ops is NULL until there is one, and when the session is gone */
    void *session;
    struct tls *tls;
    ev_io io;
    struct timer timer;
    struct work work;
    struct conn *next_woken; /* net->woken */
    struct conn *next_turn, **turn_at; /* net->turns; turn_at is NULL: not there */
    struct conn_log log; /* knows its number */
    char remote_ip[IP_TEXT_MAX]; /* of one that was admitted; empty: nobody was asked */
    int64_t since_us;       /* when the handshake began, or when output got stuck; 0: neither */
    int64_t reply_since_us; /* paced: when the output began to wait; 0: none waits */
    int64_t pace_at_us;     /* paced: not before; 0: no wait was set */
    int64_t rest_until_us;  /* no tick before */
    int fd;
    int run_rc; /* of engine.run */
    int queued; /* blocked: bytes that the system holds for the peer, at since_us */
    enum conn_state state;
    enum tls_status handshake; /* what the worker came back with */
    atomic_bool wake_posted;   /* it is on that list */
    bool working;              /* a worker has it */
    bool readable;             /* the socket, as far as we know */
    bool blocked;              /* the socket takes no more */
    bool wants_read;           /* the last step ended with a wait for input */
    bool failed;               /* the engine failed: its last words, then the end */
    bool eof;                  /* the peer sends no more */
    bool woken;                /* the engine is to be told so */
    bool told;                 /* the engine knows of the shutdown */
    bool lasts;                /* until mox__net_abort() */
    bool hello_seen;           /* what begins the handshake looks like one */
    bool hello_is_ssl2;        /* of SSL 2.0 */
    bool late;                 /* the handshake ends, unless this was its last step */
    bool release;              /* the session is gone: free when the rest is too */
    uint8_t idle_rounds;       /* of the sweep, without traffic; all: its memory was given back */
    size_t lingered;           /* bytes thrown away */
};

/* conn_open.c */

/* Makes the session. On failure the connection is gone. */
MOX_MUST_USE int mox__conn_start(struct conn *c, const struct mox_tls_info *tls);

/* conn.c */
/* Takes the socket, unless memory is short. */
struct conn *mox__conn_new(struct net *net, const struct endpoint *endpoint, int fd);
void mox__conn_drive(struct conn *c);
/* Takes note of what the engine said: a failure ends the connection after the last words. */
void mox__conn_fail(struct conn *c, int rc);
enum next mox__conn_close(struct conn *c);
/* The same, once the peer has seen all that it was sent: what it has sent itself is read and thrown
 * away for a while, since with it unread a closed socket is reset. */
enum next mox__conn_linger(struct conn *c);
/* Watches the socket for these besides what it watches already. */
void mox__conn_watch(struct conn *c, int events);
void mox__conn_woken(struct conn *c); /* on the loop's thread */
void mox__conn_shutdown(struct conn *c);
void mox__conn_abort(struct conn *c);
void mox__conn_end(struct conn *c); /* no worker has it */
void mox__conn_release_idle(struct conn *c);

/* conn_turn.c */
void mox__conn_turns_init(struct net *net);
/* Drives it again in the loop's next round, once. */
void mox__conn_turn_wait(struct conn *c);
/* Not any more. */
void mox__conn_turn_leave(struct conn *c);

/* conn_wake.c */
void mox__conn_wakes_init(struct net *net);
void mox__conn_wakes_end(struct net *net); /* nobody wakes any more */

/* conn_io.c */
enum next mox__conn_write(struct conn *c);
enum next mox__conn_read(struct conn *c);
/* Input that nobody wants now may be the end: then the engine, which does not read, is told. */
void mox__conn_look_for_end(struct conn *c);
/* Blocked, and its time is up: whether the peer takes something nevertheless, so that it has its time
 * again. */
bool mox__conn_output_moves(struct conn *c);
/* When the driver has to look again because of pace or stalled output. */
int64_t mox__conn_io_deadline(const struct conn *c);

/* conn_tls.c */
enum next mox__conn_start_tls(struct conn *c, struct mox_slice rest);
/* The socket is ready for the handshake, or its time is up, as it is when the server stops. */
enum next mox__conn_handshake_ready(struct conn *c);
void mox__conn_handshake_due(struct conn *c);

#endif
