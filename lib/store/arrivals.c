/* SPDX-License-Identifier: MIT */
#include "store/arrivals.h"

#include <string.h>

#include <mox/ratelimit.h>

#include "base/mem.h"
#include "store/store.h"

#define MINUTE_US INT64_C(60000000)
#define HOUR_US   (60 * MINUTE_US)
#define DAY_US    (24 * HOUR_US)
/* A day's messages of one account that are remembered, at 32 bytes each; what is more leaves early. */
#define RING_MAX   (1u << 18)
#define RING_FIRST 16

/* A node's payload. */
struct sums {
    uint64_t minute_bytes, day_bytes;
    uint32_t minute, day;
};

static struct sums *sums_of(const struct node *n)
{
    return (struct sums *)(void *)(uintptr_t)n->payload;
}

static struct arrival *arrival_at(const struct arrivals *ar, size_t n)
{
    return &ar->ring[n & (ar->cap - 1)];
}

/* ---- leaving ---- */

static void leave_minute(struct arrivals *ar)
{
    const struct arrival *x = arrival_at(ar, ar->minute_first++);
    for (size_t class = 0; class < MOX_NETWORK_CLASSES; class ++) {
        struct sums *sums = sums_of(mox__table_node(&ar->networks, x->nodes[class]));
        sums->minute--;
        sums->minute_bytes -= x->bytes;
    }
}

static void leave_day(struct arrivals *ar)
{
    if (ar->minute_first == ar->first)
        leave_minute(ar);
    const struct arrival *x = arrival_at(ar, ar->first++);
    for (size_t class = 0; class < MOX_NETWORK_CLASSES; class ++) {
        struct sums *sums = sums_of(mox__table_node(&ar->networks, x->nodes[class]));
        sums->day--;
        sums->day_bytes -= x->bytes;
        if (sums->day == 0)
            mox__table_remove(&ar->networks, x->nodes[class]);
    }
}

/* A clock that was set back would keep them for as long: then nothing is remembered. */
static void expire(struct arrivals *ar, int64_t now_us)
{
    bool future =
        ar->end > ar->first && arrival_at(ar, ar->end - 1)->received_us > now_us + MINUTE_US;
    while (ar->first < ar->end &&
           (future || arrival_at(ar, ar->first)->received_us <= now_us - DAY_US))
        leave_day(ar);
    while (ar->minute_first < ar->end &&
           arrival_at(ar, ar->minute_first)->received_us <= now_us - MINUTE_US)
        leave_minute(ar);
}

/* ---- coming ---- */

/* Moves them into a ring of twice the size. Without memory the oldest leaves. */
static bool make_ring_room(struct mox_account *a, struct arrivals *ar)
{
    if (ar->end - ar->first < ar->cap)
        return true;
    size_t cap = ar->cap == 0 ? RING_FIRST : 2 * ar->cap;
    struct arrival *ring = cap > RING_MAX ? NULL : mem_new(a->env, struct arrival, cap);
    if (ring == NULL) {
        if (ar->cap > 0)
            leave_day(ar);
        return ar->cap > 0;
    }
    for (size_t n = ar->first; n < ar->end; n++)
        ring[n & (cap - 1)] = *arrival_at(ar, n);
    mox__mem_free(a->env, ar->ring);
    ar->ring = ring;
    ar->cap = cap;
    return true;
}

static bool make_room(struct mox_account *a, struct arrivals *ar)
{
    if (!ar->has_networks)
        ar->has_networks = mox__table_init(&ar->networks, a->env, MOX_NETWORK_CLASSES * RING_MAX,
                                           sizeof(struct sums)) == MOX_OK;
    if (!ar->has_networks || !make_ring_room(a, ar))
        return false;
    while (!mox__table_has_room(&ar->networks, MOX_NETWORK_CLASSES)) {
        if (ar->first == ar->end)
            return false;
        leave_day(ar);
    }
    return true;
}

static void find(const struct arrivals *ar, const struct mox_ratelimit_address *address,
                 struct spot spots[MOX_NETWORK_CLASSES])
{
    for (uint32_t class = 0; class < MOX_NETWORK_CLASSES; class ++)
        spots[class] = (struct spot){.network = address->networks[class],
                                     .kind = address->v6 ? MOX_NETWORK_CLASSES + class : class};
    mox__table_find(&ar->networks, spots, MOX_NETWORK_CLASSES);
}

static void come(struct arrivals *ar, const struct mox_ratelimit_address *address,
                 int64_t received_us, uint64_t bytes)
{
    struct spot spots[MOX_NETWORK_CLASSES];
    struct arrival *x = arrival_at(ar, ar->end++);
    find(ar, address, spots);
    x->received_us = received_us;
    x->bytes = bytes;
    for (size_t class = 0; class < MOX_NETWORK_CLASSES; class ++) {
        struct node *n = spots[class].index == NODE_NONE
                             ? mox__table_insert(&ar->networks, &spots[class])
                             : mox__table_node(&ar->networks, spots[class].index);
        struct sums *sums = sums_of(n);
        x->nodes[class] = spots[class].index;
        sums->minute++;
        sums->day++;
        sums->minute_bytes += bytes;
        sums->day_bytes += bytes;
    }
}

