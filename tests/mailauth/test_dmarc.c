/* SPDX-License-Identifier: MIT */
#include <mox/dmarc.h>
#include <mox/dns_zone.h>
#include <mox/iprev.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"

static struct test_env t;

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

/* -- records --------------------------------------------------------------------------------- */

static void records_are_read(void **state)
{
    (void)state;
    enum {
        NONE = MOX_DMARC_POLICY_NONE,
        QUARANTINE = MOX_DMARC_POLICY_QUARANTINE,
        REJECT = MOX_DMARC_POLICY_REJECT
    };
    static const struct {
        const char *text;
        int rc;
        int policy, subdomain;
        unsigned percent;
        size_t aggregate;
    } cases[] = {
        {"v=DMARC1; p=none", MOX_OK, NONE, NONE, 100, 0},
        {"v=DMARC1;p=reject;", MOX_OK, REJECT, REJECT, 100, 0},
        {"V = DMARC1 ; P = Quarantine ; sp=none; pct=5", MOX_OK, QUARANTINE, NONE, 5, 0},
        {"v=DMARC1; p=none; rua=mailto:a@example.org!10m , mailto:b@example.org", MOX_OK, NONE,
         NONE, 100, 2},
        {"v=DMARC1; p=reject; pct=101; ri=x; aspf=q; fo=9; unknown=1", MOX_OK, REJECT, REJECT, 100,
         0},
        /* §6.6.3: reports only */
        {"v=DMARC1; rua=mailto:a@example.org", MOX_OK, NONE, NONE, 100, 1},
        {"v=DMARC1; p=never; rua=mailto:a@example.org", MOX_OK, NONE, NONE, 100, 1},
        {"v=DMARC1; p=reject; sp=x; rua=mailto:a@example.org", MOX_OK, NONE, NONE, 100, 1},
        {"v=DMARC1; p=reject; sp=x", MOX_ESYNTAX, 0, 0, 0, 0},
        {"v=DMARC1; p=x; rua=nothing", MOX_ESYNTAX, 0, 0, 0, 0},
        {"v=DMARC1; sp=reject; p=reject", MOX_ESYNTAX, 0, 0, 0, 0}, /* p= is not the second */
        {"v=DMARC1; p=none; p=none", MOX_ESYNTAX, 0, 0, 0, 0},
        {"v=DMARC1; p=none; nothing", MOX_ESYNTAX, 0, 0, 0, 0},
        {"v=DMARC1;", MOX_ESYNTAX, 0, 0, 0, 0},
        {"v=DMARC1", MOX_ENOTFOUND, 0, 0, 0, 0}, /* no `;` */
        {"v=dmarc1; p=none", MOX_ENOTFOUND, 0, 0, 0, 0},
        {"v=DMARC2; p=none", MOX_ENOTFOUND, 0, 0, 0, 0},
        {"p=none; v=DMARC1", MOX_ENOTFOUND, 0, 0, 0, 0},
        {"v=spf1 -all", MOX_ENOTFOUND, 0, 0, 0, 0},
        {"", MOX_ENOTFOUND, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_dmarc_record r;
        struct mox_error err = {0};
        int rc = mox_dmarc_record_parse(&r, slice_of(cases[i].text), &err);
        if (rc != cases[i].rc)
            fail_msg("%s: %d %s", cases[i].text, rc, err.text);
        assert_true((rc < 0) == (err.text[0] != '\0'));
        if (rc != MOX_OK)
            continue;
        assert_int_equal(r.policy, cases[i].policy);
        assert_int_equal(r.subdomain_policy, cases[i].subdomain);
        assert_int_equal(r.percent, cases[i].percent);
        assert_int_equal(r.aggregate_count, cases[i].aggregate);
    }
}

static void report_addresses_have_sizes(void **state)
{
    (void)state;
    struct mox_dmarc_record r;
    struct mox_error err;
    assert_int_equal(
        mox_dmarc_record_parse(&r,
                               slice_of("v=DMARC1; p=none; fo=1:d:s; adkim=s; aspf=s; ri=3600;"
                                        " rua=mailto:a@x.example!10m, mailto:b@x.example!7,"
                                        " mailto:c@x.example!1t, mailto:d@x.example!x, ,"
                                        " https://x.example/dmarc; ruf=mailto:e@x.example!2k"),
                               &err),
        MOX_OK);
    static const struct {
        const char *uri;
        uint64_t bytes;
    } want[] = {{"mailto:a@x.example", 10 << 20},
                {"mailto:b@x.example", 7},
                {"mailto:c@x.example", UINT64_C(1) << 40},
                {"https://x.example/dmarc", 0}};
    assert_int_equal(r.aggregate_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(r.aggregate[i].uri, want[i].uri);
        assert_int_equal(r.aggregate[i].max_bytes, want[i].bytes);
    }
    assert_int_equal(r.failure_count, 1);
    assert_int_equal(r.failure[0].max_bytes, 2048);
    assert_true(r.strict_dkim && r.strict_spf && !r.failure_0 && r.failure_1 && r.failure_d &&
                r.failure_s);
    assert_int_equal(r.interval_seconds, 3600);
}

static void records_have_bounds(void **state)
{
    (void)state;
    static char text[16384];
    struct mox_dmarc_record r;
    struct mox_error err;
    size_t len = (size_t)snprintf(text, sizeof text, "v=DMARC1; p=none; rua=mailto:a@x.example");
    for (unsigned i = 0; i < MOX_DMARC_URIS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ",mailto:b@x.example");
    assert_int_equal(mox_dmarc_record_parse(&r, slice(text, len), &err), MOX_OK);
    assert_int_equal(r.aggregate_count, MOX_DMARC_URIS_MAX);

    len = (size_t)snprintf(text, sizeof text, "v=DMARC1; p=none; ruf=mailto:%0*d",
                           MOX_DMARC_URI_MAX - 7, 0);
    assert_int_equal(mox_dmarc_record_parse(&r, slice(text, len), &err), MOX_OK);
    assert_int_equal(strlen(r.failure[0].uri), MOX_DMARC_URI_MAX);
    text[len] = '0';
    assert_int_equal(mox_dmarc_record_parse(&r, slice(text, len + 1), &err), MOX_OK);
    assert_int_equal(r.failure_count, 0);

    len = (size_t)snprintf(text, sizeof text, "v=DMARC1; p=none");
    for (unsigned i = 0; i < 62; i++) /* 64 tags with v= and p= */
        len += (size_t)snprintf(text + len, sizeof text - len, "; x%u=y", i);
    assert_int_equal(mox_dmarc_record_parse(&r, slice(text, len), &err), MOX_OK);
    len += (size_t)snprintf(text + len, sizeof text - len, "; more=y");
    assert_int_equal(mox_dmarc_record_parse(&r, slice(text, len), &err), MOX_ESYNTAX);
}

/* -- verdicts -------------------------------------------------------------------------------- */

static struct mox_dns_zone *zone_of(const char *text)
{
    struct mox_dns_zone *zone = NULL;
    struct mox_error err;
    if (mox_dns_zone_parse(&zone, &t.env, slice_of(text), "zone", &err) != MOX_OK)
        fail_msg("%s", err.text);
    return zone;
}

static const char zone_text[] =
    "_dmarc.reject.example\tTXT\tv=DMARC1; p=reject\n"
    "_dmarc.strict.example\tTXT\tv=DMARC1; p=quarantine; adkim=s; aspf=s\n"
    "_dmarc.sub.example\tTXT\tv=DMARC1; p=reject; sp=none\n"
    "_dmarc.half.example\tTXT\tv=DMARC1; p=reject; pct=50\n"
    "_dmarc.two.example\tTXT\tv=DMARC1; p=reject\n"
    "_dmarc.two.example\tTXT\tv=DMARC1; p=none\n"
    "_dmarc.a.two.example\tTXT\tother\n"
    "_dmarc.broken.example\tTXT\tv=DMARC1; p=bogus\n"
    "_dmarc.slow.example\tTXT\t!TIMEOUT\n"
    "_dmarc.many.reject.example\tTXT\tv=DMARC1; p=none\n"
    "_dmarc.many.reject.example\tTXT\tv=DMARC1; p=none\n";

static void verdicts_follow_from_alignment(void **state)
{
    (void)state;
    enum {
        S_NONE = MOX_DMARC_NONE,
        S_PASS = MOX_DMARC_PASS,
        S_FAIL = MOX_DMARC_FAIL,
        S_TEMP = MOX_DMARC_TEMPERROR,
        S_PERM = MOX_DMARC_PERMERROR
    };
    enum {
        D_NONE = MOX_DMARC_POLICY_NONE,
        D_QUARANTINE = MOX_DMARC_POLICY_QUARANTINE,
        D_REJECT = MOX_DMARC_POLICY_REJECT
    };
    static const struct {
        const char *from;
        enum mox_spf_result spf;
        const char *spf_domain;
        enum mox_dkim_status dkim;
        const char *dkim_domain;
        unsigned draw;
        int status, disposition;
    } cases[] = {
        {"reject.example", MOX_SPF_PASS, "reject.example", MOX_DKIM_NONE, "", 0, S_PASS, D_NONE},
        {"reject.example", MOX_SPF_PASS, "a.reject.example", MOX_DKIM_NONE, "", 0, S_PASS, D_NONE},
        {"b.reject.example", MOX_SPF_NONE, "", MOX_DKIM_PASS, "a.reject.example", 0, S_PASS,
         D_NONE},
        {"reject.example", MOX_SPF_PASS, "other.example", MOX_DKIM_PASS, "other.example", 0, S_FAIL,
         D_REJECT},
        {"reject.example", MOX_SPF_SOFTFAIL, "reject.example", MOX_DKIM_FAIL, "reject.example", 99,
         S_FAIL, D_REJECT},
        {"reject.example", MOX_SPF_NONE, "", MOX_DKIM_POLICY, "reject.example", 0, S_FAIL,
         D_REJECT},
        {"strict.example", MOX_SPF_PASS, "a.strict.example", MOX_DKIM_PASS, "b.strict.example", 0,
         S_FAIL, D_QUARANTINE},
        {"strict.example", MOX_SPF_NONE, "", MOX_DKIM_PASS, "strict.example", 0, S_PASS, D_NONE},
        {"a.sub.example", MOX_SPF_NONE, "", MOX_DKIM_NONE, "", 0, S_FAIL, D_NONE},
        {"sub.example", MOX_SPF_NONE, "", MOX_DKIM_NONE, "", 0, S_FAIL, D_REJECT},
        {"half.example", MOX_SPF_NONE, "", MOX_DKIM_NONE, "", 49, S_FAIL, D_REJECT},
        {"half.example", MOX_SPF_NONE, "", MOX_DKIM_NONE, "", 50, S_FAIL, D_NONE},
        {"two.example", MOX_SPF_NONE, "", MOX_DKIM_NONE, "", 0, S_NONE, D_NONE},
        {"a.two.example", MOX_SPF_NONE, "", MOX_DKIM_NONE, "", 0, S_NONE, D_NONE},
        {"many.reject.example", MOX_SPF_NONE, "", MOX_DKIM_NONE, "", 0, S_FAIL,
         D_REJECT}, /* several: as if none */
        {"broken.example", MOX_SPF_NONE, "", MOX_DKIM_NONE, "", 0, S_PERM, D_NONE},
        {"slow.example", MOX_SPF_PASS, "slow.example", MOX_DKIM_NONE, "", 0, S_TEMP, D_NONE},
        {"reject.example", MOX_SPF_TEMPERROR, "reject.example", MOX_DKIM_NONE, "", 0, S_TEMP,
         D_NONE},
        {"reject.example", MOX_SPF_FAIL, "reject.example", MOX_DKIM_TEMPERROR, "x.example", 0,
         S_TEMP, D_NONE},
        {"reject.example", MOX_SPF_TEMPERROR, "", MOX_DKIM_PASS, "reject.example", 0, S_PASS,
         D_NONE},
        {"none.example", MOX_SPF_FAIL, "none.example", MOX_DKIM_NONE, "", 0, S_NONE, D_NONE},
        {"", MOX_SPF_PASS, "reject.example", MOX_DKIM_NONE, "", 0, S_NONE, D_NONE},
    };
    struct mox_dns_zone *zone = zone_of(zone_text);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_dns_answers *answers = NULL;
        struct mox_dmarc_query q;
        struct mox_dmarc_verdict v;
        struct mox_dmarc_dkim dkim = {cases[i].dkim, cases[i].dkim_domain};
        unsigned rounds = 0;
        int rc;
        mox_dmarc_query_init(&q);
        q.from_domain = cases[i].from;
        q.spf = cases[i].spf;
        q.spf_domain = cases[i].spf_domain;
        q.dkim = &dkim;
        q.dkim_count = 1;
        q.draw = cases[i].draw;
        assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
        while ((rc = mox_dmarc_check(&q, answers, &v)) == MOX_NEED_DNS) {
            assert_int_equal(rounds++, 0); /* both names at once */
            assert_int_equal(mox_dns_zone_answer(zone, answers), MOX_OK);
        }
        assert_int_equal(rc, MOX_OK);
        if ((int)v.status != cases[i].status || (int)v.disposition != cases[i].disposition)
            fail_msg("case %zu, %s: %s %s (%s)", i, cases[i].from, mox_dmarc_status_name(v.status),
                     mox_dmarc_policy_name(v.disposition), v.reason);
        assert_true((v.status == MOX_DMARC_PASS) == (v.reason[0] == '\0'));
        mox_dns_answers_free(answers);
    }
    mox_dns_zone_free(zone);
}

