/* SPDX-License-Identifier: MIT */

/* Any bytes as the JSON of a TLS report: what is read is text in one line without controls, within its
 * bounds; what follows the report does not matter; what is refused says why. */

#include <mox/tls_report.h>

#include "fuzz/input.h"

static struct mox_env env;

static void check_text(const char *text)
{
    struct mox_slice s = slice_of(text);
    assert(s.len <= MOX_TLS_REPORT_TEXT_MAX && mox__slice_is_utf8(s));
    for (size_t i = 0; i < s.len; i++) {
        assert(s.data[i] >= ' ' && s.data[i] != 0x7f);
        assert(s.data[i] != 0xc2 || s.data[i + 1] >= 0xa0); /* C1 controls */
    }
}

static void check_failure(const struct mox_tls_report_failure *f)
{
    check_text(f->result_type);
    check_text(f->sending_mta_ip);
    check_text(f->receiving_mx_hostname);
    check_text(f->receiving_mx_helo);
    check_text(f->receiving_ip);
    check_text(f->additional_information);
    check_text(f->failure_reason_code);
    assert(f->failed_sessions <= INT64_MAX);
}

static void check_report(const struct mox_tls_report *r)
{
    check_text(r->organization_name);
    check_text(r->contact_info);
    check_text(r->report_id);
    for (size_t i = 0; i < r->policy_count; i++) {
        const struct mox_tls_report_policy *p = &r->policies[i];
        check_text(p->type);
        check_text(p->domain);
        for (size_t k = 0; k < p->string_count; k++)
            check_text(p->strings[k]);
        for (size_t k = 0; k < p->mx_host_count; k++)
            check_text(p->mx_hosts[k]);
        for (size_t k = 0; k < p->failure_count; k++)
            check_failure(&p->failures[k]);
    }
}

/* With something behind it, it is the same report. */
static void check_trailing(struct mox_slice json, const struct mox_tls_report *want)
{
    struct mox_tls_report *got;
    struct mox_error err;
    struct buf more;
    mox__buf_init(&more, &env, SIZE_MAX / 2);
    mox__buf_slice(&more, json);
    mox__buf_text(&more, " [{\"report-id\": 5, \xff");
    int rc = mox_tls_report_parse(&got, &env, buf_bytes(&more), &err);
    assert(rc == MOX_OK && got->policy_count == want->policy_count);
    assert(strcmp(got->report_id, want->report_id) == 0 && got->begin == want->begin);
    mox_tls_report_free(got);
    mox__buf_free(&more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mox_tls_report *report;
    struct mox_error err = {0};
    mox_env_system(&env);
    int rc = mox_tls_report_parse(&report, &env, slice(data, len), &err);
    if (rc == MOX_OK) {
        check_report(report);
        check_trailing(slice(data, len), report);
    } else {
        assert((rc == MOX_ESYNTAX || rc == MOX_ELIMIT) && err.text[0] != '\0' && report == NULL);
    }
    mox_tls_report_free(report);
    return 0;
}
