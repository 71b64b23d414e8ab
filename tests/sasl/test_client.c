/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "exchange.h"
#include "sasl/client.h"
#include "support/cm.h"

/* What our client asks of a server, and which mechanism it takes. */

static enum mox_sasl_mechanism choose(struct exchange *x, unsigned offered, bool clear_text)
{
    return mox_sasl_client_choose(&x->client, offered, clear_text);
}

static void the_best_that_there_are_credentials_for_is_chosen(void **state)
{
    struct exchange *x = *state;
    const unsigned all = (MOX_SASL_OAUTHBEARER << 1) - 1;
    x->client.token = NULL;
    assert_int_equal(choose(x, all, false), MOX_SASL_SCRAM_SHA_256); /* without TLS */
    assert_int_equal(choose(x, MOX_SASL_PASSWORDS, false), 0);
    assert_int_equal(choose(x, MOX_SASL_PASSWORDS, true), MOX_SASL_PLAIN);
    assert_int_equal(choose(x, MOX_SASL_LOGIN, true), MOX_SASL_LOGIN);
    assert_int_equal(choose(x, 0, true), 0);
    exchange_use_tls(x);
    assert_int_equal(choose(x, all, false), MOX_SASL_SCRAM_SHA_256_PLUS);
    assert_int_equal(choose(x, MOX_SASL_SCRAM_SHA_1_PLUS | MOX_SASL_SCRAM_SHA_1, false),
                     MOX_SASL_SCRAM_SHA_1_PLUS);
    assert_int_equal(choose(x, MOX_SASL_PASSWORDS | MOX_SASL_CRAM_MD5, false), MOX_SASL_CRAM_MD5);
    assert_int_equal(choose(x, MOX_SASL_PASSWORDS, false), MOX_SASL_PLAIN);
    x->client.token = "t0ken";
    assert_int_equal(choose(x, all, false), MOX_SASL_OAUTHBEARER);
    x->client.token = x->client.password = NULL;
    assert_int_equal(choose(x, all, false), MOX_SASL_EXTERNAL);
    x->tls.has_client_key = false;
    assert_int_equal(choose(x, all, false), 0);
}

static void what_is_missing_is_said(void **state)
{
    struct exchange *x = *state;
    struct mox_sasl_client *c;
    x->client.token = NULL;
    assert_int_equal(mox_sasl_client_new(&c, &x->t.env, MOX_SASL_OAUTHBEARER, 0, &x->client),
                     MOX_EINVAL);
    assert_int_equal(mox_sasl_client_new(&c, &x->t.env, MOX_SASL_SCRAM_SHA_1_PLUS, 0, &x->client),
                     MOX_EUNSUPPORTED);
    x->client.token = "t0ken\001auth=Bearer other";
    assert_int_equal(mox_sasl_client_new(&c, &x->t.env, MOX_SASL_OAUTHBEARER, 0, &x->client),
                     MOX_EINVAL);
    x->client.password = NULL;
    assert_int_equal(mox_sasl_client_new(&c, &x->t.env, MOX_SASL_PLAIN, 0, &x->client), MOX_EINVAL);
    assert_int_equal(mox_sasl_client_new(&c, &x->t.env, (enum mox_sasl_mechanism)0, 0, &x->client),
                     MOX_EINVAL);
    assert_null(c);
}

/* ---- SCRAM's server ---- */

static struct mox_sasl_client *scram(struct exchange *x, enum mox_sasl_mechanism m,
                                     unsigned offered, const char *first)
{
    struct mox_sasl_client *c;
    struct mox_slice said;
    char text[100];
    assert_int_equal(mox_sasl_client_new(&c, &x->t.env, m, offered, &x->client), MOX_OK);
    mox__sasl_client_set_nonce(c, "12345678");
    assert_int_equal(mox_sasl_client_step(c, slice(NULL, 0), &said), MOX_OK);
    assert_true(said.len < sizeof text);
    (void)snprintf(text, sizeof text, "%.*s", (int)said.len, (const char *)said.data);
    assert_string_equal(text, first);
    return c;
}

static int hear(struct mox_sasl_client *c, const char *challenge)
{
    struct mox_slice said;
    int rc = mox_sasl_client_step(c, slice_of(challenge), &said);
    assert_true((rc == MOX_OK) == (said.data != NULL));
    return rc;
}

