/* SPDX-License-Identifier: MIT */
#ifndef NET_TLSCLIENT_H
#define NET_TLSCLIENT_H

#include "net/tls_mbed.h"

/* A TLS client on a blocking socket. */
struct client {
    int fd;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config conf;
    mbedtls_x509_crt trusted;
    struct mox_env env;
};

/* Trusts the certificate of this file and nothing else, for the name `name`. Settings can be changed
 * in conf until the handshake. */
void client_init(struct client *c, const char *cert_file, int fd, const char *name);
int client_handshake(struct client *c); /* 0, or mbedTLS's failure */
void client_free(struct client *c);
void client_say(struct client *c, const char *text);
int client_read(struct client *c, void *data, size_t len);
void client_expect(struct client *c, const char *text);

#endif
