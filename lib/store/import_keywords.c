/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "mailfile/mailfile.h"
#include "store/import.h"

/* A mailbox has room for 64 keywords. Those of an import that find none are left out: it would be worse to have none
 * of the messages. */

static bool is_known(const struct import_keywords *k, const char *keyword)
{
    for (unsigned i = 0; i < k->count; i++)
        if (strcmp(k->names[i], keyword) == 0)
            return true;
    return false;
}

static int add(struct import_keywords *k, const struct mox_env *env, const char *keyword)
{
    k->names[k->count] = mox__strndup(env, keyword, strlen(keyword));
    if (k->names[k->count] == NULL)
        return MOX_ENOMEM;
    k->count++;
    return MOX_OK;
}

int mox__import_keywords_set(struct import_keywords *k, const struct mox_env *env,
                             char *const *names, unsigned count)
{
    int rc = MOX_OK;
    for (unsigned i = 0; i < count && rc == MOX_OK; i++)
        rc = add(k, env, names[i]);
    return rc;
}

/* The first of them is told. */
static int leave_out(struct import_keywords *k, const struct mox_env *env, const char *where,
                     const char *keyword)
{
    if (k->first == NULL)
        k->first = mox__path(env, "%s: the keyword \"%s\"", where, keyword);
    k->left_out++;
    return k->first == NULL ? MOX_ENOMEM : MOX_OK;
}

int mox__import_keywords_pick(struct import_keywords *k, const struct mox_env *env,
                              const struct mox_mailfile_item *item,
                              const char *picked[MOX_KEYWORDS_MAX], size_t *count)
{
    int rc = MOX_OK;
    *count = 0;
    for (size_t i = 0; i < item->keyword_count && rc == MOX_OK; i++) {
        const char *keyword = item->keywords[i];
        bool fits = is_known(k, keyword);
        if (!fits && k->count < MOX_KEYWORDS_MAX) {
            rc = add(k, env, keyword);
            fits = rc == MOX_OK;
        } else if (!fits) {
            rc = leave_out(k, env, item->where, keyword);
        }
        if (fits && *count < MOX_KEYWORDS_MAX)
            picked[(*count)++] = keyword;
    }
    return rc;
}

void mox__import_keywords_warn(const struct import_keywords *k, const char *mailbox,
                               const struct mox_mailfile_config *config)
{
    if (k->left_out == 0)
        return;
    mox__mailfile_warn(config, "%s%sleft out: mailbox %s has no room for more than %d; %llu in all",
                       k->first == NULL ? "keywords are " : k->first,
                       k->first == NULL ? "" : " is ", mailbox, MOX_KEYWORDS_MAX,
                       (unsigned long long)k->left_out);
}

void mox__import_keywords_free(struct import_keywords *k, const struct mox_env *env)
{
    for (unsigned i = 0; i < k->count; i++)
        mox__mem_free(env, k->names[i]);
    mox__mem_free(env, k->first);
    *k = (struct import_keywords){0};
}
