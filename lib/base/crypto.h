/* SPDX-License-Identifier: MIT */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <mox/env.h>

#include "base/priv.h"

/* Hashing and key derivation, over mbedcrypto. Nothing of mbedTLS's is visible outside. */

/* Runs the process-wide inits of mbedTLS (PSA) and libsodium once; cheap afterwards. Any thread.
 * Everything below calls it. MOX_EIO when a library refuses to start. */
MOX_PRIV MOX_MUST_USE int mox__crypto_init(void);

/* Hashes allocate nothing and cannot fail (digest.c). */
enum hash { HASH_MD5, HASH_SHA1, HASH_SHA256 };

#define HASH_MAX 32 /* bytes of the longest digest */

MOX_PRIV size_t mox__hash_len(enum hash h); /* 16, 20, 32 */
MOX_PRIV void mox__hash(enum hash h, struct mox_slice data, uint8_t *digest);
/* The same in pieces. The state holds nothing that must be freed. */
#define HASH_STATE_BYTES 256
struct hash_state {
    _Alignas(8) uint8_t opaque[HASH_STATE_BYTES];
    enum hash hash;
};
MOX_PRIV void mox__hash_start(struct hash_state *s, enum hash h);
MOX_PRIV void mox__hash_update(struct hash_state *s, struct mox_slice data);
MOX_PRIV void mox__hash_finish(struct hash_state *s, uint8_t *digest);
MOX_PRIV void mox__hmac(enum hash h, struct mox_slice key, struct mox_slice data, uint8_t *mac);
/* PBKDF2 with HMAC (RFC 8018 §5.2), as Hi() of RFC 5802; `out` has mox__hash_len(h) bytes. */
MOX_PRIV void mox__pbkdf2(enum hash h, struct mox_slice password, struct mox_slice salt,
                          unsigned iterations, uint8_t *out);

/* A stable 64-bit hash for look-up tables on disk: SipHash-2-4 with a key of zeros, big-endian, with
 * the top bit cleared so that it fits SQLite's signed integers. Verify the value after the hash. */
MOX_PRIV uint64_t mox__hash64(struct mox_slice data);

/* SipHash-2-4 with a key of 16 bytes: for tables in memory that peers must not be able to aim at. */
MOX_PRIV uint64_t mox__siphash(const uint8_t *key, struct mox_slice data);

/* One block of AES-128-ECB, for received ids (16-byte key, in and out). */
MOX_PRIV void mox__aes128_encrypt_block(const uint8_t *key, const uint8_t *in, uint8_t *out);
MOX_PRIV void mox__aes128_decrypt_block(const uint8_t *key, const uint8_t *in, uint8_t *out);

#endif
