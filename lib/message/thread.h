/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_THREAD_H
#define MESSAGE_THREAD_H

#include "base/buf.h"

/* What messages of one conversation have in common. */

/* Appends the canonical form of a message-id: `value` must start with "<", what is up to ">"
 * counts, and behind it white space only or white space and text. Lower case (of ASCII), and
 * without quotes that a localpart does not need; an id that is no address is taken as it is. False,
 * and nothing appended, for one that is empty or wrong. */
MOX_PRIV bool mox__message_id(struct mox_slice value, struct buf *out);

/* A place in the value of References or In-Reply-To. */
struct references {
    struct mox_slice text;
    size_t at;
};

/* Appends the next id in its canonical form; false at the end. Junk between ids, ids that are wrong
 * and an id that "<" cuts off are skipped; white space in an id is removed. In-Reply-To counts only
 * if References has none, and then its first. */
MOX_PRIV bool mox__references_next(struct references *r, struct buf *out);

/* Appends the base of a subject (RFC 5256 §2.1), by which threads are made: its encoded words
 * decoded, in lower case (of ASCII), with single spaces, without "re:", "fwd:", "(fwd)", "[tag]"
 * and the like; empty for one with a NUL. *is_response: one of those that mark a response was
 * there. */
MOX_PRIV void mox__subject_base(struct mox_slice raw, struct buf *out, bool *is_response);

#endif
