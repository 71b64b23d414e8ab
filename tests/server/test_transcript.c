/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "server/localserve.h"
#include "support/cm.h"
#include "support/testenv.h"

struct shown {
    struct test_env t;
    struct mox_env env;
    struct transcript *transcript;
    int read_fd, write_fd;
    char text[65536];
};

static void begin(struct shown *s)
{
    int fds[2];
    test_env_init(&s->t);
    s->t.log_level = MOX_LOG_INFO;
    s->env = s->t.env;
    assert_int_equal(pipe(fds), 0);
    s->read_fd = fds[0];
    s->write_fd = fds[1];
    assert_int_equal(mox__transcript_new(&s->transcript, &s->env, s->write_fd), MOX_OK);
}

static void end(struct shown *s)
{
    mox__transcript_free(s->transcript);
    (void)close(s->write_fd);
    ssize_t n = read(s->read_fd, s->text, sizeof s->text - 1);
    assert_true(n >= 0);
    s->text[n] = '\0';
    (void)close(s->read_fd);
    test_env_done(&s->t);
}

static void both_protocols_are_shown_side_by_side(void **state)
{
    (void)state;
    static struct shown s;
    begin(&s);
    log_line(&s.env, MOX_LOG_INFO, "smtpserver", "new connection", NULL, F_HEX("cid", 0x1abcd),
             F_TEXT("remote", "192.0.2.1"), F_TEXT("service", "smtp"));
    log_line(&s.env, MOX_LOG_TRACE, "smtpserver", "RC: EHLO x", NULL, F_HEX("cid", 0x1abcd));
    log_line(&s.env, MOX_LOG_TRACE, "smtpserver", "LS: 250-a\r\n250 b\r\n", NULL,
             F_HEX("cid", 0x1abcd));
    log_line(&s.env, MOX_LOG_TRACE, "imapserver", "RC", NULL, F_HEX("cid", 0x1abce),
             F_BYTES("data", slice_of("a NOOP\x1b[2J")));
    log_line(&s.env, MOX_LOG_DEBUG, "smtpserver", "connection closed", NULL, F_HEX("cid", 0x1abcd));
    log_line(&s.env, MOX_LOG_TRACE, "store", "RC: not a dialogue", NULL, F_HEX("cid", 1));
    end(&s);
    assert_string_equal(s.text, "smtp abcd -- smtp connection from 192.0.2.1\n"
                                "smtp abcd C: EHLO x\n"
                                "smtp abcd S: 250-a\n"
                                "smtp abcd S: 250 b\n"
                                "imap abce C: a NOOP?[2J\n"
                                "smtp abcd -- closed\n");
}

static void no_control_of_any_kind_is_shown(void **state)
{
    (void)state;
    static struct shown s;
    begin(&s);
    log_line(&s.env, MOX_LOG_TRACE, "imapserver", "RC", NULL, F_HEX("cid", 1),
             F_BYTES("data", slice_of("a\x7f \x1b[2J \xc2\x9b"
                                      "2J \x9b"
                                      "2J \xc2\xa0\xc3\xa9\xe2\x82\xac \xed\xa0\x80 \xc2")));
    end(&s);
    assert_string_equal(s.text,
                        "imap 0001 C: a? ?[2J ?2J ?2J \xc2\xa0\xc3\xa9\xe2\x82\xac ??? ?\n");
}

static void of_a_message_only_the_beginning_is_shown(void **state)
{
    (void)state;
    static struct shown s;
    char body[6001];
    memset(body, 'x', 6000);
    body[6000] = '\0';
    begin(&s);
    log_line(&s.env, MOX_LOG_TRACEDATA, "smtpserver", "RC: Subject: hello\r\n\r\n", NULL,
             F_HEX("cid", 7));
    for (int i = 0; i < 3; i++)
        log_line(&s.env, MOX_LOG_TRACEDATA, "imapserver", "RC", NULL, F_HEX("cid", 7),
                 F_BYTES("data", slice_of(body)));
    log_line(&s.env, MOX_LOG_TRACE, "smtpserver", "LS: 250 ok", NULL, F_HEX("cid", 7));
    end(&s);
    assert_non_null(strstr(s.text, "smtp 0007 C| Subject: hello\nsmtp 0007 C| \n"));
    assert_non_null(strstr(s.text, "smtp 0007 C| ... 13922 more bytes\nsmtp 0007 S: 250 ok\n"));
    assert_true(strlen(s.text) < 6000);
}

static void secrets_are_asked_for_only_when_the_log_shows_them(void **state)
{
    (void)state;
    static struct shown s;
    begin(&s);
    assert_true(mox__log_enabled(&s.env, MOX_LOG_TRACEDATA, "smtpserver"));
    assert_false(mox__log_enabled(&s.env, MOX_LOG_TRACEAUTH, "smtpserver"));
    assert_false(mox__log_enabled(&s.env, MOX_LOG_DEBUG, "store"));
    s.t.log_level = MOX_LOG_TRACEAUTH;
    assert_true(mox__log_enabled(&s.env, MOX_LOG_TRACEAUTH, "smtpserver"));
    end(&s);
}

static void the_log_itself_is_as_before(void **state)
{
    (void)state;
    static struct shown s;
    begin(&s);
    log_line(&s.env, MOX_LOG_TRACE, "smtpserver", "RC: EHLO x", NULL, F_HEX("cid", 1));
    assert_null(s.t.log);
    log_line(&s.env, MOX_LOG_INFO, "smtpserver", "something", NULL, F_HEX("cid", 1));
    assert_non_null(strstr(s.t.log, "m=something"));
    end(&s);
    assert_non_null(strstr(s.text, "EHLO"));
    assert_null(strstr(s.text, "something"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_protocols_are_shown_side_by_side),
        cmocka_unit_test(no_control_of_any_kind_is_shown),
        cmocka_unit_test(of_a_message_only_the_beginning_is_shown),
        cmocka_unit_test(secrets_are_asked_for_only_when_the_log_shows_them),
        cmocka_unit_test(the_log_itself_is_as_before),
    };
    return cmocka_run_group_tests_name("transcripts of sessions", tests, NULL, NULL);
}
