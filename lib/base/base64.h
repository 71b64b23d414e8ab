/* SPDX-License-Identifier: MIT */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

/* Standard alphabet with padding (RFC 4648 §4). */
MOX_PRIV void mox__base64_encode(struct buf *out, struct mox_slice in);
/* The same as a text in memory of the caller's; too little room for all leaves less. */
MOX_PRIV void mox__base64_text(char *out, size_t size, struct mox_slice in);
/* URL-safe alphabet without padding (RFC 4648 §5). */
MOX_PRIV void mox__base64url_encode(struct buf *out, struct mox_slice in);
/* Strict: standard alphabet, padded, no white space. MOX_ESYNTAX, or MOX_ENOMEM when out is full.
 * What was appended before the failure stays. */
MOX_PRIV MOX_MUST_USE int mox__base64_decode(struct buf *out, struct mox_slice in);
/* The value 0..63 of a character of the standard alphabet, or -1. */
MOX_PRIV int mox__base64_value(uint8_t c);

#endif
