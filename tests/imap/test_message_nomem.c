/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "imap/rig.h"
#include "imap/talk.h"
#include "support/cm.h"
#include "support/testenv.h"

/* Commands on messages with each allocation failing in turn: no change gets lost on the way. */

static void running_out_of_memory_ends_one_session(void **state)
{
    (void)state;
    static const char *const script[] = {
        "a login u@example.org secret\r\n",
        ("b append inbox (\\Seen todo) {57+}\r\nSubject: =?utf-8?q?x?=\r\nContent-Type: "
         "text/plain\r\n"
         "\r\nabc\r\n\r\n"),
        ("b append inbox {108+}\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n"
         "one\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nTo: x\r\n\r\ntwo\r\n\r\n"),
        "c select inbox\r\n",
        "d fetch 1:* (flags body[1] body.peek[header.fields (subject \"to\")] envelope)\r\n",
        "e store 1,2 +flags (\\Flagged new)\r\n",
        "f search or (subject x header to \"\") not (body two text abc)\r\n",
        "g copy 2 inbox\r\n",
        "h store 2 +flags.silent (\\Deleted)\r\n",
        "i expunge\r\n",
        "j uid move 1:* inbox\r\n",
        "k uid fetch 1:* full\r\n",
    };
    bool finished = false;
    for (long nth = 1; !finished; nth++) {
        struct test_env t;
        struct mox_mailstore store;
        struct rig r;
        test_env_init(&t);
        t.log_level = MOX_LOG_ERROR;
        assert_int_equal(mox_memory_mailstore_new(&store, &t.env), MOX_OK);
        t.fail_at = t.allocations + nth;
        int rc = rig_open(&r, &t.env, &store);
        for (size_t i = 0; rc == MOX_OK && i < sizeof script / sizeof script[0]; i++)
            rc = rig_send(&r, script[i]);
        assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
        finished = t.allocations < t.fail_at;
        if (finished)
            assert_true(rig_said(&r, "k OK uid fetch done"));
        rig_close(&r);
        mox_memory_mailstore_free(&store);
        test_env_done(&t);
    }
}

/* What a session says to a line after another one removed the first of its two messages, with the
 * nth allocation failing. Returns whether there was one. */
static bool hears_of_a_removal(const char *line, const char *answer, long nth)
{
    struct test_env env;
    struct mox_mailstore store;
    struct talk other;
    struct rig r;
    test_env_init(&env);
    env.log_level = MOX_LOG_ERROR;
    assert_int_equal(mox_memory_mailstore_new(&store, &env.env), MOX_OK);
    for (int i = 0; i < 2; i++)
        talk_append(store, &env.env, "Inbox", slice(NULL, 0), slice_of("To: x\r\n\r\n"), 0, 1);
    assert_int_equal(rig_open(&r, &env.env, &store), MOX_OK);
    assert_int_equal(rig_send(&r, "a login u@example.org secret\r\nb select inbox\r\n"), MOX_OK);
    talk_open(&other, &env.env, store);
    talk_ok(&other, "SELECT Inbox");
    talk_ok(&other, "STORE 1 +FLAGS (\\Deleted)");
    talk_ok(&other, "EXPUNGE");
    (void)rig_said(&r, "");
    env.fail_at = env.allocations + nth;
    int rc = rig_send(&r, line);
    const bool failed = env.allocations >= env.fail_at;
    if (!failed || rc != MOX_ENOMEM) {
        assert_int_equal(rc, MOX_OK);
        if (!rig_said(&r, answer))
            fail_msg("%s: allocation %ld", line, nth);
    }
    rig_close(&r);
    talk_close(&other);
    mox_memory_mailstore_free(&store);
    test_env_done(&env);
    return failed;
}

static void no_message_goes_unheard_for_want_of_memory(void **state)
{
    (void)state;
    long nth = 1;
    while (hears_of_a_removal("c noop\r\n", "* 1 EXPUNGE\r\nc OK", nth))
        nth++;
    assert_true(nth > 3);
    /* It must not be told yet, so the numbers stay. */
    nth = 1;
    while (hears_of_a_removal("c store 2 +flags (todo)\r\nd fetch 1:* uid\r\n",
                              "* 2 FETCH (UID 2)\r\nd OK", nth))
        nth++;
    assert_true(nth > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_out_of_memory_ends_one_session),
        cmocka_unit_test(no_message_goes_unheard_for_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
