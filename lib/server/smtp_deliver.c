/* SPDX-License-Identifier: MIT */
#include <mox/delivery.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/metrics.h"
#include "server/smtp_session.h"

/* A message on its way to the store. While all its accounts are open and its content is in memory,
 * handing it over waits for nothing and happens on the loop's thread; else a worker does it. */
struct handover {
    struct smtp_session *session;
    const struct mox_smtp_envelope *envelope;
    struct mox_delivery *delivery;
    struct mox_account **accounts; /* one open reference for each recipient */
    size_t account_count;
    struct work work;
    struct loop_task settled;
    int rc; /* of what comes before the stores answer */
    struct mox_error error;
    unsigned awaited; /* the worker, and the stores */
    int64_t begun_us;
};

static bool waits_for_nothing(struct smtp_session *ss)
{
    if (mox_spool_fd(ss->spool) >= 0)
        return false;
    for (size_t i = 0; i < ss->recipient_count; i++)
        if (!mox__account_is_open(ss->server, ss->recipients[i].account))
            return false;
    return true;
}

static void free_handover(struct handover *h)
{
    struct smtp_session *ss = h->session;
    for (size_t i = 0; i < h->account_count; i++)
        mox__account_keep(ss->server, ss->recipients[i].account, h->accounts[i]);
    mox_delivery_free(h->delivery);
    mox__mem_free(&ss->server->env, h->accounts);
    mox__mem_free(&ss->server->env, h);
}

static const char *problem_of(const struct handover *h, int rc)
{
    if (rc == MOX_OK)
        return NULL;
    if (h->error.text[0] != '\0')
        return h->error.text;
    return h->rc == MOX_OK ? mox_delivery_problem(h->delivery) : mox_status_text(rc);
}

static void log_outcome(struct handover *h, int rc)
{
    struct smtp_session *ss = h->session;
    const struct mox_env *env = mox__conn_env(ss->conn);
    const struct mox_smtp_envelope *e = h->envelope;
    int64_t took_us = mox__loop_now(ss->server->net->loop) - h->begun_us;
    const char *problem = problem_of(h, rc);
    for (size_t i = 0; i < ss->recipient_count; i++)
        log_line(env, rc == MOX_OK ? MOX_LOG_INFO : MOX_LOG_ERROR, "smtpserver",
                 rc == MOX_OK ? "message delivered" : "message not delivered", problem,
                 F_TEXT("mailfrom", e->mail_from.address),
                 F_TEXT("rcptto", e->recipients[i].address),
                 F_TEXT("account", ss->recipients[i].account->name),
                 F_TEXT("mailbox", ss->recipients[i].mailbox), F_UINT("size", e->content_bytes),
                 F_DURATION("duration", took_us));
}

/* A message is stored for all of its recipients, or for none. */
static void count_outcome(const struct handover *h, int rc)
{
    struct smtp_session *ss = h->session;
    struct mox_server *s = ss->server;
    const char *failed = h->rc < 0 ? "accounterror" : "delivererror";
    const char *reason = s->config.localserve ? "localserve" : "no-bad-signals";
    if (ss->endpoint->kind != SERVE_SMTP) {
        mox__count_submission(s, rc == MOX_OK           ? "ok"
                                 : s->config.localserve ? "localserveerror"
                                                        : "queueerror");
        return;
    }
    for (size_t i = 0; i < ss->recipient_count; i++)
        mox__count_delivery(s, rc == MOX_OK ? "delivered" : failed, reason);
}

static void finish(struct handover *h)
{
    struct smtp_session *ss = h->session;
    struct mox_smtp_reply reply;
    int rc = h->rc;
    if (rc == MOX_OK)
        rc = mox_delivery_reply(h->delivery, &reply);
    else
        mox_smtp_reply_set(&reply, 451, "4.3.0", "the mailbox cannot be opened; try again later");
    log_outcome(h, rc);
    count_outcome(h, rc);
    free_handover(h);
    mox__smtp_answer_pending(ss, rc, rc == MOX_OK ? NULL : &reply);
}

static void came(struct handover *h)
{
    if (--h->awaited == 0)
        finish(h);
}

static void stores_answered(struct loop_task *t)
{
    came(container_of(t, struct handover, settled));
}

/* On any thread. */
static void pass_on(void *user, struct mox_delivery *d)
{
    (void)d;
    struct handover *h = user;
    mox__loop_post(h->session->server->net->loop, &h->settled);
}

/* Any thread. When it fails, the stores were not asked. */
static int hand_over(struct handover *h)
{
    struct smtp_session *ss = h->session;
    enum mox_smtp_mode mode =
        ss->endpoint->kind == SERVE_SMTP ? MOX_SMTP_DELIVERY : MOX_SMTP_SUBMISSION;
    int rc = mox_delivery_new(&h->delivery, &ss->server->env, h->envelope, mode, ss->spool);
    for (size_t i = 0; rc == MOX_OK && i < ss->recipient_count; i++) {
        const struct recipient *r = &ss->recipients[i];
        rc = mox__account_open(ss->server, r->account->name, &h->accounts[i], &h->error);
        if (rc < 0)
            break;
        h->account_count++;
        struct mox_mailstore store = mox_account_mailstore(h->accounts[i]);
        rc = mox_delivery_add(h->delivery, &store, r->mailbox, &h->envelope->recipients[i], NULL);
    }
    if (rc == MOX_OK)
        mox_delivery_start(h->delivery, pass_on, h);
    return rc;
}

static void work(struct work *w)
{
    struct handover *h = container_of(w, struct handover, work);
    h->rc = hand_over(h);
}

static void worked(struct work *w)
{
    struct handover *h = container_of(w, struct handover, work);
    if (h->rc < 0)
        h->awaited = 1;
    came(h);
}

static int start(struct handover *h)
{
    if (waits_for_nothing(h->session)) {
        h->awaited = 1;
        return hand_over(h);
    }
    h->awaited = 2;
    h->work.run = work;
    h->work.done = worked;
    return mox__pool_submit(h->session->server->net->workers, &h->work);
}

int mox__smtp_deliver(struct smtp_session *ss, const struct mox_smtp_envelope *envelope,
                      struct mox_smtp_reply *reply)
{
    const struct mox_env *env = &ss->server->env;
    struct handover *h = mem_new(env, struct handover, 1);
    if (h == NULL)
        return MOX_ENOMEM;
    h->session = ss;
    h->envelope = envelope;
    h->settled.run = stores_answered;
    h->begun_us = mox__loop_now(ss->server->net->loop);
    h->accounts = mem_new(env, struct mox_account *, ss->recipient_count + 1);
    int rc = h->accounts == NULL ? MOX_ENOMEM : start(h);
    if (rc == MOX_OK)
        return MOX_LATER;
    mox_smtp_reply_set(reply, 451, "4.3.0", "not delivered; try again later");
    h->rc = rc;
    log_outcome(h, rc);
    count_outcome(h, rc);
    free_handover(h);
    return rc;
}
