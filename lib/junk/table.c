/* SPDX-License-Identifier: MIT */
#include "junk/table.h"

#include <string.h>

#include "base/mem.h"

#define ROOM_MIN_BITS 10
#define ROOM_MIN      ((size_t)1 << ROOM_MIN_BITS)

void mox__junk_table_init(struct junk_table *t, const struct mox_env *env, size_t max_rows)
{
    *t = (struct junk_table){.env = env, .max = max_rows};
    env->random(env->user, (uint8_t *)&t->secret, sizeof t->secret);
    t->secret |= 1;
}

void mox__junk_table_free(struct junk_table *t)
{
    mox__mem_free(t->env, t->rows);
    mox__junk_table_init(t, t->env, t->max);
}

void mox__junk_table_clear(struct junk_table *t)
{
    if (t->rows != NULL)
        memset(t->rows, 0, t->room * sizeof *t->rows);
    t->used = 0;
}

static bool is_free(const struct junk_row *row)
{
    return row->hams == 0 && row->spams == 0;
}

/* Keys are hashes that anybody can compute; see wordset.c. */
static size_t home_of(const struct junk_table *t, uint64_t key)
{
    return (size_t)(key * t->secret >> t->shift);
}

/* The row of the key, or the free one where it would be. A row that came to say nothing keeps its key
 * until the table grows: the rows behind it are found by going over it. */
static struct junk_row *place(const struct junk_table *t, uint64_t key)
{
    size_t at = home_of(t, key);
    while (t->rows[at].key != key && (t->rows[at].key != 0 || !is_free(&t->rows[at])))
        at = (at + 1) & (t->room - 1);
    return &t->rows[at];
}

static int grow(struct junk_table *t)
{
    const size_t room = t->room == 0 ? ROOM_MIN : 2 * t->room;
    struct junk_table bigger = *t;
    if (room > t->max)
        return MOX_ELIMIT;
    bigger.room = room;
    bigger.used = 0;
    bigger.shift = t->room == 0 ? 64 - ROOM_MIN_BITS : t->shift - 1;
    bigger.rows = mem_new(t->env, struct junk_row, room);
    if (bigger.rows == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < t->room; i++)
        if (!is_free(&t->rows[i])) {
            *place(&bigger, t->rows[i].key) = t->rows[i];
            bigger.used++;
        }
    mox__mem_free(t->env, t->rows);
    *t = bigger;
    return MOX_OK;
}

struct junk_row *mox__junk_table_find(const struct junk_table *t, uint64_t key)
{
    if (t->room == 0)
        return NULL;
    struct junk_row *row = place(t, key);
    return row->key == key && !is_free(row) ? row : NULL;
}

int mox__junk_table_row(struct junk_table *t, uint64_t key, struct junk_row **row)
{
    if (t->used >= t->room - t->room / 8) {
        int rc = grow(t);
        if (rc < 0)
            return rc;
    }
    *row = place(t, key);
    if ((*row)->key != key) {
        (*row)->key = key;
        t->used++;
    }
    return MOX_OK;
}
