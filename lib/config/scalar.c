/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include <mox/log.h>

#include "base/base64.h"
#include "base/text.h"
#include "config/field.h"

static const char *no_memory(struct bind *b)
{
    b->no_memory = true;
    return "out of memory";
}

static const char *parse_string(struct bind *b, struct mox_slice text, void *out)
{
    const char *copy = mox__arena_strndup(b->arena, text.data, text.len);
    if (copy == NULL)
        return no_memory(b);
    *(const char **)out = copy;
    return NULL;
}

static void format_string(struct buf *out, const void *value)
{
    const char *text = *(const char *const *)value;
    mox__buf_text(out, text == NULL ? "" : text);
}

static const char *parse_bool(struct bind *b, struct mox_slice text, void *out)
{
    (void)b;
    bool yes = mox__slice_is(text, "true");
    if (!yes && !mox__slice_is(text, "false"))
        return "expected true or false";
    *(bool *)out = yes;
    return NULL;
}

static void format_bool(struct buf *out, const void *value)
{
    mox__buf_text(out, *(const bool *)value ? "true" : "false");
}

static const char *parse_int64(struct bind *b, struct mox_slice text, void *out)
{
    (void)b;
    bool negative = text.len > 0 && text.data[0] == '-';
    bool sign = negative || (text.len > 0 && text.data[0] == '+');
    uint64_t max = (uint64_t)INT64_MAX + negative, n = 0;
    if (!mox__slice_uint(slice_from(text, sign), max, &n))
        return "expected a number from -9223372036854775808 to 9223372036854775807";
    /* -n without overflow for the smallest number */
    *(int64_t *)out = negative ? (n == 0 ? 0 : -(int64_t)(n - 1) - 1) : (int64_t)n;
    return NULL;
}

static void format_int64(struct buf *out, const void *value)
{
    mox__buf_printf(out, "%lld", (long long)*(const int64_t *)value);
}

static const char *parse_uint32(struct bind *b, struct mox_slice text, void *out)
{
    (void)b;
    uint64_t n = 0;
    if (!mox__slice_uint(text, UINT32_MAX, &n))
        return "expected a number from 0 to 4294967295";
    *(uint32_t *)out = (uint32_t)n;
    return NULL;
}

static void format_uint32(struct buf *out, const void *value)
{
    mox__buf_uint(out, *(const uint32_t *)value);
}

static const char *parse_port(struct bind *b, struct mox_slice text, void *out)
{
    (void)b;
    uint64_t n = 0;
    if (!mox__slice_uint(text, UINT16_MAX, &n))
        return "expected a port number up to 65535";
    *(uint16_t *)out = (uint16_t)n;
    return NULL;
}

static void format_port(struct buf *out, const void *value)
{
    mox__buf_uint(out, *(const uint16_t *)value);
}

static bool is_float(struct mox_slice s)
{
    size_t digits = 0, at = s.len > 0 && (s.data[0] == '-' || s.data[0] == '+');
    bool dot = false;
    for (; at < s.len && (is_digit(s.data[at]) || (s.data[at] == '.' && !dot)); at++) {
        dot = dot || s.data[at] == '.';
        digits += is_digit(s.data[at]);
    }
    if (digits == 0 || at == s.len)
        return digits > 0;
    if (to_lower(s.data[at++]) != 'e')
        return false;
    at += at < s.len && (s.data[at] == '-' || s.data[at] == '+');
    uint64_t exponent = 0;
    return mox__slice_uint(slice_from(s, at), 999, &exponent);
}

/* As it is written, a larger one would be too long to be read again. */
#define FLOAT_LARGEST 1e15

/* strtod() follows the locale of the program that we are part of. */
static const char *parse_float(struct bind *b, struct mox_slice text, void *out)
{
    char copy[64];
    if (text.len >= sizeof copy || !is_float(text))
        return "expected a number such as 0.95";
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0)
        return no_memory(b);
    double value = strtod_l(copy, NULL, c);
    freelocale(c);
    if (value > FLOAT_LARGEST || value < -FLOAT_LARGEST)
        return "the number is too large";
    *(double *)out = value;
    return NULL;
}

static void format_float(struct buf *out, const void *value)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0) {
        out->failed = true;
        return;
    }
    locale_t before = uselocale(c);
    mox__buf_printf(out, "%.6f", *(const double *)value);
    (void)uselocale(before);
    freelocale(c);
}

/* Longest first where one begins like another. */
static const struct {
    const char *name;
    uint64_t ns;
} units[] = {
    {"ns", 1},          {"us", 1000},         {"\xc2\xb5s", 1000},    {"\xce\xbcs", 1000},
    {"ms", 1000000},    {"s", 1000000000},    {"m", 60000000000},     {"h", 3600000000000},
};

static bool take_unit(struct mox_slice *s, uint64_t *ns)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t len = strlen(units[i].name);
        if (s->len < len || memcmp(s->data, units[i].name, len) != 0)
            continue;
        *s = slice_from(*s, len);
        *ns = units[i].ns;
        return true;
    }
    return false;
}

