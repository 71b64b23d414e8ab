/* SPDX-License-Identifier: MIT */
#include "message/charset.h"

#include <iconv.h>
#include <string.h>

#include "base/text.h"
#include "message/charset_names.h"
#include "message/text.h"
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
    struct charset_pool pool = {.count = 0};
    struct charset c;
    mox__buf_clear(out);
    mox__charset_open(&c, &pool, slice_of(name));
    while (text.len > 0) {
        const size_t n = text.len < step ? text.len : step;
        assert_int_equal(mox__charset_convert(&c, slice(text.data, n), append, out), MOX_OK);
        text = slice_from(text, n);
    }
    assert_int_equal(mox__charset_finish(&c, append, out), MOX_OK);
    mox__charset_pool_close(&pool);
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

/* One name at least for each converter, as senders write it. */
static const struct {
    const char *name, *converter;
} known[] = {
    {"Big5", "BIG5-HKSCS"},
    {"CN-GB", "GB18030"},
    {"EUC-KR", "CP949"},
    {"EUC-TW", "EUC-TW"},
    {"GB18030", "GB18030"},
    {"GB2312", "GB18030"},
    {"IBM00858", "IBM858"},
    {"IBM866", "IBM866"},
    {"ISO-2022-JP", "ISO-2022-JP-2"},
    {"ISO-2022-KR", "ISO-2022-KR"},
    {"ISO-8859-1", "WINDOWS-1252"},
    {"ISO-8859-10", "ISO-8859-10"},
    {"ISO-8859-11", "ISO-8859-11"},
    {"ISO-8859-13", "ISO-8859-13"},
    {"ISO-8859-14", "ISO-8859-14"},
    {"ISO-8859-16", "ISO-8859-16"},
    {"ISO-8859-6", "ISO-8859-6"},
    {"ISO-8859-8-I", "ISO-8859-8"},
    {"ISO8859_15", "ISO-8859-15"},
    {"ISO_8859-1:1987", "WINDOWS-1252"},
    {"ISO_8859-5:1988", "ISO-8859-5"},
    {"KOI8-R", "KOI8-R"},
    {"Shift_JIS", "CP932"},
    {"TIS-620", "CP874"},
    {"UCS-4BE", "UTF-32BE"},
    {"UTF-16", "UTF-16"},
    {"UTF-16BE", "UTF-16BE"},
    {"VISCII", "VISCII"},
    {"Windows 1252", "WINDOWS-1252"},
    {"cp437", "IBM437"},
    {"cp850", "IBM850"},
    {"cp852", "IBM852"},
    {"cp855", "IBM855"},
    {"cp857", "IBM857"},
    {"cp862", "IBM862"},
    {"csEUCPkdFmtJapanese", "EUC-JP"},
    {"euc-jp", "EUC-JP"},
    {"iso-8859-3", "ISO-8859-3"},
    {"iso-8859-7", "ISO-8859-7"},
    {"iso-8859-9", "WINDOWS-1254"},
    {"iso88592", "ISO-8859-2"},
    {"koi8_u", "KOI8-U"},
    {"ks_c_5601-1987", "CP949"},
    {"latin4", "ISO-8859-4"},
    {"macintosh", "MACINTOSH"},
    {"unicode-1-1-utf-7", "UTF-7"},
    {"utf-16le", "UTF-16LE"},
    {"utf-32", "UTF-32"},
    {"utf-32le", "UTF-32LE"},
    {"windows-1250", "WINDOWS-1250"},
    {"windows-1251", "WINDOWS-1251"},
    {"windows-1253", "WINDOWS-1253"},
    {"windows-1255", "WINDOWS-1255"},
    {"windows-1256", "WINDOWS-1256"},
    {"windows-1257", "WINDOWS-1257"},
    {"windows-1258", "WINDOWS-1258"},
    {"x-mac-ce", "MAC-CENTRALEUROPE"},
    {"x-mac-cyrillic", "MAC-CYRILLIC"},
    {"x-mac-ukrainian", "MAC-UK"},
    {"x-x-big5", "BIG5-HKSCS"},
    {"437", "IBM437"},
};

static void charsets_of_mail_have_a_converter(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char *converter = mox__charset_converter(slice_of(known[i].name));
        assert_non_null(converter);
        assert_string_equal(converter, known[i].converter);
        iconv_t cd = iconv_open("UTF-8", converter);
        assert_true(cd != (iconv_t)-1);
        assert_int_equal(iconv_close(cd), 0);
    }
}

