/* SPDX-License-Identifier: MIT */
#ifndef MAILSTORE_CONFORMANCE_H
#define MAILSTORE_CONFORMANCE_H

#include <mox/mailstore.h>

/*
 * What mox/mailstore.h promises, as tests of any implementation that has all of it but spool_dir.
 *
 * A test program fills a struct conformance and returns conformance_run(). Its sources are its own
 * file and, in meson, `mailstore_conformance`; includes name the room, "mailstore/conformance.h".
 * Every case opens a store of its own and closes it. Writes may be answered on any thread;
 * watches are told of a write before its `done` is called.
 */
struct conformance {
    const char *name; /* of the implementation, for the output */
    void *user;
    /* The environment of the stores; spools are made with it, and its wall clock is compared with
     * stored times. Clocks that stand still are fine. */
    const struct mox_env *env;
    /* Moves the environment's wall clock on by a second, while no write is under way. NULL: it cannot
     * be moved. */
    void (*advance)(void *user);
    /* Opens a new store that has Inbox and nothing else. Asserts that it works. */
    void (*open)(void *user, struct mox_mailstore *out);
    /* Closes the store and opens it again with what it had. NULL: nothing is durable. */
    void (*reopen)(void *user, struct mox_mailstore *store);
    /* Closes the store, removes it, and asserts that all was well: counts right, nothing leaked. */
    void (*close)(void *user, struct mox_mailstore *store);
};

/* Runs all cases; returns what main() returns. */
int conformance_run(const struct conformance *c);

#endif
