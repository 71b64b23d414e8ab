/* SPDX-License-Identifier: MIT */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <mox/env.h>

#include "base/priv.h"

/* Bytes that grow up to a limit. An append is all or nothing, and after one that failed all later
 * ones fail too: write a whole reply, then look at `failed` once. */
struct buf {
    const struct mox_env *env; /* borrowed */
    uint8_t *data;
    size_t len, cap, max; /* in bytes; len <= cap <= max */
    bool failed;
    bool full; /* it failed for its limit; else for want of memory */
};

/* Whether memory was wanting, which is a failure also where a full buffer is none. */
static inline bool buf_is_starved(const struct buf *b)
{
    return b->failed && !b->full;
}

/* A buffer in memory of the caller's, as large as that: it allocates nothing, and is not freed. */
static inline struct buf buf_over(void *memory, size_t size)
{
    return (struct buf){.data = (uint8_t *)memory, .cap = size, .max = size};
}

MOX_PRIV void mox__buf_init(struct buf *b, const struct mox_env *env, size_t max);
MOX_PRIV void mox__buf_free(struct buf *b);  /* gives the memory back; may be used again */
MOX_PRIV void mox__buf_clear(struct buf *b); /* keeps the memory; forgets `failed` */
MOX_PRIV void mox__buf_append(struct buf *b, const void *data, size_t len);
MOX_PRIV void mox__buf_text(struct buf *b, const char *text);
MOX_PRIV void mox__buf_slice(struct buf *b, struct mox_slice s);
MOX_PRIV void mox__buf_byte(struct buf *b, uint8_t byte);
/* As a quoted string: between ", with a \ in front of each " and \ (RFC 5322 §3.2.4, RFC 9051 §9). */
MOX_PRIV void mox__buf_quoted(struct buf *b, struct mox_slice s);
/* What a quoted string of a header says, given without its ": no \ in front of others, no line ends. */
MOX_PRIV void mox__buf_unquoted(struct buf *b, struct mox_slice s);
MOX_PRIV void mox__buf_uint(struct buf *b, uint64_t n); /* decimal */
MOX_PRIV void mox__buf_printf(struct buf *b, const char *format, ...) MOX_PRINTF(2, 3);
/* Room for `len` more bytes, to be written at data + len; NULL when there is none. */
MOX_PRIV uint8_t *mox__buf_reserve(struct buf *b, size_t len);
/* Removes `len` bytes from the front. */
MOX_PRIV void mox__buf_consume(struct buf *b, size_t len);

#endif
