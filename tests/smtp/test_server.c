/* SPDX-License-Identifier: MIT */
#include <mox/smtp_server.h>

#include <stdio.h>
#include <string.h>

#include "smtp/client.h"
#include "support/cm.h"

/* ---- limits ---- */

static void a_line_has_2048_bytes(void **state)
{
    struct client *c = *state;
    char line[2048 + 2];
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "HELO x.example\r\n"), MOX_OK);
    memset(line, 'a', sizeof line);
    memcpy(line, "NOOP ", 5);
    line[2048] = '\n';
    assert_int_equal(say_bytes(c, line, 2049), MOX_OK);
    assert_said(c, "250 2.0.0 ");
    line[2048] = 'a';
    assert_int_equal(say_bytes(c, line, 2048), MOX_OK);
    assert_said(c, "");
    assert_int_equal(say_bytes(c, "a", 1), MOX_ELIMIT);
    assert_string_equal(c->said, "500 5.5.0 line too long\r\n");
    assert_true(wants(c, MOX_WANTS_CLOSE));
    assert_int_equal(mox_smtp_server_input(c->h.server, (const uint8_t *)"NOOP\r\n", 6),
                     MOX_ELIMIT);
}

static void a_line_of_auth_has_12288_bytes(void **state)
{
    struct client *c = *state;
    static char line[12288 + 2];
    c->h.config.mode = MOX_SMTP_SUBMISSION;
    c->h.config.auth_without_tls = true;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "EHLO x\r\nAUTH LOGIN\r\n"), MOX_OK);
    memset(line, 'A', sizeof line);
    line[12288] = '\n';
    assert_int_equal(say_bytes(c, line, 12289), MOX_OK);
    assert_said(c, "501 5.5.4"); /* NULs are no user name, but the line was taken */
    memcpy(line, "AUTH PLAIN ", 11);
    assert_int_equal(say_bytes(c, line, 12289), MOX_OK);
    assert_said(c, "501 5.5.2"); /* 12277 is no multiple of four */
    line[12288] = 'A';
    assert_int_equal(say_bytes(c, line, 12289), MOX_ELIMIT);
    assert_said(c, "500 5.5.0");
}

static void an_idle_connection_holds_less_than_4_kib(void **state)
{
    struct client *c = *state;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "EHLO client.example\r\n"), MOX_OK);
    assert_true(c->t.live_bytes < 4096);
    size_t idle = c->t.live_bytes;
    assert_int_equal(
        say(c, "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\nx\r\n.\r\n"), MOX_OK);
    assert_int_equal(c->h.deliveries, 1);
    assert_int_equal(c->t.live_bytes, idle);
    print_message("idle connection: %zu bytes\n", idle);
}

static void refused_recipients_take_no_memory(void **state)
{
    struct client *c = *state;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "HELO x.example\r\nMAIL FROM:<>\r\n"), MOX_OK);
    size_t before = c->t.live_bytes;
    for (int i = 0; i < 10000; i++)
        assert_int_equal(say(c, "RCPT TO:<unknown@mx.example>\r\n"), MOX_OK);
    assert_said(c, "550 5.1.1");
    assert_int_equal(c->t.live_bytes, before);
}

static void a_thousand_recipients_are_taken(void **state)
{
    struct client *c = *state;
    char rcpt[400];
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "HELO x.example\r\nMAIL FROM:<a@x.example>\r\n"), MOX_OK);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(rcpt, sizeof rcpt, "RCPT TO:<%0100d@%060d.%060d.example>\r\n", i, i, i);
        assert_int_equal(say(c, rcpt), MOX_OK);
        assert_said(c, "250 2.1.0");
    }
    assert_int_equal(say(c, rcpt), MOX_OK);
    assert_said(c, "452 4.5.3");
    assert_int_equal(say(c, "DATA\r\n.\r\n"), MOX_OK);
    assert_int_equal(c->h.last.recipient_count, 1000);
}

