/* SPDX-License-Identifier: MIT */
#ifndef IMAP_CAPABILITY_H
#define IMAP_CAPABILITY_H

#include "imap/session.h"

/* "CAPABILITY IMAP4rev1 …": what works in this state (RFC 3501 §7.2.1). */
void mox__imap_put_capabilities(const struct mox_imap_server *s, struct buf *out);
/* Whether LOGIN works: with TLS, or where the host allows it without. */
bool mox__imap_may_login(const struct mox_imap_server *s);

#endif
