/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <mox/dmarc.h>

#include "policies.h"

static enum exit_code find(struct subject *s, struct mox_dmarc_found *found)
{
    enum exit_code code;
    while (policies_again(
        s, mox_dmarc_lookup(found, s->domain.ascii, mox_org_domain, NULL, s->answers), &code)) {
    }
    if (code == EXIT_OK && found->status != MOX_DMARC_PASS)
        code = cli_fail("%s: %s", mox_dmarc_status_name(found->status), found->problem);
    return code;
}

static void print_uris(const char *what, const struct mox_dmarc_uri *uris, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)printf("%-12s %s", what, uris[i].uri);
        if (uris[i].max_bytes > 0)
            (void)printf(", up to %llu bytes", (unsigned long long)uris[i].max_bytes);
        (void)printf("\n");
    }
}

static void print_found(const struct mox_dmarc_found *f)
{
    const struct mox_dmarc_record *r = &f->record;
    (void)printf("%-12s _dmarc.%s%s\n", "found at", f->domain,
                 f->from_org_domain ? ", of the organization" : "");
    (void)printf("%-12s %s, for %u percent of the mail\n", "policy",
                 mox_dmarc_policy_name(r->policy), r->percent);
    (void)printf("%-12s %s\n", "subdomains", mox_dmarc_policy_name(r->subdomain_policy));
    (void)printf("%-12s DKIM %s, SPF %s\n", "alignment", r->strict_dkim ? "strict" : "relaxed",
                 r->strict_spf ? "strict" : "relaxed");
    print_uris("reports", r->aggregate, r->aggregate_count);
    print_uris("failures", r->failure, r->failure_count);
    (void)printf("%-12s every %u seconds\n", "interval", (unsigned)r->interval_seconds);
    (void)printf("%-12s %s\n", "dnssec", f->secure ? "yes" : "no");
}

enum exit_code policies_run_dmarc_lookup(struct cli *cli)
{
    struct subject s;
    struct mox_dmarc_found found;
    enum exit_code code = policies_begin(&s, cli);
    if (code == EXIT_OK)
        code = find(&s, &found);
    if (code == EXIT_OK)
        print_found(&found);
    policies_end(&s);
    return code;
}

/* ---- who accepts reports ---- */

/* The domain of a mailto: address; false: it is none. */
static bool mail_domain(const char *uri, struct mox_domain *out)
{
    const char *at = strchr(uri, '@');
    if (strncasecmp(uri, "mailto:", strlen("mailto:")) != 0 || at == NULL)
        return false;
    struct mox_slice host = {(const uint8_t *)at + 1, strcspn(at + 1, "?")};
    return mox_domain_parse(out, host, MOX_DOMAIN_UNDERSCORES) == MOX_OK;
}

struct receiver {
    const char *tag; /* "rua" */
    const char *uri;
    struct mox_domain domain;
    bool is_mail, accepts;
    enum mox_dmarc_status status;
};

static size_t list(struct receiver *out, const char *tag, const struct mox_dmarc_uri *uris,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i].tag = tag;
        out[i].uri = uris[i].uri;
        out[i].is_mail = mail_domain(uris[i].uri, &out[i].domain);
    }
    return count;
}

/* All at once. */
static int ask_all(struct receiver *receivers, size_t count, const char *domain,
                   struct mox_dns_answers *answers)
{
    int rc = MOX_OK;
    for (size_t i = 0; i < count; i++) {
        struct receiver *r = &receivers[i];
        if (!r->is_mail)
            continue;
        int one =
            mox_dmarc_reports_accepted(&r->accepts, &r->status, domain, r->domain.ascii, answers);
        if (one < 0)
            return one;
        rc = one == MOX_NEED_DNS ? one : rc;
    }
    return rc;
}

static void print_receiver(const struct receiver *r, const char *domain)
{
    const char *answer = !r->is_mail                        ? "unusable"
                         : r->accepts                       ? "accepts"
                         : r->status == MOX_DMARC_TEMPERROR ? "temperror"
                                                            : "refuses";
    (void)printf("%-9s %s=%s", answer, r->tag, r->uri);
    if (!r->is_mail)
        (void)printf("\n          not an address of mail");
    else if (!r->accepts)
        (void)printf("\n          needs a TXT record \"v=DMARC1\" at %s._report._dmarc.%s", domain,
                     r->domain.ascii);
    (void)printf("\n");
}

static enum exit_code show_receivers(struct subject *s, const struct mox_dmarc_found *found)
{
    struct receiver receivers[2 * MOX_DMARC_URIS_MAX] = {{.tag = NULL}};
    const struct mox_dmarc_record *r = &found->record;
    enum exit_code code;
    size_t count = list(receivers, "rua", r->aggregate, r->aggregate_count);
    count += list(receivers + count, "ruf", r->failure, r->failure_count);
    while (policies_again(s, ask_all(receivers, count, found->domain, s->answers), &code)) {
    }
    if (code != EXIT_OK)
        return code;
    if (count == 0)
        (void)printf("the record asks for no reports\n");
    for (size_t i = 0; i < count; i++) {
        print_receiver(&receivers[i], found->domain);
        if (!receivers[i].accepts)
            code = EXIT_FAILED;
    }
    return code;
}

enum exit_code policies_run_dmarc_reports(struct cli *cli)
{
    struct subject s;
    struct mox_dmarc_found found;
    enum exit_code code = policies_begin(&s, cli);
    if (code == EXIT_OK)
        code = find(&s, &found);
    if (code == EXIT_OK)
        code = show_receivers(&s, &found);
    policies_end(&s);
    return code;
}
