/* SPDX-License-Identifier: MIT */
#include "net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/ip.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

/* The system caps it at net.core.somaxconn. */
#define BACKLOG 4096
/* Connections taken before those that are there already get their turn. */
#define ACCEPT_BURST 64
/* How long to wait for descriptors or memory. */
#define BACKOFF_US INT64_C(200000)

struct listener {
    struct net *net;
    const struct endpoint *endpoint;
    ev_io io;
    struct timer again;
    int fd;
    uint16_t port;
    int64_t say_at_us; /* a back-off before is in the log already */
};

/* -- accepting ------------------------------------------------------------------------------- */

/* The peer gave up, or the network did (accept(2) passes its errors on): the next one may be fine.
 */
static bool concerns_one_peer(int error)
{
    static const int errors[] = {ECONNABORTED, EINTR,  EPROTO,       ENETDOWN, ENOPROTOOPT,
                                 EHOSTDOWN,    ENONET, EHOSTUNREACH, EPERM,    ENETUNREACH};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i] == error)
            return true;
    return false;
}

static void back_off(struct listener *l, int error)
{
    ev_io_stop(mox__loop_ev(l->net->loop), &l->io);
    int64_t now_us = mox__loop_now(l->net->loop);
    mox__timer_at(&l->again, now_us + BACKOFF_US);
    if (now_us < l->say_at_us)
        return;
    l->say_at_us = now_us + SAY_AGAIN_US;
    log_line(&l->net->env, MOX_LOG_ERROR, l->endpoint->pkg, "cannot accept connections; they wait",
             strerror(error), F_UINT("connections", l->net->conn_count), F_UINT("port", l->port));
}

static void acceptable(struct ev_loop *ev, ev_io *io, int events)
{
    (void)ev;
    (void)events;
    struct listener *l = io->data;
    for (unsigned i = 0; i < ACCEPT_BURST; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            mox__conn_accept(l->net, l->endpoint, fd);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (!concerns_one_peer(errno)) {
            back_off(l, errno);
            return;
        }
    }
}

static void accept_again(struct timer *t)
{
    struct listener *l = container_of(t, struct listener, again);
    ev_io_start(mox__loop_ev(l->net->loop), &l->io);
}

/* -- opening --------------------------------------------------------------------------------- */

static struct listener *new_listener(struct net *net, const struct endpoint *endpoint)
{
    struct listener *l = mem_new(&net->env, struct listener, 1);
    if (l == NULL)
        return NULL;
    l->net = net;
    l->endpoint = endpoint;
    mox__timer_init(&l->again, net->loop, accept_again);
    return l;
}

/* A socket that accepts, or -1 and errno. */
static int listen_at(const struct sockaddr *address, socklen_t len)
{
    int on = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, address, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

static int fail_listen(struct mox_error *err, int error, const char *ip, unsigned port)
{
    bool v6 = strchr(ip, ':') != NULL;
    const char *open = v6 ? "[" : "", *end = v6 ? "]" : "";
    switch (error) {
    case EADDRINUSE:
        return mox__fail(err, MOX_EBUSY,
                         "listen on %s%s%s:%u: the port is taken by another program", open, ip, end,
                         port);
    case EACCES:
        return mox__fail(err, MOX_EDENIED,
                         "listen on %s%s%s:%u: not permitted; ports below 1024 need privileges",
                         open, ip, end, port);
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return mox__fail(err, MOX_EUNSUPPORTED,
                         "listen on %s%s%s:%u: this machine does not have that address", open, ip,
                         end, port);
    default:
        return mox__fail(err, MOX_EIO, "listen on %s%s%s:%u: %s", open, ip, end, port,
                         strerror(error));
    }
}

static socklen_t fill_address(struct sockaddr_storage *out, const struct ip *ip, uint16_t port)
{
    *out = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    if (ip->v6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        memcpy(&in6.sin6_addr, ip->bytes, 16);
        memcpy(out, &in6, sizeof in6);
        return sizeof in6;
    }
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&in.sin_addr, ip->bytes, 4);
    memcpy(out, &in, sizeof in);
    return sizeof in;
}

static uint16_t bound_port(int fd)
{
    struct mox_peer peer;
    mox__peer_fill(&peer, fd);
    return peer.local_port;
}

int mox__listener_open(struct listener **out, struct net *net, const char *ip, uint16_t port,
                       const struct endpoint *endpoint, struct mox_error *err)
{
    *out = NULL;
    struct ip parsed;
    if (!mox__ip_parse(slice_of(ip), &parsed))
        return mox__fail(err, MOX_EINVAL, "listen on %s: not an IP address", ip);
    struct sockaddr_storage address;
    socklen_t len = fill_address(&address, &parsed, port);
    int fd = listen_at((const struct sockaddr *)&address, len);
    if (fd < 0)
        return fail_listen(err, errno, ip, port);
    int rc = mox__listener_adopt(out, net, fd, endpoint);
    return rc == MOX_OK ? rc : mox__fail(err, rc, "listen on %s: out of memory", ip);
}

int mox__listener_adopt(struct listener **out, struct net *net, int fd,
                        const struct endpoint *endpoint)
{
    *out = NULL;
    struct listener *l = new_listener(net, endpoint);
    if (l == NULL) {
        (void)close(fd);
        return MOX_ENOMEM;
    }
    l->fd = fd;
    l->port = bound_port(fd);
    ev_io_init(&l->io, acceptable, l->fd, EV_READ);
    l->io.data = l;
    *out = l;
    return MOX_OK;
}

void mox__listener_start(struct listener *l)
{
    ev_io_start(mox__loop_ev(l->net->loop), &l->io);
}

void mox__listener_close(struct listener *l)
{
    if (l == NULL)
        return;
    ev_io_stop(mox__loop_ev(l->net->loop), &l->io);
    (void)close(l->fd);
    mox__timer_stop(&l->again);
    mox__mem_free(&l->net->env, l);
}

uint16_t mox__listener_port(const struct listener *l)
{
    return l->port;
}
