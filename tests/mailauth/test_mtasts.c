/* SPDX-License-Identifier: MIT */
#include <mox/dns_zone.h>
#include <mox/mtasts.h>

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

static void records_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
        const char *id;
    } cases[] = {
        {"v=STSv1; id=20160831085700Z;", MOX_OK, "20160831085700Z"},
        {"v=STSv1;id=1", MOX_OK, "1"},
        {"v=STSv1 \t; ext.a-b_c=x ; id=1 ; ", MOX_OK, "1"},
        {"v=STSv1; id=12345678901234567890123456789012", MOX_OK,
         "12345678901234567890123456789012"},
        {"v=STSv1; id=123456789012345678901234567890123", MOX_ESYNTAX, ""},
        {"v=STSv1; id=a-b", MOX_ESYNTAX, ""},
        {"v=STSv1; id=", MOX_ESYNTAX, ""},
        {"v=STSv1; id = 1", MOX_ESYNTAX, ""},
        {"v=STSv1; ID=1", MOX_ESYNTAX, ""},
        {"v=STSv1; id=1; id=2", MOX_ESYNTAX, ""},
        {"v=STSv1; id=1;; x=y", MOX_ESYNTAX, ""},
        {"v=STSv1; id=1; nothing", MOX_ESYNTAX, ""},
        {"v=STSv1; id=1; \xc3\xbc=1", MOX_ESYNTAX, ""},
        {"v=STSv1; id=1; x=\x01", MOX_ESYNTAX, ""},
        {"v=STSv1;", MOX_ESYNTAX, ""},
        {"v=STSv1", MOX_ENOTFOUND, ""},
        {"v=stsv1; id=1", MOX_ENOTFOUND, ""},
        {" v=STSv1; id=1", MOX_ENOTFOUND, ""},
        {"v=STSv10; id=1", MOX_ENOTFOUND, ""},
        {"id=1; v=STSv1", MOX_ENOTFOUND, ""},
        {"", MOX_ENOTFOUND, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_mtasts_record r;
        struct mox_error err = {0};
        int rc = mox_mtasts_record_parse(&r, slice_of(cases[i].text), &err);
        if (rc != cases[i].rc)
            fail_msg("%s: %d %s", cases[i].text, rc, err.text);
        if (rc == MOX_OK)
            assert_string_equal(r.id, cases[i].id);
        assert_true((rc == MOX_OK) == (err.text[0] == '\0'));
    }
}

static void a_domain_has_exactly_one_record(void **state)
{
    (void)state;
    static const char text[] = "_mta-sts.one.example\tTXT\tother\n"
                               "_mta-sts.one.example\tTXT\tv=STSv1; id=7\n"
                               "_mta-sts.two.example\tTXT\tv=STSv1; id=7\n"
                               "_mta-sts.two.example\tTXT\tv=STSv1; id=8\n"
                               "_mta-sts.wrong.example\tTXT\tv=STSv1; id=?\n"
                               "_mta-sts.slow.example\tTXT\t!TIMEOUT\n";
    static const struct {
        const char *domain;
        enum mox_policy_record_status status;
    } cases[] = {{"one.example", MOX_POLICY_RECORD_FOUND},
                 {"two.example", MOX_POLICY_RECORD_NONE},
                 {"none.example", MOX_POLICY_RECORD_NONE},
                 {"wrong.example", MOX_POLICY_RECORD_PERMERROR},
                 {"slow.example", MOX_POLICY_RECORD_TEMPERROR}};
    struct mox_dns_zone *zone = NULL;
    struct mox_error err;
    assert_int_equal(mox_dns_zone_parse(&zone, &t.env, slice_of(text), "zone", &err), MOX_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_dns_answers *answers = NULL;
        struct mox_mtasts_found found;
        int rc;
        assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
        while ((rc = mox_mtasts_lookup(&found, cases[i].domain, answers)) == MOX_NEED_DNS)
            assert_int_equal(mox_dns_zone_answer(zone, answers), MOX_OK);
        assert_int_equal(rc, MOX_OK);
        if (found.status != cases[i].status)
            fail_msg("%s: %s", cases[i].domain, found.problem);
        assert_true((found.status == MOX_POLICY_RECORD_FOUND) == (found.problem[0] == '\0'));
        if (found.status == MOX_POLICY_RECORD_FOUND)
            assert_string_equal(found.record.id, "7");
        mox_dns_answers_free(answers);
    }
    mox_dns_zone_free(zone);
}

