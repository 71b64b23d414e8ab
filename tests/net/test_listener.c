/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

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

static double cpu_seconds(void)
{
    struct rusage u;
    assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
    return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* What else the process has to do may be done meanwhile; who spins does so each time. */
static bool is_quiet(void)
{
    for (int i = 0; i < 10; i++) {
        double cpu = cpu_seconds();
        (void)usleep(600000);
        if (cpu_seconds() - cpu < 0.3)
            return true;
    }
    return false;
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
    bool quiet = is_quiet();
    say(probe, "still served\n");
    expect(probe, "still served");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    say(waiting, "at last\n");
    expect(waiting, "at last");
    assert_true(told);
    assert_true(quiet);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_descriptors_connections_wait_and_nothing_spins),
        cmocka_unit_test(a_taken_port_is_named),
        cmocka_unit_test(connections_over_the_limit_are_closed_at_once),
    };
    return cmocka_run_group_tests_name("listeners", tests, start, stop);
}
