/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "base/text.h"
#include "server/metrics.h"
#include "server/smtp_handover.h"

/* What became of a message: the one reply for all recipients, and the lines of the log. */

static bool is_full(int status)
{
    return status == MOX_ENOSPACE || status == MOX_EQUOTA;
}

static int copy_status(const struct handover *h, const struct target *t)
{
    return t->is_added ? mox_delivery_copy_status(h->delivery, t->copy, NULL) : t->rc;
}

/* Of the copies of a recipient who accepts, one on the disk is enough: a list goes on without members who cannot
 * be given theirs, for a message that came again would be one more to all others. */
static int store_status(struct handover *h, const struct verdict *v)
{
    const struct target *worst = NULL;
    int rc = MOX_OK;
    for (size_t i = 0; i < v->count; i++) {
        const struct target *t = &h->targets[v->first + i];
        if (!mox__judge_gets_it(v, t))
            continue;
        int one = copy_status(h, t);
        if (one >= 0)
            return MOX_OK;
        if (rc == MOX_OK || is_full(rc)) {
            rc = one;
            worst = t;
        }
    }
    if (worst != NULL && worst->rc < 0)
        h->error = worst->error;
    return rc;
}

/* What is wrong with our disk will be mended, and then the sender comes again for all recipients: some may get
 * it twice, as from every mail server, and none loses it. A quota may stay used up for long. */
static bool is_trouble_of_ours(int status)
{
    return status < 0 && status != MOX_EQUOTA;
}

static void refuse_stored(struct verdict *v, int status)
{
    v->accepted = false;
    v->failed = true;
    if (status == MOX_EQUOTA)
        mox_smtp_reply_set(&v->reply, 452, "4.2.2", "the mailbox is full; try again later");
    else if (status == MOX_ENOSPACE)
        mox_smtp_reply_set(&v->reply, 452, "4.3.1", "no space left, try again later");
    else
        mox_smtp_reply_set(&v->reply, 451, "4.3.0", "not delivered, try again later");
}

/* ---- one reply ---- */

static bool have_one_code(const struct handover *h)
{
    for (size_t i = 1; i < h->session->recipient_count; i++)
        if (h->verdicts[i].reply.code != h->verdicts[0].reply.code ||
            strcmp(h->verdicts[i].reply.enhanced, h->verdicts[0].reply.enhanced) != 0)
            return false;
    return true;
}

/* Texts of all recipients, as far as there is room, each text once if nothing else is said. */
static void list_texts(const struct handover *h, bool with_codes, char *out, size_t size)
{
    size_t at = 0;
    const char *last = NULL;
    out[0] = '\0';
    for (size_t i = 0; i < h->session->recipient_count; i++) {
        const struct mox_smtp_reply *r = &h->verdicts[i].reply;
        char line[600];
        if (!with_codes && last != NULL && strcmp(last, r->text) == 0)
            continue;
        last = r->text;
        int n = with_codes ? snprintf(line, sizeof line, "%d %s %s: %s", r->code, r->enhanced,
                                      h->envelope.recipients[i].address, r->text)
                           : snprintf(line, sizeof line, "%s", r->text);
        if (n < 0 || at + (size_t)n + 2 > size)
            return;
        at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? "\n" : "", line);
    }
}

static bool is_slow(const struct handover *h)
{
    for (size_t i = 0; i < h->session->recipient_count; i++)
        if (!h->verdicts[i].accepted && h->verdicts[i].reply.slow)
            return true;
    return false;
}

static void refuse_all(const struct handover *h, struct mox_smtp_reply *reply)
{
    bool permanent = false;
    char text[sizeof reply->text];
    for (size_t i = 0; i < h->session->recipient_count; i++)
        permanent = permanent || h->verdicts[i].reply.code >= 500;
    const struct mox_smtp_reply *first = &h->verdicts[0].reply;
    if (have_one_code(h)) {
        list_texts(h, false, text, sizeof text);
        mox_smtp_reply_set(reply, first->code, first->enhanced, "%s", text);
    } else {
        list_texts(h, true, text, sizeof text - 40);
        mox_smtp_reply_set(reply, permanent ? 554 : 451, permanent ? "5.3.0" : "4.3.0",
                           "%s\nno recipient got the message", text);
    }
}

