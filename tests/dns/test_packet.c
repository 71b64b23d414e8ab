/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dns/packet.h"
#include "support/cm.h"

static void addresses_are_read(void **state)
{
    (void)state;
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    begin(OK, "A.Example", MOX_DNS_A, 2); /* whatever the case: draft-vixie-dnsext-dns0x20 */
    put_pointer(AT_QUESTION);
    put_a(1);
    put_name("a.EXAMPLE");
    put_a(2);
    const struct mox_dns_answer *a = answer_to("a.eXample.", MOX_DNS_A);
    assert_int_equal(a->count, 2);
    assert_memory_equal(a->records[0].data.a, "\xc0\x00\x02\x01", 4);
    assert_memory_equal(a->records[1].data.a, "\xc0\x00\x02\x02", 4);
    assert_int_equal(a->records[0].ttl, 300);

    begin(OK, "a.example", MOX_DNS_AAAA, 1);
    put_pointer(AT_QUESTION);
    begin_data(MOX_DNS_AAAA);
    put_bytes(v6, sizeof v6);
    end_data();
    a = answer_to("a.example", MOX_DNS_AAAA);
    assert_memory_equal(a->records[0].data.aaaa, v6, sizeof v6);
}

static void names_in_data_are_read(void **state)
{
    (void)state;
    begin(OK, "a.example", MOX_DNS_MX, 2);
    put_pointer(AT_QUESTION);
    begin_data(MOX_DNS_MX);
    put16(10);
    put_labels("Mx1");
    put_pointer(AT_QUESTION);
    end_data();
    put_pointer(AT_QUESTION);
    begin_data(MOX_DNS_MX);
    put16(0);
    put8(0);
    end_data();
    const struct mox_dns_answer *a = answer_to("a.example", MOX_DNS_MX);
    assert_int_equal(a->count, 2);
    assert_int_equal(a->records[0].data.mx.preference, 10);
    assert_string_equal(a->records[0].data.mx.host, "mx1.a.example");
    assert_string_equal(a->records[1].data.mx.host, ""); /* RFC 7505 */

    static const enum mox_dns_type types[] = {MOX_DNS_NS, MOX_DNS_PTR, MOX_DNS_CNAME};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        begin(OK, "a.example", types[i], 1);
        put_pointer(AT_QUESTION);
        begin_data(types[i]);
        put_name("Host.b.example");
        end_data();
        a = answer_to("a.example", types[i]);
        assert_int_equal(a->status, MOX_DNS_FOUND);
        assert_string_equal(a->records[0].data.name, "host.b.example");
    }

    begin(OK, "_x._tcp.a.example", MOX_DNS_SRV, 1);
    put_pointer(AT_QUESTION);
    begin_data(MOX_DNS_SRV);
    put16(1);
    put16(2);
    put16(993);
    put_name("imap.example");
    end_data();
    a = answer_to("_x._tcp.a.example", MOX_DNS_SRV);
    assert_int_equal(a->records[0].data.srv.priority, 1);
    assert_int_equal(a->records[0].data.srv.weight, 2);
    assert_int_equal(a->records[0].data.srv.port, 993);
    assert_string_equal(a->records[0].data.srv.target, "imap.example");
}

static void strings_are_joined(void **state)
{
    (void)state;
    begin(OK, "a.example", MOX_DNS_TXT, 3);
    put_pointer(AT_QUESTION);
    begin_data(MOX_DNS_TXT);
    put_label("v=spf1 ", 7);
    put_label("", 0);
    put_label("a\0\xff", 3);
    end_data();
    put_pointer(AT_QUESTION);
    begin_data(MOX_DNS_TXT);
    put8(0);
    end_data();
    put_pointer(AT_QUESTION);
    begin_data(MOX_DNS_TXT);
    for (size_t i = 0; i < 200; i++) {
        put8(255);
        for (size_t j = 0; j < 255; j++)
            put8('x');
    }
    end_data();
    const struct mox_dns_answer *a = answer_to("a.example", MOX_DNS_TXT);
    assert_int_equal(a->count, 3);
    assert_true(mox__slice_eq(a->records[0].data.txt, slice("v=spf1 a\0\xff", 10)));
    assert_int_equal(a->records[1].data.txt.len, 0);
    assert_int_equal(a->records[2].data.txt.len, 200 * 255);
}

