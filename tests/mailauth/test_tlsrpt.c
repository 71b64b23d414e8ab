/* SPDX-License-Identifier: MIT */
#include <mox/dns_zone.h>
#include <mox/tlsrpt.h>

#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

static void records_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
        size_t uris;
        const char *last;
    } cases[] = {
        {"v=TLSRPTv1;rua=mailto:reports@example.org", MOX_OK, 1, "mailto:reports@example.org"},
        {"v=TLSRPTv1; rua=https://r.example.org/v1/tlsrpt;", MOX_OK, 1,
         "https://r.example.org/v1/tlsrpt"},
        {"v=TLSRPTv1 ; x=y ; rua=mailto:a@x.example?subject=b , MAILTO:c@x.example", MOX_OK, 2,
         "MAILTO:c@x.example"},
        {"v=TLSRPTv1; rua=mailto:a@x.example,", MOX_ESYNTAX, 0, ""},
        {"v=TLSRPTv1; rua=mailto:", MOX_ESYNTAX, 0, ""},
        {"v=TLSRPTv1; rua=http://x.example/", MOX_ESYNTAX, 0, ""},
        {"v=TLSRPTv1; rua=a@x.example", MOX_ESYNTAX, 0, ""},
        {"v=TLSRPTv1; rua=mailto:a@x.example!10m", MOX_ESYNTAX, 0, ""},
        {"v=TLSRPTv1; rua=mailto:a b@x.example", MOX_ESYNTAX, 0, ""},
        {"v=TLSRPTv1; rua=mailto:a@x.example; rua=mailto:b@x.example", MOX_ESYNTAX, 0, ""},
        {"v=TLSRPTv1; rua=", MOX_ESYNTAX, 0, ""},
        {"v=TLSRPTv1;", MOX_ESYNTAX, 0, ""},
        {"v=TLSRPTv1", MOX_ENOTFOUND, 0, ""},
        {"v=TLSRPTv2; rua=mailto:a@x.example", MOX_ENOTFOUND, 0, ""},
        {"v=tlsrptv1; rua=mailto:a@x.example", MOX_ENOTFOUND, 0, ""},
        {"", MOX_ENOTFOUND, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_tlsrpt_record r;
        struct mox_error err = {0};
        int rc = mox_tlsrpt_record_parse(&r, slice_of(cases[i].text), &err);
        if (rc != cases[i].rc)
            fail_msg("%s: %d %s", cases[i].text, rc, err.text);
        assert_true((rc == MOX_OK) == (err.text[0] == '\0'));
        if (rc != MOX_OK)
            continue;
        assert_int_equal(r.uri_count, cases[i].uris);
        assert_string_equal(r.uris[r.uri_count - 1], cases[i].last);
    }
    (void)state;
}

static void more_addresses_than_we_send_to_are_left_out(void **state)
{
    (void)state;
    char text[1024] = "v=TLSRPTv1; rua=mailto:a@x.example";
    struct mox_tlsrpt_record r;
    struct mox_error err;
    for (unsigned i = 0; i < MOX_TLSRPT_URIS_MAX; i++)
        strcat(text, ",mailto:b@x.example");
    assert_int_equal(mox_tlsrpt_record_parse(&r, slice_of(text), &err), MOX_OK);
    assert_int_equal(r.uri_count, MOX_TLSRPT_URIS_MAX);
    char longest[MOX_TLSRPT_URI_MAX + 64] = "v=TLSRPTv1; rua=mailto:";
    memset(longest + 23, 'a', MOX_TLSRPT_URI_MAX - 7);
    assert_int_equal(mox_tlsrpt_record_parse(&r, slice_of(longest), &err), MOX_OK);
    assert_int_equal(strlen(r.uris[0]), MOX_TLSRPT_URI_MAX);
    longest[23 + MOX_TLSRPT_URI_MAX - 7] = 'a';
    assert_int_equal(mox_tlsrpt_record_parse(&r, slice_of(longest), &err), MOX_ESYNTAX);
}

static void a_domain_has_exactly_one_record(void **state)
{
    (void)state;
    static const char text[] = "_smtp._tls.one.example\tTXT\tv=TLSRPTv1; rua=mailto:a@x.example\n"
                               "_smtp._tls.two.example\tTXT\tv=TLSRPTv1; rua=mailto:a@x.example\n"
                               "_smtp._tls.two.example\tTXT\tv=TLSRPTv1; rua=mailto:b@x.example\n"
                               "_smtp._tls.wrong.example\tTXT\tv=TLSRPTv1; rua=x\n"
                               "_smtp._tls.slow.example\tTXT\t!SERVFAIL\n";
    static const struct {
        const char *domain;
        enum mox_policy_record_status status;
    } cases[] = {{"one.example", MOX_POLICY_RECORD_FOUND},
                 {"two.example", MOX_POLICY_RECORD_NONE},
                 {"none.example", MOX_POLICY_RECORD_NONE},
                 {"wrong.example", MOX_POLICY_RECORD_PERMERROR},
                 {"slow.example", MOX_POLICY_RECORD_TEMPERROR}};
    struct test_env t;
    struct mox_dns_zone *zone = NULL;
    struct mox_error err;
    test_env_init(&t);
    assert_int_equal(mox_dns_zone_parse(&zone, &t.env, slice_of(text), "zone", &err), MOX_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_dns_answers *answers = NULL;
        struct mox_tlsrpt_found found;
        int rc;
        assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
        while ((rc = mox_tlsrpt_lookup(&found, cases[i].domain, answers)) == MOX_NEED_DNS)
            assert_int_equal(mox_dns_zone_answer(zone, answers), MOX_OK);
        assert_int_equal(rc, MOX_OK);
        if (found.status != cases[i].status)
            fail_msg("%s: %s", cases[i].domain, found.problem);
        assert_true((found.status == MOX_POLICY_RECORD_FOUND) == (found.problem[0] == '\0'));
        mox_dns_answers_free(answers);
    }
    mox_dns_zone_free(zone);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read),
        cmocka_unit_test(more_addresses_than_we_send_to_are_left_out),
        cmocka_unit_test(a_domain_has_exactly_one_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
