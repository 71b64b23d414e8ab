/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "sasl/client.h"
#include "sasl/scram.h"

/* SCRAM-SHA-1, SCRAM-SHA-256 (RFC 5802, RFC 7677) and their -PLUS. We prove the password without
 * showing it, and the server that it has its record; is_done is that it has. */

enum { SAYS_FIRST, SAYS_FINAL, VERIFIES, ENDED };

#define SERVER_FIRST_MAX MOX_SASL_RESPONSE_MAX
#define SALT_MIN         8 /* bytes: fewer would let one computation serve for many users */
#define SALT_MAX         1024
#define FIXED            64 /* of a message: what is neither name, nonce nor base64 */

/* RFC 5802 §6: which of the two servers can that, and whether we saw that this one can. */
static const char *choose_flag(struct mox_sasl_client *c)
{
    bool can_bind = c->channel.has_exporter || c->channel.end_point_len > 0;
    if (mox__scram_is_plus(c->id)) {
        c->scram.binding = c->channel.has_exporter ? BINDING_EXPORTER : BINDING_END_POINT;
        return "p=";
    }
    return can_bind && (c->offered & (unsigned)mox__scram_plus(c->id)) == 0 ? "y" : "n";
}

static int start(struct mox_sasl_client *c)
{
    uint8_t random[SCRAM_RANDOM];
    struct buf *header = &c->scram.header, *message = &c->scram.message;
    size_t names = strlen(c->username) + strlen(c->authorize);
    c->env.random(c->env.user, random, sizeof random);
    mox__base64_text(c->nonce, sizeof c->nonce, slice(random, sizeof random));
    header->max = 3 * names + FIXED;
    message->max = 3 * names + FIXED + SASL_CLIENT_NONCE_MAX + 2 * (SERVER_FIRST_MAX + FIXED) +
                   4 * (header->max + sizeof c->channel.end_point);
    mox__buf_text(header, choose_flag(c));
    mox__buf_text(header, mox__gs2_binding_name(c->scram.binding));
    mox__buf_text(header, ",");
    if (c->authorize[0] != '\0')
        mox__buf_text(header, "a=");
    mox__saslname_encode(header, c->authorize);
    mox__buf_text(header, ",");
    return header->failed ? MOX_ENOMEM : MOX_OK;
}

static int say_first(struct mox_sasl_client *c)
{
    struct buf *message = &c->scram.message;
    mox__buf_text(message, "n=");
    mox__saslname_encode(message, c->username);
    mox__buf_text(message, ",r=");
    mox__buf_text(message, c->nonce);
    if (message->failed || mox__sasl_respond(c, c->scram.header.len + message->len) < 0)
        return MOX_ENOMEM;
    mox__buf_append(&c->out, c->scram.header.data, c->scram.header.len);
    mox__buf_append(&c->out, message->data, message->len);
    c->phase = SAYS_FINAL;
    return MOX_OK;
}

/* ---- server-first ---- */

struct server_first {
    struct mox_slice nonce;
    uint8_t salt[SALT_MAX];
    size_t salt_len;
    unsigned iterations;
};

static int check_nonce(const struct mox_sasl_client *c, struct mox_slice nonce)
{
    size_t ours = strlen(c->nonce);
    if (nonce.len < ours + SCRAM_NONCE_MIN || memcmp(nonce.data, c->nonce, ours) != 0)
        return MOX_EDENIED; /* what it signs could be from yesterday */
    return mox__scram_is_nonce(nonce) ? MOX_OK : MOX_ESYNTAX;
}

static int parse_server_first(const struct mox_sasl_client *c, struct mox_slice challenge,
                              struct server_first *f)
{
    struct mox_slice rest = challenge, salt, iterations;
    struct buf bytes = buf_over(f->salt, sizeof f->salt);
    uint64_t number;
    if (!mox__scram_take(&rest, 'r', &f->nonce) || !mox__scram_take(&rest, 's', &salt) ||
        !mox__scram_take(&rest, 'i', &iterations) ||
        mox__scram_skip(&rest, 0) != EXTENSIONS_FINE || /* also one that we would have to know */
        !mox__slice_uint(iterations, UINT32_MAX, &number) ||
        mox__base64_decode(&bytes, salt) != MOX_OK)
        return MOX_ESYNTAX;
    f->salt_len = bytes.len;
    f->iterations = (unsigned)number;
    int rc = check_nonce(c, f->nonce);
    if (rc == MOX_OK && (f->salt_len < SALT_MIN || f->iterations < c->min_iterations ||
                         f->iterations > c->max_iterations))
        rc = MOX_EDENIED;
    return rc;
}

/* ---- client-final ---- */

