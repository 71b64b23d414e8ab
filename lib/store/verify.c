/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <mox/header.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/auth_db.h"
#include "store/filter.h"
#include "store/store.h"
#include "store/thread.h"

/* Everything that must hold of an account, as queries whose rows are problems, and a look at its
 * files. */

struct check {
    const struct mox_env *env;
    struct mox_account *a; /* just its paths and the writer */
    struct problems *problems;
    struct mox_error *err;
};

/* Each query gives up to three numbers for its text. */
static const struct rule {
    const char *query, *text;
} rules[] = {
    {"SELECT id, messages, n FROM (SELECT m.id, m.messages, (SELECT count(*) FROM entry e"
     " WHERE e.mailbox = m.id) AS n FROM mailbox m) WHERE messages <> n",
     "mailbox %lld says that it has %lld messages, but has %lld"},
    {"SELECT id, unseen, n FROM (SELECT m.id, m.unseen, (SELECT count(*) FROM entry e"
     " WHERE e.mailbox = m.id AND e.flags & 1 = 0) AS n FROM mailbox m) WHERE unseen <> n",
     "mailbox %lld says that it has %lld unseen messages, but has %lld"},
    {"SELECT id, deleted, n FROM (SELECT m.id, m.deleted, (SELECT count(*) FROM entry e"
     " WHERE e.mailbox = m.id AND e.flags & 8) AS n FROM mailbox m) WHERE deleted <> n",
     "mailbox %lld says that it has %lld deleted messages, but has %lld"},
    {"SELECT id, bytes, n FROM (SELECT m.id, m.bytes, (SELECT coalesce(sum(e.bytes), 0) FROM entry "
     "e"
     " WHERE e.mailbox = m.id) AS n FROM mailbox m) WHERE bytes <> n",
     "mailbox %lld says that it has %lld bytes, but has %lld"},
    {"SELECT e.mailbox, e.uid, m.uidnext FROM entry e JOIN mailbox m ON m.id = e.mailbox"
     " WHERE e.uid >= m.uidnext OR e.uid < 1",
     "mailbox %lld: UID %lld is not below UIDNEXT %lld"},
    {"SELECT g.mailbox, g.uid, m.uidnext FROM gone g JOIN mailbox m ON m.id = g.mailbox"
     " WHERE g.uid >= m.uidnext",
     "mailbox %lld: removed UID %lld is not below UIDNEXT %lld"},
    {"SELECT g.mailbox, g.uid FROM gone g JOIN entry e ON e.mailbox = g.mailbox AND e.uid = g.uid",
     "mailbox %lld: UID %lld is there and removed"},
    {"SELECT e.mailbox, e.uid, e.modseq FROM entry e JOIN mailbox m ON m.id = e.mailbox"
     " WHERE e.modseq > m.modseq OR e.modseq < 1",
     "mailbox %lld: UID %lld has modseq %lld, above its mailbox's"},
    {"SELECT g.mailbox, g.uid, g.modseq FROM gone g JOIN mailbox m ON m.id = g.mailbox"
     " WHERE g.modseq > m.modseq",
     "mailbox %lld: removed UID %lld has modseq %lld, above its mailbox's"},
    {"SELECT m.id, m.modseq, a.modseq FROM mailbox m, account a WHERE m.modseq > a.modseq",
     "mailbox %lld has modseq %lld, above the account's %lld"},
    {"SELECT m.id, m.uidvalidity, a.uidvalidity FROM mailbox m, account a"
     " WHERE m.uidvalidity >= a.uidvalidity",
     "mailbox %lld has UIDVALIDITY %lld, not below the account's next, %lld"},
    {"SELECT e.mailbox, e.uid FROM entry e JOIN mailbox m ON m.id = e.mailbox WHERE m.removed <> 0",
     "removed mailbox %lld still has UID %lld"},
    {"SELECT e.mailbox, e.uid, e.message FROM entry e LEFT JOIN message m ON m.id = e.message"
     " WHERE m.id IS NULL",
     "mailbox %lld: UID %lld refers to message %lld, which is missing"},
    {"SELECT e.mailbox, e.uid, e.message FROM entry e JOIN message m ON m.id = e.message"
     " WHERE e.bytes <> m.bytes",
     "mailbox %lld: UID %lld has another size than its message %lld"},
    {"SELECT g.mailbox, g.uid, g.message FROM gone g LEFT JOIN message m ON m.id = g.message"
     " WHERE g.message IS NOT NULL AND m.id IS NULL",
     "mailbox %lld: removed UID %lld refers to message %lld, which is missing"},
    {"SELECT m.id, 1 + coalesce(r.extra, 0), coalesce(u.n, 0) FROM message m"
     " LEFT JOIN ref r ON r.message = m.id LEFT JOIN (SELECT message, count(*) AS n FROM"
     " (SELECT message FROM entry UNION ALL SELECT message FROM gone WHERE message IS NOT NULL)"
     " GROUP BY message) u ON u.message = m.id WHERE 1 + coalesce(r.extra, 0) <> coalesce(u.n, 0)",
     "message %lld counts %lld references, but has %lld"},
    {"SELECT m.id FROM message m LEFT JOIN content c ON c.message = m.id WHERE c.message IS NULL",
     "message %lld has no content"},
    {"SELECT m.id, m.bytes, length(c.prefix) + c.bytes FROM message m"
     " JOIN content c ON c.message = m.id WHERE m.bytes <> length(c.prefix) + c.bytes",
     "message %lld says that it has %lld bytes, but has %lld"},
    {"SELECT message, bytes, length(data) FROM content WHERE data IS NOT NULL"
     " AND length(data) <> bytes",
     "content of message %lld says that it has %lld bytes, but has %lld"},
    {"SELECT m.id, a.message FROM message m, account a WHERE m.id >= a.message",
     "message %lld is not below the next id, %lld"},
    {"SELECT a.arrivals, a.message FROM account a WHERE a.arrivals > a.message OR a.arrivals < 1",
     "what came today begins at message %lld, which is not between 1 and the next id, %lld"},
    {"SELECT k.hash, k.message FROM key k LEFT JOIN message m ON m.id = k.message"
     " WHERE m.id IS NULL",
     "key %lld refers to message %lld, which is missing"},
    {"SELECT v.mailbox, v.uid, v.message FROM verdict v LEFT JOIN entry e ON e.mailbox = v.mailbox"
     " AND e.uid = v.uid WHERE e.message IS NOT v.message OR e.origin IS NOT v.origin"
     " OR e.flags & 192 = 0 OR (e.flags & 64 <> 0) <> v.junk",
     "verdict of mailbox %lld, UID %lld on message %lld does not agree with its flags"},
    {"SELECT e.mailbox, e.uid, e.message FROM entry e JOIN message m ON m.id = e.message"
     " WHERE e.flags & 192 <> 0 AND coalesce(m.msg_from_domain, '') <> '' AND NOT EXISTS"
     " (SELECT 1 FROM verdict v WHERE v.mailbox = e.mailbox AND v.uid = e.uid)",
     "mailbox %lld: UID %lld, message %lld, is judged but has no verdict"},
    {"SELECT n, (SELECT count(*) FROM contact) FROM (SELECT sum(fresh) AS n FROM outgoing)"
     " WHERE n > (SELECT count(*) FROM contact)",
     "%lld people were written to for the first time, but only %lld are known"},
    {"SELECT e.mailbox, e.uid, e.held FROM entry e JOIN message m ON m.id = e.message WHERE e.held "
     "<> 0"
     " AND (e.origin <> m.origin OR coalesce(m.kind, 0) & (CASE e.held WHEN 1 THEN 1 WHEN 2 THEN "
     "32 ELSE 0"
     " END) = 0)",
     "mailbox %lld: UID %lld is held as %lld, which its message does not say"},
    {"SELECT m.id, m.origin, m.uid FROM message m JOIN mailbox b ON b.id = m.origin"
     " WHERE m.uid < 1 OR m.uid >= b.uidnext",
     "message %lld says that mailbox %lld gave it UID %lld, which that never did"},
    {"SELECT count(*) FROM subjectpass WHERE length(key) <> 16 HAVING count(*) > 0",
     "%lld keys for tokens in subjects do not have 16 characters"},
    {"SELECT id FROM message WHERE thread > id OR parent >= id AND parent <> 0",
     "message %lld has a later message as its thread or parent"},
};

