/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/conn_priv.h"
#include "server/rig.h"
#include "support/cm.h"

/* Answers that are late on purpose. */

#define SHORT_US INT64_C(20000)
/* Longer than any of these tests. */
#define NEVER_US INT64_C(600000000)

/* A server for tests, which takes mail for everybody. */
static int setup(void **state)
{
    (void)rig_setup(state);
    struct rig *r = *state;
    r->is_localserve = true;
    start(r, "list.example\tTXT\tv=spf1 ip4:127.0.0.1 -all\n");
    return 0;
}

/* One for its own domains, with limits, which tells of unknown recipients after a while. */
static int start_own(void **state, int64_t unknown_us)
{
    (void)rig_setup(state);
    struct rig *r = *state;
    struct mox_config_static *mox =
        (void *)(uintptr_t)r->p.files->mox; /* as if it were written so */
    mox->delays.unknown_recipients_us = unknown_us;
    r->has_limits = true;
    start(r, "");
    return 0;
}

static int setup_strict(void **state)
{
    return start_own(state, SHORT_US);
}

static int setup_patient(void **state)
{
    return start_own(state, NEVER_US);
}

static void expect_end(struct rig *r)
{
    char byte;
    assert_int_equal(recv(r->fd, &byte, 1, 0), 0);
}

static int64_t now_us(const struct rig *r)
{
    return r->t.env.monotonic_us(r->t.env.user);
}

/* As far as the end of a message whose delivery is to wait. */
static void send_message(struct rig *r, int64_t delay_us, const char *last)
{
    dial(r);
    expect(r, "220 ");
    say(r, "EHLO client.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n");
    expect(r, "250 ");
    expect(r, "250 ");
    expect(r, "250 ");
    expect(r, "354 ");
    r->delay_us = delay_us;
    on_loop(r, do_delay);
    say(r, "Subject: x\r\n\r\nbody\r\n.\r\n");
    say(r, last);
}

static bool is_delivered(struct rig *r)
{
    on_loop(r, do_count); /* the log is the loop's */
    return test_env_logged(&r->t, "message delivered") > 0;
}

static void a_delivery_that_waits_is_made_in_the_end(void **state)
{
    struct rig *r = *state;
    const int64_t begin_us = now_us(r);
    send_message(r, SHORT_US, "QUIT\r\n");
    expect(r, "250 2.2.0 ");
    assert_true(now_us(r) - begin_us >= SHORT_US);
    expect(r, "221 "); /* what came behind it waited, too */
    expect_end(r);
    assert_true(is_delivered(r));
}

/* Lists have many senders who are new to their readers. */
static void a_mailing_list_does_not_wait(void **state)
{
    struct rig *r = *state;
    send_message(r, SHORT_US, "");
    expect(r, "250 2.2.0 ");
    r->delay_us = NEVER_US;
    on_loop(r, do_delay);
    say(r, "MAIL FROM:<a@list.example>\r\nRCPT TO:<b@x.example>\r\nBDAT 21 LAST\r\nList-Id: "
           "<l.x.ex>\r\n\r\nQUIT\r\n");
    expect(r, "250 ");
    expect(r, "250 ");
    expect(r, "250 2.2.0 ");
    expect(r, "221 ");
}

/* Else everybody would be one. */
static void a_mailing_list_of_nobody_waits(void **state)
{
    struct rig *r = *state;
    send_message(r, SHORT_US, "");
    expect(r, "250 2.2.0 ");
    r->delay_us = NEVER_US;
    on_loop(r, do_delay);
    say(r, "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nBDAT 21 LAST\r\nList-Id: "
           "<l.x.ex>\r\n\r\nQUIT\r\n");
    expect(r, "250 ");
    expect(r, "250 ");
    wait_until_late(r);
    mox_server_stop(r->server);
    expect(r, "421 4.3.2 ");
    expect_end(r);
}

/* NoFirstTimeSenderDelay of the account, as if it were written so. */
static void who_wants_to_wait_for_nobody_does_not(void **state)
{
    struct rig *r = *state;
    struct mox_config_account *account =
        (void *)(uintptr_t)mox_config_account(r->p.files, r->p.files->mox->postmaster.account);
    account->no_first_time_sender_delay = true;
    send_message(r, NEVER_US, "QUIT\r\n");
    expect(r, "250 2.2.0 ");
    expect(r, "221 ");
    assert_true(is_delivered(r));
}

