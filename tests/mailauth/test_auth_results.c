/* SPDX-License-Identifier: MIT */
#include <mox/auth_results.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/header.h>

#include "base/text.h"
#include "mailauth/auth_results.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"

static struct mox_auth_method spf(void)
{
    return (struct mox_auth_method){
        .method = "spf",
        .result = "pass",
        .version = 1,
        .properties = {{"smtp", "mailfrom", "client.example", false}},
        .property_count = 1,
    };
}

static void assert_written(const struct mox_auth_results *results, const char *want)
{
    struct test_env t;
    char *got;
    test_env_init(&t);
    assert_int_equal(mox_auth_results_write(&got, &t.env, results), MOX_OK);
    assert_string_equal(got, want);
    mox_text_free(&t.env, got);
    test_env_done(&t);
}

static void assert_method_written(const struct mox_auth_method *m, const char *want)
{
    char field[2000];
    (void)snprintf(field, sizeof field, "Authentication-Results: mx.example;\r\n\t%s\r\n", want);
    assert_written(&(struct mox_auth_results){"mx.example", 1, m, 1}, field);
}

static void each_method_begins_a_line(void **state)
{
    (void)state;
    struct mox_auth_method methods[] = {
        {.method = "iprev",
         .result = "pass",
         .version = 1,
         .comment = "without dnssec",
         .properties = {{"policy", "iprev", "2001:db8::1", false}},
         .property_count = 1},
        {.method = "dkim",
         .result = "permerror",
         .version = 1,
         .comment = "2048 bit rsa, without dnssec",
         .reason = "the key of the signature is revoked",
         .properties = {{"header", "d", "client.example", false},
                        {"header", "s", "2026-01", false},
                        {"header", "b", "abc/def+ghij", false},
                        {"header", "i", "@client.example", true}},
         .property_count = 4},
        spf(),
        {.method = "dmarc", .result = "none", .version = 2},
    };
    assert_written(&(struct mox_auth_results){"mx.example", 1, methods, 4},
                   "Authentication-Results: mx.example;\r\n"
                   "\tiprev=pass (without dnssec) policy.iprev=\"2001:db8::1\";\r\n"
                   "\tdkim=permerror (2048 bit rsa, without dnssec) reason=\"the key of the\r\n"
                   "\tsignature is revoked\" header.d=client.example header.s=2026-01\r\n"
                   "\theader.b=\"abc/def+ghij\" header.i=@client.example;\r\n"
                   "\tspf=pass smtp.mailfrom=client.example;\r\n"
                   "\tdmarc/2=none\r\n");
}

static void nothing_checked_is_none(void **state)
{
    (void)state;
    assert_written(&(struct mox_auth_results){"mx.example", 1, NULL, 0},
                   "Authentication-Results: mx.example; none\r\n");
    assert_written(&(struct mox_auth_results){"mx.example", 2, NULL, 0},
                   "Authentication-Results: mx.example 2; none\r\n");
    /* RFC 8601 §2.2: the server's name is a value, and those are ASCII without quotes. */
    assert_written(&(struct mox_auth_results){"mx.\xc3\xbc.example", 1, NULL, 0},
                   "Authentication-Results: \"mx.\xc3\xbc.example\"; none\r\n");
}

