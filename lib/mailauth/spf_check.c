/* SPDX-License-Identifier: MIT */
#include <mox/spf.h>

#include <stdio.h>

#include "base/text.h"
#include "mailauth/spf_eval.h"

const char *mox_spf_result_name(enum mox_spf_result result)
{
    static const char *const names[] = {"none",     "neutral",   "pass",     "fail",
                                        "softfail", "temperror", "permerror"};
    return names[result];
}

void mox_spf_query_init(struct mox_spf_query *query)
{
    *query = (struct mox_spf_query){.size = sizeof *query,
                                    .ip = "",
                                    .helo = "",
                                    .mail_from_localpart = "",
                                    .mail_from_domain = "",
                                    .explain = true};
}

/* ---- explanations ---- */

/* §6.2: what cannot be had is no explanation, and no problem. */
static void explain(struct spf_eval *e)
{
    char target[MOX_DOMAIN_MAX + 1], validated[MOX_DOMAIN_MAX + 1] = "unknown";
    const struct mox_dns_answer *answer;
    struct mox_spf_verdict *v = e->verdict;
    if (e->exp.data == NULL || mox__spf_target(e, e->exp, e->exp_domain, target) != SPF_NO_MATCH ||
        mox__spf_ask(e, slice_of(target), MOX_DNS_TXT, &answer) != SPF_MATCH || answer->count != 1)
        return;
    struct mox_slice text = answer->records[0].data.txt;
    if (!mox__spf_is_macro_string(text, true))
        return;
    if (mox__spf_macro_has_p(text) &&
        mox__spf_validated(e, e->exp_domain, validated) == SPF_MISSING)
        return;
    char memory[4 * MOX_SPF_EXPLANATION_MAX];
    struct buf out = buf_over(memory, sizeof memory);
    struct spf_macros m = mox__spf_macros(e, e->exp_domain, validated);
    mox__spf_expand(&out, text, &m);
    size_t len = out.len < MOX_SPF_EXPLANATION_MAX ? out.len : MOX_SPF_EXPLANATION_MAX;
    for (size_t i = 0; i < len; i++)
        if (out.data[i] < ' ' || out.data[i] > '~')
            return;
    memcpy(v->explanation, memory, len);
    v->explanation[len] = '\0';
}

/* ---- the identity ---- */

/* RFC 7208 §2.4: without a reverse path it is postmaster at the name of EHLO. */
static bool choose_identity(struct spf_eval *e)
{
    const struct mox_spf_query *q = e->query;
    struct mox_spf_verdict *v = e->verdict;
    struct mox_domain d;
    bool is_mail_from = q->mail_from_domain[0] != '\0';
    const char *name = is_mail_from ? q->mail_from_domain : q->helo;
    if (!is_mail_from && (q->helo_is_literal || name[0] == '\0'))
        return false;
    v->identity = is_mail_from ? MOX_SPF_IDENTITY_MAILFROM : MOX_SPF_IDENTITY_HELO;
    if (mox_domain_parse(&d, slice_of(name), MOX_DOMAIN_UNDERSCORES) == MOX_OK)
        name = d.ascii;
    (void)snprintf(v->domain, sizeof v->domain, "%s", name);
    mox__spf_clean(v->domain);
    e->sender_domain = v->domain;
    bool has_localpart = is_mail_from && q->mail_from_localpart[0] != '\0';
    e->localpart = has_localpart ? q->mail_from_localpart : "postmaster"; /* §4.3 */
    (void)snprintf(v->sender, sizeof v->sender, "%s@%s", e->localpart, v->domain);
    mox__spf_clean(v->sender);
    return true;
}

int mox_spf_check(const struct mox_spf_query *given, struct mox_dns_answers *answers,
                  struct mox_spf_verdict *verdict)
{
    struct mox_spf_query query;
    mox_spf_query_init(&query);
    memcpy(&query, given, given->size < sizeof query ? given->size : sizeof query);
    struct spf_eval e = {.query = &query, .answers = answers, .verdict = verdict, .rc = MOX_OK};
    *verdict = (struct mox_spf_verdict){.result = MOX_SPF_NONE};
    if (!mox__ip_parse(slice_of(query.ip), &e.ip))
        return MOX_EINVAL;
    if (!choose_identity(&e)) {
        (void)snprintf(verdict->problem, sizeof verdict->problem, "there is no name to check");
        return MOX_OK;
    }
    verdict->result = mox__spf_check_host(&e, verdict->domain, true);
    if (verdict->result == MOX_SPF_NONE)
        (void)mox__spf_problem(&e, SPF_NO_MATCH, "%s has no SPF record", verdict->domain);
    verdict->secure = e.secure;
    verdict->lookups = e.lookups;
    verdict->void_lookups = e.voids;
    if (!e.missing && verdict->result == MOX_SPF_FAIL && query.explain) {
        explain(&e);
        verdict->problem[0] = '\0'; /* of its look-ups, which decide nothing */
    }
    return e.rc < 0 ? e.rc : e.missing ? MOX_NEED_DNS : MOX_OK;
}
