/* SPDX-License-Identifier: MIT */
#include <mox/smtp_server.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "smtp/host.h"
#include "support/cm.h"

struct fixture {
    struct test_env t;
    struct smtp_host h;
    char said[32768]; /* NUL-terminated */
    size_t said_len;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    test_env_init(&f->t);
    smtp_host_init(&f->h);
    f->h.env = &f->t;
    *state = f;
    return 0;
}

static void hang_up(struct fixture *f)
{
    mox_smtp_server_free(f->h.server);
    f->h.server = NULL;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    hang_up(f);
    smtp_host_done(&f->h);
    test_env_done(&f->t);
    free(f);
    return 0;
}

static void listen_to(struct fixture *f)
{
    const uint8_t *data;
    size_t len;
    while ((len = mox_smtp_server_output(f->h.server, &data)) > 0) {
        size_t room = sizeof f->said - 1 - f->said_len, n = len < room ? len : room;
        memcpy(f->said + f->said_len, data, n);
        f->said_len += n;
        f->said[f->said_len] = '\0';
        mox_smtp_server_sent(f->h.server, len);
    }
}

/* Sends bytes and puts what is answered into `said`. */
static int say_bytes(struct fixture *f, const void *data, size_t len)
{
    f->said_len = 0;
    f->said[0] = '\0';
    listen_to(f);
    int rc = mox_smtp_server_input(f->h.server, data, len);
    listen_to(f);
    return rc;
}

static int say(struct fixture *f, const char *text)
{
    return say_bytes(f, text, strlen(text));
}

static void assert_said(const struct fixture *f, const char *start)
{
    if (strncmp(f->said, start, strlen(start)) != 0)
        fail_msg("expected %s, got %s", start, f->said);
}

static bool wants(const struct fixture *f, unsigned what)
{
    return (mox_smtp_server_wants(f->h.server) & what) != 0;
}

/* ---- limits ---- */

static void a_line_has_2048_bytes(void **state)
{
    struct fixture *f = *state;
    char line[2048 + 2];
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "HELO x.example\r\n"), MOX_OK);
    memset(line, 'a', sizeof line);
    memcpy(line, "NOOP ", 5);
    line[2048] = '\n';
    assert_int_equal(say_bytes(f, line, 2049), MOX_OK);
    assert_said(f, "250 2.0.0 ");
    line[2048] = 'a';
    assert_int_equal(say_bytes(f, line, 2048), MOX_OK);
    assert_said(f, "");
    assert_int_equal(say_bytes(f, "a", 1), MOX_ELIMIT);
    assert_string_equal(f->said, "500 5.5.0 line too long\r\n");
    assert_true(wants(f, MOX_WANTS_CLOSE));
    assert_int_equal(mox_smtp_server_input(f->h.server, (const uint8_t *)"NOOP\r\n", 6),
                     MOX_ELIMIT);
}

static void a_line_of_auth_has_12288_bytes(void **state)
{
    struct fixture *f = *state;
    static char line[12288 + 2];
    f->h.config.mode = MOX_SMTP_SUBMISSION;
    f->h.config.auth_without_tls = true;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "EHLO x\r\nAUTH LOGIN\r\n"), MOX_OK);
    memset(line, 'A', sizeof line);
    line[12288] = '\n';
    assert_int_equal(say_bytes(f, line, 12289), MOX_OK);
    assert_said(f, "501 5.5.4"); /* NULs are no user name, but the line was taken */
    memcpy(line, "AUTH PLAIN ", 11);
    assert_int_equal(say_bytes(f, line, 12289), MOX_OK);
    assert_said(f, "501 5.5.2"); /* 12277 is no multiple of four */
    line[12288] = 'A';
    assert_int_equal(say_bytes(f, line, 12289), MOX_ELIMIT);
    assert_said(f, "500 5.5.0");
}

static void an_idle_connection_holds_less_than_4_kib(void **state)
{
    struct fixture *f = *state;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "EHLO client.example\r\n"), MOX_OK);
    assert_true(f->t.live_bytes < 4096);
    size_t idle = f->t.live_bytes;
    assert_int_equal(
        say(f, "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\nx\r\n.\r\n"), MOX_OK);
    assert_int_equal(f->h.deliveries, 1);
    assert_int_equal(f->t.live_bytes, idle);
    print_message("idle connection: %zu bytes\n", idle);
}

