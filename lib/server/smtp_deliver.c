/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/metrics.h"
#include "server/smtp_handover.h"

/*
 * Each step of smtp_handover.h to the right of an arrow waits for a worker, a store or the DNS, or for none of
 * them: a submission to open accounts with its content in memory is handed over on the loop's thread.
 */

bool mox__handover_is_submission(const struct handover *h)
{
    return h->session->endpoint->kind != SERVE_SMTP;
}

static void free_handover(struct handover *h)
{
    struct smtp_session *ss = h->session;
    ss->handover = NULL;
    mox__targets_free(h);
    mox__submission_count_free(&h->count, ss);
    mox_delivery_free(h->delivery);
    mox__smtp_checks_free(&h->checks);
    mox_dns_answers_free(h->list_answers);
    mox__mem_free(&ss->server->env, h);
}

/* ---- the end ---- */

static void log_rejection(const struct handover *h, const struct mox_smtp_reply *reply)
{
    const struct smtp_session *ss = h->session;
    mox__count_delivery(ss->server, "reject", h->reason);
    log_line(mox__conn_env(ss->conn), MOX_LOG_INFO, "smtpserver", "incoming message rejected",
             reply->text, F_TEXT("reason", h->reason),
             F_TEXT("mailfrom", h->envelope.mail_from.address));
}

/* Tells everybody but the engine, and frees. */
static void end(struct handover *h, int rc, const struct mox_smtp_reply *reply)
{
    bool submission = mox__handover_is_submission(h);
    if (!h->refused)
        mox__outcome_tell(h, rc);
    else if (!submission)
        log_rejection(h, reply);
    if (rc == MOX_EREFUSED && !h->refused)
        h->outcome = MOX_SUBMISSION_BAD_FROM; /* a list that the user may not write to */
    else if (rc < 0 && !h->refused)
        h->outcome = MOX_SUBMISSION_QUEUE;
    if (submission)
        mox__submission_ended(h->session, h->outcome, reply);
    free_handover(h);
}

/* The reply to what failed before the stores were asked to keep the message. */
static struct mox_smtp_reply early_reply(const struct handover *h)
{
    struct mox_smtp_reply reply = h->reply;
    if (h->cut_short)
        mox_smtp_reply_set(&reply, 421, "4.3.2",
                           "not delivered, the connection ends; try again later");
    else if (!h->refused)
        mox_smtp_reply_set(&reply, 451, "4.3.0", "the mailbox cannot be opened; try again later");
    return reply;
}

static void reply_and_end(struct handover *h, int rc, const struct mox_smtp_reply *reply)
{
    struct smtp_session *ss = h->session;
    const struct mox_smtp_reply said = *reply; /* of what goes now */
    end(h, rc, &said);
    mox__smtp_answer_pending(ss, rc, rc == MOX_OK && !said.slow ? NULL : &said);
}

void mox__handover_fail(struct handover *h, int rc)
{
    h->rc = rc;
    struct mox_smtp_reply reply = early_reply(h);
    reply_and_end(h, rc, &reply);
}

/* However that went, the message is delivered. */
static void bounced(struct handover *h)
{
    mox__bounce_ended(h);
    h->rc = MOX_OK;
    reply_and_end(h, MOX_OK, &h->reply);
}

/* The sender's client knows that all is done when it gets its reply, the bounce too. */
static void stored(struct handover *h)
{
    if (h->rc < 0) {
        mox__handover_fail(h, h->rc);
        return;
    }
    int rc = mox__outcome_reply(h, &h->reply);
    if (rc < 0 || !mox__bounce_is_due(h)) {
        reply_and_end(h, rc, &h->reply);
        return;
    }
    rc = mox__handover_step(h, mox__bounce_start, bounced);
    if (rc == MOX_OK)
        return;
    h->rc = rc; /* too much waits for workers */
    bounced(h);
}

/* ---- steps ---- */

static void go_on(struct loop_task *t)
{
    struct handover *h = container_of(t, struct handover, settled);
    h->next(h);
}

void mox__handover_pass_on(struct handover *h)
{
    mox__loop_post(h->session->server->net->loop, &h->settled);
}

static void work(struct work *w)
{
    struct handover *h = container_of(w, struct handover, work);
    int rc = h->run(h);
    if (rc == MOX_LATER)
        return; /* a store has brought it back, perhaps: it may be gone */
    h->rc = rc;
    mox__handover_pass_on(h);
}

int mox__handover_step(struct handover *h, int (*run)(struct handover *h),
                       void (*next)(struct handover *h))
{
    h->run = run;
    h->next = next;
    h->work.run = work;
    return mox__pool_submit(h->session->server->net->workers, &h->work);
}

int mox__handover_step_here(struct handover *h, int (*run)(struct handover *h),
                            void (*next)(struct handover *h))
{
    h->next = next;
    int rc = run(h);
    return rc == MOX_LATER ? MOX_OK : rc;
}

/* ---- into the stores ---- */

static void pass_on(void *user, struct mox_delivery *d)
{
    (void)d;
    mox__handover_pass_on(user);
}

