/* SPDX-License-Identifier: MIT */
#include "junk/grams.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "junk/kernel.h"

#define GRAM_BYTES 4

/* Each block has places of its own in the table, as many as it needs for its features to be mostly alone.
 * The shares are those that tell best: whose heading and words are apart, and words count less since the
 * rule of Bayes looks at them too. */
static const struct block {
    uint32_t first, count; /* in the table */
    size_t begin, max;     /* of a message, in its reader */
    double share;          /* of the score */
} blocks[GRAM_BLOCKS] = {
    [GRAMS_HEADER] = {0, 65536, 0, GRAMS_HEADER_MAX, 1},
    [GRAMS_HEADING] = {65536, 32768, GRAMS_HEADER_MAX + 1, GRAMS_HEADING_MAX, 1},
    [GRAMS_WORDS] = {98304, 131072, GRAMS_HEADER_MAX + GRAMS_HEADING_MAX + 2, GRAMS_WORDS_MAX, 0.7},
    [GRAMS_TEXT] = {229376, 294912, GRAMS_MAX - GRAMS_TEXT_MAX + 3, GRAMS_TEXT_MAX, 1},
};

_Static_assert(229376 + 294912 == MOX_JUNK_WEIGHTS, "they fill the table");

/* ---- reading ---- */

void mox__gram_reader_init(struct gram_reader *r)
{
    memset(r, 0, offsetof(struct gram_reader, places));
}

/* Puts a feature behind the places, where it stays if it is new: half of them are, in no order that a
 * processor could foresee, so there is no branch. There must be room for one more than counts. */
