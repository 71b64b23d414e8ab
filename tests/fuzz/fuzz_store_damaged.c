/* SPDX-License-Identifier: MIT */

/* An account whose database was damaged gives errors, and what is read of it is within bounds; it is
 * opened, read, written to and verified, and none of that crashes or leaks. Input: how it is damaged, and
 * the damage: bytes at places of the file, cells of the tables, or the file itself. */

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/input.h"
#include "store/storefix.h"

#define COLUMNS_MAX 128
#define ROWS_SEEN   64

/* The sound database, made once. */
static struct {
    struct storefix fix;
    char path[128];
    uint8_t *data;
    size_t len;
    struct column {
        char table[64], name[64];
    } columns[COLUMNS_MAX];
    size_t column_count;
} base;

static void fail_if(bool failed, const char *what)
{
    if (!failed)
        return;
    (void)fprintf(stderr, "%s failed\n", what);
    abort();
}

static void write_file(const char *path, struct mox_slice data)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    fail_if(fd < 0 || write(fd, data.data == NULL ? "" : (const void *)data.data, data.len) !=
                          (ssize_t)data.len,
            path);
    (void)close(fd);
}

static void list_columns(void)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    fail_if(sqlite3_open(base.path, &db) != SQLITE_OK ||
                sqlite3_prepare_v2(db,
                                   "SELECT m.name, p.name FROM sqlite_schema m, "
                                   "pragma_table_info(m.name) p WHERE m.type = 'table' AND "
                                   "m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2",
                                   -1, &s, NULL) != SQLITE_OK,
            "list of columns");
    while (sqlite3_step(s) == SQLITE_ROW && base.column_count < COLUMNS_MAX) {
        struct column *c = &base.columns[base.column_count++];
        (void)snprintf(c->table, sizeof c->table, "%s", (const char *)sqlite3_column_text(s, 0));
        (void)snprintf(c->name, sizeof c->name, "%s", (const char *)sqlite3_column_text(s, 1));
    }
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
}

static void remove_base(void)
{
    remove_tree(base.fix.dir);
}

/* Some of everything: mailboxes, flags, keywords, an answer, a copy, a removed message, a large body.
 */
static void make_base(void)
{
    struct storefix *f = &base.fix;
    static const char *const keywords[] = {"blue", "red"};
    const struct mox_uid_range first = {1, 1}, second = {2, 2};
    storefix_init_fast(f);
    (void)atexit(remove_base);
    storefix_start(f);
    uint64_t inbox = box_id(f, "Inbox"), archive = box_id(f, "Archive");
    (void)add_mail(f, inbox, "Subject: one\r\nMessage-Id: <a@b>\r\n", 100);
    (void)add_mail(f, inbox, "Subject: Re: one\r\nReferences: <a@b>\r\n", 3000);
    (void)add_mail(f, inbox, "Subject: large\r\n", MOX_SPOOL_INLINE_MAX + 10);
    struct mox_set_flags flags = {.mailbox = inbox,
                                  .ranges = &first,
                                  .range_count = 1,
                                  .flags = MOX_FLAG_SEEN | MOX_FLAG_JUNK,
                                  .keywords = keywords,
                                  .keyword_count = 2};
    struct mox_copy copy = {
        .mailbox = inbox, .destination = archive, .ranges = &first, .range_count = 1};
    struct mox_expunge expunge = {.mailbox = inbox, .ranges = &second, .range_count = 1};
    fail_if(wait_set_flags(f, &flags) < 0 || wait_copy(f, &copy) < 0 ||
                wait_expunge(f, &expunge) < 0,
            "the sound account");
    mox_copy_free(&copy);
    storefix_stop(f);
    (void)snprintf(base.path, sizeof base.path, "%s/accounts/mjl/index.db", f->dir);
    (void)query(f, "PRAGMA wal_checkpoint(TRUNCATE)");
    list_columns();

    int fd = open(base.path, O_RDONLY);
    struct stat st;
    fail_if(fd < 0 || fstat(fd, &st) < 0, base.path);
    base.len = (size_t)st.st_size;
    base.data = malloc(base.len);
    fail_if(base.data == NULL || read(fd, base.data, base.len) != (ssize_t)base.len, base.path);
    (void)close(fd);
}

