/* SPDX-License-Identifier: MIT */
#include "message/wire.h"

#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

typedef void writer(const struct mox_message *m, struct buf *out);

static void writes(writer *put, const char *content, const char *want)
{
    struct test_env t;
    test_env_init(&t);
    struct mox_message *m = NULL;
    struct buf out;
    mox__buf_init(&out, &t.env, 10000);
    assert_int_equal(mox_message_parse(&m, &t.env, slice_of(content)), MOX_OK);
    put(m, &out);
    mox__buf_byte(&out, 0);
    assert_false(out.failed);
    assert_string_equal((const char *)out.data, want);
    mox__buf_free(&out);
    mox_message_free(m);
    test_env_done(&t);
}

static void strings_are_quoted_or_literals(void **state)
{
    (void)state;
    static const struct {
        struct mox_slice text;
        const char *want;
    } rows[] = {
        {{(const uint8_t *)"", 0}, "\"\""},
        {{(const uint8_t *)"a\tb", 3}, "\"a\tb\""},
        {{(const uint8_t *)"a\"\\", 3}, "\"a\\\"\\\\\""},
        {{(const uint8_t *)"\xe9", 1}, "{1}\r\n\xe9"},
        {{(const uint8_t *)"a\rb", 3}, "{3}\r\na\rb"},
        {{(const uint8_t *)"\0a\0", 3},
         "{7}\r\n\xef\xbf\xbd"
         "a\xef\xbf\xbd"},
    };
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;
        mox__buf_init(&out, &t.env, 100);
        mox__wire_string(&out, rows[i].text);
        assert_true(mox__slice_is(slice(out.data, out.len), rows[i].want));
        mox__buf_free(&out);
    }
    test_env_done(&t);
}

