/* SPDX-License-Identifier: MIT */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <mox/env.h>

#include "base/priv.h"

/* Memory that dies together: allocated piece by piece, given back at once. Bounded by `max`. */
struct arena {
    const struct mox_env *env; /* borrowed */
    struct arena_block *blocks; /* newest first */
    size_t used, max;           /* bytes handed out; used <= max */
};

/* No memory is taken before the first allocation. `env` must outlive the arena. */
MOX_PRIV void mox__arena_init(struct arena *a, const struct mox_env *env, size_t max);
/* `count` zeroed objects of `size` bytes, or NULL: out of memory, or over the limit. */
MOX_PRIV void *mox__arena_alloc(struct arena *a, size_t count, size_t size);
/* A NUL-terminated copy. */
MOX_PRIV char *mox__arena_strndup(struct arena *a, const void *data, size_t len);
/* Gives everything back; the arena may be used again. */
MOX_PRIV void mox__arena_reset(struct arena *a);

/* The type appears once, so the size cannot disagree with it. */
#define arena_new(a, type, count) ((type *)mox__arena_alloc((a), (count), sizeof(type)))

#endif
