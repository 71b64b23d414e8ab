/* SPDX-License-Identifier: MIT */
#include <mox/dns_zone.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/testenv.h"

#define ZONE "zone.tsv"

static struct mox_dns_zone *parsed(struct test_env *t, struct mox_slice text)
{
    struct mox_dns_zone *z;
    struct mox_error err = {0};
    if (mox_dns_zone_parse(&z, &t->env, text, ZONE, &err) < 0)
        fail_msg("%s", err.text);
    return z;
}

/* The answer as text: the outcome, or the records with commas between. */
static void describe(const struct mox_dns_answer *a, char *out, size_t size)
{
    size_t len = (size_t)snprintf(out, size, "%s", mox_dns_status_name(a->status));
    for (size_t i = 0; i < a->count; i++) {
        const struct mox_dns_record *r = &a->records[i];
        const char *gap = i == 0 ? "" : ",";
        char *at = out + (i == 0 ? len = 0 : len);
        size_t left = size - len;
        int n = 0;
        switch (a->question.type) {
        case MOX_DNS_A:
            n = snprintf(at, left, "%s%u.%u.%u.%u", gap, r->data.a[0], r->data.a[1], r->data.a[2],
                         r->data.a[3]);
            break;
        case MOX_DNS_AAAA:
            n = snprintf(at, left, "%s%02x%02x…%02x", gap, r->data.aaaa[0], r->data.aaaa[1],
                         r->data.aaaa[15]);
            break;
        case MOX_DNS_NS:
        case MOX_DNS_CNAME:
        case MOX_DNS_PTR:
            n = snprintf(at, left, "%s%s", gap, r->data.name);
            break;
        case MOX_DNS_MX:
            n = snprintf(at, left, "%s%u %s", gap, r->data.mx.preference, r->data.mx.host);
            break;
        case MOX_DNS_TXT:
            n = snprintf(at, left, "%s[%.*s]", gap, (int)r->data.txt.len,
                         (const char *)r->data.txt.data);
            break;
        case MOX_DNS_SRV:
            n = snprintf(at, left, "%s%u %u %u %s", gap, r->data.srv.priority, r->data.srv.weight,
                         r->data.srv.port, r->data.srv.target);
            break;
        case MOX_DNS_TLSA:
            n = snprintf(at, left, "%s%u %u %u %02x+%zu", gap, r->data.tlsa.usage,
                         r->data.tlsa.selector, r->data.tlsa.matching, r->data.tlsa.data.data[0],
                         r->data.tlsa.data.len);
            break;
        }
        len += (size_t)n;
        assert_true(len < size);
    }
}

static void expect(const struct mox_dns_zone *z, const char *name, enum mox_dns_type type,
                   const char *expected)
{
    struct test_env t;
    test_env_init(&t);
    struct mox_dns_answers *answers;
    const struct mox_dns_answer *answer;
    char text[1000];
    assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
    assert_int_equal(mox_dns_ask(answers, slice_of(name), type, &answer), MOX_NEED_DNS);
    assert_int_equal(mox_dns_zone_answer(z, answers), MOX_OK);
    assert_int_equal(mox_dns_ask(answers, slice_of(name), type, &answer), MOX_OK);
    assert_false(answer->secure);
    describe(answer, text, sizeof text);
    if (strcmp(text, expected) != 0)
        fail_msg("%s: %s instead of %s", name, text, expected);
    mox_dns_answers_free(answers);
    test_env_done(&t);
}

