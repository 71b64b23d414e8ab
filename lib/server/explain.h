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
 *   explain_verdicts.c reputation and junk filter in words */

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
void mox__explain_junk(struct outline *o, const struct mox_junk_verdict *v, double threshold);

/* In words of one each: "strict", "pass" … */
const char *mox__validation_name(enum mox_validation validation);

#endif
