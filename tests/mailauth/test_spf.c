/* SPDX-License-Identifier: MIT */
#include <mox/dns_zone.h>
#include <mox/spf.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mailauth/spf_macro.h"
#include "support/cm.h"
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

/* -- macros (RFC 7208 §7.4) ------------------------------------------------------------------- */

static void macros_expand_as_in_the_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *text, *ip, *want;
    } cases[] = {
        {"%{s}", "192.0.2.3", "strong-bad@email.example.com"},
        {"%{o}", "192.0.2.3", "email.example.com"},
        {"%{d}", "192.0.2.3", "email.example.com"},
        {"%{d4}", "192.0.2.3", "email.example.com"},
        {"%{d2}", "192.0.2.3", "example.com"},
        {"%{d1}", "192.0.2.3", "com"},
        {"%{dr}", "192.0.2.3", "com.example.email"},
        {"%{d2r}", "192.0.2.3", "example.email"},
        {"%{l}", "192.0.2.3", "strong-bad"},
        {"%{l-}", "192.0.2.3", "strong.bad"},
        {"%{lr}", "192.0.2.3", "strong-bad"},
        {"%{lr-}", "192.0.2.3", "bad.strong"},
        {"%{l1r-}", "192.0.2.3", "strong"},
        {"%{ir}.%{v}._spf.%{d2}", "192.0.2.3", "3.2.0.192.in-addr._spf.example.com"},
        {"%{lr-}.lp._spf.%{d2}", "192.0.2.3", "bad.strong.lp._spf.example.com"},
        {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "192.0.2.3",
         "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
        {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "192.0.2.3",
         "3.2.0.192.in-addr.strong.lp._spf.example.com"},
        {"%{d2}.trusted-domains.example.net", "192.0.2.3",
         "example.com.trusted-domains.example.net"},
        {"%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01",
         "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com"},
        {"%{S}%%%_%-%{c}", "192.0.2.3", "strong-bad%40email.example.com% %20192.0.2.3"},
        {"%{t}", "192.0.2.3", "1700000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t room[512];
        struct buf out = buf_over(room, sizeof room);
        struct ip ip;
        assert_true(mox__ip_parse(slice_of(cases[i].ip), &ip));
        struct spf_macros m = {.sender_localpart = "strong-bad",
                               .sender_domain = "email.example.com",
                               .domain = "email.example.com",
                               .ip = &ip,
                               .helo = "mx.example.org",
                               .receiver = "unknown",
                               .now_us = INT64_C(1700000000000000),
                               .validated = "mx.example.org"};
        assert_true(mox__spf_is_macro_string(slice_of(cases[i].text), true));
        mox__spf_expand(&out, slice_of(cases[i].text), &m);
        if (!mox__slice_is(slice(out.data, out.len), cases[i].want))
            fail_msg("%s: %.*s", cases[i].text, (int)out.len, (const char *)out.data);
    }
}

static void long_names_lose_labels_on_the_left(void **state)
{
    (void)state;
    char text[400], name[MOX_DOMAIN_MAX + 1];
    struct ip ip = {.v6 = false};
    struct spf_macros m = {.ip = &ip};
    for (size_t i = 0; i < 300; i++)
        text[i] = i % 10 == 9 ? '.' : 'a';
    (void)snprintf(text + 300, 100, "example");
    mox__spf_expand_domain(name, slice_of(text), &m);
    assert_int_equal(strlen(name), 247); /* 24 labels of 9 and their dots, and the last */
    assert_string_equal(name + 240, "example");
    (void)snprintf(text, sizeof text, "%0300d", 1); /* no label fits */
    mox__spf_expand_domain(name, slice_of(text), &m);
    assert_string_equal(name, "");
}

/* -- records --------------------------------------------------------------------------------- */

static void wrong_records_are_explained(void **state)
{
    (void)state;
    static const char *const right[] = {
        "v=spf1",
        "v=spf1 ",
        "V=SPF1 -ALL",
        "v=spf1 a:example.org/0//0 mx//128 ptr",
        "v=spf1 apple=%{d} a.b=",
        "v=spf1 ip4:192.0.2.1 ip6:::1/0 exists:%{i}.example.org. ?include:a.b-c",
        "v=spf1 redirect=_spf.example.org exp=e.example.org",
    };
    static const char *const wrong[] = {
        "",
        "v=spf10",
        "v=spf1\t-all",
        "v=spf1 all.",
        "v=spf1 all:x.example",
        "v=spf1 include",
        "v=spf1 include:",
        "v=spf1 include:localhost",
        "v=spf1 include:a.123",
        "v=spf1 include:a.-b",
        "v=spf1 a/33",
        "v=spf1 a/08",
        "v=spf1 a//129",
        "v=spf1 a:example.org/",
        "v=spf1 ip4:192.0.2",
        "v=spf1 ip4:192.0.02.1",
        "v=spf1 ip4:2001:db8::1",
        "v=spf1 ip6:192.0.2.1",
        "v=spf1 exists:%{x}.example.org",
        "v=spf1 exists:%{d0}.example.org",
        "v=spf1 exists:%{c}.example.org", /* in explanations only */
        "v=spf1 exists:%d.example.org",
        "v=spf1 exists:%{d.example.org",
        "v=spf1 -redirect=example.org",
        "v=spf1 1a=x",
        "v=spf1 foo",
        "v=spf1 -",
        "v=spf1 a:ex\303\244mple.org",
    };
    struct mox_spf_term term;
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        struct mox_error err = {0};
        size_t at = 0;
        int rc;
        while ((rc = mox_spf_term_next(slice_of(right[i]), &at, &term, &err)) == MOX_OK)
            ;
        if (rc != MOX_ENOTFOUND)
            fail_msg("%s: %s", right[i], err.text);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct mox_error err = {0};
        size_t at = 0;
        int rc;
        while ((rc = mox_spf_term_next(slice_of(wrong[i]), &at, &term, &err)) == MOX_OK)
            ;
        if (rc != MOX_ESYNTAX || err.text[0] == '\0')
            fail_msg("%s is taken", wrong[i]);
    }
}

