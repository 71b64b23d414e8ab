/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_LOWER_H
#define DELIVERY_LOWER_H

#include "base/buf.h"

/* Appends the text in lower case, character by character; what is not UTF-8 stays. In a build without
 * `idn` only ASCII has a lower case. */
MOX_PRIV void mox__lower(struct buf *out, struct mox_slice text);

#endif
