/* SPDX-License-Identifier: MIT */
#ifndef SERVER_LOGIN_H
#define SERVER_LOGIN_H

#include <mox/sasl.h>

#include "server/server.h"

/* The answers to the questions of SASL exchanges (mox/sasl.h), for sessions of all protocols. None
 * is answered at once: passwords are checked on the hashing thread, so that a login storm takes one
 * core; the rest reads an account, on a worker. */

struct login;

/* Who asks. */
struct login_client {
    struct mox_server *server;
    const struct mox_env *env; /* of the connection, for the log */
    const char *pkg;
    /* Whose certificate the client has shown: nobody else can log in. `account` is NULL: none was shown,
     * or its key is not known any more. */
    struct client_user shown;
    /* The session is closed: what waits for its turn need not be answered. */
    atomic_bool gone;
    /* On the loop's thread, never before mox__login_start() has returned. The login is gone once
     * this returns. */
    void (*done)(struct login *l);
};

/* One question on its way to its answer. */
struct login {
    struct work work;
    struct mox_server *server;
    struct login_client *client;
    const struct mox_sasl_question *question;
    const struct mox_config_account *config; /* whose question it is; NULL: nobody's */
    int status;
    struct mox_sasl_answer answer;
    struct mox_account *account;   /* with MOX_OK, but to RECORD: open, and the taker's */
    struct mox_account *looked_at; /* or NULL: that of somebody who was not let in */
    struct mox_error error;
};

/* What the server can answer for: a set of enum mox_sasl_mechanism. */
unsigned mox__login_mechanisms(const struct mox_server *s);
/* Looks who has the key of the connection's certificate: before each question, since keys come and go. */
void mox__login_identify(struct login_client *client, const struct mox_peer *peer);
/* MOX_LATER, or MOX_ETOOMANY when too many wait; MOX_ENOMEM.
 * @param client, q  borrowed until done */
int mox__login_start(struct login_client *client, const struct mox_sasl_question *q);

/* login_name.c: the account of an address, with any spelling that mail to it may have; NULL: none. */
const struct mox_config_account *mox__login_account(const struct mox_server *s,
                                                    const char *username);
/* The one spelling of an address that need not exist; "" when its domain is none of ours. */
void mox__login_canonical(const struct mox_server *s, const char *username,
                          char out[MOX_SASL_USERNAME_MAX]);

#endif
