/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_TEXT_H
#define MESSAGE_TEXT_H

#include <mox/message.h>

#include "base/buf.h"
#include "message/charset_pool.h"

/* What parts say. The part may come from a parsed message or from mox__structure_decode();
 * `content` is what it was parsed from. Pieces are bounded, borrowed for the call, and never empty;
 * a sink that does not return MOX_OK ends the work, and its result is the function's. `charsets` are
 * those that stay open for the caller's next text; NULL: there is none. */

/* The body of a part without its transfer encoding. In text, lines end in CRLF. An unknown encoding
 * is left as it is. */
MOX_PRIV MOX_MUST_USE int mox__part_decode(const struct mox_part *part, struct mox_slice content,
                                           int (*sink)(void *user, struct mox_slice bytes),
                                           void *user);

/* The body of a text part in UTF-8, well-formed whatever the part has; no piece cuts a character.
 * Line ends are as in the body. */
MOX_PRIV MOX_MUST_USE int mox__part_text(struct charset_pool *charsets, const struct mox_part *part,
                                         struct mox_slice content,
                                         int (*sink)(void *user, struct mox_slice utf8),
                                         void *user);

/* The name of a file that a part of a parsed message is, in UTF-8: the parameter "filename" of
 * Content-Disposition or else "name" of Content-Type, also in the forms of RFC 2231 and RFC 2047.
 * Empty if there is none. It may be anything, a path also. */
MOX_PRIV void mox__part_filename(struct buf *out, const struct mox_part *part);

/* The value of an unstructured field in UTF-8: unfolded, its encoded words (RFC 2047) decoded as
 * far as they make sense. */
MOX_PRIV void mox__encoded_words(struct buf *out, struct charset_pool *charsets,
                                 struct mox_slice value);

#endif
