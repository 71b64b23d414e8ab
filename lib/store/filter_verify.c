/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "junk/memory.h"
#include "store/filter.h"
#include "store/junk_page.h"

/* Whether junk.db agrees with the flags in index.db. It may be behind: so only entries that did not
 * change since what it says it has learnt are compared. */

/* Memory for counting again: with more words than fit, the counts are believed. */
#define RECOUNT_BYTES_MAX ((size_t)256 << 20)

struct check {
    struct mox_account *a; /* its paths and its open database */
    struct filter_file *file;
    struct problems *problems;
};

static void check_integrity(struct check *c)
{
    struct db *db = &c->file->words->db;
    sqlite3_stmt *s = NULL;
    if (mox__db_prepare(db, &s, "PRAGMA integrity_check") < 0)
        return;
    while (mox__db_step(db, s)) {
        const char *text = mox__db_text(s, 0);
        if (text == NULL || strcmp(text, "ok") != 0)
            mox__problem(c->problems, "integrity check: %s", text == NULL ? "no answer" : text);
    }
    (void)sqlite3_finalize(s);
}

static void check_modseq(struct check *c)
{
    sqlite3_stmt *s = mox__db_query(&c->a->writer, SQL_ACCOUNT_READ, NULL, 0);
    while (mox__db_step(&c->a->writer, s))
        if ((uint64_t)sqlite3_column_int64(s, 0) < c->file->modseq)
            mox__problem(c->problems,
                         "it has learnt up to modseq %" PRIu64
                         ", which the account has not reached",
                         c->file->modseq);
}

/* What was learnt is there, with the flags that it was learnt from. */
static void check_learnt(struct check *c)
{
    struct db *db = &c->file->words->db, *index = &c->a->writer;
    sqlite3_stmt *s = NULL, *entry = NULL;
    if (mox__db_prepare(db, &s, "SELECT mailbox, uid, kind FROM trained") < 0 ||
        mox__db_prepare(index, &entry,
                        "SELECT flags, modseq FROM entry WHERE mailbox = ?1 AND uid = ?2 UNION ALL"
                        " SELECT 0, modseq FROM gone WHERE mailbox = ?1 AND uid = ?2") < 0) {
        (void)sqlite3_finalize(s);
        return;
    }
    while (mox__db_step(db, s)) {
        long long mailbox = sqlite3_column_int64(s, 0), uid = sqlite3_column_int64(s, 1);
        unsigned kind = (unsigned)sqlite3_column_int(s, 2) & LEARNT_CLASS;
        bool found = false, agrees = false;
        mox__db_bind(index, entry, (const struct val[]){V_INT(mailbox), V_INT(uid)}, 2);
        while (mox__db_step(index, entry)) {
            found = true;
            agrees = (uint64_t)sqlite3_column_int64(entry, 1) > c->file->modseq ||
                     kind == mox__learnt_wanted((uint32_t)sqlite3_column_int64(entry, 0));
        }
        if (!found || !agrees)
            mox__problem(c->problems, "it has learnt UID %lld of mailbox %lld, which %s", uid,
                         mailbox, found ? "has other flags" : "does not exist");
    }
    (void)sqlite3_finalize(s);
    (void)sqlite3_finalize(entry);
}

/* What is judged was learnt. */
static void check_judged(struct check *c)
{
    struct db *db = &c->file->words->db, *index = &c->a->writer;
    sqlite3_stmt *s = NULL;
    if (mox__db_prepare(index, &s,
                        "SELECT mailbox, uid, flags FROM entry WHERE flags & 192 <> 0"
                        " AND modseq <= ?1 AND mailbox NOT IN"
                        " (SELECT id FROM mailbox WHERE substr(name, 1, 1) = '#')") < 0)
        return;
    mox__db_bind(index, s, &(const struct val)V_INT(c->file->modseq), 1);
    while (mox__db_step(index, s)) {
        long long mailbox = sqlite3_column_int64(s, 0), uid = sqlite3_column_int64(s, 1);
        bool found = mox__learnt_wanted((uint32_t)sqlite3_column_int64(s, 2)) == LEARNT_NOTHING;
        sqlite3_stmt *row = db_query(db, SQL_TRAINED_FIND, V_INT(mailbox), V_INT(uid));
        while (mox__db_step(db, row))
            found = true;
        if (!found && db->status == MOX_OK)
            mox__problem(c->problems, "it has not learnt UID %lld of mailbox %lld", uid, mailbox);
    }
    (void)sqlite3_finalize(s);
}

