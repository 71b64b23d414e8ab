/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/mem.h"

/* Small, since an idle session keeps at most one; large requests get a block of their own. */
#define BLOCK_BYTES 2048

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(max_align_t) uint8_t data[];
};

void mox__arena_init(struct arena *a, const struct mox_env *env, size_t max)
{
    *a = (struct arena){.env = env, .max = max};
}

static struct arena_block *add_block(struct arena *a, size_t need)
{
    size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;
    if (size > SIZE_MAX - sizeof(struct arena_block))
        return NULL;
    struct arena_block *b = mox__realloc(a->env, NULL, 1, sizeof *b + size);
    if (b == NULL)
        return NULL;
    b->used = 0;
    b->size = size;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *mox__arena_alloc(struct arena *a, size_t count, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size != 0 && count > (SIZE_MAX - align) / size)
        return NULL;
    size_t bytes = (count * size + align - 1) / align * align;
    if (bytes > a->max - a->used)
        return NULL;
    struct arena_block *b = a->blocks;
    if (b == NULL || bytes > b->size - b->used)
        b = add_block(a, bytes);
    if (b == NULL)
        return NULL;
    void *p = b->data + b->used;
    b->used += bytes;
    a->used += bytes;
    memset(p, 0, bytes);
    return p;
}

char *mox__arena_strndup(struct arena *a, const void *data, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = mox__arena_alloc(a, len + 1, 1);
    if (copy != NULL && len > 0)
        memcpy(copy, data, len);
    return copy;
}

void mox__arena_reset(struct arena *a)
{
    while (a->blocks != NULL) {
        struct arena_block *next = a->blocks->next;
        mox__mem_free(a->env, a->blocks);
        a->blocks = next;
    }
    a->used = 0;
}
