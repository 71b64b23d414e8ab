/* SPDX-License-Identifier: MIT */
#include "store/gather.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

/*
 * A layer between SQLite and its own file layer that makes the write-ahead log cheap.
 *
 * - SQLite writes each page to the log by itself, in two pieces. Pieces that follow one another are
 *   gathered here and written as one: 4 µs less per page.
 * - A sync of bytes that lengthened the file waits for the file system's own notes too, a sync of
 *   overwritten ones does not, which halves its time. So the log is lengthened ahead of what is
 *   written, by zeros, which SQLite takes for the end of the log as it does what an older, longer log
 *   has left there.
 *
 * What is gathered is written before anything else is done to the file through the same handle, a
 * sync above all. Another handle reads a page of the log only after a commit, which synced it
 * (synchronous=FULL). Pages of the database are not gathered: a checkpoint that copies a part of the log
 * asks for nothing after its last write, so that nobody could be told that it failed.
 */

#define NAME "mox-gather"

#define GATHER_BYTES (64 * 1024)
/* How far the log is lengthened at once: some eight deliveries. */
#define AHEAD_BYTES (256 * 1024)

struct file {
    sqlite3_file base;
    sqlite3_io_methods methods;
    sqlite3_file *real; /* SQLite's own, in a block of its own */
    unsigned char *data;
    sqlite3_int64 at; /* where the gathered bytes go */
    int len;
    bool is_log;
    sqlite3_int64 size; /* of the log, as far as we know */
};

static struct file *of(sqlite3_file *f)
{
    return (struct file *)f;
}

static sqlite3_vfs *below(void)
{
    return sqlite3_vfs_find(NULL);
}

/* ---- writing ---- */

/* That it does not work out is no failure: it was only to save time. */
static void lengthen(struct file *f)
{
    static const unsigned char zeros[16 * 1024];
    int result = SQLITE_OK;
    for (sqlite3_int64 end = f->size + AHEAD_BYTES; result == SQLITE_OK && f->size < end;) {
        result = f->real->pMethods->xWrite(f->real, zeros, sizeof zeros, f->size);
        if (result == SQLITE_OK)
            f->size += (sqlite3_int64)sizeof zeros;
    }
}

static int put(struct file *f, const void *data, int len, sqlite3_int64 at)
{
    int result = f->real->pMethods->xWrite(f->real, data, len, at);
    if (result == SQLITE_OK && f->is_log && at + len > f->size) {
        f->size = at + len;
        lengthen(f);
    }
    return result;
}

/* A failure is told to whoever asks for the next thing, and the bytes are gone: SQLite gives up what
 * it was doing, or writes them again. */
static int flush(struct file *f)
{
    int len = f->len;
    f->len = 0;
    return len == 0 ? SQLITE_OK : put(f, f->data, len, f->at);
}

static int x_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    struct file *f = of(file);
    if (f->len > 0 && (at != f->at + f->len || len > GATHER_BYTES - f->len)) {
        int result = flush(f);
        if (result != SQLITE_OK)
            return result;
    }
    if (f->is_log && f->data == NULL)
        f->data = sqlite3_malloc(GATHER_BYTES);
    if (f->data == NULL || len > GATHER_BYTES)
        return put(f, data, len, at);
    if (f->len == 0)
        f->at = at;
    memcpy(f->data + f->len, data, (size_t)len);
    f->len += len;
    return SQLITE_OK;
}

/* ---- all else: first what was gathered, then SQLite's own ---- */

#define AFTER_FLUSH(call)                                                                          \
    struct file *f = of(file);                                                                     \
    int flushed = flush(f);                                                                        \
    return flushed != SQLITE_OK ? flushed : f->real->pMethods->call

static int x_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
    AFTER_FLUSH(xRead)(f->real, to, len, at);
}

static int x_sync(sqlite3_file *file, int flags)
{
    AFTER_FLUSH(xSync)(f->real, flags);
}

static int x_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    AFTER_FLUSH(xFileSize)(f->real, size);
}

static int x_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct file *f = of(file);
    int flushed = flush(f);
    f->size = size;
    return flushed != SQLITE_OK ? flushed : f->real->pMethods->xTruncate(f->real, size);
}

static int x_lock(sqlite3_file *file, int level)
{
    AFTER_FLUSH(xLock)(f->real, level);
}

static int x_unlock(sqlite3_file *file, int level)
{
    struct file *f = of(file);
    int flushed = flush(f);
    int unlocked = f->real->pMethods->xUnlock(f->real, level);
    return flushed != SQLITE_OK ? flushed : unlocked;
}

