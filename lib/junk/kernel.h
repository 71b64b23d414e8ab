/* SPDX-License-Identifier: MIT */
#ifndef JUNK_KERNEL_H
#define JUNK_KERNEL_H

#include <mox/junk.h>

/* How much a feature counts: rare ones, and those that one kind of messages has, more. Features are worked
 * on by the batch, in loops that compilers turn into vectors, as each message has thousands. */

#define KERNEL_BATCH 64

/* Of all that was learnt, at one moment. Whole numbers, as exact in floats as it matters here. */
struct knowledge {
    float hams, spams;
};

struct batch {
    int32_t hams[KERNEL_BATCH], spams[KERNEL_BATCH]; /* messages with the feature */
    float numbers[KERNEL_BATCH];                     /* what was learnt of it */
    float says[KERNEL_BATCH];                        /* how much it counts; 0: never seen */
};

/* `count` weights, to which so many messages are added; the rest of the batch was never seen. */
void mox__batch_look(struct batch *b, const uint64_t *weights, size_t count, int32_t hams,
                     int32_t spams);
/* The same, of weights here and there. */
void mox__batch_pick(struct batch *b, const uint64_t *weights, const uint32_t *places, size_t count,
                     int32_t hams, int32_t spams);
void mox__batch_weigh(struct batch *b, const struct knowledge *k);

/* ---- what a weight is made of (mox/junk.h) ---- */

/* What is added to a weight for one message more, its number moved by so much. */
uint64_t mox__weight_change(int32_t by, bool junk);

#endif
