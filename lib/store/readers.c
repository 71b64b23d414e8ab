/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/mem.h"
#include "store/store.h"

/* Connections for those who read, kept for the next one. There are two kinds: with the first commit after its
 * last snapshot a connection throws its mapping of the database away and makes it anew, page by page, which is
 * cheap beside reading a mailbox and dear beside reading ten rows. */

/* Idle connections of each kind that are kept. More readers at once open more. */
#define READERS_KEPT 4

static struct reader_list *list_of(struct mox_account *a, enum db_role role)
{
    return role == DB_READER ? &a->readers : &a->glancers;
}

static int take(struct mox_account *a, enum db_role role, struct reader **out,
                struct mox_error *err)
{
    struct reader_list *list = list_of(a, role);
    pthread_mutex_lock(&a->lock);
    struct reader *r = list->first;
    if (r != NULL) {
        list->first = r->next;
        list->count--;
    }
    pthread_mutex_unlock(&a->lock);
    *out = r;
    if (r != NULL)
        return MOX_OK;
    r = mem_new(a->env, struct reader, 1);
    if (r == NULL)
        return mox__fail(err, MOX_ENOMEM, "read account %s: out of memory", a->name);
    r->role = role;
    int rc = mox__db_open(&r->db, a->db_path, role, err);
    if (rc < 0) {
        mox__mem_free(a->env, r);
        return rc;
    }
    *out = r;
    return MOX_OK;
}

int mox__reader_take(struct mox_account *a, struct reader **out, struct mox_error *err)
{
    return take(a, DB_READER, out, err);
}

int mox__glancer_take(struct mox_account *a, struct reader **out, struct mox_error *err)
{
    return take(a, DB_SCANNER, out, err);
}

static void reader_free(struct mox_account *a, struct reader *r)
{
    mox__db_close(&r->db);
    mox__mem_free(a->env, r);
}

void mox__reader_give(struct mox_account *a, struct reader *r)
{
    struct reader_list *list = list_of(a, r->role);
    bool broken = r->db.status < 0;
    pthread_mutex_lock(&a->lock);
    bool keep = !broken && list->count < READERS_KEPT;
    if (keep) {
        r->next = list->first;
        list->first = r;
        list->count++;
    }
    pthread_mutex_unlock(&a->lock);
    if (!keep)
        reader_free(a, r);
}

static void free_list(struct mox_account *a, struct reader_list *list)
{
    while (list->first != NULL) {
        struct reader *r = list->first;
        list->first = r->next;
        reader_free(a, r);
    }
    list->count = 0;
}

void mox__readers_free(struct mox_account *a)
{
    free_list(a, &a->readers);
    free_list(a, &a->glancers);
}
