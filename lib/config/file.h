/* SPDX-License-Identifier: MIT */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "base/buf.h"

#include <mox/error.h>

/* Appends a whole file to `out`. MOX_ENOTFOUND, MOX_EIO, MOX_ELIMIT, MOX_ENOMEM, with a text. */
MOX_MUST_USE int mox__file_read(struct buf *out, const char *path, struct mox_error *err);
/* Puts a file in place, or leaves the old one as it was: a temporary file in the same folder, synced,
 * renamed; then the folder is synced. A file that is there keeps its mode, owner and group, a new
 * one gets 0660 less the umask. */
MOX_MUST_USE int mox__file_replace(const struct mox_env *env, const char *path,
                                   struct mox_slice data, struct mox_error *err);

#endif
