/* SPDX-License-Identifier: MIT */
#include "server/outline.h"

#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

static void fill(struct outline *o)
{
    mox__outline_text(o, "name", "a \"quoted\\\" name");
    mox__outline_uint(o, "count", UINT64_MAX);
    mox__outline_text(o, "empty", NULL);
    mox__outline_list(o, "nothing");
    mox__outline_close(o);
    mox__outline_group(o, "group");
    mox__outline_bool(o, "yes", true);
    mox__outline_share(o, "share", 0.98765);
    mox__outline_list(o, "texts");
    mox__outline_item(o, "one");
    mox__outline_item(o, "two");
    mox__outline_close(o);
    mox__outline_close(o);
    mox__outline_list(o, "entries");
    for (unsigned i = 0; i < 2; i++) {
        mox__outline_entry(o);
        mox__outline_text(o, "word", "w");
        mox__outline_uint(o, "n", i);
        mox__outline_bool(o, "odd", i % 2 == 1);
        mox__outline_words(o, "in words");
        mox__outline_close(o);
    }
    mox__outline_close(o);
    mox__outline_time(o, "at", 1767323045 * INT64_C(1000000));
}

static void written_is(bool json, void (*write)(struct outline *o), const char *want)
{
    struct test_env t;
    struct buf out;
    struct outline o;
    test_env_init(&t);
    mox__buf_init(&out, &t.env, 10000);
    mox__outline_begin(&o, &out, json);
    write(&o);
    mox__outline_end(&o);
    mox__buf_byte(&out, '\0');
    assert_false(out.failed);
    assert_string_equal((const char *)out.data, want);
    mox__buf_free(&out);
    test_env_done(&t);
}

static void it_is_lines_for_people(void **state)
{
    (void)state;
    written_is(false, fill,
               "name: a \"quoted\\\\\" name\n"
               "count: 18446744073709551615\n"
               "empty: -\n"
               "nothing:\n"
               "group:\n"
               "  yes: yes\n"
               "  share: 0.9877\n"
               "  texts:\n"
               "    - one\n"
               "    - two\n"
               "entries:\n"
               "  - w, n 0: in words\n"
               "  - w, n 1, odd: in words\n"
               "at: 2026-01-02T03:04:05Z\n");
}

static void it_is_an_object_for_programs(void **state)
{
    (void)state;
    written_is(true, fill,
               "{\n"
               "  \"name\": \"a \\\"quoted\\\\\\\" name\",\n"
               "  \"count\": 18446744073709551615,\n"
               "  \"empty\": \"\",\n"
               "  \"nothing\": [],\n"
               "  \"group\": {\n"
               "    \"yes\": true,\n"
               "    \"share\": 0.9877,\n"
               "    \"texts\": [\n"
               "      \"one\",\n"
               "      \"two\"\n"
               "    ]\n"
               "  },\n"
               "  \"entries\": [\n"
               "    {\n"
               "      \"word\": \"w\",\n"
               "      \"n\": 0,\n"
               "      \"odd\": false,\n"
               "      \"text\": \"in words\"\n"
               "    },\n"
               "    {\n"
               "      \"word\": \"w\",\n"
               "      \"n\": 1,\n"
               "      \"odd\": true,\n"
               "      \"text\": \"in words\"\n"
               "    }\n"
               "  ],\n"
               "  \"at\": \"2026-01-02T03:04:05Z\"\n"
               "}\n");
}

/* Controls, UTF-8 up to U+1F600, bytes that are none, a fold. */
static void fill_strange(struct outline *o)
{
    mox__outline_text(o, "x", "\x1b[2J\x7f \xc3\xb8\xf0\x9f\x98\x80 \xff\xc3(\xed\xa0\x80");
    mox__outline_slice(o, "folded", slice_of(" a;\r\n\tb  c\r\n"));
    mox__outline_share(o, "over", 7);
    mox__outline_share(o, "under", -1);
}

static void fill_numbers(struct outline *o)
{
    mox__outline_signed(o, "above", 12.3456);
    mox__outline_signed(o, "below", -0.9996);
    mox__outline_signed(o, "nothing", -0.0001);
    mox__outline_signed(o, "most", -1e300);
}

static void numbers_have_their_sign(void **state)
{
    (void)state;
    written_is(false, fill_numbers,
               "above: 12.346\nbelow: -1.000\nnothing: 0.000\nmost: -1000000000.000\n");
}

static void nothing_but_printable_ascii_comes_out(void **state)
{
    (void)state;
    written_is(
        false, fill_strange,
        "x: \\u{1B}[2J\\u{7F} \\u{F8}\\u{1F600} \\u{FFFD}\\u{FFFD}(\\u{FFFD}\\u{FFFD}\\u{FFFD}\n"
        "folded: a; b c\nover: 1.0000\nunder: 0.0000\n");
    written_is(true, fill_strange,
               "{\n  \"x\": \"\\u001b[2J\\u007f \\u00f8\\ud83d\\ude00 "
               "\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffd\",\n"
               "  \"folded\": \"a; b c\",\n  \"over\": 1.0000,\n  \"under\": 0.0000\n}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_lines_for_people),
        cmocka_unit_test(it_is_an_object_for_programs),
        cmocka_unit_test(numbers_have_their_sign),
        cmocka_unit_test(nothing_but_printable_ascii_comes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
