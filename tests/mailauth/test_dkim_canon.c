/* SPDX-License-Identifier: MIT */

/* Canonical forms: those of a published suite, and the examples of RFC 6376 §3.4.5; and in
 * which order fields are taken. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/dkim.h>

#include "base/text.h"
#include "mailauth/signed_message.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"

static void assert_form(struct test_env *t, enum canon canon, struct mox_slice message,
                        struct mox_slice header, struct mox_slice body)
{
    struct mox_signed_message *m;
    struct buf out;
    uint8_t digest[HASH_MAX];
    size_t index;
    mox__buf_init(&out, &t->env, SIZE_MAX / 2);
    assert_int_equal(mox_signed_message_new(&m, &t->env, message), MOX_OK);
    for (size_t i = 0; i < m->field_count; i++)
        mox__canon_field(&out, canon, &m->fields[i]);
    assert_int_equal(out.len, header.len);
    if (header.len > 0)
        assert_memory_equal(out.data, header.data, header.len);
    assert_int_equal(mox__body_hash_want(m, HASH_SHA256, canon, UINT64_MAX, &index), MOX_OK);
    mox__body_hash_run(m);
    mox__hash(HASH_SHA256, body, digest);
    assert_memory_equal(m->hashes[index].digest, digest, mox__hash_len(HASH_SHA256));
    mox__buf_free(&out);
    mox_signed_message_free(m);
}

/* Where we judge otherwise than the suite: what the body is then, and why. */
static const struct {
    int number;
    enum canon canon;
    const char *body, *reason;
} differences[] = {
    {24, CANON_RELAXED, "",
     "the last line is white space without a line end: it is white space at the end of a line all "
     "the "
     "same (RFC 6376 §3.4.4 a), and SMTP gives the line its end, with which nothing is left of it"},
};

static struct mox_slice body_of(int number, enum canon canon, struct mox_slice expected)
{
    for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++)
        if (differences[i].number == number && differences[i].canon == canon) {
            print_message("%d differs: %s\n", number, differences[i].reason);
            return slice_of(differences[i].body);
        }
    return expected;
}

/* Header and body of what the suite expects, as one text. */
static void assert_suite(struct test_env *t, enum canon canon, const char *form, int number,
                         struct mox_slice message)
{
    char path[100];
    (void)snprintf(path, sizeof path, "dkim/canonicalization/%s.expected.%02d", form, number);
    struct mox_slice expected = read_file(corpus_path(path));
    const char *text = (const char *)expected.data, *end = strstr(text, "\r\n\r\n");
    size_t header = end == NULL ? expected.len : (size_t)(end - text) + 2;
    struct mox_slice body = slice_from(expected, end == NULL ? expected.len : header + 2);
    if (strncmp(text, "\r\n", 2) == 0) { /* no field at all */
        header = 0;
        body = slice_from(expected, 2);
    }
    assert_form(t, canon, message, slice(expected.data, header), body_of(number, canon, body));
    free((void *)(uintptr_t)expected.data);
}

static void the_suite_of_canonical_forms_is_met(void **state)
{
    (void)state;
    struct test_env t;
    if (corpus_path("dkim/canonicalization") == NULL) {
        print_message("no corpora\n");
        skip();
    }
    test_env_init(&t);
    static const int numbers[] = {3, 6, 8, 11, 12, 13, 14, 19, 20, 21, 24};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const int number = numbers[i];
        char path[100];
        (void)snprintf(path, sizeof path, "dkim/canonicalization/email.%02d", number);
        struct mox_slice raw = read_file(corpus_path(path)), message = with_crlf(raw);
        assert_suite(&t, CANON_SIMPLE, "simple", number, message);
        assert_suite(&t, CANON_RELAXED, "relaxed", number, message);
        free((void *)(uintptr_t)raw.data);
        free((void *)(uintptr_t)message.data);
    }
    print_message("%zu messages in both forms\n", sizeof numbers / sizeof numbers[0]);
    test_env_done(&t);
}

