/* SPDX-License-Identifier: MIT */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <mox/error.h>

#include "base/priv.h"

/* Fills *err (which may be NULL) and returns status, so that a failure is one line. */
MOX_PRIV int mox__fail(struct mox_error *err, int status, const char *format, ...)
    MOX_PRINTF(3, 4);

/* MOX_ENOSPACE, MOX_EREADONLY, MOX_EFILES, MOX_ENOMEM, MOX_ENOTFOUND, MOX_EEXISTS for what they say;
 * MOX_EIO for anything else. */
MOX_PRIV int mox__status_of_errno(int error);

#endif
