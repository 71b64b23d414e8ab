/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include <mox/junk.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "junk/words.h"

void mox_junk_params_init(struct mox_junk_params *params)
{
    *params = (struct mox_junk_params){.size = sizeof *params,
                                       .onegrams = true,
                                       .max_power = 0.01,
                                       .top_words = 10,
                                       .ignore_words = 0.1,
                                       .rare_words = 2};
}

/* How much the words count beside the weights, both as logarithms of odds. Words that are alike in many
 * messages of one kind are not evidence of their own, as the rule of Bayes takes them for. With 0.1 and
 * with 0.2 five-fold cross-validation comes out alike; mail of other sites is told better with 0.1. */
#define WORDS_SHARE 0.07

#define TOP_WORDS_MAX 1000 /* for and against, whatever the parameters say */
#define POWER_MIN     1e-6 /* instead of a smaller max_power: certainty has no logarithm */

/* The strongest words of one kind, the strongest first. */
struct top {
    struct scored {
        const struct word *word;
        const struct mox_junk_count *counts;
        double score;
    } * words; /* room for `max` */
    size_t count, max;
};

/* How much a word is of junk: from 0, only in ham, to 1. */
static double score(const struct mox_junk_params *params, const struct mox_junk_totals *totals,
                    const struct mox_junk_count *c)
{
    const double spam = totals->spams == 0 ? 0 : (double)c->spams / totals->spams;
    const double ham = totals->hams == 0 ? 0 : (double)c->hams / totals->hams;
    const double seen = (double)c->hams + c->spams;
    if (spam + ham <= 0)
        return 0.5;
    const double least = fmin(fmax(params->max_power, POWER_MIN), 0.5);
    double r = fmin(fmax(spam / (spam + ham), least), 1 - least);
    if (seen <= params->rare_words)
        r += fmin((1.0 + params->rare_words - seen) / 10, 1) * (0.5 - r);
    return r;
}

/* Whether a is stronger than b, both on one side of 0.5. With equal scores longer words come first,
 * which say more, and then the order of bytes, so that a verdict does not depend on how it was made. */
static bool is_stronger(const struct wordset *set, const struct scored *a, const struct scored *b)
{
    const double strength_a = fabs(a->score - 0.5), strength_b = fabs(b->score - 0.5);
    if (strength_a > strength_b || strength_a < strength_b)
        return strength_a > strength_b;
    if (a->word->len != b->word->len)
        return a->word->len > b->word->len;
    const struct mox_slice text = mox__wordset_text(set, a->word);
    const int order = memcmp(text.data, mox__wordset_text(set, b->word).data, text.len);
    return order != 0 ? order < 0 : a->word->key < b->word->key;
}

static void keep(struct top *top, const struct wordset *set, const struct scored *word)
{
    size_t at = top->count;
    if (at < top->max)
        top->count++;
    else if (at == 0 || !is_stronger(set, word, &top->words[--at]))
        return;
    for (; at > 0 && is_stronger(set, word, &top->words[at - 1]); at--)
        top->words[at] = top->words[at - 1];
    top->words[at] = *word;
}

/* What is not printable ASCII is a question mark, one for each character. */
static void clean(char out[MOX_JUNK_WORD_MAX + 1], struct mox_slice text)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];
        if (c >= ' ' && c < 0x7f)
            out[len++] = (char)c;
        else if ((c & 0xc0) != 0x80)
            out[len++] = '?';
    }
    out[len] = '\0';
}

static void show(struct mox_junk_verdict *verdict, const struct wordset *set,
                 const struct scored *scored)
{
    struct mox_junk_word *word = &verdict->words[verdict->shown++];
    clean(word->text, mox__wordset_text(set, scored->word));
    word->score = scored->score;
    word->hams = scored->counts->hams;
    word->spams = scored->counts->spams;
}

/* Of both kinds, the strongest first. */
static void show_words(struct mox_junk_verdict *verdict, const struct wordset *set,
                       const struct top *ham, const struct top *spam)
{
    size_t h = 0, s = 0;
    while (verdict->shown < MOX_JUNK_SHOWN_MAX && (h < ham->count || s < spam->count)) {
        if (s == spam->count ||
            (h < ham->count && is_stronger(set, &ham->words[h], &spam->words[s])))
            show(verdict, set, &ham->words[h++]);
        else
            show(verdict, set, &spam->words[s++]);
    }
}

/* The logarithm of the odds. */
static double evidence(const struct top *top)
{
    double sum = 0;
    for (size_t i = 0; i < top->count; i++)
        sum += log(top->words[i].score) - log(1 - top->words[i].score);
    return sum;
}

