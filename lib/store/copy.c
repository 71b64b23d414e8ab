/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "store/verdict.h"

struct copy_job {
    struct job job;
    struct mox_copy *op;
};

/* An entry to be copied. Read before anything is written, so that a mailbox can be copied into
 * itself, and that a destination without room for the keywords is left alone. */
struct source {
    uint32_t uid, flags;
    uint64_t keywords, message, bytes, origin;
    enum held held;
};

struct sources {
    struct source *list;
    size_t count, cap;
    uint64_t keywords, bytes; /* of all together */
};

static int add(struct mox_account *a, struct sources *all, const struct source *one)
{
    if (!mem_room(a->env, &all->list, &all->cap, all->count, 64))
        return mox__db_fail(&a->writer, MOX_ENOMEM, "copy messages");
    all->list[all->count++] = *one;
    all->keywords |= one->keywords;
    all->bytes += one->bytes;
    return MOX_OK;
}

static int read_sources(struct mox_account *a, struct sources *all, const struct box *from,
                        const struct mox_copy *op)
{
    for (size_t i = 0; i < op->range_count; i++) {
        sqlite3_stmt *s = db_query(&a->writer, SQL_ENTRY_RANGE, V_INT(from->id),
                                   V_INT(op->ranges[i].first), V_INT(op->ranges[i].last), V_INT(0));
        while (mox__db_step(&a->writer, s))
            (void)add(a, all,
                      &(struct source){.uid = (uint32_t)sqlite3_column_int64(s, 0),
                                       .flags = (uint32_t)sqlite3_column_int64(s, 1),
                                       .keywords = (uint64_t)sqlite3_column_int64(s, 2),
                                       .message = (uint64_t)sqlite3_column_int64(s, 3),
                                       .bytes = (uint64_t)sqlite3_column_int64(s, 4),
                                       .origin = (uint64_t)sqlite3_column_int64(s, 5),
                                       .held = (enum held)sqlite3_column_int64(s, 6)});
    }
    return a->writer.status;
}

/* Where each bit of the source goes in the destination. */
static int map_keywords(struct box *from, struct box *to, uint64_t used, uint64_t *map)
{
    const char *names[MOX_KEYWORDS_MAX];
    unsigned bits[MOX_KEYWORDS_MAX], count = 0;
    for (unsigned i = 0; i < from->next.keyword_count; i++)
        if ((used >> i & 1) != 0) {
            names[count] = from->keywords[i];
            bits[count++] = i;
        }
    uint64_t all;
    int rc = mox__box_keywords(to, names, count, true, &all);
    for (unsigned i = 0; i < count && rc == MOX_OK; i++)
        rc = mox__box_keywords(to, &names[i], 1, false, &map[bits[i]]);
    return rc;
}

static uint64_t mapped(uint64_t keywords, const uint64_t *map)
{
    uint64_t out = 0;
    for (unsigned i = 0; keywords != 0; i++, keywords >>= 1)
        if ((keywords & 1) != 0)
            out |= map[i];
    return out;
}

#define BOTH_MARKS (MOX_FLAG_JUNK | MOX_FLAG_NOTJUNK)

static void release(struct source *s, uint64_t destined)
{
    if (destined != 0)
        s->origin = destined;
    s->held = HELD_NOT;
}

/* The marks of the destination; and who takes a message to where it was meant to go says that it is wanted, also
 * where mailboxes mark nothing, as the Inbox does. */
static uint32_t taken_there(struct mox_account *a, const struct box *to, uint64_t destined,
                            uint32_t flags)
{
    flags = mox__junk_flags(a, to, flags);
    return destined == to->id && (flags & BOTH_MARKS) == 0 ? flags | MOX_FLAG_NOTJUNK : flags;
}

/* A message that leaves the rejects counts as if it had been delivered where it was meant to go, and
 * is new to its user. */
static uint32_t leave_rejects(struct mox_account *a, const struct box *to, struct source *s,
                              bool move)
{
    uint64_t destined = mox__message_destined(a, s->message);
    release(s, destined);
    return taken_there(a, to, destined, move ? s->flags & ~(uint32_t)MOX_FLAG_SEEN : s->flags);
}

/* Of a first message its user says something by taking it to where it was meant to go, or to where it is
 * junk or not; anywhere else it goes on waiting for that. Copies too: not all clients can move. */
static uint32_t leave_intro(struct mox_account *a, const struct box *to, struct source *s)
{
    uint64_t destined = mox__message_destined(a, s->message);
    uint32_t flags = taken_there(a, to, destined, s->flags);
    if (destined == to->id || (flags & BOTH_MARKS) != 0)
        release(s, destined);
    return flags;
}

static uint32_t flags_there(struct mox_account *a, const struct box *to, struct source *s,
                            bool move, bool leaves)
{
    if (leaves && s->held == HELD_REJECT)
        return leave_rejects(a, to, s, move);
    if (leaves && s->held == HELD_INTRO)
        return leave_intro(a, to, s);
    return mox__junk_flags(a, to, s->flags);
}

