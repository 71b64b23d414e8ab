/* SPDX-License-Identifier: MIT */
/* Preloaded into a server under test: its files and its memory fail on request. The file $MOX_FAULTS
 * says how, from one moment to the next (see faults.py, which has the same struct). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#undef _FILE_OFFSET_BITS /* open() and open64() are two functions here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What fails: a set. */
enum fault {
    FAULT_SYNC = 1,   /* fsync, fdatasync */
    FAULT_WRITE = 2,  /* write, pwrite, ftruncate, fallocate */
    FAULT_READ = 4,   /* read, pread */
    FAULT_OPEN = 8,   /* open, and all that makes, renames or removes a name */
    FAULT_SHORT = 16, /* write and pwrite take half of what they are given */
    FAULT_TWICE = 32, /* each write is interrupted once (EINTR) before it succeeds */
    FAULT_CHANGE = 64 /* what a read-only file system refuses: writes, opening for them, names */
};

struct control {
    _Atomic uint32_t faults;
    _Atomic int32_t error;    /* errno of what fails */
    _Atomic uint64_t refused; /* calls that failed, or were made short, so far */
    char match[128];          /* only files with this in their path, or at its end ($) */
    _Atomic uint64_t
        first; /* the allocation that fails, from 1; 0: none, and they are not counted */
    _Atomic uint64_t again;    /* after it, each so many allocations another; 0: none */
    _Atomic uint64_t at_least; /* bytes: smaller allocations are not counted and do not fail */
    _Atomic uint64_t mallocs;  /* counted so far */
    _Atomic uint64_t nomem;    /* allocations that failed so far */
};

static struct control none;
static struct control *control = &none;

__attribute__((constructor)) static void map_control(void)
{
    const char *path = getenv("MOX_FAULTS");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        control = map;
    (void)close(fd);
}

#define REAL(type, name, ...)                                                                      \
    type (*real)(__VA_ARGS__);                                                                     \
    *(void **)&real = dlsym(RTLD_NEXT, name)

static bool concerns(const char *path)
{
    size_t len = strlen(path), n = strlen(control->match);
    if (n == 0 || control->match[n - 1] != '$')
        return strstr(path, control->match) != NULL;
    n--;
    return len >= n && memcmp(path + len - n, control->match, n) == 0;
}

static bool refuse(const char *path)
{
    if (!concerns(path))
        return false;
    atomic_fetch_add(&control->refused, 1);
    errno = control->error;
    return true;
}

static bool wanted(unsigned faults)
{
    return (control->faults & faults) != 0;
}

static bool fails(int fd, unsigned faults)
{
    char link[32], path[4096];
    if (!wanted(faults))
        return false;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return false;
    path[n] = '\0';
    return refuse(path);
}

static bool fails_at(const char *path, unsigned faults)
{
    return wanted(faults) && refuse(path);
}

/* ---- syncs ---- */

int fsync(int fd)
{
    REAL(int, "fsync", int);
    return fails(fd, FAULT_SYNC) ? -1 : real(fd);
}

int fdatasync(int fd)
{
    REAL(int, "fdatasync", int);
    return fails(fd, FAULT_SYNC) ? -1 : real(fd);
}

/* ---- writes ---- */

/* How much of `len` is written; -1: nothing, and errno says why. */
static ssize_t writable(int fd, size_t len)
{
    static _Atomic unsigned turn;
    if (fails(fd, FAULT_WRITE | FAULT_CHANGE))
        return -1;
    if (wanted(FAULT_TWICE) && atomic_fetch_add(&turn, 1) % 2 == 0 && fails(fd, FAULT_TWICE)) {
        errno = EINTR;
        return -1;
    }
    return (ssize_t)(len > 1 && fails(fd, FAULT_SHORT) ? len / 2 : len);
}

ssize_t write(int fd, const void *data, size_t len)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    ssize_t n = writable(fd, len);
    return n < 0 ? n : real(fd, data, (size_t)n);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    ssize_t n = writable(fd, len);
    return n < 0 ? n : real(fd, data, (size_t)n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    ssize_t n = writable(fd, len);
    return n < 0 ? n : real(fd, data, (size_t)n, at);
}

int ftruncate(int fd, off_t len)
{
    REAL(int, "ftruncate", int, off_t);
    return fails(fd, FAULT_WRITE | FAULT_CHANGE) ? -1 : real(fd, len);
}

int ftruncate64(int fd, off64_t len)
{
    REAL(int, "ftruncate64", int, off64_t);
    return fails(fd, FAULT_WRITE | FAULT_CHANGE) ? -1 : real(fd, len);
}

/* ---- reads ---- */

ssize_t read(int fd, void *data, size_t len)
{
    REAL(ssize_t, "read", int, void *, size_t);
    return fails(fd, FAULT_READ) ? -1 : real(fd, data, len);
}

ssize_t pread(int fd, void *data, size_t len, off_t at)
{
    REAL(ssize_t, "pread", int, void *, size_t, off_t);
    return fails(fd, FAULT_READ) ? -1 : real(fd, data, len, at);
}

ssize_t pread64(int fd, void *data, size_t len, off64_t at)
{
    REAL(ssize_t, "pread64", int, void *, size_t, off64_t);
    return fails(fd, FAULT_READ) ? -1 : real(fd, data, len, at);
}

/* ---- names ---- */

static bool open_fails(const char *path, int flags)
{
    bool changes = (flags & O_ACCMODE) != O_RDONLY;
    return fails_at(path, changes ? FAULT_OPEN | FAULT_CHANGE : FAULT_OPEN);
}

static mode_t mode_of(int flags, va_list args)
{
    return (flags & O_CREAT) != 0 ? (mode_t)va_arg(args, unsigned) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    REAL(int, "open", const char *, int, ...);
    return open_fails(path, flags) ? -1 : real(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    REAL(int, "open64", const char *, int, ...);
    return open_fails(path, flags) ? -1 : real(path, flags, mode);
}

int mkostemp(char *path, int flags)
{
    REAL(int, "mkostemp", char *, int);
    return open_fails(path, O_RDWR) ? -1 : real(path, flags);
}

int mkostemp64(char *path, int flags)
{
    REAL(int, "mkostemp64", char *, int);
    return open_fails(path, O_RDWR) ? -1 : real(path, flags);
}

int link(const char *from, const char *to)
{
    REAL(int, "link", const char *, const char *);
    return fails_at(to, FAULT_OPEN | FAULT_CHANGE) ? -1 : real(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    REAL(int, "mkdir", const char *, mode_t);
    return fails_at(path, FAULT_OPEN | FAULT_CHANGE) ? -1 : real(path, mode);
}

int unlink(const char *path)
{
    REAL(int, "unlink", const char *);
    return fails_at(path, FAULT_CHANGE) ? -1 : real(path);
}

int remove(const char *path)
{
    REAL(int, "remove", const char *);
    return fails_at(path, FAULT_CHANGE) ? -1 : real(path);
}

/* ---- memory ---- */

#ifdef FAULT_MALLOC
/* glibc's own, since dlsym() allocates. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);

static bool no_memory(size_t size)
{
    if (size < control->at_least)
        return false;
    uint64_t first = control->first, again = control->again;
    uint64_t n = first == 0 ? 0 : atomic_fetch_add(&control->mallocs, 1) + 1;
    if (first == 0 || n < first || (n > first && (again == 0 || (n - first) % again != 0)))
        return false;
    atomic_fetch_add(&control->nomem, 1);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return no_memory(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return no_memory(count * size) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *ptr, size_t size)
{
    return size > 0 && no_memory(size) ? NULL : __libc_realloc(ptr, size);
}
#endif
