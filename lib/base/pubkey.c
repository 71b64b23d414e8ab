/* SPDX-License-Identifier: MIT */
#include "base/pubkey.h"

#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <sodium.h>

#include "base/mem.h"

struct rsa_key {
    struct mox_env env;
    mbedtls_pk_context pk;
};

/* Whether to compute with the key. Exponents in use have 17 bits; one as long as the modulus takes 50 ms
 * instead of 0.2, and it is the signer who chooses it. */
static bool is_affordable(const mbedtls_pk_context *pk)
{
    mbedtls_mpi exponent;
    mbedtls_mpi_init(&exponent);
    bool ok = mbedtls_pk_get_bitlen(pk) <= RSA_BITS_MAX &&
              mbedtls_rsa_export(mbedtls_pk_rsa(*pk), NULL, NULL, NULL, NULL, &exponent) == 0 &&
              mbedtls_mpi_bitlen(&exponent) <= RSA_EXPONENT_BITS_MAX;
    mbedtls_mpi_free(&exponent);
    return ok;
}

int mox__rsa_parse(struct rsa_key **out, const struct mox_env *env, struct mox_slice der,
                   unsigned *bits)
{
    *out = NULL;
    *bits = 0;
    if (mox__crypto_init() < 0)
        return MOX_ENOMEM;
    struct rsa_key *key = mem_new(env, struct rsa_key, 1);
    if (key == NULL)
        return MOX_ENOMEM;
    key->env = *env;
    mbedtls_pk_init(&key->pk);
    int rc = mbedtls_pk_parse_public_key(&key->pk, der.data, der.len);
    if (rc == MBEDTLS_ERR_PK_ALLOC_FAILED) {
        rc = MOX_ENOMEM;
    } else if (rc != 0 || mbedtls_pk_get_type(&key->pk) != MBEDTLS_PK_RSA) {
        rc = MOX_ESYNTAX;
    } else {
        *bits = (unsigned)mbedtls_pk_get_bitlen(&key->pk);
        rc = is_affordable(&key->pk) ? MOX_OK : MOX_ELIMIT;
    }
    if (rc == MOX_OK)
        *out = key;
    else
        mox__rsa_free(key);
    return rc;
}

void mox__rsa_free(struct rsa_key *key)
{
    if (key == NULL)
        return;
    struct mox_env env = key->env;
    mbedtls_pk_free(&key->pk);
    mox__mem_free(&env, key);
}

bool mox__rsa_verify(struct rsa_key *key, enum hash h, const uint8_t *digest,
                     struct mox_slice signature)
{
    mbedtls_md_type_t md = h == HASH_SHA1 ? MBEDTLS_MD_SHA1 : MBEDTLS_MD_SHA256;
    return signature.len == mbedtls_pk_get_len(&key->pk) &&
           mbedtls_pk_verify(&key->pk, md, digest, mox__hash_len(h), signature.data,
                             signature.len) == 0;
}

bool mox__ed25519_verify(const uint8_t key[ED25519_KEY_BYTES], struct mox_slice message,
                         struct mox_slice signature)
{
    return signature.len == ED25519_SIGNATURE_BYTES && mox__crypto_init() == MOX_OK &&
           crypto_sign_verify_detached(signature.data, message.data, message.len, key) == 0;
}
