/* SPDX-License-Identifier: MIT */
#ifndef BASE_CONN_LOG_H
#define BASE_CONN_LOG_H

#include <stdatomic.h>

#include <mox/env.h>

#include "base/priv.h"

/* The log of one connection. Whatever is logged through its `env`, by an engine or its host, gets the
 * number of the connection, the time since its line before, and who is logged in:
 *
 *   l=debug m="smtp command result" pkg=smtpserver cid=19a delta=1.204ms username=a@x.example cmd=mail …
 *
 * Costs nothing but for a line that is written. Everything else of `env` is the outer one's.
 *
 * Threads: lines from any; the user is set while no other thread logs. */
struct conn_log {
    struct mox_env env;
    const struct mox_env *outer; /* borrowed */
    uint64_t cid;
    atomic_int_fast64_t line_us; /* of the last line, or of the begin */
    char *username;              /* NULL: nobody's */
};

MOX_PRIV void mox__conn_log_init(struct conn_log *l, const struct mox_env *outer, uint64_t cid);
/* Without memory for the name the lines go without. */
MOX_PRIV void mox__conn_log_user(struct conn_log *l, const char *username);
MOX_PRIV void mox__conn_log_end(struct conn_log *l);

#endif
