/* SPDX-License-Identifier: MIT */
#include <mox/delivery.h>
#include <mox/header.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/metrics.h"
#include "server/smtp_checks.h"
#include "server/smtp_submit.h"

/* What a message goes through on its longest way (RFC 5321 §6.3). */
#define RECEIVED_MAX 100

/*
 * A message on its way to the store:
 *
 *   delivery    check the sender ─▶ DNS ┌▶ hand over ─▶ stores ─▶ finish
 *   submission  count it ─▶ sender's store ─┘
 *                  └ refused ─▶ finish
 *
 * Each step to the right of an arrow waits for a store or not; one before it runs on the loop's thread
 * while the accounts it needs are open and the content is in memory, for then it waits for nothing,
 * else on a worker. */
struct handover {
    struct smtp_session *session;
    struct mox_smtp_envelope envelope; /* as the engine gave it, but for smtputf8 */
    struct mox_delivery *delivery;
    struct mox_account **accounts; /* one open reference for each recipient */
    size_t account_count;
    struct smtp_names names; /* of a delivery: who its sender is */
    struct smtp_checks checks;
    struct submission_count count;
    enum mox_submission_outcome outcome; /* of a submission that is refused */
    struct mox_smtp_reply reply;         /* when `refused` */
    const char *reason;                  /* the word for why it is refused */
    bool refused, over_limit, cut_short;
    struct work work;
    struct loop_task settled;
    int (*run)(struct handover *h); /* the step under way; when it fails, no store was asked */
    void (*next)(struct handover *h);
    int rc; /* of what comes before the stores answer */
    struct mox_error error;
    unsigned awaited; /* the worker, and the stores */
    int64_t begun_us;
};

static bool is_submission(const struct handover *h)
{
    return h->session->endpoint->kind != SERVE_SMTP;
}

static void free_handover(struct handover *h)
{
    struct smtp_session *ss = h->session;
    for (size_t i = 0; i < h->account_count; i++)
        mox__account_keep(ss->server, ss->recipients[i].account, h->accounts[i]);
    mox__submission_count_free(&h->count, ss);
    mox_delivery_free(h->delivery);
    mox__smtp_checks_free(&h->checks);
    mox__mem_free(&ss->server->env, h->accounts);
    mox__mem_free(&ss->server->env, h);
}

/* ---- the end ---- */

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
    const struct mox_smtp_envelope *e = &h->envelope;
    int64_t took_us = mox__loop_now(ss->server->net->loop) - h->begun_us;
    const char *problem = problem_of(h, rc);
    for (size_t i = 0; i < ss->recipient_count; i++)
        log_line(env, rc == MOX_OK ? MOX_LOG_INFO : MOX_LOG_ERROR, "smtpserver",
                 rc == MOX_OK ? "message delivered" : "message not delivered", problem,
                 F_TEXT("mailfrom", e->mail_from.address),
                 F_TEXT("rcptto", e->recipients[i].address),
                 F_TEXT("account", ss->recipients[i].account->name),
                 F_TEXT("mailbox", ss->recipients[i].mailbox),
                 F_UINT("size", mox_spool_size(ss->spool)), F_DURATION("duration", took_us));
}

/* A message is stored for all of its recipients, or for none. */
static void count_delivery(const struct handover *h, int rc)
{
    struct smtp_session *ss = h->session;
    const char *failed = h->rc < 0 ? "accounterror" : "delivererror";
    const char *reason = ss->server->config.localserve ? "localserve" : "no-bad-signals";
    for (size_t i = 0; i < ss->recipient_count; i++)
        mox__count_delivery(ss->server, rc == MOX_OK ? "delivered" : failed, reason);
}

static void log_rejection(const struct handover *h, const struct mox_smtp_reply *reply)
{
    const struct smtp_session *ss = h->session;
    const char *reason = h->over_limit ? "highrate" : h->reason;
    mox__count_delivery(ss->server, h->over_limit ? "highrate" : "reject", reason);
    log_line(mox__conn_env(ss->conn), MOX_LOG_INFO, "smtpserver", "incoming message rejected",
             reply->text, F_TEXT("reason", reason),
             F_TEXT("mailfrom", h->envelope.mail_from.address));
}

