/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/conn_priv.h"
#include "net/echo.h"
#include "net/tlsclient.h"
#include "support/cm.h"

/* Peers that are slowed, in short steps; peers that speak another protocol; and peers that go while
 * nobody listens to them. */

#define STEP_US INT64_C(5000)
/* Longer than any of these tests. */
#define NEVER_US INT64_C(600000000)

static struct echo_server *start(int64_t step_us, int64_t reply_us)
{
    struct echo_server *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->slow_step_us = step_us;
    s->slow_reply_us = reply_us;
    echo_start(s);
    return s;
}

static void stop(struct echo_server *s)
{
    echo_stop(s);
    free(s);
}

static void nothing(struct echo_server *s)
{
    (void)s;
}

static bool logged(struct echo_server *s, const char *text)
{
    echo_call(s, nothing); /* what the client has seen is in the log then */
    return s->env.log != NULL && strstr(s->env.log, text) != NULL;
}

/* The server counts what it has sent when the client may have it already. */
static size_t counted(struct echo_server *s, atomic_size_t *counter)
{
    echo_call(s, nothing);
    return atomic_load(counter);
}

static void wait_for_no_session(struct echo_server *s)
{
    for (int i = 0; i < 60000 && atomic_load(&s->sessions) > 0; i++)
        (void)usleep(1000);
    assert_int_equal(atomic_load(&s->sessions), 0);
}

/* -- slow ------------------------------------------------------------------------------------ */

static void a_slow_client_gets_its_bytes_one_by_one(void **state)
{
    (void)state;
    struct echo_server *s = start(STEP_US, NEVER_US);
    int fd = dial(s->port);
    say(fd, "SLOW 1\nabcdefg\n");
    expect(fd, "abcdefg");
    assert_int_equal(counted(s, &s->slow_pieces), 8);
    assert_int_equal(counted(s, &s->slow_most), 1);
    (void)close(fd);
    stop(s);
}

static void other_clients_are_served_meanwhile(void **state)
{
    (void)state;
    struct echo_server *s = start(NEVER_US, NEVER_US);
    int slow = dial(s->port), other = dial(s->port);
    say(slow, "SLOW 1\nabcdefg\n");
    say(other, "hello\n");
    expect(other, "hello");
    assert_int_equal(counted(s, &s->slow_pieces), 0);
    (void)close(slow);
    (void)close(other);
    stop(s);
}

/* Of a reply that takes too long the rest is one piece. */
static void no_reply_takes_for_ever(void **state)
{
    (void)state;
    static char line[2000];
    struct echo_server *s = start(STEP_US, 20 * STEP_US);
    int fd = dial(s->port);
    memset(line, 'a', 1000);
    line[1000] = '\n';
    say(fd, "SLOW 1\n");
    say(fd, line);
    line[1000] = '\0';
    expect(fd, line);
    assert_true(counted(s, &s->slow_most) > 900);
    size_t pieces = 0; /* the next one begins slowly again, unless the machine is slower still */
    for (int i = 0; i < 100 && pieces < 2; i++) {
        size_t before = counted(s, &s->slow_pieces);
        say(fd, "b\n");
        expect(fd, "b");
        pieces = counted(s, &s->slow_pieces) - before;
    }
    assert_true(pieces >= 2);
    (void)close(fd);
    stop(s);
}

static atomic_int due;

static void count_due(struct echo_server *s)
{
    for (const struct conn *c = s->net->conns; c != NULL; c = c->next)
        atomic_fetch_add(&due, mox__conn_io_deadline(c) != INT64_MAX);
}

/* Else it would be looked at for ever, and output that gets stuck would not end it. */
static void once_a_reply_is_sent_nothing_is_due(void **state)
{
    (void)state;
    struct echo_server *s = start(4 * STEP_US, STEP_US);
    int fd = dial(s->port);
    say(fd, "SLOW 1\nabcdefg\n");
    expect(fd, "abcdefg");
    assert_true(counted(s, &s->slow_most) > 1); /* its time was up before the step's */
    echo_call(s, count_due);
    assert_int_equal(atomic_load(&due), 0);
    (void)close(fd);
    stop(s);
}

static void nobody_is_slow_where_the_host_does_not_want_it(void **state)
{
    (void)state;
    struct echo_server *s = start(0, 0);
    int fd = dial(s->port);
    say(fd, "SLOW 1\nabcdefg\n");
    expect(fd, "abcdefg");
    assert_int_equal(counted(s, &s->slow_most), 8);
    (void)close(fd);
    stop(s);
}

/* The system keeps the rest for us: an engine holds no more than this. */
static void little_is_read_of_a_slow_client_at_a_time(void **state)
{
    (void)state;
    static char junk[60001];
    struct echo_server *s = start(STEP_US, STEP_US);
    int fd = dial(s->port);
    say(fd, "SLOW 1\nhere\n");
    expect(fd, "here");
    memset(junk, 'x', sizeof junk - 1);
    for (size_t i = 999; i < sizeof junk - 1; i += 1000)
        junk[i] = '\n';
    say(fd, junk);
    for (int i = 0; i < 60; i++)
        assert_int_equal(strlen(hear(fd)), 999);
    assert_in_range(counted(s, &s->slow_read_most), 1, 4096);
    (void)close(fd);
    stop(s);
}