static void a_delivery_that_waits_ends_with_the_server(void **state)
{
    struct rig *r = *state;
    send_message(r, NEVER_US, "QUIT\r\n");
    wait_until_late(r);
    mox_server_stop(r->server);
    expect(r, "421 4.3.2 ");
    expect_end(r);
    join(r);
    assert_int_equal(test_env_logged(&r->t, "message delivered"), 0);
}

static void a_delivery_that_waits_ends_with_the_client(void **state)
{
    struct rig *r = *state;
    send_message(r, NEVER_US, "");
    wait_until_late(r);
    (void)close(r->fd);
    r->fd = 0;
    wait_for_no_session(r);
    assert_false(is_delivered(r));
    assert_int_equal(test_env_logged(&r->t, "message not delivered"), 1);
    assert_int_equal(test_env_logged(&r->t, "l=error"), 0); /* nothing is to be mended */
}

/* Who has only said all that he wants to say is told that it failed for now. */
static void a_client_that_waits_with_half_a_connection_is_told(void **state)
{
    struct rig *r = *state;
    send_message(r, NEVER_US, "");
    wait_until_late(r);
    (void)shutdown(r->fd, SHUT_WR);
    expect(r, "421 4.3.2 ");
    expect_end(r);
    assert_false(is_delivered(r));
}

static void a_refusal_that_waits_is_made_when_the_server_stops(void **state)
{
    struct rig *r = *state;
    dial(r);
    expect(r, "220 ");
    say(r,
        "EHLO client.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<rcpttotimeout@x.example>\r\n");
    expect(r, "250 ");
    expect(r, "250 ");
    wait_until_late(r);
    mox_server_stop(r->server);
    expect(r, "451 ");
    expect(r, "421 4.3.2 ");
    expect_end(r);
}

/* -- messages to nobody ----------------------------------------------------------------------- */

static void send_to_nobody(struct rig *r)
{
    dial(r);
    expect(r, "220 ");
    say(r,
        "EHLO client.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<nobody@localhost>\r\nDATA\r\n");
    expect(r, "250 ");
    expect(r, "250 ");
    expect(r, "250 "); /* RCPT tells guessers nothing */
    expect(r, "354 ");
    say(r, "Subject: x\r\n\r\nbody\r\n.\r\n");
}

static void a_message_to_nobody_is_refused_after_a_while(void **state)
{
    struct rig *r = *state;
    const int64_t begin_us = now_us(r);
    send_to_nobody(r);
    say(r, "QUIT\r\n");
    expect(r, "550 5.1.1 ");
    assert_true(now_us(r) - begin_us >= SHORT_US);
    expect(r, "221 ");
    expect_end(r);
}

static void a_message_to_nobody_is_refused_when_the_server_stops(void **state)
{
    struct rig *r = *state;
    send_to_nobody(r);
    wait_until_late(r);
    mox_server_stop(r->server);
    expect(r, "550 5.1.1 ");
    expect(r, "421 4.3.2 ");
    expect_end(r);
}

static void a_message_to_nobody_ends_with_the_client(void **state)
{
    struct rig *r = *state;
    send_to_nobody(r);
    wait_until_late(r);
    (void)close(r->fd);
    r->fd = 0;
    wait_for_no_session(r);
}

int main(void)
{
#define STRICT(name, patience) cmocka_unit_test_setup_teardown(name, setup_##patience, rig_teardown)
#define CASE(name)             cmocka_unit_test_setup_teardown(name, setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_delivery_that_waits_is_made_in_the_end),
        CASE(a_mailing_list_does_not_wait),
        CASE(a_mailing_list_of_nobody_waits),
        CASE(who_wants_to_wait_for_nobody_does_not),
        CASE(a_delivery_that_waits_ends_with_the_server),
        CASE(a_delivery_that_waits_ends_with_the_client),
        CASE(a_client_that_waits_with_half_a_connection_is_told),
        CASE(a_refusal_that_waits_is_made_when_the_server_stops),
        STRICT(a_message_to_nobody_is_refused_after_a_while, strict),
        STRICT(a_message_to_nobody_is_refused_when_the_server_stops, patient),
        STRICT(a_message_to_nobody_ends_with_the_client, patient),
    };
    return cmocka_run_group_tests_name("late answers", tests, NULL, NULL);
}