static const char all_types[] = "# name\ttype\tvalue\r\n"
                                "\r\n"
                                "Example.ORG.\tA\t192.0.2.1\r\n"
                                "example.org\ta\t192.0.2.2\r\n"
                                "example.org\tA\t192.0.2.1\r\n"
                                "example.org\tAAAA\t2001:db8::1\n"
                                "example.org\tMX\t10 Mx.example.org.\n"
                                "example.org\tMX\t5  other.example\n"
                                "null.example\tMX\t0 .\n"
                                "example.org\tNS\tns.example\n"
                                "1.2.0.192.in-addr.arpa\tPTR\tHost.example\n"
                                "_imaps._tcp.example.org\tSRV\t0 1 993 imap.example\n"
                                "_25._tcp.mx.example.org\tTLSA\t3 1 1 00fF1a\n"
                                "example.org\tTXT\tv=spf1 \t-all\\\"\xff \n"
                                "empty.example\tTXT\t\n"
                                "bang.example\tTXT\t!not an outcome\n"
                                "mapped.example\tAAAA\t::ffff:192.0.2.1\n"
                                ".\tNS\ta.root.example";

static void records_of_every_type_are_answered(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct mox_dns_zone *z = parsed(&t, slice_of(all_types));
    expect(z, "example.org", MOX_DNS_A, "192.0.2.1,192.0.2.2,192.0.2.1");
    expect(z, "EXAMPLE.org.", MOX_DNS_AAAA, "2001…01");
    expect(z, "mapped.example", MOX_DNS_AAAA, "0000…01");
    expect(z, "example.org", MOX_DNS_MX, "10 mx.example.org,5 other.example");
    expect(z, "null.example", MOX_DNS_MX, "0 ");
    expect(z, "example.org", MOX_DNS_NS, "ns.example");
    expect(z, "", MOX_DNS_NS, "a.root.example");
    expect(z, "1.2.0.192.in-addr.arpa", MOX_DNS_PTR, "host.example");
    expect(z, "_imaps._tcp.example.org", MOX_DNS_SRV, "0 1 993 imap.example");
    expect(z, "_25._tcp.mx.example.org", MOX_DNS_TLSA, "3 1 1 00+3");
    expect(z, "example.org", MOX_DNS_TXT, "[v=spf1 \t-all\\\"\xff ]");
    expect(z, "empty.example", MOX_DNS_TXT, "[]");
    expect(z, "bang.example", MOX_DNS_TXT, "[!not an outcome]");
    mox_dns_zone_free(z);
    test_env_done(&t);
}

static void what_is_not_there_is_nodata_or_nxdomain(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct mox_dns_zone *z = parsed(&t, slice_of("a.b.example\tA\t192.0.2.1\n"
                                                 "-b.example\tA\t192.0.2.1\n"
                                                 "gone.example\tA\t!NXDOMAIN\n"
                                                 "x.gone.example\tA\t!NXDOMAIN\n"
                                                 "slow.example\tTXT\t!TIMEOUT\n"
                                                 "none.example\tTXT\t!NODATA\n"
                                                 "bad.example\tTXT\t!SERVFAIL\n"
                                                 "forged.example\tTXT\t!BOGUS\n"));
    expect(z, "a.b.example", MOX_DNS_TXT, "nodata");
    expect(z, "b.example", MOX_DNS_A, "nxdomain"); /* though names below it are there */
    expect(z, "example", MOX_DNS_A, "nxdomain");
    expect(z, "", MOX_DNS_A, "nxdomain");
    expect(z, "c.example", MOX_DNS_A, "nxdomain");
    expect(z, "ample", MOX_DNS_A, "nxdomain");
    expect(z, "gone.example", MOX_DNS_A, "nxdomain");
    expect(z, "gone.example", MOX_DNS_TXT, "nxdomain");
    expect(z, "slow.example", MOX_DNS_TXT, "timeout");
    expect(z, "slow.example", MOX_DNS_A, "nodata");
    expect(z, "none.example", MOX_DNS_TXT, "nodata");
    expect(z, "bad.example", MOX_DNS_TXT, "servfail");
    expect(z, "forged.example", MOX_DNS_TXT, "bogus");
    mox_dns_zone_free(z);
    z = parsed(&t, slice_of(""));
    expect(z, "example", MOX_DNS_A, "nxdomain");
    expect(z, "", MOX_DNS_A, "nxdomain");
    mox_dns_zone_free(z);
    test_env_done(&t);
}

