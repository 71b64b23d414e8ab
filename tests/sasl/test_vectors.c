/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "exchange.h"
#include "sasl/client.h"
#include "sasl/server.h"
#include "support/cm.h"

/* The exchanges that the RFCs print, byte for byte. */

static void server_speaks_scram_as_rfc_5802_prints_it(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_SCRAM_SHA_1);
    mox__sasl_server_set_unique(x->server, "3rfcNHYJY1ZVvWVs7j");
    exchange_say(x, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    assert_challenge(x, "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096");
    exchange_say(x, "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p="
                    "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
    assert_challenge(x, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
    exchange_say(x, "");
    assert_success(x, "user");
}

static void server_speaks_scram_as_rfc_7677_prints_it(void **state)
{
    struct exchange *x = *state;
    exchange_start(x, MOX_SASL_SCRAM_SHA_256);
    mox__sasl_server_set_unique(x->server, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
    exchange_say(x, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    assert_challenge(x, "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                        "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    exchange_say(x, "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    assert_challenge(x, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    exchange_say(x, "");
    assert_success(x, "user");
}

/* RFC 2195 §2; the record is of "tanstaaftanstaaf". */
static void server_speaks_cram_md5_as_rfc_2195_prints_it(void **state)
{
    struct exchange *x = *state;
    char records[CREDENTIAL_COUNT][CREDENTIAL_MAX];
    const struct password_cost cheap = {.passes = 1, .memory = 8192};
    assert_int_equal(
        mox__credentials_derive(records, &x->t.env, slice_of("tanstaaftanstaaf"), &cheap), MOX_OK);
    x->cram_md5 = records[CREDENTIAL_CRAM_MD5];
    exchange_start(x, MOX_SASL_CRAM_MD5);
    mox__sasl_server_set_unique(x->server, "<1896.697170952@postoffice.reston.mci.net>");
    exchange_say(x, NULL);
    assert_challenge(x, "<1896.697170952@postoffice.reston.mci.net>");
    /* The RFC's user is "tim", whom this host does not have. */
    exchange_say(x, "user b913a602c7eda7a495b4e6e7334d3890");
    assert_success(x, "user");
}

/* The client's side of the same. */
static void client_says(struct mox_sasl_client *c, const char *challenge, const char *response)
{
    struct mox_slice said;
    struct mox_slice heard = challenge == NULL ? slice(NULL, 0) : slice_of(challenge);
    assert_int_equal(mox_sasl_client_step(c, heard, &said), MOX_OK);
    assert_non_null(said.data);
    assert_true(mox__slice_is(said, response));
}

static void client_speaks_scram_as_rfc_5802_prints_it(void **state)
{
    struct exchange *x = *state;
    struct mox_sasl_client *c;
    assert_int_equal(mox_sasl_client_new(&c, &x->t.env, MOX_SASL_SCRAM_SHA_1, 0, &x->client),
                     MOX_OK);
    mox__sasl_client_set_nonce(c, "fyko+d2lbbFgONRv9qkxdawL");
    client_says(c, NULL, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    client_says(c, "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
                "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p="
                "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
    assert_int_equal(mox_sasl_client_finish(c), MOX_EDENIED);
    client_says(c, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "");
    assert_int_equal(mox_sasl_client_finish(c), MOX_OK);
    mox_sasl_client_free(c);
}

static void client_speaks_scram_as_rfc_7677_prints_it(void **state)
{
    struct exchange *x = *state;
    struct mox_sasl_client *c;
    assert_int_equal(mox_sasl_client_new(&c, &x->t.env, MOX_SASL_SCRAM_SHA_256, 0, &x->client),
                     MOX_OK);
    mox__sasl_client_set_nonce(c, "rOprNGfwEbeRWgbNEkqO");
    client_says(c, NULL, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    client_says(c,
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    client_says(c, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "");
    assert_int_equal(mox_sasl_client_finish(c), MOX_OK);
    mox_sasl_client_free(c);
}

static void client_speaks_cram_md5_as_rfc_2195_prints_it(void **state)
{
    struct exchange *x = *state;
    struct mox_sasl_client *c;
    x->client.username = "tim";
    x->client.password = "tanstaaftanstaaf";
    assert_int_equal(mox_sasl_client_new(&c, &x->t.env, MOX_SASL_CRAM_MD5, 0, &x->client), MOX_OK);
    client_says(c, "<1896.697170952@postoffice.reston.mci.net>",
                "tim b913a602c7eda7a495b4e6e7334d3890");
    mox_sasl_client_free(c);
}

/* RFC 7628 §4.1 */
static void client_speaks_oauthbearer_as_rfc_7628_prints_it(void **state)
{
    struct exchange *x = *state;
    struct mox_sasl_client *c;
    x->client.username = "user@example.com";
    x->client.hostname = "server.example.com";
    x->client.port = 143;
    x->client.token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
    assert_int_equal(mox_sasl_client_new(&c, &x->t.env, MOX_SASL_OAUTHBEARER, 0, &x->client),
                     MOX_OK);
    client_says(c, NULL,
                "n,a=user@example.com,\001host=server.example.com\001port=143\001"
                "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001");
    assert_int_equal(mox_sasl_client_finish(c), MOX_OK);
    client_says(c, "{\"status\":\"invalid_token\",\"scope\":\"example_scope\"}", "\001");
    assert_int_equal(mox_sasl_client_finish(c), MOX_EDENIED);
    mox_sasl_client_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SASL_TEST(server_speaks_scram_as_rfc_5802_prints_it),
        SASL_TEST(server_speaks_scram_as_rfc_7677_prints_it),
        SASL_TEST(server_speaks_cram_md5_as_rfc_2195_prints_it),
        SASL_TEST(client_speaks_scram_as_rfc_5802_prints_it),
        SASL_TEST(client_speaks_scram_as_rfc_7677_prints_it),
        SASL_TEST(client_speaks_cram_md5_as_rfc_2195_prints_it),
        SASL_TEST(client_speaks_oauthbearer_as_rfc_7628_prints_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
