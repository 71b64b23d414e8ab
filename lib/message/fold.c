/* SPDX-License-Identifier: MIT */
#include "message/fold.h"

#include <string.h>

#include "base/text.h"

void mox__fold_begin(struct fold *f, struct buf *out, const char *name)
{
    *f = (struct fold){out, strlen(name) + 1};
    mox__buf_printf(out, "%s:", name);
}

static void new_line(struct fold *f)
{
    mox__buf_text(f->out, "\r\n\t");
    f->column = 1;
}

static void put(struct fold *f, struct mox_slice token)
{
    f->column += token.len;
    uint8_t *room = mox__buf_reserve(f->out, token.len);
    if (room == NULL)
        return;
    for (size_t i = 0; i < token.len; i++) {
        uint8_t c = token.data[i];
        room[i] = c < ' ' || c == 0x7f ? '?' : c;
    }
    f->out->len += token.len;
}

void mox__fold_token(struct fold *f, struct mox_slice token)
{
    if (f->column + 1 + token.len > FOLD_COLUMN) {
        new_line(f);
    } else {
        mox__buf_byte(f->out, ' ');
        f->column++;
    }
    put(f, token);
}

void mox__fold_more(struct fold *f, struct mox_slice piece)
{
    if (f->column + piece.len > FOLD_COLUMN)
        new_line(f);
    put(f, piece);
}

void mox__fold_words(struct fold *f, struct mox_slice text)
{
    size_t start = 0;
    for (size_t i = 1; i + 1 < text.len; i++) {
        if (text.data[i] != ' ' || text.data[i - 1] == ' ' || text.data[i + 1] == ' ')
            continue;
        mox__fold_token(f, slice(text.data + start, i - start));
        start = i + 1;
    }
    mox__fold_token(f, slice_from(text, start));
}

void mox__fold_text(struct fold *f, const char *token)
{
    mox__fold_token(f, slice_of(token));
}

void mox__fold_line(struct fold *f)
{
    f->column = FOLD_COLUMN;
}

void mox__fold_end(struct fold *f)
{
    mox__buf_text(f->out, "\r\n");
}
