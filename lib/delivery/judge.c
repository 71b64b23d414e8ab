/* SPDX-License-Identifier: MIT */
#include "delivery/judge.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "delivery/mail_kind.h"

/* Names of the sender, in both their forms. */
#define ARENA_MAX (256 * 1024)

void mox_judge_message_init(struct mox_judge_message *message)
{
    *message = (struct mox_judge_message){
        .size = sizeof *message,
        .ip = "",
        .ehlo_domain = "",
        .mail_from = "",
        .mail_from_localpart = "",
        .mail_from_domain = "",
    };
}

void mox_judge_recipient_init(struct mox_judge_recipient *recipient)
{
    *recipient = (struct mox_judge_recipient){
        .size = sizeof *recipient,
        .localpart = "",
        .domain = "",
        .address = "",
        .mailbox = "Inbox",
        .introbox = "",
        .auth_required = "",
        .report = MOX_FACT_ABSENT,
    };
}

int mox_judge_new(struct mox_judge **out, const struct mox_env *env,
                  const struct mox_judge_message *message,
                  const struct mox_judge_recipient *recipient)
{
    struct mox_judge *j = mox__realloc(env, NULL, 1, sizeof *j);
    *out = j;
    if (j == NULL)
        return MOX_ENOMEM;
    memset(j, 0, offsetof(struct mox_judge, facts));
    j->env = *env;
    j->message = message;
    j->recipient = recipient;
    mox__arena_init(&j->arena, &j->env, ARENA_MAX);
    return MOX_OK;
}

void mox_judge_free(struct mox_judge *j)
{
    if (j == NULL)
        return;
    mox__arena_reset(&j->arena);
    const struct mox_env env = j->env;
    mox__mem_free(&env, j);
}

/* ---- where it goes ---- */

static bool is_known(const struct mox_judge *j)
{
    enum mox_reputation_method m = j->facts.reputation.method;
    return j->facts.reputation_state == MOX_FACT_FOUND &&
           (m == MOX_REPUTATION_MSGFROMFULL || m == MOX_REPUTATION_MSGTOFULL);
}

/* First messages of people that the user does not know yet go to a mailbox of their own. */
static bool is_introduction(const struct mox_judge *j)
{
    return j->recipient->introbox[0] != '\0' && strcmp(j->mailbox, "Inbox") == 0 && !is_known(j) &&
           !j->facts.is_forward && j->facts.report != MOX_FACT_FOUND;
}

static void place(struct mox_judge *j)
{
    struct mox_judgement *v = &j->judgement;
    const struct mox_analysis *a = &j->analysis;
    v->mailbox = j->mailbox;
    if (a->accepted_reject) {
        v->mailbox = j->facts.accept_rejects_to;
        v->destined = j->mailbox;
        v->is_reject = true;
    } else if (!a->accept) {
        v->destined = j->mailbox;
    } else if (is_introduction(j)) {
        v->mailbox = j->recipient->introbox;
        v->destined = j->mailbox;
        v->is_intro = true;
    }
}

/* Anybody can write the header fields of a list: who says that it is one also says, provably, whose. */
static bool is_list_of_somebody(const struct mox_judge *j)
{
    const struct mox_checks_verdict *v = j->message->checks;
    return j->judgement.is_mailing_list && v != NULL &&
           (v->dkim_domain_count > 0 || v->mail_from == MOX_VALIDATION_PASS ||
            v->helo == MOX_VALIDATION_PASS);
}

static void decide(struct mox_judge *j)
{
    struct mox_judgement *v = &j->judgement;
    v->analysis = &j->analysis;
    v->facts = &j->facts;
    v->reply = j->reply;
    v->ruleset = j->ruleset;
    v->is_forward = j->facts.is_forward;
    v->forwarder = v->is_forward ? j->ruleset->verified_domain : NULL;
    v->is_mailing_list = mox__is_mailing_list(j->headers);
    v->dsn = mox__is_dsn(j->headers, j->message->mail_from);
    v->first_time = j->analysis.accept && j->analysis.reason == MOX_REASON_NO_BAD_SIGNALS &&
                    !v->is_forward && !is_list_of_somebody(j);
    place(j);
}

/* ---- the rounds ---- */

int mox_judge_run(struct mox_judge *j, struct mox_error *err)
{
    int rc = j->is_begun ? MOX_OK : mox__judge_begin(j);
    j->is_begun = true;
    while (rc == MOX_OK && (rc = mox_analyze(&j->facts, &j->analysis)) == MOX_NEED_FACTS) {
        if (j->analysis.wants == MOX_ANALYSIS_DNSBL)
            return MOX_NEED_DNS;
        rc = mox__judge_find(j, err);
    }
    if (rc != MOX_OK)
        return mox__fail(err, rc, "judge a message: %s", mox_status_text(rc));
    mox__judge_reply(j, err);
    decide(j);
    return MOX_OK;
}

void mox_judge_set_dnsbl(struct mox_judge *j, enum mox_fact_state state, const char *zone)
{
    j->facts.dnsbl = state;
    if (state != MOX_FACT_FOUND)
        return;
    j->facts.dnsbl_zone = mox__arena_strndup(&j->arena, zone, strlen(zone));
    if (j->facts.dnsbl_zone == NULL)
        j->facts.dnsbl_zone = "a list";
}

const struct mox_judgement *mox_judge_judgement(const struct mox_judge *j)
{
    return &j->judgement;
}
