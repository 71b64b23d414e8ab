/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <ev.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <mox/dkim.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/conn_priv.h"
#include "server/place.h"
#include "server/server.h"
#include "server/smtp_session.h"
#include "support/cm.h"

/* Checks of senders by a server that runs, over names that come when a test wants them to. */

#define HELD_MAX 100
/* Goes to a file, and to a worker. */
#define LARGE_LINES 3000

static const char names[] = "x.example\tTXT\tv=spf1 ip4:127.0.0.1 -all\n"
                            "other.example\tTXT\tv=spf1 -all\n"
                            "1.0.0.127.in-addr.arpa\tPTR\thost.x.example\n"
                            "host.x.example\tA\t127.0.0.1\n";

struct rig {
    struct test_env t;
    struct place p;
    struct ev_loop *loop;
    struct mox_server *server;
    pthread_t thread;
    bool runs;
    int fd; /* the client's */
    struct loop_task task;
    atomic_bool done;
    /* The resolver, on the loop's thread: */
    struct mox_resolver resolver;
    struct zone_resolver zone;
    bool holds; /* what it is asked, until release() */
    struct mox_dns_lookup *held[HELD_MAX];
    size_t held_count, cancelled;
    size_t sessions, wanted; /* as do_count() saw them */
};

/* ---- the resolver ---- */

