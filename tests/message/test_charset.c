/* SPDX-License-Identifier: MIT */
#include "message/charset.h"

#include <iconv.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

#define TEXT_MAX 8192

/* What iconv() makes of it; 0: it has no such character. */
static size_t by_iconv(const char *name, struct mox_slice text, char out[TEXT_MAX])
{
    iconv_t cd = iconv_open("UTF-8", name);
    assert_true(cd != (iconv_t)-1);
    char *from = (char *)(uintptr_t)text.data, *to = out;
    size_t left = text.len, room = TEXT_MAX;
    const size_t rc = iconv(cd, &from, &left, &to, &room);
    assert_int_equal(iconv_close(cd), 0);
    return rc == (size_t)-1 ? 0 : (size_t)(to - out);
}

/* Each character of the charset, behind ASCII of different lengths: some is passed on by itself. */
static size_t all_characters(const char *name, uint8_t text[TEXT_MAX])
{
    size_t len = 0;
    for (unsigned c = 0; c < 256; c++) {
        const uint8_t byte = (uint8_t)c;
        char out[TEXT_MAX];
        if (by_iconv(name, slice(&byte, 1), out) == 0)
            continue;
        for (unsigned i = 0; i < c % 23; i++)
            text[len++] = (uint8_t)('!' + (c + i) % 94);
        text[len++] = byte;
    }
    return len;
}

static int append(void *user, struct mox_slice piece)
{
    struct buf *out = user;
    assert_true(piece.len > 0);
    mox__buf_slice(out, piece);
    return MOX_OK;
}

static void convert_in_pieces(struct buf *out, const char *name, struct mox_slice text, size_t step)
{
    struct charset c;
    mox__buf_clear(out);
    mox__charset_open(&c, slice_of(name));
    while (text.len > 0) {
        const size_t n = text.len < step ? text.len : step;
        assert_int_equal(mox__charset_convert(&c, slice(text.data, n), append, out), MOX_OK);
        text = slice_from(text, n);
    }
    assert_int_equal(mox__charset_finish(&c, append, out), MOX_OK);
    mox__charset_close(&c);
}

static void charsets_with_ascii_in_them_are_what_iconv_says(void **state)
{
    (void)state;
    static const char *const names[] = {
        "iso-8859-2",   "iso-8859-3",   "iso-8859-4",   "iso-8859-5",   "iso-8859-6",
        "iso-8859-7",   "iso-8859-8",   "iso-8859-10",  "iso-8859-11",  "iso-8859-13",
        "iso-8859-14",  "iso-8859-15",  "iso-8859-16",  "koi8-r",       "koi8-u",
        "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254",
        "windows-1255", "windows-1256", "windows-1257", "windows-1258",
    };
    struct test_env t;
    struct buf got;
    test_env_init(&t);
    mox__buf_init(&got, &t.env, TEXT_MAX);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint8_t text[TEXT_MAX];
        char want[TEXT_MAX];
        const size_t len = all_characters(names[i], text);
        const size_t want_len = by_iconv(names[i], slice(text, len), want);
        assert_true(want_len > len);
        for (size_t step = 1; step < 300; step = step * 3 / 2 + 1) {
            convert_in_pieces(&got, names[i], slice(text, len), step);
            assert_int_equal(got.len, want_len);
            assert_memory_equal(got.data, want, want_len);
        }
    }
    mox__buf_free(&got);
    test_env_done(&t);
}

/* It looks like one of those, and UTF-8 in it may be cut. */
static void a_charset_that_nobody_knows_lets_utf_8_through(void **state)
{
    (void)state;
    struct test_env t;
    struct buf got;
    static const char text[] = "eleven bytes and \xe2\x82\xac 5, \xe9 and \xf0\x9f\x92\xa9";
    static const char want[] = "eleven bytes and \xe2\x82\xac 5, \xc3\xa9 and \xf0\x9f\x92\xa9";
    test_env_init(&t);
    mox__buf_init(&got, &t.env, TEXT_MAX);
    for (size_t step = 1; step < sizeof text; step++) {
        convert_in_pieces(&got, "iso-8859-99", slice_of(text), step);
        assert_int_equal(got.len, sizeof want - 1);
        assert_memory_equal(got.data, want, sizeof want - 1);
    }
    mox__buf_free(&got);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charsets_with_ascii_in_them_are_what_iconv_says),
        cmocka_unit_test(a_charset_that_nobody_knows_lets_utf_8_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
