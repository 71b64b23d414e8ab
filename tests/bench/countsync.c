/* SPDX-License-Identifier: MIT */
/* Preloaded into a server that is measured: counts its syncs in the file $MOX_SYNC_COUNT. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic uint64_t unseen;
static _Atomic uint64_t *counter = &unseen;

__attribute__((constructor)) static void map_counter(void)
{
    const char *path = getenv("MOX_SYNC_COUNT");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED)
        counter = map;
    (void)close(fd);
}

static int count_and_call(const char *name, int fd)
{
    int (*real)(int);
    *(void **)&real = dlsym(RTLD_NEXT, name);
    atomic_fetch_add(counter, 1);
    return real(fd);
}

int fsync(int fd)
{
    return count_and_call("fsync", fd);
}

int fdatasync(int fd)
{
    return count_and_call("fdatasync", fd);
}
