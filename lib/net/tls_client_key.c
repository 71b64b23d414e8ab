/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <stdio.h>
#include <string.h>

#include <mbedtls/ecp.h>

#include "base/crypto.h"
#include "base/error.h"
#include "net/tls_mbed.h"

/* Certificates of clients. Names, dates and issuers say nothing to us: who has the private key of a
 * registered certificate is its user, whoever signed it and when. */

static void key_of(const mbedtls_x509_crt *crt, uint8_t key[32])
{
    mox__hash(HASH_SHA256, (struct mox_slice){crt->pk_raw.p, crt->pk_raw.len}, key);
}

/* -- in a handshake -------------------------------------------------------------------------- */

/* For each certificate of what the client sent; depth 0 is its own. What the library thinks of it is
 * put aside. That the client has the private key is shown later in the handshake. */
static int note_key(void *user, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct tls *t = user;
    *flags = 0;
    if (depth != 0)
        return 0;
    t->has_client_key = true;
    key_of(crt, t->client_key);
    return 0;
}

void mox__tls_client_key_prepare(struct tls *t)
{
    if (t->ctx->knows_key == NULL)
        return;
    mbedtls_ssl_conf_authmode(&t->conf, MBEDTLS_SSL_VERIFY_OPTIONAL);
    mbedtls_ssl_conf_verify(&t->conf, note_key, t);
}

/* Whether all of the client's flight was read and its signature checked, and what we send can be read by it:
 * with TLS 1.2 before our last flight, with 1.3 after the change of keys. */
static bool has_proved_key(const struct tls *t)
{
    int state = (int)t->ssl.MBED_FIELD(state);
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
    if (state == MBEDTLS_SSL_TLS1_3_NEW_SESSION_TICKET)
        return true;
#endif
    return state == MBEDTLS_SSL_SERVER_CHANGE_CIPHER_SPEC || state == MBEDTLS_SSL_HANDSHAKE_OVER;
}

/* Not as soon as the certificate is there: to close a socket with unread input drops what was sent, and
 * nobody has tried to log in who lacks the key. */
bool mox__tls_client_key_is_refused(struct tls *t)
{
    if (!t->has_client_key || !has_proved_key(t) ||
        t->ctx->knows_key(t->ctx->knows_user, t->client_key))
        return false;
    t->client_key_refused = true;
    (void)mbedtls_ssl_send_alert_message(&t->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                         MBEDTLS_SSL_ALERT_MSG_BAD_CERT);
    return true;
}

/* -- at home --------------------------------------------------------------------------------- */

#define RSA_BITS_MIN 2048

static const char *curve_name(const mbedtls_pk_context *pk)
{
    switch (mbedtls_pk_get_bitlen(pk)) {
    case 256:
        return "p256";
    case 384:
        return "p384";
    case 521:
        return "p521";
    default:
        return NULL;
    }
}

/* The curves of TLS 1.3 (RFC 8446 §4.2.7), and not others of the same size. */
static bool is_nist_curve(const mbedtls_pk_context *pk)
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    mbedtls_ecp_group_id id = mbedtls_pk_ec(*pk)->grp.id;
#else
    mbedtls_ecp_group_id id = mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*pk));
#endif
    return id == MBEDTLS_ECP_DP_SECP256R1 || id == MBEDTLS_ECP_DP_SECP384R1 ||
           id == MBEDTLS_ECP_DP_SECP521R1;
}

static int check_kind(const mbedtls_pk_context *pk, char kind[TLS_KEY_KIND_MAX],
                      struct mox_error *err)
{
    if (mbedtls_pk_can_do(pk, MBEDTLS_PK_ECDSA)) {
        if (!is_nist_curve(pk))
            return mox__fail(err, MOX_EUNSUPPORTED,
                             "the certificate's curve is not used with TLS; use P-256");
        (void)snprintf(kind, TLS_KEY_KIND_MAX, "ecdsa-%s", curve_name(pk));
        return MOX_OK;
    }
    if (!mbedtls_pk_can_do(pk, MBEDTLS_PK_RSA))
        return mox__fail(
            err, MOX_EUNSUPPORTED,
            "the certificate's key is neither RSA nor ECDSA; this server's TLS library "
            "knows no other");
    size_t bits = mbedtls_pk_get_bitlen(pk);
    if (bits < RSA_BITS_MIN)
        return mox__fail(err, MOX_EDENIED,
                         "the certificate's RSA key has %zu bits; at least %d are needed", bits,
                         RSA_BITS_MIN);
    (void)snprintf(kind, TLS_KEY_KIND_MAX, "rsa-%u", (unsigned)bits);
    return MOX_OK;
}

static bool is_unknown_kind(int rc)
{
    /* The codes of two modules may be summed up in one. */
    int high = -(-rc & 0xff80);
    return high == MBEDTLS_ERR_PK_UNKNOWN_PK_ALG || high == MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG ||
           high == MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE || high == MBEDTLS_ERR_PK_INVALID_ALG ||
           high == MBEDTLS_ERR_X509_UNKNOWN_OID;
}

static int fail_parse(struct mox_error *err, int rc)
{
    if (is_unknown_kind(rc))
        return mox__fail(err, MOX_EUNSUPPORTED,
                         "the certificate's key, or its signature, is of a kind that this server's "
                         "TLS library does not know, as Ed25519; use one with ECDSA or RSA");
    return mox__fail(err, rc == MBEDTLS_ERR_X509_ALLOC_FAILED ? MOX_ENOMEM : MOX_ESYNTAX,
                     "this is not an X.509 certificate");
}

int mox__tls_read_client_key(struct tls_client_key *out, struct mox_slice certificate,
                             struct mox_error *err)
{
    *out = (struct tls_client_key){.kind = ""};
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    int problem = mox__crypto_init() < 0
                      ? MBEDTLS_ERR_X509_ALLOC_FAILED
                      : mbedtls_x509_crt_parse(&crt, certificate.data, certificate.len);
    int rc = problem != 0 ? fail_parse(err, problem) : check_kind(&crt.pk, out->kind, err);
    if (rc == MOX_OK)
        key_of(&crt, out->fingerprint);
    mbedtls_x509_crt_free(&crt);
    return rc;
}
