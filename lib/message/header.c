/* SPDX-License-Identifier: MIT */
#include "message/header.h"

#include <string.h>

#include "base/text.h"

size_t mox__blank_line(struct mox_slice s, size_t at)
{
    if (at < s.len && s.data[at] == '\n')
        return 1;
    return s.len - at >= 2 && s.data[at] == '\r' && s.data[at + 1] == '\n' ? 2 : 0;
}

/* Behind the LF of the line at `at`, or the end. */
static size_t line_end(struct mox_slice s, size_t at)
{
    const uint8_t *lf = memchr(s.data + at, '\n', s.len - at);
    return lf == NULL ? s.len : (size_t)(lf - s.data) + 1;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct mox_slice without_line_end(struct mox_slice s)
{
    if (s.len > 0 && s.data[s.len - 1] == '\n')
        s.len--;
    if (s.len > 0 && s.data[s.len - 1] == '\r')
        s.len--;
    return s;
}

bool mox_header_next(struct mox_slice headers, size_t *at, struct mox_header_field *field)
{
    size_t start = *at;
    if (start >= headers.len || mox__blank_line(headers, start) > 0)
        return false;
    size_t first = line_end(headers, start), end = first;
    while (end < headers.len && is_blank(headers.data[end]))
        end = line_end(headers, end);
    *at = end;
    field->raw = slice(headers.data + start, end - start);

    const uint8_t *colon = memchr(field->raw.data, ':', first - start);
    if (colon == NULL || is_blank(field->raw.data[0])) {
        field->name = slice(field->raw.data, 0);
        field->value = without_line_end(field->raw);
        return true;
    }
    /* White space in front of the colon is obsolete (RFC 5322 §4.5) but not wrong. */
    field->name = mox__slice_trim(slice(field->raw.data, (size_t)(colon - field->raw.data)));
    field->value = without_line_end(slice_from(field->raw, (size_t)(colon - field->raw.data) + 1));
    return true;
}

bool mox_header_find(struct mox_slice headers, const char *name, struct mox_slice *value)
{
    struct mox_header_field field;
    for (size_t at = 0; mox_header_next(headers, &at, &field);) {
        if (mox__slice_is_nocase(field.name, name)) {
            *value = field.value;
            return true;
        }
    }
    return false;
}

bool mox__headers_find(struct mox_slice prefix, struct mox_slice headers, const char *name,
                       struct mox_slice *value)
{
    return mox_header_find(prefix, name, value) || mox_header_find(headers, name, value);
}

size_t mox_header_end(struct mox_slice content)
{
    size_t at = 0;
    while (at < content.len && mox__blank_line(content, at) == 0)
        at = line_end(content, at);
    return at + (at < content.len ? mox__blank_line(content, at) : 0);
}

void mox__header_unfold(struct buf *out, struct mox_slice value)
{
    bool first = true;
    value = mox__slice_trim(value);
    while (value.len > 0) {
        const uint8_t *lf = memchr(value.data, '\n', value.len);
        size_t len = lf == NULL ? value.len : (size_t)(lf - value.data) + 1;
        struct mox_slice line = mox__slice_trim(slice(value.data, len));
        if (!first && line.len > 0)
            mox__buf_byte(out, ' ');
        mox__buf_slice(out, line);
        first = false;
        value = slice_from(value, len);
    }
}

/* Eight bytes at a time: the sum of a byte's matches is kept in that byte's lane. */
size_t mox__count_newlines(struct mox_slice s)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), low = ones * 0x7f;
    size_t count = 0, at = 0;
    while (s.len - at >= 8) {
        size_t words = (s.len - at) / 8;
        if (words > 255) /* what a lane can count */
            words = 255;
        uint64_t lanes = 0;
        for (; words > 0; words--, at += 8) {
            uint64_t w;
            memcpy(&w, s.data + at, sizeof w);
            w ^= ones * '\n';                                /* a match is a zero byte now */
            lanes += (~(((w & low) + low) | w) >> 7) & ones; /* 1 for each zero byte */
        }
        for (; lanes > 0; lanes >>= 8)
            count += lanes & 0xff;
    }
    for (; at < s.len; at++)
        count += s.data[at] == '\n';
    return count;
}
