/* SPDX-License-Identifier: MIT */
#include "net/tls_mbed.h"

/* Resumption by ticket: RFC 5077, RFC 8446 §4.6.1. */

/* After a day a ticket key was changed twice, and a client does a full handshake. */
#define TICKET_SECONDS 86400

/* A session without an extended master secret must not be resumed by one that has it (RFC 7627
 * §5.3), and a ticket does not tell which it was. Without a ticket it is not resumed at all; the client
 * then gets an empty one (RFC 5077 §3.3). */
static int write_ticket(void *user, const mbedtls_ssl_session *session, unsigned char *start,
                        const unsigned char *end, size_t *len, uint32_t *lifetime)
{
    struct tls *t = user;
    if (!mox__tls_is_unique(t))
        return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
    return mbedtls_ssl_ticket_write(&t->ctx->tickets, session, start, end, len, lifetime);
}

static int read_ticket(void *user, mbedtls_ssl_session *session, unsigned char *ticket, size_t len)
{
    struct tls *t = user;
    return mbedtls_ssl_ticket_parse(&t->ctx->tickets, session, ticket, len);
}

int mox__tls_tickets_init(struct tls_context *ctx)
{
    ctx->has_tickets = true;
    return mbedtls_ssl_ticket_setup(&ctx->tickets, mox__tls_random, &ctx->env,
                                    MBEDTLS_CIPHER_AES_256_GCM, TICKET_SECONDS);
}

void mox__tls_tickets_prepare(struct tls *t)
{
    if (t->ctx->has_tickets)
        mbedtls_ssl_conf_session_tickets_cb(&t->conf, write_ticket, read_ticket, t);
}
