/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/text.h"

/* Prometheus' text format, version 0.0.4:
 *
 *   # HELP name text
 *   # TYPE name histogram
 *   name_bucket{label="value",le="0.001"} 3
 *   …
 *   name_bucket{label="value",le="+Inf"} 9
 *   name_sum{label="value"} 1.5
 *   name_count{label="value"} 9
 */

/* One metric with all its series. */
#define FAMILY_TEXT_MAX (16 * 1024 * 1024)

static void put_escaped(struct buf *b, const char *text, bool quotes)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            mox__buf_text(b, "\\n");
        else if (*text == '\\' || (quotes && *text == '"'))
            mox__buf_printf(b, "\\%c", *text);
        else
            mox__buf_byte(b, (uint8_t)*text);
    }
}

/* Seconds without zeros at the end, so that a bound has one form. */
static void put_number(struct buf *b, const struct mox_metric *metric, int64_t value)
{
    if (value < 0)
        mox__buf_byte(b, '-');
    uint64_t n = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (metric->unit != MOX_METRIC_SECONDS) {
        mox__buf_uint(b, n);
        return;
    }
    mox__buf_uint(b, n / 1000000);
    unsigned micros = (unsigned)(n % 1000000), digits = 6;
    for (; micros > 0 && micros % 10 == 0; digits--)
        micros /= 10;
    if (micros > 0)
        mox__buf_printf(b, ".%0*u", (int)digits, micros);
}

/* `name_suffix{label="value",le="bound"} `; `le` may be NULL. */
static void put_name(struct buf *b, const struct metric_series *s, const char *suffix,
                     const int64_t *bound, bool bucket)
{
    const char *separator = "{";
    mox__buf_text(b, s->metric->name);
    mox__buf_text(b, suffix);
    for (size_t i = 0; i < MOX_METRIC_LABELS_MAX && s->labels[i] != NULL; i++) {
        mox__buf_printf(b, "%s%s=\"", separator, s->metric->labels[i]);
        put_escaped(b, s->labels[i], true);
        mox__buf_byte(b, '"');
        separator = ",";
    }
    if (bucket) {
        mox__buf_printf(b, "%sle=\"", separator);
        if (bound == NULL)
            mox__buf_text(b, "+Inf");
        else
            put_number(b, s->metric, *bound);
        mox__buf_byte(b, '"');
        separator = ",";
    }
    mox__buf_text(b, *separator == '{' ? " " : "} ");
}

static void put_histogram(struct buf *b, const struct metric_series *s)
{
    uint64_t noted = 0; /* the same in "+Inf" and in _count, whoever adds meanwhile */
    for (size_t i = 0; i <= s->bound_count; i++) {
        noted += atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
        put_name(b, s, "_bucket", i < s->bound_count ? &s->metric->bounds[i] : NULL, true);
        mox__buf_uint(b, noted);
        mox__buf_byte(b, '\n');
    }
    put_name(b, s, "_sum", NULL, false);
    put_number(b, s->metric, atomic_load_explicit(&s->value, memory_order_relaxed));
    mox__buf_byte(b, '\n');
    put_name(b, s, "_count", NULL, false);
    mox__buf_uint(b, noted);
    mox__buf_byte(b, '\n');
}

static void put_series(struct buf *b, const struct metric_series *s)
{
    if (s->metric->type == MOX_METRIC_HISTOGRAM) {
        put_histogram(b, s);
        return;
    }
    put_name(b, s, "", NULL, false);
    put_number(b, s->metric, atomic_load_explicit(&s->value, memory_order_relaxed));
    mox__buf_byte(b, '\n');
}

static void put_head(struct buf *b, const struct mox_metric *metric)
{
    static const char *const types[] = {
        [MOX_METRIC_COUNTER] = "counter",
        [MOX_METRIC_GAUGE] = "gauge",
        [MOX_METRIC_HISTOGRAM] = "histogram",
    };
    mox__buf_printf(b, "# HELP %s ", metric->name);
    put_escaped(b, metric->help, false);
    mox__buf_printf(b, "\n# TYPE %s %s\n", metric->name, types[metric->type]);
}

/* By name; metrics that a program gave the same one stay apart. */
static int compare(const struct mox_metric *a, const struct mox_metric *b)
{
    int order = strcmp(a->name, b->name);
    if (order != 0 || a == b)
        return order;
    return (uintptr_t)a < (uintptr_t)b ? -1 : 1;
}

static int by_name(const void *a, const void *b)
{
    const struct metric_family *x = a, *y = b;
    return compare(x->metric, y->metric);
}

static int by_labels(const void *a, const void *b)
{
    const struct metric_series *x = *(const struct metric_series *const *)a,
                               *y = *(const struct metric_series *const *)b;
    int order = compare(x->metric, y->metric);
    for (size_t i = 0;
         order == 0 && i < MOX_METRIC_LABELS_MAX && x->labels[i] != NULL && y->labels[i] != NULL;
         i++)
        order = strcmp(x->labels[i], y->labels[i]);
    return order;
}

/* What there is at one moment. Series stay, so they can be read without the lock. */
struct snapshot {
    struct metric_family *families;
    struct metric_series **series;
    size_t family_count, series_count;
};

static int take_snapshot(struct mox_metrics *m, struct snapshot *snap)
{
    *snap = (struct snapshot){
        .families = mem_new(&m->env, struct metric_family, METRICS_FAMILIES_MAX),
        .series = mem_new(&m->env, struct metric_series *, METRICS_SLOTS),
    };
    if (snap->families == NULL || snap->series == NULL)
        return MOX_ENOMEM;
    pthread_mutex_lock(&m->lock);
    snap->family_count = m->family_count;
    memcpy(snap->families, m->families, m->family_count * sizeof *m->families);
    for (size_t i = 0; i < METRICS_SLOTS; i++) {
        struct metric_series *s = atomic_load_explicit(&m->slots[i], memory_order_acquire);
        if (s != NULL)
            snap->series[snap->series_count++] = s;
    }
    pthread_mutex_unlock(&m->lock);
    qsort(snap->families, snap->family_count, sizeof *snap->families, by_name);
    if (snap->series_count > 0)
        qsort(snap->series, snap->series_count, sizeof *snap->series, by_labels);
    return MOX_OK;
}

static int write_snapshot(struct mox_metrics *m, const struct snapshot *snap,
                          int (*write)(void *user, struct mox_slice piece), void *user)
{
    struct buf b;
    int rc = MOX_OK;
    mox__buf_init(&b, &m->env, FAMILY_TEXT_MAX);
    for (size_t f = 0, s = 0; f < snap->family_count && rc >= 0; f++) {
        put_head(&b, snap->families[f].metric);
        for (; s < snap->series_count && snap->series[s]->metric == snap->families[f].metric; s++)
            put_series(&b, snap->series[s]);
        rc = b.failed ? MOX_ENOMEM : write(user, slice(b.data, b.len));
        mox__buf_clear(&b);
    }
    mox__buf_free(&b);
    return rc;
}

int mox_metrics_write(struct mox_metrics *m, int (*write)(void *user, struct mox_slice piece),
                      void *user)
{
    struct snapshot snap;
    for (size_t i = 0; i < m->collector_count; i++)
        m->collectors[i].collect(m->collectors[i].user, m);
    int rc = take_snapshot(m, &snap);
    if (rc == MOX_OK)
        rc = write_snapshot(m, &snap, write, user);
    mox__mem_free(&m->env, snap.families);
    mox__mem_free(&m->env, snap.series);
    return rc < 0 ? rc : MOX_OK;
}