static int add_submission_copy(struct handover *h, struct target *t)
{
    const struct mox_mailstore store = mox_account_mailstore(t->account);
    struct mox_delivery_copy c;
    mox_delivery_copy_init(&c);
    c.store = &store;
    c.mailbox = t->mailbox;
    c.recipient = &h->envelope.recipients[t->recipient];
    int rc = mox_delivery_add(h->delivery, &c);
    t->is_added = rc == MOX_OK;
    return rc;
}

static int add_copies(struct handover *h)
{
    bool submission = mox__handover_is_submission(h);
    size_t copies = 0;
    int rc = MOX_OK;
    mox__targets_open(h);
    for (size_t i = 0; rc == MOX_OK && i < h->target_count; i++) {
        struct target *t = &h->targets[i];
        if (t->rc < 0)
            continue;
        rc = submission ? add_submission_copy(h, t) : mox__judge_add_copy(h, t);
        t->copy = copies;
        copies += t->is_added;
    }
    return rc;
}

int mox__handover_ask_stores(struct handover *h)
{
    struct smtp_session *ss = h->session;
    bool submission = mox__handover_is_submission(h);
    h->next = stored;
    int rc = mox_delivery_new(&h->delivery, &ss->server->env, &h->envelope,
                              submission ? MOX_SMTP_SUBMISSION : MOX_SMTP_DELIVERY, ss->spool);
    if (rc == MOX_OK && h->checks.checks != NULL)
        mox_delivery_set_checks(h->delivery, mox__smtp_checks_verdict(&h->checks),
                                slice(h->checks.lines.data, h->checks.lines.len));
    if (rc == MOX_OK && submission)
        mox_delivery_set_lines(h->delivery, mox_submission_result(ss->submission)->lines);
    if (rc == MOX_OK)
        rc = add_copies(h);
    if (rc < 0)
        return rc;
    mox_delivery_start(h->delivery, pass_on, h);
    return MOX_LATER;
}

void mox__handover_store(struct handover *h)
{
    bool waits = mox_spool_fd(h->session->spool) >= 0 || !mox__targets_are_open(h);
    int rc = waits ? mox__handover_step(h, mox__handover_ask_stores, stored)
                   : mox__handover_step_here(h, mox__handover_ask_stores, stored);
    if (rc < 0)
        mox__handover_fail(h, rc);
}

int mox__handover_refuse(struct handover *h, const char *reason, int code, const char *enhanced,
                         const char *text)
{
    h->refused = true;
    h->reason = reason;
    mox_smtp_reply_set(&h->reply, code, enhanced, "%s", text);
    return MOX_EREFUSED;
}

/* ---- submission ---- */

static bool counting_waits(const struct handover *h)
{
    const struct smtp_session *ss = h->session;
    return mox_spool_fd(ss->spool) >= 0 || !mox__account_is_open(ss->server, ss->user);
}

/* On any thread. */
static void counted(struct mox_write *w)
{
    mox__handover_pass_on(w->user);
}

static int take_submission(struct handover *h)
{
    struct smtp_session *ss = h->session;
    int rc = mox__submission_examine(ss, &h->envelope, &h->reply, &h->outcome);
    h->refused = rc < 0 && h->outcome != MOX_SUBMISSION_QUEUE;
    if (rc < 0)
        return rc;
    rc = mox__submission_count(&h->count, ss, &h->envelope, counted, h);
    if (rc == MOX_OK)
        return MOX_LATER;
    h->error = h->count.error;
    return rc;
}

/* Only what is counted goes on: a crash between the two lets less through, not more. */
static void go_on_if_counted(struct handover *h)
{
    if (h->rc < 0) {
        mox__handover_fail(h, h->rc);
        return;
    }
    const struct mox_submission_result *result = mox_submission_result(h->session->submission);
    int rc = mox__submission_counted(&h->count, h->session, &h->reply, &h->outcome);
    h->refused = rc < 0 && h->outcome != MOX_SUBMISSION_QUEUE;
    if (rc < 0)
        h->error = h->count.op.write.error;
    else
        rc = mox__targets_find(h, result->from_localpart, result->from_domain);
    if (rc < 0)
        mox__handover_fail(h, rc);
    else
        mox__handover_store(h);
}

/* ---- the begin ---- */

static int start(struct handover *h)
{
    if (!mox__handover_is_submission(h))
        return mox__incoming_start(h);
    return counting_waits(h) ? mox__handover_step(h, take_submission, go_on_if_counted)
                             : mox__handover_step_here(h, take_submission, go_on_if_counted);
}

int mox__smtp_deliver(struct smtp_session *ss, const struct mox_smtp_envelope *envelope,
                      struct mox_smtp_reply *reply)
{
    struct handover *h = mem_new(&ss->server->env, struct handover, 1);
    if (h == NULL) {
        mox_smtp_reply_set(reply, 451, "4.3.0", "out of memory; try again later");
        return MOX_ENOMEM;
    }
    h->session = ss;
    h->envelope = *envelope;
    h->settled.run = go_on;
    h->begun_us = mox__loop_now(ss->server->net->loop);
    ss->handover = h;
    ss->pending = true;
    int rc = start(h);
    if (rc == MOX_OK)
        return MOX_LATER;
    ss->pending = false;
    h->rc = rc;
    *reply = early_reply(h);
    end(h, rc, reply);
    return rc;
}
