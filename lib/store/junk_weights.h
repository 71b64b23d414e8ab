/* SPDX-License-Identifier: MIT */
#ifndef STORE_JUNK_WEIGHTS_H
#define STORE_JUNK_WEIGHTS_H

#include <mox/junk.h>

#include "base/buf.h"
#include "store/db.h"

/* The weights of a junk filter: in memory as soon as they are asked for, and in its database. A message
 * changes thousands of them all over the table, 4 MB of pages; so steps are kept as rows of some
 * kilobytes, and when there are many the table is written anew and they go. Which it will be is known at the
 * end of a transaction. */
struct junk_weights {
    uint64_t *table;               /* NULL: not read yet */
    struct mox_junk_middle middle; /* of what is in memory */
    int64_t steps;                 /* rows of them, with those that wait */
    struct buf waiting;            /* steps of this transaction, as they came */
    bool anew;                     /* the table is to be written: no step is */
};

/* Forgets what is in memory: it is read again when it is asked for. */
void mox__junk_weights_free(struct junk_weights *w, const struct mox_env *env);
/* Each leaves its failure in the database. The first reads into a table of zeros, and returns how many steps
 * there are. */
int64_t mox__junk_weights_read(uint64_t *table, struct db *db, const struct mox_env *env);
void mox__junk_weights_load(struct junk_weights *w, struct db *db, const struct mox_env *env);
void mox__junk_weights_step(struct junk_weights *w, struct db *db, const struct mox_env *env,
                            const struct mox_junk_step *step);
/* Before the transaction is committed. */
void mox__junk_weights_flush(struct junk_weights *w, struct db *db, const struct mox_env *env);

/* Places in ascending order, as the gaps between them: 7 bits a byte, the lowest first, with the upper
 * bit set in all but the last. */
void mox__junk_places_encode(struct buf *out, const uint32_t *places, size_t count);
/* false: damaged. `places` has room for as many as there are bytes. */
bool mox__junk_places_decode(struct mox_slice bytes, uint32_t *places, size_t *count);

#endif
