/* SPDX-License-Identifier: MIT */
#include "server/ctl_socket.h"

#include <mox/ctl.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

int mox__ctl_address(struct sockaddr_un *address, int *folder, const char *data_dir)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    *folder = -1;
    int len = snprintf(address->sun_path, sizeof address->sun_path, "%s/ctl", data_dir);
    if (len > 0 && (size_t)len < sizeof address->sun_path)
        return MOX_OK;
    *folder = open(data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0)
        return mox__status_of_errno(errno);
    (void)snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/ctl", *folder);
    return MOX_OK;
}

/* Nobody can connect before listen(), so the mode is right in time. */
static int bind_and_listen(int fd, const struct sockaddr_un *address)
{
    if (unlink(address->sun_path) < 0 && errno != ENOENT)
        return -1;
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        return -1;
    if (chmod(address->sun_path, 0660) < 0)
        return -1;
    return listen(fd, 16);
}

int mox_ctl_listen(int *out, const char *data_dir, struct mox_error *err)
{
    struct sockaddr_un address;
    int folder = -1;
    *out = -1;
    int rc = mox__ctl_address(&address, &folder, data_dir);
    if (rc < 0)
        return mox__fail(err, rc, "open data directory %s: %s", data_dir, strerror(errno));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind_and_listen(fd, &address) < 0) {
        rc = mox__fail(err, mox__status_of_errno(errno), "make control socket %s/ctl: %s", data_dir,
                       strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        fd = -1;
    }
    if (folder >= 0)
        (void)close(folder);
    *out = fd;
    return rc;
}

void mox_ctl_unlink(const char *data_dir)
{
    struct sockaddr_un address;
    int folder = -1;
    if (mox__ctl_address(&address, &folder, data_dir) == MOX_OK)
        (void)unlink(address.sun_path);
    if (folder >= 0)
        (void)close(folder);
}
