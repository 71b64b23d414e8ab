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
    KIND_REQUIRETLS = 16,
    KIND_INTRO = 32
};

/* Values of entry.held: why message.destined still stands. It is forgotten once the user has said what
 * becomes of the message, by moving it; then it counts as if it had been delivered there. */
enum held {
    HELD_NOT = 0,
    HELD_REJECT = 1, /* in the mailbox for rejects, or accepted into another as one */
    HELD_INTRO = 2 /* in the mailbox for first messages, or moved to where nothing is said of it */
};

#endif
