/* SPDX-License-Identifier: MIT */
#include "mailauth/report.h"

#define ZLIB_CONST /* what it reads, it does not change */
#include <zlib.h>

#include "base/error.h"
#include "base/text.h"

/*
 * A zip of exactly one file (PKWARE's APPNOTE 6.3, whose sections are cited). Read from its end, as the
 * format wants it: a record at the end (§4.3.16) says where the directory is, its only entry (§4.3.12) how
 * large the file is and where its own header is (§4.3.7), behind which the data are.
 */

#define END_BYTES   22
#define ENTRY_BYTES 46
#define LOCAL_BYTES 30
/* The comment behind the end record is at most that long (§4.4.12). */
#define COMMENT_MAX 65535

enum { METHOD_STORED = 0, METHOD_DEFLATED = 8, FLAG_ENCRYPTED = 1 };

static unsigned u16(const uint8_t *p)
{
    return (unsigned)(p[0] | p[1] << 8);
}

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16;
}

/* `len` bytes at `at` that begin with the signature, or NULL. */
static const uint8_t *record_at(struct mox_slice zip, uint32_t at, size_t len,
                                const char *signature)
{
    if (at > zip.len || len > zip.len - at || memcmp(zip.data + at, signature, 4) != 0)
        return NULL;
    return zip.data + at;
}

/* The last record at the end whose comment fits. */
static const uint8_t *find_end(struct mox_slice zip)
{
    for (size_t back = END_BYTES; back <= zip.len && back <= END_BYTES + COMMENT_MAX; back++) {
        const uint8_t *p = zip.data + zip.len - back;
        if (memcmp(p, "PK\5\6", 4) == 0 && u16(p + 20) <= back - END_BYTES)
            return p;
    }
    return NULL;
}

static int broken(const char *form, const char *what, struct mox_error *err)
{
    return mox__fail(err, MOX_ESYNTAX, "read %s: its zip file %s", form, what);
}

/* The data of the file that the entry is of; NULL in data: they are not there. */
static struct mox_slice data_of(struct mox_slice zip, const uint8_t *entry)
{
    const uint8_t *local = record_at(zip, u32(entry + 42), LOCAL_BYTES, "PK\3\4");
    if (local == NULL)
        return slice(NULL, 0);
    size_t rest = zip.len - (size_t)(local - zip.data) - LOCAL_BYTES;
    size_t skip = (size_t)u16(local + 26) + u16(local + 28);
    uint32_t packed = u32(entry + 20);
    if (skip > rest || packed > rest - skip)
        return slice(NULL, 0);
    return slice(local + LOCAL_BYTES + skip, packed);
}

static int extract(struct buf *out, struct mox_slice data, const uint8_t *entry, const char *form,
                   struct mox_error *err)
{
    size_t before = out->len;
    unsigned method = u16(entry + 10);
    int rc = MOX_OK;
    if ((u16(entry + 8) & FLAG_ENCRYPTED) != 0)
        return broken(form, "is encrypted", err);
    if (method == METHOD_DEFLATED)
        rc = mox__report_inflate(out, &data, -MAX_WBITS, form, err);
    else if (method == METHOD_STORED)
        rc = mox__report_append(out, data.data, data.len, form, err);
    else
        return mox__fail(err, MOX_ESYNTAX,
                         "read %s: its zip file uses compression method %u; only deflate is read",
                         form, method);
    if (rc != MOX_OK)
        return rc;
    size_t len = out->len - before;
    if (len != u32(entry + 24) || crc32(0, len > 0 ? out->data + before : (const uint8_t *)"",
                                        (unsigned)len) != u32(entry + 16))
        return broken(form, "is damaged: its checksum is wrong", err);
    return MOX_OK;
}

int mox__report_unzip(struct buf *out, struct mox_slice zip, const char *form,
                      struct mox_error *err)
{
    const uint8_t *end = find_end(zip);
    if (end == NULL)
        return broken(form, "is cut short", err);
    if (u16(end + 10) != 1)
        return mox__fail(err, MOX_ESYNTAX, "read %s: its zip file holds %u files, not one", form,
                         u16(end + 10));
    const uint8_t *entry = record_at(zip, u32(end + 16), ENTRY_BYTES, "PK\1\2");
    if (entry == NULL)
        return broken(form, "has no directory where it should be", err);
    struct mox_slice data = data_of(zip, entry);
    if (data.data == NULL)
        return broken(form, "does not hold the data that it names", err);
    return extract(out, data, entry, form, err);
}
