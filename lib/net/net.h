/* SPDX-License-Identifier: MIT */
#ifndef NET_NET_H
#define NET_NET_H

#include <pthread.h>

#include "net/loop.h"
#include "net/pool.h"

/* The runtime of one server: a loop, its workers, and all connections on it.
 *
 *   listener.c  accepts, and makes a connection of what it accepted
 *   conn_open.c makes the session of a connection
 *   conn.c      does what its engine wants, until the end
 *   conn_tls.c  its handshake, STARTTLS included
 *   conn_turn.c who waits for another turn
 *   conn_wake.c what other threads have to tell it
 *   conn_io.c   its reads and writes, plain or through TLS, and their pace
 *   tls.c       TLS itself; tls_context.c: certificates and settings
 *   loop.c      the event loop, pool.c its workers
 *
 * Threads: all of it belongs to the loop's thread, but where it says otherwise. */

struct conn;

/* Between two lines in the log of what comes and goes with each connection. */
#define SAY_AGAIN_US INT64_C(60000000)
/* Connections of endpoints that are apart (conn.h), at once. */
#define MAX_APART 64

struct net {
    struct mox_env env;
    struct loop *loop;    /* owned */
    struct pool *workers; /* owned */
    uint8_t *chunk;       /* MOX_INPUT_MAX bytes: what was just read, of whatever connection */
    struct conn *conns;   /* all whose socket is open */
    size_t conn_count;    /* all that still exist */
    size_t apart_count;   /* of them, those that max_conns is not about */
    size_t lasting_count; /* of them, those that wait for the server's end */
    size_t most_conns;    /* at once, since memory was given back */
    struct work trim;     /* gives it back */
    bool trimming;
    size_t max_conns; /* besides MAX_APART of endpoints that are apart */
    int64_t slow_step_us, slow_reply_us;
    int64_t say_full_at_us; /* before that it is in the log already */
    uint64_t last_cid;
    pthread_mutex_t woken_lock;      /* guards what follows, down to wake_waits */
    struct conn *woken, **woken_end; /* those to be woken, in turn */
    struct loop_task wake_task;
    bool wake_waits;                 /* the task is posted */
    struct conn *turns, **turns_end; /* those that wait for another turn */
    size_t turn_count;
    struct loop_task turn_task;
    bool turns_posted;
    struct timer sweep; /* takes memory from idle TLS connections */
    bool stopping;      /* every session is told to say goodbye */
    bool aborting;      /* and then to go */
    void (*drained)(void *user);
    void *drained_user;
    struct loop_task drain_task; /* calls it, when nothing else is on the stack */
    bool drain_posted;
};

struct net_config {
    struct ev_loop *ev; /* an embedder's, or NULL */
    unsigned workers;   /* 2..4 */
    size_t max_conns;
    int64_t
        slow_step_us; /* how long a peer that an engine finds slow (pace) waits before each read and
                              each piece of output; 0: nobody is slowed */
    int64_t slow_reply_us; /* after so long the rest of its reply is sent at once */
};

MOX_MUST_USE int mox__net_new(struct net **out, const struct mox_env *env,
                              const struct net_config *config);
/* Waits for what the workers have, and ends them. No session is left that could have more. */
void mox__net_join_workers(struct net *net);
/* Closes those that waited for this; no other connection is left. NULL is fine. */
void mox__net_free(struct net *net);

/* The number of the next connection or operation, for the log: it starts at the Unix time in
 * milliseconds. */
uint64_t mox__net_next_cid(struct net *net);

/* Every session says goodbye as soon as it can, new ones at once. `drained` is called when none is
 * left but those that last, once or more often; never before this returns. */
void mox__net_stop(struct net *net, void (*drained)(void *user), void *user);
/* One more connection waits for the server's end. */
void mox__net_lasting(struct net *net);
/* A connection is gone. */
void mox__net_forget(struct net *net, bool lasts, bool apart);
/* No more waiting for peers: all sockets are closed but those that last. What is under way in the
 * store is finished. */
void mox__net_abort(struct net *net);

#endif
