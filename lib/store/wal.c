/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/store.h"

/*
 * Whoever opens a database after a crash reads its write-ahead log from the page cache and believes
 * every transaction in it. Two kinds may not be on the disk:
 *
 *   - those that a killed process wrote and did not sync,
 *   - those whose sync failed: the kernel then takes their pages for written, so no later sync
 *     writes them.
 *
 * Clients would see what a power cut still undoes, and be given the same UIDs again for other
 * messages; worse, transactions that are acknowledged from now on come behind them in the log, and
 * nothing behind a gap counts. So before it is opened, the log is written once more, byte by byte
 * the same, and synced. Its name is on the disk: SQLite syncs that before the first transaction.
 */

#define CHUNK (256 * 1024)

static int rewrite(int fd, uint8_t *chunk)
{
    off_t at = 0;
    for (ssize_t n; (n = pread(fd, chunk, CHUNK, at)) != 0; at += n)
        if (n < 0 || pwrite(fd, chunk, (size_t)n, at) != n)
            return mox__status_of_errno(errno);
    return fdatasync(fd) == 0 ? MOX_OK : mox__status_of_errno(errno);
}

int mox__wal_settle(const struct mox_env *env, const char *db_path, struct mox_error *err)
{
    int rc = MOX_OK;
    uint8_t *chunk = NULL;
    char *path = mox__path(env, "%s-wal", db_path);
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (path == NULL)
        rc = MOX_ENOMEM;
    else if (fd < 0 && errno != ENOENT)
        rc = mox__status_of_errno(errno);
    if (fd >= 0) {
        chunk = mem_new(env, uint8_t, CHUNK);
        rc = chunk == NULL ? MOX_ENOMEM : rewrite(fd, chunk);
        (void)close(fd);
    }
    mox__mem_free(env, chunk);
    mox__mem_free(env, path);
    if (rc < 0)
        return mox__fail(err, rc, "open mail store %s: write its log again: %s", db_path,
                         mox_status_text(rc));
    return MOX_OK;
}