static void policies_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
        enum mox_mtasts_mode mode;
        uint32_t max_age;
        size_t hosts;
    } cases[] = {
        {"version: STSv1\r\nmode: enforce\r\nmx: mx.example\r\nmx: *.example\r\nmax_age: 86400\r\n",
         MOX_OK, MOX_MTASTS_ENFORCE, 86400, 2},
        {"mx:MX.example\nmax_age:0\nmode:testing \nversion:STSv1", MOX_OK, MOX_MTASTS_TESTING, 0,
         1},
        {"version: STSv1\nmode: none\nmax_age: 31557600\n\n", MOX_OK, MOX_MTASTS_NONE, 31557600, 0},
        {"version: STSv1\nmode: none\nmode: enforce\nmax_age: 1\nmax_age: x\nnew-field: yes: no\n",
         MOX_OK, MOX_MTASTS_NONE, 1, 0},
        {"version: STSv2\nmode: none\nmax_age: 1\n", MOX_ESYNTAX, 0, 0, 0},
        {"mode: none\nmax_age: 1\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmax_age: 1\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: none\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: enforce\nmax_age: 1\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: Enforce\nmx: a.example\nmax_age: 1\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: none\nmax_age: 31557601\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: none\nmax_age: -1\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: none\nmax_age: 00000000001\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: testing\nmx: *\nmax_age: 1\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: testing\nmx: a.*.example\nmax_age: 1\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: testing\nmx: 192.0.2.1\nmax_age: 1\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: testing\nmx:\nmax_age: 1\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: none\nmax_age: 1\nx: \x01\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: none\nmax_age: 1\nx: \xff\n", MOX_ESYNTAX, 0, 0, 0},
        {"version: STSv1\nmode: none\nmax_age: 1\nnothing\n", MOX_ESYNTAX, 0, 0, 0},
        {"<html><body>Not: found</body></html>", MOX_ESYNTAX, 0, 0, 0},
        {"", MOX_ESYNTAX, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_mtasts_policy *p = NULL;
        struct mox_error err = {0};
        int rc = mox_mtasts_policy_parse(&p, &t.env, slice_of(cases[i].text), &err);
        if (rc != cases[i].rc)
            fail_msg("%s: %d %s", cases[i].text, rc, err.text);
        assert_true((rc == MOX_OK) == (p != NULL));
        if (rc == MOX_OK) {
            assert_int_equal(p->mode, cases[i].mode);
            assert_int_equal(p->max_age_seconds, cases[i].max_age);
            assert_int_equal(p->host_count, cases[i].hosts);
        }
        mox_mtasts_policy_free(&t.env, p);
    }
}

static void a_policy_has_bounds(void **state)
{
    (void)state;
    static char text[MOX_MTASTS_POLICY_MAX + 2];
    struct mox_mtasts_policy *p;
    struct mox_error err;
    size_t len = (size_t)snprintf(text, sizeof text, "version: STSv1\nmode: testing\nmax_age: 1\n");
    for (unsigned i = 0; i < MOX_MTASTS_HOSTS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "mx: m%u.example\n", i);
    assert_int_equal(mox_mtasts_policy_parse(&p, &t.env, slice(text, len), &err), MOX_OK);
    assert_int_equal(p->host_count, MOX_MTASTS_HOSTS_MAX);
    mox_mtasts_policy_free(&t.env, p);
    size_t one_more =
        len + (size_t)snprintf(text + len, sizeof text - len, "mx: one.more.example\n");
    assert_int_equal(mox_mtasts_policy_parse(&p, &t.env, slice(text, one_more), &err), MOX_ELIMIT);
    memset(text + len, '\n', sizeof text - len);
    assert_int_equal(mox_mtasts_policy_parse(&p, &t.env, slice(text, MOX_MTASTS_POLICY_MAX), &err),
                     MOX_OK);
    mox_mtasts_policy_free(&t.env, p);
    assert_int_equal(
        mox_mtasts_policy_parse(&p, &t.env, slice(text, MOX_MTASTS_POLICY_MAX + 1), &err),
        MOX_ELIMIT);
}

static void hosts_are_permitted_by_name_or_by_one_label(void **state)
{
    (void)state;
    static const char text[] = "version: STSv1\nmode: enforce\nmax_age: 1\n"
                               "mx: mx.one.example\nmx: *.Two.example\n";
    static const struct {
        const char *host;
        bool permitted;
    } cases[] = {
        {"mx.one.example", true},
        {"MX.One.example.", true},
        {"a.mx.one.example", false},
        {"one.example", false},
        {"a.two.example", true},
        {"A.TWO.example.", true},
        {"a.b.two.example", false},
        {"two.example", false},
        {".two.example", false},
        {"atwo.example", false},
        {"", false},
        {".", false},
    };
    struct mox_mtasts_policy *p;
    struct mox_error err;
    assert_int_equal(mox_mtasts_policy_parse(&p, &t.env, slice_of(text), &err), MOX_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (mox_mtasts_policy_permits(p, cases[i].host) != cases[i].permitted)
            fail_msg("%s", cases[i].host);
    mox_mtasts_policy_free(&t.env, p);
}

static void no_memory_is_no_policy(void **state)
{
    (void)state;
    static const char text[] = "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\n";
    int rc = MOX_ENOMEM;
    for (long n = 1; rc != MOX_OK; n++) {
        struct mox_mtasts_policy *p;
        struct mox_error err;
        t.fail_at = t.allocations + n;
        rc = mox_mtasts_policy_parse(&p, &t.env, slice_of(text), &err);
        assert_true(n < 20 && (rc == MOX_OK || (rc == MOX_ENOMEM && p == NULL)));
        mox_mtasts_policy_free(&t.env, p);
    }
    t.fail_at = 0;
}

static unsigned read_count;

static void read_published(void *user, const char *path, struct mox_slice data)
{
    (void)user;
    struct mox_mtasts_policy *p;
    struct mox_error err;
    if (strstr(path, ".txt") == NULL)
        return;
    if (mox_mtasts_policy_parse(&p, &t.env, data, &err) != MOX_OK)
        fail_msg("%s: %s", path, err.text);
    assert_true(p->host_count > 0 && p->max_age_seconds >= 86400);
    mox_mtasts_policy_free(&t.env, p);
    read_count++;
}

static void published_policies_are_read(void **state)
{
    (void)state;
    const char *folder = corpus_path("autoconf/mta-sts");
    if (folder == NULL)
        skip();
    each_file(folder, read_published, NULL);
    assert_int_equal(read_count, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read),
        cmocka_unit_test(a_domain_has_exactly_one_record),
        cmocka_unit_test(policies_are_read),
        cmocka_unit_test(a_policy_has_bounds),
        cmocka_unit_test(hosts_are_permitted_by_name_or_by_one_label),
        cmocka_unit_test(no_memory_is_no_policy),
        cmocka_unit_test(published_policies_are_read),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