static void values_are_quoted_when_they_must_be(void **state)
{
    (void)state;
    static const struct {
        const char *value, *want;
        bool is_address;
    } rows[] = {
        {"x.example", "x.example", false},
        {"", "\"\"", false},
        {"a b", "\"a b\"", false},
        {"a\tb", "\"a b\"", false},
        {"a;b", "\"a;b\"", false},
        {"a=", "\"a=\"", false},
        {"a(b)", "\"a(b)\"", false},
        {"a\"b\\c", "\"a\\\"b\\\\c\"", false},
        {"a\r\nBcc: b", "\"a  Bcc: b\"", false},
        {"a\x01\x7f", "\"a??\"", false},
        {"a\xff", "\"a?\"", false},
        {"\xc3\xbc.example", "\"\xc3\xbc.example\"", false},
        {"a@x.example", "\"a@x.example\"", false},
        {"a@x.example", "a@x.example", true},
        {"@x.example", "@x.example", true},
        {"a.b+c@x.example", "a.b+c@x.example", true},
        {"\xc3\xbc@\xc3\xbc.example", "\xc3\xbc@\xc3\xbc.example", true},
        {"a\xff@x.example", "\"a?@x.example\"", true},
        {"a..b@x.example", "\"a..b@x.example\"", true},
        {"a@", "\"a@\"", true},
        {"a@b@c", "\"a@b@c\"", true},
        {"a/b@x.example", "\"a/b@x.example\"", true},
        {"a@[192.0.2.1]", "\"a@[192.0.2.1]\"", true},
        {"\"a b\"@x.example", "\"\\\"a b\\\"@x.example\"", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mox_auth_method m = spf();
        char want[200];
        m.properties[0].value = rows[i].value;
        m.properties[0].is_address = rows[i].is_address;
        (void)snprintf(want, sizeof want, "spf=pass smtp.mailfrom=%s", rows[i].want);
        assert_method_written(&m, want);
    }
}

static void comments_cannot_be_left(void **state)
{
    (void)state;
    static const struct {
        const char *comment, *want;
    } rows[] = {
        {"plain", "spf=pass (plain) smtp.mailfrom=client.example"},
        {"a (b) \\", "spf=pass (a \\(b\\) \\\\) smtp.mailfrom=client.example"},
        {") x=y", "spf=pass (\\) x=y) smtp.mailfrom=client.example"},
        {"a\r\nBcc: b", "spf=pass (a  Bcc: b) smtp.mailfrom=client.example"},
        {"", "spf=pass smtp.mailfrom=client.example"},
        {" ", "spf=pass smtp.mailfrom=client.example"},
    };
    struct mox_auth_method m = spf();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        m.comment = rows[i].comment;
        assert_method_written(&m, rows[i].want);
    }
    m.property_count = 0; /* nothing follows it */
    m.comment = "x";
    assert_method_written(&m, "spf=pass");
}

