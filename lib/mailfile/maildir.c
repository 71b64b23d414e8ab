/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "mailfile/mailfile.h"

/*
 * A maildir is read folder by folder, the files of new/ and cur/ together, in the order of the times that
 * begin their names: so UIDs will tell how they came.
 */

/* The names of all files in one folder: some two million of them. */
#define NAMES_MAX ((size_t)256 * 1024 * 1024)
/* 26 lines. */
#define KEYWORDS_FILE_MAX 65536
#define READ_MAX          65536
/* Nothing below the maildir's own path is followed: see maildir_folders.c. */
#define OPEN_FOLDER (O_RDONLY | O_CLOEXEC | O_DIRECTORY)
#define OPEN_FILE   (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)

struct file {
    int64_t seconds; /* of its name */
    const char *name;
    bool in_new;
};

struct maildir {
    const struct mox_env *env;
    const char *path; /* borrowed */
    struct folders folders;
    size_t folder; /* the one that is read */
    bool listed;   /* its files are known */
    int cur, new;  /* of the folder, or -1 */
    struct arena names;
    struct file *files;
    size_t file_count, file_cap, file;
    struct letters letters;
    uint8_t chunk[READ_MAX];
};

static int path_of(const struct maildir *m, char out[WHERE_MAX], const char *sub, const char *name)
{
    const char *dir = m->folders.list[m->folder].dir;
    bool top = strcmp(dir, ".") == 0;
    int len = snprintf(out, WHERE_MAX, "%s/%s%s%s%s%s", m->path, top ? "" : dir, top ? "" : "/",
                       sub, *name == '\0' ? "" : "/", name);
    return len < 0 || len >= WHERE_MAX ? MOX_ELIMIT : MOX_OK;
}

int mox__maildir_too_long(const char *path, struct mox_error *err)
{
    return mox__fail(err, MOX_ELIMIT, "%s: a path in it is longer than %d bytes", path, WHERE_MAX);
}

int mox__maildir_fail(const char *what, const char *path, int error, struct mox_error *err)
{
    return mox__fail(err, error == EACCES ? MOX_EDENIED : mox__status_of_errno(error), "%s %s: %s",
                     what, path, strerror(error));
}

