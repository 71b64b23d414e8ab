/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/text.h"
#include "server/smtp_handover.h"

/* What the accounts that a message is for make of it. */

/* Of the header fields that say so. */
#define LINES_MAX 4096

static double draw_jitter(const struct mox_env *env)
{
    uint8_t r[2];
    env->random(env->user, r, sizeof r);
    return ((double)(r[0] << 8 | r[1]) / 65535.0 - 0.5) / 10;
}

static int fill_message(struct handover *h)
{
    const struct mox_smtp_envelope *e = &h->envelope;
    const struct mox_server *s = h->session->server;
    struct mox_judge_message *m = &h->message;
    if (m->size != 0)
        return MOX_OK;
    mox_judge_message_init(m);
    m->checks = mox__smtp_checks_verdict(&h->checks);
    m->ip = e->peer->remote_ip;
    m->ehlo_domain = e->hello_is_literal ? "" : e->hello;
    m->mail_from = e->mail_from.address;
    m->mail_from_localpart = e->mail_from.localpart;
    m->mail_from_domain = e->mail_from.domain_unicode;
    m->tls = e->tls;
    m->now_us = s->env.wall_us(s->env.user);
    m->jitter = draw_jitter(&s->env);
    m->lenient = s->config.localserve;
    return mox_spool_bytes(h->session->spool, &m->content);
}

/* What the same account is to have of this message already, unless it refuses it. */
static void add_own_copies(const struct handover *h, const struct target *t, struct mox_arrivals *a)
{
    const uint64_t size = mox_spool_size(h->session->spool);
    for (const struct target *o = h->targets; o < t; o++) {
        bool refuses = o->judgement != NULL && !o->judgement->analysis->accept;
        if (o->config != t->config || refuses)
            continue;
        for (size_t i = 0; i < MOX_NETWORK_CLASSES; i++) {
            a->minute[i].messages++;
            a->day[i].messages++;
            a->minute[i].bytes += size;
            a->day[i].bytes += size;
        }
    }
}

/* Before anything of the message is stored: the sender comes again, for all of its recipients. */
static bool is_over_limit(struct handover *h, struct target *t)
{
    const struct mox_server *s = h->session->server;
    struct mox_arrivals stored;
    if (!s->config.limits)
        return false;
    mox_account_arrivals(t->account, h->envelope.peer->remote_ip, &stored);
    add_own_copies(h, t, &stored);
    return mox__delivery_limits(&s->files->mox->limits, &stored, mox_spool_size(h->session->spool),
                                &t->over_limit) < 0;
}

static void fill_query(struct handover *h, struct target *t)
{
    const struct mox_smtp_path *path = &h->envelope.recipients[t->recipient];
    const struct mox_config_junk_filter *filter = t->config->junk_filter;
    struct mox_judge_recipient *q = &t->query;
    mox_judge_recipient_init(q);
    q->account = t->account;
    q->localpart = path->localpart;
    q->domain = mox__recipient_domain(h, t->recipient);
    q->address = t->destination != NULL ? t->destination->address : path->address;
    q->mailbox = t->mailbox;
    q->rulesets = t->rulesets;
    q->introbox = t->config->introbox;
    q->has_junk_filter = filter != NULL;
    q->threshold = filter != NULL ? filter->threshold : 0;
    q->subjectpass_us = t->config->subject_pass.period_us;
    q->has_dnsbl = mox__dnsbl_is_configured(h->session->endpoint);
    q->over_limit = is_over_limit(h, t);
    if (t->destination == NULL)
        return;
    q->ruleset_list = t->destination->rulesets.items;
    q->auth_required = t->destination->message_auth_required_smtp_error;
}

static int begin(struct handover *h, struct target *t)
{
    fill_query(h, t);
    /* Unpacking costs, and what is over a limit is refused whatever it is. */
    int rc = t->query.over_limit ? MOX_OK : mox__report_read(h, t);
    return rc < 0 ? rc : mox_judge_new(&t->judge, &h->session->server->env, &h->message, &t->query);
}

static int judge(struct handover *h, struct target *t, bool *wants_lists)
{
    int rc = t->judge == NULL ? begin(h, t) : MOX_OK;
    if (rc == MOX_OK)
        rc = mox_judge_run(t->judge, &t->error);
    if (rc == MOX_OK)
        t->judgement = mox_judge_judgement(t->judge);
    *wants_lists = *wants_lists || rc == MOX_NEED_DNS;
    return rc < 0 ? rc : MOX_OK;
}

int mox__judge_targets(struct handover *h, bool *wants_lists)
{
    int rc = fill_message(h);
    *wants_lists = false;
    mox__targets_open(h);
    for (size_t i = 0; rc == MOX_OK && i < h->target_count; i++)
        if (h->targets[i].rc == MOX_OK && h->targets[i].judgement == NULL)
            rc = judge(h, &h->targets[i], wants_lists);
    return rc;
}

/* ---- what follows for a recipient ---- */

static void take_refusal(struct verdict *v, const struct target *t)
{
    const struct mox_judgement *j = t->judgement;
    v->decisive = t;
    v->reason = j->analysis->word;
    if (j->analysis->reason == MOX_REASON_HIGH_RATE) {
        v->reply = t->over_limit;
    } else {
        mox_smtp_reply_set(&v->reply, j->analysis->code, j->analysis->enhanced, "%s", j->reply);
        v->reply.slow = true;
    }
}

