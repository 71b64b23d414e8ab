/* SPDX-License-Identifier: MIT */
#ifndef JUNK_MEMORY_H
#define JUNK_MEMORY_H

#include "junk/table.h"

/* How a memory is filled from elsewhere. */
MOX_PRIV void mox__junk_memory_set_totals(struct mox_junk_memory *memory,
                                          const struct mox_junk_totals *totals);
MOX_PRIV MOX_MUST_USE int mox__junk_memory_set(struct mox_junk_memory *memory,
                                               const struct junk_row *row);
/* How many words it has, of which nothing was forgotten. */
MOX_PRIV size_t mox__junk_memory_count(const struct mox_junk_memory *memory);
MOX_PRIV uint64_t *mox__junk_memory_weights(struct mox_junk_memory *memory);

/* Changes weights. */
MOX_PRIV void mox__junk_step(uint64_t *weights, const struct mox_junk_step *step);

#endif
