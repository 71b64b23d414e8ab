/* SPDX-License-Identifier: MIT */
#include "smtp/path.h"

#include <stdio.h>
#include <string.h>

#include <mox/dns.h>

#include "base/text.h"
#include "smtp/params.h"
#include "support/cm.h"
#include "support/testenv.h"

struct parsed {
    struct test_env t;
    struct arena a;
    struct mox_smtp_path path;
    const char *problem;
    int rc;
};

static void parse(struct parsed *p, const char *inner, unsigned flags)
{
    test_env_init(&p->t);
    mox__arena_init(&p->a, &p->t.env, 4096);
    p->rc = mox__smtp_path_parse(&p->a, slice_of(inner), flags, &p->path, &p->problem);
}

static void done(struct parsed *p)
{
    mox__arena_reset(&p->a);
    test_env_done(&p->t);
}

static void brackets_end_a_path_but_not_within_quotes(void **state)
{
    (void)state;
    static const struct {
        const char *in, *inner, *rest; /* inner NULL: no path */
    } cases[] = {
        {"<a@b> X", "a@b", " X"},
        {"<>", "", ""},
        {"<\">\"@b>", "\">\"@b", ""},
        {"<\"\\\">\"@b>x", "\"\\\">\"@b", "x"},
        {"<a", NULL, ""},
        {"a>", NULL, ""},
        {"", NULL, ""},
        {"<\"a>", NULL, ""},
        {"<\"\\", NULL, ""},
        {"<a>b>", "a", "b>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_slice in = slice_of(cases[i].in), inner;
        assert_int_equal(mox__smtp_cut_path(&in, &inner), cases[i].inner != NULL);
        if (cases[i].inner == NULL)
            continue;
        assert_true(mox__slice_is(inner, cases[i].inner));
        assert_true(mox__slice_is(in, cases[i].rest));
    }
}

static void paths_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *inner, *localpart, *domain, *written;
        unsigned flags;
    } cases[] = {
        {"a@Example.ORG", "a", "example.org", "a@example.org", 0},
        {"A.b@x.example", "A.b", "x.example", "A.b@x.example", 0},
        {"\"a b\"@x.example", "a b", "x.example", "\"a b\"@x.example", 0},
        {"\"a\\\"\\\\b\"@x.example", "a\"\\b", "x.example", "\"a\\\"\\\\b\"@x.example", 0},
        {"\"\\a\"@x.example", "a", "x.example", "a@x.example", 0},
        {"\"a.\"@x.example", "a.", "x.example", "\"a.\"@x.example", 0},
        {"\"\"@x.example", "", "x.example", "\"\"@x.example", 0},
        {"\"a@b\"@x.example", "a@b", "x.example", "\"a@b\"@x.example", 0},
        {"@r.example:a@x.example", "a", "x.example", "a@x.example", 0},
        {"@r.example,@s.example:\"a:b\"@x.example", "a:b", "x.example", "\"a:b\"@x.example", 0},
        {"a@[192.0.2.1]", "a", "[192.0.2.1]", "a@[192.0.2.1]", 0},
        {"a@[IPV6:2001:DB8:0::1]", "a", "[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]", 0},
        {"a@[2001:db8::1]", "a", "[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]", 0},
        {"", "", "", "", PATH_NULL},
        {"PostMaster", "postmaster", "", "postmaster", PATH_POSTMASTER},
        {"postmaster@x.example", "postmaster", "x.example", "postmaster@x.example",
         PATH_POSTMASTER},
#ifdef MOX_HAVE_IDN
        {"e\xcc\x81@b\xc3\xbc"
         "cher.example",
         "\xc3\xa9", "xn--bcher-kva.example", "\xc3\xa9@xn--bcher-kva.example", PATH_UTF8},
        {"\"\xc3\xa9 \"@x.example", "\xc3\xa9 ", "x.example", "\"\xc3\xa9 \"@x.example", PATH_UTF8},
#endif
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;
        parse(&p, cases[i].inner, cases[i].flags);
        if (p.rc != MOX_OK)
            fail_msg("refused %s: %s", cases[i].inner, p.problem);
        assert_string_equal(p.path.localpart, cases[i].localpart);
        assert_string_equal(p.path.domain, cases[i].domain);
        assert_int_equal(p.path.is_literal, cases[i].domain[0] == '[');
        assert_int_equal(p.path.is_postmaster,
                         cases[i].flags == PATH_POSTMASTER && cases[i].domain[0] == '\0');
        struct buf b;
        mox__buf_init(&b, &p.t.env, 1000);
        mox__smtp_path_write(&b, &p.path);
        assert_true(mox__slice_is(slice(b.data, b.len), cases[i].written));
        mox__buf_free(&b);
        done(&p);
    }
}

