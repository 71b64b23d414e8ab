/* SPDX-License-Identifier: MIT */
#include <mox/ruleset.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/lower.h"
#include "delivery/regexp.h"

/* In the order in which they are tried. */
enum { JUNK, NEUTRAL, NOTJUNK, KINDS };

static const enum mox_junk_meaning meanings[KINDS] = {MOX_JUNK_IS_JUNK, MOX_JUNK_NEUTRAL,
                                                      MOX_JUNK_IS_NOTJUNK};

struct mox_junk_flags {
    struct mox_env env;
    bool enabled;
    struct regexp *regexps[KINDS]; /* NULL: none */
    enum mox_junk_meaning others;  /* what a mailbox means that none matches */
};

int mox_junk_flags_new(struct mox_junk_flags **out, const struct mox_env *env,
                       const struct mox_junk_flags_config *config, struct mox_error *err)
{
    const char *const patterns[KINDS] = {config->junk_regexp, config->neutral_regexp,
                                         config->notjunk_regexp};
    *out = NULL;
    struct mox_junk_flags *f = mem_new(env, struct mox_junk_flags, 1);
    if (f == NULL)
        return mox__fail(err, MOX_ENOMEM, "read automatic junk flags: out of memory");
    f->env = *env;
    f->enabled = config->enabled;
    f->others = MOX_JUNK_UNCHANGED;
    int rc = MOX_OK;
    size_t set = 0, missing = 0;
    for (size_t i = 0; i < KINDS && rc == MOX_OK; i++) {
        if (*patterns[i] != '\0')
            rc = mox__regexp_new(&f->regexps[i], env, patterns[i], REGEXP_ANY_CASE, err);
        set += *patterns[i] != '\0';
        if (*patterns[i] == '\0')
            missing = i;
    }
    if (set == KINDS - 1)
        f->others = meanings[missing];
    if (rc == MOX_OK)
        *out = f;
    else
        mox_junk_flags_free(f);
    return rc;
}

void mox_junk_flags_free(struct mox_junk_flags *flags)
{
    if (flags == NULL)
        return;
    struct mox_env env = flags->env;
    for (size_t i = 0; i < KINDS; i++)
        mox__regexp_free(flags->regexps[i]);
    mox__mem_free(&env, flags);
}

static int meaning(const struct mox_junk_flags *f, struct regexp_run *run, struct mox_slice name)
{
    for (size_t i = 0; i < KINDS; i++) {
        int rc =
            f->regexps[i] == NULL ? MOX_ENOTFOUND : mox__regexp_match(f->regexps[i], run, name);
        if (rc == MOX_OK)
            return (int)meanings[i];
        if (rc != MOX_ENOTFOUND) /* not known whether this one counts, so none does */
            return MOX_JUNK_UNCHANGED;
    }
    return (int)f->others;
}

int mox_junk_flags_meaning(void *user, const char *mailbox)
{
    const struct mox_junk_flags *f = user;
    struct regexp_run *run = NULL;
    struct buf name;
    int result = MOX_JUNK_UNCHANGED;
    if (!f->enabled)
        return result;
    mox__buf_init(&name, &f->env, 2 * MOX_MAILBOX_NAME_MAX);
    mox__lower(&name, slice_of(mailbox));
    if (!name.failed && mox__regexp_run_new(&run, &f->env, KINDS * REGEXP_MATCH_STEPS) == MOX_OK)
        result = meaning(f, run, slice(name.data, name.len));
    mox__regexp_run_free(run);
    mox__buf_free(&name);
    return result;
}
