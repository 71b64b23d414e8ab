/* SPDX-License-Identifier: MIT */
#include "delivery/regexp.h"

#include "base/error.h"

/* A build without PCRE2: nothing can be compiled, so nothing is ever matched. */

int mox__regexp_new(struct regexp **out, const struct mox_env *env, const char *pattern,
                    enum regexp_case how, struct mox_error *err)
{
    (void)env;
    (void)pattern;
    (void)how;
    *out = NULL;
    return mox__fail(
        err, MOX_EUNSUPPORTED,
        "this build has no regular expressions; build it with PCRE2 (-Dregex=enabled)");
}

void mox__regexp_free(struct regexp *r)
{
    (void)r;
}

int mox__regexp_run_new(struct regexp_run **out, const struct mox_env *env, uint32_t steps)
{
    (void)env;
    (void)steps;
    *out = NULL;
    return MOX_OK;
}

void mox__regexp_run_free(struct regexp_run *run)
{
    (void)run;
}

uint32_t mox__regexp_run_left(const struct regexp_run *run)
{
    (void)run;
    return 0;
}

int mox__regexp_match(const struct regexp *r, struct regexp_run *run, struct mox_slice text)
{
    (void)r;
    (void)run;
    (void)text;
    return MOX_ENOTFOUND;
}
