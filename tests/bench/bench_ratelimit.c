/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/ratelimit.h>

#include "baseline.h"
#include "program.h"
#include "report.h"

/* What a limiter's decision takes with a million addresses, in random order, and what it keeps of
 * them. Two windows, as for failed logins. */

#define SECOND INT64_C(1000000)

static struct report report;
static size_t allocated; /* nothing is given back while the limiter lives */

static void *count_memory(void *user, void *ptr, size_t size)
{
    (void)user;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    allocated += size;
    return realloc(ptr, size);
}

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void random_text(uint64_t *state, bool v6, char text[64])
{
    uint64_t r = next_random(state);
    if (v6)
        (void)snprintf(text, 64, "2001:%x:%x:%x::1", (unsigned)(r & 0xffff),
                       (unsigned)(r >> 16 & 0xffff), (unsigned)(r >> 32 & 0xffff));
    else
        (void)snprintf(text, 64, "%u.%u.%u.%u", (unsigned)(1 + r % 223), (unsigned)(r >> 8 & 255),
                       (unsigned)(r >> 16 & 255), (unsigned)(r >> 24 & 255));
}

static struct mox_ratelimit_address *make_addresses(size_t count, bool v6, const char *params)
{
    struct mox_ratelimit_address *all = must_malloc(count * sizeof *all);
    char(*texts)[64] = must_malloc(count * sizeof *texts);
    uint64_t state = 1;
    for (size_t i = 0; i < count; i++)
        random_text(&state, v6, texts[i]);
    double start = seconds_now();
    for (size_t i = 0; i < count; i++)
        if (!mox_ratelimit_address(&all[i], texts[i]))
            fail("%s is no address", texts[i]);
    report_value(&report, "address read", params, (seconds_now() - start) / (double)count * 1e9,
                 "ns", NULL);
    free(texts);
    return all;
}

static struct mox_ratelimit *make_limiter(uint32_t limit, uint32_t capacity)
{
    struct mox_ratelimit_config config;
    struct mox_ratelimit *limiter;
    struct mox_env env;
    mox_env_system(&env);
    env.realloc = count_memory;
    mox_ratelimit_config_init(&config);
    config.windows[0] = (struct mox_ratelimit_window){60 * SECOND, {limit, 3 * limit, 9 * limit}};
    config.windows[1] =
        (struct mox_ratelimit_window){86400 * SECOND, {limit, 3 * limit, 9 * limit}};
    config.window_count = 2;
    config.capacity = capacity;
    allocated = 0;
    if (mox_ratelimit_new(&limiter, &env, &config) < 0)
        fail("no limiter");
    return limiter;
}

struct round {
    struct mox_ratelimit *limiter;
    const struct mox_ratelimit_address *addresses;
    size_t count;
};

static void add_all(const struct round *r, const char *what, const char *params)
{
    size_t refused = 0;
    double start = seconds_now();
    for (size_t i = 0; i < r->count; i++)
        refused += mox_ratelimit_add(r->limiter, &r->addresses[i], SECOND, 1) < 0;
    double took = seconds_now() - start;
    report_value(&report, what, params, took / (double)r->count * 1e9, "ns", NULL);
    if (refused * 10 > r->count)
        fail("%s: %zu of %zu refused", what, refused, r->count);
}

static void ask_all(const struct round *r, const char *what, const char *params)
{
    size_t refused = 0;
    double start = seconds_now();
    for (size_t i = 0; i < r->count; i++)
        refused += !mox_ratelimit_can_add(r->limiter, &r->addresses[i], SECOND, UINT32_MAX);
    double took = seconds_now() - start;
    report_value(&report, what, params, took / (double)r->count * 1e9, "ns", NULL);
    if (refused != r->count)
        fail("%s: only %zu of %zu refused", what, refused, r->count);
}

/* They come in the order in which they came before: for a cache, one is as far away as another. */
static void bench_family(size_t count, bool v6)
{
    char params[64];
    (void)snprintf(params, sizeof params, "addresses=%zu ip=%s", count, v6 ? "v6" : "v4");
    struct mox_ratelimit_address *all = make_addresses(count, v6, params);
    struct round r = {make_limiter(1000000, (uint32_t)(3 * count + 3)), all, count};
    add_all(&r, "first add", params);
    add_all(&r, "add", params);
    ask_all(&r, "refusal", params);
    report_value(&report, "memory for an address", params, (double)allocated / (double)count,
                 "bytes", NULL);
    mox_ratelimit_free(r.limiter);

    r.limiter = make_limiter(1000000, 1u << 20);
    add_all(&r, "first add, table of 2^20 counters", params);
    add_all(&r, "add, table of 2^20 counters", params);
    report_value(&report, "memory, table of 2^20 counters", params, (double)allocated / 1e6, "MB",
                 NULL);
    mox_ratelimit_free(r.limiter);
    free(all);
}

/* One that guesses, alone. */
static void bench_one(size_t count)
{
    struct mox_ratelimit_address address, *same = must_malloc(count * sizeof *same);
    (void)mox_ratelimit_address(&address, "192.0.2.1");
    for (size_t i = 0; i < count; i++)
        same[i] = address;
    struct round r = {make_limiter(10, 1000), same, count};
    if (mox_ratelimit_add(r.limiter, &address, SECOND, 10) < 0)
        fail("the first is refused");
    ask_all(&r, "refusal", "addresses=1");
    mox_ratelimit_free(r.limiter);
    free(same);
}

int main(void)
{
    size_t count = (size_t)program_number("ADDRESSES", 1000000);
    program_start();
    report_open(&report, "ratelimit");
    report_machine(&report, "memcpy", baseline_memory_bytes(0.2) / 1e6, "MB/s");
    bench_family(count, false);
    bench_family(count, true);
    bench_one(count);
    report_close(&report);
    return 0;
}
