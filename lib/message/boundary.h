/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_BOUNDARY_H
#define MESSAGE_BOUNDARY_H

#include <mox/message.h>

/* The boundaries of the multiparts that are open, outermost first, and whether a line is one of
 * their delimiters. A line is hashed once, however many boundaries are open, so nested multiparts
 * cannot make a message slow to read. */

/* The longest boundary that works. RFC 2046 §5.1.1 allows 70 bytes and a line of mail ends at 998
 * (RFC 5322 §2.1.1); since a longer one costs nothing, this is the longest line that some servers
 * take. */
#define BOUNDARY_MAX 8192

#define BOUNDARY_SLOTS 128

struct boundaries {
    struct {
        struct mox_slice text;
        size_t longest; /* of this one and those before it */
        uint32_t hash;
        int next; /* before it in its slot, or -1 */
    } list[MOX_MESSAGE_DEPTH_MAX];
    unsigned count;
    int slots[BOUNDARY_SLOTS]; /* the innermost boundary of each hash, or -1 */
    const struct mox_env *env; /* borrowed */
    uint32_t seed;             /* random, so that nobody can send boundaries that share a slot */
    uint64_t work;             /* steps so far, for the test that says they are few */
};

struct delimiter {
    unsigned index; /* of the boundary */
    bool closing;   /* "--boundary--" */
};

void mox__boundaries_init(struct boundaries *b, const struct mox_env *env);
/* At most MOX_MESSAGE_DEPTH_MAX, each of 1..BOUNDARY_MAX bytes; borrowed. Returns its index. */
unsigned mox__boundary_push(struct boundaries *b, struct mox_slice text);
/* Forgets all but the first `keep`. */
void mox__boundary_pop(struct boundaries *b, unsigned keep);
/* Whether the line that starts at `at` is a delimiter: "--" boundary, then "--", white space or the
 * line's end. The longest boundary wins, of equal ones the innermost. */
bool mox__boundary_match(struct boundaries *b, struct mox_slice in, size_t at,
                         struct delimiter *out);

#endif
