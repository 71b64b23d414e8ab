/* SPDX-License-Identifier: MIT */
#ifndef JUNK_FIELDS_H
#define JUNK_FIELDS_H

#include <mox/message.h>

#include "base/buf.h"
#include "base/text.h"
#include "junk/grams.h"
#include "message/charset_pool.h"

/* A look at the first letter, before a call: each field's name is compared with dozens. */
static inline bool name_may_be(struct mox_slice name, const char *text)
{
    return name.len > 0 && to_lower(name.data[0]) == to_lower((uint8_t)text[0]);
}

/* What the fields of a header say of how a message was made: which there are, the words of each, hosts it
 * came over, the form of its date and id. `decoded` and `charsets` are used to decode values; the former says
 * whether memory was wanting for that. */
void mox__gram_field(struct gram_reader *r, const struct mox_header_field *field,
                     struct buf *decoded, struct charset_pool *charsets);
/* What a part is: its type, charset and encoding. */
void mox__gram_part(struct gram_reader *r, const struct mox_part *part);

/* What is known of a message when all its fields and parts were seen. */
void mox__gram_end(struct gram_reader *r);

#endif