static void a_client_that_never_reads_is_not_read(void **state)
{
    struct client *c = *state;
    static char noops[MOX_INPUT_MAX];
    for (size_t i = 0; i + 6 <= sizeof noops; i += 6)
        memcpy(noops + i, "NOOP\r\n", 6);
    smtp_host_open(&c->h);
    assert_int_equal(mox_smtp_server_input(c->h.server, (const uint8_t *)noops, 65532), MOX_OK);
    assert_false(wants(c, MOX_WANTS_READ));
    assert_true(c->t.live_bytes < 160000);
    /* Once it reads, all is answered. */
    size_t lines = 0, len;
    const uint8_t *data;
    while ((len = mox_smtp_server_output(c->h.server, &data)) > 0) {
        for (size_t i = 0; i < len; i++)
            lines += data[i] == '\n';
        mox_smtp_server_sent(c->h.server, len);
    }
    assert_int_equal(lines, 1 + 65532 / 6);
    assert_true(wants(c, MOX_WANTS_READ));
}

static void unread_output_closes_in_the_end(void **state)
{
    struct client *c = *state;
    smtp_host_open(&c->h);
    assert_int_equal(mox_smtp_server_input(c->h.server, (const uint8_t *)"QUIT\r\n", 6), MOX_OK);
    test_env_advance(&c->t, 29 * 1000000);
    assert_true(mox_smtp_server_deadline(c->h.server) > c->t.monotonic_us);
    test_env_advance(&c->t, 1000000);
    assert_int_equal(mox_smtp_server_tick(c->h.server), MOX_OK);
    assert_int_equal(mox_smtp_server_wants(c->h.server), MOX_WANTS_CLOSE);
    assert_true(mox_smtp_server_deadline(c->h.server) == INT64_MAX);
    assert_non_null(strstr(c->t.log, "l=info m=\"connection timed out\" pkg=smtpserver"));
    assert_non_null(strstr(c->t.log, " awaited=reading\n"));
}

static void a_large_message_comes_in_bounded_pieces(void **state)
{
    struct client *c = *state;
    static uint8_t chunk[MOX_INPUT_MAX];
    memset(chunk, '\n', sizeof chunk); /* grows twofold */
    smtp_host_open(&c->h);
    assert_int_equal(say(c,
                         "HELO x.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@mx.example>\r\n"
                         "DATA\r\n"),
                     MOX_OK);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(say_bytes(c, chunk, sizeof chunk), MOX_OK);
        assert_true(c->t.live_bytes < 200000);
    }
    assert_int_equal(say(c, "\r\n.\r\n"), MOX_OK);
    assert_said(c, "250 2.2.0 2097154 bytes");
}

/* ---- answers ---- */

static void failures_end_with_the_received_id(void **state)
{
    struct client *c = *state;
    char id[MOX_SMTP_RECEIVED_ID_MAX], expected[100];
    uint64_t cid;
    mox_smtp_received_id(c->h.config.received_id_key, 0x1f, id);
    assert_int_equal(strlen(id), 22);
    assert_int_equal(mox_smtp_received_id_decode(c->h.config.received_id_key, id, &cid), MOX_OK);
    assert_int_equal(cid, 0x1f);
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "NOOP\r\nFOO\r\n"), MOX_OK);
    (void)snprintf(expected, sizeof expected,
                   "220 mx.example ESMTP\r\n250 2.0.0 yes\r\n500 5.5.1 unknown command (%s)\r\n",
                   id);
    assert_string_equal(c->said, expected);
}

static void received_ids_of_others_are_not_ours(void **state)
{
    (void)state;
    static const uint8_t ours[24] = "0123456789abcdefRANDOM42",
                         theirs[24] = "0123456789abcdefRANDOM43";
    char id[MOX_SMTP_RECEIVED_ID_MAX];
    uint64_t cid;
    mox_smtp_received_id(theirs, 7, id);
    assert_int_equal(mox_smtp_received_id_decode(ours, id, &cid), MOX_ENOTFOUND);
    assert_int_equal(mox_smtp_received_id_decode(ours, "short", &cid), MOX_ESYNTAX);
    id[3] = '+';
    assert_int_equal(mox_smtp_received_id_decode(ours, id, &cid), MOX_ESYNTAX);
    mox_smtp_received_id(ours, UINT64_MAX, id);
    assert_int_equal(mox_smtp_received_id_decode(ours, id, &cid), MOX_OK);
    assert_true(cid == UINT64_MAX);
}

