/* SPDX-License-Identifier: MIT */
#include "sasl/server.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Keeps the order of calls:
 *
 *                 step                       answer
 *   AWAITS_RESPONSE ──ASK──▶ AWAITS_ANSWER ──CHALLENGE──▶ AWAITS_RESPONSE
 *     │   ▲    │                  │
 *     └─CHALLENGE└──FAILURE──▶ ENDED ◀──SUCCESS, FAILURE
 *
 * Only an answer of the host leads to success. */

static const struct server_mechanism *const mechanisms[] = {
    &mox__sasl_server_plain, &mox__sasl_server_login,    &mox__sasl_server_cram_md5,
    &mox__sasl_server_scram, &mox__sasl_server_external, &mox__sasl_server_oauthbearer,
};

void mox_sasl_server_config_init(struct mox_sasl_server_config *config)
{
    *config = (struct mox_sasl_server_config){.size = sizeof *config, .offered = ~0u};
}

void mox_sasl_answer_init(struct mox_sasl_answer *answer)
{
    *answer = (struct mox_sasl_answer){.size = sizeof *answer};
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static const struct server_mechanism *find(enum mox_sasl_mechanism m)
{
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if ((mechanisms[i]->ids & (unsigned)m) != 0)
            return mechanisms[i];
    return NULL;
}

static void know_channel(struct mox_sasl_server *s, const struct mox_tls_info *tls)
{
    struct mox_tls_info info = {0};
    if (tls != NULL)
        memcpy(&info, tls, min_size(tls->size, sizeof info));
    s->offered = mox_sasl_offered(s->offered, tls == NULL ? NULL : &info, true);
    mox__sasl_channel_init(&s->channel, &info);
    mox__wipe(&info, sizeof info);
}

int mox_sasl_server_new(struct mox_sasl_server **out, const struct mox_env *env,
                        enum mox_sasl_mechanism m, const struct mox_sasl_server_config *given)
{
    struct mox_sasl_server_config config;
    *out = NULL;
    if (find(m) == NULL || mox_sasl_mechanism_name(m)[0] == '\0')
        return MOX_EINVAL;
    struct mox_sasl_server *s = mem_new(env, struct mox_sasl_server, 1);
    if (s == NULL)
        return MOX_ENOMEM;
    mox_sasl_server_config_init(&config);
    memcpy(&config, given, min_size(given->size, sizeof config));
    s->env = *env;
    s->mechanism = find(m);
    s->id = m;
    s->offered = config.offered;
    memcpy(s->secret, config.secret, sizeof s->secret);
    mox__wipe(&config.secret, sizeof config.secret);
    know_channel(s, config.tls);
    if (s->mechanism->start != NULL)
        s->mechanism->start(s, config.hostname == NULL ? "localhost" : config.hostname);
    *out = s;
    return MOX_OK;
}

void mox_sasl_server_free(struct mox_sasl_server *s)
{
    if (s == NULL)
        return;
    struct mox_env env = s->env;
    mox__sasl_forget_secret(s);
    mox__buf_free(&s->scram.header);
    mox__buf_free(&s->scram.message);
    mox__wipe(s, sizeof *s);
    mox__mem_free(&env, s);
}

/* ---- what a mechanism's step ends with ---- */

enum mox_sasl_step mox__sasl_fail(struct mox_sasl_server *s, enum mox_sasl_failure failure,
                                  const char *text)
{
    s->state = SASL_ENDED;
    s->failure = failure;
    if (text[0] != '\0')
        (void)snprintf(s->text, sizeof s->text, "%s", text);
    return MOX_SASL_FAILURE;
}

enum mox_sasl_step mox__sasl_fail_after(struct mox_sasl_server *s, enum mox_sasl_failure failure,
                                        const char *text, const char *last_words)
{
    s->pending = failure;
    if (text[0] != '\0')
        (void)snprintf(s->text, sizeof s->text, "%s", text);
    return mox__sasl_challenge(s, slice_of(last_words));
}

enum mox_sasl_step mox__sasl_challenge(struct mox_sasl_server *s, struct mox_slice challenge)
{
    s->state = SASL_AWAITS_RESPONSE;
    s->challenge = challenge;
    return MOX_SASL_CHALLENGE;
}

enum mox_sasl_step mox__sasl_ask(struct mox_sasl_server *s, enum mox_sasl_ask ask)
{
    const char *record = s->question.record == NULL ? "" : s->question.record;
    const char *given = s->secret_text == NULL ? "" : s->secret_text;
    s->question = (struct mox_sasl_question){
        .size = sizeof s->question,
        .ask = ask,
        .mechanism = mox_sasl_mechanism_name(s->id),
        .username = s->username,
        .password = ask == MOX_SASL_ASK_PASSWORD ? given : "",
        .record = record,
        .token = ask == MOX_SASL_ASK_TOKEN ? given : "",
    };
    s->state = SASL_AWAITS_ANSWER;
    return MOX_SASL_ASK;
}

enum mox_sasl_step mox__sasl_succeed(struct mox_sasl_server *s)
{
    s->state = SASL_ENDED;
    return MOX_SASL_SUCCESS;
}

enum mox_sasl_step mox__sasl_conclude(struct mox_sasl_server *s, int status,
                                      const struct mox_sasl_answer *answer)
{
    switch (status) {
    case MOX_OK:
        return mox__sasl_succeed(s);
    case MOX_EDENIED:
    case MOX_ENOTFOUND:
        return mox__sasl_fail(s, MOX_SASL_FAILED_CREDENTIALS, "");
    case MOX_EREFUSED:
        return mox__sasl_fail(s, MOX_SASL_FAILED_DISABLED, answer->text);
    case MOX_ENOMEM:
        return mox__sasl_fail(s, MOX_SASL_FAILED_MEMORY, "");
    default:
        return mox__sasl_fail(s, MOX_SASL_FAILED_TEMPORARY, mox_status_text(status));
    }
}

/* A host that forgets to say who it is must not let in nobody in particular. */
enum mox_sasl_step mox__sasl_conclude_whose(struct mox_sasl_server *s, int status,
                                            const struct mox_sasl_answer *answer)
{
    if (status == MOX_OK && s->username[0] == '\0')
        memcpy(s->username, answer->username, sizeof s->username);
    if (status == MOX_OK && s->username[0] == '\0')
        return mox__sasl_fail(s, MOX_SASL_FAILED_TEMPORARY, "nobody's certificate or token");
    return mox__sasl_conclude(s, status, answer);
}

/* ---- calls of the host ---- */

static enum mox_sasl_step ended(const struct mox_sasl_server *s)
{
    return s->failure == 0 ? MOX_SASL_SUCCESS : MOX_SASL_FAILURE;
}

enum mox_sasl_step mox_sasl_server_step(struct mox_sasl_server *s, struct mox_slice response)
{
    if (s->state == SASL_ENDED)
        return ended(s);
    s->challenge = slice(NULL, 0);
    if (s->state != SASL_AWAITS_RESPONSE)
        return mox__sasl_fail(s, MOX_SASL_FAILED_TEMPORARY, "a response instead of an answer");
    if (s->pending != 0)
        return mox__sasl_fail(s, s->pending, ""); /* whatever the client says to it */
    if (response.len > MOX_SASL_RESPONSE_MAX)
        return mox__sasl_fail(s, MOX_SASL_FAILED_SYNTAX, "too long a response");
    return s->mechanism->step(s, response);
}

enum mox_sasl_step mox_sasl_server_answer(struct mox_sasl_server *s, int status,
                                          const struct mox_sasl_answer *given)
{
    struct mox_sasl_answer answer;
    bool asked = s->state == SASL_AWAITS_ANSWER;
    mox__sasl_forget_secret(s);
    if (s->state == SASL_ENDED)
        return ended(s); /* it was given up meanwhile */
    if (!asked)
        return mox__sasl_fail(s, MOX_SASL_FAILED_TEMPORARY, "an answer without a question");
    mox_sasl_answer_init(&answer);
    if (given != NULL)
        memcpy(&answer, given, min_size(given->size, sizeof answer));
    answer.record[sizeof answer.record - 1] = '\0';
    answer.username[sizeof answer.username - 1] = '\0';
    answer.text[sizeof answer.text - 1] = '\0';
    enum mox_sasl_step step = s->mechanism->answer(s, status, &answer);
    mox__wipe(&answer, sizeof answer);
    return step;
}

/* A question that somebody else reads meanwhile stays until it is answered. A client that gives up
 * because it was told that it failed has failed. */
void mox_sasl_server_abort(struct mox_sasl_server *s)
{
    if (s->state != SASL_ENDED)
        (void)mox__sasl_fail(s, s->pending != 0 ? s->pending : MOX_SASL_FAILED_ABORTED, "");
}

void mox__sasl_server_set_unique(struct mox_sasl_server *s, const char *text)
{
    (void)snprintf(s->unique, sizeof s->unique, "%s", text);
}

struct mox_slice mox_sasl_server_challenge(const struct mox_sasl_server *s)
{
    return s->challenge;
}

const struct mox_sasl_question *mox_sasl_server_question(const struct mox_sasl_server *s)
{
    return &s->question;
}

enum mox_sasl_mechanism mox_sasl_server_mechanism(const struct mox_sasl_server *s)
{
    return s->id;
}

const char *mox_sasl_server_username(const struct mox_sasl_server *s)
{
    return s->username;
}

enum mox_sasl_failure mox_sasl_server_failure(const struct mox_sasl_server *s)
{
    return s->failure;
}

const char *mox_sasl_server_text(const struct mox_sasl_server *s)
{
    return s->text;
}

bool mox_sasl_server_is_harmless(const struct mox_sasl_server *s)
{
    return s->failure == MOX_SASL_FAILED_TEMPORARY || s->failure == MOX_SASL_FAILED_MEMORY ||
           (s->failure == MOX_SASL_FAILED_CREDENTIALS && s->lacks_record);
}
