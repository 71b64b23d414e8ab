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
static void put_problem(struct target *t, const char *text)
{
    size_t n = 0;
    for (; text[n] != '\0' && n + 1 < sizeof t->report_problem; n++)
        t->report_problem[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    t->report_problem[n] = '\0';
}

static int no_report(struct target *t, const char *problem)
{
    put_problem(t, problem);
    return MOX_ENOTFOUND;
}

/* ---- DMARC ---- */

static int read_dmarc(struct handover *h, struct target *t)
{
    const struct mox_env *env = &h->session->server->env;
    struct mox_dmarc_report *r = NULL;
    struct mox_error err;
    if (h->message.checks->dmarc->status != MOX_DMARC_PASS)
        return no_report(t, "DMARC does not prove who sent it");
    int rc = mox_dmarc_report_parse_message(&r, env, h->message.content, &err);
    if (rc < 0)
        return rc == MOX_ENOMEM ? rc : no_report(t, err.text);
    if (!is_our_domain(h, r->policy.domain))
        rc = no_report(t, "it is about a domain that is not configured here");
    else if (r->end > h->message.now_us / 1000000 + AHEAD_SECONDS)
        rc = no_report(t, "its time ends in the future");
    else
        log_line(env, MOX_LOG_INFO, "smtpserver", "DMARC report received", NULL,
                 F_TEXT("domain", r->policy.domain), F_TEXT("org", r->org_name),
                 F_TEXT("reportid", r->report_id), F_UINT("records", r->record_count));
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

static int read_tls(struct handover *h, struct target *t)
{
    const struct mox_env *env = &h->session->server->env;
    struct mox_tls_report *r = NULL;
    struct mox_error err;
    size_t ours = 0;
    if (!is_signed(h->message.checks))
        return no_report(t, "no DKIM signature of the domain in From proves who sent it");
    int rc = mox_tls_report_parse_message(&r, env, h->message.content, &err);
    if (rc < 0)
        return rc == MOX_ENOMEM ? rc : no_report(t, err.text);
    for (size_t i = 0; i < r->policy_count; i++)
        ours += is_our_domain(h, r->policies[i].domain) ||
                strcmp(r->policies[i].domain, h->envelope.hostname) == 0;
    if (ours == 0)
        rc = no_report(t, "it is about domains that are not configured here");
    else
        log_line(env, MOX_LOG_INFO, "smtpserver", "TLS report received", NULL,
                 F_TEXT("org", r->organization_name), F_TEXT("reportid", r->report_id),
                 F_UINT("policies", ours));
    mox_tls_report_free(r);
    return rc;
}

int mox__report_read(struct handover *h, struct target *t)
{
    int rc = MOX_ENOTFOUND;
    if (h->message.checks == NULL || (!t->dmarc_reports && !t->tls_reports))
        return MOX_OK;
    if (t->dmarc_reports)
        rc = read_dmarc(h, t);
    if (rc == MOX_ENOTFOUND && t->tls_reports)
        rc = read_tls(h, t);
    t->query.report = rc == MOX_OK ? MOX_FACT_FOUND : MOX_FACT_FAILED;
    if (rc == MOX_OK)
        t->report_problem[0] = '\0';
    return rc == MOX_ENOMEM ? rc : MOX_OK;
}

/* The header field that says why it is none. */
void mox__report_header(const struct target *t, struct buf *out)
{
    if (t->report_problem[0] == '\0')
        return;
    mox__buf_printf(out, "X-Mox-%sReport-Error: %s\r\n",
                    t->tls_reports && !t->dmarc_reports ? "TLS" : "DMARC", t->report_problem);
}
