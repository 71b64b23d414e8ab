/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <stdio.h>
#include <string.h>

/* A line: what was checked, the result, and words; those that are "" are left out. */
static void line(const char *what, const char *result, const char *name, const char *detail,
                 const char *reason, bool secure)
{
    (void)printf("%-6s %-9s", what, result);
    const char *const texts[] = {name, detail, reason};
    const char *before = " ";
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i][0] != '\0') {
            (void)printf("%s%s", before, texts[i]);
            before = i == 0 && detail[0] != '\0' ? " " : ": ";
        }
    (void)printf("%s\n", secure ? " (dnssec)" : "");
}

static void print_iprev(const struct check_result *r)
{
    const struct mox_iprev_verdict *v = r->verdict->iprev;
    line("iprev", mox_iprev_status_name(v->status), r->query->ip, v->name, v->reason, v->secure);
    for (size_t i = 0; i < v->name_count; i++)
        if (strcmp(v->names[i], v->name) != 0)
            (void)printf("                 claims %s\n", v->names[i]);
}

static void print_spf(const struct mox_spf_verdict *v)
{
    char detail[MOX_SPF_MECHANISM_MAX + 32] = "";
    if (v->mechanism[0] != '\0')
        (void)snprintf(detail, sizeof detail, "by %s%s", v->mechanism,
                       v->identity == MOX_SPF_IDENTITY_HELO ? ", of helo" : "");
    line("spf", mox_spf_result_name(v->result), v->domain, detail, v->problem, v->secure);
    if (v->explanation[0] != '\0')
        (void)printf("                 its owner says: %s\n", v->explanation);
}

static void print_dkim(const struct mox_checks_verdict *v)
{
    for (size_t i = 0; i < v->dkim_count; i++) {
        const struct mox_dkim_result *d = &v->dkim[i];
        char detail[512], bits[24] = "";
        if (d->key_bits != 0)
            (void)snprintf(bits, sizeof bits, ", %u bits", d->key_bits);
        (void)snprintf(detail, sizeof detail, "(selector %.255s, %.64s%s)", d->selector,
                       d->algorithm, bits);
        line("dkim", mox_dkim_status_name(d->status), d->domain, detail, d->reason, d->secure);
    }
    if (v->dkim_count == 0)
        line("dkim", "none", "", "", v->dkim_problem != NULL ? v->dkim_problem : "no signatures",
             false);
}

static void print_dmarc(const struct mox_checks_verdict *v)
{
    const struct mox_dmarc_verdict *d = v->dmarc;
    char detail[400] = "";
    if (d->found.status == MOX_DMARC_PASS)
        (void)snprintf(detail, sizeof detail, "(policy %s of %s, to do: %s)",
                       mox_dmarc_policy_name(d->policy), d->found.domain,
                       mox_dmarc_policy_name(d->disposition));
    line("dmarc", mox_dmarc_status_name(d->status), v->from_domain, detail, d->reason,
         d->found.secure);
}

static void print_arc(const struct mox_arc_verdict *v)
{
    line("arc", mox_arc_status_name(v->status), "", "", v->reason, v->secure);
    for (size_t i = 0; i < v->count; i++) {
        const struct mox_arc_instance *a = &v->instances[i];
        (void)printf("                 i=%u sealed by %s%s%s\n", a->instance, a->seal_domain,
                     a->reason[0] != '\0' ? ": " : "", a->reason);
    }
}

/* What was asked of the DNS. Names are what strangers wrote. */
static void print_names(const struct mox_dns_answers *answers)
{
    for (size_t i = 0; i < mox_dns_answer_count(answers); i++) {
        const struct mox_dns_answer *a = mox_dns_answer_at(answers, i);
        const char *type = mox_dns_type_name(a->question.type);
        (void)printf("dns    %-9s %s ", mox_dns_status_name(a->status), type != NULL ? type : "?");
        for (const char *p = a->question.name; *p != '\0'; p++)
            (void)putchar(*p > ' ' && *p < 0x7f ? *p : '?');
        (void)printf("%s\n", a->secure ? " (dnssec)" : "");
    }
}

/* With the line ends of a terminal. */
static void print_header(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text != '\r')
            (void)putchar(*text);
}

void check_print_text(const struct check_result *r)
{
    const struct mox_checks_verdict *v = r->verdict;
    print_iprev(r);
    print_spf(v->spf);
    print_dkim(v);
    print_dmarc(v);
    print_arc(v->arc);
    (void)printf("%-6s %-9s %s\n", "from", check_validation_name(v->from), v->from_domain);
    (void)putchar('\n');
    print_names(r->answers);
    (void)putchar('\n');
    print_header(r->authentication_results);
    print_header(r->received_spf);
    if (r->analysis != NULL)
        (void)printf("\n%s", r->analysis);
}

void check_print_dmarc_text(const struct check_result *r)
{
    const struct mox_checks_verdict *v = r->verdict;
    print_dmarc(v);
    print_spf(v->spf);
    print_dkim(v);
    (void)putchar('\n');
    print_names(r->answers);
}
