/* SPDX-License-Identifier: MIT */
#include <mox/header.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/smtp_handover.h"

/* What a message goes through on its longest way (RFC 5321 §6.3). */
#define RECEIVED_MAX 100

/* RFC 5321 §6.3: so many stations are a loop. */
static int check_received(struct handover *h, struct mox_slice content)
{
    struct mox_header_field field;
    size_t at = 0, count = 0;
    while (mox_header_next(content, &at, &field))
        count += mox__slice_is_nocase(field.name, "Received");
    if (count <= RECEIVED_MAX)
        return MOX_OK;
    return mox__handover_refuse(h, "loop", 550, "5.4.6",
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
        return mox__handover_refuse(
            h, "missingsmtputf8", 550, "5.6.0",
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

/* ---- for strangers, later ---- */

static void slept(struct nap *nap, bool cut_short)
{
    struct smtp_session *ss = container_of(nap, struct smtp_session, nap);
    struct handover *h = ss->handover;
    h->cut_short = cut_short;
    if (cut_short)
        mox__handover_fail(h, MOX_EBUSY);
    else
        mox__handover_store(h);
}

static bool is_to_wait(const struct handover *h)
{
    return h->session->endpoint->first_time_sender_delay_us > 0 && mox__judge_is_first_time(h);
}

static bool nobody_waits(const struct smtp_session *ss)
{
    return client_has_left(ss) || ss->server->net->stopping;
}

/* RFC 5321 §4.1.1.10: a transaction whose connection closes is cancelled, as if it had failed for now. Nothing
 * is stored yet, so the sender's next attempt does not make two of it. */
static void wait(struct handover *h)
{
    struct smtp_session *ss = h->session;
    if (nobody_waits(ss))
        slept(&ss->nap, true); /* it could not wait */
    else
        mox__nap_begin(&ss->nap, ss->endpoint->first_time_sender_delay_us, slept);
}

/* ---- what its accounts make of it ---- */

/* On a worker, for it reads the disk. What waits for nobody goes on to the stores from there: a way over the
 * loop's thread would cost each message two wake-ups, and a place in the transaction that is next. */
static int judge(struct handover *h)
{
    int rc = mox__judge_targets(h, &h->wants_lists);
    if (rc < 0 || h->wants_lists)
        return rc;
    rc = mox__judge_conclude(h);
    if (rc < 0 || is_to_wait(h))
        return rc;
    return mox__handover_ask_stores(h);
}

static void judged(struct handover *h);

static int ask_lists(struct smtp_names *n, struct mox_dns_answers *answers)
{
    struct handover *h = container_of(n, struct handover, names);
    return mox__dnsbl_run(&h->lists, h->session->endpoint, h->envelope.peer->remote_ip, answers);
}

/* What a list says of an address is for us, and not for who may be a spammer. */
static void tell_listed(const struct handover *h)
{
    if (h->lists.zone != NULL)
        log_line(mox__conn_env(h->session->conn), MOX_LOG_INFO, "smtpserver", "client is listed",
                 NULL, F_TEXT("zone", h->lists.zone), F_TEXT("explanation", h->lists.explanation));
}

/* Block lists were asked for the first time, so they are for nobody but strangers. */
static int take_lists(struct handover *h)
{
    tell_listed(h);
    for (size_t i = 0; i < h->target_count; i++)
        if (h->targets[i].judge != NULL && h->targets[i].judgement == NULL)
            mox_judge_set_dnsbl(h->targets[i].judge, mox__dnsbl_state(&h->lists), h->lists.zone);
    return mox__handover_step(h, judge, judged);
}

static void lists_asked(struct smtp_names *n, int rc)
{
    struct handover *h = container_of(n, struct handover, names);
    h->cut_short = rc == MOX_EBUSY;
    if (rc == MOX_OK)
        rc = take_lists(h);
    if (rc < 0)
        mox__handover_fail(h, rc);
}

/* Over answers of their own: a set has its bounds, and a sender who fills it with his names would not be looked
 * for in any list. */
static int start_lists(struct handover *h)
{
    int rc = mox_dns_answers_new(&h->list_answers, &h->session->server->env);
    if (rc < 0)
        return rc;
    h->names = (struct smtp_names){
        .session = h->session, .answers = h->list_answers, .run = ask_lists, .done = lists_asked};
    rc = nobody_waits(h->session) ? MOX_EBUSY : mox__smtp_names_start(&h->names);
    h->cut_short = rc == MOX_EBUSY;
    if (rc == MOX_OK)
        return take_lists(h);
    return rc == MOX_LATER ? MOX_OK : rc;
}

/* It failed, or there is something to wait for. */
static void judged(struct handover *h)
{
    int rc = h->rc;
    if (rc == MOX_OK && h->wants_lists)
        rc = start_lists(h);
    else if (rc == MOX_OK)
        wait(h);
    if (rc < 0)
        mox__handover_fail(h, rc);
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

static int take_checked(struct handover *h)
{
    mox__smtp_checks_tell(&h->checks, h->session, &h->envelope);
    const struct mox_checks_verdict *v = mox__smtp_checks_verdict(&h->checks);
    int rc = mox__targets_find(h, v->from_localpart, v->from_domain);
    return rc < 0 ? rc : mox__handover_step(h, judge, judged);
}

static void checked(struct smtp_names *n, int rc)
{
    struct handover *h = container_of(n, struct handover, names);
    h->cut_short = rc == MOX_EBUSY;
    if (rc == MOX_OK)
        rc = take_checked(h);
    if (rc < 0)
        mox__handover_fail(h, rc); /* else it may be a worker's now */
}

int mox__incoming_start(struct handover *h)
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