/* A record is up to 64 KiB: what it may cost does not grow with it. */
static void a_name_has_as_many_macros_as_labels(void **state)
{
    (void)state;
    for (unsigned macros = 127; macros <= 128; macros++) {
        char spec[1024] = "";
        for (unsigned i = 0; i < macros; i++)
            strcat(spec, "%{d1}.");
        strcat(spec, "example.org");
        assert_int_equal(mox__spf_is_domain_spec(slice_of(spec)), macros == 127);
    }
}

/* -- rounds, limits, words for people --------------------------------------------------------- */

struct outcome {
    struct mox_spf_verdict verdict;
    unsigned rounds;
    size_t asked;
};

static struct outcome check(const char *zone_text, const char *mail_from_domain, const char *helo)
{
    struct outcome o = {.rounds = 0};
    struct mox_dns_zone *zone = NULL;
    struct mox_dns_answers *answers = NULL;
    struct mox_spf_query q;
    struct mox_error err;
    int rc;
    if (mox_dns_zone_parse(&zone, &t.env, slice_of(zone_text), "zone", &err) != MOX_OK)
        fail_msg("%s", err.text);
    assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
    mox_spf_query_init(&q);
    q.ip = "192.0.2.1";
    q.helo = helo;
    q.helo_is_literal = helo[0] == '[';
    q.mail_from_localpart = "me";
    q.mail_from_domain = mail_from_domain;
    while ((rc = mox_spf_check(&q, answers, &o.verdict)) == MOX_NEED_DNS) {
        o.rounds++;
        assert_int_equal(mox_dns_zone_answer(zone, answers), MOX_OK);
    }
    assert_int_equal(rc, MOX_OK);
    o.asked = mox_dns_answer_count(answers);
    mox_dns_answers_free(answers);
    mox_dns_zone_free(zone);
    return o;
}

static void terms_are_looked_up_together(void **state)
{
    (void)state;
    /* TXT; then MX, A and both included records; then the hosts, and what the included records need. */
    struct outcome o =
        check("a.example\tTXT\tv=spf1 mx a:h.example include:b.example include:c.example -all\n"
              "a.example\tMX\t10 m1.example\na.example\tMX\t20 m2.example\n"
              "m1.example\tA\t198.51.100.1\nm2.example\tA\t198.51.100.2\n"
              "h.example\tA\t198.51.100.3\n"
              "b.example\tTXT\tv=spf1 a:h.example ?all\nc.example\tTXT\tv=spf1 a -all\n"
              "c.example\tA\t192.0.2.1\n",
              "a.example", "x.example");
    assert_int_equal(o.verdict.result, MOX_SPF_PASS);
    assert_string_equal(o.verdict.mechanism, "include:c.example");
    assert_int_equal(o.rounds, 3);
    assert_int_equal(o.asked, 8);
}

static void what_limits_forbid_is_not_asked(void **state)
{
    (void)state;
    char zone[1024] = "a.example\tTXT\tv=spf1";
    for (unsigned i = 0; i < 30; i++)
        (void)snprintf(zone + strlen(zone), sizeof zone - strlen(zone), " a:h%u.example", i);
    strcat(zone, "\n");
    for (unsigned i = 0; i < 10; i++)
        (void)snprintf(zone + strlen(zone), sizeof zone - strlen(zone),
                       "h%u.example\tA\t192.0.2.9\n", i);
    struct outcome o = check(zone, "a.example", "x.example");
    assert_int_equal(o.verdict.result, MOX_SPF_PERMERROR);
    assert_string_equal(o.verdict.problem, "more than 10 terms look something up");
    assert_int_equal(o.asked, 11); /* the record and ten hosts */
    assert_int_equal(o.rounds, 2);
}

static void loops_end(void **state)
{
    (void)state;
    struct outcome o =
        check("a.example\tTXT\tv=spf1 redirect=a.example\n", "a.example", "x.example");
    assert_int_equal(o.verdict.result, MOX_SPF_PERMERROR);
    assert_int_equal(o.rounds, 1);
    o = check(
        "a.example\tTXT\tv=spf1 include:b.example\nb.example\tTXT\tv=spf1 include:a.example\n",
        "a.example", "x.example");
    assert_int_equal(o.verdict.result, MOX_SPF_PERMERROR);
}

