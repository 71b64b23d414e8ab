/* SPDX-License-Identifier: MIT */
#ifndef SMTP_AUTH_H
#define SMTP_AUTH_H

#include <mox/sasl.h>

#include "smtp/server.h"

/* One attempt to log in: its SASL exchange (mox/sasl.h), the questions to the host and the reply at
 * its end. cmd_auth.c has what travels on the wire. */
struct auth {
    struct mox_sasl_server *exchange;
    struct mox_sasl_answer answer;     /* what the host fills in */
    struct mox_sasl_question question; /* as the host is asked */
    /* Nobody sent AUTH: the certificate stands for it, and the reply to EHLO waits. */
    bool by_certificate;
};

/* Begins an attempt. False: memory ran out. */
bool mox__smtp_auth_begin(struct mox_smtp_server *s, enum mox_sasl_mechanism m);
/* A response; data NULL: there was no initial one. */
void mox__smtp_auth_step(struct mox_smtp_server *s, struct mox_slice response);
/* What the client sent instead of a response ends the attempt with 501, unless it has failed already
 * and we only waited for a last word. */
void mox__smtp_auth_give_up(struct mox_smtp_server *s, enum mox_sasl_failure failure,
                            const char *enhanced, const char *text);
void mox__smtp_auth_out_of_memory(struct mox_smtp_server *s);

/* The mechanisms that can be used on this connection. */
unsigned mox__smtp_auth_offered(const struct mox_smtp_server *s);

#endif
