/* SPDX-License-Identifier: MIT */

/* Any bytes are a message with words, the same each time, and each once; HTML gives the same words however
 * it was cut. Input: how to cut, and the message. */

#include <mox/junk.h>

#include "fuzz/input.h"
#include "junk/html.h"

static void feed(struct html *h, struct mox_slice text, size_t step)
{
    while (text.len > 0) {
        size_t n = text.len < step ? text.len : step;
        while (n < text.len && text.data[n] >= 0x80) /* no piece cuts a character */
            n++;
        mox__html_feed(h, slice(text.data, n));
        text = slice_from(text, n);
    }
    mox__html_finish(h);
}

static void html_of(struct wordset *set, const struct mox_env *env, struct mox_slice text,
                    size_t step)
{
    static const struct mox_junk_params params = {
        .onegrams = true, .twograms = true, .threegrams = true};
    struct tokenizer t;
    struct html h;
    mox__wordset_init(set, env);
    mox__tokenizer_init(&t, set, &params, slice(NULL, 0));
    mox__html_init(&h, &t);
    feed(&h, text, step);
}

static void cuts_make_no_difference(const struct mox_env *env, struct mox_slice text, size_t step)
{
    struct wordset whole, cut;
    html_of(&whole, env, text, SIZE_MAX);
    html_of(&cut, env, text, step);
    assert(!whole.failed && whole.count == cut.count && whole.texts.len == cut.texts.len);
    for (size_t i = 0; i < whole.count; i++)
        assert(whole.words[i].key == cut.words[i].key);
    mox__wordset_free(&whole);
    mox__wordset_free(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct mox_junk_params params;
    struct mox_junk_words *words;
    struct input in = {{data, len}};
    const size_t step = input_below(&in, 60) + 1u;
    mox_env_system(&env);
    mox_junk_params_init(&params);
    params.twograms = step % 2 == 0;
    int rc = mox_junk_words_new(&words, &env, &params, in.rest);
    assert(rc == MOX_OK && mox_junk_words_count(words) <= MOX_JUNK_WORDS_MAX);
    size_t places = 0;
    for (size_t b = 0; b < GRAM_BLOCKS; b++)
        places += words->grams.counts[b];
    assert(places <= GRAMS_MAX);
    for (size_t i = 0; i < places; i++)
        assert(words->grams.places[i] < MOX_JUNK_WEIGHTS);
    mox_junk_words_free(words);
    cuts_make_no_difference(&env, in.rest, step);
    return 0;
}
