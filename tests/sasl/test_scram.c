/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "exchange.h"
#include "sasl/server.h"
#include "support/cm.h"

/* What the server makes of the messages of SCRAM (RFC 5802). */

#define FAILED(suffix) MOX_SASL_FAILED_##suffix

static void first_messages_are_judged(void **state)
{
    struct exchange *x = *state;
    static const struct {
        const char *first, *said; /* NULL: nothing; "": it goes on */
        enum mox_sasl_failure failure;
    } cases[] = {
        {"n,,n=user,r=12345678", "", 0},
        {"y,,n=user,r=12345678", "", 0}, /* there is no TLS that -PLUS was offered on */
        {"n,a=user,n=user,r=12345678", "", 0},
        {"n,,n=user,r=12345678,x=y", "", 0},
        {"n,,n=user,r=12345678,x=y,z==,Q=\xc3\xa9", "", 0},
        {"n,,n=us=2Cer=3D,r=12345678", "", 0},
        {"n,a=b=2cd,n=b=2Cd,r=12345678", "", 0},
#ifdef MOX_HAVE_IDN
        {"n,,n=\xc3\xa9,r=12345678", "", 0},
#endif

        {"", NULL, FAILED(SYNTAX)},
        {"n", NULL, FAILED(SYNTAX)},
        {"n,", NULL, FAILED(SYNTAX)},
        {"n,,", NULL, FAILED(SYNTAX)},
        {"n,,n=user", NULL, FAILED(SYNTAX)},
        {"n,,n=user,", NULL, FAILED(SYNTAX)},
        {"n,,n=user,r=", NULL, FAILED(SYNTAX)},
        {"n,,r=12345678,n=user", NULL, FAILED(SYNTAX)},
        {"n,,n=user,r=12345678,", NULL, FAILED(SYNTAX)},
        {"n,,n=user,r=12345678,x", NULL, FAILED(SYNTAX)},
        {"n,,n=user,r=12345678,x=", NULL, FAILED(SYNTAX)},
        {"n,,n=user,r=12345678,x=y,", NULL, FAILED(SYNTAX)},
        {"n,,n=user,r=12345678,1=y", NULL, FAILED(SYNTAX)},
        {"n,,n=user,r=1234 5678", NULL, FAILED(SYNTAX)},
        {"n,,n=,r=12345678", NULL, FAILED(SYNTAX)},
        {"z,,n=user,r=12345678", NULL, FAILED(SYNTAX)},
        {"nn,,n=user,r=12345678", NULL, FAILED(SYNTAX)},
        {"n=,,n=user,r=12345678", NULL, FAILED(SYNTAX)},
        {"p,,n=user,r=12345678", NULL, FAILED(SYNTAX)},
        {"p=,,n=user,r=12345678", NULL, FAILED(SYNTAX)},
        {"p=tls/x,,n=user,r=12345678", NULL, FAILED(SYNTAX)},
        {"n,b=user,n=user,r=12345678", NULL, FAILED(SYNTAX)},
        {"n,user,n=user,r=12345678", NULL, FAILED(SYNTAX)},

        {"n,,n=user,r=1234567", "e=other-error", FAILED(PROTOCOL)},
        {"n,,m=x,n=user,r=12345678", "e=extensions-not-supported", FAILED(PROTOCOL)},
        {"n,,n=user,r=12345678,m=x", "e=extensions-not-supported", FAILED(PROTOCOL)},
        {"n,,n=user,r=12345678,x=y,m=x", "e=extensions-not-supported", FAILED(PROTOCOL)},
        {"p=tls-exporter,,n=user,r=12345678", "e=channel-binding-not-supported", FAILED(BINDING)},
        {"n,,n=us=er,r=12345678", "e=invalid-username-encoding", FAILED(ENCODING)},
        {"n,,n=user=2,r=12345678", "e=invalid-username-encoding", FAILED(ENCODING)},
        {"n,,n=user=2E,r=12345678", "e=invalid-username-encoding", FAILED(ENCODING)},
        {"n,a=,n=user,r=12345678", "e=invalid-username-encoding", FAILED(ENCODING)},
        {"n,,n=us\xff,r=12345678", "e=invalid-encoding", FAILED(ENCODING)},
        {"n,,n=user,r=12345678,x=\xff", "e=invalid-encoding", FAILED(ENCODING)},
        {"n,,n=e\xcc\x81,r=12345678", "e=invalid-username-encoding", FAILED(ENCODING)},
        {"n,a=\xff,n=user,r=12345678", "e=invalid-username-encoding", FAILED(ENCODING)},
        {"n,a=other,n=user,r=12345678", "e=other-error", FAILED(AUTHORIZATION)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%s\n", cases[i].first);
        exchange_start(x, MOX_SASL_SCRAM_SHA_256);
        exchange_say(x, cases[i].first);
        if (cases[i].said != NULL && cases[i].said[0] == '\0') {
            assert_int_equal(x->step, MOX_SASL_CHALLENGE);
            assert_memory_equal(mox_sasl_server_challenge(x->server).data, "r=12345678", 10);
            continue;
        }
        if (cases[i].said != NULL) {
            assert_challenge(x, cases[i].said);
            assert_int_equal(mox_sasl_server_failure(x->server), 0);
            exchange_say(x, "anything");
        }
        assert_failed(x, cases[i].failure);
        assert_int_equal(x->asked[MOX_SASL_ASK_RECORD], 0);
    }
}

static void a_client_may_wait_for_an_empty_challenge(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    exchange_say(x, NULL);
    assert_challenge(x, "");
    exchange_say(x, "n,,n=user,r=12345678");
    assert_int_equal(x->step, MOX_SASL_CHALLENGE);
}

static void nonces_and_names_have_bounds(void **state)
{
    struct exchange *x = *state;
    char first[4096];
    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    (void)snprintf(first, sizeof first, "n,,n=user,r=%01024d", 1);
    exchange_say(x, first);
    assert_int_equal(x->step, MOX_SASL_CHALLENGE);
    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    (void)snprintf(first, sizeof first, "n,,n=user,r=%01025d", 1);
    exchange_say(x, first);
    assert_challenge(x, "e=other-error");
    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    (void)snprintf(first, sizeof first, "n,,n=%0*d,r=12345678", MOX_SASL_USERNAME_MAX, 1);
    exchange_say(x, first);
    assert_challenge(x, "e=invalid-username-encoding");
    assert_string_equal(mox_sasl_server_username(x->server), ""); /* not cut within a character */
}

static void each_exchange_has_a_nonce_of_its_own(void **state)
{
    struct exchange *x = *state;
    char first[100];
    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    exchange_say(x, "n,,n=user,r=12345678");
    struct mox_slice said = mox_sasl_server_challenge(x->server);
    assert_true(said.len > 30 && said.len < sizeof first);
    memcpy(first, said.data, said.len);
    assert_memory_equal(first + 26, ",s=", 3); /* 16 characters of ours */
    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    exchange_say(x, "n,,n=user,r=12345678");
    assert_memory_not_equal(mox_sasl_server_challenge(x->server).data, first, 26);
}

/* ---- flags and bindings ---- */

static void flags_are_judged_by_what_was_offered(void **state)
{
    struct exchange *x = *state;
    static const unsigned bare = MOX_SASL_SCRAM_SHA_256, plus = MOX_SASL_SCRAM_SHA_256_PLUS,
                          weak = MOX_SASL_SCRAM_SHA_1_PLUS;
    static const struct {
        const char *flag;
        unsigned m, offered;
        const char *said; /* "": it goes on */
        enum mox_sasl_failure failure;
    } cases[] = {
        {"n", bare, bare | plus, "", 0},
        {"y", bare, bare | plus, "e=server-does-support-channel-binding", FAILED(BINDING)},
        {"y", bare, bare, "", 0},        /* -PLUS is switched off here */
        {"y", bare, bare | weak, "", 0}, /* it need not know that one */
        {"n", plus, bare | plus, "e=other-error", FAILED(PROTOCOL)},
        {"y", plus, bare, "e=other-error", FAILED(PROTOCOL)},
        {"p=tls-exporter", plus, bare | plus, "", 0},
        {"p=tls-exporter", bare, bare | plus, "", 0}, /* some clients do */
        {"p=tls-server-end-point", plus, bare | plus, "", 0},
        {"p=tls-unique", plus, plus, "e=unsupported-channel-binding-type", FAILED(PROTOCOL)},
        {"p=tls-exporte", plus, plus, "e=unsupported-channel-binding-type", FAILED(PROTOCOL)},
        {"p=TLS-EXPORTER", plus, plus, "e=unsupported-channel-binding-type", FAILED(PROTOCOL)},
    };
    exchange_use_tls(x);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char first[100];
        x->config.offered = cases[i].offered;
        exchange_start(x, (enum mox_sasl_mechanism)cases[i].m);
        (void)snprintf(first, sizeof first, "%s,,n=user,r=12345678", cases[i].flag);
        print_message("%s\n", first);
        exchange_say(x, first);
        if (cases[i].said[0] == '\0') {
            assert_int_equal(x->asked[MOX_SASL_ASK_RECORD], 1);
            continue;
        }
        assert_challenge(x, cases[i].said);
        exchange_say(x, "*");
        assert_failed(x, cases[i].failure);
    }
}

