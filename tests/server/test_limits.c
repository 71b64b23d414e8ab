/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "server/smtp_session.h"
#include "support/cm.h"
#include "support/testenv.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define DAY    (24 * 60 * MINUTE)

/* As much of a server as its limits look at. */
struct rig {
    struct test_env t;
    struct mox_config_static mox;
    struct mox_config files;
    struct mox_config_listener listener;
    struct mox_server server;
    struct service_endpoint services[SERVICE_KINDS];
};

static void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    test_env_init(&r->t);
    test_env_advance(&r->t, MINUTE - r->t.wall_us % MINUTE); /* a full minute */
    mox_config_static_init(&r->mox);
    r->files.mox = &r->mox;
    r->listener.name = "public";
    r->server.env = r->t.env;
    r->server.files = &r->files;
    r->server.config.limits = true;
    for (unsigned kind = 0; kind < SERVICE_KINDS; kind++)
        r->services[kind] = (struct service_endpoint){.server = &r->server,
                                                      .listener = &r->listener,
                                                      .kind = (enum service_kind)kind,
                                                      .endpoint = {.pkg = "smtpserver"}};
}

static void rig_start(struct rig *r)
{
    assert_int_equal(mox__limits_init(&r->server, 1000), MOX_OK);
}

static void rig_done(struct rig *r)
{
    mox__limits_free(&r->server);
    test_env_done(&r->t);
}

/* Whether it is let in; else it was told `words`. */
static bool comes(struct rig *r, enum service_kind kind, const char *ip, const char *words)
{
    struct mox_slice said = {NULL, 0};
    if (mox__limits_admit(&r->services[kind], ip, &said))
        return true;
    assert_true(said.len > 2 && memcmp(said.data + said.len - 2, "\r\n", 2) == 0);
    assert_non_null(words);
    assert_memory_equal(said.data, words, strlen(words));
    return false;
}

static void leaves(struct rig *r, enum service_kind kind, const char *ip)
{
    mox__limits_left(&r->services[kind], ip);
}

static void fails(struct rig *r, const char *ip, enum mox_sasl_failure failure, bool harmless)
{
    const struct mox_sasl_attempt attempt = {.size = sizeof attempt,
                                             .mechanism = "PLAIN",
                                             .username = "mox@localhost",
                                             .failure = failure,
                                             .harmless = harmless};
    const struct mox_peer peer = {.size = sizeof peer};
    struct mox_peer from = peer;
    (void)snprintf(from.remote_ip, sizeof from.remote_ip, "%s", ip);
    (void)mox__auth_ended(&r->server, &r->services[SERVE_IMAP], &from, &attempt, NULL);
}

static void guesses(struct rig *r, const char *ip, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        fails(r, ip, MOX_SASL_FAILED_CREDENTIALS, false);
}

static void thirty_connections_are_open_and_then_no_more(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_start(&r);
    for (int i = 0; i < 30; i++)
        assert_true(comes(&r, i % 2 == 0 ? SERVE_SMTP : SERVE_SUBMISSIONS, "192.0.2.1", NULL));
    assert_false(comes(&r, SERVE_SMTP, "192.0.2.1", "421 4.7.0 too many open connections"));
    assert_false(comes(&r, SERVE_SUBMISSION, "::ffff:192.0.2.1", "421 4.7.0 too many open"));
    for (int i = 0; i < 30; i++) /* IMAP counts by itself */
        assert_true(comes(&r, i % 2 == 0 ? SERVE_IMAP : SERVE_IMAPS, "192.0.2.1", NULL));
    assert_false(comes(&r, SERVE_IMAP, "192.0.2.1", "* BYE too many open connections"));
    assert_true(comes(&r, SERVE_SMTP, "192.0.2.2", NULL));
    test_env_advance(&r.t, DAY); /* time does not close a connection */
    assert_false(comes(&r, SERVE_SMTP, "192.0.2.1", "421 4.7.0 too many open connections"));
    leaves(&r, SERVE_SMTP, "192.0.2.1");
    assert_true(comes(&r, SERVE_SUBMISSION, "192.0.2.1", NULL));
    rig_done(&r);
}

static void three_hundred_connections_begin_in_a_minute(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_start(&r);
    for (int i = 0; i < 300; i++) {
        assert_true(comes(&r, i % 2 == 0 ? SERVE_SMTP : SERVE_SUBMISSION, "2001:db8::1", NULL));
        leaves(&r, SERVE_SMTP, "2001:db8::1");
    }
    assert_false(comes(&r, SERVE_SMTP, "2001:db8::2", "421 4.7.0 too many new connections"));
    assert_true(comes(&r, SERVE_IMAP, "2001:db8::1", NULL));
    assert_true(comes(&r, SERVE_SMTP, "2001:db8:0:1::1", NULL));
    test_env_advance(&r.t, MINUTE - 1);
    assert_false(comes(&r, SERVE_SMTP, "2001:db8::1", "421 4.7.0 too many new connections"));
    test_env_advance(&r.t, 1);
    assert_true(comes(&r, SERVE_SMTP, "2001:db8::1", NULL));
    rig_done(&r);
}