static void tlsa_is_read(void **state)
{
    (void)state;
    begin(OK, "_25._tcp.a.example", MOX_DNS_TLSA, 1);
    put_pointer(AT_QUESTION);
    begin_data(MOX_DNS_TLSA);
    put_bytes("\3\1\2\xaa\xbb", 5);
    end_data();
    const struct mox_dns_record *r = answer_to("_25._tcp.a.example", MOX_DNS_TLSA)->records;
    assert_int_equal(r->data.tlsa.usage, 3);
    assert_int_equal(r->data.tlsa.selector, 1);
    assert_int_equal(r->data.tlsa.matching, 2);
    assert_true(mox__slice_is(r->data.tlsa.data, "\xaa\xbb"));
}

static void what_was_not_asked_is_ignored(void **state)
{
    (void)state;
    begin(OK, "a.example", MOX_DNS_A, 5);
    put_name("b.example"); /* another name */
    put_a(1);
    put_pointer(AT_QUESTION); /* another type, whatever its data */
    begin_data(T_RRSIG);
    put_bytes("\xff\xff\xff", 3);
    end_data();
    put_pointer(AT_QUESTION);
    put_a(2);
    put_pointer(AT_QUESTION); /* another class */
    put_a(3);
    p.data[p.len - 11] = 3;
    put_cname("x.example", "y.example");
    const struct mox_dns_answer *a = answer_to("a.example", MOX_DNS_A);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->records[0].data.a[3], 2);

    begin(OK, "a.example", MOX_DNS_A, 2);
    put_cname("a.example", "b.example"); /* another class too */
    p.data[data_at - 7] = 3;
    put_pointer(AT_QUESTION);
    put_a(2);
    expect("a.example", MOX_DNS_A, MOX_DNS_FOUND, 1);
}

static void a_ttl_with_its_first_bit_set_is_none(void **state)
{
    (void)state;
    begin(OK, "a.example", MOX_DNS_A, 1);
    put_pointer(AT_QUESTION);
    put_a(1);
    p.data[p.len - 10] = 0x80;
    assert_int_equal(answer_to("a.example", MOX_DNS_A)->records[0].ttl, 0);
}

static void cnames_lead_to_the_records_in_any_order(void **state)
{
    (void)state;
    begin(OK, "a.example", MOX_DNS_A, 4);
    put_name("c.example");
    put_a(1);
    put_cname("b.example", "C.example");
    put_cname("a.example", "b.example");
    put_cname("a.example", "B.EXAMPLE"); /* twice the same is fine */
    expect("a.example", MOX_DNS_A, MOX_DNS_FOUND, 1);

    begin(OK, "a.example", MOX_DNS_CNAME, 2); /* asked for itself, it is not followed */
    put_cname("a.example", "b.example");
    put_cname("b.example", "c.example");
    const struct mox_dns_answer *a = answer_to("a.example", MOX_DNS_CNAME);
    assert_int_equal(a->count, 1);
    assert_string_equal(a->records[0].data.name, "b.example");

    begin(NXDOMAIN, "a.example", MOX_DNS_A, 1); /* RFC 6604 §2.2: about the last name */
    put_cname("a.example", "b.example");
    expect("a.example", MOX_DNS_A, MOX_DNS_NXDOMAIN, 0);
    begin(OK, "a.example", MOX_DNS_A, 1);
    put_cname("a.example", "b.example");
    expect("a.example", MOX_DNS_A, MOX_DNS_NODATA, 0);
}

