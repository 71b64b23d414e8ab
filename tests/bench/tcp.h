/* SPDX-License-Identifier: MIT */
#ifndef BENCH_TCP_H
#define BENCH_TCP_H

/* Sockets on 127.0.0.1. */

/* A connected blocking socket without Nagle's delay, or -1. */
int tcp_connect(int port);
/* A socket that listens, and the free port that it got. */
int tcp_listen(int *port);
void tcp_no_delay(int fd);

/* A number to which every offset of `offsets` can be added to get a port that nobody has now, outside of the
 * range of which the system takes ports for outgoing connections. */
int tcp_free_base(const int *offsets, int count);

#endif
