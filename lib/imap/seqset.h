/* SPDX-License-Identifier: MIT */
#ifndef IMAP_SEQSET_H
#define IMAP_SEQSET_H

#include <mox/view.h>

#include "base/arena.h"

/* Sets of messages in commands (sequence-set of RFC 9051 §9), and what they mean in a view. */

/* One element: a number or a range, in either order, as it was written. 0 stands for "*". */
struct seqset_range {
    uint32_t first, last;
};

struct seqset {
    struct seqset_range *ranges; /* in the arena */
    size_t count;
};

/* Rows of a view by index: first..end-1. */
struct row_range {
    uint32_t first, end;
};

/* Ascending, disjoint, not empty, and with a gap between any two. */
struct row_set {
    struct row_range *ranges; /* in the arena */
    size_t count;
    uint32_t rows; /* in all of them */
};

/* Reads a set that takes up all of `text`. The bound on its elements is the length of a command
 * line. MOX_ESYNTAX, MOX_ENOMEM. */
int mox__seqset_parse(struct seqset *out, struct arena *a, struct mox_slice text);

/* How numbers that name no message are taken. */
enum seqset_kind {
    SEQSET_SEQUENCE, /* sequence numbers that must all be there: MOX_EINVAL otherwise */
    SEQSET_LENIENT,  /* sequence numbers; those beyond the last are ignored */
    SEQSET_UID       /* UIDs: unknown ones are ignored, "*" is the highest one that is there */
};

/* The rows of the view that the set names. MOX_EINVAL, MOX_ENOMEM. */
int mox__seqset_rows(struct row_set *out, struct arena *a, const struct seqset *set,
                     enum seqset_kind kind, const struct mox_view *view);

/* Whether the row is in the set. O(log ranges). */
bool mox__row_set_has(const struct row_set *set, uint32_t index);

/* The rows as ranges of UIDs, one for each range: as the UIDs of a view are ascending and new ones
 * are above all others, no message that the view does not know is among them. NULL: out of memory.
 */
struct mox_uid_range *mox__row_set_uids(struct arena *a, const struct row_set *set,
                                        const struct mox_view *view);

/* A set of rows built one by one: with ascending indexes, neighbours become one range. */
struct row_set_builder {
    struct row_set set;
    size_t cap;
    struct arena *arena;
    bool failed; /* out of memory */
};

void mox__row_set_begin(struct row_set_builder *b, struct arena *a);
void mox__row_set_add(struct row_set_builder *b, uint32_t index);

#endif
