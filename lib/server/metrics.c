/* SPDX-License-Identifier: MIT */
#include "server/metrics.h"

#include "base/text.h"

static const struct mox_metric smtp_connections = {
    .name = "mox_smtpserver_connection_total",
    .help = "Incoming SMTP connections.",
    .labels = {"kind"},
};
static const struct mox_metric imap_connections = {
    .name = "mox_imap_connection_total",
    .help = "Incoming IMAP connections.",
    .labels = {"service"},
};
static const struct mox_metric open_connections = {
    .name = "mox_connections_count",
    .help = "Connections that are open.",
    .type = MOX_METRIC_GAUGE,
    .labels = {"protocol", "listener"},
};

static const struct mox_metric deliveries = {
    .name = "mox_smtpserver_delivery_total",
    .help = "Incoming messages, for each recipient, and what became of them.",
    .labels = {"result", "reason"},
};
static const struct mox_metric submissions = {
    .name = "mox_smtpserver_submission_total",
    .help = "Messages of users, and what became of them.",
    .labels = {"result"},
};
static const struct mox_metric refused_connections = {
    .name = "mox_connections_refused_total",
    .help = "Incoming connections that were refused, for a limit of their address or network.",
    .labels = {"protocol", "limit"},
};
static const struct mox_metric starttls_errors = {
    .name = "mox_smtpserver_delivery_starttls_errors_total",
    .help = "Incoming connections for delivery whose handshake after STARTTLS failed.",
    .labels = {"reason"},
};
static const struct mox_metric logins = {
    .name = "mox_authentication_total",
    .help = "Attempts to log in, and how they ended.",
    .labels = {"kind", "variant", "result"},
    .max_series = 256,
};
static const struct mox_metric ratelimited_logins = {
    .name = "mox_authentication_ratelimited_total",
    .help = "Connections and logins that were refused, after too many logins that failed.",
    .labels = {"kind"},
};

/* Of each kind of service: which metric counts it, as what. */
static const struct {
    const struct mox_metric *total;
    const char *kind, *protocol;
} services[] = {
    [SERVE_SMTP] = {&smtp_connections, "smtp", "smtp"},
    [SERVE_SUBMISSION] = {&smtp_connections, "submission", "submission"},
    [SERVE_SUBMISSIONS] = {&smtp_connections, "submission", "submissions"},
    [SERVE_IMAP] = {&imap_connections, "imap", "imap"},
    [SERVE_IMAPS] = {&imap_connections, "imaps", "imaps"},
};

void mox__count_opened(struct mox_server *s, const struct service_endpoint *e)
{
    metric_count(&s->env, services[e->kind].total, services[e->kind].kind);
    metric_add(&s->env, &open_connections, 1, services[e->kind].protocol, e->listener->name);
}

void mox__count_closed(struct mox_server *s, const struct service_endpoint *e)
{
    metric_add(&s->env, &open_connections, -1, services[e->kind].protocol, e->listener->name);
}

void mox__count_delivery(struct mox_server *s, const char *result, const char *reason)
{
    metric_count(&s->env, &deliveries, result, reason);
}

void mox__count_submission(struct mox_server *s, const char *result)
{
    metric_count(&s->env, &submissions, result);
}

void mox__count_refused(struct mox_server *s, const struct service_endpoint *e, const char *limit)
{
    metric_count(&s->env, services[e->kind].total, services[e->kind].kind);
    metric_count(&s->env, &refused_connections, services[e->kind].protocol, limit);
}

void mox__count_starttls_error(struct mox_server *s, const struct service_endpoint *e,
                               const char *word)
{
    if (e->kind == SERVE_SMTP)
        metric_count(&s->env, &starttls_errors, word);
}

static const char *login_kind(const struct service_endpoint *e)
{
    return e->kind >= SERVE_IMAP ? "imap" : "submission";
}

void mox__count_login(struct mox_server *s, const struct service_endpoint *e,
                      const struct mox_sasl_attempt *attempt)
{
    char variant[32]; /* names of mechanisms are short, and constants of ours */
    size_t n = 0;
    for (; attempt->mechanism[n] != '\0' && n < sizeof variant - 1; n++)
        variant[n] = (char)to_lower((uint8_t)attempt->mechanism[n]);
    variant[n] = '\0';
    metric_count(&s->env, &logins, login_kind(e), variant, mox_sasl_failure_name(attempt->failure));
}

void mox__count_ratelimited(struct mox_server *s, const struct service_endpoint *e)
{
    metric_count(&s->env, &ratelimited_logins, login_kind(e));
}

/* What can be known beforehand starts at 0, so that a first failure shows as a growth. */
static void begin_at_zero(struct mox_server *s)
{
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
        metric_add(&s->env, services[i].total, 0, services[i].kind);
    metric_add(&s->env, &ratelimited_logins, 0, "imap");
    metric_add(&s->env, &ratelimited_logins, 0, "submission");
    mox_metrics_declare(s->metrics, &open_connections);
    mox_metrics_declare(s->metrics, &deliveries);
    mox_metrics_declare(s->metrics, &submissions);
    mox_metrics_declare(s->metrics, &logins);
    mox_metrics_declare(s->metrics, &starttls_errors);
    mox_metrics_declare(s->metrics, &refused_connections);
}

int mox__metrics_open(struct mox_server *s)
{
    int rc = MOX_OK;
    s->metrics = s->config.metrics;
    if (s->metrics == NULL && s->env.metric != NULL)
        return MOX_OK;
    if (s->metrics == NULL) {
        rc = mox_metrics_new(&s->metrics, &s->env);
        s->owns_metrics = true;
    }
    if (rc < 0)
        return rc;
    mox_metrics_attach(s->metrics, &s->env);
    begin_at_zero(s);
    /* A program with a registry of its own may have these metrics already. */
    return s->owns_metrics ? mox__process_metrics(s) : MOX_OK;
}

void mox__metrics_close(struct mox_server *s)
{
    if (s->owns_metrics)
        mox_metrics_free(s->metrics);
}

struct mox_metrics *mox_server_metrics(const struct mox_server *s)
{
    return s->metrics;
}
