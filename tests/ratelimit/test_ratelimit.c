/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <mox/ratelimit.h>

#include "support/cm.h"
#include "support/testenv.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

struct rig {
    struct test_env t;
    struct mox_ratelimit *limiter;
};

static void rig_init(struct rig *r, const struct mox_ratelimit_window *windows, size_t count,
                     uint32_t capacity)
{
    struct mox_ratelimit_config config;
    test_env_init(&r->t);
    mox_ratelimit_config_init(&config);
    config.name = "test";
    memcpy(config.windows, windows, count * sizeof *windows);
    config.window_count = count;
    if (capacity > 0)
        config.capacity = capacity;
    assert_int_equal(mox_ratelimit_new(&r->limiter, &r->t.env, &config), MOX_OK);
}

static void rig_done(struct rig *r)
{
    mox_ratelimit_free(r->limiter);
    test_env_done(&r->t);
}

static struct mox_ratelimit_address at(const char *ip)
{
    struct mox_ratelimit_address address;
    assert_true(mox_ratelimit_address(&address, ip));
    return address;
}

static bool add(struct rig *r, const char *ip, int64_t now_us, uint32_t n)
{
    struct mox_ratelimit_address address = at(ip);
    bool can = mox_ratelimit_can_add(r->limiter, &address, now_us, n);
    int rc = mox_ratelimit_add(r->limiter, &address, now_us, n);
    assert_int_equal(rc, can ? MOX_OK : MOX_ETOOMANY);
    return can;
}

static void release(struct rig *r, const char *ip, int64_t now_us, uint32_t n)
{
    struct mox_ratelimit_address address = at(ip);
    mox_ratelimit_release(r->limiter, &address, now_us, n);
}

static void reset(struct rig *r, const char *ip, int64_t now_us)
{
    struct mox_ratelimit_address address = at(ip);
    mox_ratelimit_reset(r->limiter, &address, now_us);
}

/* How many more fit. */
static uint32_t room(struct rig *r, const char *ip, int64_t now_us)
{
    struct mox_ratelimit_address address = at(ip);
    uint32_t n = 0;
    while (mox_ratelimit_can_add(r->limiter, &address, now_us, n + 1))
        n++;
    return n;
}

static const struct mox_ratelimit_window minute_246 = {MINUTE, {2, 4, 6}};

static void an_address_and_its_networks_have_limits(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &minute_246, 1, 0);
    assert_false(add(&r, "192.0.2.1", 0, 3)); /* all or nothing */
    assert_true(add(&r, "192.0.2.1", 0, 1));
    assert_true(add(&r, "192.0.2.1", 0, 1));
    assert_false(add(&r, "192.0.2.1", 0, 1));
    assert_true(add(&r, "192.0.2.63", 0, 2)); /* the last of the /26 */
    assert_false(add(&r, "192.0.2.2", 0, 1));
    assert_true(add(&r, "192.0.7.255", 0, 2)); /* the last of the /21 */
    assert_false(add(&r, "192.0.2.64", 0, 1));
    assert_true(add(&r, "192.0.8.0", 0, 2)); /* the first outside */
    assert_true(add(&r, "191.255.255.255", 0, 2));
    rig_done(&r);
}

static void ipv6_networks_are_wider(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &minute_246, 1, 0);
    assert_true(add(&r, "2001:db8::1", 0, 1));
    assert_true(add(&r, "2001:db8::ffff:ffff:ffff:ffff", 0, 1)); /* the same /64 */
    assert_false(add(&r, "2001:db8::2", 0, 1));
    assert_true(add(&r, "2001:db8:0:ffff::1", 0, 2)); /* the same /48 */
    assert_false(add(&r, "2001:db8:0:1::1", 0, 1));
    assert_true(add(&r, "2001:db8:ffff::1", 0, 2)); /* the same /32 */
    assert_false(add(&r, "2001:db8:1::1", 0, 1));
    assert_true(add(&r, "2001:db9::1", 0, 2));
    rig_done(&r);
}

static void a_mapped_address_is_the_ipv4_address(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &minute_246, 1, 0);
    assert_true(add(&r, "::ffff:192.0.2.1", 0, 2));
    assert_false(add(&r, "192.0.2.1", 0, 1));
    assert_true(add(&r, "c000:201::", 0, 1)); /* the same leading bits, but IPv6 */
    struct mox_ratelimit_address address;
    assert_false(mox_ratelimit_address(&address, ""));
    assert_false(mox_ratelimit_address(&address, "localhost"));
    rig_done(&r);
}