static void the_end_of_the_server_ends_all_slowness(void **state)
{
    (void)state;
    struct echo_server *s = start(NEVER_US, NEVER_US);
    int writing = dial(s->port), reading = dial(s->port);
    say(writing, "SLOW 1\nabcdefg\n");
    say(reading, "one\n");
    expect(reading, "one");
    say(reading, "SLOW 1\n");
    while (atomic_load(&s->slowed) < 2)
        (void)usleep(1000);
    echo_call(s, nothing); /* what came with it is answered */
    say(reading, "two\n");
    (void)usleep(20000);
    stop(s);
    expect(writing, "abcdefg");
    expect(writing, "shutting down");
    expect_end(writing);
    expect(reading, "shutting down"); /* what was not read is not answered */
    expect_end(reading);
}

/* Each byte is a record of its own. */
static void slowness_goes_through_tls(void **state)
{
    (void)state;
    struct echo_server *s = start(STEP_US, NEVER_US);
    struct client c;
    client_init(&c, s->cert, dial(s->tls_port), "localhost");
    assert_int_equal(client_handshake(&c), 0);
    client_say(&c, "SLOW 1\nabcdefg\n");
    for (const char *expected = "abcdefg\n"; *expected != '\0'; expected++) {
        unsigned char piece[16];
        assert_int_equal(client_read(&c, piece, sizeof piece), 1);
        assert_int_equal(*piece, *expected);
    }
    client_say(&c, "again\n");
    client_expect(&c, "again\n");
    client_free(&c);
    stop(s);
}

/* -- who goes -------------------------------------------------------------------------------- */

static void a_client_that_goes_while_nothing_is_read_is_noticed(void **state)
{
    (void)state;
    struct echo_server *s = start(0, 0);
    int fd = dial(s->port);
    say(fd, "here\nHANG\n");
    expect(fd, "here");
    (void)close(fd);
    wait_for_no_session(s);

    struct client c;
    client_init(&c, s->cert, dial(s->tls_port), "localhost");
    assert_int_equal(client_handshake(&c), 0);
    client_say(&c, "here\nHANG\n");
    client_expect(&c, "here\n");
    (void)usleep(20000);
    client_free(&c);
    wait_for_no_session(s);

    client_init(&c, s->cert, dial(s->tls_port), "localhost");
    assert_int_equal(client_handshake(&c), 0);
    client_say(&c, "here\nHANG\n");
    client_expect(&c, "here\n");
    (void)mbedtls_ssl_close_notify(&c.ssl);
    wait_for_no_session(s);
    client_free(&c);
    stop(s);
}

/* -- other protocols ------------------------------------------------------------------------- */

static void plain_text_at_a_port_for_tls_is_a_line_at_debug(void **state)
{
    (void)state;
    struct echo_server *s = start(0, 0);
    static char rest[40000];
    memset(rest, 'y', sizeof rest - 1);
    for (int i = 0; i < 5; i++) {
        int fd = dial(s->tls_port);
        say(fd, "GET / HTTP/1.1\r\n\r\n");
        (void)send(fd, rest, sizeof rest - 1, MSG_NOSIGNAL);
        expect_end(fd); /* not a reset */
    }
    assert_true(logged(s, "l=debug m=\"not speaking tls\" pkg=echo"));
    assert_false(logged(s, "handshake failed") || logged(s, "HTTP"));
    stop(s);
}

static void a_look_at_a_port_for_tls_is_a_line_at_debug(void **state)
{
    (void)state;
    struct echo_server *s = start(0, 0);
    int fd = dial(s->tls_port);
    (void)shutdown(fd, SHUT_WR);
    expect_end(fd);
    assert_true(logged(s, "l=debug m=\"closed before a tls handshake\" pkg=echo"));
    stop(s);
}

static void plain_text_behind_starttls_is_a_line_at_debug(void **state)
{
    (void)state;
    struct echo_server *s = start(0, 0);
    int fd = dial(s->port);
    say(fd, "STARTTLS\n");
    expect(fd, "go");
    say(fd, "hello?\n");
    expect_end(fd);
    wait_for_no_session(s);
    assert_true(logged(s, "l=debug m=\"not speaking tls\" pkg=echo"));
    stop(s);
}

/* What the client sent further does not turn the alert into a reset. */
static void a_handshake_that_fails_ends_cleanly(void **state)
{
    (void)state;
    struct echo_server *s = start(0, 0);
    static char rest[20000];
    memset(rest, 'y', sizeof rest - 1);
    int fd = dial(s->tls_port);
    say(fd, "\x16\x03\x01");
    (void)send(fd, rest, sizeof rest - 1, MSG_NOSIGNAL);
    unsigned char alert[64];
    ssize_t n;
    while ((n = recv(fd, alert, sizeof alert, 0)) > 0)
        ;
    assert_int_equal(n, 0);
    assert_true(logged(s, "m=\"tls handshake failed\""));
    (void)close(fd);
    stop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_client_gets_its_bytes_one_by_one),
        cmocka_unit_test(other_clients_are_served_meanwhile),
        cmocka_unit_test(no_reply_takes_for_ever),
        cmocka_unit_test(once_a_reply_is_sent_nothing_is_due),
        cmocka_unit_test(nobody_is_slow_where_the_host_does_not_want_it),
        cmocka_unit_test(little_is_read_of_a_slow_client_at_a_time),
        cmocka_unit_test(the_end_of_the_server_ends_all_slowness),
        cmocka_unit_test(slowness_goes_through_tls),
        cmocka_unit_test(a_client_that_goes_while_nothing_is_read_is_noticed),
        cmocka_unit_test(plain_text_at_a_port_for_tls_is_a_line_at_debug),
        cmocka_unit_test(a_look_at_a_port_for_tls_is_a_line_at_debug),
        cmocka_unit_test(plain_text_behind_starttls_is_a_line_at_debug),
        cmocka_unit_test(a_handshake_that_fails_ends_cleanly),
    };
    return cmocka_run_group_tests_name("slow connections", tests, NULL, NULL);
}
