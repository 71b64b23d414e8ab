/* SPDX-License-Identifier: MIT */
#include <mox/tls_report.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mailauth/report_tls.h"
#include "support/cm.h"
#include "support/testenv.h"

static const char all_of_it[] =
    "{\"organization-name\": \"Company-X\", \"contact-info\": \"sts@x.example\", \"report-id\": "
    "\"5065\","
    " \"date-range\": {\"start-datetime\": \"2016-04-01T00:00:00Z\","
    "                  \"end-datetime\": \"2016-04-01T23:59:59\"},"
    " \"policies\": [{"
    "   \"policy\": {\"policy-type\": \"STS\", \"policy-string\": [\"version: STSv1\", \"mode: "
    "testing\"],"
    "                \"policy-domain\": \"Y.example\", \"mx-host\": \"*.mail.y.example\"},"
    "   \"summary\": {\"total-successful-session-count\": 5326, \"total-failure-session-count\": "
    "303},"
    "   \"failure-details\": [{"
    "     \"result-type\": \"certificate-expired\", \"sending-mta-ip\": \"2001:db8::1\","
    "     \"receiving-mx-hostname\": \"mx1.y.example\", \"receiving-mx-helo\": \"mx1\","
    "     \"receiving-ip\": \"203.0.113.56\", \"failed-session-count\": 100,"
    "     \"additional-information\": \"https://x.example/?id=1\", \"failure-reason-code\": "
    "\"X509\"},"
    "     {\"result-type\": \"sts-webpki-invalid\"}]},"
    "  {\"policy\": {\"policy-type\": \"tlsa\", \"mx-host\": [\"a\", \"b\"]}}, {}]}";

static int parse(struct test_env *t, struct mox_slice json, struct mox_tls_report **out,
                 struct mox_error *err)
{
    *err = (struct mox_error){0};
    int rc = mox_tls_report_parse(out, &t->env, json, err);
    assert_true((rc == MOX_OK) == (*out != NULL));
    assert_true(rc == MOX_OK || (err->status == rc && err->text[0] != '\0'));
    return rc;
}

static void check_failure(const struct mox_tls_report_failure *f)
{
    assert_string_equal(f->result_type, "certificate-expired");
    assert_string_equal(f->sending_mta_ip, "2001:db8::1");
    assert_string_equal(f->receiving_mx_hostname, "mx1.y.example");
    assert_string_equal(f->receiving_mx_helo, "mx1");
    assert_string_equal(f->receiving_ip, "203.0.113.56");
    assert_int_equal(f->failed_sessions, 100);
    assert_string_equal(f->additional_information, "https://x.example/?id=1");
    assert_string_equal(f->failure_reason_code, "X509");
}

static void each_value_is_read(void **state)
{
    (void)state;
    struct test_env t;
    struct mox_tls_report *r;
    struct mox_error err;
    test_env_init(&t);
    assert_int_equal(parse(&t, slice_of(all_of_it), &r, &err), MOX_OK);
    assert_string_equal(r->organization_name, "Company-X");
    assert_string_equal(r->contact_info, "sts@x.example");
    assert_string_equal(r->report_id, "5065");
    assert_true(r->begin == 1459468800 && r->end == 1459555199);
    assert_int_equal(r->policy_count, 3);
    const struct mox_tls_report_policy *p = r->policies;
    assert_string_equal(p->type, "sts");
    assert_string_equal(p->domain, "y.example");
    assert_int_equal(p->string_count, 2);
    assert_string_equal(p->strings[1], "mode: testing");
    assert_int_equal(p->mx_host_count, 1);
    assert_string_equal(p->mx_hosts[0], "*.mail.y.example");
    assert_true(p->successful_sessions == 5326 && p->failed_sessions == 303);
    assert_int_equal(p->failure_count, 2);
    check_failure(&p->failures[0]);
    assert_string_equal(p->failures[1].receiving_ip, "");
    assert_int_equal(p->failures[1].failed_sessions, 0);
    assert_int_equal(p[1].mx_host_count, 2);
    assert_string_equal(p[1].mx_hosts[1], "b");
    assert_string_equal(p[2].type, "");
    mox_tls_report_free(r);
    mox_tls_report_free(NULL);
    test_env_done(&t);
}

