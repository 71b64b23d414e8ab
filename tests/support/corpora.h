/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_CORPORA_H
#define SUPPORT_CORPORA_H

#include <mox/types.h>

/* Path of a file or folder below $MOX_CORPORA in a static buffer, or NULL when it is absent; then the
 * test prints that and calls skip(). */
const char *corpus_path(const char *relative);
/* Path of a file of the project's own tests, below $MOX_TESTS, in a static buffer. */
const char *tests_path(const char *relative);

/* A whole file, NUL-terminated for convenience, freed with free(). Fails the test when unreadable. */
struct mox_slice read_file(const char *path);

/* Calls `each` for every regular file below the folder, sorted by path. */
void each_file(const char *folder, void (*each)(void *user, const char *path, struct mox_slice data),
               void *user);

/* The bytes with every bare LF (and only that) made CRLF, as SMTP and APPEND store them; freed with
 * free(). */
struct mox_slice with_crlf(struct mox_slice in);

#endif
