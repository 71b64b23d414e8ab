/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_CHARSET_H
#define MESSAGE_CHARSET_H

#include <mox/error.h>

#include "base/buf.h"
#include "message/charset_pool.h"

/* Text of any charset to UTF-8, piece by piece. What comes out is well-formed whatever goes in. */

/* Takes pieces of output; anything but MOX_OK ends the work and is its result. */
typedef int mox__sink(void *user, struct mox_slice piece);

struct charset {
    struct charset_pool *pool;
    void *iconv;     /* the pool's; NULL: UTF-8 is expected, or only ASCII came yet */
    bool is_plain;   /* each byte is a character, and ASCII is what it is elsewhere */
    bool by_mark;    /* the order of bytes is still to be seen */
    uint8_t unit;    /* bytes that are left out when a character is none */
    uint8_t rest[8]; /* of a character that a piece cut */
    size_t rest_len;
    const char *converter; /* what iconv_open() is to open; NULL: nothing */
};

/* UTF-8, US-ASCII, no name and names that are not in charset_names.c let UTF-8 through, and make of each byte
 * that is none the character of that number (ISO 8859-1): different words stay different. */
void mox__charset_open(struct charset *c, struct charset_pool *pool, struct mox_slice name);

/* Converts a piece. A byte that the charset does not have becomes U+FFFD. */
int mox__charset_convert(struct charset *c, struct mox_slice piece, mox__sink *sink, void *user);
/* Says what an unfinished character at the end makes. */
int mox__charset_finish(struct charset *c, mox__sink *sink, void *user);

/* All at once, appended. */
MOX_PRIV void mox__charset_to_utf8(struct buf *out, struct charset_pool *pool,
                                   struct mox_slice name, struct mox_slice text);

#endif
