/* SPDX-License-Identifier: MIT */
#ifndef JUNK_WORDS_H
#define JUNK_WORDS_H

#include <mox/junk.h>

#include "base/buf.h"
#include "junk/grams.h"

/* The room, file by file. words.c walks over a message: html.c (entity.c) takes text out of HTML,
 * tokenizer.c (rune.c) cuts text into words, wordset.c keeps each of them once; fields.c and
 * gram_token.c find further features, and grams.c (kernel.c) is what is learned of these. learn.c and classify.c
 * are what the filter does with a message; memory.c (table.c) keeps counts and weights. */

/* A word of a message: 64 bits that stand for it, and its text for people. */
struct word {
    uint64_t key;
    uint32_t text; /* where it begins in the texts; it is there as far as it is shown */
    uint32_t len;  /* of the whole word */
};

/* Words, each once, in the order of their first appearance. */
struct wordset {
    const struct mox_env *env;
    struct word *words;
    uint32_t *slots; /* index + 1 of a word, by key; a power of two of them, half of them empty */
    size_t count, slot_count;
    uint64_t secret; /* odd: who chooses words cannot choose their slots */
    unsigned shift;  /* of 64 bits to those of a slot */
    struct buf texts;
    bool failed; /* out of memory */
};

struct mox_junk_words {
    struct mox_env env;
    struct wordset set;
    struct grams grams;
};

void mox__wordset_init(struct wordset *set, const struct mox_env *env);
void mox__wordset_free(struct wordset *set);
/* A word, or a group of words, in two parts: what stands in front of it, and itself. What is over
 * MOX_JUNK_WORDS_MAX is left out. */
void mox__wordset_add(struct wordset *set, struct mox_slice prefix, struct mox_slice text);
/* The text of a word as far as it is kept: any UTF-8, maybe cut within a character. */
struct mox_slice mox__wordset_text(const struct wordset *set, const struct word *word);

#endif
