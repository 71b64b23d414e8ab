/* SPDX-License-Identifier: MIT */
#include "base/pubkey.h"

#include <string.h>

#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/version.h>
#include <sodium.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

/* More than a PKCS#8 of RSA_BITS_MAX takes, in DER. */
#define DER_MAX 4096

struct private_key {
    struct mox_env env;
    bool is_rsa;
    mbedtls_pk_context pk;                      /* RSA */
    uint8_t secret[crypto_sign_SECRETKEYBYTES]; /* Ed25519: the seed, then the public key */
};

/* What stands in front of the 32 bytes of a seed (RFC 8410 §7): version 0, the algorithm, an OCTET STRING
 * in an OCTET STRING. */
static const uint8_t ed25519_head[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                       0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
/* The same from the algorithm on: a key with attributes or its public half has another begin. */
#define ED25519_MARK 5

static int random_bytes(void *env, unsigned char *out, size_t len)
{
    const struct mox_env *e = env;
    e->random(e->user, out, len);
    return 0;
}

static struct private_key *key_new(const struct mox_env *env, bool is_rsa)
{
    struct private_key *key =
        mox__crypto_init() == MOX_OK ? mem_new(env, struct private_key, 1) : NULL;
    if (key == NULL)
        return NULL;
    key->env = *env;
    key->is_rsa = is_rsa;
    mbedtls_pk_init(&key->pk);
    return key;
}

void mox__private_free(struct private_key *key)
{
    if (key == NULL)
        return;
    struct mox_env env = key->env;
    mbedtls_pk_free(&key->pk);
    mox__wipe(key, sizeof *key);
    mox__mem_free(&env, key);
}

unsigned mox__private_bits(const struct private_key *key)
{
    return key->is_rsa ? (unsigned)mbedtls_pk_get_bitlen(&key->pk) : 0;
}

/* ---- PEM (RFC 7468) ---- */

/* The line that ends a run of base64 or begins one. */
static bool find_line(struct mox_slice text, const char *line, size_t *at)
{
    const uint8_t *found = text.len == 0 ? NULL : memmem(text.data, text.len, line, strlen(line));
    if (found != NULL)
        *at = (size_t)(found - text.data);
    return found != NULL;
}

/* What stands between BEGIN and END of the label, decoded. */
static int pem_decode(struct buf *der, struct mox_slice pem, const char *label)
{
    char begin[64], end[64];
    size_t from, len;
    struct buf text;
    (void)snprintf(begin, sizeof begin, "-----BEGIN %s-----", label);
    (void)snprintf(end, sizeof end, "-----END %s-----", label);
    if (!find_line(pem, begin, &from))
        return MOX_ENOTFOUND;
    struct mox_slice body = slice_from(pem, from + strlen(begin));
    if (!find_line(body, end, &len))
        return MOX_ESYNTAX;
    mox__buf_init(&text, der->env, 2 * (size_t)DER_MAX);
    for (size_t i = 0; i < len; i++)
        if (strchr(" \t\r\n", body.data[i]) == NULL)
            mox__buf_byte(&text, body.data[i]);
    int rc = text.failed ? MOX_ESYNTAX : mox__base64_decode(der, slice(text.data, text.len));
    mox__wipe(text.data, text.len);
    mox__buf_free(&text);
    return rc == MOX_OK && der->len > 0 ? MOX_OK : MOX_ESYNTAX;
}

static int parse_rsa(struct private_key **out, const struct mox_env *env, struct mox_slice der)
{
    struct private_key *key = key_new(env, true);
    if (key == NULL)
        return MOX_ENOMEM;
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    int rc = mbedtls_pk_parse_key(&key->pk, der.data, der.len, NULL, 0);
#else
    int rc = mbedtls_pk_parse_key(&key->pk, der.data, der.len, NULL, 0, random_bytes, &key->env);
#endif
    if (rc != 0 || mbedtls_pk_get_type(&key->pk) != MBEDTLS_PK_RSA)
        rc = rc == MBEDTLS_ERR_PK_ALLOC_FAILED ? MOX_ENOMEM : MOX_ESYNTAX;
    else
        rc = mox__private_bits(key) > RSA_BITS_MAX ? MOX_ELIMIT : MOX_OK;
    if (rc == MOX_OK)
        *out = key;
    else
        mox__private_free(key);
    return rc;
}

/* MOX_ENOTFOUND: not one of Ed25519. */
static int parse_ed25519(struct private_key **out, const struct mox_env *env, struct mox_slice der)
{
    const size_t mark = sizeof ed25519_head - ED25519_MARK;
    const uint8_t *at = memmem(der.data, der.len, ed25519_head + ED25519_MARK, mark);
    if (at == NULL || (size_t)(der.data + der.len - at) < mark + crypto_sign_SEEDBYTES)
        return MOX_ENOTFOUND;
    struct private_key *key = key_new(env, false);
    if (key == NULL)
        return MOX_ENOMEM;
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    (void)crypto_sign_seed_keypair(public, key->secret, at + mark);
    *out = key;
    return MOX_OK;
}

int mox__private_parse(struct private_key **out, const struct mox_env *env, struct mox_slice pem,
                       struct mox_error *err)
{
    struct buf der;
    *out = NULL;
    mox__buf_init(&der, env, DER_MAX);
    int rc = pem_decode(&der, pem, "PRIVATE KEY");
    if (rc == MOX_ENOTFOUND)
        rc = pem_decode(&der, pem, "RSA PRIVATE KEY");
    if (rc == MOX_OK) {
        rc = parse_ed25519(out, env, slice(der.data, der.len));
        if (rc == MOX_ENOTFOUND)
            rc = parse_rsa(out, env, slice(der.data, der.len));
    }
    mox__wipe(der.data, der.len);
    mox__buf_free(&der);
    if (rc == MOX_ENOMEM)
        return mox__fail(err, rc, "read a private key: out of memory");
    if (rc == MOX_ELIMIT)
        return mox__fail(err, rc, "read a private key: RSA of more than %d bits", RSA_BITS_MAX);
    if (rc < 0)
        return mox__fail(
            err, MOX_ESYNTAX,
            "read a private key: not an RSA or Ed25519 key in PEM, PKCS#8 without a password");
    return MOX_OK;
}

int mox__private_generate(struct private_key **out, const struct mox_env *env, unsigned bits)
{
    enum { EXPONENT = 65537 };
    struct private_key *key = key_new(env, bits != 0);
    *out = NULL;
    if (key == NULL)
        return MOX_ENOMEM;
    int rc = 0;
    if (!key->is_rsa) {
        uint8_t seed[crypto_sign_SEEDBYTES], public[crypto_sign_PUBLICKEYBYTES];
        env->random(env->user, seed, sizeof seed);
        rc = crypto_sign_seed_keypair(public, key->secret, seed);
        mox__wipe(seed, sizeof seed);
    } else {
        rc = mbedtls_pk_setup(&key->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
        if (rc == 0)
            rc = mbedtls_rsa_gen_key(mbedtls_pk_rsa(key->pk), random_bytes, &key->env, bits,
                                     EXPONENT);
    }
    if (rc != 0) {
        mox__private_free(key);
        return MOX_ENOMEM;
    }
    *out = key;
    return MOX_OK;
}

/* ---- writing ---- */

/* Tag and length of `len` bytes in DER, at the end of room that is filled from behind. */
static uint8_t *put_head(uint8_t *end, uint8_t tag, size_t len)
{
    if (len < 0x80) {
        *--end = (uint8_t)len;
    } else {
        unsigned count = 0;
        for (size_t n = len; n > 0; n >>= 8, count++)
            *--end = (uint8_t)n;
        *--end = (uint8_t)(0x80 | count);
    }
    *--end = tag;
    return end;
}

/* PKCS#8 around PKCS#1 (RFC 5208 §5): the algorithm is rsaEncryption with NULL. */
static int rsa_der(struct private_key *key, uint8_t room[DER_MAX], struct mox_slice *der)
{
    static const uint8_t algorithm[] = {0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
                                        0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    uint8_t *end = room + DER_MAX;
    int len = mbedtls_pk_write_key_der(&key->pk, room, DER_MAX);
    if (len <= 0)
        return MOX_ENOMEM;
    uint8_t *at = put_head(end - len, 0x04, (size_t)len) - sizeof algorithm;
    memcpy(at, algorithm, sizeof algorithm);
    at = put_head(at, 0x30, (size_t)(end - at));
    *der = slice(at, (size_t)(end - at));
    return MOX_OK;
}

int mox__private_pem(struct private_key *key, char *out, size_t size)
{
    enum { LINE = 64, TEXT = (DER_MAX + 2) / 3 * 4 };
    _Static_assert(TEXT + TEXT / LINE + 1 + 2 * LINE <= PRIVATE_PEM_MAX, "room for any key");
    uint8_t room[DER_MAX];
    char text[2 * DER_MAX];
    struct mox_slice der = slice(room, sizeof ed25519_head + crypto_sign_SEEDBYTES);
    memcpy(room, ed25519_head, sizeof ed25519_head);
    memcpy(room + sizeof ed25519_head, key->secret, crypto_sign_SEEDBYTES);
    int rc = key->is_rsa ? rsa_der(key, room, &der) : MOX_OK;
    if (rc < 0)
        return rc;
    struct buf pem = buf_over(out, size);
    mox__base64_text(text, sizeof text, der);
    mox__buf_text(&pem, "-----BEGIN PRIVATE KEY-----\n");
    for (size_t at = 0, len = strlen(text); at < len; at += LINE) {
        mox__buf_append(&pem, text + at, len - at < LINE ? len - at : LINE);
        mox__buf_byte(&pem, '\n');
    }
    mox__buf_text(&pem, "-----END PRIVATE KEY-----\n");
    mox__buf_byte(&pem, '\0');
    mox__wipe(room, sizeof room);
    mox__wipe(text, sizeof text);
    return pem.failed ? MOX_ELIMIT : MOX_OK;
}

int mox__private_public(struct private_key *key, uint8_t out[PUBLIC_DER_MAX], size_t *len)
{
    *len = crypto_sign_PUBLICKEYBYTES;
    if (!key->is_rsa) {
        memcpy(out, key->secret + crypto_sign_SEEDBYTES, *len);
        return MOX_OK;
    }
    int n = mbedtls_pk_write_pubkey_der(&key->pk, out, PUBLIC_DER_MAX);
    if (n <= 0)
        return MOX_ENOMEM;
    *len = (size_t)n;
    memmove(out, out + PUBLIC_DER_MAX - *len, *len); /* it is written from behind */
    return MOX_OK;
}

int mox__private_sign(struct private_key *key, enum hash h, const uint8_t *digest,
                      uint8_t out[SIGNATURE_MAX], size_t *len)
{
    *len = crypto_sign_BYTES;
    if (!key->is_rsa)
        return crypto_sign_detached(out, NULL, digest, mox__hash_len(h), key->secret) == 0
                   ? MOX_OK
                   : MOX_EIO;
    mbedtls_md_type_t md = h == HASH_SHA1 ? MBEDTLS_MD_SHA1 : MBEDTLS_MD_SHA256;
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    int rc =
        mbedtls_pk_sign(&key->pk, md, digest, mox__hash_len(h), out, len, random_bytes, &key->env);
#else
    int rc = mbedtls_pk_sign(&key->pk, md, digest, mox__hash_len(h), out, SIGNATURE_MAX, len,
                             random_bytes, &key->env);
#endif
    return rc == 0 ? MOX_OK : MOX_ENOMEM;
}