static void cnames_are_followed(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct mox_dns_zone *z = parsed(&t, slice_of("www.example\tCNAME\tHost.Example.\n"
                                                 "host.example\tA\t192.0.2.1\n"
                                                 "two.example\tCNAME\twww.example\n"
                                                 "out.example\tCNAME\tabsent.example\n"
                                                 "slow.example\tCNAME\t!TIMEOUT\n"
                                                 "to-slow.example\tCNAME\tslow.example\n"
                                                 "none.example\tCNAME\t!NODATA\n"
                                                 "l1.example\tCNAME\tl2.example\n"
                                                 "l2.example\tCNAME\tl1.example\n"));
    expect(z, "www.example", MOX_DNS_A, "192.0.2.1");
    expect(z, "two.example", MOX_DNS_A, "192.0.2.1");
    expect(z, "two.example", MOX_DNS_TXT, "nodata");
    expect(z, "two.example", MOX_DNS_CNAME, "www.example");
    expect(z, "host.example", MOX_DNS_CNAME, "nodata");
    expect(z, "out.example", MOX_DNS_A, "nxdomain");
    expect(z, "to-slow.example", MOX_DNS_A, "timeout");
    expect(z, "none.example", MOX_DNS_A, "nodata");
    expect(z, "l1.example", MOX_DNS_A, "servfail");
    expect(z, "l1.example", MOX_DNS_CNAME, "l2.example");
    mox_dns_zone_free(z);
    test_env_done(&t);
}

static void a_chain_has_a_bound(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    char text[2000];
    size_t len = 0;
    for (int i = 0; i < 17; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "c%d.example\tCNAME\tc%d.example\n",
                                i, i + 1);
    len += (size_t)snprintf(text + len, sizeof text - len, "c17.example\tA\t192.0.2.1\n");
    struct mox_dns_zone *z = parsed(&t, slice(text, len));
    expect(z, "c0.example", MOX_DNS_A, "servfail");
    expect(z, "c1.example", MOX_DNS_A, "192.0.2.1");
    mox_dns_zone_free(z);
    test_env_done(&t);
}

static void errors_say_where_and_what_helps(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"a.example", "zone.tsv:1: no tab"},
        {"\n# ok\na.example\tA", "zone.tsv:3: no second tab"},
        {"a..example\tA\t192.0.2.1", "zone.tsv:1: no domain name"},
        {"\tA\t192.0.2.1", "zone.tsv:1: no domain name"},
        {"a.example\tSOA\tx", "zone.tsv:1: unknown type"},
        {"a.example\tA\t192.0.2", "zone.tsv:1: no value of type A; write an IPv4 address"},
        {"a.example\tA\t::1", "zone.tsv:1: no value of type A"},
        {"a.example\tA\t!NXDOMAN", "zone.tsv:1: no value of type A"},
        {"a.example\tAAAA\t192.0.2.1", "zone.tsv:1: no value of type AAAA"},
        {"a.example\tMX\tmx.example", "zone.tsv:1: no value of type MX"},
        {"a.example\tMX\t10", "zone.tsv:1: no value of type MX"},
        {"a.example\tMX\t65536 mx.example", "zone.tsv:1: no value of type MX"},
        {"a.example\tPTR\t", "zone.tsv:1: no value of type PTR"},
        {"a.example\tSRV\t0 1 mx.example", "zone.tsv:1: no value of type SRV"},
        {"a.example\tTLSA\t3 1 256 00", "zone.tsv:1: no value of type TLSA"},
        {"a.example\tTLSA\t3 1 1 0", "zone.tsv:1: no value of type TLSA"},
        {"a.example\tTLSA\t3 1 1 0g", "zone.tsv:1: no value of type TLSA"},
        {"a.example\tTXT\tx\nb.example\tA\t!NODATA\nA.example\tTXT\t!NXDOMAIN",
         "zone.tsv:3: records, or another outcome"},
        {"a.example\tTXT\t!TIMEOUT\na.example\tTXT\tx", "zone.tsv:2: records, or another"},
    };
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_dns_zone *z;
        struct mox_error err = {0};
        int rc = mox_dns_zone_parse(&z, &t.env, slice_of(cases[i].text), ZONE, &err);
        assert_int_equal(rc, MOX_ESYNTAX);
        assert_null(z);
        if (strncmp(err.text, cases[i].error, strlen(cases[i].error)) != 0)
            fail_msg("%s instead of %s", err.text, cases[i].error);
    }
    test_env_done(&t);
}

