/* SPDX-License-Identifier: MIT */
#include "support/cm.h"

#include "base/buf.h"
#include "imap/cmd_fetch.h"
#include "support/testenv.h"

/* Which bytes a section is. */

#define PREFIX "Return-Path: <>\r\n"

static const char simple[] = "From: a@example.org\r\n"
                             "To: b@example.org,\r\n"
                             " c@example.org\r\n"
                             "Content-Type: text/plain\r\n"
                             "MIME-Version: 1.0\r\n"
                             "\r\n"
                             "Hello.\r\n";

static const char nested[] = "Subject: outer\r\n"
                             "Content-Type: multipart/mixed; boundary=x\r\n"
                             "\r\n"
                             "preamble\r\n"
                             "--x\r\n"
                             "Content-Type: text/plain\r\n"
                             "X-Other: 1\r\n"
                             "\r\n"
                             "one\r\n"
                             "--x\r\n"
                             "Content-Type: message/rfc822\r\n"
                             "\r\n"
                             "Subject: inner\r\n"
                             "Content-Type: multipart/alternative; boundary=y\r\n"
                             "\r\n"
                             "--y\r\n"
                             "\r\n"
                             "two-one\r\n"
                             "--y\r\n"
                             "Content-Type: text/html\r\n"
                             "\r\n"
                             "<p>two-two\r\n"
                             "--y--\r\n"
                             "--x\r\n"
                             "Content-Type: message/rfc822\r\n"
                             "\r\n"
                             "Subject: plain inner\r\n"
                             "\r\n"
                             "three\r\n"
                             "--x--\r\n"
                             "epilogue\r\n";

static const struct {
    const char *content;
    const char *item;
    const char *bytes; /* NULL: there is no such section */
} cases[] = {
    {simple, "BODY[]", NULL}, /* filled in below: prefix and all */
    {simple, "BODY[TEXT]", "Hello.\r\n"},
    {simple, "BODY[1]", "Hello.\r\n"},
    {simple, "BODY[1.1]", NULL},
    {simple, "BODY[2]", NULL},
    {simple, "BODY[1.HEADER]", NULL},
    {simple, "BODY[1.TEXT]", NULL},
    {simple, "BODY[1.MIME]", "Content-Type: text/plain\r\nMIME-Version: 1.0\r\n\r\n"},
    {simple, "BODY[HEADER.FIELDS (TO)]", "To: b@example.org,\r\n c@example.org\r\n\r\n"},
    {simple, "BODY[HEADER.FIELDS (Return-Path from)]",
     "Return-Path: <>\r\nFrom: a@example.org\r\n\r\n"},
    {simple, "BODY[HEADER.FIELDS (Cc)]", "\r\n"},
    {simple, "BODY[HEADER.FIELDS.NOT (To Content-Type)]",
     PREFIX "From: a@example.org\r\nMIME-Version: 1.0\r\n\r\n"},
    {nested, "BODY[HEADER.FIELDS (Subject)]", "Subject: outer\r\n\r\n"},
    {nested, "BODY[1]", "one"},
    {nested, "BODY[1.MIME]", "Content-Type: text/plain\r\n\r\n"},
    {nested, "BODY[1.1]", NULL},
    {nested, "BODY[2.HEADER]",
     "Subject: inner\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n"},
    {nested, "BODY[2.HEADER.FIELDS (Subject)]", "Subject: inner\r\n\r\n"},
    {nested, "BODY[2.HEADER.FIELDS.NOT (Subject)]",
     "Content-Type: multipart/alternative; boundary=y\r\n\r\n"},
    {nested, "BODY[2.MIME]", "Content-Type: message/rfc822\r\n\r\n"},
    {nested, "BODY[2.1]", "two-one"},
    {nested, "BODY[2.1.MIME]", "\r\n"},
    {nested, "BODY[2.2]", "<p>two-two"},
    {nested, "BODY[2.3]", NULL},
    {nested, "BODY[3]", "Subject: plain inner\r\n\r\nthree"},
    {nested, "BODY[3.TEXT]", "three"},
    {nested, "BODY[3.1]", "three"},
    {nested, "BODY[3.1.MIME]", "\r\n"},
    {nested, "BODY[3.2]", NULL},
    {nested, "BODY[4]", NULL},
};

static struct mox_slice prefix_slice(void)
{
    return slice_of(PREFIX);
}

/* The section's bytes, as they come piece by piece. */
static bool read_section(struct test_env *t, const char *content, const char *item, struct buf *out)
{
    struct arena a;
    struct lexer l;
    struct fetch_program p;
    struct mox_message *m = NULL;
    struct section_source src;
    mox__arena_init(&a, &t->env, 1 << 20);
    mox__lex_init(&l, slice_of(item), &a);
    assert_int_equal(mox__fetch_parse(&p, &l), MOX_OK);
    assert_int_equal(mox_message_parse(&m, &t->env, slice_of(content)), MOX_OK);
    bool found = mox__section_find(&src, &p.items[0].section, mox_message_root(m), prefix_slice(),
                                   slice_of(content));
    if (found) {
        struct section_reader r = {0};
        struct mox_slice piece;
        while (mox__section_next(&src, &r, &piece))
            mox__buf_slice(out, piece);
        assert_int_equal(mox__section_size(&src), out->len);
    }
    mox_message_free(m);
    mox__arena_reset(&a);
    return found;
}

static void sections_are_found_by_number_and_name(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 1; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        mox__buf_init(&out, &t.env, 10000);
        const bool found = read_section(&t, cases[i].content, cases[i].item, &out);
        mox__buf_byte(&out, '\0');
        if (found != (cases[i].bytes != NULL))
            fail_msg("%s is %s", cases[i].item, found ? "found" : "not found");
        if (found && strcmp((const char *)out.data, cases[i].bytes) != 0)
            fail_msg("%s is \"%s\"", cases[i].item, (const char *)out.data);
        mox__buf_free(&out);
    }
    test_env_done(&t);
}

static void header_and_text_make_the_whole_with_the_prefix_in_front(void **state)
{
    (void)state;
    static const char *const contents[] = {
        simple, nested, "", "\r\n", "\r\nbody", "no: body", "no colon\r\n\r\nbody"};
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        struct buf whole, parts, expected;
        mox__buf_init(&whole, &t.env, 10000);
        mox__buf_init(&parts, &t.env, 10000);
        mox__buf_init(&expected, &t.env, 10000);
        mox__buf_text(&expected, PREFIX);
        mox__buf_text(&expected, contents[i]);
        assert_true(read_section(&t, contents[i], "BODY[]", &whole));
        assert_int_equal(whole.len, expected.len);
        assert_memory_equal(whole.data, expected.data, whole.len);
        assert_true(read_section(&t, contents[i], "BODY[HEADER]", &parts));
        const size_t header = parts.len;
        struct buf text;
        mox__buf_init(&text, &t.env, 10000);
        assert_true(read_section(&t, contents[i], "BODY[TEXT]", &text));
        mox__buf_append(&parts, text.data, text.len);
        assert_true(header >= strlen(PREFIX));
        assert_int_equal(parts.len, expected.len);
        assert_memory_equal(parts.data, expected.data, parts.len);
        mox__buf_free(&text);
        mox__buf_free(&whole);
        mox__buf_free(&parts);
        mox__buf_free(&expected);
    }
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_found_by_number_and_name),
        cmocka_unit_test(header_and_text_make_the_whole_with_the_prefix_in_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
