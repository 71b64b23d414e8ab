/* SPDX-License-Identifier: MIT */
#include "mailauth/report.h"

#define ZLIB_CONST /* what it reads, it does not change */
#include <zlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

/* Unpacking stops where the report is larger than it may be: what a bomb would become is never held. */

#define CHUNK 16384
/* How many members a gzip file has (RFC 1952 §2.2). Reports have one; a second may be made by programs
 * that append. */
#define MEMBERS_MAX 100

static void *allocate(void *env, unsigned items, unsigned size)
{
    return mox__calloc(env, items, size);
}

static void release(void *env, void *memory)
{
    mox__mem_free(env, memory);
}

int mox__report_append(struct buf *out, const void *data, size_t len, const char *form,
                       struct mox_error *err)
{
    if (len > out->max - out->len)
        return mox__fail(err, MOX_ELIMIT, "read %s: it is larger than %zu bytes when unpacked",
                         form, out->max);
    mox__buf_append(out, data, len);
    return out->failed ? mox__fail(err, MOX_ENOMEM, "read %s: out of memory", form) : MOX_OK;
}

/* Steps until the stream ends. */
static int inflate_all(struct buf *out, z_stream *z, const char *form, struct mox_error *err)
{
    uint8_t chunk[CHUNK];
    int status = Z_OK, rc = MOX_OK;
    while (rc == MOX_OK && status == Z_OK) {
        z->next_out = chunk;
        z->avail_out = sizeof chunk;
        status = inflate(z, Z_NO_FLUSH);
        rc = mox__report_append(out, chunk, sizeof chunk - z->avail_out, form, err);
    }
    if (rc != MOX_OK || status == Z_STREAM_END)
        return rc;
    if (status == Z_MEM_ERROR)
        return mox__fail(err, MOX_ENOMEM, "read %s: out of memory", form);
    return mox__fail(err, MOX_ESYNTAX, "read %s: the compressed data are %s", form,
                     status == Z_BUF_ERROR ? "cut short" : "damaged");
}

int mox__report_inflate(struct buf *out, struct mox_slice *in, int window_bits, const char *form,
                        struct mox_error *err)
{
    struct mox_env env = *out->env; /* zlib's context is not const */
    z_stream z = {.zalloc = allocate, .zfree = release, .opaque = &env};
    if (in->len > UINT32_MAX)
        return mox__fail(err, MOX_ELIMIT, "read %s: it is too large", form);
    z.next_in = in->data;
    z.avail_in = (unsigned)in->len;
    if (inflateInit2(&z, window_bits) != Z_OK)
        return mox__fail(err, MOX_ENOMEM, "read %s: out of memory", form);
    int rc = inflate_all(out, &z, form, err);
    *in = slice_from(*in, in->len - z.avail_in);
    (void)inflateEnd(&z);
    return rc;
}

enum report_packing mox__report_packing(struct mox_slice bytes)
{
    if (bytes.len >= 2 && memcmp(bytes.data, "\x1f\x8b", 2) == 0)
        return REPORT_GZIP;
    /* A file's header, or the end of an archive without any. */
    if (bytes.len >= 4 &&
        (memcmp(bytes.data, "PK\3\4", 4) == 0 || memcmp(bytes.data, "PK\5\6", 4) == 0))
        return REPORT_ZIP;
    return REPORT_PLAIN;
}

/* What follows the last member is padding. */
static int gunzip(struct buf *out, struct mox_slice in, const char *form, struct mox_error *err)
{
    for (unsigned members = 0; mox__report_packing(in) == REPORT_GZIP; members++) {
        if (members == MEMBERS_MAX)
            return mox__fail(err, MOX_ELIMIT, "read %s: a gzip file of more than %d members", form,
                             MEMBERS_MAX);
        int rc = mox__report_inflate(out, &in, 16 + MAX_WBITS, form, err);
        if (rc != MOX_OK)
            return rc;
    }
    return MOX_OK;
}

int mox__report_unpack(struct buf *out, struct mox_slice packed, const struct report_form *form,
                       struct mox_error *err)
{
    switch (mox__report_packing(packed)) {
    case REPORT_GZIP:
        return gunzip(out, packed, form->name, err);
    case REPORT_ZIP:
        if (form->zip)
            return mox__report_unzip(out, packed, form->name, err);
        break;
    case REPORT_PLAIN:
        break;
    }
    return mox__report_append(out, packed.data, packed.len, form->name, err);
}
