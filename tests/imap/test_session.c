/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "support/cm.h"

#define LOGIN "a login u@example.org secret\r\n"

struct fixture {
    struct test_env t;
    struct mox_mailstore store;
    struct rig r;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    test_env_init(&f->t);
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

static void bytes_behind_starttls_belong_to_the_handshake(void **state)
{
    struct fixture *f = *state;
    const uint8_t *rest = NULL;
    (void)rig_said(&f->r, "");
    assert_int_equal(rig_send(&f->r, "a starttls\r\nb noop\r\n"), MOX_OK);
    assert_true(rig_said(&f->r, "a OK"));
    assert_true(mox_imap_server_wants(f->r.server) & MOX_WANTS_STARTTLS);
    assert_int_equal(mox_imap_server_tls_rest(f->r.server, &rest), 8);
    assert_memory_equal(rest, "b noop\r\n", 8);
    const struct mox_tls_info info = {.size = sizeof info};
    mox_imap_server_tls_started(f->r.server, &info);
    assert_int_equal(rig_send(&f->r, "c noop\r\n"), MOX_OK);
    assert_false(rig_said(&f->r, "b OK"));
}

static void a_line_over_16_kib_ends_the_connection(void **state)
{
    struct fixture *f = *state;
    char *line = malloc(20000);
    memset(line, 'x', 20000);
    assert_int_equal(rig_send(&f->r, "a noop\r\n"), MOX_OK);
    assert_int_equal(rig_send_bytes(&f->r, line, 16000), MOX_OK);
    assert_int_equal(rig_send_bytes(&f->r, line, 1000), MOX_ELIMIT);
    assert_true(mox_imap_server_wants(f->r.server) & MOX_WANTS_CLOSE);
    free(line);
}

static void a_thousand_literals_and_one_are_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rig_send(&f->r, LOGIN), MOX_OK);
    assert_int_equal(rig_send(&f->r, "b list \"\" ("), MOX_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(rig_send(&f->r, "{1}\r\na "), MOX_OK);
    (void)rig_said(&f->r, "");
    assert_int_equal(rig_send(&f->r, "{1}\r\n"), MOX_OK);
    assert_true(rig_said(&f->r, "b BAD [TOOBIG]"));
    assert_int_equal(rig_send(&f->r, "c noop\r\n"), MOX_OK);
    assert_true(rig_said(&f->r, "c OK"));
}

static void a_command_of_a_megabyte_in_literals_is_the_limit(void **state)
{
    struct fixture *f = *state;
    char *data = malloc(102400);
    memset(data, 'x', 102400);
    assert_int_equal(rig_send(&f->r, LOGIN "b list \"\" ("), MOX_OK);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(rig_send(&f->r, "{102400}\r\n"), MOX_OK);
        if (i == 10 - 1)
            break;
        assert_true(rig_said(&f->r, "+ ready"));
        assert_int_equal(rig_send_bytes(&f->r, data, 60000), MOX_OK);
        assert_int_equal(rig_send_bytes(&f->r, data, 42400), MOX_OK);
        assert_int_equal(rig_send(&f->r, " "), MOX_OK);
    }
    assert_true(rig_said(&f->r, "+ ready"));
    assert_int_equal(rig_send_bytes(&f->r, data, 60000), MOX_OK);
    assert_int_equal(rig_send_bytes(&f->r, data, 42400), MOX_OK);
    assert_int_equal(rig_send(&f->r, " {1}\r\n"), MOX_OK);
    assert_true(rig_said(&f->r, "b BAD [TOOBIG]"));
    free(data);
}

static void pipelined_commands_wait_in_a_bounded_buffer(void **state)
{
    struct fixture *f = *state;
    /* 6,000 commands in one read; their answers exceed what may wait. */
    assert_int_equal(rig_send(&f->r, LOGIN), MOX_OK);
    char *many = malloc(65536);
    size_t len = 0;
    while (len < 65000)
        len += (size_t)sprintf(many + len, "a capability\r\n");
    assert_int_equal(mox_imap_server_input(f->r.server, (uint8_t *)many, len), MOX_OK);
    const uint8_t *out = NULL;
    assert_true(mox_imap_server_output(f->r.server, &out) < 256 * 1024 + 1000);
    assert_false(mox_imap_server_wants(f->r.server) & MOX_WANTS_READ);
    assert_int_equal(rig_settle(&f->r), MOX_OK);
    size_t answers = 0;
    for (const char *p = f->r.said; (p = strstr(p, "a OK capability")) != NULL; p++)
        answers++;
    assert_int_equal(answers, len / 14);
    free(many);
}