static void refused_recipients_take_no_memory(void **state)
{
    struct fixture *f = *state;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "HELO x.example\r\nMAIL FROM:<>\r\n"), MOX_OK);
    size_t before = f->t.live_bytes;
    for (int i = 0; i < 10000; i++)
        assert_int_equal(say(f, "RCPT TO:<unknown@mx.example>\r\n"), MOX_OK);
    assert_said(f, "550 5.1.1");
    assert_int_equal(f->t.live_bytes, before);
}

static void a_thousand_recipients_are_taken(void **state)
{
    struct fixture *f = *state;
    char rcpt[400];
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "HELO x.example\r\nMAIL FROM:<a@x.example>\r\n"), MOX_OK);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(rcpt, sizeof rcpt, "RCPT TO:<%0100d@%060d.%060d.example>\r\n", i, i, i);
        assert_int_equal(say(f, rcpt), MOX_OK);
        assert_said(f, "250 2.1.0");
    }
    assert_int_equal(say(f, rcpt), MOX_OK);
    assert_said(f, "452 4.5.3");
    assert_int_equal(say(f, "DATA\r\n.\r\n"), MOX_OK);
    assert_int_equal(f->h.last.recipient_count, 1000);
}

static void a_client_that_never_reads_is_not_read(void **state)
{
    struct fixture *f = *state;
    static char noops[MOX_INPUT_MAX];
    for (size_t i = 0; i + 6 <= sizeof noops; i += 6)
        memcpy(noops + i, "NOOP\r\n", 6);
    smtp_host_open(&f->h);
    assert_int_equal(mox_smtp_server_input(f->h.server, (const uint8_t *)noops, 65532), MOX_OK);
    assert_false(wants(f, MOX_WANTS_READ));
    assert_true(f->t.live_bytes < 160000);
    /* Once it reads, all is answered. */
    size_t lines = 0, len;
    const uint8_t *data;
    while ((len = mox_smtp_server_output(f->h.server, &data)) > 0) {
        for (size_t i = 0; i < len; i++)
            lines += data[i] == '\n';
        mox_smtp_server_sent(f->h.server, len);
    }
    assert_int_equal(lines, 1 + 65532 / 6);
    assert_true(wants(f, MOX_WANTS_READ));
}

static void unread_output_closes_in_the_end(void **state)
{
    struct fixture *f = *state;
    smtp_host_open(&f->h);
    assert_int_equal(mox_smtp_server_input(f->h.server, (const uint8_t *)"QUIT\r\n", 6), MOX_OK);
    test_env_advance(&f->t, 29 * 1000000);
    assert_true(mox_smtp_server_deadline(f->h.server) > f->t.monotonic_us);
    test_env_advance(&f->t, 1000000);
    assert_int_equal(mox_smtp_server_tick(f->h.server), MOX_OK);
    assert_int_equal(mox_smtp_server_wants(f->h.server), MOX_WANTS_CLOSE);
    assert_true(mox_smtp_server_deadline(f->h.server) == INT64_MAX);
    assert_non_null(strstr(f->t.log, "l=info m=\"connection timed out\" pkg=smtpserver"));
    assert_non_null(strstr(f->t.log, " awaited=reading\n"));
}

static void a_large_message_comes_in_bounded_pieces(void **state)
{
    struct fixture *f = *state;
    static uint8_t chunk[MOX_INPUT_MAX];
    memset(chunk, '\n', sizeof chunk); /* grows twofold */
    smtp_host_open(&f->h);
    assert_int_equal(say(f,
                         "HELO x.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@mx.example>\r\n"
                         "DATA\r\n"),
                     MOX_OK);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(say_bytes(f, chunk, sizeof chunk), MOX_OK);
        assert_true(f->t.live_bytes < 200000);
    }
    assert_int_equal(say(f, "\r\n.\r\n"), MOX_OK);
    assert_said(f, "250 2.2.0 2097154 bytes");
}

/* ---- answers ---- */

