/* SPDX-License-Identifier: MIT */
#include <mox/unbound.h>

#include <arpa/inet.h>
#include <ev.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "support/cm.h"

#define PATIENCE_S 30 /* how long a test waits for what is to happen */
#define MANY       300
#define AT_ONCE    10

/* ---- a name server in a thread: what it says follows from the first letter of the name ---- */

struct server {
    int udp, tcp, stop[2];
    pthread_t thread;
    char address[32];
    atomic_uint queries, most; /* those of a.example, and of many.example in one batch */
    atomic_bool out_of_order;
    bool seen[MANY]; /* of many.example */
    unsigned last;   /* the highest number among them */
};

/* The length of the question, behind the header. */
static size_t question_len(const uint8_t *query, size_t len)
{
    size_t at = 12;
    while (at < len && query[at] != 0)
        at += 1u + query[at];
    return at + 5 - 12;
}

/* Makes the answer in place; its length, 0 for none. */
static size_t answer(uint8_t *packet, size_t len, bool over_udp)
{
    static const uint8_t address[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 192, 0, 2, 1};
    size_t end = 12 + question_len(packet, len);
    uint8_t kind = packet[13];
    if (end > len || kind == 's') /* silence */
        return 0;
    packet[2] = 0x84; /* an answer, with authority */
    packet[3] = kind == 'x' ? 3 : kind == 'f' ? 2 : 0;
    memset(packet + 6, 0, 6);
    if (kind == 'c' && over_udp) {
        packet[2] |= 2; /* cut */
        return end;
    }
    if ((kind == 'a' || kind == 'c' || kind == 'm') && packet[end - 3] == MOX_DNS_A) {
        packet[7] = 1;
        memcpy(packet + end, address, sizeof address);
        end += sizeof address;
    }
    return end;
}

/* Whether it is of many.example, and asked for the first time: when we are slow, libunbound asks again. */
static bool note(struct server *s, const uint8_t *packet)
{
    unsigned number;
    if (sscanf((const char *)packet + 13, "m%3u", &number) != 1 || number >= MANY ||
        s->seen[number])
        return false;
    s->seen[number] = true;
    /* Among those under way libunbound has an order of its own. */
    if (number + AT_ONCE <= s->last)
        atomic_store(&s->out_of_order, true);
    s->last = number > s->last ? number : s->last;
    return true;
}

/* All that has come is a batch: it was asked before anything of it was answered. */
static void serve_udp(struct server *s)
{
    static const int64_t gather_us = 3000;
    struct sockaddr_in peer[64];
    uint8_t packets[64][2048];
    size_t lens[64], count = 0;
    unsigned many = 0;
    (void)usleep((useconds_t)gather_us);
    for (; count < 64; count++) {
        socklen_t size = sizeof peer[0];
        ssize_t n = recvfrom(s->udp, packets[count], sizeof packets[0], MSG_DONTWAIT,
                             (struct sockaddr *)&peer[count], &size);
        if (n < 17)
            break;
        lens[count] = (size_t)n;
        many += note(s, packets[count]);
        if (packets[count][12] == 1 && (packets[count][13] | 0x20) == 'a')
            atomic_fetch_add(&s->queries, 1);
    }
    if (many > atomic_load(&s->most))
        atomic_store(&s->most, many);
    for (size_t i = 0; i < count; i++) {
        size_t len = answer(packets[i], lens[i], true);
        if (len > 0)
            (void)sendto(s->udp, packets[i], len, 0, (struct sockaddr *)&peer[i], sizeof peer[i]);
    }
}

static void serve_tcp(struct server *s)
{
    uint8_t packet[2048];
    int fd = accept(s->tcp, NULL, NULL);
    ssize_t n = fd < 0 ? -1 : recv(fd, packet, sizeof packet, 0);
    if (n == 2)
        n += recv(fd, packet + 2, sizeof packet - 2, 0);
    if (n > 19) {
        size_t len = answer(packet + 2, (size_t)n - 2, false);
        packet[0] = (uint8_t)(len >> 8);
        packet[1] = (uint8_t)len;
        (void)send(fd, packet, len + 2, MSG_NOSIGNAL);
    }
    if (fd >= 0)
        (void)close(fd);
}

static void *serve(void *user)
{
    struct server *s = user;
    struct pollfd fds[] = {{.fd = s->udp, .events = POLLIN},
                           {.fd = s->tcp, .events = POLLIN},
                           {.fd = s->stop[0], .events = POLLIN}};
    while (poll(fds, 3, -1) > 0 && fds[2].revents == 0) {
        if (fds[0].revents != 0)
            serve_udp(s);
        if (fds[1].revents != 0)
            serve_tcp(s);
    }
    return NULL;
}

