/* SPDX-License-Identifier: MIT */
#include "base/crypto.h"

#include <pthread.h>

#include <mbedtls/aes.h>
#include <psa/crypto.h>
#include <sodium.h>

#include <mox/error.h>

#include "base/text.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int init_status = MOX_EIO;

static void init(void)
{
    if (psa_crypto_init() == PSA_SUCCESS && sodium_init() >= 0)
        init_status = MOX_OK;
}

int mox__crypto_init(void)
{
    (void)pthread_once(&once, init);
    return init_status;
}

uint64_t mox__siphash(const uint8_t *key, struct mox_slice data)
{
    uint8_t hash[crypto_shorthash_BYTES];
    (void)crypto_shorthash(hash, data.len == 0 ? key : data.data, data.len, key);
    uint64_t n = 0;
    for (size_t i = 0; i < sizeof hash; i++)
        n = n << 8 | hash[i];
    return n;
}

uint64_t mox__hash64(struct mox_slice data)
{
    static const uint8_t key[crypto_shorthash_KEYBYTES]; /* public: a collision costs a look-up */
    return mox__siphash(key, data) & INT64_MAX;
}

static void aes128(int mode, const uint8_t *key, const uint8_t *in, uint8_t *out)
{
    mbedtls_aes_context aes;
    mbedtls_aes_init(&aes);
    if (mode == MBEDTLS_AES_ENCRYPT)
        (void)mbedtls_aes_setkey_enc(&aes, key, 128);
    else
        (void)mbedtls_aes_setkey_dec(&aes, key, 128);
    (void)mbedtls_aes_crypt_ecb(&aes, mode, in, out);
    mbedtls_aes_free(&aes);
}

void mox__aes128_encrypt_block(const uint8_t *key, const uint8_t *in, uint8_t *out)
{
    aes128(MBEDTLS_AES_ENCRYPT, key, in, out);
}

void mox__aes128_decrypt_block(const uint8_t *key, const uint8_t *in, uint8_t *out)
{
    aes128(MBEDTLS_AES_DECRYPT, key, in, out);
}