static void failures_end_with_the_received_id(void **state)
{
    struct fixture *f = *state;
    char id[MOX_SMTP_RECEIVED_ID_MAX], expected[100];
    uint64_t cid;
    mox_smtp_received_id(f->h.config.received_id_key, 0x1f, id);
    assert_int_equal(strlen(id), 22);
    assert_int_equal(mox_smtp_received_id_decode(f->h.config.received_id_key, id, &cid), MOX_OK);
    assert_int_equal(cid, 0x1f);
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "NOOP\r\nFOO\r\n"), MOX_OK);
    (void)snprintf(expected, sizeof expected,
                   "220 mx.example ESMTP\r\n250 2.0.0 yes\r\n500 5.5.1 unknown command (%s)\r\n",
                   id);
    assert_string_equal(f->said, expected);
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
static void refuse_with(struct fixture *f, const char *text)
{
    struct mox_smtp_reply reply;
    mox_smtp_reply_set(&reply, 550, "5.7.1", "%s", text);
    assert_int_equal(say(f, "RSET\r\nMAIL FROM:<later@x.example>\r\n"), MOX_OK);
    f->said_len = 0;
    assert_int_equal(mox_smtp_server_reply(f->h.server, MOX_EREFUSED, &reply), MOX_OK);
    listen_to(f);
}

static void long_replies_are_split_at_spaces(void **state)
{
    struct fixture *f = *state;
    char text[512];
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "HELO x.example\r\n"), MOX_OK);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[450] = text[300] = ' ';
    refuse_with(f, text);
    assert_int_equal(strcspn(f->said, "\r"), 10 + 450);
    assert_said(f, "550-5.7.1 a");
    assert_memory_equal(f->said + 462, "550 5.7.1 aaaa", 14);
    text[450] = 'a';
    refuse_with(f, text);
    assert_int_equal(strcspn(f->said, "\r"), 510);
}

static void replies_have_no_controls_and_no_foreign_letters(void **state)
{
    struct fixture *f = *state;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "HELO x.example\r\n"), MOX_OK);
    refuse_with(f, "a\r\nb\tc\x7f\xc3\xa9\n");
    assert_said(f, "550-5.7.1 a \r\n550-5.7.1 b c ??\r\n550 5.7.1  (");
}

static void an_answer_that_nobody_waits_for_is_a_mistake(void **state)
{
    struct fixture *f = *state;
    smtp_host_open(&f->h);
    assert_int_equal(mox_smtp_server_reply(f->h.server, MOX_OK, NULL), MOX_EINVAL);
    assert_int_equal(say(f, "HELO x.example\r\nMAIL FROM:<later@x.example>\r\n"), MOX_OK);
    assert_int_equal(mox_smtp_server_reply(f->h.server, MOX_LATER, NULL), MOX_EINVAL);
    assert_int_equal(mox_smtp_server_reply(f->h.server, MOX_OK, NULL), MOX_OK);
}

static void the_host_is_told_of_each_end(void **state)
{
    struct fixture *f = *state;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "HELO x.example\r\nRSET\r\n"), MOX_OK);
    assert_int_equal(f->h.resets, 0);
    assert_int_equal(say(f, "MAIL FROM:<refused@x.example>\r\n"), MOX_OK);
    assert_int_equal(f->h.resets, 1);
    assert_int_equal(say(f, "MAIL FROM:<a@x.example>\r\nRSET\r\n"), MOX_OK);
    assert_int_equal(f->h.resets, 2);
    assert_int_equal(say(f, "MAIL FROM:<a@x.example>\r\nHELO x.example\r\n"), MOX_OK);
    assert_int_equal(f->h.resets, 3);
    assert_int_equal(say(f, "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n.\r\n"),
                     MOX_OK);
    assert_int_equal(f->h.resets, 4);
    assert_int_equal(say(f, "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\nabc"),
                     MOX_OK);
    mox_smtp_server_eof(f->h.server);
    assert_int_equal(f->h.resets, 5);
    assert_true(wants(f, MOX_WANTS_CLOSE));
}

static void a_server_freed_while_it_waits_tells_nothing(void **state)
{
    struct fixture *f = *state;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "HELO x.example\r\nMAIL FROM:<later@x.example>\r\n"), MOX_OK);
    hang_up(f);
    assert_int_equal(f->h.resets, 0);
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "HELO x.example\r\nMAIL FROM:<a@x.example>\r\n"), MOX_OK);
    hang_up(f);
    assert_int_equal(f->h.resets, 1);
}