static void a_window_ends_with_the_clocks(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &minute_246, 1, 0);
    assert_true(add(&r, "192.0.2.1", 10 * MINUTE - 1, 2));
    assert_false(add(&r, "192.0.2.1", 10 * MINUTE - 1, 1));
    assert_true(add(&r, "192.0.2.1", 10 * MINUTE, 2));
    assert_false(add(&r, "192.0.2.1", 11 * MINUTE - 1, 1));
    assert_true(add(&r, "192.0.2.1", 11 * MINUTE, 1));
    rig_done(&r);
}

static void a_clock_that_goes_back_keeps_the_newer_window(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &minute_246, 1, 0);
    assert_true(add(&r, "192.0.2.1", 10 * MINUTE, 1));
    assert_true(add(&r, "192.0.2.1", 3 * MINUTE, 1));
    assert_false(add(&r, "192.0.2.1", 10 * MINUTE, 1));
    reset(&r, "192.0.2.1", 3 * MINUTE);
    assert_true(add(&r, "192.0.2.1", -5 * MINUTE, 2));
    assert_false(add(&r, "192.0.2.1", 10 * MINUTE, 1));
    rig_done(&r);
}

static void asking_does_not_turn_the_window(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &minute_246, 1, 0);
    assert_true(add(&r, "192.0.2.1", 0, 2));
    assert_int_equal(room(&r, "192.0.2.1", MINUTE), 2);
    assert_int_equal(room(&r, "192.0.2.1", 0), 0);
    reset(&r, "192.0.2.1", MINUTE); /* nothing of that minute to forget */
    assert_int_equal(room(&r, "192.0.2.1", 0), 0);
    rig_done(&r);
}

static void every_window_must_have_room(void **state)
{
    (void)state;
    static const struct mox_ratelimit_window windows[] = {{MINUTE, {1, 2, 3}}, {HOUR, {2, 3, 4}}};
    struct rig r;
    rig_init(&r, windows, 2, 0);
    assert_true(add(&r, "192.0.2.1", 0, 1));
    assert_false(add(&r, "192.0.2.1", 1, 1)); /* the minute's */
    assert_true(add(&r, "192.0.2.1", MINUTE, 1));
    assert_false(add(&r, "192.0.2.1", 2 * MINUTE, 1)); /* the hour's */
    assert_true(add(&r, "192.0.2.2", 2 * MINUTE, 1));
    assert_false(add(&r, "192.0.2.3", 3 * MINUTE, 1)); /* the hour's of the /26 */
    assert_true(add(&r, "192.0.3.1", 3 * MINUTE, 1));
    assert_false(add(&r, "192.0.4.1", 4 * MINUTE, 1)); /* the hour's of the /21 */
    assert_true(add(&r, "192.0.2.1", HOUR, 1));
    rig_done(&r);
}

static void success_gives_the_networks_back_what_the_address_took(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &minute_246, 1, 0);
    assert_true(add(&r, "192.0.2.1", 0, 2));
    assert_true(add(&r, "192.0.2.2", 0, 2));
    assert_false(add(&r, "192.0.2.3", 0, 1));
    reset(&r, "192.0.2.9", 0); /* has nothing to forget */
    assert_false(add(&r, "192.0.2.3", 0, 1));
    reset(&r, "192.0.2.1", 0);
    assert_int_equal(room(&r, "192.0.2.1", 0), 2);
    assert_int_equal(room(&r, "192.0.2.2", 0), 0); /* its own are not forgotten */
    assert_true(add(&r, "192.0.2.3", 0, 2));
    assert_false(add(&r, "192.0.2.1", 0, 1));
    rig_done(&r);
}

static void what_is_released_can_be_taken_again(void **state)
{
    (void)state;
    static const struct mox_ratelimit_window open = {0, {2, 3, 4}};
    struct rig r;
    rig_init(&r, &open, 1, 0);
    for (int64_t now_us = 0; now_us < 100 * HOUR; now_us += HOUR) {
        assert_true(add(&r, "192.0.2.1", now_us, 1));
        assert_true(add(&r, "192.0.2.1", now_us, 1));
        assert_false(add(&r, "192.0.2.1", now_us, 1));
        release(&r, "192.0.2.1", now_us, 1);
        assert_true(add(&r, "192.0.2.1", now_us, 1));
        release(&r, "192.0.2.1", now_us, 1);
        release(&r, "192.0.2.1", now_us, 1);
        release(&r, "192.0.2.1", now_us, 1); /* too often: nothing */
    }
    assert_int_equal(mox_ratelimit_counters(r.limiter), 0);
    rig_done(&r);
}

