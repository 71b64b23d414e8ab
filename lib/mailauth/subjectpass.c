/* SPDX-License-Identifier: MIT */
#include <mox/subjectpass.h>

#include <mox/dns.h>
#include <mox/header.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "message/address.h"
#include "message/text.h"

/* A token is 16 bytes in base64url:
 *
 *     version, 4 bits: 0 | Unix time, its bits 35..8 | the first 12 bytes of
 *     HMAC-SHA256(key, these first 4 bytes and the address)
 */
#define TOKEN_BYTES 16
#define HEAD_BYTES  4
#define MAC_BYTES   (TOKEN_BYTES - HEAD_BYTES)
#define TOKEN_TEXT  22 /* in base64url, without padding */

#define SUBJECT_MAX   16384 /* no mailer writes a longer one; what is behind is not looked at */
#define LOCALPART_MAX 1024
#define HOST_MAX      4096

static const char begin_mark[] = "(pass:";

/* The localpart as it is written: in quotes unless it is a dot-atom (RFC 5321 §4.1.2). */
static void add_localpart(struct buf *out, struct mox_slice s)
{
    bool quoted = s.len == 0 || s.data[0] == '.' || s.data[s.len - 1] == '.';
    for (size_t i = 0; i < s.len; i++)
        quoted = quoted || s.data[i] <= ' ' || s.data[i] == 0x7f ||
                 strchr("()<>[]:;@\\,\"", s.data[i]) != NULL ||
                 (s.data[i] == '.' && i + 1 < s.len && s.data[i + 1] == '.');
    if (quoted)
        mox__buf_quoted(out, s);
    else
        mox__buf_slice(out, s);
}

static int write_address(struct buf *out, struct mox_slice localpart, struct mox_slice host)
{
    struct mox_domain domain;
    if (localpart.len > LOCALPART_MAX || host.len > HOST_MAX)
        return MOX_ENOTFOUND;
    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--;
    int rc = mox_domain_parse(&domain, host, MOX_DOMAIN_UNDERSCORES);
    if (rc != MOX_OK)
        return rc == MOX_ENOMEM ? rc : MOX_ENOTFOUND;
    add_localpart(out, localpart);
    mox__buf_byte(out, '@');
    mox__buf_text(out, domain.unicode);
    return out->failed ? MOX_ENOMEM : MOX_OK;
}

/* Appends the one address in From. */
static int find_from(const struct mox_env *env, struct mox_slice headers, struct buf *out)
{
    struct buf localpart, host;
    mox__buf_init(&localpart, env, headers.len);
    mox__buf_init(&host, env, headers.len);
    enum from_status status = mox__address_from(env, headers, &localpart, &host);
    int rc = status == FROM_NOMEM ? MOX_ENOMEM : MOX_ENOTFOUND;
    if (status == FROM_ONE)
        rc = write_address(out, slice(localpart.data, localpart.len), slice(host.data, host.len));
    mox__buf_free(&host);
    mox__buf_free(&localpart);
    return rc;
}

/* The MAC over the token's head, which is in front in `signed_text`, and the address. */
static void sign(struct mox_slice key, struct mox_slice signed_text, uint8_t mac[HASH_MAX])
{
    mox__hmac(HASH_SHA256, key, signed_text, mac);
}

static void init_signed(struct buf *b, const struct mox_env *env)
{
    mox__buf_init(b, env, HEAD_BYTES + 2 * LOCALPART_MAX + 4 + MOX_DOMAIN_UNICODE_MAX);
}

int mox_subjectpass_generate(const struct mox_env *env, struct mox_slice headers,
                             struct mox_slice key, int64_t now_us,
                             char out[MOX_SUBJECTPASS_LEN + 1])
{
    uint64_t seconds = now_us < 0 ? 0 : (uint64_t)now_us / 1000000;
    const uint8_t head[HEAD_BYTES] = {(uint8_t)(seconds >> 32 & 15), (uint8_t)(seconds >> 24),
                                      (uint8_t)(seconds >> 16), (uint8_t)(seconds >> 8)};
    uint8_t mac[HASH_MAX], token[TOKEN_BYTES];
    struct buf text, token_text = buf_over(out, MOX_SUBJECTPASS_LEN);
    out[0] = '\0';
    init_signed(&text, env);
    mox__buf_append(&text, head, sizeof head);
    int rc = find_from(env, headers, &text);
    if (rc == MOX_OK) {
        sign(key, slice(text.data, text.len), mac);
        memcpy(token, head, HEAD_BYTES);
        memcpy(token + HEAD_BYTES, mac, MAC_BYTES);
        mox__buf_text(&token_text, begin_mark);
        mox__base64url_encode(&token_text, slice(token, sizeof token));
        mox__buf_byte(&token_text, ')');
        out[token_text.len] = '\0';
    }
    mox__wipe(mac, sizeof mac);
    mox__buf_free(&text);
    return rc;
}

