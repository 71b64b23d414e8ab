/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "store/gate.h"
#include "store/password.h"
#include "store/storefix.h"
#include "support/cm.h"

/* Hashing takes 64 MiB each: however many threads a program has, a store has two at it. */

#define THREADS 12
#define AT_ONCE 2
#define ROUNDS  20

/* Everything that hashes. */
static void run_set(struct storefix *f)
{
    assert_int_equal(mox_account_set_password(f->account, "a password", NULL), MOX_OK);
}

static void run_check(struct storefix *f)
{
    assert_int_equal(mox_account_check_password(f->account, "not the password", NULL), MOX_EDENIED);
}

static void run_check_of_no_password(struct storefix *f)
{
    assert_int_equal(mox_account_check_password(f->account, "\x01", NULL), MOX_EDENIED);
}

static void run_dummy(struct storefix *f)
{
    mox_store_dummy_check(f->store, "a password");
}

static void (*const hashing[])(struct storefix *f) = {run_set, run_check, run_check_of_no_password,
                                                      run_dummy};

struct hasher {
    pthread_t thread;
    struct storefix *f;
    unsigned index;
    atomic_bool done;
};

static void *hash_once(void *user)
{
    struct hasher *h = user;
    hashing[h->index % 4](h->f);
    atomic_store(&h->done, true);
    return NULL;
}

static void *hash_often(void *user)
{
    struct hasher *h = user;
    for (unsigned i = 0; i < ROUNDS; i++)
        hashing[(h->index + i) % 4](h->f);
    return NULL;
}

static void start(struct hasher *hashers, struct storefix *f, void *(*run)(void *))
{
    for (unsigned i = 0; i < THREADS; i++) {
        hashers[i].f = f;
        hashers[i].index = i;
        atomic_init(&hashers[i].done, false);
        assert_int_equal(pthread_create(&hashers[i].thread, NULL, run, &hashers[i]), 0);
    }
}

static void join(struct hasher *hashers)
{
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(hashers[i].thread, NULL), 0);
}

static struct gate look(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    struct gate seen = {.inside = g->inside, .waiting = g->waiting, .most = g->most};
    pthread_mutex_unlock(&g->lock);
    return seen;
}

static unsigned count_done(struct hasher *hashers)
{
    unsigned done = 0;
    for (unsigned i = 0; i < THREADS; i++)
        done += atomic_load(&hashers[i].done);
    return done;
}

/* We take both places, and see that all come to the door and none goes round it. */
static void whatever_hashes_waits_for_its_turn(void **state)
{
    struct storefix *f = *state;
    struct hasher hashers[THREADS];
    struct gate *g = &f->store->hashing;
    mox__store_password_cost(f->store, 1, 8192);
    run_set(f);
    for (unsigned i = 0; i < AT_ONCE; i++)
        mox__gate_enter(g);
    start(hashers, f, hash_once);
    while (look(g).waiting + count_done(hashers) < THREADS)
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(count_done(hashers), 0);
    assert_int_equal(look(g).inside, AT_ONCE);
    for (unsigned i = 0; i < AT_ONCE; i++)
        mox__gate_leave(g);
    join(hashers);
    assert_int_equal(look(g).inside, 0);
    assert_int_equal(look(g).waiting, 0);
    assert_int_equal(look(g).most, AT_ONCE);
}

static void a_crowd_never_hashes_more_than_two_at_once(void **state)
{
    struct storefix *f = *state;
    struct hasher hashers[THREADS];
    mox__store_password_cost(f->store, 1, 8192);
    run_set(f);
    start(hashers, f, hash_often);
    join(hashers);
    assert_in_range(look(&f->store->hashing).most, 1, AT_ONCE);
    assert_int_equal(look(&f->store->hashing).inside, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(whatever_hashes_waits_for_its_turn),
        STORE_TEST(a_crowd_never_hashes_more_than_two_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
