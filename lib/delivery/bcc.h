/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_BCC_H
#define DELIVERY_BCC_H

#include "base/priv.h"

/* How much of a line is looked at to see whether it begins a field Bcc: its name, and the white space
 * that obsolete syntax has in front of the colon (RFC 5322 §4.5). With more white space than that it
 * counts as one, colon or not: what somebody may have meant to be hidden is not shown. */
#define BCC_HELD_MAX 80

/* Takes the fields Bcc and Resent-Bcc out of the header of a message while it passes by in pieces
 * of any size. Start with zeros. */
struct bcc_filter {
    enum {
        BCC_LINE,
        BCC_FIELD,
        BCC_BODY
    } at;                       /* the begin of a line, within one, behind the header */
    bool dropping;              /* the field is one; its folds go, too */
    uint8_t held[BCC_HELD_MAX]; /* the begin of a line that can be both */
    size_t held_len;
};

/* Who takes what stays; a failure of it ends the call and is returned. */
typedef int bcc_keep(void *user, struct mox_slice bytes);

MOX_PRIV MOX_MUST_USE int mox__bcc_filter(struct bcc_filter *f, struct mox_slice piece,
                                          bcc_keep *keep, void *user);
/* The message is over. */
MOX_PRIV MOX_MUST_USE int mox__bcc_end(struct bcc_filter *f, bcc_keep *keep, void *user);

#endif