/* The token's bytes; MOX_ENOTFOUND: the subject has none, MOX_ESYNTAX: one that is none of ours. */
static int read_token(struct mox_slice subject, uint8_t token[TOKEN_BYTES])
{
    const uint8_t *at = subject.len == 0
                            ? NULL
                            : memmem(subject.data, subject.len, begin_mark, sizeof begin_mark - 1);
    if (at == NULL)
        return MOX_ENOTFOUND;
    struct mox_slice rest =
        slice_from(subject, (size_t)(at - subject.data) + sizeof begin_mark - 1);
    const uint8_t *end = rest.len == 0 ? NULL : memchr(rest.data, ')', rest.len);
    if (end == NULL)
        return MOX_ENOTFOUND;
    char text[TOKEN_TEXT + 2];
    if (end - rest.data != TOKEN_TEXT)
        return MOX_ESYNTAX;
    for (size_t i = 0; i < TOKEN_TEXT; i++) {
        uint8_t c = rest.data[i];
        if (c == '+' || c == '/')
            return MOX_ESYNTAX;
        text[i] = c == '-' ? '+' : c == '_' ? '/' : (char)c;
    }
    memcpy(text + TOKEN_TEXT, "==", 2);
    struct buf bytes = buf_over(token, TOKEN_BYTES);
    if (mox__base64_decode(&bytes, slice(text, sizeof text)) != MOX_OK || bytes.len != TOKEN_BYTES)
        return MOX_ESYNTAX;
    return MOX_OK;
}

/* The first token of the first Subject, its encoded words decoded. */
static int find_token(const struct mox_env *env, struct mox_slice headers,
                      uint8_t token[TOKEN_BYTES])
{
    struct mox_slice value;
    struct buf subject;
    if (!mox_header_find(headers, "Subject", &value))
        return MOX_ENOTFOUND;
    if (value.len > SUBJECT_MAX)
        value.len = SUBJECT_MAX;
    mox__buf_init(&subject, env, 4 * SUBJECT_MAX); /* characters of other charsets become longer */
    mox__encoded_words(&subject, NULL, value);
    int rc = subject.failed ? MOX_ENOMEM : read_token(slice(subject.data, subject.len), token);
    mox__buf_free(&subject);
    return rc;
}

static int64_t made_at_us(const uint8_t token[TOKEN_BYTES])
{
    int64_t seconds = 0;
    for (size_t i = 0; i < HEAD_BYTES; i++)
        seconds = seconds << 8 | (i == 0 ? token[i] & 15 : token[i]);
    return (seconds << 8) * 1000000;
}

static int judge(const uint8_t token[TOKEN_BYTES], const uint8_t mac[HASH_MAX], int64_t max_age_us,
                 int64_t now_us, struct mox_error *err)
{
    if (!mox__secret_eq(token + HEAD_BYTES, mac, MAC_BYTES))
        return mox__fail(err, MOX_EDENIED, "the token in the subject was not made for this sender");
    if (now_us - made_at_us(token) > max_age_us)
        return mox__fail(err, MOX_EDENIED, "the token in the subject is too old");
    return MOX_OK;
}

bool mox_subjectpass_is_there(const struct mox_env *env, struct mox_slice headers)
{
    uint8_t token[TOKEN_BYTES];
    return find_token(env, headers, token) != MOX_ENOTFOUND;
}

int mox_subjectpass_verify(const struct mox_env *env, struct mox_slice headers,
                           struct mox_slice key, int64_t max_age_us, int64_t now_us,
                           struct mox_error *err)
{
    uint8_t token[TOKEN_BYTES], mac[HASH_MAX];
    struct buf text;
    int rc = find_token(env, headers, token);
    if (rc == MOX_ESYNTAX || (rc == MOX_OK && token[0] >> 4 != 0))
        return mox__fail(err, MOX_EDENIED, "the token in the subject is not one of ours");
    if (rc != MOX_OK)
        return rc == MOX_ENOMEM ? mox__fail(err, rc, "read the subject: out of memory")
                                : mox__fail(err, rc, "the subject has no token");
    init_signed(&text, env);
    mox__buf_append(&text, token, HEAD_BYTES);
    rc = find_from(env, headers, &text);
    if (rc == MOX_OK) {
        sign(key, slice(text.data, text.len), mac);
        rc = judge(token, mac, max_age_us, now_us, err);
        mox__wipe(mac, sizeof mac);
    } else {
        rc = mox__fail(err, rc,
                       rc == MOX_ENOMEM ? "read From: out of memory"
                                        : "From has not exactly one address");
    }
    mox__buf_free(&text);
    return rc;
}
