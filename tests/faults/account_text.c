/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults/need.h"
#include "faults/steps.h"
#include "support/cm.h"

/* Everything that clients can see of an account, and what later answers depend on. Rows whose order
 * says nothing are sorted. The account's numbers are the first line. */
static const char *const queries[] = {
    "SELECT 'account', modseq, uidvalidity FROM account",
    "SELECT 'mailbox', id, name, uidvalidity, uidnext, messages, unseen, deleted, bytes, modseq,"
    " createseq, special_use, keywords, removed FROM mailbox WHERE name NOT LIKE '#%' ORDER BY id",
    "SELECT 'subscription', name FROM subscription ORDER BY name",
    "SELECT 'gone', mailbox, uid, modseq FROM gone ORDER BY mailbox, uid",
    "SELECT 'credential', kind FROM credential ORDER BY kind",
    "SELECT 'verdict', mailbox, uid, hash, origin, junk FROM verdict ORDER BY mailbox, uid, hash",
    "SELECT 'outgoing', minute, recipients, fresh FROM outgoing ORDER BY minute",
    "SELECT 'contact', person FROM contact ORDER BY person",
    "SELECT 'entry', e.mailbox, e.uid, e.modseq, e.flags, e.keywords, e.bytes, e.origin, e.held, "
    "m.message_id,"
    " hex(m.envelope), c.prefix FROM entry e JOIN message m ON m.id = e.message"
    " JOIN content c ON c.message = m.id JOIN mailbox b ON b.id = e.mailbox"
    " WHERE b.name NOT LIKE '#%' ORDER BY e.mailbox, e.uid",
};

static const char *const passwords[] = {"the first password", "the second password"};

static void print_rows(FILE *out, sqlite3 *db, const char *query)
{
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &s, NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(s); i++)
            (void)fprintf(out, "%s ", (const char *)sqlite3_column_text(s, i));
        (void)fputc('\n', out);
    }
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
}

/* ---- contents, as the store gives them ---- */

static int print_content(void *user, const struct mox_message_data *data)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < data->content.len; i++)
        h = (h ^ data->content.data[i]) * 0x100000001b3u;
    (void)fprintf(user, "content %lu %llu %zu %llx\n", (unsigned long)data->uid,
                  (unsigned long long)data->bytes, data->content.len, (unsigned long long)h);
    return 0;
}

static void print_contents(FILE *out, struct storefix *f)
{
    const struct mox_mailboxes *list = NULL;
    struct mox_uid_range all = {1, UINT32_MAX};
    assert_int_equal(f->mail.ops->mailboxes(f->mail.self, &list, NULL), MOX_OK);
    for (size_t i = 0; i < list->count; i++) {
        struct mox_view *view = NULL;
        struct mox_error err = {0};
        (void)fprintf(out, "name %s %llu %d\n", list->list[i].name,
                      (unsigned long long)list->list[i].id, list->list[i].subscribed);
        if (list->list[i].id == 0)
            continue;
        assert_int_equal(f->mail.ops->view(f->mail.self, list->list[i].id, &view, NULL), MOX_OK);
        if (f->mail.ops->fetch(f->mail.self, view, &all, 1, MOX_FETCH_CONTENT, print_content, out,
                               &err) < 0)
            fail_msg("%s", err.text);
        mox_view_unref(view);
    }
    mox_mailboxes_unref(list);
}

char *account_text(struct storefix *f)
{
    char path[128], *text = NULL;
    size_t len = 0;
    sqlite3 *db = NULL;
    FILE *out = need(open_memstream(&text, &len));
    (void)snprintf(path, sizeof path, "%s/accounts/mjl/index.db", f->dir);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 5000);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        print_rows(out, db, queries[i]);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    print_contents(out, f);
    (void)fflush(out);
    bool has_password = strstr(text, "\ncredential") != NULL;
    for (size_t i = 0; has_password && i < sizeof passwords / sizeof passwords[0]; i++)
        (void)fprintf(out, "%s %d\n", passwords[i],
                      mox_account_check_password(f->account, passwords[i], NULL));
    assert_int_equal(fclose(out), 0);
    return text;
}