static void a_piece_stays_until_its_late_answer(void **state)
{
    struct fixture *f = *state;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "HELO x.example\r\nMAIL FROM:<piece-later@x.example>\r\n"
                            "RCPT TO:<b@mx.example>\r\nDATA\r\n"),
                     MOX_OK);
    assert_int_equal(say(f, "one\r\n"), MOX_OK);
    assert_true(wants(f, MOX_WANTS_APP));
    assert_false(wants(f, MOX_WANTS_READ));
    assert_true(mox_smtp_server_deadline(f->h.server) == INT64_MAX);
    assert_int_equal(mox_smtp_server_reply(f->h.server, MOX_OK, NULL), MOX_OK);
    assert_true(wants(f, MOX_WANTS_READ));
    assert_int_equal(say(f, "two\r\n.\r\nNOOP\r\n"), MOX_OK);
    assert_said(f, "");
    assert_int_equal(mox_smtp_server_reply(f->h.server, MOX_OK, NULL), MOX_OK);
    listen_to(f);
    assert_said(f, "250 2.2.0 10 bytes: one\\r\\ntwo\\r\\n nobody\r\n250 2.0.0 yes\r\n");
}

static void what_is_behind_starttls_is_handed_out(void **state)
{
    struct fixture *f = *state;
    const uint8_t *rest;
    struct mox_tls_info info = {.size = sizeof info, .version = "TLS1.2"};
    f->h.config.starttls = true;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "HELO x.example\r\nSTARTTLS\r\nRSET\r\nrest"), MOX_OK);
    assert_true(wants(f, MOX_WANTS_STARTTLS));
    assert_false(wants(f, MOX_WANTS_READ));
    assert_int_equal(mox_smtp_server_tls_rest(f->h.server, &rest), 10);
    assert_memory_equal(rest, "RSET\r\nrest", 10);
    mox_smtp_server_tls_started(f->h.server, &info);
    assert_int_equal(mox_smtp_server_tls_rest(f->h.server, &rest), 0);
    assert_true(wants(f, MOX_WANTS_READ));
    listen_to(f);
    assert_null(strstr(f->said, "250 2.0.0"));
}

/* ---- slow clients ---- */

static void a_message_that_nobody_wants_makes_its_sender_slow(void **state)
{
    struct fixture *f = *state;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "HELO x\r\nMAIL FROM:<deliver-refused.junk@x.example>\r\n"
                            "RCPT TO:<a@x.example>\r\nDATA\r\n"),
                     MOX_OK);
    assert_int_equal(mox_smtp_server_pace(f->h.server), 0);
    assert_int_equal(say(f, ".\r\n"), MOX_OK);
    assert_int_equal(mox_smtp_server_pace(f->h.server), 1);
    assert_int_equal(say(f, "RSET\r\nEHLO y\r\n"), MOX_OK); /* which changes nothing */
    assert_int_equal(mox_smtp_server_pace(f->h.server), 1);
}

static void a_message_that_some_do_not_want_makes_its_sender_slow_too(void **state)
{
    struct fixture *f = *state;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "HELO x\r\nMAIL FROM:<junk@x.example>\r\n"
                            "RCPT TO:<a@x.example>\r\nDATA\r\n.\r\n"),
                     MOX_OK);
    assert_non_null(strstr(f->said, "\n250 2.2.0 "));
    assert_int_equal(mox_smtp_server_pace(f->h.server), 1);
}

static const char fail_login[] = "AUTH PLAIN AHVzZXIAd3Jvbmc=\r\n";

static void the_third_failed_login_makes_slow_and_success_fast_again(void **state)
{
    struct fixture *f = *state;
    f->h.config.mode = MOX_SMTP_SUBMISSION;
    f->h.config.auth_without_tls = true;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "EHLO x\r\n"), MOX_OK);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(mox_smtp_server_pace(f->h.server), i < 3 ? 0 : 1);
        assert_int_equal(say(f, fail_login), MOX_OK);
        assert_said(f, "535 ");
    }
    assert_int_equal(say(f, "AUTH PLAIN AHVzZXIAc2VjcmV0\r\n"), MOX_OK);
    assert_said(f, "235 ");
    assert_int_equal(mox_smtp_server_pace(f->h.server), 0);
}

