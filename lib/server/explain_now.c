/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <mox/analysis.h>
#include <mox/dns.h>
#include <mox/header.h>
#include <mox/ruleset.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "message/header.h"
#include "server/explain.h"

/* What an account would say of a stored message if it came now, from what was found out about its sender when
 * it came: names of the DNS may have changed since, and are not asked again. */

#define ADDRESS_MAX 1024
#define REASON_MAX  1024 /* of the field X-Mox-Reason: 900 */

/* The message as a stranger's, today. */
struct today {
    const struct explained *e;
    const struct mox_config_account *config;
    const char *mailbox; /* where mail for its address goes, perhaps by a ruleset */
    const char *problem; /* "", or why its address does not say that */
    const struct mox_ruleset *ruleset;
    const char **dkim_domains; /* owned; without a forwarder's */
    size_t dkim_domain_count;
};

static const char *text_of(const char *text)
{
    return text == NULL ? "" : text;
}

/* ---- where it would go ---- */

static void join(char out[ADDRESS_MAX], const char *localpart, const char *domain)
{
    out[0] = '\0';
    if (domain != NULL && *domain != '\0')
        (void)snprintf(out, ADDRESS_MAX, "%s@%s", text_of(localpart), domain);
}

/* As rulesets have names. */
static const char *in_unicode(struct mox_domain *out, const char *name)
{
    return mox_domain_parse(out, slice_of(name), MOX_DOMAIN_UNDERSCORES) == MOX_OK ? out->unicode
                                                                                   : name;
}

static int match_by(const struct today *t, const struct mox_rulesets *rulesets,
                    const char *const *dkim_domains, size_t dkim_domain_count, size_t *index)
{
    const struct mox_delivery_facts *f = &t->e->facts->arrival;
    char mail_from[ADDRESS_MAX], from[ADDRESS_MAX];
    struct mox_domain ehlo;
    join(mail_from, f->mail_from_localpart, f->mail_from_domain);
    join(from, f->msg_from_localpart, f->msg_from_domain);
    const struct mox_ruleset_query q = {
        .mail_from = mail_from,
        .msg_from = from,
        .verified_ehlo = f->ehlo_validation == MOX_VALIDATION_PASS
                             ? in_unicode(&ehlo, text_of(f->ehlo_domain))
                             : "",
        .verified_mail_from =
            f->mail_from_validation == MOX_VALIDATION_PASS ? text_of(f->mail_from_domain) : "",
        .dkim_domains = dkim_domains,
        .dkim_domain_count = dkim_domain_count,
        .headers = slice(t->e->content.data, mox_header_end(t->e->content)),
    };
    return mox_rulesets_match(rulesets, &q, index);
}

/* Whoever forwarded it is not among the domains that the account remembers, and a rule may be about that one. */
static int match(const struct today *t, const struct explained_target *target, size_t *index)
{
    size_t count = t->dkim_domain_count;
    const char **domains =
        mem_new(t->e->env, const char *, count + target->destination->rulesets.count + 1);
    if (domains == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < count; i++)
        domains[i] = t->dkim_domains[i];
    int rc = mox__explain_add_forwarders(t->e, target->destination, domains, &count);
    if (rc == MOX_OK)
        rc = match_by(t, target->rulesets, domains, count, index);
    mox__mem_free(t->e->env, domains);
    return rc;
}

/* Who forwards vouches for nobody but itself. */
static void leave_out_forwarder(struct today *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->dkim_domain_count; i++)
        if (strcmp(t->dkim_domains[i], t->ruleset->verified_domain) != 0)
            t->dkim_domains[n++] = t->dkim_domains[i];
    t->dkim_domain_count = n;
}

/* The server took the message for this account, whatever its address: it may be for tests and take any, or the
 * address has gone since. So where it went then is the best guess. */
static void guess_mailbox(struct today *t)
{
    const struct mox_account_facts *f = t->e->facts;
    t->mailbox = text_of(f->arrival.destined_mailbox);
    if (t->mailbox[0] == '\0')
        t->mailbox = text_of(f->origin);
    t->problem = t->mailbox[0] == '\0'
                     ? "its recipient is no address of the account any more"
                     : "its recipient is not among the account's addresses; it "
                       "is taken for mail to where it was meant to go when it came";
}

