/* SPDX-License-Identifier: MIT */

#include "dns/packet.h"
#include "support/cm.h"

/* Packets that are not as they should be, and those at the bounds of what is read. */

/* Every packet that ends early, and one that does not end. */
static void what_is_cut_is_refused(void **state)
{
    (void)state;
    begin(OK, "a.example", MOX_DNS_A, 2);
    p.data[9] = p.data[11] = 1;
    put_cname("a.example", "b.example");
    put_name("b.example");
    put_a(1);
    put_name("b.example");
    begin_data(MOX_DNS_NS);
    put_name("ns.example");
    end_data();
    put8(0);
    begin_data(T_OPT);
    end_data();
    expect("a.example", MOX_DNS_A, MOX_DNS_FOUND, 1);
    size_t whole = p.len;
    for (p.len = 0; p.len < whole; p.len++)
        expect("a.example", MOX_DNS_A, MOX_DNS_SERVFAIL, 0);
    put8(0);
    p.len = whole + 1;
    refused("malformed");
    p.len = sizeof p.data;
    refused("malformed");
}

/* One record whose data is `data`, of the type. */
static void expect_bad_data(enum mox_dns_type type, const void *data, size_t len)
{
    begin(OK, "a.example", type, 1);
    put_pointer(AT_QUESTION);
    begin_data(type);
    put_bytes(data, len);
    end_data();
    expect("a.example", type, MOX_DNS_SERVFAIL, 0);
}

static void data_has_the_form_of_its_type(void **state)
{
    (void)state;
    expect_bad_data(MOX_DNS_A, "\1\2\3", 3);
    expect_bad_data(MOX_DNS_A, "\1\2\3\4\5", 5);
    expect_bad_data(MOX_DNS_AAAA, "\1\2\3\4", 4);
    expect_bad_data(MOX_DNS_TXT, "", 0);
    expect_bad_data(MOX_DNS_TXT, "\3ab", 3);
    expect_bad_data(MOX_DNS_TXT, "\1ab", 3);
    expect_bad_data(MOX_DNS_MX, "\0", 1);
    expect_bad_data(MOX_DNS_MX, "\0\12", 2);
    expect_bad_data(MOX_DNS_MX, "\0\12\1a\0x", 6);
    expect_bad_data(MOX_DNS_PTR, "", 0);
    expect_bad_data(MOX_DNS_PTR, "\1a", 2);
    expect_bad_data(MOX_DNS_PTR, "\1a\0\0", 4);
    expect_bad_data(MOX_DNS_SRV, "\0\1\0\1\0", 5);
    expect_bad_data(MOX_DNS_SRV, "\0\1\0\1\0\1", 6);
    expect_bad_data(MOX_DNS_TLSA, "\3\1\1", 3);
}

/* The target of a PTR record, where it begins. */
static void begin_ptr(void)
{
    begin(OK, "a.example", MOX_DNS_PTR, 1);
    put_pointer(AT_QUESTION);
    begin_data(MOX_DNS_PTR);
}

static void pointers_only_lead_back(void **state)
{
    (void)state;
    begin_ptr();
    put_pointer(data_at); /* to itself */
    end_data();
    expect("a.example", MOX_DNS_PTR, MOX_DNS_SERVFAIL, 0);
    begin_ptr();
    put_labels("x");
    put_pointer(data_at); /* a loop of one label */
    end_data();
    expect("a.example", MOX_DNS_PTR, MOX_DNS_SERVFAIL, 0);
    begin_ptr();
    put_pointer(data_at + 2);
    end_data();
    expect("a.example", MOX_DNS_PTR, MOX_DNS_SERVFAIL, 0);
    begin_ptr();
    p.data[7] = 2;
    put_pointer(data_at + 2); /* to the next record's owner */
    end_data();
    put_name("a.example");
    begin_data(MOX_DNS_PTR);
    put_name("b.example");
    end_data();
    expect("a.example", MOX_DNS_PTR, MOX_DNS_SERVFAIL, 0);
    begin_ptr();
    put_pointer(4); /* into the header, where a zero stands */
    end_data();
    expect("a.example", MOX_DNS_PTR, MOX_DNS_SERVFAIL, 0);
    begin_ptr();
    put8(0x41); /* RFC 6891 §5: withdrawn label types */
    put8('a');
    put8(0);
    end_data();
    expect("a.example", MOX_DNS_PTR, MOX_DNS_SERVFAIL, 0);
}

