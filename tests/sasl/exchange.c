/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "support/cm.h"

/* Of "pencil": the examples' salts and 4096 rounds (RFC 5802 §5, RFC 7677 §3). */
static const char sha_1[] = "4096:QSXCR+Q6sek8bf92:6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiup"
                            "A+qs2/fTE=";
static const char sha_256[] = "4096:W22ZaJ0SNY7soEsUEjb6gQ==:WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtb"
                              "sT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

static const char md5[] = "10194e83a4d66441242de72d8040db3a:e0ac477f6c8fafe2032cb7de878c3a24";

void exchange_init(struct exchange *x)
{
    *x = (struct exchange){.scram_sha_1 = sha_1,
                           .scram_sha_256 = sha_256,
                           .cram_md5 = md5,
                           .admits = MOX_OK,
                           .token_owner = "user"};
    test_env_init(&x->t);
    mox_sasl_server_config_init(&x->config);
    x->config.hostname = "mx.example";
    memset(x->config.secret, 7, sizeof x->config.secret);
    mox_sasl_client_config_init(&x->client);
    x->client.username = "user";
    x->client.password = "pencil";
    x->client.token = "t0ken";
    x->client.hostname = "mx.example";
    x->client.port = 587;
    x->offered = ~0u;
}

void exchange_done(struct exchange *x)
{
    mox_sasl_server_free(x->server);
    test_env_done(&x->t);
}

int exchange_setup(void **state)
{
    struct exchange *x = malloc(sizeof *x);
    assert_non_null(x);
    exchange_init(x);
    *state = x;
    return 0;
}

int exchange_teardown(void **state)
{
    exchange_done(*state);
    free(*state);
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
    x->config.tls = x->client.tls = &x->tls;
}

static void make_record(char *out, enum hash h, const char *salt, unsigned iterations)
{
    struct scram_record r;
    char text[3][100];
    size_t len = mox__hash_len(h);
    mox__scram_derive(&r, h, slice_of("pencil"), slice_of(salt), iterations);
    mox__base64_text(text[0], sizeof text[0], slice_of(salt));
    mox__base64_text(text[1], sizeof text[1], slice(r.stored_key, len));
    mox__base64_text(text[2], sizeof text[2], slice(r.server_key, len));
    (void)snprintf(out, MOX_SASL_RECORD_MAX, "%u:%s:%s:%s", iterations, text[0], text[1], text[2]);
}

void exchange_set_iterations(struct exchange *x, unsigned iterations)
{
    make_record(x->made[0], HASH_SHA1, "salt of sha1", iterations);
    make_record(x->made[1], HASH_SHA256, "sha256's one", iterations);
    x->scram_sha_1 = x->made[0];
    x->scram_sha_256 = x->made[1];
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
    if (x->trouble != MOX_OK)
        return x->trouble;
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

static enum mox_sasl_step answer_all(struct exchange *x, enum mox_sasl_step step)
{
    while (step == MOX_SASL_ASK) {
        const struct mox_sasl_question *q = mox_sasl_server_question(x->server);
        struct mox_sasl_answer answer;
        mox_sasl_answer_init(&answer);
        x->asked[q->ask]++;
        if (x->see_question != NULL)
            x->see_question(x, q);
        int status = find_answer(x, q, &answer);
        step = mox_sasl_server_answer(x->server, status, &answer);
    }
    return x->step = step;
}

enum mox_sasl_step exchange_say_bytes(struct exchange *x, const void *response, size_t len)
{
    return answer_all(x, mox_sasl_server_step(x->server, slice(response, len)));
}

enum mox_sasl_step exchange_say(struct exchange *x, const char *response)
{
    return exchange_say_bytes(x, response, response == NULL ? 0 : strlen(response));
}

static struct mox_slice altered(struct exchange *x, bool from_server, struct mox_slice message)
{
    return x->alter == NULL ? message : x->alter(x, from_server, message);
}

/* The client's next response reaches the server. MOX_OK: go on. */
static int client_speaks(struct exchange *x, struct mox_sasl_client *c, struct mox_slice challenge)
{
    struct mox_slice response;
    int rc = mox_sasl_client_step(c, challenge, &response);
    if (rc == MOX_OK) {
        struct mox_slice said = altered(x, false, response);
        (void)exchange_say_bytes(x, said.data, said.len);
    } else {
        mox_sasl_server_abort(x->server);
        x->step = MOX_SASL_FAILURE;
    }
    return rc;
}

int exchange_log_in(struct exchange *x, enum mox_sasl_mechanism m)
{
    struct mox_sasl_client *c = NULL;
    mox_sasl_server_free(x->server);
    x->server = NULL;
    x->step = MOX_SASL_CHALLENGE;
    memset(x->asked, 0, sizeof x->asked);
    int rc = mox_sasl_server_new(&x->server, &x->t.env, m, &x->config);
    if (rc == MOX_OK)
        rc = mox_sasl_client_new(&c, &x->t.env, m, x->offered, &x->client);
    if (rc == MOX_OK)
        rc = client_speaks(x, c, slice(NULL, 0));
    while (rc == MOX_OK && x->step == MOX_SASL_CHALLENGE)
        rc = client_speaks(x, c, altered(x, true, mox_sasl_server_challenge(x->server)));
    if (rc == MOX_OK)
        rc = x->step == MOX_SASL_SUCCESS ? mox_sasl_client_finish(c) : MOX_EDENIED;
    mox_sasl_client_free(c);
    return rc;
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
