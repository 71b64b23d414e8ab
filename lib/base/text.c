/* SPDX-License-Identifier: MIT */
#include "base/text.h"

bool mox__slice_eq(struct mox_slice a, struct mox_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool mox__slice_is(struct mox_slice a, const char *text)
{
    return mox__slice_eq(a, slice_of(text));
}

bool mox__slice_eq_nocase(struct mox_slice a, struct mox_slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (to_lower(a.data[i]) != to_lower(b.data[i]))
            return false;
    return true;
}

/* How many bytes of `text` a begins with; up to the first that differs, so that most texts that are
 * something else cost one look. */
static size_t alike(struct mox_slice a, const char *text)
{
    size_t n = 0;
    while (n < a.len && text[n] != '\0' && to_lower(a.data[n]) == to_lower((uint8_t)text[n]))
        n++;
    return n;
}

bool mox__slice_is_nocase(struct mox_slice a, const char *text)
{
    return alike(a, text) == a.len && text[a.len] == '\0';
}

bool mox__slice_starts_nocase(struct mox_slice a, const char *prefix)
{
    return prefix[alike(a, prefix)] == '\0';
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct mox_slice mox__slice_trim(struct mox_slice s)
{
    while (s.len > 0 && is_space(s.data[0]))
        s = slice_from(s, 1);
    while (s.len > 0 && is_space(s.data[s.len - 1]))
        s.len--;
    return s;
}

bool mox__slice_uint(struct mox_slice s, uint64_t max, uint64_t *out)
{
    if (s.len == 0)
        return false;
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.data[i]))
            return false;
        uint64_t digit = (uint64_t)(s.data[i] - '0');
        if (digit > max || n > (max - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

bool mox__slice_is_ascii(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] >= 0x80)
            return false;
    return true;
}

/* RFC 3629 §4 */
size_t mox__utf8_sequence(struct mox_slice s)
{
    if (s.len == 0)
        return 0;
    uint8_t c = s.data[0];
    if (c < 0x80)
        return 1;
    size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || s.len < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s.data[i] & 0xc0) != 0x80)
            return 0;
    uint8_t second = s.data[1];
    if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) ||
        (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f))
        return 0;
    return len;
}

bool mox__slice_is_utf8(struct mox_slice s)
{
    while (s.len > 0) {
        size_t n = mox__utf8_sequence(s);
        if (n == 0)
            return false;
        s = slice_from(s, n);
    }
    return true;
}

bool mox__secret_eq(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *x = a, *y = b;
    uint8_t diff = 0;
    for (size_t i = 0; i < len; i++)
        diff = (uint8_t)(diff | (x[i] ^ y[i]));
    return diff == 0;
}
