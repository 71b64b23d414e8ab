/* SPDX-License-Identifier: MIT */
#include "message/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "message/decode.h"
#include "message/header.h"
#include "message/structure.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"

static int collect(void *user, struct mox_slice piece)
{
    assert_in_range(piece.len, 1, DECODE_PIECE_MAX);
    mox__buf_slice(user, piece);
    return MOX_OK;
}

static int collect_text(void *user, struct mox_slice piece)
{
    assert_true(mox__slice_is_utf8(piece));
    return collect(user, piece);
}

/* The text or, if `raw`, the decoded bytes of the root part; NUL-terminated, freed with free(). */
static struct mox_slice said(struct mox_slice message, bool raw)
{
    struct test_env t;
    test_env_init(&t);
    struct mox_message *m = NULL;
    struct buf out;
    mox__buf_init(&out, &t.env, 1 << 26);
    assert_int_equal(mox_message_parse(&m, &t.env, message), MOX_OK);
    const struct mox_part *root = mox_message_root(m);
    assert_int_equal(raw ? mox__part_decode(root, message, collect, &out)
                         : mox__part_text(NULL, root, message, collect_text, &out),
                     MOX_OK);
    uint8_t *copy = malloc(out.len + 1);
    assert_non_null(copy);
    memcpy(copy, out.len > 0 ? out.data : copy, out.len);
    copy[out.len] = '\0';
    struct mox_slice result = {copy, out.len};
    mox__buf_free(&out);
    mox_message_free(m);
    test_env_done(&t);
    return result;
}

struct row {
    const char *head, *body, *want;
};

static void all_say(const struct row *rows, size_t count, bool raw)
{
    for (size_t i = 0; i < count; i++) {
        char message[2000];
        int len = snprintf(message, sizeof message, "%s\n\n%s", rows[i].head, rows[i].body);
        struct mox_slice got = said(slice(message, (size_t)len), raw);
        assert_string_equal((const char *)got.data, rows[i].want);
        free((void *)(uintptr_t)got.data);
    }
}

#define ALL(rows, raw) all_say((rows), sizeof(rows) / sizeof((rows)[0]), (raw))
#define BASE64         "Content-Type: a/b\nContent-Transfer-Encoding: base64"
#define QP             "Content-Type: a/b\nContent-Transfer-Encoding: Quoted-Printable"

static void transfer_encodings_are_undone(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {BASE64, "aGVsbG8=", "hello"},
        {BASE64, "aGVs\r\nbG8=\r\n", "hello"},
        {BASE64, "a G\tV*s-b_G.8", "hello"},
        {BASE64, "aGVsbG8=aGVsbG8=", "hellohello"},
        {BASE64, "aA==aQ==\n\n==a=", "hi"},
        {BASE64, "", ""},
        {QP, "a=3Db=3d=\r\nc = \nd\t \r\n=\r\n\r\ne=", "a=b=c d\r\n\r\ne"},
        {QP, "=C3=A9=4=zz=\r", "\xc3\xa9=4=zz=\r"},
        {QP, "bad=G1 = 41", "bad=G1 = 41"},
        {"Content-Type: a/b\nContent-Transfer-Encoding: x-unknown", "a=3D\nb", "a=3D\nb"},
    };
    ALL(rows, true);
}

static void decoded_text_has_crlf(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"A: b", "a\nb\r\nc\n\n\r\n\rd", "a\r\nb\r\nc\r\n\r\n\r\n\rd"},
        {"A: b", "\n", "\r\n"},
        {"Content-Transfer-Encoding: base64", "YQpiDQpjCg==", "a\r\nb\r\nc\r\n"},
        {"Content-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: base64", "YWEK",
         "aa\n"},
    };
    ALL(rows, true);
}

