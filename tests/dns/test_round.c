/* SPDX-License-Identifier: MIT */
#include <mox/dns_zone.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

#define MAX 40

/* A resolver in memory: it keeps what it is asked, and answers when the test says so. */
struct resolver {
    struct mox_resolver resolver;
    struct mox_dns_lookup *open[MAX];
    size_t count;
    size_t started, cancelled;
    bool is_immediate; /* answers before start() returns */
};

static void answer(struct mox_dns_lookup *lookup)
{
    struct mox_dns_record record = {.data.txt = slice_of(lookup->question.name)};
    struct mox_dns_answer a = {.question = {"another.example", MOX_DNS_A},
                               .status = MOX_DNS_FOUND,
                               .records = &record,
                               .count = 1};
    lookup->done(lookup, &a);
}

static void start(void *user, struct mox_dns_lookup *lookup)
{
    struct resolver *r = user;
    r->started++;
    if (r->is_immediate) {
        answer(lookup);
        return;
    }
    assert_true(r->count < MAX);
    r->open[r->count++] = lookup;
}

/* Takes one of those that wait. */
static struct mox_dns_lookup *take(struct resolver *r, size_t i)
{
    struct mox_dns_lookup *lookup = r->open[i];
    r->open[i] = r->open[--r->count];
    return lookup;
}

static void cancel(void *user, struct mox_dns_lookup *lookup)
{
    struct resolver *r = user;
    r->cancelled++;
    for (size_t i = 0; i < r->count; i++)
        if (r->open[i] == lookup) {
            (void)take(r, i);
            return;
        }
    fail_msg("cancelled, and not under way");
}

static void resolver_init(struct resolver *r)
{
    *r = (struct resolver){.resolver = {sizeof r->resolver, r, start, cancel}};
}

struct host {
    struct test_env t;
    struct resolver resolver;
    struct mox_dns_answers *answers;
    struct mox_dns_round *round;
    int calls, rc; /* of done */
};

static void done(void *user, int rc)
{
    struct host *h = user;
    h->calls++;
    h->rc = rc;
    h->round = NULL;
}

static void host_init(struct host *h)
{
    *h = (struct host){0};
    test_env_init(&h->t);
    resolver_init(&h->resolver);
    assert_int_equal(mox_dns_answers_new(&h->answers, &h->t.env), MOX_OK);
}

static void host_done(struct host *h)
{
    mox_dns_answers_free(h->answers);
    test_env_done(&h->t);
}

static void ask(struct host *h, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[40];
        const struct mox_dns_answer *a;
        (void)snprintf(name, sizeof name, "h%zu.example", i);
        assert_int_equal(mox_dns_ask(h->answers, slice_of(name), MOX_DNS_TXT, &a), MOX_NEED_DNS);
    }
}

static int start_round(struct host *h)
{
    return mox_dns_round_start(&h->round, &h->t.env, &h->resolver.resolver, h->answers, done, h);
}

static void expect_answers(struct host *h, size_t count)
{
    assert_int_equal(mox_dns_answer_count(h->answers), count);
    for (size_t i = 0; i < count; i++) {
        const struct mox_dns_answer *a = mox_dns_answer_at(h->answers, i);
        assert_int_equal(a->question.type, MOX_DNS_TXT);
        assert_true(mox__slice_is(a->records[0].data.txt, a->question.name));
    }
}

static void all_is_asked_at_once_and_done_is_called_once(void **state)
{
    (void)state;
    struct host h;
    host_init(&h);
    ask(&h, 20);
    assert_int_equal(start_round(&h), MOX_OK);
    assert_int_equal(h.resolver.started, 20);
    assert_non_null(h.round);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(h.calls, 0);
        answer(take(&h.resolver, i * 7 % h.resolver.count));
    }
    assert_int_equal(h.calls, 1);
    assert_int_equal(h.rc, MOX_OK);
    expect_answers(&h, 20);
    host_done(&h);
}

static void answers_may_come_before_start_returns(void **state)
{
    (void)state;
    struct host h;
    host_init(&h);
    h.resolver.is_immediate = true;
    ask(&h, 3);
    assert_int_equal(start_round(&h), MOX_OK);
    assert_int_equal(h.calls, 1);
    assert_null(h.round);
    expect_answers(&h, 3);
    assert_int_equal(start_round(&h), MOX_OK); /* nothing is wanted any more */
    assert_int_equal(h.calls, 2);
    assert_int_equal(h.resolver.started, 3);
    host_done(&h);
}

