/* SPDX-License-Identifier: MIT */
#ifndef IMAP_AUTH_H
#define IMAP_AUTH_H

#include <mox/sasl.h>

#include "imap/session.h"

/* One attempt to log in: its SASL exchange (mox/sasl.h) and the questions to the host. The commands
 * LOGIN and AUTHENTICATE feed it and speak for it; greeting.c makes one of a certificate. */
struct auth {
    struct mox_sasl_server *exchange;
    enum mox_sasl_step step;           /* where it stands */
    struct mox_sasl_question question; /* as the host is asked */
    struct mox_sasl_answer answer;
    bool asked; /* the host was, and this is its answer, perhaps MOX_LATER */
    int status;
    bool by_certificate;        /* nobody sent a command */
    bool malformed;             /* what came was no base64 */
    bool reported;              /* it is over, and those who count were told */
    struct mox_mailstore store; /* once the host has handed it over; ours */
};

/* The mechanisms that can be used on this connection. */
unsigned mox__imap_auth_offered(const struct mox_imap_server *s);

/* Begins an attempt: s->auth. False: memory ran out. */
bool mox__imap_auth_begin(struct mox_imap_server *s, enum mox_sasl_mechanism m);
/* A response of the client, decoded; data NULL: there was no initial one. */
void mox__imap_auth_respond(struct mox_imap_server *s, struct mox_slice response);
/* The client sent something else. An exchange that had failed already keeps its verdict. */
void mox__imap_auth_give_up(struct mox_imap_server *s);
/* Asks the host what there is to ask. True: the exchange wants the client (MOX_SASL_CHALLENGE), or
 * is over; false: an answer is pending. */
bool mox__imap_auth_go_on(struct mox_imap_server *s);
/* The user's mail becomes the session's. MOX_OK, or why it cannot be read. */
MOX_MUST_USE int mox__imap_auth_accept(struct mox_imap_server *s, struct mox_error *err);
/* Tells the log and the host how it ended, once. */
void mox__imap_auth_report(struct mox_imap_server *s, enum mox_sasl_failure failure);
/* The client is gone; what the host still answers does not matter any more. */
void mox__imap_auth_interrupted(struct mox_imap_server *s);
/* Forgets it. If it has not ended, it was interrupted. */
void mox__imap_auth_close(struct mox_imap_server *s);

#endif