static int x_control(sqlite3_file *file, int op, void *arg)
{
    AFTER_FLUSH(xFileControl)(f->real, op, arg);
}

static int x_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    AFTER_FLUSH(xShmLock)(f->real, offset, n, flags);
}

static int x_fetch(sqlite3_file *file, sqlite3_int64 at, int len, void **out)
{
    AFTER_FLUSH(xFetch)(f->real, at, len, out);
}

static int x_close(sqlite3_file *file)
{
    struct file *f = of(file);
    int flushed = flush(f);
    int closed = f->real->pMethods->xClose(f->real);
    sqlite3_free(f->data);
    sqlite3_free(f->real);
    return flushed != SQLITE_OK ? flushed : closed;
}

/* ---- nothing that concerns written bytes ---- */

static int x_check_lock(sqlite3_file *f, int *out)
{
    return of(f)->real->pMethods->xCheckReservedLock(of(f)->real, out);
}

static int x_sector(sqlite3_file *f)
{
    return of(f)->real->pMethods->xSectorSize(of(f)->real);
}

static int x_characteristics(sqlite3_file *f)
{
    return of(f)->real->pMethods->xDeviceCharacteristics(of(f)->real);
}

static int x_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return of(f)->real->pMethods->xShmMap(of(f)->real, page, size, extend, out);
}

static void x_shm_barrier(sqlite3_file *f)
{
    of(f)->real->pMethods->xShmBarrier(of(f)->real);
}

static int x_shm_unmap(sqlite3_file *f, int delete_flag)
{
    return of(f)->real->pMethods->xShmUnmap(of(f)->real, delete_flag);
}

static int x_unfetch(sqlite3_file *f, sqlite3_int64 at, void *p)
{
    return of(f)->real->pMethods->xUnfetch(of(f)->real, at, p);
}

static const sqlite3_io_methods methods = {
    .iVersion = 3,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_file_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_check_lock,
    .xFileControl = x_control,
    .xSectorSize = x_sector,
    .xDeviceCharacteristics = x_characteristics,
    .xShmMap = x_shm_map,
    .xShmLock = x_shm_lock,
    .xShmBarrier = x_shm_barrier,
    .xShmUnmap = x_shm_unmap,
    .xFetch = x_fetch,
    .xUnfetch = x_unfetch,
};

/* ---- the layer ---- */

static int x_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)vfs;
    struct file *f = of(file);
    memset(f, 0, sizeof *f);
    f->real = sqlite3_malloc(below()->szOsFile);
    if (f->real == NULL)
        return SQLITE_NOMEM;
    memset(f->real, 0, (size_t)below()->szOsFile);
    int result = below()->xOpen(below(), name, f->real, flags, out_flags);
    if (f->real->pMethods == NULL) { /* nothing to close */
        sqlite3_free(f->real);
        return result;
    }
    f->methods = methods;
    f->methods.iVersion = f->real->pMethods->iVersion;
    f->base.pMethods = &f->methods;
    f->is_log = (flags & SQLITE_OPEN_WAL) != 0;
    if (result == SQLITE_OK && f->is_log)
        result = f->real->pMethods->xFileSize(f->real, &f->size);
    return result;
}

static int x_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    (void)vfs;
    return below()->xDelete(below(), name, sync_dir);
}

static int x_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    return below()->xAccess(below(), name, flags, out);
}

static int x_full_pathname(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
    (void)vfs;
    return below()->xFullPathname(below(), name, len, out);
}

/* Two threads that come first at once register it twice, which is one too many and does no harm. */
const char *mox__gather_vfs(void)
{
    if (sqlite3_vfs_find(NAME) != NULL)
        return NAME;
    sqlite3_vfs *vfs = below() == NULL ? NULL : sqlite3_malloc(sizeof *vfs);
    if (vfs == NULL)
        return NULL;
    *vfs = *below(); /* clock, randomness and dynamic libraries are its */
    vfs->zName = NAME;
    vfs->pNext = NULL;
    vfs->szOsFile = (int)sizeof(struct file);
    vfs->xOpen = x_open;
    vfs->xDelete = x_delete;
    vfs->xAccess = x_access;
    vfs->xFullPathname = x_full_pathname;
    if (sqlite3_vfs_register(vfs, 0) == SQLITE_OK)
        return NAME;
    sqlite3_free(vfs);
    return NULL;
}
