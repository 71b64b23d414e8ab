/* SPDX-License-Identifier: MIT */
#ifndef MOX_JUNK_H
#define MOX_JUNK_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/**
 * @file
 * A filter that learns from what a user calls junk and not junk. A message becomes a set of words;
 * what was learned of them is in a database behind an interface of five functions. Learning and
 * unlearning are exact inverses, in any order.
 *
 *     struct mox_junk_words *words;
 *     struct mox_junk_verdict verdict;
 *     rc = mox_junk_words_new(&words, &env, &params, content);
 *     if (rc == MOX_OK)
 *         rc = mox_junk_classify(&db, &params, words, &verdict, &err);
 *     mox_junk_words_free(words);
 */

struct mox_junk_params {
    size_t size;                         /* sizeof(struct mox_junk_params) */
    bool onegrams, twograms, threegrams; /* groups of words that count; default onegrams */
    double max_power;    /* 1e-6 … 0.5: scores of words stay in [it, 1 - it]; 0.01 */
    unsigned top_words;  /* so many of the words that say most for and against count; 10 */
    double ignore_words; /* scores this near to 0.5 do not count; 0.1 */
    unsigned rare_words; /* words seen at most so often count less; 2 */
};

/** The defaults of new accounts. */
MOX_API void mox_junk_params_init(struct mox_junk_params *params);

#define MOX_JUNK_WORD_MAX  64 /* bytes of a word that is shown */
#define MOX_JUNK_SHOWN_MAX 20

/** A word that had a part in a verdict. */
struct mox_junk_word {
    char text[MOX_JUNK_WORD_MAX + 1]; /* printable ASCII */
    double score;                     /* 0 ham … 1 spam */
    uint32_t hams, spams;             /* messages with it */
};

/** Words are a small part of it. Most comes from how the message is made and from short pieces of its text and of its
 *  words, thousands of them, which say nothing to a person: so the words show what a message is about for the
 *  filter, and need not be why it has this probability. */
struct mox_junk_verdict {
    double probability;   /* that it is junk: 0 … 1; 0.5 when nothing is known */
    uint32_t hams, spams; /* messages that the filter was trained with */
    size_t word_count;    /* of the message */
    struct mox_junk_word words[MOX_JUNK_SHOWN_MAX]; /* that say most, the strongest first */
    size_t shown;
    /** What the words add to the natural logarithm of the odds, and all else: above 0 for junk. The sum is
     *  log(probability / (1 - probability)). */
    double from_words, from_rest;
};

/**
 * What the filter sees of a message. It costs time by the length of the message, and memory up to
 * 4 MB besides what mox_message_parse() takes.
 *
 * Threads: read by any number at once.
 */
struct mox_junk_words;

#define MOX_JUNK_HEADER_MAX 1048576 /* bytes of a message's header that are read */
#define MOX_JUNK_TEXT_MAX   1048576 /* bytes of a message's text that are read */
#define MOX_JUNK_WORDS_MAX  20000   /* words of a message that count */

/**
 * Takes a message apart: the words of its addresses and subject and of its text parts, HTML too, those
 * of messages within it too. Whatever bytes it has, that is no error.
 *
 * @param params   which groups of words count
 * @param content  borrowed for the call
 * @return MOX_OK or MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_junk_words_new(struct mox_junk_words **out, const struct mox_env *env,
                                            const struct mox_junk_params *params,
                                            struct mox_slice content);
/** NULL is fine. */
MOX_API void mox_junk_words_free(struct mox_junk_words *words);
/** How many different words. */
MOX_API size_t mox_junk_words_count(const struct mox_junk_words *words);

/** Messages that were learned. */
struct mox_junk_totals {
    uint32_t hams, spams;
};

/** In how many of them a word was. `key` stands for the word, and is never 0. */
struct mox_junk_count {
    uint64_t key;
    uint32_t hams, spams;
};

/** A second thing is learned besides words: how much each of so many features speaks for junk. A weight is 64 bits:
 *  from the lowest, 20 that count the messages with the feature that are not junk, 20 that count those that
 *  are, and 24 of a number with a sign. So a change is one addition, and its inverse another. */
#define MOX_JUNK_WEIGHTS 524288

/** A change of weights: `by` is added at each of the places, modulo 2^64. */
struct mox_junk_step {
    const uint32_t *places; /* less than MOX_JUNK_WEIGHTS, each once */
    size_t count;
    uint64_t by;
};

/** What is worked out of all weights, and holds for a while: only the classifier knows what it is. All
 *  zeros when the weights are read. */
struct mox_junk_middle {
    uint32_t hams, spams;
    double scores[4];
};

/** Where counts and weights are kept. Each function returns MOX_OK or a failure with its text in *err, which may
 *  be NULL. Keys of one call are all different, in any order. */
struct mox_junk_db_ops {
    size_t size; /* sizeof(struct mox_junk_db_ops) */

    int (*totals)(void *self, struct mox_junk_totals *out, struct mox_error *err);
    /** Fills in hams and spams, 0 for a key that is not there. */
    int (*find)(void *self, struct mox_junk_count *counts, size_t count, struct mox_error *err);
    /** One message more (`by` 1) or less (-1) of its kind, in all and for each key. A count that is 0
     *  stays that when it should be less. */
    int (*add)(void *self, const uint64_t *keys, size_t count, bool junk, int by,
               struct mox_error *err);

    /** All weights, 0 at first, and a place for what is worked out of them; borrowed until the next call. */
    int (*weights)(void *self, const uint64_t **weights, struct mox_junk_middle **middle,
                   struct mox_error *err);
    int (*step)(void *self, const struct mox_junk_step *steps, size_t count, struct mox_error *err);
};

struct mox_junk_db {
    const struct mox_junk_db_ops *ops;
    void *self;
};

/**
 * Learns a message.
 *
 * @param trace  what must be given to mox_junk_unlearn() for this message; kept with it
 */
MOX_API MOX_MUST_USE int mox_junk_learn(const struct mox_junk_db *db,
                                        const struct mox_junk_params *params,
                                        const struct mox_junk_words *words, bool junk,
                                        int64_t *trace, struct mox_error *err);
/** Forgets a message that was learned as `junk`. */
MOX_API MOX_MUST_USE int mox_junk_unlearn(const struct mox_junk_db *db,
                                          const struct mox_junk_words *words, bool junk,
                                          int64_t trace, struct mox_error *err);
/** Says how likely a message is junk. */
MOX_API MOX_MUST_USE int mox_junk_classify(const struct mox_junk_db *db,
                                           const struct mox_junk_params *params,
                                           const struct mox_junk_words *words,
                                           struct mox_junk_verdict *verdict, struct mox_error *err);

/**
 * A database in memory: 4 MB, and some 20 bytes for each word.
 *
 * Threads: one at a time.
 */
struct mox_junk_memory;

/** @param max_bytes  it never takes more; what does not fit fails with MOX_ELIMIT */
MOX_API MOX_MUST_USE int mox_junk_memory_new(struct mox_junk_memory **out,
                                             const struct mox_env *env, size_t max_bytes);
/** NULL is fine. */
MOX_API void mox_junk_memory_free(struct mox_junk_memory *memory);
/** Borrowed: as long as the memory is there. */
MOX_API struct mox_junk_db mox_junk_memory_db(struct mox_junk_memory *memory);

MOX_END_DECLS

#endif
