/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_HEADER_H
#define MESSAGE_HEADER_H

#include <mox/header.h>

#include "base/buf.h"

/* The bytes of the line end that the line at `at` consists of, 0 if it has more or there is none. */
MOX_PRIV size_t mox__blank_line(struct mox_slice s, size_t at);

/* The value on one line (RFC 5322 §2.2.3): without its line ends and without white space at its
 * ends; the white space of a fold stays. */
MOX_PRIV void mox__header_unfold(struct buf *out, struct mox_slice value);

/* How many LFs there are. */
size_t mox__count_newlines(struct mox_slice s);

#endif
