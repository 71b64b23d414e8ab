/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sasl/sasl.h"
#include "support/cm.h"
#include "support/testenv.h"

struct fixture {
    struct test_env t;
    struct sasl x;
    struct mox_slice challenge;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    test_env_init(&f->t);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mox__sasl_end(&f->x);
    test_env_done(&f->t);
    free(f);
    return 0;
}

static void start(struct fixture *f, const char *name)
{
    const struct sasl_mechanism *m = mox__sasl_find(slice_of(name));
    assert_non_null(m);
    mox__sasl_start(&f->x, &f->t.env, m);
}

static enum sasl_step step(struct fixture *f, const char *data, size_t len)
{
    return mox__sasl_step(&f->x, slice(data, len), &f->challenge);
}

static void assert_login(struct fixture *f, const char *username, const char *password)
{
    assert_string_equal(mox__sasl_username(&f->x), username);
    assert_string_equal(mox__sasl_password(&f->x), password);
}

static void plain_takes_name_and_password_in_one_response(void **state)
{
    struct fixture *f = *state;
    start(f, "plain");
    assert_int_equal(mox__sasl_step(&f->x, SASL_NO_RESPONSE, &f->challenge), SASL_CHALLENGE);
    assert_int_equal(f->challenge.len, 0);
    assert_int_equal(step(f, "tim\0tim\0tanstaaftanstaaf", 24), SASL_PASSWORD);
    assert_login(f, "tim", "tanstaaftanstaaf");
}

static void plain_responses_are_taken_apart_strictly(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *response;
        size_t len;
        enum sasl_step step;
    } cases[] = {
        {"\0u\0p", 4, SASL_PASSWORD},     {"u\0u\0p", 5, SASL_PASSWORD},
        {"v\0u\0p", 5, SASL_REFUSED},     {"", 0, SASL_MALFORMED},
        {"u", 1, SASL_MALFORMED},         {"\0u", 2, SASL_MALFORMED},
        {"\0u\0p\0", 5, SASL_MALFORMED},  {"\0u\0p\0x", 6, SASL_MALFORMED},
        {"\0\xff\0p", 4, SASL_MALFORMED}, {"\0u\0\xc3", 4, SASL_MALFORMED},
        {"\0u\0", 3, SASL_PASSWORD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(f, "PLAIN");
        assert_int_equal(step(f, cases[i].response, cases[i].len), cases[i].step);
        mox__sasl_end(&f->x);
    }
}

static void login_asks_for_name_and_password(void **state)
{
    struct fixture *f = *state;
    start(f, "LOGIN");
    assert_int_equal(mox__sasl_step(&f->x, SASL_NO_RESPONSE, &f->challenge), SASL_CHALLENGE);
    assert_true(mox__slice_is(f->challenge, "Username:"));
    assert_int_equal(step(f, "tim", 3), SASL_CHALLENGE);
    assert_true(mox__slice_is(f->challenge, "Password:"));
    assert_int_equal(step(f, "secret", 6), SASL_PASSWORD);
    assert_login(f, "tim", "secret");
}

static void login_takes_the_name_as_initial_response(void **state)
{
    struct fixture *f = *state;
    start(f, "LOGIN");
    assert_int_equal(step(f, "", 0), SASL_CHALLENGE); /* an empty name is one too */
    assert_true(mox__slice_is(f->challenge, "Password:"));
    assert_int_equal(step(f, "", 0), SASL_PASSWORD);
    assert_login(f, "", "");
}

static void a_response_has_a_limit(void **state)
{
    struct fixture *f = *state;
    static char big[SASL_RESPONSE_MAX + 1];
    memset(big, 'a', sizeof big);
    start(f, "LOGIN");
    assert_int_equal(step(f, big, sizeof big), SASL_MALFORMED);
    mox__sasl_end(&f->x);
    start(f, "LOGIN");
    assert_int_equal(step(f, big, SASL_RESPONSE_MAX), SASL_CHALLENGE);
    assert_int_equal(step(f, big, 1), SASL_MALFORMED); /* both together have the limit of one */
    mox__sasl_end(&f->x);
    start(f, "PLAIN");
    big[0] = big[2] = '\0';
    assert_int_equal(step(f, big, SASL_RESPONSE_MAX), SASL_PASSWORD);
}

static void running_out_of_memory_is_said(void **state)
{
    struct fixture *f = *state;
    start(f, "PLAIN");
    f->t.fail_at = 1;
    assert_int_equal(step(f, "\0u\0p", 4), SASL_FAILED);
}

/* The allocator's last look at a block that is freed. */
static struct mox_env inner;
static bool saw_secret;

static void *watching(void *user, void *ptr, size_t size)
{
    if (ptr != NULL && memcmp(ptr, "u\0hunter2", 9) == 0)
        saw_secret = true;
    return inner.realloc(user, ptr, size);
}

static void secrets_are_wiped(void **state)
{
    struct fixture *f = *state;
    inner = f->t.env;
    f->t.env.realloc = watching;
    saw_secret = false;
    start(f, "PLAIN");
    assert_int_equal(step(f, "\0u\0hunter2", 10), SASL_PASSWORD);
    mox__sasl_end(&f->x);
    assert_false(saw_secret);
}

static void unknown_mechanisms_are_not_found(void **state)
{
    (void)state;
    assert_null(mox__sasl_find(slice_of("PLAI")));
    assert_null(mox__sasl_find(slice_of("")));
    assert_null(mox__sasl_find(slice_of("PLAINX")));
    assert_string_equal(mox__sasl_offered(0), "PLAIN");
    assert_string_equal(mox__sasl_offered(1), "LOGIN");
    assert_null(mox__sasl_offered(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plain_takes_name_and_password_in_one_response, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(plain_responses_are_taken_apart_strictly, setup, teardown),
        cmocka_unit_test_setup_teardown(login_asks_for_name_and_password, setup, teardown),
        cmocka_unit_test_setup_teardown(login_takes_the_name_as_initial_response, setup, teardown),
        cmocka_unit_test_setup_teardown(a_response_has_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(running_out_of_memory_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(secrets_are_wiped, setup, teardown),
        cmocka_unit_test(unknown_mechanisms_are_not_found),
    };
    return cmocka_run_group_tests_name("sasl-mechanisms", tests, NULL, NULL);
}
