/* SPDX-License-Identifier: MIT */
#include <mox/dns_zone.h>
#include <mox/dnsbl.h>

#include <string.h>

#include "base/text.h"
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

static const char zone_text[] =
    "2.0.0.127.bl.example\tA\t127.0.0.2\n"
    "1.2.0.192.bl.example\tA\t127.0.0.4\n"
    "1.2.0.192.bl.example\tTXT\tsent spam\n"
    "1.2.0.192.bl.example\tTXT\tsee \x1b[2Jbl.example\n"
    "2.2.0.192.bl.example\tA\t198.51.100.1\n"
    "3.2.0.192.bl.example\tA\t127.255.255.254\n"
    "4.2.0.192.bl.example\tA\t!SERVFAIL\n"
    "5.2.0.192.bl.example\tA\t127.0.0.2\n"
    "5.2.0.192.bl.example\tTXT\t!TIMEOUT\n"
    "6.2.0.192.bl.example\tA\t127.255.255.255\n"
    "6.2.0.192.bl.example\tA\t127.0.0.10\n"
    "7.2.0.192.bl.example\tTXT\tonly a text\n"
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example\tA\t127.0.0.3\n"
    "1.0.0.127.all.example\tA\t127.0.0.2\n2.0.0.127.all.example\tA\t127.0.0.2\n"
    "1.0.0.127.parked.example\tA\t203.0.113.1\n2.0.0.127.parked.example\tA\t203.0.113.1\n"
    "1.0.0.127.slow.example\tA\t!TIMEOUT\n2.0.0.127.slow.example\tA\t!TIMEOUT\n"
    "1.0.0.127.public.example\tA\t127.255.255.254\n2.0.0.127.public.example\tA\t127.255.255.254\n";

static struct mox_dns_zone *open_zone(void)
{
    struct mox_dns_zone *zone = NULL;
    struct mox_error err;
    if (mox_dns_zone_parse(&zone, &t.env, slice_of(zone_text), "zone", &err) != MOX_OK)
        fail_msg("%s", err.text);
    return zone;
}

static void an_address_is_listed_if_an_address_of_loopback_is_answered(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        enum mox_dnsbl_status status;
        uint8_t last; /* of the code */
        const char *explanation;
    } cases[] = {
        {"192.0.2.1", MOX_DNSBL_FAIL, 4, "sent spam; see ?[2Jbl.example"},
        {"::ffff:192.0.2.1", MOX_DNSBL_FAIL, 4, "sent spam; see ?[2Jbl.example"},
        {"192.0.2.2", MOX_DNSBL_PASS, 0, ""},
        {"192.0.2.3", MOX_DNSBL_TEMPERROR, 0,
         "the list answers that it was asked wrongly or too often"},
        {"192.0.2.4", MOX_DNSBL_TEMPERROR, 0, "the list does not answer: servfail"},
        {"192.0.2.5", MOX_DNSBL_FAIL, 2, ""},
        {"192.0.2.6", MOX_DNSBL_FAIL, 10, ""},
        {"192.0.2.7", MOX_DNSBL_PASS, 0, ""},
        {"192.0.2.8", MOX_DNSBL_PASS, 0, ""},
        {"2001:db8::1", MOX_DNSBL_FAIL, 3, ""},
        {"2001:db8::2", MOX_DNSBL_PASS, 0, ""},
    };
    struct mox_dns_zone *zone = open_zone();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_dns_answers *answers = NULL;
        struct mox_dnsbl_verdict v;
        unsigned rounds = 0;
        int rc;
        assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
        while ((rc = mox_dnsbl_check("bl.example", cases[i].ip, answers, &v)) == MOX_NEED_DNS) {
            assert_int_equal(rounds++, 0); /* the text is asked for together with the address */
            assert_int_equal(mox_dns_zone_answer(zone, answers), MOX_OK);
        }
        assert_int_equal(rc, MOX_OK);
        if (v.status != cases[i].status)
            fail_msg("%s: %s", cases[i].ip, mox_dnsbl_status_name(v.status));
        assert_int_equal(v.code[3], cases[i].last);
        assert_string_equal(v.explanation, cases[i].explanation);
        mox_dns_answers_free(answers);
    }
    mox_dns_zone_free(zone);
    struct mox_dnsbl_verdict v;
    assert_int_equal(mox_dnsbl_check("bl.example", "mx.example", NULL, &v), MOX_EINVAL);
}

static void a_list_is_healthy_if_it_knows_its_test_points(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        bool healthy, temporary;
    } cases[] = {
        {"bl.example", true, false},      {"all.example", false, false},
        {"parked.example", false, false}, {"absent.example", false, false},
        {"slow.example", true, true},     {"public.example", true, true},
    };
    struct mox_dns_zone *zone = open_zone();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_dns_answers *answers = NULL;
        struct mox_dnsbl_health h;
        unsigned rounds = 0;
        int rc;
        assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
        while ((rc = mox_dnsbl_check_health(cases[i].zone, answers, &h)) == MOX_NEED_DNS) {
            assert_int_equal(rounds++, 0);
            assert_int_equal(mox_dns_zone_answer(zone, answers), MOX_OK);
        }
        assert_int_equal(rc, MOX_OK);
        if (h.healthy != cases[i].healthy || h.temporary != cases[i].temporary)
            fail_msg("%s: %s", cases[i].zone, h.reason);
        assert_true((h.healthy && !h.temporary) == (h.reason[0] == '\0'));
        mox_dns_answers_free(answers);
    }
    mox_dns_zone_free(zone);
}

/* Every text that a list may answer fits, whatever its length. */
static void long_explanations_are_cut(void **state)
{
    (void)state;
    static uint8_t text[3000];
    memset(text, 'x', sizeof text);
    for (size_t len = MOX_DNSBL_EXPLANATION_MAX - 5; len < MOX_DNSBL_EXPLANATION_MAX + 5; len++) {
        struct mox_dns_answers *answers = NULL;
        struct mox_dnsbl_verdict v;
        struct mox_dns_record texts[2] = {{.data.txt = slice(text, len)},
                                          {.data.txt = slice(text, sizeof text)}};
        struct mox_dns_record listed = {.data.a = {127, 0, 0, 2}};
        struct mox_dns_answer a = {.question = {"1.2.0.192.l.example", MOX_DNS_A},
                                   .status = MOX_DNS_FOUND,
                                   .records = &listed,
                                   .count = 1};
        assert_int_equal(mox_dns_answers_new(&answers, &t.env), MOX_OK);
        assert_int_equal(mox_dns_put(answers, &a), MOX_OK);
        a.question.type = MOX_DNS_TXT;
        a.records = texts;
        a.count = 2;
        assert_int_equal(mox_dns_put(answers, &a), MOX_OK);
        assert_int_equal(mox_dnsbl_check("l.example", "192.0.2.1", answers, &v), MOX_OK);
        assert_true(strlen(v.explanation) <= MOX_DNSBL_EXPLANATION_MAX);
        assert_true(strlen(v.explanation) >= MOX_DNSBL_EXPLANATION_MAX - 5);
        mox_dns_answers_free(answers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_listed_if_an_address_of_loopback_is_answered),
        cmocka_unit_test(a_list_is_healthy_if_it_knows_its_test_points),
        cmocka_unit_test(long_explanations_are_cut),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
