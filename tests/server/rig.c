/* SPDX-License-Identifier: MIT */
#include "server/rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/conn_priv.h"
#include "server/smtp_session.h"
#include "support/cm.h"

/* ---- the resolver ---- */

static void begin_lookup(void *user, struct mox_dns_lookup *lookup)
{
    struct rig *r = user;
    r->watched_count += r->watched != NULL && strstr(lookup->question.name, r->watched) != NULL;
    if (!r->holds) {
        r->zone.resolver.start(r->zone.resolver.user, lookup);
        return;
    }
    assert_true(r->held_count < HELD_MAX);
    r->held[r->held_count++] = lookup;
}

static void cancel_lookup(void *user, struct mox_dns_lookup *lookup)
{
    struct rig *r = user;
    for (size_t i = 0; i < r->held_count; i++)
        if (r->held[i] == lookup) {
            r->held[i] = r->held[--r->held_count];
            r->cancelled++;
            return;
        }
    fail_msg("%s was not asked, or is answered", lookup->question.name);
}

/* ---- the server ---- */

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

/* A server whose resolver has these names. */
void start(struct rig *r, const char *zone)
{
    struct mox_server_config config;
    struct mox_error err;
    assert_int_equal(mox__zone_resolver_init(&r->zone, &r->t.env, zone, &err), MOX_OK);
    r->resolver = (struct mox_resolver){
        .size = sizeof r->resolver, .user = r, .start = begin_lookup, .cancel = cancel_lookup};
    r->loop = ev_loop_new(0);
    configure(&config, &r->p);
    config.localserve = r->is_localserve;
    config.limits = r->has_limits;
    config.check_senders = r->checks_senders;
    config.loop = r->loop;
    config.resolver = &r->resolver;
    config.stopped = stopped;
    config.stopped_user = r;
    if (mox_server_new(&r->server, &r->t.env, &config, &err) < 0)
        fail_msg("%s", err.text);
    mox_server_start(r->server);
    assert_int_equal(pthread_create(&r->thread, NULL, serve, r), 0);
    r->runs = true;
}

int rig_setup(void **state)
{
    struct rig *r = *state = calloc(1, sizeof *r);
    assert_non_null(r);
    real_time(&r->t);
    make_place(&r->p, &r->t.env);
    return 0;
}

void join(struct rig *r)
{
    if (r->fd > 0) /* who has heard the end is waited for until he closes, too */
        (void)close(r->fd);
    r->fd = 0;
    if (r->runs)
        (void)pthread_join(r->thread, NULL);
    r->runs = false;
}

int rig_teardown(void **state)
{
    struct rig *r = *state;
    mox_server_stop(r->server);
    join(r);
    mox_server_free(r->server);
    mox__zone_resolver_done(&r->zone);
    ev_loop_destroy(r->loop);
    remove_place(&r->p);
    test_env_done(&r->t);
    free(r);
    return 0;
}

void on_loop(struct rig *r, void (*run)(struct loop_task *t))
{
    r->task.run = run;
    atomic_store(&r->done, false);
    mox__loop_post(r->server->net->loop, &r->task);
    while (!atomic_load(&r->done))
        (void)usleep(1000);
}

void do_hold(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    r->holds = true;
    atomic_store(&r->done, true);
}

/* Answers what is held, once. What follows from the answers is held again. */
void do_release(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    struct mox_dns_lookup *held[HELD_MAX];
    size_t count = r->held_count;
    memcpy(held, r->held, sizeof held);
    r->held_count = 0;
    for (size_t i = 0; i < count; i++)
        r->zone.resolver.start(r->zone.resolver.user, held[i]);
    atomic_store(&r->done, true);
}

/* As if the client closed its side while a worker has what follows from the answers. */
void do_release_and_leave(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    void *session = r->server->net->conns->session;
    do_release(t);
    mox__smtp_service.gone(session);
}

void do_count(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    r->sessions = r->server->net->conn_count;
    r->wanted = r->held_count;
    atomic_store(&r->done, true);
}

