/* SPDX-License-Identifier: MIT */
#ifndef CLI_MAILFILE_H
#define CLI_MAILFILE_H

#include <mox/types.h>

#include "command.h"

/* The most that is read of a file or standard input, in bytes; messages are smaller. */
#define MAILFILE_MAX ((size_t)512 * 1024 * 1024)

/* A message as it would have come by SMTP: of a file, or of standard input for "-". A bare LF becomes CRLF,
 * and the "From " line of an mbox in front is dropped. */
struct mailfile {
    struct mox_slice content;
    uint8_t *memory; /* owned */
};

/* Says what went wrong. Freed with mailfile_free() after EXIT_OK. */
enum exit_code mailfile_read(struct mailfile *out, const char *path);
void mailfile_free(struct mailfile *m);

#endif
