/* SPDX-License-Identifier: MIT */
#include "mailauth/report.h"

#include "base/error.h"
#include "base/text.h"

/* What may stand in one line of UTF-8 without changing how the rest of the line is shown. */

struct range {
    uint16_t first, last;
};

/* Beside ASCII's: C1 controls, which are commands to some terminals, and what separates lines or turns
 * the direction of writing (Unicode Standard Annex #9 §2). */
static const struct range refused[] = {
    {0x80, 0x9f}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff}};

/* How long the character is by its first byte. */
static size_t char_len(uint8_t first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Of a character of two or three bytes. */
static unsigned code_of(const uint8_t *c, size_t len)
{
    if (len == 2)
        return (unsigned)((c[0] & 0x1f) << 6 | (c[1] & 0x3f));
    return (unsigned)((c[0] & 0x0f) << 12 | (c[1] & 0x3f) << 6 | (c[2] & 0x3f));
}

static bool is_refused(const uint8_t *c, size_t len)
{
    if (len == 1)
        return c[0] < 0x20 || c[0] == 0x7f;
    if (len == 4)
        return false;
    unsigned code = code_of(c, len);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (code >= refused[i].first && code <= refused[i].last)
            return true;
    return false;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* As much as fits, in whole characters. */
static size_t whole_chars(struct mox_slice s, size_t max)
{
    size_t at = 0, len;
    while (at < s.len && (len = char_len(s.data[at])) <= s.len - at && at + len <= max)
        at += len;
    return at;
}

static uint8_t cleaned(const uint8_t *c, size_t len, bool lower)
{
    if (is_space(*c))
        return ' ';
    if (is_refused(c, len))
        return '?';
    return lower ? to_lower(*c) : *c;
}

static const char *clean(struct arena *a, struct mox_slice raw, size_t max, bool lower)
{
    raw = mox__slice_trim(raw);
    raw.len = whole_chars(raw, max);
    raw = mox__slice_trim(raw); /* a space inside may now be the end */
    if (raw.len == 0)
        return ""; /* most texts of some reports */
    char *out = mox__arena_strndup(a, raw.data, raw.len);
    if (out == NULL)
        return NULL;
    size_t to = 0;
    for (size_t at = 0, len; at < raw.len; at += len) {
        len = char_len(raw.data[at]);
        uint8_t first = cleaned(raw.data + at, len, lower);
        size_t kept = first == raw.data[at] ? len : 1;
        memmove(out + to, raw.data + at, kept);
        out[to] = (char)first;
        to += kept;
    }
    out[to] = '\0';
    return out;
}

const char *mox__report_text(struct arena *a, struct mox_slice raw, size_t max)
{
    return clean(a, raw, max, false);
}

const char *mox__report_word(struct arena *a, struct mox_slice raw, size_t max)
{
    return clean(a, raw, max, true);
}

int mox__report_no_room(const struct arena *a, const char *form, struct mox_error *err)
{
    /* Who fails for the limit has next to nothing left: a text is small. */
    if (a->max - a->used < a->max / 64)
        return mox__fail(err, MOX_ELIMIT, "read %s: what it says takes more than %zu MiB of memory",
                         form, a->max >> 20);
    return mox__fail(err, MOX_ENOMEM, "read %s: out of memory", form);
}