static void cnames_have_an_end(void **state)
{
    (void)state;
    begin(OK, "a.example", MOX_DNS_A, 2);
    put_cname("a.example", "b.example");
    put_cname("b.example", "a.example");
    refused("loop");
    begin(OK, "a.example", MOX_DNS_A, 1);
    put_cname("a.example", "a.example");
    refused("loop");
    begin(OK, "a.example", MOX_DNS_A, 2);
    put_cname("a.example", "b.example");
    put_cname("a.example", "c.example");
    refused("two CNAMEs");
    for (unsigned links = 16; links <= 17; links++) {
        begin(OK, "c0.example", MOX_DNS_A, links + 1);
        for (unsigned i = 0; i < links; i++) {
            char from[20], to[20];
            (void)snprintf(from, sizeof from, "c%u.example", i);
            (void)snprintf(to, sizeof to, "c%u.example", i + 1);
            put_cname(from, to);
        }
        put_name(links == 16 ? "c16.example" : "c17.example");
        put_a(1);
        bool fits = links == 16;
        expect("c0.example", MOX_DNS_A, fits ? MOX_DNS_FOUND : MOX_DNS_SERVFAIL, fits ? 1 : 0);
    }
}

static void nothing_is_nodata_or_nxdomain(void **state)
{
    (void)state;
    begin(OK, "a.example", MOX_DNS_A, 0);
    expect("a.example", MOX_DNS_A, MOX_DNS_NODATA, 0);
    begin(NXDOMAIN, "a.example", MOX_DNS_A, 0);
    expect("a.example", MOX_DNS_A, MOX_DNS_NXDOMAIN, 0);
    begin(NXDOMAIN, "a.example", MOX_DNS_A, 1);
    put_pointer(AT_QUESTION);
    put_a(1);
    refused("does not exist has records");
}

static void a_referral_is_no_answer(void **state)
{
    (void)state;
    for (int with_soa = 0; with_soa < 2; with_soa++) {
        begin(OK, "a.example", MOX_DNS_A, 0);
        p.data[9] = (uint8_t)(1 + with_soa); /* authorities */
        put_pointer(AT_QUESTION);
        begin_data(MOX_DNS_NS);
        put_name("ns.example");
        end_data();
        if (with_soa) {
            put_pointer(AT_QUESTION);
            begin_data(T_SOA);
            end_data();
        }
        enum mox_dns_status expected = with_soa ? MOX_DNS_NODATA : MOX_DNS_SERVFAIL;
        expect("a.example", MOX_DNS_A, expected, 0);
    }
    p.data[2] = 0x84; /* AA: RFC 2308 §2.2 */
    expect("a.example", MOX_DNS_A, MOX_DNS_NODATA, 0);
}

