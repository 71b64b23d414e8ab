/* SPDX-License-Identifier: MIT */
#include "sasl/credentials.h"

#include <crypt.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "sasl/md5.h"

/* bcrypt looks at no more of a password. */
#define BCRYPT_MAX 72

const char *mox__credential_name(enum credential kind)
{
    static const char *const names[CREDENTIAL_COUNT] = {"password", "cram-md5", "scram-sha-1",
                                                        "scram-sha-256"};
    return names[kind];
}

/* ---- the password itself ---- */

static int hash_password(char *record, struct mox_slice password, const struct password_cost *cost)
{
    _Static_assert(crypto_pwhash_STRBYTES <= CREDENTIAL_MAX, "a record holds an Argon2id hash");
    if (mox__crypto_init() < 0)
        return MOX_EIO;
    return crypto_pwhash_str(record, (const char *)password.data, password.len, cost->passes,
                             cost->memory) == 0
               ? MOX_OK
               : MOX_ENOMEM;
}

void mox__password_dummy(struct mox_slice password, const struct password_cost *cost)
{
    char record[CREDENTIAL_MAX];
    (void)hash_password(record, password, cost);
}

/* bcrypt and whatever else crypt(3) knows, from records made elsewhere. */
static int verify_crypt(const struct mox_env *env, const char *record, struct mox_slice password)
{
    if (password.len > BCRYPT_MAX)
        return MOX_EDENIED; /* it would also accept all others that begin with the same 72 bytes */
    struct crypt_data *data = mem_new(env, struct crypt_data, 1);
    char *text = mox__strndup(env, password.data, password.len);
    int rc = data == NULL || text == NULL ? MOX_ENOMEM : MOX_EDENIED;
    if (rc == MOX_EDENIED) {
        /* Not crypt_r(), whose failures look like hashes. */
        const char *hash = crypt_rn(text, record, data, (int)sizeof *data);
        size_t len = strlen(record);
        if (hash != NULL && strlen(hash) == len && mox__secret_eq(hash, record, len))
            rc = MOX_OK;
    }
    if (data != NULL)
        mox__wipe(data, sizeof *data);
    if (text != NULL)
        mox__wipe(text, password.len);
    mox__mem_free(env, data);
    mox__mem_free(env, text);
    return rc;
}

int mox__password_verify(const struct mox_env *env, const char *record, struct mox_slice password)
{
    if (mox__crypto_init() < 0)
        return MOX_EIO;
    if (strncmp(record, "$argon2", 7) != 0)
        return verify_crypt(env, record, password);
    return crypto_pwhash_str_verify(record, (const char *)password.data, password.len) == 0
               ? MOX_OK
               : MOX_EDENIED;
}

/* ---- SCRAM ---- */

/* RFC 5802 §3: StoredKey is the hash of ClientKey; neither gives back ClientKey or the password. */
void mox__scram_keys(enum hash h, struct mox_slice password, struct mox_slice salt,
                     unsigned iterations, struct scram_keys *keys)
{
    uint8_t salted[HASH_MAX];
    size_t len = mox__hash_len(h);
    mox__pbkdf2(h, password, salt, iterations, salted);
    mox__hmac(h, slice(salted, len), slice_of("Client Key"), keys->client);
    mox__hash(h, slice(keys->client, len), keys->stored);
    mox__hmac(h, slice(salted, len), slice_of("Server Key"), keys->server);
    mox__wipe(salted, sizeof salted);
}

void mox__scram_derive(struct scram_record *r, enum hash h, struct mox_slice password,
                       struct mox_slice salt, unsigned iterations)
{
    struct scram_keys keys;
    size_t len = mox__hash_len(h);
    *r = (struct scram_record){.hash = h,
                               .iterations = iterations,
                               .salt_len = salt.len < SCRAM_SALT_MAX ? salt.len : SCRAM_SALT_MAX};
    memcpy(r->salt, salt.data, r->salt_len);
    mox__scram_keys(h, password, slice(r->salt, r->salt_len), iterations, &keys);
    memcpy(r->stored_key, keys.stored, len);
    memcpy(r->server_key, keys.server, len);
    mox__wipe(&keys, sizeof keys);
}

