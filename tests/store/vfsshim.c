/* SPDX-License-Identifier: MIT */
#include "store/vfsshim.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct vfsshim shim;
static sqlite3_vfs vfs;
static sqlite3_vfs *real;

/* Our file is SQLite's behind a method table of ours. */
struct file {
    sqlite3_file base;
    bool wal, index;
    sqlite3_file *real; /* behind this struct */
};

static struct file *of(sqlite3_file *f)
{
    return (struct file *)f;
}

/* ---- what of index.db is on the disk ---- */

#define PAGE  4096
#define PAGES 65536

static pthread_mutex_t pages_lock = PTHREAD_MUTEX_INITIALIZER;
static enum { SYNCED, WRITTEN, LOST } pages[PAGES];
static uint8_t *synced[PAGES]; /* what they were, once they are written */

/* What is there before the first write since a sync. */
static void keep(sqlite3_file *f, size_t n)
{
    if (synced[n] == NULL)
        synced[n] = malloc(PAGE);
    if (synced[n] == NULL)
        abort();
    memset(synced[n], 0, PAGE);
    (void)of(f)->real->pMethods->xRead(of(f)->real, synced[n], PAGE, (sqlite3_int64)n * PAGE);
}

static void note_write(sqlite3_file *f, sqlite3_int64 at, int len)
{
    pthread_mutex_lock(&pages_lock);
    for (size_t n = (size_t)at / PAGE;
         n < ((size_t)at + (size_t)len + PAGE - 1) / PAGE && n < PAGES; n++) {
        if (pages[n] != WRITTEN)
            keep(f, n);
        shim.lost -= pages[n] == LOST;
        pages[n] = WRITTEN;
    }
    pthread_mutex_unlock(&pages_lock);
}

/* A page that could not be written is what it was, for whoever reads it. */
static void note_sync(sqlite3_file *f, bool failed)
{
    pthread_mutex_lock(&pages_lock);
    for (size_t n = 0; n < PAGES; n++)
        if (pages[n] == WRITTEN) {
            pages[n] = failed ? LOST : SYNCED;
            shim.lost += failed;
            if (failed)
                (void)of(f)->real->pMethods->xWrite(of(f)->real, synced[n], PAGE,
                                                    (sqlite3_int64)n * PAGE);
        }
    pthread_mutex_unlock(&pages_lock);
}

/* ---- the layer ---- */

static int x_close(sqlite3_file *f)
{
    return of(f)->real->pMethods->xClose(of(f)->real);
}

static int x_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
    return of(f)->real->pMethods->xRead(of(f)->real, to, len, at);
}

static int x_write(sqlite3_file *f, const void *from, int len, sqlite3_int64 at)
{
    if (of(f)->wal)
        shim.wal_writes++;
    if (shim.full || (!of(f)->wal && shim.db_write > 0 && --shim.db_write == 0))
        return SQLITE_FULL;
    if (shim.fail_writes)
        return SQLITE_IOERR_WRITE;
    if (of(f)->index)
        note_write(f, at, len);
    return of(f)->real->pMethods->xWrite(of(f)->real, from, len, at);
}

static int x_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return of(f)->real->pMethods->xTruncate(of(f)->real, size);
}

static int x_sync(sqlite3_file *f, int flags)
{
    if (of(f)->wal) {
        shim.wal_syncs++;
        if (shim.sync_delay_us > 0)
            usleep((useconds_t)shim.sync_delay_us);
    }
    if (of(f)->index)
        note_sync(f, shim.lose_index);
    if (shim.fail_syncs || (of(f)->index && shim.lose_index))
        return SQLITE_IOERR_FSYNC;
    return of(f)->real->pMethods->xSync(of(f)->real, flags);
}

static int x_file_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return of(f)->real->pMethods->xFileSize(of(f)->real, size);
}

static int x_lock(sqlite3_file *f, int level)
{
    return of(f)->real->pMethods->xLock(of(f)->real, level);
}

static int x_unlock(sqlite3_file *f, int level)
{
    return of(f)->real->pMethods->xUnlock(of(f)->real, level);
}

static int x_check_lock(sqlite3_file *f, int *out)
{
    return of(f)->real->pMethods->xCheckReservedLock(of(f)->real, out);
}

static int x_control(sqlite3_file *f, int op, void *arg)
{
    return of(f)->real->pMethods->xFileControl(of(f)->real, op, arg);
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

static int x_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return of(f)->real->pMethods->xShmLock(of(f)->real, offset, n, flags);
}

static void x_shm_barrier(sqlite3_file *f)
{
    of(f)->real->pMethods->xShmBarrier(of(f)->real);
}

static int x_shm_unmap(sqlite3_file *f, int delete_flag)
{
    return of(f)->real->pMethods->xShmUnmap(of(f)->real, delete_flag);
}

static int x_fetch(sqlite3_file *f, sqlite3_int64 at, int len, void **out)
{
    return of(f)->real->pMethods->xFetch(of(f)->real, at, len, out);
}

static int x_unfetch(sqlite3_file *f, sqlite3_int64 at, void *p)
{
    return of(f)->real->pMethods->xUnfetch(of(f)->real, at, p);
}

static const sqlite3_io_methods methods = {
    3,
    x_close,
    x_read,
    x_write,
    x_truncate,
    x_sync,
    x_file_size,
    x_lock,
    x_unlock,
    x_check_lock,
    x_control,
    x_sector,
    x_characteristics,
    x_shm_map,
    x_shm_lock,
    x_shm_barrier,
    x_shm_unmap,
    x_fetch,
    x_unfetch,
};

static bool ends_in(const char *name, const char *end)
{
    size_t len = name == NULL ? 0 : strlen(name);
    return len >= strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

static int x_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
    (void)v;
    struct file *file = of(f);
    file->wal = ends_in(name, "-wal");
    file->index = ends_in(name, "index.db");
    file->real = (sqlite3_file *)(file + 1);
    file->base.pMethods = NULL;
    file->real->pMethods = NULL;
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
        shim.opens++;
        if (shim.fail_opens)
            return SQLITE_CANTOPEN;
    }
    int result = real->xOpen(real, name, file->real, flags, out_flags);
    if (file->real->pMethods != NULL)
        file->base.pMethods = &methods;
    return result;
}

struct vfsshim *vfsshim(void)
{
    if (real == NULL) {
        real = sqlite3_vfs_find(NULL);
        vfs = *real;
        vfs.pNext = NULL;
        vfs.zName = "shim";
        vfs.szOsFile = (int)sizeof(struct file) + real->szOsFile;
        vfs.xOpen = x_open;
        (void)sqlite3_vfs_register(&vfs, 1);
    }
    shim.wal_syncs = shim.wal_writes = shim.db_write = 0;
    memset(pages, 0, sizeof pages);
    shim.lost = 0;
    shim.lose_index = shim.full = shim.fail_writes = shim.fail_syncs = false;
    shim.fail_opens = false;
    shim.opens = 0;
    shim.sync_delay_us = 0;
    return &shim;
}
