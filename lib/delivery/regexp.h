/* SPDX-License-Identifier: MIT */
#ifndef DELIVERY_REGEXP_H
#define DELIVERY_REGEXP_H

#include <mox/env.h>
#include <mox/error.h>

#include "base/priv.h"

/* Regular expressions that people configure, matched against what strangers send: the syntax of RE2, by
 * PCRE2. PCRE2 goes back and tries again, so a text can be made that keeps it busy for years. Each
 * step that it takes is counted, and matches that belong together share what they may take; a
 * match for which nothing is left does not match. In a build without PCRE2 none can be made. */

/* Immutable. Threads: any. */
struct regexp;

enum regexp_case { REGEXP_ANY_CASE, REGEXP_LOWER_CASE };

/* @param how  REGEXP_LOWER_CASE: letters that only upper case would match are a mistake
 * @return MOX_OK; MOX_ESYNTAX with what is wrong at which character; MOX_EUNSUPPORTED; MOX_ENOMEM */
MOX_PRIV MOX_MUST_USE int mox__regexp_new(struct regexp **out, const struct mox_env *env,
                                          const char *pattern, enum regexp_case how,
                                          struct mox_error *err);
MOX_PRIV void mox__regexp_free(struct regexp *r);

/* What the rest of PCRE2's syntax is refused for. NULL, or what is wrong at pattern[*at]. */
const char *mox__regexp_problem(const char *pattern, enum regexp_case how, size_t *at);

/* Matches that share their steps. One thread's at a time. */
struct regexp_run;

/* Some million steps take a tenth of a second. One match takes at most REGEXP_MATCH_STEPS of them. */
#define REGEXP_MATCH_STEPS 100000u
#define REGEXP_CALL_STEPS  32u /* what a match costs that finds nothing to do */

MOX_PRIV MOX_MUST_USE int mox__regexp_run_new(struct regexp_run **out, const struct mox_env *env,
                                              uint32_t steps);
MOX_PRIV void mox__regexp_run_free(struct regexp_run *run);
MOX_PRIV uint32_t mox__regexp_run_left(const struct regexp_run *run);

/* Whether the expression matches anywhere in the text, which may be any bytes.
 * MOX_OK: it does; MOX_ENOTFOUND; MOX_ELIMIT: that would take too many steps, or too much memory;
 * MOX_ENOMEM. */
MOX_PRIV MOX_MUST_USE int mox__regexp_match(const struct regexp *r, struct regexp_run *run,
                                            struct mox_slice text);

#endif
