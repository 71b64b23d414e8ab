/* SPDX-License-Identifier: MIT */
#include "reports.h"

/* Objects are built without looking at each step: what there was no memory for is NULL, and what is made
 * with it is NULL too. Only a text that may be NULL, `s*`, is left out. */

/* NULL for an empty text, which is absent. */
static const char *text(const char *value)
{
    return value[0] == '\0' ? NULL : value;
}

/* The list, or NULL when it does not have all that it should. */
static json_t *whole(json_t *list, size_t count)
{
    if (json_array_size(list) == count)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *texts(const char *const *values, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, json_string(values[i]));
    return whole(list, count);
}

/* -- DMARC ----------------------------------------------------------------------------------- */

static json_t *reasons(const struct mox_dmarc_report_record *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->reason_count; i++)
        (void)json_array_append_new(list,
                                    json_pack("{s:s*, s:s*}", "type", text(r->reasons[i].type),
                                              "comment", text(r->reasons[i].comment)));
    return whole(list, r->reason_count);
}

static json_t *dkim(const struct mox_dmarc_report_record *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->dkim_result_count; i++) {
        const struct mox_dmarc_report_dkim *d = &r->dkim_results[i];
        (void)json_array_append_new(list, json_pack("{s:s*, s:s*, s:s*, s:s*}", "domain",
                                                    text(d->domain), "selector", text(d->selector),
                                                    "result", text(d->result), "human_result",
                                                    text(d->human_result)));
    }
    return whole(list, r->dkim_result_count);
}

static json_t *spf(const struct mox_dmarc_report_record *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->spf_result_count; i++) {
        const struct mox_dmarc_report_spf *d = &r->spf_results[i];
        (void)json_array_append_new(list,
                                    json_pack("{s:s*, s:s*, s:s*, s:s*}", "domain", text(d->domain),
                                              "scope", text(d->scope), "result", text(d->result),
                                              "human_result", text(d->human_result)));
    }
    return whole(list, r->spf_result_count);
}

static json_t *record(const struct mox_dmarc_report_record *r)
{
    json_t *evaluated = json_pack("{s:s*, s:s*, s:s*, s:o}", "disposition", text(r->disposition),
                                  "dkim", text(r->dkim), "spf", text(r->spf), "reason", reasons(r));
    json_t *row = json_pack("{s:s*, s:I, s:o}", "source_ip", text(r->source_ip), "count",
                            (json_int_t)r->count, "policy_evaluated", evaluated);
    json_t *identifiers =
        json_pack("{s:s*, s:s*, s:s*}", "envelope_to", text(r->envelope_to), "envelope_from",
                  text(r->envelope_from), "header_from", text(r->header_from));
    return json_pack("{s:o, s:o, s:{s:o, s:o}}", "row", row, "identifiers", identifiers,
                     "auth_results", "dkim", dkim(r), "spf", spf(r));
}

static json_t *policy_published(const struct mox_dmarc_report_policy *p)
{
    json_t *policy =
        json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "domain",
                  text(p->domain), "adkim", text(p->adkim), "aspf", text(p->aspf), "p", text(p->p),
                  "sp", text(p->sp), "np", text(p->np), "fo", text(p->fo), "testing",
                  text(p->testing), "discovery_method", text(p->discovery_method));
    if (p->percent >= 0 && json_object_set_new(policy, "pct", json_integer(p->percent)) != 0)
        return NULL;
    return policy;
}

json_t *reports_dmarc_json(const struct mox_dmarc_report *report)
{
    json_t *records = json_array();
    json_t *metadata = json_pack(
        "{s:s*, s:s*, s:s*, s:s*, s:{s:I, s:I}, s:o, s:s*}", "org_name", text(report->org_name),
        "email", text(report->email), "extra_contact_info", text(report->extra_contact_info),
        "report_id", text(report->report_id), "date_range", "begin", (json_int_t)report->begin,
        "end", (json_int_t)report->end, "error", texts(report->errors, report->error_count),
        "generator", text(report->generator));
    for (size_t i = 0; i < report->record_count; i++)
        (void)json_array_append_new(records, record(&report->records[i]));
    return json_pack("{s:s*, s:o, s:o, s:o}", "version", text(report->version), "report_metadata",
                     metadata, "policy_published", policy_published(&report->policy), "record",
                     whole(records, report->record_count));
}

/* -- TLS ------------------------------------------------------------------------------------- */

static json_t *failure(const struct mox_tls_report_failure *f)
{
    return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:I, s:s*, s:s*}", "result-type",
                     text(f->result_type), "sending-mta-ip", text(f->sending_mta_ip),
                     "receiving-mx-hostname", text(f->receiving_mx_hostname), "receiving-mx-helo",
                     text(f->receiving_mx_helo), "receiving-ip", text(f->receiving_ip),
                     "failed-session-count", (json_int_t)f->failed_sessions,
                     "additional-information", text(f->additional_information),
                     "failure-reason-code", text(f->failure_reason_code));
}

static json_t *policy(const struct mox_tls_report_policy *p)
{
    json_t *failures = json_array();
    for (size_t i = 0; i < p->failure_count; i++)
        (void)json_array_append_new(failures, failure(&p->failures[i]));
    json_t *applied =
        json_pack("{s:s*, s:o, s:s*, s:o}", "policy-type", text(p->type), "policy-string",
                  texts(p->strings, p->string_count), "policy-domain", text(p->domain), "mx-host",
                  texts(p->mx_hosts, p->mx_host_count));
    return json_pack("{s:o, s:{s:I, s:I}, s:o}", "policy", applied, "summary",
                     "total-successful-session-count", (json_int_t)p->successful_sessions,
                     "total-failure-session-count", (json_int_t)p->failed_sessions,
                     "failure-details", whole(failures, p->failure_count));
}

/* RFC 3339; NULL when it is not said. */
static const char *date_time(int64_t seconds, char out[REPORTS_TIME_MAX])
{
    return seconds == 0 ? NULL : reports_time(seconds, out);
}

json_t *reports_tls_json(const struct mox_tls_report *report)
{
    char begin[REPORTS_TIME_MAX], end[REPORTS_TIME_MAX];
    json_t *policies = json_array();
    for (size_t i = 0; i < report->policy_count; i++)
        (void)json_array_append_new(policies, policy(&report->policies[i]));
    return json_pack("{s:s*, s:{s:s*, s:s*}, s:s*, s:s*, s:o}", "organization-name",
                     text(report->organization_name), "date-range", "start-datetime",
                     date_time(report->begin, begin), "end-datetime", date_time(report->end, end),
                     "contact-info", text(report->contact_info), "report-id",
                     text(report->report_id), "policies", whole(policies, report->policy_count));
}
