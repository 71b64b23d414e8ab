/* SPDX-License-Identifier: MIT */
#ifndef MOX_JUNK_H
#define MOX_JUNK_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/**
 * @file
 * A filter that learns from what a user calls junk and not junk.
 */

struct mox_junk_params {
    size_t size;                         /* sizeof(struct mox_junk_params) */
    bool onegrams, twograms, threegrams; /* groups of words that count; default onegrams */
    double max_power;    /* scores of words stay in [max_power, 1 - max_power]; 0.01 */
    unsigned top_words;  /* so many of the best for and against; 10 */
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

struct mox_junk_verdict {
    double probability;   /* that it is junk: 0 … 1; 0.5 when nothing is known */
    uint32_t hams, spams; /* messages that the filter was trained with */
    size_t word_count;    /* of the message */
    struct mox_junk_word words[MOX_JUNK_SHOWN_MAX]; /* that decided most, the strongest first */
    size_t shown;
};

MOX_END_DECLS

#endif