static void check_rules(struct check *c)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        sqlite3_stmt *s = NULL;
        if (mox__db_prepare(&c->a->writer, &s, rules[i].query) < 0)
            return;
        while (mox__db_step(&c->a->writer, s)) {
            long long n[3] = {sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1),
                              sqlite3_column_int64(s, 2)};
            char text[256]; /* the text has one to three of the numbers, always in this order */
            const char *at = rules[i].text;
            size_t len = 0;
            for (size_t k = 0; *at != '\0' && len < sizeof text - 24;) {
                if (strncmp(at, "%lld", 4) == 0) {
                    len += (size_t)snprintf(text + len, 24, "%lld", n[k < 2 ? k : 2]);
                    k++;
                    at += 4;
                } else {
                    text[len++] = *at++;
                }
            }
            text[len] = '\0';
            mox__problem(c->problems, "%s", text);
        }
        (void)sqlite3_finalize(s);
    }
}

/* SQLite's own checks: the b-trees, and the foreign keys. */
static void check_integrity(struct check *c)
{
    sqlite3_stmt *s = NULL;
    if (mox__db_prepare(&c->a->writer, &s, "PRAGMA integrity_check") == MOX_OK)
        while (mox__db_step(&c->a->writer, s)) {
            const char *text = mox__db_text(s, 0);
            if (text == NULL || strcmp(text, "ok") != 0)
                mox__problem(c->problems, "integrity check: %s", text == NULL ? "no answer" : text);
        }
    (void)sqlite3_finalize(s);
    s = NULL;
    if (mox__db_prepare(&c->a->writer, &s, "PRAGMA foreign_key_check") == MOX_OK)
        while (mox__db_step(&c->a->writer, s))
            mox__problem(c->problems, "table %s has a row without its %s", mox__db_text(s, 0),
                         mox__db_text(s, 2));
    (void)sqlite3_finalize(s);
}

