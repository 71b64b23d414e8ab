/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_PREFIX_H
#define DELIVERY_PREFIX_H

#include <mox/smtp_server.h>

#include "base/buf.h"

/* The header lines that the server puts in front of a message. */
struct delivery_prefix {
    const struct mox_smtp_envelope *envelope;
    const struct mox_smtp_path *recipient;
    enum mox_smtp_mode mode;
    const char *delivered_to; /* the address of ours that it is for; NULL: the recipient */
    const char *reverse_name; /* of the client's address; NULL: not known */
    struct mox_slice top;     /* fields that go above all others: why it was accepted */
    struct mox_slice checks;  /* fields that say what checks of the sender found */
    struct mox_slice lines;   /* fields that a submission lacked */
    int64_t received_us;      /* wall clock */
};

/* What goes on top, Delivered-To, Return-Path (RFC 5321 §4.4), what checks found, Received, and of a submission what it
 * lacked, and Authentication-Results; top to bottom. */
MOX_PRIV void mox__delivery_prefix(struct buf *out, const struct delivery_prefix *p);
/* The Received field alone (RFC 5321 §4.4). */
MOX_PRIV void mox__delivery_received(struct buf *out, const struct delivery_prefix *p);

#endif
