/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <string.h>

void *mox__calloc(const struct mox_env *env, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    size_t bytes = count * size;
    void *p = env->realloc(env->user, NULL, bytes == 0 ? 1 : bytes);
    if (p != NULL)
        memset(p, 0, bytes);
    return p;
}

void *mox__realloc(const struct mox_env *env, void *ptr, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    size_t bytes = count * size;
    return env->realloc(env->user, ptr, bytes == 0 ? 1 : bytes);
}

/* `array` is the address of a pointer to whatever type: only its bytes may be read here. */
bool mox__mem_room(const struct mox_env *env, void *array, size_t size, size_t *room, size_t count,
                   size_t first)
{
    if (count < *room)
        return true;
    if (*room > SIZE_MAX / 2)
        return false;
    const size_t more = *room == 0 ? first : 2 * *room;
    void *ptr;
    memcpy(&ptr, array, sizeof ptr);
    ptr = mox__realloc(env, ptr, more, size);
    if (ptr == NULL)
        return false;
    memcpy(array, &ptr, sizeof ptr);
    *room = more;
    return true;
}

void mox__mem_free(const struct mox_env *env, void *ptr)
{
    if (ptr != NULL)
        env->realloc(env->user, ptr, 0);
}

char *mox__strndup(const struct mox_env *env, const void *data, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = env->realloc(env->user, NULL, len + 1);
    if (copy == NULL)
        return NULL;
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

void mox__wipe(void *ptr, size_t len)
{
    volatile uint8_t *p = ptr;
    while (len-- > 0)
        *p++ = 0;
}
