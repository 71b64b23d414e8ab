/* SPDX-License-Identifier: MIT */
#include "smtp/params.h"

#include <inttypes.h>
#include <mox/error.h>

#include "base/text.h"

static bool is_keyword_byte(uint8_t c, bool first)
{
    return is_alpha(c) || is_digit(c) || (c == '-' && !first);
}

static bool is_value_byte(uint8_t c)
{
    return c > ' ' && c < 0x7f && c != '=';
}

int mox__smtp_param_next(struct mox_slice *in, struct smtp_param *out)
{
    if (mox__slice_trim(*in).len == 0)
        return 0;
    if (in->data[0] != ' ')
        return MOX_ESYNTAX;
    struct mox_slice rest = slice_from(*in, 1);
    size_t n = 0;
    while (n < rest.len && is_keyword_byte(rest.data[n], n == 0))
        n++;
    *out = (struct smtp_param){.keyword = slice(rest.data, n)};
    rest = slice_from(rest, n);
    if (n == 0)
        return MOX_ESYNTAX;
    if (rest.len > 0 && rest.data[0] == '=') {
        for (n = 1; n < rest.len && is_value_byte(rest.data[n]);)
            n++;
        out->has_value = true;
        out->value = slice(rest.data + 1, n - 1);
        rest = slice_from(rest, n);
        if (n == 1)
            return MOX_ESYNTAX;
    }
    if (rest.len > 0 && rest.data[0] != ' ' && mox__slice_trim(rest).len > 0)
        return MOX_ESYNTAX;
    *in = rest;
    return 1;
}

static int hex_upper(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool mox__smtp_xtext_decode(struct mox_slice in, struct buf *out)
{
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.data[i];
        if (c <= ' ' || c >= 0x7f || c == '=')
            return false;
        if (c == '+') {
            if (in.len - i < 3 || hex_upper(in.data[i + 1]) < 0 || hex_upper(in.data[i + 2]) < 0)
                return false;
            c = (uint8_t)(hex_upper(in.data[i + 1]) << 4 | hex_upper(in.data[i + 2]));
            i += 2;
        }
        if (out != NULL)
            mox__buf_byte(out, c);
    }
    return out == NULL || !out->failed;
}

/* Days since 1970 of a date of the proleptic Gregorian calendar; years from March, so that the leap
 * day is the last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The reverse: RFC 3339's date of a day. */
static void write_date(struct buf *out, int64_t days)
{
    days += 719468;
    int64_t era = days / 146097, of_era = days % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t march = (5 * of_year + 2) / 153, month = march < 10 ? march + 3 : march - 9;
    mox__buf_printf(out, "%04" PRId64 "-%02" PRId64 "-%02" PRId64, year + era * 400 + (month <= 2),
                    month, of_year - (153 * march + 2) / 5 + 1);
}

static int64_t days_in(int64_t year, int64_t month)
{
    return days_of(year + month / 12, month % 12 + 1, 1) - days_of(year, month, 1);
}

/* The pattern's digits D are read into numbers one after the other, other characters must match. */
static bool match_numbers(struct mox_slice in, const char *pattern, int64_t *numbers)
{
    for (size_t i = 0; pattern[i] != '\0'; i++) {
        uint8_t c = in.data[i];
        if (pattern[i] == 'D' ? !is_digit(c) : c != (uint8_t)pattern[i])
            return false;
        if (pattern[i] != 'D')
            numbers++;
        else
            *numbers = *numbers * 10 + (c - '0');
    }
    return true;
}

static bool read_fraction(struct mox_slice in, int64_t *us)
{
    int64_t unit = 100000;
    *us = 0;
    if (in.len == 0)
        return true;
    if (in.data[0] != '.' || in.len == 1)
        return false;
    for (size_t i = 1; i < in.len; i++, unit /= 10) {
        if (!is_digit(in.data[i]))
            return false;
        *us += (in.data[i] - '0') * unit;
    }
    return true;
}

bool mox__smtp_time_parse(struct mox_slice in, int64_t *us)
{
    static const char pattern[] = "DDDD-DD-DDTDD:DD:DD";
    int64_t n[6] = {0}, fraction; /* year, month, day, hour, minute, second */
    const size_t len = sizeof pattern - 1;
    if (in.len < len + 1 || in.data[in.len - 1] != 'Z' || !match_numbers(in, pattern, n) ||
        !read_fraction(slice(in.data + len, in.len - 1 - len), &fraction))
        return false;
    if (n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > days_in(n[0], n[1]) || n[3] > 23 || n[4] > 59 ||
        n[5] > 60)
        return false;
    *us = (((days_of(n[0], n[1], n[2]) * 24 + n[3]) * 60 + n[4]) * 60 + n[5]) * 1000000 + fraction;
    return true;
}

void mox__smtp_time_write(struct buf *out, int64_t us)
{
    int64_t seconds = us / 1000000, of_day = seconds % 86400;
    write_date(out, seconds / 86400);
    mox__buf_printf(out, "T%02" PRId64 ":%02" PRId64 ":%02" PRId64 "Z", of_day / 3600,
                    of_day / 60 % 60, of_day % 60);
}