static void no_line_is_longer_than_a_line_may_be(void **state)
{
    (void)state;
    char value[2001];
    struct mox_auth_method m = spf();
    struct test_env t;
    char *got;
    memset(value, '"', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    m.method = m.properties[0].type = m.properties[0].property = m.properties[0].value = value;
    m.reason = m.comment = value;
    test_env_init(&t);
    assert_int_equal(
        mox_auth_results_write(&got, &t.env, &(struct mox_auth_results){value, 1, &m, 1}), MOX_OK);
    for (char *line = got; *line != '\0';) {
        char *end = strstr(line, "\r\n");
        assert_non_null(end);
        assert_true(end - line <= 998);
        line = end + 2;
    }
    mox_text_free(&t.env, got);
    test_env_done(&t);
}

/* What a parsed field says, on one line: "id/1 spf/1=pass (comment) [reason] smtp.mailfrom=<value>",
 * with {} around addresses. */
static void show(struct buf *out, const struct mox_auth_results *r)
{
    mox__buf_printf(out, "%s/%u", r->authserv_id, r->version);
    for (size_t i = 0; i < r->method_count; i++) {
        const struct mox_auth_method *m = &r->methods[i];
        mox__buf_printf(out, "; %s/%u=%s", m->method, m->version, m->result);
        if (m->comment != NULL)
            mox__buf_printf(out, " (%s)", m->comment);
        if (m->reason != NULL)
            mox__buf_printf(out, " [%s]", m->reason);
        for (size_t k = 0; k < m->property_count; k++) {
            const struct mox_auth_property *p = &m->properties[k];
            mox__buf_printf(out, p->is_address ? " %s.%s={%s}" : " %s.%s=<%s>", p->type,
                            p->property, p->value);
        }
    }
    mox__buf_byte(out, '\0');
}

static void assert_read(const char *value, const char *want)
{
    struct test_env t;
    struct mox_auth_results *r;
    struct mox_error err;
    struct buf got;
    test_env_init(&t);
    mox__buf_init(&got, &t.env, 100000);
    int rc = mox_auth_results_parse(&r, &t.env, slice_of(value), &err);
    if (rc != MOX_OK)
        fail_msg("%s: %s", value, err.text);
    show(&got, r);
    assert_string_equal((char *)got.data, want);
    mox__buf_free(&got);
    mox_auth_results_free(&t.env, r);
    test_env_done(&t);
}

static void the_grammar_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *value, *want;
    } rows[] = {
        /* RFC 8601 appendix B */
        {"example.org 1; none", "example.org/1"},
        {"example.com;\r\n spf=pass smtp.mailfrom=example.net",
         "example.com/1; spf/1=pass smtp.mailfrom=<example.net>"},
        {"example.com;\r\n auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n"
         " spf=pass smtp.mailfrom=example.net",
         "example.com/1; auth/1=pass (cram-md5) smtp.auth={sender@example.net}"
         "; spf/1=pass smtp.mailfrom=<example.net>"},
        {"example.com;\r\n dkim=pass (good signature) header.d=example.com",
         "example.com/1; dkim/1=pass (good signature) header.d=<example.com>"},
        {"example.com;\r\n  dkim=pass reason=\"good signature\"\r\n    "
         "header.i=@mail-router.example.net;\r\n  dkim=fail reason=\"bad signature\"\r\n"
         "    header.i=@newyork.example.com",
         "example.com/1; dkim/1=pass [good signature] header.i={@mail-router.example.net}"
         "; dkim/1=fail [bad signature] header.i={@newyork.example.com}"},
        {"foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for "
         "it) fail\r\n policy (A dot can go here) . (like that) expired\r\n (this surprised me) = "
         "(as I wasn't expecting it) 1362471462",
         "foo.example.net/1; dkim/1=fail (Because I like it) policy.expired=<1362471462>"},
        /* names are of any case, numbers of methods are kept */
        {"x; SPF/2=Pass Smtp.MailFrom=X", "x/1; spf/2=pass smtp.mailfrom=<X>"},
        {"x 12;spf=pass", "x/12; spf/1=pass"},
        {"\"a;b\" ; none (really)", "a;b/1"},
        /* comments nest, and one without words is none */
        {"x; spf=pass ( ) (a(b\\)c(d)) e) smtp.helo=y",
         "x/1; spf/1=pass (a(b)c(d)) e) smtp.helo=<y>"},
        {"x; spf=pass (a\r\n\t b) smtp.helo=y", "x/1; spf/1=pass (a b) smtp.helo=<y>"},
        /* quoted strings and addresses */
        {"x; spf=pass smtp.mailfrom=\"\"", "x/1; spf/1=pass smtp.mailfrom=<>"},
        {"x; spf=pass smtp.mailfrom=\"a\\\"b\r\n\tc\"", "x/1; spf/1=pass smtp.mailfrom=<a\"b c>"},
        {"x; spf=pass smtp.mailfrom=\"a b\"@y.example",
         "x/1; spf/1=pass smtp.mailfrom=<\"a b\"@y.example>"},
        {"x; spf=pass a.b=\"c\"d.e=\"f\"", "x/1; spf/1=pass a.b=<c> d.e=<f>"},
        {"x; spf=pass smtp.mailfrom=\xc3\xbc@\xc3\xbc.example",
         "x/1; spf/1=pass smtp.mailfrom={\xc3\xbc@\xc3\xbc.example}"},
        /* beyond the grammar, as providers write */
        {"x; dkim=pass header.b=DU/QdEi3= policy.ip=2001:db8::1;",
         "x/1; dkim/1=pass header.b=<DU/QdEi3=> policy.ip=<2001:db8::1>"},
        {"x; dmarc=pass action=none header.from=y; compauth=pass reason=100",
         "x/1; dmarc/1=pass .action=<none> header.from=<y>; compauth/1=pass [100]"},
        {"x; dmarc=pass policy.published_policy=none",
         "x/1; dmarc/1=pass policy.published_policy=<none>"},
        {"x; spf=none smtp.mailfrom=<>", "x/1; spf/1=none smtp.mailfrom=<<>>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_read(rows[i].value, rows[i].want);
}

static void what_is_not_the_grammar_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *value, *want; /* part of the text of the error */
    } rows[] = {
        {"", "no value at byte 0"},
        {"x", "no ; and no method at byte 1"},
        {"x y; none", "no ; and no method at byte 2"},
        {"x 1000; none", "no version at byte 6"},
        {"x;", "no name at byte 2"},
        {"x; none;", "no = behind a method at byte 7"},
        {"x; spf=pass; none", "none beside methods"},
        {"x; spf", "no = behind a method at byte 6"},
        {"x; spf=", "no name at byte 7"},
        {"x; spf/=pass", "no version at byte 7"},
        {"x;; spf=pass", "no name at byte 2"},
        {"x; spf=pass smtp", "no = behind a property at byte 16"},
        {"x; spf=pass smtp.", "no name at byte 17"},
        {"x; spf=pass smtp.helo=", "no value at byte 22"},
        {"x; spf=pass smtp.helo=;", "no value at byte 22"},
        {"x; spf=pass smtp.helo=\"a", "a quoted string without end"},
        {"x; spf=pass (a (b)", "a comment without end"},
        {"x; spf=pass (a\\)", "a comment without end"},
        {"x; spf=pass smtp.helo=a\x01", "a control character"},
        {"x; spf=pass smtp.helo=a\xff", "not UTF-8"},
        {"spf=pass smtp.helo=a; dkim=none", "a method instead of the server's name"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct test_env t;
        struct mox_auth_results *r;
        struct mox_error err = {0};
        test_env_init(&t);
        assert_int_equal(mox_auth_results_parse(&r, &t.env, slice_of(rows[i].value), &err),
                         MOX_ESYNTAX);
        assert_null(r);
        if (strstr(err.text, rows[i].want) == NULL)
            fail_msg("%s: %s", rows[i].value, err.text);
        test_env_done(&t);
    }
}