static void failures_say_which(void **state)
{
    (void)state;
    static const struct {
        unsigned flags;
        const char *problem;
    } cases[] = {
        {QR | 1, "FORMERR"},       {QR | 2, "SERVFAIL"},
        {QR | 4, "NOTIMP"},        {QR | 5, "REFUSED"},
        {QR | 9, "with an error"}, {OK | TC, "cut"},
        {RA, "a query"},           {OK | 0x2000, "another kind of request"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(cases[i].flags, "a.example", MOX_DNS_A, 1);
        put_pointer(AT_QUESTION);
        put_a(1);
        refused(cases[i].problem);
    }
    begin(OK, "a.example", MOX_DNS_A, 0); /* BADVERS is 16: RFC 6891 §9 */
    p.data[11] = 1;
    put8(0);
    begin_data(T_OPT);
    end_data();
    p.data[p.len - 6] = 1;
    refused("with an error");
}

static void only_our_question_is_answered(void **state)
{
    (void)state;
    begin(OK, "b.example", MOX_DNS_A, 1);
    put_pointer(AT_QUESTION);
    put_a(1);
    refused("another question");
    begin(OK, "a.example", MOX_DNS_TXT, 0);
    refused("another question");
    begin(OK, "a.example", MOX_DNS_A, 0);
    p.data[p.len - 1] = 3;
    refused("another question");
    begin(OK, "a.example", MOX_DNS_A, 0);
    p.data[5] = 2;
    put_name("a.example");
    put16(MOX_DNS_A);
    put16(1);
    refused("one question");
    begin(OK, "a.example", MOX_DNS_A, 0);
    p.data[5] = 0;
    refused("one question");
}

static void a_query_is_written(void **state)
{
    (void)state;
    static const char expected[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01"
                                   "\x06_dmarc\x07"
                                   "example\0\x00\x10\x00\x01"
                                   "\0\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00";
    uint8_t out[MOX_DNS_QUERY_MAX];
    struct mox_dns_question q = {"_DMARC.example.", MOX_DNS_TXT};
    size_t len = mox_dns_query_write(out, &q, 0x1234, true);
    assert_int_equal(len, sizeof expected - 1);
    assert_memory_equal(out, expected, len);
    len = mox_dns_query_write(out, &q, 0x1234, false);
    assert_int_equal(len, sizeof expected - 1);
    assert_int_equal(out[len - 4], 0);

    q.name = "";
    assert_int_equal(mox_dns_query_write(out, &q, 1, true), 12 + 1 + 4 + 11);
    char name[255];
    memset(name, 'a', sizeof name);
    name[63] = name[127] = name[191] = '.';
    name[253] = '\0';
    q.name = name;
    assert_int_equal(mox_dns_query_write(out, &q, 1, true), MOX_DNS_QUERY_MAX);
    q.name = "a..example";
    assert_int_equal(mox_dns_query_write(out, &q, 1, true), 0);
}

static void replies_of_others_are_known(void **state)
{
    (void)state;
    struct mox_dns_question q = {"A.example", MOX_DNS_A}, other = {"b.example", MOX_DNS_A},
                            type = {"a.example", MOX_DNS_MX};
    begin(OK, "a.EXAMPLE", MOX_DNS_A, 0);
    struct mox_slice s = slice(p.data, p.len);
    assert_true(mox_dns_is_reply(s, &q, 0x1234));
    assert_false(mox_dns_is_cut(s));
    assert_false(mox_dns_is_reply(s, &q, 0x1235));
    assert_false(mox_dns_is_reply(s, &other, 0x1234));
    assert_false(mox_dns_is_reply(s, &type, 0x1234));
    assert_false(mox_dns_is_reply(slice(p.data, 20), &q, 0x1234));
    assert_false(mox_dns_is_reply(slice(p.data, 11), &q, 0x1234));
    p.data[2] |= 2;
    assert_true(mox_dns_is_cut(s));
    p.data[5] = 0;
    assert_true(mox_dns_is_reply(slice(p.data, 12), &q, 0x1234));
    p.data[2] = 0;
    assert_false(mox_dns_is_reply(s, &q, 0x1234));
}

static void no_memory_is_said(void **state)
{
    (void)state;
    struct mox_dns_question q = {"a.example", MOX_DNS_MX};
    begin(OK, "a.example", MOX_DNS_MX, 100);
    for (int i = 0; i < 100; i++) {
        put_pointer(AT_QUESTION);
        begin_data(MOX_DNS_MX);
        put16(1);
        put_name("mx.a.long.name.that.takes.some.room.example");
        end_data();
    }
    for (long nth = 1;; nth++) {
        struct test_env t;
        test_env_init(&t);
        struct mox_dns_answers *set;
        assert_int_equal(mox_dns_answers_new(&set, &t.env), MOX_OK);
        t.fail_at = t.allocations + nth;
        int rc = mox_dns_put_packet(set, &q, slice(p.data, p.len), false);
        bool is_enough = t.allocations < t.fail_at;
        assert_int_equal(rc, is_enough ? MOX_OK : MOX_ENOMEM);
        assert_int_equal(mox_dns_answer_count(set), is_enough ? 1 : 0);
        mox_dns_answers_free(set);
        test_env_done(&t);
        if (is_enough)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PACKET_TEST(addresses_are_read),
        PACKET_TEST(names_in_data_are_read),
        PACKET_TEST(strings_are_joined),
        PACKET_TEST(tlsa_is_read),
        PACKET_TEST(what_was_not_asked_is_ignored),
        PACKET_TEST(a_ttl_with_its_first_bit_set_is_none),
        PACKET_TEST(cnames_lead_to_the_records_in_any_order),
        PACKET_TEST(cnames_have_an_end),
        PACKET_TEST(nothing_is_nodata_or_nxdomain),
        PACKET_TEST(a_referral_is_no_answer),
        PACKET_TEST(failures_say_which),
        PACKET_TEST(only_our_question_is_answered),
        PACKET_TEST(a_query_is_written),
        PACKET_TEST(replies_of_others_are_known),
        PACKET_TEST(no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
