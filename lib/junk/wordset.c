/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "junk/words.h"

#define SLOTS_MIN_BITS 10
#define SLOTS_MIN      ((size_t)1 << SLOTS_MIN_BITS)

void mox__wordset_init(struct wordset *set, const struct mox_env *env)
{
    *set = (struct wordset){.env = env};
    env->random(env->user, (uint8_t *)&set->secret, sizeof set->secret);
    set->secret |= 1;
    mox__buf_init(&set->texts, env, (size_t)MOX_JUNK_WORDS_MAX * MOX_JUNK_WORD_MAX);
}

void mox__wordset_free(struct wordset *set)
{
    mox__mem_free(set->env, set->words);
    mox__mem_free(set->env, set->slots);
    mox__buf_free(&set->texts);
}

/* ---- keys: they are on disk, so they never change ---- */

static uint64_t four_bytes(const uint8_t *b)
{
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24;
}

static uint64_t eight_bytes(const uint8_t *b)
{
    return four_bytes(b) | four_bytes(b + 4) << 32;
}

/* A number of 1 to 7 bytes, the lowest first: of pieces that overlap where they are alike. */
static uint64_t some_bytes(const uint8_t *b, size_t len)
{
    if (len >= 4)
        return four_bytes(b) | four_bytes(b + len - 4) << 8 * (len - 4);
    return (uint64_t)b[0] | (uint64_t)b[len / 2] << 8 * (len / 2) |
           (uint64_t)b[len - 1] << 8 * (len - 1);
}

static uint64_t mix(uint64_t h, uint64_t n)
{
    h = (h ^ n) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

/* Eight bytes at a time; the length tells apart what zeros fill up. */
static uint64_t mix_text(uint64_t h, struct mox_slice text)
{
    size_t at = 0;
    for (; text.len - at >= 8; at += 8)
        h = mix(h, eight_bytes(text.data + at));
    if (at < text.len)
        h = mix(h, some_bytes(text.data + at, text.len - at));
    return mix(h, text.len);
}

/* Never 0, which is the mark of a free row in a table: a text of which it would be the key is easily found. */
static uint64_t key_of(struct mox_slice prefix, struct mox_slice text)
{
    const uint64_t h = mix_text(prefix.len == 0 ? 1 : mix_text(2, prefix), text);
    const uint64_t key = mix(h, h >> 29);
    return key | (key == 0);
}

/* ---- the set ---- */

/* Words whose keys are alike in some bits are easily found, and 20,000 of them in one row of slots would cost a
 * processor seconds for each megabyte. Of a product with an unknown odd number the upper bits are alike for
 * two keys as seldom as for numbers drawn by lot. */
static size_t slot_of(const struct wordset *set, uint64_t key)
{
    size_t at = (size_t)(key * set->secret >> set->shift);
    while (set->slots[at] != 0 && set->words[set->slots[at] - 1].key != key)
        at = (at + 1) & (set->slot_count - 1);
    return at;
}

/* Room for one more. */
static bool grow(struct wordset *set)
{
    if (set->count < set->slot_count / 2)
        return true;
    const size_t slot_count = set->slot_count == 0 ? SLOTS_MIN : 2 * set->slot_count;
    const unsigned shift = set->slot_count == 0 ? 64 - SLOTS_MIN_BITS : set->shift - 1;
    struct word *words = mox__realloc(set->env, set->words, slot_count / 2, sizeof *words);
    if (words == NULL)
        return false;
    set->words = words;
    uint32_t *slots = mem_new(set->env, uint32_t, slot_count);
    if (slots == NULL)
        return false;
    mox__mem_free(set->env, set->slots);
    set->slots = slots;
    set->slot_count = slot_count;
    set->shift = shift;
    for (size_t i = 0; i < set->count; i++)
        set->slots[slot_of(set, words[i].key)] = (uint32_t)i + 1;
    return true;
}

static void keep_text(struct wordset *set, struct mox_slice prefix, struct mox_slice text)
{
    if (prefix.len > MOX_JUNK_WORD_MAX)
        prefix.len = MOX_JUNK_WORD_MAX;
    if (text.len > MOX_JUNK_WORD_MAX - prefix.len)
        text.len = MOX_JUNK_WORD_MAX - prefix.len;
    mox__buf_slice(&set->texts, prefix);
    mox__buf_slice(&set->texts, text);
    set->failed |= set->texts.failed;
}

void mox__wordset_add(struct wordset *set, struct mox_slice prefix, struct mox_slice text)
{
    if (set->failed || set->count == MOX_JUNK_WORDS_MAX)
        return;
    if (!grow(set)) {
        set->failed = true;
        return;
    }
    const uint64_t key = key_of(prefix, text);
    const size_t at = slot_of(set, key);
    if (set->slots[at] != 0)
        return;
    set->words[set->count++] = (struct word){
        .key = key, .text = (uint32_t)set->texts.len, .len = (uint32_t)(prefix.len + text.len)};
    set->slots[at] = (uint32_t)set->count;
    keep_text(set, prefix, text);
}

struct mox_slice mox__wordset_text(const struct wordset *set, const struct word *word)
{
    return slice(set->texts.data + word->text,
                 word->len < MOX_JUNK_WORD_MAX ? word->len : MOX_JUNK_WORD_MAX);
}