/* Has the host refuse with this text. */
static void refuse_with(struct client *c, const char *text)
{
    struct mox_smtp_reply reply;
    mox_smtp_reply_set(&reply, 550, "5.7.1", "%s", text);
    assert_int_equal(say(c, "RSET\r\nMAIL FROM:<later@x.example>\r\n"), MOX_OK);
    c->said_len = 0;
    assert_int_equal(mox_smtp_server_reply(c->h.server, MOX_EREFUSED, &reply), MOX_OK);
    listen_to(c);
}

static void long_replies_are_split_at_spaces(void **state)
{
    struct client *c = *state;
    char text[512];
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "HELO x.example\r\n"), MOX_OK);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[450] = text[300] = ' ';
    refuse_with(c, text);
    assert_int_equal(strcspn(c->said, "\r"), 10 + 450);
    assert_said(c, "550-5.7.1 a");
    assert_memory_equal(c->said + 462, "550 5.7.1 aaaa", 14);
    text[450] = 'a';
    refuse_with(c, text);
    assert_int_equal(strcspn(c->said, "\r"), 510);
}

static void replies_have_no_controls_and_no_foreign_letters(void **state)
{
    struct client *c = *state;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "HELO x.example\r\n"), MOX_OK);
    refuse_with(c, "a\r\nb\tc\x7f\xc3\xa9\n");
    assert_said(c, "550-5.7.1 a \r\n550-5.7.1 b c ??\r\n550 5.7.1  (");
}

static void an_answer_that_nobody_waits_for_is_a_mistake(void **state)
{
    struct client *c = *state;
    smtp_host_open(&c->h);
    assert_int_equal(mox_smtp_server_reply(c->h.server, MOX_OK, NULL), MOX_EINVAL);
    assert_int_equal(say(c, "HELO x.example\r\nMAIL FROM:<later@x.example>\r\n"), MOX_OK);
    assert_int_equal(mox_smtp_server_reply(c->h.server, MOX_LATER, NULL), MOX_EINVAL);
    assert_int_equal(mox_smtp_server_reply(c->h.server, MOX_OK, NULL), MOX_OK);
}

static void the_host_is_told_of_each_end(void **state)
{
    struct client *c = *state;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "HELO x.example\r\nRSET\r\n"), MOX_OK);
    assert_int_equal(c->h.resets, 0);
    assert_int_equal(say(c, "MAIL FROM:<refused@x.example>\r\n"), MOX_OK);
    assert_int_equal(c->h.resets, 1);
    assert_int_equal(say(c, "MAIL FROM:<a@x.example>\r\nRSET\r\n"), MOX_OK);
    assert_int_equal(c->h.resets, 2);
    assert_int_equal(say(c, "MAIL FROM:<a@x.example>\r\nHELO x.example\r\n"), MOX_OK);
    assert_int_equal(c->h.resets, 3);
    assert_int_equal(say(c, "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n.\r\n"),
                     MOX_OK);
    assert_int_equal(c->h.resets, 4);
    assert_int_equal(say(c, "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\nabc"),
                     MOX_OK);
    mox_smtp_server_eof(c->h.server);
    assert_int_equal(c->h.resets, 5);
    assert_true(wants(c, MOX_WANTS_CLOSE));
}

static void a_server_freed_while_it_waits_tells_nothing(void **state)
{
    struct client *c = *state;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "HELO x.example\r\nMAIL FROM:<later@x.example>\r\n"), MOX_OK);
    hang_up(c);
    assert_int_equal(c->h.resets, 0);
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "HELO x.example\r\nMAIL FROM:<a@x.example>\r\n"), MOX_OK);
    hang_up(c);
    assert_int_equal(c->h.resets, 1);
}

