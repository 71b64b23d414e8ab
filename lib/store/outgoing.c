/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/store.h"

/* What an account sends, for its limits. A sum for each minute is enough, whatever the account
 * sends: it makes the day up to a minute longer, and never shorter. Of whom it ever wrote to, only
 * that is kept, as a hash: who is not there yet is new. */

#define MINUTE_US   INT64_C(60000000)
#define DAY_MINUTES INT64_C(1440)

struct outgoing_job {
    struct job job;
    struct mox_outgoing *op;
    int64_t minute;
    uint64_t *people; /* hashes of the recipients, each once; in apply() those who are new */
    size_t people_count;
};

static int order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void hash_people(struct outgoing_job *j)
{
    const struct mox_outgoing *op = j->op;
    for (size_t i = 0; i < op->recipient_count; i++)
        j->people[i] = mox__hash64(slice_of(op->recipients[i]));
    qsort(j->people, op->recipient_count, sizeof *j->people, order);
    for (size_t i = 0; i < op->recipient_count; i++)
        if (i == 0 || j->people[i] != j->people[i - 1])
            j->people[j->people_count++] = j->people[i];
}

/* Minutes far ahead are of a clock that was wrong: they neither count now nor go. */
static void read_day(struct mox_account *a, struct outgoing_job *j)
{
    sqlite3_stmt *s = db_query(&a->writer, SQL_OUTGOING_DAY, V_INT(j->minute - DAY_MINUTES),
                               V_INT(j->minute + DAY_MINUTES));
    while (mox__db_step(&a->writer, s)) {
        j->op->day_recipients = (uint64_t)sqlite3_column_int64(s, 0);
        j->op->day_first_time = (uint64_t)sqlite3_column_int64(s, 1);
    }
}

static bool is_known(struct mox_account *a, uint64_t person)
{
    bool known = false;
    sqlite3_stmt *s = db_query(&a->writer, SQL_CONTACT_FIND, V_INT(person));
    while (mox__db_step(&a->writer, s))
        known = true;
    return known;
}

static void keep_new_ones(struct mox_account *a, struct outgoing_job *j)
{
    size_t kept = 0;
    for (size_t i = 0; i < j->people_count; i++)
        if (!is_known(a, j->people[i]))
            j->people[kept++] = j->people[i];
    j->people_count = kept;
}

static int refuse(struct outgoing_job *j, enum mox_outgoing_limit limit, const char *whom)
{
    uint64_t max = limit == MOX_OUTGOING_RECIPIENTS ? j->op->max_recipients : j->op->max_first_time;
    j->op->exceeded = limit;
    return mox__fail(&j->op->write.error, MOX_ELIMIT,
                     "send a message: the account has its limit of %llu %s in 24 hours",
                     (unsigned long long)max, whom);
}

static bool goes_over(uint64_t used, uint64_t more, uint64_t max)
{
    return used > max || more > max - used;
}

/* Nothing is written before all is decided: a write that is refused shares its transaction. */
static int apply(struct mox_account *a, struct job *job)
{
    struct outgoing_job *j = (struct outgoing_job *)job;
    struct mox_outgoing *op = j->op;
    read_day(a, j);
    if (goes_over(op->day_recipients, op->recipient_count, op->max_recipients))
        return refuse(j, MOX_OUTGOING_RECIPIENTS, "recipients");
    keep_new_ones(a, j);
    if (goes_over(op->day_first_time, j->people_count, op->max_first_time))
        return refuse(j, MOX_OUTGOING_FIRST_TIME,
                      "recipients that it writes to for the first time");
    for (size_t i = 0; i < j->people_count; i++)
        (void)db_run(&a->writer, SQL_CONTACT_INSERT, V_INT(j->people[i]));
    (void)db_run(&a->writer, SQL_OUTGOING_PRUNE, V_INT(j->minute - DAY_MINUTES));
    return db_run(&a->writer, SQL_OUTGOING_ADD, V_INT(j->minute), V_INT(op->recipient_count),
                  V_INT(j->people_count));
}

static void finish(struct mox_account *a, struct job *job, int status)
{
    (void)status;
    struct outgoing_job *j = (struct outgoing_job *)job;
    mox__mem_free(a->env, j->people);
    mox__mem_free(a->env, j);
}

void mox_account_outgoing(struct mox_account *a, struct mox_outgoing *op)
{
    struct outgoing_job *j = mem_new(a->env, struct outgoing_job, 1);
    uint64_t *people = mem_new(a->env, uint64_t, op->recipient_count + 1);
    op->exceeded = MOX_OUTGOING_NOTHING;
    op->day_recipients = op->day_first_time = 0;
    if (j == NULL || people == NULL) {
        mox__mem_free(a->env, j);
        mox__mem_free(a->env, people);
        mox__write_fail(&op->write, MOX_ENOMEM, "send a message");
        return;
    }
    *j = (struct outgoing_job){.job = {.write = &op->write, .apply = apply, .finish = finish},
                               .op = op,
                               .minute = a->env->wall_us(a->env->user) / MINUTE_US,
                               .people = people};
    hash_people(j);
    mox__submit(a, &j->job);
}
