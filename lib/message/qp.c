/* SPDX-License-Identifier: MIT */
#include "message/qp.h"

#include "base/text.h"

#define LINE_MAX_BYTES 76 /* RFC 2045 §6.7 (5), with the "=" of a soft break */

static bool ends_line(struct mox_slice text, size_t at)
{
    return at + 1 < text.len && text.data[at] == '\r' && text.data[at + 1] == '\n';
}

/* White space may stand, but not at the end of a line, where it gets lost (§6.7 (3)). */
static bool may_stand(struct mox_slice text, size_t at)
{
    uint8_t c = text.data[at];
    if (c == ' ' || c == '\t')
        return at + 1 < text.len && !ends_line(text, at + 1);
    return c > ' ' && c < 0x7f && c != '=';
}

void mox__qp_encode(struct buf *out, struct mox_slice text)
{
    size_t column = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (ends_line(text, i)) {
            mox__buf_text(out, "\r\n");
            column = 0;
            i++;
            continue;
        }
        bool stands = may_stand(text, i);
        size_t width = stands ? 1 : 3;
        if (column + width > LINE_MAX_BYTES - 1) {
            mox__buf_text(out, "=\r\n");
            column = 0;
        }
        if (stands)
            mox__buf_byte(out, text.data[i]);
        else
            mox__buf_printf(out, "=%02X", text.data[i]);
        column += width;
    }
}
