/* SPDX-License-Identifier: MIT */
#include "store/import.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/verdict.h"

/* Hidden mailboxes from their creation to their end. */

struct target {
    char *name;
    uint64_t hidden; /* id of its mailbox */
    bool is_junk;    /* all of it */
    struct import_keywords keywords;
};

struct import {
    struct mox_account *account;
    struct target *targets;
    size_t count;
    struct adder *adder;
    bool begun, published;
};

struct import_job {
    struct job job; /* first */
    struct import *import;
};

static int run(struct import *i, int (*apply)(struct mox_account *a, struct job *j),
               struct mox_error *err)
{
    struct import_job j = {.job = {.apply = apply}, .import = i};
    return mox__submit_and_wait(i->account, &j.job, err);
}

/* ---- begin ---- */

/* UIDVALIDITYs are given once, so the name is. */
static void make_hidden(struct mox_account *a, struct target *t, uint64_t modseq)
{
    char name[40];
    const struct box *to = mox__box_named(a, t->name);
    (void)snprintf(name, sizeof name, "#import %lu", (unsigned long)a->uidvalidity);
    struct box *b = mox__box_create(a, name, 0, modseq);
    if (b == NULL)
        return;
    t->hidden = b->id;
    if (to == NULL)
        return;
    b->to_sent = (to->next.special_use & MOX_USE_SENT) != 0;
    int rc = mox__import_keywords_set(&t->keywords, a->env, to->keywords, to->next.keyword_count);
    if (rc < 0)
        (void)mox__db_fail(&a->writer, rc, "import: out of memory");
}

static int apply_begin(struct mox_account *a, struct job *j)
{
    struct import *i = ((struct import_job *)j)->import;
    const uint64_t modseq = mox__next_modseq(a, j);
    for (size_t t = 0; t < i->count && a->writer.status == MOX_OK; t++)
        make_hidden(a, &i->targets[t], modseq);
    return a->writer.status;
}

static int take_targets(struct import *i, const char *const *mailboxes, size_t count)
{
    const struct mox_env *env = i->account->env;
    i->targets = mem_new(env, struct target, count);
    if (i->targets == NULL)
        return MOX_ENOMEM;
    for (; i->count < count; i->count++) {
        const char *name = mailboxes[i->count];
        i->targets[i->count].name = mox__strndup(env, name, strlen(name));
        if (i->targets[i->count].name == NULL)
            return MOX_ENOMEM;
    }
    return MOX_OK;
}

int mox__import_begin(struct import **out, struct mox_account *a, const char *const *mailboxes,
                      size_t count, struct mox_error *err)
{
    struct import *i = mem_new(a->env, struct import, 1);
    *out = NULL;
    if (i == NULL)
        return mox__fail(err, MOX_ENOMEM, "import: out of memory");
    i->account = a;
    int rc = take_targets(i, mailboxes, count);
    if (rc < 0)
        (void)mox__fail(err, rc, "import: out of memory");
    if (rc == MOX_OK)
        rc = mox__adder_new(&i->adder, a, err);
    if (rc == MOX_OK)
        rc = run(i, apply_begin, err);
    i->begun = rc == MOX_OK;
    if (rc == MOX_OK)
        *out = i;
    else
        mox__import_end(i);
    return rc;
}

void mox__import_is_junk(struct import *i, size_t target)
{
    i->targets[target].is_junk = true;
}

int mox__import_add(struct import *i, size_t target, struct mox_spool *spool,
                    const struct mox_mailfile_item *item, struct mox_error *err)
{
    struct target *t = &i->targets[target];
    struct mox_mailfile_item fits = *item;
    const char *keywords[MOX_KEYWORDS_MAX];
    int rc = mox__import_keywords_pick(&t->keywords, i->account->env, item, keywords,
                                       &fits.keyword_count);
    if (rc < 0) {
        mox_spool_free(spool);
        return mox__fail(err, rc, "%s: out of memory", item->where);
    }
    fits.keywords = keywords;
    return mox__adder_add(i->adder, t->hidden, spool, &fits, err);
}

