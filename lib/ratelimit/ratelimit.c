/* SPDX-License-Identifier: MIT */
#include <mox/ratelimit.h>

#include <string.h>

#include "base/ip.h"
#include "base/mem.h"
#include "base/text.h"
#include "ratelimit/table.h"

#define CLASSES          MOX_RATELIMIT_CLASSES
#define CAPACITY_DEFAULT (1u << 20)
#define CAPACITY_MAX     (1u << 30)
#define LENGTH_MIN_US    INT64_C(1000000)
/* Counters of windows that have ended, given up for each new one: the table has fewer of them as fast
 * as it had more. */
#define SPENT_FOR_EACH 2

/* A node's payload is one of these for each window. */
struct counter {
    uint32_t count;
    uint32_t turn; /* of its window, which starts anew with each; an old count is none */
};

struct window {
    int64_t length_us; /* 0: all time */
    int64_t number;    /* time / length: the newest there was */
    uint32_t turn;     /* counts up with each new number; what nodes have of others is over */
    uint32_t limits[CLASSES];
};

struct mox_ratelimit {
    struct mox_env env;
    const char *name;
    struct table table;
    bool keeps_all; /* for all time: what is counted is released again, and not forgotten before */
    size_t window_count;
    struct window windows[MOX_RATELIMIT_WINDOWS_MAX];
};

/* The nodes of an address, by class. */
struct found {
    struct spot spots[CLASSES];
};

/* ---- making it ---- */

void mox_ratelimit_config_init(struct mox_ratelimit_config *config)
{
    *config = (struct mox_ratelimit_config){
        .size = sizeof *config, .name = "", .capacity = CAPACITY_DEFAULT};
}

static bool is_sound(const struct mox_ratelimit_config *config)
{
    if (config->window_count == 0 || config->window_count > MOX_RATELIMIT_WINDOWS_MAX ||
        config->capacity < CLASSES || config->capacity > TABLE_MAX)
        return false;
    for (size_t i = 0; i < config->window_count; i++) {
        int64_t length_us = config->windows[i].length_us;
        if (length_us == 0 ? config->window_count > 1 : length_us < LENGTH_MIN_US)
            return false;
    }
    return true;
}

int mox_ratelimit_new(struct mox_ratelimit **out, const struct mox_env *env,
                      const struct mox_ratelimit_config *given)
{
    struct mox_ratelimit_config config;
    mox_ratelimit_config_init(&config);
    memcpy(&config, given, given->size < sizeof config ? given->size : sizeof config);
    *out = NULL;
    if (!is_sound(&config))
        return MOX_EINVAL;
    struct mox_ratelimit *l = mem_new(env, struct mox_ratelimit, 1);
    if (l == NULL)
        return MOX_ENOMEM;
    l->env = *env;
    l->name = config.name;
    l->window_count = config.window_count;
    l->keeps_all = config.windows[0].length_us == 0;
    for (size_t i = 0; i < l->window_count; i++) {
        l->windows[i] = (struct window){.length_us = config.windows[i].length_us,
                                        .number = l->keeps_all ? 0 : INT64_MIN};
        memcpy(l->windows[i].limits, config.windows[i].limits, sizeof l->windows[i].limits);
    }
    int rc =
        mox__table_init(&l->table, env, config.capacity, l->window_count * sizeof(struct counter));
    if (rc < 0) {
        mox__mem_free(env, l);
        return rc;
    }
    *out = l;
    return MOX_OK;
}

void mox_ratelimit_free(struct mox_ratelimit *l)
{
    if (l == NULL)
        return;
    mox__table_free(&l->table);
    const struct mox_env env = l->env;
    mox__mem_free(&env, l);
}

const char *mox_ratelimit_name(const struct mox_ratelimit *l)
{
    return l == NULL ? "" : l->name;
}

size_t mox_ratelimit_counters(const struct mox_ratelimit *l)
{
    return l == NULL ? 0 : l->table.count;
}

/* ---- addresses ---- */

bool mox_ratelimit_address(struct mox_ratelimit_address *out, const char *text)
{
    struct ip ip;
    *out = (struct mox_ratelimit_address){.v6 = false};
    if (!mox__ip_parse(slice_of(text), &ip))
        return false;
    out->v6 = ip.v6;
    for (unsigned class = 1; class <= CLASSES; class ++) {
        struct ip network;
        mox__ip_mask(&ip, class, &network);
        for (size_t i = 0; i < sizeof out->networks[0]; i++)
            out->networks[class - 1] = out->networks[class - 1] << 8 | network.bytes[i];
    }
    return true;
}

static struct found find(const struct mox_ratelimit *l, const struct mox_ratelimit_address *address)
{
    struct found f;
    for (uint32_t class = 0; class < CLASSES; class ++)
        f.spots[class] = (struct spot){.network = address->networks[class],
                                       .kind = address->v6 ? CLASSES + class : class};
    mox__table_find(&l->table, f.spots, CLASSES);
    return f;
}

/* Or NULL. */
static struct node *node_of(const struct mox_ratelimit *l, const struct found *f, size_t class)
{
    uint32_t index = f->spots[class].index;
    return index == NODE_NONE ? NULL : mox__table_node(&l->table, index);
}

/* ---- windows ---- */

static int64_t number_of(const struct window *w, int64_t now_us)
{
    if (w->length_us == 0)
        return 0;
    int64_t number = now_us / w->length_us;
    return number - (now_us % w->length_us < 0); /* rounded down, before 1970 too */
}

static bool is_over(const struct window *w, int64_t now_us)
{
    return number_of(w, now_us) > w->number;
}

