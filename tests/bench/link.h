/* SPDX-License-Identifier: MIT */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include <mbedtls/ssl.h>

/* The client's end of a connection on loopback, plain or TLS, non-blocking. */
struct link {
    int fd;
    bool shaken; /* the handshake is over, or there is none */
    mbedtls_ssl_context *ssl;
};

/* What all TLS links share. It trusts any certificate. */
mbedtls_ssl_config *link_config_new(void);
void link_config_free(mbedtls_ssl_config *config);

/* @param config  NULL: plain */
void link_open(struct link *l, int port, const mbedtls_ssl_config *config);
/* Goes on with the handshake; true when it is over. */
bool link_handshake(struct link *l);
/* Bytes, or 0: none are there now. Ends the program when the server has closed. */
size_t link_read(struct link *l, char *data, size_t len);
/* All of it, which must be short. */
void link_write(struct link *l, const char *text);
void link_close(struct link *l);

#endif