static void a_login_that_fails_by_our_fault_is_not_counted(void **state)
{
    struct fixture *f = *state;
    f->h.config.mode = MOX_SMTP_SUBMISSION;
    f->h.config.auth_without_tls = true;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "EHLO x\r\n"), MOX_OK);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(say(f, "AUTH PLAIN AHVzZXIAYnJva2Vu\r\n"), MOX_OK); /* "broken" */
        assert_said(f, "454 ");
    }
    assert_int_equal(mox_smtp_server_pace(f->h.server), 0);
}

/* What comes behind a login that waits stays in the buffer that there is, and is not read on. */
static void nothing_is_read_while_a_login_waits(void **state)
{
    struct fixture *f = *state;
    static uint8_t junk[MOX_INPUT_MAX];
    f->h.config.mode = MOX_SMTP_SUBMISSION;
    f->h.config.auth_without_tls = true;
    f->h.config.login_delay_us = 1000000;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "EHLO x\r\n"), MOX_OK);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(say(f, fail_login), MOX_OK);
    memset(junk, 'x', sizeof junk);
    memcpy(junk, fail_login, sizeof fail_login - 1);
    assert_int_equal(say_bytes(f, junk, sizeof junk), MOX_OK);
    assert_said(f, "");
    assert_int_equal(mox_smtp_server_wants(f->h.server), 0);
    assert_true(f->t.live_bytes < 3 * MOX_INPUT_MAX);
    assert_int_equal(mox_smtp_server_deadline(f->h.server), f->t.monotonic_us + 1000000);
    f->t.monotonic_us += 999999;
    assert_int_equal(mox_smtp_server_tick(f->h.server), MOX_OK);
    assert_int_equal(mox_smtp_server_wants(f->h.server), 0);
    f->t.monotonic_us++;
    assert_int_equal(mox_smtp_server_tick(f->h.server), MOX_ELIMIT); /* the junk has no line end */
    f->said_len = 0;
    listen_to(f);
    assert_said(f, "535 5.7.8 ");
    assert_non_null(strstr(f->said, "500 5.5.0 line too long"));
}

static void structs_of_older_hosts_are_shorter(void **state)
{
    struct fixture *f = *state;
    struct mox_smtp_server_callbacks old = smtp_host_callbacks;
    f->h.config.requiretls = true; /* beyond what an older host has */
    f->h.config.size = offsetof(struct mox_smtp_server_config, requiretls);
    old.size = offsetof(struct mox_smtp_server_callbacks, reset);
    assert_int_equal(
        mox_smtp_server_new(&f->h.server, &f->t.env, &f->h.config, &f->h.peer, &old, &f->h),
        MOX_OK);
    assert_int_equal(say(f, "HELO x.example\r\nMAIL FROM:<a@x.example>\r\nRSET\r\n"), MOX_OK);
    assert_int_equal(f->h.resets, 0);
    hang_up(f);
    old.size = offsetof(struct mox_smtp_server_callbacks, deliver);
    assert_int_equal(
        mox_smtp_server_new(&f->h.server, &f->t.env, &f->h.config, &f->h.peer, &old, &f->h),
        MOX_EINVAL);
    assert_null(f->h.server);
}

/* ---- memory that fails ---- */

static const char dialogue[] =
    "EHLO x\r\nAUTH LOGIN dXNlcg==\r\nc2VjcmV0\r\nMAIL FROM:<\xc3\xa9@b\xc3\xbc"
    "cher.example> SMTPUTF8\r\n"
    "RCPT TO:<b@mx.example>\r\nRCPT TO:<\xc3\xa9@mx.example>\r\nDATA\r\nSubject: "
    "x\r\n\r\n..x\r\n.\r\n"
    "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@mx.example>\r\nBDAT 4\r\n\r\na\nBDAT 2 LAST\r\nb\n"
    "AUTH FOO\r\nHELP\r\nQUIT\r\n";

