/* SPDX-License-Identifier: MIT */
#include <mox/error.h>

#include "imap/lex.h"

/* Dates of RFC 3501 §9: date, date-time. */

#define SECOND INT64_C(1000000)

static bool missing(struct lexer *l, const uint8_t *start, const char *what)
{
    l->at = start;
    l->expected = what;
    return false;
}

/* Days since 1970 of a date in the proleptic Gregorian calendar: years begin in March, so that the
 * leap day comes last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;
    int64_t era_days = y * 365 + y / 4 - y / 100 + y / 400;
    return era_days + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static int64_t days_in(int64_t year, int64_t month)
{
    return month == 12 ? 31 : days_of(year, month + 1, 1) - days_of(year, month, 1);
}

static bool take_month(struct lexer *l, int64_t *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (l->end - l->at < 3)
        return false;
    for (int64_t i = 0; i < 12; i++)
        if (mox__slice_eq_nocase(slice(l->at, 3), slice(names + 3 * i, 3))) {
            l->at += 3;
            *month = i + 1;
            return true;
        }
    return false;
}

static bool take_digits(struct lexer *l, int count, int64_t *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, l->at++) {
        if (l->at == l->end || !is_digit(*l->at))
            return false;
        *out = *out * 10 + (*l->at - '0');
    }
    return true;
}

/* "Mon-yyyy" behind "d-"; the day must exist. */
static bool take_month_year(struct lexer *l, int64_t day, int64_t *days)
{
    int64_t month = 0;
    int64_t year = 0;
    if (!mox__lex_byte(l, '-') || !take_month(l, &month) || !mox__lex_byte(l, '-') ||
        !take_digits(l, 4, &year) || day < 1 || day > days_in(year, month))
        return false;
    *days = days_of(year, month, day);
    return true;
}

bool mox__lex_date(struct lexer *l, int64_t *days)
{
    const uint8_t *start = l->at;
    bool quoted = mox__lex_byte(l, '"');
    uint64_t day = 0;
    if (mox__lex_number(l, 31, &day) && take_month_year(l, (int64_t)day, days) &&
        (!quoted || mox__lex_byte(l, '"')))
        return true;
    return missing(l, start, "date such as 1-Feb-2026");
}

/* "+zzzz": seconds east of UTC. */
static bool take_zone(struct lexer *l, int64_t *seconds)
{
    int sign = mox__lex_peek(l);
    int64_t hours = 0;
    int64_t minutes = 0;
    if (sign != '+' && sign != '-')
        return false;
    l->at++;
    if (!take_digits(l, 2, &hours) || !take_digits(l, 2, &minutes) || minutes > 59)
        return false;
    *seconds = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return true;
}

/* "hh:mm:ss": seconds of the day. A leap second counts as the one that follows. */
static bool take_time(struct lexer *l, int64_t *seconds)
{
    int64_t h = 0;
    int64_t m = 0;
    int64_t s = 0;
    if (!take_digits(l, 2, &h) || !mox__lex_byte(l, ':') || !take_digits(l, 2, &m) ||
        !mox__lex_byte(l, ':') || !take_digits(l, 2, &s) || h > 23 || m > 59 || s > 60)
        return false;
    *seconds = h * 3600 + m * 60 + s;
    return true;
}

bool mox__lex_date_time(struct lexer *l, int64_t *us)
{
    const uint8_t *start = l->at;
    int64_t day = 0;
    int64_t days = 0;
    int64_t seconds = 0;
    int64_t zone = 0;
    bool there = mox__lex_byte(l, '"');
    /* The day is padded with a space (date-day-fixed); some clients send one digit alone. */
    bool padded = there && mox__lex_byte(l, ' ');
    bool single = l->end - l->at > 1 && l->at[1] == '-';
    there = there && take_digits(l, padded || single ? 1 : 2, &day) &&
            take_month_year(l, day, &days) && mox__lex_space(l) && take_time(l, &seconds) &&
            mox__lex_space(l) && take_zone(l, &zone) && mox__lex_byte(l, '"');
    if (!there)
        return missing(l, start, "date and time such as \" 1-Feb-2026 12:00:00 +0000\"");
    *us = (days * 86400 + seconds - zone) * SECOND;
    return true;
}
