/* SPDX-License-Identifier: MIT */
#include "net/echo.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "support/cm.h"

/* -- engine ---------------------------------------------------------------------------------- */

#define WAKES 100

struct echo {
    struct echo_server *server;
    struct conn *conn;
    struct buf in, out;
    size_t big_left;
    unsigned pace, slices_left;
    bool starttls, run, later, quit, greedy;
    atomic_int woken;
    pthread_t waker;
    bool has_waker;
    struct mox_tls_info tls;
};

static void *wake_often(void *arg)
{
    struct echo *e = arg;
    for (int i = 0; i < WAKES; i++) {
        atomic_fetch_add(&e->woken, 1);
        mox__conn_wake(e->conn);
    }
    return NULL;
}

static void say_hex(struct echo *e, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        mox__buf_printf(&e->out, "%02X", data[i]);
    mox__buf_text(&e->out, len == 0 ? "-\n" : "\n");
}

static void say_bindings(struct echo *e)
{
    size_t len = e->tls.has_exporter ? sizeof e->tls.exporter : 0;
    say_hex(e, e->tls.exporter, len);
    say_hex(e, e->tls.exporter_empty, len);
    say_hex(e, e->tls.end_point, e->tls.end_point_len);
}

static void obey(struct echo *e, const char *line)
{
    if (e->greedy)
        return;
    if (strcmp(line, "QUIT") == 0) {
        mox__buf_text(&e->out, "bye\n");
        e->quit = true;
    } else if (strcmp(line, "STARTTLS") == 0) {
        mox__buf_text(&e->out, "go\n");
        e->starttls = true;
    } else if (strcmp(line, "RUN") == 0) {
        e->run = true;
    } else if (sscanf(line, "LONG %u", &e->slices_left) == 1) {
        e->run = true;
    } else if (strcmp(line, "LATER") == 0) {
        e->later = true;
        atomic_store(&e->woken, 0);
        assert_int_equal(pthread_create(&e->waker, NULL, wake_often, e), 0);
        e->has_waker = true;
    } else if (strcmp(line, "HANG") == 0) {
        e->later = true;
    } else if (strcmp(line, "GREEDY") == 0) {
        e->greedy = true;
        mox__buf_text(&e->out, "GREEDY\n");
    } else if (strcmp(line, "GREEDY?") == 0) {
        mox__buf_printf(&e->out, "%zu\n", atomic_load(&e->server->greedy_bytes));
    } else if (strcmp(line, "TLS?") == 0) {
        mox__buf_printf(&e->out, "%s %s %s\n", e->tls.version, e->tls.cipher, e->tls.sni);
    } else if (strcmp(line, "KEY?") == 0) {
        say_hex(e, e->tls.client_key, e->tls.has_client_key ? sizeof e->tls.client_key : 0);
    } else if (strcmp(line, "BINDINGS") == 0) {
        say_bindings(e);
    } else if (sscanf(line, "SLOW %u", &e->pace) == 1) {
        atomic_fetch_add(&e->server->slowed, 1);
    } else if (sscanf(line, "BIG %zu", &e->big_left) != 1) {
        mox__buf_printf(&e->out, "%s\n", line);
    }
    e->big_left *= strncmp(line, "BIG", 3) == 0 ? 1024 * 1024 : 1;
}

/* More of a long answer, as the last piece goes out. */
static void produce(struct echo *e)
{
    char letters[1024];
    memset(letters, 'x', sizeof letters);
    letters[sizeof letters - 1] = '\n';
    while (e->big_left > 0 && e->out.len < 256 * 1024) {
        mox__buf_append(&e->out, letters, sizeof letters);
        e->big_left -= sizeof letters;
    }
}

static void pump(struct echo *e)
{
    for (;;) {
        produce(e);
        const uint8_t *end = e->in.len == 0 ? NULL : memchr(e->in.data, '\n', e->in.len);
        if (end == NULL || e->big_left > 0 || e->starttls || e->run || e->later || e->quit)
            return;
        char line[1024];
        size_t len = (size_t)(end - e->in.data);
        assert_true(len < sizeof line);
        memcpy(line, e->in.data, len);
        line[len] = '\0';
        mox__buf_consume(&e->in, len + 1);
        obey(e, line);
    }
}

