/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "exchange.h"
#include "sasl/server.h"
#include "support/cm.h"

/* The server side of what is not SCRAM, and what all mechanisms have in common. */

static void names_are_found_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(mox_sasl_mechanism(slice_of("scram-sha-256-plus")),
                     MOX_SASL_SCRAM_SHA_256_PLUS);
    assert_int_equal(mox_sasl_mechanism(slice_of("Plain")), MOX_SASL_PLAIN);
    assert_int_equal(mox_sasl_mechanism(slice_of("PLAI")), 0);
    assert_int_equal(mox_sasl_mechanism(slice_of("PLAINX")), 0);
    assert_int_equal(mox_sasl_mechanism(slice("", 0)), 0);
    for (unsigned bit = 1; bit <= MOX_SASL_OAUTHBEARER; bit *= 2) {
        const char *name = mox_sasl_mechanism_name((enum mox_sasl_mechanism)bit);
        assert_int_equal(mox_sasl_mechanism(slice_of(name)), bit);
    }
    assert_string_equal(mox_sasl_mechanism_name((enum mox_sasl_mechanism)0), "");
    assert_string_equal(mox_sasl_mechanism_name((enum mox_sasl_mechanism)3), "");
}

static void assert_offered(unsigned set, const char *expected)
{
    char text[256] = "";
    const char *name;
    for (size_t n = 0; (name = mox_sasl_offered_name(set, n)) != NULL; n++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", name);
    assert_string_equal(text, expected);
}

static void what_is_offered_depends_on_the_channel(void **state)
{
    (void)state;
    struct mox_tls_info tls = {.size = sizeof tls};
    assert_offered(0, "");
    assert_offered(mox_sasl_offered(~0u, NULL, false), "SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 ");
    assert_offered(mox_sasl_offered(~0u, NULL, true),
                   "SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 OAUTHBEARER PLAIN LOGIN ");
    assert_offered(mox_sasl_offered(~0u, &tls, false),
                   "SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 OAUTHBEARER PLAIN LOGIN ");
    tls.end_point_len = 32;
    assert_offered(mox_sasl_offered(MOX_SASL_SCRAM_SHA_1_PLUS | MOX_SASL_PLAIN, &tls, false),
                   "PLAIN ");
    tls.has_exporter = tls.has_client_key = true;
    assert_offered(mox_sasl_offered(~0u, &tls, false),
                   "EXTERNAL SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 "
                   "CRAM-MD5 OAUTHBEARER PLAIN LOGIN ");
    assert_offered(mox_sasl_offered(MOX_SASL_PASSWORDS, &tls, false), "PLAIN LOGIN ");
}

static void each_failure_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(mox_sasl_failure_name((enum mox_sasl_failure)0), "ok");
    assert_string_equal(mox_sasl_failure_name(MOX_SASL_FAILED_SYNTAX), "badprotocol");
    assert_string_equal(mox_sasl_failure_name(MOX_SASL_FAILED_AUTHORIZATION), "badcreds");
    assert_string_equal(mox_sasl_failure_name(MOX_SASL_FAILED_BINDING), "badchanbind");
    assert_string_equal(mox_sasl_failure_name(MOX_SASL_FAILED_DISABLED), "logindisabled");
    assert_string_equal(mox_sasl_failure_name(MOX_SASL_FAILED_ABORTED), "aborted");
    assert_string_equal(mox_sasl_failure_name(MOX_SASL_FAILED_MEMORY), "error");
}

static void no_mechanism_is_not_begun(void **state)
{
    struct exchange *x = *state;
    static const unsigned none[] = {0, 3, 1u << 9, ~0u};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(mox_sasl_server_new(&x->server, &x->t.env,
                                             (enum mox_sasl_mechanism)none[i], &x->config),
                         MOX_EINVAL);
    assert_null(x->server);
}

/* ---- PLAIN and LOGIN ---- */

static void plain_takes_name_and_password_in_one_response(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_PLAIN);
    exchange_say(x, NULL);
    assert_challenge(x, "");
    exchange_say_bytes(x, "user\0user\0pencil", 16);
    assert_success(x, "user");
}

