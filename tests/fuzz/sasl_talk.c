/* SPDX-License-Identifier: MIT */
#include "sasl_talk.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/testenv.h"

bool talk_is_text(struct mox_slice s)
{
    return mox__slice_is_utf8(s) && (s.len == 0 || memchr(s.data, 0, s.len) == NULL);
}

/* Which questions a mechanism may ask. */
static unsigned questions_of(enum mox_sasl_mechanism m)
{
    if ((m & MOX_SASL_PASSWORDS) != 0)
        return 1u << MOX_SASL_ASK_PASSWORD;
    if (m == MOX_SASL_EXTERNAL)
        return 1u << MOX_SASL_ASK_CERTIFICATE;
    if (m == MOX_SASL_OAUTHBEARER)
        return 1u << MOX_SASL_ASK_TOKEN;
    return 1u << MOX_SASL_ASK_RECORD | 1u << MOX_SASL_ASK_ADMIT;
}

static void check_question(struct exchange *x, const struct mox_sasl_question *q)
{
    struct talk *talk = x->alter_user;
    assert((questions_of(talk->m) >> q->ask & 1u) != 0);
    assert(strcmp(q->mechanism, mox_sasl_mechanism_name(talk->m)) == 0);
    assert(strlen(q->username) < MOX_SASL_USERNAME_MAX && talk_is_text(slice_of(q->username)));
    assert(talk_is_text(slice_of(q->password)) && talk_is_text(slice_of(q->token)));
    assert(q->ask == MOX_SASL_ASK_PASSWORD || q->password[0] == '\0');
    assert((q->ask == MOX_SASL_ASK_TOKEN) == (q->token[0] != '\0'));
    assert(q->ask != MOX_SASL_ASK_RECORD || q->record[0] != '\0');
    assert(q->ask != MOX_SASL_ASK_ADMIT || x->asked[MOX_SASL_ASK_RECORD] == 1);
    talk->ask = q->ask;
    (void)snprintf(talk->username, sizeof talk->username, "%s", q->username);
    (void)snprintf(talk->secret, sizeof talk->secret, "%s%s", q->password, q->token);
}

/* After each step, and once more at the end. */
static void check_step(struct talk *talk)
{
    struct exchange *x = &talk->x;
    struct mox_slice challenge = mox_sasl_server_challenge(x->server);
    enum mox_sasl_failure failure = mox_sasl_server_failure(x->server);
    const char *text = mox_sasl_server_text(x->server);
    assert((failure != 0) == (x->step == MOX_SASL_FAILURE));
    assert(mox_sasl_failure_name(failure)[0] != '\0');
    assert(x->step != MOX_SASL_CHALLENGE || (challenge.data != NULL && talk_is_text(challenge)));
    assert(strlen(talk->secret) < 12 || strstr(text, talk->secret) == NULL);
    assert(talk_is_text(slice_of(mox_sasl_server_username(x->server))));
    if (x->step == MOX_SASL_SUCCESS) {
        assert(talk->ask != 0 && talk->ask != MOX_SASL_ASK_RECORD);
        assert((talk->flags & TALK_DISABLED) == 0);
        assert(mox_sasl_server_username(x->server)[0] != '\0');
    }
}

/* Whatever comes behind the end changes nothing. */
static void check_end(struct talk *talk)
{
    struct exchange *x = &talk->x;
    enum mox_sasl_step step = x->step;
    enum mox_sasl_failure failure = mox_sasl_server_failure(x->server);
    assert(mox_sasl_server_step(x->server, slice_of("\0user\0pencil")) == step);
    mox_sasl_server_abort(x->server);
    assert(mox_sasl_server_answer(x->server, MOX_OK, NULL) == step);
    assert(mox_sasl_server_failure(x->server) == failure);
}

static void say(struct talk *talk, struct mox_slice response)
{
    (void)exchange_say_bytes(&talk->x, response.data, response.len);
    assert(talk->count < TALK_RESPONSES);
    talk->said[talk->count++] = response;
    check_step(talk);
}

static void speak(struct talk *talk)
{
    struct exchange *x = &talk->x;
    x->step = MOX_SASL_CHALLENGE;
    if (mox_sasl_server_new(&x->server, &x->t.env, talk->m, &x->config) != MOX_OK)
        return;
    if ((talk->flags & TALK_WAITS) != 0)
        say(talk, slice(NULL, 0));
    while (x->step == MOX_SASL_CHALLENGE && talk->count < TALK_RESPONSES) {
        struct mox_slice response = input_until(&talk->in, '\n');
        say(talk, response.data == NULL ? slice("", 0) : response);
    }
    assert(x->step == MOX_SASL_SUCCESS || x->step == MOX_SASL_FAILURE);
    check_end(talk);
}