static void begin_lookup(void *user, struct mox_dns_lookup *lookup)
{
    struct rig *r = user;
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
static void start(struct rig *r, const char *zone)
{
    struct mox_server_config config;
    struct mox_error err;
    assert_int_equal(mox__zone_resolver_init(&r->zone, &r->t.env, zone, &err), MOX_OK);
    r->resolver = (struct mox_resolver){
        .size = sizeof r->resolver, .user = r, .start = begin_lookup, .cancel = cancel_lookup};
    r->loop = ev_loop_new(0);
    configure(&config, &r->p);
    config.localserve = false;
    config.limits = false;
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

static int setup(void **state)
{
    struct rig *r = *state = calloc(1, sizeof *r);
    assert_non_null(r);
    real_time(&r->t);
    make_place(&r->p, &r->t.env);
    return 0;
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
    mox__zone_resolver_done(&r->zone);
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

static void do_hold(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    r->holds = true;
    atomic_store(&r->done, true);
}

/* Answers what is held, once. What follows from the answers is held again. */
static void do_release(struct loop_task *t)
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

static void do_count(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    r->sessions = r->server->net->conn_count;
    r->wanted = r->held_count;
    atomic_store(&r->done, true);
}

static void wait_until_held(struct rig *r)
{
    r->wanted = 0;
    for (int i = 0; i < 10000 && r->wanted == 0; i++) {
        on_loop(r, do_count);
        (void)usleep(1000);
    }
    assert_true(r->wanted > 0);
}

/* The minute is over. */
static void do_run_out(struct loop_task *t)
{
    struct rig *r = container_of(t, struct rig, task);
    struct smtp_session *ss = r->server->net->conns->session;
    assert_true(mox__nap_lasts(&ss->nap));
    mox__timer_at(&ss->nap.timer, mox__loop_now(r->server->net->loop));
    atomic_store(&r->done, true);
}

/* ---- the client ---- */

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
    do {
        size_t n = 0;
        for (; n < sizeof line - 1 && (n == 0 || line[n - 1] != '\n'); n++)
            assert_int_equal(recv(r->fd, line + n, 1, 0), 1);
        line[n] = '\0';
    } while (line[3] == '-');
    if (strncmp(line, begin, strlen(begin)) != 0)
        fail_msg("%s instead of %s", line, begin);
}

static void say(struct rig *r, const char *text)
{
    size_t len = strlen(text);
    for (size_t sent = 0; sent < len;) {
        ssize_t n = send(r->fd, text + sent, len - sent, MSG_NOSIGNAL);
        assert_true(n > 0);
        sent += (size_t)n;
    }
}

static void ask(struct rig *r, const char *command, const char *reply)
{
    say(r, command);
    expect(r, reply);
}

/* As far as the first recipient. */
static void begin(struct rig *r, const char *mail)
{
    dial(r);
    expect(r, "220 ");
    ask(r, "EHLO client.example\r\n", "250 ");
    ask(r, mail, "250 ");
    ask(r, "RCPT TO:<mox@localhost>\r\n", "250 ");
}

static void logged(struct rig *r, const char *part)
{
    on_loop(r, do_count); /* the log is the loop's */
    if (r->t.log == NULL || strstr(r->t.log, part) == NULL)
        fail_msg("%s is not in %s", part, r->t.log == NULL ? "" : r->t.log);
}

/* ---- tests ---- */

static void a_genuine_sender_may_have_several_recipients(void **state)
{
    struct rig *r = *state;
    start(r, names);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "RCPT TO:<postmaster>\r\n", "250 ");
    ask(r, "RCPT TO:<nobody@localhost>\r\n", "550 5.1.1 "); /* at once: nothing is lost */
    ask(r, "RCPT TO:<mox+tag@localhost>\r\n", "250 ");
    ask(r, "DATA\r\n", "354 ");
    ask(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n", "250 ");
    logged(r, "spf=pass");
    logged(r, "iprev=pass");
    /* It is that of one message. */
    ask(r, "MAIL FROM:<a@other.example>\r\n", "250 ");
    ask(r, "RCPT TO:<mox@localhost>\r\n", "250 ");
    ask(r, "RCPT TO:<postmaster>\r\n", "452 ");
}

static void others_send_to_one_at_a_time(void **state)
{
    struct rig *r = *state;
    start(r, names);
    begin(r, "MAIL FROM:<a@other.example>\r\n");
    ask(r, "RCPT TO:<postmaster>\r\n", "452 4.5.3 ");
    ask(r, "RCPT TO:<nobody@localhost>\r\n", "452 4.5.3 ");
    ask(r, "DATA\r\n", "354 ");
    ask(r, "From: a@other.example\r\n\r\nbody\r\n.\r\n", "451 4.3.0 error processing");
    logged(r, "spf=fail");
    logged(r, "reason=spf-policy");
}

static void a_first_recipient_that_does_not_exist_stays_alone(void **state)
{
    struct rig *r = *state;
    start(r, names);
    dial(r);
    expect(r, "220 ");
    ask(r, "EHLO client.example\r\n", "250 ");
    ask(r, "MAIL FROM:<a@x.example>\r\n", "250 ");
    ask(r, "RCPT TO:<nobody@localhost>\r\n", "250 ");
    ask(r, "RCPT TO:<mox@localhost>\r\n", "452 4.5.3 ");
}

static void names_that_come_late_are_waited_for(void **state)
{
    struct rig *r = *state;
    start(r, names);
    on_loop(r, do_hold);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    say(r, "RCPT TO:<postmaster>\r\nDATA\r\n");
    wait_until_held(r);
    on_loop(r, do_release);
    expect(r, "250 ");
    expect(r, "354 ");
    say(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n");
    wait_until_held(r); /* PTR and DMARC; SPF is known */
    on_loop(r, do_release);
    wait_until_held(r); /* the address of the name */
    on_loop(r, do_release);
    expect(r, "250 2.2.0 ");
    logged(r, "iprev=pass");
}

static void names_that_never_come_count_as_timed_out(void **state)
{
    struct rig *r = *state;
    start(r, names);
    on_loop(r, do_hold);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "DATA\r\n", "354 ");
    say(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n");
    wait_until_held(r);
    on_loop(r, do_run_out);
    expect(r, "250 2.2.0 ");
    logged(r, "spf=temperror");
    logged(r, "iprev=temperror");
    logged(r, "dmarc=temperror");
    assert_int_equal(r->wanted, 0);
}

static void wait_for_no_session(struct rig *r)
{
    r->sessions = 1;
    for (int i = 0; i < 10000 && r->sessions > 0; i++) {
        on_loop(r, do_count);
        (void)usleep(1000);
    }
    assert_int_equal(r->sessions, 0);
}

static void a_client_that_leaves_is_not_delivered_for(void **state)
{
    struct rig *r = *state;
    start(r, names);
    on_loop(r, do_hold);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "DATA\r\n", "354 ");
    say(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n");
    wait_until_held(r);
    (void)close(r->fd);
    r->fd = 0;
    wait_for_no_session(r);
    assert_true(r->cancelled > 0);
    assert_int_equal(r->wanted, 0);
    assert_null(strstr(r->t.log, "message delivered"));
}

static void a_client_that_leaves_at_a_recipient_is_forgotten(void **state)
{
    struct rig *r = *state;
    start(r, names);
    on_loop(r, do_hold);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    say(r, "RCPT TO:<postmaster>\r\n");
    wait_until_held(r);
    (void)close(r->fd);
    r->fd = 0;
    wait_for_no_session(r);
    assert_int_equal(r->wanted, 0);
}

static void a_stop_makes_a_temporary_failure(void **state)
{
    struct rig *r = *state;
    start(r, names);
    on_loop(r, do_hold);
    begin(r, "MAIL FROM:<a@x.example>\r\n");
    ask(r, "DATA\r\n", "354 ");
    say(r, "From: a@x.example\r\n\r\nbody\r\n.\r\n");
    wait_until_held(r);
    mox_server_stop(r->server);
    expect(r, "421 4.3.2 ");
}

/* ---- a signature ---- */

struct signed_text {
    char *text;
    char *zone;
};

static char *text_of_lines(size_t lines)
{
    static const char head[] = "From: a@x.example\r\nSubject: x\r\n\r\n";
    static const char line[] = "A line of a body, to be hashed by whoever reads it.\r\n";
    char *text = malloc(sizeof head + lines * (sizeof line - 1));
    assert_non_null(text);
    memcpy(text, head, sizeof head);
    for (size_t i = 0; i < lines; i++)
        memcpy(text + sizeof head - 1 + i * (sizeof line - 1), line, sizeof line);
    return text;
}

static struct signed_text sign(struct rig *r, size_t lines)
{
    struct signed_text out = {0};
    char *text = text_of_lines(lines), *field, record[1000];
    struct mox_signed_message *message;
    struct mox_dkim_signer signer;
    struct mox_error err;
    mox_dkim_signer_init(&signer);
    assert_int_equal(mox_dkim_key_generate(&signer.key, &r->t.env, MOX_DKIM_ED25519, 0), MOX_OK);
    assert_int_equal(mox_dkim_key_record(signer.key, record, sizeof record), MOX_OK);
    signer.domain = "x.example";
    signer.selector = "s";
    signer.now_us = r->t.env.wall_us(r->t.env.user);
    assert_int_equal(mox_signed_message_new(&message, &r->t.env, slice_of(text)), MOX_OK);
    assert_int_equal(mox_dkim_sign(&field, &r->t.env, message, &signer, &err), MOX_OK);
    assert_true(asprintf(&out.text, "%s%s.\r\n", field, text) > 0);
    assert_true(asprintf(&out.zone, "%ss._domainkey.x.example\tTXT\t%s\n", names, record) > 0);
    mox_text_free(&r->t.env, field);
    mox_signed_message_free(message);
    mox_dkim_key_free(signer.key);
    free(text);
    return out;
}

static void deliver_signed(struct rig *r, size_t lines)
{
    struct signed_text s = sign(r, lines);
    start(r, s.zone);
    begin(r, "MAIL FROM:<a@third.example>\r\n");
    ask(r, "DATA\r\n", "354 ");
    ask(r, s.text, "250 2.2.0 ");
    logged(r, "dkim=pass");
    logged(r, "dkimdomain=x.example");
    free(s.text);
    free(s.zone);
}

static void a_signature_is_verified(void **state)
{
    deliver_signed(*state, 10);
}

static void that_of_a_large_message_too(void **state)
{
    deliver_signed(*state, LARGE_LINES);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_genuine_sender_may_have_several_recipients),
        TEST(others_send_to_one_at_a_time),
        TEST(a_first_recipient_that_does_not_exist_stays_alone),
        TEST(names_that_come_late_are_waited_for),
        TEST(names_that_never_come_count_as_timed_out),
        TEST(a_client_that_leaves_is_not_delivered_for),
        TEST(a_client_that_leaves_at_a_recipient_is_forgotten),
        TEST(a_stop_makes_a_temporary_failure),
        TEST(a_signature_is_verified),
        TEST(that_of_a_large_message_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