static void the_examples_of_rfc_6376_are_met(void **state)
{
    (void)state;
    static const char message[] = "A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
    struct test_env t;
    test_env_init(&t);
    assert_form(&t, CANON_RELAXED, slice_of(message), slice_of("a:X\r\nb:Y Z\r\n"),
                slice_of(" C\r\nD E\r\n"));
    assert_form(&t, CANON_SIMPLE, slice_of(message), slice_of("A: X\r\nB : Y\t\r\n\tZ  \r\n"),
                slice_of(" C \r\nD \t E\r\n"));
    test_env_done(&t);
}

static void bodies_without_a_line_end_get_one(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    assert_form(&t, CANON_SIMPLE, slice_of("A: X\r\n\r\nb"), slice_of("A: X\r\n"),
                slice_of("b\r\n"));
    assert_form(&t, CANON_RELAXED, slice_of("A: X\r\n\r\nb "), slice_of("a:X\r\n"),
                slice_of("b\r\n"));
    assert_form(&t, CANON_SIMPLE, slice_of("A: X\r\n"), slice_of("A: X\r\n"), slice_of("\r\n"));
    assert_form(&t, CANON_RELAXED, slice_of("A: X\r\n"), slice_of("a:X\r\n"), slice_of(""));
    assert_form(&t, CANON_RELAXED, slice_of("A: X\r\n\r\n \t\r\n "), slice_of("a:X\r\n"),
                slice_of(""));
    test_env_done(&t);
}

/* More than is gathered before it is hashed, in pieces of each length. */
static void long_bodies_are_as_short_ones(void **state)
{
    (void)state;
    enum { WORDS = 400 };
    struct test_env t;
    struct buf message, body;
    test_env_init(&t);
    mox__buf_init(&message, &t.env, SIZE_MAX / 2);
    mox__buf_init(&body, &t.env, SIZE_MAX / 2);
    mox__buf_text(&message, "A: X\r\n\r\n");
    for (unsigned i = 1; i < WORDS; i++) {
        for (unsigned n = 0; n < (i == WORDS / 2 ? 5000 : 1 + i % 300); n++) {
            mox__buf_byte(&message, (uint8_t)('a' + n % 26));
            mox__buf_byte(&body, (uint8_t)('a' + n % 26));
        }
        mox__buf_text(&message, i % 7 == 0 ? " \t\r\n" : " \t ");
        mox__buf_text(&body, i % 7 == 0 ? "\r\n" : " ");
    }
    mox__buf_text(&message, ".\r\n");
    mox__buf_text(&body, ".\r\n");
    assert_false(message.failed || body.failed);
    assert_form(&t, CANON_RELAXED, slice(message.data, message.len), slice_of("a:X\r\n"),
                slice(body.data, body.len));
    mox__buf_free(&message);
    mox__buf_free(&body);
    test_env_done(&t);
}

/* Fields of one name are taken from the bottom, whatever its case, each once (RFC 6376 §5.4.2). */
static void fields_are_taken_from_the_bottom(void **state)
{
    (void)state;
    static const char message[] = "A: 1\r\nb: 2\r\na: 3\r\nAB: 4\r\n\r\n";
    struct test_env t;
    struct mox_signed_message *m;
    test_env_init(&t);
    assert_int_equal(mox_signed_message_new(&m, &t.env, slice_of(message)), MOX_OK);
    for (unsigned again = 0; again < 2; again++) {
        mox__signed_rewind(m);
        assert_ptr_equal(mox__signed_take(m, slice_of("a")), &m->fields[2]);
        assert_ptr_equal(mox__signed_take(m, slice_of("A")), &m->fields[0]);
        assert_null(mox__signed_take(m, slice_of("a")));
        assert_ptr_equal(mox__signed_take(m, slice_of("B")), &m->fields[1]);
        assert_null(mox__signed_take(m, slice_of("c")));
    }
    mox_signed_message_free(m);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_suite_of_canonical_forms_is_met),
        cmocka_unit_test(the_examples_of_rfc_6376_are_met),
        cmocka_unit_test(bodies_without_a_line_end_get_one),
        cmocka_unit_test(long_bodies_are_as_short_ones),
        cmocka_unit_test(fields_are_taken_from_the_bottom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
