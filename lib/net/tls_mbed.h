/* SPDX-License-Identifier: MIT */
#ifndef NET_TLS_MBED_H
#define NET_TLS_MBED_H

/* What tls.c, tls_context.c and tls_cert.c share of mbedTLS, 2.28 and 3.x. */

#include <stdatomic.h>

#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include "net/tls.h"

#if MBEDTLS_VERSION_NUMBER < 0x03000000
#define MBED_FIELD(name) name
#else
#define MBED_FIELD(name) MBEDTLS_PRIVATE(name)
#endif

struct tls_context {
    struct mox_env env;
    atomic_uint refs;
    mbedtls_ssl_config conf;
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
    mbedtls_ssl_ticket_context tickets;
};

struct tls {
    mbedtls_ssl_context ssl;
    struct tls_context *ctx;
    int fd;
    uint8_t *rest; /* what the peer sent before the handshake; owned */
    size_t rest_at, rest_len;
    size_t unfinished; /* bytes of a write that the socket did not take: mbedTLS wants them again */
    enum tls_status ended; /* what every further read gives; TLS_OK: it goes on */
    char sni[256];
    char problem[128];
};

/* mbedTLS's form of a source of randomness; `user` is a struct mox_env. */
int mox__tls_random(void *user, unsigned char *out, size_t len);
/* "Text of mbedTLS", without its module prefix where there is none. */
void mox__tls_error_text(int rc, char *out, size_t size);

#endif
