/* SPDX-License-Identifier: MIT */
#include "mailauth/report_dmarc.h"

#include <string.h>

#include <mox/dmarc_report.h>

#define OF_REPORT(member) offsetof(struct mox_dmarc_report, member)
#define OF_RECORD(member) offsetof(struct mox_dmarc_report_record, member)
#define OF_REASON(member) offsetof(struct mox_dmarc_report_reason, member)
#define OF_DKIM(member)   offsetof(struct mox_dmarc_report_dkim, member)
#define OF_SPF(member)    offsetof(struct mox_dmarc_report_spf, member)

static const struct rule rules[] = {
    {DOCUMENT, "feedback", FEEDBACK, NONE, 0},

    {FEEDBACK, "version", LEAF, TEXT, OF_REPORT(version)},
    {FEEDBACK, "report_metadata", METADATA, NONE, 0},
    {FEEDBACK, "policy_published", POLICY, NONE, 0},
    {FEEDBACK, "record", RECORD, NONE, 0},

    {METADATA, "org_name", LEAF, TEXT, OF_REPORT(org_name)},
    {METADATA, "email", LEAF, TEXT, OF_REPORT(email)},
    {METADATA, "extra_contact_info", LEAF, TEXT, OF_REPORT(extra_contact_info)},
    {METADATA, "report_id", LEAF, TEXT, OF_REPORT(report_id)},
    {METADATA, "generator", LEAF, TEXT, OF_REPORT(generator)},
    {METADATA, "error", LEAF, PROBLEM, 0},
    {METADATA, "date_range", DATE_RANGE, NONE, 0},
    {DATE_RANGE, "begin", LEAF, TIME, OF_REPORT(begin)},
    {DATE_RANGE, "end", LEAF, TIME, OF_REPORT(end)},

    {POLICY, "domain", LEAF, WORD, OF_REPORT(policy.domain)},
    {POLICY, "adkim", LEAF, WORD, OF_REPORT(policy.adkim)},
    {POLICY, "aspf", LEAF, WORD, OF_REPORT(policy.aspf)},
    {POLICY, "p", LEAF, WORD, OF_REPORT(policy.p)},
    {POLICY, "sp", LEAF, WORD, OF_REPORT(policy.sp)},
    {POLICY, "np", LEAF, WORD, OF_REPORT(policy.np)},
    {POLICY, "pct", LEAF, PERCENT, OF_REPORT(policy.percent)},
    {POLICY, "fo", LEAF, WORD, OF_REPORT(policy.fo)},
    {POLICY, "testing", LEAF, WORD, OF_REPORT(policy.testing)},
    {POLICY, "discovery_method", LEAF, WORD, OF_REPORT(policy.discovery_method)},

    {RECORD, "row", ROW, NONE, 0},
    {RECORD, "identifiers", IDENTIFIERS, NONE, 0},
    {RECORD, "auth_results", RESULTS, NONE, 0},
    {ROW, "source_ip", LEAF, TEXT, OF_RECORD(source_ip)},
    {ROW, "count", LEAF, COUNT, OF_RECORD(count)},
    {ROW, "policy_evaluated", EVALUATED, NONE, 0},
    {EVALUATED, "disposition", LEAF, WORD, OF_RECORD(disposition)},
    {EVALUATED, "dkim", LEAF, WORD, OF_RECORD(dkim)},
    {EVALUATED, "spf", LEAF, WORD, OF_RECORD(spf)},
    {EVALUATED, "reason", REASON, NONE, 0},
    {REASON, "type", LEAF, WORD, OF_REASON(type)},
    {REASON, "comment", LEAF, TEXT, OF_REASON(comment)},
    {IDENTIFIERS, "envelope_to", LEAF, WORD, OF_RECORD(envelope_to)},
    {IDENTIFIERS, "envelope_from", LEAF, WORD, OF_RECORD(envelope_from)},
    {IDENTIFIERS, "header_from", LEAF, WORD, OF_RECORD(header_from)},

    {RESULTS, "dkim", DKIM, NONE, 0},
    {RESULTS, "spf", SPF, NONE, 0},
    {DKIM, "domain", LEAF, WORD, OF_DKIM(domain)},
    {DKIM, "selector", LEAF, TEXT, OF_DKIM(selector)},
    {DKIM, "result", LEAF, WORD, OF_DKIM(result)},
    {DKIM, "human_result", LEAF, TEXT, OF_DKIM(human_result)},
    {SPF, "domain", LEAF, WORD, OF_SPF(domain)},
    {SPF, "scope", LEAF, WORD, OF_SPF(scope)},
    {SPF, "result", LEAF, WORD, OF_SPF(result)},
    {SPF, "human_result", LEAF, TEXT, OF_SPF(human_result)},
};

const struct rule *mox__dmarc_report_rule(enum place in, const char *name)
{
    const char *colon = strchr(name, ':'); /* whatever prefix a namespace has */
    if (colon != NULL)
        name = colon + 1;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].in == in && strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}