static void cancelling_ends_what_is_open(void **state)
{
    (void)state;
    struct host h;
    host_init(&h);
    ask(&h, 5);
    assert_int_equal(start_round(&h), MOX_OK);
    answer(take(&h.resolver, 1));
    answer(take(&h.resolver, 0));
    mox_dns_round_cancel(h.round);
    assert_int_equal(h.resolver.cancelled, 3);
    assert_int_equal(h.resolver.count, 0);
    assert_int_equal(h.calls, 0);
    assert_int_equal(mox_dns_answer_count(h.answers), 2);
    mox_dns_round_cancel(NULL);
    host_done(&h);
}

/* A server's resolver may go before its connections. */
static void a_round_keeps_no_pointer_to_the_resolver(void **state)
{
    (void)state;
    struct host h;
    host_init(&h);
    ask(&h, 1);
    struct mox_resolver gone = h.resolver.resolver;
    assert_int_equal(mox_dns_round_start(&h.round, &h.t.env, &gone, h.answers, done, &h), MOX_OK);
    memset(&gone, 0, sizeof gone);
    mox_dns_round_cancel(h.round);
    assert_int_equal(h.resolver.cancelled, 1);
    host_done(&h);
}

static void no_memory_is_said_at_start_or_by_done(void **state)
{
    (void)state;
    for (long nth = 1;; nth++) {
        struct host h;
        host_init(&h);
        ask(&h, 10);
        h.resolver.is_immediate = nth % 2 == 0;
        h.t.fail_at = h.t.allocations + nth;
        int rc = start_round(&h);
        if (rc == MOX_OK)
            while (h.resolver.count > 0)
                answer(take(&h.resolver, 0));
        bool is_enough = h.t.allocations < h.t.fail_at;
        h.t.fail_at = 0;
        assert_int_equal(h.calls, rc == MOX_OK ? 1 : 0);
        assert_int_equal(rc == MOX_OK ? h.rc : rc, is_enough ? MOX_OK : MOX_ENOMEM);
        host_done(&h);
        if (is_enough)
            return;
    }
}

/* Names that lead to others: node n to those in to[n], all of them larger. Checks begin at nodes 0 and 1. */
enum { NODES = 24, ROOTS = 2 };

struct graph {
    uint32_t to[NODES];
    uint64_t random;
};

static unsigned draw(struct graph *g, unsigned below)
{
    g->random = g->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(g->random >> 33) % below;
}

static void graph_init(struct graph *g, unsigned seed)
{
    *g = (struct graph){.random = seed};
    for (unsigned n = 0; n + 1 < NODES; n++)
        for (unsigned i = draw(g, 4); i > 0; i--)
            g->to[n] |= 1u << (n + 1 + draw(g, NODES - n - 1));
}

/* In how many steps all can be known that can be reached, when each step learns all that it can: no check
 * could do with fewer rounds. *reached has a bit for each node. */
static size_t steps(const struct graph *g, uint32_t *reached)
{
    uint32_t front = (1u << ROOTS) - 1;
    size_t count = 0;
    for (*reached = 0; front != 0; count++) {
        uint32_t next = 0;
        for (unsigned n = 0; n < NODES; n++)
            if (front & 1u << n)
                next |= g->to[n];
        *reached |= front;
        front = next & ~*reached;
    }
    return count;
}

/* Answers with the nodes that the name leads to, as a check finds them in a record. */
static void answer_node(struct graph *g, struct mox_dns_lookup *lookup)
{
    unsigned n;
    assert_int_equal(sscanf(lookup->question.name, "n%u.example", &n), 1);
    struct mox_dns_record record = {
        .data.txt = slice(&g->to[n], sizeof g->to[n]),
    };
    struct mox_dns_answer a = {.status = MOX_DNS_FOUND, .records = &record, .count = 1};
    lookup->done(lookup, &a);
}

/* A check, from its begin: it goes as far as it knows, in all directions. */
static int check(struct host *h, unsigned root)
{
    uint32_t open = 1u << root, seen = 0;
    int result = MOX_OK;
    for (unsigned n = 0; n < NODES; n++) { /* all lead to larger ones */
        if ((open & 1u << n) == 0)
            continue;
        char name[40];
        const struct mox_dns_answer *a;
        (void)snprintf(name, sizeof name, "N%u.Example", n);
        int rc = mox_dns_ask(h->answers, slice_of(name), MOX_DNS_TXT, &a);
        assert_true(rc >= 0);
        if (rc == MOX_NEED_DNS) {
            result = rc;
            continue;
        }
        uint32_t to;
        memcpy(&to, a->records[0].data.txt.data, sizeof to);
        open |= to;
        seen |= 1u << n;
    }
    return result == MOX_OK && seen != open ? MOX_EINVAL : result;
}

