/* SPDX-License-Identifier: MIT */
#include "message/text.h"

#include <string.h>

#include "base/text.h"
#include "message/content.h"
#include "message/decode.h"

static int decode(const struct mox_part *part, struct mox_slice content, mox__sink *sink,
                  void *user)
{
    struct mox_slice body = mox_part_body(part, content);
    if (part->encoding == MOX_ENCODING_BASE64)
        return mox__base64_pieces(body, sink, user);
    if (part->encoding == MOX_ENCODING_QP)
        return mox__qp_pieces(body, sink, user);
    return mox__plain_pieces(body, sink, user);
}

/* Makes bare LFs CRLF. */
struct line_ends {
    mox__sink *sink;
    void *user;
    uint8_t last; /* byte of the piece before */
};

static int with_crlf(void *user, struct mox_slice piece)
{
    struct line_ends *e = user;
    int rc = MOX_OK;
    size_t from = 0; /* not yet given on */
    for (size_t at = 0; at < piece.len;) {
        const uint8_t *lf = memchr(piece.data + at, '\n', piece.len - at);
        if (lf == NULL)
            break;
        at = (size_t)(lf - piece.data);
        if ((at > 0 ? piece.data[at - 1] : e->last) != '\r') {
            if (at > from)
                rc = e->sink(e->user, slice(piece.data + from, at - from));
            if (rc == MOX_OK)
                rc = e->sink(e->user, slice("\r", 1));
            if (rc != MOX_OK)
                return rc;
            from = at;
        }
        at++;
    }
    e->last = piece.data[piece.len - 1];
    return e->sink(e->user, slice_from(piece, from));
}

/* Charsets in which LF is more than one byte, RFC 2046 §4.1.2 or not. */
static bool is_wide(struct mox_slice charset)
{
    return mox__slice_starts_nocase(charset, "utf-16") ||
           mox__slice_starts_nocase(charset, "utf-32") ||
           mox__slice_starts_nocase(charset, "ucs-") ||
           mox__slice_starts_nocase(charset, "iso-10646-ucs");
}

int mox__part_decode(const struct mox_part *part, struct mox_slice content,
                     int (*sink)(void *user, struct mox_slice bytes), void *user)
{
    if (!mox_part_is_text(part) || is_wide(part->charset))
        return decode(part, content, sink, user);
    struct line_ends e = {.sink = sink, .user = user};
    return decode(part, content, with_crlf, &e);
}

struct conversion {
    struct charset charset;
    mox__sink *sink;
    void *user;
};

static int convert(void *user, struct mox_slice piece)
{
    struct conversion *c = user;
    return mox__charset_convert(&c->charset, piece, c->sink, c->user);
}

int mox__part_text(struct charset_pool *charsets, const struct mox_part *part,
                   struct mox_slice content, int (*sink)(void *user, struct mox_slice utf8),
                   void *user)
{
    struct charset_pool own = {.count = 0};
    struct conversion c = {.sink = sink, .user = user};
    mox__charset_open(&c.charset, charsets != NULL ? charsets : &own, part->charset);
    int rc = decode(part, content, convert, &c);
    if (rc == MOX_OK)
        rc = mox__charset_finish(&c.charset, sink, user);
    mox__charset_pool_close(&own);
    return rc;
}

/* A parameter as UTF-8; whether it is there. */
static bool put_name(struct buf *out, struct params p, const char *name)
{
    struct charset_pool charsets = {.count = 0};
    struct buf text;
    struct mox_slice charset;
    mox__buf_init(&text, out->env, out->max);
    bool found = mox__param_value(p, name, &text, &charset);
    if (charset.len > 0)
        mox__charset_to_utf8(out, &charsets, charset, slice(text.data, text.len));
    else
        mox__encoded_words(out, &charsets, slice(text.data, text.len));
    out->failed |= text.failed;
    mox__buf_free(&text);
    mox__charset_pool_close(&charsets);
    return found;
}

void mox__part_filename(struct buf *out, const struct mox_part *part)
{
    struct mox_slice type, subtype;
    struct params p = {.text = part->fields[MOX_FIELD_DISPOSITION]};
    (void)mox__content_token(&p);
    if (put_name(out, p, "filename"))
        return;
    if (mox__content_type(part->fields[MOX_FIELD_TYPE], &type, &subtype, &p))
        (void)put_name(out, p, "name");
}