static void a_piece_stays_until_its_late_answer(void **state)
{
    struct client *c = *state;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "HELO x.example\r\nMAIL FROM:<piece-later@x.example>\r\n"
                            "RCPT TO:<b@mx.example>\r\nDATA\r\n"),
                     MOX_OK);
    assert_int_equal(say(c, "one\r\n"), MOX_OK);
    assert_true(wants(c, MOX_WANTS_APP));
    assert_false(wants(c, MOX_WANTS_READ));
    assert_true(mox_smtp_server_deadline(c->h.server) == INT64_MAX);
    assert_int_equal(mox_smtp_server_reply(c->h.server, MOX_OK, NULL), MOX_OK);
    assert_true(wants(c, MOX_WANTS_READ));
    assert_int_equal(say(c, "two\r\n.\r\nNOOP\r\n"), MOX_OK);
    assert_said(c, "");
    assert_int_equal(mox_smtp_server_reply(c->h.server, MOX_OK, NULL), MOX_OK);
    listen_to(c);
    assert_said(c, "250 2.2.0 10 bytes: one\\r\\ntwo\\r\\n nobody\r\n250 2.0.0 yes\r\n");
}

static void what_is_behind_starttls_is_handed_out(void **state)
{
    struct client *c = *state;
    const uint8_t *rest;
    struct mox_tls_info info = {.size = sizeof info, .version = "TLS1.2"};
    c->h.config.starttls = true;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "HELO x.example\r\nSTARTTLS\r\nRSET\r\nrest"), MOX_OK);
    assert_true(wants(c, MOX_WANTS_STARTTLS));
    assert_false(wants(c, MOX_WANTS_READ));
    assert_int_equal(mox_smtp_server_tls_rest(c->h.server, &rest), 10);
    assert_memory_equal(rest, "RSET\r\nrest", 10);
    mox_smtp_server_tls_started(c->h.server, &info);
    assert_int_equal(mox_smtp_server_tls_rest(c->h.server, &rest), 0);
    assert_true(wants(c, MOX_WANTS_READ));
    listen_to(c);
    assert_null(strstr(c->said, "250 2.0.0"));
}

/* ---- slow clients ---- */

static void a_message_that_nobody_wants_makes_its_sender_slow(void **state)
{
    struct client *c = *state;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "HELO x\r\nMAIL FROM:<deliver-refused.junk@x.example>\r\n"
                            "RCPT TO:<a@x.example>\r\nDATA\r\n"),
                     MOX_OK);
    assert_int_equal(mox_smtp_server_pace(c->h.server), 0);
    assert_int_equal(say(c, ".\r\n"), MOX_OK);
    assert_int_equal(mox_smtp_server_pace(c->h.server), 1);
    assert_int_equal(say(c, "RSET\r\nEHLO y\r\n"), MOX_OK); /* which changes nothing */
    assert_int_equal(mox_smtp_server_pace(c->h.server), 1);
}

static void a_message_that_some_do_not_want_makes_its_sender_slow_too(void **state)
{
    struct client *c = *state;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "HELO x\r\nMAIL FROM:<junk@x.example>\r\n"
                            "RCPT TO:<a@x.example>\r\nDATA\r\n.\r\n"),
                     MOX_OK);
    assert_non_null(strstr(c->said, "\n250 2.2.0 "));
    assert_int_equal(mox_smtp_server_pace(c->h.server), 1);
}

static const char fail_login[] = "AUTH PLAIN AHVzZXIAd3Jvbmc=\r\n";

