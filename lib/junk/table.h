/* SPDX-License-Identifier: MIT */
#ifndef JUNK_TABLE_H
#define JUNK_TABLE_H

#include <mox/junk.h>

#include "base/priv.h"

/* Numbers by key, in memory: open addressing, 16 bytes a row, at most 7/8 full. */
struct junk_row {
    uint64_t key;        /* of a word: never 0 */
    int32_t hams, spams; /* both 0: the row is free, or says nothing */
};

struct junk_table {
    const struct mox_env *env; /* borrowed */
    struct junk_row *rows;
    size_t room, used, max; /* rows: a power of two; used; `room` never gets over max */
    uint64_t secret;        /* odd: who chooses keys cannot choose their rows */
    unsigned shift;         /* of 64 bits to those of a row */
};

MOX_PRIV void mox__junk_table_init(struct junk_table *t, const struct mox_env *env,
                                   size_t max_rows);
MOX_PRIV void mox__junk_table_free(struct junk_table *t);
/* The row of a key, or NULL. */
MOX_PRIV struct junk_row *mox__junk_table_find(const struct junk_table *t, uint64_t key);
/* The same, added if it was not there: its caller makes it say something. MOX_ENOMEM, or MOX_ELIMIT
 * when the table is full. */
MOX_PRIV MOX_MUST_USE int mox__junk_table_row(struct junk_table *t, uint64_t key,
                                              struct junk_row **row);
/* Forgets all, and keeps the memory. */
MOX_PRIV void mox__junk_table_clear(struct junk_table *t);

#endif
