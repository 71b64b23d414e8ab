/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_WIRE_H
#define MESSAGE_WIRE_H

#include <mox/message.h>

#include "base/buf.h"

/* What IMAP sends about a message (RFC 9051 §7.5.2, RFC 3501 §7.4.2), complete with parentheses.
 * Values of header fields are unfolded and not decoded. What comes out is ASCII but for literals.
 * Of each kind of address MOX_ADDRESS_LIST_MAX are told. Running out of memory shows in the
 * buffer's `failed`. */

MOX_PRIV void mox__message_envelope(const struct mox_message *m, struct buf *out);
/* BODY: the structure without extension data. */
MOX_PRIV void mox__message_body(const struct mox_message *m, struct buf *out);
/* BODYSTRUCTURE: with MD5, disposition, language and location, and the parameters of multiparts. */
MOX_PRIV void mox__message_bodystructure(const struct mox_message *m, struct buf *out);

/* ENVELOPE of the headers alone: of the lines that a server put in front, and the message's own.
 * `out` has an environment. */
MOX_PRIV void mox__headers_envelope(struct mox_slice prefix, struct mox_slice own, struct buf *out);

/* A string: quoted if it is 7-bit without NUL, CR and LF, else a literal, where NULs become U+FFFD
 * since no literal may hold one (RFC 9051 §9, CHAR8). */
MOX_PRIV void mox__wire_string(struct buf *out, struct mox_slice s);
/* The same in upper case. */
MOX_PRIV void mox__wire_upper(struct buf *out, struct mox_slice s);
/* NIL for a slice whose data is NULL, else the unfolded value as a string. */
MOX_PRIV void mox__wire_value(struct buf *out, struct mox_slice value);

#endif
