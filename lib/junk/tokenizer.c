/* SPDX-License-Identifier: MIT */
#include "junk/tokenizer.h"

#include <string.h>

#include "base/text.h"
#include "junk/rune.h"

#define WORD_MIN        3 /* bytes: shorter ones are in every message */
#define HEADER_WORD_MIN 4 /* bytes of a word, or of a group of them */
#define CONSONANTS_MAX  5 /* side by side; with more a word is taken for random letters */
#define DIGITS_MAX      3 /* side by side; with more it is taken for a number */
#define HEX_DIGITS_MAX  2 /* the same in a word of hexadecimal digits */

void mox__tokenizer_init(struct tokenizer *t, struct wordset *set,
                         const struct mox_junk_params *params, struct mox_slice prefix)
{
    t->set = set;
    t->grams = NULL;
    t->params = params;
    t->prefix = prefix;
    t->min = prefix.len > 0 ? HEADER_WORD_MIN : 0;
    t->len = 0;
    t->too_long = t->has_digit = false;
    t->is_ascii = true;
    t->group_len = 0;
    t->lens[0] = t->lens[1] = 0;
}

/* What of ASCII is in words. */
enum kind {
    VOWEL = 1,     /* and 0 and 1, which stand for o and l, in "v1agra" */
    CONSONANT = 2, /* and other digits */
    DIGIT = 4
};

#define BOTH(small, capital, kind) [small] = (kind), [capital] = (kind)

static const uint8_t kinds[256] = {
    BOTH('a', 'A', VOWEL),
    BOTH('e', 'E', VOWEL),
    BOTH('i', 'I', VOWEL),
    BOTH('o', 'O', VOWEL),
    BOTH('u', 'U', VOWEL),
    BOTH('0', '1', DIGIT | VOWEL),
    BOTH('2', '3', DIGIT | CONSONANT),
    BOTH('4', '5', DIGIT | CONSONANT),
    BOTH('6', '7', DIGIT | CONSONANT),
    BOTH('8', '9', DIGIT | CONSONANT),
    BOTH('b', 'B', CONSONANT),
    BOTH('c', 'C', CONSONANT),
    BOTH('d', 'D', CONSONANT),
    BOTH('f', 'F', CONSONANT),
    BOTH('g', 'G', CONSONANT),
    BOTH('h', 'H', CONSONANT),
    BOTH('j', 'J', CONSONANT),
    BOTH('k', 'K', CONSONANT),
    BOTH('l', 'L', CONSONANT),
    BOTH('m', 'M', CONSONANT),
    BOTH('n', 'N', CONSONANT),
    BOTH('p', 'P', CONSONANT),
    BOTH('q', 'Q', CONSONANT),
    BOTH('r', 'R', CONSONANT),
    BOTH('s', 'S', CONSONANT),
    BOTH('t', 'T', CONSONANT),
    BOTH('v', 'V', CONSONANT),
    BOTH('w', 'W', CONSONANT),
    BOTH('x', 'X', CONSONANT),
    BOTH('y', 'Y', CONSONANT),
    BOTH('z', 'Z', CONSONANT),
};

/* ---- which words count ---- */

/* Whether too many consonants are side by side. It looks backwards from as far as such a run would reach:
 * most words are done with after one vowel or two. */
static bool looks_random(struct mox_slice word)
{
    for (size_t begin = 0; word.len - begin > CONSONANTS_MAX;) {
        size_t i = begin + CONSONANTS_MAX;
        while ((kinds[word.data[i]] & CONSONANT) != 0) {
            if (i == begin)
                return true;
            i--;
        }
        begin = i + 1;
    }
    return false;
}

static bool is_hex(struct mox_slice word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!is_digit(word.data[i]) && (word.data[i] < 'a' || word.data[i] > 'f'))
            return false;
    return true;
}

