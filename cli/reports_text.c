/* SPDX-License-Identifier: MIT */
#include "reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mox/date.h>

#include "columns.h"

const char *reports_time(int64_t seconds, char out[REPORTS_TIME_MAX])
{
    struct mox_date d;
    mox_date_from_unix(seconds, 0, &d);
    (void)snprintf(out, REPORTS_TIME_MAX, "%04d-%02u-%02uT%02u:%02u:%02uZ", d.year % 10000,
                   d.month % 100, d.day % 100, d.hour % 100, d.minute % 100, d.second % 100);
    return out;
}

static void line(const char *title, const char *value)
{
    if (value[0] != '\0')
        (void)printf("%-13s %s\n", title, value);
}

static void period(int64_t begin, int64_t end)
{
    char from[REPORTS_TIME_MAX], to[REPORTS_TIME_MAX];
    (void)printf("%-13s %s to %s\n", "period", reports_time(begin, from), reports_time(end, to));
}

/* -- tables: a field is added in pieces, the first failure sticks ----------------------------- */

struct table {
    struct columns columns;
    bool failed;
};

static void put(struct table *t, const char *text)
{
    t->failed = t->failed || !columns_add(&t->columns, text, strlen(text));
}

static void put_count(struct table *t, uint64_t n)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    put(t, text);
}

/* Ends a field. */
static void field(struct table *t, const char *text)
{
    put(t, text);
    put(t, "\t");
}

/* Prints the table behind an empty line, if it has lines. */
static bool end_table(struct table *t)
{
    if (!t->failed && t->columns.len > 0) {
        (void)putchar('\n');
        columns_print(&t->columns);
    }
    columns_free(&t->columns);
    return !t->failed;
}

/* -- DMARC ----------------------------------------------------------------------------------- */

/* "p=none", with a space in front of all but the first. */
static void tag(const char *name, const char *value, bool *first)
{
    if (value[0] == '\0')
        return;
    (void)printf("%s%s=%s", *first ? "" : " ", name, value);
    *first = false;
}

static void print_policy(const struct mox_dmarc_report_policy *p)
{
    char percent[16] = "";
    bool first = true;
    if (p->percent >= 0)
        (void)snprintf(percent, sizeof percent, "%d", p->percent);
    line("domain", p->domain);
    (void)printf("%-13s ", "policy");
    tag("p", p->p, &first);
    tag("sp", p->sp, &first);
    tag("np", p->np, &first);
    tag("pct", percent, &first);
    tag("adkim", p->adkim, &first);
    tag("aspf", p->aspf, &first);
    tag("fo", p->fo, &first);
    tag("testing", p->testing, &first);
    (void)puts(first ? "not said" : "");
}

/* "a.example/selector=pass b.example=fail" */
static void put_results(struct table *t, const struct mox_dmarc_report_record *r)
{
    for (size_t i = 0; i < r->dkim_result_count; i++) {
        const struct mox_dmarc_report_dkim *d = &r->dkim_results[i];
        put(t, i == 0 ? "" : " ");
        put(t, d->domain);
        put(t, d->selector[0] == '\0' ? "" : "/");
        put(t, d->selector);
        put(t, "=");
        put(t, d->result);
    }
    put(t, "\t");
    for (size_t i = 0; i < r->spf_result_count; i++) {
        const struct mox_dmarc_report_spf *s = &r->spf_results[i];
        put(t, i == 0 ? "" : " ");
        put(t, s->domain);
        put(t, "=");
        put(t, s->result);
    }
    put(t, "\t");
}

static void put_reasons(struct table *t, const struct mox_dmarc_report_record *r)
{
    for (size_t i = 0; i < r->reason_count; i++) {
        put(t, i == 0 ? "" : "; ");
        put(t, r->reasons[i].type);
        put(t, r->reasons[i].comment[0] == '\0' ? "" : ": ");
        put(t, r->reasons[i].comment);
    }
    put(t, "\n");
}

static void put_record(struct table *t, const struct mox_dmarc_report_record *r)
{
    put_count(t, r->count);
    put(t, "\t");
    field(t, r->source_ip);
    field(t, r->header_from);
    field(t, r->envelope_from);
    field(t, r->disposition);
    field(t, r->dkim);
    field(t, r->spf);
    put_results(t, r);
    put_reasons(t, r);
}

bool reports_print_dmarc(const struct mox_dmarc_report *report)
{
    static const char *const titles[] = {"count",       "source ip", "from", "envelope from",
                                         "disposition", "dkim",      "spf",  "signatures",
                                         "spf of",      "reasons"};
    struct table t = {.columns = {.titles = titles, .count = sizeof titles / sizeof titles[0]}};
    line("organization", report->org_name);
    line("contact", report->email);
    line("more", report->extra_contact_info);
    line("report id", report->report_id);
    period(report->begin, report->end);
    for (size_t i = 0; i < report->error_count; i++)
        line("error", report->errors[i]);
    print_policy(&report->policy);
    for (size_t i = 0; i < report->record_count; i++)
        put_record(&t, &report->records[i]);
    return end_table(&t);
}

/* -- TLS ------------------------------------------------------------------------------------- */

static void lines(const char *title, const char *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        line(title, values[i]);
}

static void put_failure(struct table *t, const struct mox_tls_report_failure *f)
{
    put_count(t, f->failed_sessions);
    put(t, "\t");
    field(t, f->result_type);
    field(t, f->sending_mta_ip);
    field(t, f->receiving_mx_hostname);
    field(t, f->receiving_ip);
    field(t, f->receiving_mx_helo);
    field(t, f->failure_reason_code);
    put(t, f->additional_information);
    put(t, "\n");
}

static bool print_policy_and_failures(const struct mox_tls_report_policy *p)
{
    static const char *const titles[] = {"failed", "result", "sending ip", "mx host",
                                         "mx ip",  "helo",   "reason",     "more"};
    struct table t = {.columns = {.titles = titles, .count = sizeof titles / sizeof titles[0]}};
    (void)putchar('\n');
    line("domain", p->domain);
    line("policy", p->type);
    lines("policy text", p->strings, p->string_count);
    lines("mx host", p->mx_hosts, p->mx_host_count);
    (void)printf("%-13s %llu succeeded, %llu failed\n", "sessions",
                 (unsigned long long)p->successful_sessions,
                 (unsigned long long)p->failed_sessions);
    for (size_t i = 0; i < p->failure_count; i++)
        put_failure(&t, &p->failures[i]);
    return end_table(&t);
}

bool reports_print_tls(const struct mox_tls_report *report)
{
    line("organization", report->organization_name);
    line("contact", report->contact_info);
    line("report id", report->report_id);
    period(report->begin, report->end);
    for (size_t i = 0; i < report->policy_count; i++)
        if (!print_policy_and_failures(&report->policies[i]))
            return false;
    return true;
}