static void plain_responses_are_taken_apart_strictly(void **state)
{
    struct exchange *x = *state;
    static const struct {
        const char *response;
        size_t len;
        enum mox_sasl_failure failure;
    } cases[] = {
        {"\0user\0pencil", 12, 0},
        {"user\0user\0pencil", 16, 0},
        {"v\0user\0pencil", 13, MOX_SASL_FAILED_AUTHORIZATION},
        {"", 0, MOX_SASL_FAILED_SYNTAX},
        {"u", 1, MOX_SASL_FAILED_SYNTAX},
        {"\0u", 2, MOX_SASL_FAILED_SYNTAX},
        {"\0u\0p\0", 5, MOX_SASL_FAILED_SYNTAX},
        {"\0u\0p\0x", 6, MOX_SASL_FAILED_SYNTAX},
        {"\0\xff\0p", 4, MOX_SASL_FAILED_SYNTAX},
        {"\0u\0\xc3", 4, MOX_SASL_FAILED_SYNTAX},
        {"\xff\0u\0p", 5, MOX_SASL_FAILED_SYNTAX},
        {"\0u\0", 3, MOX_SASL_FAILED_CREDENTIALS},
        {"\0\0", 2, MOX_SASL_FAILED_CREDENTIALS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("case %zu\n", i);
        exchange_start(x, MOX_SASL_PLAIN);
        exchange_say_bytes(x, cases[i].response, cases[i].len);
        if (cases[i].failure == 0)
            assert_success(x, "user");
        else
            assert_failed(x, cases[i].failure);
    }
}

static void login_asks_for_name_and_password(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_LOGIN);
    exchange_say(x, NULL);
    assert_challenge(x, "Username:");
    assert_string_equal(mox_sasl_server_username(x->server), "");
    exchange_say(x, "user");
    assert_challenge(x, "Password:");
    assert_string_equal(mox_sasl_server_username(x->server), "user");
    exchange_say(x, "pencil");
    assert_success(x, "user");
}

static void login_takes_the_name_as_initial_response(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_LOGIN);
    exchange_say(x, "user");
    assert_challenge(x, "Password:");
    exchange_say(x, "pencil");
    assert_success(x, "user");
    exchange_start(x, MOX_SASL_LOGIN);
    exchange_say(x, ""); /* an empty name is one too */
    assert_challenge(x, "Password:");
    exchange_say(x, "");
    assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
    exchange_start(x, MOX_SASL_LOGIN);
    exchange_say(x, "us\xff");
    assert_failed(x, MOX_SASL_FAILED_SYNTAX);
    exchange_start(x, MOX_SASL_LOGIN);
    exchange_say(x, "user");
    exchange_say_bytes(x, "pen\0cil", 7);
    assert_failed(x, MOX_SASL_FAILED_SYNTAX);
}

/* ---- the others ---- */

static void cram_md5_has_another_challenge_each_time(void **state)
{
    struct exchange *x = *state;
    char first[100];
    exchange_start(x, MOX_SASL_CRAM_MD5);
    exchange_say(x, NULL);
    struct mox_slice said = mox_sasl_server_challenge(x->server);
    assert_true(said.len < sizeof first);
    memcpy(first, said.data, said.len);
    /* RFC 2195 §2: <random.time@host>; the time is in nanoseconds. */
    assert_int_equal(first[0], '<');
    assert_memory_equal(first + said.len - 11, "mx.example>", 11);
    assert_memory_equal(first + 21, ".1767323045000000000@", 21);
    exchange_start(x, MOX_SASL_CRAM_MD5);
    exchange_say(x, NULL);
    assert_memory_not_equal(mox_sasl_server_challenge(x->server).data, first, said.len);
}