/* Twice what is read at once. */
static void send_more(struct echo_server *s)
{
    char lines[2 * MOX_INPUT_MAX];
    for (size_t i = 0; i < sizeof lines; i++)
        lines[i] = i % 64 == 63 ? '\n' : 'x';
    if (atomic_load(&s->greedy_left) > 0) {
        atomic_fetch_sub(&s->greedy_left, 1);
        (void)send(s->greedy, lines, sizeof lines, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

static int input(void *self, const uint8_t *data, size_t len)
{
    struct echo *e = self;
    if (e->pace > 0 && len > atomic_load(&e->server->slow_read_most))
        atomic_store(&e->server->slow_read_most, len);
    mox__buf_append(&e->in, data, len);
    if (e->greedy)
        atomic_fetch_add(&e->server->greedy_bytes, len);
    pump(e);
    if (e->greedy)
        send_more(e->server);
    return e->in.failed ? MOX_ENOMEM : MOX_OK;
}

static size_t output(void *self, const uint8_t **data)
{
    struct echo *e = self;
    *data = e->out.data;
    return e->out.len;
}

static void sent(void *self, size_t len)
{
    struct echo *e = self;
    if (e->pace > 0) {
        atomic_fetch_add(&e->server->slow_pieces, 1);
        if (len > atomic_load(&e->server->slow_most))
            atomic_store(&e->server->slow_most, len);
    }
    mox__buf_consume(&e->out, len);
    if (e->out.len == 0 && e->big_left == 0)
        mox__buf_free(&e->out);
    pump(e);
}

static unsigned wants(void *self)
{
    struct echo *e = self;
    unsigned w = e->out.len > 0 ? MOX_WANTS_WRITE : 0u;
    if (e->quit)
        return w | MOX_WANTS_CLOSE;
    if (e->starttls)
        return w | MOX_WANTS_STARTTLS;
    if (e->run)
        return w | MOX_WANTS_RUN;
    return w | (e->later ? (unsigned)MOX_WANTS_APP : (unsigned)MOX_WANTS_READ);
}

static int64_t deadline(void *self)
{
    (void)self;
    return INT64_MAX;
}

static int nothing(void *self)
{
    (void)self;
    return MOX_OK;
}

static void eof(void *self)
{
    ((struct echo *)self)->quit = true;
}

static size_t tls_rest(void *self, const uint8_t **data)
{
    struct echo *e = self;
    *data = e->in.data;
    return e->in.len;
}

static void tls_started(void *self, const struct mox_tls_info *info)
{
    struct echo *e = self;
    e->tls = *info;
    e->starttls = false;
    mox__buf_free(&e->in);
}

/* False: this was not the last one. */
static bool last_slice(struct echo *e)
{
    if (e->slices_left == 0)
        return true;
    (void)usleep(2000);
    atomic_fetch_add(&e->server->slices, 1);
    return --e->slices_left == 0;
}

static int run(void *self)
{
    struct echo *e = self;
    if (!last_slice(e))
        return MOX_OK;
    int now = atomic_fetch_add(&e->server->in_run, 1) + 1;
    int most = atomic_load(&e->server->most_in_run);
    while (now > most && !atomic_compare_exchange_weak(&e->server->most_in_run, &most, now))
        ;
    assert_false(pthread_equal(pthread_self(), e->server->thread));
    (void)usleep(20000);
    e->run = false;
    mox__buf_text(&e->out, "ran\n");
    atomic_fetch_sub(&e->server->in_run, 1);
    pump(e);
    return MOX_OK;
}

static int woken(void *self)
{
    struct echo *e = self;
    if (!e->later || atomic_load(&e->woken) < WAKES)
        return MOX_OK;
    (void)pthread_join(e->waker, NULL);
    e->has_waker = false;
    e->later = false;
    mox__buf_text(&e->out, "woken\n");
    pump(e);
    return MOX_OK;
}

static void say_shutdown(void *self)
{
    struct echo *e = self;
    mox__buf_text(&e->out, "shutting down\n");
    e->quit = true;
}

static unsigned pace(void *self)
{
    return ((struct echo *)self)->pace;
}

static void free_echo(void *self)
{
    struct echo *e = self;
    if (e->has_waker)
        (void)pthread_join(e->waker, NULL);
    mox__buf_free(&e->in);
    mox__buf_free(&e->out);
    free(e);
}

static const struct mox_engine_ops ops = {
    .input = input,
    .output = output,
    .sent = sent,
    .wants = wants,
    .deadline = deadline,
    .tick = nothing,
    .eof = eof,
    .tls_rest = tls_rest,
    .tls_started = tls_started,
    .run = run,
    .woken = woken,
    .shutdown = say_shutdown,
    .pace = pace,
    .free = free_echo,
};

/* -- service --------------------------------------------------------------------------------- */

static int open_session(void *user, struct conn *c, const struct mox_peer *peer,
                        struct mox_engine *engine, void **session)
{
    struct echo_server *s = user;
    struct echo *e = calloc(1, sizeof *e);
    assert_non_null(e);
    e->server = s;
    e->conn = c;
    e->tls = peer->tls_info;
    mox__buf_init(&e->in, &s->env.env, 128 * 1024);
    mox__buf_init(&e->out, &s->env.env, 1024 * 1024);
    *engine = (struct mox_engine){&ops, e};
    *session = e;
    atomic_fetch_add(&s->sessions, 1);
    return MOX_OK;
}

static void session_closed(void *session)
{
    struct echo *e = session;
    struct conn *c = e->conn;
    atomic_fetch_sub(&e->server->sessions, 1);
    free_echo(e);
    mox__conn_release(c);
}

static void key_refused(void *user, const struct mox_peer *peer)
{
    struct echo_server *s = user;
    s->refused = *peer;
    atomic_fetch_add(&s->refusals, 1);
}

static bool admit(void *user, const char *remote_ip, struct mox_slice *words)
{
    struct echo_server *s = user;
    assert_string_equal(remote_ip, "127.0.0.1");
    *words = slice_of("full\n");
    if (atomic_load(&s->guests) == atomic_load(&s->most_guests))
        return false;
    atomic_fetch_add(&s->guests, 1);
    return true;
}

static void left(void *user, const char *remote_ip)
{
    struct echo_server *s = user;
    assert_string_equal(remote_ip, "127.0.0.1");
    assert_true(atomic_fetch_sub(&s->guests, 1) > 0);
}

static const struct service service = {.open = open_session,
                                       .closed = session_closed,
                                       .key_refused = key_refused,
                                       .admit = admit,
                                       .left = left};

static bool knows_key(void *user, const uint8_t key[32])
{
    struct echo_server *s = user;
    return atomic_load(&s->knows) && memcmp(s->known_key, key, sizeof s->known_key) == 0;
}

/* -- server ---------------------------------------------------------------------------------- */

static void make_context(struct echo_server *s)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    (void)snprintf(s->dir, sizeof s->dir, "/tmp/mox-net-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    (void)snprintf(s->cert, sizeof s->cert, "%s/cert.pem", s->dir);
    (void)snprintf(s->key, sizeof s->key, "%s/key.pem", s->dir);
    struct mox_error err;
    if (mox__tls_self_signed(&s->env.env, names, 3, s->cert, s->key, &err) < 0)
        fail_msg("%s", err.text);
    struct tls_context_config config = {
        .cert_file = s->cert,
        .key_file = s->key,
        .tickets = true,
        .knows_key = s->asks_for_keys ? knows_key : NULL,
        .knows_user = s,
    };
    if (mox__tls_context_new(&s->context, &s->env.env, &config, &err) < 0)
        fail_msg("%s", err.text);
}

static void *serve(void *arg)
{
    struct echo_server *s = arg;
    mox__loop_run(s->net->loop);
    return NULL;
}

static void drained(void *user)
{
    struct echo_server *s = user;
    mox__loop_break(s->net->loop);
}

static void stop(struct loop_task *t)
{
    struct echo_server *s =
        (struct echo_server *)(void *)((char *)t - offsetof(struct echo_server, stop));
    mox__listener_close(s->plain);
    mox__listener_close(s->tls);
    mox__net_stop(s->net, drained, s);
    if (s->aborts)
        mox__net_abort(s->net);
}

void echo_start(struct echo_server *s)
{
    struct mox_env system;
    mox_env_system(&system);
    test_env_init(&s->env);
    atomic_store(&s->most_guests, -1);
    s->env.log_level = MOX_LOG_DEBUG;
    s->env.env.monotonic_us = system.monotonic_us;
    s->env.env.wall_us = system.wall_us;
    s->env.env.random = system.random;
    make_context(s);
    struct net_config config = {.workers = 3,
                                .max_conns = 10000,
                                .slow_step_us = s->slow_step_us,
                                .slow_reply_us = s->slow_reply_us};
    assert_int_equal(mox__net_new(&s->net, &s->env.env, &config), MOX_OK);
    s->plain_endpoint =
        (struct endpoint){.service = &service, .user = s, .pkg = "echo", .tls = s->context};
    s->tls_endpoint = s->plain_endpoint;
    s->tls_endpoint.implicit_tls = true;
    struct mox_error err;
    assert_int_equal(
        mox__listener_open(&s->plain, s->net, "127.0.0.1", 0, &s->plain_endpoint, &err), MOX_OK);
    assert_int_equal(mox__listener_open(&s->tls, s->net, "127.0.0.1", 0, &s->tls_endpoint, &err),
                     MOX_OK);
    s->port = mox__listener_port(s->plain);
    s->tls_port = mox__listener_port(s->tls);
    mox__listener_start(s->plain);
    mox__listener_start(s->tls);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

void echo_stop(struct echo_server *s)
{
    s->stop.run = stop;
    mox__loop_post(s->net->loop, &s->stop);
    (void)pthread_join(s->thread, NULL);
    mox__net_free(s->net);
    mox__tls_context_unref(s->context);
    assert_int_equal(atomic_load(&s->sessions), 0);
    assert_int_equal(atomic_load(&s->guests), 0);
    (void)unlink(s->cert);
    (void)unlink(s->key);
    (void)rmdir(s->dir);
    test_env_done(&s->env);
}

static void run_call(struct loop_task *t)
{
    struct echo_server *s =
        (struct echo_server *)(void *)((char *)t - offsetof(struct echo_server, call));
    s->called(s);
    atomic_store(&s->call_done, true);
}

void echo_call(struct echo_server *s, void (*what)(struct echo_server *s))
{
    s->called = what;
    s->call.run = run_call;
    atomic_store(&s->call_done, false);
    mox__loop_post(s->net->loop, &s->call);
    while (!atomic_load(&s->call_done))
        (void)usleep(1000);
}

static void note_memory(struct echo_server *s)
{
    s->memory = s->env.live_bytes;
}

size_t echo_memory(struct echo_server *s)
{
    echo_call(s, note_memory);
    return s->memory;
}

/* -- client ---------------------------------------------------------------------------------- */

int dial(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval limit = {60, 0};
    const int on = 1; /* the last of several small writes must not wait 40 ms for an ACK */
    assert_true(fd >= 0);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

void say(int fd, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

const char *hear(int fd)
{
    static _Thread_local char line[2048];
    for (size_t n = 0; n < sizeof line; n++) {
        ssize_t got = recv(fd, line + n, 1, 0);
        if (got == 0)
            return NULL;
        assert_int_equal(got, 1);
        if (line[n] == '\n') {
            line[n] = '\0';
            return line;
        }
    }
    fail_msg("a line without end");
    return NULL;
}

void expect(int fd, const char *line)
{
    const char *heard = hear(fd);
    assert_non_null(heard);
    assert_string_equal(heard, line);
}

void expect_end(int fd)
{
    assert_null(hear(fd));
    (void)close(fd);
}