static void check_names(struct check *c)
{
    sqlite3_stmt *s = NULL;
    if (mox__db_prepare(&c->a->writer, &s, "SELECT id, name FROM mailbox") < 0)
        return;
    while (mox__db_step(&c->a->writer, s)) {
        const char *name = mox__db_text(s, 1);
        if (name != NULL && !mox__slice_is_utf8(slice_of(name)))
            mox__problem(c->problems, "mailbox %lld: its name is not UTF-8",
                         sqlite3_column_int64(s, 0));
    }
    (void)sqlite3_finalize(s);
    s = NULL;
    if (mox__db_prepare(&c->a->writer, &s, "SELECT name FROM subscription") < 0)
        return;
    while (mox__db_step(&c->a->writer, s)) {
        const char *name = mox__db_text(s, 0);
        if (name != NULL && !mox__slice_is_utf8(slice_of(name)))
            mox__problem(c->problems, "a subscription: its name is not UTF-8");
    }
    (void)sqlite3_finalize(s);
}

static void check_keywords(struct check *c)
{
    sqlite3_stmt *s = NULL;
    if (mox__db_prepare(&c->a->writer, &s,
                        "SELECT e.mailbox, e.uid, e.keywords, m.keywords"
                        " FROM entry e JOIN mailbox m ON m.id = e.mailbox WHERE e.keywords <> 0") <
        0)
        return;
    while (mox__db_step(&c->a->writer, s)) {
        const char *list = mox__db_text(s, 3);
        unsigned count = list != NULL && list[0] != '\0';
        for (; list != NULL && *list != '\0'; list++)
            count += *list == ' ';
        uint64_t bits = (uint64_t)sqlite3_column_int64(s, 2);
        if (count < MOX_KEYWORDS_MAX && bits >> count != 0)
            mox__problem(c->problems,
                         "mailbox %lld: UID %lld has keywords that the mailbox has not",
                         sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1));
    }
    (void)sqlite3_finalize(s);
}

static void check_key(struct check *c, uint64_t hash, int64_t message, const char *what)
{
    sqlite3_stmt *s = NULL;
    char query[128];
    (void)snprintf(query, sizeof query,
                   "SELECT 1 FROM key WHERE hash = %" PRIu64 " AND message = %" PRId64, hash,
                   message);
    bool found = false;
    if (mox__db_prepare(&c->a->writer, &s, query) == MOX_OK)
        while (mox__db_step(&c->a->writer, s))
            found = true;
    (void)sqlite3_finalize(s);
    if (!found)
        mox__problem(c->problems, "message %" PRId64 " is not found by its %s", message, what);
}

