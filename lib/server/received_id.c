/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "server/server.h"

#define KEY_BYTES 24

static bool read_key(const char *path, uint8_t key[KEY_BYTES])
{
    uint8_t found[KEY_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, found, sizeof found);
    (void)close(fd);
    if (n != KEY_BYTES)
        return false;
    memcpy(key, found, KEY_BYTES);
    return true;
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
    if (read_key(path, key))
        return MOX_OK;
    env->random(env->user, key, KEY_BYTES);
    int problem = write_key(path, key);
    if (problem != 0)
        return mox__fail(err, mox__status_of_errno(problem), "write %s: %s", path,
                         strerror(problem));
    return MOX_OK;
}
