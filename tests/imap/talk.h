/* SPDX-License-Identifier: MIT */
#ifndef IMAP_TALK_H
#define IMAP_TALK_H

#include <mox/imap_server.h>

/* A client that speaks to an IMAP server engine by calls, without sockets and scripts: for tests
 * over many messages, and for figures. Log in comes with it; the account is the store's. */
struct talk {
    struct mox_imap_server *server;
    struct mox_mailstore store;
    uint8_t *got; /* what the server said since the last command, NUL-terminated */
    size_t len, cap;
    size_t max_output; /* the most output that ever waited */
    unsigned runs;     /* calls of run() */
    bool keep;         /* false: output is thrown away, but for its last bytes */
    bool woken;
    bool running; /* inside run(), which may wait for the disk */
};

/* Greets and logs in. */
void talk_open(struct talk *t, const struct mox_env *env, struct mox_mailstore store);
void talk_close(struct talk *t);

/* Sends a line with "t " in front and CRLF behind, and returns what the server said, to its tagged
 * result included. */
const char *talk(struct talk *t, const char *line);
/* The same, and the result must be OK. */
const char *talk_ok(struct talk *t, const char *line);
/* Sends bytes and moves until the server has nothing more to say. */
void talk_send(struct talk *t, const void *data, size_t len);

/* Puts a message into a mailbox of a store, as it is. */
void talk_append(struct mox_mailstore store, const struct mox_env *env, const char *mailbox,
                 struct mox_slice prefix, struct mox_slice content, uint32_t flags,
                 int64_t received_us);

/* The first literal behind `label` in what the server said; false if there is none. */
bool talk_literal(const struct talk *t, const char *label, struct mox_slice *out);

#endif
