/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "store/store.h"
#include "store/storefix.h"
#include "support/cm.h"

/* What came from where, for the limits of deliveries. The clock stands still until it is moved. */

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

static void open_counting(struct storefix *f)
{
    struct mox_account_config config = {.size = sizeof config, .count_arrivals = true};
    struct mox_error err;
    assert_int_equal(mox_store_open(&f->store, &f->t.env, f->dir, &err), MOX_OK);
    assert_int_equal(
        mox_account_open(&f->account, f->store, "mjl", MOX_ACCOUNT_CREATE, &config, &err), MOX_OK);
    f->mail = mox_account_mailstore(f->account);
}

static void reopen(struct storefix *f)
{
    storefix_stop(f);
    open_counting(f);
}

static int setup(void **state)
{
    int rc = storefix_open(state);
    reopen(*state);
    return rc;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, storefix_close)

/* Its size as stored. */
static uint64_t arrives(struct storefix *f, const char *ip)
{
    struct mox_delivery_facts facts = {.size = sizeof facts, .remote_ip = ip};
    struct mox_append op = {.mailbox_name = "Inbox", .facts = &facts};
    op.prefix.data = (const uint8_t *)"X-A: b\r\n";
    op.prefix.len = 8;
    op.spool = mail_spool(f, "Subject: x\r\n", 100);
    assert_int_equal(wait_append(f, &op), MOX_OK);
    struct mox_slice content;
    assert_int_equal(mox_spool_bytes(op.spool, &content), MOX_OK);
    mox_spool_free(op.spool);
    return 8 + content.len;
}

static struct mox_arrivals of(struct storefix *f, const char *ip)
{
    struct mox_arrivals a;
    mox_account_arrivals(f->account, ip, &a);
    return a;
}

static void assert_counts(struct storefix *f, const char *ip, unsigned minute, unsigned day)
{
    struct mox_arrivals a = of(f, ip);
    assert_int_equal(a.minute[0].messages, minute);
    assert_int_equal(a.day[0].messages, day);
}

static void an_address_counts_for_its_networks(void **state)
{
    struct storefix *f = *state;
    uint64_t bytes = arrives(f, "192.0.2.1");
    (void)arrives(f, "192.0.2.1");
    (void)arrives(f, "192.0.2.63");
    (void)arrives(f, "192.0.7.1");
    (void)arrives(f, "2001:db8::1");
    struct mox_arrivals a = of(f, "::ffff:192.0.2.1");
    for (size_t class = 0; class < MOX_NETWORK_CLASSES; class ++) {
        assert_int_equal(a.minute[class].messages, 2 + class);
        assert_int_equal(a.day[class].messages, 2 + class);
        assert_int_equal(a.day[class].bytes, (2 + class) * bytes);
    }
    assert_counts(f, "2001:db8::2", 1, 1);
    assert_counts(f, "198.51.100.1", 0, 0);
    assert_counts(f, "nonsense", 0, 0);
}

static void the_windows_slide(void **state)
{
    struct storefix *f = *state;
    for (unsigned i = 0; i < 60; i++) {
        uint64_t bytes = arrives(f, "192.0.2.1");
        assert_int_equal(of(f, "192.0.2.1").minute[0].bytes, bytes * (i < 6 ? i + 1 : 6));
        test_env_advance(&f->t, 10 * SECOND);
    }
    assert_counts(f, "192.0.2.1", 5, 60);
    test_env_advance(&f->t, MINUTE);
    assert_counts(f, "192.0.2.1", 0, 60);
    test_env_advance(&f->t, 24 * HOUR - 11 * MINUTE + 25 * SECOND);
    assert_counts(f, "192.0.2.1", 0, 57);
    test_env_advance(&f->t, HOUR);
    assert_counts(f, "192.0.2.1", 0, 0);
    assert_int_equal(f->account->arrivals.networks.count, 0);
}

