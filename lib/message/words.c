/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "message/charset.h"
#include "message/decode.h"
#include "message/header.h"
#include "message/text.h"

/* "=?charset?B?text?=" (RFC 2047 §2). */
struct word {
    struct mox_slice charset, text; /* the charset without its language (RFC 2231 §5) */
    bool base64;
    size_t len; /* of all */
};

/* The longest charset that is looked for; RFC 2047 §2 allows 75 bytes for a whole word. */
#define CHARSET_MAX 64

/* Takes the bytes in front of the next question mark, and that; false if there is none. */
static bool take_until_mark(struct mox_slice *s, size_t max, struct mox_slice *out)
{
    size_t len = s->len < max ? s->len : max;
    const uint8_t *at = len > 0 ? memchr(s->data, '?', len) : NULL;
    if (at == NULL)
        return false;
    *out = slice(s->data, (size_t)(at - s->data));
    *s = slice_from(*s, out->len + 1);
    return true;
}

/* Whether s starts with an encoded word. White space in its text is wrong but seen, and so is a
 * whole subject in one word. */
static bool word_at(struct mox_slice s, struct word *w)
{
    struct mox_slice rest, encoding;
    if (s.len < 8 || s.data[0] != '=' || s.data[1] != '?')
        return false;
    rest = slice_from(s, 2);
    if (!take_until_mark(&rest, CHARSET_MAX, &w->charset) || w->charset.len == 0 ||
        !take_until_mark(&rest, 2, &encoding))
        return false;
    w->base64 = mox__slice_is_nocase(encoding, "b");
    if (!w->base64 && !mox__slice_is_nocase(encoding, "q"))
        return false;
    if (!take_until_mark(&rest, rest.len, &w->text) || rest.len == 0 || rest.data[0] != '=')
        return false;
    const uint8_t *star = memchr(w->charset.data, '*', w->charset.len);
    if (star != NULL)
        w->charset.len = (size_t)(star - w->charset.data);
    w->len = s.len - rest.len + 1;
    return true;
}

/* Text of words that follow each other, in one charset, until it is converted: some software cuts
 * characters between words, which RFC 2047 §5 forbids. */
struct pending {
    struct charset_pool *charsets;
    struct buf bytes;
    struct mox_slice charset;
};

static void flush(struct buf *out, struct pending *p)
{
    if (p->bytes.len > 0)
        mox__charset_to_utf8(out, p->charsets, p->charset, slice(p->bytes.data, p->bytes.len));
    out->failed |= p->bytes.failed; /* which has room for all that there is */
    mox__buf_clear(&p->bytes);
}

static void add_word(struct buf *out, struct pending *p, const struct word *w)
{
    if (!mox__slice_eq_nocase(p->charset, w->charset))
        flush(out, p);
    p->charset = w->charset;
    if (w->base64)
        mox__b_decode(&p->bytes, w->text);
    else
        mox__q_decode(&p->bytes, w->text);
}

static bool is_blank(struct mox_slice s)
{
    return mox__slice_trim(s).len == 0;
}

/* Where the next word begins, or s.len. */
static size_t find_word(struct mox_slice s, struct word *w)
{
    for (size_t at = 0; at < s.len; at++) {
        const uint8_t *sign = memchr(s.data + at, '=', s.len - at);
        if (sign == NULL)
            break;
        at = (size_t)(sign - s.data);
        if (word_at(slice_from(s, at), w))
            return at;
    }
    return s.len;
}

static void decode_all(struct buf *out, struct pending *p, struct mox_slice s)
{
    bool after_word = false;
    while (s.len > 0 && !out->failed) {
        struct word w;
        struct mox_slice text = slice(s.data, find_word(s, &w));
        bool found = text.len < s.len;
        if (text.len > 0 && !(after_word && found && is_blank(text))) { /* RFC 2047 §6.2 */
            flush(out, p);
            mox__charset_to_utf8(out, p->charsets, slice("", 0), text);
        }
        if (!found)
            break;
        add_word(out, p, &w);
        s = slice_from(s, text.len + w.len);
        after_word = true;
    }
    flush(out, p);
}

void mox__encoded_words(struct buf *out, struct charset_pool *charsets, struct mox_slice value)
{
    struct charset_pool own = {.count = 0};
    struct buf line;
    struct pending p = {.charsets = charsets != NULL ? charsets : &own, .charset = slice("", 0)};
    mox__buf_init(&line, out->env, value.len);
    mox__buf_init(&p.bytes, out->env, value.len);
    mox__header_unfold(&line, value);
    if (line.len > 0)
        decode_all(out, &p, slice(line.data, line.len));
    out->failed |= line.failed;
    mox__buf_free(&p.bytes);
    mox__buf_free(&line);
    mox__charset_pool_close(&own);
}
