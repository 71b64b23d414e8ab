/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "smtp/host.h"
#include "support/cm.h"
#include "support/corpora.h"
#include "support/script.h"

/* Attempts to log in: who counts them is told of the end of each, once, and so is the log. What is said
 * on the wire is in transcripts/smtp/auth-*.txt. */

static void open_host(struct smtp_host *h, struct test_env *t)
{
    test_env_init(t);
    smtp_host_init(h);
    h->env = t;
    h->config.mode = MOX_SMTP_SUBMISSION;
    h->config.auth_without_tls = true;
    h->config.mechanisms = ~0u;
    h->config.login_delay_us = 0;
}

static void close_host(struct smtp_host *h, struct test_env *t)
{
    mox_smtp_server_free(h->server);
    smtp_host_done(h);
    test_env_done(t);
}

static int say(struct smtp_host *h, const char *text, size_t len)
{
    const uint8_t *out;
    size_t n;
    int rc = mox_smtp_server_input(h->server, (const uint8_t *)text, len);
    while ((n = mox_smtp_server_output(h->server, &out)) > 0)
        mox_smtp_server_sent(h->server, n);
    return rc;
}

static size_t count(const char *log, const char *what)
{
    size_t n = 0;
    for (const char *at = log; at != NULL && (at = strstr(at, what)) != NULL; at += strlen(what))
        n++;
    return n;
}

static const struct {
    const char *says;
    unsigned attempts;
    enum mox_sasl_failure failure; /* of the last */
    bool harmless;
    const char *log;
} attempts[] = {
    {"AUTH PLAIN AHUAc2VjcmV0\r\n", 1, 0, false,
     "m=login pkg=smtpserver cid=1f remote=192.0.2.1 protocol=smtp mechanism=PLAIN user=u reason=ok"},
    {"AUTH PLAIN AHUAd3Jvbmc=\r\n", 1, MOX_SASL_FAILED_CREDENTIALS, false,
     "remote=192.0.2.1 protocol=smtp mechanism=PLAIN user=u reason=badcreds"},
    {"AUTH PLAIN AHUAcmVmdXNlZA==\r\n", 1, MOX_SASL_FAILED_DISABLED, false,
     "user=u reason=logindisabled"},
    {"AUTH PLAIN AHUAYnJva2Vu\r\n", 1, MOX_SASL_FAILED_TEMPORARY, true, "user=u reason=error"},
    {"AUTH PLAIN eAB1AHNlY3JldA==\r\n", 1, MOX_SASL_FAILED_AUTHORIZATION, false,
     "user=u reason=badcreds"},
    {"AUTH PLAIN dXNlcg==\r\n", 1, MOX_SASL_FAILED_SYNTAX, false,
     "mechanism=PLAIN user=\"\" reason=badprotocol"},
    {"AUTH PLAIN !\r\n", 1, MOX_SASL_FAILED_SYNTAX, false, "reason=badprotocol"},
    {"AUTH PLAIN \r\n", 1, MOX_SASL_FAILED_SYNTAX, false, "reason=badprotocol"},
    {"AUTH LOGIN dQ==\r\n*\r\n", 1, MOX_SASL_FAILED_ABORTED, false,
     "mechanism=LOGIN user=u reason=aborted"},
    /* The connection ends in the middle: while we wait for the client, or for the host. */
    {"AUTH LOGIN dQ==\r\n", 1, MOX_SASL_FAILED_ABORTED, false,
     "mechanism=LOGIN user=u reason=aborted"},
    {"AUTH PLAIN AHUAbGF0ZXI=\r\n", 1, MOX_SASL_FAILED_ABORTED, false, "user=u reason=aborted"},
    {"AUTH CRAM-MD5\r\nb2xkIDAwMTEyMjMzNDQ1NTY2Nzc4ODk5YWFiYmNjZGRlZWZm\r\n", 1, MOX_SASL_FAILED_CREDENTIALS,
     true, "err=\"no cram-md5 record: set the password again\""},
    {"AUTH SCRAM-SHA-256 biwsbj1ub2JvZHkscj0xMjM0NTY3OA==\r\n*\r\n", 1, MOX_SASL_FAILED_ABORTED,
     false, "mechanism=SCRAM-SHA-256 user=nobody reason=aborted"},
    {"AUTH SCRAM-SHA-256 cD10bHMtZXhwb3J0ZXIsLG49dSxyPTEyMzQ1Njc4\r\n", 1,
     MOX_SASL_FAILED_BINDING, false, "l=warn m=\"failed authentication attempt\" err=\"possible man in "},
    {"AUTH PLAIN AHUAd3Jvbmc=\r\nAUTH LOGIN dQ==\r\n*\r\nAUTH PLAIN AHUAc2VjcmV0\r\n", 3, 0, false,
     "reason=ok"},
    /* Nothing was tried. */
    {"AUTH\r\nAUTH NONE\r\nAUTH EXTERNAL\r\nAUTH SCRAM-SHA-1-PLUS\r\nNOOP\r\n", 0, 0, false,
     "code=538"},
};

