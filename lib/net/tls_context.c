/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <string.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/mem.h"
#include "net/tls_mbed.h"

static const int suites[] = {
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    0,
};

#if MBEDTLS_VERSION_NUMBER < 0x03000000
static const mbedtls_ecp_group_id groups[] = {
    MBEDTLS_ECP_DP_CURVE25519,
    MBEDTLS_ECP_DP_SECP256R1,
    MBEDTLS_ECP_DP_SECP384R1,
    MBEDTLS_ECP_DP_NONE,
};
#else
static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};
#endif

int mox__tls_random(void *user, unsigned char *out, size_t len)
{
    const struct mox_env *env = user;
    env->random(env->user, out, len);
    return 0;
}

void mox__tls_error_text(int rc, char *out, size_t size)
{
    mbedtls_strerror(rc, out, size);
}

static int fail_mbed(struct mox_error *err, int rc, const char *what, const char *file,
                     const char *help)
{
    char text[128];
    mox__tls_error_text(rc, text, sizeof text);
    return mox__fail(err, rc == MBEDTLS_ERR_X509_ALLOC_FAILED ? MOX_ENOMEM : MOX_EIO,
                     "read TLS %s %s: %s; %s", what, file, text, help);
}

static int parse_key(struct tls_context *ctx, const char *file)
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    (void)ctx->env;
    return mbedtls_pk_parse_keyfile(&ctx->key, file, NULL);
#else
    return mbedtls_pk_parse_keyfile(&ctx->key, file, NULL, mox__tls_random, &ctx->env);
#endif
}

static int check_pair(struct tls_context *ctx)
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    return mbedtls_pk_check_pair(&ctx->chain.pk, &ctx->key);
#else
    return mbedtls_pk_check_pair(&ctx->chain.pk, &ctx->key, mox__tls_random, &ctx->env);
#endif
}

static int load_files(struct tls_context *ctx, const struct tls_context_config *config,
                      struct mox_error *err)
{
    int rc = mbedtls_x509_crt_parse_file(&ctx->chain, config->cert_file);
    if (rc != 0)
        return fail_mbed(err, rc, "certificate", config->cert_file,
                         "it must be a readable PEM file of certificates");
    rc = parse_key(ctx, config->key_file);
    if (rc != 0)
        return fail_mbed(err, rc, "key", config->key_file,
                         "it must be a readable PEM file of a private key without password");
    rc = check_pair(ctx);
    if (rc != 0)
        return fail_mbed(err, rc, "key", config->key_file,
                         "it does not belong to the first certificate of the other file");
    mox__tls_end_point(ctx);
    return MOX_OK;
}

static int note_sni(void *user, mbedtls_ssl_context *ssl, const unsigned char *name, size_t len)
{
    (void)user;
    struct tls *t = (struct tls *)(void *)ssl; /* its first member */
    if (len >= sizeof t->sni)
        return -1;
    memcpy(t->sni, name, len);
    t->sni[len] = '\0';
    return 0;
}

static int configure(struct tls_context *ctx, bool tickets)
{
    int rc = mbedtls_ssl_config_defaults(&ctx->conf, MBEDTLS_SSL_IS_SERVER,
                                         MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (rc != 0)
        return rc;
    mbedtls_ssl_conf_rng(&ctx->conf, mox__tls_random, &ctx->env);
    mbedtls_ssl_conf_ciphersuites(&ctx->conf, suites);
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    mbedtls_ssl_conf_min_version(&ctx->conf, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_curves(&ctx->conf, groups);
#else
    mbedtls_ssl_conf_min_tls_version(&ctx->conf, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_groups(&ctx->conf, groups);
#endif
    mbedtls_ssl_conf_authmode(&ctx->conf, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_sni(&ctx->conf, note_sni, ctx);
    if (tickets && (rc = mox__tls_tickets_init(ctx)) != 0)
        return rc;
    return mbedtls_ssl_conf_own_cert(&ctx->conf, &ctx->chain, &ctx->key);
}

int mox__tls_context_new(struct tls_context **out, const struct mox_env *env,
                         const struct tls_context_config *config, struct mox_error *err)
{
    *out = NULL;
    if (mox__crypto_init() < 0)
        return mox__fail(err, MOX_EIO, "start TLS: the crypto library refuses to start");
    struct tls_context *ctx = mem_new(env, struct tls_context, 1);
    if (ctx == NULL)
        return mox__fail(err, MOX_ENOMEM, "start TLS: out of memory");
    ctx->env = *env;
    ctx->knows_key = config->knows_key;
    ctx->knows_user = config->knows_user;
    atomic_init(&ctx->refs, 1);
    mbedtls_ssl_config_init(&ctx->conf);
    mbedtls_x509_crt_init(&ctx->chain);
    mbedtls_pk_init(&ctx->key);
    mbedtls_ssl_ticket_init(&ctx->tickets);
    int rc = load_files(ctx, config, err);
    if (rc == MOX_OK && configure(ctx, config->tickets) != 0)
        rc = mox__fail(err, MOX_ENOMEM, "start TLS: the library refuses its settings");
    if (rc < 0) {
        mox__tls_context_unref(ctx);
        return rc;
    }
    *out = ctx;
    return MOX_OK;
}

struct tls_context *mox__tls_context_ref(struct tls_context *ctx)
{
    atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
    return ctx;
}

void mox__tls_context_unref(struct tls_context *ctx)
{
    if (ctx == NULL || atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) > 1)
        return;
    mbedtls_ssl_config_free(&ctx->conf);
    mbedtls_ssl_ticket_free(&ctx->tickets);
    mbedtls_x509_crt_free(&ctx->chain);
    mbedtls_pk_free(&ctx->key);
    struct mox_env env = ctx->env;
    mox__mem_free(&env, ctx);
}
