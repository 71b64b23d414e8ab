/* SPDX-License-Identifier: MIT */
#include "junk/kernel.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- weights ---- */

#define COUNT_BITS 20
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

uint64_t mox__weight_change(int32_t by, bool junk)
{
    return ((uint64_t)(int64_t)by << 2 * COUNT_BITS) +
           (junk ? UINT64_C(1) << COUNT_BITS : UINT64_C(1));
}

static int32_t hams_of(uint64_t weight)
{
    return (int32_t)(weight & COUNT_MASK);
}

static int32_t spams_of(uint64_t weight)
{
    return (int32_t)(weight >> COUNT_BITS & COUNT_MASK);
}

static int32_t number_of(uint64_t weight)
{
    const uint32_t sign = UINT32_C(1) << 23;
    return (int32_t)((uint32_t)(weight >> 2 * COUNT_BITS) ^ sign) - (int32_t)sign;
}

/* A whole batch, and one that is not full. */
static void take_apart(struct batch *b, const uint64_t *weights, int32_t hams, int32_t spams)
{
    for (size_t i = 0; i < KERNEL_BATCH; i++)
        b->hams[i] = hams_of(weights[i]) + hams;
    for (size_t i = 0; i < KERNEL_BATCH; i++)
        b->spams[i] = spams_of(weights[i]) + spams;
    for (size_t i = 0; i < KERNEL_BATCH; i++)
        b->numbers[i] = (float)number_of(weights[i]);
}

static void clear_rest(struct batch *b, size_t count)
{
    for (size_t i = count; i < KERNEL_BATCH; i++)
        b->hams[i] = b->spams[i] = 0;
}

void mox__batch_look(struct batch *b, const uint64_t *weights, size_t count, int32_t hams,
                     int32_t spams)
{
    uint64_t copy[KERNEL_BATCH] = {0};
    if (count == KERNEL_BATCH) {
        take_apart(b, weights, hams, spams);
        return;
    }
    memcpy(copy, weights, count * sizeof *copy);
    take_apart(b, copy, hams, spams);
    clear_rest(b, count);
}

/* They are gathered first and taken apart then: most are in no cache, and reads that nothing waits for
 * overlap. */
void mox__batch_pick(struct batch *b, const uint64_t *weights, const uint32_t *places, size_t count,
                     int32_t hams, int32_t spams)
{
    uint64_t picked[KERNEL_BATCH];
    for (size_t i = 0; i < count; i++)
        picked[i] = weights[places[i]];
    for (size_t i = count; i < KERNEL_BATCH; i++)
        picked[i] = 0;
    take_apart(b, picked, hams, spams);
    clear_rest(b, count);
}

/* ---- what they say ---- */

#define FIRST    10.0F /* messages that the filter is thought to know at first */
#define EVEN     0.4F  /* what a feature says that is as frequent in junk as in the rest … */
#define CONTRAST 0.6F  /* … and how much more one that is in junk only, or never */

/* The natural logarithm of a normal number, to 1e-7: that of the library is a call for each. With
 * x = m * 2^e, m around 1, and s = (m - 1) / (m + 1), it is e * ln 2 + 2 * (s + s^3/3 + s^5/5 + …). */
static float log_of(float x)
{
    const uint32_t root_half = 0x3f3504f3; /* the bits of the lowest m */
    uint32_t bits;
    float m;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t above = bits - root_half + (UINT32_C(127) << 23);
    const int32_t e = (int32_t)(above >> 23) - 127;
    bits -= (uint32_t)e << 23;
    memcpy(&m, &bits, sizeof m);
    const float s = (m - 1) / (m + 1), q = s * s;
    return (float)e * 0.69314718F + 2 * s * (1 + q * (1 / 3.0F + q * (1 / 5.0F + q * (1 / 7.0F))));
}

/* How rare a feature is: the square of its inverse document frequency. With a and b the shares of junk and
 * of other messages that have it, the contrast is |a - b| / (a + b), and n / (n + 1) of that. As long as
 * one kind was not seen at all there is none. */
void mox__batch_weigh(struct batch *batch, const struct knowledge *k)
{
    const bool both = k->hams > 0 && k->spams > 0;
    const float even = both ? EVEN : 1, contrast = both ? CONTRAST : 0;
    const float all = k->hams + k->spams + FIRST, all_hams = k->hams, all_spams = k->spams;
    for (size_t i = 0; i < KERNEL_BATCH; i++) {
        const float hams = (float)batch->hams[i], spams = (float)batch->spams[i], n = hams + spams;
        const float seen = (float)(batch->hams[i] + batch->spams[i] > 0);
        const float a = spams * all_hams, b = hams * all_spams;
        const float idf = log_of(all / (n + 0.5F));
        const float says =
            idf * idf * (even + contrast * fabsf(a - b) * n / ((a + b) * (n + 1) + FLT_MIN));
        batch->says[i] = says * seen; /* with a condition compilers make no vectors */
    }
}
