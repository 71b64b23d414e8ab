/* SPDX-License-Identifier: MIT */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include <mox/env.h>

#include "base/priv.h"

/* Memory of the host's allocator. Sizes are multiplied here and in the arena, nowhere else. */

/* `count` zeroed objects of `size` bytes, or NULL. */
MOX_PRIV void *mox__calloc(const struct mox_env *env, size_t count, size_t size);
/* Grows or shrinks; new bytes are not set. NULL leaves `ptr` as it was. */
MOX_PRIV void *mox__realloc(const struct mox_env *env, void *ptr, size_t count, size_t size);
MOX_PRIV void mox__mem_free(const struct mox_env *env, void *ptr);
/* See mem_room(). */
MOX_PRIV bool mox__mem_room(const struct mox_env *env, void *array, size_t size, size_t *room,
                            size_t count, size_t first);
/* A NUL-terminated copy of the bytes, or NULL. */
MOX_PRIV char *mox__strndup(const struct mox_env *env, const void *data, size_t len);
/* memset() that the compiler keeps: for secrets. */
MOX_PRIV void mox__wipe(void *ptr, size_t len);

/* The type appears once, so the size cannot disagree with it. */
#define mem_new(env, type, count) ((type *)mox__calloc((env), (count), sizeof(type)))

/* Room behind the `count` objects of *array for one more: when its *room is full it becomes twice as large, at
 * first `first`. False: no memory, and nothing has changed. */
#define mem_room(env, array, room, count, first)                                                   \
    mox__mem_room((env), (array), sizeof **(array), (room), (count), (first))

/* The struct that has `member` at this address: how a task, a timer or work finds what it is for. */
#define container_of(address, type, member)                                                        \
    ((type *)(void *)((char *)(address)-offsetof(type, member)))

#endif