/* TLS whose exporter the library cannot reach: -PLUS was not offered, so that "y" is honest. */
static void without_an_exporter_the_certificate_can_be_bound(void **state)
{
    struct exchange *x = *state;
    exchange_use_tls(x);
    x->tls.has_exporter = false;
    exchange_start(x, MOX_SASL_SCRAM_SHA_256);
    exchange_say(x, "y,,n=user,r=12345678");
    assert_int_equal(x->asked[MOX_SASL_ASK_RECORD], 1);
    exchange_start(x, MOX_SASL_SCRAM_SHA_256_PLUS);
    exchange_say(x, "p=tls-exporter,,n=user,r=12345678");
    assert_challenge(x, "e=unsupported-channel-binding-type");
    assert_int_equal(exchange_log_in(x, MOX_SASL_SCRAM_SHA_256_PLUS), MOX_OK);
    assert_success(x, "user");
    x->client.tls = NULL;
}

static void a_channel_in_between_is_noticed(void **state)
{
    struct exchange *x = *state;
    struct mox_tls_info other;
    exchange_use_tls(x);
    for (int exporter = 0; exporter <= 1; exporter++) {
        x->tls.has_exporter = exporter;
        other = x->tls;
        x->client.tls = &other;
        assert_int_equal(exchange_log_in(x, MOX_SASL_SCRAM_SHA_1_PLUS), MOX_OK);
        other.exporter[31] ^= exporter == 1;
        other.end_point[31] ^= exporter == 0;
        assert_int_equal(exchange_log_in(x, MOX_SASL_SCRAM_SHA_1_PLUS), MOX_EDENIED);
        assert_failed(x, FAILED(BINDING));
        assert_non_null(strstr(mox_sasl_server_text(x->server), "in between"));
        assert_int_equal(x->asked[MOX_SASL_ASK_ADMIT], 0);
        assert_false(mox_sasl_server_is_harmless(x->server));
    }
}

