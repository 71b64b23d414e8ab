/* SPDX-License-Identifier: MIT */
#ifndef MOX_SIGNED_MESSAGE_H
#define MOX_SIGNED_MESSAGE_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/**
 * A message as signatures see it: its header fields found once, and each hash over its body computed
 * once, when a signature needs it, for all signatures of DKIM and ARC. Those that are needed at the same
 * time are computed in one pass.
 *
 * Threads: owned by one thread at a time, any thread.
 */
struct mox_signed_message;

/** How many header fields are looked at. Of a message with so many no signature holds, since people may
 *  see further ones that it does not cover: DKIM says policy, ARC fail; it is not signed or sealed. Real
 *  mail has below 200. */
#define MOX_SIGNED_MESSAGE_FIELDS_MAX 2000

/** @param content  borrowed for the life of the message; lines end in CRLF (a bare LF is a byte of its
 *                  line); a header that breaks RFC 5322 §2.2 is found out by who checks it
 *  @return MOX_OK, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_signed_message_new(struct mox_signed_message **out,
                                                const struct mox_env *env,
                                                struct mox_slice content);
/** NULL is fine. */
MOX_API void mox_signed_message_free(struct mox_signed_message *m);

MOX_END_DECLS

#endif
