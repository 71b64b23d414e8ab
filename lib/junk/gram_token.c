/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "junk/grams.h"

#define TOKEN_BYTES_MAX 30 /* the rest of longer ones does not count */

/* What a byte is: between tokens, part of a word, a mark, or a mark that may join two parts of a word. All
 * beyond ASCII is of words. */
static const char classes[] = "                                "
                              " JMMJJMJMMMMJJJMWWWWWWWWWWMMMMMM"
                              "JWWWWWWWWWWWWWWWWWWWWWWWWWWMMMM "
                              "MWWWWWWWWWWWWWWWWWWWWWWWWWWMMMM "
                              "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"
                              "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"
                              "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"
                              "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW";

enum class { BETWEEN = ' ', WORD = 'W', MARK = 'M', JOINT = 'J' };

static bool is_word_byte(uint8_t c)
{
    return classes[c] == WORD;
}

static void append(struct gram_token *t, uint8_t c)
{
    if (t->len++ < TOKEN_BYTES_MAX)
        t->hash = (t->hash ^ c) * UINT64_C(0x100000001b3);
}

/* The word bytes at the start of the text: how many there are. */
static size_t append_run(struct gram_token *t, struct mox_slice text)
{
    const size_t room = t->len < TOKEN_BYTES_MAX ? TOKEN_BYTES_MAX - t->len : 0;
    uint64_t hash = t->hash;
    size_t len = 0;
    for (; len < text.len && classes[text.data[len]] == WORD; len++)
        if (len < room)
            hash = (hash ^ text.data[len]) * UINT64_C(0x100000001b3);
    t->hash = hash;
    t->len += len;
    return len;
}

static void begin(struct gram_token *t, uint8_t c, bool link)
{
    t->state = is_word_byte(c) ? TOKEN_WORD : TOKEN_MARKS;
    t->hash = UINT64_C(0xcbf29ce484222325) ^ (link ? 'u' : 'w');
    t->len = 0;
    t->mark = 0;
    append(t, c);
}

/* A mark that waited begins a token of its own. */
void mox__gram_reader_token_end(struct gram_reader *r, bool link)
{
    struct gram_token *t = &r->token;
    const uint8_t mark = t->mark;
    if (t->state != TOKEN_NONE)
        mox__gram_reader_add(r, GRAMS_WORDS, t->hash);
    t->state = TOKEN_NONE;
    t->mark = 0;
    if (mark == 0)
        return;
    begin(t, mark, link);
    mox__gram_reader_add(r, GRAMS_WORDS, t->hash);
    t->state = TOKEN_NONE;
}

static void take_mark(struct gram_reader *r, uint8_t c, bool link)
{
    struct gram_token *t = &r->token;
    if (t->state == TOKEN_WORD && t->mark == 0 && classes[c] == JOINT) {
        t->mark = c;
        return;
    }
    const uint8_t mark = t->state == TOKEN_WORD ? t->mark : 0;
    if (t->state == TOKEN_WORD) {
        t->mark = 0;
        mox__gram_reader_token_end(r, link);
    }
    if (mark != 0)
        begin(t, mark, link);
    if (t->state == TOKEN_NONE)
        begin(t, c, link);
    else
        append(t, c);
}

static void take_word(struct gram_reader *r, uint8_t c, bool link)
{
    struct gram_token *t = &r->token;
    if (t->state == TOKEN_MARKS)
        mox__gram_reader_token_end(r, link);
    if (t->state == TOKEN_NONE) {
        begin(t, c, link);
        return;
    }
    if (t->mark != 0)
        append(t, t->mark);
    t->mark = 0;
    append(t, c);
}

void mox__gram_reader_tokens(struct gram_reader *r, struct mox_slice text, bool link)
{
    for (size_t i = 0; i < text.len && r->counts[GRAMS_WORDS] < GRAMS_WORDS_MAX; i++) {
        const uint8_t c = text.data[i];
        if (classes[c] == WORD) {
            take_word(r, c, link);
            i += append_run(&r->token, slice_from(text, i + 1));
        } else if (classes[c] != BETWEEN) {
            take_mark(r, c, link);
        } else if (r->token.state != TOKEN_NONE) {
            mox__gram_reader_token_end(r, link);
        }
    }
}