static void text_becomes_utf_8(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"A: b", "plain \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
         "plain \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"A: b", "\xe9 \xe2\x82 \xf0\x9f", "\xc3\xa9 \xc3\xa2\xc2\x82 \xc3\xb0\xc2\x9f"},
        {"Content-Type: text/plain; charset=us-ascii", "\xc3\xa9\xff", "\xc3\xa9\xc3\xbf"},
        {"Content-Type: text/plain; charset=nobody-knows", "\xe9", "\xc3\xa9"},
        {"Content-Type: text/plain; charset=../../x//TRANSLIT", "\xe9", "\xc3\xa9"},
        {"Content-Type: text/plain; charset=iso-8859-1", "\xe9\x80\x81.",
         "\xc3\xa9\xe2\x82\xac\xef\xbf\xbd."},
        {"Content-Type: text/plain; charset=\"ISO-8859-2\"", "\xb9", "\xc5\xa1"},
        {"Content-Type: text/html; charset*=us-ascii''koi8-r", "\xc1", "\xd0\xb0"},
        {"Content-Type: text/plain; charset=gb2312", "\xc4\xe3\xba", "\xe4\xbd\xa0\xef\xbf\xbd"},
        {"Content-Type: text/plain; charset=utf-16be\nContent-Transfer-Encoding: base64",
         "AGEAYgBj", "abc"},
        /* half of a character */
        {"Content-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: base64",
         "YQA92GIAYwA=",
         "a\xef\xbf\xbd"
         "bc"},
        /* beyond the last character */
        {"Content-Type: text/plain; charset=ucs-4be\nContent-Transfer-Encoding: base64",
         "AAAAYQARAAAAAABi",
         "a\xef\xbf\xbd"
         "b"},
        {"Content-Type: text/plain; charset=iso-2022-jp", "\x1b$B$\"\x1b(Ba",
         "\xe3\x81\x82"
         "a"},
        /* a character that is none, as the last one: iconv() refuses it behind itself */
        {"Content-Type: text/plain; charset=euc-kr", "a\xa2\xe8", "a\xef\xbf\xbd"},
        {"Content-Type: text/plain; charset=iso-2022-kr", "\x1b$)Ca\x0e!!\x0f", "a\xe3\x80\x80"},
    };
    ALL(rows, false);
}

