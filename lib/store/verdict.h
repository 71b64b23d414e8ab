/* SPDX-License-Identifier: MIT */
#ifndef STORE_VERDICT_H
#define STORE_VERDICT_H

#include "store/store.h"

/* Bits of message.kind. */
enum message_kind {
    KIND_REJECT = 1,
    KIND_FORWARD = 2,
    KIND_MAILING_LIST = 4,
    KIND_DSN = 8,
    KIND_REQUIRETLS = 16
};

/* The UIDs, ascending, in a mailbox of the messages with this message-id (canonical:
 * mox__message_id()) or, of rejects, this SHA-256 of their content; each may be NULL. At most max.
 */
MOX_PRIV MOX_MUST_USE int mox__account_find_copies(struct mox_account *account, uint64_t mailbox,
                                                   const char *message_id, const uint8_t *hash,
                                                   uint32_t *uids, size_t max, size_t *count,
                                                   struct mox_error *err);

/* The hash of a sender in `verdict`; localpart is NULL for domains and masked addresses. */
uint64_t mox__verdict_hash(enum mox_sender sender, const char *localpart, const char *name);

#endif