void mox__arrivals_note(struct mox_account *a, const char *remote_ip, int64_t received_us,
                        uint64_t bytes)
{
    struct arrivals *ar = &a->arrivals;
    struct mox_ratelimit_address address;
    if (!ar->counted || !mox_ratelimit_address(&address, remote_ip))
        return;
    pthread_mutex_lock(&ar->lock);
    expire(ar, a->env->wall_us(a->env->user));
    if (make_room(a, ar))
        come(ar, &address, received_us, bytes);
    pthread_mutex_unlock(&ar->lock);
}

/* ---- asking ---- */

void mox_account_arrivals(struct mox_account *a, const char *remote_ip, struct mox_arrivals *out)
{
    struct arrivals *ar = &a->arrivals;
    struct mox_ratelimit_address address;
    struct spot spots[MOX_NETWORK_CLASSES];
    memset(out, 0, sizeof *out);
    if (!ar->counted || !mox_ratelimit_address(&address, remote_ip))
        return;
    pthread_mutex_lock(&ar->lock);
    if (ar->has_networks) {
        expire(ar, a->env->wall_us(a->env->user));
        find(ar, &address, spots);
    }
    for (size_t class = 0; class < MOX_NETWORK_CLASSES && ar->has_networks; class ++) {
        if (spots[class].index == NODE_NONE)
            continue;
        const struct sums *sums = sums_of(mox__table_node(&ar->networks, spots[class].index));
        out->minute[class] = (struct mox_arrival_sum){sums->minute, sums->minute_bytes};
        out->day[class] = (struct mox_arrival_sum){sums->day, sums->day_bytes};
    }
    pthread_mutex_unlock(&ar->lock);
}

/* ---- where the day begins ---- */

/* Ids are given before messages are in order: a lower one goes into the newest hour. */
void mox__arrivals_mark(struct mox_account *a, uint64_t id, int64_t received_us)
{
    struct arrivals *ar = &a->arrivals;
    int64_t hour = received_us / HOUR_US;
    if (!ar->counted)
        return;
    struct arrival_mark *newest = ar->mark_count == 0 ? NULL : &ar->marks[ar->mark_count - 1];
    if (newest == NULL || (hour > newest->hour && ar->mark_count < ARRIVALS_MARKS)) {
        ar->marks[ar->mark_count++] = (struct arrival_mark){hour, id};
    } else {
        newest->hour = hour > newest->hour ? hour : newest->hour;
        newest->id = id < newest->id ? id : newest->id;
    }
}

uint64_t mox__arrivals_from(struct mox_account *a, uint64_t next)
{
    struct arrivals *ar = &a->arrivals;
    if (!ar->counted)
        return a->arrivals_from;
    int64_t since_us = a->env->wall_us(a->env->user) - DAY_US;
    size_t over = 0;
    while (over < ar->mark_count && (ar->marks[over].hour + 1) * HOUR_US <= since_us)
        over++;
    ar->mark_count -= over;
    memmove(ar->marks, ar->marks + over, ar->mark_count * sizeof ar->marks[0]);
    for (size_t i = 0; i < ar->mark_count; i++)
        next = ar->marks[i].id < next ? ar->marks[i].id : next;
    return next;
}

/* ---- opening ---- */

void mox__arrivals_open(struct mox_account *a, bool counted, uint64_t from)
{
    if (!counted)
        return;
    a->arrivals.counted = pthread_mutex_init(&a->arrivals.lock, NULL) == 0;
    if (!a->arrivals.counted) {
        (void)mox__db_fail(&a->writer, MOX_ENOMEM, "count what came today");
        return;
    }
    int64_t since_us = a->env->wall_us(a->env->user) - DAY_US;
    sqlite3_stmt *s = db_query(&a->writer, SQL_MESSAGE_ARRIVED, V_INT(from), V_INT(since_us));
    while (mox__db_step(&a->writer, s)) {
        int64_t received_us = sqlite3_column_int64(s, 1);
        mox__arrivals_mark(a, (uint64_t)sqlite3_column_int64(s, 0), received_us);
        mox__arrivals_note(a, mox__db_text(s, 3), received_us,
                           (uint64_t)sqlite3_column_int64(s, 2));
    }
}

void mox__arrivals_close(struct mox_account *a)
{
    struct arrivals *ar = &a->arrivals;
    if (!ar->counted)
        return;
    if (ar->has_networks)
        mox__table_free(&ar->networks);
    mox__mem_free(a->env, ar->ring);
    (void)pthread_mutex_destroy(&ar->lock);
    *ar = (struct arrivals){.counted = false};
}
