/* SPDX-License-Identifier: MIT */
#include "base/crypto.h"

#include <string.h>

#include <mbedtls/md5.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

#include "base/mem.h"
#include "base/text.h"

/* Hashes over the plain contexts of mbedTLS: its wrapper (md.h) allocates, and what is computed here
 * decides who may log in, so that it must not fail. */

#if MBEDTLS_VERSION_MAJOR < 3
#define NAMED(function) function##_ret
#else
#define NAMED(function) function
#endif

#define BLOCK 64 /* bytes that all three eat at once */

/* May be copied: that is what mbedtls_*_clone() does. */
union state {
    mbedtls_md5_context md5;
    mbedtls_sha1_context sha1;
    mbedtls_sha256_context sha256;
};

static void md5_start(union state *s)
{
    mbedtls_md5_init(&s->md5);
    (void)NAMED(mbedtls_md5_starts)(&s->md5);
}

static void md5_update(union state *s, const uint8_t *data, size_t len)
{
    (void)NAMED(mbedtls_md5_update)(&s->md5, data, len);
}

static void md5_finish(union state *s, uint8_t *digest)
{
    (void)NAMED(mbedtls_md5_finish)(&s->md5, digest);
}

static void sha1_start(union state *s)
{
    mbedtls_sha1_init(&s->sha1);
    (void)NAMED(mbedtls_sha1_starts)(&s->sha1);
}

static void sha1_update(union state *s, const uint8_t *data, size_t len)
{
    (void)NAMED(mbedtls_sha1_update)(&s->sha1, data, len);
}

static void sha1_finish(union state *s, uint8_t *digest)
{
    (void)NAMED(mbedtls_sha1_finish)(&s->sha1, digest);
}

static void sha256_start(union state *s)
{
    mbedtls_sha256_init(&s->sha256);
    (void)NAMED(mbedtls_sha256_starts)(&s->sha256, 0);
}

static void sha256_update(union state *s, const uint8_t *data, size_t len)
{
    (void)NAMED(mbedtls_sha256_update)(&s->sha256, data, len);
}

static void sha256_finish(union state *s, uint8_t *digest)
{
    (void)NAMED(mbedtls_sha256_finish)(&s->sha256, digest);
}

static const struct algorithm {
    size_t len;
    void (*start)(union state *s);
    void (*update)(union state *s, const uint8_t *data, size_t len);
    void (*finish)(union state *s, uint8_t *digest);
} algorithms[] = {
    [HASH_MD5] = {16, md5_start, md5_update, md5_finish},
    [HASH_SHA1] = {20, sha1_start, sha1_update, sha1_finish},
    [HASH_SHA256] = {32, sha256_start, sha256_update, sha256_finish},
};

size_t mox__hash_len(enum hash h)
{
    return algorithms[h].len;
}

void mox__hash(enum hash h, struct mox_slice data, uint8_t *digest)
{
    const struct algorithm *a = &algorithms[h];
    union state s;
    a->start(&s);
    a->update(&s, data.data, data.len);
    a->finish(&s, digest);
    mox__wipe(&s, sizeof s);
}

_Static_assert(sizeof(union state) <= HASH_STATE_BYTES, "room for every state");

static union state *state_of(struct hash_state *s)
{
    return (union state *)(void *)s->opaque;
}

void mox__hash_start(struct hash_state *s, enum hash h)
{
    s->hash = h;
    algorithms[h].start(state_of(s));
}

void mox__hash_update(struct hash_state *s, struct mox_slice data)
{
    algorithms[s->hash].update(state_of(s), data.data, data.len);
}

void mox__hash_finish(struct hash_state *s, uint8_t *digest)
{
    algorithms[s->hash].finish(state_of(s), digest);
}

/* ---- HMAC (RFC 2104) ---- */

/* The states behind the two pads of a key. */
struct hmac {
    const struct algorithm *a;
    union state inner, outer, work;
};

static void start_pad(struct hmac *m, union state *s, const uint8_t key[BLOCK], uint8_t pad)
{
    uint8_t block[BLOCK];
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = key[i] ^ pad;
    m->a->start(s);
    m->a->update(s, block, BLOCK);
    mox__wipe(block, sizeof block);
}

static void hmac_start(struct hmac *m, enum hash h, struct mox_slice key)
{
    uint8_t block[BLOCK] = {0};
    if (key.len > BLOCK)
        mox__hash(h, key, block);
    else if (key.len > 0)
        memcpy(block, key.data, key.len);
    m->a = &algorithms[h];
    start_pad(m, &m->inner, block, 0x36);
    start_pad(m, &m->outer, block, 0x5c);
    mox__wipe(block, sizeof block);
}

/* Of `first` and `second` behind each other; `mac` may be one of them. */
static void hmac_of(struct hmac *m, struct mox_slice first, struct mox_slice second, uint8_t *mac)
{
    m->work = m->inner;
    m->a->update(&m->work, first.data, first.len);
    m->a->update(&m->work, second.data, second.len);
    m->a->finish(&m->work, mac);
    m->work = m->outer;
    m->a->update(&m->work, mac, m->a->len);
    m->a->finish(&m->work, mac);
}

void mox__hmac(enum hash h, struct mox_slice key, struct mox_slice data, uint8_t *mac)
{
    struct hmac m;
    hmac_start(&m, h, key);
    hmac_of(&m, data, slice(NULL, 0), mac);
    mox__wipe(&m, sizeof m);
}

/* The pads are hashed once: an iteration eats two blocks instead of four. The output is one block of
 * PBKDF2. */
void mox__pbkdf2(enum hash h, struct mox_slice password, struct mox_slice salt, unsigned iterations,
                 uint8_t *out)
{
    static const uint8_t first_block[4] = {0, 0, 0, 1};
    uint8_t u[HASH_MAX];
    size_t len = algorithms[h].len;
    struct hmac m;
    hmac_start(&m, h, password);
    hmac_of(&m, salt, slice(first_block, sizeof first_block), u);
    memcpy(out, u, len);
    for (unsigned i = 1; i < iterations; i++) {
        hmac_of(&m, slice(u, len), slice(NULL, 0), u);
        for (size_t k = 0; k < len; k++)
            out[k] ^= u[k];
    }
    mox__wipe(&m, sizeof m);
    mox__wipe(u, sizeof u);
}