/* --- what the log must not show --- */

static void no_password_is_logged_below_traceauth(void **state)
{
    struct fixture *f = *state;
    static const char *const dialogues[] = {
        "a login u@example.org hidden\r\n",
        "a login u@example.org \"hidden\"\r\n",
        "a LOGIN u@example.org {6+}\r\nhidden\r\n",
        "a login {13+}\r\nu@example.org {6+}\r\nhidden\r\n",
        "a login u@example.org {6}\r\nhidden\r\n",
        "a login u@example.org hidden more\r\n",
        "a login \"hidden\r\n",
        "a login {200000}\r\n",
        "a authenticate plain aGlkZGVu\r\n",
        "a authenticate plain\r\naGlkZGVu\r\n",
        "a authenticate plain hidden\r\n",
        "a authenticate login\r\ndQ==\r\naGlkZGVu\r\n",
        /* who does not wait for the answer */
        "a authenticate x\r\naGlkZGVu\r\n",
        "a login {200000}\r\nhidden\r\n",
    };
    for (size_t i = 0; i < sizeof dialogues / sizeof dialogues[0]; i++) {
        assert_int_equal(rig_send(&f->r, dialogues[i]), MOX_OK);
        assert_non_null(strstr(f->t.log, "***"));
    }
    assert_null(strstr(f->t.log, "hidden"));
    assert_null(strstr(f->t.log, "aGlkZGVu"));
    f->t.log_level = MOX_LOG_TRACEAUTH;
    assert_int_equal(rig_send(&f->r, dialogues[0]), MOX_OK);
    assert_non_null(strstr(f->t.log, "hidden"));
}

static void no_message_is_logged_below_tracedata(void **state)
{
    struct fixture *f = *state;
    f->t.log_level = MOX_LOG_TRACEAUTH;
    assert_int_equal(rig_send(&f->r, LOGIN), MOX_OK);
    assert_int_equal(rig_send(&f->r, "b append inbox {6+}\r\nhidden\r\n"), MOX_OK);
    assert_int_equal(rig_send(&f->r, "b append nothing {6+}\r\nhidden\r\n"), MOX_OK);
    assert_null(strstr(f->t.log, "hidden"));
    assert_non_null(strstr(f->t.log, "RC: ..."));
    f->t.log_level = MOX_LOG_TRACEDATA;
    assert_int_equal(rig_send(&f->r, "b append inbox {6+}\r\nhidden\r\n"), MOX_OK);
    assert_non_null(strstr(f->t.log, "RC: hidden"));
}

/* --- states --- */

static void commands_are_refused_where_they_do_not_belong(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *command;
        bool before, user, selected; /* allowed */
    } cases[] = {
        {"CAPABILITY", true, true, true},     {"NOOP", true, true, true},
        {"ID NIL", true, true, true},         {"STARTTLS x", true, false, false},
        {"AUTHENTICATE", true, false, false}, {"LOGIN", true, false, false},
        {"ENABLE x", false, true, true},      {"LIST", false, true, true},
        {"LSUB", false, true, true},          {"NAMESPACE", false, true, true},
        {"STATUS", false, true, true},        {"APPEND", false, true, true},
        {"CREATE", false, true, true},        {"DELETE", false, true, true},
        {"RENAME", false, true, true},        {"SUBSCRIBE", false, true, true},
        {"UNSUBSCRIBE", false, true, true},   {"IDLE x", false, true, true},
        {"EXAMINE", false, true, true},       {"CHECK", false, false, true},
        {"CLOSE x", false, false, true},      {"UNSELECT x", false, false, true},
        {"SELECT", false, true, true},
    };
    static const char *const enter[] = {"a noop\r\n", LOGIN, "a select inbox\r\n"};
    for (int where = 0; where < 3; where++) {
        if (where == 1)
            (void)rig_send(&f->r, "a noop\r\n");
        assert_int_equal(rig_send(&f->r, enter[where]), MOX_OK);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            char line[100];
            bool allowed = where == 0   ? cases[i].before
                           : where == 1 ? cases[i].user
                                        : cases[i].selected;
            if (where == 0 && allowed && i > 3)
                continue; /* too many bad commands are another matter */
            (void)snprintf(line, sizeof line, "t %s\r\n", cases[i].command);
            (void)rig_said(&f->r, "");
            assert_int_equal(rig_send(&f->r, line), MOX_OK);
            bool refused = strstr(f->r.said, "not allowed in this connection state") != NULL;
            if (refused == allowed)
                fail_msg("%s in state %d: %s", cases[i].command, where, f->r.said);
        }
    }
}