static void insert(struct mox_account *a, struct box *to, struct source *s, const uint64_t *map,
                   bool move, bool leaves, int64_t now, uint64_t modseq)
{
    uint32_t flags = flags_there(a, to, s, move, leaves);
    struct mox_view_row row = {.uid = to->next.uidnext++,
                               .modseq = modseq,
                               .flags = flags,
                               .keywords = mapped(s->keywords, map),
                               .bytes = s->bytes};
    (void)db_run(&a->writer, SQL_ENTRY_INSERT, V_INT(to->id), V_INT(row.uid), V_INT(modseq),
                 V_INT(row.flags), V_INT(row.keywords), V_INT(s->message), V_INT(s->bytes),
                 V_INT(now), V_INT(s->origin), V_INT(s->held));
    to->knows_oldest = false;
    mox__box_count(to, row.flags, s->bytes, 1);
    mox__box_edit(to, &row, false);
    mox__verdict_change(a, to, row.uid, s->message, s->origin, 0, row.flags);
}

static int add_result(struct mox_account *a, struct mox_copy *op, uint32_t uid, size_t *cap)
{
    op->count++;
    if (op->copied_count > 0 && op->copied[op->copied_count - 1].last + 1 == uid) {
        op->copied[op->copied_count - 1].last = uid;
        return MOX_OK;
    }
    if (!mem_room(a->env, &op->copied, cap, op->copied_count, 16))
        return mox__db_fail(&a->writer, MOX_ENOMEM, "copy messages");
    op->copied[op->copied_count++] = (struct mox_uid_range){uid, uid};
    return MOX_OK;
}

static int copy_all(struct mox_account *a, struct job *j, struct mox_copy *op, struct box *from,
                    struct box *to, struct sources *all, uint64_t modseq)
{
    if (!op->move && a->quota_bytes > 0 && mox__boxes_bytes(a) + all->bytes > a->quota_bytes)
        return mox__job_fail(j, MOX_EQUOTA,
                             "copy messages: the account's quota is used up; "
                             "remove messages");
    if (all->count > UINT32_MAX - to->next.uidnext)
        return mox__job_fail(j, MOX_ELIMIT, "copy messages: the destination has used up its UIDs");
    uint64_t map[MOX_KEYWORDS_MAX] = {0};
    int rc = map_keywords(from, to, all->keywords, map);
    if (rc == MOX_ELIMIT)
        return mox__job_fail(j, rc,
                             "copy messages: the destination would have more than 64 "
                             "keywords");
    op->first_uid = to->next.uidnext;
    op->uidvalidity = to->uidvalidity;
    to->next.modseq = modseq;
    int64_t now = a->env->wall_us(a->env->user);
    size_t cap = 0;
    for (size_t i = 0; i < op->range_count; i++) /* before the copies, which may be in the range */
        (void)db_run(&a->writer, SQL_REF_ADD_RANGE, V_INT(from->id), V_INT(op->ranges[i].first),
                     V_INT(op->ranges[i].last));
    for (size_t i = 0; i < all->count && a->writer.status == MOX_OK; i++) {
        insert(a, to, &all->list[i], map, op->move, from != to, now, modseq);
        (void)add_result(a, op, all->list[i].uid, &cap);
    }
    for (size_t i = 0; op->move && i < op->range_count; i++) /* what is new has higher UIDs */
        mox__remove_range(a, from, op->ranges[i].first,
                          from == to && op->ranges[i].last >= op->first_uid ? op->first_uid - 1
                                                                            : op->ranges[i].last,
                          0, modseq);
    return a->writer.status;
}

int mox__copy_ranges(struct mox_account *a, struct job *j, struct mox_copy *op, struct box *from,
                     struct box *to, uint64_t modseq)
{
    struct sources all = {0};
    op->env = a->env;
    op->copied = NULL;
    op->copied_count = op->count = 0;
    op->uidvalidity = to->uidvalidity;
    op->first_uid = to->next.uidnext;
    int rc = read_sources(a, &all, from, op);
    if (rc == MOX_OK && all.count > 0)
        rc = copy_all(a, j, op, from, to, &all, modseq);
    mox__mem_free(a->env, all.list);
    return rc;
}

static int apply(struct mox_account *a, struct job *job)
{
    struct mox_copy *op = ((struct copy_job *)job)->op;
    struct box *from = mox__box_next(a, op->mailbox);
    struct box *to = mox__box_next(a, op->destination);
    if (from == NULL)
        return mox__job_fail(job, MOX_EGONE, "copy messages: the mailbox was removed");
    if (to == NULL)
        return mox__job_fail(job, MOX_ENOTFOUND, "copy messages: there is no such mailbox");
    int rc = mox__copy_ranges(a, job, op, from, to, a->modseq + 1);
    if (rc == MOX_OK && op->count > 0)
        (void)mox__next_modseq(a, job);
    return rc;
}

static void finish(struct mox_account *a, struct job *job, int status)
{
    struct mox_copy *op = ((struct copy_job *)job)->op;
    if (status < 0) {
        mox__mem_free(a->env, op->copied);
        op->copied = NULL;
        op->copied_count = op->count = 0;
    }
    mox__mem_free(a->env, job);
}

void mox__copy(void *self, struct mox_copy *op)
{
    struct mox_account *a = self;
    op->env = a->env;
    op->copied = NULL;
    op->copied_count = op->count = 0;
    struct copy_job *j = mem_new(a->env, struct copy_job, 1);
    if (j == NULL) {
        mox__write_fail(&op->write, MOX_ENOMEM, "copy messages");
        return;
    }
    j->op = op;
    j->job = (struct job){.write = &op->write, .apply = apply, .finish = finish};
    mox__submit(a, &j->job);
}
