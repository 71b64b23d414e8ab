/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "support/cm.h"
#include "support/testenv.h"

/* Guessers, other protocols, and those whose commands are none. */

struct fixture {
    struct test_env t;
    struct mox_mailstore store;
    struct rig r;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    test_env_init(&f->t);
    f->t.log_level = MOX_LOG_DEBUG;
    assert_int_equal(mox_memory_mailstore_new(&f->store, &f->t.env), MOX_OK);
    assert_int_equal(rig_open(&f->r, &f->t.env, &f->store), MOX_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    rig_close(&f->r);
    mox_memory_mailstore_free(&f->store);
    test_env_done(&f->t);
    free(f);
    return 0;
}

static bool closes(struct fixture *f)
{
    return (mox_imap_server_wants(f->r.server) & MOX_WANTS_CLOSE) != 0;
}

static bool logged(const struct fixture *f, const char *text)
{
    return f->t.log != NULL && strstr(f->t.log, text) != NULL;
}

static void a_timeout_is_a_line_at_info(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rig_settle(&f->r), MOX_OK); /* it has read the greeting */
    test_env_advance(&f->t, 31 * INT64_C(1000000));
    assert_int_equal(mox_imap_server_tick(f->r.server), MOX_OK);
    assert_true(closes(f));
    assert_true(logged(f, "l=info m=\"connection timed out\" pkg=imapserver"));
    assert_true(logged(f, " awaited=command\n"));
}

static void the_third_failed_login_makes_slow_and_success_fast_again(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(mox_imap_server_pace(f->r.server), i < 3 ? 0 : 1);
        assert_int_equal(rig_send(&f->r, "a login u@example.org x\r\n"), MOX_OK);
        assert_true(rig_said(&f->r, "a NO [AUTHENTICATIONFAILED] "));
    }
    assert_int_equal(rig_send(&f->r, "a login u@example.org secret\r\n"), MOX_OK);
    assert_true(rig_said(&f->r, "a OK "));
    assert_int_equal(mox_imap_server_pace(f->r.server), 0);
}

static void other_protocols_are_a_line_at_debug_without_their_bytes(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rig_send(&f->r, "GET /private HTTP/1.1\r\nHost: x\r\n\r\n"), MOX_OK);
    assert_true(rig_said(&f->r, "imap\r\n* BYE please try again speaking imap\r\n"));
    assert_true(closes(f));
    assert_true(logged(f, "l=debug m=\"not speaking imap\" pkg=imapserver cid=a remote=192.0.2.1"));
    assert_false(logged(f, "private") || logged(f, "l=info") || logged(f, "l=error"));
}

static void a_tls_handshake_is_no_command(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rig_send(&f->r, "\x16"), MOX_OK);
    assert_true(rig_said(&f->r, "* BYE "));
    assert_true(closes(f));
    assert_true(logged(f, "not speaking imap"));
}

/* Ten of a kind close: not nine, and not before the tenth is answered. */
static void ten_close(struct fixture *f, const char *bad, const char *answer)
{
    for (unsigned i = 0; i < 10; i++) {
        assert_false(closes(f));
        assert_int_equal(rig_send(&f->r, bad), MOX_OK);
        assert_non_null(strstr(f->r.said, answer));
        assert_int_equal(strstr(f->r.said, "* BYE ") != NULL, i == 9);
        (void)rig_said(&f->r, "");
    }
    assert_true(closes(f));
}

static void literals_that_are_too_large_count_as_bad_commands(void **state)
{
    struct fixture *f = *state;
    ten_close(f, "a login {102401}\r\n", "a BAD [TOOBIG] ");
}

static void a_bad_command_with_a_literal_counts_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rig_send(&f->r, "a noop\r\n"), MOX_OK);
    ten_close(f, "a nonsense {10+}\r\na b\r\na b\r\n x\r\n", "a BAD ");
}

static void wrong_responses_count_as_bad_commands(void **state)
{
    struct fixture *f = *state;
    ten_close(f, "a authenticate plain\r\n!\r\n", "a BAD ");
}

static void bad_commands_before_a_login_are_forgiven_with_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rig_send(&f->r, "a noop\r\n"), MOX_OK);
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(rig_send(&f->r, "a x\r\n"), MOX_OK);
    assert_int_equal(rig_send(&f->r, "a login u@example.org secret\r\n"), MOX_OK);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(rig_send(&f->r, "a x\r\n"), MOX_OK);
    assert_false(closes(f));
    (void)rig_said(&f->r, "");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_timeout_is_a_line_at_info),
        CASE(the_third_failed_login_makes_slow_and_success_fast_again),
        CASE(other_protocols_are_a_line_at_debug_without_their_bytes),
        CASE(a_tls_handshake_is_no_command),
        CASE(literals_that_are_too_large_count_as_bad_commands),
        CASE(a_bad_command_with_a_literal_counts_once),
        CASE(wrong_responses_count_as_bad_commands),
        CASE(bad_commands_before_a_login_are_forgiven_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