/* "iterations:salt:StoredKey:ServerKey", in base64. */
static void scram_format(const struct scram_record *r, char record[CREDENTIAL_MAX])
{
    struct buf text = buf_over(record, CREDENTIAL_MAX - 1);
    size_t len = mox__hash_len(r->hash);
    mox__buf_uint(&text, r->iterations);
    mox__buf_byte(&text, ':');
    mox__base64_encode(&text, slice(r->salt, r->salt_len));
    mox__buf_byte(&text, ':');
    mox__base64_encode(&text, slice(r->stored_key, len));
    mox__buf_byte(&text, ':');
    mox__base64_encode(&text, slice(r->server_key, len));
    record[text.len] = '\0';
}

/* The bytes of a field in base64, at most `max`; *at moves behind the colon that ends it. */
static bool take_field(const char **at, uint8_t *out, size_t max, size_t *len)
{
    size_t n = strcspn(*at, ":"), bits = 0, value = 0;
    *len = 0;
    for (size_t i = 0; i < n && (*at)[i] != '='; i++) {
        int digit = mox__base64_value((uint8_t)(*at)[i]);
        if (digit < 0)
            return false;
        value = (value << 6 | (size_t)digit) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            if (*len == max)
                return false;
            out[(*len)++] = (uint8_t)(value >> bits);
        }
    }
    *at += n + ((*at)[n] == ':');
    return true;
}

int mox__scram_parse(struct scram_record *r, enum hash h, const char *record)
{
    uint64_t iterations;
    size_t n = strcspn(record, ":"), stored = 0, server = 0;
    *r = (struct scram_record){.hash = h};
    if (record[n] != ':' || !mox__slice_uint(slice(record, n), 10000000, &iterations))
        return MOX_ECORRUPT;
    r->iterations = (unsigned)iterations;
    record += n + 1;
    if (!take_field(&record, r->salt, sizeof r->salt, &r->salt_len) ||
        !take_field(&record, r->stored_key, sizeof r->stored_key, &stored) ||
        !take_field(&record, r->server_key, sizeof r->server_key, &server))
        return MOX_ECORRUPT;
    size_t len = mox__hash_len(h);
    return stored == len && server == len && r->salt_len > 0 && iterations > 0 ? MOX_OK
                                                                               : MOX_ECORRUPT;
}

bool mox__scram_verify(const struct scram_record *r, struct mox_slice auth_message,
                       struct mox_slice proof, uint8_t *signature)
{
    uint8_t key[HASH_MAX], stored[HASH_MAX];
    size_t len = mox__hash_len(r->hash);
    mox__hmac(r->hash, slice(r->server_key, len), auth_message, signature);
    if (proof.len != len)
        return false;
    mox__hmac(r->hash, slice(r->stored_key, len), auth_message, key); /* ClientSignature */
    for (size_t i = 0; i < len; i++)
        key[i] ^= proof.data[i]; /* ClientKey, if the proof is right */
    mox__hash(r->hash, slice(key, len), stored);
    mox__wipe(key, sizeof key);
    return mox__secret_eq(stored, r->stored_key, len);
}

/* ---- CRAM-MD5 ---- */

static void pad_state(struct md5_state *s, const uint8_t key[64], uint8_t pad)
{
    uint8_t block[64];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = key[i] ^ pad;
    mox__md5_start(s);
    mox__md5_block(s, block);
    mox__wipe(block, sizeof block);
}

static void cram_derive(char *record, struct mox_slice password)
{
    uint8_t key[64] = {0};
    struct md5_state inner, outer;
    if (password.len > sizeof key)
        mox__hash(HASH_MD5, password, key);
    else
        memcpy(key, password.data, password.len);
    pad_state(&inner, key, 0x36);
    pad_state(&outer, key, 0x5c);
    (void)snprintf(record, CREDENTIAL_MAX, "%08lx%08lx%08lx%08lx:%08lx%08lx%08lx%08lx",
                   (unsigned long)inner.word[0], (unsigned long)inner.word[1],
                   (unsigned long)inner.word[2], (unsigned long)inner.word[3],
                   (unsigned long)outer.word[0], (unsigned long)outer.word[1],
                   (unsigned long)outer.word[2], (unsigned long)outer.word[3]);
    mox__wipe(key, sizeof key);
}

