/* SPDX-License-Identifier: MIT */
#include "junk/grams.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define GRAM_BYTES 4

/* Each block has places of its own, as many as it needs for its features to be mostly alone. */
static const struct region {
    uint32_t first, count;
} regions[GRAM_BLOCKS] = {
    [GRAMS_HEADER] = {0, 65536},
    [GRAMS_WORDS] = {65536, 131072},
    [GRAMS_TEXT] = {196608, 327680},
};

_Static_assert(196608 + 327680 == MOX_JUNK_WEIGHTS, "they fill the table");

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
    const uint64_t mixed = (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    const uint32_t place =
        regions[block].first + (uint32_t)((mixed >> 32) * regions[block].count >> 32);
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

/* ---- weights ---- */

#define COUNT_BITS 20
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

static uint32_t hams_of(uint64_t weight)
{
    return (uint32_t)(weight & COUNT_MASK);
}

static uint32_t spams_of(uint64_t weight)
{
    return (uint32_t)(weight >> COUNT_BITS & COUNT_MASK);
}

static int32_t number_of(uint64_t weight)
{
    const int32_t n = (int32_t)(weight >> 2 * COUNT_BITS);
    return n < 1 << 23 ? n : n - (1 << 24);
}

/* What is added for one message more, its weight moved by so much. */
static uint64_t change(int32_t by, bool junk)
{
    return ((uint64_t)(int64_t)by << 2 * COUNT_BITS) +
           (junk ? UINT64_C(1) << COUNT_BITS : UINT64_C(1));
}

/* ---- what a feature says ---- */

#define SCALE     256.0 /* weights are whole numbers, so that forgetting is exact */
#define FIRST     10.0F /* messages that the filter is thought to know at first */
#define EVEN      0.4F  /* what a feature says that is as frequent in junk as in the rest … */
#define CONTRAST  0.6F  /* … and how much more one that is in junk only, or never */
#define NORM_MIN  20.0  /* a message with few known features says little */
#define KNOWN_MAX 2048  /* counts whose rarity is kept */

/* Of all that was learnt, at one moment. Whole numbers, as exact in floats as it matters here. */
struct knowledge {
    float hams, spams;
    float rarity[KNOWN_MAX]; /* 0: not computed yet */
};

/* How rare a feature is: the square of its inverse document frequency. */
static float rarity_of(struct knowledge *k, uint32_t seen)
{
    if (seen < KNOWN_MAX && k->rarity[seen] > 0)
        return k->rarity[seen];
    const float idf = logf((k->hams + k->spams + FIRST) / ((float)seen + 0.5F));
    if (seen < KNOWN_MAX)
        k->rarity[seen] = idf * idf;
    return idf * idf;
}

/* How much it counts: rare ones, and those that one kind of messages has, more. Nothing if it was never
 * seen. With a and b the shares of junk and of other messages that have it, the contrast is
 * |a - b| / (a + b), and n / (n + 1) of that. */
static float kernel(struct knowledge *k, uint32_t hams, uint32_t spams)
{
    if (hams == 0 && spams == 0)
        return 0;
    const float rarity = rarity_of(k, hams + spams);
    if (k->hams <= 0 || k->spams <= 0)
        return rarity;
    const float n = (float)(hams + spams);
    const float a = (float)spams * k->hams, b = (float)hams * k->spams;
    return rarity * (EVEN + CONTRAST * fabsf(a - b) * n / ((a + b) * (n + 1)));
}

/* A message as if it were counted already: one more of its kind. */
struct more {
    uint32_t hams, spams;
};

/* A block's score: 0 without features. *norm is its length, *known how many features were seen. */
static double score_block(struct knowledge *k, const uint32_t *places, size_t count,
                          const uint64_t *weights, struct more more, double *norm, size_t *known)
{
    double sum = 0, length = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t w = weights[places[i]];
        const float says = kernel(k, hams_of(w) + more.hams, spams_of(w) + more.spams);
        sum += (double)((float)number_of(w) * says);
        length += (double)says;
        *known += says > 0;
    }
    *norm = sqrt(fmax(length, NORM_MIN));
    return sum / SCALE / *norm;
}

/* ---- the middle ---- */

/* It holds until one in so many messages is new. */
#define MIDDLE_HOLDS 16

struct mean {
    double sum, length;
};

static void add_to(struct mean *m, int32_t number, double says, uint32_t messages)
{
    m->sum += number * says * messages;
    m->length += says * messages;
}

static double mean_score(const struct mean *m, double messages)
{
    return m->sum / SCALE / messages / sqrt(fmax(m->length / messages, NORM_MIN));
}

/* Between what the mean message of each kind scores, under the weights of now. Without this, scores
 * would lean to the kind that was learnt last. */
