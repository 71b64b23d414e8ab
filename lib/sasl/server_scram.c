/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "dns/nfc.h"
#include "sasl/scram.h"
#include "sasl/server.h"

/* SCRAM-SHA-1, SCRAM-SHA-256 (RFC 5802, RFC 7677) and their -PLUS.
 *
 *   client-first ──RECORD?──▶ server-first ──▶ client-final ──ADMIT?──▶ server-final ──▶ empty
 *
 * A user without a record gets an invented one and goes the same way to the same end, so that nobody
 * learns who exists. A mistake of the client is told as "e=…", to which it answers once more. */

enum { AWAITS_FIRST, AWAITS_FINAL, AWAITS_LAST };

/* Two messages of the client, and what is ours between them. */
#define MESSAGE_MAX   (2 * MOX_SASL_RESPONSE_MAX + 1024)
#define INVENTED_SALT 12 /* bytes; as many as a real one has */

/* What a client can do wrong, and how it is told: with server-error-value of RFC 5802 §7, or not at
 * all, where it does not speak SCRAM. */
enum mistake {
    FINE = 0,
    NO_SCRAM,
    NO_MEMORY,
    NOT_UTF8,
    BAD_NAME,
    NAME_NOT_NFC,
    OTHER_IDENTITY,
    MUST_KNOW,
    DOWNGRADED,
    UNBOUND,
    NO_CHANNEL,
    UNKNOWN_BINDING,
    BAD_NONCE,
    BINDING_NOT_BASE64,
    OTHER_CHANNEL,
    PROOF_NOT_BASE64,
    WRONG_PROOF
};

static const struct {
    enum mox_sasl_failure failure;
    const char *said; /* NULL: the exchange ends at once */
    const char *text; /* for the log */
} mistakes[] = {
    [NO_SCRAM] = {MOX_SASL_FAILED_SYNTAX, NULL, "not a message of SCRAM"},
    [NO_MEMORY] = {MOX_SASL_FAILED_MEMORY, NULL, ""},
    [NOT_UTF8] = {MOX_SASL_FAILED_ENCODING, "e=invalid-encoding", "not UTF-8"},
    [BAD_NAME] = {MOX_SASL_FAILED_ENCODING, "e=invalid-username-encoding",
                  "a name that is empty, too long or wrongly escaped"},
    [NAME_NOT_NFC] = {MOX_SASL_FAILED_ENCODING, "e=invalid-username-encoding",
                      "a name that is not NFC"},
    [OTHER_IDENTITY] = {MOX_SASL_FAILED_AUTHORIZATION, "e=other-error", ""},
    [MUST_KNOW] = {MOX_SASL_FAILED_PROTOCOL, "e=extensions-not-supported", "a mandatory extension"},
    [DOWNGRADED] = {MOX_SASL_FAILED_BINDING, "e=server-does-support-channel-binding",
                    "the client did not see that -PLUS was offered"},
    [UNBOUND] = {MOX_SASL_FAILED_PROTOCOL, "e=other-error", "-PLUS without a channel binding"},
    [NO_CHANNEL] = {MOX_SASL_FAILED_BINDING, "e=channel-binding-not-supported",
                    "a channel binding without TLS"},
    [UNKNOWN_BINDING] = {MOX_SASL_FAILED_PROTOCOL, "e=unsupported-channel-binding-type",
                         "a channel binding that is not known here"},
    [BAD_NONCE] = {MOX_SASL_FAILED_PROTOCOL, "e=other-error", "a nonce too short or too long"},
    [BINDING_NOT_BASE64] = {MOX_SASL_FAILED_ENCODING, "e=invalid-encoding",
                            "a channel binding that is not base64"},
    [OTHER_CHANNEL] = {MOX_SASL_FAILED_BINDING, "e=channel-bindings-dont-match",
                       "the client's channel is another one: somebody may be in between"},
    [PROOF_NOT_BASE64] = {MOX_SASL_FAILED_ENCODING, "e=invalid-encoding",
                          "a proof that is not base64"},
    [WRONG_PROOF] = {MOX_SASL_FAILED_CREDENTIALS, "e=invalid-proof", ""},
};

static enum mox_sasl_step tell(struct mox_sasl_server *s, enum mistake m)
{
    return mistakes[m].said == NULL
               ? mox__sasl_fail(s, mistakes[m].failure, mistakes[m].text)
               : mox__sasl_fail_after(s, mistakes[m].failure, mistakes[m].text, mistakes[m].said);
}

