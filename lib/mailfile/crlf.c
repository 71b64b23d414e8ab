/* SPDX-License-Identifier: MIT */
#include "mailfile/crlf.h"

#include <string.h>

#include "base/text.h"

void mox__crlf_begin(struct crlf *c, struct mox_spool *to)
{
    c->to = to;
    c->status = MOX_OK;
    c->last = 0;
    c->any = false;
    c->len = 0;
}

static void flush(struct crlf *c)
{
    if (c->status == MOX_OK && c->len > 0)
        c->status = mox_spool_write(c->to, slice(c->out, c->len));
    c->len = 0;
}

static void put(struct crlf *c, const uint8_t *data, size_t len)
{
    while (len > 0) {
        size_t n = sizeof c->out - c->len < len ? sizeof c->out - c->len : len;
        memcpy(c->out + c->len, data, n);
        c->len += n;
        data += n;
        len -= n;
        if (c->len == sizeof c->out)
            flush(c);
    }
}

void mox__crlf_write(struct crlf *c, struct mox_slice piece)
{
    while (piece.len > 0 && c->status == MOX_OK) {
        const uint8_t *lf = memchr(piece.data, '\n', piece.len);
        size_t line = lf == NULL ? piece.len : (size_t)(lf - piece.data);
        put(c, piece.data, line);
        if (line > 0)
            c->last = piece.data[line - 1];
        c->any = true;
        if (lf == NULL)
            return;
        put(c, (const uint8_t *)"\r\n" + (c->last == '\r'), 2 - (size_t)(c->last == '\r'));
        c->last = '\n';
        piece = slice_from(piece, line + 1);
    }
}

int mox__crlf_end(struct crlf *c)
{
    if (c->any && c->last != '\n')
        mox__crlf_write(c, slice_of("\n"));
    flush(c);
    return c->status;
}