/* How much a member of a list wants it: what his rule takes of what he refuses is for his own mailbox alone. */
enum wish { WISH_UNKNOWN, WISH_REFUSED, WISH_AS_REJECT, WISH_ACCEPTED };

static enum wish wish_of(const struct target *t)
{
    if (t->rc < 0)
        return WISH_UNKNOWN;
    const struct mox_analysis *a = t->judgement->analysis;
    if (!a->accept)
        return WISH_REFUSED;
    return a->accepted_reject ? WISH_AS_REJECT : WISH_ACCEPTED;
}

/* The first of those who want it most. */
static const struct target *find_decisive(const struct handover *h, const struct verdict *v)
{
    const struct target *best = NULL;
    for (size_t i = 0; i < v->count; i++) {
        const struct target *t = &h->targets[v->first + i];
        if (wish_of(t) > (best == NULL ? WISH_UNKNOWN : wish_of(best)))
            best = t;
    }
    return best;
}

/* One of its accounts that takes it is enough, and gives the reason. */
static int conclude(struct handover *h, struct verdict *v)
{
    const struct target *t = find_decisive(h, v);
    if (v->count == 0)
        return MOX_OK;
    v->accepted = t != NULL && t->judgement->analysis->accept;
    v->rejects_only = v->accepted && t->judgement->analysis->accepted_reject;
    if (v->accepted) {
        v->decisive = t;
        v->reason = t->judgement->analysis->word;
        return MOX_OK;
    }
    if (t == NULL) {
        h->error = h->targets[v->first].error;
        return h->targets[v->first].rc;
    }
    take_refusal(v, t);
    return MOX_OK;
}

int mox__judge_conclude(struct handover *h)
{
    int rc = MOX_OK;
    for (size_t i = 0; rc == MOX_OK && i < h->session->recipient_count; i++)
        rc = conclude(h, &h->verdicts[i]);
    return rc;
}

bool mox__judge_gets_it(const struct verdict *v, const struct target *t)
{
    return v->accepted && (!v->rejects_only || wish_of(t) == WISH_AS_REJECT);
}

bool mox__judge_is_first_time(const struct handover *h)
{
    for (size_t i = 0; i < h->target_count; i++) {
        const struct target *t = &h->targets[i];
        if (t->judgement != NULL && t->judgement->first_time &&
            !t->config->no_first_time_sender_delay)
            return true;
    }
    return false;
}

/* ---- copies ---- */

/* A rejected message is kept for a while, where the user finds it who misses it. Not what was too much. */
static bool is_kept_as_reject(const struct target *t)
{
    return t->config->rejects_mailbox[0] != '\0' &&
           t->judgement->analysis->reason != MOX_REASON_HIGH_RATE;
}

static const char *or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static void fill_accepted(const struct target *t, struct mox_delivery_copy *c)
{
    const struct mox_judgement *j = t->judgement;
    c->mailbox = j->mailbox;
    c->destined = j->analysis->accept ? j->destined : NULL;
    c->is_reject = j->is_reject;
    c->is_intro = j->is_intro;
    c->flags = j->is_reject || j->facts->report == MOX_FACT_FOUND ? MOX_FLAG_SEEN : 0;
    c->rejects_mailbox = j->is_reject ? NULL : or_null(t->config->rejects_mailbox);
}

static void fill_rejected(const struct target *t, struct mox_delivery_copy *c)
{
    c->mailbox = t->config->rejects_mailbox;
    c->rejects_mailbox = c->mailbox;
    c->destined = t->judgement->destined;
    c->is_reject = true;
    c->flags = MOX_FLAG_SEEN;
    c->keep_rejects = t->config->keep_rejects;
}

/* What goes on top of the copy. A list that is accepted has one reason, for members too who would have refused; but
 * whom the decisive one wrote to, and what his filter has learnt, is his affair: others get the word and their own. */
static int write_lines(struct buf *out, const struct target *t, const struct verdict *v)
{
    struct mox_analysis own = *t->judgement->analysis;
    char *reason = NULL;
    if (mox__judge_gets_it(v, t))
        own.word = v->reason;
    int rc = mox_analysis_header(&own, out->env, &reason);
    if (rc < 0)
        return rc;
    mox__buf_text(out, reason);
    mox_text_free(out->env, reason);
    mox__report_header(t, out);
    return out->failed ? MOX_ENOMEM : MOX_OK;
}

int mox__judge_add_copy(struct handover *h, struct target *t)
{
    const struct mox_mailstore store = mox_account_mailstore(t->account);
    const struct mox_judgement *j = t->judgement;
    const struct verdict *v = &h->verdicts[t->recipient];
    const bool gets_it = mox__judge_gets_it(v, t);
    struct mox_delivery_copy c;
    struct buf lines;
    if (!gets_it && !is_kept_as_reject(t))
        return MOX_OK;
    mox_delivery_copy_init(&c);
    c.store = &store;
    c.recipient = &h->envelope.recipients[t->recipient];
    c.is_mailing_list = j->is_mailing_list;
    c.dsn = j->dsn;
    c.forwarder = j->forwarder;
    if (gets_it)
        fill_accepted(t, &c);
    else
        fill_rejected(t, &c);
    mox__buf_init(&lines, &h->session->server->env, LINES_MAX);
    int rc = write_lines(&lines, t, v);
    c.lines = slice(lines.data, lines.len);
    if (rc == MOX_OK)
        rc = mox_delivery_add(h->delivery, &c);
    mox__buf_free(&lines);
    t->is_added = rc == MOX_OK;
    return rc;
}
