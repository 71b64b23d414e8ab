/* SPDX-License-Identifier: MIT */
#ifndef NET_TLS_MBED_H
#define NET_TLS_MBED_H

/* What the files tls*.c share of mbedTLS, 2.28 and 3.x. */

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
    bool has_tickets;
    bool (*knows_key)(void *user, const uint8_t key[32]); /* NULL: clients show no certificate */
    void *knows_user;
    size_t end_point_len; /* 0: not known */
    uint8_t end_point[64];
};

struct tls {
    mbedtls_ssl_context ssl;
    /* The context's settings, whose callbacks are told of this connection; what it points to is the
     * context's, and it is never freed. */
    mbedtls_ssl_config conf;
    struct tls_context *ctx;
    int fd;
    uint8_t *rest; /* what the peer sent before the handshake; owned */
    size_t rest_at, rest_len;
    unsigned receives_left; /* of this call */
    size_t bytes_left;
    uint64_t received; /* bytes of the socket, ever */
    size_t unfinished; /* bytes of a write that the socket did not take: mbedTLS wants them again */
    enum tls_status ended; /* what every further read gives; TLS_OK: it goes on */
    bool has_sent;
    bool extended_master; /* RFC 7627 */
    bool has_resumed;     /* its ticket was taken */
    bool has_exporter;    /* mbedTLS 2.28, as are these */
    uint8_t exporter[32], exporter_empty[32];
    bool has_client_key;     /* there was a certificate; not yet that its key is the client's */
    bool client_key_refused; /* it is, and is not known */
    uint8_t client_key[32];
    char sni[256];
    int failure; /* of mbedTLS, or 0 */
    char problem[128];
};

/* The same failure has two names. */
#ifdef MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION
#define MOX_TLS_BAD_VERSION MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION
#else
#define MOX_TLS_BAD_VERSION MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION
#endif

/* mbedTLS's form of a source of randomness; `user` is a struct mox_env. */
int mox__tls_random(void *user, unsigned char *out, size_t len);
/* "Text of mbedTLS", without its module prefix where there is none. */
void mox__tls_error_text(int rc, char *out, size_t size);

/* -- tls_binding.c -- */

/* Before the library is set up with t->conf. */
void mox__tls_binding_prepare(struct tls *t);
/* The first record that was sent. */
void mox__tls_binding_sent_first(struct tls *t, struct mox_slice record);
/* Whether keys made of the master secret are this session's alone (RFC 9266 §4.2), once ServerHello was
 * sent. */
bool mox__tls_is_unique(const struct tls *t);
void mox__tls_binding_info(struct tls *t, struct mox_tls_info *info);
/* Sets ctx->end_point for ctx->chain. */
void mox__tls_end_point(struct tls_context *ctx);

/* -- tls_client_key.c -- */

/* Before the library is set up with t->conf. */
void mox__tls_client_key_prepare(struct tls *t);
/* Between two steps of the handshake: whether it ends here, for the client's key is not known. It was told. */
bool mox__tls_client_key_is_refused(struct tls *t);

/* -- tls_ticket.c -- */

int mox__tls_tickets_init(struct tls_context *ctx); /* 0, or a failure of mbedTLS */
void mox__tls_tickets_prepare(struct tls *t);
/* Between two steps of the handshake. */
void mox__tls_tickets_decide(struct tls *t);

#endif
