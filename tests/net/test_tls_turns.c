/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/conn_priv.h"
#include "net/echo.h"
#include "net/tlsclient.h"
#include "support/cm.h"

/* TLS makes of few bytes much work: no client gets more than its turn by it. */

#define RECORDS 2000

static int start(void **state)
{
    struct echo_server *s = calloc(1, sizeof *s);
    assert_non_null(s);
    echo_start(s);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    echo_stop(*state);
    free(*state);
    return 0;
}

/* -- the loop is held while clients send ------------------------------------------------------ */

static struct hold {
    struct loop_task task;
    atomic_bool over;
} hold;

static void wait_in_loop(struct loop_task *t)
{
    (void)t;
    while (!atomic_load(&hold.over))
        (void)usleep(1000);
}

static void hold_loop(struct echo_server *s)
{
    hold.task.run = wait_in_loop;
    atomic_store(&hold.over, false);
    mox__loop_post(s->net->loop, &hold.task);
}

/* -- a client whose records go out at once ---------------------------------------------------- */

static struct {
    struct client c;
    uint8_t data[128 * 1024];
    size_t len;
} gathering;

static int gather(void *user, const unsigned char *data, size_t len)
{
    (void)user;
    assert_true(len <= sizeof gathering.data - gathering.len);
    memcpy(gathering.data + gathering.len, data, len);
    gathering.len += len;
    return (int)len;
}

static void begin_gathering(struct echo_server *s)
{
    struct client *c = &gathering.c;
    client_init(c, s->cert, dial(s->tls_port), "localhost");
    assert_int_equal(client_handshake(c), 0);
    atomic_store(&s->greedy_bytes, 0);
    client_say(c, "GREEDY\n");
    client_expect(c, "GREEDY\n");
    mbedtls_ssl_set_bio(&c->ssl, c, gather, NULL, NULL);
    gathering.len = 0;
}

static void send_gathered(void)
{
    ssize_t n = send(gathering.c.fd, gathering.data, gathering.len, MSG_NOSIGNAL);
    assert_int_equal(n, (ssize_t)gathering.len);
}

static size_t greedy_bytes(int fd)
{
    const char *heard = hear(fd);
    assert_non_null(heard);
    return strtoul(heard, NULL, 10);
}

/* Two clients, who said something before and after the greedy one, have their turn before it has had
 * `most` bytes read; in the end all `bytes` are. */
static void expect_turns(struct echo_server *s, size_t most, size_t bytes)
{
    int before = dial(s->port), after = dial(s->port);
    say(before, "here\n");
    expect(before, "here");
    say(after, "here\n");
    expect(after, "here");
    hold_loop(s);
    say(before, "GREEDY?\n");
    send_gathered();
    say(after, "GREEDY?\n");
    atomic_store(&hold.over, true);
    assert_true(greedy_bytes(before) <= most);
    assert_true(greedy_bytes(after) <= most);
    size_t now = 0;
    for (int i = 0; i < 10000 && now < bytes; i++) {
        say(after, "GREEDY?\n");
        now = greedy_bytes(after);
    }
    assert_int_equal(now, bytes);
    client_free(&gathering.c);
    (void)close(before);
    (void)close(after);
}

static void records_of_one_byte_are_no_long_turn(void **state)
{
    struct echo_server *s = *state;
    begin_gathering(s);
    for (int i = 0; i < RECORDS; i++)
        client_say(&gathering.c, "x");
    expect_turns(s, RECORDS / 4, RECORDS);
}

static void alerts_that_are_passed_over_are_no_long_turn(void **state)
{
    struct echo_server *s = *state;
    begin_gathering(s);
    for (int i = 0; i < RECORDS; i++)
        assert_int_equal(mbedtls_ssl_send_alert_message(&gathering.c.ssl,
                                                        MBEDTLS_SSL_ALERT_LEVEL_WARNING,
                                                        MBEDTLS_SSL_ALERT_MSG_USER_CANCELED),
                         0);
    client_say(&gathering.c, "x");
    expect_turns(s, 0, 1);
}

/* -- handshakes ------------------------------------------------------------------------------- */

/* All is read until the end. */
static void expect_the_end(int fd)
{
    struct timeval limit = {20, 0};
    char bytes[4096];
    ssize_t n = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    while (n > 0)
        n = recv(fd, bytes, sizeof bytes, 0);
    assert_int_equal(n, 0);
}

static void a_handshake_does_not_go_on_with_alerts_for_ever(void **state)
{
    struct echo_server *s = *state;
    static const char alert[] = "\x15\x03\x03\x00\x02\x01\x5a";
    static char alerts[300 * 1000];
    const size_t each = sizeof alert - 1;
    struct client c;
    client_init(&c, s->cert, dial(s->tls_port), "localhost");
    assert_int_equal(mbedtls_ssl_setup(&c.ssl, &c.conf), 0);
    while (c.ssl.MBED_FIELD(state) < MBEDTLS_SSL_SERVER_HELLO)
        assert_int_equal(mbedtls_ssl_handshake_step(&c.ssl), 0);
    for (size_t i = 0; i < sizeof alerts; i++)
        alerts[i] = alert[i % each];
    (void)send(c.fd, alerts, sizeof alerts, MSG_NOSIGNAL);
    expect_the_end(c.fd);
    client_free(&c);
}

static atomic_int waiting;

static void count_waiting(struct echo_server *s)
{
    int n = 0;
    for (struct conn *c = s->net->conns; c != NULL; c = c->next)
        n += c->state == CONN_HANDSHAKE && c->hello_seen && !c->working;
    atomic_store(&waiting, n);
}

/* A client in the middle of its handshake. */
static int dial_and_stop(struct echo_server *s)
{
    int fd = dial(s->tls_port);
    say(fd, "\x16\x03\x01");
    for (int i = 0; i < 10000 && atomic_load(&waiting) == 0; i++)
        echo_call(s, count_waiting);
    assert_int_equal(atomic_load(&waiting), 1);
    atomic_store(&waiting, 0);
    return fd;
}

static struct conn *give_to_worker(struct echo_server *s)
{
    struct conn *c = s->net->conns;
    while (c->state != CONN_HANDSHAKE)
        c = c->next;
    assert_int_equal(mox__conn_handshake_ready(c), NEXT_WAIT);
    assert_true(c->working);
    return c;
}

static void stop_while_it_works(struct echo_server *s)
{
    mox__conn_shutdown(give_to_worker(s));
}

static void be_due_while_it_works(struct echo_server *s)
{
    struct conn *c = give_to_worker(s);
    c->timer.due(&c->timer);
}

static void a_handshake_that_a_worker_has_ends_in_time_too(void **state)
{
    struct echo_server *s = *state;
    int fd = dial_and_stop(s);
    echo_call(s, stop_while_it_works);
    expect_the_end(fd);
    (void)close(fd);
    fd = dial_and_stop(s);
    echo_call(s, be_due_while_it_works);
    expect_the_end(fd);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_one_byte_are_no_long_turn),
        cmocka_unit_test(alerts_that_are_passed_over_are_no_long_turn),
        cmocka_unit_test(a_handshake_does_not_go_on_with_alerts_for_ever),
        cmocka_unit_test(a_handshake_that_a_worker_has_ends_in_time_too),
    };
    return cmocka_run_group_tests_name("turns of TLS", tests, start, stop);
}