/* "c=", header and channel in base64, "r=" and both nonces. */
static int put_final(struct mox_sasl_client *c, struct buf *out, struct mox_slice nonce)
{
    struct buf binding;
    mox__buf_init(&binding, &c->env, c->scram.header.len + sizeof c->channel.end_point);
    mox__buf_append(&binding, c->scram.header.data, c->scram.header.len);
    mox__buf_slice(&binding, mox__sasl_channel_bytes(&c->channel, c->scram.binding));
    mox__buf_text(out, "c=");
    mox__base64_encode(out, slice(binding.data, binding.len));
    mox__buf_text(out, ",r=");
    mox__buf_slice(out, nonce);
    int rc = out->failed || binding.failed ? MOX_ENOMEM : MOX_OK;
    mox__buf_free(&binding);
    return rc;
}

/* RFC 5802 §3: the proof is our key, hidden by the signature of who knows its hash. */
static int prove(struct mox_sasl_client *c, const struct server_first *f, uint8_t proof[HASH_MAX])
{
    struct scram_keys keys;
    struct buf password;
    enum hash h = mox__scram_hash(c->id);
    size_t len = mox__hash_len(h);
    struct mox_slice message = slice(c->scram.message.data, c->scram.message.len);
    int rc = mox__sasl_client_password(c, &password);
    if (rc == MOX_OK) {
        mox__scram_keys(h, slice(password.data, password.len), slice(f->salt, f->salt_len),
                        f->iterations, &keys);
        mox__hmac(h, slice(keys.stored, len), message, proof);
        for (size_t i = 0; i < len; i++)
            proof[i] ^= keys.client[i];
        mox__hmac(h, slice(keys.server, len), message, c->scram.signature);
        mox__wipe(&keys, sizeof keys);
    }
    if (password.data != NULL)
        mox__wipe(password.data, password.cap);
    mox__buf_free(&password);
    return rc;
}

static int say_final(struct mox_sasl_client *c, struct mox_slice challenge)
{
    struct server_first f;
    struct buf *message = &c->scram.message;
    uint8_t proof[HASH_MAX];
    if (challenge.len > SERVER_FIRST_MAX)
        return MOX_ESYNTAX;
    if (challenge.len > 1 && challenge.data[0] == 'e' && challenge.data[1] == '=')
        return MOX_EDENIED;
    int rc = parse_server_first(c, challenge, &f);
    if (rc < 0)
        return rc;
    mox__buf_byte(message, ',');
    mox__buf_slice(message, challenge);
    mox__buf_byte(message, ',');
    size_t from = message->len;
    if (put_final(c, message, f.nonce) < 0 || prove(c, &f, proof) < 0 ||
        mox__sasl_respond(c, message->len - from + FIXED) < 0)
        return MOX_ENOMEM;
    mox__buf_append(&c->out, message->data + from, message->len - from);
    mox__buf_text(&c->out, ",p=");
    mox__base64_encode(&c->out, slice(proof, mox__hash_len(mox__scram_hash(c->id))));
    c->phase = VERIFIES;
    return MOX_OK;
}

/* ---- server-final ---- */

static int verify(struct mox_sasl_client *c, struct mox_slice challenge)
{
    uint8_t bytes[HASH_MAX + 3]; /* base64 decodes three bytes at once */
    struct buf b = buf_over(bytes, sizeof bytes);
    struct mox_slice rest = challenge, signature;
    size_t len = mox__hash_len(mox__scram_hash(c->id));
    if (challenge.len > 1 && challenge.data[0] == 'e' && challenge.data[1] == '=')
        return MOX_EDENIED;
    if (!mox__scram_take(&rest, 'v', &signature) || mox__scram_skip(&rest, 0) != EXTENSIONS_FINE)
        return MOX_ESYNTAX;
    if (mox__base64_decode(&b, signature) != MOX_OK || b.len != len ||
        !mox__secret_eq(bytes, c->scram.signature, len))
        return MOX_EDENIED;
    c->is_done = true;
    c->phase = ENDED;
    return mox__sasl_respond(c, 0);
}

static int step(struct mox_sasl_client *c, struct mox_slice challenge)
{
    switch (c->phase) {
    case SAYS_FIRST:
        return say_first(c);
    case SAYS_FINAL:
        return say_final(c, challenge);
    case VERIFIES:
        return verify(c, challenge);
    default:
        return MOX_ESYNTAX;
    }
}

const struct client_mechanism mox__sasl_client_scram = {
    .ids = MOX_SASL_SCRAM_SHA_1 | MOX_SASL_SCRAM_SHA_1_PLUS | MOX_SASL_SCRAM_SHA_256 |
           MOX_SASL_SCRAM_SHA_256_PLUS,
    .needs = CLIENT_NEEDS_PASSWORD | CLIENT_SPEAKS_FIRST,
    .start = start,
    .step = step,
};
