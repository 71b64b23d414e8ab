/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/conn_priv.h"

/* A TCP connection without traffic is probed every five minutes. */
#define KEEPALIVE_SECONDS 300
/* What the system takes of our output before the peer has room for it. Left to itself it takes megabytes, for
 * peers that have stopped reading too. */
#define UNSENT_MAX_BYTES (128 * 1024)

static void set_socket_options(int fd)
{
    int on = 1, seconds = KEEPALIVE_SECONDS, unsent = UNSENT_MAX_BYTES;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

int mox__conn_start(struct conn *c, const struct mox_tls_info *tls)
{
    struct mox_peer peer;
    mox__peer_fill(&peer, c->fd);
    peer.cid = c->log.cid;
    if (tls != NULL) {
        peer.tls = true;
        peer.tls_info = *tls;
    }
    struct mox_engine engine = {.ops = NULL};
    int rc = c->endpoint->service->open(c->endpoint->user, c, &peer, &engine, &c->session);
    if (rc < 0) {
        mox__conn_fail(c, rc);
        (void)mox__conn_close(c);
        return rc;
    }
    c->engine = engine;
    return MOX_OK;
}

/* A crowd at the door is one line a minute in the log, not one for each of them. */
static void refuse(struct net *net, const struct endpoint *endpoint, int fd, const char *reason)
{
    int64_t now_us = mox__loop_now(net->loop);
    (void)close(fd);
    if (now_us < net->say_full_at_us)
        return;
    net->say_full_at_us = now_us + SAY_AGAIN_US;
    log_line(&net->env, MOX_LOG_WARN, endpoint->pkg, "connections are refused", reason,
             F_UINT("connections", net->conn_count));
}

/* A refusal costs a look, a packet and a close. When the server stops, its sessions say so, and nobody
 * is refused: then *peer has no address. */
static bool is_admitted(const struct net *net, const struct endpoint *endpoint, int fd,
                        struct mox_peer *peer)
{
    struct mox_slice words = {NULL, 0};
    peer->remote_ip[0] = '\0';
    if (endpoint->service->admit == NULL || net->stopping)
        return true;
    mox__peer_fill(peer, fd);
    if (endpoint->service->admit(endpoint->user, peer->remote_ip, &words))
        return true;
    if (words.len > 0 && !endpoint->implicit_tls)
        (void)send(fd, words.data, words.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return false;
}

static bool is_full(const struct net *net, const struct endpoint *endpoint)
{
    return endpoint->apart ? net->apart_count >= MAX_APART
                           : net->conn_count - net->apart_count >= net->max_conns;
}

void mox__conn_accept(struct net *net, const struct endpoint *endpoint, int fd)
{
    struct mox_peer peer;
    if (is_full(net, endpoint)) {
        refuse(net, endpoint, fd, "as many connections as allowed are open");
        return;
    }
    if (!is_admitted(net, endpoint, fd, &peer)) {
        (void)close(fd);
        return;
    }
    struct conn *c = mox__conn_new(net, endpoint, fd);
    if (c == NULL) {
        refuse(net, endpoint, fd, "out of memory");
        if (peer.remote_ip[0] != '\0')
            endpoint->service->left(endpoint->user, peer.remote_ip);
        return;
    }
    memcpy(c->remote_ip, peer.remote_ip, sizeof c->remote_ip);
    set_socket_options(fd);
    if (endpoint->implicit_tls)
        (void)mox__conn_start_tls(c, (struct mox_slice){NULL, 0});
    else if (mox__conn_start(c, NULL) == MOX_OK)
        mox__conn_drive(c);
}
