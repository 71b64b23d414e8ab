/* SPDX-License-Identifier: MIT */
/* The file calls of the C library, defined by the program: they tell the record what they did. */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS /* open and open64 are two names here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "faults/record.h"

#define FD_MAX 4096

/* The recorded file of each descriptor, plus one; 0: none. Written under the record's lock. */
static _Atomic unsigned files[FD_MAX];

static bool is_recorded(int fd)
{
    return fd >= 0 && fd < FD_MAX && files[fd] != 0;
}

static void forbid(const char *call, int fd)
{
    record_lock();
    if (is_recorded(fd))
        record_not_modelled(call, "a recorded file");
    record_unlock();
}

/* SQLite's index of the log is shared memory with a name. It says nothing after a power cut, and is
 * built anew by the first who opens the database. */
static bool is_volatile(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, "-shm") == 0;
}

static void absolute(int dirfd, const char *path, char out[2 * PATH_MAX])
{
    char dir[PATH_MAX] = "", link[64];
    if (path[0] != '/' && dirfd != AT_FDCWD) {
        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
        ssize_t n = readlink(link, dir, sizeof dir - 1);
        dir[n > 0 ? n : 0] = '\0';
    }
    (void)snprintf(out, 2 * PATH_MAX, "%s%s%s", dir, dir[0] == '\0' ? "" : "/", path);
}

/* A path that is recorded. */
static bool find(int dirfd, const char *path, struct place *p)
{
    char full[2 * PATH_MAX];
    absolute(dirfd, path, full);
    return record_find(full, p) && !is_volatile(p->name);
}

/* ---- opening and closing ---- */

static int open_at(int dirfd, const char *path, int flags, mode_t mode)
{
    struct place p;
    record_lock();
    int fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
    int error = errno;
    if (fd >= 0 && find(dirfd, path, &p)) {
        if (fd >= FD_MAX || (flags & (O_APPEND | O_DIRECT | O_SYNC | O_DSYNC)) != 0 ||
            (flags & O_TMPFILE) == O_TMPFILE || (p.file < 0 && (flags & O_CREAT) == 0))
            record_not_modelled("open", path);
        if (p.file < 0)
            p.file = (int)record_created(&p, false);
        else if ((flags & O_TRUNC) != 0)
            record_truncated((unsigned)p.file, 0);
        files[fd] = (unsigned)p.file + 1;
    }
    record_unlock();
    errno = error;
    return fd;
}

#define MODE_OF(flags)                                                                             \
    mode_t mode = 0;                                                                               \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {                                                  \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode = va_arg(args, mode_t);                                                               \
        va_end(args);                                                                              \
    }

int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int dirfd, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(dirfd, path, flags, mode);
}

int openat64(int dirfd, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(dirfd, path, flags, mode);
}

