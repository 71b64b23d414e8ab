/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/rig.h"
#include "support/cm.h"

/* Whether who sends exists in the DNS. */

static const char names[] = "host.example\tA\t192.0.2.1\n"
                            "six.example\tAAAA\t2001:db8::1\n"
                            "mail.example\tMX\t10 gone.example\n"
                            "mail.example\tMX\t20 six.example\n"
                            "bare.example\tA\t192.0.2.2\n"
                            "text.example\tTXT\tnothing else\n"
                            "null.example\tMX\t0 .\n"
                            "lost.example\tMX\t10 gone.example\n"
                            "slow.example\tMX\t!TIMEOUT\n"
                            "maybe.example\tMX\t10 slow-host.example\n"
                            "slow-host.example\tA\t!SERVFAIL\n"
                            "slow-host.example\tAAAA\t!SERVFAIL\n";

static int setup(void **state)
{
    (void)rig_setup(state);
    ((struct rig *)*state)->checks_senders = true;
    return 0;
}

static void greet(struct rig *r)
{
    start(r, names);
    dial(r);
    expect(r, "220 ");
    ask(r, "EHLO who.example\r\n", "250 "); /* nobody looks for it */
}

static void a_domain_that_takes_mail_may_send(void **state)
{
    struct rig *r = *state;
    static const char *const good[] = {
        "MAIL FROM:<a@mail.example>\r\n", /* by its second host */
        "MAIL FROM:<a@bare.example>\r\n", /* which has no MX */
        "MAIL FROM:<>\r\n",
    };
    greet(r);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ask(r, good[i], "250 ");
        ask(r, "RSET\r\n", "250 ");
    }
}

static void one_that_takes_none_may_not(void **state)
{
    struct rig *r = *state;
    static const char *const bad[] = {
        "MAIL FROM:<a@null.example>\r\n", "MAIL FROM:<a@lost.example>\r\n",
        "MAIL FROM:<a@text.example>\r\n", "MAIL FROM:<a@nobody.example>\r\n",
        "MAIL FROM:<a@localhost>\r\n",
    };
    greet(r);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ask(r, bad[i], "550 5.7.27 ");
    ask(r, "MAIL FROM:<a@bare.example>\r\n", "250 ");
    ask(r, "RCPT TO:<mox@localhost>\r\n", "250 ");
    logged(r, "sender refused");
    logged(r, "name=null.example");
}

static void one_that_cannot_be_looked_up_is_to_try_again(void **state)
{
    struct rig *r = *state;
    greet(r);
    ask(r, "MAIL FROM:<a@slow.example>\r\n", "451 4.4.0 ");
    ask(r, "MAIL FROM:<a@maybe.example>\r\n", "451 4.4.0 ");
}

static void a_host_that_says_helo_has_an_address(void **state)
{
    struct rig *r = *state;
    start(r, names);
    dial(r);
    expect(r, "220 ");
    ask(r, "HELO gone.example\r\n", "550 5.5.0 ");
    ask(r, "MAIL FROM:<a@bare.example>\r\n", "503 5.5.1 ");
    ask(r, "HELO slow-host.example\r\n", "250 ");
    ask(r, "HELO six.example\r\n", "250 ");
    ask(r, "HELO gone.example\r\n", "550 5.5.0 "); /* and it is six.example still */
    ask(r, "MAIL FROM:<a@bare.example>\r\n", "250 ");
}

static void what_comes_behind_waits_for_the_names(void **state)
{
    struct rig *r = *state;
    start(r, names);
    on_loop(r, do_hold);
    dial(r);
    expect(r, "220 ");
    say(r,
        "HELO host.example\r\nMAIL FROM:<a@bare.example>\r\nRCPT TO:<mox@localhost>\r\nQUIT\r\n");
    wait_until_held(r); /* its addresses */
    on_loop(r, do_release);
    expect(r, "250 ");
    wait_until_held(r); /* MX */
    on_loop(r, do_release);
    wait_until_held(r); /* its own addresses */
    on_loop(r, do_release);
    expect(r, "250 2.1.0 ");
    expect(r, "250 2.1.0 now on the list");
    expect(r, "221 ");
}

static void nothing_is_asked_on_for_who_has_left(void **state)
{
    struct rig *r = *state;
    greet(r);
    on_loop(r, do_hold);
    say(r, "MAIL FROM:<a@bare.example>\r\n");
    wait_until_held(r);
    (void)close(r->fd);
    r->fd = 0;
    r->sessions = 1;
    for (int i = 0; i < 60000 && r->sessions > 0; i++) {
        on_loop(r, do_count);
        (void)usleep(1000);
    }
    assert_int_equal(r->sessions, 0);
    assert_true(r->cancelled > 0);
    assert_int_equal(r->wanted, 0);
}

static void a_server_that_stops_does_not_wait_for_names(void **state)
{
    struct rig *r = *state;
    greet(r);
    on_loop(r, do_hold);
    say(r, "MAIL FROM:<a@bare.example>\r\n");
    wait_until_held(r);
    mox_server_stop(r->server);
    expect(r, "4");
    join(r);
    assert_true(r->cancelled > 0);
}

static void a_server_for_tests_knows_localhost(void **state)
{
    struct rig *r = *state;
    r->is_localserve = true;
    greet(r);
    ask(r, "MAIL FROM:<a@localhost>\r\n", "250 ");
    ask(r, "RSET\r\n", "250 ");
    ask(r, "MAIL FROM:<a@null.example>\r\n", "550 5.7.27 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_domain_that_takes_mail_may_send),
        TEST(one_that_takes_none_may_not),
        TEST(one_that_cannot_be_looked_up_is_to_try_again),
        TEST(a_host_that_says_helo_has_an_address),
        TEST(what_comes_behind_waits_for_the_names),
        TEST(nothing_is_asked_on_for_who_has_left),
        TEST(a_server_that_stops_does_not_wait_for_names),
        TEST(a_server_for_tests_knows_localhost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
