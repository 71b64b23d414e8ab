/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "delivery/judge.h"
#include "delivery/mail_kind.h"
#include "delivery/unicode.h"

static int read_sender(struct mox_judge *j)
{
    const struct mox_checks_verdict *v = j->message->checks;
    j->from_localpart = j->from_domain = j->from_org_domain = "";
    if (v == NULL)
        return MOX_OK;
    j->from_localpart = v->from_localpart;
    j->from_domain = mox__in_unicode(&j->arena, v->from_domain);
    j->from_org_domain = mox__in_unicode(&j->arena, v->from_org_domain);
    j->dkim_domains = arena_new(&j->arena, const char *, v->dkim_domain_count + 1);
    if (j->from_domain == NULL || j->from_org_domain == NULL || j->dkim_domains == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < v->dkim_domain_count; i++) {
        j->dkim_domains[i] = mox__in_unicode(&j->arena, v->dkim_domains[i]);
        if (j->dkim_domains[i] == NULL)
            return MOX_ENOMEM;
    }
    j->dkim_domain_count = v->dkim_domain_count;
    return MOX_OK;
}

/* "": there is no address in From, or several. */
static const char *from_address(struct mox_judge *j)
{
    size_t local = strlen(j->from_localpart), domain = strlen(j->from_domain);
    if (domain == 0)
        return "";
    char *text = arena_new(&j->arena, char, local + domain + 2);
    if (text == NULL)
        return NULL;
    memcpy(text, j->from_localpart, local);
    text[local] = '@';
    memcpy(text + local + 1, j->from_domain, domain);
    return text;
}

static int match_rulesets(struct mox_judge *j)
{
    const struct mox_judge_message *m = j->message;
    const struct mox_checks_verdict *v = m->checks;
    const bool ehlo_proved = v != NULL && v->helo == MOX_VALIDATION_PASS;
    if (j->recipient->rulesets == NULL)
        return MOX_OK;
    struct mox_ruleset_query q = {
        .mail_from = m->mail_from,
        .msg_from = from_address(j),
        .verified_ehlo = ehlo_proved ? mox__in_unicode(&j->arena, m->ehlo_domain) : "",
        .verified_mail_from =
            v != NULL && v->mail_from == MOX_VALIDATION_PASS ? m->mail_from_domain : "",
        .dkim_domains = j->dkim_domains,
        .dkim_domain_count = j->dkim_domain_count,
        .headers = j->headers,
    };
    size_t index;
    if (q.msg_from == NULL || q.verified_ehlo == NULL)
        return MOX_ENOMEM;
    int rc = mox_rulesets_match(j->recipient->rulesets, &q, &index);
    if (rc == MOX_OK) {
        j->ruleset = &j->recipient->ruleset_list[index];
        j->mailbox = j->ruleset->mailbox;
    }
    return rc == MOX_ENOTFOUND ? MOX_OK : rc;
}

/* A forwarder's own signature says nothing of who wrote. */
static void leave_out_forwarder(struct mox_judge *j)
{
    size_t n = 0;
    for (size_t i = 0; i < j->dkim_domain_count; i++)
        if (strcmp(j->dkim_domains[i], j->ruleset->verified_domain) != 0)
            j->dkim_domains[n++] = j->dkim_domains[i];
    j->dkim_domain_count = n;
}

/* Signatures and SPF are of names in ASCII form. */
static const char *in_ascii(struct mox_judge *j, const char *name)
{
    struct mox_domain domain;
    if (mox_domain_parse(&domain, slice_of(name), MOX_DOMAIN_UNDERSCORES) != MOX_OK)
        return name;
    return mox__arena_strndup(&j->arena, domain.ascii, strlen(domain.ascii));
}

static int apply_ruleset(struct mox_judge *j)
{
    const struct mox_ruleset *r = j->ruleset;
    if (r == NULL)
        return MOX_OK;
    j->facts.is_forward = r->is_forward;
    j->facts.accept_rejects_to = r->accept_rejects_to_mailbox;
    j->facts.list_allow_domain = in_ascii(j, r->list_allow_domain);
    if (r->is_forward)
        leave_out_forwarder(j);
    return j->facts.list_allow_domain == NULL ? MOX_ENOMEM : MOX_OK;
}

int mox__judge_begin(struct mox_judge *j)
{
    const struct mox_judge_message *m = j->message;
    const struct mox_judge_recipient *r = j->recipient;
    struct mox_analysis_facts *f = &j->facts;
    mox_analysis_facts_init(f);
    j->headers = (struct mox_slice){m->content.data, mox_header_end(m->content)};
    j->mailbox = r->mailbox;
    int rc = read_sender(j);
    if (rc == MOX_OK)
        rc = match_rulesets(j);
    if (rc == MOX_OK)
        rc = apply_ruleset(j);
    if (rc == MOX_OK)
        rc = mox__is_addressed_to(&j->env, j->headers, r->localpart, r->domain,
                                  &f->recipient_in_header);
    f->checks = m->checks;
    f->tls = m->tls;
    f->lenient = m->lenient;
    f->jitter = m->jitter;
    f->over_limit = r->over_limit;
    f->auth_required = r->auth_required;
    f->report = r->report;
    f->has_junk_filter = r->has_junk_filter;
    f->threshold = r->threshold;
    f->subjectpass_us = r->subjectpass_us;
    f->has_dnsbl = r->has_dnsbl;
    return rc;
}
