/* SPDX-License-Identifier: MIT */
#ifndef SASL_GS2_H
#define SASL_GS2_H

#include "base/buf.h"

/* The header with which SCRAM (RFC 5802 §7) and OAUTHBEARER (RFC 7628 §3.1) begin:
 *
 *   gs2-header = ("p=" cb-name / "n" / "y") "," ["a=" saslname] "," */

enum gs2_flag {
    GS2_NONE,     /* n: the client cannot bind the channel */
    GS2_NOT_SEEN, /* y: it can, and thinks that the server cannot */
    GS2_BOUND     /* p: it has */
};

enum gs2_binding {
    BINDING_NONE,
    BINDING_EXPORTER,
    BINDING_END_POINT,
    BINDING_UNIQUE,
    BINDING_UNKNOWN
};

struct gs2_header {
    enum gs2_flag flag;
    enum gs2_binding binding;
    struct mox_slice authorize; /* the saslname as sent; data NULL if there is none */
    struct mox_slice whole;     /* with its last comma */
};

/* Takes the header from the front of *rest. False: there is none. */
bool mox__gs2_take(struct mox_slice *rest, struct gs2_header *header);

/* "tls-exporter" (RFC 9266), "tls-server-end-point", "tls-unique" (RFC 5929 §4, §3). */
const char *mox__gs2_binding_name(enum gs2_binding binding);

/* Decodes =2C and =3D (RFC 5802 §5.1) in place of commas and equal signs, NUL-terminated. False,
 * and an empty text: an escape that there is not, an empty name, no UTF-8, a NUL, or one that does not
 * fit. */
bool mox__saslname_decode(char *out, size_t size, struct mox_slice name);
/* The way back. */
void mox__saslname_encode(struct buf *out, const char *name);

#endif
