/* SPDX-License-Identifier: MIT */
#include <mox/tls_report.h>

#include "base/error.h"
#include "base/text.h"
#include "mailauth/report.h"
#include "message/content.h"

static bool is_type(const struct mox_part *part, const char *type, const char *subtype)
{
    return mox__slice_is_nocase(part->type, type) && mox__slice_is_nocase(part->subtype, subtype);
}

/* RFC 8460 §5.3: whether the multipart/report is one on TLS. */
static bool reports_tls(const struct mox_part *report)
{
    struct mox_slice type, subtype;
    struct params params;
    struct param found;
    return mox__content_type(report->fields[MOX_FIELD_TYPE], &type, &subtype, &params) &&
           mox__param_find(params, "report-type", &found) &&
           mox__slice_is_nocase(found.value, "tlsrpt");
}

static int judge(const struct mox_part *leaf, struct mox_slice content, struct mox_error *err)
{
    (void)content;
    for (const struct mox_part *p = leaf->parent; p != NULL; p = p->parent)
        if (is_type(p, "multipart", "report") && !reports_tls(p))
            return mox__fail(err, MOX_ESYNTAX,
                             "read TLS report: the message is a report on something else");
    if (leaf->parent != NULL && !is_type(leaf->parent, "multipart", "report"))
        return MOX_ENOTFOUND;
    if (is_type(leaf, "application", "tlsrpt+json") || is_type(leaf, "application", "tlsrpt+gzip"))
        return MOX_OK;
    return MOX_ENOTFOUND;
}

int mox_tls_report_parse_message(struct mox_tls_report **out, const struct mox_env *env,
                                 struct mox_slice content, struct mox_error *err)
{
    static const struct report_form form = {.name = "TLS report",
                                            .message_max = MOX_TLS_REPORT_MESSAGE_MAX,
                                            .report_max = MOX_TLS_REPORT_JSON_MAX,
                                            .judge = judge};
    struct buf json;
    *out = NULL;
    int rc = mox__report_from_mail(&json, &form, env, content, err);
    if (rc == MOX_OK)
        rc = mox_tls_report_parse(out, env, slice(json.data, json.len), err);
    mox__buf_free(&json);
    return rc;
}