struct classification {
    struct mox_junk_count *counts; /* of all words, in their order */
    struct top ham, spam;
};

/* Only as much as is needed: most messages have some hundreds of words. */
static bool allocate(struct classification *c, const struct mox_junk_params *params,
                     const struct wordset *set)
{
    const size_t top = params->top_words < TOP_WORDS_MAX ? params->top_words : TOP_WORDS_MAX;
    *c = (struct classification){.ham.max = top, .spam.max = top};
    c->counts = mem_new(set->env, struct mox_junk_count, set->count + 1);
    c->ham.words = mem_new(set->env, struct scored, top + 1);
    c->spam.words = mem_new(set->env, struct scored, top + 1);
    return c->counts != NULL && c->ham.words != NULL && c->spam.words != NULL;
}

static void release(struct classification *c, const struct mox_env *env)
{
    mox__mem_free(env, c->counts);
    mox__mem_free(env, c->ham.words);
    mox__mem_free(env, c->spam.words);
}

/* What has to speak for junk before a message is as likely junk as not: chosen so that at a probability of
 * 0.95 about one in a thousand messages that are not junk is taken for it.
 *
 * - With few messages learnt, one that is unlike all of them (`known` is the share of its features that
 *   were seen) says little.
 * - What is new looks like the kind that is rare; so when far more of one kind was learnt, it leans to the
 *   other. But not to junk before some was learnt. */
static double reserve(const struct mox_junk_totals *totals, double known)
{
    const double fewer = totals->hams < totals->spams ? totals->hams : totals->spams;
    const double d = log((totals->spams + 1.0) / (totals->hams + 1.0));
    const double excess = fmax(0, -d - 1);
    const double lean = d > 0 ? 4 * d : (d - 0.4 * excess * excess) * fewer / (fewer + 3);
    return 5.25 * fewer / (fewer + 10) + 16 * 50 / (50 + fewer) * (1 - known) +
           fmax(-10, fmin(12, lean));
}

/* How steep the probability is. */
#define SLOPE 2.0

static void weigh(struct classification *c, const struct mox_junk_params *params,
                  const struct wordset *set, double grams, double known,
                  struct mox_junk_verdict *verdict)
{
    const struct mox_junk_totals totals = {.hams = verdict->hams, .spams = verdict->spams};
    for (size_t i = 0; i < set->count; i++) {
        const struct scored word = {&set->words[i], &c->counts[i],
                                    score(params, &totals, &c->counts[i])};
        const double strength = fabs(word.score - 0.5);
        if (strength > 0 && strength >= params->ignore_words)
            keep(word.score < 0.5 ? &c->ham : &c->spam, set, &word);
    }
    verdict->from_words = SLOPE * WORDS_SHARE * (evidence(&c->ham) + evidence(&c->spam));
    verdict->from_rest = SLOPE * (grams - reserve(&totals, known));
    verdict->probability = 1 / (1 + exp(-verdict->from_words - verdict->from_rest));
    show_words(verdict, set, &c->ham, &c->spam);
}

int mox_junk_classify(const struct mox_junk_db *db, const struct mox_junk_params *params,
                      const struct mox_junk_words *words, struct mox_junk_verdict *verdict,
                      struct mox_error *err)
{
    const struct wordset *set = &words->set;
    struct mox_junk_totals totals;
    const uint64_t *weights;
    struct mox_junk_middle *middle;
    *verdict = (struct mox_junk_verdict){.probability = 0.5, .word_count = set->count};
    struct classification c;
    int rc = allocate(&c, params, set) ? MOX_OK : MOX_ENOMEM;
    if (rc < 0) {
        release(&c, set->env);
        return mox__fail(err, MOX_ENOMEM, "classify a message: out of memory");
    }
    for (size_t i = 0; i < set->count; i++)
        c.counts[i].key = set->words[i].key;
    rc = db->ops->totals(db->self, &totals, err);
    if (rc == MOX_OK)
        rc = db->ops->find(db->self, c.counts, set->count, err);
    if (rc == MOX_OK)
        rc = db->ops->weights(db->self, &weights, &middle, err);
    if (rc == MOX_OK && (totals.hams > 0 || totals.spams > 0)) {
        double known;
        verdict->hams = totals.hams;
        verdict->spams = totals.spams;
        const double grams = mox__grams_score(&words->grams, weights, middle, &totals, &known);
        if (set->count > 0) /* else nobody could say why */
            weigh(&c, params, set, grams, known, verdict);
    }
    release(&c, set->env);
    return rc;
}
