/* SPDX-License-Identifier: MIT */
#ifndef BASE_PUBKEY_H
#define BASE_PUBKEY_H

#include <mox/env.h>
#include <mox/error.h>

#include "base/crypto.h"

/* Signatures: RSA with PKCS#1 v1.5 padding (RFC 8017 §8.2) over mbedcrypto, Ed25519 (RFC 8032) over
 * libsodium. The crypto library's own memory is not the env's. */

/* Keys that are larger are not computed with: the time of a verification grows with the square. */
#define RSA_BITS_MAX            4096
#define RSA_EXPONENT_BITS_MAX   64
#define RSA_SIGNATURE_MAX       (RSA_BITS_MAX / 8)
#define ED25519_KEY_BYTES       32
#define ED25519_SIGNATURE_BYTES 64
#define SIGNATURE_MAX           RSA_SIGNATURE_MAX

/* ---- verifying (pubkey.c) ---- */

/* A public key of RSA; freed with mox__rsa_free(). */
struct rsa_key;

/* `der` is a SubjectPublicKeyInfo (RFC 5280 §4.1) or a bare RSAPublicKey (RFC 8017 A.1.1). MOX_ESYNTAX: it
 * is neither; MOX_ELIMIT: it is larger than the bounds above, and *bits says how large; MOX_ENOMEM. */
MOX_MUST_USE int mox__rsa_parse(struct rsa_key **out, const struct mox_env *env,
                                struct mox_slice der, unsigned *bits);
void mox__rsa_free(struct rsa_key *key); /* NULL is fine */
bool mox__rsa_verify(struct rsa_key *key, enum hash h, const uint8_t *digest,
                     struct mox_slice signature);
bool mox__ed25519_verify(const uint8_t key[ED25519_KEY_BYTES], struct mox_slice message,
                         struct mox_slice signature);

/* ---- signing (privkey.c) ---- */

struct private_key;

/* PKCS#8 (RFC 5208, RFC 8410), or PKCS#1 for RSA, in PEM. MOX_ESYNTAX, MOX_ENOMEM; MOX_ELIMIT: more than
 * RSA_BITS_MAX. */
MOX_MUST_USE int mox__private_parse(struct private_key **out, const struct mox_env *env,
                                    struct mox_slice pem, struct mox_error *err);
/* `bits` of RSA; 0 for Ed25519. */
MOX_MUST_USE int mox__private_generate(struct private_key **out, const struct mox_env *env,
                                       unsigned bits);
void mox__private_free(struct private_key *key); /* wipes it; NULL is fine */
/* Of RSA; 0 for Ed25519. */
unsigned mox__private_bits(const struct private_key *key);
#define PRIVATE_PEM_MAX 6144
/* PKCS#8 in PEM, with a NUL: at most PRIVATE_PEM_MAX bytes. MOX_ELIMIT: too little room. */
MOX_MUST_USE int mox__private_pem(struct private_key *key, char *out, size_t size);

/* What the longest public key takes. */
#define PUBLIC_DER_MAX 600
/* The public half: a SubjectPublicKeyInfo, or the 32 bytes of Ed25519. */
MOX_MUST_USE int mox__private_public(struct private_key *key, uint8_t out[PUBLIC_DER_MAX],
                                     size_t *len);
/* RSA signs the digest as one of `h`, Ed25519 the digest as its message (RFC 8463 §3). */
MOX_MUST_USE int mox__private_sign(struct private_key *key, enum hash h, const uint8_t *digest,
                                   uint8_t out[SIGNATURE_MAX], size_t *len);

#endif
