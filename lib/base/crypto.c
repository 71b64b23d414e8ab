/* SPDX-License-Identifier: MIT */
#include "base/crypto.h"

#include <pthread.h>
#include <string.h>

#include <mbedtls/aes.h>
#include <mbedtls/md.h>
#include <psa/crypto.h>
#include <sodium.h>

#include <mox/error.h>

#include "base/mem.h"
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

static const mbedtls_md_info_t *info(enum hash h)
{
    static const mbedtls_md_type_t types[] = {
        [HASH_MD5] = MBEDTLS_MD_MD5,
        [HASH_SHA1] = MBEDTLS_MD_SHA1,
        [HASH_SHA256] = MBEDTLS_MD_SHA256,
    };
    return mbedtls_md_info_from_type(types[h]);
}

size_t mox__hash_len(enum hash h)
{
    return mbedtls_md_get_size(info(h));
}

void mox__hash(enum hash h, struct mox_slice data, uint8_t *digest)
{
    (void)mbedtls_md(info(h), data.data, data.len, digest);
}

void mox__hmac(enum hash h, struct mox_slice key, struct mox_slice data, uint8_t *mac)
{
    (void)mbedtls_md_hmac(info(h), key.data, key.len, data.data, data.len, mac);
}

/* Written out over one HMAC context, since the function's name and arguments differ between
 * mbedTLS 2.28 and 3.6. The output is one block. */
void mox__pbkdf2(enum hash h, struct mox_slice password, struct mox_slice salt,
                 unsigned iterations, uint8_t *out)
{
    static const uint8_t first_block[4] = {0, 0, 0, 1};
    uint8_t u[HASH_MAX];
    size_t len = mox__hash_len(h);
    mbedtls_md_context_t md;
    mbedtls_md_init(&md);
    memset(out, 0, len);
    if (mbedtls_md_setup(&md, info(h), 1) == 0) {
        (void)mbedtls_md_hmac_starts(&md, password.data, password.len);
        (void)mbedtls_md_hmac_update(&md, salt.data, salt.len);
        (void)mbedtls_md_hmac_update(&md, first_block, sizeof first_block);
        (void)mbedtls_md_hmac_finish(&md, u);
        memcpy(out, u, len);
        for (unsigned i = 1; i < iterations; i++) {
            (void)mbedtls_md_hmac_reset(&md);
            (void)mbedtls_md_hmac_update(&md, u, len);
            (void)mbedtls_md_hmac_finish(&md, u);
            for (size_t k = 0; k < len; k++)
                out[k] ^= u[k];
        }
    }
    mbedtls_md_free(&md);
    mox__wipe(u, sizeof u);
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
