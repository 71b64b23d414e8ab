/* SPDX-License-Identifier: MIT */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <mox/engine.h>

#include "net/net.h"
#include "net/tls.h"

/* A connection: a socket, perhaps TLS, and the engine that it serves. It knows no protocol. While
 * it is idle it holds no buffer. */
struct conn;

/* What makes the sessions of a listener. A session is the host's side of an engine: its callbacks,
 * and what they need. */
struct service {
    /* A new connection, after the handshake on ports with TLS from the start. A failure closes it
     * without a word. */
    int (*open)(void *user, struct conn *c, const struct mox_peer *peer, struct mox_engine *engine,
                void **session);
    /* The socket is closed. The session frees the engine as soon as nothing is pending in it, and
     * then calls mox__conn_release(), at once or later. */
    void (*closed)(void *session);
    /* Asked once the engine was told of the shutdown: whether the session waits for its very end,
     * and is not waited for. NULL: no. */
    bool (*lasts)(void *session);
    /* The peer has closed its side while an answer is pending, in case that is not worth waiting
     * for any more. Must not answer at once. NULL: nothing is done. */
    void (*gone)(void *session);
    /* A client has shown that it has the key of a certificate, but nobody knows the key: its handshake was
     * refused, before there is a session or during STARTTLS. NULL: nothing more is done. */
    void (*key_refused)(void *user, const struct mox_peer *peer);
    /* A handshake of STARTTLS failed; `word` is a constant: eof, sslv2, nottls, unsupportedversions,
     * alert-<number>-<name>, other. NULL: nothing is done. */
    void (*starttls_failed)(void *user, const char *word);
    /* Asked before anything is made for a new connection, and before its handshake: whether it may
     * be. What it is told otherwise is sent at once, as far as the socket takes it; on ports with TLS
     * from the start it is told nothing. *words is borrowed until the next call. NULL: all may. */
    bool (*admit)(void *user, const char *remote_ip, struct mox_slice *words);
    /* The socket of one that was admitted is closed. */
    void (*left)(void *user, const char *remote_ip);
};

/* What a listener accepts connections for. It outlives them. */
struct endpoint {
    const struct service *service;
    void *user;              /* of service->open */
    const char *pkg;         /* for the log: "smtpserver" */
    struct tls_context *tls; /* NULL: no TLS */
    bool implicit_tls;       /* from the first byte */
    bool apart;              /* its connections are not among net->max_conns */
};

/* Takes a connected, non-blocking socket. */
void mox__conn_accept(struct net *net, const struct endpoint *endpoint, int fd);

/* The engine's `wake`: has engine->woken called on the loop's thread. Any thread, until the engine
 * is freed. */
void mox__conn_wake(struct conn *c);
/* The engine was given an answer, by a call that returned `rc`: whatever it wants now is done. */
void mox__conn_go_on(struct conn *c, int rc);
/* The session is gone, and its engine. */
void mox__conn_release(struct conn *c);
struct net *mox__conn_net(struct conn *c);
/* The net's, but for the log: its lines are the connection's (base/conn_log.h). For the engine, and for
 * what the session logs. Until the session is gone. */
const struct mox_env *mox__conn_env(const struct conn *c);
/* Who has logged in, for the log. */
void mox__conn_set_user(struct conn *c, const char *username);

/* Both ends of a socket, in text; empty for a Unix socket. peer.c */
void mox__peer_fill(struct mox_peer *peer, int fd);

#endif
