/* SPDX-License-Identifier: MIT */
#include "store/filterfix.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/cm.h"

static const struct mox_junk_params params = {.size = sizeof params,
                                              .onegrams = true,
                                              .max_power = 0.01,
                                              .top_words = 10,
                                              .ignore_words = 0.1,
                                              .rare_words = 2};
static const struct mox_account_config with = {.size = sizeof with, .junk = &params};
static const struct mox_account_config without = {.size = sizeof without};

const struct mox_account_config *filter_config(void)
{
    return &with;
}

const struct mox_account_config *no_filter_config(void)
{
    return &without;
}

int filterfix_open(void **state)
{
    struct storefix *f = malloc(sizeof *f);
    assert_non_null(f);
    storefix_init(f);
    f->config = filter_config();
    storefix_start(f);
    *state = f;
    return 0;
}

void assert_learnt(struct storefix *f, unsigned hams, unsigned spams)
{
    static const char message[] = "Subject: a question\r\n\r\nWho are you?\r\n";
    struct mox_slice content = {(const uint8_t *)message, sizeof message - 1};
    struct mox_junk_verdict v = {0};
    struct mox_error err = {0};
    /* each call learns some first; a filter that is built anew takes a while */
    for (unsigned i = 0; i < 12000 && (i == 0 || v.hams != hams || v.spams != spams); i++) {
        if (i >= 10)
            (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        if (mox_account_classify(f->account, content, &v, NULL, &err) < 0)
            fail_msg("%s", err.text);
    }
    assert_int_equal(v.hams, hams);
    assert_int_equal(v.spams, spams);
}

uint32_t add_marked(struct storefix *f, const char *mailbox, const char *headers, uint32_t flags)
{
    struct mox_append op = {
        .mailbox = box_id(f, mailbox), .spool = mail_spool(f, headers, 20), .flags = flags};
    if (wait_append(f, &op) < 0)
        fail_msg("%s", op.write.error.text);
    mox_spool_free(op.spool);
    return op.uid;
}

void mark(struct storefix *f, const char *mailbox, uint32_t uid, uint32_t flags)
{
    struct mox_uid_range range = {uid, uid};
    struct mox_set_flags op = {.mailbox = box_id(f, mailbox),
                               .ranges = &range,
                               .range_count = 1,
                               .mode = MOX_FLAGS_SET,
                               .flags = flags};
    assert_int_equal(wait_set_flags(f, &op), MOX_OK);
}

void expunge(struct storefix *f, const char *mailbox, uint32_t uid)
{
    struct mox_uid_range range = {uid, uid};
    struct mox_expunge op = {.mailbox = box_id(f, mailbox), .ranges = &range, .range_count = 1};
    assert_int_equal(wait_expunge(f, &op), MOX_OK);
}

void copy_to(struct storefix *f, const char *mailbox, uint32_t uid, const char *to, bool move)
{
    struct mox_uid_range range = {uid, uid};
    struct mox_copy op = {.mailbox = box_id(f, mailbox),
                          .destination = box_id(f, to),
                          .ranges = &range,
                          .range_count = 1,
                          .move = move};
    assert_int_equal(wait_copy(f, &op), MOX_OK);
    mox_copy_free(&op);
}

void junk_path(const struct storefix *f, const char *suffix, char out[128])
{
    (void)snprintf(out, 128, "%s/accounts/mjl/junk.db%s", f->dir, suffix);
}

static sqlite3 *junk_open(struct storefix *f)
{
    char path[128];
    sqlite3 *db = NULL;
    junk_path(f, "", path);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 60000);
    return db;
}

long long junk_query(struct storefix *f, const char *sql)
{
    sqlite3 *db = junk_open(f);
    sqlite3_stmt *s = NULL;
    long long n = -1;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    if (sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

char *known_words(struct storefix *f)
{
    sqlite3 *db = junk_open(f);
    sqlite3_stmt *s = NULL;
    char *out = NULL;
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT group_concat(id || ' ' || hex(words), char(10)) FROM"
                           " (SELECT * FROM page ORDER BY id)",
                           -1, &s, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    const char *text = (const char *)sqlite3_column_text(s, 0);
    out = strdup(text == NULL ? "" : text);
    sqlite3_finalize(s);
    sqlite3_close(db);
    assert_non_null(out);
    return out;
}