static void a_restart_forgets_nothing(void **state)
{
    struct storefix *f = *state;
    for (int i = 0; i < 30; i++) {
        (void)arrives(f, i % 3 == 0 ? "192.0.2.1" : "192.0.2.2");
        (void)add_mail(f, box_id(f, "Inbox"), "Subject: appended\r\n", 10);
        if (i % 7 == 0)
            reopen(f);
        test_env_advance(&f->t, HOUR);
    }
    struct mox_arrivals before = of(f, "192.0.2.1"), after;
    assert_int_equal(before.day[1].messages, 23); /* the 24th is a day old */
    reopen(f);
    after = of(f, "192.0.2.1");
    assert_memory_equal(&before, &after, sizeof before);
    assert_true(query(f, "SELECT arrivals FROM account") > 8); /* what is older is not read */
    test_env_advance(&f->t, 48 * HOUR);
    (void)add_mail(f, box_id(f, "Inbox"), "Subject: appended\r\n", 10);
    assert_int_equal(query(f, "SELECT message - arrivals FROM account"), 0);
}

static void who_does_not_count_leaves_it_to_others(void **state)
{
    struct storefix *f = *state;
    (void)arrives(f, "192.0.2.1");
    storefix_stop(f);
    storefix_start(f);
    (void)arrives(f, "192.0.2.1");
    assert_counts(f, "192.0.2.1", 0, 0);
    reopen(f);
    assert_counts(f, "192.0.2.1", 2, 2);
}

static void a_clock_that_is_set_back_keeps_nobody_out(void **state)
{
    struct storefix *f = *state;
    (void)arrives(f, "192.0.2.1");
    f->t.wall_us -= SECOND; /* such steps are usual */
    assert_counts(f, "192.0.2.1", 1, 1);
    f->t.wall_us -= 2 * HOUR;
    assert_counts(f, "192.0.2.1", 0, 0);
    (void)arrives(f, "192.0.2.1");
    assert_counts(f, "192.0.2.1", 1, 1);
    reopen(f);
    f->t.wall_us += 3 * HOUR;
    assert_counts(f, "192.0.2.1", 0, 1);
}

/* Ids are given when a message comes in, and a large one enters the transaction later. */
static void an_hour_begins_with_the_lowest_id(void **state)
{
    struct storefix *f = *state;
    struct mox_account *a = f->account;
    int64_t now_us = f->t.wall_us;
    mox__arrivals_mark(a, 7, now_us);
    mox__arrivals_mark(a, 6, now_us);
    assert_int_equal(mox__arrivals_from(a, 100), 6);
    mox__arrivals_mark(a, 9, now_us + HOUR);
    mox__arrivals_mark(a, 5, now_us);
    assert_int_equal(mox__arrivals_from(a, 100), 5);
    test_env_advance(&f->t, 25 * HOUR);
    assert_int_equal(mox__arrivals_from(a, 100), 5);
    test_env_advance(&f->t, HOUR);
    assert_int_equal(mox__arrivals_from(a, 100), 100);
}

static void keep_text(void *user, const char *text)
{
    (void)snprintf(user, 512, "%s", text);
}

static void verification_finds_a_day_that_begins_too_late(void **state)
{
    struct storefix *f = *state;
    (void)arrives(f, "192.0.2.1");
    storefix_stop(f);
    assert_int_equal(query(f, "UPDATE account SET arrivals = message RETURNING 1"), 1);
    struct mox_error err;
    char text[512] = "";
    assert_int_equal(mox_store_verify(&f->t.env, f->dir, keep_text, text, &err), MOX_ECORRUPT);
    assert_non_null(strstr(text, "came today"));
    assert_int_equal(query(f, "UPDATE account SET arrivals = 1 RETURNING 1"), 1);
    open_counting(f);
    assert_counts(f, "192.0.2.1", 1, 1);
}

static void memory_may_run_out(void **state)
{
    struct storefix *f = *state;
    struct mox_account *a = f->account;
    for (unsigned i = 0; i < 5000; i++) {
        char ip[32];
        (void)snprintf(ip, sizeof ip, "10.%u.%u.1", i / 250, i % 250);
        f->t.fail_at = i % 3 == 0 ? f->t.allocations + 1 : 0;
        mox__arrivals_note(a, ip, f->t.wall_us, 1);
    }
    f->t.fail_at = 0;
    struct mox_arrivals all = of(f, "10.19.249.1");
    assert_int_equal(all.day[0].messages, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_address_counts_for_its_networks),
        TEST(the_windows_slide),
        TEST(a_restart_forgets_nothing),
        TEST(who_does_not_count_leaves_it_to_others),
        TEST(a_clock_that_is_set_back_keeps_nobody_out),
        TEST(an_hour_begins_with_the_lowest_id),
        TEST(verification_finds_a_day_that_begins_too_late),
        TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests_name("store-arrivals", tests, NULL, NULL);
}