/* ---- publish ---- */

/* Nothing is changed yet, so that others in the transaction need not fail with it. */
static int check(struct mox_account *a, struct job *j, const struct target *t)
{
    const struct box *from = mox__box_next(a, t->hidden), *to = mox__box_named(a, t->name);
    if (from == NULL)
        return mox__job_fail(j, MOX_EGONE, "import: what was read is gone; try again");
    if (to == NULL)
        return MOX_OK;
    if (from->next.messages > UINT32_MAX - to->next.uidnext)
        return mox__job_fail(j, MOX_ELIMIT, "import: the mailbox has used up its UIDs");
    return MOX_OK;
}

/* *lost: grows by those that have no place. */
static uint64_t mapped(uint64_t bits, const uint64_t map[MOX_KEYWORDS_MAX], uint64_t *lost)
{
    uint64_t out = 0;
    for (unsigned k = 0; bits != 0; k++, bits >>= 1) {
        out |= (bits & 1) != 0 ? map[k] : 0;
        *lost += (bits & 1) != 0 && map[k] == 0;
    }
    return out;
}

/* There was room for all of them, but others may have taken it meanwhile; also another target that is the same
 * mailbox. */
static void map_keywords(const struct box *from, struct box *to, uint64_t map[MOX_KEYWORDS_MAX])
{
    for (unsigned k = 0; k < from->next.keyword_count; k++)
        (void)mox__box_keywords(to, (const char *const *)&from->keywords[k], 1, true, &map[k]);
}

/* No verdicts: nothing is known of how these messages came. */
static void insert(struct mox_account *a, struct box *to, const struct mox_view_row *row,
                   uint64_t message, int64_t now)
{
    (void)db_run(&a->writer, SQL_ENTRY_INSERT, V_INT(to->id), V_INT(row->uid), V_INT(row->modseq),
                 V_INT(row->flags), V_INT(row->keywords), V_INT(message), V_INT(row->bytes),
                 V_INT(now), V_INT(to->id), V_INT(HELD_NOT));
    mox__box_count(to, row->flags, row->bytes, 1);
    mox__box_edit(to, row, false);
    mox__learn_later(a, 0, row->flags);
}

static uint32_t flags_there(const struct mox_account *a, const struct target *t,
                            const struct box *to, uint32_t flags)
{
    return t->is_junk ? (flags & ~(uint32_t)MOX_FLAG_NOTJUNK) | MOX_FLAG_JUNK
                      : mox__junk_flags(a, to, flags);
}

static void move(struct mox_account *a, struct target *t, const struct box *from, struct box *to,
                 uint64_t modseq)
{
    uint64_t map[MOX_KEYWORDS_MAX] = {0};
    const int64_t now = a->env->wall_us(a->env->user);
    map_keywords(from, to, map);
    sqlite3_stmt *s = db_query(&a->writer, SQL_ENTRY_RANGE, V_INT(from->id), V_INT(1),
                               V_INT(UINT32_MAX), V_INT(0));
    while (mox__db_step(&a->writer, s)) {
        const struct mox_view_row row = {
            .uid = to->next.uidnext++,
            .modseq = modseq,
            .flags = flags_there(a, t, to, (uint32_t)sqlite3_column_int64(s, 1)),
            .keywords = mapped((uint64_t)sqlite3_column_int64(s, 2), map, &t->keywords.left_out),
            .bytes = (uint64_t)sqlite3_column_int64(s, 4)};
        insert(a, to, &row, (uint64_t)sqlite3_column_int64(s, 3), now);
    }
    if (s != NULL)
        (void)sqlite3_reset(s);
    to->next.modseq = modseq;
    to->knows_oldest = false;
    to->dirty = true;
}

/* It had no views, so nothing of it need be kept. */
static void remove_hidden(struct mox_account *a, struct box *b)
{
    (void)db_run(&a->writer, SQL_ENTRY_DELETE_RANGE, V_INT(b->id), V_INT(1), V_INT(UINT32_MAX),
                 V_INT(0));
    (void)db_run(&a->writer, SQL_MAILBOX_ERASE, V_INT(b->id));
    b->next.live = false;
    b->next.messages = b->next.unseen = b->next.deleted = 0;
    b->next.bytes = 0;
    b->dirty = true;
}

