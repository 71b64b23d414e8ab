/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_FOLD_H
#define MESSAGE_FOLD_H

#include "base/buf.h"

/* A header field of ours, folded: a token that would go beyond column 76 starts a new line with a
 * tab (RFC 5322 §2.2.3). */
struct fold {
    struct buf *out;
    size_t column; /* bytes on the line so far; the tab counts as one */
};

#define FOLD_COLUMN 76

MOX_PRIV void mox__fold_begin(struct fold *f, struct buf *out, const char *name); /* `Name:` */
/* A token, after a space or on a new line. Controls in it, which could end the line, become `?`. */
MOX_PRIV void mox__fold_token(struct fold *f, struct mox_slice token);
MOX_PRIV void mox__fold_text(struct fold *f, const char *token);
/* Goes on with a token that may be cut here: behind it without a space, or on a new line. */
MOX_PRIV void mox__fold_more(struct fold *f, struct mox_slice piece);
/* The words of a text, folded where exactly one space is between them: who reads a fold as one space gets the
 * text back. */
MOX_PRIV void mox__fold_words(struct fold *f, struct mox_slice text);
/* The next token begins a line. */
MOX_PRIV void mox__fold_line(struct fold *f);
MOX_PRIV void mox__fold_end(struct fold *f); /* CRLF */

#endif
