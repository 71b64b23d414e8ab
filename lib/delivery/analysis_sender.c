/* SPDX-License-Identifier: MIT */
#include "delivery/analysis.h"

#include <mox/dns.h>

#include "base/text.h"

/* Rules about who sent the message. */

enum looked mox__look_at_rate(struct judging *j)
{
    if (!j->facts->over_limit)
        return LOOKED_ON;
    mox__analysis_note(j, "high-rate", "too much from the networks of the client");
    return mox__analysis_refuse(j, MOX_REASON_HIGH_RATE);
}

/* Whether both name one domain, in whichever of its forms. */
static bool is_domain(const char *a, const char *b)
{
    struct mox_domain x, y;
    return mox_domain_parse(&x, slice_of(a), MOX_DOMAIN_UNDERSCORES) == MOX_OK &&
           mox_domain_parse(&y, slice_of(b), MOX_DOMAIN_UNDERSCORES) == MOX_OK &&
           strcmp(x.ascii, y.ascii) == 0;
}

/* What proves the domain: "spf", "dkim"; NULL: nothing. */
static const char *proof_of(const struct mox_checks_verdict *v, const char *domain)
{
    if (v == NULL)
        return NULL;
    if (v->mail_from == MOX_VALIDATION_PASS && is_domain(v->spf->domain, domain))
        return "spf";
    for (size_t i = 0; i < v->dkim_domain_count; i++)
        if (is_domain(v->dkim_domains[i], domain))
            return "dkim";
    return NULL;
}

enum looked mox__look_at_list(struct judging *j)
{
    const char *domain = j->facts->list_allow_domain;
    if (domain[0] == '\0')
        return LOOKED_ON;
    const char *proof = proof_of(j->facts->checks, domain);
    if (proof == NULL)
        return mox__analysis_note(j, "list-allow", "%.100s is not proved", domain);
    mox__analysis_note(j, "list-allow", "%.100s is proved by %s", domain, proof);
    return mox__analysis_accept(j, MOX_REASON_LIST_ALLOW);
}

enum looked mox__look_at_dmarc(struct judging *j)
{
    if (j->facts->checks == NULL)
        return LOOKED_ON;
    const struct mox_dmarc_verdict *d = j->facts->checks->dmarc;
    const char *spared = d->sampled_out                            ? ", not for this message"
                         : d->disposition == MOX_DMARC_POLICY_NONE ? ""
                         : j->facts->is_forward                    ? ", not for forwarded messages"
                                                                   : "";
    mox__analysis_note(j, "dmarc-policy", "dmarc %s, policy %s%s", mox_dmarc_status_name(d->status),
                       mox_dmarc_policy_name(d->policy), spared);
    /* Quarantine too: there is no mailbox for it but the one for rejects. */
    if (d->disposition == MOX_DMARC_POLICY_NONE || j->facts->is_forward)
        return LOOKED_ON;
    return mox__analysis_refuse(j, MOX_REASON_DMARC_POLICY);
}

static bool is_from_proved(const struct mox_checks_verdict *v)
{
    return v != NULL && (v->from == MOX_VALIDATION_STRICT || v->from == MOX_VALIDATION_DMARC ||
                         v->from == MOX_VALIDATION_RELAXED);
}

enum looked mox__look_at_proof(struct judging *j)
{
    if (j->facts->auth_required[0] == '\0')
        return LOOKED_ON;
    if (is_from_proved(j->facts->checks))
        return mox__analysis_note(j, "msg-auth-required", "From is proved");
    mox__analysis_note(j, "msg-auth-required", "From is not proved");
    return mox__analysis_refuse(j, MOX_REASON_MSG_AUTH_REQUIRED);
}

static void note_steps(struct judging *j, const struct mox_reputation *r)
{
    for (size_t i = 0; i < r->step_count && i < MOX_REPUTATION_METHODS; i++) {
        const struct mox_reputation_step *step = &r->steps[i];
        const size_t at = j->out->rule_count;
        mox__analysis_note_text(j, mox_reputation_method_name(step->method), step->text,
                                sizeof step->text);
        if (j->out->rule_count > at)
            j->out->rules[at].found_nothing =
                !step->decided && step->junk == 0 && step->notjunk == 0;
    }
    if (r->step_count == 0)
        mox__analysis_note(j, mox_reputation_method_name(r->method), "nothing was looked up");
}

