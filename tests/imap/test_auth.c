/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "rig.h"
#include "support/cm.h"

/* Attempts to log in: who counts them is told of the end of each, once, and so is the log. What is said
 * on the wire is in transcripts/imap/auth-*.txt and login.txt. */

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
    {"a login u@example.org secret\r\n", 1, 0, false,
     "m=login pkg=imapserver cid=a remote=192.0.2.1 protocol=imap mechanism=LOGIN user=u@example.org "
     "reason=ok"},
    {"a login u@example.org wrong\r\n", 1, MOX_SASL_FAILED_CREDENTIALS, false,
     "remote=192.0.2.1 protocol=imap mechanism=LOGIN user=u@example.org reason=badcreds"},
    {"a login \"u\xff\" wrong\r\n", 1, MOX_SASL_FAILED_CREDENTIALS, false, "reason=badcreds"},
    {"a login \"\" \"\"\r\n", 1, MOX_SASL_FAILED_CREDENTIALS, false, "user=\"\" reason=badcreds"},
    {"a login u broken\r\n", 1, MOX_SASL_FAILED_TEMPORARY, true, "user=u reason=error"},
    {"a authenticate plain AHUAd3Jvbmc=\r\n", 1, MOX_SASL_FAILED_CREDENTIALS, false,
     "mechanism=PLAIN user=u reason=badcreds"},
    {"a authenticate plain eAB1AHNlY3JldA==\r\n", 1, MOX_SASL_FAILED_AUTHORIZATION, false,
     "user=u reason=badcreds"},
    {"a authenticate plain dXNlcg==\r\n", 1, MOX_SASL_FAILED_SYNTAX, false, "reason=badprotocol"},
    {"a authenticate plain !\r\n", 1, MOX_SASL_FAILED_SYNTAX, false, "reason=badprotocol"},
    {"a authenticate login\r\ndQ==\r\n*\r\n", 1, MOX_SASL_FAILED_ABORTED, false,
     "mechanism=LOGIN user=u reason=aborted"},
    /* The connection ends in the middle: while we wait for the client, or for the host. */
    {"a authenticate login\r\ndQ==\r\n", 1, MOX_SASL_FAILED_ABORTED, false, "user=u reason=aborted"},
    {"a login u later\r\n", 1, MOX_SASL_FAILED_ABORTED, false, "user=u reason=aborted"},
    {"a authenticate cram-md5\r\nb2xkIDAwMTEyMjMzNDQ1NTY2Nzc4ODk5YWFiYmNjZGRlZWZm\r\n", 1,
     MOX_SASL_FAILED_CREDENTIALS, true, "err=\"no cram-md5 record: set the password again\""},
    {"a authenticate scram-sha-256 cD10bHMtZXhwb3J0ZXIsLG49dSxyPTEyMzQ1Njc4\r\n\r\n", 1,
     MOX_SASL_FAILED_BINDING, false,
     "l=warn m=\"failed authentication attempt\" err=\"possible man in "},
    {"a login u wrong\r\nb authenticate login\r\n*\r\nc login u@example.org secret\r\n", 3, 0, false,
     "reason=ok"},
    /* Nothing was tried. */
    {"a login\r\na login u\r\na authenticate none\r\na authenticate external\r\na noop\r\n", 0, 0,
     false, "cmd=noop result=ok"},
};

static void each_attempt_is_told_and_logged_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        struct test_env t;
        struct mox_mailstore store;
        struct rig r;
        test_env_init(&t);
        t.log_level = MOX_LOG_DEBUG;
        assert_int_equal(mox_memory_mailstore_new(&store, &t.env), MOX_OK);
        assert_int_equal(rig_open(&r, &t.env, &store), MOX_OK);
        assert_int_equal(rig_send(&r, attempts[i].says), MOX_OK);
        mox_imap_server_eof(r.server);
        unsigned told = r.attempts;
        rig_close(&r);
        size_t lines = count(t.log, "failed authentication attempt") + count(t.log, "m=login ");
        if (told != attempts[i].attempts || r.attempts != told || lines != told ||
            r.last_failure != attempts[i].failure || r.last_is_harmless != attempts[i].harmless ||
            strstr(t.log, attempts[i].log) == NULL)
            fail_msg("%s: %u attempts, then %u, failure %d, log:\n%s", attempts[i].says, told,
                     r.attempts, (int)r.last_failure, t.log);
        mox_memory_mailstore_free(&store);
        test_env_done(&t);
    }
}

/* The answer of a host comes when the client is gone: the mail is not left open. */
static void an_answer_that_comes_too_late_is_taken(void **state)
{
    (void)state;
    struct test_env t;
    struct mox_mailstore store;
    struct rig r;
    test_env_init(&t);
    assert_int_equal(mox_memory_mailstore_new(&store, &t.env), MOX_OK);
    assert_int_equal(rig_open(&r, &t.env, &store), MOX_OK);
    assert_int_equal(mox_imap_server_auth(r.server, MOX_OK, NULL, &store), MOX_EINVAL);
    assert_int_equal(rig_send(&r, "a login u later\r\n"), MOX_OK);
    mox_imap_server_eof(r.server);
    assert_int_equal(mox_imap_server_auth(r.server, MOX_OK, NULL, &store), MOX_OK);
    assert_int_equal(mox_imap_server_auth(r.server, MOX_OK, NULL, &store), MOX_EINVAL);
    assert_int_equal(r.attempts, 1);
    rig_close(&r);
    mox_memory_mailstore_free(&store);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_attempt_is_told_and_logged_once),
        cmocka_unit_test(an_answer_that_comes_too_late_is_taken),
    };
    return cmocka_run_group_tests_name("imap-auth", tests, NULL, NULL);
}