static const char *record_name(const struct mox_sasl_server *s)
{
    return mox__scram_hash(s->id) == HASH_SHA1 ? "scram-sha-1" : "scram-sha-256";
}

static void start(struct mox_sasl_server *s, const char *hostname)
{
    uint8_t random[SCRAM_RANDOM];
    (void)hostname;
    mox__buf_init(&s->scram.header, &s->env, MOX_SASL_RESPONSE_MAX);
    mox__buf_init(&s->scram.message, &s->env, MESSAGE_MAX);
    s->env.random(s->env.user, random, sizeof random);
    mox__base64_text(s->unique, sizeof s->unique, slice(random, sizeof random));
}

/* ---- client-first ---- */

/* RFC 5802 §6. A client that binds although it took the name without -PLUS is welcome: some do. */
static enum mistake check_flag(const struct mox_sasl_server *s, const struct gs2_header *header)
{
    bool offered = (s->offered & (unsigned)mox__scram_plus(s->id)) != 0;
    if (header->flag == GS2_NOT_SEEN && offered)
        return DOWNGRADED;
    if (header->flag != GS2_BOUND)
        return mox__scram_is_plus(s->id) ? UNBOUND : FINE;
    const struct sasl_channel *c = &s->channel;
    if (!c->has_exporter && c->end_point_len == 0 && c->unique_len == 0)
        return NO_CHANNEL;
    bool is_known = mox__sasl_channel_bytes(c, header->binding).data != NULL;
    return is_known ? FINE : UNKNOWN_BINDING;
}

/* RFC 5802 §5.1 wants names prepared by the client; NFC is what that means since RFC 8265 §3.4. */
static enum mistake check_name(const struct mox_sasl_server *s, struct mox_slice saslname,
                               char out[MOX_SASL_USERNAME_MAX])
{
    struct buf normal;
    if (!mox__saslname_decode(out, MOX_SASL_USERNAME_MAX, saslname))
        return BAD_NAME;
    mox__buf_init(&normal, &s->env, MOX_SASL_USERNAME_MAX * 3); /* NFC may lengthen */
    int rc = mox__nfc(&normal, slice_of(out));
    bool same = rc == MOX_OK && mox__slice_is(slice(normal.data, normal.len), out);
    mox__buf_free(&normal);
    return rc == MOX_ENOMEM ? NO_MEMORY : same ? FINE : NAME_NOT_NFC;
}

static enum mistake check_names(struct mox_sasl_server *s, struct mox_slice username,
                                struct mox_slice authorize)
{
    char other[MOX_SASL_USERNAME_MAX];
    enum mistake m = check_name(s, username, s->username);
    if (m != FINE || authorize.data == NULL)
        return m;
    m = check_name(s, authorize, other);
    return m == FINE && strcmp(other, s->username) != 0 ? OTHER_IDENTITY : m;
}

static enum mistake check_extensions(struct mox_slice *rest, uint8_t end)
{
    enum scram_extensions found = mox__scram_skip(rest, end);
    return found == EXTENSIONS_BAD ? NO_SCRAM : found == EXTENSIONS_MANDATORY ? MUST_KNOW : FINE;
}

/* What comes behind the header. */
static enum mistake parse_first(struct mox_slice bare, struct mox_slice *username,
                                struct mox_slice *nonce)
{
    if (!mox__sasl_is_text(bare))
        return NOT_UTF8;
    if (bare.len > 1 && bare.data[0] == 'm' && bare.data[1] == '=')
        return MUST_KNOW;
    if (!mox__scram_take(&bare, 'n', username) || !mox__scram_take(&bare, 'r', nonce) ||
        !mox__scram_is_nonce(*nonce))
        return NO_SCRAM;
    return check_extensions(&bare, 0);
}

/* Keeps of client-first what the proof is about: the header, and the message as far as it is known;
 * the numbers of the record follow when that is there. */
static enum mistake keep_first(struct mox_sasl_server *s, const struct gs2_header *header,
                               struct mox_slice bare, struct mox_slice nonce)
{
    struct scram_server *x = &s->scram;
    x->binding = header->binding;
    mox__buf_slice(&x->header, header->whole);
    mox__buf_slice(&x->message, bare);
    mox__buf_text(&x->message, ",r=");
    x->nonce_at = x->message.len;
    mox__buf_slice(&x->message, nonce);
    mox__buf_text(&x->message, s->unique);
    x->nonce_len = x->message.len - x->nonce_at;
    return x->header.failed || x->message.failed ? NO_MEMORY : FINE;
}

