/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_PASTS_H
#define DELIVERY_PASTS_H

#include <mox/history.h>

/* A history in memory. */

struct past_message {
    int days_ago;
    bool junk, proved;     /* From is */
    const char *from;      /* local@domain */
    const char *mail_from; /* proved; NULL: none */
    const char *ehlo;      /* proved; NULL: none */
    const char *dkim;      /* a domain; NULL: none */
    const char *ip;        /* NULL: none */
    bool elsewhere;        /* first delivered to another mailbox */
};

struct past_letter { /* that the user wrote */
    int days_ago;
    const char *to;
};

#define PAST_MAX     64
#define PAST_MAILBOX 7

struct pasts {
    int64_t now_us;
    struct past_message messages[PAST_MAX]; /* ends with one without From */
    struct past_letter letters[8];
    int fail;       /* what every look-up returns; 0: it works */
    unsigned asked; /* look-ups */
};

/* `user` of the history is the pasts. */
struct mox_history pasts_history(struct pasts *p);
/* The last two labels. */
const char *past_org_domain(const char *domain);

#endif
