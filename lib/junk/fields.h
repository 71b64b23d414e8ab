/* SPDX-License-Identifier: MIT */
#ifndef JUNK_FIELDS_H
#define JUNK_FIELDS_H

#include <mox/message.h>

#include "base/buf.h"
#include "junk/grams.h"

/* What the fields of a header say of how a message was made: which there are, the words of each, hosts it
 * came over, the form of its date and id. `decoded` is used to decode values. */
void mox__gram_field(struct gram_reader *r, const struct mox_header_field *field,
                     struct buf *decoded);
/* What a part is: its type, charset and encoding. */
void mox__gram_part(struct gram_reader *r, const struct mox_part *part);

#endif
