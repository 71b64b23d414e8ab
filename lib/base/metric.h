/* SPDX-License-Identifier: MIT */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <mox/metrics.h>

/* Counting, where something happens:
 *
 *   metric_count(&s->env, &connections, "smtp");
 *   metric_add(&s->env, &durations, us, "smtp", "mail", "250", "2.1.0");
 *
 * The values of all labels follow, in the metric's order; NULL for a metric without labels. Without
 * anybody who counts this is a comparison. */
#define metric_add(env, metric, value, ...)                                                        \
    mox__metric((env), (metric), (value), (const char *const[]){__VA_ARGS__})
#define metric_count(env, metric, ...) metric_add((env), (metric), 1, __VA_ARGS__)

static inline void mox__metric(const struct mox_env *env, const struct mox_metric *metric,
                               int64_t value, const char *const *labels)
{
    if (env->metric != NULL)
        env->metric(env->metric_user, metric, labels, value);
}

/* Buckets of durations, in microseconds: of what a person or another server waits for … */
#define METRIC_BOUNDS_COMMAND                                                                      \
    {                                                                                              \
        1000, 5000, 10000, 50000, 100000, 500000, 1000000, 5000000, 10000000, 20000000, 30000000,  \
            60000000, 120000000                                                                    \
    }
/* … and of others. */
#define METRIC_BOUNDS_SHORT                                                                        \
    {                                                                                              \
        1000, 5000, 10000, 50000, 100000, 500000, 1000000, 5000000, 10000000, 20000000             \
    }

#endif
