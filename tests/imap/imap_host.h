/* SPDX-License-Identifier: MIT */
#ifndef IMAP_HOST_H
#define IMAP_HOST_H

#include <mox/imap_server.h>

#include "support/transcript.h"

/* How the host of a dialogue behaves. */
enum host_options {
    HOST_NO_TLS = 1 << 0,     /* TLS cannot be started, and passwords travel in the clear */
    HOST_STARTTLS = 1 << 1,   /* it can, and they must not */
    HOST_SLOW_STORE = 1 << 2, /* views are never ready, and writes are done at `A: written`, with a
                                 failure at `A: quota`, `A: full` or `A: broken` */
    HOST_SMALL = 1 << 3,      /* little output at once (512 bytes), small messages (1000 bytes) */
    HOST_IMPLICIT_TLS = 1 << 4,
    HOST_DELAYS = 1 << 8,    /* logins wait after others that failed */
    HOST_READ_ONLY = 1 << 7, /* a store with the four required functions */
    HOST_PEDANTIC = 1 << 6,  /* what is usually tolerated is refused */
    HOST_SASL = 1 << 9,      /* all mechanisms, without delays; with TLS the channel can be bound */
    HOST_KEY = 1 << 10,      /* and the client has shown its certificate (support/sasl_users.h) */
    HOST_NO_PREAUTH = 1 << 11, /* which is not enough to be logged in */
    HOST_FILLED = 1 << 5       /* Inbox has three messages, the first one seen */
};

/* Plays tests/transcripts/imap/<name>. The user is u@example.org with the password `secret`, whom
 * all sessions share; later@example.org waits for `A: ok` or `A: denied`; broken@example.org fails
 * for now, and off@example.org is refused. */
void imap_play(const char *name, unsigned options);

/* Where the mail of a play is kept. Writes must be done when the submitting call returns. */
struct mail_maker {
    void (*make)(struct mox_mailstore *store, const struct mox_env *env); /* with Inbox alone */
    void (*unmake)(struct mox_mailstore *store);
};

/* The same over another store than the one in memory. */
void imap_play_over(const char *name, unsigned options, const struct mail_maker *maker);

#endif
