/* SPDX-License-Identifier: MIT */
#include <mox/dmarc_report.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

static const char all_of_it[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<feedback><version>1.0</version>\n"
    "<report_metadata><org_name> Example\n GmbH </org_name><email>dmarc@example.org</email>"
    "<extra_contact_info>https://example.org/?a=b&amp;c</extra_contact_info>"
    "<report_id>17</report_id><date_range><begin> 1700000000 "
    "</begin><end>1700086399</end></date_range>"
    "<error>first</error><error>second</error><generator>g 1</generator></report_metadata>"
    "<policy_published><domain>Example.COM</domain><adkim>r</adkim><aspf>S</aspf><p>Reject</p>"
    "<sp>none</sp><np>quarantine</np><pct>50</pct><fo>1:d</fo><testing>n</testing>"
    "<discovery_method>psl</discovery_method></policy_published>"
    "<record><row><source_ip>192.0.2.1</source_ip><count>12</count><policy_evaluated>"
    "<disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>"
    "<reason><type>forwarded</type><comment>arc=pass</comment></reason>"
    "<reason><type>other</type></reason></policy_evaluated></row>"
    "<identifiers><envelope_to>a.example</envelope_to><envelope_from>b.example</envelope_from>"
    "<header_from>c.example</header_from></identifiers>"
    "<auth_results><dkim><domain>d.example</domain><selector>S1</selector><result>pass</result>"
    "<human_result>fine</human_result></dkim><dkim><domain>e.example</domain></dkim>"
    "<spf><domain>f.example</domain><scope>mfrom</scope><result>softfail</result></spf>"
    "</auth_results></record>"
    "<record><row><source_ip>2001:db8::1</source_ip><count>1</count></row></record></feedback>";

static int parse(struct test_env *t, struct mox_slice xml, struct mox_dmarc_report **out,
                 struct mox_error *err)
{
    *err = (struct mox_error){0};
    int rc = mox_dmarc_report_parse(out, &t->env, xml, err);
    assert_true((rc == MOX_OK) == (*out != NULL));
    assert_true(rc == MOX_OK || (err->status == rc && err->text[0] != '\0'));
    return rc;
}

static void check_metadata(const struct mox_dmarc_report *r)
{
    assert_string_equal(r->version, "1.0");
    assert_string_equal(r->org_name, "Example  GmbH");
    assert_string_equal(r->email, "dmarc@example.org");
    assert_string_equal(r->extra_contact_info, "https://example.org/?a=b&c");
    assert_string_equal(r->report_id, "17");
    assert_string_equal(r->generator, "g 1");
    assert_true(r->begin == 1700000000 && r->end == 1700086399);
    assert_int_equal(r->error_count, 2);
    assert_string_equal(r->errors[0], "first");
    assert_string_equal(r->errors[1], "second");
}

static void check_policy(const struct mox_dmarc_report_policy *p)
{
    assert_string_equal(p->domain, "example.com");
    assert_string_equal(p->adkim, "r");
    assert_string_equal(p->aspf, "s");
    assert_string_equal(p->p, "reject");
    assert_string_equal(p->sp, "none");
    assert_string_equal(p->np, "quarantine");
    assert_int_equal(p->percent, 50);
    assert_string_equal(p->fo, "1:d");
    assert_string_equal(p->testing, "n");
    assert_string_equal(p->discovery_method, "psl");
}

static void check_record(const struct mox_dmarc_report_record *r)
{
    assert_string_equal(r->source_ip, "192.0.2.1");
    assert_int_equal(r->count, 12);
    assert_string_equal(r->disposition, "none");
    assert_string_equal(r->dkim, "pass");
    assert_string_equal(r->spf, "fail");
    assert_int_equal(r->reason_count, 2);
    assert_string_equal(r->reasons[0].type, "forwarded");
    assert_string_equal(r->reasons[0].comment, "arc=pass");
    assert_string_equal(r->reasons[1].type, "other");
    assert_string_equal(r->reasons[1].comment, "");
    assert_string_equal(r->envelope_to, "a.example");
    assert_string_equal(r->envelope_from, "b.example");
    assert_string_equal(r->header_from, "c.example");
    assert_int_equal(r->dkim_result_count, 2);
    assert_string_equal(r->dkim_results[0].domain, "d.example");
    assert_string_equal(r->dkim_results[0].selector, "S1");
    assert_string_equal(r->dkim_results[0].result, "pass");
    assert_string_equal(r->dkim_results[0].human_result, "fine");
    assert_string_equal(r->dkim_results[1].domain, "e.example");
    assert_string_equal(r->dkim_results[1].result, "");
    assert_int_equal(r->spf_result_count, 1);
    assert_string_equal(r->spf_results[0].domain, "f.example");
    assert_string_equal(r->spf_results[0].scope, "mfrom");
    assert_string_equal(r->spf_results[0].result, "softfail");
}

static void each_element_is_read(void **state)
{
    (void)state;
    struct test_env t;
    struct mox_dmarc_report *r;
    struct mox_error err;
    test_env_init(&t);
    assert_int_equal(parse(&t, slice_of(all_of_it), &r, &err), MOX_OK);
    check_metadata(r);
    check_policy(&r->policy);
    assert_int_equal(r->record_count, 2);
    check_record(&r->records[0]);
    assert_string_equal(r->records[1].source_ip, "2001:db8::1");
    assert_string_equal(r->records[1].header_from, "");
    assert_int_equal(r->records[1].dkim_result_count, 0);
    mox_dmarc_report_free(r);
    mox_dmarc_report_free(NULL);
    test_env_done(&t);
}

static void what_is_absent_is_tolerated(void **state)
{
    (void)state;
    struct test_env t;
    struct mox_dmarc_report *r;
    struct mox_error err;
    test_env_init(&t);
    assert_int_equal(parse(&t,
                           slice_of("<feedback><report_metadata><date_range><begin/></date_range>"
                                    "</report_metadata><record/></feedback>"),
                           &r, &err),
                     MOX_OK);
    assert_string_equal(r->org_name, "");
    assert_true(r->begin == 0 && r->policy.percent == -1 && r->record_count == 1);
    assert_string_equal(r->policy.domain, "");
    assert_string_equal(r->records[0].disposition, "");
    mox_dmarc_report_free(r);
    test_env_done(&t);
}

/* The org_name of a report, or of one that is refused the status. */
static void org_name_is(const char *xml, size_t len, const char *want)
{
    struct test_env t;
    struct mox_dmarc_report *r;
    struct mox_error err;
    test_env_init(&t);
    int rc = parse(&t, slice(xml, len), &r, &err);
    if (rc != MOX_OK)
        fail_msg("%.*s: %s", (int)len, xml, err.text);
    assert_string_equal(r->org_name, want);
    mox_dmarc_report_free(r);
    test_env_done(&t);
}

#define NAMED(before, name, after)                                                                 \
    before "<feedback><report_metadata><org_name>" name                                            \
           "</org_name></report_metadata></feedback>" after

static void what_does_not_belong_there_is_passed_over(void **state)
{
    (void)state;
    static const char *const rows[] = {
        NAMED("", "A", ""),
        NAMED("\xef\xbb\xbf", "A", ""),
        NAMED(" \r\n\t<?xml version=\"1.0\"?>", "A", " \n"),
        NAMED("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>", "A", ""),
        NAMED("<!DOCTYPE feedback>", "A", ""),
        NAMED("<!DOCTYPE feedback SYSTEM \"http://127.0.0.1:1/x.dtd\">", "A", ""),
        NAMED("<!-- <org_name>B</org_name> -->", "A", ""),
        NAMED("", "A", "<feedback>B</feedback>"), /* a second document */
        NAMED("", "A", "\1\2 no XML"),
        NAMED("", "<![CDATA[A]]>", ""),
        NAMED("", "A<b>B</b>", ""),
        "<feedback>x<report_metadata>y<org_name>A</org_name>z</report_metadata></feedback>",
        "<feedback><org_name>B</org_name><report_metadata><org_name>A</org_name></report_metadata>"
        "</feedback>",
        "<feedback><x><report_metadata><org_name>B</org_name></report_metadata></"
        "x><report_metadata>"
        "<org_name>A</org_name></report_metadata></feedback>",
        "<feedback "
        "xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\"><report_metadata><org_name>A</org_name>"
        "</report_metadata></feedback>",
        "<d:feedback xmlns:d=\"urn:x\"><d:report_metadata><d:org_name lang=\"en\">A</d:org_name>"
        "</d:report_metadata></d:feedback>",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        org_name_is(rows[i], strlen(rows[i]), "A");
    /* RFC 7303 §3.2: UTF-16 says so by its begin. */
    static const char wide[] = NAMED("", "A", "");
    char utf16[2 * sizeof wide] = "\xff\xfe";
    for (size_t i = 0; i + 1 < sizeof wide; i++)
        utf16[2 + 2 * i] = wide[i];
    org_name_is(utf16, 2 * sizeof wide, "A");
}

static void texts_are_one_clean_line(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *want;
    } rows[] = {
        {" a \r\n b\t", "a   b"},
        {"a&#10;Bcc: x&#13;", "a Bcc: x"},
        {"B\xc3\xa4r \xe2\x82\xac \xf0\x9f\x90\xbb", "B\xc3\xa4r \xe2\x82\xac \xf0\x9f\x90\xbb"},
        {"&#x80;&#x9b;31m&#x7f;", "??31m?"},
        {"&#x202e;gpj.exe&#x2066;&#x200f;&#x2028;&#xfeff;", "?gpj.exe????"},
        {"&lt;b&gt; &amp;amp;", "<b> &amp;"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char xml[500];
        int len = snprintf(xml, sizeof xml, NAMED("", "%s", ""), rows[i].raw);
        org_name_is(xml, (size_t)len, rows[i].want);
    }
}

/* `before`, then `piece` n times, then `after`; freed with free(). */
static struct mox_slice repeated(const char *before, const char *piece, size_t n, const char *after)
{
    size_t len = strlen(before) + strlen(piece) * n + strlen(after), size = strlen(piece);
    char *out = malloc(len + 1);
    assert_non_null(out);
    char *at = stpcpy(out, before);
    for (size_t i = 0; i < n; i++, at += size)
        memcpy(at, piece, size);
    memcpy(at, after, strlen(after) + 1);
    return slice(out, len);
}

static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    struct mox_slice xml = repeated("<feedback><report_metadata><org_name>x", "\xe2\x82\xac", 1000,
                                    "</org_name></report_metadata></feedback>");
    struct mox_slice want = repeated("x", "\xe2\x82\xac", (MOX_DMARC_REPORT_TEXT_MAX - 1) / 3, "");
    org_name_is((const char *)xml.data, xml.len, (const char *)want.data);
    free((void *)(uintptr_t)xml.data);
    free((void *)(uintptr_t)want.data);
    /* Nor is a space left where half a character was behind it. */
    xml = repeated("<feedback><report_metadata><org_name>", "a", MOX_DMARC_REPORT_TEXT_MAX - 2,
                   " \xc3\xa4</org_name></report_metadata></feedback>");
    want = repeated("", "a", MOX_DMARC_REPORT_TEXT_MAX - 2, "");
    org_name_is((const char *)xml.data, xml.len, (const char *)want.data);
    free((void *)(uintptr_t)xml.data);
    free((void *)(uintptr_t)want.data);
}

static int refused_slice(struct mox_slice xml, const char *why)
{
    struct test_env t;
    struct mox_dmarc_report *r;
    struct mox_error err;
    test_env_init(&t);
    int rc = parse(&t, xml, &r, &err);
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
        const char *xml, *why;
    } rows[] = {
        {"", "no element found"},
        {"  ", "no element found"},
        {"Dear Sir", "syntax error"},
        {"<feedback>", "no element found"},
        {"<feedback><record></feedback>", "mismatched tag"},
        {"<feedback>&nbsp;</feedback>", "undefined entity"},
        {"<feedback>\xff</feedback>", "not well-formed"},
        {"<?xml version=\"1.0\" encoding=\"x-\x1b[31m\"?><feedback/>", "line 1"},
        {"<html/>", "first element is not <feedback>"},
        {"<xs:schema><feedback/></xs:schema>", "first element is not <feedback>"},
        {"<feedback><record><row><count>many</count></row></record></feedback>", "<count> is not"},
        {"<feedback><record><row><count>-1</count></row></record></feedback>", "<count> is not"},
        {"<feedback><record><row><count>9223372036854775808</count></row></record></feedback>",
         "<count> is not"},
        {"<feedback><policy_published><pct>101</pct></policy_published></feedback>", "up to 100"},
        {"<feedback><report_metadata><date_range><end>253402300800</end></date_range>"
         "</report_metadata></feedback>",
         "<end> is not"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(refused_slice(slice_of(rows[i].xml), rows[i].why), MOX_ESYNTAX);
}

static void no_entity_ever_grows(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "<!DOCTYPE feedback [<!ENTITY a \"x\"><!ENTITY b \"&a;&a;\">]><feedback>&b;</feedback>",
        "<!DOCTYPE feedback [<!ENTITY % a \"x\"> %a;]><feedback/>",
        "<!DOCTYPE feedback [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><feedback>&a;</feedback>",
        "<!DOCTYPE feedback [<!ATTLIST record a CDATA \"x\">]><feedback><record/></feedback>",
        "<!DOCTYPE feedback SYSTEM \"x\" []><feedback/>",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(refused_slice(slice_of(rows[i]), "declares something"), MOX_ESYNTAX);
}

/* What a report of a size may hold at most, and that one more is refused. */
static void bound(const char *before, const char *piece, size_t max, const char *after,
                  const char *why)
{
    struct test_env t;
    struct mox_dmarc_report *r;
    struct mox_error err;
    test_env_init(&t);
    struct mox_slice most = repeated(before, piece, max, after);
    int rc = parse(&t, most, &r, &err);
    if (rc != MOX_OK)
        fail_msg("%zu times %s: %s", max, piece, err.text);
    mox_dmarc_report_free(r);
    test_env_done(&t);
    struct mox_slice more = repeated(before, piece, max + 1, after);
    assert_int_equal(refused_slice(more, why), MOX_ELIMIT);
    free((void *)(uintptr_t)most.data);
    free((void *)(uintptr_t)more.data);
}

static void everything_has_a_bound(void **state)
{
    (void)state;
    static const char record[] = "<feedback><record><row><policy_evaluated>",
                      end[] = "</policy_evaluated></row></record></feedback>";
    bound("<feedback>", "<record/>", MOX_DMARC_REPORT_RECORDS_MAX, "</feedback>", "100000 records");
    bound(record, "<reason/>", MOX_DMARC_REPORT_LIST_MAX, end, "100 reasons");
    bound("<feedback><record><auth_results>", "<dkim/>", MOX_DMARC_REPORT_LIST_MAX,
          "</auth_results></record></feedback>", "100 DKIM results");
    bound("<feedback><record><auth_results>", "<spf/>", MOX_DMARC_REPORT_LIST_MAX,
          "</auth_results></record></feedback>", "100 SPF results");
    bound("<feedback><report_metadata>", "<error/>", MOX_DMARC_REPORT_LIST_MAX,
          "</report_metadata></feedback>", "100 errors");
    bound("<feedback>", "<x/>", 100000, "</feedback>", "100000 unknown elements");
    bound("<feedback>", "=", 500000, "</feedback>", "equal signs");
    bound("<feedback>", " ", MOX_DMARC_REPORT_XML_MAX - 21, "</feedback>", "bytes");
}

static void depth_has_a_bound(void **state)
{
    (void)state;
    struct mox_slice ends = repeated("", "</x>", 31, "</feedback>");
    struct mox_slice most = repeated("<feedback>", "<x>", 31, (const char *)ends.data);
    org_name_is((const char *)most.data, most.len, "");
    struct mox_slice deep = repeated("<feedback>", "<x>", 1000000, "");
    assert_int_equal(refused_slice(deep, "32 elements inside"), MOX_ELIMIT);
    free((void *)(uintptr_t)ends.data);
    free((void *)(uintptr_t)most.data);
    free((void *)(uintptr_t)deep.data);
}

static void a_million_records_are_refused(void **state)
{
    (void)state;
    struct mox_slice xml = repeated("<feedback>", "<record></record>", 1000000, "</feedback>");
    assert_int_equal(refused_slice(xml, "100000 records"), MOX_ELIMIT);
    free((void *)(uintptr_t)xml.data);
}

/* Each list is within its bound; all of them together would be much larger than the report. */
static void lists_have_a_bound_together(void **state)
{
    (void)state;
    struct mox_slice record =
        repeated("<record><auth_results>", "<dkim/>", 100, "</auth_results></record>");
    struct mox_slice xml = repeated("<feedback>", (const char *)record.data, 25000, "</feedback>");
    assert_int_equal(refused_slice(xml, "64 MiB of memory"), MOX_ELIMIT);
    free((void *)(uintptr_t)record.data);
    free((void *)(uintptr_t)xml.data);
}

static void each_failing_allocation_is_said(void **state)
{
    (void)state;
    struct test_env t;
    struct mox_dmarc_report *r;
    struct mox_error err;
    int rc = MOX_ENOMEM;
    for (long n = 1; rc != MOX_OK; n++) {
        test_env_init(&t);
        t.fail_at = n;
        rc = parse(&t, slice_of(all_of_it), &r, &err);
        assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
        assert_true(n < 1000 && (n > 3 || rc == MOX_ENOMEM));
        mox_dmarc_report_free(r);
        test_env_done(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_element_is_read),
        cmocka_unit_test(what_is_absent_is_tolerated),
        cmocka_unit_test(what_does_not_belong_there_is_passed_over),
        cmocka_unit_test(texts_are_one_clean_line),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(what_is_no_report_is_refused),
        cmocka_unit_test(no_entity_ever_grows),
        cmocka_unit_test(everything_has_a_bound),
        cmocka_unit_test(depth_has_a_bound),
        cmocka_unit_test(a_million_records_are_refused),
        cmocka_unit_test(lists_have_a_bound_together),
        cmocka_unit_test(each_failing_allocation_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
