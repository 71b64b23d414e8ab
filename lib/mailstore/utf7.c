/* SPDX-License-Identifier: MIT */
#include "mailstore/utf7.h"

#include <string.h>

#include <mox/error.h>

#include "base/base64.h"
#include "base/text.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* Base64 with "," for "/" (RFC 3501 §5.1.3). */
static int value_of(uint8_t c)
{
    if (c == '/' || c == '=')
        return -1;
    return mox__base64_value(c == ',' ? (uint8_t)'/' : c);
}

static bool is_direct(uint32_t c)
{
    return c >= 0x20 && c <= 0x7e;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3; /* bytes behind the first */
    static const uint8_t first[] = {0, 0xc0, 0xe0, 0xf0};
    *out++ = (char)(first[more] | (c >> (6 * more)));
    while (more-- > 0)
        *out++ = (char)(0x80 | ((c >> (6 * more)) & 0x3f));
    return out;
}

/* One UTF-16 unit of a shifted run; *high is the surrogate that waits for its other half. */
static int take_unit(char **out, uint32_t unit, uint32_t *high)
{
    bool is_low = unit >= 0xdc00 && unit <= 0xdfff;
    if (is_low != (*high != 0))
        return MOX_ESYNTAX;
    if (is_low) {
        *out = put_utf8(*out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
        *high = 0;
    } else if (unit >= 0xd800 && unit <= 0xdbff) {
        *high = unit;
    } else if (unit == 0 || (is_direct(unit) && unit != '&')) {
        return MOX_ESYNTAX; /* needed no shift; a NUL is never part of a name */
    } else {
        *out = put_utf8(*out, unit);
    }
    return MOX_OK;
}

/* A run between & and -; *out moves on. */
static int decode_run(struct mox_slice run, char **out)
{
    uint32_t bits = 0;
    uint32_t high = 0;
    unsigned have = 0;
    for (size_t i = 0; i < run.len; i++) {
        int v = value_of(run.data[i]);
        if (v < 0)
            return MOX_ESYNTAX;
        bits = (bits << 6) | (uint32_t)v;
        have += 6;
        if (have < 16)
            continue;
        have -= 16;
        if (take_unit(out, (bits >> have) & 0xffff, &high) < 0)
            return MOX_ESYNTAX;
        bits &= (1u << have) - 1;
    }
    /* What is left pads the last character: fewer than 6 bits, all zero. */
    return high != 0 || have >= 6 || bits != 0 ? MOX_ESYNTAX : MOX_OK;
}

int mox__utf7_decode(struct mox_slice in, char *out)
{
    bool after_run = false; /* the last thing was an encoded run */
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.data[i];
        if (!is_direct(c))
            return MOX_ESYNTAX;
        if (c != '&') {
            *out++ = (char)c;
            after_run = false;
            continue;
        }
        const uint8_t *run = in.data + i + 1;
        const uint8_t *minus = i + 1 < in.len ? memchr(run, '-', in.len - i - 1) : NULL;
        if (minus == NULL)
            return MOX_ESYNTAX;
        size_t len = (size_t)(minus - run);
        if (len == 0) {
            *out++ = '&';
        } else if (after_run || decode_run(slice(run, len), &out) < 0) {
            return MOX_ESYNTAX; /* two runs side by side should be one */
        }
        after_run = len > 0;
        i += len + 1;
    }
    *out = '\0';
    return MOX_OK;
}

/* The character at *at, which moves on; the text is well-formed UTF-8. */
static uint32_t next_char(const uint8_t **at)
{
    const uint8_t *p = *at;
    unsigned more = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
    static const uint8_t mask[] = {0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = *p++ & mask[more];
    while (more-- > 0 && (*p & 0xc0) == 0x80)
        c = (c << 6) | (*p++ & 0x3f);
    *at = p;
    return c;
}

struct shift {
    uint32_t bits;
    unsigned have;
};

static void put_unit(struct buf *out, struct shift *s, uint32_t unit)
{
    s->bits = (s->bits << 16) | unit;
    for (s->have += 16; s->have >= 6; s->have -= 6)
        mox__buf_byte(out, (uint8_t)alphabet[(s->bits >> (s->have - 6)) & 0x3f]);
    s->bits &= (1u << s->have) - 1;
}

static void end_shift(struct buf *out, struct shift *s)
{
    if (s->have > 0)
        mox__buf_byte(out, (uint8_t)alphabet[(s->bits << (6 - s->have)) & 0x3f]);
    mox__buf_byte(out, '-');
    *s = (struct shift){0, 0};
}

void mox__utf7_encode(struct buf *out, const char *text)
{
    struct shift shift = {0, 0};
    bool shifted = false;
    for (const uint8_t *p = (const uint8_t *)text; *p != '\0';) {
        uint32_t c = next_char(&p);
        if (is_direct(c)) {
            if (shifted)
                end_shift(out, &shift);
            shifted = false;
            mox__buf_byte(out, (uint8_t)c);
            if (c == '&')
                mox__buf_byte(out, '-');
            continue;
        }
        if (!shifted)
            mox__buf_byte(out, '&');
        shifted = true;
        if (c >= 0x10000) {
            put_unit(out, &shift, 0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        put_unit(out, &shift, c);
    }
    if (shifted)
        end_shift(out, &shift);
}
