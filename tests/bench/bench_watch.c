/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <mox/log.h>

#include "base/conn_log.h"
#include "base/log.h"
#include "base/metric.h"
#include "program.h"
#include "report.h"

/* What it costs to count something, and to log it, or not to. */

#define THREADS 2

static struct report report;

static const struct mox_metric plain = {.name = "plain_total", .help = "No labels."};
static const struct mox_metric labelled = {
    .name = "labelled_total", .help = "One label.", .labels = {"kind"}};
static const struct mox_metric durations = {
    .name = "command_duration_seconds",
    .help = "As of SMTP's commands.",
    .type = MOX_METRIC_HISTOGRAM,
    .unit = MOX_METRIC_SECONDS,
    .labels = {"kind", "cmd", "code", "ecode"},
    .bounds = METRIC_BOUNDS_COMMAND,
    .max_series = 512,
};

typedef void (*action)(const struct mox_env *env, size_t i);

static void count_plain(const struct mox_env *env, size_t i)
{
    (void)i;
    metric_count(env, &plain, NULL);
}

static void count_labelled(const struct mox_env *env, size_t i)
{
    (void)i;
    metric_count(env, &labelled, "submission");
}

static void note_duration(const struct mox_env *env, size_t i)
{
    metric_add(env, &durations, (int64_t)(i % 4096), "smtp", "mail", "250", "2.1.0");
}

static void log_at_debug(const struct mox_env *env, size_t i)
{
    log_line(env, MOX_LOG_DEBUG, "smtpserver", "smtp command result", NULL, F_TEXT("cmd", "mail"),
             F_UINT("n", i));
}

static void log_at_info(const struct mox_env *env, size_t i)
{
    log_line(env, MOX_LOG_INFO, "smtpserver", "message delivered", NULL,
             F_TEXT("mailfrom", "a@x.example"), F_TEXT("rcptto", "b@x.example"), F_UINT("n", i));
}

struct round {
    const struct mox_env *env;
    action act;
    size_t count;
};

static void *run(void *user)
{
    const struct round *r = user;
    for (size_t i = 0; i < r->count; i++)
        r->act(r->env, i);
    return NULL;
}

static void measure(const char *what, const struct mox_env *env, action act, size_t count)
{
    struct round r = {env, act, count};
    double start = seconds_now();
    (void)run(&r);
    report_value(&report, what, "threads=1", (seconds_now() - start) / (double)count * 1e9, "ns",
                 NULL);
}

/* All on one series, as fast as they can: more than a server ever does. */
static void measure_together(const char *what, const struct mox_env *env, action act, size_t count)
{
    struct round r = {env, act, count};
    pthread_t threads[THREADS];
    char params[32];
    (void)snprintf(params, sizeof params, "threads=%d", THREADS);
    double start = seconds_now();
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run, &r) != 0)
            fail("no thread");
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    report_value(&report, what, params, (seconds_now() - start) / (double)count * 1e9, "ns", NULL);
}

static void bench_metrics(const struct mox_env *none, size_t count)
{
    struct mox_metrics *m = NULL;
    struct mox_env env = *none;
    if (mox_metrics_new(&m, none) < 0)
        fail("no registry");
    mox_metrics_attach(m, &env);
    measure("counter, nobody counts", none, count_plain, count);
    measure("counter without labels", &env, count_plain, count);
    measure("counter with a label", &env, count_labelled, count);
    measure("histogram with four labels", &env, note_duration, count);
    measure_together("counter without labels", &env, count_plain, count);
    measure_together("histogram with four labels", &env, note_duration, count);
    mox_metrics_free(m);
}

static void bench_log(const struct mox_env *none, size_t count)
{
    struct mox_logger *logger = NULL;
    struct mox_env env = *none;
    struct conn_log connection;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || mox_logger_new(&logger, fd) < 0)
        die("/dev/null");
    mox_logger_attach(logger, &env);
    mox__conn_log_init(&connection, &env, 0x1a2b);
    measure("line above its level", &connection.env, log_at_debug, count);
    if (mox_logger_level(logger, "imapserver", MOX_LOG_TRACE) < 0)
        fail("no level");
    measure("line above its level, another package is traced", &connection.env, log_at_debug,
            count);
    measure("line of a connection, written to /dev/null", &connection.env, log_at_info, count / 10);
    mox__conn_log_end(&connection);
    mox_logger_free(logger);
    (void)close(fd);
}

int main(void)
{
    struct mox_env env;
    program_start();
    report_open(&report, "watch");
    mox_env_system(&env);
    size_t count = (size_t)program_number("WATCH", 20000000);
    bench_metrics(&env, count);
    bench_log(&env, count);
    report_close(&report);
    return 0;
}