/* --- damage --- */

static void damage_bytes(struct input *in)
{
    uint8_t *copy = malloc(base.len);
    size_t len = base.len;
    fail_if(copy == NULL, "malloc");
    memcpy(copy, base.data, base.len);
    if (input_byte(in) % 8 == 0)
        len = base.len * input_byte(in) / 256;
    while (in->rest.len > 2 && len > 0) {
        size_t at = ((size_t)input_below(in, 65535) * 257 + input_byte(in)) % len;
        struct mox_slice bytes = input_bytes(in, 1u + input_below(in, 8));
        if (bytes.len > 0)
            memcpy(copy + at, bytes.data, bytes.len < len - at ? bytes.len : len - at);
    }
    write_file(base.path, slice(copy, len));
    free(copy);
}

static void set_cell(sqlite3 *db, struct input *in)
{
    const struct column *c = &base.columns[input_below(in, (unsigned)base.column_count)];
    unsigned row = input_byte(in) % ROWS_SEEN;
    uint8_t kind = input_byte(in);
    char sql[512], value[64];
    struct mox_slice text = {0};
    static const char *const numbers[] = {
        "0",   "-1", "1", "2147483648", "4294967295", "9223372036854775807", "-9223372036854775808",
        "NULL"};
    if (kind % 4 == 0)
        (void)snprintf(value, sizeof value, "%s", numbers[kind / 4 % 8]);
    else if (kind % 4 == 1)
        (void)snprintf(value, sizeof value, "%d", input_byte(in) - 8);
    else
        (void)snprintf(value, sizeof value, kind % 4 == 2 ? "CAST(?1 AS TEXT)" : "?1");
    if (kind % 4 > 1)
        text = input_bytes(in, input_byte(in));
    /* Two rows of a table may become the same: then the statement fails, and that is fine. */
    (void)snprintf(sql, sizeof sql,
                   "UPDATE OR IGNORE %s SET %s = %s WHERE (SELECT count(*) FROM %s) > 0 AND %s IS "
                   "(SELECT %s FROM %s LIMIT 1 OFFSET %u %% (SELECT count(*) FROM %s))",
                   c->table, c->name, value, c->table, c->name, c->name, c->table, row, c->table);
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK) {
        (void)sqlite3_bind_blob(s, 1, text.data == NULL ? (const void *)"" : text.data,
                                (int)text.len, SQLITE_STATIC);
        (void)sqlite3_step(s);
    }
    (void)sqlite3_finalize(s);
}

static void damage_cells(struct input *in)
{
    sqlite3 *db = NULL;
    write_file(base.path, slice(base.data, base.len));
    fail_if(sqlite3_open(base.path, &db) != SQLITE_OK, base.path);
    (void)sqlite3_exec(db,
                       "PRAGMA synchronous = OFF; PRAGMA ignore_check_constraints = ON; "
                       "PRAGMA foreign_keys = OFF; BEGIN",
                       NULL, NULL, NULL);
    while (in->rest.len > 0)
        set_cell(db, in);
    (void)sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    (void)sqlite3_close(db);
}

static void damage(struct input *in)
{
    char wal[160];
    (void)snprintf(wal, sizeof wal, "%s-wal", base.path);
    (void)unlink(wal);
    memcpy(wal + strlen(base.path), "-shm", 5);
    (void)unlink(wal);
    switch (input_byte(in) % 4) {
    case 0:
        damage_bytes(in);
        break;
    case 1:
        write_file(base.path, in->rest);
        break;
    default:
        damage_cells(in);
    }
}

/* --- use --- */

static int look(void *user, const struct mox_message_data *data)
{
    const struct mox_slice all[] = {data->envelope,  data->body,   data->bodystructure,
                                    data->structure, data->prefix, data->content};
    unsigned *sum = user;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (size_t k = 0; k < all[i].len; k++)
            *sum += all[i].data[k];
    return 0;
}

