/* SPDX-License-Identifier: MIT */
#include "delivery/analysis.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What who sent spam is told: as if something were broken here. It gives no hint, and a server that is
 * honest tries again, when its message may be judged otherwise. */
#define NEUTRAL 451, "4.3.0", "error processing"

#define DONE 0, "", ""

static const struct outcome {
    const char *word;
    int code; /* and reply, when it is refused */
    const char *enhanced, *reply;
} outcomes[] = {
    [MOX_REASON_HIGH_RATE] = {"high-rate", 452, "4.2.2",
                              "too much mail from your network; try again later"},
    [MOX_REASON_LIST_ALLOW] = {"list-allow", DONE},
    [MOX_REASON_DMARC_POLICY] = {"dmarc-policy", 550, "5.7.26",
                                 "refused, as the DMARC policy of the domain in From asks for"},
    [MOX_REASON_MSG_AUTH_REQUIRED] = {"msg-auth-required", 550, "5.7.26", ""}, /* configured */
    [MOX_REASON_REPUTATION_ERROR] = {"reputation-error", NEUTRAL},
    [MOX_REASON_REPUTATION] = {"reputation", NEUTRAL},
    [MOX_REASON_REPORTING] = {"reporting", DONE},
    [MOX_REASON_SPF_POLICY] = {"spf-policy", NEUTRAL},
    [MOX_REASON_IPREV] = {"iprev", NEUTRAL},
    [MOX_REASON_SUBJECTPASS] = {"subjectpass", DONE},
    [MOX_REASON_SUBJECTPASS_ERROR] = {"subjectpass-error", NEUTRAL},
    [MOX_REASON_JUNK_CONTENT] = {"junk-content", NEUTRAL},
    [MOX_REASON_JUNK_CONTENT_STRICT] = {"junk-content-strict", NEUTRAL},
    [MOX_REASON_JUNK_FILTER_ERROR] = {"junk-filter-error", NEUTRAL},
    [MOX_REASON_JUNK_CLASSIFY_ERROR] = {"junk-classify-error", NEUTRAL},
    [MOX_REASON_DNS_BLOCKLISTED] = {"dns-blocklisted", NEUTRAL},
    [MOX_REASON_NO_BAD_SIGNALS] = {"no-bad-signals", DONE},
    [MOX_REASON_GIVE_SUBJECTPASS] =
        {"give-subjectpass", 550, "5.7.1",
         "this looks like spam; if it is not, send it again with this at "
         "the end of its subject:"},
};

/* The order is the meaning: whoever is known well is judged by that alone, before what costs more or
 * tells others about our correspondents is asked for. */
static enum looked (*const rules[])(struct judging *j) = {
    mox__look_at_rate,       mox__look_at_list,    mox__look_at_dmarc,       mox__look_at_proof,
    mox__look_at_reputation, mox__look_at_report,  mox__look_at_spf,         mox__look_at_iprev,
    mox__look_at_token,      mox__look_at_content, mox__look_at_block_lists, mox__look_at_the_rest,
};

const char *mox__analysis_word(enum mox_analysis_reason reason)
{
    return outcomes[reason].word;
}

bool mox_analysis_is_failure(const struct mox_analysis *analysis)
{
    switch (analysis->reason) {
    case MOX_REASON_REPUTATION_ERROR:
    case MOX_REASON_SUBJECTPASS_ERROR:
    case MOX_REASON_JUNK_FILTER_ERROR:
    case MOX_REASON_JUNK_CLASSIFY_ERROR:
        return true;
    default:
        return false;
    }
}

static void put_printable(char *out, size_t size, const char *text, size_t len)
{
    size_t n = 0;
    for (; n < len && n + 1 < size; n++)
        out[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    out[n] = '\0';
}

enum looked mox__analysis_note_text(struct judging *j, const char *name, const char *text,
                                    size_t size)
{
    if (j->out->rule_count == MOX_ANALYSIS_RULES_MAX)
        return LOOKED_ON;
    struct mox_analysis_rule *rule = &j->out->rules[j->out->rule_count++];
    rule->decided = rule->found_nothing = false;
    rule->name = name;
    put_printable(rule->text, sizeof rule->text, text, strnlen(text, size));
    return LOOKED_ON;
}

enum looked mox__analysis_note(struct judging *j, const char *name, const char *format, ...)
{
    char text[sizeof j->out->rules->text];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return mox__analysis_note_text(j, name, text, sizeof text);
}

static enum looked decide(struct judging *j, enum mox_analysis_reason reason)
{
    struct mox_analysis *a = j->out;
    a->reason = reason;
    a->word = reason == MOX_REASON_REPUTATION
                  ? mox_reputation_method_name(j->facts->reputation.method)
                  : outcomes[reason].word;
    if (a->rule_count > 0)
        a->rules[a->rule_count - 1].decided = true;
    return LOOKED_DECIDED;
}

enum looked mox__analysis_accept(struct judging *j, enum mox_analysis_reason reason)
{
    j->out->accept = true;
    return decide(j, reason);
}

/* Who requires proof says so in words of their own, and whether it may be found later. */
static void ask_for_proof(struct judging *j)
{
    const struct mox_checks_verdict *checks = j->facts->checks;
    put_printable(j->out->reply, sizeof j->out->reply, j->facts->auth_required,
                  strlen(j->facts->auth_required));
    if (checks != NULL && checks->dmarc->status == MOX_DMARC_TEMPERROR) {
        j->out->code = 451;
        j->out->enhanced[0] = '4';
    }
}

enum looked mox__analysis_refuse(struct judging *j, enum mox_analysis_reason reason)
{
    struct mox_analysis *a = j->out;
    const struct outcome *o = &outcomes[reason];
    a->code = o->code;
    (void)snprintf(a->enhanced, sizeof a->enhanced, "%s", o->enhanced);
    (void)snprintf(a->reply, sizeof a->reply, "%s", o->reply);
    if (reason == MOX_REASON_MSG_AUTH_REQUIRED)
        ask_for_proof(j);
    /* A limit is no judgement of the message: it is not taken as a reject either. */
    a->accepted_reject = reason != MOX_REASON_HIGH_RATE && j->facts->accept_rejects_to[0] != '\0';
    a->accept = a->accepted_reject;
    a->give_token = reason == MOX_REASON_GIVE_SUBJECTPASS && !a->accept;
    return decide(j, reason);
}

enum looked mox__analysis_need(struct judging *j, unsigned wants)
{
    j->out->wants = wants;
    return LOOKED_NEEDS;
}

void mox_analysis_facts_init(struct mox_analysis_facts *facts)
{
    *facts = (struct mox_analysis_facts){.size = sizeof *facts,
                                         .list_allow_domain = "",
                                         .accept_rejects_to = "",
                                         .auth_required = "",
                                         .report = MOX_FACT_ABSENT,
                                         .dnsbl_zone = ""};
}

int mox_analyze(const struct mox_analysis_facts *facts, struct mox_analysis *analysis)
{
    struct judging j = {.facts = facts, .out = analysis};
    enum looked looked = LOOKED_ON;
    /* Most of it is room for rules, each of which is set when it is looked at. */
    memset(analysis, 0, offsetof(struct mox_analysis, rules));
    analysis->word = analysis->strict = "";
    analysis->rule_count = 0;
    for (size_t i = 0; looked == LOOKED_ON; i++)
        looked = rules[i](&j); /* the last one always decides */
    return looked == LOOKED_NEEDS ? MOX_NEED_FACTS : MOX_OK;
}
