/* SPDX-License-Identifier: MIT */
#ifndef IMAP_TEXTMATCH_H
#define IMAP_TEXTMATCH_H

#include "base/arena.h"

/* Substring search without case over text that comes in pieces, for any number of needles in one
 * pass and in linear time whatever the needles are (Knuth, Morris and Pratt: nothing is read twice,
 * so a match may lie across pieces). Letters are compared by their simple lower-case form: of
 * ASCII, or of all of Unicode where libunistring is there. */

/* What is looked for. Immutable once made. */
struct needle {
    const uint8_t *text; /* lower case */
    const uint32_t
        *back;  /* by length of what has matched: how much of it still matches on failure */
    size_t len; /* 0 matches everything */
};

/* MOX_ENOMEM. `text` is UTF-8; what is not is compared by bytes. */
int mox__needle_init(struct needle *out, struct arena *a, struct mox_slice text);

/* A needle at work on one text. */
struct needle_match {
    const struct needle *needle;
    size_t matched; /* of the needle's bytes, by the last bytes of the text so far */
    bool found;
    bool paused; /* is not shown the text for now */
};

/* One text in pieces. */
struct text_scan {
    struct needle_match *matches; /* borrowed */
    size_t count;
    size_t open;     /* neither found nor paused */
    uint8_t rest[4]; /* the first bytes of a character that the last piece cut */
    size_t rest_len;
};

void mox__text_scan_begin(struct text_scan *s, struct needle_match *matches, size_t count);
/* The same for a text of which a part was shown already: matches go on where they were. */
void mox__text_scan_resume(struct text_scan *s, struct needle_match *matches, size_t count);
/* One more piece. Returns whether anything is still looked for. */
bool mox__text_scan_feed(struct text_scan *s, struct mox_slice piece);
/* The text ends; what comes next is another one, for the same needles. */
void mox__text_scan_break(struct text_scan *s);

#endif