static void read_box(struct mox_mailstore *m, uint64_t id)
{
    struct mox_mailbox_status status;
    struct mox_view *view = NULL;
    struct mox_error err;
    unsigned sum = 0, count;
    (void)!m->ops->status(m->self, id, &status, &err);
    if (m->ops->view(m->self, id, &view, &err) < 0) {
        assert(err.text[0] != '\0');
        return;
    }
    for (uint32_t i = 1; i < mox_view_count(view); i++)
        assert(mox_view_row(view, i - 1)->uid < mox_view_row(view, i)->uid);
    (void)mox_view_keywords(view, &count);
    assert(count <= MOX_KEYWORDS_MAX);
    const struct mox_uid_range all = {1, UINT32_MAX};
    const unsigned wants = MOX_FETCH_ENVELOPE | MOX_FETCH_BODY | MOX_FETCH_BODYSTRUCTURE |
                           MOX_FETCH_STRUCTURE | MOX_FETCH_CONTENT;
    int rc = m->ops->fetch(m->self, view, &all, 1, wants, look, &sum, &err);
    assert(rc == MOX_OK || err.text[0] != '\0');
    mox_view_unref(view);
}

static void write_box(struct storefix *f, uint64_t id, uint64_t other)
{
    const struct mox_uid_range all = {1, UINT32_MAX};
    static const char *const keyword[] = {"green"};
    struct mox_append append = {.mailbox = id, .spool = mail_spool(f, "Subject: new\r\n", 10)};
    struct mox_set_flags flags = {.mailbox = id,
                                  .ranges = &all,
                                  .range_count = 1,
                                  .mode = MOX_FLAGS_ADD,
                                  .flags = MOX_FLAG_DELETED | MOX_FLAG_NOTJUNK,
                                  .keywords = keyword,
                                  .keyword_count = 1};
    struct mox_copy copy = {.mailbox = id, .destination = other, .ranges = &all, .range_count = 1};
    struct mox_expunge expunge = {
        .mailbox = id, .ranges = &all, .range_count = 1, .only_deleted = true};
    (void)wait_append(f, &append);
    (void)wait_set_flags(f, &flags);
    if (wait_copy(f, &copy) == MOX_OK)
        mox_copy_free(&copy);
    (void)wait_expunge(f, &expunge);
    mox_spool_free(append.spool);
}

static void use(struct storefix *f)
{
    const struct mox_mailboxes *list = NULL;
    struct mox_error err;
    f->mail = mox_account_mailstore(f->account);
    if (f->mail.ops->mailboxes(f->mail.self, &list, &err) < 0)
        return;
    for (size_t i = 0; i < list->count; i++) {
        assert(mox__slice_is_utf8(slice_of(list->list[i].name)));
        if (list->list[i].id != 0)
            read_box(&f->mail, list->list[i].id);
    }
    for (size_t i = 0; i < list->count && i < 2; i++)
        if (list->list[i].id != 0)
            write_box(f, list->list[i].id, list->list[list->count - 1 - i].id);
    if (list->count > 1) {
        struct mox_mailbox_change change = {.kind = MOX_MAILBOX_RENAME,
                                            .name = list->list[list->count - 1].name,
                                            .new_name = "Renamed/x"};
        (void)wait_change(f, &change);
        change =
            (struct mox_mailbox_change){.kind = MOX_MAILBOX_DELETE, .name = list->list[1].name};
        (void)wait_change(f, &change);
    }
    mox_mailboxes_unref(list);
}

static void count_problem(void *user, const char *text)
{
    assert(text[0] != '\0');
    ++*(unsigned *)user;
}

static void verify(struct storefix *f)
{
    struct mox_error err = {0};
    unsigned problems = 0;
    int rc = mox_store_verify(&f->t.env, f->dir, count_problem, &problems, &err);
    assert((rc == MOX_OK) == (problems == 0 && err.text[0] == '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input in = {{data, len}};
    struct mox_error err = {0};
    if (base.data == NULL)
        make_base();
    struct storefix *f = &base.fix;
    f->t.log_level = MOX_LOG_FATAL;
    damage(&in);
    verify(f);
    assert(mox_store_open(&f->store, &f->t.env, f->dir, &err) == MOX_OK);
    int rc = mox_account_open(&f->account, f->store, "mjl", MOX_ACCOUNT_EXISTING, NULL, &err);
    assert(rc == MOX_OK || (f->account == NULL && err.text[0] != '\0'));
    if (rc == MOX_OK)
        use(f);
    storefix_stop(f);
    verify(f);
    assert(f->t.live == 0);
    return 0;
}
