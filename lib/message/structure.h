/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_STRUCTURE_H
#define MESSAGE_STRUCTURE_H

#include <mox/message.h>

#include "base/arena.h"
#include "base/buf.h"

/* A message's tree in some tens of bytes per part, kept beside the message so that a section is
 * found without parsing it again: kinds, offsets, lines, encodings, types, charsets, dispositions.
 * The values of fields (mox_part.fields) are not in it; a part's header has them. */

MOX_PRIV void mox__structure_encode(const struct mox_message *m, struct buf *out);

/* The tree again, in `a`, borrowing from the blob. What it gives is as sound as what the parser
 * gives: offsets nest, depth and number of parts are within their bounds. MOX_ECORRUPT for bytes
 * that are damaged or of a later version: then parse the message; MOX_ENOMEM. */
MOX_PRIV MOX_MUST_USE int mox__structure_decode(struct mox_slice blob, struct arena *a,
                                                const struct mox_part **root);

#endif
