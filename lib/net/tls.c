/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/mem.h"
#include "net/tls_mbed.h"

/* After a day a ticket key was changed twice, and a client does a full handshake. */
#define TICKET_SECONDS 86400
#define PAGE           4096u

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

/* -- context ------------------------------------------------------------------------------------
 */

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

static int set_tickets(struct tls_context *ctx)
{
    int rc = mbedtls_ssl_ticket_setup(&ctx->tickets, mox__tls_random, &ctx->env,
                                      MBEDTLS_CIPHER_AES_256_GCM, TICKET_SECONDS);
    if (rc == 0)
        mbedtls_ssl_conf_session_tickets_cb(&ctx->conf, mbedtls_ssl_ticket_write,
                                            mbedtls_ssl_ticket_parse, &ctx->tickets);
    return rc;
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
    if (tickets && (rc = set_tickets(ctx)) != 0)
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

/* -- connection ---------------------------------------------------------------------------------
 */

static int receive(void *user, unsigned char *data, size_t len)
{
    struct tls *t = user;
    size_t left = t->rest_len - t->rest_at;
    if (left > 0) {
        size_t n = len < left ? len : left;
        memcpy(data, t->rest + t->rest_at, n);
        t->rest_at += n;
        return (int)n;
    }
    ssize_t n = recv(t->fd, data, len, 0);
    if (n >= 0)
        return (int)n;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return MBEDTLS_ERR_SSL_WANT_READ;
    return MBEDTLS_ERR_NET_CONN_RESET;
}

static int transmit(void *user, const unsigned char *data, size_t len)
{
    struct tls *t = user;
    ssize_t n = send(t->fd, data, len, MSG_NOSIGNAL);
    if (n >= 0)
        return (int)n;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    return MBEDTLS_ERR_NET_CONN_RESET;
}

int mox__tls_new(struct tls **out, struct tls_context *ctx, int fd, struct mox_slice rest)
{
    *out = NULL;
    struct tls *t = mem_new(&ctx->env, struct tls, 1);
    if (t == NULL)
        return MOX_ENOMEM;
    t->ctx = mox__tls_context_ref(ctx);
    t->fd = fd;
    mbedtls_ssl_init(&t->ssl);
    if (rest.len > 0)
        t->rest = (uint8_t *)mox__strndup(&ctx->env, rest.data, rest.len);
    t->rest_len = rest.len;
    if ((rest.len > 0 && t->rest == NULL) || mbedtls_ssl_setup(&t->ssl, &ctx->conf) != 0) {
        mox__tls_free(t);
        return MOX_ENOMEM;
    }
    mbedtls_ssl_set_bio(&t->ssl, t, transmit, receive, NULL);
    *out = t;
    return MOX_OK;
}

void mox__tls_free(struct tls *t)
{
    if (t == NULL)
        return;
    struct tls_context *ctx = t->ctx;
    mbedtls_ssl_free(&t->ssl);
    mox__mem_free(&ctx->env, t->rest);
    mox__mem_free(&ctx->env, t);
    mox__tls_context_unref(ctx);
}

static enum tls_status status_of(struct tls *t, int rc)
{
    switch (rc) {
    case MBEDTLS_ERR_SSL_WANT_READ:
        return TLS_WANT_READ;
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return TLS_WANT_WRITE;
    case 0:
    case MBEDTLS_ERR_SSL_CONN_EOF:
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        (void)snprintf(t->problem, sizeof t->problem, "closed by the client");
        return TLS_EOF;
    case MBEDTLS_ERR_NET_CONN_RESET:
        (void)snprintf(t->problem, sizeof t->problem, "connection reset by the client");
        return TLS_FAILED;
    default:
        mox__tls_error_text(rc, t->problem, sizeof t->problem);
        return TLS_FAILED;
    }
}

enum tls_status mox__tls_handshake(struct tls *t)
{
    int rc = mbedtls_ssl_handshake(&t->ssl);
    if (rc != 0)
        return status_of(t, rc);
    if (t->rest_at < t->rest_len) {
        /* No client has anything to say in the same breath as its first flight of TLS 1.2 or 1.3.
         */
        (void)snprintf(t->problem, sizeof t->problem, "bytes behind the handshake's");
        return TLS_FAILED;
    }
    mox__mem_free(&t->ctx->env, t->rest);
    t->rest = NULL;
    return TLS_OK;
}

/* mbedTLS writes TLS-ECDHE-RSA-WITH-… and TLS1-3-AES-…; the registry of IANA has underscores, and
 * no version in the name. */
static void cipher_name(const char *name, char *out, size_t size)
{
    static const char tls13[] = "TLS1-3-";
    bool is_tls13 = strncmp(name, tls13, sizeof tls13 - 1) == 0;
    (void)snprintf(out, size, "%s%s", is_tls13 ? "TLS-" : "",
                   is_tls13 ? name + sizeof tls13 - 1 : name);
    for (char *c = out; *c != '\0'; c++)
        *c = *c == '-' ? '_' : *c;
}

void mox__tls_info(const struct tls *t, struct mox_tls_info *info)
{
    *info = (struct mox_tls_info){.size = sizeof *info};
    const char *version = mbedtls_ssl_get_version(&t->ssl); /* TLSv1.2 */
    bool has_v = strncmp(version, "TLSv", 4) == 0;
    (void)snprintf(info->version, sizeof info->version, "%s%s", has_v ? "TLS" : "",
                   has_v ? version + 4 : version);
    const char *cipher = mbedtls_ssl_get_ciphersuite(&t->ssl);
    cipher_name(cipher == NULL ? "" : cipher, info->cipher, sizeof info->cipher);
    (void)snprintf(info->sni, sizeof info->sni, "%s", t->sni);
}

enum tls_status mox__tls_read(struct tls *t, uint8_t *data, size_t len, size_t *done)
{
    *done = 0;
    if (t->ended != TLS_OK)
        return t->ended;
    int rc = mbedtls_ssl_read(&t->ssl, data, len);
    if (rc > 0) {
        *done = (size_t)rc;
        return TLS_OK;
    }
    enum tls_status status = status_of(t, rc);
    if (status == TLS_EOF || status == TLS_FAILED)
        t->ended = status; /* mbedTLS forgets a close_notify, and would wait for the next record */
    return status;
}

enum tls_status mox__tls_write(struct tls *t, const uint8_t *data, size_t len, size_t *done)
{
    *done = 0;
    /* It has encrypted so much already, and would count anything more as written. */
    if (t->unfinished > 0)
        len = t->unfinished;
    int rc = mbedtls_ssl_write(&t->ssl, data, len);
    if (rc == MBEDTLS_ERR_SSL_WANT_WRITE || rc == MBEDTLS_ERR_SSL_WANT_READ)
        t->unfinished = len;
    if (rc <= 0)
        return status_of(t, rc);
    t->unfinished = 0;
    *done = (size_t)rc;
    return TLS_OK;
}

bool mox__tls_pending(const struct tls *t)
{
    return t->ended != TLS_OK || mbedtls_ssl_check_pending(&t->ssl) != 0;
}

void mox__tls_close_notify(struct tls *t)
{
    if (t->unfinished == 0)
        (void)mbedtls_ssl_close_notify(&t->ssl);
}

/* The whole pages inside the buffer but the first, which holds the record counter. */
static void release_pages(const unsigned char *buffer, size_t len)
{
    if (buffer == NULL || len < 3 * PAGE)
        return;
    uintptr_t from = ((uintptr_t)buffer + 2 * PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    uintptr_t to = ((uintptr_t)buffer + len) & ~(uintptr_t)(PAGE - 1);
    if (to > from)
        (void)madvise((void *)from, to - from, MADV_DONTNEED);
}

/* Both buffers are a little larger than the content that they are for; the end is left alone. Their
 * pages read as zeroes afterwards, which is fine: a record is read and written from its start. */
void mox__tls_release_memory(struct tls *t)
{
    mbedtls_ssl_context *ssl = &t->ssl;
    if (ssl->MBED_FIELD(in_left) == 0 && ssl->MBED_FIELD(in_offt) == NULL)
        release_pages(ssl->MBED_FIELD(in_buf), MBEDTLS_SSL_IN_CONTENT_LEN);
    if (ssl->MBED_FIELD(out_left) == 0 && t->unfinished == 0)
        release_pages(ssl->MBED_FIELD(out_buf), MBEDTLS_SSL_OUT_CONTENT_LEN);
}

const char *mox__tls_problem(const struct tls *t)
{
    return t->problem;
}
