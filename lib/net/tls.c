/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mbedtls/net_sockets.h>

#include "base/mem.h"
#include "net/tls_mbed.h"

#define PAGE 4096u

/* What a call takes from the socket before others have their turn. A record takes two receives, and an empty
 * one, or an alert that the library passes over, nearly as much time as any other. */
#define CALL_RECEIVES 128
#define CALL_BYTES    (128 * 1024)
/* Of a client until its handshake is over: a few messages, of which the library takes 16 KiB each. */
#define HANDSHAKE_BYTES_MAX (128 * 1024)

static void begin_call(struct tls *t)
{
    t->receives_left = CALL_RECEIVES;
    t->bytes_left = CALL_BYTES;
}

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
    if (t->receives_left == 0 || t->bytes_left == 0)
        return MBEDTLS_ERR_SSL_WANT_READ; /* and the socket is still readable, if there is more */
    ssize_t n = recv(t->fd, data, len < t->bytes_left ? len : t->bytes_left, 0);
    t->receives_left--;
    t->bytes_left -= n > 0 ? (size_t)n : 0;
    t->received += n > 0 ? (uint64_t)n : 0;
    if (n >= 0)
        return (int)n;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return MBEDTLS_ERR_SSL_WANT_READ;
    return MBEDTLS_ERR_NET_CONN_RESET;
}

static int transmit(void *user, const unsigned char *data, size_t len)
{
    struct tls *t = user;
    if (!t->has_sent)
        mox__tls_binding_sent_first(t, (struct mox_slice){data, len});
    t->has_sent = true;
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
    t->conf = ctx->conf;
    mox__tls_binding_prepare(t);
    mox__tls_tickets_prepare(t);
    mox__tls_client_key_prepare(t);
    if ((rest.len > 0 && t->rest == NULL) || mbedtls_ssl_setup(&t->ssl, &t->conf) != 0) {
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
    mox__wipe(t, sizeof *t);
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
        t->failure = MBEDTLS_ERR_SSL_CONN_EOF;
        (void)snprintf(t->problem, sizeof t->problem, "closed by the client");
        return TLS_EOF;
    case MBEDTLS_ERR_NET_CONN_RESET:
        (void)snprintf(t->problem, sizeof t->problem, "connection reset by the client");
        return TLS_FAILED;
    default:
        t->failure = rc;
        mox__tls_error_text(rc, t->problem, sizeof t->problem);
        return TLS_FAILED;
    }
}

enum tls_status mox__tls_handshake(struct tls *t)
{
    begin_call(t);
    while (t->ssl.MBED_FIELD(state) != MBEDTLS_SSL_HANDSHAKE_OVER) {
        if (t->received > HANDSHAKE_BYTES_MAX) {
            (void)snprintf(t->problem, sizeof t->problem, "too many bytes");
            return TLS_FAILED;
        }
        int rc = mbedtls_ssl_handshake_step(&t->ssl);
        if (rc != 0)
            return status_of(t, rc);
        if (mox__tls_client_key_is_refused(t)) {
            (void)snprintf(t->problem, sizeof t->problem, "unknown client certificate");
            return TLS_FAILED;
        }
        mox__tls_tickets_decide(t);
    }
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

void mox__tls_info(struct tls *t, struct mox_tls_info *info)
{
    *info = (struct mox_tls_info){.size = sizeof *info};
    const char *version = mbedtls_ssl_get_version(&t->ssl); /* TLSv1.2 */
    bool has_v = strncmp(version, "TLSv", 4) == 0;
    (void)snprintf(info->version, sizeof info->version, "%s%s", has_v ? "TLS" : "",
                   has_v ? version + 4 : version);
    const char *cipher = mbedtls_ssl_get_ciphersuite(&t->ssl);
    cipher_name(cipher == NULL ? "" : cipher, info->cipher, sizeof info->cipher);
    (void)snprintf(info->sni, sizeof info->sni, "%s", t->sni);
    mox__tls_binding_info(t, info);
    info->has_client_key = t->has_client_key;
    memcpy(info->client_key, t->client_key, sizeof info->client_key);
}

static enum tls_status read_record(struct tls *t, uint8_t *data, size_t len, size_t *done)
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

enum tls_status mox__tls_read(struct tls *t, uint8_t *data, size_t len, size_t *done)
{
    enum tls_status status = TLS_OK;
    *done = 0;
    begin_call(t);
    while (status == TLS_OK && *done < len) {
        size_t n = 0;
        status = read_record(t, data + *done, len - *done, &n);
        *done += n;
    }
    return *done > 0 ? TLS_OK : status;
}

enum tls_status mox__tls_write(struct tls *t, const uint8_t *data, size_t len, size_t *done)
{
    *done = 0;
    begin_call(t);
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

enum tls_status mox__tls_peek(struct tls *t)
{
    uint8_t nothing;
    if (t->ended != TLS_OK || t->unfinished > 0) /* a record is under way out */
        return t->ended;
    begin_call(t);
    int rc = mbedtls_ssl_read(&t->ssl, &nothing, 0);
    if (rc == 0 && mbedtls_ssl_get_bytes_avail(&t->ssl) > 0)
        return TLS_OK;
    enum tls_status status = status_of(t, rc);
    if (status == TLS_EOF || status == TLS_FAILED)
        t->ended = status;
    return status;
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

bool mox__tls_key_refused(const struct tls *t)
{
    return t->client_key_refused;
}

const char *mox__tls_problem(const struct tls *t)
{
    return t->problem;
}
