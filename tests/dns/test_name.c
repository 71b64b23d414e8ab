/* SPDX-License-Identifier: MIT */
#include <mox/dns.h>

#include <string.h>

#include "base/text.h"
#include "support/cm.h"

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

static void names_are_lower_case_in_both_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *ascii, *unicode;
        unsigned flags;
    } cases[] = {
        {"Example.ORG", "example.org", "example.org", 0},
        {"localhost", "localhost", "localhost", 0},
        {"r3---sn-x.example", "r3---sn-x.example", "r3---sn-x.example", 0},
        {"1and1.example", "1and1.example", "1and1.example", 0},
        {LABEL_63 ".example", LABEL_63 ".example", LABEL_63 ".example", 0},
        {"_dmarc.Example", "_dmarc.example", "_dmarc.example", MOX_DOMAIN_UNDERSCORES},
#ifdef MOX_HAVE_IDN
        {"B\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example",
         "b\xc3\xbc"
         "cher.example",
         0},
        {"bu\xcc\x88"
         "cher.example",
         "xn--bcher-kva.example",
         "b\xc3\xbc"
         "cher.example",
         0},
        {"XN--bcher-KVA.example", "xn--bcher-kva.example",
         "b\xc3\xbc"
         "cher.example",
         0},
        {"stra\xc3\x9f"
         "e.example",
         "xn--strae-oqa.example",
         "stra\xc3\x9f"
         "e.example",
         0},
        {"_dmarc.B\xc3\xbc"
         "cher.example",
         "_dmarc.xn--bcher-kva.example",
         "_dmarc.b\xc3\xbc"
         "cher.example",
         MOX_DOMAIN_UNDERSCORES},
        {"_25._tcp.mx_1.xn--bcher-kva.example", "_25._tcp.mx_1.xn--bcher-kva.example",
         "_25._tcp.mx_1.b\xc3\xbc"
         "cher.example",
         MOX_DOMAIN_UNDERSCORES},
        {"\xe2\x84\xa6.example", "xn--bya.example", "\xcf\x89.example", 0}, /* the ohm sign */
#else
        {"XN--bcher-KVA.example", "xn--bcher-kva.example", "xn--bcher-kva.example", 0},
#endif
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_domain d;
        assert_int_equal(mox_domain_parse(&d, slice_of(cases[i].text), cases[i].flags), MOX_OK);
        assert_string_equal(d.ascii, cases[i].ascii);
        assert_string_equal(d.unicode, cases[i].unicode);
    }
}

static void what_is_no_name_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ".",
        "example.",
        ".example",
        "a..b",
        "-a.example",
        "a-.example",
        "a_b.example",
        "a b",
        "127.0.0.1",
        "::1",
        "2001:db8::1",
        "a@b",
        "a64." LABEL_63 "4",
        "ex\xc3.example",
        "[127.0.0.1]",
        "a\r\n.example",
#ifdef MOX_HAVE_IDN
        "xn--a",
        "xn--bervn-rfaa", /* two no-break spaces and "bervn" */
        "\xef\xbc\x91.\xef\xbc\x92.3.4",
        "example\xe3\x80\x82",
        "\xc3\xbc_.example",
        "\xe2\x80\x8d.example",
        "\xc3\xbc..example",
#endif
    };
    struct mox_domain d;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int rc = mox_domain_parse(&d, slice_of(bad[i]), 0);
        if (rc >= 0)
            fail_msg("accepted: %s as %s", bad[i], d.ascii);
        assert_string_equal(d.ascii, "");
    }
    assert_int_equal(mox_domain_parse(&d, slice("a\0b", 3), 0), MOX_ESYNTAX);
    /* Underscores stand in labels of ASCII, and where the caller wants them. */
    static const char mixed[] = "\xc3\xbc_.example";
    assert_true(mox_domain_parse(&d, slice_of(mixed), MOX_DOMAIN_UNDERSCORES) < 0);
    assert_int_equal(mox_domain_parse(&d, slice_of("_x.xn--bcher-kva.example"), 0), MOX_ESYNTAX);
}

static void a_name_has_at_most_253_bytes(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'a', sizeof name);
    for (size_t i = 50; i < sizeof name; i += 50)
        name[i] = '.';
    struct mox_domain d;
    assert_int_equal(mox_domain_parse(&d, slice(name, 253), 0), MOX_OK);
    assert_int_equal(strlen(d.ascii), 253);
    assert_int_equal(mox_domain_parse(&d, slice(name, 254), 0), MOX_ESYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_lower_case_in_both_forms),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(a_name_has_at_most_253_bytes),
    };
    return cmocka_run_group_tests_name("dns-name", tests, NULL, NULL);
}