static void strangers_must_agree_to_get_reports(void **state)
{
    (void)state;
    static const struct {
        const char *external;
        bool accepts;
        enum mox_dmarc_status status;
    } cases[] = {{"reports.a.example", true, MOX_DMARC_PASS},
                 {"b.example", true, MOX_DMARC_PASS},
                 {"c.example", false, MOX_DMARC_NONE},
                 {"d.example", false, MOX_DMARC_NONE},
                 {"e.example", false, MOX_DMARC_TEMPERROR}};
    struct mox_dns_zone *zone = zone_of("a.example._report._dmarc.b.example\tTXT\tv=DMARC1\n"
                                        "a.example._report._dmarc.c.example\tTXT\tno\n"
                                        "a.example._report._dmarc.e.example\tTXT\t!SERVFAIL\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_dns_answers *answers = NULL;
        enum mox_dmarc_status status;
        bool accepts;
        int rc;
        assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
        while ((rc = mox_dmarc_reports_accepted(&accepts, &status, "a.example", cases[i].external,
                                                answers)) == MOX_NEED_DNS)
            assert_int_equal(mox_dns_zone_answer(zone, answers), MOX_OK);
        assert_int_equal(rc, MOX_OK);
        assert_true(accepts == cases[i].accepts);
        assert_int_equal(status, cases[i].status);
        mox_dns_answers_free(answers);
    }
    mox_dns_zone_free(zone);
}

