/* SPDX-License-Identifier: MIT */
#ifndef RIG_H
#define RIG_H

#include <mox/imap_server.h>

#include "support/testenv.h"

/* One session over a store in memory, for tests that are no dialogues. u@example.org logs in with
 * `secret`; the password `later` is answered by the test, `broken` fails for now. For mechanisms without
 * a password: support/sasl_users.h. */
struct rig {
    struct mox_env env;
    struct mox_mailstore *store;
    struct mox_imap_server *server;
    unsigned wakes;  /* asked for */
    long steps_left; /* of the host; 0: it does nothing any more */
    char *said;      /* what the server said and nobody looked at; may be NULL */
    size_t said_len;
    unsigned attempts; /* to log in, that have ended */
    enum mox_sasl_failure last_failure;
    bool last_is_harmless;
};

/* As rig_open(), with so little output at once that every longer answer pauses, and a host that
 * stops after some steps. */
int rig_open_short(struct rig *r, const struct mox_env *env, struct mox_mailstore *store,
                   long steps);
/* MOX_OK, or why there is no session. */
int rig_open(struct rig *r, const struct mox_env *env, struct mox_mailstore *store);
void rig_close(struct rig *r);
/* Sends text and does all that the server wants, but for READ. */
int rig_send(struct rig *r, const char *text);
int rig_send_bytes(struct rig *r, const void *data, size_t len);
/* Does what the server wants. */
int rig_settle(struct rig *r);
/* Whether the server said this since the last look; forgets it. */
bool rig_said(struct rig *r, const char *text);

#endif