int mox__outcome_reply(struct handover *h, struct mox_smtp_reply *reply)
{
    bool delivered = false;
    int trouble = MOX_OK;
    for (size_t i = 0; i < h->session->recipient_count; i++) {
        struct verdict *v = &h->verdicts[i];
        int status = v->accepted ? store_status(h, v) : MOX_OK;
        if (is_trouble_of_ours(status))
            trouble = status;
        if (status < 0)
            refuse_stored(v, status);
        delivered = delivered || v->accepted;
    }
    if (trouble != MOX_OK) {
        struct verdict all = {.accepted = false};
        refuse_stored(&all, trouble);
        *reply = all.reply;
        return trouble;
    }
    if (!delivered)
        refuse_all(h, reply);
    reply->slow = is_slow(h);
    return delivered ? MOX_OK : MOX_EREFUSED;
}

/* ---- the log ---- */

static const char *problem_of(const struct handover *h, int rc)
{
    if (rc == MOX_OK || rc == MOX_EREFUSED)
        return NULL;
    if (h->cut_short)
        return "the connection ends";
    if (h->error.text[0] != '\0')
        return h->error.text;
    return h->rc == MOX_OK && h->delivery != NULL ? mox_delivery_problem(h->delivery)
                                                  : mox_status_text(rc);
}

static const char *mailbox_of(const struct handover *h, const struct verdict *v)
{
    const struct target *t = v->decisive != NULL ? v->decisive : &h->targets[v->first];
    if (v->count == 0)
        return "";
    return t->judgement != NULL ? t->judgement->mailbox : t->mailbox;
}

/* Whoever leaves while he waits, or is sent away when the server stops, comes again: nothing is to be mended. */
static enum mox_log_level level_of_trouble(const struct handover *h)
{
    return h->cut_short ? MOX_LOG_INFO : MOX_LOG_ERROR;
}

static void tell_one(const struct handover *h, size_t i, int rc)
{
    const struct smtp_session *ss = h->session;
    const struct verdict *v = &h->verdicts[i];
    const struct mox_smtp_envelope *e = &h->envelope;
    const struct mox_checks_verdict *c = h->message.checks;
    bool ours = is_trouble_of_ours(rc) && rc != MOX_EREFUSED, refused = !ours && !v->accepted;
    const char *message = ours || v->failed ? "message not delivered"
                          : refused         ? "incoming message rejected"
                                            : "message delivered";
    const char *account = v->count > 0 ? h->targets[v->first].config->name : "";
    log_line(mox__conn_env(ss->conn), ours ? level_of_trouble(h) : MOX_LOG_INFO, "smtpserver",
             message,
             ours      ? problem_of(h, rc)
             : refused ? v->reply.text
                       : NULL,
             F_TEXT("reason", v->reason), F_TEXT("mailfrom", e->mail_from.address),
             F_TEXT("msgfrom", c != NULL ? c->from_domain : ""),
             F_TEXT("rcptto", e->recipients[i].address), F_TEXT("account", account),
             F_TEXT("mailbox", mailbox_of(h, v)), F_UINT("size", mox_spool_size(ss->spool)),
             F_DURATION("duration", mox__loop_now(ss->server->net->loop) - h->begun_us));
}

/* A word of the reasons, or "": nothing that a stranger wrote. */
static void count_one(const struct handover *h, size_t i, int rc)
{
    struct mox_server *s = h->session->server;
    const struct verdict *v = &h->verdicts[i];
    bool limited = v->decisive != NULL && v->decisive->query.over_limit;
    const char *result = "delivered";
    if (is_trouble_of_ours(rc) && rc != MOX_EREFUSED)
        result = h->rc < 0 && !h->cut_short ? "accounterror" : "delivererror";
    else if (v->failed)
        result = "delivererror";
    else if (!v->accepted)
        result = limited ? "highrate" : "reject";
    mox__count_delivery(s, result, v->reason);
}

/* It failed before anybody was asked. */
static void tell_early(const struct handover *h, int rc)
{
    struct mox_server *s = h->session->server;
    const struct mox_smtp_envelope *e = &h->envelope;
    log_line(mox__conn_env(h->session->conn), level_of_trouble(h), "smtpserver",
             "message not delivered", problem_of(h, rc), F_TEXT("mailfrom", e->mail_from.address),
             F_UINT("recipients", e->recipient_count),
             F_UINT("size", mox_spool_size(h->session->spool)));
    if (!mox__handover_is_submission(h))
        mox__count_delivery(s, "delivererror", "");
}