/* Both look-ups and the parser have to be far from quadratic for this to end. */
static void large_files_are_read(void **state)
{
    (void)state;
    enum { LINES = 100000 };
    struct test_env t;
    test_env_init(&t);
    size_t size = (size_t)LINES * 64, len = 0;
    char *text = malloc(size);
    assert_non_null(text);
    for (int i = 0; i < LINES; i++)
        len += (size_t)snprintf(text + len, size - len, "h%d.example\tA\t%s\n", i % (LINES / 2) * 3,
                                i % 2 == 0 ? "192.0.2.7" : "192.0.2.8");
    struct mox_dns_zone *z = parsed(&t, slice(text, len));
    free(text);
    for (int i = 0; i < 1000; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "h%d.example", i * 3);
        expect(z, name, MOX_DNS_A, i % 2 == 0 ? "192.0.2.7,192.0.2.7" : "192.0.2.8,192.0.2.8");
        (void)snprintf(name, sizeof name, "h%d.example", i * 3 + 1);
        expect(z, name, MOX_DNS_A, "nxdomain");
    }
    mox_dns_zone_free(z);
    test_env_done(&t);
}

static void a_text_has_the_size_of_a_record(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    static const char head[] = "a.example\tTXT\t";
    static char text[sizeof head + 65280];
    memset(text, 'x', sizeof text);
    memcpy(text, head, sizeof head - 1);
    struct mox_dns_zone *z = parsed(&t, slice(text, sizeof head - 1 + 65279));
    mox_dns_zone_free(z);
    struct mox_error err;
    assert_int_equal(
        mox_dns_zone_parse(&z, &t.env, slice(text, sizeof head - 1 + 65280), ZONE, &err),
        MOX_ESYNTAX);
    test_env_done(&t);
}

static void the_corpora_are_read(void **state)
{
    (void)state;
    static const char *const files[] = {"dkim/dns.tsv", "dmarc/rspamd/dns.tsv"};
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *path = corpus_path(files[i]);
        if (path == NULL)
            skip();
        struct mox_slice text = read_file(path);
        struct mox_dns_zone *z = parsed(&t, text);
        free((void *)(uintptr_t)text.data);
        if (i == 0)
            expect(z, "2023-05-ed25519-empty._domainkey.wander.science", MOX_DNS_TXT, "[]");
        mox_dns_zone_free(z);
    }
    test_env_done(&t);
}

static void no_memory_is_said(void **state)
{
    (void)state;
    for (long nth = 1;; nth++) {
        struct test_env t;
        test_env_init(&t);
        t.fail_at = nth;
        struct mox_dns_zone *z;
        struct mox_error err = {0};
        int rc = mox_dns_zone_parse(&z, &t.env, slice_of(all_types), ZONE, &err);
        bool is_enough = t.allocations < nth;
        assert_int_equal(rc, is_enough ? MOX_OK : MOX_ENOMEM);
        if (!is_enough)
            assert_non_null(strstr(err.text, "out of memory"));
        mox_dns_zone_free(z);
        test_env_done(&t);
        if (is_enough)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_every_type_are_answered),
        cmocka_unit_test(what_is_not_there_is_nodata_or_nxdomain),
        cmocka_unit_test(cnames_are_followed),
        cmocka_unit_test(a_chain_has_a_bound),
        cmocka_unit_test(errors_say_where_and_what_helps),
        cmocka_unit_test(large_files_are_read),
        cmocka_unit_test(a_text_has_the_size_of_a_record),
        cmocka_unit_test(the_corpora_are_read),
        cmocka_unit_test(no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
