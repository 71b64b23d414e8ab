/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/mem.h"
#include "store/store.h"

/* Connections for those who read, kept for the next one. */

/* Idle connections that are kept. More readers at once open more. */
#define READERS_KEPT 4

int mox__reader_take(struct mox_account *a, struct reader **out, struct mox_error *err)
{
    pthread_mutex_lock(&a->lock);
    struct reader *r = a->readers;
    if (r != NULL) {
        a->readers = r->next;
        a->reader_count--;
    }
    pthread_mutex_unlock(&a->lock);
    *out = r;
    if (r != NULL)
        return MOX_OK;
    r = mem_new(a->env, struct reader, 1);
    if (r == NULL)
        return mox__fail(err, MOX_ENOMEM, "read account %s: out of memory", a->name);
    int rc = mox__db_open(&r->db, a->db_path, DB_READER, err);
    if (rc < 0) {
        mox__mem_free(a->env, r);
        return rc;
    }
    *out = r;
    return MOX_OK;
}

static void reader_free(struct mox_account *a, struct reader *r)
{
    mox__db_close(&r->db);
    mox__mem_free(a->env, r);
}

void mox__reader_give(struct mox_account *a, struct reader *r)
{
    bool broken = r->db.status < 0;
    pthread_mutex_lock(&a->lock);
    bool keep = !broken && a->reader_count < READERS_KEPT;
    if (keep) {
        r->next = a->readers;
        a->readers = r;
        a->reader_count++;
    }
    pthread_mutex_unlock(&a->lock);
    if (!keep)
        reader_free(a, r);
}

void mox__readers_free(struct mox_account *a)
{
    while (a->readers != NULL) {
        struct reader *r = a->readers;
        a->readers = r->next;
        reader_free(a, r);
    }
    a->reader_count = 0;
}