static void counters_of_zero_are_gone(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &minute_246, 1, 0);
    assert_true(add(&r, "192.0.2.1", 0, 1));
    assert_true(add(&r, "192.0.3.1", 0, 1));
    assert_int_equal(mox_ratelimit_counters(r.limiter), 5); /* one /21 */
    reset(&r, "192.0.2.1", 0);
    assert_int_equal(mox_ratelimit_counters(r.limiter), 3);
    assert_false(add(&r, "198.51.100.1", 0, 3));
    assert_int_equal(mox_ratelimit_counters(r.limiter), 3); /* a refusal leaves nothing */
    assert_true(add(&r, "192.0.3.1", MINUTE, 1));
    assert_true(add(&r, "198.51.100.1", MINUTE, 1));
    assert_true(add(&r, "203.0.113.1", MINUTE, 1));
    release(&r, "203.0.113.1", MINUTE, 1);
    assert_int_equal(mox_ratelimit_counters(r.limiter), 6); /* the ended minute's are gone, too */
    rig_done(&r);
}

/* An address of its own /21 each. */
static struct mox_ratelimit_address nth(uint32_t n)
{
    char ip[32];
    n *= 2048;
    (void)snprintf(ip, sizeof ip, "%u.%u.%u.1", (unsigned)(n >> 24), (unsigned)(n >> 16 & 255),
                   (unsigned)(n >> 8 & 255));
    return at(ip);
}

static void a_full_table_forgets_the_least_recently_used(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &minute_246, 1, 3000);
    struct mox_ratelimit_address offender = nth(0), address;
    assert_int_equal(mox_ratelimit_add(r.limiter, &offender, 0, 2), MOX_OK);
    for (uint32_t i = 1; i <= 100000; i++) {
        address = nth(i);
        assert_int_equal(mox_ratelimit_add(r.limiter, &address, 0, 2),
                         MOX_OK); /* never refuses all */
        if (i % 500 == 0)         /* who is refused again and again is remembered */
            assert_false(mox_ratelimit_can_add(r.limiter, &offender, 0, 1));
    }
    assert_int_equal(mox_ratelimit_counters(r.limiter), 3000);
    address = nth(100000 - 900);
    assert_false(mox_ratelimit_can_add(r.limiter, &address, 0, 1));
    address = nth(100000 - 1100);
    assert_true(mox_ratelimit_can_add(r.limiter, &address, 0, 2));
    rig_done(&r);
}

static void what_is_open_is_never_forgotten(void **state)
{
    (void)state;
    static const struct mox_ratelimit_window open = {0, {2, 4, 6}};
    struct rig r;
    rig_init(&r, &open, 1, 3 * 100);
    struct mox_ratelimit_address address;
    for (uint32_t i = 0; i < 100; i++) {
        address = nth(i);
        assert_int_equal(mox_ratelimit_add(r.limiter, &address, 0, 1), MOX_OK);
    }
    address = nth(100);
    assert_int_equal(mox_ratelimit_add(r.limiter, &address, 0, 1), MOX_ENOMEM);
    for (uint32_t i = 0; i < 100; i++) {
        address = nth(i);
        assert_int_equal(mox_ratelimit_add(r.limiter, &address, 0, 1), MOX_OK);
        assert_int_equal(mox_ratelimit_add(r.limiter, &address, 0, 1), MOX_ETOOMANY);
        mox_ratelimit_release(r.limiter, &address, 0, 2);
    }
    assert_int_equal(mox_ratelimit_counters(r.limiter), 0);
    rig_done(&r);
}

/* The table then stays as large as it is, and old counters make room early. */
static void without_memory_it_still_decides(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &minute_246, 1, 0);
    struct mox_ratelimit_address address = nth(0);
    r.t.fail_at = r.t.allocations + 1;
    assert_int_equal(mox_ratelimit_add(r.limiter, &address, 0, 1), MOX_ENOMEM);
    assert_int_equal(mox_ratelimit_counters(r.limiter), 0);
    for (uint32_t i = 0; i < 10000; i++) {
        r.t.fail_at = i % 5 < 3 ? r.t.allocations + 1 : 0;
        address = nth(i);
        int rc = mox_ratelimit_add(r.limiter, &address, 0, 2);
        assert_true(rc == MOX_OK || (rc == MOX_ENOMEM && i < 5));
        assert_int_equal(mox_ratelimit_can_add(r.limiter, &address, 0, 1), rc == MOX_ENOMEM);
    }
    rig_done(&r);
}