static void the_third_failed_login_makes_slow_and_success_fast_again(void **state)
{
    struct client *c = *state;
    c->h.config.mode = MOX_SMTP_SUBMISSION;
    c->h.config.auth_without_tls = true;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "EHLO x\r\n"), MOX_OK);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(mox_smtp_server_pace(c->h.server), i < 3 ? 0 : 1);
        assert_int_equal(say(c, fail_login), MOX_OK);
        assert_said(c, "535 ");
    }
    assert_int_equal(say(c, "AUTH PLAIN AHVzZXIAc2VjcmV0\r\n"), MOX_OK);
    assert_said(c, "235 ");
    assert_int_equal(mox_smtp_server_pace(c->h.server), 0);
}

static void a_login_that_fails_by_our_fault_is_not_counted(void **state)
{
    struct client *c = *state;
    c->h.config.mode = MOX_SMTP_SUBMISSION;
    c->h.config.auth_without_tls = true;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "EHLO x\r\n"), MOX_OK);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(say(c, "AUTH PLAIN AHVzZXIAYnJva2Vu\r\n"), MOX_OK); /* "broken" */
        assert_said(c, "454 ");
    }
    assert_int_equal(mox_smtp_server_pace(c->h.server), 0);
}

/* What comes behind a login that waits stays in the buffer that there is, and is not read on. */
static void nothing_is_read_while_a_login_waits(void **state)
{
    struct client *c = *state;
    static uint8_t junk[MOX_INPUT_MAX];
    c->h.config.mode = MOX_SMTP_SUBMISSION;
    c->h.config.auth_without_tls = true;
    c->h.config.login_delay_us = 1000000;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "EHLO x\r\n"), MOX_OK);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(say(c, fail_login), MOX_OK);
    memset(junk, 'x', sizeof junk);
    memcpy(junk, fail_login, sizeof fail_login - 1);
    assert_int_equal(say_bytes(c, junk, sizeof junk), MOX_OK);
    assert_said(c, "");
    assert_int_equal(mox_smtp_server_wants(c->h.server), 0);
    assert_true(c->t.live_bytes < 3 * MOX_INPUT_MAX);
    assert_int_equal(mox_smtp_server_deadline(c->h.server), c->t.monotonic_us + 1000000);
    c->t.monotonic_us += 999999;
    assert_int_equal(mox_smtp_server_tick(c->h.server), MOX_OK);
    assert_int_equal(mox_smtp_server_wants(c->h.server), 0);
    c->t.monotonic_us++;
    assert_int_equal(mox_smtp_server_tick(c->h.server), MOX_ELIMIT); /* the junk has no line end */
    c->said_len = 0;
    listen_to(c);
    assert_said(c, "535 5.7.8 ");
    assert_non_null(strstr(c->said, "500 5.5.0 line too long"));
}

static void structs_of_older_hosts_are_shorter(void **state)
{
    struct client *c = *state;
    struct mox_smtp_server_callbacks old = smtp_host_callbacks;
    c->h.config.requiretls = true; /* beyond what an older host has */
    c->h.config.size = offsetof(struct mox_smtp_server_config, requiretls);
    old.size = offsetof(struct mox_smtp_server_callbacks, reset);
    assert_int_equal(
        mox_smtp_server_new(&c->h.server, &c->t.env, &c->h.config, &c->h.peer, &old, &c->h),
        MOX_OK);
    assert_int_equal(say(c, "HELO x.example\r\nMAIL FROM:<a@x.example>\r\nRSET\r\n"), MOX_OK);
    assert_int_equal(c->h.resets, 0);
    hang_up(c);
    old.size = offsetof(struct mox_smtp_server_callbacks, deliver);
    assert_int_equal(
        mox_smtp_server_new(&c->h.server, &c->t.env, &c->h.config, &c->h.peer, &old, &c->h),
        MOX_EINVAL);
    assert_null(c->h.server);
}

/* ---- memory that fails ---- */

