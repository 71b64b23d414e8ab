/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <mox/dmarc_report.h>
#include <mox/tls_report.h>

#include "base/log.h"
#include "base/text.h"
#include "server/smtp_handover.h"

/* Reports on mail in the name of our domains (RFC 7489 §7.2, RFC 8460 §5): who may send one is proved first, and
 * all of it is read before it counts. What is none is a message like any other, with a header field that says
 * why. */

/* Reporters' clocks differ. */
#define AHEAD_SECONDS 60

static bool is_our_domain(const struct handover *h, const char *name)
{
    const struct mox_config_domains *all = h->session->server->files->domains;
    struct mox_domain domain;
    if (mox_domain_parse(&domain, slice_of(name), MOX_DOMAIN_UNDERSCORES) != MOX_OK)
        return false;
    for (size_t i = 0; i < all->domains.count; i++)
        if (strcmp(all->domains.items[i].name, domain.unicode) == 0 ||
            strcmp(all->domains.items[i].name, domain.ascii) == 0)
            return true;
    return false;
}

/* Printable ASCII, since it becomes part of a header. */
static int no_report(char out[256], const char *problem)
{
    size_t n = 0;
    for (; problem[n] != '\0' && n + 1 < 256; n++)
        out[n] = problem[n] >= ' ' && problem[n] <= '~' ? problem[n] : '?';
    out[n] = '\0';
    return MOX_ENOTFOUND;
}

/* It is one: it is told once it is accepted. */
static int take(struct report *out, const char *org, const char *id, const char *counted,
                size_t count)
{
    out->counted = counted;
    (void)snprintf(out->org, sizeof out->org, "%s", org);
    (void)snprintf(out->id, sizeof out->id, "%s", id);
    out->count = count;
    return MOX_OK;
}

/* ---- DMARC ---- */

static int read_dmarc(const struct handover *h, struct report *out)
{
    const struct mox_env *env = &h->session->server->env;
    char *problem = out->dmarc_problem;
    struct mox_dmarc_report *r = NULL;
    struct mox_error err;
    if (h->message.checks->dmarc->status != MOX_DMARC_PASS)
        return no_report(problem, "DMARC does not prove who sent it");
    int rc = mox_dmarc_report_parse_message(&r, env, h->message.content, &err);
    if (rc < 0)
        return rc == MOX_ENOMEM ? rc : no_report(problem, err.text);
    if (!is_our_domain(h, r->policy.domain))
        rc = no_report(problem, "it is about a domain that is not configured here");
    else if (r->end > h->message.now_us / 1000000 + AHEAD_SECONDS)
        rc = no_report(problem, "its time ends in the future");
    else
        rc = take(out, r->org_name, r->report_id, "records", r->record_count);
    (void)snprintf(out->domain, sizeof out->domain, "%s", r->policy.domain);
    mox_dmarc_report_free(r);
    return rc;
}

/* ---- TLS ---- */

/* RFC 8460 §3: signed by the domain in From, or one above it, with a key that may. */
static bool is_signed(const struct mox_checks_verdict *v)
{
    for (size_t i = 0; i < v->dkim_count; i++) {
        const struct mox_dkim_result *d = &v->dkim[i];
        size_t from = strlen(v->from_domain), above = strlen(d->domain);
        bool is_above = from > above && v->from_domain[from - above - 1] == '.' &&
                        strcmp(v->from_domain + (from - above), d->domain) == 0 &&
                        strlen(v->from_org_domain) <= above;
        if (d->status == MOX_DKIM_PASS && d->for_tlsrpt &&
            (is_above || strcmp(v->from_domain, d->domain) == 0))
            return true;
    }
    return false;
}

static int read_tls(const struct handover *h, struct report *out)
{
    const struct mox_env *env = &h->session->server->env;
    char *problem = out->tls_problem;
    struct mox_tls_report *r = NULL;
    struct mox_error err;
    size_t ours = 0;
    if (!is_signed(h->message.checks))
        return no_report(problem, "no DKIM signature of the domain in From proves who sent it");
    int rc = mox_tls_report_parse_message(&r, env, h->message.content, &err);
    if (rc < 0)
        return rc == MOX_ENOMEM ? rc : no_report(problem, err.text);
    for (size_t i = 0; i < r->policy_count; i++) {
        const char *domain = r->policies[i].domain;
        if (!is_our_domain(h, domain) && strcmp(domain, h->envelope.hostname) != 0)
            continue;
        if (ours++ == 0)
            (void)snprintf(out->domain, sizeof out->domain, "%s", domain);
    }
    rc = ours > 0 ? take(out, r->organization_name, r->report_id, "policies", ours)
                  : no_report(problem, "it is about domains that are not configured here");
    mox_tls_report_free(r);
    return rc;
}

int mox__report_read(struct handover *h, struct target *t)
{
    int rc = MOX_ENOTFOUND;
    if (h->message.checks == NULL || (!t->dmarc_reports && !t->tls_reports))
        return MOX_OK;
    if (t->dmarc_reports)
        rc = read_dmarc(h, &t->report);
    t->report.received = rc == MOX_OK ? "DMARC report received" : NULL;
    if (rc == MOX_ENOTFOUND && t->tls_reports) {
        rc = read_tls(h, &t->report);
        t->report.received = rc == MOX_OK ? "TLS report received" : NULL;
    }
    t->query.report = rc == MOX_OK ? MOX_FACT_FOUND : MOX_FACT_FAILED;
    return rc == MOX_ENOMEM ? rc : MOX_OK;
}

static void put_problem(struct buf *out, const char *kind, const char *problem)
{
    if (problem[0] != '\0')
        mox__buf_printf(out, "X-Mox-%sReport-Error: %s\r\n", kind, problem);
}

void mox__report_header(const struct target *t, struct buf *out)
{
    if (t->report.received != NULL)
        return;
    put_problem(out, "DMARC", t->report.dmarc_problem);
    put_problem(out, "TLS", t->report.tls_problem);
}

void mox__report_tell(const struct handover *h, const struct target *t)
{
    const struct report *r = &t->report;
    if (r->received != NULL)
        log_line(mox__conn_env(h->session->conn), MOX_LOG_INFO, "smtpserver", r->received, NULL,
                 F_TEXT("domain", r->domain), F_TEXT("org", r->org), F_TEXT("reportid", r->id),
                 F_UINT(r->counted, r->count));
}