static void turn_windows(struct mox_ratelimit *l, int64_t now_us)
{
    for (size_t i = 0; i < l->window_count; i++) {
        struct window *w = &l->windows[i];
        if (!is_over(w, now_us))
            continue;
        w->number = number_of(w, now_us);
        w->turn++;
    }
}

static struct counter *counter_of(const struct node *n, size_t window)
{
    return (struct counter *)(void *)(uintptr_t)n->payload + window;
}

static uint32_t count_in(const struct window *w, const struct counter *c)
{
    return c->turn == w->turn ? c->count : 0;
}

static bool is_spent(const struct mox_ratelimit *l, const struct node *n)
{
    for (size_t i = 0; i < l->window_count; i++)
        if (count_in(&l->windows[i], counter_of(n, i)) > 0)
            return false;
    return true;
}

/* ---- deciding ---- */

static bool fits(const struct mox_ratelimit *l, const struct found *f, int64_t now_us, uint32_t n)
{
    for (size_t class = 0; class < CLASSES; class ++) {
        const struct node *node = node_of(l, f, class);
        for (size_t i = 0; i < l->window_count; i++) {
            const struct window *w = &l->windows[i];
            uint64_t count =
                node == NULL || is_over(w, now_us) ? 0 : count_in(w, counter_of(node, i));
            if (count + n > w->limits[class])
                return false;
        }
    }
    return true;
}

/* The networks last: of a crowd, the addresses are given up before what they have in common. */
static void touch(struct mox_ratelimit *l, const struct found *f)
{
    for (size_t class = 0; class < CLASSES; class ++)
        if (f->spots[class].index != NODE_NONE)
            mox__table_touch(&l->table, f->spots[class].index);
}

/* Makes room for the counters that the address lacks. Those that it has were just touched, so that
 * the oldest is another's as long as there are others. */
static bool make_room(struct mox_ratelimit *l, const struct found *f)
{
    struct table *t = &l->table;
    uint32_t missing = 0;
    for (size_t class = 0; class < CLASSES; class ++)
        missing += f->spots[class].index == NODE_NONE;
    uint32_t own = CLASSES - missing;
    for (uint32_t i = 0; i < missing * SPENT_FOR_EACH && t->count > own; i++) {
        if (!is_spent(l, mox__table_node(t, t->oldest)))
            break;
        mox__table_remove(t, t->oldest);
    }
    while (!mox__table_has_room(t, missing)) {
        if (l->keeps_all || t->count == own)
            return false;
        mox__table_remove(t, t->oldest);
    }
    return true;
}

static void count_more(struct mox_ratelimit *l, struct node *node, uint32_t n)
{
    for (size_t i = 0; i < l->window_count; i++) {
        struct counter *c = counter_of(node, i);
        c->count = count_in(&l->windows[i], c) + n; /* within a limit: it fits */
        c->turn = l->windows[i].turn;
    }
}

int mox_ratelimit_add(struct mox_ratelimit *l, const struct mox_ratelimit_address *address,
                      int64_t now_us, uint32_t n)
{
    if (l == NULL)
        return MOX_OK;
    turn_windows(l, now_us);
    struct found f = find(l, address);
    touch(l, &f);
    if (!fits(l, &f, now_us, n))
        return MOX_ETOOMANY;
    if (n == 0)
        return MOX_OK;
    if (!make_room(l, &f))
        return MOX_ENOMEM;
    for (size_t class = 0; class < CLASSES; class ++) {
        struct node *node = node_of(l, &f, class);
        count_more(l, node != NULL ? node : mox__table_insert(&l->table, &f.spots[class]), n);
    }
    return MOX_OK;
}

bool mox_ratelimit_can_add(struct mox_ratelimit *l, const struct mox_ratelimit_address *address,
                           int64_t now_us, uint32_t n)
{
    if (l == NULL)
        return true;
    struct found f = find(l, address);
    touch(l, &f); /* who is refused all the time is not forgotten for it */
    return fits(l, &f, now_us, n);
}

/* Takes `less[i]` from the address and its networks, in each window that is not over. */
static void count_less(struct mox_ratelimit *l, const struct found *f, int64_t now_us,
                       const uint32_t less[MOX_RATELIMIT_WINDOWS_MAX])
{
    for (size_t class = 0; class < CLASSES; class ++) {
        struct node *node = node_of(l, f, class);
        if (node == NULL)
            continue;
        for (size_t i = 0; i < l->window_count; i++) {
            struct counter *c = counter_of(node, i);
            if (!is_over(&l->windows[i], now_us))
                c->count -= less[i] < c->count ? less[i] : c->count;
        }
        if (is_spent(l, node))
            mox__table_remove(&l->table, f->spots[class].index);
    }
}

void mox_ratelimit_release(struct mox_ratelimit *l, const struct mox_ratelimit_address *address,
                           int64_t now_us, uint32_t n)
{
    if (l == NULL)
        return;
    struct found f = find(l, address);
    const uint32_t less[MOX_RATELIMIT_WINDOWS_MAX] = {n, n, n, n};
    count_less(l, &f, now_us, less);
}

void mox_ratelimit_reset(struct mox_ratelimit *l, const struct mox_ratelimit_address *address,
                         int64_t now_us)
{
    if (l == NULL)
        return;
    struct found f = find(l, address);
    const struct node *own = node_of(l, &f, 0);
    if (own == NULL)
        return;
    uint32_t less[MOX_RATELIMIT_WINDOWS_MAX] = {0};
    for (size_t i = 0; i < l->window_count; i++)
        less[i] = count_in(&l->windows[i], counter_of(own, i));
    count_less(l, &f, now_us, less);
}
