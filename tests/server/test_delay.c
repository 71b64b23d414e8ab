/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <ev.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/conn_priv.h"
#include "server/place.h"
#include "server/server.h"
#include "server/smtp_session.h"
#include "support/cm.h"

/* Answers that are late on purpose, by a server that runs. */

#define SHORT_US INT64_C(20000)
/* Longer than any of these tests. */
#define NEVER_US INT64_C(600000000)

struct rig {
    struct test_env t;
    struct place p;
    struct ev_loop *loop;
    struct mox_server *server;
    pthread_t thread;
    bool runs;
    int fd; /* the client's */
    struct loop_task task;
    int64_t delay_us;
    size_t sessions;
    atomic_bool done;
};

static void stopped(void *user)
{
    struct rig *r = user;
    ev_break(r->loop, EVBREAK_ALL);
}

static void *serve(void *arg)
{
    struct rig *r = arg;
    ev_run(r->loop, 0);
    return NULL;
}

static int start(void **state, bool localserve, int64_t unknown_us)
{
    struct rig *r = calloc(1, sizeof *r);
    struct mox_server_config config;
    struct mox_error err;
    assert_non_null(r);
    real_time(&r->t);
    make_place(&r->p, &r->t.env);
    struct mox_config_static *mox = (void *)(uintptr_t)r->p.files->mox; /* as if it were written so */
    mox->delays.unknown_recipients_us = unknown_us;
    r->loop = ev_loop_new(0);
    configure(&config, &r->p);
    config.localserve = localserve;
    config.loop = r->loop;
    config.stopped = stopped;
    config.stopped_user = r;
    if (mox_server_new(&r->server, &r->t.env, &config, &err) < 0)
        fail_msg("%s", err.text);
    mox_server_start(r->server);
    assert_int_equal(pthread_create(&r->thread, NULL, serve, r), 0);
    r->runs = true;
    *state = r;
    return 0;
}

static int setup(void **state)
{
    return start(state, true, 0);
}

static int setup_strict(void **state)
{
    return start(state, false, SHORT_US);
}

static int setup_patient(void **state)
{
    return start(state, false, NEVER_US);
}

static void join(struct rig *r)
{
    if (r->fd > 0) /* who has heard the end is waited for until he closes, too */
        (void)close(r->fd);
    r->fd = 0;
    if (r->runs)
        (void)pthread_join(r->thread, NULL);
    r->runs = false;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    mox_server_stop(r->server);
    join(r);
    mox_server_free(r->server);
    ev_loop_destroy(r->loop);
    remove_place(&r->p);
    test_env_done(&r->t);
    free(r);
    return 0;
}

static void on_loop(struct rig *r, void (*run)(struct loop_task *t))
{
    r->task.run = run;
    atomic_store(&r->done, false);
    mox__loop_post(r->server->net->loop, &r->task);
    while (!atomic_load(&r->done))
        (void)usleep(1000);
}

/* How long strangers wait. */
static void set_delay(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    r->server->services[SERVE_SMTP].first_time_sender_delay_us = r->delay_us;
    atomic_store(&r->done, true);
}

static void count(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    r->sessions = r->server->net->conn_count;
    atomic_store(&r->done, true);
}

static void dial(struct rig *r)
{
    struct timeval limit = {20, 0};
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)(r->p.base + 25)),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    r->fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(r->fd, (const struct sockaddr *)&a, sizeof a), 0);
}

/* The last line of a reply begins so. */
static void expect(struct rig *r, const char *begin)
{
    char line[512] = "";
    size_t n = 0;
    do {
        for (n = 0; n < sizeof line - 1 && (n == 0 || line[n - 1] != '\n'); n++)
            assert_int_equal(recv(r->fd, line + n, 1, 0), 1);
        line[n] = '\0';
    } while (line[3] == '-');
    assert_memory_equal(line, begin, strlen(begin));
}

static void expect_end(struct rig *r)
{
    char byte;
    assert_int_equal(recv(r->fd, &byte, 1, 0), 0);
}

static void say(struct rig *r, const char *text)
{
    assert_int_equal(send(r->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
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
    on_loop(r, set_delay);
    say(r, "Subject: x\r\n\r\nbody\r\n.\r\n");
    say(r, last);
}

static bool is_delivered(struct rig *r)
{
    on_loop(r, count); /* the log is the loop's */
    return r->t.log != NULL && strstr(r->t.log, "message delivered") != NULL;
}

static void wait_for_no_session(struct rig *r)
{
    r->sessions = 1;
    for (int i = 0; i < 10000 && r->sessions > 0; i++) {
        on_loop(r, count);
        (void)usleep(1000);
    }
    assert_int_equal(r->sessions, 0);
}

static void a_delivery_that_waits_is_made_in_the_end(void **state)
{
    struct rig *r = *state;
    send_message(r, SHORT_US, "QUIT\r\n");
    expect(r, "250 2.2.0 ");
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
    on_loop(r, set_delay);
    say(r, "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nBDAT 21 LAST\r\nList-Id: <l.x.ex>\r\n\r\nQUIT\r\n");
    expect(r, "250 ");
    expect(r, "250 ");
    expect(r, "250 2.2.0 ");
    expect(r, "221 ");
}

static void a_delivery_that_waits_ends_with_the_server(void **state)
{
    struct rig *r = *state;
    send_message(r, NEVER_US, "QUIT\r\n");
    on_loop(r, count);
    mox_server_stop(r->server);
    expect(r, "421 4.3.2 ");
    expect_end(r);
    join(r);
    assert_true(r->t.log == NULL || strstr(r->t.log, "message delivered") == NULL);
}

static void a_delivery_that_waits_ends_with_the_client(void **state)
{
    struct rig *r = *state;
    send_message(r, NEVER_US, "");
    (void)close(r->fd);
    r->fd = 0;
    wait_for_no_session(r);
    assert_false(is_delivered(r));
}

/* Who has only said all that he wants to say is told that it failed for now. */
static void a_client_that_waits_with_half_a_connection_is_told(void **state)
{
    struct rig *r = *state;
    send_message(r, NEVER_US, "");
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
    on_loop(r, count);
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
    say(r, "EHLO client.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<nobody@localhost>\r\nDATA\r\n");
    expect(r, "250 ");
    expect(r, "250 ");
    expect(r, "250 "); /* RCPT tells guessers nothing */
    expect(r, "354 ");
    say(r, "Subject: x\r\n\r\nbody\r\n.\r\n");
}

static void a_message_to_nobody_is_refused_after_a_while(void **state)
{
    struct rig *r = *state;
    send_to_nobody(r);
    say(r, "QUIT\r\n");
    expect(r, "550 5.1.1 ");
    expect(r, "221 ");
    expect_end(r);
}

static void a_message_to_nobody_is_refused_when_the_server_stops(void **state)
{
    struct rig *r = *state;
    send_to_nobody(r);
    on_loop(r, count);
    mox_server_stop(r->server);
    expect(r, "550 5.1.1 ");
    expect(r, "421 4.3.2 ");
    expect_end(r);
}

static void a_message_to_nobody_ends_with_the_client(void **state)
{
    struct rig *r = *state;
    send_to_nobody(r);
    (void)close(r->fd);
    r->fd = 0;
    wait_for_no_session(r);
}

int main(void)
{
#define STRICT(name, patience) cmocka_unit_test_setup_teardown(name, setup_##patience, teardown)
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_delivery_that_waits_is_made_in_the_end),
        CASE(a_mailing_list_does_not_wait),
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