/* Characters are cut between pieces at every place. */
static void long_text_is_converted_whole(void **state)
{
    (void)state;
    static const struct {
        const char *charset, *character, *utf8;
    } rows[] = {
        {"utf-8", "\xe2\x82\xac", "\xe2\x82\xac"},
        {"gb18030", "\x94\x39\xda\x33", "\xf0\x9f\x92\xa9"},
        {"koi8-r", "\xc1", "\xd0\xb0"},
        {"none", "\xc1", "\xc3\x81"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const size_t count = 20000;
        size_t in = strlen(rows[i].character), out = strlen(rows[i].utf8);
        char *message = malloc(100 + count * in);
        assert_non_null(message);
        size_t len =
            (size_t)sprintf(message, "Content-Type: text/plain; charset=%s\n\n", rows[i].charset);
        for (size_t k = 0; k < count; k++, len += in)
            memcpy(message + len, rows[i].character, in);
        struct mox_slice got = said(slice(message, len), false);
        assert_int_equal(got.len, count * out);
        for (size_t k = 0; k < count; k++)
            assert_memory_equal(got.data + k * out, rows[i].utf8, out);
        free((void *)(uintptr_t)got.data);
        free(message);
    }
}

static int refuse(void *user, struct mox_slice piece)
{
    (void)piece;
    return --*(int *)user > 0 ? MOX_OK : MOX_EIO;
}

static void a_sink_can_stop_the_work(void **state)
{
    (void)state;
    static const char *const heads[] = {"A: b", BASE64, QP};
    for (size_t i = 0; i < 3; i++) {
        struct test_env t;
        test_env_init(&t);
        char message[50000];
        memset(message, 'A', sizeof message);
        memcpy(message + sprintf(message, "%s\n", heads[i]), "\n", 1);
        struct mox_slice s = slice(message, sizeof message);
        struct mox_message *m = NULL;
        assert_int_equal(mox_message_parse(&m, &t.env, s), MOX_OK);
        int pieces = 2;
        assert_int_equal(mox__part_decode(mox_message_root(m), s, refuse, &pieces), MOX_EIO);
        assert_int_equal(pieces, 0);
        pieces = 2;
        assert_int_equal(mox__part_text(NULL, mox_message_root(m), s, refuse, &pieces), MOX_EIO);
        mox_message_free(m);
        test_env_done(&t);
    }
}

static void stored_structures_are_enough(void **state)
{
    (void)state;
    struct mox_slice s = slice_of("Content-Type: multipart/x; boundary=b\n\n--b\n"
                                  "Content-Type: text/plain; charset=koi8-r\n"
                                  "Content-Transfer-Encoding: quoted-printable\n\n=C1\n--b--\n");
    struct test_env t;
    test_env_init(&t);
    struct buf blob, out;
    struct arena a;
    struct mox_message *m = NULL;
    const struct mox_part *root = NULL;
    mox__buf_init(&blob, &t.env, 1000);
    mox__buf_init(&out, &t.env, 1000);
    mox__arena_init(&a, &t.env, 10000);
    assert_int_equal(mox_message_parse(&m, &t.env, s), MOX_OK);
    mox__structure_encode(m, &blob);
    mox_message_free(m);
    assert_int_equal(mox__structure_decode(slice(blob.data, blob.len), &a, &root), MOX_OK);
    assert_int_equal(mox__part_text(NULL, root->children, s, collect, &out), MOX_OK);
    assert_true(mox__slice_is(slice(out.data, out.len), "\xd0\xb0"));
    mox__arena_reset(&a);
    mox__buf_free(&blob);
    mox__buf_free(&out);
    test_env_done(&t);
}

static void filenames(void **state)
{
    (void)state;
    static const struct {
        const char *head, *want;
    } rows[] = {
        {"Content-Disposition: attachment; filename=a.txt", "a.txt"},
        {"Content-Disposition: attachment; filename=\"a \\\"b\\\".txt\"", "a \"b\".txt"},
        {"Content-Disposition: x; filename*=iso-8859-2''%B9.txt", "\xc5\xa1.txt"},
        {"Content-Disposition: x; filename*0*=utf-8'en'%C3%A9; filename*1=b%20; filename*2*=%20c",
         "\xc3\xa9"
         "b%20 c"},
        {"Content-Disposition: x; filename*1=b; filename*0=a", "a"}, /* only in order */
        {"Content-Disposition: x; filename=\"=?koi8-r?B?wQ==?=.txt\"", "\xd0\xb0.txt"},
        {"Content-Disposition: inline\nContent-Type: a/b; name=c.txt", "c.txt"},
        {"Content-Type: a/b", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct test_env t;
        test_env_init(&t);
        struct buf out;
        struct mox_message *m = NULL;
        mox__buf_init(&out, &t.env, 1000);
        assert_int_equal(mox_message_parse(&m, &t.env, slice_of(rows[i].head)), MOX_OK);
        mox__part_filename(&out, mox_message_root(m));
        assert_true(mox__slice_is(slice(out.data, out.len), rows[i].want));
        mox__buf_free(&out);
        mox_message_free(m);
        test_env_done(&t);
    }
}

static void header_text(void **state)
{
    (void)state;
    static const struct {
        const char *value, *unfolded, *decoded;
    } rows[] = {
        {" Saying Hello\r\n", "Saying Hello", "Saying Hello"},
        {" Fwd: \n\tSaying \n \r\n Hello\r\n", "Fwd: Saying Hello", "Fwd: Saying Hello"},
        {"=?iso-8859-1?q?this=20is=20some=20text?=", "=?iso-8859-1?q?this=20is=20some=20text?=",
         "this is some text"},
        {"=?a?Q?a?= =?a?Q?b?=\n =?a?q?c_?= d", "=?a?Q?a?= =?a?Q?b?= =?a?q?c_?= d", "abc  d"},
        {"x =?utf-8?B?w6k=?= y", "x =?utf-8?B?w6k=?= y", "x \xc3\xa9 y"},
        {"x=?utf-8?B?w6k=?=y", "x=?utf-8?B?w6k=?=y", "x\xc3\xa9y"},
        {"=?utf-8*en?q?a?=", "=?utf-8*en?q?a?=", "a"},
        {"=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "\xc3\xa9"},
        {"=?utf-8?B?w6?= =?utf-8?B?k=?=", "=?utf-8?B?w6?= =?utf-8?B?k=?=", "\xc3\x83"},
        {"=?koi8-r?q?=C1?= =?iso-8859-2?q?=B9?=", "=?koi8-r?q?=C1?= =?iso-8859-2?q?=B9?=",
         "\xd0\xb0\xc5\xa1"},
        {"=?utf-8?q?with space?=", "=?utf-8?q?with space?=", "with space"},
        {"=? =?utf-8? =?utf-8?q =?utf-8?q? =?utf-8?x?a?= =?utf-8?q?a? =??q?a?=",
         "=? =?utf-8? =?utf-8?q =?utf-8?q? =?utf-8?x?a?= =?utf-8?q?a? =??q?a?=",
         "=? =?utf-8? =?utf-8?q =?utf-8?q? =?utf-8?x?a?= =?utf-8?q?a? =??q?a?="},
        {"=?utf-8?q?\?= x", "=?utf-8?q?\?= x", " x"},
        {"Caf\xe9 \xc3\xa9", "Caf\xe9 \xc3\xa9", "Caf\xc3\xa9 \xc3\xa9"},
        {"", "", ""},
    };
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;
        mox__buf_init(&out, &t.env, 1000);
        mox__header_unfold(&out, slice_of(rows[i].value));
        assert_true(mox__slice_is(slice(out.data, out.len), rows[i].unfolded));
        mox__buf_clear(&out);
        mox__encoded_words(&out, NULL, slice_of(rows[i].value));
        if (!mox__slice_is(slice(out.data, out.len), rows[i].decoded))
            fail_msg("%s gives %.*s", rows[i].value, (int)out.len, (char *)out.data);
        assert_false(out.failed);
        mox__buf_free(&out);
    }
    test_env_done(&t);
}

static struct mox_slice corpus(const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof path, "mime/%s", name);
    return read_file(corpus_path(path));
}

/* head, two line ends, body; freed with free(). */
static struct mox_slice message_of(const char *head, struct mox_slice body)
{
    size_t len = strlen(head);
    uint8_t *all = malloc(len + 2 + body.len);
    assert_non_null(all);
    memcpy(all, head, len);
    memcpy(all + len, "\n\n", 2);
    memcpy(all + len + 2, body.data, body.len);
    return slice(all, len + 2 + body.len);
}

static void says_the_same(const char *head, const char *encoded, const char *plain, bool raw)
{
    struct mox_slice body = corpus(encoded), want = corpus(plain);
    struct mox_slice message = message_of(head, body), got = said(message, raw);
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
    struct mox_slice *const all[] = {&body, &want, &message, &got};
    for (size_t i = 0; i < 4; i++)
        free((void *)(uintptr_t)all[i]->data);
}

#define CHARSET(name) "Content-Type: text/plain; charset=" name

static void real_files_are_decoded(void **state)
{
    (void)state;
    if (corpus_path("mime/charset") == NULL)
        skip();
    says_the_same(BASE64, "encodings/photo.b64", "encodings/photo.jpg", true);
    says_the_same(CHARSET("windows-1251"), "charset/cyrillic.cp1251.txt",
                  "charset/cyrillic.utf-8.txt", false);
    says_the_same(CHARSET("iso-8859-5"), "charset/cyrillic.iso-8859-5.txt",
                  "charset/cyrillic.utf-8.txt", false);
    says_the_same(CHARSET("koi8-r"), "charset/cyrillic.koi8-r.txt", "charset/cyrillic.utf-8.txt",
                  false);
    says_the_same(CHARSET("iso-2022-jp"), "charset/japanese.iso-2022-jp.txt",
                  "charset/japanese.utf-8.txt", false);
    says_the_same(CHARSET("shift-jis"), "charset/japanese.shift-jis.txt",
                  "charset/japanese.utf-8.txt", false);
}

static void failing_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    bool failed = true;
    for (long n = 1; failed; n++) {
        struct test_env t;
        test_env_init(&t);
        t.fail_at = n;
        struct buf out;
        mox__buf_init(&out, &t.env, 1000);
        mox__encoded_words(&out, NULL, slice_of("a =?koi8-r?q?=C1?=\n =?utf-8?B?w6k=?= b"));
        failed = out.failed;
        mox__buf_free(&out);
        test_env_done(&t);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transfer_encodings_are_undone),
        cmocka_unit_test(decoded_text_has_crlf),
        cmocka_unit_test(text_becomes_utf_8),
        cmocka_unit_test(long_text_is_converted_whole),
        cmocka_unit_test(a_sink_can_stop_the_work),
        cmocka_unit_test(stored_structures_are_enough),
        cmocka_unit_test(filenames),
        cmocka_unit_test(header_text),
        cmocka_unit_test(real_files_are_decoded),
        cmocka_unit_test(failing_allocations_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
