/* SPDX-License-Identifier: MIT */
#include "when.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define US_PER_S INT64_C(1000000)
/* RFC 6376 has 12 digits for seconds; so far away is no time that anybody means. */
#define SECONDS_MAX INT64_C(999999999999)

static bool read_seconds(const char *text, int64_t *out)
{
    char *end;
    long long n = strtoll(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || n > SECONDS_MAX)
        return false;
    *out = n;
    return true;
}

/* Z, or hours and minutes with their sign; in seconds. */
static bool read_zone(const char *text, int64_t *out)
{
    unsigned hours, minutes;
    int used = 0;
    *out = 0;
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return true;
    if ((text[0] != '+' && text[0] != '-') || strlen(text) != 6 ||
        sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &used) != 2 || used != 5 || hours > 23 ||
        minutes > 59)
        return false;
    *out = ((int64_t)hours * 60 + minutes) * 60 * (text[0] == '-' ? -1 : 1);
    return true;
}

/* RFC 3339 §5.6; a fraction of a second is dropped. */
static bool read_date(const char *text, int64_t *out)
{
    struct tm tm = {0};
    char separator;
    int used = 0;
    int64_t zone;
    if (sscanf(text, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &separator,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 7 ||
        used != 19 || strchr("Tt ", separator) == NULL)
        return false;
    text += used;
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    if (!read_zone(text, &zone) || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
        tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *out = (int64_t)timegm(&tm) - zone;
    return *out >= 0;
}

enum exit_code when_now(const struct cli *cli, int64_t *out)
{
    const char *text = cli_flag(cli, "now");
    int64_t seconds;
    if (text == NULL) {
        *out = cli->env.wall_us(cli->env.user);
        return EXIT_OK;
    }
    if (!read_seconds(text, &seconds) && !read_date(text, &seconds))
        return cli_usage(cli->command,
                         "-now is a time like 2024-05-01T12:00:00Z, or seconds since 1970, not "
                         "\"%s\"",
                         text);
    *out = seconds * US_PER_S;
    return EXIT_OK;
}