/* "1.5h" of "1.5h30m" in nanoseconds; false when it is wrong or too long. */
static bool take_piece(struct mox_slice *s, uint64_t *total)
{
    size_t whole_len = 0;
    while (whole_len < s->len && is_digit(s->data[whole_len]))
        whole_len++;
    struct mox_slice whole = slice(s->data, whole_len), part = {0};
    *s = slice_from(*s, whole_len);
    if (s->len > 0 && s->data[0] == '.') {
        *s = slice_from(*s, 1);
        part.data = s->data;
        while (part.len < s->len && is_digit(s->data[part.len]))
            part.len++;
        *s = slice_from(*s, part.len);
    }
    uint64_t n = 0, ns = 0, sum = 0;
    if (whole.len + part.len == 0 || !take_unit(s, &ns))
        return false;
    if (whole.len > 0 && !mox__slice_uint(whole, INT64_MAX / ns, &n))
        return false;
    sum = n * ns;
    for (size_t i = 0; i < part.len && ns >= 10; i++) {
        ns /= 10;
        sum += (uint64_t)(part.data[i] - '0') * ns;
    }
    if (sum > (uint64_t)INT64_MAX - *total)
        return false;
    *total += sum;
    return true;
}

static const char *parse_duration(struct bind *b, struct mox_slice text, void *out)
{
    (void)b;
    static const char bad[] = "expected a duration such as 15s, 1h30m or 1.5h (units h, m, s, ms, us)";
    bool negative = text.len > 0 && text.data[0] == '-';
    if (negative || (text.len > 0 && text.data[0] == '+'))
        text = slice_from(text, 1);
    uint64_t ns = 0;
    if (text.len == 0)
        return bad;
    if (!mox__slice_is(text, "0"))
        while (text.len > 0)
            if (!take_piece(&text, &ns))
                return bad;
    if (ns % 1000 != 0)
        return "a duration finer than a microsecond";
    *(int64_t *)out = negative ? -(int64_t)(ns / 1000) : (int64_t)(ns / 1000);
    return NULL;
}

/* n in units of 10^-digits, without trailing zeros. */
static void append_fraction(struct buf *out, uint64_t n, unsigned digits)
{
    char text[8];
    (void)snprintf(text, sizeof text, "%0*llu", (int)digits, (unsigned long long)n);
    while (digits > 0 && text[digits - 1] == '0')
        digits--;
    if (digits > 0) {
        mox__buf_byte(out, '.');
        mox__buf_append(out, text, digits);
    }
}

/* 12h0m0s, 1m0s, 1.5s, 20ms, 1.5us, 0s. */
static void format_duration(struct buf *out, const void *value)
{
    int64_t signed_us = *(const int64_t *)value;
    uint64_t us = signed_us < 0 ? (uint64_t)0 - (uint64_t)signed_us : (uint64_t)signed_us;
    if (signed_us < 0)
        mox__buf_byte(out, '-');
    if (us > 0 && us < 1000000) {
        bool ms = us >= 1000;
        mox__buf_uint(out, ms ? us / 1000 : us);
        append_fraction(out, ms ? us % 1000 : 0, 3);
        mox__buf_text(out, ms ? "ms" : "us");
        return;
    }
    uint64_t seconds = us / 1000000;
    if (seconds >= 3600)
        mox__buf_printf(out, "%lluh", (unsigned long long)(seconds / 3600));
    if (seconds >= 60)
        mox__buf_printf(out, "%llum", (unsigned long long)(seconds / 60 % 60));
    mox__buf_uint(out, seconds % 60);
    append_fraction(out, us % 1000000, 6);
    mox__buf_byte(out, 's');
}

static const char *parse_bytes(struct bind *b, struct mox_slice text, void *out)
{
    struct buf decoded;
    mox__buf_init(&decoded, b->arena->env, text.len + 1);
    int rc = mox__base64_decode(&decoded, text);
    char *copy = rc == MOX_OK ? mox__arena_strndup(b->arena, decoded.data, decoded.len) : NULL;
    struct mox_slice bytes = slice(copy, decoded.len);
    mox__buf_free(&decoded);
    if (rc == MOX_ESYNTAX)
        return "expected base64 with padding";
    if (copy == NULL)
        return no_memory(b);
    *(struct mox_slice *)out = bytes;
    return NULL;
}

static void format_bytes(struct buf *out, const void *value)
{
    mox__base64_encode(out, *(const struct mox_slice *)value);
}

static const char *parse_level(struct bind *b, struct mox_slice text, void *out)
{
    (void)b;
    char name[16] = "";
    if (text.len < sizeof name)
        memcpy(name, text.data, text.len);
    if (mox_log_level_parse(name, out) < 0)
        return "unknown log level; use error, warn, info, debug, trace, traceauth or tracedata";
    return NULL;
}

static void format_level(struct buf *out, const void *value)
{
    const char *name = mox_log_level_name(*(const enum mox_log_level *)value);
    mox__buf_text(out, name == NULL ? "" : name);
}

#define SCALAR(c_type, name, zero_text)                                                            \
    {.kind = VALUE_SCALAR, .size = sizeof(c_type), .parse = parse_##name, .format = format_##name, \
     .zero = (zero_text)}

const struct value_type mox__type_string = SCALAR(const char *, string, "");
const struct value_type mox__type_bool = SCALAR(bool, bool, "false");
const struct value_type mox__type_int64 = SCALAR(int64_t, int64, "0");
const struct value_type mox__type_uint32 = SCALAR(uint32_t, uint32, "0");
const struct value_type mox__type_port = SCALAR(uint16_t, port, "0");
const struct value_type mox__type_float = SCALAR(double, float, "0.000000");
const struct value_type mox__type_duration = SCALAR(int64_t, duration, "0s");
const struct value_type mox__type_bytes = SCALAR(struct mox_slice, bytes, "");
const struct value_type mox__type_level = SCALAR(enum mox_log_level, level, "info");
const struct value_type mox__type_strings = LIST_OF(mox__type_string, const char *);
