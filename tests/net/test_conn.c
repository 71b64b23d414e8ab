/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/conn_priv.h"
#include "net/echo.h"
#include "support/cm.h"

/* 10 s and more. */
#define LONG_SLICES 5000

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

static void the_outcome_does_not_depend_on_how_input_is_split(void **state)
{
    struct echo_server *s = *state;
    int fd = dial(s->port);
    say(fd, "one\ntwo\nthr");
    expect(fd, "one");
    expect(fd, "two");
    for (const char *c = "ee\nQUIT\n"; *c != '\0'; c++) {
        char piece[2] = {*c, '\0'};
        say(fd, piece);
        (void)usleep(500);
    }
    expect(fd, "three");
    expect(fd, "bye");
    expect_end(fd);
}

/* A socket closed with unread input is reset, and the reset would take the reply with it. */
static void the_last_reply_arrives_although_input_is_left_unread(void **state)
{
    struct echo_server *s = *state;
    for (int i = 0; i < 20; i++) {
        int fd = dial(s->port);
        char rest[40000];
        memset(rest, 'y', sizeof rest);
        say(fd, "QUIT\n");
        (void)send(fd, rest, sizeof rest, MSG_NOSIGNAL);
        (void)usleep(2000);
        (void)send(fd, rest, sizeof rest, MSG_NOSIGNAL);
        (void)usleep(2000);
        expect(fd, "bye");
        expect_end(fd);
    }
}

static void wait_for_guests(struct echo_server *s, int count)
{
    for (int i = 0; i < 60000 && atomic_load(&s->guests) != count; i++)
        (void)usleep(1000);
    assert_int_equal(atomic_load(&s->guests), count);
}

/* Sockets of both kinds, so that the handshake does not happen either. */
static void who_is_not_admitted_gets_a_word_and_no_session(void **state)
{
    struct echo_server *s = *state;
    wait_for_guests(s, 0); /* those of other tests leave */
    atomic_store(&s->most_guests, 2);
    int first = dial(s->port), second = dial(s->port);
    say(first, "1\n");
    expect(first, "1");
    say(second, "2\n");
    expect(second, "2");
    for (int i = 0; i < 20; i++) {
        int fd = dial(s->port);
        expect(fd, "full");
        expect_end(fd);
        expect_end(dial(s->tls_port));
    }
    assert_int_equal(atomic_load(&s->sessions), 2);
    (void)close(first);
    wait_for_guests(s, 1);
    first = dial(s->tls_port); /* counts during its handshake, too */
    wait_for_guests(s, 2);
    expect_end(dial(s->tls_port));
    say(first, "no handshake\n");
    wait_for_guests(s, 1);
    say(second, "still here\n");
    expect(second, "still here");
    (void)close(first);
    (void)close(second);
    atomic_store(&s->most_guests, -1);
}

static void wait_for_sessions(struct echo_server *s, int count)
{
    for (int i = 0; i < 60000 && atomic_load(&s->sessions) != count; i++)
        (void)usleep(1000);
    assert_int_equal(atomic_load(&s->sessions), count);
}

static void a_client_that_closes_first_is_let_go(void **state)
{
    struct echo_server *s = *state;
    int fd = dial(s->port);
    say(fd, "half a line");
    (void)shutdown(fd, SHUT_WR);
    expect_end(fd);
    struct linger reset = {1, 0};
    fd = dial(s->port);
    say(fd, "x\n");
    expect(fd, "x");
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    (void)close(fd);
    wait_for_sessions(s, 0);
}

static void run_a_round(struct echo_server *s)
{
    int fds[6];
    for (int i = 0; i < 6; i++) {
        fds[i] = dial(s->port);
        say(fds[i], "RUN\nafter\nRUN\nRUN\n");
    }
    int quick = dial(s->port);
    say(quick, "quick\nQUIT\n");
    expect(quick, "quick");
    expect(quick, "bye");
    expect_end(quick);
    for (int i = 0; i < 6; i++) {
        expect(fds[i], "ran");
        expect(fds[i], "after");
        expect(fds[i], "ran");
        expect(fds[i], "ran");
        (void)close(fds[i]);
    }
}

