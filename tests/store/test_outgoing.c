/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "store/storefix.h"
#include "support/cm.h"

/* What an account may send in a day. The clock stands still until it is moved. */

#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)

static int send_to(struct storefix *f, struct mox_outgoing *op, const char *const *people,
                   size_t count)
{
    op->recipients = people;
    op->recipient_count = count;
    return wait_outgoing(f, op);
}

static int send_one(struct storefix *f, struct mox_outgoing *op, const char *person)
{
    return send_to(f, op, &person, 1);
}

static void every_recipient_of_every_message_counts(void **state)
{
    struct storefix *f = *state;
    static const char *const three[] = {"a@x.example", "b@x.example", "a@x.example"};
    struct mox_outgoing op = {.max_recipients = 4, .max_first_time = UINT64_MAX};
    assert_int_equal(send_to(f, &op, three, 3), MOX_OK);
    assert_int_equal(op.day_recipients, 0);
    assert_int_equal(send_to(f, &op, three, 2), MOX_ELIMIT);
    assert_int_equal(op.exceeded, MOX_OUTGOING_RECIPIENTS);
    assert_int_equal(op.day_recipients, 3);
    assert_non_null(strstr(op.write.error.text, "limit of 4 recipients"));
    assert_int_equal(send_to(f, &op, three, 1), MOX_OK); /* what was refused did not count */
    assert_int_equal(op.exceeded, MOX_OUTGOING_NOTHING);
    assert_int_equal(send_one(f, &op, "a@x.example"), MOX_ELIMIT);
}

static void only_new_recipients_count_as_first_time(void **state)
{
    struct storefix *f = *state;
    static const char *const two[] = {"a@x.example", "b@x.example"};
    static const char *const mixed[] = {"a@x.example", "c@x.example", "c@x.example"};
    struct mox_outgoing op = {.max_recipients = UINT64_MAX, .max_first_time = 2};
    assert_int_equal(send_to(f, &op, two, 2), MOX_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(send_to(f, &op, two, 2), MOX_OK);
    assert_int_equal(op.day_first_time, 2);
    assert_int_equal(send_to(f, &op, mixed, 3), MOX_ELIMIT);
    assert_int_equal(op.exceeded, MOX_OUTGOING_FIRST_TIME);
    assert_non_null(strstr(op.write.error.text, "limit of 2 recipients that it writes to for the"));
    op.max_first_time = 3;
    assert_int_equal(send_to(f, &op, mixed, 3), MOX_OK); /* c once, for it was not kept before */
    op.max_first_time = 0; /* lowered below what was sent already */
    assert_int_equal(send_one(f, &op, "c@x.example"), MOX_ELIMIT);
}

static void a_day_later_they_do_not_count(void **state)
{
    struct storefix *f = *state;
    struct mox_outgoing op = {.max_recipients = 1, .max_first_time = 1};
    assert_int_equal(send_one(f, &op, "a@x.example"), MOX_OK);
    test_env_advance(&f->t, 24 * HOUR - SECOND);
    assert_int_equal(send_one(f, &op, "a@x.example"), MOX_ELIMIT);
    test_env_advance(&f->t, 61 * SECOND); /* minutes are what is counted in */
    assert_int_equal(send_one(f, &op, "b@x.example"), MOX_OK);
    assert_int_equal(op.day_recipients, 0);
    assert_int_equal(query(f, "SELECT count(*) FROM outgoing"), 1);
    test_env_advance(&f->t, 240 * HOUR);
    assert_int_equal(send_one(f, &op, "a@x.example"), MOX_OK);
    op.max_recipients = 2;
    assert_int_equal(send_one(f, &op, "b@x.example"), MOX_OK); /* known, if long ago */
    assert_int_equal(op.day_first_time, 0);
}

static void a_minute_is_one_row(void **state)
{
    struct storefix *f = *state;
    struct mox_outgoing op = {.max_recipients = UINT64_MAX, .max_first_time = UINT64_MAX};
    char person[32];
    for (int i = 0; i < 200; i++) {
        (void)snprintf(person, sizeof person, "p%d@x.example", i / 2);
        assert_int_equal(send_one(f, &op, person), MOX_OK);
    }
    assert_int_equal(query(f, "SELECT count(*) FROM outgoing"), 1);
    assert_int_equal(query(f, "SELECT recipients FROM outgoing"), 200);
    assert_int_equal(query(f, "SELECT fresh FROM outgoing"), 100);
    assert_int_equal(query(f, "SELECT count(*) FROM contact"), 100);
}

static void it_is_known_after_a_restart(void **state)
{
    struct storefix *f = *state;
    struct mox_outgoing op = {.max_recipients = 2, .max_first_time = 1};
    assert_int_equal(send_one(f, &op, "a@x.example"), MOX_OK);
    storefix_stop(f);
    storefix_start(f);
    assert_int_equal(send_one(f, &op, "b@x.example"), MOX_ELIMIT);
    assert_int_equal(op.exceeded, MOX_OUTGOING_FIRST_TIME);
    assert_int_equal(send_one(f, &op, "a@x.example"), MOX_OK);
    assert_int_equal(send_one(f, &op, "a@x.example"), MOX_ELIMIT);
    assert_int_equal(op.exceeded, MOX_OUTGOING_RECIPIENTS);
}

/* A clock that was years ahead for a moment stops nobody from sending. */
static void what_was_counted_in_the_future_does_not_count(void **state)
{
    struct storefix *f = *state;
    struct mox_outgoing op = {.max_recipients = 1, .max_first_time = 1};
    test_env_advance(&f->t, 10000 * HOUR);
    assert_int_equal(send_one(f, &op, "a@x.example"), MOX_OK);
    f->t.wall_us -= 10000 * HOUR;
    assert_int_equal(send_one(f, &op, "b@x.example"), MOX_OK);
    f->t.wall_us -= HOUR; /* but a small step back frees nothing */
    assert_int_equal(send_one(f, &op, "b@x.example"), MOX_ELIMIT);
}

static void keep_text(void *user, const char *text)
{
    (void)snprintf(user, 256, "%s", text);
}

static void sums_that_cannot_be_are_found(void **state)
{
    struct storefix *f = *state;
    struct mox_outgoing op = {.max_recipients = 9, .max_first_time = 9};
    char text[256] = "";
    assert_int_equal(send_one(f, &op, "a@x.example"), MOX_OK);
    storefix_stop(f);
    (void)query(f, "DELETE FROM contact");
    assert_int_equal(mox_store_verify(&f->t.env, f->dir, keep_text, text, NULL), MOX_ECORRUPT);
    assert_non_null(strstr(text, "1 people were written to for the first time"));
    (void)query(f, "DELETE FROM outgoing");
    storefix_start(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(every_recipient_of_every_message_counts),
        STORE_TEST(only_new_recipients_count_as_first_time),
        STORE_TEST(a_day_later_they_do_not_count),
        STORE_TEST(a_minute_is_one_row),
        STORE_TEST(it_is_known_after_a_restart),
        STORE_TEST(what_was_counted_in_the_future_does_not_count),
        STORE_TEST(sums_that_cannot_be_are_found),
    };
    return cmocka_run_group_tests_name("store-outgoing", tests, NULL, NULL);
}