/* -- organizational domains ------------------------------------------------------------------ */

static void organizations_are_below_public_suffixes(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"example.org", "example.org"},
        {"a.b.example.org", "example.org"},
        {"org", "org"},
        {"localhost", "localhost"},
        {"a.b.unknowntld", "b.unknowntld"},
#ifdef MOX_HAVE_PSL
        {"a.b.co.uk", "b.co.uk"},
        {"co.uk", "co.uk"},
        {"a.b.c.ck", "b.c.ck"},
        {"a.www.ck", "www.ck"},
        {"a.github.io", "github.io"}, /* a private rule: not of ICANN */
        {"a.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"},
#endif
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[MOX_DOMAIN_MAX + 1];
        mox_org_domain(NULL, cases[i][0], out);
        assert_string_equal(out, cases[i][1]);
    }
}

/* -- iprev ----------------------------------------------------------------------------------- */

static void addresses_are_looked_up_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        enum mox_iprev_status status;
        const char *name;
    } cases[] = {
        {"192.0.2.1", MOX_IPREV_PASS, "good.example"},
        {"192.0.2.2", MOX_IPREV_FAIL, ""},
        {"192.0.2.3", MOX_IPREV_TEMPERROR, ""},
        {"192.0.2.4", MOX_IPREV_PERMERROR, ""},
        {"192.0.2.5", MOX_IPREV_TEMPERROR, ""},
        {"192.0.2.6", MOX_IPREV_PASS, "good.example"},
        {"2001:db8::1", MOX_IPREV_PASS, "six.example"},
        {"::ffff:192.0.2.1", MOX_IPREV_PASS, "good.example"},
    };
    struct mox_dns_zone *zone = zone_of(
        "1.2.0.192.in-addr.arpa\tPTR\tgood.example\n"
        "2.2.0.192.in-addr.arpa\tPTR\tgood.example\n2.2.0.192.in-addr.arpa\tPTR\tabsent.example\n"
        "3.2.0.192.in-addr.arpa\tPTR\t!TIMEOUT\n"
        "5.2.0.192.in-addr.arpa\tPTR\tgood.example\n5.2.0.192.in-addr.arpa\tPTR\tslow.example\n"
        "6.2.0.192.in-addr.arpa\tPTR\tabsent.example\n6.2.0.192.in-addr.arpa\tPTR\tslow.example\n"
        "6.2.0.192.in-addr.arpa\tPTR\tgood.example\n"
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa\tPTR\tsix."
        "example\n"
        "good.example\tA\t192.0.2.1\ngood.example\tA\t192.0.2.6\nslow.example\tA\t!SERVFAIL\n"
        "six.example\tAAAA\t2001:db8::1\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_dns_answers *answers = NULL;
        struct mox_iprev_verdict v;
        unsigned rounds = 0;
        int rc;
        assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
        while ((rc = mox_iprev_check(cases[i].ip, answers, &v)) == MOX_NEED_DNS) {
            assert_true(rounds++ < 2);
            assert_int_equal(mox_dns_zone_answer(zone, answers), MOX_OK);
        }
        assert_int_equal(rc, MOX_OK);
        if (v.status != cases[i].status)
            fail_msg("%s: %s (%s)", cases[i].ip, mox_iprev_status_name(v.status), v.reason);
        assert_string_equal(v.name, cases[i].name);
        assert_true((v.status == MOX_IPREV_PASS) == (v.reason[0] == '\0'));
        mox_dns_answers_free(answers);
    }
    mox_dns_zone_free(zone);
    struct mox_iprev_verdict v;
    assert_int_equal(mox_iprev_check("no address", NULL, &v), MOX_EINVAL);
}

