/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <mox/subjectpass.h>

#include "base/mem.h"
#include "base/metric.h"
#include "base/text.h"
#include "delivery/judge.h"

static const struct mox_metric tokens_given = {
    .name = "mox_subjectpass_generate_total",
    .help = "Refusals that had a token for the subject, to get through with.",
};
static const struct mox_metric tokens_seen = {
    .name = "mox_subjectpass_verify_total",
    .help = "Tokens in subjects, by whether they were good.",
    .labels = {"result"},
};

static bool is_validated(enum mox_validation v)
{
    return v == MOX_VALIDATION_STRICT || v == MOX_VALIDATION_DMARC || v == MOX_VALIDATION_RELAXED;
}

/* Who forwards neither gains nor loses: its address and names are not asked for. */
static struct mox_reputation_query make_query(const struct mox_judge *j, uint64_t mailbox)
{
    const struct mox_judge_message *m = j->message;
    const struct mox_checks_verdict *v = m->checks;
    struct mox_reputation_query q;
    mox_reputation_query_init(&q);
    q.now_us = m->now_us;
    q.mailbox = mailbox;
    q.from_localpart = j->from_localpart;
    q.from_domain = j->from_domain;
    q.from_org_domain = j->from_org_domain;
    q.from_validated = v != NULL && is_validated(v->from);
    q.dkim_domains = j->dkim_domains;
    q.dkim_domain_count = j->dkim_domain_count;
    if (j->facts.is_forward)
        return q;
    q.mail_from_localpart = m->mail_from_localpart;
    q.mail_from_domain = m->mail_from_domain;
    q.mail_from_validated = v != NULL && v->mail_from == MOX_VALIDATION_PASS;
    q.ehlo_domain = m->ehlo_domain;
    q.ehlo_validated = v != NULL && v->helo == MOX_VALIDATION_PASS;
    q.ip = m->ip;
    return q;
}

static int mailbox_id(const struct mox_judge *j, uint64_t *id, struct mox_error *err)
{
    struct mox_mailstore store = mox_account_mailstore(j->recipient->account);
    const struct mox_mailboxes *all;
    *id = 0;
    int rc = store.ops->mailboxes(store.self, &all, err);
    if (rc < 0)
        return rc;
    const struct mox_mailbox *m = mox_mailboxes_find(all, j->mailbox);
    if (m != NULL)
        *id = m->id;
    mox_mailboxes_unref(all);
    return MOX_OK;
}

static int find_reputation(struct mox_judge *j, struct mox_error *err)
{
    struct mox_history history;
    uint64_t mailbox;
    int rc = mailbox_id(j, &mailbox, err);
    if (rc == MOX_OK)
        rc = mox_account_history_begin(&history, j->recipient->account, err);
    if (rc < 0)
        return rc;
    const struct mox_reputation_query q = make_query(j, mailbox);
    rc = mox_reputation_find(&j->facts.reputation, &q, &history, err);
    mox_account_history_end(&history);
    return rc;
}

static enum mox_fact_state find_token(struct mox_judge *j, struct mox_error *err)
{
    char key[MOX_SUBJECTPASS_KEY_LEN + 1];
    struct mox_error why;
    if (!mox_subjectpass_is_there(&j->env, j->headers))
        return MOX_FACT_ABSENT;
    int rc = mox_account_subjectpass_key(j->recipient->account, j->recipient->address, key, err);
    if (rc < 0)
        return MOX_FACT_FAILED;
    rc = mox_subjectpass_verify(&j->env, j->headers, slice_of(key), j->facts.subjectpass_us,
                                j->message->now_us, &why);
    mox__wipe(key, sizeof key);
    if (rc == MOX_OK || rc == MOX_EDENIED)
        metric_count(&j->env, &tokens_seen, rc == MOX_OK ? "ok" : "fail");
    return rc == MOX_OK ? MOX_FACT_FOUND : MOX_FACT_ABSENT;
}

static int make_token(struct mox_judge *j, char token[MOX_SUBJECTPASS_LEN + 1],
                      struct mox_error *err)
{
    char key[MOX_SUBJECTPASS_KEY_LEN + 1];
    int rc = mox_account_subjectpass_key(j->recipient->account, j->recipient->address, key, err);
    if (rc == MOX_OK)
        rc =
            mox_subjectpass_generate(&j->env, j->headers, slice_of(key), j->message->now_us, token);
    mox__wipe(key, sizeof key);
    return rc;
}

void mox__judge_reply(struct mox_judge *j, struct mox_error *err)
{
    char token[MOX_SUBJECTPASS_LEN + 1] = "";
    struct mox_analysis *a = &j->analysis;
    int rc = a->give_token ? make_token(j, token, err) : MOX_OK;
    if (token[0] != '\0')
        metric_count(&j->env, &tokens_given, NULL);
    if (rc == MOX_ENOTFOUND)
        j->facts.subjectpass_us = 0; /* no token is good for this From: as if there were none */
    else if (rc < 0)
        j->facts.subjectpass = MOX_FACT_FAILED;
    if (rc < 0)
        rc = mox_analyze(&j->facts, a); /* now the failure decides, or what is against it */
    (void)snprintf(j->reply, sizeof j->reply, "%s%s%s", a->reply, token[0] == '\0' ? "" : " ",
                   token);
}

static enum mox_fact_state state_of(int rc)
{
    return rc < 0 ? MOX_FACT_FAILED : MOX_FACT_FOUND;
}

int mox__judge_find(struct mox_judge *j, struct mox_error *err)
{
    unsigned wants = j->analysis.wants;
    int rc = MOX_OK;
    if ((wants & MOX_ANALYSIS_REPUTATION) != 0) {
        rc = find_reputation(j, err);
        j->facts.reputation_state = state_of(rc);
    }
    if ((wants & MOX_ANALYSIS_SUBJECTPASS) != 0)
        j->facts.subjectpass = find_token(j, err);
    if ((wants & MOX_ANALYSIS_JUNK) != 0) {
        bool opened = true;
        rc = mox_account_classify(j->recipient->account, j->message->content, &j->facts.junk,
                                  &opened, err);
        j->facts.junk_open_failed = rc < 0 && !opened;
        j->facts.junk_state = rc == MOX_EUNSUPPORTED ? MOX_FACT_ABSENT : state_of(rc);
    }
    return rc == MOX_ENOMEM ? rc : MOX_OK;
}
