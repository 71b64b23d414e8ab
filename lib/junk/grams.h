/* SPDX-License-Identifier: MIT */
#ifndef JUNK_GRAMS_H
#define JUNK_GRAMS_H

#include <mox/junk.h>

#include "base/buf.h"

/* The second look at a message: how it was made (fields of its header, hosts, words of fields), who writes
 * about what (its heading: subject, sender), its words, and which four bytes follow each other in its text,
 * which sees misspelled words and any language.
 * Each feature is a place in a table of weights; different ones may share a place. */

enum gram_block { GRAMS_HEADER, GRAMS_HEADING, GRAMS_WORDS, GRAMS_TEXT, GRAM_BLOCKS };

/* How many features of each are looked at. */
#define GRAMS_HEADER_MAX  1000
#define GRAMS_HEADING_MAX 500
#define GRAMS_WORDS_MAX   2500
#define GRAMS_TEXT_MAX    3000
#define GRAMS_MAX         (GRAMS_HEADER_MAX + GRAMS_HEADING_MAX + GRAMS_WORDS_MAX + GRAMS_TEXT_MAX)

/* The places of a message, each once, block by block. */
struct grams {
    uint32_t *places;
    size_t counts[GRAM_BLOCKS];
};

/* A token that is being read: letters and digits, with single marks between them, or marks alone, as they
 * are written: "$19.95", "FREE", "!!!", "www.example.org". */
struct gram_token {
    enum { TOKEN_NONE, TOKEN_WORD, TOKEN_MARKS } state;
    uint64_t hash;
    size_t len;
    uint8_t mark; /* behind a word: it belongs to it if a word byte follows; 0: none */
};

struct gram_reader {
    uint32_t kind;   /* of text */
    uint32_t last;   /* its last four bytes */
    unsigned filled; /* of them, or more */
    struct gram_token token;
    unsigned received; /* fields of that name, up to some */
    uint64_t types;    /* a hash of those of all parts, in their order */
    size_t counts[GRAM_BLOCKS];
    uint64_t seen[MOX_JUNK_WEIGHTS / 64];
    /* Block by block, with room for one that turns out to be there already. */
    uint32_t places[GRAMS_MAX + GRAM_BLOCKS];
};

void mox__gram_reader_init(struct gram_reader *r);
/* A feature of its header, or a word, by its hash. */
void mox__gram_reader_add(struct gram_reader *r, enum gram_block block, uint64_t hash);
/* Nothing more is looked at. */
bool mox__gram_reader_is_full(const struct gram_reader *r, enum gram_block block);
/* What follows is not of one piece with what was before; `kind` tells apart what it is of. */
void mox__gram_reader_begin(struct gram_reader *r, uint32_t kind);
void mox__gram_reader_feed(struct gram_reader *r, struct mox_slice bytes);
/* The tokens of text, which may come in pieces; what a link leads to is apart from what is read. */
void mox__gram_reader_tokens(struct gram_reader *r, struct mox_slice text, bool link);
void mox__gram_reader_token_end(struct gram_reader *r, bool link);
/* MOX_ENOMEM, or a copy of what it found. */
MOX_MUST_USE int mox__grams_take(struct grams *out, const struct mox_env *env,
                                 struct gram_reader *r);
void mox__grams_free(struct grams *g, const struct mox_env *env);

/* ---- what is learned of them: a logistic regression for each block ---- */

/* How much they speak for junk: about the logarithm of the odds. *known is the share of its features that
 * were seen before. */
double mox__grams_score(const struct grams *g, const uint64_t *weights,
                        struct mox_junk_middle *middle, const struct mox_junk_totals *totals,
                        double *known);
/* How far the weights have to move for a message that is junk or not: its trace, a step for each block. */
int64_t mox__grams_trace(const struct grams *g, const uint64_t *weights,
                         const struct mox_junk_totals *totals, bool junk);
/* The steps of a trace, one for each block: there, or back. */
void mox__grams_steps(const struct grams *g, int64_t trace, bool junk, bool back,
                      struct mox_junk_step steps[GRAM_BLOCKS]);

#endif