static int make_temporary(char *template, int flags)
{
    static unsigned next; /* a number will do: nobody here guesses names */
    char *end = template + strlen(template) - 6;
    for (;;) {
        (void)snprintf(end, 7, "%06u", __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 1000000);
        int fd = open_at(AT_FDCWD, template, O_RDWR | O_CREAT | O_EXCL | flags, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
}

int mkostemp(char *template, int flags)
{
    return make_temporary(template, flags);
}

int mkostemp64(char *template, int flags)
{
    return make_temporary(template, flags);
}

int close(int fd)
{
    record_lock();
    if (is_recorded(fd))
        files[fd] = 0;
    int rc = (int)syscall(SYS_close, fd);
    record_unlock();
    return rc;
}

/* ---- bytes ---- */

/* `at` is negative for the descriptor's own position. */
static ssize_t write_at(int fd, const void *data, size_t len, off64_t at)
{
    record_lock();
    bool recorded = is_recorded(fd);
    off64_t from = at < 0 && recorded ? lseek64(fd, 0, SEEK_CUR) : at;
    ssize_t n =
        at < 0 ? syscall(SYS_write, fd, data, len) : syscall(SYS_pwrite64, fd, data, len, at);
    if (n > 0 && recorded)
        record_wrote(files[fd] - 1, (uint64_t)from, data, (size_t)n);
    record_unlock();
    return n;
}

ssize_t write(int fd, const void *data, size_t len)
{
    if (!is_recorded(fd)) /* a pipe or a terminal may wait */
        return syscall(SYS_write, fd, data, len);
    return write_at(fd, data, len, -1);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    return write_at(fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    return write_at(fd, data, len, at);
}

ssize_t writev(int fd, const struct iovec *list, int count)
{
    forbid("writev", fd);
    return syscall(SYS_writev, fd, list, count);
}

static int resize(int fd, off64_t size)
{
    record_lock();
    int rc = (int)syscall(SYS_ftruncate, fd, size);
    if (rc == 0 && is_recorded(fd))
        record_truncated(files[fd] - 1, (uint64_t)size);
    record_unlock();
    return rc;
}

int ftruncate(int fd, off_t size)
{
    return resize(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return resize(fd, size);
}

int fallocate(int fd, int mode, off_t at, off_t len)
{
    forbid("fallocate", fd);
    return (int)syscall(SYS_fallocate, fd, mode, at, len);
}

int fallocate64(int fd, int mode, off64_t at, off64_t len)
{
    forbid("fallocate", fd);
    return (int)syscall(SYS_fallocate, fd, mode, at, len);
}

/* Reading through a map is fine; writing would leave no trace. */
static void *map(const char *name, void *addr, size_t len, int prot, int flags, int fd, off64_t at)
{
    void *(*real)(void *, size_t, int, int, int, off64_t);
    if (fd >= 0 && (prot & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0)
        forbid("mmap for writing", fd);
    *(void **)&real = dlsym(RTLD_NEXT, name);
    return real(addr, len, prot, flags, fd, at);
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t at)
{
    return map("mmap", addr, len, prot, flags, fd, at);
}

void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off64_t at)
{
    return map("mmap64", addr, len, prot, flags, fd, at);
}

/* ---- syncs ---- */

static int sync_file(int fd)
{
    record_lock();
    int rc = is_recorded(fd) ? record_synced(files[fd] - 1) : 0;
    record_unlock();
    if (rc < 0)
        errno = EIO;
    return rc;
}

int fsync(int fd)
{
    return sync_file(fd);
}

int fdatasync(int fd)
{
    return sync_file(fd);
}

/* ---- names ---- */

int link(const char *from, const char *to)
{
    struct place p, q;
    record_lock();
    int rc = (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
    int error = errno;
    bool known = find(AT_FDCWD, from, &p), recorded = find(AT_FDCWD, to, &q);
    if (rc == 0 && recorded) {
        if (!known || p.file < 0)
            record_not_modelled("link from elsewhere", from);
        record_linked(&q, (unsigned)p.file);
    }
    record_unlock();
    errno = error;
    return rc;
}

static int unlink_at(int dirfd, const char *path, int flags)
{
    struct place p;
    record_lock();
    bool recorded = find(dirfd, path, &p);
    int rc = (int)syscall(SYS_unlinkat, dirfd, path, flags);
    int error = errno;
    if (rc == 0 && recorded)
        record_unlinked(&p);
    record_unlock();
    errno = error;
    return rc;
}

int unlinkat(int dirfd, const char *path, int flags)
{
    return unlink_at(dirfd, path, flags);
}

int unlink(const char *path)
{
    return unlink_at(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlink_at(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
    int rc = unlink(path);
    return rc != 0 && errno == EISDIR ? rmdir(path) : rc;
}

int mkdir(const char *path, mode_t mode)
{
    struct place p;
    record_lock();
    int rc = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    int error = errno;
    if (rc == 0 && find(AT_FDCWD, path, &p))
        (void)record_created(&p, true);
    record_unlock();
    errno = error;
    return rc;
}

int rename(const char *from, const char *to)
{
    struct place p, q;
    record_lock();
    bool known = find(AT_FDCWD, from, &p), recorded = find(AT_FDCWD, to, &q);
    int rc = (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
    int error = errno;
    if (rc == 0 && (known || recorded)) {
        if (!known || !recorded || p.file < 0)
            record_not_modelled("rename from or to elsewhere", from);
        record_renamed(&p, &q);
    }
    record_unlock();
    errno = error;
    return rc;
}
