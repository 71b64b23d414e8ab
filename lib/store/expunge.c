/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "store/store.h"

/* A removed message leaves a row in `gone`, with its message as long as some view may show it; the
 * rest is done by erase.c, later and in small pieces. */

struct expunge_job {
    struct job job;
    struct mox_expunge *op;
};

static void keep_from(struct box *b, uint64_t modseq)
{
    struct mox_account *a = b->account;
    pthread_mutex_lock(&a->lock);
    if (b->kept_from == 0 || b->kept_from > modseq)
        b->kept_from = modseq;
    pthread_mutex_unlock(&a->lock);
}

void mox__remove_range(struct mox_account *a, struct box *b, uint32_t first, uint32_t last,
                       uint32_t flags, uint64_t modseq)
{
    bool found = false;
    sqlite3_stmt *s = db_query(&a->writer, SQL_ENTRY_RANGE, V_INT(b->id), V_INT(first), V_INT(last),
                               V_INT(flags));
    while (mox__db_step(&a->writer, s)) {
        struct mox_view_row row = {.uid = (uint32_t)sqlite3_column_int64(s, 0)};
        uint32_t its_flags = (uint32_t)sqlite3_column_int64(s, 1);
        mox__box_count(b, its_flags, (uint64_t)sqlite3_column_int64(s, 4), -1);
        mox__box_edit(b, &row, true);
        mox__verdict_change(a, b, row.uid, (uint64_t)sqlite3_column_int64(s, 3),
                            (uint64_t)sqlite3_column_int64(s, 5), its_flags, 0);
        found = true;
    }
    if (!found)
        return;
    b->next.modseq = modseq;
    keep_from(b, modseq);
    (void)db_run(&a->writer, SQL_GONE_INSERT_RANGE, V_INT(b->id), V_INT(first), V_INT(last),
                 V_INT(flags), V_INT(modseq));
    (void)db_run(&a->writer, SQL_ENTRY_DELETE_RANGE, V_INT(b->id), V_INT(first), V_INT(last),
                 V_INT(flags));
}

static int apply(struct mox_account *a, struct job *job)
{
    const struct mox_expunge *op = ((struct expunge_job *)job)->op;
    struct box *b = mox__box_next(a, op->mailbox);
    if (b == NULL)
        return mox__job_fail(job, MOX_EGONE, "remove messages: the mailbox was removed");
    uint64_t modseq = a->modseq + 1;
    for (size_t i = 0; i < op->range_count && a->writer.status == MOX_OK; i++)
        mox__remove_range(a, b, op->ranges[i].first, op->ranges[i].last,
                          op->only_deleted ? MOX_FLAG_DELETED : 0, modseq);
    if (b->next.modseq == modseq)
        (void)mox__next_modseq(a, job);
    return a->writer.status;
}

static void finish(struct mox_account *a, struct job *j, int status)
{
    (void)status;
    mox__mem_free(a->env, j);
}

void mox__expunge(void *self, struct mox_expunge *op)
{
    struct mox_account *a = self;
    struct expunge_job *j = mem_new(a->env, struct expunge_job, 1);
    if (j == NULL) {
        mox__write_fail(&op->write, MOX_ENOMEM, "remove messages");
        return;
    }
    j->op = op;
    j->job = (struct job){.write = &op->write, .apply = apply, .finish = finish};
    mox__submit(a, &j->job);
}
