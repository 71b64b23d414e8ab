/* SPDX-License-Identifier: MIT */
#include "message/dsn.h"

#include <string.h>

#include <mox/header.h>

#include "base/text.h"
#include "message/qp.h"
#include "message/thread.h"

#define LINE_MAX_BYTES 998 /* RFC 5322 §2.1.1 */
#define ID_MAX         250

/* Appends whole fields with CRLF, as many as there is room for. */
static void put_fields(struct buf *out, struct mox_slice headers)
{
    struct mox_header_field field;
    size_t room = DSN_HEADERS_MAX;
    for (size_t at = 0; mox_header_next(headers, &at, &field) && field.raw.len <= room;) {
        room -= field.raw.len;
        for (size_t i = 0; i < field.raw.len; i++) {
            if (field.raw.data[i] == '\n' && (i == 0 || field.raw.data[i - 1] != '\r'))
                mox__buf_byte(out, '\r');
            mox__buf_byte(out, field.raw.data[i]);
        }
        if (field.raw.data[field.raw.len - 1] != '\n')
            mox__buf_text(out, "\r\n");
    }
}

/* Whether text can stand as it is: short lines, no controls, and only ASCII, or UTF-8 if that may be. */
static bool can_stand(struct mox_slice text, bool utf8)
{
    size_t column = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '\r' && i + 1 < text.len && text.data[i + 1] == '\n') {
            column = 0;
            i++;
            continue;
        }
        if ((c < ' ' && c != '\t') || c == 0x7f || ++column > LINE_MAX_BYTES)
            return false;
    }
    return utf8 ? mox__slice_is_utf8(text) : mox__slice_is_ascii(text);
}

/* RFC 6522 §4 allows quoted-printable for headers that are not what they should be. */
static void put_text_part(struct buf *out, struct mox_slice fields)
{
    bool stands = can_stand(fields, false);
    bool utf8 = !mox__slice_is_ascii(fields) && mox__slice_is_utf8(fields);
    mox__buf_printf(out,
                    "Content-Type: text/rfc822-headers%s\r\n"
                    "Content-Transfer-Encoding: %s\r\n\r\n",
                    utf8 ? "; charset=utf-8" : "", stands ? "7bit" : "quoted-printable");
    if (stands)
        mox__buf_slice(out, fields);
    else
        mox__qp_encode(out, fields);
}

static void put_part(struct buf *out, struct mox_slice fields, bool smtputf8)
{
    if (!smtputf8 || mox__slice_is_ascii(fields) || !can_stand(fields, true)) {
        put_text_part(out, fields);
        return;
    }
    mox__buf_text(out, "Content-Type: message/global-headers\r\n"
                       "Content-Transfer-Encoding: 8bit\r\n\r\n");
    mox__buf_slice(out, fields);
}

void mox__dsn_original(struct buf *out, const struct mox_dsn *dsn)
{
    struct buf fields;
    mox__buf_init(&fields, out->env, (size_t)2 * DSN_HEADERS_MAX + 2);
    put_fields(&fields, dsn->original_headers);
    put_part(out, slice(fields.data, fields.len), dsn->smtputf8);
    out->failed |= fields.failed;
    mox__buf_free(&fields);
}

static bool is_printable(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] <= ' ' || s.data[i] >= 0x7f)
            return false;
    return true;
}

void mox__dsn_original_id(struct buf *out, const struct mox_dsn *dsn)
{
    struct mox_slice value;
    if (!mox_header_find(dsn->original_headers, "Message-Id", &value))
        return;
    value = mox__slice_trim(value);
    const uint8_t *end = value.len > 0 ? memchr(value.data, '>', value.len) : NULL;
    if (end == NULL || value.data[0] != '<')
        return;
    value.len = (size_t)(end - value.data) + 1;
    if (value.len > 2 && value.len <= ID_MAX && is_printable(value) &&
        memchr(value.data + 1, '<', value.len - 1) == NULL)
        mox__buf_slice(out, value);
}
