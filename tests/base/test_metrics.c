/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/metric.h"
#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

static const struct mox_metric visits = {.name = "test_visits_total", .help = "Visits."};
static const struct mox_metric logins = {
    .name = "test_logins_total",
    .help = "Logins, as \"they\" ended: a\\b\nc.",
    .labels = {"kind", "result"},
    .max_series = 3,
};
static const struct mox_metric open_files = {
    .name = "test_open_files", .help = "Files.", .type = MOX_METRIC_GAUGE};
static const struct mox_metric took = {
    .name = "test_took_seconds",
    .help = "How long it took.",
    .type = MOX_METRIC_HISTOGRAM,
    .unit = MOX_METRIC_SECONDS,
    .labels = {"cmd"},
    .bounds = {1000, 50000, 2000000},
};
static const struct mox_metric batch = {.name = "test_batch",
                                        .help = "Messages in one batch.",
                                        .type = MOX_METRIC_HISTOGRAM,
                                        .bounds = {1, 10}};

struct fixture {
    struct test_env t;
    struct mox_metrics *m;
    struct mox_env env; /* counts in m */
    struct buf text;
};

static void begin(struct fixture *f)
{
    test_env_init(&f->t);
    assert_int_equal(mox_metrics_new(&f->m, &f->t.env), MOX_OK);
    f->env = f->t.env;
    mox_metrics_attach(f->m, &f->env);
    mox__buf_init(&f->text, &f->t.env, 1 << 20);
}

static void end(struct fixture *f)
{
    mox__buf_free(&f->text);
    mox_metrics_free(f->m);
    test_env_done(&f->t);
}

static int append(void *user, struct mox_slice piece)
{
    mox__buf_slice(user, piece);
    return MOX_OK;
}

static const char *written(struct fixture *f)
{
    mox__buf_clear(&f->text);
    assert_int_equal(mox_metrics_write(f->m, append, &f->text), MOX_OK);
    mox__buf_byte(&f->text, '\0');
    return (const char *)f->text.data;
}

static void the_text_is_what_prometheus_reads(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    metric_count(&f.env, &visits, NULL);
    metric_add(&f.env, &visits, 4, NULL);
    metric_add(&f.env, &open_files, 3, NULL);
    metric_add(&f.env, &open_files, -5, NULL);
    metric_count(&f.env, &logins, "smtp", "ok");
    metric_count(&f.env, &logins, "imap", "q\"b\\n\n");
    metric_add(&f.env, &took, 1000, "mail");
    metric_add(&f.env, &took, 1001, "mail");
    metric_add(&f.env, &took, 2500000, "mail");
    metric_add(&f.env, &batch, 7, NULL);
    assert_string_equal(written(&f),
                        "# HELP test_batch Messages in one batch.\n"
                        "# TYPE test_batch histogram\n"
                        "test_batch_bucket{le=\"1\"} 0\n"
                        "test_batch_bucket{le=\"10\"} 1\n"
                        "test_batch_bucket{le=\"+Inf\"} 1\n"
                        "test_batch_sum 7\n"
                        "test_batch_count 1\n"
                        "# HELP test_logins_total Logins, as \"they\" ended: a\\\\b\\nc.\n"
                        "# TYPE test_logins_total counter\n"
                        "test_logins_total{kind=\"imap\",result=\"q\\\"b\\\\n\\n\"} 1\n"
                        "test_logins_total{kind=\"smtp\",result=\"ok\"} 1\n"
                        "# HELP test_open_files Files.\n"
                        "# TYPE test_open_files gauge\n"
                        "test_open_files -2\n"
                        "# HELP test_took_seconds How long it took.\n"
                        "# TYPE test_took_seconds histogram\n"
                        "test_took_seconds_bucket{cmd=\"mail\",le=\"0.001\"} 1\n"
                        "test_took_seconds_bucket{cmd=\"mail\",le=\"0.05\"} 2\n"
                        "test_took_seconds_bucket{cmd=\"mail\",le=\"2\"} 2\n"
                        "test_took_seconds_bucket{cmd=\"mail\",le=\"+Inf\"} 3\n"
                        "test_took_seconds_sum{cmd=\"mail\"} 2.502001\n"
                        "test_took_seconds_count{cmd=\"mail\"} 3\n"
                        "# HELP test_visits_total Visits.\n"
                        "# TYPE test_visits_total counter\n"
                        "test_visits_total 5\n");
    end(&f);
}

static void a_metric_can_be_named_before_it_has_a_value(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    mox_metrics_declare(f.m, &visits);
    mox_metrics_declare(f.m, &logins);
    assert_string_equal(written(&f),
                        "# HELP test_logins_total Logins, as \"they\" ended: a\\\\b\\nc.\n"
                        "# TYPE test_logins_total counter\n"
                        "# HELP test_visits_total Visits.\n"
                        "# TYPE test_visits_total counter\n"
                        "test_visits_total 0\n");
    end(&f);
}

