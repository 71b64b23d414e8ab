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

static int step(const struct mox_junk_db *db, const struct mox_junk_words *words, bool junk,
                int64_t trace, bool back, struct mox_error *err)
{
    struct mox_junk_step steps[GRAM_BLOCKS];
    mox__grams_steps(&words->grams, trace, junk, back, steps);
    return db->ops->step(db->self, steps, GRAM_BLOCKS, err);
}

int mox_junk_learn(const struct mox_junk_db *db, const struct mox_junk_params *params,
                   const struct mox_junk_words *words, bool junk, int64_t *trace,
                   struct mox_error *err)
{
    const uint64_t *weights;
    struct mox_junk_middle *middle;
    struct mox_junk_totals totals;
    (void)params;
    *trace = 0;
    int rc = db->ops->totals(db->self, &totals, err);
    if (rc == MOX_OK)
        rc = db->ops->weights(db->self, &weights, &middle, err);
    if (rc < 0)
        return rc;
    *trace = mox__grams_trace(&words->grams, weights, &totals, junk);
    rc = step(db, words, junk, *trace, false, err);
    return rc < 0 ? rc : add(db, words, junk, 1, err);
}

int mox_junk_unlearn(const struct mox_junk_db *db, const struct mox_junk_words *words, bool junk,
                     int64_t trace, struct mox_error *err)
{
    struct mox_junk_totals totals;
    int rc = db->ops->totals(db->self, &totals, err);
    if (rc == MOX_OK && (junk ? totals.spams : totals.hams) > 0) /* else it never was learnt */
        rc = step(db, words, junk, trace, true, err);
    return rc < 0 ? rc : add(db, words, junk, -1, err);
}
