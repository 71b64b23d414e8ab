/* SPDX-License-Identifier: MIT */
#ifndef SERVER_SMTP_NAMES_H
#define SERVER_SMTP_NAMES_H

#include <mox/resolver.h>

#include "server/server.h"

struct smtp_session;

/* A check that needs names of the DNS, while an answer of its session is pending: it is run, what it
 * wants is asked at once, and so on until it wants nothing more. When the resolver answers at once and
 * nothing is to be computed this is one turn of the loop; else no thread waits.
 *
 * Names that are not known after a minute count as timed out. A stop of the server and the client's end
 * cut it short. */
struct smtp_names {
    struct smtp_session *session;
    struct mox_dns_answers *answers; /* borrowed; NULL: those of the session's transaction */
    /* Goes as far as the answers reach. MOX_OK, MOX_NEED_DNS, or a failure. Each time on a worker if
     * `computes` is set by then. */
    int (*run)(struct smtp_names *n, struct mox_dns_answers *answers);
    bool computes;
    /* On the loop's thread, unless mox__smtp_names_start() has given the result: MOX_OK, MOX_EBUSY when it
     * was cut short, or another failure. May free it. */
    void (*done)(struct smtp_names *n, int rc);

    /* its own */
    struct work work;
    struct mox_dns_round *round; /* while it waits for one */
    int rc;                      /* of the worker, or of a round that did not wait */
    bool waits, is_answered, is_late, cut_short;
};

/* Begins. One at a time.
 * @return MOX_LATER, and `done` follows; or the result */
MOX_MUST_USE int mox__smtp_names_start(struct smtp_names *n);

#endif