static bool looks_numeric(struct mox_slice word)
{
    size_t run = 0, longest = 0;
    if (word.len >= 2 && word.data[0] == '0' && word.data[1] == 'x')
        word = slice_from(word, 2);
    for (size_t i = 0; i < word.len; i++) {
        run = is_digit(word.data[i]) ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest > DIGITS_MAX || longest == word.len ||
           (longest > HEX_DIGITS_MAX && is_hex(word));
}

/* ---- groups ---- */

static void drop_front(struct tokenizer *t, size_t bytes)
{
    memmove(t->group, t->group + bytes, t->group_len - bytes);
    t->group_len -= bytes;
}

/* Appends the word to the two before it. */
static void push(struct tokenizer *t)
{
    if (t->group_len > 0)
        t->group[t->group_len++] = ' ';
    memcpy(t->group + t->group_len, t->word, t->len);
    t->group_len += t->len;
}

/* The last bytes of it. */
static void add(struct tokenizer *t, size_t bytes)
{
    if (bytes >= t->min)
        mox__wordset_add(t->set, t->prefix, slice(t->group + t->group_len - bytes, bytes));
}

static void add_groups(struct tokenizer *t)
{
    push(t);
    if (t->params->threegrams && t->lens[1] > 0)
        add(t, t->group_len);
    if (t->params->twograms && t->lens[0] > 0)
        add(t, t->lens[0] + 1 + t->len);
    if (t->params->onegrams)
        add(t, t->len);
    if (t->lens[1] > 0)
        drop_front(t, t->lens[1] + 1);
    t->lens[1] = t->lens[0];
    t->lens[0] = t->len;
}

/* ---- text ---- */

static void begin_word(struct tokenizer *t)
{
    t->len = 0;
    t->too_long = false;
    t->is_ascii = true;
    t->has_digit = false;
}

static void end_word(struct tokenizer *t)
{
    const struct mox_slice word = {t->word, t->len};
    if (t->len >= WORD_MIN && !t->too_long && (!t->is_ascii || !looks_random(word)) &&
        (!t->has_digit || !looks_numeric(word))) {
        if (t->params->twograms || t->params->threegrams)
            add_groups(t);
        else if (t->params->onegrams && t->len >= t->min)
            mox__wordset_add(t->set, t->prefix, word);
    }
    begin_word(t);
}

static void put(struct tokenizer *t, uint8_t byte)
{
    if (t->len < sizeof t->word)
        t->word[t->len++] = byte;
    else
        t->too_long = true;
}

/* The length of the character at the start of s and its number; 1 and a separator for what is none. */
static size_t decode(struct mox_slice s, uint32_t *rune)
{
    const uint8_t first = s.data[0];
    const size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
    *rune = first & (0xffU >> (len + 1));
    if (len == 1 || len > s.len) {
        *rune = 0x80;
        return 1;
    }
    for (size_t i = 1; i < len; i++) {
        if ((s.data[i] & 0xc0) != 0x80) {
            *rune = 0x80;
            return 1;
        }
        *rune = *rune << 6 | (s.data[i] & 0x3fU);
    }
    return len;
}

static void put_rune(struct tokenizer *t, uint32_t rune)
{
    if (mox__rune_is_invisible(rune))
        return;
    if (!mox__rune_is_word(rune)) {
        end_word(t);
        return;
    }
    rune = mox__rune_lower(rune);
    t->is_ascii = false;
    if (rune >= 0x10000) {
        put(t, (uint8_t)(0xf0 | (rune >> 18 & 0x07)));
        put(t, (uint8_t)(0x80 | (rune >> 12 & 0x3f)));
    } else if (rune >= 0x800) {
        put(t, (uint8_t)(0xe0 | rune >> 12));
    }
    if (rune >= 0x800)
        put(t, (uint8_t)(0x80 | (rune >> 6 & 0x3f)));
    else
        put(t, (uint8_t)(0xc0 | rune >> 6));
    put(t, (uint8_t)(0x80 | (rune & 0x3f)));
}

void mox__tokenizer_break(struct tokenizer *t)
{
    end_word(t);
    if (t->grams == NULL)
        return;
    mox__gram_reader_feed(t->grams, slice(" ", 1));
    mox__gram_reader_token_end(t->grams, false);
}

/* Takes a run of ASCII that is in words: its length. */
static size_t take_run(struct tokenizer *t, struct mox_slice text)
{
    const size_t room = sizeof t->word - t->len, most = text.len < room ? text.len : room;
    uint8_t *to = t->word + t->len;
    unsigned all = 0;
    size_t len = 0;
    for (; len < most && kinds[text.data[len]] != 0; len++) {
        all |= kinds[text.data[len]];
        to[len] = to_lower(text.data[len]);
    }
    t->len += len;
    t->has_digit = t->has_digit || (all & DIGIT) != 0;
    for (; len < text.len && kinds[text.data[len]] != 0; len++)
        t->too_long = true;
    return len;
}

static void take_words(struct tokenizer *t, struct mox_slice text)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t rune;
        at += take_run(t, slice_from(text, at));
        if (at == text.len)
            return;
        if (text.data[at] >= 0x80) {
            at += decode(slice_from(text, at), &rune);
            put_rune(t, rune);
            continue;
        }
        if (t->len > 0)
            end_word(t);
        while (at < text.len && text.data[at] < 0x80 && kinds[text.data[at]] == 0)
            at++;
    }
}

void mox__tokenizer_feed(struct tokenizer *t, struct mox_slice text)
{
    if (t->grams != NULL) {
        mox__gram_reader_feed(t->grams, text);
        mox__gram_reader_tokens(t->grams, text, false);
    }
    take_words(t, text);
}