static void what_is_absent_or_unknown_or_behind_is_tolerated(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{}",
        "{\"policies\": null, \"report-id\": null, \"date-range\": {\"start-datetime\": null}}",
        "{\"policies\": []}",
        "{\"what\": {\"is\": [1, 2.5, true]}}",
        "{} {\"report-id\": 1}",
        "{}\r\n--boundary--",
        "\xef\xbb\xbf {}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct test_env t;
        struct mox_tls_report *r;
        struct mox_error err;
        test_env_init(&t);
        if (parse(&t, slice_of(rows[i]), &r, &err) != MOX_OK)
            fail_msg("%s: %s", rows[i], err.text);
        assert_string_equal(r->report_id, "");
        assert_true(r->begin == 0 && r->policy_count == 0 && r->policies == NULL);
        mox_tls_report_free(r);
        test_env_done(&t);
    }
}

static int refused_slice(struct mox_slice json, const char *why)
{
    struct test_env t;
    struct mox_tls_report *r;
    struct mox_error err;
    test_env_init(&t);
    int rc = parse(&t, json, &r, &err);
    assert_int_not_equal(rc, MOX_OK);
    if (strstr(err.text, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
    for (const char *c = err.text; *c != '\0'; c++)
        assert_true(*c >= ' ' && *c < 0x7f);
    test_env_done(&t);
    return rc;
}

static void what_is_no_report_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why;
    } rows[] = {
        {"", "no JSON object in line 1"},
        {"{", "no JSON object"},
        {"{\"a\": 1,}", "no JSON object"},
        {"<feedback/>", "no JSON object"},
        {"{\"report-id\": \"\x1b[31m\xff\"}", "no JSON object"},
        {"{\"report-id\": \"a\\u0000b\"}", "no JSON object"},
        {"[]", "not an object"},
        {"{\"report-id\": 5}", "\"report-id\" is not a text"},
        {"{\"date-range\": \"2016\"}", "\"date-range\" is not an object"},
        {"{\"date-range\": {\"start-datetime\": 1}}", "\"start-datetime\" is not a time"},
        {"{\"date-range\": {\"end-datetime\": \"yesterday\"}}", "\"end-datetime\" is not a time"},
        {"{\"policies\": {}}", "\"policies\" is not a list"},
        {"{\"policies\": [5]}", "\"policies\" is not a list of objects"},
        {"{\"policies\": [{\"policy\": []}]}", "\"policy\" is not an object"},
        {"{\"policies\": [{\"policy\": {\"policy-type\": {}}}]}", "\"policy-type\" is not a text"},
        {"{\"policies\": [{\"policy\": {\"mx-host\": 5}}]}", "\"mx-host\" is not a list"},
        {"{\"policies\": [{\"policy\": {\"mx-host\": [5]}}]}",
         "\"mx-host\" is not a list of texts"},
        {"{\"policies\": [{\"failure-details\": [[]]}]}",
         "\"failure-details\" is not a list of objects"},
        {"{\"policies\": [{\"summary\": {\"total-failure-session-count\": -1}}]}",
         "is not a count"},
        {"{\"policies\": [{\"summary\": {\"total-failure-session-count\": 1.5}}]}",
         "is not a count"},
        {"{\"policies\": [{\"summary\": {\"total-failure-session-count\": \"1\"}}]}",
         "is not a count"},
        {"{\"policies\": [{\"summary\": {\"total-failure-session-count\": 9223372036854775808}}]}",
         "no JSON object"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(refused_slice(slice_of(rows[i].json), rows[i].why), MOX_ESYNTAX);
}

static void times_are_those_of_rfc_3339_with_or_without_a_zone(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t want; /* -1: none */
    } rows[] = {
        {"2016-04-01T00:00:00Z", 1459468800},
        {"2016-04-01T00:00:00", 1459468800},
        {"2016-04-01t02:00:00+02:00", 1459468800},
        {"2016-03-31T19:30:00.125-04:30", 1459468800},
        {"2016-04-01T00:00:00.999999", 1459468800},
        {"2016-02-29T00:00:00z", 1456704000},
        {"2015-02-29T00:00:00Z", -1},
        {"2016-04-01T24:00:00Z", -1},
        {"2016-13-01T00:00:00Z", -1},
        {"2016-04-01", -1},
        {"2016-04-01T00:00Z", -1},
        {"2016-04-01T00:00:00 GMT", -1},
        {"2016-04-01T00:00:00+0200", -1},
        {"2016-04-01T00:00:00.Z", -1},
        {" 2016-04-01T00:00:00Z", -1},
        {"1 Apr 2016 00:00:00", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t got = -1;
        bool is = mox__tls_report_time(slice_of(rows[i].text), &got);
        if (is != (rows[i].want >= 0) || got != rows[i].want)
            fail_msg("%s: %lld", rows[i].text, (long long)got);
    }
}

/* Freed with free(). */
static struct mox_slice repeated(const char *before, const char *piece, size_t n, const char *after)
{
    size_t size = strlen(piece), len = strlen(before) + size * n + strlen(after);
    char *out = malloc(len + 1);
    assert_non_null(out);
    char *at = stpcpy(out, before);
    for (size_t i = 0; i < n; i++, at += size)
        memcpy(at, piece, size);
    memcpy(at, after, strlen(after) + 1);
    return slice(out, len);
}

static void bound(const char *before, const char *piece, size_t n, const char *after,
                  const char *why) /* NULL: it is within */
{
    struct test_env t;
    struct mox_tls_report *r;
    struct mox_error err;
    struct mox_slice json = repeated(before, piece, n, after);
    if (why != NULL) {
        assert_int_equal(refused_slice(json, why), MOX_ELIMIT);
    } else {
        test_env_init(&t);
        assert_int_equal(parse(&t, json, &r, &err), MOX_OK);
        mox_tls_report_free(r);
        test_env_done(&t);
    }
    free((void *)(uintptr_t)json.data);
}

static void everything_has_a_bound(void **state)
{
    (void)state;
    /* `{`, `:`, `[`, and then one or two of these for each */
    bound("{\"x\":[0", ",0", MOX_TLS_REPORT_VALUES_MAX - 3, "]}", NULL);
    bound("{\"x\":[0", ",0", MOX_TLS_REPORT_VALUES_MAX - 2, "]}", "more than 500000 values");
    bound("{\"policies\":[{}", ",{}", 249000, "]}", NULL);
    bound("{\"policies\":[{}", ",{}", 1000000, "]}", "more than 500000 values");
    bound("{\"policies\":[{\"failure-details\":[{}", ",{}", 1000000, "]}]}", "500000 values");
    bound("{\"x\":", "[", 1000000, "", "nested deeper than 32");
    bound("{\"x\":\"", "[{,:\\\"", 100000, "\"}", NULL); /* in a text none of these counts */
    bound("{}", ",[{", 1000000, "", NULL);               /* nor what follows */
    bound("{\"report-id\":\"", "x", MOX_TLS_REPORT_JSON_MAX, "\"}", "more than 20971520 bytes");
}

static void texts_are_cut_and_clean(void **state)
{
    (void)state;
    struct test_env t;
    struct mox_tls_report *r;
    struct mox_error err;
    struct mox_slice json = repeated("{\"contact-info\":\"\\u001b[31m\\u202e\",\"report-id\":\"",
                                     "x", 2 * MOX_TLS_REPORT_TEXT_MAX, "\"}");
    test_env_init(&t);
    assert_int_equal(parse(&t, json, &r, &err), MOX_OK);
    assert_string_equal(r->contact_info, "?[31m?");
    assert_int_equal(strlen(r->report_id), MOX_TLS_REPORT_TEXT_MAX);
    mox_tls_report_free(r);
    test_env_done(&t);
    free((void *)(uintptr_t)json.data);
}

static void each_failing_allocation_is_said(void **state)
{
    (void)state;
    struct test_env t;
    struct mox_tls_report *r;
    struct mox_error err;
    int rc = MOX_ENOMEM;
    for (long n = 1; rc != MOX_OK; n++) {
        test_env_init(&t);
        t.fail_at = n;
        rc = parse(&t, slice_of(all_of_it), &r, &err);
        assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
        assert_true(n < 1000 && (n > 1 || rc == MOX_ENOMEM));
        mox_tls_report_free(r);
        test_env_done(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_is_read),
        cmocka_unit_test(what_is_absent_or_unknown_or_behind_is_tolerated),
        cmocka_unit_test(what_is_no_report_is_refused),
        cmocka_unit_test(times_are_those_of_rfc_3339_with_or_without_a_zone),
        cmocka_unit_test(everything_has_a_bound),
        cmocka_unit_test(texts_are_cut_and_clean),
        cmocka_unit_test(each_failing_allocation_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
