/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <assert.h>
#include <string.h>

#include <mox/error.h>

#include "base/buf.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A fuzzer's bytes, taken from the front as the numbers and texts that a target needs. What is no
 * longer there is 0 and "". */
struct input {
    struct mox_slice rest;
};

static inline uint8_t input_byte(struct input *in)
{
    if (in->rest.len == 0)
        return 0;
    uint8_t byte = in->rest.data[0];
    in->rest = slice_from(in->rest, 1);
    return byte;
}

/* 0..below - 1 */
static inline unsigned input_below(struct input *in, unsigned below)
{
    unsigned n = input_byte(in);
    return (below > 256 ? n << 8 | input_byte(in) : n) % below;
}

/* Up to `len` bytes. */
static inline struct mox_slice input_bytes(struct input *in, size_t len)
{
    struct mox_slice s = slice(in->rest.data, len < in->rest.len ? len : in->rest.len);
    in->rest = slice_from(in->rest, s.len);
    return s;
}

/* Up to the next byte `end`, which is taken too, or to the last. */
static inline struct mox_slice input_until(struct input *in, uint8_t end)
{
    const uint8_t *at = in->rest.len == 0 ? NULL : memchr(in->rest.data, end, in->rest.len);
    struct mox_slice s = input_bytes(in, at == NULL ? SIZE_MAX : (size_t)(at - in->rest.data));
    (void)input_bytes(in, 1);
    return s;
}

static inline struct mox_slice buf_bytes(const struct buf *b)
{
    return slice(b->data, b->len);
}

static inline void assert_same(struct mox_slice a, struct mox_slice b)
{
    assert(mox__slice_eq(a, b));
}

#endif
