/* SPDX-License-Identifier: MIT */
#include "message/thread.h"

#include <string.h>

#include "base/text.h"
#include "message/text.h"

static struct mox_slice trimmed(struct mox_slice s)
{
    while (s.len > 0 && s.data[0] == ' ')
        s = slice_from(s, 1);
    while (s.len > 0 && s.data[s.len - 1] == ' ')
        s.len--;
    return s;
}

static bool ends_with(struct mox_slice s, const char *end)
{
    size_t len = strlen(end);
    return s.len >= len && memcmp(s.data + s.len - len, end, len) == 0;
}

static bool starts_with(struct mox_slice s, const char *start)
{
    size_t len = strlen(start);
    return s.len >= len && memcmp(s.data, start, len) == 0;
}

/* The length of "[…]" at the start of s with the spaces behind it, or 0. */
static size_t blob(struct mox_slice s)
{
    if (s.len == 0 || s.data[0] != '[')
        return 0;
    for (size_t i = 1; i < s.len && s.data[i] != '['; i++)
        if (s.data[i] == ']')
            return s.len - trimmed(slice_from(s, i + 1)).len;
    return 0;
}

/* The length of "re:", "fw:", "fwd [tag]:" and the like at the start of s, or 0. */
static size_t response(struct mox_slice s)
{
    size_t word = starts_with(s, "fwd") ? 3 : starts_with(s, "re") || starts_with(s, "fw") ? 2 : 0;
    if (word == 0)
        return 0;
    struct mox_slice rest = trimmed(slice_from(s, word));
    rest = slice_from(rest, blob(rest));
    return rest.len > 0 && rest.data[0] == ':' ? (size_t)(rest.data - s.data) + 1 : 0;
}

/* One step of RFC 5256 §2.1 (2) to (6); false when nothing is left to take off. s is trimmed. */
static bool take_off(struct mox_slice *s, bool *is_response)
{
    size_t len;
    if (ends_with(*s, "(fwd)")) {
        s->len -= 5;
        *is_response = true;
    } else if ((len = response(*s)) > 0) {
        *s = slice_from(*s, len);
        *is_response = true;
    } else if ((len = blob(*s)) > 0 && len < s->len) {
        *s = slice_from(*s, len);
    } else if (starts_with(*s, "[fwd:") && ends_with(*s, "]")) {
        *s = slice(s->data + 5, s->len - 6);
        *is_response = true;
    } else {
        return false;
    }
    *s = trimmed(*s);
    return true;
}

/* In lower case, with one space for each run of white space. */
static void fold(struct buf *b)
{
    size_t to = 0;
    for (size_t from = 0; from < b->len; from++) {
        uint8_t c = b->data[from];
        bool white = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!white)
            b->data[to++] = to_lower(c);
        else if (to > 0 && b->data[to - 1] != ' ')
            b->data[to++] = ' ';
    }
    b->len = to;
}

void mox__subject_base(struct mox_slice raw, struct buf *out, bool *is_response)
{
    struct buf text;
    *is_response = false;
    mox__buf_init(&text, out->env, out->max);
    mox__encoded_words(&text, NULL, raw);
    out->failed |= text.failed;
    if (!text.failed && text.len > 0) {
        fold(&text);
        struct mox_slice s = trimmed(slice(text.data, text.len));
        while (take_off(&s, is_response))
            continue;
        if (s.len > 0 && memchr(s.data, 0, s.len) == NULL)
            mox__buf_slice(out, s);
    }
    mox__buf_free(&text);
}
