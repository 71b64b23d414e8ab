/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_REVERSE_H
#define MAILAUTH_REVERSE_H

#include "base/buf.h"
#include "base/ip.h"

/* The address as labels of a name, backwards, with a dot behind the last: "1.2.0.192.", or 32 nibbles (RFC
 * 1035 §3.5, RFC 3596 §2.5). */
void mox__reverse_labels(struct buf *out, const struct ip *ip);

#endif
