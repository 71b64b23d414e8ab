/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/pool.h"
#include "support/cm.h"
#include "support/testenv.h"

/* Work that the loop's thread has for others. */

#define THREADS 4
#define ROUNDS  200

struct job {
    struct work work;
    struct fix *f;
};

struct fix {
    struct test_env t;
    struct loop *loop;
    struct pool *pool;
    pthread_barrier_t together;
    struct job jobs[THREADS];
    atomic_size_t ran;
    size_t done, rounds;
};

static int setup(void **state)
{
    struct fix *f = calloc(1, sizeof *f);
    assert_non_null(f);
    test_env_init(&f->t);
    assert_int_equal(mox__loop_new(&f->loop, &f->t.env, NULL), MOX_OK);
    assert_int_equal(mox__pool_new(&f->pool, &f->t.env, f->loop, "test", THREADS, THREADS), MOX_OK);
    assert_int_equal(pthread_barrier_init(&f->together, NULL, THREADS), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fix *f = *state;
    mox__pool_free(f->pool);
    mox__loop_free(f->loop);
    (void)pthread_barrier_destroy(&f->together);
    test_env_done(&f->t);
    free(f);
    return 0;
}

static struct job *job_of(struct work *w)
{
    return container_of(w, struct job, work);
}

static int submit(struct fix *f, struct job *job, void (*run)(struct work *w),
                  void (*done)(struct work *w))
{
    job->f = f;
    job->work.run = run;
    job->work.done = done;
    return mox__pool_submit(f->pool, &job->work);
}

/* ---- as many at once as there are threads ---- */

static void meet(struct work *w)
{
    (void)pthread_barrier_wait(&job_of(w)->f->together);
}

static void met(struct work *w);

static void submit_round(struct fix *f)
{
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(submit(f, &f->jobs[i], meet, met), MOX_OK);
}

static void met(struct work *w)
{
    struct fix *f = job_of(w)->f;
    if (++f->done % THREADS != 0)
        return;
    if (++f->rounds == ROUNDS)
        mox__loop_break(f->loop);
    else
        submit_round(f);
}

/* Each waits for all others, so a thread that is not woken is missed for ever. */
static void all_that_a_turn_has_is_begun_at_once(void **state)
{
    struct fix *f = *state;
    submit_round(f);
    mox__loop_run(f->loop);
    assert_int_equal(f->rounds, ROUNDS);
}

/* ---- bounds and ends ---- */

static void count(struct work *w)
{
    atomic_fetch_add(&job_of(w)->f->ran, 1);
}

static void counted(struct work *w)
{
    struct fix *f = job_of(w)->f;
    if (++f->done == THREADS)
        mox__loop_break(f->loop);
}

static void more_than_may_wait_is_refused_until_it_is_taken(void **state)
{
    struct fix *f = *state;
    struct job late;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(submit(f, &f->jobs[i], count, counted), MOX_OK);
    assert_int_equal(submit(f, &late, count, NULL), MOX_ETOOMANY);
    mox__loop_run(f->loop);
    assert_int_equal(submit(f, &late, count, NULL), MOX_OK);
    mox__pool_free(f->pool); /* what no turn has handed out is run all the same */
    f->pool = NULL;
    assert_int_equal(atomic_load(&f->ran), THREADS + 1);
}

static void count_and_free(struct work *w)
{
    struct fix *f = job_of(w)->f;
    mox__mem_free(&f->t.env, job_of(w));
    atomic_fetch_add(&f->ran, 1);
}

/* Nothing looks at it any more. */
static void work_that_nobody_waits_for_may_free_itself(void **state)
{
    struct fix *f = *state;
    for (size_t i = 0; i < THREADS; i++) {
        struct job *job = mem_new(&f->t.env, struct job, 1);
        assert_non_null(job);
        assert_int_equal(submit(f, job, count_and_free, NULL), MOX_OK);
    }
    mox__pool_free(f->pool);
    f->pool = NULL;
    assert_int_equal(atomic_load(&f->ran), THREADS);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_that_a_turn_has_is_begun_at_once),
        TEST(more_than_may_wait_is_refused_until_it_is_taken),
        TEST(work_that_nobody_waits_for_may_free_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
