/* SPDX-License-Identifier: MIT */
#include <mox/delivery.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "message/fold.h"
#include "delivery/prefix.h"
#include "support/cm.h"
#include "support/testenv.h"

static const struct mox_peer peer = {
    .size = sizeof peer, .remote_ip = "192.0.2.1", .local_ip = "2001:db8::25"};
static const struct mox_tls_info tls_info = {
    .size = sizeof tls_info, .version = "TLS1.3", .cipher = "TLS_AES_128_GCM_SHA256"};

static struct mox_smtp_path path(const char *localpart, const char *domain)
{
    return (struct mox_smtp_path){
        .address = localpart, .localpart = localpart, .domain = domain, .domain_unicode = domain};
}

static struct mox_smtp_envelope envelope(void)
{
    return (struct mox_smtp_envelope){
        .hello = "client.example",
        .esmtp = true,
        .peer = &peer,
        .hostname = "mx.example",
        .received_id = "AAAAAAAAAAAAAAAAAAAAAA",
        .mail_from = path("a", "client.example"),
        .recipient_count = 1,
    };
}

static void assert_prefix_from(const char *start, const struct delivery_prefix *p,
                               const char *expected)
{
    struct test_env t;
    test_env_init(&t);
    struct buf out;
    mox__buf_init(&out, &t.env, 8192);
    mox__delivery_prefix(&out, p);
    assert_false(out.failed);
    mox__buf_byte(&out, '\0');
    const char *at = strstr((const char *)out.data, start);
    assert_non_null(at);
    assert_string_equal(at, expected);
    mox__buf_free(&out);
    test_env_done(&t);
}

static void assert_prefix(const struct delivery_prefix *p, const char *expected)
{
    assert_prefix_from("", p, expected);
}

#define AT INT64_C(1767323045000000) /* 2026-01-02 03:04:05 */

static void received_says_from_whom_by_whom_with_what_and_for_whom(void **state)
{
    (void)state;
    struct mox_smtp_envelope e = envelope();
    struct mox_smtp_path to = path("b", "mx.example");
    struct delivery_prefix p = {
        .envelope = &e, .recipient = &to, .mode = MOX_SMTP_DELIVERY, .received_us = AT};
    assert_prefix(&p, "Delivered-To: b@mx.example\r\n"
                      "Return-Path: <a@client.example>\r\n"
                      "Received: from client.example ([192.0.2.1]) by mx.example\r\n"
                      "\t([IPv6:2001:db8::25]) via tcp with ESMTP id AAAAAAAAAAAAAAAAAAAAAA for\r\n"
                      "\t<b@mx.example>; Fri, 2 Jan 2026 03:04:05 +0000\r\n");
}

static void received_shows_tls_and_the_reverse_name(void **state)
{
    (void)state;
    struct mox_smtp_envelope e = envelope();
    struct mox_smtp_path to = path("b", "mx.example");
    struct delivery_prefix p = {.envelope = &e,
                                .recipient = &to,
                                .mode = MOX_SMTP_DELIVERY,
                                .delivered_to = "box@mx.example",
                                .reverse_name = "host.client.example",
                                .received_us = AT};
    e.tls = e.requiretls = e.smtputf8 = true;
    e.tls_info = &tls_info;
    e.mail_from = path("", "");
    assert_prefix(&p,
                  "Delivered-To: box@mx.example\r\n"
                  "Return-Path: <>\r\n"
                  "Received: from client.example (host.client.example [192.0.2.1]) by\r\n"
                  "\tmx.example ([IPv6:2001:db8::25]) via tcp with UTF8SMTPS (requiretls) id\r\n"
                  "\tAAAAAAAAAAAAAAAAAAAAAA (TLS1.3 TLS_AES_128_GCM_SHA256) for <b@mx.example>;\r\n"
                  "\tFri, 2 Jan 2026 03:04:05 +0000\r\n");
}

static void a_submission_hides_the_client_and_other_recipients(void **state)
{
    (void)state;
    struct mox_smtp_envelope e = envelope();
    struct mox_smtp_path to = path("b c", "mx.example");
    struct delivery_prefix p = {
        .envelope = &e, .recipient = &to, .mode = MOX_SMTP_SUBMISSION, .received_us = AT};
    e.username = "a";
    e.recipient_count = 2;
    assert_prefix(&p,
                  "Delivered-To: \"b c\"@mx.example\r\n"
                  "Return-Path: <a@client.example>\r\n"
                  "Received: from mx.example by mx.example ([IPv6:2001:db8::25]) via tcp with\r\n"
                  "\tESMTPA id AAAAAAAAAAAAAAAAAAAAAA; Fri, 2 Jan 2026 03:04:05 +0000\r\n"
                  "Authentication-Results: mx.example;\r\n"
                  "\tauth=pass smtp.mailfrom=a@client.example\r\n");
}