static void check_keys(struct check *c)
{
    sqlite3_stmt *s = NULL;
    if (mox__db_prepare(&c->a->writer, &s,
                        "SELECT id, message_id, thread, hash, subject, origin FROM message") < 0)
        return;
    while (mox__db_step(&c->a->writer, s)) {
        int64_t id = sqlite3_column_int64(s, 0), thread = sqlite3_column_int64(s, 2);
        if (mox__db_text(s, 1) != NULL)
            check_key(c, mox__hash64(slice_of(mox__db_text(s, 1))), id, "message-id");
        if (thread != id)
            check_key(c, mox__thread_key((uint64_t)thread), id, "thread");
        const char *subject = mox__db_text(s, 4);
        if (subject != NULL && subject[0] != '\0')
            check_key(c, mox__subject_key((uint64_t)sqlite3_column_int64(s, 5), subject), id,
                      "subject");
        if (mox__db_blob(s, 3).len > 0)
            check_key(c, mox__hash64(mox__db_blob(s, 3)), id, "hash");
    }
    (void)sqlite3_finalize(s);
}

static void check_headers(struct check *c)
{
    sqlite3_stmt *s = NULL;
    if (mox__db_prepare(&c->a->writer, &s,
                        "SELECT message, header, data FROM content WHERE data IS NOT NULL") < 0)
        return;
    while (mox__db_step(&c->a->writer, s)) {
        size_t end = mox_header_end(mox__db_blob(s, 2));
        if (sqlite3_column_int64(s, 1) != (int64_t)end)
            mox__problem(c->problems, "header of message %lld has %zu bytes instead of %lld",
                         (long long)sqlite3_column_int64(s, 0), end,
                         (long long)sqlite3_column_int64(s, 1));
    }
    (void)sqlite3_finalize(s);
}

/* ---- files ---- */

static void check_present(struct check *c)
{
    sqlite3_stmt *s = NULL;
    if (mox__db_prepare(&c->a->writer, &s,
                        "SELECT message, bytes FROM content WHERE typeof(data) = 'null'") < 0)
        return;
    while (mox__db_step(&c->a->writer, s)) {
        struct stat st;
        uint64_t id = (uint64_t)sqlite3_column_int64(s, 0);
        char *path = mox__account_body_path(c->a, id);
        if (path == NULL)
            (void)mox__db_fail(&c->a->writer, MOX_ENOMEM, "verify");
        else if (stat(path, &st) != 0)
            mox__problem(c->problems, "file of message %" PRIu64 " is missing: %s", id, path);
        else if (st.st_size != sqlite3_column_int64(s, 1))
            mox__problem(c->problems,
                         "file of message %" PRIu64 " has %lld bytes instead of %lld: %s", id,
                         (long long)st.st_size, (long long)sqlite3_column_int64(s, 1), path);
        mox__mem_free(c->a->env, path);
    }
    (void)sqlite3_finalize(s);
}

struct msg_folder {
    struct check *check;
    unsigned xx;
};

static int check_known(void *user, const char *folder, const char *name)
{
    const struct msg_folder *f = user;
    struct check *c = f->check;
    uint64_t id;
    bool known = false;
    if (mox__slice_uint(slice_of(name), INT64_MAX, &id) && id % 256 == f->xx) {
        sqlite3_stmt *s = db_query(&c->a->writer, SQL_CONTENT_FILE, V_INT(id));
        while (mox__db_step(&c->a->writer, s))
            known = true;
    }
    if (!known && c->a->writer.status == MOX_OK)
        mox__problem(c->problems, "unknown file %s/%s", folder, name);
    return MOX_OK;
}

static void check_files(struct check *c)
{
    for (struct msg_folder f = {.check = c}; f.xx < 256; f.xx++) {
        struct mox_error err;
        char *folder = mox__path(c->a->env, "%s/msg/%02x", c->a->dir, f.xx);
        if (folder == NULL)
            (void)mox__db_fail(&c->a->writer, MOX_ENOMEM, "look for message files");
        else if (mox__folder_each(folder, check_known, &f, &err) < 0)
            mox__problem(c->problems, "%s", err.text);
        mox__mem_free(c->a->env, folder);
    }
}

