/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "store/store.h"

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int mox__folder_each(const char *path,
                     int (*each)(void *user, const char *folder, const char *name), void *user,
                     struct mox_error *err)
{
    DIR *dir = opendir(path);
    if (dir == NULL && errno == ENOENT)
        return MOX_OK;
    int rc = MOX_OK;
    for (struct dirent *e; dir != NULL && rc == MOX_OK;) {
        errno = 0; /* tells the end from a failure */
        e = readdir(dir);
        if (e == NULL)
            break;
        if (!is_dots(e->d_name))
            rc = each(user, path, e->d_name);
    }
    if (rc == MOX_OK && errno != 0)
        rc = mox__fail(err, mox__status_of_errno(errno), "look into folder %s: %s", path,
                       strerror(errno));
    if (dir != NULL)
        (void)closedir(dir);
    return rc;
}
