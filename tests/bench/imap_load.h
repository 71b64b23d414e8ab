/* SPDX-License-Identifier: MIT */
#ifndef BENCH_IMAP_LOAD_H
#define BENCH_IMAP_LOAD_H

#include "mails.h"

/* APPENDs on many connections that one poll loop moves, each with a literal that does not wait
 * (RFC 7888) and the next command after the result. */

struct imap_load {
    int port;
    unsigned connections;
    long messages; /* in all */
    const char *mailbox;
    const struct mails *mails; /* what is added: messages first, first + 1, … */
    unsigned long first;

    /* Out: */
    double seconds; /* without connecting and logging in */
    double *waits;  /* seconds to the OK, of each message; imap_load_free() */
};

/* Runs it. Every message must be taken, or the program fails. */
void imap_load_run(struct imap_load *l);
void imap_load_free(struct imap_load *l);

#endif
