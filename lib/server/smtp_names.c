/* SPDX-License-Identifier: MIT */
#include "server/smtp_names.h"

#include "base/mem.h"
#include "server/smtp_session.h"

/* What a message is worth waiting for, all its names together. */
#define PATIENCE_US (INT64_C(60) * 1000 * 1000)

/*
 *   run, here or on a worker ── result ──▶ done
 *      ▲     └ MOX_NEED_DNS ─▶ ask
 *      └──── all is answered ───┘
 *
 * What could wait returns MOX_LATER, and comes back through answered(), worked() or over(). */

static void work(struct work *w)
{
    struct smtp_names *n = container_of(w, struct smtp_names, work);
    n->rc = n->run(n, n->answers);
}

static void worked(struct work *w);

static int run(struct smtp_names *n)
{
    if (!n->computes)
        return n->run(n, n->answers);
    n->work.run = work;
    n->work.done = worked;
    int rc = mox__pool_submit(n->session->server->net->workers, &n->work);
    return rc == MOX_OK ? MOX_LATER : rc;
}

/* What nobody has answered in time. */
static int answer_late(struct mox_dns_answers *answers)
{
    const struct mox_dns_question *wanted;
    int rc = MOX_OK;
    while (rc == MOX_OK && mox_dns_wanted(answers, &wanted) > 0) {
        const struct mox_dns_answer none = {.question = wanted[0], .status = MOX_DNS_TIMEOUT};
        rc = mox_dns_put(answers, &none);
    }
    return rc;
}

static void answered(void *user, int rc);

/* MOX_OK when all is answered already. */
static int ask(struct smtp_names *n)
{
    struct smtp_session *ss = n->session;
    if (n->cut_short || ss->server->net->stopping)
        return MOX_EBUSY;
    if (n->is_late)
        return answer_late(n->answers);
    n->is_answered = false;
    int rc = mox_dns_round_start(&n->round, &ss->server->env, mox__server_resolver(ss->server),
                                 n->answers, answered, n);
    if (rc < 0)
        return rc;
    n->waits = !n->is_answered;
    return n->waits ? MOX_LATER : n->rc;
}

/* On from the result of a run. */
static int go_on(struct smtp_names *n, int rc)
{
    while (rc == MOX_NEED_DNS) {
        rc = ask(n);
        if (rc == MOX_OK)
            rc = run(n);
    }
    return rc;
}

/* For whoever left while a worker computed nothing comes next. */
static void conclude(struct smtp_names *n, int rc)
{
    if (rc == MOX_LATER)
        return;
    if (rc == MOX_OK && (n->cut_short || client_has_left(n->session)))
        rc = MOX_EBUSY;
    mox__nap_cancel(&n->session->nap);
    n->session->names = NULL;
    n->done(n, rc);
}

static void answered(void *user, int rc)
{
    struct smtp_names *n = user;
    n->round = NULL;
    n->rc = rc;
    n->is_answered = true;
    if (!n->waits)
        return;
    n->waits = false;
    conclude(n, rc == MOX_OK ? go_on(n, run(n)) : rc);
}

static void worked(struct work *w)
{
    struct smtp_names *n = container_of(w, struct smtp_names, work);
    conclude(n, go_on(n, n->rc));
}

/* A worker that has it brings it back, to ask() or to its end. */
static void over(struct nap *nap, bool cut_short)
{
    struct smtp_names *n = container_of(nap, struct smtp_session, nap)->names;
    n->is_late = true;
    n->cut_short = cut_short;
    if (!n->waits)
        return;
    n->waits = false;
    mox_dns_round_cancel(n->round);
    n->round = NULL;
    conclude(n, go_on(n, MOX_NEED_DNS));
}

int mox__smtp_names_start(struct smtp_names *n)
{
    struct smtp_session *ss = n->session;
    int rc = MOX_OK;
    if (n->answers == NULL && ss->answers == NULL)
        rc = mox_dns_answers_new(&ss->answers, &ss->server->env);
    if (n->answers == NULL)
        n->answers = ss->answers;
    if (rc == MOX_OK)
        rc = go_on(n, run(n));
    if (rc == MOX_LATER) {
        ss->names = n;
        if (!ss->server->net->stopping)
            mox__nap_begin(&ss->nap, PATIENCE_US, over);
    }
    return rc;
}