/* An address may claim any number of names; the first ten are looked at, all in one round. */
static void few_names_of_an_address_are_looked_up(void **state)
{
    (void)state;
    char text[4096];
    size_t len = 0;
    for (unsigned i = 0; i < 15; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "1.2.0.192.in-addr.arpa\tPTR\tn%u.example\n", i);
    (void)snprintf(text + len, sizeof text - len,
                   "n9.example\tA\t192.0.2.9\nn14.example\tA\t192.0.2.1\n");
    struct mox_dns_zone *zone = zone_of(text);
    struct mox_dns_answers *answers = NULL;
    struct mox_iprev_verdict v;
    unsigned rounds = 0;
    int rc;
    assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
    for (; (rc = mox_iprev_check("192.0.2.1", answers, &v)) == MOX_NEED_DNS; rounds++)
        assert_int_equal(mox_dns_zone_answer(zone, answers), MOX_OK);
    assert_int_equal(rc, MOX_OK);
    assert_int_equal(rounds, 2);
    assert_int_equal(v.name_count, MOX_IPREV_NAMES_MAX);
    assert_int_equal(v.status, MOX_IPREV_FAIL);
    assert_int_equal(mox_dns_answer_count(answers), 1 + MOX_IPREV_NAMES_MAX);
    mox_dns_answers_free(answers);
    mox_dns_zone_free(zone);
}

