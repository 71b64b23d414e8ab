/* SPDX-License-Identifier: MIT */
#ifndef SMTP_HOST_H
#define SMTP_HOST_H

#include <mox/smtp_server.h>

#include "support/sasl_users.h"
#include "support/testenv.h"
#include "support/transcript.h"

/* A host of the server engine for tests. What it does is in the addresses and words that it is
 * given:
 *
 *   local part later      the question is answered by `A:` in the transcript
 *              unknown    MOX_ENOTFOUND, without a word
 *              full       MOX_ENOSPACE     broken  MOX_EIO     down  a reply of 421
 *              custom     accepted, or refused, with a reply of its own
 *   sender     …junk      the end of the content makes the client slow
 *   password   secret     is right, later waits for `A:`, broken fails for now, refused is right
 *                         and does not help, everything else is wrong
 *   user       for mechanisms without a password: support/sasl_users.h
 *
 * Of MAIL's address this is done at MAIL; `begin-…`, `piece-…` and `deliver-…` there do it at the
 * start of the content, at each piece and at the end. The 250 of a delivery shows the content, with
 * CR and LF as `\r\n`, when it is short. */
struct smtp_host {
    struct mox_smtp_server_config config;
    struct mox_peer peer;
    struct test_env *env;
    struct mox_smtp_server *server;
    const char *sender; /* the local part of MAIL, for the later questions */
    uint8_t *content;
    size_t content_len, content_cap;
    int status; /* of the last answer */
    unsigned resets, deliveries, pieces;
    const struct mox_sasl_question *asked; /* and to be answered */
    unsigned attempts, harmless;           /* to log in, that have ended */
    enum mox_sasl_failure last_failure;
    struct mox_smtp_envelope last; /* of the last delivery; only its numbers are valid */
};

extern const struct mox_smtp_server_callbacks smtp_host_callbacks;

void smtp_host_init(struct smtp_host *h);
void smtp_host_open(struct smtp_host *h);
void smtp_host_done(struct smtp_host *h);
/* Plays a transcript with this host; the config is the one that h has. */
void smtp_host_play(struct smtp_host *h, const char *name);

#endif
