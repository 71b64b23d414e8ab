/* SPDX-License-Identifier: MIT */
#include "junk/memory.h"

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"

struct mox_junk_memory {
    struct mox_env env;
    struct mox_junk_totals totals;
    struct junk_table table;
    struct mox_junk_middle middle;
    uint64_t weights[MOX_JUNK_WEIGHTS];
};

static int totals(void *self, struct mox_junk_totals *out, struct mox_error *err)
{
    (void)err;
    *out = ((struct mox_junk_memory *)self)->totals;
    return MOX_OK;
}

static int find(void *self, struct mox_junk_count *counts, size_t count, struct mox_error *err)
{
    const struct mox_junk_memory *m = self;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        const struct junk_row *row = mox__junk_table_find(&m->table, counts[i].key);
        counts[i].hams = row == NULL ? 0 : (uint32_t)row->hams;
        counts[i].spams = row == NULL ? 0 : (uint32_t)row->spams;
    }
    return MOX_OK;
}

/* Whether it could be counted. */
static bool change(int32_t *n, int by)
{
    if (by < 0 ? *n == 0 : *n == INT32_MAX)
        return false;
    *n += by < 0 ? -1 : 1;
    return true;
}

static int add(void *self, const uint64_t *keys, size_t count, bool junk, int by,
               struct mox_error *err)
{
    struct mox_junk_memory *m = self;
    size_t missed = 0;
    for (size_t i = 0; i < count; i++) {
        struct junk_row *row = by < 0 ? mox__junk_table_find(&m->table, keys[i]) : NULL;
        if (by > 0) {
            int rc = mox__junk_table_row(&m->table, keys[i], &row);
            if (rc < 0)
                return mox__fail(err, rc, "learn words: %s", mox_status_text(rc));
        }
        missed += row == NULL || !change(junk ? &row->spams : &row->hams, by);
    }
    int32_t n = (int32_t)(junk ? m->totals.spams : m->totals.hams);
    missed += !change(&n, by);
    *(junk ? &m->totals.spams : &m->totals.hams) = (uint32_t)n;
    if (missed > 0)
        log_line(&m->env, MOX_LOG_ERROR, "junk", "more was forgotten than learned", NULL,
                 F_UINT("words", missed));
    return MOX_OK;
}

size_t mox__junk_memory_count(const struct mox_junk_memory *m)
{
    return m->table.used;
}

static int weights(void *self, const uint64_t **out, struct mox_junk_middle **middle,
                   struct mox_error *err)
{
    struct mox_junk_memory *m = self;
    (void)err;
    *out = m->weights;
    *middle = &m->middle;
    return MOX_OK;
}

static int step(void *self, const struct mox_junk_step *steps, size_t count, struct mox_error *err)
{
    (void)err;
    for (size_t i = 0; i < count; i++)
        mox__junk_step(((struct mox_junk_memory *)self)->weights, &steps[i]);
    return MOX_OK;
}

void mox__junk_step(uint64_t *weights, const struct mox_junk_step *step)
{
    for (size_t i = 0; i < step->count; i++)
        weights[step->places[i]] += step->by;
}

uint64_t *mox__junk_memory_weights(struct mox_junk_memory *memory)
{
    return memory->weights;
}

void mox__junk_memory_set_totals(struct mox_junk_memory *memory,
                                 const struct mox_junk_totals *totals)
{
    memory->totals = *totals;
}

int mox__junk_memory_set(struct mox_junk_memory *memory, const struct junk_row *row)
{
    struct junk_row *place;
    int rc = mox__junk_table_row(&memory->table, row->key, &place);
    if (rc == MOX_OK)
        *place = *row;
    return rc;
}

int mox_junk_memory_new(struct mox_junk_memory **out, const struct mox_env *env, size_t max_bytes)
{
    *out = NULL;
    struct mox_junk_memory *m = mem_new(env, struct mox_junk_memory, 1);
    if (m == NULL)
        return MOX_ENOMEM;
    m->env = *env;
    /* While it grows, the old rows are there too. */
    const size_t room = max_bytes < sizeof *m ? 0 : max_bytes - sizeof *m;
    mox__junk_table_init(&m->table, &m->env, room / 3 * 2 / sizeof(struct junk_row));
    *out = m;
    return MOX_OK;
}

void mox_junk_memory_free(struct mox_junk_memory *memory)
{
    if (memory == NULL)
        return;
    const struct mox_env env = memory->env;
    mox__junk_table_free(&memory->table);
    mox__mem_free(&env, memory);
}

struct mox_junk_db mox_junk_memory_db(struct mox_junk_memory *memory)
{
    static const struct mox_junk_db_ops ops = {.size = sizeof ops,
                                               .totals = totals,
                                               .find = find,
                                               .add = add,
                                               .weights = weights,
                                               .step = step};
    return (struct mox_junk_db){&ops, memory};
}