/* `head`, then `piece` as often as `count` says. */
static int parse_repeated(const char *head, const char *piece, size_t count)
{
    struct test_env t;
    struct mox_auth_results *r;
    struct buf value;
    test_env_init(&t);
    mox__buf_init(&value, &t.env, 1000000);
    mox__buf_text(&value, head);
    while (count-- > 0)
        mox__buf_text(&value, piece);
    int rc = mox_auth_results_parse(&r, &t.env, slice(value.data, value.len), NULL);
    mox__buf_free(&value);
    mox_auth_results_free(&t.env, r);
    test_env_done(&t);
    return rc;
}

static void everything_has_a_bound(void **state)
{
    (void)state;
    assert_int_equal(parse_repeated("x", ";a=b", MOX_AUTH_METHODS_MAX), MOX_OK);
    assert_int_equal(parse_repeated("x", ";a=b", MOX_AUTH_METHODS_MAX + 1), MOX_ELIMIT);
    assert_int_equal(parse_repeated("x;a=b", " c.d=e", MOX_AUTH_PROPERTIES_MAX), MOX_OK);
    assert_int_equal(parse_repeated("x;a=b", " c.d=e", MOX_AUTH_PROPERTIES_MAX + 1), MOX_ELIMIT);
    assert_int_equal(parse_repeated("x;a=", "b", MOX_AUTH_NAME_MAX), MOX_OK);
    assert_int_equal(parse_repeated("x;a=", "b", MOX_AUTH_NAME_MAX + 1), MOX_ELIMIT);
    assert_int_equal(parse_repeated("x;a=b", " ", MOX_AUTH_RESULTS_MAX - 5), MOX_OK);
    assert_int_equal(parse_repeated("x;a=b", " ", MOX_AUTH_RESULTS_MAX - 4), MOX_ELIMIT);
    assert_int_equal(parse_repeated("x;a=b", "(", MOX_AUTH_RESULTS_MAX - 5), MOX_ESYNTAX);
}