static inline size_t add_place(uint64_t *seen, uint32_t *places, size_t count,
                               enum gram_block block, uint64_t hash)
{
    const uint64_t mixed = (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    const uint32_t place =
        blocks[block].first + (uint32_t)((mixed >> 32) * blocks[block].count >> 32);
    const uint64_t bits = seen[place / 64];
    seen[place / 64] = bits | UINT64_C(1) << (place % 64);
    places[count] = place;
    return count + (size_t)(~bits >> (place % 64) & 1);
}

bool mox__gram_reader_is_full(const struct gram_reader *r, enum gram_block block)
{
    return r->counts[block] >= blocks[block].max;
}

void mox__gram_reader_add(struct gram_reader *r, enum gram_block block, uint64_t hash)
{
    if (!mox__gram_reader_is_full(r, block))
        r->counts[block] =
            add_place(r->seen, r->places + blocks[block].begin, r->counts[block], block, hash);
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
    const uint64_t kind = (uint64_t)r->kind << 32;
    uint32_t *const places = r->places + blocks[GRAMS_TEXT].begin;
    uint32_t last = r->last;
    size_t count = r->counts[GRAMS_TEXT];
    for (size_t i = 0; i < bytes.len && count < GRAMS_TEXT_MAX; i++) {
        const uint8_t c = bytes.data[i] <= ' ' ? ' ' : to_lower(bytes.data[i]);
        if (c == ' ' && (last & 0xff) == ' ')
            continue;
        last = last << 8 | c;
        if (++r->filled >= GRAM_BYTES)
            count = add_place(r->seen, places, count, GRAMS_TEXT, kind | last);
    }
    r->last = last;
    r->counts[GRAMS_TEXT] = count;
}

int mox__grams_take(struct grams *out, const struct mox_env *env, struct gram_reader *r)
{
    size_t count = 1;
    for (size_t b = 0; b < GRAM_BLOCKS; b++)
        count += r->counts[b];
    out->places = mox__realloc(env, NULL, count, sizeof *out->places);
    if (out->places == NULL)
        return MOX_ENOMEM;
    uint32_t *to = out->places;
    for (size_t b = 0; b < GRAM_BLOCKS; b++) {
        memcpy(to, r->places + blocks[b].begin, r->counts[b] * sizeof *to);
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

/* ---- scores ---- */

#define SCALE    256.0 /* weights are whole numbers, so that forgetting is exact */
#define NORM_ADD 50.0  /* few known features say little, as those of mail that lost its header */
#define LANES    4     /* sums side by side: no addition waits for the one before */

/* A message as if it were counted already: one more of its kind. */
struct more {
    int32_t hams, spams;
};

struct sums {
    double score[LANES], length[LANES];
};

static double sum_of(const double lanes[LANES])
{
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

static void add_batch(struct sums *s, const struct batch *b, size_t *known)
{
    int seen = 0;
    for (size_t i = 0; i < KERNEL_BATCH; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            s->score[lane] += (double)(b->numbers[i + lane] * b->says[i + lane]);
            s->length[lane] += (double)b->says[i + lane];
        }
    for (size_t i = 0; i < KERNEL_BATCH; i++)
        seen += b->says[i] > 0;
    *known += (size_t)seen;
}

/* A block's score: 0 without features. *norm is its length, *known how many features were seen. */
static double score_block(const struct knowledge *k, const uint32_t *places, size_t count,
                          const uint64_t *weights, struct more more, double *norm, size_t *known)
{
    struct sums sums = {{0}, {0}};
    struct batch batch;
    for (size_t at = 0; at < count; at += KERNEL_BATCH) {
        const size_t n = count - at < KERNEL_BATCH ? count - at : KERNEL_BATCH;
        mox__batch_pick(&batch, weights, places + at, n, more.hams, more.spams);
        mox__batch_weigh(&batch, k);
        add_batch(&sums, &batch, known);
    }
    *norm = sqrt(sum_of(sums.length) + NORM_ADD);
    return sum_of(sums.score) / SCALE / *norm;
}

/* ---- the middle ---- */

/* It holds until one in so many messages is new. */
#define MIDDLE_HOLDS 16

/* All messages of a kind together. */
static void add_messages(struct sums *s, const struct batch *b, const int32_t *messages)
{
    for (size_t i = 0; i < KERNEL_BATCH; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            const double says = (double)b->says[i + lane] * messages[i + lane];
            s->score[lane] += (double)b->numbers[i + lane] * says;
            s->length[lane] += says;
        }
}

static double mean_score(const struct sums *s, double messages)
{
    const double length = sum_of(s->length) / messages;
    return sum_of(s->score) / SCALE / messages / sqrt(length + NORM_ADD);
}

/* Between what the mean message of each kind scores, under the weights of now. Without this, scores
 * would lean to the kind that was learnt last. */
static double middle_of(const struct knowledge *k, const struct block *r, const uint64_t *weights)
{
    struct sums ham = {{0}, {0}}, spam = {{0}, {0}};
    struct batch batch;
    for (uint32_t at = 0; at < r->count; at += KERNEL_BATCH) {
        const uint32_t left = r->count - at;
        mox__batch_look(&batch, weights + r->first + at, left < KERNEL_BATCH ? left : KERNEL_BATCH,
                        0, 0);
        mox__batch_weigh(&batch, k);
        add_messages(&ham, &batch, batch.hams);
        add_messages(&spam, &batch, batch.spams);
    }
    return (mean_score(&ham, (double)k->hams) + mean_score(&spam, (double)k->spams)) / 2;
}

static bool still_holds(const struct mox_junk_middle *m, const struct mox_junk_totals *t)
{
    const int64_t hams = (int64_t)t->hams - m->hams, spams = (int64_t)t->spams - m->spams;
    const int64_t changed = (hams < 0 ? -hams : hams) + (spams < 0 ? -spams : spams);
    return (m->hams > 0 || m->spams > 0) && changed * MIDDLE_HOLDS <= (int64_t)m->hams + m->spams;
}

static void find_middle(struct mox_junk_middle *m, const struct knowledge *k,
                        const uint64_t *weights, const struct mox_junk_totals *totals)
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
        m->scores[b] = middle_of(k, &blocks[b], weights);
}

double mox__grams_score(const struct grams *g, const uint64_t *weights,
                        struct mox_junk_middle *middle, const struct mox_junk_totals *totals,
                        double *known)
{
    const struct knowledge k = {.hams = (float)totals->hams, .spams = (float)totals->spams};
    size_t all = 0, seen = 0;
    double score = 0, norm;
    const uint32_t *places = g->places;
    find_middle(middle, &k, weights, totals);
    for (size_t b = 0; b < GRAM_BLOCKS; b++) {
        if (g->counts[b] > 0)
            score += blocks[b].share * (score_block(&k, places, g->counts[b], weights,
                                                    (struct more){0, 0}, &norm, &seen) -
                                        middle->scores[b]);
        places += g->counts[b];
        all += g->counts[b];
    }
    *known = all == 0 ? 0 : (double)seen / (double)all;
    return score;
}

/* ---- learning ---- */

/* How far a message that surprises moves the weights. One that is no junk moves them further, since to lose
 * mail is worse; but not the first ones, that say nothing of what else is no junk. */
#define RATE       12.0
#define HAM_MORE   0.6
#define HAM_FEW    100.0
#define SURE       0.05 /* a message that surprises less moves none */
#define MARGIN_MAX 50.0 /* beyond, exp() says nothing more */
#define ALPHA_BITS 11   /* of a block's step in a trace */
#define ALPHA_MAX  ((1 << ALPHA_BITS) - 1)

/* RATE * (1 + HAM_MORE) * SCALE / sqrt(NORM_ADD) is the most. */
_Static_assert(20 * 256 / 7 <= ALPHA_MAX, "every step fits");

static double rate_of(const struct knowledge *k, bool junk)
{
    return junk ? RATE : RATE * (1 + HAM_MORE * k->hams / (k->hams + HAM_FEW));
}

static int32_t alpha(const struct knowledge *k, double score, double norm, bool junk)
{
    const double margin = fmax(fmin(junk ? score : -score, MARGIN_MAX), -MARGIN_MAX);
    const double surprise = 1 / (1 + exp(margin));
    const double step = surprise < SURE ? 0 : SCALE * rate_of(k, junk) * surprise / norm;
    return (int32_t)lround(fmin(step, ALPHA_MAX));
}

int64_t mox__grams_trace(const struct grams *g, const uint64_t *weights,
                         const struct mox_junk_totals *totals, bool junk)
{
    const struct more more = {junk ? 0 : 1, junk ? 1 : 0};
    const struct knowledge k = {.hams = (float)totals->hams + (float)more.hams,
                                .spams = (float)totals->spams + (float)more.spams};
    int64_t trace = 0;
    const uint32_t *places = g->places;
    for (size_t b = 0; b < GRAM_BLOCKS; b++) {
        double norm;
        size_t known = 0;
        const double score = score_block(&k, places, g->counts[b], weights, more, &norm, &known);
        trace |= (int64_t)alpha(&k, score, norm, junk) << (ALPHA_BITS * b);
        places += g->counts[b];
    }
    return trace;
}

void mox__grams_steps(const struct grams *g, int64_t trace, bool junk, bool back,
                      struct mox_junk_step steps[GRAM_BLOCKS])
{
    const uint32_t *places = g->places;
    for (size_t b = 0; b < GRAM_BLOCKS; b++) {
        const int32_t by = (int32_t)((uint64_t)trace >> (ALPHA_BITS * b) & ALPHA_MAX);
        const uint64_t add = mox__weight_change(junk ? by : -by, junk);
        steps[b] = (struct mox_junk_step){
            .places = places, .count = g->counts[b], .by = back ? 0 - add : add};
        places += g->counts[b];
    }
}