static void cram_md5_responses_are_taken_apart_strictly(void **state)
{
    struct exchange *x = *state;
    static const struct {
        const char *response;
        const char *username; /* NULL: SYNTAX */
    } cases[] = {
        {"user 00112233445566778899aabbccddeeff", "user"},
        {"user 00112233445566778899AABBCCDDEEFF", "user"},
        {"John Doe 00112233445566778899aabbccddeeff", "John Doe"},
        {" 00112233445566778899aabbccddeeff", ""},
        {"", NULL},
        {"user", NULL},
        {"00112233445566778899aabbccddeeff", NULL},
        {"user 00112233445566778899aabbccddeef", NULL},
        {"user 00112233445566778899aabbccddeeff0", NULL},
        {"user 00112233445566778899aabbccddeegf", NULL},
        {"user\t00112233445566778899aabbccddeeff", NULL},
        {"us\xff 00112233445566778899aabbccddeeff", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%s\n", cases[i].response);
        exchange_start(x, MOX_SASL_CRAM_MD5);
        exchange_say(x, NULL);
        exchange_say(x, cases[i].response);
        if (cases[i].username == NULL) {
            assert_failed(x, MOX_SASL_FAILED_SYNTAX);
            continue;
        }
        assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
        assert_string_equal(mox_sasl_server_username(x->server), cases[i].username);
    }
    exchange_start(x, MOX_SASL_CRAM_MD5);
    exchange_say(x, "user 00112233445566778899aabbccddeeff"); /* before the challenge */
    assert_failed(x, MOX_SASL_FAILED_SYNTAX);
}

static void external_asks_whose_the_certificate_is(void **state)
{
    struct exchange *x = *state;
    exchange_use_tls(x);
    exchange_start(x, MOX_SASL_EXTERNAL);
    exchange_say(x, NULL);
    assert_challenge(x, "");
    exchange_say(x, "");
    assert_success(x, "user");
    exchange_start(x, MOX_SASL_EXTERNAL);
    exchange_say(x, "somebody");
    assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
    exchange_start(x, MOX_SASL_EXTERNAL);
    exchange_say_bytes(x, "us\0er", 5);
    assert_failed(x, MOX_SASL_FAILED_SYNTAX);
    x->config.tls = NULL;
    exchange_start(x, MOX_SASL_EXTERNAL);
    exchange_say(x, "user");
    assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
}

#define SEP "\001"

static void bearer_tokens_are_found(void **state)
{
    struct exchange *x = *state;
    static const char *const good[] = {
        "n,," SEP "auth=Bearer t0ken" SEP SEP,
        "y,," SEP "auth=bearer t0ken" SEP SEP,
        "n,a=user," SEP "host=h" SEP "port=1" SEP "auth=BEARER  t0ken" SEP SEP,
        "n,a=user," SEP "auth=Bearer t0ken" SEP "later=\tx y" SEP SEP,
    };
    static const char *const bad[] = {
        "",
        SEP,
        "n,,",
        "n,," SEP,
        "n,," SEP SEP,
        "n,,auth=Bearer t0ken" SEP SEP,
        "n,," SEP "auth=Bearer t0ken" SEP,
        "n,," SEP "auth=Bearer t0ken",
        "n,," SEP "auth=Bearer t0ken" SEP SEP "x",
        "n,," SEP "auth=Bearer" SEP SEP,
        "n,," SEP "auth=Bearer " SEP SEP,
        "n,," SEP "auth=Basic t0ken" SEP SEP,
        "n,," SEP "auth=Bearer t0 ken" SEP SEP,
        "n,," SEP "auth=Bearer t0ken\xff" SEP SEP,
        "n,," SEP "authx=Bearer t0ken" SEP SEP,
        "n,," SEP "auth=Bearer t0ken" SEP "auth=Bearer t0ken" SEP SEP,
        "n,a=us=er," SEP "auth=Bearer t0ken" SEP SEP,
        "n,a=," SEP "auth=Bearer t0ken" SEP SEP,
        "p=tls-exporter,," SEP "auth=Bearer t0ken" SEP SEP,
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        exchange_start(x, MOX_SASL_OAUTHBEARER);
        exchange_say(x, good[i]);
        assert_success(x, "user");
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        print_message("bad %zu\n", i);
        exchange_start(x, MOX_SASL_OAUTHBEARER);
        exchange_say(x, bad[i]);
        assert_failed(x, MOX_SASL_FAILED_SYNTAX);
        assert_int_equal(x->asked[MOX_SASL_ASK_TOKEN], 0);
    }
}

/* RFC 7628 §3.2.2, §3.2.3 */
static void wrong_tokens_are_told_in_json(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_OAUTHBEARER);
    exchange_say(x, NULL);
    assert_challenge(x, "");
    exchange_say(x, "n,," SEP "auth=Bearer wrong" SEP SEP);
    assert_challenge(x, "{\"status\":\"invalid_token\"}");
    exchange_say(x, SEP);
    assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
}