/* The sender is refused all the same, but the user does not find it. */
static void tell_lost_rejects(const struct handover *h)
{
    for (size_t i = 0; i < h->target_count; i++) {
        const struct target *t = &h->targets[i];
        const struct verdict *v = &h->verdicts[t->recipient];
        int rc = t->is_added ? mox_delivery_copy_status(h->delivery, t->copy, NULL) : MOX_OK;
        if (rc < 0 && !mox__judge_gets_it(v, t) && t->judgement != NULL &&
            !t->judgement->analysis->accept)
            log_line(mox__conn_env(h->session->conn), MOX_LOG_ERROR, "smtpserver",
                     "rejected message not kept", mox_status_text(rc),
                     F_TEXT("account", t->config->name),
                     F_TEXT("mailbox", t->config->rejects_mailbox));
    }
}

/* The client is told nothing of members that a list went on without. */
static void tell_lost_copies(const struct handover *h)
{
    for (size_t i = 0; i < h->target_count; i++) {
        const struct target *t = &h->targets[i];
        int rc = mox__judge_gets_it(&h->verdicts[t->recipient], t) ? copy_status(h, t) : MOX_OK;
        if (rc < 0)
            log_line(mox__conn_env(h->session->conn),
                     rc == MOX_EQUOTA ? MOX_LOG_INFO : MOX_LOG_ERROR, "smtpserver",
                     "message not delivered to a member of the list",
                     t->rc < 0 ? t->error.text : mox_status_text(rc),
                     F_TEXT("rcptto", h->envelope.recipients[t->recipient].address),
                     F_TEXT("account", t->config->name));
    }
}

/* The client hears of an error in processing, as whoever sent spam does; here it is one. */
static void tell_failure(const struct handover *h, const struct target *t)
{
    log_line(mox__conn_env(h->session->conn), MOX_LOG_ERROR, "smtpserver",
             "the account could not judge a message",
             t->error.text[0] != '\0' ? t->error.text : NULL,
             F_TEXT("reason", t->judgement->analysis->word), F_TEXT("account", t->config->name));
}

static void tell_analysis(const struct handover *h, const struct target *t)
{
    const struct mox_env *env = mox__conn_env(h->session->conn);
    const struct mox_analysis_facts *f = t->judgement->facts;
    const struct mox_analysis *a = t->judgement->analysis;
    if (mox_analysis_is_failure(a))
        tell_failure(h, t);
    if (!mox__log_enabled(env, MOX_LOG_INFO, "smtpserver"))
        return;
    if (f->reputation_state == MOX_FACT_FOUND)
        log_line(env, MOX_LOG_INFO, "smtpserver", "reputation analyzed", NULL,
                 F_TEXT("account", t->config->name),
                 F_TEXT("method", mox_reputation_method_name(f->reputation.method)),
                 F_TEXT("leaning", mox_leaning_name(f->reputation.leaning)),
                 F_TEXT("conclusive", f->reputation.conclusive ? "yes" : "no"));
    if (f->junk_state != MOX_FACT_FOUND)
        return;
    char probability[32], threshold[32];
    (void)snprintf(probability, sizeof probability, "%.4f", f->junk.probability);
    (void)snprintf(threshold, sizeof threshold, "%.4f", a->threshold);
    log_line(env, MOX_LOG_INFO, "smtpserver", "content analyzed", NULL,
             F_TEXT("account", t->config->name), F_TEXT("accept", a->accept ? "yes" : "no"),
             F_TEXT("contentprob", probability), F_TEXT("threshold", threshold),
             F_TEXT("strict", a->strict), F_UINT("words", f->junk.word_count));
}

/* What was analyzed, for each target. */
static void tell_analyses(const struct handover *h)
{
    for (size_t i = 0; i < h->target_count; i++) {
        const struct target *t = &h->targets[i];
        if (t->judgement != NULL)
            tell_analysis(h, t);
    }
}

/* An address for reports has one target. */
static void tell_report(const struct handover *h, size_t i, int rc)
{
    const struct verdict *v = &h->verdicts[i];
    const bool ours = is_trouble_of_ours(rc) && rc != MOX_EREFUSED;
    if (!ours && v->accepted && v->count > 0)
        mox__report_tell(h, &h->targets[v->first]);
}

void mox__outcome_tell(const struct handover *h, int rc)
{
    tell_analyses(h);
    if (h->verdicts == NULL || h->targets == NULL) {
        tell_early(h, rc);
        return;
    }
    if (h->rc == MOX_OK && h->delivery != NULL) {
        tell_lost_rejects(h);
        tell_lost_copies(h);
    }
    for (size_t i = 0; i < h->session->recipient_count; i++) {
        tell_report(h, i, rc);
        tell_one(h, i, rc);
        if (!mox__handover_is_submission(h))
            count_one(h, i, rc);
    }
}
