/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_DSN_H
#define MESSAGE_DSN_H

#include <mox/dsn.h>

#include "base/arena.h"
#include "base/buf.h"

/* The parts of a delivery status notification (mox/dsn.h). What was said by others, that is all but our own
 * host name and dates, is cleaned on its way in: dsn_clean.c. */

/* Bounds for texts of others, so that no line goes beyond the 998 bytes of RFC 5322 §2.1.1: a reply is 512
 * bytes (RFC 5321 §4.5.3.1.5), an address 320, and twice as many when all of it is quoted. */
#define DSN_REPLY_MAX   900
#define DSN_ADDRESS_MAX 400
/* Of the headers that go back. Those of real mail are below 32 KiB. */
#define DSN_HEADERS_MAX (64u << 10)

/* The first `max` bytes of a text in printable ASCII: white space becomes one space, what else it has "?". */
void mox__dsn_ascii(struct buf *out, const char *text, size_t max);
/* The same, but a text in UTF-8 without controls, and without what turns or hides text, is let through. */
void mox__dsn_utf8(struct buf *out, const char *text, size_t max);
/* An address of MAIL or RCPT as a header field has it, without <> (RFC 5322 §3.4.1): quoted where it must
 * be. False, and nothing appended: it is no address, or needs UTF-8 that is not allowed. */
bool mox__dsn_addr_spec(struct buf *out, const char *address, bool utf8);

/* The first part: what people read, in UTF-8. */
void mox__dsn_text(struct buf *out, const struct mox_dsn *dsn);

/* The second: message/delivery-status (RFC 3464 §2) or message/global-delivery-status (RFC 6533 §4). */
bool mox__dsn_status_is_global(const struct mox_dsn *dsn);
void mox__dsn_status(struct buf *out, const struct mox_dsn *dsn);

/* The third, with its header: the message's own headers, up to DSN_HEADERS_MAX. */
void mox__dsn_original(struct buf *out, const struct mox_dsn *dsn);
/* Appends the message's id, with its <>, if it has one that can be written. */
void mox__dsn_original_id(struct buf *out, const struct mox_dsn *dsn);

/* dsn_fields.c: the second part, read. Fills all but original_headers; MOX_OK, MOX_ENOTFOUND, MOX_ENOMEM. */
int mox__dsn_read_status(struct mox_dsn_report *report, struct arena *arena,
                         struct mox_slice fields);

/* "failed", "delayed", "delivered", "relayed", "expanded" (RFC 3464 §2.3.3). */
const char *mox__dsn_action_name(enum mox_dsn_action action);

#endif
