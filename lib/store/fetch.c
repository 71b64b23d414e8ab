/* SPDX-License-Identifier: MIT */
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

/* ---- connections for readers ---- */

/* Idle connections that are kept. More readers at once open more. */
#define READERS_KEPT 4

int mox__reader_take(struct mox_account *a, struct reader **out, struct mox_error *err)
{
    pthread_mutex_lock(&a->lock);
    struct reader *r = a->readers;
    if (r != NULL) {
        a->readers = r->next;
        a->reader_count--;
    }
    pthread_mutex_unlock(&a->lock);
    *out = r;
    if (r != NULL)
        return MOX_OK;
    r = mem_new(a->env, struct reader, 1);
    if (r == NULL)
        return mox__fail(err, MOX_ENOMEM, "read account %s: out of memory", a->name);
    int rc = mox__db_open(&r->db, a->db_path, DB_READER, err);
    if (rc < 0) {
        mox__mem_free(a->env, r);
        return rc;
    }
    *out = r;
    return MOX_OK;
}

static void reader_free(struct mox_account *a, struct reader *r)
{
    mox__db_close(&r->db);
    mox__mem_free(a->env, r);
}

void mox__reader_give(struct mox_account *a, struct reader *r)
{
    bool broken = r->db.status < 0;
    pthread_mutex_lock(&a->lock);
    bool keep = !broken && a->reader_count < READERS_KEPT;
    if (keep) {
        r->next = a->readers;
        a->readers = r;
        a->reader_count++;
    }
    pthread_mutex_unlock(&a->lock);
    if (!keep)
        reader_free(a, r);
}

void mox__readers_free(struct mox_account *a)
{
    while (a->readers != NULL) {
        struct reader *r = a->readers;
        a->readers = r->next;
        reader_free(a, r);
    }
    a->reader_count = 0;
}

/* ---- messages ---- */

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
    C_DATA
};

struct fetch {
    struct mox_account *a;
    struct db *db;
    unsigned wants;
    uint64_t mailbox;
    int (*each)(void *user, const struct mox_message_data *data);
    void *user;
    struct mox_error *err;
};

/* A column that is not wanted is not read: SQLite copies what lies on several pages. The joins are
 * walked in the order written, messages of a mailbox lie next to each other. */
static sqlite3_stmt *statement(struct fetch *f, bool gone)
{
    unsigned w = f->wants;
    sqlite3_stmt **stmt = &f->db->fetch[w | (gone ? FETCH_GONE : 0)];
    if (*stmt != NULL)
        return *stmt;
    bool content = (w & MOX_FETCH_CONTENT) != 0;
    char text[768];
    (void)snprintf(text, sizeof text,
                   "SELECT e.uid, e.message, m.bytes, m.received, %s, m.utf8, %s, %s, %s, %s, %s"
                   " FROM %s e CROSS JOIN message m ON m.id = e.message%s"
                   " WHERE e.mailbox = ?1 AND e.uid BETWEEN ?2 AND ?3%s ORDER BY e.uid",
                   gone ? "m.received" : "e.saved", w & MOX_FETCH_ENVELOPE ? "m.envelope" : "NULL",
                   w & MOX_FETCH_BODY ? "m.body" : "NULL",
                   w & MOX_FETCH_BODYSTRUCTURE ? "m.bodystructure" : "NULL",
                   w & MOX_FETCH_STRUCTURE ? "m.structure" : "NULL",
                   content ? "c.prefix, c.bytes, c.data" : "NULL, NULL, NULL",
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

/* A large body, mapped; unmap what came out in *map. */
static int map_file(struct fetch *f, uint64_t id, size_t bytes, void **map)
{
    char *path = mox__account_body_path(f->a, id);
    if (path == NULL)
        return mox__fail(f->err, MOX_ENOMEM, "read message %llu: out of memory",
                         (unsigned long long)id);
    struct stat st;
    int rc = MOX_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || (uint64_t)st.st_size != bytes)
        rc = mox__fail(f->err, MOX_ECORRUPT,
                       "read message file %s: it is missing or has not %zu "
                       "bytes; restore it from a backup",
                       path, bytes);
    if (rc == MOX_OK) {
        *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
        if (*map == MAP_FAILED) {
            *map = NULL;
            rc = mox__fail(f->err, MOX_EIO, "map message file %s: out of address space", path);
        }
    }
    if (fd >= 0)
        (void)close(fd);
    mox__mem_free(f->a->env, path);
    return rc;
}

/* Asking for a column costs even where there is nothing. */
static struct mox_slice wanted(const struct fetch *f, sqlite3_stmt *s, unsigned want, int column)
{
    return (f->wants & want) != 0 ? mox__db_blob(s, column) : slice(NULL, 0);
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
        .prefix = wanted(f, s, MOX_FETCH_CONTENT, C_PREFIX),
        .content = wanted(f, s, MOX_FETCH_CONTENT, C_DATA),
    };
    void *map = NULL;
    size_t bytes = 0;
    if ((f->wants & MOX_FETCH_CONTENT) != 0 && sqlite3_column_type(s, C_DATA) == SQLITE_NULL) {
        bytes = (size_t)sqlite3_column_int64(s, C_CONTENT_BYTES);
        int rc = map_file(f, d.message, bytes, &map);
        if (rc < 0)
            return rc;
        d.content = slice(map, bytes);
    }
    int rc = f->each(f->user, &d);
    if (map != NULL)
        (void)munmap(map, bytes);
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
    if (r->db.status < 0)
        rc = mox__fail(err, r->db.status, "read account %s: %s", a->name, r->db.error.text);
    mox__reader_give(a, r);
    return rc;
}
