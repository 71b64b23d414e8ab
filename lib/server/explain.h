/* SPDX-License-Identifier: MIT */
#ifndef SERVER_EXPLAIN_H
#define SERVER_EXPLAIN_H

#include <mox/explain.h>
#include <mox/reputation.h>

#include "server/outline.h"

/* Parts of what is explained.
 *
 *   explain.c          a stored message: finding it, what was said of it then, the order of the parts
 *   explain_arrival.c  how it came
 *   explain_now.c      what its account says today
 *   explain_forwarders.c  who forwarded it then
 *   explain_verdicts.c reputation, junk filter and rulesets in words
 *   explain_target.c   what an address leads to in the account
 *   explain_received.c a message as if it came now
 *   explain_lists.c    lists of blocked addresses */

/* A message as it is looked at. */
struct explained {
    const struct mox_env *env;
    const struct mox_explain *explain;
    const struct mox_account_facts *facts;
    struct mox_slice prefix, content;
    struct outline *outline;
};

void mox__explain_arrival(struct outline *o, const struct mox_account_facts *facts);
MOX_MUST_USE int mox__explain_now(const struct explained *e, struct mox_error *err);

void mox__explain_reputation(struct outline *o, const struct mox_reputation *r);
/* `strict` says why the threshold is a lower one than configured; "": it is not. */
void mox__explain_junk(struct outline *o, const struct mox_junk_verdict *v, double threshold,
                       const char *strict);

void mox__explain_ruleset(struct outline *o, const struct mox_ruleset *r);

/* What an address leads to in an account, itself or as a member of an alias. */
struct explained_target {
    const struct mox_config_account *account;
    const struct mox_config_destination *destination; /* NULL: an address that nobody configured */
    const struct mox_rulesets *rulesets;              /* or NULL */
    const char *mailbox;
};

/* False: to no mailbox of that account. */
bool mox__explain_target(const struct mox_config *config, const char *account,
                         struct mox_slice localpart, struct mox_slice domain,
                         struct explained_target *out);

/* Of a forward: adds to `domains` those of the destination's rules for forwards that had signed it; there is room
 * for one of each rule. */
MOX_MUST_USE int mox__explain_add_forwarders(const struct explained *e,
                                             const struct mox_config_destination *destination,
                                             const char **domains, size_t *count);

/* In words of one each: "strict", "pass" … */
const char *mox__validation_name(enum mox_validation validation);

#endif
