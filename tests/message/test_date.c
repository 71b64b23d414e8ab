/* SPDX-License-Identifier: MIT */
#include <mox/date.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/corpora.h"

struct row {
    const char *text, *want; /* want: "2003-07-01 10:52:37 +120", or NULL */
};

static void reads_as(struct mox_slice text, const char *want)
{
    struct mox_date d;
    char got[64];
    int rc = mox_date_parse(text, &d);
    assert_int_equal(rc, want == NULL ? MOX_ESYNTAX : MOX_OK);
    if (want == NULL)
        return;
    (void)snprintf(got, sizeof got, "%04d-%02u-%02u %02u:%02u:%02u %+d", d.year, d.month, d.day,
                   d.hour, d.minute, d.second, d.zone_minutes);
    assert_string_equal(got, want);
}

static void all_read(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        reads_as(slice_of(rows[i].text), rows[i].want);
}

#define ALL(rows) all_read((rows), sizeof(rows) / sizeof((rows)[0]))

static void dates_of_rfc_5322(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Fri, 21 Nov 1997 09:55:06 -0600", "1997-11-21 09:55:06 -360"},
        {" Tue,  1 Jul 2003 10:52:37 +0200\r\n", "2003-07-01 10:52:37 +120"},
        {"Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n"
         "               -0330 (Newfoundland Time)",
         "1969-02-13 23:32:00 -210"},
        {"21 Nov 97 09:55:06 GMT", "1997-11-21 09:55:06 +0"},
        {"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "1997-11-21 09:55:06 -360"},
        {"Thu, 01 Jan 00 00:00:00 -0000", "2000-01-01 00:00:00 +0"},
        {"1 Jan 50 00:00 EST", "1950-01-01 00:00:00 -300"},
        {"1 Jan 49 00:00 PDT", "2049-01-01 00:00:00 -420"},
        {"1 Jan 103 00:00 A", "2003-01-01 00:00:00 +0"},
        {"31 Dec 2016 23:59:60 +0000", "2016-12-31 23:59:60 +0"},
    };
    ALL(rows);
}

static void dates_of_the_wild(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Tue Jul  1 10:52:37 2003", "2003-07-01 10:52:37 +0"},
        {"Tue Jul 01 10:52:37 CEST 2003", "2003-07-01 10:52:37 +120"},
        {"Tue, 1 Jul 2003 10:52:37 GMT+0200", "2003-07-01 10:52:37 +120"},
        {"Tue, 1 Jul 2003 10:52:37 +02:00", "2003-07-01 10:52:37 +120"},
        {"Tuesday, 01-Jul-03 10:52:37 GMT", "2003-07-01 10:52:37 +0"},
        {"1-July-2003 10:52 pm", "2003-07-01 22:52:00 +0"},
        {"2003-07-01T10:52:37.123Z", "2003-07-01 10:52:37 +0"},
        {"2003-07-01 10:52:37 -0700", "2003-07-01 10:52:37 -420"},
        {"July 1, 2003 12:30 am", "2003-07-01 00:30:00 +0"},
        {"1 Jul 2003", "2003-07-01 00:00:00 +0"},
        {"Tue, 1 Jul 2003 10:52:37 +9900", "2003-06-27 07:52:37 +0"},
        {"Tue, 1 Jul 2003 10:52:37 +123456789", "2003-07-01 10:52:37 +0"},
    };
    ALL(rows);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", NULL},
        {"<HR>", NULL},
        {"Jul 2003", NULL},
        {"1 Jul", NULL},
        {"1 Foo 2003", NULL},
        {"31 Jun 2003 10:00", NULL},
        {"29 Feb 2003 10:00", NULL},
        {"0 Jul 2003", NULL},
        {"1 Jul 2003 24:00", NULL},
        {"1 Jul 2003 10:60", NULL},
        {"1 Jul 10000 10:00", NULL},
        {"1 Jul 99999999999999999999 10:00", NULL},
        {"1 Jul 0000", NULL},
        {"7/1/2003", NULL},
        {"2003-13-01", NULL},
        {"1 Jul 2003 10:", NULL},
        {"100:00 1 Jul 2003", NULL},
    };
    ALL(rows);
    reads_as(slice_of("29 Feb 2004 10:00"), "2004-02-29 10:00:00 +0");
}

