/* SPDX-License-Identifier: MIT */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdbool.h>

/* Many IMAP clients in one thread: each logs in, selects INBOX and idles. A client's mistake or the
 * server's end the program. */
struct crowd;

/* Times in seconds, sorted. */
struct crowd_times {
    const double *list;
    unsigned count;
};

/* One delivery, in seconds from its beginning, which is when the end of the message was sent. */
struct crowd_delivery {
    double accepted;            /* the 250 came */
    double first, median, last; /* idle clients had seen EXISTS */
};

/* @param imap_port, smtp_port  on 127.0.0.1; with `tls` the first is one with TLS from the start */
struct crowd *crowd_new(int imap_port, int smtp_port, bool tls, unsigned count);
/* Has them all idle; at most `at_once` are on the way there at any moment. How long each took. */
struct crowd_times crowd_idle(struct crowd *c, unsigned at_once);
/* Delivers a message and waits until all have seen it. */
struct crowd_delivery crowd_deliver(struct crowd *c);
/* Hangs up, all at once. NULL is fine. */
void crowd_free(struct crowd *c);

#endif