/* --- memory --- */

static void an_idle_session_is_small(void **state)
{
    struct fixture *f = *state;
    enum { SESSIONS = 20 };
    struct rig more[SESSIONS];
    f->t.log_level = MOX_LOG_ERROR;
    assert_int_equal(rig_send(&f->r, LOGIN "b select inbox\r\n"), MOX_OK);
    size_t before = f->t.live_bytes;
    for (int i = 0; i < SESSIONS; i++) {
        assert_int_equal(rig_open(&more[i], &f->t.env, &f->store), MOX_OK);
        assert_int_equal(rig_send(&more[i], LOGIN), MOX_OK);
        assert_int_equal(rig_send(&more[i], "b select inbox\r\n"), MOX_OK);
        assert_int_equal(rig_send(&more[i], "c idle\r\n"), MOX_OK);
        assert_true(rig_said(&more[i], "+ idling"));
    }
    size_t each = (f->t.live_bytes - before) / SESSIONS;
    print_message("%zu bytes for an idle session\n", each);
    assert_true(each < 6 * 1024);
    for (int i = 0; i < SESSIONS; i++)
        rig_close(&more[i]);
}

static void a_change_wakes_idle_sessions_of_its_mailbox_once(void **state)
{
    struct fixture *f = *state;
    struct rig idle;
    struct rig elsewhere;
    assert_int_equal(rig_open(&idle, &f->t.env, &f->store), MOX_OK);
    assert_int_equal(rig_open(&elsewhere, &f->t.env, &f->store), MOX_OK);
    assert_int_equal(rig_send(&f->r, LOGIN "b create x\r\n"), MOX_OK);
    assert_int_equal(rig_send(&idle, LOGIN "b select inbox\r\nc idle\r\n"), MOX_OK);
    assert_int_equal(rig_send(&elsewhere, LOGIN "b select x\r\nc idle\r\n"), MOX_OK);
    idle.wakes = elsewhere.wakes = 0;
    for (int i = 0; i < 5; i++)
        assert_int_equal(rig_send(&f->r, "d append inbox {1+}\r\na\r\n"), MOX_OK);
    assert_int_equal(idle.wakes, 1);
    assert_int_equal(elsewhere.wakes, 0);
    assert_int_equal(rig_settle(&idle), MOX_OK);
    assert_true(rig_said(&idle, "* 5 EXISTS\r\n"));
    rig_close(&idle);
    rig_close(&elsewhere);
}

/* Every allocation of a session fails once: it ends with MOX_ENOMEM or says so, and nothing leaks.
 */
static void running_out_of_memory_ends_one_session(void **state)
{
    static const char *const script[] = {
        LOGIN,
        "b create a/b/c\r\n",
        "c select inbox\r\n",
        "d append inbox (\\Seen todo) \" 1-Jan-2022 10:10:00 +0100\" {10+}\r\nab\ncd\nefgh\r\n",
        "d fetch 1:* (flags envelope bodystructure body[header.fields (to)] body[])\r\n",
        "d store 1 +flags (\\Flagged other)\r\n",
        "d uid search return (all) or text abc keyword other\r\n",
        "d uid search or text abc keyword other\r\n",
        "d copy 1 a\r\n",
        "d move 1 a/b\r\n",
        "d append inbox (\\Deleted) {1+}\r\na\r\n",
        "d expunge\r\n",
        "e list \"\" *\r\n",
        "f lsub \"\" %\r\n",
        "g status \"&Jjo-\" (messages recent)\r\n",
        "h rename a x\r\n",
        "i id (\"name\" \"x\")\r\n",
        "j idle\r\n",
        "done\r\n",
        "k close\r\n",
    };
    (void)state;
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
        rig_close(&r);
        mox_memory_mailstore_free(&store);
        test_env_done(&t);
    }
}