/* ---- what all have in common ---- */

static void responses_have_a_limit(void **state)
{
    struct exchange *x = *state;
    static char big[MOX_SASL_RESPONSE_MAX + 1];
    memset(big, 'a', sizeof big);
    for (unsigned bit = 1; bit <= MOX_SASL_OAUTHBEARER; bit *= 2) {
        exchange_start(x, (enum mox_sasl_mechanism)bit);
        exchange_say_bytes(x, big, sizeof big);
        assert_failed(x, MOX_SASL_FAILED_SYNTAX);
        exchange_start(x, (enum mox_sasl_mechanism)bit);
        exchange_say_bytes(x, NULL, 0);
        exchange_say_bytes(x, big, sizeof big);
        assert_failed(x, MOX_SASL_FAILED_SYNTAX);
    }
    exchange_start(x, MOX_SASL_LOGIN);
    exchange_say_bytes(x, big, MOX_SASL_USERNAME_MAX - 1);
    exchange_say_bytes(x, big, MOX_SASL_RESPONSE_MAX);
    assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
    exchange_start(x, MOX_SASL_LOGIN);
    exchange_say_bytes(x, big, MOX_SASL_USERNAME_MAX);
    assert_failed(x, MOX_SASL_FAILED_SYNTAX);
}

static void questions_say_what_is_asked(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_PLAIN);
    assert_int_equal(mox_sasl_server_step(x->server, slice("\0u\0p", 4)), MOX_SASL_ASK);
    const struct mox_sasl_question *q = mox_sasl_server_question(x->server);
    assert_int_equal(q->ask, MOX_SASL_ASK_PASSWORD);
    assert_string_equal(q->mechanism, "PLAIN");
    assert_string_equal(q->username, "u");
    assert_string_equal(q->password, "p");
    assert_string_equal(q->record, "");
    assert_string_equal(q->token, "");
    exchange_start(x, MOX_SASL_SCRAM_SHA_1_PLUS);
    assert_int_equal(mox_sasl_server_step(x->server, slice_of("n,,n=u,r=12345678")),
                     MOX_SASL_CHALLENGE); /* -PLUS without TLS */
    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    assert_int_equal(mox_sasl_server_step(x->server, slice_of("n,,n=u,r=12345678")), MOX_SASL_ASK);
    q = mox_sasl_server_question(x->server);
    assert_int_equal(q->ask, MOX_SASL_ASK_RECORD);
    assert_string_equal(q->mechanism, "SCRAM-SHA-1");
    assert_string_equal(q->record, "scram-sha-1");
    assert_string_equal(q->password, "");
}

/* Whatever a host does wrong, nobody gets in by it. */
static void calls_out_of_turn_fail(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_PLAIN);
    assert_int_equal(mox_sasl_server_answer(x->server, MOX_OK, NULL), MOX_SASL_FAILURE);
    assert_int_equal(mox_sasl_server_failure(x->server), MOX_SASL_FAILED_TEMPORARY);
    assert_int_equal(mox_sasl_server_step(x->server, slice("\0u\0p", 4)), MOX_SASL_FAILURE);

    exchange_start(x, MOX_SASL_PLAIN);
    assert_int_equal(mox_sasl_server_step(x->server, slice("\0u\0p", 4)), MOX_SASL_ASK);
    assert_int_equal(mox_sasl_server_step(x->server, slice("\0u\0p", 4)), MOX_SASL_FAILURE);
    assert_int_equal(mox_sasl_server_answer(x->server, MOX_OK, NULL), MOX_SASL_FAILURE);

    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    assert_int_equal(mox_sasl_server_step(x->server, slice_of("n,,n=user,r=12345678")),
                     MOX_SASL_ASK);
    assert_int_equal(mox_sasl_server_answer(x->server, MOX_OK, NULL), MOX_SASL_CHALLENGE);
    exchange_say(x, "c=biws,r=1,p=AAAA");
    exchange_say(x, "");
    assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
}