static void more_series_than_allowed_share_one(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (int i = 0; i < 100; i++) {
        char word[16];
        (void)snprintf(word, sizeof word, "w%d", i);
        metric_count(&f.env, &logins, "smtp", word);
    }
    const char *const first[] = {"smtp", "w0"}, *const fourth[] = {"smtp", "w3"},
                      *const others[] = {"(other)", "(other)"};
    assert_int_equal(mox_metrics_get(f.m, &logins, first), 1);
    assert_int_equal(mox_metrics_get(f.m, &logins, fourth), 0);
    assert_int_equal(mox_metrics_get(f.m, &logins, others), 97);
    end(&f);
}

/* So many metrics of so many words that the table is full: all is counted, and it still answers. */
static void a_full_registry_goes_on_counting(void **state)
{
    (void)state;
    static struct mox_metric many[40];
    struct fixture f;
    begin(&f);
    for (size_t n = 0; n < 40; n++) {
        many[n] = (struct mox_metric){
            .name = "test_many", .help = "", .labels = {"w"}, .max_series = 100};
        for (int i = 0; i < 100; i++) {
            char word[16];
            (void)snprintf(word, sizeof word, "%d", i);
            metric_count(&f.env, &many[n], word);
        }
    }
    const char *const others[] = {"(other)"}, *const seventh[] = {"7"};
    assert_int_equal(mox_metrics_get(f.m, &many[0], others), 0);
    assert_int_equal(mox_metrics_get(f.m, &many[39], others), 100);
    assert_int_equal(mox_metrics_get(f.m, &many[3], seventh), 1);
    end(&f);
}

static void without_a_registry_nothing_is_counted(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    metric_count(&f.t.env, &visits, NULL);
    assert_int_equal(mox_metrics_get(f.m, &visits, NULL), 0);
    end(&f);
}

static void look_up_files(void *user, struct mox_metrics *m)
{
    mox_metrics_set(m, &open_files, NULL, ++*(int *)user);
}

static void what_is_only_looked_up_is_looked_up_for_each_writing(void **state)
{
    (void)state;
    struct fixture f;
    int files = 40;
    begin(&f);
    assert_int_equal(mox_metrics_collect(f.m, look_up_files, &files), MOX_OK);
    assert_non_null(strstr(written(&f), "\ntest_open_files 41\n"));
    assert_non_null(strstr(written(&f), "\ntest_open_files 42\n"));
    for (int i = 0; i < 7; i++)
        assert_int_equal(mox_metrics_collect(f.m, look_up_files, &files), MOX_OK);
    assert_int_equal(mox_metrics_collect(f.m, look_up_files, &files), MOX_ELIMIT);
    end(&f);
}

#define THREADS 4
#define ROUNDS  20000

static void *count(void *user)
{
    struct fixture *f = user;
    for (int i = 0; i < ROUNDS; i++) {
        char word[16];
        (void)snprintf(word, sizeof word, "w%d", i % 8);
        metric_count(&f->env, &visits, NULL);
        metric_add(&f->env, &took, i % 3000, word);
        metric_count(&f->env, &logins, "smtp", word);
    }
    return NULL;
}

static void threads_count_together_and_lose_nothing(void **state)
{
    (void)state;
    struct fixture f;
    pthread_t threads[THREADS];
    begin(&f);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, &f), 0);
    for (int i = 0; i < 20; i++)
        (void)written(&f);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    int64_t sum = 0, noted = 0;
    for (int i = 0; i < 9; i++) {
        char word[16];
        (void)snprintf(word, sizeof word, i < 8 ? "w%d" : "(other)", i);
        const char *const one[] = {word}, *const two[] = {i < 8 ? "smtp" : word, word};
        noted += mox_metrics_get(f.m, &took, one);
        sum += mox_metrics_get(f.m, &logins, two);
    }
    assert_int_equal(mox_metrics_get(f.m, &visits, NULL), THREADS * ROUNDS);
    assert_int_equal(noted, THREADS * ROUNDS);
    assert_int_equal(sum, THREADS * ROUNDS);
    end(&f);
}

/* Whatever allocation fails, counting and writing do, or do not, and nothing leaks. */
static void running_out_of_memory_costs_values_only(void **state)
{
    (void)state;
    for (long n = 1; n < 12; n++) {
        struct test_env t;
        test_env_init(&t);
        t.fail_at = n;
        struct mox_metrics *m = NULL;
        if (mox_metrics_new(&m, &t.env) == MOX_OK) {
            const char *const label[] = {"x"};
            struct buf b;
            mox__buf_init(&b, &t.env, 1 << 20);
            mox_metrics_add(m, &visits, NULL, 1);
            mox_metrics_add(m, &took, label, 1);
            int rc = mox_metrics_write(m, append, &b);
            assert_true(rc == MOX_OK || rc == MOX_ENOMEM);
            mox__buf_free(&b);
        }
        mox_metrics_free(m);
        test_env_done(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_what_prometheus_reads),
        cmocka_unit_test(a_metric_can_be_named_before_it_has_a_value),
        cmocka_unit_test(more_series_than_allowed_share_one),
        cmocka_unit_test(a_full_registry_goes_on_counting),
        cmocka_unit_test(without_a_registry_nothing_is_counted),
        cmocka_unit_test(what_is_only_looked_up_is_looked_up_for_each_writing),
        cmocka_unit_test(threads_count_together_and_lose_nothing),
        cmocka_unit_test(running_out_of_memory_costs_values_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
