/* SPDX-License-Identifier: MIT */
/* Preloaded into a server that is measured: keeps the bytes that malloc() has given out, as usable size, in
 * the file $MOX_HEAP_COUNT. */
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic int64_t unseen;
static _Atomic int64_t *counter = &unseen;

static struct {
    void *(*malloc)(size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void (*free)(void *);
} real;

static void *find(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void map_counter(void)
{
    const char *path = getenv("MOX_HEAP_COUNT");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (map == MAP_FAILED)
        return;
    atomic_store((_Atomic int64_t *)map, atomic_load(counter));
    counter = map;
}

static void *counted(void *p)
{
    if (p != NULL)
        atomic_fetch_add_explicit(counter, (int64_t)malloc_usable_size(p), memory_order_relaxed);
    return p;
}

static void uncount(void *p)
{
    if (p != NULL)
        atomic_fetch_sub_explicit(counter, (int64_t)malloc_usable_size(p), memory_order_relaxed);
}

void *malloc(size_t size)
{
    if (real.malloc == NULL)
        *(void **)&real.malloc = find("malloc");
    return counted(real.malloc(size));
}

/* Not the real one: dlsym() calls calloc() itself. */
void *calloc(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *p = malloc(count * size);
    return p == NULL ? NULL : memset(p, 0, count * size);
}

void *realloc(void *p, size_t size)
{
    if (real.realloc == NULL)
        *(void **)&real.realloc = find("realloc");
    size_t before = p == NULL ? 0 : malloc_usable_size(p);
    void *moved = real.realloc(p, size);
    if (moved != NULL || size == 0)
        atomic_fetch_sub_explicit(counter, (int64_t)before, memory_order_relaxed);
    return counted(moved);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (real.memalign == NULL)
        *(void **)&real.memalign = find("aligned_alloc");
    return counted(real.memalign(alignment, size));
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *p = aligned_alloc(alignment, size);
    if (p != NULL)
        *out = p;
    return p == NULL ? 12 : 0;
}

void free(void *p)
{
    if (real.free == NULL)
        *(void **)&real.free = find("free");
    uncount(p);
    real.free(p);
}
