/* SPDX-License-Identifier: MIT */
#include "base/metrics.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

static const char *const no_labels[MOX_METRIC_LABELS_MAX] = {NULL};
static const char *const other_labels[MOX_METRIC_LABELS_MAX] = {"(other)", "(other)", "(other)",
                                                                "(other)"};

static size_t label_count(const struct mox_metric *metric)
{
    size_t n = 0;
    while (n < MOX_METRIC_LABELS_MAX && metric->labels[n] != NULL)
        n++;
    return n;
}

static size_t bound_count(const struct mox_metric *metric)
{
    size_t n = 0;
    while (n < MOX_METRIC_BOUNDS_MAX && metric->bounds[n] > 0)
        n++;
    return metric->type == MOX_METRIC_HISTOGRAM ? n : 0;
}

static const char *label_value(const char *const *labels, size_t i)
{
    return labels[i] == NULL ? "" : labels[i];
}

/* -- the table ------------------------------------------------------------------------------- */

/* FNV-1a, with the end of each value in it. The words are our own: nobody looks for collisions. */
static uint64_t hash_of(const struct mox_metric *metric, const char *const *labels, size_t count)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)(uintptr_t)metric;
    for (size_t i = 0; i < count; i++)
        for (const char *p = label_value(labels, i);; p++) {
            h = (h ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
            if (*p == '\0')
                break;
        }
    return h ^ h >> 29; /* addresses differ in their middle */
}

static bool same_labels(const struct metric_series *s, const char *const *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(s->labels[i], label_value(labels, i)) != 0)
            return false;
    return true;
}

/* The series, or NULL and the free slot where it belongs. */
static struct metric_series *look_up(struct mox_metrics *m, const struct mox_metric *metric,
                                     const char *const *labels, size_t count, uint64_t hash,
                                     size_t *slot)
{
    for (size_t i = hash % METRICS_SLOTS;; i = (i + 1) % METRICS_SLOTS) {
        struct metric_series *s = atomic_load_explicit(&m->slots[i], memory_order_acquire);
        *slot = i;
        if (s == NULL)
            return NULL;
        if (s->hash == hash && s->metric == metric && same_labels(s, labels, count))
            return s;
    }
}

static struct metric_series *series_new(struct mox_metrics *m, const struct mox_metric *metric,
                                        const char *const *labels, size_t count, uint64_t hash)
{
    size_t bounds = bound_count(metric), text = 0;
    for (size_t i = 0; i < count; i++)
        text += strlen(label_value(labels, i)) + 1;
    struct metric_series *s =
        mox__calloc(&m->env, 1, sizeof *s + (bounds + 1) * sizeof s->buckets[0] + text);
    if (s == NULL)
        return NULL;
    s->metric = metric;
    s->hash = hash;
    s->bound_count = bounds;
    char *at = (char *)&s->buckets[bounds + 1];
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(label_value(labels, i)) + 1;
        s->labels[i] = memcpy(at, label_value(labels, i), size);
        at += size;
    }
    return s;
}

/* With the lock. NULL: no memory, or too many metrics. */
static struct metric_family *family_of(struct mox_metrics *m, const struct mox_metric *metric)
{
    for (size_t i = 0; i < m->family_count; i++)
        if (m->families[i].metric == metric)
            return &m->families[i];
    if (m->family_count == METRICS_FAMILIES_MAX)
        return NULL;
    m->families[m->family_count] = (struct metric_family){.metric = metric};
    return &m->families[m->family_count++];
}

static bool is_full(const struct mox_metrics *m, const struct metric_family *f)
{
    unsigned max = f->metric->max_series > 0 ? f->metric->max_series : METRICS_SERIES_DEFAULT;
    /* Each family can still get its "(other)". */
    return f->series_count >= max || m->series_count + METRICS_FAMILIES_MAX >= METRICS_SERIES_MAX;
}

/* With the lock. */
static struct metric_series *enter(struct mox_metrics *m, const struct mox_metric *metric,
                                   const char *const *labels, size_t count, uint64_t hash)
{
    size_t slot;
    struct metric_series *s = look_up(m, metric, labels, count, hash, &slot);
    if (s != NULL) /* somebody was faster */
        return s;
    struct metric_family *f = family_of(m, metric);
    if (f == NULL)
        return NULL;
    if (count > 0 && is_full(m, f)) {
        hash = hash_of(metric, labels = other_labels, count);
        s = look_up(m, metric, labels, count, hash, &slot);
        if (s != NULL)
            return s;
    } else {
        f->series_count++;
    }
    s = m->series_count < METRICS_SERIES_MAX ? series_new(m, metric, labels, count, hash) : NULL;
    if (s == NULL)
        return NULL;
    m->series_count++;
    atomic_store_explicit(&m->slots[slot], s, memory_order_release);
    return s;
}