/* Whom the domain in From says nothing about. */
static bool is_stranger(const struct mox_reputation *r)
{
    switch (r->method) {
    case MOX_REPUTATION_MSGFROMFULL:
    case MOX_REPUTATION_MSGTOFULL:
    case MOX_REPUTATION_MSGFROMDOMAIN:
    case MOX_REPUTATION_MSGTODOMAIN:
    case MOX_REPUTATION_MSGFROMORGDOMAIN:
    case MOX_REPUTATION_MSGTOORGDOMAIN:
        return false;
    default:
        return true;
    }
}

static bool has_reverse_name(const struct mox_analysis_facts *f)
{
    return f->checks != NULL && f->checks->iprev->status == MOX_IPREV_PASS;
}

enum looked mox__look_at_reputation(struct judging *j)
{
    const struct mox_analysis_facts *f = j->facts;
    const struct mox_reputation *r = &f->reputation;
    if (f->reputation_state == MOX_FACT_UNKNOWN)
        return mox__analysis_need(j, MOX_ANALYSIS_REPUTATION);
    if (f->reputation_state == MOX_FACT_FAILED) {
        mox__analysis_note(j, mox__analysis_word(MOX_REASON_REPUTATION_ERROR),
                           "the history could not be read");
        return mox__analysis_refuse(j, MOX_REASON_REPUTATION_ERROR);
    }
    note_steps(j, r);
    j->stranger = is_stranger(r);
    j->suspicious = j->stranger && !f->lenient && !has_reverse_name(f);
    if (r->conclusive && r->leaning == MOX_LEANING_NOTJUNK)
        return mox__analysis_accept(j, MOX_REASON_REPUTATION);
    if (r->conclusive && r->leaning == MOX_LEANING_JUNK)
        return mox__analysis_refuse(j, MOX_REASON_REPUTATION);
    return LOOKED_ON;
}

enum looked mox__look_at_report(struct judging *j)
{
    if (j->facts->report == MOX_FACT_FAILED)
        return mox__analysis_note(j, "reporting", "not a report that is for us");
    if (j->facts->report != MOX_FACT_FOUND)
        return LOOKED_ON;
    mox__analysis_note(j, "reporting", "a report for this address");
    return mox__analysis_accept(j, MOX_REASON_REPORTING);
}

/* The path of who forwards says nothing about the sender. */
enum looked mox__look_at_spf(struct judging *j)
{
    const struct mox_checks_verdict *v = j->facts->checks;
    if (!j->stranger || j->facts->is_forward || v == NULL)
        return LOOKED_ON;
    mox__analysis_note(j, "spf-policy", "spf %s for %s", mox_spf_result_name(v->spf->result),
                       v->spf->identity == MOX_SPF_IDENTITY_MAILFROM ? "MAIL FROM"
                       : v->spf->identity == MOX_SPF_IDENTITY_HELO   ? "EHLO"
                                                                     : "no domain");
    if (v->mail_from != MOX_VALIDATION_FAIL && v->mail_from != MOX_VALIDATION_SOFTFAIL)
        return LOOKED_ON;
    return mox__analysis_refuse(j, MOX_REASON_SPF_POLICY);
}

enum looked mox__look_at_iprev(struct judging *j)
{
    const struct mox_analysis_facts *f = j->facts;
    if (!j->stranger)
        return LOOKED_ON;
    mox__analysis_note(j, "iprev", "iprev %s, reputation %s%s",
                       f->checks == NULL ? "none" : mox_iprev_status_name(f->checks->iprev->status),
                       mox_leaning_name(f->reputation.leaning), f->lenient ? ", lenient" : "");
    if (!j->suspicious || f->reputation.leaning != MOX_LEANING_JUNK)
        return LOOKED_ON;
    return mox__analysis_refuse(j, MOX_REASON_IPREV);
}
