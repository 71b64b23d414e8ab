/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cm.h"

/* Of "pencil": the examples' salts and 4096 rounds (RFC 5802 §5, RFC 7677 §3). */
static const char sha_1[] = "4096:QSXCR+Q6sek8bf92:6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiup"
                            "A+qs2/fTE=";
static const char sha_256[] = "4096:W22ZaJ0SNY7soEsUEjb6gQ==:WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtb"
                              "sT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

int exchange_setup(void **state)
{
    struct exchange *x = calloc(1, sizeof *x);
    assert_non_null(x);
    test_env_init(&x->t);
    mox_sasl_server_config_init(&x->config);
    x->config.hostname = "mx.example";
    memset(x->config.secret, 7, sizeof x->config.secret);
    x->scram_sha_1 = sha_1;
    x->scram_sha_256 = sha_256;
    x->admits = MOX_OK;
    x->token_owner = "user";
    *state = x;
    return 0;
}

int exchange_teardown(void **state)
{
    struct exchange *x = *state;
    mox_sasl_server_free(x->server);
    test_env_done(&x->t);
    free(x);
    return 0;
}

void exchange_start(struct exchange *x, enum mox_sasl_mechanism m)
{
    mox_sasl_server_free(x->server);
    x->server = NULL;
    memset(x->asked, 0, sizeof x->asked);
    assert_int_equal(mox_sasl_server_new(&x->server, &x->t.env, m, &x->config), MOX_OK);
}

void exchange_use_tls(struct exchange *x)
{
    x->tls = (struct mox_tls_info){.size = sizeof x->tls,
                                   .version = "TLS1.3",
                                   .has_exporter = true,
                                   .end_point_len = 32,
                                   .has_client_key = true};
    memset(x->tls.exporter, 0xe7, sizeof x->tls.exporter);
    memset(x->tls.end_point, 0xe9, 32);
    x->config.tls = &x->tls;
}

static int find_record(struct exchange *x, const struct mox_sasl_question *q,
                       struct mox_sasl_answer *answer)
{
    const char *record = strcmp(q->record, "cram-md5") == 0      ? x->cram_md5
                         : strcmp(q->record, "scram-sha-1") == 0 ? x->scram_sha_1
                                                                 : x->scram_sha_256;
    if (strcmp(q->username, "user") != 0)
        return MOX_EDENIED;
    if (record == NULL)
        return MOX_ENOTFOUND;
    (void)snprintf(answer->record, sizeof answer->record, "%s", record);
    return MOX_OK;
}

static int find_answer(struct exchange *x, const struct mox_sasl_question *q,
                       struct mox_sasl_answer *answer)
{
    bool is_user = strcmp(q->username, "user") == 0;
    (void)snprintf(answer->text, sizeof answer->text, "no log-in today");
    (void)snprintf(answer->username, sizeof answer->username, "%s", x->token_owner);
    switch (q->ask) {
    case MOX_SASL_ASK_PASSWORD:
        return is_user && strcmp(q->password, "pencil") == 0 ? x->admits : MOX_EDENIED;
    case MOX_SASL_ASK_RECORD:
        answer->username[0] = '\0';
        return find_record(x, q, answer);
    case MOX_SASL_ASK_ADMIT:
        assert_true(is_user);
        return x->admits;
    case MOX_SASL_ASK_CERTIFICATE:
        return is_user || q->username[0] == '\0' ? x->admits : MOX_EDENIED;
    case MOX_SASL_ASK_TOKEN:
        return (is_user || q->username[0] == '\0') && strcmp(q->token, "t0ken") == 0 ? x->admits
                                                                                     : MOX_EDENIED;
    }
    return MOX_EINVAL;
}

enum mox_sasl_step exchange_answer(struct exchange *x, enum mox_sasl_step step)
{
    while (step == MOX_SASL_ASK) {
        const struct mox_sasl_question *q = mox_sasl_server_question(x->server);
        struct mox_sasl_answer answer;
        mox_sasl_answer_init(&answer);
        x->asked[q->ask]++;
        int status = find_answer(x, q, &answer);
        step = mox_sasl_server_answer(x->server, status, &answer);
    }
    return x->step = step;
}

enum mox_sasl_step exchange_say_bytes(struct exchange *x, const void *response, size_t len)
{
    return exchange_answer(x, mox_sasl_server_step(x->server, slice(response, len)));
}

enum mox_sasl_step exchange_say(struct exchange *x, const char *response)
{
    return exchange_say_bytes(x, response, response == NULL ? 0 : strlen(response));
}

void assert_challenge(struct exchange *x, const char *text)
{
    struct mox_slice said = mox_sasl_server_challenge(x->server);
    char copy[4096];
    assert_int_equal(x->step, MOX_SASL_CHALLENGE);
    assert_true(said.len < sizeof copy);
    (void)snprintf(copy, sizeof copy, "%.*s", (int)said.len, (const char *)said.data);
    assert_string_equal(copy, text);
}

void assert_failed(struct exchange *x, enum mox_sasl_failure failure)
{
    assert_int_equal(x->step, MOX_SASL_FAILURE);
    assert_int_equal(mox_sasl_server_failure(x->server), failure);
}

void assert_success(struct exchange *x, const char *username)
{
    assert_int_equal(x->step, MOX_SASL_SUCCESS);
    assert_int_equal(mox_sasl_server_failure(x->server), 0);
    assert_string_equal(mox_sasl_server_username(x->server), username);
}
