/* SPDX-License-Identifier: MIT */
#include "smtp/auth.h"

#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "sasl/attempt.h"

/* A challenge in base64: a nonce of the client comes back in it. */
#define CHALLENGE_MAX 4096

/* How an exchange that failed is answered (RFC 4954 §4, §6; RFC 5248). */
static const struct refusal {
    int code;
    const char *enhanced, *text;
} refusals[] = {
    [MOX_SASL_FAILED_SYNTAX] = {501, "5.5.4", "the response is not what the mechanism wants"},
    [MOX_SASL_FAILED_PROTOCOL] = {455, "4.7.0", "the response breaks the rules of the mechanism"},
    [MOX_SASL_FAILED_ENCODING] = {535, "5.7.0", "the response is not encoded as it should be"},
    [MOX_SASL_FAILED_CREDENTIALS] = {535, "5.7.8", "wrong user name or password"},
    [MOX_SASL_FAILED_BINDING] = {535, "5.7.7",
                                 "your channel is not ours: somebody may be in between"},
    [MOX_SASL_FAILED_AUTHORIZATION] = {535, "5.7.8", "nobody may act for somebody else"},
    [MOX_SASL_FAILED_DISABLED] = {525, "5.7.13", "this account cannot log in"},
    [MOX_SASL_FAILED_ABORTED] = {501, "5.5.0", "authentication cancelled"},
    [MOX_SASL_FAILED_TEMPORARY] = {454, "4.7.0", "cannot log in now; try again later"},
    [MOX_SASL_FAILED_MEMORY] = {454, "4.7.0", "cannot log in now; try again later"},
};

/* -- from its beginning to its end ------------------------------------------------------------ */

bool mox__smtp_auth_begin(struct mox_smtp_server *s, enum mox_sasl_mechanism m)
{
    struct auth *a = mem_new(&s->env, struct auth, 1);
    if (a == NULL)
        return false;
    int rc = mox__sasl_begin(&a->exchange, &s->env, m, s->hostname,
                             s->envelope.tls ? &s->peer.tls_info : NULL, mox__smtp_auth_offered(s),
                             s->config.sasl_secret);
    if (rc < 0) {
        mox__mem_free(&s->env, a);
        return false;
    }
    s->auth = a;
    return true;
}

static void forget(struct mox_smtp_server *s)
{
    struct auth *a = s->auth;
    s->auth = NULL;
    s->reading = READ_COMMAND;
    mox_sasl_server_free(a->exchange);
    mox__wipe(&a->answer, sizeof a->answer);
    mox__mem_free(&s->env, a);
}

/* A certificate that lets nobody in is no attempt: the client has not asked for anything. */
static void end(struct mox_smtp_server *s, enum mox_sasl_failure failure)
{
    const struct auth *a = s->auth;
    const struct mox_sasl_server *x = a->exchange;
    const struct mox_sasl_attempt attempt = mox__sasl_attempt(x, a->by_certificate, failure);
    if (failure == 0)
        mox__smtp_login_succeeded(s);
    else if (!a->by_certificate && (attempt.harmless || failure == MOX_SASL_FAILED_DISABLED))
        mox__smtp_login_undone(s);
    if (failure == 0 || !a->by_certificate) {
        mox__sasl_log_attempt(&s->env, SMTP_PKG, "smtp", &s->peer, &attempt,
                              mox_sasl_server_text(x));
        if (s->cb.auth_ended != NULL)
            s->cb.auth_ended(s->user, &attempt);
    }
    forget(s);
}

void mox__smtp_auth_abandon(struct mox_smtp_server *s)
{
    if (s->auth == NULL)
        return;
    mox_sasl_server_abort(s->auth->exchange);
    end(s, mox_sasl_server_failure(s->auth->exchange));
}

void mox__smtp_auth_out_of_memory(struct mox_smtp_server *s)
{
    if (s->auth != NULL)
        end(s, MOX_SASL_FAILED_MEMORY);
    s->failure = MOX_ENOMEM;
    mox__smtp_close(s);
}

/* -- replies ---------------------------------------------------------------------------------- */

static void refuse(struct mox_smtp_server *s, enum mox_sasl_failure failure, const char *enhanced,
                   const char *text)
{
    struct mox_smtp_reply reply;
    mox__smtp_reply_text(&reply, refusals[failure].code, enhanced, text);
    s->bad_commands += reply.code == 501;
    end(s, failure);
    mox__smtp_send(s, &reply);
}

static void fail(struct mox_smtp_server *s)
{
    const struct mox_sasl_server *x = s->auth->exchange;
    enum mox_sasl_failure failure = mox_sasl_server_failure(x);
    const struct refusal *r = &refusals[failure];
    const char *told = failure == MOX_SASL_FAILED_DISABLED ? mox_sasl_server_text(x) : "";
    if (failure == MOX_SASL_FAILED_MEMORY)
        mox__smtp_auth_out_of_memory(s);
    else
        refuse(s, failure, r->enhanced, *told == '\0' ? r->text : told);
}

