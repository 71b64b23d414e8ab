/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/conn_log.h"
#include "base/log.h"
#include "support/cm.h"
#include "support/testenv.h"

static void lines_say_whose_they_are_and_how_long_the_last_was_ago(void **state)
{
    (void)state;
    struct test_env t;
    struct conn_log l;
    test_env_init(&t);
    mox__conn_log_init(&l, &t.env, 0x1f);
    test_env_advance(&t, 1500);
    log_line(&l.env, MOX_LOG_INFO, "imapserver", "hello", NULL, F_UINT("n", 1));
    test_env_advance(&t, 250);
    /* Not written: it counts for nothing. */
    log_line(&l.env, MOX_LOG_TRACEAUTH, "imapserver", "secret", NULL, F_UINT("n", 2));
    test_env_advance(&t, 250);
    mox__conn_log_user(&l, "a b@x.example");
    log_line(&l.env, MOX_LOG_INFO, "store", "more", "bad", F_HEX("cid", 0x1f), F_TEXT("k", "v"));
    mox__conn_log_user(&l, "c@x.example");
    log_line(&l.env, MOX_LOG_INFO, "store", "last", NULL, F_UINT("n", 3));
    assert_string_equal(t.log,
                        "l=info m=hello pkg=imapserver cid=1f delta=1.500ms n=1\n"
                        "l=info m=more err=bad pkg=store cid=1f delta=500us "
                        "username=\"a b@x.example\" k=v\n"
                        "l=info m=last pkg=store cid=1f delta=0us username=c@x.example n=3\n");
    mox__conn_log_end(&l);
    test_env_done(&t);
}

static void the_level_is_asked_for_each_line(void **state)
{
    (void)state;
    struct test_env t;
    struct conn_log l;
    test_env_init(&t);
    mox__conn_log_init(&l, &t.env, 1);
    assert_false(mox__log_enabled(&l.env, MOX_LOG_TRACEDATA, "smtpserver"));
    t.log_level = MOX_LOG_TRACEDATA;
    assert_true(mox__log_enabled(&l.env, MOX_LOG_TRACEDATA, "smtpserver"));
    mox__conn_log_end(&l);
    test_env_done(&t);
}

static void without_a_log_there_is_none(void **state)
{
    (void)state;
    struct test_env t;
    struct conn_log l;
    test_env_init(&t);
    t.env.log_enabled = NULL;
    mox__conn_log_init(&l, &t.env, 1);
    log_line(&l.env, MOX_LOG_INFO, "store", "nobody sees it", NULL, F_UINT("n", 3));
    assert_null(t.log);
    mox__conn_log_end(&l);
    test_env_done(&t);
}

static void without_memory_lines_lack_the_name(void **state)
{
    (void)state;
    struct test_env t;
    struct conn_log l;
    test_env_init(&t);
    mox__conn_log_init(&l, &t.env, 1);
    t.fail_at = t.allocations + 1;
    mox__conn_log_user(&l, "a@x.example");
    log_line(&l.env, MOX_LOG_INFO, "store", "m", NULL, F_UINT("n", 3));
    assert_string_equal(t.log, "l=info m=m pkg=store cid=1 delta=0us n=3\n");
    mox__conn_log_end(&l);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_say_whose_they_are_and_how_long_the_last_was_ago),
        cmocka_unit_test(the_level_is_asked_for_each_line),
        cmocka_unit_test(without_a_log_there_is_none),
        cmocka_unit_test(without_memory_lines_lack_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