static void first_messages_of_servers_are_judged(void **state)
{
    struct exchange *x = *state;
    static const struct {
        const char *challenge;
        int rc;
    } cases[] = {
        {"r=12345678abcdefgh,s=QSXCR+Q6sek8bf92,i=4096", MOX_OK},
        {"r=12345678abcdefgh,s=QSXCR+Q6sek8bf92,i=2048,x=y,z=1", MOX_OK},
        {"r=12345678abcdefg,s=QSXCR+Q6sek8bf92,i=4096", MOX_EDENIED}, /* short extension */
        {"r=12345678,s=QSXCR+Q6sek8bf92,i=4096", MOX_EDENIED},
        {"r=12345679abcdefgh,s=QSXCR+Q6sek8bf92,i=4096", MOX_EDENIED}, /* not our nonce */
        {"r=12345678abcdefgh,s=QSXCR+Q6sek8bf92,i=2047", MOX_EDENIED},
        {"r=12345678abcdefgh,s=QSXCR+Q6sek8bf92,i=0", MOX_EDENIED},
        {"r=12345678abcdefgh,s=QSXCR+Q6sek8bf92,i=1000001", MOX_EDENIED},
        {"r=12345678abcdefgh,s=QSXCR+Q6,i=4096", MOX_EDENIED}, /* 6 bytes of salt */
        {"e=unknown-user", MOX_EDENIED},
        {"", MOX_ESYNTAX},
        {"r=12345678abcdefgh", MOX_ESYNTAX},
        {"r=12345678abcdefgh,s=QSXCR+Q6sek8bf92", MOX_ESYNTAX},
        {"r=12345678abcdefgh,s=QSXCR+Q6sek8bf92,i=", MOX_ESYNTAX},
        {"r=12345678abcdefgh,s=QSXCR+Q6sek8bf92,i=4096,", MOX_ESYNTAX},
        {"r=12345678abcdefgh,s=QSXCR+Q6sek8bf92,i=-1", MOX_ESYNTAX},
        {"r=12345678abcdefgh,s=QSXCR+Q6sek8bf92,i=99999999999999999999", MOX_ESYNTAX},
        {"r=12345678abcdefgh,s=QSXCR+Q6sek8bf9,i=4096", MOX_ESYNTAX},
        {"r=12345678abcdefgh,s=QSXCR+Q6sek8bf92,i=4096,m=x", MOX_ESYNTAX},
        {"m=x,r=12345678abcdefgh,s=QSXCR+Q6sek8bf92,i=4096", MOX_ESYNTAX},
        {"r=12345678abcdef\x01gh,s=QSXCR+Q6sek8bf92,i=4096", MOX_ESYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%s\n", cases[i].challenge);
        struct mox_sasl_client *c = scram(x, MOX_SASL_SCRAM_SHA_1, 0, "n,,n=user,r=12345678");
        assert_int_equal(hear(c, cases[i].challenge), cases[i].rc);
        if (cases[i].rc != MOX_OK) /* it stays that way */
            assert_int_equal(hear(c, cases[0].challenge), cases[i].rc);
        assert_int_equal(mox_sasl_client_finish(c), MOX_EDENIED);
        mox_sasl_client_free(c);
    }
}

static void servers_prove_that_they_know_the_password(void **state)
{
    struct exchange *x = *state;
    static const struct {
        const char *challenge;
        int rc;
    } cases[] = {
        {"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", MOX_OK},
        {"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=,x=y", MOX_OK},
        {"v=rmF9pqV8S7suAoZWja4dJRkFsKU=", MOX_EDENIED},
        {"v=rmF9pqV8S7suAoZWja4dJRkFsA==", MOX_EDENIED},
        {"v=rmF9", MOX_EDENIED},
        {"v=*", MOX_EDENIED},
        {"e=invalid-proof", MOX_EDENIED},
        {"v=", MOX_ESYNTAX},
        {"", MOX_ESYNTAX},
        {"ok", MOX_ESYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mox_sasl_client *c;
        struct mox_slice said;
        assert_int_equal(mox_sasl_client_new(&c, &x->t.env, MOX_SASL_SCRAM_SHA_1, 0, &x->client),
                         MOX_OK);
        mox__sasl_client_set_nonce(c, "fyko+d2lbbFgONRv9qkxdawL");
        assert_int_equal(mox_sasl_client_step(c, slice(NULL, 0), &said), MOX_OK);
        assert_int_equal(hear(c, "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
                                 "s=QSXCR+Q6sek8bf92,i=4096"),
                         MOX_OK);
        assert_int_equal(mox_sasl_client_finish(c), MOX_EDENIED); /* it has not yet */
        assert_int_equal(hear(c, cases[i].challenge), cases[i].rc);
        assert_int_equal(mox_sasl_client_finish(c), cases[i].rc == MOX_OK ? MOX_OK : MOX_EDENIED);
        assert_int_equal(hear(c, ""), cases[i].rc == MOX_OK ? MOX_ESYNTAX : cases[i].rc);
        mox_sasl_client_free(c);
    }
}

static void flags_say_what_both_can(void **state)
{
    struct exchange *x = *state;
    const unsigned bare = MOX_SASL_SCRAM_SHA_256, plus = MOX_SASL_SCRAM_SHA_256_PLUS;
    mox_sasl_client_free(scram(x, MOX_SASL_SCRAM_SHA_256, bare, "n,,n=user,r=12345678"));
    exchange_use_tls(x);
    mox_sasl_client_free(scram(x, MOX_SASL_SCRAM_SHA_256, bare, "y,,n=user,r=12345678"));
    mox_sasl_client_free(scram(x, MOX_SASL_SCRAM_SHA_256, bare | plus, "n,,n=user,r=12345678"));
    mox_sasl_client_free(
        scram(x, MOX_SASL_SCRAM_SHA_256_PLUS, plus, "p=tls-exporter,,n=user,r=12345678"));
    x->tls.has_exporter = false;
    mox_sasl_client_free(
        scram(x, MOX_SASL_SCRAM_SHA_256_PLUS, plus, "p=tls-server-end-point,,n=user,r=12345678"));
    x->client.username = "a,b=c";
    x->client.authorize = "=,";
    mox_sasl_client_free(scram(x, MOX_SASL_SCRAM_SHA_1, 0, "y,a==3D=2C,n=a=2Cb=3Dc,r=12345678"));
}

/* Somebody in between hides -PLUS: our client says that it could, our server that it offered it. */
static void a_downgrade_is_noticed(void **state)
{
    struct exchange *x = *state;
    exchange_use_tls(x);
    x->offered = MOX_SASL_SCRAM_SHA_256 | MOX_SASL_PLAIN;
    assert_int_equal(exchange_log_in(x, MOX_SASL_SCRAM_SHA_256), MOX_EDENIED);
    assert_failed(x, MOX_SASL_FAILED_BINDING);
    x->config.offered = x->offered; /* it was not offered */
    assert_int_equal(exchange_log_in(x, MOX_SASL_SCRAM_SHA_256), MOX_OK);
}

/* ---- the others ---- */

static void servers_begin_where_there_is_no_initial_response(void **state)
{
    struct exchange *x = *state;
    static const enum mox_sasl_mechanism mechanisms[] = {MOX_SASL_LOGIN, MOX_SASL_CRAM_MD5};
    for (size_t i = 0; i < 2; i++) {
        struct mox_sasl_client *c;
        struct mox_slice said;
        assert_int_equal(mox_sasl_client_new(&c, &x->t.env, mechanisms[i], 0, &x->client), MOX_OK);
        assert_int_equal(mox_sasl_client_step(c, slice(NULL, 0), &said), MOX_OK);
        assert_null(said.data);
        assert_int_equal(hear(c, "<challenge>"), MOX_OK);
        mox_sasl_client_free(c);
    }
}

static void servers_may_begin_with_an_empty_challenge(void **state)
{
    struct exchange *x = *state;
    static const enum mox_sasl_mechanism mechanisms[] = {MOX_SASL_PLAIN, MOX_SASL_SCRAM_SHA_1,
                                                         MOX_SASL_EXTERNAL, MOX_SASL_OAUTHBEARER};
    for (size_t i = 0; i < 4; i++) {
        struct mox_sasl_client *c;
        assert_int_equal(mox_sasl_client_new(&c, &x->t.env, mechanisms[i], 0, &x->client), MOX_OK);
        assert_int_equal(hear(c, ""), MOX_OK);
        mox_sasl_client_free(c);
        assert_int_equal(mox_sasl_client_new(&c, &x->t.env, mechanisms[i], 0, &x->client), MOX_OK);
        assert_int_equal(hear(c, "hello"), MOX_ESYNTAX);
        mox_sasl_client_free(c);
    }
}

static void passwords_are_sent_once(void **state)
{
    struct exchange *x = *state;
    struct mox_sasl_client *c;
    assert_int_equal(mox_sasl_client_new(&c, &x->t.env, MOX_SASL_LOGIN, 0, &x->client), MOX_OK);
    assert_int_equal(hear(c, "Username:"), MOX_OK);
    assert_int_equal(mox_sasl_client_finish(c), MOX_EDENIED);
    assert_int_equal(hear(c, "Password:"), MOX_OK);
    assert_int_equal(mox_sasl_client_finish(c), MOX_OK);
    assert_int_equal(hear(c, "Password:"), MOX_ESYNTAX);
    mox_sasl_client_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SASL_TEST(the_best_that_there_are_credentials_for_is_chosen),
        SASL_TEST(what_is_missing_is_said),
        SASL_TEST(first_messages_of_servers_are_judged),
        SASL_TEST(servers_prove_that_they_know_the_password),
        SASL_TEST(flags_say_what_both_can),
        SASL_TEST(a_downgrade_is_noticed),
        SASL_TEST(servers_begin_where_there_is_no_initial_response),
        SASL_TEST(servers_may_begin_with_an_empty_challenge),
        SASL_TEST(passwords_are_sent_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