/* ---- the counts, from the messages themselves ---- */

/* The message of an entry, also of one that was removed; 0: erased. */
static uint64_t message_of(struct check *c, sqlite3_stmt *entry, int64_t mailbox, int64_t uid)
{
    uint64_t message = 0;
    mox__db_bind(&c->a->writer, entry, (const struct val[]){V_INT(mailbox), V_INT(uid)}, 2);
    while (mox__db_step(&c->a->writer, entry))
        message = (uint64_t)sqlite3_column_int64(entry, 0);
    return message;
}

/* `memory` becomes what the filter would know if it had learnt just what it says; `copy`, which has all that
 * it knows, what is left when that is forgotten. MOX_ELIMIT, or another failure: nothing is known about its
 * counts. */
static int learn_again(struct check *c, const struct mox_junk_db *memory,
                       const struct mox_junk_db *copy)
{
    struct db *db = &c->file->words->db, *index = &c->a->writer;
    const struct mox_junk_params *params = mox_junk_file_params(c->file->words);
    sqlite3_stmt *s = NULL, *entry = NULL;
    int rc =
        mox__db_prepare(db, &s, "SELECT mailbox, uid, kind, trace FROM trained WHERE kind & 4 = 0");
    if (rc == MOX_OK)
        rc = mox__db_prepare(index, &entry,
                             "SELECT message FROM entry WHERE mailbox = ?1 AND uid = ?2 UNION ALL"
                             " SELECT message FROM gone WHERE mailbox = ?1 AND uid = ?2");
    while (rc == MOX_OK && mox__db_step(db, s)) {
        struct mox_junk_words *words = NULL;
        uint64_t message =
            message_of(c, entry, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1));
        int64_t trace; /* another than when it was learnt, since others were before it */
        bool junk = sqlite3_column_int(s, 2) == LEARNT_SPAM;
        rc = mox__filter_words(c->a, index, params, message, &words, NULL);
        if (rc == MOX_OK)
            rc = mox_junk_learn(memory, params, words, junk, &trace, NULL);
        if (rc == MOX_OK)
            rc = mox_junk_unlearn(copy, words, junk, sqlite3_column_int64(s, 3), NULL);
        mox_junk_words_free(words);
    }
    (void)sqlite3_finalize(s);
    (void)sqlite3_finalize(entry);
    return rc;
}

static void compare_page(struct check *c, const struct mox_junk_db *memory, struct junk_page *page,
                         size_t *known, size_t *wrong)
{
    struct junk_row row;
    while (mox__junk_page_next(page, &row)) {
        struct mox_junk_count count = {.key = row.key};
        (void)memory->ops->find(memory->self, &count, 1, NULL);
        ++*known;
        *wrong += count.hams != (uint32_t)row.hams || count.spams != (uint32_t)row.spams;
    }
    if (page->damaged)
        mox__problem(c->problems, "page %" PRIu64 " of its words makes no sense", page->number);
}