static enum mox_sasl_step take_first(struct mox_sasl_server *s, struct mox_slice response)
{
    struct gs2_header header;
    struct mox_slice bare = response, username, nonce;
    if (!mox__gs2_take(&bare, &header))
        return tell(s, NO_SCRAM);
    enum mistake m = parse_first(bare, &username, &nonce);
    if (m == FINE)
        m = check_flag(s, &header);
    if (m == FINE)
        m = check_names(s, username, header.authorize);
    if (m == FINE && (nonce.len < SCRAM_NONCE_MIN || nonce.len > SCRAM_NONCE_MAX))
        m = BAD_NONCE;
    if (m == FINE)
        m = keep_first(s, &header, bare, nonce);
    if (m != FINE)
        return tell(s, m);
    s->question.record = record_name(s);
    return mox__sasl_ask(s, MOX_SASL_ASK_RECORD);
}

/* ---- the record, and server-first ---- */

/* A record that no password fits. Its salt is the same each time for all spellings of a name, as that
 * of a user would be; `canonical` is the host's word for them, or empty. */
static void invent_record(struct mox_sasl_server *s, const char *canonical)
{
    struct scram_record *r = &s->scram.record;
    enum hash h = mox__scram_hash(s->id);
    char text[MOX_SASL_USERNAME_MAX + 16];
    uint8_t mac[HASH_MAX];
    int len = snprintf(text, sizeof text, "%s:%s", record_name(s),
                       canonical[0] == '\0' ? s->username : canonical);
    for (int i = 0; i < len; i++)
        text[i] = (char)to_lower((uint8_t)text[i]);
    mox__hmac(HASH_SHA256, slice(s->secret, sizeof s->secret), slice(text, (size_t)len), mac);
    *r = (struct scram_record){
        .hash = h,
        .iterations = h == HASH_SHA1 ? SCRAM_ITERATIONS_SHA1 : SCRAM_ITERATIONS_SHA256,
        .salt_len = INVENTED_SALT,
    };
    memcpy(r->salt, mac, r->salt_len);
    s->env.random(s->env.user, r->stored_key, sizeof r->stored_key);
    s->env.random(s->env.user, r->server_key, sizeof r->server_key);
}

static enum mox_sasl_step say_first(struct mox_sasl_server *s)
{
    struct scram_server *x = &s->scram;
    size_t from = x->nonce_at - 2; /* "r=" */
    mox__buf_text(&x->message, ",s=");
    mox__base64_encode(&x->message, slice(x->record.salt, x->record.salt_len));
    mox__buf_text(&x->message, ",i=");
    mox__buf_uint(&x->message, x->record.iterations);
    if (x->message.failed)
        return tell(s, NO_MEMORY);
    s->phase = AWAITS_FINAL;
    return mox__sasl_challenge(s, slice(x->message.data + from, x->message.len - from));
}

static enum mox_sasl_step take_record(struct mox_sasl_server *s, int status,
                                      const struct mox_sasl_answer *answer)
{
    enum hash h = mox__scram_hash(s->id);
    switch (status) {
    case MOX_OK:
        s->has_record = mox__scram_parse(&s->scram.record, h, answer->record) == MOX_OK;
        if (!s->has_record)
            mox__sasl_lacks_record(s, "damaged");
        break;
    case MOX_ENOTFOUND:
        mox__sasl_lacks_record(s, "no");
        break;
    case MOX_EDENIED:
    case MOX_EREFUSED:
        break;
    default:
        return mox__sasl_conclude(s, status, answer);
    }
    if (!s->has_record)
        invent_record(s, answer->username);
    return say_first(s);
}

/* ---- client-final ---- */

struct client_final {
    struct mox_slice binding, nonce, proof, without_proof;
};

static enum mistake parse_final(struct mox_slice response, struct client_final *f)
{
    struct mox_slice rest = response;
    if (!mox__sasl_is_text(response))
        return NOT_UTF8;
    if (!mox__scram_take(&rest, 'c', &f->binding) || !mox__scram_take(&rest, 'r', &f->nonce))
        return NO_SCRAM;
    enum mistake m = check_extensions(&rest, 'p');
    if (m != FINE)
        return m;
    if (rest.data == NULL)
        return NO_SCRAM;
    f->without_proof = slice(response.data, (size_t)(rest.data - response.data) - 1);
    return mox__scram_take(&rest, 'p', &f->proof) && rest.data == NULL ? FINE : NO_SCRAM;
}

