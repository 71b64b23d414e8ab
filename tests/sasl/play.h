/* SPDX-License-Identifier: MIT */
#ifndef SASL_PLAY_H
#define SASL_PLAY_H

#include <mox/imap_server.h>
#include <mox/smtp_server.h>

#include "support/testenv.h"

/* A session of either protocol, over TLS and with every mechanism, for what the log says of it. Users
 * are those of support/sasl_users.h; `secret` is the password of u@example.org. */
struct play {
    struct test_env t;
    struct mox_mailstore store;
    struct mox_smtp_server *smtp;
    struct mox_imap_server *imap;
    struct mox_engine e;
    struct mox_tls_info tls;
    size_t step;        /* bytes that arrive at once */
    char answer[16384]; /* the last line that the server said, without CRLF */
    char *hidden[8];    /* what was said to log in, as it was sent */
    size_t hidden_count;
};

/* The log is at `level`. */
void play_open(struct play *p, bool imap, enum mox_log_level level, size_t step);
void play_close(struct play *p);
/* Sends a line, and takes the answer. */
void play_say(struct play *p, const char *line);
/* Our client logs in. Each response and challenge that is longer than a word is kept in `hidden`. */
void play_log_in(struct play *p, enum mox_sasl_mechanism m, bool initial, const char *password,
                 const char *token);
bool play_logged(const struct play *p, const char *text);

#endif