static bool take_state(const char *hex, struct md5_state *s)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++) {
        const char *d = hex[i] == '\0' ? NULL : strchr(digits, hex[i]);
        if (d == NULL)
            return false;
        s->word[i / 8] = s->word[i / 8] << 4 | (uint32_t)(d - digits);
    }
    return true;
}

static bool cram_parse(const char *record, struct md5_state *inner, struct md5_state *outer)
{
    *inner = *outer = (struct md5_state){{0}};
    return take_state(record, inner) && record[32] == ':' && take_state(record + 33, outer) &&
           record[65] == '\0';
}

bool mox__cram_md5_is_record(const char *record)
{
    struct md5_state inner, outer;
    bool is = cram_parse(record, &inner, &outer);
    mox__wipe(&inner, sizeof inner);
    mox__wipe(&outer, sizeof outer);
    return is;
}

bool mox__cram_md5_verify(const char *record, struct mox_slice challenge, const uint8_t digest[16])
{
    struct md5_state inner, outer;
    uint8_t hash[16];
    if (!cram_parse(record, &inner, &outer))
        return false;
    mox__md5_finish(&inner, 64, challenge, hash);
    mox__md5_finish(&outer, 64, slice(hash, sizeof hash), hash);
    mox__wipe(&inner, sizeof inner);
    mox__wipe(&outer, sizeof outer);
    return mox__secret_eq(hash, digest, sizeof hash);
}

/* ---- all of them ---- */

#define SALT_LEN 12

static void derive_scram(char record[CREDENTIAL_MAX], const struct mox_env *env, enum hash h,
                         struct mox_slice password, unsigned iterations)
{
    struct scram_record r;
    uint8_t salt[SALT_LEN];
    env->random(env->user, salt, sizeof salt);
    mox__scram_derive(&r, h, password, slice(salt, sizeof salt), iterations);
    scram_format(&r, record);
    mox__wipe(&r, sizeof r);
}

static void derive(char out[CREDENTIAL_MAX], const struct mox_env *env, enum credential kind,
                   struct mox_slice password)
{
    if (kind == CREDENTIAL_CRAM_MD5)
        cram_derive(out, password);
    else if (kind == CREDENTIAL_SCRAM_SHA1)
        derive_scram(out, env, HASH_SHA1, password, SCRAM_ITERATIONS_SHA1);
    else
        derive_scram(out, env, HASH_SHA256, password, SCRAM_ITERATIONS_SHA256);
}

int mox__credentials_derive(char records[CREDENTIAL_COUNT][CREDENTIAL_MAX],
                            const struct mox_env *env, struct mox_slice password,
                            const struct password_cost *cost)
{
    int rc = hash_password(records[CREDENTIAL_PASSWORD], password, cost);
    if (rc < 0)
        return rc;
    for (enum credential k = CREDENTIAL_CRAM_MD5; k < CREDENTIAL_COUNT; k++)
        derive(records[k], env, k, password);
    return MOX_OK;
}

int mox_sasl_record(char out[MOX_SASL_RECORD_MAX], const struct mox_env *env, const char *kind,
                    const char *password, struct mox_error *err)
{
    uint8_t room[CREDENTIAL_PASSWORD_MAX * 3]; /* NFC may lengthen */
    struct buf prepared = buf_over(room, sizeof room);
    enum credential k = CREDENTIAL_CRAM_MD5; /* the first that mechanisms ask for */
    out[0] = '\0';
    while (k < CREDENTIAL_COUNT && strcmp(kind, mox__credential_name(k)) != 0)
        k++;
    if (k == CREDENTIAL_COUNT)
        return mox__fail(err, MOX_EINVAL, "make a record: there is no kind %s", kind);
    int rc = mox__password_prepare(&prepared, password, err);
    if (rc == MOX_OK)
        derive(out, env, k, slice(room, prepared.len));
    mox__wipe(room, sizeof room);
    return rc;
}
