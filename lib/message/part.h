/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_PART_H
#define MESSAGE_PART_H

#include <mox/message.h>

#include "base/priv.h"

/* How many steps it took to look for boundaries, for tests: at most about one per byte. */
uint64_t mox__message_work(const struct mox_message *m);

/* message/rfc822 or message/global, whether it was taken apart or not. */
MOX_PRIV bool mox__part_is_message(const struct mox_part *part);

/* The word of Content-Transfer-Encoding as written; empty when there is none. */
struct mox_slice mox__part_encoding(const struct mox_part *part);

#endif
