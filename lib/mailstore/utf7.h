/* SPDX-License-Identifier: MIT */
#ifndef MAILSTORE_UTF7_H
#define MAILSTORE_UTF7_H

#include "base/buf.h"

/* Modified UTF-7, as mailbox names travel without UTF8=ACCEPT (RFC 3501 §5.1.3). */

/* Bytes that decoding `len` bytes may give, without the NUL: 8 characters of base64 hold 3 UTF-16
 * units, which are up to 9 bytes of UTF-8. */
static inline size_t mox__utf7_decoded_max(size_t len)
{
    return len + len / 8 + 1;
}

/* Decodes into `out`, with a NUL. MOX_ESYNTAX: a byte that is not printable ASCII, a shift that
 * does not end, is broken, follows another one at once, or hides what needs none; an unpaired
 * surrogate. */
MOX_MUST_USE int mox__utf7_decode(struct mox_slice in, char *out);

/* Appends UTF-8 text in modified UTF-7. */
void mox__utf7_encode(struct buf *out, const char *text);

#endif