void mox__smtp_auth_give_up(struct mox_smtp_server *s, enum mox_sasl_failure failure,
                            const char *enhanced, const char *text)
{
    struct mox_sasl_server *x = s->auth->exchange;
    mox_sasl_server_abort(x);
    if (mox_sasl_server_failure(x) == MOX_SASL_FAILED_ABORTED)
        refuse(s, failure, enhanced, text);
    else
        fail(s);
}

static void challenge(struct mox_smtp_server *s)
{
    struct buf encoded;
    mox__buf_init(&encoded, &s->env, CHALLENGE_MAX);
    mox__base64_encode(&encoded, mox_sasl_server_challenge(s->auth->exchange));
    if (encoded.failed) {
        mox__smtp_auth_out_of_memory(s);
    } else {
        s->reading = READ_AUTH;
        mox__smtp_send_challenge(s, slice(encoded.data, encoded.len));
    }
    mox__buf_free(&encoded);
}

static bool keep_user(struct mox_smtp_server *s)
{
    const char *name = mox_sasl_server_username(s->auth->exchange);
    char *kept = mox__strndup(&s->env, name, strlen(name));
    if (kept == NULL)
        return false;
    mox__mem_free(&s->env, s->username);
    s->username = kept;
    s->envelope.username = kept;
    s->by_certificate = s->auth->by_certificate;
    return true;
}

static void succeed(struct mox_smtp_server *s)
{
    if (!keep_user(s)) {
        mox__smtp_auth_out_of_memory(s);
        return;
    }
    end(s, (enum mox_sasl_failure)0);
    mox__smtp_reply(s, 235, "2.7.0", "nice");
}

/* EHLO has waited for this, and goes on whatever came of it: the client can still log in. */
static void end_certificate(struct mox_smtp_server *s, enum mox_sasl_step step)
{
    if (step == MOX_SASL_SUCCESS && !keep_user(s)) {
        mox__smtp_auth_out_of_memory(s);
        return;
    }
    if (step == MOX_SASL_SUCCESS)
        end(s, (enum mox_sasl_failure)0);
    else
        mox__smtp_auth_abandon(s);
    mox__smtp_welcome(s);
}

/* -- steps ------------------------------------------------------------------------------------ */

static int ask(struct mox_smtp_server *s)
{
    struct auth *a = s->auth;
    a->question = *mox_sasl_server_question(a->exchange);
    if (a->by_certificate)
        a->question.mechanism = MOX_SASL_BY_CERTIFICATE;
    mox_sasl_answer_init(&a->answer);
    return s->cb.auth(s->user, &a->question, &a->answer);
}

static void go_on(struct mox_smtp_server *s, enum mox_sasl_step step)
{
    while (step == MOX_SASL_ASK) {
        int rc = ask(s);
        if (rc == MOX_LATER) {
            s->pending = ASK_AUTH;
            return;
        }
        step = mox_sasl_server_answer(s->auth->exchange, rc, &s->auth->answer);
    }
    if (s->auth->by_certificate)
        end_certificate(s, step);
    else if (step == MOX_SASL_CHALLENGE)
        challenge(s);
    else if (step == MOX_SASL_SUCCESS)
        succeed(s);
    else
        fail(s);
}

void mox__smtp_auth_step(struct mox_smtp_server *s, struct mox_slice response)
{
    go_on(s, mox_sasl_server_step(s->auth->exchange, response));
}

int mox_smtp_server_auth(struct mox_smtp_server *s, int status,
                         const struct mox_sasl_answer *answer)
{
    if (s->pending != ASK_AUTH || status == MOX_LATER)
        return MOX_EINVAL;
    s->active_us = s->env.monotonic_us(s->env.user);
    s->pending = ASK_NOTHING;
    go_on(s, mox_sasl_server_answer(s->auth->exchange, status, answer));
    if (s->closing)
        mox__smtp_close(s);
    mox__smtp_resume(s);
    return s->failure;
}

/* RFC 4422 appendix A without the command: whose key is registered is logged in (RFC 8314 §3.4). */
bool mox__smtp_auth_by_certificate(struct mox_smtp_server *s)
{
    if (s->cb.auth == NULL || s->config.mode != MOX_SMTP_SUBMISSION || s->certificate_asked ||
        (mox__smtp_auth_offered(s) & MOX_SASL_EXTERNAL) == 0)
        return false;
    s->certificate_asked = true;
    if (!mox__smtp_auth_begin(s, MOX_SASL_EXTERNAL)) {
        mox__smtp_auth_out_of_memory(s);
        return true;
    }
    s->auth->by_certificate = true;
    mox__smtp_auth_step(s, slice("", 0));
    return true;
}