/* RFC 9051 §7.5.2: absent is NIL, empty is an empty string; Sender and Reply-To default to From. */
static void envelopes(void **state)
{
    (void)state;
    writes(mox__message_envelope, "\n", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    writes(mox__message_envelope, "Subject:\nDate: \nTo: ,\n\n",
           "(\"\" \"\" NIL NIL NIL NIL NIL NIL NIL NIL)");
    writes(mox__message_envelope,
           "Date: Tue,\n\t1 Jul 2003\nSubject: =?x?q?a?=\n  b\nFrom: \"A \\\"B\\\"\" "
           "<a@b>\nSender: s@t\n"
           "To: g: c@d, \"e f\"@g (H);, root, Only Name, <@r:x@y>\nMessage-ID: <1@x>\n"
           "In-Reply-To: <2@x> <3@x>\nTo: z@z\nSubject: other\n\nCc: not@here",
           "(\"Tue, 1 Jul 2003\" \"=?x?q?a?= b\" ((\"A \\\"B\\\"\" NIL \"a\" \"b\")) "
           "((NIL NIL \"s\" \"t\")) ((\"A \\\"B\\\"\" NIL \"a\" \"b\")) "
           "((NIL NIL \"g\" NIL)(NIL NIL \"c\" \"d\")(\"H\" NIL \"e f\" \"g\")(NIL NIL NIL NIL)"
           "(NIL NIL \"root\" \"\")(\"Only Name\" NIL \"\" \"\")(NIL \"@r\" \"x\" \"y\")"
           "(NIL NIL \"z\" \"z\")) NIL NIL \"<2@x> <3@x>\" \"<1@x>\")");
    writes(mox__message_envelope, "From: a@b\nReply-To: c:;\nSender:\n",
           "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) "
           "((NIL NIL \"c\" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL NIL)");
}

#define DEFAULT     "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" "
#define NO_ENVELOPE "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"

static void single_bodies(void **state)
{
    (void)state;
    writes(mox__message_body, "\nab\nc", DEFAULT "4 2)");
    writes(mox__message_bodystructure, "\nab\nc", DEFAULT "4 2 NIL NIL NIL NIL)");
    writes(mox__message_body, "Content-Type: text/HTML; z=1; b=\"x y\"; B=2\n\n",
           "(\"TEXT\" \"HTML\" (\"B\" \"x y\" \"B\" \"2\" \"CHARSET\" \"US-ASCII\" \"Z\" \"1\") "
           "NIL NIL \"7BIT\" 0 0)");
    writes(
        mox__message_body, "Content-Type: text/plain; z=1; charset=utf-8; a=\n\n",
        "(\"TEXT\" \"PLAIN\" (\"A\" \"\" \"CHARSET\" \"utf-8\" \"Z\" \"1\") NIL NIL \"7BIT\" 0 0)");
    writes(mox__message_bodystructure,
           "Content-Type: image/png; name*0*=utf-8''a; name*1=b\nContent-Id: <1@x>\n"
           "Content-Description: a\n\tb\nContent-Transfer-Encoding: Base64\nContent-MD5: abc=\n"
           "Content-Disposition: Attachment; filename=\"a\\\"b\"\nContent-Language: en, de-AT (x)\n"
           "Content-Location: http://x/\n\nAAAA\n",
           "(\"IMAGE\" \"PNG\" (\"NAME*0*\" \"utf-8''a\" \"NAME*1\" \"b\") \"<1@x>\" \"a b\" "
           "\"BASE64\" 5 "
           "\"abc=\" (\"Attachment\" (\"FILENAME\" \"a\\\"b\")) (\"en\" \"de-AT\") \"http://x/\")");
    writes(mox__message_bodystructure,
           "Content-Type: a/b\nContent-Disposition: inline\n"
           "Content-Transfer-Encoding: x-odd\nContent-ID:\nContent-Language:\n\n",
           "(\"A\" \"B\" NIL \"\" NIL \"x-odd\" 0 NIL (\"inline\" NIL) NIL NIL)");
    writes(mox__message_body, "Content-Type: multipart/x; boundary=b\n\nno part\n",
           "(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"7BIT\" 8)");
}

static void nested_bodies(void **state)
{
    (void)state;
    static const char nested[] =
        "Content-Type: multipart/mixed; boundary=b\nContent-Language: en\n\n--b\n\n1\n--b\n"
        "Content-Type: message/rfc822\nContent-Description: d\n\nSubject: s\n\n2\n3\n--b--\n";
    writes(mox__message_body, nested,
           "(" DEFAULT "1 1)(\"MESSAGE\" \"RFC822\" NIL NIL \"d\" \"7BIT\" 15 "
           "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) " DEFAULT "3 2) 4) \"MIXED\")");
    writes(mox__message_bodystructure, nested,
           "(" DEFAULT "1 1 NIL NIL NIL NIL)(\"MESSAGE\" \"RFC822\" NIL NIL \"d\" \"7BIT\" 15 "
           "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) " DEFAULT "3 2 NIL NIL NIL NIL) 4 "
           "NIL NIL NIL NIL) \"MIXED\" (\"BOUNDARY\" \"b\") NIL (\"en\") NIL)");
    writes(mox__message_body,
           "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nAA\n",
           "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"BASE64\" 3 " NO_ENVELOPE " " DEFAULT "0 0) 1)");
}

static void failing_allocations_are_said(void **state)
{
    (void)state;
    static writer *const writers[] = {mox__message_envelope, mox__message_body,
                                      mox__message_bodystructure};
    static const char content[] = "From: A <a@b>\nSubject: a\n b\nContent-Type: message/rfc822; "
                                  "x=\"\\y\"\n\nFrom: c (d)\n\nx";
    for (size_t i = 0; i < 3; i++) {
        bool failed = true;
        for (long n = 1; failed; n++) {
            struct test_env t;
            test_env_init(&t);
            struct mox_message *m = NULL;
            struct buf out;
            mox__buf_init(&out, &t.env, 10000);
            assert_int_equal(mox_message_parse(&m, &t.env, slice_of(content)), MOX_OK);
            t.allocations = 0;
            t.fail_at = n;
            writers[i](m, &out);
            failed = out.failed;
            assert_true(failed || t.allocations < n);
            mox__buf_free(&out);
            mox_message_free(m);
            test_env_done(&t);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_quoted_or_literals),
        cmocka_unit_test(envelopes),
        cmocka_unit_test(single_bodies),
        cmocka_unit_test(nested_bodies),
        cmocka_unit_test(failing_allocations_are_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
