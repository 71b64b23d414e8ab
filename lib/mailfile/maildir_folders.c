/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/mem.h"
#include "mailfile/mailfile.h"

/* The folders of a maildir: itself, and those of Maildir++. Links in it are not followed: who owns it could have
 * the server read with them what only the server may. */

/* Folders of one maildir. */
#define FOLDERS_MAX    10000
#define NAME_BYTES_MAX (MOX_MAILBOX_NAME_MAX + 1)

static int add_folder(struct folders *l, const char *dir, const char *name)
{
    if (!mem_room(l->env, &l->list, &l->cap, l->count, 16))
        return MOX_ENOMEM;
    struct folder f = {.dir = mox__strndup(l->env, dir, strlen(dir)),
                       .name = mox__strndup(l->env, name, strlen(name))};
    if (f.dir == NULL || f.name == NULL) {
        mox__mem_free(l->env, f.dir);
        mox__mem_free(l->env, f.name);
        return MOX_ENOMEM;
    }
    l->list[l->count++] = f;
    return MOX_OK;
}

/* What cannot be looked at fails: it might be full of mail. */
static int has_folder(const struct folders *l, const char *dir, const char *sub, bool *has,
                      struct mox_error *err)
{
    char text[WHERE_MAX];
    struct stat st;
    int len = snprintf(text, sizeof text, "%s/%s/%s", l->path, dir, sub);
    *has = false;
    if (len < 0 || (size_t)len >= sizeof text)
        return mox__maildir_too_long(l->path, err);
    if (stat(text, &st) == 0)
        *has = S_ISDIR(st.st_mode);
    else if (errno != ENOENT && errno != ENOTDIR)
        return mox__maildir_fail("open folder", text, errno, err);
    return MOX_OK;
}

/* Either of them: programs make them when they need them. */
static int is_maildir(const struct folders *l, const char *dir, bool *is, struct mox_error *err)
{
    int rc = has_folder(l, dir, "cur", is, err);
    return rc == MOX_OK && !*is ? has_folder(l, dir, "new", is, err) : rc;
}

static int is_link(const struct folders *l, const char *dir, bool *is, struct mox_error *err)
{
    char text[WHERE_MAX];
    struct stat st;
    int len = snprintf(text, sizeof text, "%s/%s", l->path, dir);
    if (len < 0 || (size_t)len >= sizeof text)
        return mox__maildir_too_long(l->path, err);
    const bool is_there = lstat(text, &st) == 0;
    if (!is_there && errno != ENOENT)
        return mox__maildir_fail("open folder", text, errno, err);
    *is = is_there && S_ISLNK(st.st_mode);
    if (*is)
        mox__mailfile_warn(
            l->config,
            "%s: a symbolic link; left out, import what it leads to by itself if that is mail",
            text);
    return MOX_OK;
}

static int take_folder(struct folders *l, const char *dir, struct mox_error *err)
{
    char name[NAME_BYTES_MAX];
    bool is = false, link = false;
    if (dir[0] != '.' || strcmp(dir, ".") == 0 || strcmp(dir, "..") == 0)
        return MOX_OK;
    int rc = is_link(l, dir, &link, err);
    if (rc == MOX_OK && !link)
        rc = is_maildir(l, dir, &is, err);
    if (rc < 0 || !is)
        return rc;
    if (l->count == FOLDERS_MAX)
        return mox__fail(err, MOX_ELIMIT, "%s: it has more than %d folders", l->path, FOLDERS_MAX);
    rc = mox__maildir_folder_name(dir, name, sizeof name);
    if (rc < 0)
        return mox__fail(err, rc, "%s: folder %s has a name that is %s; rename it", l->path, dir,
                         rc == MOX_ELIMIT ? "too long" : "not modified UTF-7");
    return add_folder(l, dir, name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct folder *)a)->name, ((const struct folder *)b)->name);
}

static int list_folders(struct folders *l, struct mox_error *err)
{
    int rc = MOX_OK;
    DIR *dir = opendir(l->path);
    if (dir == NULL)
        return mox__maildir_fail("open folder", l->path, errno, err);
    for (struct dirent *e; rc == MOX_OK && (errno = 0, e = readdir(dir)) != NULL;)
        rc = take_folder(l, e->d_name, err);
    if (rc == MOX_OK && errno != 0)
        rc = mox__maildir_fail("read folder", l->path, errno, err);
    (void)closedir(dir);
    if (rc == MOX_OK)
        qsort(l->list, l->count, sizeof l->list[0], by_name); /* "" is the first */
    return rc;
}

/* Here both: a folder of anything else has one of them sooner. */
static int check_top(const struct folders *l, struct mox_error *err)
{
    bool fresh = false, seen = false;
    int rc = has_folder(l, ".", "new", &fresh, err);
    if (rc == MOX_OK)
        rc = has_folder(l, ".", "cur", &seen, err);
    if (rc == MOX_OK && !(fresh && seen))
        rc = mox__fail(err, MOX_ESYNTAX, "open folder %s: a maildir has folders new and cur",
                       l->path);
    return rc;
}

int mox__folders_open(struct folders *l, const struct mox_env *env, const char *path,
                      const struct mox_mailfile_config *config, struct mox_error *err)
{
    *l = (struct folders){.env = env, .path = path, .config = config};
    DIR *dir = opendir(path);
    if (dir == NULL)
        return mox__maildir_fail("open folder", path, errno, err);
    (void)closedir(dir);
    int rc = check_top(l, err);
    if (rc == MOX_OK)
        rc = add_folder(l, ".", "");
    if (rc == MOX_OK && config->recursive)
        rc = list_folders(l, err);
    return rc;
}

void mox__folders_free(struct folders *l)
{
    for (size_t i = 0; i < l->count; i++) {
        mox__mem_free(l->env, l->list[i].dir);
        mox__mem_free(l->env, l->list[i].name);
    }
    mox__mem_free(l->env, l->list);
}