int mox__maildir_open(struct maildir **out, const struct mox_env *env, const char *path,
                      const struct mox_mailfile_config *config, struct mox_error *err)
{
    struct maildir *m = *out = mem_new(env, struct maildir, 1);
    if (m == NULL)
        return MOX_ENOMEM;
    m->env = env;
    m->path = path;
    m->cur = m->new = -1;
    mox__arena_init(&m->names, env, NAMES_MAX);
    return mox__folders_open(&m->folders, env, path, config, err);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void mox__maildir_free(struct maildir *m)
{
    if (m == NULL)
        return;
    close_fd(&m->cur);
    close_fd(&m->new);
    mox__folders_free(&m->folders);
    mox__mem_free(m->env, m->files);
    mox__arena_reset(&m->names);
    mox__mem_free(m->env, m);
}

const char *mox__maildir_folder(const struct maildir *m, size_t n)
{
    return n < m->folders.count ? m->folders.list[n].name : NULL;
}

/* ---- the files of a folder ---- */

static int add_file(struct maildir *m, const char *name, bool in_new)
{
    if (!mem_room(m->env, &m->files, &m->file_cap, m->file_count, 256))
        return MOX_ENOMEM;
    const char *copy = mox__arena_strndup(&m->names, name, strlen(name));
    if (copy == NULL)
        return m->names.used > NAMES_MAX / 2 ? MOX_ELIMIT : MOX_ENOMEM;
    m->files[m->file_count++] =
        (struct file){.seconds = mox__maildir_name_time(name), .name = copy, .in_new = in_new};
    return MOX_OK;
}

/* Reads all names; takes the descriptor. */
static int list_names(struct maildir *m, int fd, bool in_new, const char *path,
                      struct mox_error *err)
{
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        int error = errno;
        close_fd(&fd);
        return mox__maildir_fail("open folder", path, error, err);
    }
    int rc = MOX_OK;
    for (struct dirent *e; rc == MOX_OK && (errno = 0, e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.') /* the file system's own, and ".." */
            rc = add_file(m, e->d_name, in_new);
    if (rc == MOX_OK && errno != 0)
        rc = mox__maildir_fail("read folder", path, errno, err);
    else if (rc < 0)
        (void)mox__fail(err, rc, "read folder %s: %s", path,
                        rc == MOX_ELIMIT ? "it has too many files" : mox_status_text(rc));
    (void)closedir(dir);
    return rc;
}

static int list_files(struct maildir *m, int folder, bool in_new, struct mox_error *err)
{
    char path[WHERE_MAX];
    int *sub = in_new ? &m->new : &m->cur;
    if (path_of(m, path, in_new ? "new" : "cur", "") < 0)
        return mox__maildir_too_long(m->path, err);
    close_fd(sub);
    *sub = openat(folder, in_new ? "new" : "cur", OPEN_FOLDER | O_NOFOLLOW);
    if (*sub < 0 && errno == ENOENT && m->folder > 0)
        return MOX_OK; /* it has the other one */
    if (*sub < 0 && (errno == ENOTDIR || errno == ELOOP))
        return mox__fail(err, MOX_ESYNTAX,
                         "open folder %s: it is no folder, or a symbolic link, which is not "
                         "followed",
                         path);
    if (*sub < 0)
        return mox__maildir_fail("open folder", path, errno, err);
    return list_names(m, openat(*sub, ".", OPEN_FOLDER), in_new, path, err);
}

static int by_time(const void *x, const void *y)
{
    const struct file *a = x, *b = y;
    if (a->seconds != b->seconds)
        return a->seconds < b->seconds ? -1 : 1;
    return strcmp(a->name, b->name);
}

static int read_letters(struct maildir *m, int folder, const struct mox_mailfile_config *config,
                        struct mox_error *err)
{
    char path[WHERE_MAX];
    memset(&m->letters, 0, sizeof m->letters);
    if (path_of(m, path, "dovecot-keywords", "") < 0)
        return mox__maildir_too_long(m->path, err);
    int fd = openat(folder, "dovecot-keywords", OPEN_FILE);
    if (fd < 0)
        return errno == ENOENT ? MOX_OK : mox__maildir_fail("open", path, errno, err);
    ssize_t n = read(fd, m->chunk, KEYWORDS_FILE_MAX);
    int error = errno;
    (void)close(fd);
    if (n < 0)
        return mox__maildir_fail("read", path, error, err);
    mox__letters_read(&m->letters, slice(m->chunk, (size_t)n), path, config);
    return MOX_OK;
}

static int open_folder(const struct maildir *m, int *out, struct mox_error *err)
{
    const char *dir = m->folders.list[m->folder].dir;
    char path[WHERE_MAX];
    if (path_of(m, path, "", "") < 0)
        return mox__maildir_too_long(m->path, err);
    int top = open(m->path, OPEN_FOLDER);
    *out = top < 0 || strcmp(dir, ".") == 0 ? top : openat(top, dir, OPEN_FOLDER | O_NOFOLLOW);
    int error = errno;
    if (*out != top)
        close_fd(&top);
    return *out < 0 ? mox__maildir_fail("open folder", path, error, err) : MOX_OK;
}

static int list(struct maildir *m, const struct mox_mailfile_config *config, struct mox_error *err)
{
    int folder;
    m->file = m->file_count = 0;
    mox__arena_reset(&m->names);
    int rc = open_folder(m, &folder, err);
    if (rc < 0)
        return rc;
    rc = read_letters(m, folder, config, err);
    if (rc == MOX_OK)
        rc = list_files(m, folder, true, err);
    if (rc == MOX_OK)
        rc = list_files(m, folder, false, err);
    close_fd(&folder);
    if (rc == MOX_OK && m->file_count > 1)
        qsort(m->files, m->file_count, sizeof m->files[0], by_time);
    m->listed = rc == MOX_OK;
    return rc;
}

/* ---- a message ---- */

static void mark(struct maildir *m, const char *flags, struct item *item,
                 const struct mox_mailfile_config *config)
{
    for (; *flags != '\0' && *flags != ','; flags++) {
        item->pub.flags |= mox__maildir_flag(*flags);
        if (*flags < 'a' || *flags > 'z')
            continue;
        const unsigned letter = (unsigned)(*flags - 'a');
        const char *word = m->letters.word[letter];
        if ((*word != '\0' && mox__item_mark(item, slice_of(word))) ||
            (m->letters.missed & 1u << letter) != 0)
            continue;
        m->letters.missed |= 1u << letter;
        mox__mailfile_warn(config,
                           *word == '\0' ? "%s: no keyword belongs to its letter '%c'; left out"
                                         : "%s: what belongs to its letter '%c' is not fit to be a "
                                           "keyword, or one too many; left out",
                           item->where, *flags);
    }
}

/* The earlier of both. Programs set a file's time to when a message was received, and its name to when
 * they stored it; who copies files without their times makes the former later. */
static int64_t received(const char *name, const struct stat *st)
{
    const int64_t named = mox__maildir_name_time(name), changed = (int64_t)st->st_mtime;
    return (named > 0 && (named < changed || changed <= 0) ? named : changed) * 1000000;
}

/* As Dovecot's plugins write files: gzip, bzip2, xz, zstd, LZ4, and its encryption. No mail begins so. */
static bool is_packed(struct mox_slice file)
{
    static const struct {
        size_t at;
        const char *magic;
    } kinds[] = {{0, "\x1f\x8b"},
                 {4, "1AY&SY"},
                 {0, "\xfd\x37zXZ"},
                 {0, "\x28\xb5\x2f\xfd"},
                 {0, "Dovecot-LZ4\r*\x9b\xc5"},
                 {0, "CRYPTED\x03\x07"}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const size_t at = kinds[i].at, len = strlen(kinds[i].magic);
        if (file.len >= at + len && memcmp(file.data + at, kinds[i].magic, len) == 0)
            return true;
    }
    return false;
}

static int copy_file(struct maildir *m, int fd, struct crlf *to)
{
    bool is_begin = true;
    for (;;) {
        ssize_t n = read(fd, m->chunk, sizeof m->chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mox__status_of_errno(errno);
        if (n == 0)
            return mox__crlf_end(to);
        if (is_begin && is_packed(slice(m->chunk, (size_t)n)))
            return MOX_EUNSUPPORTED;
        is_begin = false;
        mox__crlf_write(to, slice(m->chunk, (size_t)n));
        if (to->status < 0)
            return to->status;
    }
}

static int read_file(struct maildir *m, const struct file *f, struct crlf *to, struct item *item,
                     bool *found, const struct mox_mailfile_config *config, struct mox_error *err)
{
    char path[WHERE_MAX];
    struct stat st;
    if (path_of(m, path, f->in_new ? "new" : "cur", f->name) < 0)
        return mox__maildir_too_long(m->path, err);
    mox__item_begin(item);
    mox__item_where(item, path, 0);
    item->pub.folder = m->folder;
    int fd = openat(f->in_new ? m->new : m->cur, f->name, OPEN_FILE);
    if (fd < 0 && errno == ELOOP) {
        mox__mailfile_warn(config, "%s: a symbolic link; left out", item->where);
        return MOX_OK;
    }
    if (fd < 0 && errno == ENOENT)
        return mox__fail(err, MOX_ENOTFOUND,
                         "%s: the file went meanwhile; try again when no program uses the folder",
                         item->where);
    if (fd < 0)
        return mox__fail(err, errno == EACCES ? MOX_EDENIED : mox__status_of_errno(errno), "%s: %s",
                         item->where, strerror(errno));
    int rc = fstat(fd, &st) == 0 ? MOX_OK : mox__status_of_errno(errno);
    *found = rc == MOX_OK && S_ISREG(st.st_mode);
    if (*found)
        rc = copy_file(m, fd, to);
    (void)close(fd);
    if (rc == MOX_OK && *found)
        item->pub.received_us = received(f->name, &st);
    if (rc == MOX_EUNSUPPORTED)
        return mox__fail(err, rc, "%s: the file is compressed or encrypted; unpack it first",
                         item->where);
    return rc < 0 ? mox__item_fail(item, rc, err) : MOX_OK;
}

/* The next file that there is, in this folder or a later one; NULL: none. */
static int next_file(struct maildir *m, const struct file **out,
                     const struct mox_mailfile_config *config, struct mox_error *err)
{
    *out = NULL;
    while (m->folder < m->folders.count) {
        int rc = m->listed ? MOX_OK : list(m, config, err);
        if (rc < 0)
            return rc;
        if (m->file < m->file_count) {
            *out = &m->files[m->file++];
            return MOX_OK;
        }
        m->folder++;
        m->listed = false;
    }
    return MOX_OK;
}

int mox__maildir_next(struct maildir *m, struct crlf *to, struct item *item, bool *found,
                      const struct mox_mailfile_config *config, struct mox_error *err)
{
    *found = false;
    while (!*found) {
        const struct file *f;
        int rc = next_file(m, &f, config, err);
        if (rc < 0 || f == NULL)
            return rc;
        rc = read_file(m, f, to, item, found, config, err);
        if (rc < 0)
            return rc;
        if (*found)
            mark(m, mox__maildir_name_flags(f->name), item, config);
    }
    return MOX_OK;
}
