/* SPDX-License-Identifier: MIT */

/* A search over text in pieces finds what looking at every place finds, and the same in any pieces.
 * Input: size of pieces, needles with NULs between up to two in a row, and the text. */

#include "fuzz/input.h"
#include "imap/textmatch.h"

#ifdef MOX_HAVE_IDN
#include <unicase.h>
#include <unistr.h>
#endif

#define NEEDLES 4

/* Well-formed UTF-8 in lower case, one character at a time. */
static void put_lower(struct buf *out, struct mox_slice text)
{
    for (size_t at = 0; at < text.len;) {
#ifdef MOX_HAVE_IDN
        ucs4_t c;
        uint8_t bytes[8];
        at += (size_t)u8_mbtouc(&c, text.data + at, text.len - at);
        mox__buf_append(out, bytes, (size_t)u8_uctomb(bytes, uc_tolower(c), sizeof bytes));
#else
        mox__buf_byte(out, to_lower(text.data[at++]));
#endif
    }
}

static bool naive(const struct mox_env *env, struct mox_slice needle, struct mox_slice text)
{
    struct buf n, t;
    mox__buf_init(&n, env, SIZE_MAX / 2);
    mox__buf_init(&t, env, SIZE_MAX / 2);
    put_lower(&n, needle);
    put_lower(&t, text);
    bool found = n.len == 0 || (t.len > 0 && memmem(t.data, t.len, n.data, n.len) != NULL);
    mox__buf_free(&n);
    mox__buf_free(&t);
    return found;
}

static void scan(struct needle_match *matches, size_t count, struct mox_slice text, size_t step)
{
    struct text_scan s;
    mox__text_scan_begin(&s, matches, count);
    while (text.len > 0) {
        size_t n = text.len < step ? text.len : step;
        (void)mox__text_scan_feed(&s, slice(text.data, n));
        text = slice_from(text, n);
    }
    mox__text_scan_break(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct arena a;
    struct needle needles[NEEDLES];
    struct mox_slice texts[NEEDLES];
    struct needle_match whole[NEEDLES] = {0}, pieces[NEEDLES] = {0};
    struct input in = {{data, len}};
    size_t step = (size_t)input_byte(&in) + 1, count = 0;
    mox_env_system(&env);
    mox__arena_init(&a, &env, SIZE_MAX / 2);
    while (count < NEEDLES) {
        texts[count] = input_until(&in, 0);
        if (texts[count].len == 0 && count > 0)
            break;
        assert(mox__needle_init(&needles[count], &a, texts[count]) == MOX_OK);
        whole[count].needle = pieces[count].needle = &needles[count];
        count++;
    }
    scan(whole, count, in.rest, SIZE_MAX);
    scan(pieces, count, in.rest, step);
    for (size_t i = 0; i < count; i++) {
        assert(whole[i].found == pieces[i].found);
        if (mox__slice_is_utf8(in.rest) && mox__slice_is_utf8(texts[i]))
            assert(whole[i].found == naive(&env, texts[i], in.rest));
    }
    mox__arena_reset(&a);
    return 0;
}
