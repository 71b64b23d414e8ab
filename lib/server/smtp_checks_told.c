/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/metric.h"
#include "base/text.h"
#include "server/smtp_checks.h"

/* Durations are those of all checks of the message: they are made together. */

#define DURATION(n, h, ...)                                                                        \
    {                                                                                              \
        .name = (n), .help = (h), .type = MOX_METRIC_HISTOGRAM, .unit = MOX_METRIC_SECONDS,        \
        .labels = {__VA_ARGS__}, .bounds = METRIC_BOUNDS_SHORT, .max_series = 128                  \
    }

static const struct mox_metric spf_durations =
    DURATION("mox_spf_verify_duration_seconds",
             "Until the checks of an incoming message were made, by the result of SPF.", "status");
static const struct mox_metric dkim_durations =
    DURATION("mox_dkim_verify_duration_seconds",
             "Until the checks of an incoming message were made, for each DKIM signature.",
             "algorithm", "status");
static const struct mox_metric dmarc_durations =
    DURATION("mox_dmarc_verify_duration_seconds",
             "Until the checks of an incoming message were made, by the result of DMARC.", "status",
             "reject", "use");
static const struct mox_metric iprev_durations = {
    .name = "mox_iprev_lookup_total",
    .help = "Until the checks of an incoming message were made, by what the client's name proves.",
    .type = MOX_METRIC_HISTOGRAM,
    .unit = MOX_METRIC_SECONDS,
    .labels = {"status"},
    .bounds = {1000, 5000, 10000, 50000, 100000, 500000, 1000000, 5000000, 10000000, 20000000,
               30000000},
};

/* A signature names what it likes. */
static const char *algorithm_word(const char *algorithm)
{
    static const char *const known[] = {"rsa-sha256", "ed25519-sha256", "rsa-sha1"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(algorithm, known[i]) == 0)
            return known[i];
    return "other";
}

static void count(const struct mox_env *env, const struct mox_checks_verdict *v, int64_t us)
{
    const struct mox_dmarc_verdict *d = v->dmarc;
    metric_add(env, &iprev_durations, us, mox_iprev_status_name(v->iprev->status));
    metric_add(env, &spf_durations, us, mox_spf_result_name(v->spf->result));
    for (size_t i = 0; i < v->dkim_count; i++)
        metric_add(env, &dkim_durations, us, algorithm_word(v->dkim[i].algorithm),
                   mox_dkim_status_name(v->dkim[i].status));
    metric_add(env, &dmarc_durations, us, mox_dmarc_status_name(d->status),
               d->disposition == MOX_DMARC_POLICY_REJECT ? "yes" : "no",
               d->sampled_out ? "no" : "yes");
}

/* The best of all signatures, for a line of the log. */
static const struct mox_dkim_result *best_signature(const struct mox_checks_verdict *v)
{
    const struct mox_dkim_result *best = v->dkim_count > 0 ? &v->dkim[0] : NULL;
    for (size_t i = 0; i < v->dkim_count; i++)
        if (v->dkim[i].status == MOX_DKIM_PASS)
            return &v->dkim[i];
    return best;
}

void mox__smtp_checks_tell(const struct smtp_checks *c, const struct smtp_session *ss,
                           const struct mox_smtp_envelope *envelope)
{
    const struct mox_checks_verdict *v = mox_checks_verdict(c->checks);
    const struct mox_dkim_result *dkim = best_signature(v);
    const struct mox_env *env = mox__conn_env(ss->conn);
    int64_t us = mox__loop_now(ss->server->net->loop) - c->begun_us;
    count(env, v, us);
    log_line(env, MOX_LOG_INFO, "smtpserver", "sender checked", NULL,
             F_TEXT("mailfrom", envelope->mail_from.address), F_TEXT("msgfrom", v->from_domain),
             F_TEXT("iprev", mox_iprev_status_name(v->iprev->status)),
             F_TEXT("spf", mox_spf_result_name(v->spf->result)),
             F_TEXT("spfdomain", v->spf->domain), F_TEXT("remoteexplanation", v->spf->explanation),
             F_TEXT("dkim", mox_dkim_status_name(dkim != NULL ? dkim->status : MOX_DKIM_NONE)),
             F_TEXT("dkimdomain", dkim != NULL ? dkim->domain : ""),
             F_UINT("signatures", v->dkim_count),
             F_TEXT("arc", mox_arc_status_name(v->arc->status)),
             F_TEXT("dmarc", mox_dmarc_status_name(v->dmarc->status)),
             F_TEXT("disposition", mox_dmarc_policy_name(v->dmarc->disposition)),
             F_DURATION("duration", us));
}