static int hold_dialogue(struct fixture *f, size_t step)
{
    int rc = mox_smtp_server_new(&f->h.server, &f->t.env, &f->h.config, &f->h.peer,
                                 &smtp_host_callbacks, &f->h);
    for (size_t at = 0; rc == MOX_OK && at < sizeof dialogue - 1; at += step) {
        size_t n = sizeof dialogue - 1 - at < step ? sizeof dialogue - 1 - at : step;
        rc = mox_smtp_server_input(f->h.server, (const uint8_t *)dialogue + at, n);
        listen_to(f);
        if (rc == MOX_OK && wants(f, MOX_WANTS_CLOSE))
            break;
        f->said_len = 0;
    }
    return rc;
}

static void each_allocation_may_fail(void **state)
{
    struct fixture *f = *state;
    f->h.config.mode = MOX_SMTP_SUBMISSION;
    f->h.config.auth_without_tls = true;
    for (size_t step = 1; step < 1000; step += 499) {
        int rc = MOX_ENOMEM;
        unsigned failed = 0;
        for (long n = 1; rc != MOX_OK || failed == 0; n++) {
            assert_true(n < 10000);
            f->t.allocations = 0;
            f->t.fail_at = n;
            f->h.content_len = 0;
            rc = hold_dialogue(f, step);
            assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
            if (rc == MOX_ENOMEM && f->h.server != NULL)
                assert_true(wants(f, MOX_WANTS_CLOSE));
            failed += rc == MOX_ENOMEM;
            if (rc == MOX_OK && f->t.allocations < n)
                failed += 1; /* n was beyond the last */
            else if (rc == MOX_OK)
                rc = MOX_ENOMEM; /* the failure was survived: go on with the next */
            f->t.fail_at = 0;
            hang_up(f);
            assert_int_equal(f->t.live, 0);
        }
    }
}

/* ---- the log ---- */

/* So long that the host does not show the message in its reply. */
#define TEN     "private, x"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* The dialogue with secrets in all places where clients put them; `level` is that of the log. */
static void log_dialogue(struct fixture *f, enum mox_log_level level)
{
    f->t.log_level = level;
    f->h.config.mode = MOX_SMTP_SUBMISSION;
    f->h.config.auth_without_tls = true;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "EHLO x\r\n"
                            "AUTH PLAIN AHVzZXIAd3Jvbmc=\r\n" /* wrong */
                            "auth plain\r\nAHVzZXIAd3Jvbmc=\r\n"
                            "AUTH LOGIN dXNlcg==\r\nd3Jvbmc=\r\n"
                            "AUTH FOO AHVzZXIAd3Jvbmc=\r\n"
                            "AUTH AHVzZXIAd3Jvbmc=\r\n"
                            "AUTHPLAIN AHVzZXIAd3Jvbmc=\r\n"
                            "AUTH FOO\r\nAHVzZXIAd3Jvbmc=\r\n" /* pipelined behind a refusal */
                            "AUTH LOGIN\r\nAUTH PLAIN AHVzZXIAd3Jvbmc=\r\n" /* out of step */
                            "AUTH PLAIN AHVzZXIAc2VjcmV0\r\n"),
                     MOX_OK);
    assert_int_equal(say(f, "MAIL FROM:<a@mx.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n"
                            "Subject: private\r\n\r\n" HUNDRED "\r\n.\r\nQUIT\r\n"),
                     MOX_OK);
    assert_said(f, "250 2.1.0");
    assert_non_null(f->t.log);
}

static bool logged(const struct fixture *f, const char *text)
{
    return strstr(f->t.log, text) != NULL;
}

static void secrets_are_not_logged_below_traceauth(void **state)
{
    struct fixture *f = *state;
    for (int level = MOX_LOG_INFO; level <= MOX_LOG_TRACE; level++) {
        log_dialogue(f, (enum mox_log_level)level);
        hang_up(f);
        assert_false(logged(f, "AHVzZXIA") || logged(f, "d3Jvbmc") || logged(f, "c2VjcmV0"));
        assert_false(logged(f, "secret") || logged(f, "private"));
    }
    assert_true(logged(f, "m=\"RC: AUTH PLAIN ***\" pkg=smtpserver cid=1f size=27"));
    assert_true(logged(f, "m=\"RC: ***\""));
    assert_true(logged(f, "m=\"RC: auth plain\""));
    assert_true(logged(f, "m=\"RC: ...\" pkg=smtpserver cid=1f size=125"));
    assert_true(logged(f, "m=\"RC: MAIL FROM:<a@mx.example>\""));
    assert_true(logged(f, "m=\"LS: 235 2.7.0 "));
}