static int find_mailbox(struct today *t)
{
    const struct mox_delivery_facts *f = &t->e->facts->arrival;
    struct explained_target target;
    size_t index;
    if (!mox__explain_target(t->e->explain->config, t->config->name,
                             slice_of(text_of(f->rcpt_to_localpart)),
                             slice_of(text_of(f->rcpt_to_domain)), &target)) {
        guess_mailbox(t);
        return MOX_OK;
    }
    t->mailbox = target.mailbox;
    if (target.rulesets == NULL || target.destination == NULL)
        return MOX_OK;
    int rc = match(t, &target, &index);
    if (rc == MOX_ENOTFOUND)
        return MOX_OK;
    if (rc < 0)
        return rc;
    t->ruleset = &target.destination->rulesets.items[index];
    if (t->ruleset->mailbox[0] != '\0')
        t->mailbox = t->ruleset->mailbox;
    if (t->ruleset->is_forward)
        leave_out_forwarder(t);
    return MOX_OK;
}

/* ---- what is thought of its sender ---- */

static int mailbox_id(const struct today *t, uint64_t *id, struct mox_error *err)
{
    struct mox_mailstore store = mox_account_mailstore(t->e->explain->account);
    const struct mox_mailboxes *all;
    *id = 0;
    int rc = store.ops->mailboxes(store.self, &all, err);
    if (rc < 0)
        return rc;
    const struct mox_mailbox *m = mox_mailboxes_find(all, t->mailbox);
    if (m != NULL)
        *id = m->id;
    mox_mailboxes_unref(all);
    return MOX_OK;
}

static bool is_proved(enum mox_validation v)
{
    return v == MOX_VALIDATION_STRICT || v == MOX_VALIDATION_DMARC || v == MOX_VALIDATION_RELAXED;
}

static struct mox_reputation_query make_query(const struct today *t, uint64_t mailbox)
{
    const struct mox_delivery_facts *f = &t->e->facts->arrival;
    struct mox_reputation_query q;
    mox_reputation_query_init(&q);
    q.now_us = t->e->env->wall_us(t->e->env->user);
    q.mailbox = mailbox;
    q.from_localpart = text_of(f->msg_from_localpart);
    q.from_domain = text_of(f->msg_from_domain);
    q.from_org_domain = text_of(f->msg_from_org_domain);
    q.from_validated = is_proved(f->msg_from_validation);
    q.dkim_domains = t->dkim_domains;
    q.dkim_domain_count = t->dkim_domain_count;
    if (f->is_forward || (t->ruleset != NULL && t->ruleset->is_forward))
        return q;
    q.mail_from_localpart = text_of(f->mail_from_localpart);
    q.mail_from_domain = text_of(f->mail_from_domain);
    q.mail_from_validated = f->mail_from_validation == MOX_VALIDATION_PASS;
    q.ehlo_domain = text_of(f->ehlo_domain);
    q.ehlo_validated = f->ehlo_validation == MOX_VALIDATION_PASS;
    q.ip = text_of(f->remote_ip);
    return q;
}

static int put_reputation(const struct today *t, struct mox_error *err)
{
    struct mox_history history;
    struct mox_reputation reputation;
    uint64_t mailbox;
    int rc = mailbox_id(t, &mailbox, err);
    if (rc == MOX_OK)
        rc = mox_account_history_begin(&history, t->e->explain->account, err);
    if (rc < 0)
        return rc;
    const struct mox_reputation_query q = make_query(t, mailbox);
    rc = mox_reputation_find(&reputation, &q, &history, err);
    mox_account_history_end(&history);
    if (rc == MOX_OK)
        mox__explain_reputation(t->e->outline, &reputation);
    return rc;
}

/* ---- what is thought of its content ---- */

/* Why the threshold was lowered when the message came, by the words of the server's own field; "": it was not, or the
 * content was not looked at. What the client did is not known in any other way. */
