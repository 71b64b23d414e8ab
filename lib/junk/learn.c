/* SPDX-License-Identifier: MIT */
#include <mox/junk.h>

#include "base/error.h"
#include "base/mem.h"
#include "junk/words.h"

static int add(const struct mox_junk_db *db, const struct mox_junk_words *words, bool junk, int by,
               struct mox_error *err)
{
    const struct wordset *set = &words->set;
    uint64_t *keys = mem_new(set->env, uint64_t, set->count + 1);
    if (keys == NULL)
        return mox__fail(err, MOX_ENOMEM, "learn a message: out of memory");
    for (size_t i = 0; i < set->count; i++)
        keys[i] = set->words[i].key;
    int rc = db->ops->add(db->self, keys, set->count, junk, by, err);
    mox__mem_free(set->env, keys);
    return rc;
}

int mox_junk_learn(const struct mox_junk_db *db, const struct mox_junk_params *params,
                   const struct mox_junk_words *words, bool junk, int32_t *trace,
                   struct mox_error *err)
{
    (void)params;
    *trace = 0;
    return add(db, words, junk, 1, err);
}

int mox_junk_unlearn(const struct mox_junk_db *db, const struct mox_junk_words *words, bool junk,
                     int32_t trace, struct mox_error *err)
{
    (void)trace;
    return add(db, words, junk, -1, err);
}
