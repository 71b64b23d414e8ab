/* SPDX-License-Identifier: MIT */
#include "message/dsn.h"

#include <string.h>

#include "base/text.h"
#include "message/atom.h"

static struct mox_slice bounded(const char *text, size_t max)
{
    return slice(text, strnlen(text, max));
}

static bool is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

static uint8_t cleaned(uint8_t c)
{
    if (c == '\t' || c == '\r' || c == '\n')
        return ' ';
    return c < ' ' || c >= 0x7f ? '?' : c;
}

/* White space of any length becomes a space, and each character of others' alphabets one "?". */
static void put_ascii(struct buf *out, struct mox_slice s)
{
    bool space = true; /* none at the front */
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = cleaned(s.data[i]);
        if ((is_continuation(s.data[i]) && i > 0) || (c == ' ' && space))
            continue;
        mox__buf_byte(out, c);
        space = c == ' ';
    }
}

void mox__dsn_ascii(struct buf *out, const char *text, size_t max)
{
    put_ascii(out, bounded(text, max));
}

/* Controls of ISO 6429 (U+0080…9F), and characters that turn the direction of text or cannot be seen:
 * U+200B…F, U+2028…E, U+2060…F, U+FEFF. */
static bool is_hidden(const uint8_t *c, size_t len)
{
    if (len < 2)
        return false;
    if (c[0] == 0xc2)
        return c[1] < 0xa0;
    if (len < 3)
        return false;
    if (c[0] == 0xe2 && c[1] == 0x80)
        return (c[2] >= 0x8b && c[2] <= 0x8f) || (c[2] >= 0xa8 && c[2] <= 0xae);
    return (c[0] == 0xe2 && c[1] == 0x81 && c[2] >= 0xa0 && c[2] <= 0xaf) ||
           (c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf);
}

static bool is_clean_utf8(struct mox_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < ' ' || s.data[i] == 0x7f || is_hidden(s.data + i, s.len - i))
            return false;
    return mox__slice_is_utf8(s);
}

void mox__dsn_utf8(struct buf *out, const char *text, size_t max)
{
    struct mox_slice s = bounded(text, max);
    if (is_clean_utf8(s))
        mox__buf_slice(out, s);
    else
        put_ascii(out, s);
}

/* A quoted string (RFC 5322 §3.2.4) with nothing in front or behind. */
static bool is_quoted(struct mox_slice s)
{
    if (s.len < 2 || s.data[0] != '"' || s.data[s.len - 1] != '"')
        return false;
    for (size_t i = 1; i + 1 < s.len; i++) {
        if (s.data[i] == '"')
            return false;
        if (s.data[i] == '\\' && ++i + 1 == s.len)
            return false;
    }
    return true;
}

static bool is_literal(struct mox_slice s)
{
    if (s.len < 3 || s.data[0] != '[' || s.data[s.len - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < s.len; i++)
        if (s.data[i] <= ' ' || s.data[i] >= 0x7f || strchr("[]\\", s.data[i]) != NULL)
            return false;
    return true;
}

bool mox__dsn_addr_spec(struct buf *out, const char *address, bool utf8)
{
    struct mox_slice s = bounded(address, DSN_ADDRESS_MAX + 1);
    const char *at = strrchr(address, '@');
    if (s.len > DSN_ADDRESS_MAX || at == NULL)
        return false;
    struct mox_slice local = slice(address, (size_t)(at - address));
    struct mox_slice domain = slice_from(s, local.len + 1);
    if (!is_clean_utf8(s) || (!utf8 && !mox__slice_is_ascii(s)) ||
        !(mox__is_domain_text(domain) || is_literal(domain)))
        return false;
    if (mox__is_dot_atom(local) || is_quoted(local))
        mox__buf_slice(out, local);
    else
        mox__buf_quoted(out, local);
    mox__buf_slice(out, slice_from(s, local.len));
    return true;
}
