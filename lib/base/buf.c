/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define FIRST_CAP 256

void mox__buf_init(struct buf *b, const struct mox_env *env, size_t max)
{
    *b = (struct buf){.env = env, .max = max};
}

void mox__buf_free(struct buf *b)
{
    mox__mem_free(b->env, b->data);
    b->data = NULL;
    b->len = b->cap = 0;
    b->failed = b->full = false;
}

void mox__buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = b->full = false;
}

uint8_t *mox__buf_reserve(struct buf *b, size_t len)
{
    if (b->failed)
        return NULL;
    if (len > b->max - b->len) {
        b->failed = b->full = true;
        return NULL;
    }
    if (len > b->cap - b->len) {
        size_t cap = b->cap < FIRST_CAP ? FIRST_CAP : b->cap;
        while (cap < b->len + len)
            cap = cap > b->max / 2 ? b->max : cap * 2;
        if (cap > b->max)
            cap = b->max;
        uint8_t *data = mox__realloc(b->env, b->data, cap, 1);
        if (data == NULL) {
            b->failed = true;
            return NULL;
        }
        b->data = data;
        b->cap = cap;
    }
    return b->data + b->len;
}

void mox__buf_append(struct buf *b, const void *data, size_t len)
{
    if (len == 0)
        return;
    uint8_t *room = mox__buf_reserve(b, len);
    if (room == NULL)
        return;
    memcpy(room, data, len);
    b->len += len;
}

void mox__buf_text(struct buf *b, const char *text)
{
    mox__buf_append(b, text, strlen(text));
}

void mox__buf_slice(struct buf *b, struct mox_slice s)
{
    mox__buf_append(b, s.data, s.len);
}

void mox__buf_byte(struct buf *b, uint8_t byte)
{
    mox__buf_append(b, &byte, 1);
}

void mox__buf_quoted(struct buf *b, struct mox_slice s)
{
    size_t from = 0;
    mox__buf_byte(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != '"' && s.data[i] != '\\')
            continue;
        mox__buf_append(b, s.data + from, i - from);
        mox__buf_byte(b, '\\');
        from = i;
    }
    mox__buf_slice(b, slice_from(s, from));
    mox__buf_byte(b, '"');
}

void mox__buf_unquoted(struct buf *b, struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\r' || s.data[i] == '\n')
            continue;
        if (s.data[i] == '\\' && i + 1 < s.len)
            i++;
        mox__buf_byte(b, s.data[i]);
    }
}

void mox__buf_uint(struct buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    mox__buf_append(b, digits + at, sizeof digits - at);
}

void mox__buf_printf(struct buf *b, const char *format, ...)
{
    char small[512];
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(small, sizeof small, format, args);
    if (n >= 0 && (size_t)n < sizeof small) {
        mox__buf_append(b, small, (size_t)n);
    } else if (n >= 0) {
        uint8_t *room = mox__buf_reserve(b, (size_t)n + 1);
        if (room != NULL) {
            (void)vsnprintf((char *)room, (size_t)n + 1, format, again);
            b->len += (size_t)n;
        }
    } else {
        b->failed = true;
    }
    va_end(again);
    va_end(args);
}

void mox__buf_consume(struct buf *b, size_t len)
{
    if (len == 0)
        return;
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}