/* All checks of this file over one set, whose nth allocation fails. */
static int check_all(const struct mox_dns_zone *zone, struct mox_dns_answers *answers)
{
    struct mox_dmarc_query q;
    struct mox_dmarc_verdict dmarc;
    struct mox_iprev_verdict iprev;
    enum mox_dmarc_status status;
    bool accepts;
    mox_dmarc_query_init(&q);
    q.from_domain = "a.reject.example";
    for (;;) {
        int rcs[] = {
            mox_dmarc_check(&q, answers, &dmarc), mox_iprev_check("192.0.2.1", answers, &iprev),
            mox_dmarc_reports_accepted(&accepts, &status, "a.example", "b.example", answers)};
        bool wants = false;
        for (size_t i = 0; i < sizeof rcs / sizeof rcs[0]; i++) {
            if (rcs[i] < 0)
                return rcs[i];
            wants = wants || rcs[i] == MOX_NEED_DNS;
        }
        if (!wants)
            break;
        int rc = mox_dns_zone_answer(zone, answers);
        if (rc != MOX_OK)
            return rc;
    }
    assert_int_equal(dmarc.status, MOX_DMARC_FAIL);
    assert_int_equal(iprev.status, MOX_IPREV_PASS);
    assert_true(accepts);
    return MOX_OK;
}

static void no_memory_is_no_verdict(void **state)
{
    (void)state;
    struct mox_dns_zone *zone = zone_of("_dmarc.reject.example\tTXT\tv=DMARC1; p=reject\n"
                                        "a.example._report._dmarc.b.example\tTXT\tv=DMARC1\n"
                                        "1.2.0.192.in-addr.arpa\tPTR\tx.example\n"
                                        "x.example\tA\t192.0.2.1\n");
    int rc = MOX_ENOMEM;
    for (long n = 1; rc != MOX_OK; n++) {
        struct mox_dns_answers *answers = NULL;
        t.fail_at = t.allocations + n;
        rc = mox_dns_answers_new(&answers, &t.env);
        if (rc == MOX_OK)
            rc = check_all(zone, answers);
        assert_true(n < 200 && (rc == MOX_OK || rc == MOX_ENOMEM));
        mox_dns_answers_free(answers);
    }
    t.fail_at = 0;
    mox_dns_zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read),
        cmocka_unit_test(report_addresses_have_sizes),
        cmocka_unit_test(records_have_bounds),
        cmocka_unit_test(verdicts_follow_from_alignment),
        cmocka_unit_test(strangers_must_agree_to_get_reports),
        cmocka_unit_test(organizations_are_below_public_suffixes),
        cmocka_unit_test(addresses_are_looked_up_both_ways),
        cmocka_unit_test(few_names_of_an_address_are_looked_up),
        cmocka_unit_test(no_memory_is_no_verdict),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
