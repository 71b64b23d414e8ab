/* SPDX-License-Identifier: MIT */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <mox/env.h>

#include "base/priv.h"

/* A dialogue in the log. `who` is "RC: " for what the remote client said, and "LS: " for what the local
 * server did. */
struct trace {
    const struct mox_env *env;
    const char *pkg;
    uint64_t cid;
};

/* The text with its size; long ones on several lines. */
MOX_PRIV void mox__trace(const struct trace *t, enum mox_log_level level, const char *who,
                         struct mox_slice text);
/* `shown` instead of `size` bytes that are not. */
MOX_PRIV void mox__trace_masked(const struct trace *t, const char *shown, size_t size);
/* Secrets (level MOX_LOG_TRACEAUTH) and content (MOX_LOG_TRACEDATA): the text where it may be seen, else
 * `masked`, which begins with `who`. */
MOX_PRIV void mox__trace_hidden(const struct trace *t, enum mox_log_level level, const char *who,
                                const char *masked, struct mox_slice text);

#endif
