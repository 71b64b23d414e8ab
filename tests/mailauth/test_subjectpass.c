/* SPDX-License-Identifier: MIT */
#include <mox/subjectpass.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

#define SECOND INT64_C(1000000)
#define PERIOD (3600 * SECOND)
#define NOW    (INT64_C(1790000000) * SECOND)

static struct test_env t;
static const char key[] = "0123456789abcdef";

static int set_up(void **state)
{
    (void)state;
    test_env_init(&t);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_env_done(&t);
    return 0;
}

static int verify(const char *headers, const char *with, int64_t now_us)
{
    struct mox_error err = {0};
    int rc =
        mox_subjectpass_verify(&t.env, slice_of(headers), slice_of(with), PERIOD, now_us, &err);
    assert_true((rc == MOX_OK) == (err.text[0] == '\0'));
    /* Nobody needs a key to find that there is no token. */
    const bool there = mox_subjectpass_is_there(&t.env, slice_of(headers));
    assert_true(there ? strstr(headers, "Subject:") != NULL : rc == MOX_ENOTFOUND);
    return rc;
}

static const char *token_for(const char *from)
{
    static char token[MOX_SUBJECTPASS_LEN + 1];
    char headers[256];
    (void)snprintf(headers, sizeof headers, "From: %s\r\n\r\n", from);
    assert_int_equal(mox_subjectpass_generate(&t.env, slice_of(headers), slice_of(key), NOW, token),
                     MOX_OK);
    return token;
}

static int verify_subject(const char *from, const char *before, const char *token,
                          const char *behind)
{
    char headers[512];
    (void)snprintf(headers, sizeof headers, "From: %s\r\nSubject: %s%s%s\r\n\r\n", from, before,
                   token, behind);
    return verify(headers, key, NOW);
}

/* Made with another implementation of HMAC: of Unix second 1790000000. */
static void tokens_have_their_form(void **state)
{
    (void)state;
    const char *token = token_for("Somebody <User@Example.ORG>");
    assert_int_equal(strlen(token), MOX_SUBJECTPASS_LEN);
    assert_string_equal(token, "(pass:AGqxOwku3Gs_xYKDfh2jWw)");
}

static void a_token_is_good_for_a_while(void **state)
{
    (void)state;
    char headers[256];
    (void)snprintf(headers, sizeof headers, "Subject: hello %s\r\nFrom: a@example.org\r\n\r\n",
                   token_for("a@example.org"));
    int64_t made = NOW / SECOND / 256 * 256 * SECOND;
    assert_int_equal(verify(headers, key, NOW), MOX_OK);
    assert_int_equal(verify(headers, key, made + PERIOD), MOX_OK);
    assert_int_equal(verify(headers, key, made + PERIOD + 1), MOX_EDENIED);
    assert_int_equal(verify(headers, key, NOW + PERIOD + 257 * SECOND), MOX_EDENIED);
    assert_int_equal(verify(headers, "another key", NOW), MOX_EDENIED);
}

static void a_token_is_good_for_one_sender(void **state)
{
    (void)state;
    const char *token = token_for("a@xn--bcher-kva.example");
    assert_int_equal(verify_subject("<a@xn--bcher-kva.example>", "", token, ""), MOX_OK);
    assert_int_equal(verify_subject("a@XN--BCHER-KVA.example", "", token, ""), MOX_OK);
#ifdef MOX_HAVE_IDN
    assert_int_equal(verify_subject("a@b\u00fccher.example", "", token, ""), MOX_OK);
#endif
    assert_int_equal(verify_subject("b@xn--bcher-kva.example", "", token, ""), MOX_EDENIED);
    assert_int_equal(verify_subject("a@example.org", "", token, ""), MOX_EDENIED);
    assert_int_equal(verify_subject("a@[192.0.2.1]", "", token, ""), MOX_ENOTFOUND);
    assert_int_equal(verify_subject("a@x.example, b@x.example", "", token, ""), MOX_ENOTFOUND);
    token = token_for("Doe, Jane <jane@example.org.>"); /* as mailers write it that quote nothing */
    assert_int_equal(verify_subject("jane@example.org", "", token, ""), MOX_OK);
    token = token_for("\"a b\\\"\"@example.org");
    assert_int_equal(verify_subject("\"a b\\\"\"@example.org", "", token, ""), MOX_OK);
}

static void a_token_is_found_wherever_it_is(void **state)
{
    (void)state;
    static const char from[] = "a@example.org";
    char word[128], half[128];
    const char *token = token_for(from);
    assert_int_equal(verify_subject(from, "Re: ", token, " and more"), MOX_OK);
    assert_int_equal(verify_subject(from, "long\r\n ", token, ""), MOX_OK);
    assert_int_equal(verify_subject(from, "(pass:x) ", token, ""), MOX_EDENIED); /* the first */
    assert_int_equal(verify_subject(from, "(pass: ", "", ""), MOX_ENOTFOUND);
    assert_int_equal(verify_subject(from, "", "", ""), MOX_ENOTFOUND);
    assert_int_equal(verify("From: a@example.org\r\n\r\n", key, NOW), MOX_ENOTFOUND);

    /* As a mailer encodes a subject with an umlaut, cut in the middle of the token. */
    (void)snprintf(word, sizeof word, "=?utf-8?q?gr=C3=BC=C3=9Fe_%.9s?=", token);
    (void)snprintf(half, sizeof half, "\r\n =?utf-8?q?%s?=", token + 9);
    assert_int_equal(verify_subject(from, word, half, ""), MOX_OK);
}

static void a_token_that_was_changed_is_denied(void **state)
{
    (void)state;
    char token[MOX_SUBJECTPASS_LEN + 1];
    (void)snprintf(token, sizeof token, "%s", token_for("a@example.org"));
    for (size_t i = 6; i < MOX_SUBJECTPASS_LEN - 1; i++) {
        char was = token[i];
        token[i] = was == 'B' ? 'C' : 'B';
        assert_int_equal(verify_subject("a@example.org", "", token, ""), MOX_EDENIED);
        token[i] = was;
    }
    assert_int_equal(verify_subject("a@example.org", "", token, ""), MOX_OK);
}

static void no_memory_is_no_verdict(void **state)
{
    (void)state;
    char headers[256];
    (void)snprintf(headers, sizeof headers, "Subject: %s\r\nFrom: a@example.org\r\n\r\n",
                   token_for("a@example.org"));
    int rc = MOX_ENOMEM;
    for (long n = 1; rc != MOX_OK; n++) {
        t.fail_at = t.allocations + n;
        rc = verify(headers, key, NOW);
        assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
        assert_true(n < 100);
    }
    t.fail_at = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_have_their_form),
        cmocka_unit_test(a_token_is_good_for_a_while),
        cmocka_unit_test(a_token_is_good_for_one_sender),
        cmocka_unit_test(a_token_is_found_wherever_it_is),
        cmocka_unit_test(a_token_that_was_changed_is_denied),
        cmocka_unit_test(no_memory_is_no_verdict),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
