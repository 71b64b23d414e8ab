/* SPDX-License-Identifier: MIT */
#ifndef DNS_RECORD_H
#define DNS_RECORD_H

#include <mox/dns_answers.h>

#include "base/arena.h"

/* At most the bytes of the arena that a copy of the answer's records and texts takes. */
size_t mox__dns_copy_bytes(const struct mox_dns_answer *answer);

/* Copies what an answer says, with texts of its own, all but the question: at most MOX_DNS_RECORDS_MAX
 * records, names in their one form, and records left out that name what can be no name. `problem` is made
 * printable, since parts of it may be a stranger's. MOX_ENOMEM */
MOX_MUST_USE int mox__dns_copy_answer(struct arena *a, const struct mox_dns_answer *from,
                                      struct mox_dns_answer *to);

#endif
