/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "smtp/client.h"
#include "support/cm.h"

/* What is logged of a connection, and what is not. */

/* So long that the host does not show the message in its reply. */
#define TEN     "private, x"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* The dialogue with secrets in all places where clients put them; `level` is that of the log. */
static void log_dialogue(struct client *c, enum mox_log_level level)
{
    c->t.log_level = level;
    c->h.config.mode = MOX_SMTP_SUBMISSION;
    c->h.config.auth_without_tls = true;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "EHLO x\r\n"
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
    assert_int_equal(say(c, "MAIL FROM:<a@mx.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n"
                            "Subject: private\r\n\r\n" HUNDRED "\r\n.\r\nQUIT\r\n"),
                     MOX_OK);
    assert_said(c, "250 2.1.0");
    assert_non_null(c->t.log);
}

static bool logged(const struct client *c, const char *text)
{
    return strstr(c->t.log, text) != NULL;
}

static void secrets_are_not_logged_below_traceauth(void **state)
{
    struct client *c = *state;
    for (int level = MOX_LOG_INFO; level <= MOX_LOG_TRACE; level++) {
        log_dialogue(c, (enum mox_log_level)level);
        hang_up(c);
        assert_false(logged(c, "AHVzZXIA") || logged(c, "d3Jvbmc") || logged(c, "c2VjcmV0"));
        assert_false(logged(c, "secret") || logged(c, "private"));
    }
    assert_true(logged(c, "m=\"RC: AUTH PLAIN ***\" pkg=smtpserver cid=1f size=27"));
    assert_true(logged(c, "m=\"RC: ***\""));
    assert_true(logged(c, "m=\"RC: auth plain\""));
    assert_true(logged(c, "m=\"RC: ...\" pkg=smtpserver cid=1f size=125"));
    assert_true(logged(c, "m=\"RC: MAIL FROM:<a@mx.example>\""));
    assert_true(logged(c, "m=\"LS: 235 2.7.0 "));
}

static void traceauth_shows_secrets_and_no_mail(void **state)
{
    struct client *c = *state;
    log_dialogue(c, MOX_LOG_TRACEAUTH);
    assert_true(logged(c, "RC: AUTH PLAIN AHVzZXIAc2VjcmV0"));
    assert_true(logged(c, "RC: d3Jvbmc="));
    assert_false(logged(c, "private"));
    assert_true(logged(c, "m=\"RC: ...\""));
}

static void tracedata_shows_all(void **state)
{
    struct client *c = *state;
    log_dialogue(c, MOX_LOG_TRACEDATA);
    assert_true(logged(c, "RC: AUTH PLAIN AHVzZXIAc2VjcmV0"));
    assert_true(logged(c, "RC: Subject: private"));
}

static void results_and_failed_logins_are_logged(void **state)
{
    struct client *c = *state;
    log_dialogue(c, MOX_LOG_DEBUG);
    assert_true(logged(c,
                       "m=\"smtp command result\" pkg=smtpserver cid=1f kind=submission cmd=auth "
                       "code=535 ecode=5.7.8"));
    assert_true(logged(c, "cmd=(unknown) code=500"));
    assert_true(logged(c, "m=\"failed authentication attempt\" pkg=smtpserver cid=1f "
                          "remote=192.0.2.1 protocol=smtp mechanism=PLAIN user=user "
                          "reason=badcreds"));
    assert_false(logged(c, "RC: "));
}

static void other_protocols_are_a_line_at_debug_without_their_bytes(void **state)
{
    struct client *c = *state;
    c->t.log_level = MOX_LOG_INFO;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "GET /private HTTP/1.1\r\nHost: x\r\n"), MOX_OK);
    assert_non_null(strstr(c->said, "\n500 5.5.2 please speak SMTP\r\n"));
    assert_int_equal(c->t.log_len, 0);
    hang_up(c);
    c->t.log_level = MOX_LOG_DEBUG;
    smtp_host_open(&c->h);
    assert_int_equal(say(c, "GET /private HTTP/1.1\r\nHost: x\r\n"), MOX_OK);
    assert_true(logged(c, "m=\"not speaking smtp\" pkg=smtpserver cid=1f remote=192.0.2.1"));
    assert_false(logged(c, "private"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(secrets_are_not_logged_below_traceauth),
        CLIENT_TEST(traceauth_shows_secrets_and_no_mail),
        CLIENT_TEST(tracedata_shows_all),
        CLIENT_TEST(results_and_failed_logins_are_logged),
        CLIENT_TEST(other_protocols_are_a_line_at_debug_without_their_bytes),
    };
    return cmocka_run_group_tests_name("smtp-log", tests, NULL, NULL);
}
