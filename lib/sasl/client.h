/* SPDX-License-Identifier: MIT */
#ifndef SASL_CLIENT_H
#define SASL_CLIENT_H

#include <mox/sasl.h>

#include "base/buf.h"
#include "sasl/channel.h"
#include "sasl/credentials.h"

/* The client side of an exchange, as its mechanisms see it: one file each, client_<mechanism>.c.
 *
 * No buffer that ever had a secret in it grows: realloc() would leave an unwiped copy behind. */

struct mox_sasl_client;

enum {
    CLIENT_NEEDS_PASSWORD = 1 << 0, /* and the user's name */
    CLIENT_NEEDS_TOKEN = 1 << 1,
    CLIENT_SPEAKS_FIRST = 1 << 2 /* has an initial response */
};

struct client_mechanism {
    unsigned ids;   /* enum mox_sasl_mechanism: those that it plays */
    unsigned needs; /* a set of the above */
    /* May be NULL. MOX_ENOMEM … */
    int (*start)(struct mox_sasl_client *c);
    /* The next response, with mox__sasl_respond() and the buffer `out`. The first challenge of one
     * that speaks first is empty. */
    int (*step)(struct mox_sasl_client *c, struct mox_slice challenge);
};

extern const struct client_mechanism mox__sasl_client_plain, mox__sasl_client_login,
    mox__sasl_client_cram_md5, mox__sasl_client_scram, mox__sasl_client_external,
    mox__sasl_client_oauthbearer;

#define SASL_CLIENT_NONCE_MAX 128

struct scram_client {
    struct buf header;  /* our gs2-header */
    struct buf message; /* AuthMessage so far (RFC 5802 §3) */
    enum gs2_binding binding;
    uint8_t signature[HASH_MAX]; /* that the server has to show */
};

struct mox_sasl_client {
    struct mox_env env;
    const struct client_mechanism *mechanism;
    enum mox_sasl_mechanism id;
    unsigned phase; /* of the mechanism: starts at 0 */
    int status;     /* the failure that sticks */
    bool started;
    bool is_done; /* the server may say now that we are logged in */
    /* NUL-terminated; "" for what is not there */
    char *username, *password, *authorize, *token, *hostname;
    uint16_t port;
    unsigned offered, min_iterations, max_iterations;
    struct sasl_channel channel;
    struct buf out; /* the response */
    char nonce[SASL_CLIENT_NONCE_MAX];
    struct scram_client scram;
};

/* Room for a response of at most so many bytes; MOX_ENOMEM. What is appended to c->out beyond that
 * fails. */
int mox__sasl_respond(struct mox_sasl_client *c, size_t max);
/* The password in the form that records are made of (RFC 8265 §4.2), or as it is when it has none. To
 * be wiped. MOX_ENOMEM. */
int mox__sasl_client_password(const struct mox_sasl_client *c, struct buf *out);

/* Our part of SCRAM's nonce instead of a random one: the examples of the RFCs have some. */
MOX_PRIV void mox__sasl_client_set_nonce(struct mox_sasl_client *c, const char *nonce);

#endif
