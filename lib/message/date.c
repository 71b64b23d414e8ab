/* SPDX-License-Identifier: MIT */
#include <mox/date.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "message/content.h"

/* The words of a date are told apart by their looks, not by their place, since all orders occur. */

#define DAY_MINUTES (24 * 60)
#define DAY_SECONDS 86400

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char days[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"}; /* from 1970 on */

/* RFC 5322 §4.3, and some of Europe and Asia. A zone with another name is UTC. */
static const struct {
    const char *name;
    int minutes;
} zones[] = {
    {"EST", -5 * 60}, {"EDT", -4 * 60}, {"CST", -6 * 60}, {"CDT", -5 * 60}, {"MST", -7 * 60},
    {"MDT", -6 * 60}, {"PST", -8 * 60}, {"PDT", -7 * 60}, {"BST", 60},      {"WEST", 60},
    {"CET", 60},      {"MET", 60},      {"CEST", 120},    {"MEST", 120},    {"EET", 120},
    {"EEST", 180},    {"MSK", 180},     {"JST", 9 * 60},  {"KST", 9 * 60},
};

enum { DAY = 1, MONTH = 2, YEAR = 4, TIME = 8, ZONE = 16, NAMED_ZONE = 32 };

struct scan {
    struct mox_slice s;
    size_t at;
    unsigned have;
    struct mox_date date;
};

static uint8_t peek(const struct scan *c)
{
    return c->at < c->s.len ? c->s.data[c->at] : 0;
}

/* Takes digits; how many there were. Their value stops growing far beyond any year. */
static unsigned take_number(struct scan *c, unsigned *value)
{
    unsigned digits = 0;
    *value = 0;
    for (; is_digit(peek(c)); c->at++, digits++)
        if (*value < 100000)
            *value = *value * 10 + (unsigned)(peek(c) - '0');
    return digits;
}

/* Skips a colon with white space and comments around it (RFC 5322 §4.3); false if there is none. */
static bool skip_colon(struct scan *c)
{
    size_t at = mox__skip_cfws(c->s, c->at);
    if (at >= c->s.len || c->s.data[at] != ':')
        return false;
    c->at = mox__skip_cfws(c->s, at + 1);
    return true;
}

/* "mm" or "mm:ss" behind the hour and its colon; a fraction of a second is skipped. */
static bool take_time(struct scan *c, unsigned hour)
{
    unsigned ignored;
    c->date.hour = hour;
    if (take_number(c, &c->date.minute) == 0)
        return false;
    if (skip_colon(c) && take_number(c, &c->date.second) == 0)
        return false;
    if (peek(c) == '.') {
        c->at++;
        (void)take_number(c, &ignored);
    }
    c->have |= TIME;
    return c->date.hour < 24 && c->date.minute < 60 && c->date.second <= 60;
}

/* RFC 5322 §4.3: years of two and three digits. */
static bool set_year(struct scan *c, unsigned year, unsigned digits)
{
    if (digits < 2 || year > 9999)
        return false;
    if (digits == 2)
        year += year < 50 ? 2000 : 1900;
    else if (digits == 3)
        year += 1900;
    c->date.year = (int)year;
    c->have |= YEAR;
    return year > 0;
}

/* "-mm-dd" behind a year of four digits (ISO 8601). */
static bool take_iso_date(struct scan *c, unsigned year)
{
    c->at++;
    if (take_number(c, &c->date.month) == 0 || peek(c) != '-')
        return false;
    c->at++;
    if (take_number(c, &c->date.day) == 0)
        return false;
    c->have |= MONTH | DAY;
    return set_year(c, year, 4);
}

static bool take_digits(struct scan *c)
{
    unsigned value, digits = take_number(c, &value);
    if (skip_colon(c))
        return (c->have & TIME) == 0 && digits <= 2 && take_time(c, value);
    bool iso = peek(c) == '-' && c->s.len - c->at > 1 && is_digit(c->s.data[c->at + 1]);
    if (iso && digits == 4 && (c->have & (YEAR | MONTH | DAY)) == 0)
        return take_iso_date(c, value);
    if ((c->have & DAY) == 0 && digits <= 2) {
        c->date.day = value;
        c->have |= DAY;
        return true;
    }
    if ((c->have & (MONTH | YEAR)) == 0 && digits <= 2) { /* "20 11 79" */
        c->date.month = value;
        c->have |= MONTH;
        return true;
    }
    return (c->have & YEAR) != 0 || set_year(c, value, digits);
}

/* "+hhmm", also with a colon or fewer digits. */
static void take_zone(struct scan *c)
{
    int sign = peek(c) == '-' ? -1 : 1;
    unsigned value, minutes = 0;
    c->at++;
    unsigned digits = take_number(c, &value);
    if (digits <= 2)
        value *= 100;
    if (digits <= 2 && peek(c) == ':') {
        c->at++;
        (void)take_number(c, &minutes);
    }
    if (value > 9999 || minutes > 99)
        value = minutes = 0;
    c->date.zone_minutes = sign * (int)(value / 100 * 60 + value % 100 + minutes);
    c->have |= ZONE;
}

static bool set_month(struct scan *c, struct mox_slice word)
{
    if (word.len < 3 || (c->have & MONTH) != 0)
        return false;
    for (unsigned i = 0; i < 12; i++) {
        if (mox__slice_starts_nocase(word, months[i])) {
            c->date.month = i + 1;
            c->have |= MONTH;
            return true;
        }
    }
    return false;
}

/* The name of a month or, behind the time, of a zone, or "pm"; other words mean nothing. */
static void take_word(struct scan *c)
{
    size_t start = c->at;
    while (is_alpha(peek(c)))
        c->at++;
    struct mox_slice word = slice(c->s.data + start, c->at - start);
    if (set_month(c, word) || (c->have & TIME) == 0)
        return;
    if (mox__slice_is_nocase(word, "pm") && c->date.hour < 12)
        c->date.hour += 12;
    else if (mox__slice_is_nocase(word, "am") && c->date.hour == 12)
        c->date.hour = 0;
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        if ((c->have & (ZONE | NAMED_ZONE)) == 0 && mox__slice_is_nocase(word, zones[i].name)) {
            c->date.zone_minutes = zones[i].minutes; /* a number may follow, and counts more */
            c->have |= NAMED_ZONE;
        }
    }
}

