/* SPDX-License-Identifier: MIT */
/* Preloaded into a server: writes to $MOX_TRACE, in order, what it does to files and what it tells its
 * peers, in the clear where mbedTLS encrypts it. Each event is a line, and the bytes that it announces:
 *
 *   write PATH OFFSET LENGTH      done (bytes follow)
 *   syncing ID PATH               begins …
 *   synced ID PATH                … and has succeeded
 *   name PATH                     a file or folder was made
 *   link FROM TO                  done
 *   received PORT LENGTH          from the peer with this port (bytes follow)
 *   sending PORT LENGTH           begins (bytes follow)
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#undef _FILE_OFFSET_BITS /* open() and open64() are two functions here */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;

/* What mbedTLS is asked to encrypt, until the first packet of it leaves on the same thread. */
static _Thread_local const unsigned char *plain;
static _Thread_local size_t plain_len;
/* mbedTLS is at work: what comes and goes is encrypted. The peer that it received from last. */
static _Thread_local bool encrypted;
static _Thread_local int last_fd = -1;

__attribute__((constructor)) static void open_trace(void)
{
    const char *path = getenv("MOX_TRACE");
    if (path != NULL)
        trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                             0600);
}

#define REAL(type, name, ...)                                                                      \
    type (*real)(__VA_ARGS__);                                                                     \
    *(void **)&real = dlsym(RTLD_NEXT, name)

static void put(const void *data, size_t len)
{
    for (const char *at = data; len > 0;) {
        ssize_t n = syscall(SYS_write, trace, at, len);
        if (n <= 0)
            abort(); /* a trace with a gap proves nothing */
        at += n;
        len -= (size_t)n;
    }
}

__attribute__((format(printf, 3, 4))) static void event(const void *data, size_t len,
                                                        const char *format, ...)
{
    char line[2 * PATH + 64];
    va_list args;
    if (trace < 0)
        return;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    pthread_mutex_lock(&lock);
    put(line, (size_t)n);
    put(data, len);
    put("\n", 1);
    pthread_mutex_unlock(&lock);
}

/* Whether a descriptor is a file of the mail store, and its name. */
static bool is_file(int fd, char path[PATH])
{
    char link[32];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = trace < 0 ? -1 : readlink(link, path, PATH - 1);
    path[n > 0 ? n : 0] = '\0';
    return strstr(path, "/data") != NULL;
}

static int port_of(int fd)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    if (trace < 0 || getpeername(fd, (struct sockaddr *)&peer, &len) != 0 ||
        peer.ss_family != AF_INET)
        return 0;
    return ntohs(((const struct sockaddr_in *)(const void *)&peer)->sin_port);
}

/* ---- files ---- */

static void wrote(int fd, const void *data, ssize_t n, int64_t at)
{
    char path[PATH];
    if (n > 0 && is_file(fd, path))
        event(data, (size_t)n, "write %s %lld %zd\n", path,
              (long long)(at < 0 ? lseek64(fd, 0, SEEK_CUR) - n : at), n);
}

ssize_t write(int fd, const void *data, size_t len)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    ssize_t n = real(fd, data, len);
    wrote(fd, data, n, -1);
    return n;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    ssize_t n = real(fd, data, len, at);
    wrote(fd, data, n, at);
    return n;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    ssize_t n = real(fd, data, len, at);
    wrote(fd, data, n, at);
    return n;
}

static int sync_with(int (*real)(int), int fd)
{
    static _Atomic unsigned next;
    char path[PATH];
    if (!is_file(fd, path))
        return real(fd);
    unsigned id = atomic_fetch_add(&next, 1);
    event("", 0, "syncing %u %s", id, path);
    int rc = real(fd);
    if (rc == 0)
        event("", 0, "synced %u %s", id, path);
    return rc;
}

int fsync(int fd)
{
    REAL(int, "fsync", int);
    return sync_with(real, fd);
}

int fdatasync(int fd)
{
    REAL(int, "fdatasync", int);
    return sync_with(real, fd);
}

static void named(const char *path, bool made)
{
    if (made && strstr(path, "/data/") != NULL)
        event("", 0, "name %s", path);
}

static int open_with(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode)
{
    bool makes = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
    int fd = real(path, flags, mode);
    named(path, makes && fd >= 0);
    return fd;
}

#define MODE_OF(flags)                                                                             \
    mode_t mode = 0;                                                                               \
    if (((flags)&O_CREAT) != 0) {                                                                  \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode = va_arg(args, mode_t);                                                               \
        va_end(args);                                                                              \
    }

int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    REAL(int, "open", const char *, int, ...);
    return open_with(real, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_OF(flags)
    REAL(int, "open64", const char *, int, ...);
    return open_with(real, path, flags, mode);
}

int mkdir(const char *path, mode_t mode)
{
    REAL(int, "mkdir", const char *, mode_t);
    int rc = real(path, mode);
    named(path, rc == 0);
    return rc;
}

int link(const char *from, const char *to)
{
    REAL(int, "link", const char *, const char *);
    int rc = real(from, to);
    if (rc == 0)
        event("", 0, "link %s %s", from, to);
    return rc;
}

/* ---- peers ---- */

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    REAL(ssize_t, "recv", int, void *, size_t, int);
    ssize_t n = real(fd, data, len, flags);
    int port = n > 0 && !encrypted ? port_of(fd) : 0;
    last_fd = fd;
    if (port != 0)
        event(data, (size_t)n, "received %d %zd\n", port, n);
    return n;
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    REAL(ssize_t, "send", int, const void *, size_t, int);
    int port = port_of(fd);
    if (port != 0 && plain != NULL)
        event(plain, plain_len, "sending %d %zu\n", port, plain_len);
    else if (port != 0 && !encrypted)
        event(data, len, "sending %d %zu\n", port, len);
    plain = NULL;
    return real(fd, data, len, flags);
}

int mbedtls_ssl_handshake(void *ssl);
int mbedtls_ssl_close_notify(void *ssl);
int mbedtls_ssl_write(void *ssl, const unsigned char *data, size_t len);
int mbedtls_ssl_read(void *ssl, unsigned char *data, size_t len);

int mbedtls_ssl_handshake(void *ssl)
{
    REAL(int, "mbedtls_ssl_handshake", void *);
    encrypted = true;
    int rc = real(ssl);
    encrypted = false;
    return rc;
}

int mbedtls_ssl_close_notify(void *ssl)
{
    REAL(int, "mbedtls_ssl_close_notify", void *);
    encrypted = true;
    int rc = real(ssl);
    encrypted = false;
    return rc;
}

int mbedtls_ssl_write(void *ssl, const unsigned char *data, size_t len)
{
    REAL(int, "mbedtls_ssl_write", void *, const unsigned char *, size_t);
    encrypted = true;
    plain = data;
    plain_len = len;
    int n = real(ssl, data, len);
    plain = NULL;
    encrypted = false;
    return n;
}

int mbedtls_ssl_read(void *ssl, unsigned char *data, size_t len)
{
    REAL(int, "mbedtls_ssl_read", void *, unsigned char *, size_t);
    encrypted = true;
    int n = real(ssl, data, len);
    encrypted = false;
    int port = n > 0 ? port_of(last_fd) : 0;
    if (port != 0)
        event(data, (size_t)n, "received %d %d\n", port, n);
    return n;
}
