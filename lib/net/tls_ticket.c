/* SPDX-License-Identifier: MIT */
#include "net/tls_mbed.h"

/* Resumption by ticket: RFC 5077, RFC 8446 §4.6.1. */

/* After a day a ticket key was changed twice, and a client does a full handshake. */
#define TICKET_SECONDS 86400

/* Two kinds of sessions are not resumed, so that they get no ticket:
 *
 * - those with a certificate of the client: the tickets of TLS 1.3 do not carry it, and a key that was
 *   removed meanwhile must be good for nothing. Their clients do a whole handshake each time.
 * - those without an extended master secret, which must not be resumed by one that has it (RFC 7627
 *   §5.3): a ticket does not tell which it was.
 */
static bool may_be_resumed(const struct tls *t)
{
    return !t->has_client_key && mox__tls_is_unique(t);
}

/* On failure the client gets an empty ticket with TLS 1.2 (RFC 5077 §3.3); with 1.3 it is not called. */
static int write_ticket(void *user, const mbedtls_ssl_session *session, unsigned char *start,
                        const unsigned char *end, size_t *len, uint32_t *lifetime)
{
    struct tls *t = user;
    if (!may_be_resumed(t))
        return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
    return mbedtls_ssl_ticket_write(&t->ctx->tickets, session, start, end, len, lifetime);
}

static int read_ticket(void *user, mbedtls_ssl_session *session, unsigned char *ticket, size_t len)
{
    struct tls *t = user;
    int rc = mbedtls_ssl_ticket_parse(&t->ctx->tickets, session, ticket, len);
    t->has_resumed = rc == 0;
    return rc;
}

int mox__tls_tickets_init(struct tls_context *ctx)
{
    ctx->has_tickets = true;
    return mbedtls_ssl_ticket_setup(&ctx->tickets, mox__tls_random, &ctx->env,
                                    MBEDTLS_CIPHER_AES_256_GCM, TICKET_SECONDS);
}

/* With TLS 1.3 tickets come last, and one that cannot be written would be a failure. */
void mox__tls_tickets_decide(struct tls *t)
{
    if (!may_be_resumed(t) && t->ssl.MBED_FIELD(state) == MBEDTLS_SSL_HANDSHAKE_WRAPUP)
        mbedtls_ssl_conf_session_tickets_cb(&t->conf, NULL, NULL, NULL);
}

void mox__tls_tickets_prepare(struct tls *t)
{
    if (t->ctx->has_tickets)
        mbedtls_ssl_conf_session_tickets_cb(&t->conf, write_ticket, read_ticket, t);
}