static bool take_all(struct scan *c)
{
    while ((c->at = mox__skip_cfws(c->s, c->at)) < c->s.len) {
        uint8_t byte = peek(c);
        bool sign =
            (byte == '+' || byte == '-') && c->s.len - c->at > 1 && is_digit(c->s.data[c->at + 1]);
        if (is_digit(byte)) {
            if (!take_digits(c))
                return false;
        } else if (sign && (c->have & (TIME | ZONE)) == TIME) {
            take_zone(c);
        } else if (byte == '/' && (c->have & MONTH) == 0) {
            return false; /* "7/1/2003" is one day in Europe and another in America */
        } else if (is_alpha(byte)) {
            take_word(c);
        } else {
            c->at++;
        }
    }
    return (c->have & (DAY | MONTH | YEAR)) == (DAY | MONTH | YEAR);
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_in(int year, unsigned month)
{
    static const uint8_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return lengths[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

int mox_date_parse(struct mox_slice text, struct mox_date *out)
{
    struct scan c = {.s = text};
    if (!take_all(&c))
        return MOX_ESYNTAX;
    *out = c.date;
    if (out->month < 1 || out->month > 12 || out->day < 1 ||
        out->day > days_in(out->year, out->month))
        return MOX_ESYNTAX;
    if (out->zone_minutes <= -DAY_MINUTES || out->zone_minutes >= DAY_MINUTES)
        mox_date_from_unix(mox_date_unix(out), 0, out);
    return MOX_OK;
}

/* Days from 1970-01-01 to the first of a year, which may be any from 1 on. */
static int64_t days_before(int64_t year)
{
    int64_t y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

int64_t mox_date_unix(const struct mox_date *date)
{
    int64_t day = days_before(date->year) + date->day - 1;
    for (unsigned month = 1; month < date->month; month++)
        day += days_in(date->year, month);
    return day * DAY_SECONDS + (int64_t)date->hour * 3600 + (int64_t)date->minute * 60 +
           date->second - (int64_t)date->zone_minutes * 60;
}

void mox_date_from_unix(int64_t unix_seconds, int zone_minutes, struct mox_date *out)
{
    const int64_t first = days_before(1) * DAY_SECONDS;
    const int64_t last = days_before(10000) * DAY_SECONDS - 1;
    if (zone_minutes <= -DAY_MINUTES || zone_minutes >= DAY_MINUTES)
        zone_minutes = 0;
    int64_t offset = (int64_t)zone_minutes * 60;
    int64_t local = unix_seconds < first - offset  ? first
                    : unix_seconds > last - offset ? last
                                                   : unix_seconds + offset;
    int64_t since = local - first, day = since / DAY_SECONDS;
    int year = 1 + (int)(day / 366); /* not later than the true one */
    while (days_before(year + 1) - days_before(1) <= day)
        year++;
    unsigned rest = (unsigned)(day - (days_before(year) - days_before(1))), month = 1;
    for (; rest >= days_in(year, month); month++)
        rest -= days_in(year, month);
    unsigned second = (unsigned)(since % DAY_SECONDS);
    *out = (struct mox_date){
        .year = year,
        .month = month,
        .day = rest + 1,
        .hour = second / 3600,
        .minute = second / 60 % 60,
        .second = second % 60,
        .zone_minutes = zone_minutes,
    };
}

void mox_date_format(int64_t unix_seconds, int zone_minutes, char out[MOX_DATE_MAX])
{
    struct mox_date d;
    mox_date_from_unix(unix_seconds, zone_minutes, &d);
    d.zone_minutes = 0;
    int64_t day = (mox_date_unix(&d) - days_before(1) * DAY_SECONDS) / DAY_SECONDS;
    unsigned weekday = (unsigned)((day + 4) % 7); /* 0001-01-01 was a Monday */
    bool west = zone_minutes < 0;
    if (zone_minutes <= -DAY_MINUTES || zone_minutes >= DAY_MINUTES)
        zone_minutes = 0;
    unsigned zone = (unsigned)(west ? -zone_minutes : zone_minutes);
    (void)snprintf(out, MOX_DATE_MAX, "%s, %u %s %04d %02u:%02u:%02u %c%02u%02u", days[weekday],
                   d.day % 100, months[d.month - 1], d.year % 10000, d.hour % 100, d.minute % 100,
                   d.second % 100, west ? '-' : '+', zone / 60 % 100, zone % 60);
}