static void traceauth_shows_secrets_and_no_mail(void **state)
{
    struct fixture *f = *state;
    log_dialogue(f, MOX_LOG_TRACEAUTH);
    assert_true(logged(f, "RC: AUTH PLAIN AHVzZXIAc2VjcmV0"));
    assert_true(logged(f, "RC: d3Jvbmc="));
    assert_false(logged(f, "private"));
    assert_true(logged(f, "m=\"RC: ...\""));
}

static void tracedata_shows_all(void **state)
{
    struct fixture *f = *state;
    log_dialogue(f, MOX_LOG_TRACEDATA);
    assert_true(logged(f, "RC: AUTH PLAIN AHVzZXIAc2VjcmV0"));
    assert_true(logged(f, "RC: Subject: private"));
}

static void results_and_failed_logins_are_logged(void **state)
{
    struct fixture *f = *state;
    log_dialogue(f, MOX_LOG_DEBUG);
    assert_true(logged(f,
                       "m=\"smtp command result\" pkg=smtpserver cid=1f kind=submission cmd=auth "
                       "code=535 ecode=5.7.8"));
    assert_true(logged(f, "cmd=(unknown) code=500"));
    assert_true(logged(f, "m=\"failed authentication attempt\" pkg=smtpserver cid=1f "
                          "remote=192.0.2.1 protocol=smtp mechanism=PLAIN user=user "
                          "reason=badcreds"));
    assert_false(logged(f, "RC: "));
}

static void other_protocols_are_a_line_at_debug_without_their_bytes(void **state)
{
    struct fixture *f = *state;
    f->t.log_level = MOX_LOG_INFO;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "GET /private HTTP/1.1\r\nHost: x\r\n"), MOX_OK);
    assert_non_null(strstr(f->said, "\n500 5.5.2 please speak SMTP\r\n"));
    assert_int_equal(f->t.log_len, 0);
    hang_up(f);
    f->t.log_level = MOX_LOG_DEBUG;
    smtp_host_open(&f->h);
    assert_int_equal(say(f, "GET /private HTTP/1.1\r\nHost: x\r\n"), MOX_OK);
    assert_true(logged(f, "m=\"not speaking smtp\" pkg=smtpserver cid=1f remote=192.0.2.1"));
    assert_false(logged(f, "private"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_has_2048_bytes),
        TEST(a_line_of_auth_has_12288_bytes),
        TEST(an_idle_connection_holds_less_than_4_kib),
        TEST(refused_recipients_take_no_memory),
        TEST(a_thousand_recipients_are_taken),
        TEST(a_client_that_never_reads_is_not_read),
        TEST(unread_output_closes_in_the_end),
        TEST(a_large_message_comes_in_bounded_pieces),
        TEST(failures_end_with_the_received_id),
        TEST(received_ids_of_others_are_not_ours),
        TEST(long_replies_are_split_at_spaces),
        TEST(replies_have_no_controls_and_no_foreign_letters),
        TEST(an_answer_that_nobody_waits_for_is_a_mistake),
        TEST(the_host_is_told_of_each_end),
        TEST(a_server_freed_while_it_waits_tells_nothing),
        TEST(a_piece_stays_until_its_late_answer),
        TEST(what_is_behind_starttls_is_handed_out),
        TEST(a_message_that_nobody_wants_makes_its_sender_slow),
        TEST(a_message_that_some_do_not_want_makes_its_sender_slow_too),
        TEST(the_third_failed_login_makes_slow_and_success_fast_again),
        TEST(a_login_that_fails_by_our_fault_is_not_counted),
        TEST(nothing_is_read_while_a_login_waits),
        TEST(structs_of_older_hosts_are_shorter),
        TEST(each_allocation_may_fail),
        TEST(secrets_are_not_logged_below_traceauth),
        TEST(traceauth_shows_secrets_and_no_mail),
        TEST(tracedata_shows_all),
        TEST(results_and_failed_logins_are_logged),
        TEST(other_protocols_are_a_line_at_debug_without_their_bytes),
    };
    return cmocka_run_group_tests_name("smtp-server", tests, NULL, NULL);
}