static void a_match_in_front_of_the_third_void_lookup_counts(void **state)
{
    (void)state;
    struct outcome o = check("a.example\tTXT\tv=spf1 a:x1.example a:x2.example a:h.example "
                             "a:x3.example -all\nh.example\tA\t192.0.2.1\n",
                             "a.example", "x.example");
    assert_int_equal(o.verdict.result, MOX_SPF_PASS);
    o = check("a.example\tTXT\tv=spf1 a:x1.example a:x2.example a:x3.example a:h.example "
              "-all\nh.example\tA\t192.0.2.1\n",
              "a.example", "x.example");
    assert_int_equal(o.verdict.result, MOX_SPF_PERMERROR);
    assert_string_equal(o.verdict.problem, "more than 2 terms look up what is not there");
}

static void the_identity_is_chosen(void **state)
{
    (void)state;
    static const char zone[] = "a.example\tTXT\tv=spf1 +all\nb.example\tTXT\tv=spf1 -all\n";
    struct outcome o = check(zone, "a.example", "b.example");
    assert_int_equal(o.verdict.identity, MOX_SPF_IDENTITY_MAILFROM);
    assert_string_equal(o.verdict.sender, "me@a.example");
    o = check(zone, "", "b.example");
    assert_int_equal(o.verdict.identity, MOX_SPF_IDENTITY_HELO);
    assert_string_equal(o.verdict.sender, "postmaster@b.example");
    assert_int_equal(o.verdict.result, MOX_SPF_FAIL);
    o = check(zone, "", "[192.0.2.1]");
    assert_int_equal(o.verdict.identity, MOX_SPF_IDENTITY_NONE);
    assert_int_equal(o.verdict.result, MOX_SPF_NONE);
    assert_int_equal(o.asked, 0);
    o = check(zone, "", "localhost");
    assert_int_equal(o.verdict.result, MOX_SPF_NONE);
    assert_false(o.verdict.secure); /* nothing was asked */
}

static void explanations_are_of_who_failed_the_client(void **state)
{
    (void)state;
    struct outcome o =
        check("a.example\tTXT\tv=spf1 include:b.example redirect=c.example exp=x.a.example\n"
              "b.example\tTXT\tv=spf1 -all exp=x.b.example\n"
              "c.example\tTXT\tv=spf1 -all exp=x.c.example\n"
              "x.a.example\tTXT\tthe first\nx.b.example\tTXT\tthe included\n"
              "x.c.example\tTXT\tnot %{i}, says %{d}\n",
              "a.example", "x.example");
    assert_int_equal(o.verdict.result, MOX_SPF_FAIL);
    assert_string_equal(o.verdict.explanation, "not 192.0.2.1, says c.example");
    o = check("a.example\tTXT\tv=spf1 -all exp=x.a.example\nx.a.example\tTXT\tnot\001printable\n",
              "a.example", "x.example");
    assert_string_equal(o.verdict.explanation, "");
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char zone[] = "a.example\tTXT\tv=spf1 mx include:b.example -all\na.example\tMX\t1 "
                               "h.example\nb.example\tTXT\tv=spf1 ptr -all\n";
    struct mox_dns_zone *z = NULL;
    struct mox_error err;
    assert_int_equal(mox_dns_zone_parse(&z, &t.env, slice_of(zone), "zone", &err), MOX_OK);
    bool failed = true;
    for (long n = 1; failed; n++) {
        struct mox_dns_answers *answers = NULL;
        struct mox_spf_verdict v;
        struct mox_spf_query q;
        int rc;
        mox_spf_query_init(&q);
        q.ip = "192.0.2.1";
        q.mail_from_domain = "a.example";
        t.fail_at = t.allocations + n;
        rc = mox_dns_answers_new(&answers, &t.env);
        while (rc == MOX_OK && (rc = mox_spf_check(&q, answers, &v)) == MOX_NEED_DNS)
            rc = mox_dns_zone_answer(z, answers);
        failed = t.allocations >= t.fail_at;
        t.fail_at = 0;
        assert_true(rc == (failed ? MOX_ENOMEM : MOX_OK));
        mox_dns_answers_free(answers);
    }
    mox_dns_zone_free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(macros_expand_as_in_the_rfc),
        cmocka_unit_test(long_names_lose_labels_on_the_left),
        cmocka_unit_test(wrong_records_are_explained),
        cmocka_unit_test(a_name_has_as_many_macros_as_labels),
        cmocka_unit_test(terms_are_looked_up_together),
        cmocka_unit_test(what_limits_forbid_is_not_asked),
        cmocka_unit_test(loops_end),
        cmocka_unit_test(a_match_in_front_of_the_third_void_lookup_counts),
        cmocka_unit_test(the_identity_is_chosen),
        cmocka_unit_test(explanations_are_of_who_failed_the_client),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
