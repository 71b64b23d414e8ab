/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <mox/view.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/filter.h"

enum learnt mox__learnt_wanted(uint32_t flags)
{
    bool junk = (flags & MOX_FLAG_JUNK) != 0, notjunk = (flags & MOX_FLAG_NOTJUNK) != 0;
    if (junk == notjunk) /* both say as little as none */
        return LEARNT_NOTHING;
    return junk ? LEARNT_SPAM : LEARNT_HAM;
}

void mox__changes_free(const struct mox_env *env, struct changes *c)
{
    mox__mem_free(env, c->list);
    *c = (struct changes){0};
}

static int add(const struct mox_env *env, struct changes *c, const struct change *one)
{
    if (!mem_room(env, &c->list, &c->cap, c->count, 64))
        return MOX_ENOMEM;
    c->list[c->count++] = *one;
    return MOX_OK;
}

/* An entry as it is in the account; added if something else was learnt from it. */
static int compare(struct filter *f, struct filter_file *file, struct change *one)
{
    struct db *db = &file->words->db;
    sqlite3_stmt *s = db_query(db, SQL_TRAINED_FIND, V_INT(one->mailbox), V_INT(one->uid));
    while (mox__db_step(db, s)) {
        one->had = (uint8_t)sqlite3_column_int(s, 0);
        one->trace = sqlite3_column_int64(s, 1);
    }
    if (db->status < 0)
        return db->status;
    if ((one->had & LEARNT_CLASS) == one->wants)
        return MOX_OK;
    return add(f->account->env, &file->due, one);
}

static int look_at_entries(struct filter *f, struct filter_file *file, struct db *db)
{
    int rc = MOX_OK;
    sqlite3_stmt *s = db_query(db, SQL_ENTRY_CHANGED, V_INT(file->modseq));
    while (rc == MOX_OK && mox__db_step(db, s)) {
        struct change one = {.mailbox = (uint64_t)sqlite3_column_int64(s, 0),
                             .uid = (uint32_t)sqlite3_column_int64(s, 1),
                             .message = (uint64_t)sqlite3_column_int64(s, 2)};
        one.wants = (uint8_t)mox__learnt_wanted((uint32_t)sqlite3_column_int64(s, 3));
        rc = compare(f, file, &one);
    }
    if (s != NULL)
        (void)sqlite3_reset(s);
    return rc;
}

static int look_at_gone(struct filter *f, struct filter_file *file, struct db *db, enum sql which)
{
    int rc = MOX_OK;
    sqlite3_stmt *s = db_query(db, which, V_INT(file->modseq));
    while (rc == MOX_OK && mox__db_step(db, s)) {
        struct change one = {.mailbox = (uint64_t)sqlite3_column_int64(s, 0),
                             .uid = (uint32_t)sqlite3_column_int64(s, 1),
                             .message = (uint64_t)sqlite3_column_int64(s, 2)};
        rc = compare(f, file, &one);
    }
    if (s != NULL)
        (void)sqlite3_reset(s);
    return rc;
}

/* A place in a mixed order, different for each message. */
static uint64_t mixed(uint64_t message)
{
    return message * UINT64_C(0x9e3779b97f4a7c15);
}

/* Both sides of a move together, what is forgotten first; messages in a mixed order: mail that was
 * imported came mailbox by mailbox, and a filter that learns all ham and then all spam marks a fifth
 * of all ham. */
static int by_mixed_order(const void *x, const void *y)
{
    const struct change *a = x, *b = y;
    if (a->message != b->message)
        return mixed(a->message) < mixed(b->message) ? -1 : 1;
    if ((a->wants == LEARNT_NOTHING) != (b->wants == LEARNT_NOTHING))
        return a->wants == LEARNT_NOTHING ? -1 : 1;
    if (a->mailbox != b->mailbox)
        return a->mailbox < b->mailbox ? -1 : 1;
    return a->uid < b->uid ? -1 : a->uid > b->uid;
}

/* In one read transaction. */
static int look(struct filter *f, struct filter_file *file, struct db *db, uint64_t *modseq)
{
    sqlite3_stmt *s = mox__db_query(db, SQL_ACCOUNT_READ, NULL, 0);
    while (mox__db_step(db, s))
        *modseq = (uint64_t)sqlite3_column_int64(s, 0);
    if (db->status < 0 || *modseq == file->modseq)
        return db->status;
    if (*modseq < file->modseq)
        return MOX_ECORRUPT;
    int rc = look_at_entries(f, file, db);
    if (rc == MOX_OK)
        rc = look_at_gone(f, file, db, SQL_GONE_CHANGED);
    /* Only while nobody learnt can something have been erased; so it is enough to look once. */
    if (rc == MOX_OK && !file->looked)
        rc = look_at_gone(f, file, db, SQL_GONE_UNLEARNT);
    return rc;
}

/* Whose failure it was, as one text. */
static int look_failed(struct filter *f, struct filter_file *file, const struct db *index, int rc,
                       struct mox_error *err)
{
    if (index->status < 0) /* not the filter's damage: whoever reads the mail will say so */
        return mox__fail(err, index->status == MOX_ECORRUPT ? MOX_EIO : index->status,
                         "read account %s: %s", f->account->name, index->error.text);
    if (file->words->db.status < 0) {
        rc = mox__fail(err, rc, "%s", file->words->db.error.text);
        mox__db_clear(&file->words->db);
        return rc;
    }
    return mox__fail(err, rc, "%s",
                     rc == MOX_ECORRUPT ? "it is newer than the account" : mox_status_text(rc));
}

int mox__filter_look(struct filter *f, struct filter_file *file, struct mox_error *err)
{
    const struct mox_env *env = f->account->env;
    uint64_t modseq = 0;
    mox__changes_free(env, &file->due);
    struct db *index = &file->index;
    int rc = mox__filter_index(f, file, err);
    if (rc < 0)
        return rc;
    rc = mox__db_run(index, SQL_BEGIN_READ, NULL, 0);
    if (rc == MOX_OK)
        rc = look(f, file, index, &modseq);
    if (rc == MOX_OK)
        rc = index->status;
    if (rc < 0)
        rc = look_failed(f, file, index, rc, err);
    if (index->status == MOX_OK)
        (void)mox__db_run(index, SQL_COMMIT, NULL, 0);
    if (rc < 0) {
        mox__changes_free(env, &file->due);
        return rc;
    }
    file->looked = true;
    file->due.modseq = modseq;
    if (file->due.count > 1)
        qsort(file->due.list, file->due.count, sizeof file->due.list[0], by_mixed_order);
    return MOX_OK;
}
