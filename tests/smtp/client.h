/* SPDX-License-Identifier: MIT */
#ifndef TEST_SMTP_CLIENT_H
#define TEST_SMTP_CLIENT_H

#include "smtp/host.h"

/* A client of the engine, as a test speaks for it, over the host of the dialogues. */

struct client {
    struct test_env t;
    struct smtp_host h;
    char said[32768]; /* NUL-terminated */
    size_t said_len;
};

/* For cmocka; *state is a struct client. The server is not there yet: smtp_host_open(). */
int client_setup(void **state);
int client_teardown(void **state);
#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, client_setup, client_teardown)

/* The connection ends; the next may follow. */
void hang_up(struct client *c);
/* Takes what the server says. */
void listen_to(struct client *c);
/* Sends bytes and puts what is answered into `said`. */
int say_bytes(struct client *c, const void *data, size_t len);
int say(struct client *c, const char *text);
void assert_said(const struct client *c, const char *start);
bool wants(const struct client *c, unsigned what);

#endif
