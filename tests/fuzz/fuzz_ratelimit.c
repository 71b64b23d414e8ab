/* SPDX-License-Identifier: MIT */

/* A limiter decides as a list does that is searched from one end to the other: which counters there
 * are, in the order of their use, and what they have counted. Input: windows and limits, then calls:
 * which, for whom, when, how many. */

#include <arpa/inet.h>
#include <mox/ratelimit.h>

#include "fuzz/input.h"
#include "support/testenv.h"

#define SECOND    INT64_C(1000000)
#define LIST_MAX  600
#define CALLS_MAX (LIST_MAX / 3)
#define NEVER     INT64_MIN

struct entry {
    uint8_t network[16];
    unsigned class, v6;
    uint64_t counts[MOX_RATELIMIT_WINDOWS_MAX];
    int64_t numbers[MOX_RATELIMIT_WINDOWS_MAX]; /* the windows that these are of */
};

struct model {
    struct mox_ratelimit_config config;
    int64_t numbers[MOX_RATELIMIT_WINDOWS_MAX];
    struct entry list[LIST_MAX]; /* the last is the most recently used */
    size_t count;
};

/* ---- the model ---- */

static int64_t number_at(const struct model *m, size_t w, int64_t now_us)
{
    int64_t length_us = m->config.windows[w].length_us;
    int64_t number = 0;
    if (length_us == 0)
        return 0;
    while ((number + 1) * length_us <= now_us)
        number++;
    return number;
}

static bool is_in_force(const struct model *m, size_t w, int64_t now_us)
{
    return m->numbers[w] != NEVER && number_at(m, w, now_us) <= m->numbers[w];
}

static uint64_t counted(const struct model *m, const struct entry *e, size_t w)
{
    return e->numbers[w] == m->numbers[w] ? e->counts[w] : 0;
}

static bool is_zero(const struct model *m, const struct entry *e)
{
    for (size_t w = 0; w < m->config.window_count; w++)
        if (counted(m, e, w) > 0)
            return false;
    return true;
}

static void drop(struct model *m, size_t i)
{
    m->count--;
    memmove(&m->list[i], &m->list[i + 1], (m->count - i) * sizeof m->list[0]);
}

static struct entry of_class(const uint8_t ip[16], bool v6, unsigned class)
{
    static const unsigned bits[2][3] = {{32, 26, 21}, {64, 48, 32}};
    struct entry e = {.class = class, .v6 = v6};
    for (unsigned i = 0; i < bits[v6][class]; i++)
        e.network[i / 8] = (uint8_t)(e.network[i / 8] | (ip[i / 8] & (128u >> i % 8)));
    return e;
}

/* Where it is, or `count`. */
static size_t position(const struct model *m, const struct entry *what)
{
    size_t i = 0;
    while (i < m->count && (m->list[i].class != what->class || m->list[i].v6 != what->v6 ||
                            memcmp(m->list[i].network, what->network, 16) != 0))
        i++;
    return i;
}

/* Then it is the last, if it is there. */
static size_t use(struct model *m, const struct entry *what)
{
    size_t i = position(m, what);
    if (i == m->count)
        return i;
    const struct entry e = m->list[i];
    drop(m, i);
    m->list[m->count] = e;
    return m->count++;
}

/* All three are used; *out are copies, zero for those that are not there. The number of those that
 * are. */
static size_t use_all(struct model *m, const uint8_t ip[16], bool v6, struct entry out[3],
                      bool there[3])
{
    size_t found = 0;
    for (unsigned class = 0; class < 3; class ++) {
        out[class] = of_class(ip, v6, class);
        size_t i = use(m, &out[class]);
        there[class] = i < m->count;
        if (there[class])
            out[class] = m->list[i];
        found += there[class];
    }
    return found;
}

static bool model_fits(const struct model *m, const struct entry all[3], int64_t now_us, uint32_t n)
{
    for (unsigned class = 0; class < 3; class ++)
        for (size_t w = 0; w < m->config.window_count; w++) {
            uint64_t before = is_in_force(m, w, now_us) ? counted(m, &all[class], w) : 0;
            if (before + n > m->config.windows[w].limits[class])
                return false;
        }
    return true;
}

static bool model_make_room(struct model *m, size_t own)
{
    size_t missing = 3 - own;
    for (size_t i = 0; i < 2 * missing && m->count > own && is_zero(m, &m->list[0]); i++)
        drop(m, 0);
    while (m->count + missing > m->config.capacity) {
        if (m->config.windows[0].length_us == 0)
            return false;
        drop(m, 0);
    }
    return true;
}

static int model_add(struct model *m, const uint8_t ip[16], bool v6, int64_t now_us, uint32_t n)
{
    struct entry all[3];
    bool there[3];
    for (size_t w = 0; w < m->config.window_count; w++)
        if (!is_in_force(m, w, now_us))
            m->numbers[w] = number_at(m, w, now_us);
    size_t own = use_all(m, ip, v6, all, there);
    if (!model_fits(m, all, now_us, n))
        return MOX_ETOOMANY;
    if (n == 0)
        return MOX_OK;
    if (!model_make_room(m, own))
        return MOX_ENOMEM;
    for (unsigned class = 0; class < 3; class ++) {
        if (!there[class])
            m->list[m->count++] = all[class];
        struct entry *e = &m->list[position(m, &all[class])];
        for (size_t w = 0; w < m->config.window_count; w++) {
            e->counts[w] = counted(m, e, w) + n;
            e->numbers[w] = m->numbers[w];
        }
    }
    return MOX_OK;
}