static struct metric_series *find(struct mox_metrics *m, const struct mox_metric *metric,
                                  const char *const *labels, bool make)
{
    if (labels == NULL)
        labels = no_labels;
    size_t count = label_count(metric), slot;
    uint64_t hash = hash_of(metric, labels, count);
    struct metric_series *s = look_up(m, metric, labels, count, hash, &slot);
    if (s != NULL || !make)
        return s;
    pthread_mutex_lock(&m->lock);
    s = enter(m, metric, labels, count, hash);
    pthread_mutex_unlock(&m->lock);
    return s;
}

/* -- public calls ---------------------------------------------------------------------------- */

int mox_metrics_new(struct mox_metrics **out, const struct mox_env *env)
{
    *out = NULL;
    struct mox_metrics *m = mem_new(env, struct mox_metrics, 1);
    if (m == NULL)
        return MOX_ENOMEM;
    m->env = *env;
    if (pthread_mutex_init(&m->lock, NULL) != 0) {
        mox__mem_free(env, m);
        return MOX_ENOMEM;
    }
    *out = m;
    return MOX_OK;
}

void mox_metrics_free(struct mox_metrics *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < METRICS_SLOTS; i++)
        mox__mem_free(&m->env, atomic_load(&m->slots[i]));
    pthread_mutex_destroy(&m->lock);
    struct mox_env env = m->env;
    mox__mem_free(&env, m);
}

static void hook(void *user, const struct mox_metric *metric, const char *const *labels,
                 int64_t value)
{
    mox_metrics_add(user, metric, labels, value);
}

void mox_metrics_attach(struct mox_metrics *m, struct mox_env *env)
{
    env->metric_user = m;
    env->metric = hook;
}

void mox_metrics_declare(struct mox_metrics *m, const struct mox_metric *metric)
{
    if (metric->labels[0] == NULL) {
        (void)find(m, metric, NULL, true);
        return;
    }
    pthread_mutex_lock(&m->lock);
    (void)family_of(m, metric);
    pthread_mutex_unlock(&m->lock);
}

void mox_metrics_add(struct mox_metrics *m, const struct mox_metric *metric,
                     const char *const *labels, int64_t value)
{
    struct metric_series *s = find(m, metric, labels, true);
    if (s == NULL)
        return;
    atomic_fetch_add_explicit(&s->value, value, memory_order_relaxed);
    if (metric->type != MOX_METRIC_HISTOGRAM)
        return;
    size_t i = 0;
    while (i < s->bound_count && value > metric->bounds[i])
        i++;
    atomic_fetch_add_explicit(&s->buckets[i], 1, memory_order_relaxed);
}

void mox_metrics_set(struct mox_metrics *m, const struct mox_metric *metric,
                     const char *const *labels, int64_t value)
{
    assert(metric->type != MOX_METRIC_HISTOGRAM);
    struct metric_series *s = find(m, metric, labels, true);
    if (s != NULL)
        atomic_store_explicit(&s->value, value, memory_order_relaxed);
}

int64_t mox_metrics_get(struct mox_metrics *m, const struct mox_metric *metric,
                        const char *const *labels)
{
    struct metric_series *s = find(m, metric, labels, false);
    uint64_t noted = 0;
    if (s == NULL)
        return 0;
    if (metric->type != MOX_METRIC_HISTOGRAM)
        return atomic_load_explicit(&s->value, memory_order_relaxed);
    for (size_t i = 0; i <= s->bound_count; i++)
        noted += atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
    return (int64_t)noted;
}

int mox_metrics_collect(struct mox_metrics *m, void (*collect)(void *user, struct mox_metrics *m),
                        void *user)
{
    if (m->collector_count == METRICS_COLLECTORS_MAX)
        return MOX_ELIMIT;
    m->collectors[m->collector_count].collect = collect;
    m->collectors[m->collector_count++].user = user;
    return MOX_OK;
}
