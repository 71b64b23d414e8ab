/* SPDX-License-Identifier: MIT */

/* Any bytes as the XML of a DMARC report: what is read is text in one line without controls, within its
 * bounds; what is written from it is read as the same; what is refused says why. */

#include <mox/dmarc_report.h>

#include "fuzz/input.h"

static struct mox_env env;

/* Appends the text as XML has it. */
static void put(struct buf *out, const char *element, const char *text)
{
    mox__buf_printf(out, "<%s>", element);
    for (; *text != '\0'; text++)
        if (*text == '<' || *text == '&' || *text == '>')
            mox__buf_printf(out, "&#%d;", *text);
        else
            mox__buf_byte(out, (uint8_t)*text);
    mox__buf_printf(out, "</%s>", element);
}

static void check_text(const char *text)
{
    struct mox_slice s = slice_of(text);
    assert(s.len <= MOX_DMARC_REPORT_TEXT_MAX && mox__slice_is_utf8(s));
    for (size_t i = 0; i < s.len; i++) {
        assert(s.data[i] >= ' ' && s.data[i] != 0x7f);
        assert(s.data[i] != 0xc2 || s.data[i + 1] >= 0xa0); /* C1 controls */
    }
}

static void put_record(struct buf *out, const struct mox_dmarc_report_record *r)
{
    mox__buf_text(out, "<record><row>");
    put(out, "source_ip", r->source_ip);
    mox__buf_printf(out, "<count>%llu</count><policy_evaluated>", (unsigned long long)r->count);
    put(out, "disposition", r->disposition);
    put(out, "dkim", r->dkim);
    put(out, "spf", r->spf);
    for (size_t i = 0; i < r->reason_count; i++) {
        mox__buf_text(out, "<reason>");
        put(out, "type", r->reasons[i].type);
        put(out, "comment", r->reasons[i].comment);
        mox__buf_text(out, "</reason>");
    }
    mox__buf_text(out, "</policy_evaluated></row><identifiers>");
    put(out, "envelope_to", r->envelope_to);
    put(out, "envelope_from", r->envelope_from);
    put(out, "header_from", r->header_from);
    mox__buf_text(out, "</identifiers><auth_results>");
    for (size_t i = 0; i < r->dkim_result_count; i++) {
        const struct mox_dmarc_report_dkim *d = &r->dkim_results[i];
        mox__buf_text(out, "<dkim>");
        put(out, "domain", d->domain);
        put(out, "selector", d->selector);
        put(out, "result", d->result);
        put(out, "human_result", d->human_result);
        mox__buf_text(out, "</dkim>");
    }
    for (size_t i = 0; i < r->spf_result_count; i++) {
        const struct mox_dmarc_report_spf *d = &r->spf_results[i];
        mox__buf_text(out, "<spf>");
        put(out, "domain", d->domain);
        put(out, "scope", d->scope);
        put(out, "result", d->result);
        put(out, "human_result", d->human_result);
        mox__buf_text(out, "</spf>");
    }
    mox__buf_text(out, "</auth_results></record>");
}

static void put_policy(struct buf *out, const struct mox_dmarc_report_policy *p)
{
    mox__buf_text(out, "<policy_published>");
    put(out, "domain", p->domain);
    put(out, "adkim", p->adkim);
    put(out, "aspf", p->aspf);
    put(out, "p", p->p);
    put(out, "sp", p->sp);
    put(out, "np", p->np);
    put(out, "fo", p->fo);
    put(out, "testing", p->testing);
    put(out, "discovery_method", p->discovery_method);
    if (p->percent >= 0)
        mox__buf_printf(out, "<pct>%d</pct>", p->percent);
    mox__buf_text(out, "</policy_published>");
}

/* The report as XML. */
static void write_report(struct buf *out, const struct mox_dmarc_report *r)
{
    mox__buf_init(out, &env, SIZE_MAX / 2);
    mox__buf_text(out, "<feedback>");
    put(out, "version", r->version);
    mox__buf_text(out, "<report_metadata>");
    put(out, "org_name", r->org_name);
    put(out, "email", r->email);
    put(out, "extra_contact_info", r->extra_contact_info);
    put(out, "report_id", r->report_id);
    put(out, "generator", r->generator);
    for (size_t i = 0; i < r->error_count; i++)
        put(out, "error", r->errors[i]);
    mox__buf_printf(out,
                    "<date_range><begin>%lld</begin><end>%lld</end></date_range></report_metadata>",
                    (long long)r->begin, (long long)r->end);
    put_policy(out, &r->policy);
    for (size_t i = 0; i < r->record_count; i++)
        put_record(out, &r->records[i]);
    mox__buf_text(out, "</feedback>");
    assert(!out->failed);
}

static void check_report(const struct mox_dmarc_report *r)
{
    struct mox_dmarc_report *again;
    struct mox_error err;
    struct buf first, second;
    check_text(r->org_name);
    check_text(r->policy.domain);
    for (size_t i = 0; i < r->record_count; i++) {
        check_text(r->records[i].source_ip);
        assert(r->records[i].reason_count <= MOX_DMARC_REPORT_LIST_MAX);
        for (size_t k = 0; k < r->records[i].reason_count; k++)
            check_text(r->records[i].reasons[k].comment);
    }
    write_report(&first, r);
    int rc = mox_dmarc_report_parse(&again, &env, buf_bytes(&first), &err);
    assert(rc == MOX_OK);
    write_report(&second, again);
    assert_same(buf_bytes(&first), buf_bytes(&second));
    mox__buf_free(&first);
    mox__buf_free(&second);
    mox_dmarc_report_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_dmarc_report *report;
    struct mox_error err = {0};
    mox_env_system(&env);
    int rc = mox_dmarc_report_parse(&report, &env, slice(data, len), &err);
    if (rc == MOX_OK)
        check_report(report);
    else
        assert((rc == MOX_ESYNTAX || rc == MOX_ELIMIT) && err.text[0] != '\0' && report == NULL);
    mox_dmarc_report_free(report);
    return 0;
}
