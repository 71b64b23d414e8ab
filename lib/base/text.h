/* SPDX-License-Identifier: MIT */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <string.h>

#include "base/priv.h"

/* Protocol text is ASCII, whatever the locale. None of these touches a byte of 0x80 or more. */

static inline bool is_alpha(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline uint8_t to_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static inline uint8_t to_upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - ('a' - 'A')) : c;
}

/* What a hexadecimal digit of either case stands for; -1: it is none. */
static inline int hex_value(uint8_t c)
{
    c = to_lower(c);
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline struct mox_slice slice(const void *data, size_t len)
{
    return (struct mox_slice){(const uint8_t *)data, len};
}

/* The text without its NUL. */
static inline struct mox_slice slice_of(const char *text)
{
    return slice(text, strlen(text));
}

/* s without its first n bytes; n <= s.len. */
static inline struct mox_slice slice_from(struct mox_slice s, size_t n)
{
    return n == 0 ? s : slice(s.data + n, s.len - n);
}

MOX_PRIV bool mox__slice_eq(struct mox_slice a, struct mox_slice b);
MOX_PRIV bool mox__slice_is(struct mox_slice a, const char *text);
/* The same, ASCII letters compared without case. */
MOX_PRIV bool mox__slice_eq_nocase(struct mox_slice a, struct mox_slice b);
MOX_PRIV bool mox__slice_is_nocase(struct mox_slice a, const char *text);
MOX_PRIV bool mox__slice_starts_nocase(struct mox_slice a, const char *prefix);
/* Without spaces, tabs, CR and LF at both ends. */
MOX_PRIV struct mox_slice mox__slice_trim(struct mox_slice s);
/* All of s as a decimal number up to max: digits only, at least one. */
MOX_PRIV bool mox__slice_uint(struct mox_slice s, uint64_t max, uint64_t *out);
MOX_PRIV bool mox__slice_is_ascii(struct mox_slice s); /* no byte of 0x80 or more */
MOX_PRIV bool mox__slice_is_utf8(struct mox_slice s);  /* well-formed (RFC 3629), no surrogates */
/* How many bytes the character has that `s` begins with; 0: it is none that is well-formed, or `s` is empty. */
MOX_PRIV size_t mox__utf8_sequence(struct mox_slice s);
/* Whether two secrets of the same length are equal, in a time that depends on the length alone. */
MOX_PRIV bool mox__secret_eq(const void *a, const void *b, size_t len);

#endif