static void a_clock_that_is_set_back_prolongs_no_limit(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_start(&r);
    guesses(&r, "192.0.2.1", 10);
    assert_false(comes(&r, SERVE_IMAP, "192.0.2.1", "* BYE too many failed logins"));
    r.t.wall_us -= DAY;
    test_env_advance(&r.t, MINUTE);
    assert_true(comes(&r, SERVE_IMAP, "192.0.2.1", NULL));
    rig_done(&r);
}

static void ten_wrong_passwords_lock_users_out_but_not_mail(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_start(&r);
    guesses(&r, "192.0.2.1", 9);
    assert_true(comes(&r, SERVE_SUBMISSION, "192.0.2.1", NULL));
    assert_true(mox__limits_may_log_in(&r.services[SERVE_IMAP], "192.0.2.1"));
    fails(&r, "192.0.2.1", MOX_SASL_FAILED_ABORTED, false);
    assert_false(comes(&r, SERVE_SUBMISSION, "192.0.2.1", "421 4.7.0 too many failed logins"));
    assert_false(comes(&r, SERVE_SUBMISSIONS, "192.0.2.1", "421 4.7.0 too many failed logins"));
    assert_false(comes(&r, SERVE_IMAPS, "192.0.2.1", "* BYE too many failed logins"));
    assert_false(mox__limits_may_log_in(&r.services[SERVE_IMAP], "192.0.2.1"));
    assert_true(comes(&r, SERVE_SMTP, "192.0.2.1", NULL));
    assert_true(comes(&r, SERVE_IMAP, "192.0.2.2", NULL));
    rig_done(&r);
}

static void a_day_has_fifty_wrong_passwords(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    test_env_advance(&r.t, DAY - r.t.wall_us % DAY);
    rig_start(&r);
    for (int minute = 0; minute < 5; minute++) {
        assert_true(comes(&r, SERVE_IMAP, "192.0.2.1", NULL));
        guesses(&r, "192.0.2.1", 20); /* no more than ten of them count */
        test_env_advance(&r.t, MINUTE);
    }
    assert_false(comes(&r, SERVE_IMAP, "192.0.2.1", "* BYE too many failed logins"));
    test_env_advance(&r.t, DAY - 5 * MINUTE);
    assert_true(comes(&r, SERVE_IMAP, "192.0.2.1", NULL));
    rig_done(&r);
}

static void success_clears_the_address(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_start(&r);
    guesses(&r, "192.0.2.2", 9);
    guesses(&r, "192.0.2.1", 9);
    guesses(&r, "192.0.2.3", 9);
    fails(&r, "192.0.2.1", 0, false); /* logged in */
    guesses(&r, "192.0.2.1", 9);
    assert_true(comes(&r, SERVE_IMAP, "192.0.2.1", NULL));
    guesses(&r, "192.0.2.4", 3); /* thirty in the network */
    assert_false(comes(&r, SERVE_IMAP, "192.0.2.5", "* BYE too many failed logins"));
    rig_done(&r);
}

static void an_attempt_that_is_no_guess_does_not_count(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_start(&r);
    for (int i = 0; i < 100; i++)
        fails(&r, "192.0.2.1", MOX_SASL_FAILED_CREDENTIALS, true);
    assert_true(comes(&r, SERVE_IMAP, "192.0.2.1", NULL));
    rig_done(&r);
}

static void numbers_are_those_of_the_configuration(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.mox.limits.open_connections = (struct mox_config_limit){2, 2, -1};
    r.mox.limits.connections_per_minute = (struct mox_config_limit){-1, -1, -1};
    rig_start(&r);
    for (int i = 0; i < 10000; i++) {
        assert_true(comes(&r, SERVE_SMTP, "192.0.2.1", NULL));
        leaves(&r, SERVE_SMTP, "192.0.2.1");
    }
    assert_true(comes(&r, SERVE_SMTP, "192.0.2.1", NULL));
    assert_true(comes(&r, SERVE_SMTP, "192.0.2.2", NULL));
    assert_false(comes(&r, SERVE_SMTP, "192.0.2.3", "421 4.7.0 too many open connections"));
    rig_done(&r);
}

static void without_limits_nothing_is_refused_or_counted(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.server.config.limits = false;
    rig_start(&r);
    for (int i = 0; i < 10000; i++) {
        assert_true(comes(&r, SERVE_SMTP, "192.0.2.1", NULL));
        guesses(&r, "192.0.2.1", 1);
        assert_true(mox__limits_may_log_in(&r.services[SERVE_IMAP], "192.0.2.1"));
    }
    assert_int_equal(r.t.live, 0);
    rig_done(&r);
}

