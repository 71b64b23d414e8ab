/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "store/store.h"

/* A large body is a file, linked into its place by who submits it, in parallel with others. */

uint64_t mox__message_id_take(struct mox_account *a)
{
    pthread_mutex_lock(&a->lock);
    uint64_t id = a->next_message++;
    pthread_mutex_unlock(&a->lock);
    return id;
}

/* Makes msg/ and msg/<xx>/ for a path, durably. That they are there does not say that they are on
 * the disk: another append may be about to sync them, or a process that was killed before it did. */
static int make_folders(struct mox_account *a, const char *path, unsigned xx)
{
    char *msg = mox__path(a->env, "%s/msg", a->dir);
    char *folder = mox__strndup(a->env, path, (size_t)(strrchr(path, '/') - path));
    int rc = msg == NULL || folder == NULL ? MOX_ENOMEM : mox__make_dir(msg, NULL);
    if (rc == MOX_OK)
        rc = mox__sync_new_dir(msg, a->dir);
    if (rc == MOX_OK)
        rc = mox__make_dir(folder, NULL);
    if (rc == MOX_OK)
        rc = mox__sync_new_dir(folder, msg);
    pthread_mutex_lock(&a->lock);
    a->folder_synced[xx] = rc == MOX_OK;
    pthread_mutex_unlock(&a->lock);
    mox__mem_free(a->env, msg);
    mox__mem_free(a->env, folder);
    return rc;
}

static bool has_folder(struct mox_account *a, unsigned xx)
{
    pthread_mutex_lock(&a->lock);
    bool synced = a->folder_synced[xx];
    pthread_mutex_unlock(&a->lock);
    return synced;
}

int mox__body_link(struct mox_account *a, struct mox_spool *spool, uint64_t id, char **out)
{
    unsigned xx = (unsigned)(id % 256);
    char *path = mox__account_body_path(a, id);
    if (path == NULL)
        return MOX_ENOMEM;
    int rc = has_folder(a, xx) ? MOX_OK : make_folders(a, path, xx);
    if (rc == MOX_OK)
        rc = mox_spool_link(spool, path);
    if (rc == MOX_ENOTFOUND) { /* somebody removed it */
        rc = make_folders(a, path, xx);
        rc = rc < 0 ? rc : mox_spool_link(spool, path);
    }
    if (rc < 0) {
        mox__mem_free(a->env, path);
        return rc;
    }
    *out = path;
    char *slash = strrchr(path, '/');
    *slash = '\0';
    rc = mox__sync_dir(path);
    *slash = '/';
    return rc;
}
