/* SPDX-License-Identifier: MIT */
#include <mox/dmarc_report.h>
#include <mox/tls_report.h>

#include "base/error.h"

/* A build without the feature `reports` reads none. */

static int unsupported(struct mox_error *err)
{
    return mox__fail(
        err, MOX_EUNSUPPORTED,
        "read report: this build has no reader of reports; enable the feature reports");
}

int mox_dmarc_report_parse(struct mox_dmarc_report **out, const struct mox_env *env,
                           struct mox_slice xml, struct mox_error *err)
{
    (void)env, (void)xml;
    *out = NULL;
    return unsupported(err);
}

int mox_dmarc_report_parse_message(struct mox_dmarc_report **out, const struct mox_env *env,
                                   struct mox_slice content, struct mox_error *err)
{
    (void)env, (void)content;
    *out = NULL;
    return unsupported(err);
}

void mox_dmarc_report_free(struct mox_dmarc_report *report)
{
    (void)report;
}

int mox_tls_report_parse(struct mox_tls_report **out, const struct mox_env *env,
                         struct mox_slice json, struct mox_error *err)
{
    (void)env, (void)json;
    *out = NULL;
    return unsupported(err);
}

int mox_tls_report_parse_message(struct mox_tls_report **out, const struct mox_env *env,
                                 struct mox_slice content, struct mox_error *err)
{
    (void)env, (void)content;
    *out = NULL;
    return unsupported(err);
}

void mox_tls_report_free(struct mox_tls_report *report)
{
    (void)report;
}