static int check_all(struct host *h)
{
    int result = MOX_OK;
    for (unsigned root = 0; root < ROOTS; root++) {
        int rc = check(h, root);
        assert_true(rc >= 0);
        if (rc == MOX_NEED_DNS)
            result = rc;
    }
    return result;
}

/* Answers what waits, in any order. With a chance of one in `cancel_of` each time it is given up: false. */
static bool play(struct host *h, struct graph *g, unsigned cancel_of)
{
    while (h->resolver.count > 0) {
        if (cancel_of > 0 && draw(g, cancel_of) == 0) {
            mox_dns_round_cancel(h->round);
            h->round = NULL;
            return false;
        }
        answer_node(g, take(&h->resolver, draw(g, (unsigned)h->resolver.count)));
    }
    return true;
}

static size_t bits(uint32_t set)
{
    size_t count = 0;
    for (; set != 0; set &= set - 1)
        count++;
    return count;
}

static void rounds_are_as_many_as_the_longest_dependency(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 200; seed++) {
        struct host h;
        struct graph g;
        uint32_t reached;
        graph_init(&g, seed);
        host_init(&h);
        size_t expected = steps(&g, &reached), rounds = 0;
        for (; check_all(&h) == MOX_NEED_DNS; rounds++) {
            assert_int_equal(start_round(&h), MOX_OK);
            assert_true(play(&h, &g, 0));
            assert_int_equal(h.calls, rounds + 1);
            assert_int_equal(h.rc, MOX_OK);
        }
        assert_int_equal(rounds, expected);
        assert_int_equal(h.resolver.started, bits(reached)); /* each is asked once */
        assert_int_equal(mox_dns_answer_count(h.answers), bits(reached));
        host_done(&h);
    }
}

static void what_came_before_a_cancel_is_not_asked_again(void **state)
{
    (void)state;
    size_t cancelled = 0;
    for (unsigned seed = 0; seed < 200; seed++) {
        struct host h;
        struct graph g;
        uint32_t reached;
        graph_init(&g, seed);
        host_init(&h);
        (void)steps(&g, &reached);
        while (check_all(&h) == MOX_NEED_DNS) {
            assert_int_equal(start_round(&h), MOX_OK);
            bool ended = play(&h, &g, 6);
            assert_int_equal(h.resolver.count, 0);
            assert_true(!ended || h.rc == MOX_OK);
        }
        cancelled += h.resolver.cancelled;
        assert_int_equal(h.resolver.started - h.resolver.cancelled, bits(reached));
        assert_int_equal(mox_dns_answer_count(h.answers), bits(reached));
        host_done(&h);
    }
    assert_true(cancelled > 100);
}

/* All of a round is known when it has started, outcomes that are none included. */
static void a_zone_answers_at_once(void **state)
{
    (void)state;
    struct host h;
    struct mox_dns_zone *zone;
    struct mox_resolver resolver;
    struct mox_error err;
    static const char text[] = "h0.example\tTXT\th0.example\nh1.example\tCNAME\th0.example\n"
                               "h2.example\tTXT\t!TIMEOUT\n";
    static const enum mox_dns_status want[] = {MOX_DNS_FOUND, MOX_DNS_FOUND, MOX_DNS_TIMEOUT,
                                               MOX_DNS_NXDOMAIN};
    host_init(&h);
    assert_int_equal(mox_dns_zone_parse(&zone, &h.t.env, slice_of(text), "zone", &err), MOX_OK);
    mox_dns_zone_resolver(&resolver, zone);
    ask(&h, 4);
    assert_int_equal(mox_dns_round_start(&h.round, &h.t.env, &resolver, h.answers, done, &h),
                     MOX_OK);
    assert_null(h.round);
    assert_int_equal(h.calls, 1);
    assert_int_equal(h.rc, MOX_OK);
    assert_int_equal(mox_dns_answer_count(h.answers), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(mox_dns_answer_at(h.answers, i)->status, want[i]);
    mox_dns_zone_free(zone);
    host_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_asked_at_once_and_done_is_called_once),
        cmocka_unit_test(answers_may_come_before_start_returns),
        cmocka_unit_test(a_zone_answers_at_once),
        cmocka_unit_test(cancelling_ends_what_is_open),
        cmocka_unit_test(a_round_keeps_no_pointer_to_the_resolver),
        cmocka_unit_test(no_memory_is_said_at_start_or_by_done),
        cmocka_unit_test(rounds_are_as_many_as_the_longest_dependency),
        cmocka_unit_test(what_came_before_a_cancel_is_not_asked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