/* A text that ends within Japanese, and words of more charsets than the libc keeps by itself. */
static void the_order_of_bytes_is_that_of_each_text(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes, *text;
        size_t len;
    } texts[] = {
        {"utf-16", "\xfe\xff\0a", "a", 4},
        {"utf-16",
         "\xff\xfe"
         "b\0",
         "b", 4},
        {"utf-16", "c\0", "c", 2},
        {"utf-16", "\xfe\xff\0d", "d", 4},
        {"utf-16", "\xfe\xff", "", 2},
        {"utf-16", "", "", 0},
        {"utf-32", "\0\0\xfe\xff\0\0\0e", "e", 8},
        {"utf-32", "\xff\xfe\0\0f\0\0\0", "f", 8},
        {"utf-32", "g\0\0\0", "g", 4},
    };
    struct charset_pool pool = {.count = 0};
    struct test_env t;
    struct buf got;
    test_env_init(&t);
    mox__buf_init(&got, &t.env, TEXT_MAX);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        mox__buf_clear(&got);
        mox__charset_to_utf8(&got, &pool, slice_of(texts[i].name),
                             slice(texts[i].bytes, texts[i].len));
        if (!mox__slice_is(slice(got.data, got.len), texts[i].text))
            fail_msg("text %zu is %.*s", i, (int)got.len, (const char *)got.data);
    }
    mox__charset_pool_close(&pool);
    mox__buf_free(&got);
    test_env_done(&t);
}

static void a_pool_opens_each_charset_once(void **state)
{
    (void)state;
    static const char value[] = "=?iso-2022-jp?q?=1B$B$\"?= =?big5?q?=A4=A4?= =?iso-2022-jp?q?a?=";
    struct charset_pool pool = {.count = 0};
    struct test_env t;
    struct buf got;
    test_env_init(&t);
    mox__buf_init(&got, &t.env, TEXT_MAX);
    for (int i = 0; i < 3; i++) {
        mox__buf_clear(&got);
        mox__encoded_words(&got, &pool, slice_of(value));
        assert_true(mox__slice_is(slice(got.data, got.len), "\xe3\x81\x82\xe4\xb8\xad"
                                                            "a"));
        assert_int_equal(pool.count, 2);
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        mox__charset_to_utf8(&got, &pool, slice_of(known[i].name), slice_of("\xff"));
    assert_in_range(pool.count, 40, CHARSET_POOL_MAX - 1);
    mox__charset_pool_close(&pool);
    mox__buf_free(&got);
    test_env_done(&t);
}

/* The libc has these too, and some of its converters could be made to end the process. */
static void other_charsets_have_none(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "-",
        "utf-8",
        "us-ascii",
        "nobody-knows",
        "IBM1364",
        "IBM1371",
        "IBM1388",
        "IBM1390",
        "IBM-1390",
        "IBM1399",
        "IBM037",
        "IBM930",
        "TSCII",
        "TCVN5712-1",
        "ISO-2022-JP-3",
        "ISO-2022-CN",
        "ISO-2022-CN-EXT",
        "EUC-JISX0213",
        "SHIFT_JISX0213",
        "UTF-7-IMAP",
        "INTERNAL",
        "iso-8859-2//TRANSLIT",
        "iso-8859-2/",
        "iso-8859-2,IBM1390/",
        "iso-8859-2\xe9",
        "a name that is longer than any that there is",
    };
    struct test_env t;
    struct buf got;
    test_env_init(&t);
    mox__buf_init(&got, &t.env, TEXT_MAX);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_null(mox__charset_converter(slice_of(names[i])));
        convert_in_pieces(&got, names[i], slice_of("\xe2\x82\xac\xe9"), 2);
        assert_true(mox__slice_is(slice(got.data, got.len), "\xe2\x82\xac\xc3\xa9"));
    }
    assert_null(mox__charset_converter(slice("utf-16\0", 7)));
    mox__buf_free(&got);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charsets_with_ascii_in_them_are_what_iconv_says),
        cmocka_unit_test(a_charset_that_nobody_knows_lets_utf_8_through),
        cmocka_unit_test(charsets_of_mail_have_a_converter),
        cmocka_unit_test(other_charsets_have_none),
        cmocka_unit_test(the_order_of_bytes_is_that_of_each_text),
        cmocka_unit_test(a_pool_opens_each_charset_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
