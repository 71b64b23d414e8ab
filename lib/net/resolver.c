/* SPDX-License-Identifier: MIT */
#include <mox/unbound.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <unbound.h>

#include <mox/dns.h>

#include "base/error.h"
#include "base/ip.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/loop.h"
#include "net/unbound_events.h"

/* Lookups that wait for others to end: more than all connections of a server want at once. */
#define QUEUE_MAX   100000
#define RESOLV_CONF "/etc/resolv.conf"
/* A name with its final dot and NUL; each byte may become four in presentation form. */
#define NAME_ROOM (MOX_DOMAIN_MAX + 2)

/* One question: under way, or in the queue. */
struct task {
    struct mox_unbound *u;
    struct mox_dns_lookup *lookup;
    struct timer patience;
    int async_id; /* of libunbound */
    bool running;
    bool *ended;               /* told when it ends while libunbound still begins it */
    struct task *next, **link; /* in the list that it is in */
};

struct mox_unbound {
    struct mox_env env;
    struct loop *loop;
    struct unbound_events events;
    struct ub_ctx *ctx;
    struct mox_resolver resolver;
    unsigned max_lookups, running_count, queued_count;
    int64_t timeout_us;
    struct task *running;            /* in no order */
    struct task *queue, **queue_end; /* the longest waiting first */
    bool pumping;
};

void mox_unbound_config_init(struct mox_unbound_config *config)
{
    *config = (struct mox_unbound_config){
        .size = sizeof *config, .max_lookups = 100, .timeout_us = INT64_C(30) * 1000 * 1000};
}

/* ---- lookups ---- */

static void unlink_task(struct task *t)
{
    struct mox_unbound *u = t->u;
    *t->link = t->next;
    if (t->next != NULL)
        t->next->link = t->link;
    else if (!t->running)
        u->queue_end = t->link;
    if (t->running)
        u->running_count--;
    else
        u->queued_count--;
}

static void link_running(struct task *t)
{
    struct mox_unbound *u = t->u;
    t->running = true;
    t->next = u->running;
    t->link = &u->running;
    if (t->next != NULL)
        t->next->link = &t->next;
    u->running = t;
    u->running_count++;
}

static void link_queued(struct task *t)
{
    struct mox_unbound *u = t->u;
    t->running = false;
    t->next = NULL;
    t->link = u->queue_end;
    *u->queue_end = t;
    u->queue_end = &t->next;
    u->queued_count++;
}

/* Frees the task; its lookup is the caller's. */
static struct mox_dns_lookup *drop(struct task *t)
{
    struct mox_dns_lookup *lookup = t->lookup;
    unlink_task(t);
    mox__timer_stop(&t->patience);
    if (t->ended != NULL)
        *t->ended = true;
    lookup->resolver = NULL;
    mox__mem_free(&t->u->env, t);
    return lookup;
}

static void pump(struct mox_unbound *u);

/* `answer` may be in memory of libunbound's or ours, for the call. */
static void finish(struct task *t, const struct mox_dns_answer *answer)
{
    struct mox_unbound *u = t->u;
    struct mox_dns_lookup *lookup = drop(t);
    lookup->done(lookup, answer);
    pump(u);
}

static void fail(struct task *t, enum mox_dns_status status, const char *problem)
{
    const struct mox_dns_answer answer = {
        .question = t->lookup->question, .status = status, .problem = problem};
    finish(t, &answer);
}

/* Reads the packet by way of a set of its own. */
static void take_packet(struct task *t, struct mox_slice packet, bool secure)
{
    const struct mox_dns_question q = t->lookup->question;
    struct mox_dns_answers *answers = NULL;
    const struct mox_dns_answer *answer;
    int rc = mox_dns_answers_new(&answers, &t->u->env);
    if (rc == MOX_OK)
        rc = mox_dns_put_packet(answers, &q, packet, secure);
    if (rc == MOX_OK)
        rc = mox_dns_ask(answers, slice_of(q.name), q.type, &answer);
    if (rc == MOX_OK)
        finish(t, answer);
    else
        fail(t, MOX_DNS_SERVFAIL, "out of memory");
    mox_dns_answers_free(answers);
}

/* libunbound has the answer. */
static void answered(void *user, int rcode, void *packet, int len, int security, char *why_bogus,
                     int was_ratelimited)
{
    enum { BOGUS = 1, SECURE = 2 };
    struct task *t = user;
    (void)was_ratelimited;
    if (rcode != 0 || len < 0)
        fail(t, MOX_DNS_SERVFAIL, "no server gave an answer that can be used");
    else if (security == BOGUS)
        fail(t, MOX_DNS_BOGUS, why_bogus);
    else
        take_packet(t, slice(packet, (size_t)len), security == SECURE);
}

static void lost_patience(struct timer *timer)
{
    struct task *t = container_of(timer, struct task, patience);
    if (t->running)
        (void)ub_cancel(t->u->ctx, t->async_id);
    fail(t, MOX_DNS_TIMEOUT, "no answer in time");
}

