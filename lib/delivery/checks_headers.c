/* SPDX-License-Identifier: MIT */
#include "delivery/checks.h"

#include <stdio.h>

#include <mox/auth_results.h>

#include "base/mem.h"
#include "base/text.h"

/* iprev, spf, dmarc and arc; the signatures that are judged, and one that stands for all below them. */
#define SIGNATURES_MAX (MOX_DKIM_SIGNATURES_MAX + 1)
#define METHODS_MAX    (SIGNATURES_MAX + 4)
#define COMMENT_MAX    64

/* The field as it grows. */
struct results {
    struct mox_auth_method methods[METHODS_MAX];
    char comments[SIGNATURES_MAX][COMMENT_MAX];
    char oldest_pass[12];
    size_t count;
};

static const char *dnssec(bool secure)
{
    return secure ? "with dnssec" : "without dnssec";
}

static struct mox_auth_method *add(struct results *r, const char *method, const char *result,
                                   const char *comment)
{
    struct mox_auth_method *m = &r->methods[r->count++];
    *m = (struct mox_auth_method){
        .method = method, .result = result, .version = 1, .comment = comment};
    return m;
}

/* Nothing is written for an empty value. */
static void property(struct mox_auth_method *m, const char *type, const char *name,
                     const char *value)
{
    if (value[0] != '\0')
        m->properties[m->property_count++] =
            (struct mox_auth_property){type, name, value, strchr(value, '@') != NULL};
}

static void add_iprev(struct results *r, const struct mox_checks *c)
{
    struct mox_auth_method *m =
        add(r, "iprev", mox_iprev_status_name(c->iprev.status), dnssec(c->iprev.secure));
    property(m, "policy", "iprev", c->query.ip);
}

static void add_signature(struct results *r, size_t i, const struct mox_dkim_result *d)
{
    char *comment = r->comments[i];
    if (d->key_bits > 0 && strncmp(d->algorithm, "rsa", 3) == 0)
        (void)snprintf(comment, COMMENT_MAX, "%u bit rsa, %s", d->key_bits, dnssec(d->secure));
    else
        (void)snprintf(comment, COMMENT_MAX, "%s", dnssec(d->secure));
    struct mox_auth_method *m = add(r, "dkim", mox_dkim_status_name(d->status), comment);
    m->reason = d->reason[0] != '\0' ? d->reason : NULL;
    property(m, "header", "d", d->domain);
    property(m, "header", "s", d->selector);
    property(m, "header", "a", d->algorithm);
    property(m, "header", "b", d->signature);
    property(m, "header", "i", d->identity);
}

static void add_dkim(struct results *r, const struct mox_checks_verdict *v)
{
    for (size_t i = 0; i < v->dkim_count && i < SIGNATURES_MAX; i++)
        add_signature(r, i, &v->dkim[i]);
    if (v->dkim_count == 0)
        add(r, "dkim", "none", NULL)->reason =
            v->dkim_problem != NULL ? v->dkim_problem : "no signatures";
}

static void add_spf(struct results *r, const struct mox_spf_verdict *v)
{
    struct mox_auth_method *m = add(r, "spf", mox_spf_result_name(v->result), dnssec(v->secure));
    if (v->identity != MOX_SPF_IDENTITY_NONE)
        property(m, "smtp", v->identity == MOX_SPF_IDENTITY_HELO ? "helo" : "mailfrom", v->domain);
}

static void add_dmarc(struct results *r, const struct mox_checks *c)
{
    const struct mox_dmarc_verdict *v = &c->dmarc;
    const char *comment = dnssec(v->found.secure);
    if (v->sampled_out)
        comment = v->found.secure ? "with dnssec, override sampled_out"
                                  : "without dnssec, override sampled_out";
    struct mox_auth_method *m = add(r, "dmarc", mox_dmarc_status_name(v->status), comment);
    property(m, "header", "from", c->verdict.from_domain);
}

/* RFC 8617 §5.2, §10.1. It knows no temporary errors: a chain that cannot be proved now is not proved. */
static void add_arc(struct results *r, const struct mox_arc_verdict *v)
{
    if (v->status == MOX_ARC_NONE)
        return;
    bool passes = v->status == MOX_ARC_PASS;
    struct mox_auth_method *m = add(r, "arc", passes ? "pass" : "fail", dnssec(v->secure));
    m->reason = v->reason[0] != '\0' ? v->reason : NULL;
    (void)snprintf(r->oldest_pass, sizeof r->oldest_pass, "%u", v->oldest_pass);
    if (passes)
        property(m, "header", "oldest-pass", r->oldest_pass);
}

static int write_results(const struct mox_checks *c, char **out)
{
    struct results *r = mem_new(&c->env, struct results, 1);
    if (r == NULL)
        return MOX_ENOMEM;
    add_iprev(r, c);
    add_dkim(r, &c->verdict);
    add_spf(r, &c->spf);
    add_dmarc(r, c);
    add_arc(r, c->verdict.arc);
    int rc = mox_auth_results_write(
        out, &c->env, &(struct mox_auth_results){c->query.authserv_id, 1, r->methods, r->count});
    mox__mem_free(&c->env, r);
    return rc;
}

int mox_checks_headers(const struct mox_checks *c, char **authentication_results,
                       char **received_spf)
{
    *authentication_results = *received_spf = NULL;
    int rc = write_results(c, authentication_results);
    if (rc == MOX_OK)
        rc = mox_spf_received(received_spf, &c->env, &c->spf_query, &c->spf);
    if (rc < 0) {
        mox_text_free(&c->env, *authentication_results);
        *authentication_results = NULL;
    }
    return rc;
}