static void each_attempt_is_told_and_logged_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        struct test_env t;
        struct smtp_host h;
        open_host(&h, &t);
        t.log_level = MOX_LOG_DEBUG;
        smtp_host_open(&h);
        assert_int_equal(say(&h, "EHLO x\r\n", 8), MOX_OK);
        assert_int_equal(say(&h, attempts[i].says, strlen(attempts[i].says)), MOX_OK);
        mox_smtp_server_free(h.server);
        h.server = NULL;
        size_t lines = count(t.log, "failed authentication attempt") + count(t.log, "m=login ");
        if (h.attempts != attempts[i].attempts || lines != attempts[i].attempts ||
            h.last_failure != attempts[i].failure || (h.harmless > 0) != attempts[i].harmless ||
            strstr(t.log, attempts[i].log) == NULL)
            fail_msg("%s: %u attempts, failure %d, %u harmless, log:\n%s", attempts[i].says,
                     h.attempts, (int)h.last_failure, h.harmless, t.log);
        close_host(&h, &t);
    }
}

static void an_answer_without_a_question_is_refused(void **state)
{
    (void)state;
    struct test_env t;
    struct smtp_host h;
    open_host(&h, &t);
    smtp_host_open(&h);
    assert_int_equal(mox_smtp_server_auth(h.server, MOX_OK, NULL), MOX_EINVAL);
    assert_int_equal(say(&h, "EHLO x\r\nMAIL FROM:<later@x.example>\r\n", 37), MOX_OK);
    assert_int_equal(mox_smtp_server_auth(h.server, MOX_OK, NULL), MOX_EINVAL);
    close_host(&h, &t);
}

/* Of hosts that were built before there was more than a password. */
static void by_default_only_passwords_are_asked_for(void **state)
{
    (void)state;
    struct mox_smtp_server_config config;
    mox_smtp_server_config_init(&config);
    assert_int_equal(config.mechanisms, MOX_SASL_PASSWORDS);
}

/* Returns whether the nth allocation failed. */
static bool play(const struct script *s, long nth)
{
    struct test_env t;
    struct smtp_host h;
    open_host(&h, &t);
    t.log_level = MOX_LOG_ERROR;
    h.peer.tls = true;
    sasl_users_tls(&h.peer.tls_info, true);
    t.fail_at = nth;
    int rc = mox_smtp_server_new(&h.server, &t.env, &h.config, &h.peer, &smtp_host_callbacks, &h);
    for (size_t i = 0; rc == MOX_OK && i < s->count; i++)
        if ((mox_smtp_server_wants(h.server) & MOX_WANTS_READ) != 0)
            rc = say(&h, s->lines[i], s->lens[i]);
    assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
    bool failed = t.allocations >= nth;
    close_host(&h, &t);
    return failed;
}

static void each_allocation(void *user, const char *path, struct mox_slice data)
{
    long *failed = user;
    struct script s;
    if (strstr(path, "/auth") == NULL)
        return;
    script_read(&s, data);
    for (long nth = 1; play(&s, nth); nth++)
        ++*failed;
    script_free(&s);
}

static void every_dialogue_survives_any_allocation_that_fails(void **state)
{
    (void)state;
    long failed = 0;
    each_file(tests_path("transcripts/smtp"), each_allocation, &failed);
    assert_true(failed > 500);
    print_message("%ld allocations failed\n", failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_attempt_is_told_and_logged_once),
        cmocka_unit_test(an_answer_without_a_question_is_refused),
        cmocka_unit_test(by_default_only_passwords_are_asked_for),
        cmocka_unit_test(every_dialogue_survives_any_allocation_that_fails),
    };
    return cmocka_run_group_tests_name("smtp-auth", tests, NULL, NULL);
}