/* ---- changes ---- */

enum { CHANGE_NOTHING, CHANGE_BYTE, CHANGE_INSERT, CHANGE_DELETE, CHANGE_CUT, CHANGE_ALL, CHANGES };

/* The message with what three bytes of the input say done to it. */
static void change(struct talk *talk, struct mox_slice message)
{
    struct buf *b = &talk->changed;
    unsigned how = input_below(&talk->in, CHANGES);
    size_t at = input_byte(&talk->in);
    uint8_t byte = input_byte(&talk->in);
    at = message.len == 0 ? 0 : at % message.len;
    size_t skipped = (how == CHANGE_BYTE || how == CHANGE_DELETE) && message.len > 0;
    if (how == CHANGE_ALL) {
        mox__buf_slice(b, input_until(&talk->in, '\n'));
        return;
    }
    mox__buf_append(b, message.data, how == CHANGE_NOTHING ? message.len : at);
    if (how == CHANGE_BYTE || how == CHANGE_INSERT)
        mox__buf_byte(b, byte);
    if (how != CHANGE_NOTHING && how != CHANGE_CUT && at + skipped < message.len)
        mox__buf_slice(b, slice_from(message, at + skipped));
}

static struct mox_slice alter(struct exchange *x, bool from_server, struct mox_slice message)
{
    struct talk *talk = x->alter_user;
    (void)from_server;
    if (message.data == NULL)
        return message;
    mox__buf_clear(&talk->changed);
    change(talk, message);
    struct mox_slice now = slice(talk->changed.data, talk->changed.len);
    if (now.data == NULL)
        now = slice("", 0);
    talk->any_changed = talk->any_changed || !mox__slice_eq(now, message);
    return now;
}

static bool is_scram(enum mox_sasl_mechanism m)
{
    return strncmp(mox_sasl_mechanism_name(m), "SCRAM", 5) == 0;
}

static void log_in(struct talk *talk)
{
    struct exchange *x = &talk->x;
    const unsigned none =
        TALK_NO_EXPORTER | TALK_NO_CERTIFICATE | TALK_NO_RECORDS | TALK_DISABLED | TALK_NO_MEMORY;
    x->alter = alter;
    x->client.authorize = talk->m == MOX_SASL_EXTERNAL ? "user" : NULL;
    int rc = exchange_log_in(x, talk->m);
    if (x->server != NULL && x->step != MOX_SASL_CHALLENGE)
        check_step(talk);
    assert(rc != MOX_OK || x->step == MOX_SASL_SUCCESS);
    if (is_scram(talk->m))
        assert(rc != MOX_OK || !talk->any_changed);
    if (!talk->any_changed && (talk->flags & none) == 0 && (talk->flags & TALK_TLS) != 0)
        assert(rc == MOX_OK);
}

/* ---- */

static void prepare(struct talk *talk)
{
    struct exchange *x = &talk->x;
    unsigned flags = talk->flags;
    exchange_set_iterations(x, 2);
    x->client.min_iterations = 1;
    x->client.max_iterations = 1000;
    if ((flags & TALK_TLS) != 0)
        exchange_use_tls(x);
    x->tls.has_exporter = (flags & TALK_NO_EXPORTER) == 0;
    x->tls.has_client_key = (flags & TALK_NO_CERTIFICATE) == 0;
    if ((flags & TALK_NO_RECORDS) != 0)
        x->scram_sha_1 = x->scram_sha_256 = x->cram_md5 = NULL;
    if ((flags & TALK_DISABLED) != 0)
        x->admits = MOX_EREFUSED;
    if ((flags & TALK_NO_MEMORY) != 0)
        x->t.fail_at = 1 + input_byte(&talk->in) % 32;
}

int sasl_talk(enum mox_sasl_mechanism m, talk_oracle *oracle, const uint8_t *data, size_t len)
{
    struct talk *talk = calloc(1, sizeof *talk);
    assert(talk != NULL);
    exchange_init(&talk->x);
    struct mox_env system;
    mox_env_system(&system);
    mox__buf_init(&talk->changed, &system, SIZE_MAX / 2);
    talk->m = m;
    talk->in = (struct input){{data, len}};
    talk->flags = input_byte(&talk->in);
    talk->x.alter_user = talk;
    talk->x.see_question = check_question;
    prepare(talk);
    if ((talk->flags & TALK_CHANGES) != 0)
        log_in(talk);
    else
        speak(talk);
    if ((talk->flags & (TALK_CHANGES | TALK_NO_MEMORY)) == 0 && oracle != NULL)
        oracle(talk);
    mox__buf_free(&talk->changed);
    exchange_done(&talk->x);
    free(talk);
    return 0;
}
