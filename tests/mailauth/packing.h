/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_PACKING_H
#define MAILAUTH_PACKING_H

#include "base/buf.h"

/* Archives as mails bring them, made in memory. */

/* Appends a gzip member. */
void pack_gzip(struct buf *out, struct mox_slice bytes);

struct zip_file {
    struct mox_slice bytes; /* of the file */
    bool stored;            /* not deflated */
    unsigned flags;         /* the general purpose bits */
};

/* Appends a zip of the files, with a comment at its end. */
void pack_zip(struct buf *out, const struct zip_file *files, size_t count, const char *comment);

#endif
