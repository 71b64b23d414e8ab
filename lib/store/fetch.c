/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/store.h"

enum column {
    C_UID,
    C_MESSAGE,
    C_BYTES,
    C_RECEIVED,
    C_SAVED,
    C_UTF8,
    C_ENVELOPE,
    C_BODY,
    C_BODYSTRUCTURE,
    C_STRUCTURE,
    C_PREFIX,
    C_CONTENT_BYTES,
    C_DATA,  /* of MOX_FETCH_HEADER: whether there is any */
    C_HEADER /* of MOX_FETCH_HEADER */
};

struct fetch {
    struct mox_account *a;
    struct db *db;
    unsigned wants;
    uint64_t mailbox;
    int (*each)(void *user, const struct mox_message_data *data);
    void *user;
    struct mox_error *err;
    sqlite3_blob *blob; /* content.data of some row, once a header was read */
    uint8_t *header;    /* the last one that was */
    size_t header_cap;
};

/* A column that is not wanted is not read: SQLite copies what lies on several pages. The joins are
 * walked in the order written, messages of a mailbox lie next to each other. */
static sqlite3_stmt *statement(struct fetch *f, bool gone)
{
    unsigned w = f->wants;
    sqlite3_stmt **stmt = &f->db->fetch[w | (gone ? FETCH_GONE : 0)];
    if (*stmt != NULL)
        return *stmt;
    bool content = (w & (MOX_FETCH_CONTENT | MOX_FETCH_HEADER)) != 0;
    char text[768];
    (void)snprintf(text, sizeof text,
                   "SELECT e.uid, e.message, m.bytes, m.received, %s, m.utf8, %s, %s, %s, %s, %s"
                   " FROM %s e CROSS JOIN message m ON m.id = e.message%s"
                   " WHERE e.mailbox = ?1 AND e.uid BETWEEN ?2 AND ?3%s ORDER BY e.uid",
                   gone ? "m.received" : "e.saved", w & MOX_FETCH_ENVELOPE ? "m.envelope" : "NULL",
                   w & MOX_FETCH_BODY ? "m.body" : "NULL",
                   w & MOX_FETCH_BODYSTRUCTURE ? "m.bodystructure" : "NULL",
                   w & MOX_FETCH_STRUCTURE ? "m.structure" : "NULL",
                   w & MOX_FETCH_CONTENT  ? "c.prefix, c.bytes, c.data"
                   : w & MOX_FETCH_HEADER ? "c.prefix, c.bytes, typeof(c.data) = 'blob', c.header"
                                          : "NULL",
                   gone ? "gone" : "entry",
                   content ? " CROSS JOIN content c ON c.message = m.id" : "",
                   gone ? " AND e.message IS NOT NULL" : "");
    (void)mox__db_prepare(f->db, stmt, text);
    return *stmt;
}

static sqlite3_stmt *open_range(struct fetch *f, bool gone, uint32_t first, uint32_t last)
{
    sqlite3_stmt *s = statement(f, gone);
    if (s == NULL)
        return NULL;
    const struct val values[] = {V_INT(f->mailbox), V_INT(first), V_INT(last)};
    mox__db_bind(f->db, s, values, 3);
    return s;
}

/* Opens a message's file, which has `bytes` bytes, for reading. */
static int open_file(const char *path, size_t bytes, int *fd, struct mox_error *err)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    int status = *fd < 0 ? mox__status_of_errno(errno) : MOX_OK;
    if (status < 0 && status != MOX_ENOTFOUND)
        return mox__fail(err, status, "read message file %s: %s", path, mox_status_text(status));
    if (status < 0 || fstat(*fd, &st) != 0 || (uint64_t)st.st_size != bytes)
        return mox__fail(err, MOX_ECORRUPT,
                         "read message file %s: it is missing or has not %zu "
                         "bytes; restore it from a backup",
                         path, bytes);
    return MOX_OK;
}

int mox__body_map(const struct mox_account *a, uint64_t id, size_t bytes, void **map,
                  struct mox_error *err)
{
    char *path = mox__account_body_path(a, id);
    if (path == NULL)
        return mox__fail(err, MOX_ENOMEM, "read message %llu: out of memory",
                         (unsigned long long)id);
    int fd = -1;
    int rc = open_file(path, bytes, &fd, err);
    if (rc == MOX_OK) {
        *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
        if (*map == MAP_FAILED) {
            *map = NULL;
            rc = mox__fail(err, MOX_EIO, "map message file %s: out of address space", path);
        }
    }
    if (fd >= 0)
        (void)close(fd);
    mox__mem_free(a->env, path);
    return rc;
}

/* The first bytes of a content in the database: as a column SQLite would read all of it. */
static int read_header(struct fetch *f, uint64_t id, size_t len, struct mox_slice *out)
{
    if (len > f->header_cap) {
        size_t cap = len < 4096 ? 4096 : len;
        uint8_t *room = mox__realloc(f->a->env, f->header, cap, 1);
        if (room == NULL)
            return mox__fail(f->err, MOX_ENOMEM, "read message %llu: out of memory",
                             (unsigned long long)id);
        f->header = room;
        f->header_cap = cap;
    }
    int result = f->blob == NULL ? sqlite3_blob_open(f->db->sql, "main", "content", "data",
                                                     (sqlite3_int64)id, 0, &f->blob)
                                 : sqlite3_blob_reopen(f->blob, (sqlite3_int64)id);
    if (result == SQLITE_OK)
        result = sqlite3_blob_read(f->blob, f->header, (int)len, 0);
    *out = slice(f->header, len);
    return mox__db_check(f->db, result);
}

