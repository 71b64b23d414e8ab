/* SPDX-License-Identifier: MIT */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <mox/engine.h>
#include <mox/env.h>

/* TLS for servers, as small as the connections need it: TLS 1.2 at least, ECDHE with AES-GCM or
 * ChaCha20-Poly1305 only, X25519 first. No type of the TLS library is visible outside tls*.c.
 *
 * A handshake computes for 2 to 3 ms and belongs on a worker; records cost microseconds. */

/* A certificate with its key and settings, shared by connections; references are counted.
 * Threads: any. */
struct tls_context;

struct tls_context_config {
    const char *cert_file; /* PEM: the certificate first, then its chain */
    const char *key_file;  /* PEM */
    bool tickets; /* resumption by ticket (RFC 5077); a large sender trips over them on port 25 */
    /* Whether a user has this key, the SHA-256 of its SubjectPublicKeyInfo. Not NULL: clients are asked
     * for a certificate, need not have one, and are refused with one whose key is not known. Called in
     * handshakes, on any thread, several at a time; quick. */
    bool (*knows_key)(void *user, const uint8_t key[32]);
    void *knows_user;
};

MOX_MUST_USE int mox__tls_context_new(struct tls_context **out, const struct mox_env *env,
                                      const struct tls_context_config *config,
                                      struct mox_error *err);
struct tls_context *mox__tls_context_ref(struct tls_context *ctx);
void mox__tls_context_unref(struct tls_context *ctx); /* NULL is fine */

/* The TLS side of one connection. Threads: owned by one at a time. */
struct tls;

enum tls_status {
    TLS_OK,        /* done, or some bytes went through */
    TLS_WANT_READ, /* again when the socket is readable, which it may be already: one call receives so
                       much and no more, whatever it is */
    TLS_WANT_WRITE, /* again when the socket is writable */
    TLS_EOF,        /* the peer has closed, properly or not */
    TLS_FAILED      /* mox__tls_problem() says why */
};

/* @param fd    non-blocking, borrowed for the connection's life
 * @param rest  bytes that the peer sent already; copied */
MOX_MUST_USE int mox__tls_new(struct tls **out, struct tls_context *ctx, int fd,
                              struct mox_slice rest);
/* Sends nothing. NULL is fine. */
void mox__tls_free(struct tls *t);

/* TLS_FAILED also for more bytes than a handshake needs. */
enum tls_status mox__tls_handshake(struct tls *t);
void mox__tls_info(struct tls *t, struct mox_tls_info *info);

/* Reads as many records as fit. With TLS_OK, *done > 0. After TLS_WANT_… of a write the next one must start with the same bytes.
 */
enum tls_status mox__tls_read(struct tls *t, uint8_t *data, size_t len, size_t *done);
enum tls_status mox__tls_write(struct tls *t, const uint8_t *data, size_t len, size_t *done);
/* What a read would come to, without taking anything: TLS_OK when there are bytes, or when that
 * cannot be told now. */
enum tls_status mox__tls_peek(struct tls *t);
/* Bytes wait inside that a read would give, although the socket may not be readable. */
bool mox__tls_pending(const struct tls *t);
/* Says that nothing more will be sent (close_notify), if the socket takes it right now. */
void mox__tls_close_notify(struct tls *t);

/* Gives the pages of the record buffers back to the system, unless half a record is in them. */
void mox__tls_release_memory(struct tls *t);

/* What failed, for the log. Never NULL. */
const char *mox__tls_problem(const struct tls *t);
/* The same as a constant word (conn.h), after a handshake that failed. tls_problem.c */
const char *mox__tls_problem_word(const struct tls *t);
/* The handshake failed since the client's key is not known: a failed login. mox__tls_info() says which. */
bool mox__tls_key_refused(const struct tls *t);

/* What a certificate says of its key. */
#define TLS_KEY_KIND_MAX 24
struct tls_client_key {
    uint8_t fingerprint[32];     /* SHA-256 of the SubjectPublicKeyInfo */
    char kind[TLS_KEY_KIND_MAX]; /* "ecdsa-p256", "rsa-2048" */
};
/* A certificate for a client to log in with: DER, or the first of a PEM text that ends in a NUL, which
 * counts. MOX_ESYNTAX, MOX_EUNSUPPORTED, MOX_EDENIED (too weak); the text says it to whoever has the
 * certificate. */
MOX_MUST_USE int mox__tls_read_client_key(struct tls_client_key *out, struct mox_slice certificate,
                                          struct mox_error *err);

/* Writes a new ECDSA P-256 key (mode 0600) and a certificate for it, signed by itself, as PEM
 * files, which must not exist. Valid from an hour ago for four years.
 *
 * @param names  DNS names and IP addresses; the first is the subject */
MOX_MUST_USE int mox__tls_self_signed(const struct mox_env *env, const char *const *names,
                                      size_t name_count, const char *cert_file,
                                      const char *key_file, struct mox_error *err);

#endif
