/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SMTP_LOAD_H
#define BENCH_SMTP_LOAD_H

#include <stddef.h>

#include "mails.h"

/* Messages over SMTP, on many connections that one poll loop moves. */

struct smtp_load {
    int port;
    unsigned connections;
    long messages;             /* in all */
    const struct mails *mails; /* what is sent: messages first, first + 1, … */
    unsigned long first;

    /* Out: */
    double seconds;
    double
        *waits; /* seconds from MAIL FROM to the 250 for DATA, of each message; smtp_load_free() */
};

/* Runs it. Every message must be accepted, or the program fails. */
void smtp_load_run(struct smtp_load *l);
void smtp_load_free(struct smtp_load *l);

/* Fills an account with `count` messages, as fast as it goes. */
void smtp_fill(int port, const struct mails *mails, unsigned long first, long count);

#endif