static void what_a_submission_lacked_stands_below_received(void **state)
{
    (void)state;
    static const struct {
        const char *localpart, *domain, *value;
    } cases[] = {
        {"a", "x.example", "a@x.example"},
        {"", "", "\"\""}, /* RFC 8601 §2.2: what is no token and no address is quoted */
        {"b c", "x.example", "\"\\\"b c\\\"@x.example\""},
        {"b=c", "x.example", "\"b=c@x.example\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_smtp_envelope e = envelope();
        struct mox_smtp_path to = path("b", "mx.example");
        char expected[600];
        struct delivery_prefix p = {.envelope = &e,
                                    .recipient = &to,
                                    .mode = MOX_SMTP_SUBMISSION,
                                    .lines = slice_of("Message-Id: <1@mx.example>\r\n"),
                                    .received_us = AT};
        e.username = "a";
        e.mail_from = path(cases[i].localpart, cases[i].domain);
        (void)snprintf(
            expected, sizeof expected,
            "Received: from mx.example by mx.example ([IPv6:2001:db8::25]) via tcp with\r\n"
            "\tESMTPA id AAAAAAAAAAAAAAAAAAAAAA for <b@mx.example>;\r\n"
            "\tFri, 2 Jan 2026 03:04:05 +0000\r\n"
            "Message-Id: <1@mx.example>\r\n"
            "Authentication-Results: mx.example;\r\n\tauth=pass smtp.mailfrom=%s\r\n",
            cases[i].value);
        assert_prefix_from("Received:", &p, expected);
    }
}

static void names_from_outside_cannot_end_a_line_or_a_comment(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct buf out;
    struct fold f;
    mox__buf_init(&out, &t.env, 1000);
    mox__fold_begin(&f, &out, "X");
    mox__fold_text(&f, "a\r\nBcc: b");
    mox__fold_end(&f);
    assert_true(mox__slice_is(slice(out.data, out.len), "X: a??Bcc: b\r\n"));
    mox__buf_free(&out);
    test_env_done(&t);

    struct mox_smtp_envelope e = envelope();
    struct mox_smtp_path to = path("b", "mx.example");
    struct delivery_prefix p = {.envelope = &e,
                                .recipient = &to,
                                .mode = MOX_SMTP_DELIVERY,
                                .reverse_name = "evil) by (",
                                .received_us = AT};
    assert_prefix(&p, "Delivered-To: b@mx.example\r\n"
                      "Return-Path: <a@client.example>\r\n"
                      "Received: from client.example ([192.0.2.1]) by mx.example\r\n"
                      "\t([IPv6:2001:db8::25]) via tcp with ESMTP id AAAAAAAAAAAAAAAAAAAAAA for\r\n"
                      "\t<b@mx.example>; Fri, 2 Jan 2026 03:04:05 +0000\r\n");
}

static void special_localparts_ask_for_trouble(void **state)
{
    (void)state;
    static const struct {
        const char *localpart;
        enum mox_special_stage stage;
        int code;
        const char *enhanced;
        int64_t delay_s;
    } cases[] = {
        {"temperror", MOX_SPECIAL_DELIVERY, 451, "4.0.0", 0},
        {"xPermError", MOX_SPECIAL_DELIVERY, 550, "5.0.0", 0},
        {"x-timeout", MOX_SPECIAL_DELIVERY, 451, "4.0.0", 3600},
        {"timeout", MOX_SPECIAL_SUBMISSION, 451, "4.3.0", 3600},
        {"mailfromtimeout", MOX_SPECIAL_MAIL, 451, "4.3.0", 3600},
        {"rcpttotimeout", MOX_SPECIAL_RCPT, 451, "4.3.0", 3600},
        {"400", MOX_SPECIAL_DELIVERY, 400, "4.0.0", 0},
        {"x599", MOX_SPECIAL_DELIVERY, 599, "5.0.0", 0},
        {"x1452", MOX_SPECIAL_DELIVERY, 452, "4.0.0", 0},
        {"mailfrom552", MOX_SPECIAL_MAIL, 552, "5.0.0", 0},
        {"rcptto450", MOX_SPECIAL_RCPT, 450, "4.0.0", 0},
        {"queue550", MOX_SPECIAL_DELIVERY, 550, "5.0.0", 0},
    };
    struct mox_special got;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(mox_special_localpart(cases[i].localpart, cases[i].stage, &got));
        assert_int_equal(got.code, cases[i].code);
        assert_string_equal(got.enhanced, cases[i].enhanced);
        assert_int_equal(got.delay_us, cases[i].delay_s * 1000000);
    }
}

static void other_localparts_are_ordinary(void **state)
{
    (void)state;
    static const struct {
        const char *localpart;
        enum mox_special_stage stage;
    } cases[] = {
        {"", MOX_SPECIAL_DELIVERY},      {"mox", MOX_SPECIAL_DELIVERY},
        {"600", MOX_SPECIAL_DELIVERY},   {"399", MOX_SPECIAL_DELIVERY},
        {"x60", MOX_SPECIAL_DELIVERY},   {"temperror", MOX_SPECIAL_MAIL},
        {"temperror", MOX_SPECIAL_RCPT}, {"mailfrom450", MOX_SPECIAL_RCPT},
        {"rcptto450", MOX_SPECIAL_MAIL}, {"queue550", MOX_SPECIAL_SUBMISSION},
        {"450x", MOX_SPECIAL_DELIVERY},
    };
    struct mox_special got;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_false(mox_special_localpart(cases[i].localpart, cases[i].stage, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(received_says_from_whom_by_whom_with_what_and_for_whom),
        cmocka_unit_test(received_shows_tls_and_the_reverse_name),
        cmocka_unit_test(a_submission_hides_the_client_and_other_recipients),
        cmocka_unit_test(what_a_submission_lacked_stands_below_received),
        cmocka_unit_test(names_from_outside_cannot_end_a_line_or_a_comment),
        cmocka_unit_test(special_localparts_ask_for_trouble),
        cmocka_unit_test(other_localparts_are_ordinary),
    };
    return cmocka_run_group_tests_name("delivery-prefix", tests, NULL, NULL);
}