static void moments_and_dates_are_the_same(void **state)
{
    (void)state;
    static const struct {
        int64_t moment;
        int zone;
        const char *text;
    } rows[] = {
        {0, 0, "Thu, 1 Jan 1970 00:00:00 +0000"},
        {-1, 0, "Wed, 31 Dec 1969 23:59:59 +0000"},
        {1136239445, -420, "Mon, 2 Jan 2006 15:04:05 -0700"},
        {951782400, 345, "Tue, 29 Feb 2000 05:45:00 +0545"},
        {-2208988800, -30, "Sun, 31 Dec 1899 23:30:00 -0030"},
        {INT64_MIN, 60, "Mon, 1 Jan 0001 00:00:00 +0100"},
        {INT64_MAX, -60, "Fri, 31 Dec 9999 23:59:59 -0100"},
        {0, 100000, "Thu, 1 Jan 1970 00:00:00 +0000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[MOX_DATE_MAX];
        mox_date_format(rows[i].moment, rows[i].zone, text);
        assert_string_equal(text, rows[i].text);
    }
    for (int64_t moment = -5000000000; moment < 9000000000; moment += 7654321) {
        char text[MOX_DATE_MAX];
        struct mox_date d;
        mox_date_format(moment, (int)(moment % 1000), text);
        assert_int_equal(mox_date_parse(slice_of(text), &d), MOX_OK);
        assert_true(mox_date_unix(&d) == moment);
    }
}

/* The corpus is JSON of one shape: "header": "…" followed by numbers by name. */
static int number_of(const char *json, const char *name)
{
    char key[40];
    (void)snprintf(key, sizeof key, "\"%s\": ", name);
    const char *at = strstr(json, key);
    assert_non_null(at);
    return (int)strtol(at + strlen(key), NULL, 10);
}

static void vectors_of_another_parser(void **state)
{
    (void)state;
    const char *path = corpus_path("mime/header-vectors/date.json");
    if (path == NULL)
        skip();
    struct mox_slice json = read_file(path);
    unsigned count = 0;
    for (const char *at = (const char *)json.data; (at = strstr(at, "\"header\": \"")) != NULL;) {
        char text[300];
        size_t len = 0;
        for (at += 11; *at != '"'; at++) {
            text[len++] = *at == '\\' && *++at == 'n' ? '\n' : *at;
            if (*at == ';') /* a Received field, which ends in a date */
                len = 0;
        }
        bool none = strstr(at, "\"expected\": null") == strstr(at, "\"expected\"");
        if (none || strncmp(text, " 4 8 15 16", 10) == 0) /* numbers are no date to us */
            continue;
        struct mox_date d;
        if (mox_date_parse(slice(text, len), &d) != MOX_OK)
            fail_msg("not a date: %.*s", (int)len, text);
        int zone = number_of(at, "tz_hour") * 60 + number_of(at, "tz_minute");
        const char *before = strstr(at, "\"tz_before_gmt\": ");
        assert_int_equal(d.year, number_of(at, "year"));
        assert_int_equal(d.month, number_of(at, "month"));
        assert_int_equal(d.day, number_of(at, "day"));
        assert_int_equal(d.hour, number_of(at, "hour"));
        assert_int_equal(d.minute, number_of(at, "minute"));
        assert_int_equal(d.second, number_of(at, "second"));
        assert_int_equal(d.zone_minutes, before[17] == 't' ? -zone : zone);
        count++;
    }
    assert_true(count > 10);
    free((void *)(uintptr_t)json.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_of_rfc_5322),
        cmocka_unit_test(dates_of_the_wild),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(moments_and_dates_are_the_same),
        cmocka_unit_test(vectors_of_another_parser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