void do_pace(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    const struct smtp_session *ss = r->server->net->conns->session;
    r->pace = mox_smtp_server_pace(ss->engine);
    atomic_store(&r->done, true);
}

void wait_until_held(struct rig *r)
{
    r->wanted = 0;
    for (int i = 0; i < 60000 && r->wanted == 0; i++) {
        on_loop(r, do_count);
        (void)usleep(1000);
    }
    assert_true(r->wanted > 0);
}

static void do_look_at_nap(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    const struct smtp_session *ss = r->server->net->conns->session;
    r->nap_us = 0;
    if (mox__nap_lasts(&ss->nap))
        r->nap_us = ss->nap.timer.at_us - mox__loop_now(r->server->net->loop);
    atomic_store(&r->done, true);
}

/* Names that are asked for have a minute. */
void wait_until_late(struct rig *r)
{
    char heard;
    r->nap_us = 0;
    for (int i = 0; i < 60000 && r->nap_us < INT64_C(120000000); i++) {
        on_loop(r, do_look_at_nap);
        if (recv(r->fd, &heard, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
            fail_msg("an answer at once, or an end");
        (void)usleep(1000);
    }
    assert_true(r->nap_us >= INT64_C(120000000));
}

void wait_for_no_session(struct rig *r)
{
    r->sessions = 1;
    for (int i = 0; i < 60000 && r->sessions > 0; i++) {
        on_loop(r, do_count);
        (void)usleep(1000);
    }
    assert_int_equal(r->sessions, 0);
}

/* How long strangers wait. */
void do_delay(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    r->server->services[SERVE_SMTP].first_time_sender_delay_us = r->delay_us;
    atomic_store(&r->done, true);
}

/* The minute is over. */
void do_run_out(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    struct smtp_session *ss = r->server->net->conns->session;
    assert_true(mox__nap_lasts(&ss->nap));
    mox__timer_at(&ss->nap.timer, mox__loop_now(r->server->net->loop));
    atomic_store(&r->done, true);
}

/* ---- the client ---- */

static struct sockaddr_in address(const char *ip, unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    assert_int_equal(inet_pton(AF_INET, ip, &a.sin_addr), 1);
    return a;
}

void dial(struct rig *r)
{
    struct timeval limit = {60, 0};
    struct sockaddr_in us = address(r->from != NULL ? r->from : "127.0.0.1", 0),
                       server = address("127.0.0.1", r->p.base + 25u);
    r->fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(bind(r->fd, (const struct sockaddr *)&us, sizeof us), 0);
    assert_int_equal(connect(r->fd, (const struct sockaddr *)&server, sizeof server), 0);
}

void expect(struct rig *r, const char *begin)
{
    char *line = r->heard;
    do {
        size_t n = 0;
        for (; n < sizeof r->heard - 1 && (n == 0 || line[n - 1] != '\n'); n++)
            assert_int_equal(recv(r->fd, line + n, 1, 0), 1);
        line[n] = '\0';
    } while (line[3] == '-');
    if (strncmp(line, begin, strlen(begin)) != 0)
        fail_msg("%s instead of %s", line, begin);
}

void say(struct rig *r, const char *text)
{
    size_t len = strlen(text);
    for (size_t sent = 0; sent < len;) {
        ssize_t n = send(r->fd, text + sent, len - sent, MSG_NOSIGNAL);
        assert_true(n > 0);
        sent += (size_t)n;
    }
}

void ask(struct rig *r, const char *command, const char *reply)
{
    say(r, command);
    expect(r, reply);
}

/* As far as the first recipient. */
void begin(struct rig *r, const char *mail)
{
    dial(r);
    expect(r, "220 ");
    ask(r, "EHLO client.example\r\n", "250 ");
    ask(r, mail, "250 ");
    ask(r, "RCPT TO:<mox@localhost>\r\n", "250 ");
}

void logged(struct rig *r, const char *part)
{
    on_loop(r, do_count); /* the log is the loop's */
    if (r->t.log == NULL || strstr(r->t.log, part) == NULL)
        fail_msg("%s is not in %s", part, r->t.log == NULL ? "" : r->t.log);
}
