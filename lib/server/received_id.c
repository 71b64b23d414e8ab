/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "server/server.h"

#define KEY_BYTES 24

/* 0 or errno. *found is false, too, for a file that is none of ours, since it has another size. */
static int read_key(const char *path, uint8_t key[KEY_BYTES], bool *found)
{
    uint8_t bytes[KEY_BYTES + 1];
    *found = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : errno;
    ssize_t n = read(fd, bytes, sizeof bytes);
    int problem = n < 0 ? errno : 0;
    (void)close(fd);
    *found = n == KEY_BYTES;
    if (*found)
        memcpy(key, bytes, KEY_BYTES);
    return problem;
}

/* By a new name that is renamed, so that a crash leaves no half a key. */
static int write_key(const char *path, const uint8_t key[KEY_BYTES])
{
    char fresh[4200];
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return errno;
    int problem = write(fd, key, KEY_BYTES) == KEY_BYTES && fsync(fd) == 0 ? 0 : errno;
    if (close(fd) != 0 && problem == 0)
        problem = errno;
    if (problem == 0 && rename(fresh, path) != 0)
        problem = errno;
    if (problem != 0)
        (void)unlink(fresh);
    return problem;
}

int mox__received_id_key(const struct mox_env *env, const char *data_dir, uint8_t key[KEY_BYTES],
                         struct mox_error *err)
{
    char path[4100];
    int len = snprintf(path, sizeof path, "%s/receivedid.key", data_dir);
    if (len < 0 || (size_t)len >= sizeof path)
        return mox__fail(err, MOX_ELIMIT, "open %s: the path is too long", data_dir);
    bool found = false;
    int problem = read_key(path, key, &found);
    if (problem != 0) /* a new key in its place would be another one for ever */
        return mox__fail(err, mox__status_of_errno(problem), "read %s: %s", path,
                         strerror(problem));
    if (found)
        return MOX_OK;
    env->random(env->user, key, KEY_BYTES);
    problem = write_key(path, key);
    if (problem != 0)
        return mox__fail(err, mox__status_of_errno(problem), "write %s: %s", path,
                         strerror(problem));
    return MOX_OK;
}