static void server_start(struct server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    memset(s, 0, sizeof *s);
    for (unsigned tries = 0; tries < 20; tries++) { /* a port that is free for both */
        s->udp = socket(AF_INET, SOCK_DGRAM, 0);
        s->tcp = socket(AF_INET, SOCK_STREAM, 0);
        at.sin_port = 0;
        assert_int_equal(bind(s->udp, (struct sockaddr *)&at, sizeof at), 0);
        assert_int_equal(getsockname(s->udp, (struct sockaddr *)&at, &size), 0);
        if (bind(s->tcp, (struct sockaddr *)&at, sizeof at) == 0)
            break;
        (void)close(s->udp);
        (void)close(s->tcp);
    }
    assert_int_equal(listen(s->tcp, 16), 0);
    assert_int_equal(pipe(s->stop), 0);
    (void)snprintf(s->address, sizeof s->address, "127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
    assert_int_equal(write(s->stop[1], "x", 1), 1);
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    (void)close(s->udp);
    (void)close(s->tcp);
    (void)close(s->stop[0]);
    (void)close(s->stop[1]);
}

/* ---- the resolver under test ---- */

struct rig {
    struct server server;
    struct mox_env env;
    struct ev_loop *loop;
    struct mox_unbound *unbound;
    char anchor[64];
};

/* A trust anchor for a zone that nobody asks for. */
static void write_anchor(char path[64], const char *text)
{
    (void)snprintf(path, 64, "/tmp/mox-anchor.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

static void rig_start(struct rig *r, int64_t timeout_us)
{
    struct mox_unbound_config config;
    struct mox_error err;
    server_start(&r->server);
    mox_env_system(&r->env);
    write_anchor(r->anchor, "unasked.example. IN DS 1 13 2 "
                            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n");
    r->loop = ev_loop_new(EVFLAG_AUTO);
    mox_unbound_config_init(&config);
    config.forward = r->server.address;
    config.trust_anchor = r->anchor;
    config.max_lookups = AT_ONCE;
    config.timeout_us = timeout_us;
    if (mox_unbound_new(&r->unbound, &r->env, r->loop, &config, &err) != MOX_OK)
        fail_msg("%s", err.text);
}

static void rig_stop(struct rig *r)
{
    mox_unbound_free(r->unbound);
    ev_loop_destroy(r->loop);
    (void)unlink(r->anchor);
    server_stop(&r->server);
}

/* ---- lookups of a test ---- */

struct ask {
    struct mox_dns_lookup lookup;
    char name[64];
    enum mox_dns_status status;
    size_t count;
    bool secure, is_done;
    struct rig *next_on; /* asks once more from its `done`, this often */
    unsigned more;
};

static void start(struct rig *r, struct ask *a);

static void done(struct mox_dns_lookup *lookup, const struct mox_dns_answer *answer)
{
    struct ask *a = lookup->user;
    a->status = answer->status;
    a->count = answer->count;
    a->secure = answer->secure;
    if (a->more > 0) {
        a->more--;
        a->name[1]++; /* another name */
        start(a->next_on, a);
        return;
    }
    a->is_done = true;
}

static void start(struct rig *r, struct ask *a)
{
    const struct mox_resolver *resolver = mox_unbound_resolver(r->unbound);
    a->lookup = (struct mox_dns_lookup){.question = {a->name, MOX_DNS_A}, .done = done, .user = a};
    resolver->start(resolver->user, &a->lookup);
}

static void begin(struct rig *r, struct ask *a, const char *name)
{
    *a = (struct ask){.next_on = r};
    (void)snprintf(a->name, sizeof a->name, "%s", name);
    start(r, a);
}

static void give_up(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    *(bool *)timer->data = true;
}

static void run_until(struct rig *r, const struct ask *asks, size_t count)
{
    bool late = false;
    ev_timer timer;
    ev_timer_init(&timer, give_up, PATIENCE_S, 0.);
    timer.data = &late;
    ev_timer_start(r->loop, &timer);
    for (size_t i = 0; i < count; i++)
        while (!asks[i].is_done && !late)
            ev_run(r->loop, EVRUN_ONCE);
    ev_timer_stop(r->loop, &timer);
    assert_false(late);
}

static void expect(struct rig *r, const char *name, enum mox_dns_status status, size_t count)
{
    struct ask a;
    begin(r, &a, name);
    run_until(r, &a, 1);
    if (a.status != status || a.count != count)
        fail_msg("%s: %s, %zu records", name, mox_dns_status_name(a.status), a.count);
    assert_false(a.secure);
}

static void answers_come_as_the_server_says(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r, INT64_C(20000000));
    expect(&r, "a.example", MOX_DNS_FOUND, 1);
    expect(&r, "nothing.example", MOX_DNS_NODATA, 0);
    expect(&r, "x.example", MOX_DNS_NXDOMAIN, 0);
    expect(&r, "fails.example", MOX_DNS_SERVFAIL, 0);
    expect(&r, "cut.example", MOX_DNS_FOUND, 1); /* the rest comes over TCP */
    expect(&r, "a strange\\name.example", MOX_DNS_FOUND, 1);
    unsigned asked = atomic_load(&r.server.queries);
    assert_true(asked > 0);
    expect(&r, "A.example", MOX_DNS_FOUND, 1); /* remembered */
    assert_int_equal(atomic_load(&r.server.queries), asked);
    rig_stop(&r);
}

static void silence_is_a_timeout(void **state)
{
    (void)state;
    struct rig r;
    rig_start(&r, 200000);
    struct ask a = {.status = MOX_DNS_TIMEOUT};
    expect(&r, "silent.example", MOX_DNS_TIMEOUT, 0);
    for (int i = 0; i < 100 && a.status == MOX_DNS_TIMEOUT; i++) { /* our thread may be late, too */
        begin(&r, &a, "a.example");
        run_until(&r, &a, 1);
    }
    assert_int_equal(a.status, MOX_DNS_FOUND);
    rig_stop(&r);
}

static void many_are_asked_in_order_and_few_at_once(void **state)
{
    (void)state;
    struct rig r;
    struct ask *asks = calloc(MANY, sizeof *asks);
    rig_start(&r, INT64_C(20000000));
    for (unsigned i = 0; i < MANY; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "m%03u.many.example", i);
        begin(&r, &asks[i], name);
    }
    run_until(&r, asks, MANY);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(asks[i].status, MOX_DNS_FOUND);
    assert_true(atomic_load(&r.server.most) <= AT_ONCE);
    assert_false(atomic_load(&r.server.out_of_order));
    rig_stop(&r);
    free(asks);
}

static void cancelled_lookups_are_never_done(void **state)
{
    (void)state;
    struct rig r;
    struct ask silent[AT_ONCE], queued, last;
    rig_start(&r, INT64_C(20000000));
    const struct mox_resolver *resolver = mox_unbound_resolver(r.unbound);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "s%u.example", i);
        begin(&r, &silent[i], name);
    }
    begin(&r, &queued, "a.example");
    begin(&r, &last, "x.example"); /* behind them */
    ev_run(r.loop, EVRUN_NOWAIT);
    resolver->cancel(resolver->user, &queued.lookup);
    for (unsigned i = 0; i < AT_ONCE; i++)
        resolver->cancel(resolver->user, &silent[i].lookup);
    run_until(&r, &last, 1); /* there is room for it now */
    assert_int_equal(last.status, MOX_DNS_NXDOMAIN);
    assert_false(queued.is_done);
    for (unsigned i = 0; i < AT_ONCE; i++)
        assert_false(silent[i].is_done);
    rig_stop(&r);
}

