/* SPDX-License-Identifier: MIT */
#include "message/wire.h"

#include <string.h>

#include "base/text.h"
#include "message/header.h"

static bool can_be_quoted(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == 0 || s.data[i] >= 0x80 || s.data[i] == '\r' || s.data[i] == '\n')
            return false;
    return true;
}

static void put_literal(struct buf *out, struct mox_slice s)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t nuls = 0;
    for (size_t i = 0; i < s.len; i++)
        nuls += s.data[i] == 0;
    mox__buf_byte(out, '{');
    mox__buf_uint(out, s.len + nuls * (sizeof replacement - 2));
    mox__buf_text(out, "}\r\n");
    while (s.len > 0) {
        const uint8_t *nul = nuls > 0 ? memchr(s.data, 0, s.len) : NULL;
        size_t len = nul == NULL ? s.len : (size_t)(nul - s.data);
        mox__buf_append(out, s.data, len);
        if (nul != NULL)
            mox__buf_text(out, replacement);
        s = slice_from(s, nul == NULL ? len : len + 1);
    }
}

void mox__wire_string(struct buf *out, struct mox_slice s)
{
    if (can_be_quoted(s))
        mox__buf_quoted(out, s);
    else
        put_literal(out, s);
}

void mox__wire_upper(struct buf *out, struct mox_slice s)
{
    size_t start = out->len;
    mox__wire_string(out, s);
    if (!out->failed)
        for (; start < out->len; start++)
            out->data[start] = to_upper(out->data[start]);
}

void mox__wire_value(struct buf *out, struct mox_slice value)
{
    if (value.data == NULL) {
        mox__buf_text(out, "NIL");
        return;
    }
    value = mox__slice_trim(value);
    if (memchr(value.data, '\n', value.len) == NULL) {
        mox__wire_string(out, value);
        return;
    }
    struct buf text;
    mox__buf_init(&text, out->env, value.len);
    mox__header_unfold(&text, value);
    mox__wire_string(out, slice(text.data, text.len));
    out->failed |= text.failed;
    mox__buf_free(&text);
}