/* What came today begins where the account says; with an hour for a clock that was set back. */
static void check_arrivals(struct check *c)
{
    const struct mox_env *env = c->a->env;
    int64_t now_us = env->wall_us(env->user);
    sqlite3_stmt *s = db_query(&c->a->writer, SQL_MESSAGE_ARRIVED, V_INT(1),
                               V_INT(now_us - INT64_C(23) * 3600 * 1000000));
    while (mox__db_step(&c->a->writer, s)) {
        int64_t id = sqlite3_column_int64(s, 0);
        if ((uint64_t)id < c->a->arrivals_from && sqlite3_column_int64(s, 1) <= now_us)
            mox__problem(c->problems,
                         "message %" PRId64 " came today, but the account begins today at %" PRIu64,
                         id, c->a->arrivals_from);
    }
}

static void read_account(struct check *c)
{
    sqlite3_stmt *s = mox__db_query(&c->a->writer, SQL_ACCOUNT_READ, NULL, 0);
    while (mox__db_step(&c->a->writer, s))
        c->a->arrivals_from = (uint64_t)sqlite3_column_int64(s, 3);
}

/* ---- accounts ---- */

static int check_account(struct check *c, struct mox_error *err)
{
    struct mox_account *a = c->a;
    int rc = mox__wal_settle(a->env, a->db_path, err);
    if (rc == MOX_OK)
        rc = mox__db_open(&a->writer, a->db_path, DB_CHECKPOINT, err);
    if (rc == MOX_OK)
        rc = mox__schema_upgrade(&a->writer, a->db_path, err);
    if (rc == MOX_ECORRUPT) {
        mox__problem(c->problems, "%s", err->text);
        mox__db_close(&a->writer);
        return MOX_OK;
    }
    if (rc == MOX_OK) {
        check_integrity(c);
        check_rules(c);
        check_names(c);
        check_keywords(c);
        check_keys(c);
        if (c->a->writer.status == MOX_OK)
            check_headers(c);
        check_present(c);
        read_account(c);
        check_arrivals(c);
        check_files(c);
        if (a->writer.status == MOX_ECORRUPT)
            mox__problem(c->problems, "%s", a->writer.error.text);
        else if (a->writer.status < 0)
            rc = mox__fail(err, a->writer.status, "verify account %s: %s", a->name,
                           a->writer.error.text);
        else
            rc = mox__filter_verify(a, c->problems, err);
    }
    mox__db_close(&a->writer);
    return rc;
}

static int check_named(void *user, const char *accounts, const char *name)
{
    struct check *c = user;
    const struct mox_env *env = c->env;
    struct mox_account a = {.env = env};
    struct stat st;
    if (name[0] == '.')
        return MOX_OK;
    a.name = mox__strndup(env, name, strlen(name));
    a.dir = mox__path(env, "%s/%s", accounts, name);
    a.db_path = mox__path(env, "%s/%s/index.db", accounts, name);
    int rc = MOX_OK;
    c->a = &a;
    mox__problems_about(c->problems, "account %s: ", name);
    if (a.name == NULL || a.dir == NULL || a.db_path == NULL)
        rc = mox__fail(c->err, MOX_ENOMEM, "verify account %s: out of memory", name);
    else if (stat(a.db_path, &st) != 0)
        mox__problem(c->problems, "it has no database %s", a.db_path);
    else
        rc = check_account(c, c->err);
    mox__mem_free(env, a.name);
    mox__mem_free(env, a.dir);
    mox__mem_free(env, a.db_path);
    return rc;
}

int mox_store_verify(const struct mox_env *env, const char *dir,
                     void (*report)(void *user, const char *text), void *user,
                     struct mox_error *err)
{
    struct mox_error own;
    if (err == NULL)
        err = &own;
    struct mox_store *s = NULL; /* for its lock */
    int rc = mox_store_open(&s, env, dir, err);
    if (rc < 0)
        return rc;
    struct problems problems = {.report = report, .user = user};
    struct check c = {.env = env, .problems = &problems, .err = err};
    char *accounts = mox__path(env, "%s/accounts", dir);
    if (accounts == NULL)
        rc = mox__fail(err, MOX_ENOMEM, "verify %s: out of memory", dir);
    else
        rc = mox__folder_each(accounts, check_named, &c, err);
    mox__mem_free(env, accounts);
    if (rc == MOX_OK)
        rc = mox__auth_verify(env, dir, &problems, err);
    mox_store_close(s);
    if (rc == MOX_OK && problems.count > 0)
        rc = mox__fail(err, MOX_ECORRUPT, "verify %s: %u problems", dir, problems.count);
    return rc;
}