/* Asking for a column costs even where there is nothing. */
static struct mox_slice wanted(const struct fetch *f, sqlite3_stmt *s, unsigned want, int column)
{
    return (f->wants & want) != 0 ? mox__db_blob(s, column) : slice(NULL, 0);
}

/* Prefix and content, or of this the header; *map is to be unmapped if it is not NULL. */
static int find_content(struct fetch *f, sqlite3_stmt *s, struct mox_message_data *d, void **map)
{
    bool all = (f->wants & MOX_FETCH_CONTENT) != 0;
    *map = NULL;
    if (!all && (f->wants & MOX_FETCH_HEADER) == 0)
        return MOX_OK;
    d->prefix = mox__db_blob(s, C_PREFIX);
    bool in_database =
        all ? sqlite3_column_type(s, C_DATA) != SQLITE_NULL : sqlite3_column_int64(s, C_DATA) != 0;
    if (!in_database) {
        size_t bytes = (size_t)sqlite3_column_int64(s, C_CONTENT_BYTES);
        int rc = mox__body_map(f->a, d->message, bytes, map, f->err);
        d->content = slice(*map, rc < 0 ? 0 : bytes);
        return rc;
    }
    if (!all)
        return read_header(f, d->message, (size_t)sqlite3_column_int64(s, C_HEADER), &d->content);
    d->content = mox__db_blob(s, C_DATA);
    return MOX_OK;
}

static int emit(struct fetch *f, sqlite3_stmt *s)
{
    struct mox_message_data d = {
        .uid = (uint32_t)sqlite3_column_int64(s, C_UID),
        .message = (uint64_t)sqlite3_column_int64(s, C_MESSAGE),
        .bytes = (uint64_t)sqlite3_column_int64(s, C_BYTES),
        .received_us = sqlite3_column_int64(s, C_RECEIVED),
        .saved_us = sqlite3_column_int64(s, C_SAVED),
        .utf8_headers = sqlite3_column_int64(s, C_UTF8) != 0,
        .envelope = wanted(f, s, MOX_FETCH_ENVELOPE, C_ENVELOPE),
        .body = wanted(f, s, MOX_FETCH_BODY, C_BODY),
        .bodystructure = wanted(f, s, MOX_FETCH_BODYSTRUCTURE, C_BODYSTRUCTURE),
        .structure = wanted(f, s, MOX_FETCH_STRUCTURE, C_STRUCTURE),
    };
    void *map;
    int rc = find_content(f, s, &d, &map);
    if (rc == MOX_OK)
        rc = f->each(f->user, &d);
    if (map != NULL)
        (void)munmap(map, d.content.len);
    return rc;
}

/* A message that was removed since the view was made. */
static int emit_gone(struct fetch *f, uint32_t uid)
{
    sqlite3_stmt *s = open_range(f, true, uid, uid);
    int rc = MOX_OK;
    if (mox__db_step(f->db, s)) {
        rc = emit(f, s);
        (void)sqlite3_reset(s);
    } else if (f->db->status == MOX_OK) {
        rc = mox__fail(f->err, MOX_ECORRUPT,
                       "read account %s: message with UID %lu is missing; "
                       "run mox verifydata",
                       f->a->name, (unsigned long)uid);
    }
    return rc;
}

/* Walks view and database side by side: the view decides what is there. */
static int fetch_range(struct fetch *f, const struct mox_view *view, struct mox_uid_range range)
{
    uint32_t index = mox_view_find(view, range.first), count = mox_view_count(view);
    if (index == count || mox_view_row(view, index)->uid > range.last)
        return MOX_OK;
    sqlite3_stmt *s = open_range(f, false, mox_view_row(view, index)->uid, range.last);
    bool have = mox__db_step(f->db, s);
    int rc = MOX_OK;
    for (; rc == MOX_OK && index < count && f->db->status == MOX_OK; index++) {
        uint32_t uid = mox_view_row(view, index)->uid;
        if (uid > range.last)
            break;
        while (have && (uint32_t)sqlite3_column_int64(s, C_UID) < uid)
            have = mox__db_step(f->db, s);
        if (have && (uint32_t)sqlite3_column_int64(s, C_UID) == uid)
            rc = emit(f, s);
        else if (f->db->status == MOX_OK)
            rc = emit_gone(f, uid);
    }
    if (s != NULL)
        (void)sqlite3_reset(s);
    return rc;
}

int mox__fetch(void *self, const struct mox_view *view, const struct mox_uid_range *ranges,
               size_t range_count, unsigned wants,
               int (*each)(void *user, const struct mox_message_data *data), void *user,
               struct mox_error *err)
{
    struct mox_account *a = self;
    struct reader *r = NULL;
    int rc = mox__reader_take(a, &r, err);
    if (rc < 0)
        return rc;
    struct fetch f = {.a = a,
                      .db = &r->db,
                      .wants = wants & (FETCH_GONE - 1),
                      .mailbox = mox_view_mailbox(view),
                      .each = each,
                      .user = user,
                      .err = err};
    for (size_t i = 0; i < range_count && rc == MOX_OK && r->db.status == MOX_OK; i++)
        rc = fetch_range(&f, view, ranges[i]);
    (void)sqlite3_blob_close(f.blob);
    mox__mem_free(a->env, f.header);
    if (r->db.status < 0)
        rc = mox__fail(err, r->db.status, "read account %s: %s", a->name, r->db.error.text);
    mox__reader_give(a, r);
    return rc;
}