/* `n` less, or as much less as the address itself has. */
static void model_subtract(struct model *m, const uint8_t ip[16], bool v6, int64_t now_us,
                           const uint32_t *n)
{
    uint64_t less[MOX_RATELIMIT_WINDOWS_MAX] = {0};
    for (unsigned class = 0; class < 3; class ++) {
        struct entry what = of_class(ip, v6, class);
        size_t i = position(m, &what);
        if (i == m->count && class == 0 && n == NULL)
            return;
        if (i == m->count)
            continue;
        struct entry *e = &m->list[i];
        for (size_t w = 0; w < m->config.window_count; w++) {
            if (class == 0)
                less[w] = counted(m, e, w);
            uint64_t take = n == NULL ? less[w] : *n;
            if (is_in_force(m, w, now_us))
                e->counts[w] -= take < e->counts[w] ? take : e->counts[w];
        }
        if (is_zero(m, e))
            drop(m, i);
    }
}

/* ---- both ---- */

static void read_config(struct input *in, struct mox_ratelimit_config *config)
{
    static const int64_t lengths[] = {SECOND, 3 * SECOND, 60 * SECOND};
    unsigned shape = input_byte(in);
    mox_ratelimit_config_init(config);
    config->window_count = 1 + shape % MOX_RATELIMIT_WINDOWS_MAX;
    for (size_t w = 0; w < config->window_count; w++) {
        struct mox_ratelimit_window *window = &config->windows[w];
        window->length_us = lengths[input_byte(in) % 3];
        for (size_t class = 0; class < 3; class ++) {
            uint8_t limit = input_byte(in);
            window->limits[class] = limit == 255 ? MOX_RATELIMIT_NONE : limit / 4u;
        }
    }
    if ((shape & 16) != 0) {
        config->window_count = 1;
        config->windows[0].length_us = 0;
    }
    if ((shape & 32) != 0)
        config->capacity = 3 + input_byte(in) % 32u;
}

/* Few networks, near each other. */
static bool read_address(struct input *in, uint8_t ip[16], char text[INET6_ADDRSTRLEN])
{
    unsigned byte = input_byte(in);
    bool v6 = (byte & 1) != 0;
    memset(ip, 0, 16);
    ip[0] = 32;
    if (v6) {
        ip[3] = (uint8_t)(byte >> 1 & 1);
        ip[5] = (uint8_t)(byte >> 2 & 3);
        ip[7] = (uint8_t)(byte >> 4 & 3);
        ip[15] = (uint8_t)(byte >> 6);
    } else {
        ip[2] = (uint8_t)((byte >> 1 & 7) << 2);
        ip[3] = (uint8_t)(byte >> 4 << 4 | (byte & 8));
    }
    (void)inet_ntop(v6 ? AF_INET6 : AF_INET, ip, text, INET6_ADDRSTRLEN);
    return v6;
}

static void call(struct mox_ratelimit *l, struct model *m, struct input *in, int64_t *now_us)
{
    uint8_t ip[16];
    char text[INET6_ADDRSTRLEN];
    struct mox_ratelimit_address address;
    unsigned what = input_byte(in);
    bool v6 = read_address(in, ip, text);
    uint32_t n = what >> 3 & 7;
    *now_us += (input_byte(in) - 96) * (SECOND / 16) * ((what & 64) != 0 ? 20 : 1);
    *now_us = *now_us < 0 ? 0 : *now_us;
    assert(mox_ratelimit_address(&address, text));
    if (what % 8 < 4) {
        assert(mox_ratelimit_add(l, &address, *now_us, n) == model_add(m, ip, v6, *now_us, n));
    } else if (what % 8 < 6) {
        struct entry all[3];
        bool there[3];
        (void)use_all(m, ip, v6, all, there);
        assert(mox_ratelimit_can_add(l, &address, *now_us, n) == model_fits(m, all, *now_us, n));
    } else if (what % 8 == 6) {
        mox_ratelimit_release(l, &address, *now_us, n);
        model_subtract(m, ip, v6, *now_us, &n);
    } else {
        mox_ratelimit_reset(l, &address, *now_us);
        model_subtract(m, ip, v6, *now_us, NULL);
    }
    assert(mox_ratelimit_counters(l) == m->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct model m;
    struct test_env t;
    struct input in = {{data, len}};
    struct mox_ratelimit *l = NULL;
    int64_t now_us = 100 * SECOND;
    test_env_init(&t);
    memset(&m, 0, sizeof m);
    read_config(&in, &m.config);
    for (size_t w = 0; w < MOX_RATELIMIT_WINDOWS_MAX; w++)
        m.numbers[w] = m.config.windows[0].length_us == 0 ? 0 : NEVER;
    assert(mox_ratelimit_new(&l, &t.env, &m.config) == MOX_OK);
    for (unsigned i = 0; i < CALLS_MAX && in.rest.len > 0; i++)
        call(l, &m, &in, &now_us);
    mox_ratelimit_free(l);
    test_env_done(&t);
    return 0;
}
