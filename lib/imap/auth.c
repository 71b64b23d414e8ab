/* SPDX-License-Identifier: MIT */
#include "imap/auth.h"

#include <string.h>

#include "base/mem.h"
#include "sasl/attempt.h"

static const struct mox_tls_info *tls_of(const struct mox_imap_server *s)
{
    return s->peer.tls ? &s->peer.tls_info : NULL;
}

unsigned mox__imap_auth_offered(const struct mox_imap_server *s)
{
    return mox_sasl_offered(s->config.mechanisms, tls_of(s), s->config.auth_without_tls);
}

bool mox__imap_auth_begin(struct mox_imap_server *s, enum mox_sasl_mechanism m)
{
    struct auth *a = mem_new(&s->env, struct auth, 1);
    if (a == NULL)
        return false;
    int rc = mox__sasl_begin(&a->exchange, &s->env, m, s->hostname, tls_of(s),
                             mox__imap_auth_offered(s), s->config.sasl_secret);
    if (rc < 0) {
        mox__mem_free(&s->env, a);
        return false;
    }
    s->auth = a;
    return true;
}

void mox__imap_auth_respond(struct mox_imap_server *s, struct mox_slice response)
{
    s->auth->step = mox_sasl_server_step(s->auth->exchange, response);
}

void mox__imap_auth_give_up(struct mox_imap_server *s)
{
    mox_sasl_server_abort(s->auth->exchange);
    s->auth->step = MOX_SASL_FAILURE;
}

/* --- questions --- */

static void ask(struct mox_imap_server *s, struct auth *a)
{
    a->asked = true;
    a->question = *mox_sasl_server_question(a->exchange);
    if (a->by_certificate)
        a->question.mechanism = MOX_SASL_BY_CERTIFICATE;
    mox_sasl_answer_init(&a->answer);
    a->status = s->cb.auth(s->user, &a->question, &a->answer, &a->store);
}

/* A host that admits a user without handing his mail over has made a mistake. */
static int status_of(const struct auth *a)
{
    bool needs_store = a->question.ask != MOX_SASL_ASK_RECORD;
    return a->status == MOX_OK && needs_store && a->store.ops == NULL ? MOX_EINVAL : a->status;
}

bool mox__imap_auth_go_on(struct mox_imap_server *s)
{
    struct auth *a = s->auth;
    while (a->step == MOX_SASL_ASK) {
        if (!a->asked)
            ask(s, a);
        if (a->status == MOX_LATER)
            return false;
        a->asked = false;
        a->step = mox_sasl_server_answer(a->exchange, status_of(a), &a->answer);
    }
    return true;
}

static bool is_pending(const struct auth *a)
{
    return a->asked && a->status == MOX_LATER;
}

int mox_imap_server_auth(struct mox_imap_server *s, int status,
                         const struct mox_sasl_answer *answer, const struct mox_mailstore *store)
{
    struct auth *a = s->auth;
    if (a == NULL || !is_pending(a) || status == MOX_LATER)
        return MOX_EINVAL;
    a->status = status;
    if (answer != NULL)
        memcpy(&a->answer, answer,
               answer->size < sizeof a->answer ? answer->size : sizeof a->answer);
    if (store != NULL && status == MOX_OK)
        a->store = *store;
    s->called = true;
    if (s->reader == READ_GREETING && !s->closing)
        mox__imap_greet(s);
    mox__imap_pump(s);
    return s->failure;
}

/* --- its end --- */

static void close_store(struct auth *a)
{
    if (a->store.ops != NULL && a->store.ops->close != NULL)
        a->store.ops->close(a->store.self);
    a->store = (struct mox_mailstore){.ops = NULL};
}

int mox__imap_auth_accept(struct mox_imap_server *s, struct mox_error *err)
{
    struct auth *a = s->auth;
    int rc = a->store.ops->mailboxes(a->store.self, &s->mailboxes, err);
    if (rc < 0)
        return rc;
    s->store = a->store;
    s->have_store = true;
    a->store = (struct mox_mailstore){.ops = NULL};
    s->state = ST_AUTHENTICATED;
    return MOX_OK;
}

void mox__imap_auth_report(struct mox_imap_server *s, enum mox_sasl_failure failure)
{
    struct auth *a = s->auth;
    if (a->reported)
        return;
    a->reported = true;
    if (failure != 0 && a->by_certificate)
        return; /* the client has not asked for anything */
    const struct mox_sasl_server *x = a->exchange;
    const struct mox_sasl_attempt attempt = mox__sasl_attempt(x, a->by_certificate, failure);
    if (failure == 0)
        mox__imap_login_succeeded(s);
    else if (attempt.harmless || failure == MOX_SASL_FAILED_DISABLED)
        mox__imap_login_undone(s);
    mox__sasl_log_attempt(&s->env, "imapserver", "imap", &s->peer, &attempt,
                          mox_sasl_server_text(x));
    if (s->cb.auth_ended != NULL)
        s->cb.auth_ended(s->user, &attempt);
}

void mox__imap_auth_interrupted(struct mox_imap_server *s)
{
    if (s->auth == NULL)
        return;
    mox_sasl_server_abort(s->auth->exchange);
    mox__imap_auth_report(s, mox_sasl_server_failure(s->auth->exchange));
}

void mox__imap_auth_close(struct mox_imap_server *s)
{
    struct auth *a = s->auth;
    if (a == NULL)
        return;
    mox__imap_auth_interrupted(s);
    s->auth = NULL;
    close_store(a);
    mox_sasl_server_free(a->exchange);
    mox__wipe(&a->answer, sizeof a->answer);
    mox__mem_free(&s->env, a);
}