static double middle_of(struct knowledge *k, const struct region *r, const uint64_t *weights)
{
    struct mean ham = {0}, spam = {0};
    for (uint32_t i = r->first; i < r->first + r->count; i++) {
        const uint64_t w = weights[i];
        if (w == 0)
            continue;
        const double says = (double)kernel(k, hams_of(w), spams_of(w));
        add_to(&ham, number_of(w), says, hams_of(w));
        add_to(&spam, number_of(w), says, spams_of(w));
    }
    return (mean_score(&ham, (double)k->hams) + mean_score(&spam, (double)k->spams)) / 2;
}

static bool still_holds(const struct mox_junk_middle *m, const struct mox_junk_totals *t)
{
    const int64_t hams = (int64_t)t->hams - m->hams, spams = (int64_t)t->spams - m->spams;
    const int64_t changed = (hams < 0 ? -hams : hams) + (spams < 0 ? -spams : spams);
    return (m->hams > 0 || m->spams > 0) && changed * MIDDLE_HOLDS <= (int64_t)m->hams + m->spams;
}

static void find_middle(struct mox_junk_middle *m, struct knowledge *k, const uint64_t *weights,
                        const struct mox_junk_totals *totals)
{
    if (totals->hams == 0 || totals->spams == 0) {
        *m = (struct mox_junk_middle){0};
        return;
    }
    if (still_holds(m, totals))
        return;
    m->hams = totals->hams;
    m->spams = totals->spams;
    for (size_t b = 0; b < GRAM_BLOCKS; b++)
        m->scores[b] = middle_of(k, &regions[b], weights);
}

double mox__grams_score(const struct grams *g, const uint64_t *weights,
                        struct mox_junk_middle *middle, const struct mox_junk_totals *totals,
                        double *known)
{
    struct knowledge k = {.hams = (float)totals->hams, .spams = (float)totals->spams};
    size_t all = 0, seen = 0;
    double score = 0, norm;
    const uint32_t *places = g->places;
    find_middle(middle, &k, weights, totals);
    for (size_t b = 0; b < GRAM_BLOCKS; b++) {
        if (g->counts[b] > 0)
            score +=
                score_block(&k, places, g->counts[b], weights, (struct more){0, 0}, &norm, &seen) -
                middle->scores[b];
        places += g->counts[b];
        all += g->counts[b];
    }
    *known = all == 0 ? 0 : (double)seen / (double)all;
    return score;
}

/* ---- learning ---- */

#define RATE       12.0 /* how far a message that surprises moves the weights */
#define SURE       0.1  /* a message that surprises less moves none */
#define MARGIN_MAX 50.0 /* beyond, exp() says nothing more */
#define ALPHA_BITS 10   /* of a block's step in a trace */
#define ALPHA_MAX  ((1 << ALPHA_BITS) - 1)

/* RATE * SCALE / sqrt(NORM_MIN) is the most. */
_Static_assert(12 * 256 * 10 / 44 <= ALPHA_MAX, "every step fits");

static int32_t alpha(double score, double norm, bool junk)
{
    const double margin = fmax(fmin(junk ? score : -score, MARGIN_MAX), -MARGIN_MAX);
    const double surprise = 1 / (1 + exp(margin));
    const double step = surprise < SURE ? 0 : SCALE * RATE * surprise / norm;
    return (int32_t)lround(fmin(step, ALPHA_MAX));
}

int32_t mox__grams_trace(const struct grams *g, const uint64_t *weights,
                         const struct mox_junk_totals *totals, bool junk)
{
    const struct more more = {junk ? 0 : 1, junk ? 1 : 0};
    struct knowledge k = {.hams = (float)(totals->hams + more.hams),
                          .spams = (float)(totals->spams + more.spams)};
    int32_t trace = 0;
    const uint32_t *places = g->places;
    for (size_t b = 0; b < GRAM_BLOCKS; b++) {
        double norm;
        size_t known = 0;
        const double score = score_block(&k, places, g->counts[b], weights, more, &norm, &known);
        trace |= alpha(score, norm, junk) << (ALPHA_BITS * b);
        places += g->counts[b];
    }
    return trace;
}

void mox__grams_steps(const struct grams *g, int32_t trace, bool junk, bool back,
                      struct mox_junk_step steps[GRAM_BLOCKS])
{
    const uint32_t *places = g->places;
    for (size_t b = 0; b < GRAM_BLOCKS; b++) {
        const int32_t by = (int32_t)((uint32_t)trace >> (ALPHA_BITS * b) & ALPHA_MAX);
        const uint64_t add = change(junk ? by : -by, junk);
        steps[b] = (struct mox_junk_step){
            .places = places, .count = g->counts[b], .by = back ? 0 - add : add};
        places += g->counts[b];
    }
}