static void compare_counts(struct check *c, struct mox_junk_memory *known_again)
{
    const struct mox_junk_db memory = mox_junk_memory_db(known_again);
    const struct mox_junk_db stored = mox_junk_file_db(c->file->words);
    struct db *db = &c->file->words->db;
    struct mox_junk_totals is = {0}, should = {0};
    size_t known = 0, wrong = 0;
    (void)stored.ops->totals(stored.self, &is, NULL);
    (void)memory.ops->totals(memory.self, &should, NULL);
    if (is.hams != should.hams || is.spams != should.spams)
        mox__problem(c->problems,
                     "it says that it has learnt %" PRIu32 " and %" PRIu32
                     " messages, but it is %" PRIu32 " and %" PRIu32,
                     is.hams, is.spams, should.hams, should.spams);
    sqlite3_stmt *s = db_query(db, SQL_JUNK_PAGES, V_INT(0));
    while (mox__db_step(db, s)) {
        struct junk_page page =
            mox__junk_page((uint64_t)sqlite3_column_int64(s, 0), mox__db_blob(s, 1));
        compare_page(c, &memory, &page, &known, &wrong);
    }
    if (wrong > 0)
        mox__problem(c->problems, "%zu of %zu words have wrong counts", wrong, known);
    if (known != mox__junk_memory_count(known_again))
        mox__problem(c->problems, "it knows %zu words instead of %zu", known,
                     mox__junk_memory_count(known_again));
}

/* Weights depend on the order of learning, but what each message added was kept. */
static void check_weights(struct check *c, struct mox_junk_memory *copy)
{
    const uint64_t *weights = mox__junk_memory_weights(copy);
    size_t wrong = 0;
    for (size_t i = 0; i < MOX_JUNK_WEIGHTS; i++)
        wrong += weights[i] != 0;
    if (wrong > 0)
        mox__problem(c->problems, "%zu weights are not those of the messages that it has learnt",
                     wrong);
}

static void check_counts(struct check *c)
{
    struct mox_junk_memory *memory = NULL, *copy = NULL;
    int rc = mox_junk_memory_new(&memory, c->a->env, RECOUNT_BYTES_MAX);
    if (rc == MOX_OK)
        rc = mox_junk_memory_new(&copy, c->a->env, RECOUNT_BYTES_MAX);
    if (rc == MOX_OK)
        rc = mox_junk_file_load(c->file->words, copy, NULL);
    if (rc == MOX_OK) {
        const struct mox_junk_db fresh = mox_junk_memory_db(memory);
        const struct mox_junk_db known = mox_junk_memory_db(copy);
        rc = learn_again(c, &fresh, &known);
    }
    if (rc == MOX_OK) {
        compare_counts(c, memory);
        check_weights(c, copy);
    }
    mox_junk_memory_free(memory);
    mox_junk_memory_free(copy);
}

static int check_file(struct check *c, struct filter *f, struct mox_error *err)
{
    struct filter_file *file = c->file;
    const unsigned before = c->problems->count;
    int rc = mox__filter_file_open(f, file, f->path, err);
    if (rc == MOX_ECORRUPT) {
        mox__problem(c->problems, "%s", err->text);
        return MOX_OK;
    }
    if (rc < 0)
        return rc;
    struct db *db = &file->words->db;
    check_integrity(c);
    check_modseq(c);
    if (!file->relearn) {
        check_learnt(c);
        check_judged(c);
        if (c->problems->count == before)
            check_counts(c);
    }
    if (db->status == MOX_ECORRUPT)
        mox__problem(c->problems, "%s", db->error.text);
    else if (db->status < 0)
        rc = mox__fail(err, db->status, "verify %s: %s", f->path, db->error.text);
    mox__filter_file_close(f, file);
    return rc;
}

int mox__filter_verify(struct mox_account *a, struct problems *problems, struct mox_error *err)
{
    struct filter_file file = {0};
    struct filter f = {.account = a};
    struct check c = {.a = a, .file = &file, .problems = problems};
    mox__problems_about(problems, "account %s: junk filter: ", a->name);
    mox_junk_params_init(&f.params); /* the file has its own */
    f.path = mox__path(a->env, "%s/junk.db", a->dir);
    int rc = f.path == NULL
                 ? mox__fail(err, MOX_ENOMEM, "verify account %s: out of memory", a->name)
                 : MOX_OK;
    if (rc == MOX_OK && access(f.path, F_OK) == 0)
        rc = check_file(&c, &f, err);
    mox__mem_free(a->env, f.path);
    return rc;
}