static void wrong_paths_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *inner;
        unsigned flags;
        int rc;
    } cases[] = {
        {"", 0, MOX_ESYNTAX},
        {"postmaster", 0, MOX_ESYNTAX},
        {"a", PATH_NULL | PATH_POSTMASTER, MOX_ESYNTAX},
        {"a@", 0, MOX_ESYNTAX},
        {"@x.example", 0, MOX_ESYNTAX},
        {"@r.example:", 0, MOX_ESYNTAX},
        {"a.@x.example", 0, MOX_ESYNTAX},
        {".a@x.example", 0, MOX_ESYNTAX},
        {"a..b@x.example", 0, MOX_ESYNTAX},
        {"a b@x.example", 0, MOX_ESYNTAX},
        {"a(c)@x.example", 0, MOX_ESYNTAX},
        {"\"a@x.example", 0, MOX_ESYNTAX},
        {"\"a\"b@x.example", 0, MOX_ESYNTAX},
        {"\"a\n\"@x.example", 0, MOX_ESYNTAX},
        {"\"a\\", 0, MOX_ESYNTAX},
        {"a@x_y.example", 0, MOX_ESYNTAX},
        {"a@-x.example", 0, MOX_ESYNTAX},
        {"a@x.example.", 0, MOX_ESYNTAX},
        {"a@192.0.2.1", 0, MOX_ESYNTAX},
        {"a@[192.0.2.1", 0, MOX_ESYNTAX},
        {"a@[192.0.2.1]x", 0, MOX_ESYNTAX},
        {"a@[192.0.2]", 0, MOX_ESYNTAX},
        {"a@[IPv6:192.0.2.1]", 0, MOX_ESYNTAX},
        {"a@[2001:db8::1]", PATH_PEDANTIC, MOX_ESYNTAX},
        {"\xc3\xa9@x.example", 0, MOX_EUNSUPPORTED},
        {"a@\xc3\xa9.example", 0, MOX_EUNSUPPORTED},
        {"\xc3@x.example", PATH_UTF8, MOX_ESYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;
        parse(&p, cases[i].inner, cases[i].flags);
        if (p.rc != cases[i].rc)
            fail_msg("%s gave %d", cases[i].inner, p.rc);
        assert_true(p.rc != MOX_ESYNTAX || p.problem[0] != '\0');
        done(&p);
    }
}

static int length_rc(size_t localpart, size_t domain, unsigned flags)
{
    char inner[600];
    struct parsed p;
    memset(inner, 'a', sizeof inner);
    inner[localpart] = '@';
    for (size_t i = 50; i + 1 < domain; i += 50)
        inner[localpart + 1 + i] = '.';
    inner[localpart + 1 + domain] = '\0';
    parse(&p, inner, flags);
    done(&p);
    return p.rc;
}

static void lengths_have_limits(void **state)
{
    (void)state;
    assert_int_equal(length_rc(128, 100, 0), MOX_OK);
    assert_int_equal(length_rc(129, 100, 0), MOX_ESYNTAX);
    assert_int_equal(length_rc(64, 100, PATH_PEDANTIC), MOX_OK);
    assert_int_equal(length_rc(65, 100, PATH_PEDANTIC), MOX_ESYNTAX);
    assert_int_equal(length_rc(1, 252, 0), MOX_OK); /* 256 with the brackets */
    assert_int_equal(length_rc(1, 253, 0), MOX_ESYNTAX);
    assert_int_equal(length_rc(500, 10, 0), MOX_ESYNTAX);
}

#ifdef MOX_HAVE_IDN
/* U+0958 has three bytes, and six in NFC; e with an accent of its own has three, and two in NFC. */
static int normal_rc(const char *letter, size_t count, unsigned flags)
{
    char inner[300] = "";
    struct parsed p;
    for (size_t i = 0; i < count; i++)
        strcat(inner, letter);
    parse(&p, strcat(inner, "@x.example"), flags | PATH_UTF8);
    done(&p);
    return p.rc;
}

