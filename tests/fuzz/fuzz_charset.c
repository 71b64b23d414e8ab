/* SPDX-License-Identifier: MIT */

/* Text of any charset becomes well-formed UTF-8, the same however it is cut into pieces; UTF-8 stays
 * as it is, and so it does by a name that no mail uses. Input: the name of a charset up to a NUL, the size
 * of pieces, the text. */

#include "message/charset.h"
#include "message/charset_names.h"

#include "fuzz/input.h"

/* A byte becomes at most U+FFFD, or a few characters of three bytes; escapes become nothing. */
#define GROWTH 12

static int collect(void *user, struct mox_slice piece)
{
    struct buf *out = user;
    assert(piece.len > 0 && mox__slice_is_utf8(piece));
    mox__buf_slice(out, piece);
    return MOX_OK;
}

static void convert(struct buf *out, struct mox_slice name, struct mox_slice text, size_t step)
{
    struct charset_pool pool = {.count = 0};
    struct charset c;
    mox__charset_open(&c, &pool, name);
    while (text.len > 0) {
        size_t n = text.len < step ? text.len : step;
        assert(mox__charset_convert(&c, slice(text.data, n), collect, out) == MOX_OK);
        text = slice_from(text, n);
    }
    assert(mox__charset_finish(&c, collect, out) == MOX_OK);
    mox__charset_pool_close(&pool);
    assert(!out->failed);
}

/* What iconv makes of wrong bytes between escapes depends on its state, and so on the pieces. */
static bool is_exact(struct mox_slice name, const struct buf *a, const struct buf *b)
{
    static const char *const stateless[] = {"utf-8",    "iso-8859-1", "koi8-r",      "windows-1251",
                                            "utf-16le", "utf-16be",   "shift_jis",   "gb18030",
                                            "euc-jp",   "big5",       "nobody-knows"};
    for (size_t i = 0; i < sizeof stateless / sizeof stateless[0]; i++)
        if (mox__slice_is_nocase(name, stateless[i]))
            return true;
    return (a->len == 0 || memmem(a->data, a->len, "\xef\xbf\xbd", 3) == NULL) &&
           (b->len == 0 || memmem(b->data, b->len, "\xef\xbf\xbd", 3) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct buf whole, pieces, again;
    struct input in = {{data, len}};
    struct mox_slice name = input_until(&in, 0);
    size_t step = (size_t)input_byte(&in) + 1;
    mox_env_system(&env);
    mox__buf_init(&whole, &env, SIZE_MAX / 2);
    mox__buf_init(&pieces, &env, SIZE_MAX / 2);
    mox__buf_init(&again, &env, SIZE_MAX / 2);

    convert(&whole, name, in.rest, SIZE_MAX);
    convert(&pieces, name, in.rest, step);
    if (is_exact(name, &whole, &pieces))
        assert_same(buf_bytes(&whole), buf_bytes(&pieces));
    assert(whole.len <= GROWTH * in.rest.len + 64);
    if (mox__charset_converter(mox__slice_trim(name)) == NULL) {
        convert(&again, slice_of("utf-8"), in.rest, step);
        assert_same(buf_bytes(&whole), buf_bytes(&again));
        mox__buf_clear(&again);
    }
    convert(&again, slice_of("utf-8"), buf_bytes(&whole), SIZE_MAX);
    assert_same(buf_bytes(&whole), buf_bytes(&again));

    mox__buf_free(&whole);
    mox__buf_free(&pieces);
    mox__buf_free(&again);
    return 0;
}