static void the_outcome_stays(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_PLAIN);
    exchange_say_bytes(x, "\0user\0pencil", 12);
    assert_success(x, "user");
    mox_sasl_server_abort(x->server);
    exchange_say_bytes(x, "\0user\0crayon", 12);
    assert_success(x, "user");
    exchange_start(x, MOX_SASL_PLAIN);
    exchange_say_bytes(x, "\0user\0crayon", 12);
    mox_sasl_server_abort(x->server);
    exchange_say_bytes(x, "\0user\0pencil", 12);
    assert_failed(x, MOX_SASL_FAILED_CREDENTIALS);
}

/* A hashing thread reads the password while the connection dies. */
static void a_question_outlives_its_abort(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_PLAIN);
    assert_int_equal(mox_sasl_server_step(x->server, slice("\0u\0pencil", 9)), MOX_SASL_ASK);
    const struct mox_sasl_question *q = mox_sasl_server_question(x->server);
    mox_sasl_server_abort(x->server);
    assert_string_equal(q->password, "pencil");
    assert_int_equal(mox_sasl_server_answer(x->server, MOX_OK, NULL), MOX_SASL_FAILURE);
    assert_int_equal(mox_sasl_server_failure(x->server), MOX_SASL_FAILED_ABORTED);
}

/* A program that was built when structs ended earlier. */
static void shorter_structs_of_the_host_work(void **state)
{
    struct exchange *x = *state;
    exchange_use_tls(x);
    x->config.size = offsetof(struct mox_sasl_server_config, offered);
    x->config.offered = 0;
    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    exchange_say(x, "y,,n=user,r=12345678");
    assert_challenge(x, "e=server-does-support-channel-binding");
    struct mox_sasl_answer answer;
    mox_sasl_answer_init(&answer);
    answer.size = offsetof(struct mox_sasl_answer, text);
    memset(answer.username, 'x', sizeof answer.username); /* without a NUL */
    memset(answer.text, 'x', sizeof answer.text);
    exchange_start(x, MOX_SASL_EXTERNAL);
    assert_int_equal(mox_sasl_server_step(x->server, slice("", 0)), MOX_SASL_ASK);
    assert_int_equal(mox_sasl_server_answer(x->server, MOX_EREFUSED, &answer), MOX_SASL_FAILURE);
    assert_string_equal(mox_sasl_server_text(x->server), "");
    exchange_start(x, MOX_SASL_EXTERNAL);
    assert_int_equal(mox_sasl_server_step(x->server, slice("", 0)), MOX_SASL_ASK);
    assert_int_equal(mox_sasl_server_answer(x->server, MOX_OK, &answer), MOX_SASL_SUCCESS);
    assert_int_equal(strlen(mox_sasl_server_username(x->server)), MOX_SASL_USERNAME_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_any_case),
        cmocka_unit_test(what_is_offered_depends_on_the_channel),
        cmocka_unit_test(each_failure_has_a_name),
        SASL_TEST(no_mechanism_is_not_begun),
        SASL_TEST(plain_takes_name_and_password_in_one_response),
        SASL_TEST(plain_responses_are_taken_apart_strictly),
        SASL_TEST(login_asks_for_name_and_password),
        SASL_TEST(login_takes_the_name_as_initial_response),
        SASL_TEST(cram_md5_has_another_challenge_each_time),
        SASL_TEST(cram_md5_responses_are_taken_apart_strictly),
        SASL_TEST(external_asks_whose_the_certificate_is),
        SASL_TEST(bearer_tokens_are_found),
        SASL_TEST(wrong_tokens_are_told_in_json),
        SASL_TEST(responses_have_a_limit),
        SASL_TEST(questions_say_what_is_asked),
        SASL_TEST(calls_out_of_turn_fail),
        SASL_TEST(the_outcome_stays),
        SASL_TEST(a_question_outlives_its_abort),
        SASL_TEST(shorter_structs_of_the_host_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