static const char *why_strict(const struct today *t)
{
    static const char *const reasons[] = {"iprev", "no TLS", "not addressed"};
    struct mox_slice value = slice(NULL, 0);
    char text[REASON_MAX];
    struct buf line = buf_over(text, sizeof text - 1);
    (void)mox_header_find(t->e->prefix, "X-Mox-Reason", &value);
    mox__header_unfold(&line, value);
    text[line.len] = '\0';
    const char *at = strstr(text, "threshold ");
    if (at == NULL)
        return "";
    at += strlen("threshold ");
    at += strcspn(at, " ;");
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (strncmp(at, " (", 2) == 0 && strncmp(at + 2, reasons[i], strlen(reasons[i])) == 0)
            return reasons[i];
    return "";
}

static void put_verdict(const struct today *t, const struct mox_junk_verdict *verdict)
{
    double threshold = t->config->junk_filter->threshold;
    const char *strict = threshold > MOX_ANALYSIS_STRICT_THRESHOLD ? why_strict(t) : "";
    if (*strict != '\0')
        threshold = MOX_ANALYSIS_STRICT_THRESHOLD;
    mox__explain_junk(t->e->outline, verdict, threshold, strict);
}

/* A filter that cannot answer is part of the answer. */
static int put_junk(const struct today *t, struct mox_error *err)
{
    struct mox_junk_verdict verdict;
    struct mox_error why = {0};
    struct outline *o = t->e->outline;
    if (t->config->junk_filter == NULL) {
        mox__outline_group(o, "junk_filter");
        mox__outline_text(o, "problem", "the account has no junk filter");
        mox__outline_close(o);
        return MOX_OK;
    }
    int rc = mox_account_classify(t->e->explain->account, t->e->content, &verdict, NULL, &why);
    if (rc == MOX_ENOMEM)
        return mox__fail(err, rc, "%s", why.text);
    if (rc == MOX_OK) {
        put_verdict(t, &verdict);
        return MOX_OK;
    }
    mox__outline_group(o, "junk_filter");
    mox__outline_text(o, "problem", why.text);
    mox__outline_close(o);
    return MOX_OK;
}

/* ---- all of it ---- */

static int copy_domains(struct today *t)
{
    const struct mox_delivery_facts *f = &t->e->facts->arrival;
    t->dkim_domains = mem_new(t->e->env, const char *, f->dkim_domain_count + 1);
    if (t->dkim_domains == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < f->dkim_domain_count; i++)
        t->dkim_domains[i] = f->dkim_domains[i];
    t->dkim_domain_count = f->dkim_domain_count;
    return MOX_OK;
}

static int put_today(struct today *t, struct mox_error *err)
{
    const struct mox_account_facts *facts = t->e->facts;
    struct outline *o = t->e->outline;
    int rc = copy_domains(t);
    if (rc == MOX_OK && facts->over_smtp)
        rc = find_mailbox(t);
    if (rc < 0)
        return mox__fail(err, rc, "explain a message: %s", mox_status_text(rc));
    if (facts->over_smtp) {
        mox__outline_text(o, "mailbox", t->mailbox);
        if (t->problem[0] != '\0')
            mox__outline_text(o, "problem", t->problem);
        if (t->ruleset != NULL)
            mox__explain_ruleset(o, t->ruleset);
        rc = put_reputation(t, err);
    }
    return rc == MOX_OK ? put_junk(t, err) : rc;
}

int mox__explain_now(const struct explained *e, struct mox_error *err)
{
    struct today t = {
        .e = e,
        .config = mox_config_account(e->explain->config, mox_account_name(e->explain->account)),
        .mailbox = "",
        .problem = ""};
    if (t.config == NULL)
        return mox__fail(err, MOX_ENOTFOUND, "account %s is not configured",
                         mox_account_name(e->explain->account));
    mox__outline_group(e->outline, "now");
    int rc = put_today(&t, err);
    mox__outline_close(e->outline);
    mox__mem_free(e->env, t.dkim_domains);
    return rc;
}