static void no_limiter_limits_nothing(void **state)
{
    (void)state;
    struct mox_ratelimit_address address = at("192.0.2.1");
    assert_int_equal(mox_ratelimit_add(NULL, &address, 0, 1000000), MOX_OK);
    assert_true(mox_ratelimit_can_add(NULL, &address, 0, 1));
    mox_ratelimit_release(NULL, &address, 0, 1);
    mox_ratelimit_reset(NULL, &address, 0);
    mox_ratelimit_free(NULL);
}

static void limits_of_none_and_of_nothing(void **state)
{
    (void)state;
    static const struct mox_ratelimit_window windows[] = {
        {MINUTE, {MOX_RATELIMIT_NONE, MOX_RATELIMIT_NONE, 0}}};
    struct rig r;
    rig_init(&r, windows, 1, 0);
    assert_false(add(&r, "192.0.2.1", 0, 1));
    rig_done(&r);
    static const struct mox_ratelimit_window none = {
        MINUTE, {MOX_RATELIMIT_NONE, MOX_RATELIMIT_NONE, MOX_RATELIMIT_NONE}};
    rig_init(&r, &none, 1, 0);
    assert_true(add(&r, "192.0.2.1", 0, UINT32_MAX));
    assert_false(add(&r, "192.0.2.1", 0, 1)); /* counts end there */
    rig_done(&r);
}

static void senseless_settings_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct mox_ratelimit_window windows[2];
        size_t count;
        uint32_t capacity;
    } cases[] = {
        {{{MINUTE, {1, 1, 1}}}, 0, 100},
        {{{MINUTE, {1, 1, 1}}}, 5, 100},
        {{{MINUTE, {1, 1, 1}}}, 1, 2},
        {{{MINUTE, {1, 1, 1}}}, 1, UINT32_MAX},
        {{{SECOND - 1, {1, 1, 1}}}, 1, 100},
        {{{-MINUTE, {1, 1, 1}}}, 1, 100},
        {{{0, {1, 1, 1}}, {MINUTE, {1, 1, 1}}}, 2, 100},
    };
    struct test_env t;
    test_env_init(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_ratelimit_config config;
        struct mox_ratelimit *limiter = NULL;
        mox_ratelimit_config_init(&config);
        memcpy(config.windows, cases[i].windows, sizeof cases[i].windows);
        config.window_count = cases[i].count;
        config.capacity = cases[i].capacity;
        assert_int_equal(mox_ratelimit_new(&limiter, &t.env, &config), MOX_EINVAL);
        assert_null(limiter);
    }
    test_env_done(&t);
}

static void making_one_may_run_out_of_memory(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    struct mox_ratelimit_config config;
    mox_ratelimit_config_init(&config);
    config.windows[0] = minute_246;
    config.window_count = 1;
    struct mox_ratelimit *limiter = NULL;
    int rc = MOX_ENOMEM;
    for (long n = 1; rc == MOX_ENOMEM; n++) {
        t.fail_at = t.allocations + n;
        rc = mox_ratelimit_new(&limiter, &t.env, &config);
        assert_int_equal(rc == MOX_OK, limiter != NULL);
    }
    assert_int_equal(rc, MOX_OK);
    mox_ratelimit_free(limiter);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_and_its_networks_have_limits),
        cmocka_unit_test(ipv6_networks_are_wider),
        cmocka_unit_test(a_mapped_address_is_the_ipv4_address),
        cmocka_unit_test(a_window_ends_with_the_clocks),
        cmocka_unit_test(a_clock_that_goes_back_keeps_the_newer_window),
        cmocka_unit_test(asking_does_not_turn_the_window),
        cmocka_unit_test(every_window_must_have_room),
        cmocka_unit_test(success_gives_the_networks_back_what_the_address_took),
        cmocka_unit_test(what_is_released_can_be_taken_again),
        cmocka_unit_test(counters_of_zero_are_gone),
        cmocka_unit_test(a_full_table_forgets_the_least_recently_used),
        cmocka_unit_test(what_is_open_is_never_forgotten),
        cmocka_unit_test(without_memory_it_still_decides),
        cmocka_unit_test(no_limiter_limits_nothing),
        cmocka_unit_test(limits_of_none_and_of_nothing),
        cmocka_unit_test(senseless_settings_are_refused),
        cmocka_unit_test(making_one_may_run_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
