/* SPDX-License-Identifier: MIT */
#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static int failed(struct mox_error *err, const char *what, const char *path, int error,
                  const char *advice)
{
    return mox__fail(err, mox__status_of_errno(error), "%s %s: %s%s", what, path, strerror(error),
                     advice);
}

static int read_all(struct buf *out, int fd, const char *path, struct mox_error *err)
{
    for (;;) {
        uint8_t chunk[16384];
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(err, "read", path, errno, "");
        if (n == 0)
            return MOX_OK;
        mox__buf_append(out, chunk, (size_t)n);
        if (out->failed)
            return mox__fail(err, MOX_ELIMIT, "read %s: out of memory, or larger than %zu MiB",
                             path, out->max >> 20);
    }
}

int mox__file_read(struct buf *out, const char *path, struct mox_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(err, "open", path, errno, "");
    int rc = read_all(out, fd, path, err);
    (void)close(fd);
    return rc;
}

static int write_all(int fd, struct mox_slice data)
{
    while (data.len > 0) {
        ssize_t n = write(fd, data.data, data.len);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            data = (struct mox_slice){data.data + n, data.len - (size_t)n};
    }
    return 0;
}

/* Owner and group may only be changed by root; then they matter. */
static int take_over_mode(int fd, const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return errno == ENOENT ? 0 : -1;
    if (fchown(fd, st.st_uid, st.st_gid) < 0 && errno != EPERM)
        return -1;
    return fchmod(fd, st.st_mode & 07777);
}

static int sync_folder(const char *path)
{
    char folder[PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        (void)snprintf(folder, sizeof folder, ".");
    else
        slash[slash == folder] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int rc = fsync(fd);
    (void)close(fd);
    return rc;
}

static int replace(const char *path, const char *temporary, struct mox_slice data,
                   struct mox_error *err)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
    if (fd < 0)
        return failed(err, "create", temporary, errno, "; its folder must exist and be writable");
    int error = 0;
    if (take_over_mode(fd, path) < 0 || write_all(fd, data) < 0 || fsync(fd) < 0)
        error = errno;
    if (close(fd) < 0 && error == 0)
        error = errno;
    if (error == 0 && rename(temporary, path) < 0)
        error = errno;
    if (error != 0) {
        (void)unlink(temporary);
        return failed(err, "write", path, error, "; the file is as before");
    }
    if (sync_folder(path) < 0)
        return failed(err, "sync the folder of", path, errno, "");
    return MOX_OK;
}

int mox__file_replace(const struct mox_env *env, const char *path, struct mox_slice data,
                      struct mox_error *err)
{
    char real[PATH_MAX], temporary[PATH_MAX];
    if (realpath(path, real) != NULL) /* a link to the file stays a link */
        path = real;
    uint32_t random = 0;
    env->random(env->user, (uint8_t *)&random, sizeof random);
    int len = snprintf(temporary, sizeof temporary, "%s.new-%08x", path, random);
    if (len < 0 || (size_t)len >= sizeof temporary)
        return mox__fail(err, MOX_ELIMIT, "write %s: the path is too long", path);
    return replace(path, temporary, data, err);
}