static void a_flood_is_one_line_a_second(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.mox.limits.open_connections = (struct mox_config_limit){1, 1, 1};
    r.mox.limits.connections_per_minute = (struct mox_config_limit){-1, -1, -1};
    rig_start(&r);
    assert_true(comes(&r, SERVE_SMTP, "192.0.2.1", NULL));
    assert_false(comes(&r, SERVE_SMTP, "192.0.2.1", "421 "));
    assert_non_null(strstr(r.t.log, "connection refused"));
    assert_non_null(strstr(r.t.log, "192.0.2.1"));
    assert_non_null(strstr(r.t.log, "refused=1"));
    size_t len = r.t.log_len;
    for (int i = 0; i < 1000; i++)
        assert_false(comes(&r, SERVE_SMTP, "192.0.2.1", "421 "));
    assert_int_equal(r.t.log_len, len);
    test_env_advance(&r.t, SECOND);
    assert_false(comes(&r, SERVE_SMTP, "192.0.2.1", "421 "));
    assert_non_null(strstr(r.t.log, "refused=1001"));
    rig_done(&r);
}

/* -- deliveries ------------------------------------------------------------------------------- */

static void assert_refused(const struct mox_config_limits *l, const struct mox_arrivals *stored,
                           uint64_t bytes, const char *text)
{
    struct mox_smtp_reply reply;
    int rc = mox__delivery_limits(l, stored, bytes, &reply);
    if (text == NULL) {
        assert_int_equal(rc, MOX_OK);
        return;
    }
    assert_int_equal(rc, MOX_ELIMIT);
    assert_int_equal(reply.code, 452);
    assert_string_equal(reply.enhanced, "4.2.2");
    assert_true(reply.slow);
    if (strstr(reply.text, text) == NULL)
        fail_msg("%s", reply.text);
}

static void deliveries_are_limited_by_what_is_stored(void **state)
{
    (void)state;
    struct mox_config_static mox;
    mox_config_static_init(&mox);
    struct mox_config_limits *l = &mox.limits;
    struct mox_arrivals stored = {.minute[0].messages = 499, .day[0].messages = 9999};
    assert_refused(l, &stored, 1, NULL);
    stored.minute[0].messages = 500;
    assert_refused(l, &stored, 1,
                   "too many messages from your address in the last minute (limit 500)");
    stored.day[0].messages = 10000; /* the minute is looked at first */
    assert_refused(l, &stored, 1, "last minute");
    stored.minute[0].messages = 0;
    assert_refused(l, &stored, 1,
                   "too many messages from your address in the last 24 hours (limit 10000)");
    stored = (struct mox_arrivals){.day[2].messages = 90000, .minute[0].bytes = INT64_MAX};
    assert_refused(l, &stored, 1, "messages from your network in the last 24 hours (limit 90000)");
    stored = (struct mox_arrivals){.minute[1].bytes = INT64_C(3000) << 20};
    assert_refused(l, &stored, 1, "too many bytes from your network in the last minute");
    stored.minute[1].bytes -= 10;
    assert_refused(l, &stored, 10, NULL);
    assert_refused(l, &stored, 11, "bytes from your network");
    l->bytes_per_minute = (struct mox_config_limit){-1, -1, -1};
    assert_refused(l, &stored, INT64_C(3000) << 20, NULL);
    l->messages_per_minute.address = 1;
    assert_refused(l, &stored, 1, NULL);
    stored.minute[0].messages = 1;
    assert_refused(l, &stored, 1, "messages from your address in the last minute (limit 1)");
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    int rc = MOX_ENOMEM;
    for (long n = 1; rc == MOX_ENOMEM; n++) {
        r.t.fail_at = r.t.allocations + n;
        rc = mox__limits_init(&r.server, 1000);
        if (rc < 0)
            mox__limits_free(&r.server);
        if (rc < 0)
            r.server.limits = (struct limits){.clock_us = 0};
    }
    assert_int_equal(rc, MOX_OK);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_connections_are_open_and_then_no_more),
        cmocka_unit_test(three_hundred_connections_begin_in_a_minute),
        cmocka_unit_test(a_clock_that_is_set_back_prolongs_no_limit),
        cmocka_unit_test(ten_wrong_passwords_lock_users_out_but_not_mail),
        cmocka_unit_test(a_day_has_fifty_wrong_passwords),
        cmocka_unit_test(success_clears_the_address),
        cmocka_unit_test(an_attempt_that_is_no_guess_does_not_count),
        cmocka_unit_test(numbers_are_those_of_the_configuration),
        cmocka_unit_test(without_limits_nothing_is_refused_or_counted),
        cmocka_unit_test(a_flood_is_one_line_a_second),
        cmocka_unit_test(deliveries_are_limited_by_what_is_stored),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests_name("server-limits", tests, NULL, NULL);
}
