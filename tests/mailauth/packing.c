/* SPDX-License-Identifier: MIT */
#include "packing.h"

#define ZLIB_CONST
#include <zlib.h>

#include "base/text.h"
#include "support/cm.h"

static void deflate_into(struct buf *out, struct mox_slice bytes, int window_bits)
{
    z_stream z = {.next_in = bytes.data, .avail_in = (unsigned)bytes.len};
    uint8_t chunk[65536];
    int status;
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    do {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        status = deflate(&z, Z_FINISH);
        mox__buf_append(out, chunk, sizeof chunk - z.avail_out);
    } while (status == Z_OK);
    assert_int_equal(status, Z_STREAM_END);
    (void)deflateEnd(&z);
}

void pack_gzip(struct buf *out, struct mox_slice bytes)
{
    deflate_into(out, bytes, 16 + MAX_WBITS);
}

static void put16(struct buf *out, unsigned n)
{
    mox__buf_byte(out, (uint8_t)n);
    mox__buf_byte(out, (uint8_t)(n >> 8));
}

static void put32(struct buf *out, size_t n)
{
    put16(out, (unsigned)(n & 0xffff));
    put16(out, (unsigned)(n >> 16 & 0xffff));
}

static const char file_name[] = "report.xml";

/* What both headers of a file have in common. */
static void put_fields(struct buf *out, const struct zip_file *f, size_t packed)
{
    put16(out, 20);
    put16(out, f->flags);
    put16(out, f->stored ? 0 : 8);
    put32(out, 0); /* time and date */
    put32(out, crc32(0, f->bytes.data, (unsigned)f->bytes.len));
    put32(out, packed);
    put32(out, f->bytes.len);
    put16(out, sizeof file_name - 1);
    put16(out, 0);
}

#define FILES_MAX 4

void pack_zip(struct buf *out, const struct zip_file *files, size_t count, const char *comment)
{
    size_t packed[FILES_MAX], at[FILES_MAX], begin = out->len;
    assert_true(count <= FILES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct buf data;
        mox__buf_init(&data, out->env, SIZE_MAX / 2);
        if (files[i].stored)
            mox__buf_slice(&data, files[i].bytes);
        else
            deflate_into(&data, files[i].bytes, -MAX_WBITS);
        packed[i] = data.len;
        at[i] = out->len - begin;
        mox__buf_append(out, "PK\3\4", 4);
        put_fields(out, &files[i], packed[i]);
        mox__buf_text(out, file_name);
        mox__buf_append(out, data.data, data.len);
        mox__buf_free(&data);
    }
    size_t directory = out->len - begin;
    for (size_t i = 0; i < count; i++) {
        mox__buf_append(out, "PK\1\2\24", 6); /* with the NUL */
        put_fields(out, &files[i], packed[i]);
        put16(out, 0); /* comment, disk, attributes */
        put16(out, 0);
        put16(out, 0);
        put32(out, 0);
        put32(out, at[i]);
        mox__buf_text(out, file_name);
    }
    size_t end = out->len - begin;
    mox__buf_append(out, "PK\5\6", 4);
    put32(out, 0);
    put16(out, (unsigned)count);
    put16(out, (unsigned)count);
    put32(out, end - directory);
    put32(out, directory);
    put16(out, (unsigned)strlen(comment));
    mox__buf_text(out, comment);
    assert_false(out->failed);
}
