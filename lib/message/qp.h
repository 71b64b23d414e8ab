/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_QP_H
#define MESSAGE_QP_H

#include "base/buf.h"

/* Text, whose lines end in CRLF, in quoted-printable (RFC 2045 §6.7): lines of at most 76 bytes. A CR or LF
 * alone is a byte like others, and comes back. */
void mox__qp_encode(struct buf *out, struct mox_slice text);

#endif