static void commands_that_read_the_disk_run_on_workers_side_by_side(void **state)
{
    struct echo_server *s = *state;
    for (int i = 0; i < 50 && atomic_load(&s->most_in_run) < 2; i++)
        run_a_round(s);
    assert_true(atomic_load(&s->most_in_run) > 1);
}

/* Says `lines`, reads so many MiB, and leaves in the middle of a LONG. */
static void leave_while_it_runs(struct echo_server *s, const char *lines, size_t mib)
{
    static char chunk[64 * 1024];
    wait_for_sessions(s, 0);
    atomic_store(&s->slices, 0);
    int fd = dial(s->port);
    say(fd, lines);
    for (size_t left = mib * 1024 * 1024; left > 0;) {
        ssize_t n = recv(fd, chunk, left < sizeof chunk ? left : sizeof chunk, 0);
        assert_true(n > 0);
        left -= (size_t)n;
    }
    while (atomic_load(&s->slices) == 0)
        (void)usleep(1000);
    (void)close(fd);
    wait_for_sessions(s, 0);
    assert_true(atomic_load(&s->slices) < LONG_SLICES);
}

static void what_is_run_in_slices_ends_when_the_client_leaves(void **state)
{
    struct echo_server *s = *state;
    leave_while_it_runs(s, "LONG 5000\n", 0);
    leave_while_it_runs(s, "BIG 16\nLONG 5000\n", 16); /* it was watched for output last */
    int fd = dial(s->port);
    say(fd, "LONG 20\nnext\n"); /* what is pipelined is no end */
    expect(fd, "ran");
    expect(fd, "next");
    (void)close(fd);
}

static void a_storm_of_wakes_from_other_threads_is_answered_once(void **state)
{
    struct echo_server *s = *state;
    int fds[10];
    for (int i = 0; i < 10; i++) {
        fds[i] = dial(s->port);
        say(fds[i], "LATER\nLATER\nnext\n");
    }
    for (int i = 0; i < 10; i++) {
        expect(fds[i], "woken");
        expect(fds[i], "woken");
        expect(fds[i], "next");
        (void)close(fds[i]);
    }
}

/* The answer is far larger than all socket buffers; nothing is read of the client meanwhile. */
#define IDLERS 300

/* Enough for some seconds. */
#define GREEDY_ROUNDS 10000

struct later {
    struct loop_task task;
    struct net *net;
    int waiting;
};
static struct later later;

static void count_waiting(struct loop_task *t)
{
    (void)t;
    for (struct conn *c = later.net->conns; c != NULL; c = c->next)
        later.waiting += atomic_load(&c->wake_posted);
}

static void wake_all_then_post(struct echo_server *s)
{
    for (struct conn *c = s->net->conns; c != NULL; c = c->next)
        mox__conn_wake(c);
    later = (struct later){.task = {.run = count_waiting}, .net = s->net};
    mox__loop_post(s->net->loop, &later.task);
}

static void nothing(struct echo_server *s)
{
    (void)s;
}

static void a_task_posted_behind_many_wakes_does_not_wait_for_all_of_them(void **state)
{
    struct echo_server *s = *state;
    int fds[IDLERS];
    for (int i = 0; i < IDLERS; i++) {
        fds[i] = dial(s->port);
        say(fds[i], "here\n");
        expect(fds[i], "here");
    }
    echo_call(s, wake_all_then_post);
    echo_call(s, nothing); /* runs behind it */
    assert_true(later.waiting > IDLERS / 2);
    for (int i = 0; i < IDLERS; i++) {
        say(fds[i], "QUIT\n");
        expect(fds[i], "bye");
        expect_end(fds[i]);
    }
}

static void a_slow_reader_holds_up_only_itself(void **state)
{
    struct echo_server *s = *state;
    int slow = dial(s->port);
    say(slow, "BIG 32\nlast\n");
    (void)usleep(50000);
    assert_true(echo_memory(s) < 4 * 1024 * 1024);
    int other = dial(s->port);
    say(other, "hello\nQUIT\n");
    expect(other, "hello");
    expect(other, "bye");
    expect_end(other);

    static char chunk[1024];
    for (size_t left = 32 * 1024 * 1024; left > 0;) {
        ssize_t n = recv(slow, chunk, left < sizeof chunk ? left : sizeof chunk, 0);
        assert_true(n > 0);
        left -= (size_t)n;
    }
    expect(slow, "last");
    (void)close(slow);
}