/* The name in presentation form (RFC 1035 §5.1): what could mean something there is a number. */
static void present(char out[4 * NAME_ROOM], const char *name)
{
    size_t at = 0;
    for (const char *p = name; *p != '\0'; p++) {
        uint8_t c = (uint8_t)*p;
        if (is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.')
            out[at++] = *p;
        else
            at += (size_t)snprintf(out + at, 5, "\\%03u", c);
    }
    out[at++] = '.';
    out[at] = '\0';
}

static void launch(struct task *t)
{
    enum { CLASS_IN = 1 };
    char name[4 * NAME_ROOM];
    bool ended = false;
    int id = 0;
    present(name, t->lookup->question.name);
    t->ended = &ended;
    int failure = ub_resolve_event(t->u->ctx, name, (int)t->lookup->question.type, CLASS_IN, t,
                                   answered, &id);
    if (ended)
        return;
    t->ended = NULL;
    t->async_id = id;
    if (failure != 0)
        fail(t, MOX_DNS_SERVFAIL, ub_strerror(failure));
}

/* Begins those that wait, as far as there is room. Their answers may come at once, and come here again. */
static void pump(struct mox_unbound *u)
{
    if (u->pumping)
        return;
    u->pumping = true;
    while (u->queue != NULL && u->running_count < u->max_lookups) {
        struct task *t = u->queue;
        unlink_task(t);
        link_running(t);
        launch(t);
    }
    u->pumping = false;
}

static void start(void *user, struct mox_dns_lookup *lookup)
{
    struct mox_unbound *u = user;
    struct task *t = u->queued_count < QUEUE_MAX ? mem_new(&u->env, struct task, 1) : NULL;
    if (t == NULL) {
        const struct mox_dns_answer answer = {.question = lookup->question,
                                              .status = MOX_DNS_SERVFAIL,
                                              .problem = "too many lookups are under way"};
        lookup->done(lookup, &answer);
        return;
    }
    t->u = u;
    t->lookup = lookup;
    lookup->resolver = t;
    mox__timer_init(&t->patience, u->loop, lost_patience);
    mox__timer_at(&t->patience, mox__loop_now(u->loop) + u->timeout_us);
    link_queued(t);
    pump(u);
}

static void forget(struct task *t)
{
    if (t->running)
        (void)ub_cancel(t->u->ctx, t->async_id);
    (void)drop(t);
}

static void cancel(void *user, struct mox_dns_lookup *lookup)
{
    struct mox_unbound *u = user;
    if (lookup->resolver == NULL)
        return;
    forget(lookup->resolver);
    pump(u);
}

/* ---- setting up ---- */

/* As libunbound wants it: ip@port. */
static int write_forward(char out[80], const char *forward, struct mox_error *err)
{
    struct ip ip;
    uint16_t port = 53;
    char text[IP_TEXT_MAX];
    if (!mox__ip_port_parse(slice_of(forward), &ip, &port))
        return mox__fail(err, MOX_EINVAL,
                         "resolver %s: not an address; it is ip, ip:port or [ipv6]:port", forward);
    mox__ip_format(&ip, text);
    (void)snprintf(out, 80, "%s@%u", text, port);
    return MOX_OK;
}

static int failed(const char *doing, int failure, struct mox_error *err)
{
    return mox__fail(err, failure == UB_NOMEM ? MOX_ENOMEM : MOX_EIO, "%s: %s", doing,
                     ub_strerror(failure));
}

/* libunbound takes a file without servers for one that names this machine, where none may listen. */
static bool names_servers(const char *path)
{
    char line[1024];
    bool found = false;
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = strncmp(line, "nameserver", strlen("nameserver")) == 0;
    if (file != NULL)
        (void)fclose(file);
    return found;
}

static int set_servers(struct mox_unbound *u, const char *forward, struct mox_error *err)
{
    char address[80];
    if (forward == NULL) {
        /* Without the file, or without servers in it: the zones' own. */
        if (names_servers(RESOLV_CONF))
            (void)ub_ctx_resolvconf(u->ctx, RESOLV_CONF);
        return MOX_OK;
    }
    int rc = write_forward(address, forward, err);
    if (rc < 0)
        return rc;
    int failure = ub_ctx_set_fwd(u->ctx, address);
    return failure == 0 ? MOX_OK : failed("set the resolver", failure, err);
}

static int set_trust(struct mox_unbound *u, const char *file, struct mox_error *err)
{
    const char *path = file != NULL ? file : MOX_ROOT_ANCHOR;
    if (access(path, R_OK) == 0) {
        int failure = ub_ctx_add_ta_file(u->ctx, path);
        return failure == 0 ? MOX_OK : failed("read the trust anchor", failure, err);
    }
    if (file != NULL)
        return mox__fail(err, MOX_EIO,
                         "trust anchor %s: cannot be read; it is a file with DS or DNSKEY records",
                         file);
    log_line(&u->env, MOX_LOG_WARN, "dns", "answers are not validated: no trust anchor", NULL,
             F_TEXT("file", path));
    return MOX_OK;
}

static void set_options(struct ub_ctx *ctx)
{
    static const char *const options[][2] = {
        {"do-not-query-localhost:", "no"}, /* a resolver may well be on this machine */
        {"unblock-lan-zones:", "yes"},     /* names of addresses of the local network */
        {"insecure-lan-zones:", "yes"},
        {"outgoing-range:", "256"}, /* descriptors */
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        (void)ub_ctx_set_option(ctx, options[i][0], options[i][1]);
    (void)ub_ctx_debugout(ctx, NULL); /* what it has to say comes with the answers */
}

static void ignore(void *user, int rcode, void *packet, int len, int security, char *why_bogus,
                   int was_ratelimited)
{
    (void)user;
    (void)rcode;
    (void)packet;
    (void)len;
    (void)security;
    (void)why_bogus;
    (void)was_ratelimited;
}

/* libunbound reads what it was given at the first question: one that it answers by itself. */
static int settle(struct mox_unbound *u, const char *trust_anchor, struct mox_error *err)
{
    const char *file = trust_anchor != NULL ? trust_anchor : MOX_ROOT_ANCHOR;
    int failure = ub_resolve_event(u->ctx, "localhost.", MOX_DNS_A, 1, NULL, ignore, NULL);
    if (failure == 0)
        return MOX_OK;
    return mox__fail(
        err, failure == UB_NOMEM ? MOX_ENOMEM : MOX_EIO,
        "begin to resolve names: %s; has the trust anchor %s only DS or DNSKEY records?",
        ub_strerror(failure), file);
}

static int set_up(struct mox_unbound *u, const struct mox_unbound_config *config,
                  struct mox_error *err)
{
    mox__unbound_events_init(&u->events, &u->env, mox__loop_ev(u->loop));
    u->ctx = ub_ctx_create_ub_event(&u->events.base);
    if (u->ctx == NULL)
        return mox__fail(err, MOX_ENOMEM, "begin to resolve names: out of memory");
    set_options(u->ctx);
    int rc = set_servers(u, config->forward, err);
    if (rc == MOX_OK)
        rc = set_trust(u, config->trust_anchor, err);
    return rc == MOX_OK ? settle(u, config->trust_anchor, err) : rc;
}

int mox_unbound_new(struct mox_unbound **out, const struct mox_env *env, struct ev_loop *loop,
                    const struct mox_unbound_config *given, struct mox_error *err)
{
    struct mox_unbound_config config;
    *out = NULL;
    mox_unbound_config_init(&config);
    memcpy(&config, given, given->size < sizeof config ? given->size : sizeof config);
    struct mox_unbound *u = mem_new(env, struct mox_unbound, 1);
    if (u == NULL)
        return mox__fail(err, MOX_ENOMEM, "begin to resolve names: out of memory");
    u->env = *env;
    u->max_lookups = config.max_lookups > 0 ? config.max_lookups : 1;
    u->timeout_us = config.timeout_us;
    u->queue_end = &u->queue;
    u->resolver = (struct mox_resolver){
        .size = sizeof u->resolver, .user = u, .start = start, .cancel = cancel};
    int rc = mox__loop_new(&u->loop, env, loop);
    if (rc < 0)
        (void)mox__fail(err, rc, "begin to resolve names: out of memory");
    else
        rc = set_up(u, &config, err);
    if (rc < 0)
        mox_unbound_free(u);
    else
        *out = u;
    return rc;
}

void mox_unbound_free(struct mox_unbound *u)
{
    if (u == NULL)
        return;
    while (u->running != NULL)
        forget(u->running);
    while (u->queue != NULL)
        forget(u->queue);
    if (u->ctx != NULL)
        ub_ctx_delete(u->ctx);
    mox__loop_free(u->loop);
    struct mox_env env = u->env;
    mox__mem_free(&env, u);
}

const struct mox_resolver *mox_unbound_resolver(const struct mox_unbound *u)
{
    return &u->resolver;
}

/* ---- waiting ---- */

struct wait {
    struct mox_unbound *u;
    bool is_over;
    int rc;
};

static void is_over(void *user, int rc)
{
    struct wait *w = user;
    w->is_over = true;
    w->rc = rc;
    mox__loop_break(w->u->loop);
}

int mox_unbound_answer(struct mox_unbound *u, struct mox_dns_answers *answers)
{
    struct mox_dns_round *round;
    struct wait w = {.u = u};
    int rc = mox_dns_round_start(&round, &u->env, &u->resolver, answers, is_over, &w);
    while (rc == MOX_OK && !w.is_over)
        mox__loop_run(u->loop);
    return rc == MOX_OK ? w.rc : rc;
}