static void it_may_be_freed_while_lookups_wait(void **state)
{
    (void)state;
    struct rig r;
    struct ask asks[2 * AT_ONCE];
    rig_start(&r, INT64_C(20000000));
    for (unsigned i = 0; i < 2 * AT_ONCE; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "s%u.example", i);
        begin(&r, &asks[i], name);
    }
    ev_run(r.loop, EVRUN_NOWAIT);
    rig_stop(&r);
    for (unsigned i = 0; i < 2 * AT_ONCE; i++)
        assert_false(asks[i].is_done);
}

static void an_answer_may_begin_the_next_lookup(void **state)
{
    (void)state;
    struct rig r;
    struct ask a = {.next_on = &r, .name = "aa.example", .more = 5};
    rig_start(&r, INT64_C(20000000));
    start(&r, &a);
    run_until(&r, &a, 1);
    assert_string_equal(a.name, "af.example");
    rig_stop(&r);
}

static void a_wrong_configuration_is_explained(void **state)
{
    (void)state;
    static const char *const forwards[] = {
        "", "1.2.3", "localhost", "[::1", "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:"};
    struct mox_env env;
    struct mox_unbound *u;
    struct mox_unbound_config config;
    struct mox_error err;
    char path[64];
    mox_env_system(&env);
    for (size_t i = 0; i < sizeof forwards / sizeof forwards[0]; i++) {
        mox_unbound_config_init(&config);
        config.forward = forwards[i];
        assert_int_equal(mox_unbound_new(&u, &env, NULL, &config, &err), MOX_EINVAL);
        assert_non_null(strstr(err.text, "not an address; it is ip, ip:port or [ipv6]:port"));
        assert_null(u);
    }
    mox_unbound_config_init(&config);
    config.trust_anchor = "/nonexistent/anchor";
    assert_int_equal(mox_unbound_new(&u, &env, NULL, &config, &err), MOX_EIO);
    assert_non_null(strstr(err.text, "/nonexistent/anchor: cannot be read"));
    write_anchor(path, "this is no key\n");
    config.trust_anchor = path;
    assert_int_equal(mox_unbound_new(&u, &env, NULL, &config, &err), MOX_EIO);
    assert_non_null(strstr(err.text, path)); /* which file to look at */
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_as_the_server_says),
        cmocka_unit_test(silence_is_a_timeout),
        cmocka_unit_test(many_are_asked_in_order_and_few_at_once),
        cmocka_unit_test(cancelled_lookups_are_never_done),
        cmocka_unit_test(it_may_be_freed_while_lookups_wait),
        cmocka_unit_test(an_answer_may_begin_the_next_lookup),
        cmocka_unit_test(a_wrong_configuration_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
