/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_CHARSET_POOL_H
#define MESSAGE_CHARSET_POOL_H

#include <stddef.h>

#include "base/priv.h"

/* Converters that stay open for the texts of a message, or of many: the libc loads and unloads a file when one is
 * opened that was not in use, which takes some 300 µs, and each of the 80,000 encoded words that a header
 * may have can name another charset. Zeroed, it is empty. One text at a time is converted with it. */
#define CHARSET_POOL_MAX 64 /* there are fewer in charset_names.c */

struct charset_pool {
    struct {
        const char *converter;
        void *iconv; /* NULL: the libc has none */
    } slots[CHARSET_POOL_MAX];
    size_t count;
};

/* A converter at its initial state; lives as long as the pool. NULL: there is none. */
void *mox__charset_pool_take(struct charset_pool *p, const char *converter);
MOX_PRIV void mox__charset_pool_close(struct charset_pool *p);

#endif
