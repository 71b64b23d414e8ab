/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_JUDGE_H
#define DELIVERY_JUDGE_H

#include <mox/judge.h>

#include "base/arena.h"

/* judge.c: the rounds of question and answer, and where the message goes. judge_facts.c: what is known before
 * the first question. judge_find.c: the answers of the account. */

struct mox_judge {
    struct mox_env env;
    struct arena arena;
    const struct mox_judge_message *message;
    const struct mox_judge_recipient *recipient;
    struct mox_slice headers;
    /* Names of the sender in Unicode form, "" where there is none. */
    const char *from_localpart, *from_domain, *from_org_domain;
    const char **dkim_domains; /* that count: without a forwarder's */
    size_t dkim_domain_count;
    const struct mox_ruleset *ruleset;
    const char *mailbox; /* whose history counts */
    bool is_begun;
    struct mox_judgement judgement;
    char reply[400];
    /* Large, and set as a whole; what is before them begins as zeros. */
    struct mox_analysis_facts facts;
    struct mox_analysis analysis;
};

/* Fills what mox_analyze() needs at once. MOX_OK, MOX_ENOMEM. */
MOX_MUST_USE int mox__judge_begin(struct mox_judge *j);
/* Completes the reply to a refusal; without a key for the token the refusal becomes a temporary one, and without an
 * address to make it for there is no talk of a token. */
void mox__judge_reply(struct mox_judge *j, struct mox_error *err);
/* Answers what the analysis wants, but for block lists; failures of the account are answers too. MOX_OK,
 * MOX_ENOMEM. */
MOX_MUST_USE int mox__judge_find(struct mox_judge *j, struct mox_error *err);

#endif
