/* SPDX-License-Identifier: MIT */
#ifndef JUNK_TOKENIZER_H
#define JUNK_TOKENIZER_H

#include "junk/words.h"

/* Cuts text into words and puts these, and groups of them, into a set. Text may come in pieces that
 * cut no character. A word is letters and digits, in small letters; of two bytes or less, of digits,
 * of letters that nobody can speak, or of many bytes it does not count. */
struct tokenizer {
    struct wordset *set;
    struct gram_reader *grams;            /* NULL, or gets the text too */
    const struct mox_junk_params *params; /* which groups count */
    struct mox_slice prefix;              /* put in front of words: "Subject:" */
    size_t min;                           /* bytes of the shortest word or group that is kept */
    size_t len;
    bool too_long, is_ascii, has_digit;
    uint8_t word[MOX_JUNK_WORD_MAX]; /* the one that is being read */
    /* The last words that counted, and the next: groups are read from here, "one two three". */
    uint8_t group[3 * MOX_JUNK_WORD_MAX + 2];
    size_t group_len, lens[2]; /* of the group; of the last word and the one before */
};

/* `prefix` and `params` are borrowed for the life of the tokenizer. */
void mox__tokenizer_init(struct tokenizer *t, struct wordset *set,
                         const struct mox_junk_params *params, struct mox_slice prefix);
/* UTF-8, well-formed or not. */
void mox__tokenizer_feed(struct tokenizer *t, struct mox_slice text);
/* Here a word ends. */
void mox__tokenizer_break(struct tokenizer *t);

#endif
