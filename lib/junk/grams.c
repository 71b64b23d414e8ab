/* SPDX-License-Identifier: MIT */
#include "junk/grams.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define GRAM_BYTES  4
#define PLACE_SHIFT 46 /* 64 bits to 18: MOX_JUNK_WEIGHTS */

_Static_assert(MOX_JUNK_WEIGHTS == 1 << (64 - PLACE_SHIFT), "places are that many");

/* ---- reading ---- */

void mox__gram_reader_init(struct gram_reader *r)
{
    memset(r, 0, offsetof(struct gram_reader, header));
}

/* Where a block's places are, and how many fit. */
static uint32_t *places_of(struct gram_reader *r, enum gram_block block, size_t *max)
{
    *max = block == GRAMS_HEADER  ? GRAMS_HEADER_MAX
           : block == GRAMS_WORDS ? GRAMS_WORDS_MAX
                                  : GRAMS_TEXT_MAX;
    return block == GRAMS_HEADER ? r->header : block == GRAMS_WORDS ? r->words : r->text;
}

void mox__gram_reader_add(struct gram_reader *r, enum gram_block block, uint64_t hash)
{
    size_t max;
    uint32_t *places = places_of(r, block, &max);
    const uint32_t place =
        (uint32_t)((hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> PLACE_SHIFT);
    const uint64_t bit = UINT64_C(1) << (place % 64);
    if ((r->seen[place / 64] & bit) != 0 || r->counts[block] == max)
        return;
    r->seen[place / 64] |= bit;
    places[r->counts[block]++] = place;
}

void mox__gram_reader_begin(struct gram_reader *r, uint32_t kind)
{
    r->kind = kind;
    r->last = ' ';
    r->filled = 1;
}

/* In small letters, with one space for all that is white. */
void mox__gram_reader_feed(struct gram_reader *r, struct mox_slice bytes)
{
    for (size_t i = 0; i < bytes.len && r->counts[GRAMS_TEXT] < GRAMS_TEXT_MAX; i++) {
        const uint8_t c = bytes.data[i] <= ' ' ? ' ' : to_lower(bytes.data[i]);
        if (c == ' ' && (r->last & 0xff) == ' ')
            continue;
        r->last = r->last << 8 | c;
        if (++r->filled >= GRAM_BYTES)
            mox__gram_reader_add(r, GRAMS_TEXT, (uint64_t)r->kind << 32 | r->last);
    }
}

int mox__grams_take(struct grams *out, const struct mox_env *env, struct gram_reader *r)
{
    size_t count = 1, max;
    for (size_t b = 0; b < GRAM_BLOCKS; b++)
        count += r->counts[b];
    out->places = mox__realloc(env, NULL, count, sizeof *out->places);
    if (out->places == NULL)
        return MOX_ENOMEM;
    uint32_t *to = out->places;
    for (size_t b = 0; b < GRAM_BLOCKS; b++) {
        memcpy(to, places_of(r, (enum gram_block)b, &max), r->counts[b] * sizeof *to);
        to += r->counts[b];
    }
    memcpy(out->counts, r->counts, sizeof out->counts);
    return MOX_OK;
}

void mox__grams_free(struct grams *g, const struct mox_env *env)
{
    mox__mem_free(env, g->places);
    g->places = NULL;
}

/* ---- learning ---- */

#define SCALE      1024.0 /* weights are whole numbers, so that forgetting is exact */
#define RATE       12.0   /* how far a message that surprises moves the weights */
#define SURE       0.1    /* a message that surprises less moves none */
#define MARGIN_MAX 50.0   /* beyond, exp() says nothing more */
#define ALPHA_BITS 10     /* of a block's step in a trace */
#define ALPHA_MAX  ((1 << ALPHA_BITS) - 1)

/* How much a feature says, by how rare it is: the square of its inverse document frequency. */
#define RARITY_MIN   0.3
#define RARITY_FIRST 10.0 /* messages that the filter is thought to know at first */
#define KNOWN_MAX    2048 /* counts whose weight is kept */

struct rarity {
    double messages;
    float known[KNOWN_MAX]; /* 0: not computed yet */
};

static float rarity_of(struct rarity *r, uint32_t seen)
{
    if (seen < KNOWN_MAX && r->known[seen] > 0)
        return r->known[seen];
    const double n = seen == 0 ? 1 : seen;
    const double idf = fmax(log((r->messages + RARITY_FIRST) / (n + 0.5)), RARITY_MIN);
    const float rarity = (float)(idf * idf);
    if (seen < KNOWN_MAX)
        r->known[seen] = rarity;
    return rarity;
}

static uint32_t seen_of(const struct mox_junk_weight *w)
{
    return w->seen > INT32_MAX ? 0 : w->seen;
}

/* A block's score: 0 without features. *norm is its length, unknown features included. `more`: 1 as
 * if the message were counted already. */
static double score_block(struct rarity *r, const uint32_t *places, size_t count,
                          const struct mox_junk_weight *weights, uint32_t more, double *norm)
{
    double sum = 0, length = 0;
    for (size_t i = 0; i < count; i++) {
        const struct mox_junk_weight *w = &weights[places[i]];
        const float k = rarity_of(r, seen_of(w) + more);
        sum += (double)((float)w->weight * k);
        length += (double)k;
    }
    *norm = count == 0 ? 1 : sqrt(length);
    return sum / SCALE / *norm;
}

/* What speaks most comes from the text. */
static const double shares[GRAM_BLOCKS] = {
    [GRAMS_HEADER] = 1, [GRAMS_WORDS] = 1, [GRAMS_TEXT] = 1.5};

double mox__grams_score(const struct grams *g, const struct mox_junk_weight *weights,
                        uint64_t messages)
{
    struct rarity r = {.messages = (double)messages};
    double score = 0, norm;
    const uint32_t *places = g->places;
    for (size_t b = 0; b < GRAM_BLOCKS; b++) {
        score += shares[b] * score_block(&r, places, g->counts[b], weights, 0, &norm);
        places += g->counts[b];
    }
    return score;
}

static int32_t alpha(double score, double norm, bool junk)
{
    const double margin = fmax(fmin(junk ? score : -score, MARGIN_MAX), -MARGIN_MAX);
    const double surprise = 1 / (1 + exp(margin));
    const double step = surprise < SURE ? 0 : SCALE * RATE * surprise / norm;
    return (int32_t)lround(fmin(step, ALPHA_MAX));
}

int32_t mox__grams_trace(const struct grams *g, const struct mox_junk_weight *weights,
                         uint64_t messages, bool junk)
{
    struct rarity r = {.messages = (double)messages + 1};
    int32_t trace = 0;
    const uint32_t *places = g->places;
    for (size_t b = 0; b < GRAM_BLOCKS; b++) {
        double norm;
        const double score = score_block(&r, places, g->counts[b], weights, 1, &norm);
        trace |= alpha(score, norm, junk) << (ALPHA_BITS * b);
        places += g->counts[b];
    }
    return junk ? trace : -trace;
}

void mox__grams_steps(const struct grams *g, int32_t trace, int seen,
                      struct mox_junk_step steps[GRAM_BLOCKS])
{
    const uint32_t *places = g->places;
    const uint32_t alphas = trace < 0 ? 0 - (uint32_t)trace : (uint32_t)trace;
    for (size_t b = 0; b < GRAM_BLOCKS; b++) {
        const int32_t by = (int32_t)(alphas >> (ALPHA_BITS * b) & ALPHA_MAX);
        steps[b] = (struct mox_junk_step){.places = places,
                                          .count = g->counts[b],
                                          .by = (trace < 0) == (seen < 0) ? by : -by,
                                          .seen = seen};
        places += g->counts[b];
    }
}