static const char dialogue[] =
    "EHLO x\r\nAUTH LOGIN dXNlcg==\r\nc2VjcmV0\r\nMAIL FROM:<\xc3\xa9@b\xc3\xbc"
    "cher.example> SMTPUTF8\r\n"
    "RCPT TO:<b@mx.example>\r\nRCPT TO:<\xc3\xa9@mx.example>\r\nDATA\r\nSubject: "
    "x\r\n\r\n..x\r\n.\r\n"
    "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@mx.example>\r\nBDAT 4\r\n\r\na\nBDAT 2 LAST\r\nb\n"
    "AUTH FOO\r\nHELP\r\nQUIT\r\n";

static int hold_dialogue(struct client *c, size_t step)
{
    int rc = mox_smtp_server_new(&c->h.server, &c->t.env, &c->h.config, &c->h.peer,
                                 &smtp_host_callbacks, &c->h);
    for (size_t at = 0; rc == MOX_OK && at < sizeof dialogue - 1; at += step) {
        size_t n = sizeof dialogue - 1 - at < step ? sizeof dialogue - 1 - at : step;
        rc = mox_smtp_server_input(c->h.server, (const uint8_t *)dialogue + at, n);
        listen_to(c);
        if (rc == MOX_OK && wants(c, MOX_WANTS_CLOSE))
            break;
        c->said_len = 0;
    }
    return rc;
}

static void each_allocation_may_fail(void **state)
{
    struct client *c = *state;
    c->h.config.mode = MOX_SMTP_SUBMISSION;
    c->h.config.auth_without_tls = true;
    for (size_t step = 1; step < 1000; step += 499) {
        int rc = MOX_ENOMEM;
        unsigned failed = 0;
        for (long n = 1; rc != MOX_OK || failed == 0; n++) {
            assert_true(n < 10000);
            c->t.allocations = 0;
            c->t.fail_at = n;
            c->h.content_len = 0;
            rc = hold_dialogue(c, step);
            assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
            if (rc == MOX_ENOMEM && c->h.server != NULL)
                assert_true(wants(c, MOX_WANTS_CLOSE));
            failed += rc == MOX_ENOMEM;
            if (rc == MOX_OK && c->t.allocations < n)
                failed += 1; /* n was beyond the last */
            else if (rc == MOX_OK)
                rc = MOX_ENOMEM; /* the failure was survived: go on with the next */
            c->t.fail_at = 0;
            hang_up(c);
            assert_int_equal(c->t.live, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(a_line_has_2048_bytes),
        CLIENT_TEST(a_line_of_auth_has_12288_bytes),
        CLIENT_TEST(an_idle_connection_holds_less_than_4_kib),
        CLIENT_TEST(refused_recipients_take_no_memory),
        CLIENT_TEST(a_thousand_recipients_are_taken),
        CLIENT_TEST(a_client_that_never_reads_is_not_read),
        CLIENT_TEST(unread_output_closes_in_the_end),
        CLIENT_TEST(a_large_message_comes_in_bounded_pieces),
        CLIENT_TEST(failures_end_with_the_received_id),
        CLIENT_TEST(received_ids_of_others_are_not_ours),
        CLIENT_TEST(long_replies_are_split_at_spaces),
        CLIENT_TEST(replies_have_no_controls_and_no_foreign_letters),
        CLIENT_TEST(an_answer_that_nobody_waits_for_is_a_mistake),
        CLIENT_TEST(the_host_is_told_of_each_end),
        CLIENT_TEST(a_server_freed_while_it_waits_tells_nothing),
        CLIENT_TEST(a_piece_stays_until_its_late_answer),
        CLIENT_TEST(what_is_behind_starttls_is_handed_out),
        CLIENT_TEST(a_message_that_nobody_wants_makes_its_sender_slow),
        CLIENT_TEST(a_message_that_some_do_not_want_makes_its_sender_slow_too),
        CLIENT_TEST(the_third_failed_login_makes_slow_and_success_fast_again),
        CLIENT_TEST(a_login_that_fails_by_our_fault_is_not_counted),
        CLIENT_TEST(nothing_is_read_while_a_login_waits),
        CLIENT_TEST(structs_of_older_hosts_are_shorter),
        CLIENT_TEST(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("smtp-server", tests, NULL, NULL);
}
