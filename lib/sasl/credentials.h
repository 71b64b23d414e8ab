/* SPDX-License-Identifier: MIT */
#ifndef SASL_CREDENTIALS_H
#define SASL_CREDENTIALS_H

#include <mox/env.h>
#include <mox/error.h>
#include <mox/sasl.h>

#include "base/buf.h"
#include "base/crypto.h"

/* What is stored of a password: one record per kind of login, none of which lets its reader log in
 * with another mechanism. Records are texts. */

enum credential {
    CREDENTIAL_PASSWORD,     /* Argon2id; bcrypt and other crypt(3) hashes can be verified too */
    CREDENTIAL_CRAM_MD5,     /* RFC 2195 */
    CREDENTIAL_SCRAM_SHA1,   /* RFC 5802 */
    CREDENTIAL_SCRAM_SHA256, /* RFC 7677 */
    CREDENTIAL_COUNT
};

#define CREDENTIAL_MAX          MOX_SASL_RECORD_MAX /* longest record, with its NUL */
#define CREDENTIAL_PASSWORD_MIN 8                   /* bytes of a password that is set */
#define CREDENTIAL_PASSWORD_MAX 1024

#define SCRAM_SALT_MAX          64
#define SCRAM_ITERATIONS_SHA1   8192
#define SCRAM_ITERATIONS_SHA256 10000

/* What hashing a password costs. */
struct password_cost {
    unsigned passes;
    size_t memory; /* bytes */
};

/* "password", "cram-md5", "scram-sha-1", "scram-sha-256": how stores call the kinds. */
MOX_PRIV const char *mox__credential_name(enum credential kind);

/* The OpaqueString form of a password (RFC 8265 §4.2), appended to out, which is to be wiped.
 * MOX_EDENIED: it has characters that no password may have. Builds without libunistring take ASCII
 * alone. */
MOX_PRIV MOX_MUST_USE int mox__password_prepare(struct buf *out, const char *password,
                                                struct mox_error *err);

/* The records of a prepared password, each with a salt of its own. MOX_ENOMEM. */
MOX_PRIV MOX_MUST_USE int mox__credentials_derive(char records[CREDENTIAL_COUNT][CREDENTIAL_MAX],
                                                  const struct mox_env *env,
                                                  struct mox_slice password,
                                                  const struct password_cost *cost);
/* Whether the prepared password belongs to the record. MOX_EDENIED: not. MOX_ENOMEM. Slow. */
MOX_PRIV MOX_MUST_USE int mox__password_verify(const struct mox_env *env, const char *record,
                                               struct mox_slice password);
/* Takes as long as verifying. */
MOX_PRIV void mox__password_dummy(struct mox_slice password, const struct password_cost *cost);

struct scram_record {
    enum hash hash;
    unsigned iterations;
    uint8_t salt[SCRAM_SALT_MAX];
    size_t salt_len;
    uint8_t stored_key[HASH_MAX], server_key[HASH_MAX];
};

/* All three keys of a password; only the client needs the first. To be wiped. */
struct scram_keys {
    uint8_t client[HASH_MAX], stored[HASH_MAX], server[HASH_MAX];
};

/* Slow: one HMAC for each iteration. */
void mox__scram_keys(enum hash h, struct mox_slice password, struct mox_slice salt,
                     unsigned iterations, struct scram_keys *keys);
MOX_PRIV void mox__scram_derive(struct scram_record *r, enum hash h, struct mox_slice password,
                                struct mox_slice salt, unsigned iterations);
MOX_PRIV MOX_MUST_USE int mox__scram_parse(struct scram_record *r, enum hash h, const char *record);
/* Verifies a client's proof (RFC 5802 §3) and computes the server's signature, mox__hash_len()
 * bytes. */
MOX_PRIV bool mox__scram_verify(const struct scram_record *r, struct mox_slice auth_message,
                                struct mox_slice proof, uint8_t *signature);

/* Whether it is a whole record of CRAM-MD5. */
MOX_PRIV bool mox__cram_md5_is_record(const char *record);
/* Whether 16 bytes are HMAC-MD5 of the challenge (RFC 2195 §2) with the record's password. */
MOX_PRIV bool mox__cram_md5_verify(const char *record, struct mox_slice challenge,
                                   const uint8_t digest[16]);

#endif