static void jumps_have_a_bound(void **state)
{
    (void)state;
    for (size_t jumps = 127; jumps <= 128; jumps++) {
        begin(OK, "a.example", MOX_DNS_PTR, 2);
        put_pointer(AT_QUESTION); /* a record that is ignored, with pointers to pointers */
        begin_data(T_RRSIG);
        size_t last = AT_QUESTION;
        for (size_t i = 1; i < jumps; i++) {
            size_t here = p.len;
            put_pointer(last);
            last = here;
        }
        end_data();
        put_pointer(AT_QUESTION);
        begin_data(MOX_DNS_PTR);
        put_pointer(last);
        end_data();
        bool fits = jumps == 127;
        expect("a.example", MOX_DNS_PTR, fits ? MOX_DNS_FOUND : MOX_DNS_SERVFAIL, fits ? 1 : 0);
    }
}

static void names_have_a_bound(void **state)
{
    (void)state;
    static const char label[] = "0123456789012345678901234567890123456789012345678";
    for (size_t last = 3; last <= 4; last++) { /* 5 * 50 + 3 = 253 */
        begin_ptr();
        for (int i = 0; i < 5; i++)
            put_label(label, 49);
        put_label("abcd", last);
        put8(0);
        end_data();
        bool fits = last == 3;
        expect("a.example", MOX_DNS_PTR, fits ? MOX_DNS_FOUND : MOX_DNS_SERVFAIL, fits ? 1 : 0);
    }
}

static void names_that_cannot_be_written_are_left_out(void **state)
{
    (void)state;
    static const char *const labels[] = {"a.b", "a\0b"};
    for (size_t i = 0; i < 2; i++) {
        begin(OK, "a.example", MOX_DNS_PTR, 2);
        put_pointer(AT_QUESTION);
        begin_data(MOX_DNS_PTR);
        put_label(labels[i], 3);
        put8(0);
        end_data();
        put_pointer(AT_QUESTION);
        begin_data(MOX_DNS_PTR);
        put_name("good.example");
        end_data();
        const struct mox_dns_answer *a = answer_to("a.example", MOX_DNS_PTR);
        assert_int_equal(a->count, 1);
        assert_string_equal(a->records[0].data.name, "good.example");
        p.data[7] = 1; /* the first alone */
        p.len = data_at - 12;
        expect("a.example", MOX_DNS_PTR, MOX_DNS_NODATA, 0);
    }
    /* "a.example" in one label is another name. */
    begin(OK, "a.example", MOX_DNS_A, 1);
    put_label("a.example", 9);
    put8(0);
    put_a(1);
    expect("a.example", MOX_DNS_A, MOX_DNS_NODATA, 0);
    begin(OK, "a.example", MOX_DNS_A, 1);
    put_pointer(AT_QUESTION);
    begin_data(MOX_DNS_CNAME);
    put_label("b.example", 9);
    put8(0);
    end_data();
    refused("cannot be written");
}

static void records_have_a_bound(void **state)
{
    (void)state;
    begin(OK, "a.example", MOX_DNS_A, 1000);
    for (int i = 0; i < 1000; i++) {
        put_pointer(AT_QUESTION);
        put_a(1);
    }
    expect("a.example", MOX_DNS_A, MOX_DNS_FOUND, MOX_DNS_RECORDS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PACKET_TEST(what_is_cut_is_refused),
        PACKET_TEST(data_has_the_form_of_its_type),
        PACKET_TEST(pointers_only_lead_back),
        PACKET_TEST(jumps_have_a_bound),
        PACKET_TEST(names_have_a_bound),
        PACKET_TEST(names_that_cannot_be_written_are_left_out),
        PACKET_TEST(records_have_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
