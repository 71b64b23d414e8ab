/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_DECODE_H
#define MESSAGE_DECODE_H

#include "message/charset.h"

/* Bodies without their transfer encoding (RFC 2045 §6.7, §6.8), in pieces. Decoding never fails:
 * bytes outside of base64's alphabet are skipped, "=XY" that is no hexadecimal number stays. */

/* The most bytes of a piece that a sink gets. */
#define DECODE_PIECE_MAX 8192

int mox__base64_pieces(struct mox_slice in, mox__sink *sink, void *user);
int mox__qp_pieces(struct mox_slice in, mox__sink *sink, void *user);
int mox__plain_pieces(struct mox_slice in, mox__sink *sink, void *user);

/* Quoted-printable as in headers: "_" is a space (RFC 2047 §4.2); appended. */
void mox__q_decode(struct buf *out, struct mox_slice in);
/* Base64, appended. */
void mox__b_decode(struct buf *out, struct mox_slice in);

#endif
