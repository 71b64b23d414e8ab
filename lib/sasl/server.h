/* SPDX-License-Identifier: MIT */
#ifndef SASL_SERVER_H
#define SASL_SERVER_H

#include <mox/sasl.h>

#include "base/buf.h"
#include "sasl/channel.h"
#include "sasl/credentials.h"

/* The server side of an exchange, as its mechanisms see it: one file each, server_<mechanism>.c.
 * server.c keeps the order of calls; server_text.c takes texts of the client over.
 *
 * No buffer that ever had a secret in it grows: realloc() would leave an unwiped copy behind. */

struct mox_sasl_server;

struct server_mechanism {
    unsigned ids; /* enum mox_sasl_mechanism: those that it plays */
    /* May be NULL: nothing to prepare. */
    void (*start)(struct mox_sasl_server *s, const char *hostname);
    /* A response of the client; data NULL the first time if there was no initial response. */
    enum mox_sasl_step (*step)(struct mox_sasl_server *s, struct mox_slice response);
    /* The host has answered what the step asked. The answer is never NULL. */
    enum mox_sasl_step (*answer)(struct mox_sasl_server *s, int status,
                                 const struct mox_sasl_answer *answer);
};

extern const struct server_mechanism mox__sasl_server_plain, mox__sasl_server_login,
    mox__sasl_server_cram_md5, mox__sasl_server_scram, mox__sasl_server_external,
    mox__sasl_server_oauthbearer;

#define SASL_UNIQUE_MAX 320 /* of a challenge of CRAM-MD5, or our part of SCRAM's nonce */
#define SASL_TEXT_MAX   260

struct scram_server {
    struct buf header;          /* gs2-header of the client, as sent */
    struct buf message;         /* AuthMessage so far (RFC 5802 §3) */
    size_t nonce_at, nonce_len; /* the client's nonce and ours, in `message` */
    enum gs2_binding binding;
    struct scram_record record;
    uint8_t signature[HASH_MAX];
    char final[2 + HASH_MAX * 2]; /* "v=" and the signature */
};

enum sasl_state { SASL_AWAITS_RESPONSE, SASL_AWAITS_ANSWER, SASL_ENDED };

struct mox_sasl_server {
    struct mox_env env;
    const struct server_mechanism *mechanism;
    enum mox_sasl_mechanism id;
    enum sasl_state state;
    unsigned phase;                         /* of the mechanism: starts at 0 */
    enum mox_sasl_failure failure, pending; /* pending: fails so with the next response */
    struct mox_sasl_question question;
    bool has_record;   /* of the user, and it is whole */
    bool lacks_record; /* the user is known, and has none that helps */
    char text[SASL_TEXT_MAX];
    char username[MOX_SASL_USERNAME_MAX];
    char unique[SASL_UNIQUE_MAX];
    char *secret_text; /* a password or a token, NUL-terminated */
    size_t secret_len;
    struct mox_slice challenge;
    struct sasl_channel channel;
    unsigned offered;
    uint8_t secret[32];
    struct scram_server scram;
    uint8_t digest[16]; /* of CRAM-MD5 */
};

/* Ends the exchange. `text` is a constant for the log. */
enum mox_sasl_step mox__sasl_fail(struct mox_sasl_server *s, enum mox_sasl_failure failure,
                                  const char *text);
/* Ends it as `failure` says once the client has answered to what is said now. */
enum mox_sasl_step mox__sasl_fail_after(struct mox_sasl_server *s, enum mox_sasl_failure failure,
                                        const char *text, const char *last_words);
enum mox_sasl_step mox__sasl_challenge(struct mox_sasl_server *s, struct mox_slice challenge);
enum mox_sasl_step mox__sasl_ask(struct mox_sasl_server *s, enum mox_sasl_ask ask);
enum mox_sasl_step mox__sasl_succeed(struct mox_sasl_server *s);
/* To a question whose answer ends the exchange: what the status means. */
enum mox_sasl_step mox__sasl_conclude(struct mox_sasl_server *s, int status,
                                      const struct mox_sasl_answer *answer);
/* The same for questions to which the answer says who it is. */
enum mox_sasl_step mox__sasl_conclude_whose(struct mox_sasl_server *s, int status,
                                            const struct mox_sasl_answer *answer);

/* Takes the user's name over, in NFC. False: the exchange has failed. */
bool mox__sasl_take_username(struct mox_sasl_server *s, struct mox_slice name);
/* A password or token. */
bool mox__sasl_take_secret(struct mox_sasl_server *s, struct mox_slice text);
void mox__sasl_forget_secret(struct mox_sasl_server *s);
/* UTF-8 without NUL. */
bool mox__sasl_is_text(struct mox_slice s);

/* Notes in the text for the log why the user's record does not help. */
void mox__sasl_lacks_record(struct mox_sasl_server *s, const char *what);

/* The challenge of CRAM-MD5, or the server's part of SCRAM's nonce, instead of random ones: the
 * examples of the RFCs have some. Before the first step. */
MOX_PRIV void mox__sasl_server_set_unique(struct mox_sasl_server *s, const char *text);

#endif
