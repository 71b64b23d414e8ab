/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/conn.h"
#include "net/echo.h"
#include "support/cm.h"

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

static unsigned rounds;

static void count_rounds(struct echo_server *s)
{
    rounds = ev_iteration(mox__loop_ev(s->net->loop));
}

/* A loop that spins makes more than a hundred thousand in a second, or as many as a loaded machine
 * lets it; one that waits makes some ten. */
static unsigned rounds_meanwhile(struct echo_server *s)
{
    echo_call(s, count_rounds);
    unsigned before = rounds;
    (void)usleep(600000);
    echo_call(s, count_rounds);
    return rounds - before;
}

static bool wait_for_log(struct echo_server *s, const char *text)
{
    for (int i = 0; i < 60000 && test_env_logged(&s->env, text) == 0; i++)
        (void)usleep(1000);
    return test_env_logged(&s->env, text) > 0;
}

static void without_descriptors_connections_wait_and_nothing_spins(void **state)
{
    struct echo_server *s = *state;
    int waiting = socket(AF_INET, SOCK_STREAM, 0); /* made before they run out */
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    int probe = dial(s->port);
    assert_int_equal(getpeername(probe, (struct sockaddr *)&a, &len), 0);

    struct rlimit limit, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    say(probe, "x\n");
    expect(probe, "x"); /* the server has its end open */
    low.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    struct timeval patience = {60, 0};
    (void)setsockopt(waiting, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(waiting, (const struct sockaddr *)&a, len), 0);
    bool told = wait_for_log(s, "cannot accept connections");
    unsigned meanwhile = rounds_meanwhile(s);
    say(probe, "still served\n");
    expect(probe, "still served");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    say(waiting, "at last\n");
    expect(waiting, "at last");
    assert_true(told);
    assert_in_range(meanwhile, 1, 1000);
    (void)close(waiting);
    (void)close(probe);
}

static void a_taken_port_is_named(void **state)
{
    struct echo_server *s = *state;
    struct listener *l;
    struct mox_error err;
    assert_int_equal(mox__listener_open(&l, s->net, "127.0.0.1", s->port, &s->plain_endpoint, &err),
                     MOX_EBUSY);
    assert_non_null(strstr(err.text, "127.0.0.1:"));
    assert_int_equal(mox__listener_open(&l, s->net, "203.0.113.7", 0, &s->plain_endpoint, &err),
                     MOX_EUNSUPPORTED);
    assert_int_equal(mox__listener_open(&l, s->net, "localhost", 0, &s->plain_endpoint, &err),
                     MOX_EINVAL);
}

static void allow_one(struct echo_server *s)
{
    s->net->max_conns = 1;
}

static void connections_over_the_limit_are_closed_at_once(void **state)
{
    struct echo_server *s = *state;
    int first = dial(s->port);
    say(first, "x\n");
    expect(first, "x");
    echo_call(s, allow_one);
    int second = dial(s->port);
    expect_end(second);
    (void)close(first);
}

static void hello(int fd)
{
    say(fd, "hello\n");
    expect(fd, "hello");
}

/* Each that leaves lets one in; the crowd stays the same. */
static void a_crowd_at_the_door_is_one_line_in_the_log(void **state)
{
    struct echo_server *s = *state;
    while (atomic_load(&s->sessions) > 0) /* those of other tests leave */
        (void)usleep(1000);
    for (int i = 0; i < 10; i++) {
        int fd = dial(s->port);
        hello(fd);
        echo_call(s, allow_one);
        expect_end(dial(s->port));
        (void)close(fd);
        while (atomic_load(&s->sessions) > 0)
            (void)usleep(1000);
    }
    assert_int_equal(test_env_logged(&s->env, "connections are refused"), 1);
}

static struct endpoint apart_endpoint;
static struct listener *apart;

static void open_apart(struct echo_server *s)
{
    struct mox_error err;
    apart_endpoint = s->plain_endpoint;
    apart_endpoint.apart = true;
    assert_int_equal(mox__listener_open(&apart, s->net, "127.0.0.1", 0, &apart_endpoint, &err),
                     MOX_OK);
    mox__listener_start(apart);
}

static void close_apart(struct echo_server *s)
{
    (void)s;
    mox__listener_close(apart);
}

/* As the control socket is in a crowd at the ports; nor is it a way to more connections at these. */
static void an_endpoint_that_is_apart_has_a_limit_of_its_own(void **state)
{
    struct echo_server *s = *state;
    int fds[MAX_APART];
    while (atomic_load(&s->sessions) > 0)
        (void)usleep(1000);
    int first = dial(s->port);
    hello(first);
    echo_call(s, allow_one);
    echo_call(s, open_apart);
    for (int i = 0; i < MAX_APART; i++) {
        fds[i] = dial(mox__listener_port(apart));
        hello(fds[i]);
    }
    expect_end(dial(mox__listener_port(apart)));
    expect_end(dial(s->port));
    (void)close(first);
    while (atomic_load(&s->sessions) > MAX_APART)
        (void)usleep(1000);
    first = dial(s->port);
    hello(first);
    for (int i = 0; i < MAX_APART; i++)
        (void)close(fds[i]);
    while (atomic_load(&s->sessions) > 1)
        (void)usleep(1000);
    hello(first);
    (void)close(first);
    echo_call(s, close_apart);
}

static atomic_int drained_count;
static int visitor[2];

static void count_drained(void *user)
{
    (void)user;
    atomic_fetch_add(&drained_count, 1);
}

static void stop_and_accept(struct echo_server *s)
{
    mox__net_stop(s->net, count_drained, s);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, visitor), 0);
    mox__conn_accept(s->net, &s->plain_endpoint, visitor[0]);
}

static void nothing(struct echo_server *s)
{
    (void)s;
}

static void who_comes_after_the_last_one_left_is_waited_for(void **state)
{
    struct echo_server *s = calloc(1, sizeof *s);
    (void)state;
    assert_non_null(s);
    echo_start(s);
    echo_call(s, stop_and_accept);
    echo_call(s, nothing); /* what was posted before is done */
    assert_int_equal(atomic_load(&drained_count), 0);
    expect(visitor[1], "shutting down");
    (void)close(visitor[1]);
    for (int i = 0; i < 60000 && atomic_load(&drained_count) == 0; i++)
        echo_call(s, nothing);
    assert_int_equal(atomic_load(&drained_count), 1);
    echo_stop(s);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_descriptors_connections_wait_and_nothing_spins),
        cmocka_unit_test(a_taken_port_is_named),
        cmocka_unit_test(connections_over_the_limit_are_closed_at_once),
        cmocka_unit_test(a_crowd_at_the_door_is_one_line_in_the_log),
        cmocka_unit_test(who_comes_after_the_last_one_left_is_waited_for),
        cmocka_unit_test(an_endpoint_that_is_apart_has_a_limit_of_its_own),
    };
    return cmocka_run_group_tests_name("listeners", tests, start, stop);
}