/* The fields of an origin's messages, written by us, read again. */
static void fields_come_back(void **state)
{
    (void)state;
    const char *path = corpus_path("dmarc/authmilter/cases.tsv");
    size_t count = 0;
    if (path == NULL)
        skip();
    struct mox_slice all = read_file(path);
    char *save = NULL;
    for (char *line = strtok_r((char *)(uintptr_t)all.data, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        struct test_env t;
        struct mox_auth_results *r, *again;
        struct mox_error err = {0};
        struct buf value, before, after;
        char *field;
        const char *results = strrchr(line, '\t');
        if (line[0] == '#' || results == NULL || results[1] == '\0')
            continue;
        test_env_init(&t);
        mox__buf_init(&value, &t.env, 100000);
        mox__buf_init(&before, &t.env, 100000);
        mox__buf_init(&after, &t.env, 100000);
        mox__buf_printf(&value, "origin.example; %s", results + 1);
        int rc = mox_auth_results_parse(&r, &t.env, slice(value.data, value.len), &err);
        if (rc != MOX_OK)
            fail_msg("%s: %s", results + 1, err.text);
        assert_int_equal(mox_auth_results_write(&field, &t.env, r), MOX_OK);
        assert_int_equal(mox_auth_results_parse(
                             &again, &t.env,
                             slice_from(slice_of(field), strlen("Authentication-Results:")), &err),
                         MOX_OK);
        /* A comment that nothing follows is not written. */
        for (size_t i = 0; i < r->method_count; i++)
            if (r->methods[i].reason == NULL && r->methods[i].property_count == 0)
                ((struct mox_auth_method *)(uintptr_t)&r->methods[i])->comment = NULL;
        show(&before, r);
        show(&after, again);
        assert_string_equal((char *)after.data, (char *)before.data);
        mox__buf_free(&value);
        mox__buf_free(&before);
        mox__buf_free(&after);
        mox_text_free(&t.env, field);
        mox_auth_results_free(&t.env, r);
        mox_auth_results_free(&t.env, again);
        test_env_done(&t);
        count++;
    }
    print_message("%zu results of the origin came back\n", count);
    assert_true(count > 5);
    free((void *)(uintptr_t)all.data);
}

/* Fields that are not what RFC 8601 §2.2 says. */
static const struct {
    const char *file, *reason;
} not_results[] = {
    {"mime/flanker/bounce/office365.eml", "Exchange Online names no server"},
    {"mime/mimekit/bounce.txt", "Exchange Online names no server"},
    {"borschow.com_Submitter-_google.com_Report-ID-_949348866075514174.eml",
     "Exchange Online of 2014 names no server, and one behind each method"},
    {"mime/ruby-mail/error_emails/bad_date_header.eml",
     "Yahoo's of RFC 5451's drafts: properties in front of the method"},
    {"mime/spamassassin-nice/dkim/MultipleAuthRes_10", "made by hand: a property for a method"},
};

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool is_expected_to_fail(const char *path)
{
    for (size_t i = 0; i < sizeof not_results / sizeof not_results[0]; i++)
        if (ends_with(path, not_results[i].file))
            return true;
    return false;
}

struct seen {
    size_t all, read;
};

static void count_fields(void *user, const char *path, struct mox_slice data)
{
    struct seen *seen = user;
    struct mox_header_field f;
    struct test_env t;
    test_env_init(&t);
    for (size_t at = 0; mox_header_next(data, &at, &f);) {
        struct mox_auth_results *r;
        struct mox_error err;
        if (!mox__slice_is_nocase(f.name, "Authentication-Results"))
            continue;
        seen->all++;
        int rc = mox_auth_results_parse(&r, &t.env, f.value, &err);
        if ((rc == MOX_OK) == is_expected_to_fail(path))
            fail_msg("%s: %s", path, rc == MOX_OK ? "was read" : err.text);
        seen->read += rc == MOX_OK;
        mox_auth_results_free(&t.env, r);
    }
    test_env_done(&t);
}

static void real_fields_are_read(void **state)
{
    (void)state;
    static const char *const folders[] = {"mime", "dkim", "reports", "arc"};
    struct seen seen = {0, 0};
    if (corpus_path("mime") == NULL)
        skip();
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        each_file(corpus_path(folders[i]), count_fields, &seen);
    print_message("%zu of %zu fields were read\n", seen.read, seen.all);
    assert_true(seen.read >= 24);
}

static void failing_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    int rc = MOX_ENOMEM;
    for (long n = 1; rc == MOX_ENOMEM; n++) {
        struct test_env t;
        struct mox_auth_results *r = NULL;
        char *field = NULL;
        test_env_init(&t);
        t.fail_at = n;
        rc = mox_auth_results_parse(
            &r, &t.env, slice_of("x; spf=pass (c) reason=r smtp.mailfrom=\"a\"@b"), NULL);
        if (rc == MOX_OK)
            rc = mox_auth_results_write(&field, &t.env, r);
        mox_text_free(&t.env, field);
        mox_auth_results_free(&t.env, r);
        test_env_done(&t);
        assert_true(n < 100);
    }
    assert_int_equal(rc, MOX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_begins_a_line),
        cmocka_unit_test(nothing_checked_is_none),
        cmocka_unit_test(values_are_quoted_when_they_must_be),
        cmocka_unit_test(comments_cannot_be_left),
        cmocka_unit_test(no_line_is_longer_than_a_line_may_be),
        cmocka_unit_test(the_grammar_is_read),
        cmocka_unit_test(what_is_not_the_grammar_is_refused),
        cmocka_unit_test(everything_has_a_bound),
        cmocka_unit_test(fields_come_back),
        cmocka_unit_test(real_fields_are_read),
        cmocka_unit_test(failing_allocations_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
