/* SPDX-License-Identifier: MIT */
#include <mox/spool.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

struct mox_spool {
    struct mox_env env;
    char *path; /* template, then the name of the file; NULL: all in memory */
    uint64_t max, size;
    struct buf memory; /* all bytes while fd < 0 */
    int fd;
    int status; /* the first failure */
    void *map;
    size_t map_len;
    bool synced;
};

int mox_spool_new(struct mox_spool **out, const struct mox_env *env, const char *dir,
                  uint64_t max_bytes)
{
    *out = NULL;
    struct mox_spool *s = mem_new(env, struct mox_spool, 1);
    if (s == NULL)
        return MOX_ENOMEM;
    s->env = *env;
    s->max = max_bytes;
    s->fd = -1;
    mox__buf_init(&s->memory, &s->env,
                  dir == NULL && max_bytes < SIZE_MAX ? (size_t)max_bytes : MOX_SPOOL_INLINE_MAX);
    if (dir != NULL) {
        size_t size = strlen(dir) + sizeof "/spool.XXXXXX";
        s->path = mem_new(env, char, size);
        if (s->path == NULL) {
            mox_spool_free(s);
            return MOX_ENOMEM;
        }
        (void)snprintf(s->path, size, "%s/spool.XXXXXX", dir);
    }
    *out = s;
    return MOX_OK;
}

static void unmap(struct mox_spool *s)
{
    if (s->map != NULL)
        (void)munmap(s->map, s->map_len);
    s->map = NULL;
}

void mox_spool_free(struct mox_spool *s)
{
    if (s == NULL)
        return;
    unmap(s);
    if (s->fd >= 0) {
        (void)close(s->fd);
        (void)unlink(s->path);
    }
    mox__buf_free(&s->memory);
    mox__mem_free(&s->env, s->path);
    mox__mem_free(&s->env, s);
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mox__status_of_errno(errno);
        data += n;
        len -= (size_t)n;
    }
    return MOX_OK;
}

static int spill(struct mox_spool *s)
{
    s->fd = mkostemp(s->path, O_CLOEXEC);
    if (s->fd < 0)
        return mox__status_of_errno(errno);
    (void)fchmod(s->fd, 0660);
    int rc = write_all(s->fd, s->memory.data, s->memory.len);
    mox__buf_free(&s->memory);
    return rc;
}

bool mox_spool_write_waits(const struct mox_spool *s, size_t len)
{
    return s->fd >= 0 || (s->path != NULL && len > s->memory.max - s->memory.len);
}

int mox_spool_write(struct mox_spool *s, struct mox_slice data)
{
    if (s->status < 0)
        return s->status;
    unmap(s);
    if (data.len > s->max - s->size) {
        s->status = MOX_ELIMIT;
    } else if (!mox_spool_write_waits(s, data.len)) {
        mox__buf_slice(&s->memory, data);
        s->status = s->memory.failed ? MOX_ENOMEM : MOX_OK;
    } else {
        s->status = s->fd < 0 ? spill(s) : MOX_OK;
        if (s->status == MOX_OK)
            s->status = write_all(s->fd, data.data, data.len);
        s->synced = false;
    }
    if (s->status == MOX_OK)
        s->size += data.len;
    return s->status;
}

uint64_t mox_spool_size(const struct mox_spool *s)
{
    return s->size;
}

int mox_spool_bytes(struct mox_spool *s, struct mox_slice *out)
{
    if (s->status < 0)
        return s->status;
    if (s->fd < 0) {
        *out = (struct mox_slice){s->memory.data, s->memory.len};
        return MOX_OK;
    }
    if (s->map == NULL) {
        if (s->size > SIZE_MAX)
            return MOX_ENOMEM;
        void *map = mmap(NULL, (size_t)s->size, PROT_READ, MAP_SHARED, s->fd, 0);
        if (map == MAP_FAILED)
            return mox__status_of_errno(errno);
        s->map = map;
        s->map_len = (size_t)s->size;
    }
    *out = (struct mox_slice){s->map, s->map_len};
    return MOX_OK;
}

int mox_spool_fd(const struct mox_spool *s)
{
    return s->fd;
}

int mox_spool_link(struct mox_spool *s, const char *path)
{
    if (s->status < 0)
        return s->status;
    if (s->fd < 0)
        return MOX_EINVAL;
    if (!s->synced && fdatasync(s->fd) != 0) {
        /* to stay: a second sync would succeed, and write nothing */
        s->status = mox__status_of_errno(errno);
        return s->status;
    }
    s->synced = true;
    if (link(s->path, path) != 0)
        return mox__status_of_errno(errno);
    return MOX_OK;
}
