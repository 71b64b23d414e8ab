/* SPDX-License-Identifier: MIT */

/* What was encoded comes back, also from base64 and quoted-printable with line ends where they may
 * be; base64 that is taken strictly is written the same way again; any bytes decode to no more than
 * there are, in pieces that are not empty. Input: the length of lines, and the data. */

#include "message/decode.h"

#include "base/base64.h"
#include "fuzz/input.h"

static int collect(void *user, struct mox_slice piece)
{
    assert(piece.len > 0 && piece.len <= DECODE_PIECE_MAX);
    mox__buf_slice(user, piece);
    return MOX_OK;
}

static void check(struct buf *got, int rc, struct mox_slice expected)
{
    assert(rc == MOX_OK);
    assert_same(buf_bytes(got), expected);
    mox__buf_clear(got);
}

/* With a line end behind each `width` bytes. */
static void fold(struct buf *out, struct mox_slice text, size_t width)
{
    while (text.len > 0) {
        size_t n = text.len < width ? text.len : width;
        mox__buf_slice(out, slice(text.data, n));
        mox__buf_text(out, "\r\n");
        text = slice_from(text, n);
    }
}

static void base64_comes_back(struct buf *got, struct mox_slice data, size_t width)
{
    struct buf text, lines;
    mox__buf_init(&text, got->env, SIZE_MAX / 2);
    mox__buf_init(&lines, got->env, SIZE_MAX / 2);
    mox__base64_encode(&text, data);
    fold(&lines, buf_bytes(&text), width);
    check(got, mox__base64_pieces(buf_bytes(&lines), collect, got), data);
    check(got, mox__base64_decode(got, buf_bytes(&text)), data);
    mox__b_decode(got, buf_bytes(&text));
    check(got, MOX_OK, data);
    mox__buf_free(&text);
    mox__buf_free(&lines);
}

/* All bytes as "=XY" but letters, with soft line breaks. */
static void quoted_printable_comes_back(struct buf *got, struct mox_slice data, size_t width)
{
    struct buf text, q;
    mox__buf_init(&text, got->env, SIZE_MAX / 2);
    mox__buf_init(&q, got->env, SIZE_MAX / 2);
    for (size_t i = 0; i < data.len; i++) {
        if (i % width == width - 1)
            mox__buf_text(&text, i % 2 == 0 ? "=\r\n" : "= \t\n");
        mox__buf_printf(&text, is_alpha(data.data[i]) ? "%c" : "=%02X", data.data[i]);
        mox__buf_printf(&q, is_alpha(data.data[i]) ? "%c" : "=%02x", data.data[i]);
    }
    check(got, mox__qp_pieces(buf_bytes(&text), collect, got), data);
    mox__q_decode(got, buf_bytes(&q));
    check(got, MOX_OK, data);
    mox__buf_free(&text);
    mox__buf_free(&q);
}

/* Without the groups of four that mox__base64_pieces() takes at once. */
static void naive_base64(struct buf *out, struct mox_slice in)
{
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i <= in.len; i++) {
        int value = i < in.len ? mox__base64_value(in.data[i]) : -1;
        if (value >= 0) {
            bits = bits << 6 | (uint32_t)value;
            count++;
        }
        if (count == 4 || ((i == in.len || in.data[i] == '=') && count > 0)) {
            bits <<= 6 * (4 - count);
            for (unsigned k = 0; k < count * 6 / 8; k++)
                mox__buf_byte(out, (uint8_t)(bits >> (16 - 8 * k)));
            bits = count = 0;
        }
    }
}

static void any_bytes_decode(struct buf *got, struct mox_slice data)
{
    struct buf other;
    mox__buf_init(&other, got->env, SIZE_MAX / 2);
    naive_base64(&other, data);
    check(got, mox__base64_pieces(data, collect, got), buf_bytes(&other));
    mox__buf_clear(&other);
    if (mox__base64_decode(got, data) == MOX_OK) {
        mox__base64_encode(&other, buf_bytes(got));
        assert_same(buf_bytes(&other), data);
    }
    mox__buf_clear(got);
    assert(mox__qp_pieces(data, collect, got) == MOX_OK && got->len <= data.len);
    mox__buf_clear(got);
    check(got, mox__plain_pieces(data, collect, got), data);
    mox__buf_free(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_env env;
    struct buf got;
    struct input in = {{data, len}};
    size_t width = input_below(&in, 80) + 2u;
    mox_env_system(&env);
    mox__buf_init(&got, &env, SIZE_MAX / 2);
    base64_comes_back(&got, in.rest, width);
    quoted_printable_comes_back(&got, in.rest, width);
    any_bytes_decode(&got, in.rest);
    mox__buf_free(&got);
    return 0;
}
