/* SPDX-License-Identifier: MIT */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <pthread.h>
#include <stdatomic.h>

#include <mox/metrics.h>

/* The registry from inside. A series is found by its metric and the values of its labels in a table
 * that only grows, so that looking takes no lock and a series that was found stays. A new one is
 * entered under the lock. */

#define METRICS_SLOTS          4096 /* a power of two */
#define METRICS_SERIES_MAX     3072 /* of all metrics together: a full table would be slow */
#define METRICS_SERIES_DEFAULT 64   /* of one metric */
#define METRICS_FAMILIES_MAX   256
#define METRICS_COLLECTORS_MAX 8

struct metric_series {
    const struct mox_metric *metric;
    uint64_t hash;
    const char *labels[MOX_METRIC_LABELS_MAX]; /* in the same block */
    atomic_int_fast64_t value;                 /* of a histogram: the sum */
    size_t bound_count;
    atomic_uint_fast64_t buckets[]; /* of a histogram: bound_count, and one for larger values */
};

/* A metric that is known here, and how many series it has, without the one of "(other)". */
struct metric_family {
    const struct mox_metric *metric;
    unsigned series_count;
};

struct mox_metrics {
    struct mox_env env;
    struct {
        void (*collect)(void *user, struct mox_metrics *m);
        void *user;
    } collectors[METRICS_COLLECTORS_MAX];
    size_t collector_count;
    pthread_mutex_t lock; /* guards the families, and entering a series */
    struct metric_family families[METRICS_FAMILIES_MAX];
    size_t family_count;
    size_t series_count;
    _Atomic(struct metric_series *) slots[METRICS_SLOTS];
};

#endif