/* RFC 5705 §4: with TLS 1.2 an empty context is not the same as none, and clients take either. */
static void an_exporter_has_two_forms(void **state)
{
    struct exchange *x = *state;
    struct mox_tls_info other;
    exchange_use_tls(x);
    other = x->tls;
    x->client.tls = &other;
    memset(other.exporter, 0x33, sizeof other.exporter);
    assert_int_equal(exchange_log_in(x, MOX_SASL_SCRAM_SHA_256_PLUS), MOX_EDENIED);
    memset(x->tls.exporter_empty, 0x33, sizeof x->tls.exporter_empty);
    assert_int_equal(exchange_log_in(x, MOX_SASL_SCRAM_SHA_256_PLUS), MOX_OK);
    memset(x->tls.exporter_empty, 0, sizeof x->tls.exporter_empty); /* a host that has one alone */
    memset(other.exporter, 0, sizeof other.exporter);
    assert_int_equal(exchange_log_in(x, MOX_SASL_SCRAM_SHA_256_PLUS), MOX_EDENIED);
    assert_failed(x, FAILED(BINDING));
}

/* ---- client-final ---- */

static void final_messages_are_judged(void **state)
{
    struct exchange *x = *state;
    static const struct {
        const char *final, *said;
        enum mox_sasl_failure failure;
    } cases[] = {
        {"c=biws,r=12345678ours,p=AAAA", "e=invalid-proof", FAILED(CREDENTIALS)},
        {"c=biws,r=12345678ours,x=y,z=1,p=AAAA", "e=invalid-proof", FAILED(CREDENTIALS)},
        {"c=biws,r=12345678ours,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
         "e=invalid-proof", FAILED(CREDENTIALS)},
        {"c=biws,r=12345678,p=AAAA", "e=invalid-proof", FAILED(CREDENTIALS)},
        {"c=biws,r=12345678ours2,p=AAAA", "e=invalid-proof", FAILED(CREDENTIALS)},
        {"c=biws,r=12345678ours,p=AAA", "e=invalid-encoding", FAILED(ENCODING)},
        {"c=biws,r=12345678ours,p=A*AA", "e=invalid-encoding", FAILED(ENCODING)},
        {"c=biw,r=12345678ours,p=AAAA", "e=invalid-encoding", FAILED(ENCODING)},
        {"c=eSws,r=12345678ours,p=AAAA", "e=channel-bindings-dont-match", FAILED(BINDING)},
        {"c=biwsAAAA,r=12345678ours,p=AAAA", "e=channel-bindings-dont-match", FAILED(BINDING)},
        {"c=biws,r=12345678ours,m=x,p=AAAA", "e=extensions-not-supported", FAILED(PROTOCOL)},
        {"c=biws,r=12345678ours,x=\xff,p=AAAA", "e=invalid-encoding", FAILED(ENCODING)},
        {"", NULL, FAILED(SYNTAX)},
        {"c=biws", NULL, FAILED(SYNTAX)},
        {"c=biws,r=12345678ours", NULL, FAILED(SYNTAX)},
        {"c=biws,r=12345678ours,", NULL, FAILED(SYNTAX)},
        {"c=biws,r=12345678ours,p", NULL, FAILED(SYNTAX)},
        {"c=biws,r=12345678ours,p=", NULL, FAILED(SYNTAX)},
        {"c=biws,r=12345678ours,p=AAAA,", NULL, FAILED(SYNTAX)},
        {"c=biws,r=12345678ours,p=AAAA,x=y", NULL, FAILED(SYNTAX)},
        {"c=biws,r=12345678ours,xy,p=AAAA", NULL, FAILED(SYNTAX)},
        {"r=12345678ours,c=biws,p=AAAA", NULL, FAILED(SYNTAX)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%s\n", cases[i].final);
        exchange_start(x, MOX_SASL_SCRAM_SHA_1);
        mox__sasl_server_set_unique(x->server, "ours");
        exchange_say(x, "n,,n=user,r=12345678");
        exchange_say(x, cases[i].final);
        if (cases[i].said != NULL) {
            assert_challenge(x, cases[i].said);
            exchange_say(x, "");
        }
        assert_failed(x, cases[i].failure);
        assert_int_equal(x->asked[MOX_SASL_ASK_ADMIT], 0);
    }
}

/* Engines abort when a client sends "*": what it had been told before counts. */
static void giving_up_after_an_error_is_that_error(void **state)
{
    struct exchange *x = *state;
    x->client.password = "crayon";
    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    exchange_say(x, "n,,n=user,r=1");
    assert_challenge(x, "e=other-error");
    mox_sasl_server_abort(x->server);
    assert_int_equal(mox_sasl_server_failure(x->server), FAILED(PROTOCOL));
    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    exchange_say(x, "n,,n=user,r=12345678");
    mox_sasl_server_abort(x->server);
    assert_int_equal(mox_sasl_server_failure(x->server), FAILED(ABORTED));
    exchange_say(x, "c=biws,r=1,p=AAAA");
    assert_failed(x, FAILED(ABORTED));
}

static void say_something_last(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    mox__sasl_server_set_unique(x->server, "3rfcNHYJY1ZVvWVs7j");
    exchange_say(x, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    exchange_say(x, "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p="
                    "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
    assert_challenge(x, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
}

static void the_last_response_is_empty(void **state)
{
    struct exchange *x = *state;
    say_something_last(state);
    exchange_say(x, "x");
    assert_failed(x, FAILED(SYNTAX));
    say_something_last(state);
    mox_sasl_server_abort(x->server); /* the client does not believe our signature */
    assert_int_equal(mox_sasl_server_failure(x->server), FAILED(ABORTED));
}

/* ---- records ---- */

static void any_number_of_iterations_goes(void **state)
{
    struct exchange *x = *state;
    static const unsigned counts[] = {1, 2, 4095, 4096, 10000, 50000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        exchange_set_iterations(x, counts[i]);
        x->client.min_iterations = counts[i];
        assert_int_equal(exchange_log_in(x, MOX_SASL_SCRAM_SHA_1), MOX_OK);
        assert_success(x, "user");
        assert_int_equal(exchange_log_in(x, MOX_SASL_SCRAM_SHA_256), MOX_OK);
        assert_success(x, "user");
    }
}

static void a_missing_record_is_for_the_log(void **state)
{
    struct exchange *x = *state;
    static const enum mox_sasl_mechanism mechanisms[] = {MOX_SASL_SCRAM_SHA_1,
                                                         MOX_SASL_SCRAM_SHA_256, MOX_SASL_CRAM_MD5};
    static const char *const names[] = {"scram-sha-1", "scram-sha-256", "cram-md5"};
    static const char *const records[] = {NULL, "", "1:2:3"};
    for (size_t i = 0; i < 9; i++) {
        char text[100];
        x->scram_sha_1 = x->scram_sha_256 = x->cram_md5 = records[i / 3];
        assert_int_equal(exchange_log_in(x, mechanisms[i % 3]), MOX_EDENIED);
        assert_failed(x, FAILED(CREDENTIALS));
        (void)snprintf(text, sizeof text, "%s %s record: set the password again",
                       i < 3 ? "no" : "damaged", names[i % 3]);
        assert_string_equal(mox_sasl_server_text(x->server), text);
        assert_true(mox_sasl_server_is_harmless(x->server));
    }
    x->client.username = "nobody";
    assert_int_equal(exchange_log_in(x, MOX_SASL_SCRAM_SHA_1), MOX_EDENIED);
    assert_string_equal(mox_sasl_server_text(x->server), "");
    assert_false(mox_sasl_server_is_harmless(x->server));
}

/* The salt that a name gets; borrowed until the next. */
static const char *salt_of(struct exchange *x, enum mox_sasl_mechanism m, const char *username)
{
    static char salt[100];
    char first[600];
    exchange_start(x, m);
    (void)snprintf(first, sizeof first, "n,,n=%s,r=12345678", username);
    exchange_say(x, first);
    assert_int_equal(x->step, MOX_SASL_CHALLENGE);
    struct mox_slice said = mox_sasl_server_challenge(x->server);
    assert_true(said.len < sizeof salt);
    memcpy(salt, said.data + 29, said.len - 29); /* behind the nonces and ",s=" */
    salt[said.len - 29] = '\0';
    return salt;
}

static void unknown_users_have_a_salt_too(void **state)
{
    struct exchange *x = *state;
    char salt[100], other[100];
    (void)snprintf(salt, sizeof salt, "%s", salt_of(x, MOX_SASL_SCRAM_SHA_256, "nobody@d.example"));
    assert_int_equal(strlen(salt), 16 + strlen(",i=10000"));
    assert_string_equal(salt + 16, ",i=10000");
    assert_string_equal(salt_of(x, MOX_SASL_SCRAM_SHA_256, "nobody@d.example"), salt);
    assert_string_equal(salt_of(x, MOX_SASL_SCRAM_SHA_256, "NoBody@D.Example"), salt);
    assert_string_not_equal(salt_of(x, MOX_SASL_SCRAM_SHA_256, "nobody@e.example"), salt);
    (void)snprintf(other, sizeof other, "%s", salt_of(x, MOX_SASL_SCRAM_SHA_1, "nobody@d.example"));
    assert_string_equal(other + 16, ",i=8192");
    assert_memory_not_equal(other, salt, 16);
    x->config.secret[0] ^= 1; /* of another installation */
    assert_string_not_equal(salt_of(x, MOX_SASL_SCRAM_SHA_256, "nobody@d.example"), salt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SASL_TEST(first_messages_are_judged),
        SASL_TEST(a_client_may_wait_for_an_empty_challenge),
        SASL_TEST(nonces_and_names_have_bounds),
        SASL_TEST(each_exchange_has_a_nonce_of_its_own),
        SASL_TEST(flags_are_judged_by_what_was_offered),
        SASL_TEST(without_an_exporter_the_certificate_can_be_bound),
        SASL_TEST(a_channel_in_between_is_noticed),
        SASL_TEST(an_exporter_has_two_forms),
        SASL_TEST(final_messages_are_judged),
        SASL_TEST(giving_up_after_an_error_is_that_error),
        SASL_TEST(the_last_response_is_empty),
        SASL_TEST(any_number_of_iterations_goes),
        SASL_TEST(a_missing_record_is_for_the_log),
        SASL_TEST(unknown_users_have_a_salt_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
