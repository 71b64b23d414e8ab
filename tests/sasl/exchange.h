/* SPDX-License-Identifier: MIT */
#ifndef SASL_EXCHANGE_H
#define SASL_EXCHANGE_H

#include <mox/sasl.h>

#include "sasl/credentials.h"
#include "support/testenv.h"

/* A host with one user, "user" with the password "pencil" and the token "t0ken", and one exchange. */
struct exchange {
    struct test_env t;
    struct mox_sasl_server_config config;
    struct mox_tls_info tls;
    struct mox_sasl_server *server;
    enum mox_sasl_step step; /* the last */

    /* what the host answers */
    const char *scram_sha_1, *scram_sha_256, *cram_md5; /* NULL: no record */
    char made[2][MOX_SASL_RECORD_MAX];
    int admits;              /* the status for who has proved to be the user */
    int trouble;             /* the status for all questions, unless MOX_OK */
    const char *token_owner; /* whose the certificate and the token are */
    unsigned asked[8];       /* questions so far, by enum mox_sasl_ask */

    /* a log-in of our own client */
    struct mox_sasl_client_config client;
    unsigned offered; /* that it believes to be offered */
    /* Sees each message, and may put another in its place. */
    struct mox_slice (*alter)(struct exchange *x, bool from_server, struct mox_slice message);
    void *alter_user;
    void (*see_question)(struct exchange *x, const struct mox_sasl_question *q); /* or NULL */
};

/* setup and teardown of cmocka. */
int exchange_setup(void **state);
int exchange_teardown(void **state);
#define SASL_TEST(function)                                                                        \
    cmocka_unit_test_setup_teardown(function, exchange_setup, exchange_teardown)

/* Without cmocka's state. */
void exchange_init(struct exchange *x);
void exchange_done(struct exchange *x);

/* Begins anew. */
void exchange_start(struct exchange *x, enum mox_sasl_mechanism m);
/* With a channel that can be bound, and a client's certificate. */
void exchange_use_tls(struct exchange *x);
/* The user's SCRAM records have so many iterations. */
void exchange_set_iterations(struct exchange *x, unsigned iterations);
/* Steps with bytes of the client, and answers what is asked; `response` NULL: none. */
enum mox_sasl_step exchange_say_bytes(struct exchange *x, const void *response, size_t len);
enum mox_sasl_step exchange_say(struct exchange *x, const char *response);

/* Our client logs in to our server. What the client thinks of it in the end: MOX_OK when the server lets
 * it in and it believes the server. x->step is what the server thinks. */
int exchange_log_in(struct exchange *x, enum mox_sasl_mechanism m);

/* The exchange said exactly this as its challenge. */
void assert_challenge(struct exchange *x, const char *text);
void assert_failed(struct exchange *x, enum mox_sasl_failure failure);
void assert_success(struct exchange *x, const char *username);

#endif
