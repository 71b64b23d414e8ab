/* SPDX-License-Identifier: MIT */
#ifndef IMAP_APPEND_H
#define IMAP_APPEND_H

#include "imap/session.h"

/* The literal of APPEND, which the reader hands over piece by piece. */

/* Whether a piece of `len` bytes would go to the disk. */
bool mox__append_waits(const struct mox_imap_server *s, size_t len);
/* Takes a piece. What fails becomes the result of the command; the rest is thrown away then. */
void mox__append_data(struct mox_imap_server *s, struct mox_slice data);

#endif