static void the_limit_of_a_local_part_holds_for_what_came_and_for_what_we_say(void **state)
{
    (void)state;
    assert_int_equal(normal_rc("\xe0\xa5\x98", 10, PATH_PEDANTIC), MOX_OK);
    assert_int_equal(normal_rc("\xe0\xa5\x98", 11, PATH_PEDANTIC), MOX_ESYNTAX);
    assert_int_equal(normal_rc("\xe0\xa5\x98", 21, 0), MOX_OK);
    assert_int_equal(normal_rc("\xe0\xa5\x98", 22, 0), MOX_ESYNTAX);
    assert_int_equal(normal_rc("e\xcc\x81", 42, 0), MOX_OK);
    assert_int_equal(normal_rc("e\xcc\x81", 43, 0), MOX_ESYNTAX);
}
#endif

static void parameters_are_cut(void **state)
{
    (void)state;
    struct mox_slice in = slice_of(" SIZE=10 smtputf8 X-1=a+b  ");
    struct smtp_param p;
    assert_int_equal(mox__smtp_param_next(&in, &p), 1);
    assert_true(mox__slice_is(p.keyword, "SIZE") && mox__slice_is(p.value, "10"));
    assert_int_equal(mox__smtp_param_next(&in, &p), 1);
    assert_true(mox__slice_is(p.keyword, "smtputf8") && !p.has_value);
    assert_int_equal(mox__smtp_param_next(&in, &p), 1);
    assert_true(mox__slice_is(p.keyword, "X-1") && mox__slice_is(p.value, "a+b"));
    assert_int_equal(mox__smtp_param_next(&in, &p), 0);
    assert_int_equal(in.len, 2);
    static const char *const bad[] = {
        "X", " =1", " -X", " X=", " X=1=", " X=\x80", "  X", " X=\t1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        in = slice_of(bad[i]);
        assert_int_equal(mox__smtp_param_next(&in, &p), MOX_ESYNTAX);
    }
}

static void xtext_is_decoded(void **state)
{
    (void)state;
    struct test_env t;
    struct buf b;
    test_env_init(&t);
    mox__buf_init(&b, &t.env, 100);
    assert_true(mox__smtp_xtext_decode(slice_of("e+3Dmc2@example.com"), &b)); /* RFC 4954 §5 */
    assert_true(mox__slice_is(slice(b.data, b.len), "e=mc2@example.com"));
    static const char *const bad[] = {"+", "+3", "+3d", "a+", "a=b", "a b", "\x80", "++3D"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(mox__smtp_xtext_decode(slice_of(bad[i]), NULL));
    mox__buf_free(&b);
    test_env_done(&t);
}

static void times_of_rfc3339_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-02T03:04:05Z", 1767323045000000},
        {"2026-01-02T03:04:05.25Z", 1767323045250000},
        {"2000-02-29T23:59:59.9999999Z", 951868799999999},
        {"2100-03-01T00:00:00Z", 4107542400000000},
    };
    static const char *const bad[] = {
        "",
        "Z",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05+00:00",
        "2026-01-02t03:04:05Z",
        "2026-13-02T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "2100-02-29T03:04:05Z",
        "2026-12-32T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05xZ",
        "26-01-02T03:04:05Z",
    };
    int64_t us;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(mox__smtp_time_parse(slice_of(good[i].text), &us));
        assert_int_equal(us, good[i].us);
        struct test_env t;
        struct buf b;
        test_env_init(&t);
        mox__buf_init(&b, &t.env, 100);
        mox__smtp_time_write(&b, us);
        assert_true(b.len == 20 && memcmp(b.data, good[i].text, 19) == 0);
        mox__buf_free(&b);
        test_env_done(&t);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(mox__smtp_time_parse(slice_of(bad[i]), &us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brackets_end_a_path_but_not_within_quotes),
        cmocka_unit_test(paths_are_taken_apart),
        cmocka_unit_test(wrong_paths_are_refused_with_a_reason),
        cmocka_unit_test(lengths_have_limits),
#ifdef MOX_HAVE_IDN
        cmocka_unit_test(the_limit_of_a_local_part_holds_for_what_came_and_for_what_we_say),
#endif
        cmocka_unit_test(parameters_are_cut),
        cmocka_unit_test(xtext_is_decoded),
        cmocka_unit_test(times_of_rfc3339_are_read),
    };
    return cmocka_run_group_tests_name("smtp-path", tests, NULL, NULL);
}
