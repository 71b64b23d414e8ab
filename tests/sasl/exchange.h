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
    int admits;              /* the status for who has proved to be the user */
    const char *token_owner; /* whose the certificate and the token are */
    unsigned asked[8];       /* questions so far, by enum mox_sasl_ask */
};

/* setup and teardown of cmocka. */
int exchange_setup(void **state);
int exchange_teardown(void **state);
#define SASL_TEST(function)                                                                        \
    cmocka_unit_test_setup_teardown(function, exchange_setup, exchange_teardown)

/* Begins anew. */
void exchange_start(struct exchange *x, enum mox_sasl_mechanism m);
/* With a channel that can be bound. */
void exchange_use_tls(struct exchange *x);
/* Steps with bytes of the client, and answers what is asked; `response` NULL: none. */
enum mox_sasl_step exchange_say_bytes(struct exchange *x, const void *response, size_t len);
enum mox_sasl_step exchange_say(struct exchange *x, const char *response);
/* Answers as the host does until nothing is asked. */
enum mox_sasl_step exchange_answer(struct exchange *x, enum mox_sasl_step step);

/* The exchange said exactly this as its challenge. */
void assert_challenge(struct exchange *x, const char *text);
void assert_failed(struct exchange *x, enum mox_sasl_failure failure);
void assert_success(struct exchange *x, const char *username);

#endif
