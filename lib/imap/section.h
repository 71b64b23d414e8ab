/* SPDX-License-Identifier: MIT */
#ifndef IMAP_SECTION_H
#define IMAP_SECTION_H

#include <mox/message.h>

#include "base/priv.h"

/* Sections of a message (RFC 9051 §6.4.5: BODY[section]): which bytes they are, given out piece by
 * piece as they lie in memory. A message is its prefix and its content; the prefix only lengthens
 * the header of the whole, and the offsets of parts count in the content. */

enum section_kind {
    SECTION_ALL,        /* nothing named: a part's body, or the whole message */
    SECTION_HEADER,     /* of the message, or of a message/rfc822 part's message */
    SECTION_FIELDS,     /* those header fields that are named */
    SECTION_FIELDS_NOT, /* all others */
    SECTION_TEXT,       /* a message's body */
    SECTION_MIME        /* the fields of a part's header that MIME defines */
};

struct section {
    enum section_kind kind;
    const uint32_t *parts; /* numbers from 1, from the outermost; borrowed */
    size_t part_count;
    const struct mox_slice *names; /* of header fields; borrowed */
    size_t name_count;
    uint64_t name_filter; /* set by mox__section_names(): see there */
};

/* A section of one message: where its bytes are. Borrows the section and the message. */
struct section_source {
    const struct section *section;
    struct mox_slice range[2]; /* of the prefix, of the content */
    bool filtered;             /* only some fields of these headers, then a blank line */
    bool version;              /* SECTION_MIME of a whole message: MIME-Version is a field of it */
};

/* How far one has read: numbers only, so it stays good for the same message fetched anew. */
struct section_reader {
    unsigned range; /* 0, 1: in that range; 2: at the blank line; 3: at the end */
    size_t at;      /* in the range */
};

/* Makes ready to compare names of fields: call it once when the section is complete. */
void mox__section_names(struct section *s);

/* Whether the parts must be known: mox__section_find() gets a root then, and may get NULL
 * otherwise. */
bool mox__section_needs_parts(const struct section *s);
/* Whether it is all in the header of the message. */
bool mox__section_in_header(const struct section *s);

/* Finds the section in a message; false when the message has no such section. */
bool mox__section_find(struct section_source *out, const struct section *s,
                       const struct mox_part *root, struct mox_slice prefix,
                       struct mox_slice content);

/* The bytes of the section in all. Costs a pass over the headers when fields are chosen. */
uint64_t mox__section_size(const struct section_source *src);

/* The next piece, borrowed from the message; false at the end. Begin with a zeroed reader. */
bool mox__section_next(const struct section_source *src, struct section_reader *r,
                       struct mox_slice *piece);

/* The part with these numbers (RFC 9051 §6.4.5.1), or NULL. */
const struct mox_part *mox__section_part(const struct mox_part *root, const uint32_t *numbers,
                                         size_t count);

#endif