/* Tells everybody but the engine, and frees. */
static void end(struct handover *h, int rc, const struct mox_smtp_reply *reply)
{
    if (!h->refused)
        log_outcome(h, rc);
    if (is_submission(h))
        mox__submission_ended(h->session, rc < 0 && !h->refused ? MOX_SUBMISSION_QUEUE : h->outcome,
                              reply);
    else if (h->refused)
        log_rejection(h, reply);
    else
        count_delivery(h, rc);
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

static void finish(struct handover *h)
{
    struct smtp_session *ss = h->session;
    struct mox_smtp_reply reply = early_reply(h);
    int rc = h->rc;
    if (rc == MOX_OK)
        rc = mox_delivery_reply(h->delivery, &reply);
    end(h, rc, &reply);
    mox__smtp_answer_pending(ss, rc, rc == MOX_OK ? NULL : &reply);
}

/* ---- steps ---- */

static void came(struct handover *h)
{
    if (--h->awaited == 0)
        h->next(h);
}

static void store_answered(struct loop_task *t)
{
    came(container_of(t, struct handover, settled));
}

static void work(struct work *w)
{
    struct handover *h = container_of(w, struct handover, work);
    h->rc = h->run(h);
}

static void worked(struct work *w)
{
    struct handover *h = container_of(w, struct handover, work);
    if (h->rc < 0) {
        h->awaited = 1;
        h->next = finish;
    }
    came(h);
}

/* Runs a step; once the stores have answered, `next` follows. A failure is the caller's to tell; with
 * MOX_OK the handover is a worker's or the stores', and the caller leaves it alone. */
static int step(struct handover *h, bool waits, int (*run)(struct handover *h),
                void (*next)(struct handover *h))
{
    h->run = run;
    h->next = next;
    if (!waits) {
        h->awaited = 1;
        return run(h);
    }
    h->awaited = 2;
    h->work.run = work;
    h->work.done = worked;
    return mox__pool_submit(h->session->server->net->workers, &h->work);
}

/* ---- into the stores ---- */

static bool handing_over_waits(const struct handover *h)
{
    const struct smtp_session *ss = h->session;
    if (mox_spool_fd(ss->spool) >= 0)
        return true;
    for (size_t i = 0; i < ss->recipient_count; i++)
        if (!mox__account_is_open(ss->server, ss->recipients[i].account))
            return true;
    return false;
}

/* On any thread. */
static void pass_on(void *user, struct mox_delivery *d)
{
    (void)d;
    struct handover *h = user;
    mox__loop_post(h->session->server->net->loop, &h->settled);
}

/* Before anything of the message is stored: the sender comes again, for all of its recipients. */
static int check_limits(struct handover *h, struct mox_account *account)
{
    struct mox_server *s = h->session->server;
    struct mox_arrivals stored;
    if (!s->config.limits || is_submission(h))
        return MOX_OK;
    mox_account_arrivals(account, h->envelope.peer->remote_ip, &stored);
    h->over_limit = mox__delivery_limits(&s->files->mox->limits, &stored,
                                         mox_spool_size(h->session->spool), &h->reply) < 0;
    h->refused = h->over_limit;
    return h->refused ? MOX_EREFUSED : MOX_OK;
}

static int add_recipients(struct handover *h)
{
    struct smtp_session *ss = h->session;
    int rc = MOX_OK;
    for (size_t i = 0; rc == MOX_OK && i < ss->recipient_count; i++) {
        const struct recipient *r = &ss->recipients[i];
        rc = mox__account_open(ss->server, r->account->name, &h->accounts[i], &h->error);
        if (rc < 0)
            break;
        h->account_count++;
        rc = check_limits(h, h->accounts[i]);
        if (rc < 0)
            break;
        struct mox_mailstore store = mox_account_mailstore(h->accounts[i]);
        rc = mox_delivery_add(h->delivery, &store, r->mailbox, &h->envelope.recipients[i], NULL);
    }
    return rc;
}

/* Any thread. */
static int hand_over(struct handover *h)
{
    struct smtp_session *ss = h->session;
    int rc =
        mox_delivery_new(&h->delivery, &ss->server->env, &h->envelope,
                         is_submission(h) ? MOX_SMTP_SUBMISSION : MOX_SMTP_DELIVERY, ss->spool);
    if (rc == MOX_OK && h->checks.checks != NULL)
        mox_delivery_set_checks(h->delivery, mox__smtp_checks_verdict(&h->checks),
                                slice(h->checks.lines.data, h->checks.lines.len));
    if (rc == MOX_OK && is_submission(h))
        mox_delivery_set_lines(h->delivery, mox_submission_result(ss->submission)->lines);
    if (rc == MOX_OK)
        rc = add_recipients(h);
    if (rc == MOX_OK)
        mox_delivery_start(h->delivery, pass_on, h);
    return rc;
}

static int refuse(struct handover *h, const char *reason, int code, const char *enhanced,
                  const char *text)
{
    h->refused = true;
    h->reason = reason;
    mox_smtp_reply_set(&h->reply, code, enhanced, "%s", text);
    return MOX_EREFUSED;
}

/* RFC 5321 §6.3: so many stations are a loop. */
static int check_received(struct handover *h, struct mox_slice content)
{
    struct mox_header_field field;
    size_t at = 0, count = 0;
    while (mox_header_next(content, &at, &field))
        count += mox__slice_is_nocase(field.name, "Received");
    if (count <= RECEIVED_MAX)
        return MOX_OK;
    return refuse(h, "loop", 550, "5.4.6",
                  "the message goes round in a loop: too many Received fields");
}

/* RFC 6531: what was declared is not always needed, and only what is needed is passed on. */
static int check_smtputf8(struct handover *h, struct mox_slice content)
{
    struct smtp_session *ss = h->session;
    struct mox_smtp_envelope *e = &h->envelope;
    bool needed = e->smtputf8;
    if (!e->smtputf8 && !ss->server->pedantic)
        return MOX_OK;
    int rc = mox_smtputf8_needed(&ss->server->env, e, content, &needed);
    if (rc == MOX_OK && needed && !e->smtputf8)
        return refuse(h, "missingsmtputf8", 550, "5.6.0",
                      "addresses or header fields beyond ASCII need SMTPUTF8 at MAIL");
    e->smtputf8 = needed;
    return rc;
}

static int look_at_delivery(struct handover *h)
{
    struct mox_slice content;
    int rc = mox_spool_bytes(h->session->spool, &content);
    if (rc == MOX_OK)
        rc = check_received(h, content);
    return rc == MOX_OK ? check_smtputf8(h, content) : rc;
}

/* ---- who sent it ---- */

static int check(struct smtp_names *n, struct mox_dns_answers *answers)
{
    struct handover *h = container_of(n, struct handover, names);
    int rc = h->checks.checks == NULL ? look_at_delivery(h) : MOX_OK;
    if (rc == MOX_OK)
        rc = mox__smtp_checks_run(&h->checks, h->session, &h->envelope, answers);
    n->computes = h->checks.computes;
    return rc;
}

/* Nothing is refused for what they say yet. */
static int take_checked(struct handover *h)
{
    mox__smtp_checks_tell(&h->checks, h->session, &h->envelope);
    return step(h, handing_over_waits(h), hand_over, finish);
}

static void checked(struct smtp_names *n, int rc)
{
    struct handover *h = container_of(n, struct handover, names);
    h->cut_short = rc == MOX_EBUSY;
    if (rc == MOX_OK)
        rc = take_checked(h);
    if (rc == MOX_OK)
        return; /* h->rc may be a worker's to write now */
    h->rc = rc;
    finish(h);
}

static int start_checks(struct handover *h)
{
    h->checks.begun_us = h->begun_us;
    h->names = (struct smtp_names){.session = h->session,
                                   .run = check,
                                   .computes = mox_spool_fd(h->session->spool) >= 0,
                                   .done = checked};
    int rc = mox__smtp_names_start(&h->names);
    h->cut_short = rc == MOX_EBUSY;
    if (rc == MOX_OK)
        return take_checked(h);
    return rc == MOX_LATER ? MOX_OK : rc;
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
    struct handover *h = w->user;
    mox__loop_post(h->session->server->net->loop, &h->settled);
}

static int take_submission(struct handover *h)
{
    struct smtp_session *ss = h->session;
    int rc = mox__submission_examine(ss, &h->envelope, &h->reply, &h->outcome);
    h->refused = rc < 0 && h->outcome != MOX_SUBMISSION_QUEUE;
    if (rc == MOX_OK)
        rc = mox__submission_count(&h->count, ss, &h->envelope, counted, h);
    h->error = h->count.error;
    return rc;
}

/* Only what is counted goes on: a crash between the two lets less through, not more. */
static void go_on_if_counted(struct handover *h)
{
    int rc = mox__submission_counted(&h->count, h->session, &h->reply, &h->outcome);
    h->refused = rc < 0 && h->outcome != MOX_SUBMISSION_QUEUE;
    if (rc < 0)
        h->error = h->count.op.write.error;
    else
        rc = step(h, handing_over_waits(h), hand_over, finish);
    if (rc == MOX_OK)
        return; /* h->rc may be a worker's to write now */
    h->rc = rc;
    finish(h);
}

/* ---- the begin ---- */

static int start(struct handover *h)
{
    h->accounts =
        mem_new(&h->session->server->env, struct mox_account *, h->session->recipient_count + 1);
    if (h->accounts == NULL)
        return MOX_ENOMEM;
    if (is_submission(h))
        return step(h, counting_waits(h), take_submission, go_on_if_counted);
    return start_checks(h);
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
    h->settled.run = store_answered;
    h->begun_us = mox__loop_now(ss->server->net->loop);
    int rc = start(h);
    if (rc == MOX_OK)
        return MOX_LATER;
    h->rc = rc;
    *reply = early_reply(h);
    end(h, rc, reply);
    return rc;
}
