/* SPDX-License-Identifier: MIT */
#include <mox/resolver.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_asked_at_once_and_done_is_called_once),
        cmocka_unit_test(answers_may_come_before_start_returns),
        cmocka_unit_test(cancelling_ends_what_is_open),
        cmocka_unit_test(no_memory_is_said_at_start_or_by_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