/* "c=" repeats the header and shows the channel as the client sees it (RFC 5802 §7). */
static enum mistake check_binding(const struct mox_sasl_server *s, struct mox_slice said)
{
    const struct scram_server *x = &s->scram;
    struct buf b;
    mox__buf_init(&b, &s->env, MOX_SASL_RESPONSE_MAX);
    int rc = mox__base64_decode(&b, said);
    enum mistake m = rc == MOX_OK       ? OTHER_CHANNEL
                     : rc == MOX_ENOMEM ? NO_MEMORY
                                        : BINDING_NOT_BASE64;
    struct mox_slice decoded = slice(b.data, b.len);
    if (rc == MOX_OK && b.len >= x->header.len &&
        memcmp(b.data, x->header.data, x->header.len) == 0 &&
        mox__sasl_channel_is(&s->channel, x->binding, slice_from(decoded, x->header.len)))
        m = FINE;
    mox__buf_free(&b);
    return m;
}

/* The proof is computed in any case: a user that does not exist takes as long as another. */
static enum mistake check_proof(struct mox_sasl_server *s, const struct client_final *f)
{
    uint8_t proof[HASH_MAX + 3]; /* base64 decodes three bytes at once */
    struct scram_server *x = &s->scram;
    struct buf b = buf_over(proof, sizeof proof);
    bool fits = mox__slice_eq(f->nonce, slice(x->message.data + x->nonce_at, x->nonce_len));
    int rc = mox__base64_decode(&b, f->proof);
    if (rc == MOX_ESYNTAX)
        return PROOF_NOT_BASE64;
    mox__buf_byte(&x->message, ',');
    mox__buf_slice(&x->message, f->without_proof);
    if (x->message.failed)
        return NO_MEMORY;
    bool right = mox__scram_verify(&x->record, slice(x->message.data, x->message.len),
                                   slice(proof, rc == MOX_OK ? b.len : 0), x->signature);
    return right && fits && s->has_record ? FINE : WRONG_PROOF;
}

static enum mox_sasl_step take_final(struct mox_sasl_server *s, struct mox_slice response)
{
    struct client_final f;
    enum mistake m = parse_final(response, &f);
    if (m == FINE)
        m = check_binding(s, f.binding);
    if (m == FINE)
        m = check_proof(s, &f);
    return m == FINE ? mox__sasl_ask(s, MOX_SASL_ASK_ADMIT) : tell(s, m);
}

/* ---- the end ---- */

/* The signature proves to the client that we know its record: only who may log in gets it. */
static enum mox_sasl_step say_final(struct mox_sasl_server *s)
{
    struct scram_server *x = &s->scram;
    memcpy(x->final, "v=", 2);
    mox__base64_text(x->final + 2, sizeof x->final - 2,
                     slice(x->signature, mox__hash_len(x->record.hash)));
    s->phase = AWAITS_LAST;
    return mox__sasl_challenge(s, slice_of(x->final));
}

static enum mox_sasl_step step(struct mox_sasl_server *s, struct mox_slice response)
{
    switch (s->phase) {
    case AWAITS_FIRST:
        return response.data == NULL ? mox__sasl_challenge(s, slice("", 0))
                                     : take_first(s, response);
    case AWAITS_FINAL:
        return take_final(s, response);
    default:
        return response.len == 0 ? mox__sasl_succeed(s) : tell(s, NO_SCRAM);
    }
}

static enum mox_sasl_step answer(struct mox_sasl_server *s, int status,
                                 const struct mox_sasl_answer *given)
{
    if (s->question.ask == MOX_SASL_ASK_RECORD)
        return take_record(s, status, given);
    if (status == MOX_OK)
        return say_final(s);
    if (status == MOX_EDENIED || status == MOX_ENOTFOUND) /* not this user on this connection */
        return tell(s, WRONG_PROOF);
    return mox__sasl_conclude(s, status, given);
}

const struct server_mechanism mox__sasl_server_scram = {
    .ids = MOX_SASL_SCRAM_SHA_1 | MOX_SASL_SCRAM_SHA_1_PLUS | MOX_SASL_SCRAM_SHA_256 |
           MOX_SASL_SCRAM_SHA_256_PLUS,
    .start = start,
    .step = step,
    .answer = answer,
};