static void idle_connections_are_small(void **state)
{
    struct echo_server *s = *state;
    struct rlimit limit = {0, 0};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    size_t count = limit.rlim_cur > 8200 ? 4000 : (limit.rlim_cur - 200) / 2;
    int *fds = calloc(count, sizeof *fds);
    assert_non_null(fds);
    size_t before = echo_memory(s);
    for (size_t i = 0; i < count; i++) {
        fds[i] = dial(s->port);
        say(fds[i], "x\n");
        expect(fds[i], "x");
    }
    size_t each = (echo_memory(s) - before) / count; /* the engine has its input buffer left */
    print_message("%zu idle connections: %zu bytes each, %zu of them the connection\n", count, each,
                  sizeof(struct conn));
    assert_true(sizeof(struct conn) <= 512);
    for (size_t i = 0; i < count; i++)
        (void)close(fds[i]);
    free(fds);
}

/* Neither is it in the way of others, nor of the stop. */
static void input_that_never_pauses_holds_up_nobody(void **state)
{
    struct echo_server *s = calloc(1, sizeof *s);
    (void)state;
    assert_non_null(s);
    echo_start(s);
    int other = dial(s->port);
    s->greedy = dial(s->port);
    atomic_store(&s->greedy_left, GREEDY_ROUNDS);
    say(s->greedy, "GREEDY\n");
    for (int i = 0; i < 10; i++) {
        say(other, "hello\n");
        expect(other, "hello");
    }
    assert_true(atomic_load(&s->greedy_left) > 0);
    assert_true(atomic_load(&s->greedy_left) < GREEDY_ROUNDS);
    echo_stop(s);
    assert_true(atomic_load(&s->greedy_left) > 0);
    expect(other, "shutting down");
    expect_end(other);
    (void)close(s->greedy);
    free(s);
}

static void the_server_says_goodbye_when_it_stops(void **state)
{
    struct echo_server *s = calloc(1, sizeof *s);
    (void)state;
    assert_non_null(s);
    echo_start(s);
    int idle = dial(s->port), busy = dial(s->port);
    say(idle, "hello\n");
    expect(idle, "hello");
    say(busy, "RUN\n");
    echo_stop(s);
    expect(idle, "shutting down");
    expect_end(idle);
    (void)close(busy);
    free(s);
}

static void an_abort_ends_what_does_not_end_by_itself(void **state)
{
    struct echo_server *s = calloc(1, sizeof *s);
    (void)state;
    assert_non_null(s);
    echo_start(s);
    s->aborts = true;
    int stuck = dial(s->port), busy = dial(s->port), shaking = dial(s->tls_port);
    say(stuck, "BIG 100\n");
    say(busy, "RUN\n");
    say(shaking, "\x16\x03\x01");
    (void)usleep(20000);
    echo_stop(s);
    (void)close(stuck);
    (void)close(busy);
    (void)close(shaking);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_outcome_does_not_depend_on_how_input_is_split),
        cmocka_unit_test(the_last_reply_arrives_although_input_is_left_unread),
        cmocka_unit_test(who_is_not_admitted_gets_a_word_and_no_session),
        cmocka_unit_test(a_client_that_closes_first_is_let_go),
        cmocka_unit_test(commands_that_read_the_disk_run_on_workers_side_by_side),
        cmocka_unit_test(what_is_run_in_slices_ends_when_the_client_leaves),
        cmocka_unit_test(a_storm_of_wakes_from_other_threads_is_answered_once),
        cmocka_unit_test(a_task_posted_behind_many_wakes_does_not_wait_for_all_of_them),
        cmocka_unit_test(a_slow_reader_holds_up_only_itself),
        cmocka_unit_test(idle_connections_are_small),
        cmocka_unit_test(input_that_never_pauses_holds_up_nobody),
        cmocka_unit_test(the_server_says_goodbye_when_it_stops),
        cmocka_unit_test(an_abort_ends_what_does_not_end_by_itself),
    };
    return cmocka_run_group_tests_name("connections", tests, start, stop);
}
