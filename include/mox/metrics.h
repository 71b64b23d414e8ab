/* SPDX-License-Identifier: MIT */
#ifndef MOX_METRICS_H
#define MOX_METRICS_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

/**
 * @file
 * Counters, gauges and histograms, and their text for Prometheus. A metric is a constant that says
 * what it is; a registry keeps values. The library counts through its environment, so a program that
 * has a registry of its own sets mox_env.metric, and another one attaches ours:
 *
 *     mox_metrics_new(&metrics, &env);
 *     mox_metrics_attach(metrics, &env);      before env is given to anything
 *     …
 *     mox_metrics_write(metrics, send, user); for each request of Prometheus
 */

enum mox_metric_type {
    MOX_METRIC_COUNTER,  /* only grows */
    MOX_METRIC_GAUGE,    /* goes up and down */
    MOX_METRIC_HISTOGRAM /* values, by size */
};

enum mox_metric_unit {
    MOX_METRIC_NUMBER,
    MOX_METRIC_SECONDS /* values and bounds are microseconds; their text is seconds */
};

#define MOX_METRIC_LABELS_MAX 4
#define MOX_METRIC_BOUNDS_MAX 16

/** What a metric is. Its address is its identity: static and constant. */
struct mox_metric {
    const char *name; /* as Prometheus wants it: letters, digits, _ */
    const char *help; /* one sentence */
    enum mox_metric_type type;
    enum mox_metric_unit unit;
    /** Names of labels, as many as there are. Values are words of the program's own, never a peer's:
     *  each combination that occurs is a series, and is kept for ever. */
    const char *labels[MOX_METRIC_LABELS_MAX];
    /** Of a histogram: the largest value of each bucket, ascending and positive, as many as there
     *  are. */
    int64_t bounds[MOX_METRIC_BOUNDS_MAX];
    /** So many combinations of labels have a series each; what comes then shares one whose labels are
     *  all "(other)". 0: 64. */
    unsigned max_series;
};

/**
 * A registry.
 *
 * Threads: any, at the same time; adding to a series that exists takes no lock.
 */
struct mox_metrics;

/** MOX_ENOMEM. `env` is copied; only its memory is used. */
MOX_API MOX_MUST_USE int mox_metrics_new(struct mox_metrics **out, const struct mox_env *env);
/** NULL is fine. */
MOX_API void mox_metrics_free(struct mox_metrics *m);
/** Makes what is done with `env` count here. The rest of env stays. */
MOX_API void mox_metrics_attach(struct mox_metrics *m, struct mox_env *env);

/** Names a metric in the output before it has a value; one without labels starts with 0. */
MOX_API void mox_metrics_declare(struct mox_metrics *m, const struct mox_metric *metric);
/** Adds to a counter or gauge, or notes one value in a histogram. Without memory for a new series
 *  nothing is counted.
 *  @param labels  a value for each label of the metric, copied; may be NULL when there are none */
MOX_API void mox_metrics_add(struct mox_metrics *m, const struct mox_metric *metric,
                             const char *const *labels, int64_t value);
/** Sets a gauge, or a counter that somebody else keeps. */
MOX_API void mox_metrics_set(struct mox_metrics *m, const struct mox_metric *metric,
                             const char *const *labels, int64_t value);
/** The value of a counter or gauge, or how many a histogram has noted; 0 for a series that does not
 *  exist. */
MOX_API int64_t mox_metrics_get(struct mox_metrics *m, const struct mox_metric *metric,
                                const char *const *labels);

/** Has `collect` called at the begin of each writing: it sets what is only looked up then. To be
 *  called before other threads use the registry. MOX_ELIMIT after eight. */
MOX_API MOX_MUST_USE int mox_metrics_collect(struct mox_metrics *m,
                                             void (*collect)(void *user, struct mox_metrics *m),
                                             void *user);
/** Writes all metrics in Prometheus' text format, version 0.0.4, sorted by name: a piece for each
 *  metric. A negative result of `write` ends it and is returned; MOX_ENOMEM. */
MOX_API MOX_MUST_USE int mox_metrics_write(struct mox_metrics *m,
                                           int (*write)(void *user, struct mox_slice piece),
                                           void *user);

MOX_END_DECLS

#endif
