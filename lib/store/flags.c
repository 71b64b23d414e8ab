/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "store/store.h"

/* Flags of a range change in one statement; what it will change is read first, for the counts, the
 * views and the verdicts. */

struct flags_job {
    struct job job;
    struct mox_set_flags *op;
};

/* flags & and_flags | or_flags, the same for keywords. */
struct change {
    uint32_t and_flags, or_flags;
    uint64_t and_keywords, or_keywords;
    uint64_t modseq; /* 0 until something changes */
};

static struct change change_of(const struct mox_set_flags *op, uint64_t bits)
{
    uint32_t flags = op->flags & MOX_FLAG_ALL;
    switch (op->mode) {
    case MOX_FLAGS_SET:
        return (struct change){.or_flags = flags, .or_keywords = bits};
    case MOX_FLAGS_ADD:
        return (struct change){UINT32_MAX, flags, UINT64_MAX, bits, 0};
    default:
        return (struct change){~flags, 0, ~bits, 0, 0};
    }
}

static bool change_row(struct mox_account *a, struct flags_job *j, struct box *b, struct change *c,
                       sqlite3_stmt *s)
{
    uint32_t before = (uint32_t)sqlite3_column_int64(s, 1);
    uint64_t keywords = (uint64_t)sqlite3_column_int64(s, 2);
    struct mox_view_row row = {
        .uid = (uint32_t)sqlite3_column_int64(s, 0),
        .flags = (before & c->and_flags) | c->or_flags,
        .keywords = (keywords & c->and_keywords) | c->or_keywords,
        .bytes = (uint64_t)sqlite3_column_int64(s, 4),
    };
    if (row.flags == before && row.keywords == keywords)
        return false;
    if (c->modseq == 0)
        c->modseq = mox__next_modseq(a, &j->job);
    row.modseq = c->modseq;
    b->next.modseq = c->modseq;
    mox__box_count(b, before, 0, -1);
    mox__box_count(b, row.flags, 0, 1);
    mox__box_edit(b, &row, false);
    mox__verdict_change(a, b, row.uid, (uint64_t)sqlite3_column_int64(s, 3),
                        (uint64_t)sqlite3_column_int64(s, 5), before, row.flags);
    return true;
}

static void change_range(struct mox_account *a, struct flags_job *j, struct box *b,
                         struct change *c, struct mox_uid_range range)
{
    bool changed = false;
    sqlite3_stmt *s = db_query(&a->writer, SQL_ENTRY_RANGE, V_INT(b->id), V_INT(range.first),
                               V_INT(range.last), V_INT(0));
    while (mox__db_step(&a->writer, s))
        changed = change_row(a, j, b, c, s) || changed;
    if (changed)
        (void)db_run(&a->writer, SQL_ENTRY_FLAGS_RANGE, V_INT(b->id), V_INT(range.first),
                     V_INT(range.last), V_INT(c->modseq), V_INT(c->and_flags), V_INT(c->or_flags),
                     V_INT(c->and_keywords), V_INT(c->or_keywords));
}

static bool any_message(struct mox_account *a, const struct box *b, const struct mox_set_flags *op)
{
    bool found = false;
    for (size_t i = 0; i < op->range_count && !found; i++) {
        sqlite3_stmt *s = db_query(&a->writer, SQL_ENTRY_RANGE, V_INT(b->id),
                                   V_INT(op->ranges[i].first), V_INT(op->ranges[i].last), V_INT(0));
        found = mox__db_step(&a->writer, s);
        if (s != NULL)
            (void)sqlite3_reset(s);
    }
    return found;
}

static int apply(struct mox_account *a, struct job *job)
{
    struct flags_job *j = (struct flags_job *)job;
    const struct mox_set_flags *op = j->op;
    struct box *b = mox__box_next(a, op->mailbox);
    if (b == NULL)
        return mox__job_fail(job, MOX_EGONE, "change flags: the mailbox was removed");
    if (op->keyword_count > 0 && !any_message(a, b, op))
        return a->writer.status; /* the mailbox learns no keyword that nothing has */
    unsigned known = b->next.keyword_count;
    uint64_t bits;
    int rc =
        mox__box_keywords(b, op->keywords, op->keyword_count, op->mode != MOX_FLAGS_REMOVE, &bits);
    if (rc == MOX_ELIMIT)
        return mox__job_fail(job, rc, "change flags: the mailbox has 64 keywords already");
    if (rc < 0)
        return rc;
    struct change c = change_of(op, bits);
    if (b->next.keyword_count != known) /* the list is part of what clients are told */
        c.modseq = b->next.modseq = mox__next_modseq(a, job);
    for (size_t i = 0; i < op->range_count && a->writer.status == MOX_OK; i++)
        change_range(a, j, b, &c, op->ranges[i]);
    return a->writer.status;
}

static void finish(struct mox_account *a, struct job *j, int status)
{
    (void)status;
    mox__mem_free(a->env, j);
}

void mox__set_flags(void *self, struct mox_set_flags *op)
{
    struct mox_account *a = self;
    struct flags_job *j = mem_new(a->env, struct flags_job, 1);
    if (j == NULL) {
        mox__write_fail(&op->write, MOX_ENOMEM, "change flags");
        return;
    }
    j->op = op;
    j->job = (struct job){.write = &op->write, .apply = apply, .finish = finish};
    mox__submit(a, &j->job);
}