/* A session that is freed after each step of a long dialogue, in the middle of whatever it does. */
static void a_session_may_end_anywhere(void **state)
{
    struct fixture *f = *state;
    f->t.log_level = MOX_LOG_ERROR;
    assert_int_equal(rig_send(&f->r, LOGIN), MOX_OK);
    bool finished = false;
    for (long steps = 1; !finished; steps++) {
        struct rig r;
        assert_int_equal(rig_open_short(&r, &f->t.env, &f->store, steps), MOX_OK);
        assert_int_equal(rig_send(&r, LOGIN "b select inbox\r\n"), MOX_OK);
        assert_int_equal(rig_send(&f->r, "c create a/b/c/d/e/f\r\n"), MOX_OK);
        for (int i = 0; i < 5; i++)
            assert_int_equal(rig_send(&f->r, "c append inbox (\\Deleted) {1+}\r\na\r\n"), MOX_OK);
        assert_int_equal(rig_send(&r, "d noop\r\n"), MOX_OK);
        assert_int_equal(rig_send(&r, "e list \"\" *\r\n"), MOX_OK);
        assert_int_equal(rig_send(&r, "f fetch 1:* (envelope body[])\r\n"), MOX_OK);
        assert_int_equal(rig_send(&r, "g expunge\r\n"), MOX_OK);
        assert_int_equal(rig_send(&r, "h append inbox {10}\r\nabc"), MOX_OK);
        finished = r.steps_left > 0;
        rig_close(&r);
        assert_int_equal(rig_send(&f->r, "c select inbox\r\nc close\r\n"), MOX_OK);
        assert_int_equal(rig_send(&f->r, "c delete a/b/c/d/e/f\r\nc delete a/b/c/d/e\r\n"
                                         "c delete a/b/c/d\r\nc delete a/b/c\r\n"),
                         MOX_OK);
        (void)rig_said(&f->r, "");
    }
}

/* Changes are told in pieces, as the client takes them. */
static void ten_thousand_changes_do_not_wait_at_once(void **state)
{
    struct fixture *f = *state;
    struct rig other;
    f->t.log_level = MOX_LOG_ERROR;
    assert_int_equal(rig_open(&other, &f->t.env, &f->store), MOX_OK);
    assert_int_equal(rig_send(&f->r, LOGIN "b select inbox\r\n"), MOX_OK);
    assert_int_equal(rig_send(&other, LOGIN), MOX_OK);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(rig_send(&other, "d append inbox (\\Seen) {1+}\r\na\r\n"), MOX_OK);
    (void)rig_said(&f->r, "");
    assert_int_equal(
        mox_imap_server_input(f->r.server, (const uint8_t *)"e noop\r\nf noop\r\n", 16), MOX_OK);
    const uint8_t *out = NULL;
    assert_true(mox_imap_server_output(f->r.server, &out) < 256 * 1024 + 1000);
    assert_int_equal(rig_settle(&f->r), MOX_OK);
    assert_non_null(strstr(f->r.said, "* 10000 EXISTS\r\n* 10000 RECENT\r\n* 1 FETCH (UID 1 "));
    assert_non_null(strstr(f->r.said, "* 10000 FETCH (UID 10000 FLAGS (\\Seen \\Recent))\r\ne OK"));
    assert_true(rig_said(&f->r, "f OK noop done"));
    rig_close(&other);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(bytes_behind_starttls_belong_to_the_handshake),
        CASE(a_line_over_16_kib_ends_the_connection),
        CASE(a_thousand_literals_and_one_are_refused),
        CASE(a_command_of_a_megabyte_in_literals_is_the_limit),
        CASE(pipelined_commands_wait_in_a_bounded_buffer),
        CASE(no_password_is_logged_below_traceauth),
        CASE(no_message_is_logged_below_tracedata),
        CASE(commands_are_refused_where_they_do_not_belong),
        CASE(an_idle_session_is_small),
        CASE(a_change_wakes_idle_sessions_of_its_mailbox_once),
        CASE(a_session_may_end_anywhere),
        CASE(ten_thousand_changes_do_not_wait_at_once),
        cmocka_unit_test(running_out_of_memory_ends_one_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