static int apply_publish(struct mox_account *a, struct job *j)
{
    const struct import *i = ((struct import_job *)j)->import;
    int rc = MOX_OK;
    for (size_t t = 0; t < i->count && rc == MOX_OK; t++)
        rc = check(a, j, &i->targets[t]);
    if (rc < 0)
        return rc;
    const uint64_t modseq = mox__next_modseq(a, j);
    for (size_t t = 0; t < i->count && a->writer.status == MOX_OK; t++) {
        struct box *from = mox__box_next(a, i->targets[t].hidden);
        struct box *to = mox__box_named(a, i->targets[t].name);
        if (to == NULL)
            to = mox__mailbox_make(a, i->targets[t].name, 0, true, modseq);
        if (to == NULL)
            break;
        move(a, &i->targets[t], from, to, modseq);
        remove_hidden(a, from);
    }
    return a->writer.status;
}

int mox__import_publish(struct import *i, struct mox_error *err)
{
    int rc = mox__adder_wait(i->adder, err);
    if (rc == MOX_OK)
        rc = run(i, apply_publish, err);
    i->published = rc == MOX_OK;
    return rc;
}

void mox__import_warn(const struct import *i, const struct mox_mailfile_config *config)
{
    for (size_t t = 0; t < i->count; t++)
        mox__import_keywords_warn(&i->targets[t].keywords, i->targets[t].name, config);
}

/* ---- the end ---- */

static int apply_nothing(struct mox_account *a, struct job *j)
{
    (void)a;
    (void)j;
    return MOX_OK;
}

/* On the committer's thread, behind all that was written. */
static void finish_abandon(struct mox_account *a, struct job *j, int status)
{
    const struct import *i = ((struct import_job *)j)->import;
    (void)status;
    pthread_mutex_lock(&a->lock);
    for (size_t t = 0; t < i->count; t++) {
        struct box *b = mox__box_find(a, i->targets[t].hidden);
        if (b == NULL)
            continue;
        b->abandoned = true;
        mox__erase_check(b);
    }
    pthread_mutex_unlock(&a->lock);
}

void mox__import_end(struct import *i)
{
    if (i == NULL)
        return;
    mox__adder_free(i->adder);
    if (i->begun && !i->published) {
        struct import_job j = {.job = {.apply = apply_nothing, .finish = finish_abandon},
                               .import = i};
        (void)mox__submit_and_wait(i->account, &j.job, NULL);
    }
    const struct mox_env *env = i->account->env;
    for (size_t t = 0; t < i->count; t++) {
        mox__import_keywords_free(&i->targets[t].keywords, env);
        mox__mem_free(env, i->targets[t].name);
    }
    mox__mem_free(env, i->targets);
    mox__mem_free(env, i);
}

size_t mox__import_erase(struct mox_account *a, struct job *j, struct box *b, size_t max)
{
    size_t n = 0;
    uint32_t last = 0;
    sqlite3_stmt *s =
        db_query(&a->writer, SQL_ENTRY_RANGE, V_INT(b->id), V_INT(1), V_INT(UINT32_MAX), V_INT(0));
    while (n < max && mox__db_step(&a->writer, s)) {
        last = (uint32_t)sqlite3_column_int64(s, 0);
        mox__box_count(b, (uint32_t)sqlite3_column_int64(s, 1),
                       (uint64_t)sqlite3_column_int64(s, 4), -1);
        mox__message_drop(a, (uint64_t)sqlite3_column_int64(s, 3));
        n++;
    }
    if (s != NULL)
        (void)sqlite3_reset(s);
    (void)db_run(&a->writer, SQL_ENTRY_DELETE_RANGE, V_INT(b->id), V_INT(1), V_INT(last), V_INT(0));
    b->next.modseq = mox__next_modseq(a, j);
    b->dirty = true;
    if (n < max)
        remove_hidden(a, b);
    return n;
}
