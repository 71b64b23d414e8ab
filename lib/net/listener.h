/* SPDX-License-Identifier: MIT */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "net/conn.h"

/* A socket that accepts connections. When descriptors run out it waits a little instead of
 * spinning: the connections stay in the system's queue meanwhile. */
struct listener;

/* Binds and listens; nothing is accepted before mox__listener_start(). An IPv6 address is only
 * that:
 * `::` takes no IPv4 connections.
 *
 * @param ip    text form without brackets
 * @param port  0 for any free one
 * @param endpoint  borrowed for the life of the listener and of all its connections
 * @return MOX_EBUSY: the port is taken. MOX_EDENIED: a port below 1024 needs privileges.
 *         MOX_EUNSUPPORTED: this machine has no such address. MOX_EINVAL, MOX_EIO, MOX_ENOMEM. */
MOX_MUST_USE int mox__listener_open(struct listener **out, struct net *net, const char *ip,
                                    uint16_t port, const struct endpoint *endpoint,
                                    struct mox_error *err);
/* The same for a socket that listens already, which it takes over, also when it fails. */
MOX_MUST_USE int mox__listener_adopt(struct listener **out, struct net *net, int fd,
                                     const struct endpoint *endpoint);
void mox__listener_start(struct listener *l);
void mox__listener_close(struct listener *l); /* NULL is fine */
uint16_t mox__listener_port(const struct listener *l);

#endif
