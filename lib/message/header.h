/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_HEADER_H
#define MESSAGE_HEADER_H

#include <mox/header.h>

#include "base/buf.h"

/* The bytes of the line end that the line at `at` consists of, 0 if it has more. */
MOX_PRIV size_t mox__blank_line(struct mox_slice s, size_t at);

/* The value of the first field of this name in what a server put in front of a message, or else in its
 * own headers. */
MOX_PRIV bool mox__headers_find(struct mox_slice prefix, struct mox_slice headers, const char *name,
                                struct mox_slice *value);

/* The value on one line: without white space at its ends, and with one space for each fold. RFC
 * 5322 §2.2.3 would keep all white space of a fold, which is only there to indent it. */
MOX_PRIV void mox__header_unfold(struct buf *out, struct mox_slice value);

/* How many LFs there are. */
size_t mox__count_newlines(struct mox_slice s);

#endif
