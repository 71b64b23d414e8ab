/* SPDX-License-Identifier: MIT */
#ifndef SERVER_CTL_H
#define SERVER_CTL_H

#include <mox/ctl.h>

#include "base/buf.h"

#define CTL_MAX_PARAMS 12
/* The most bytes behind a command: a message that is larger can be asked about while no server runs. */
#define CTL_UPLOAD_MAX ((size_t)128 << 20)

/*  COMMAND --line--> PARAMS --last line------------> RUN --ok--------------------> COMMAND
 *     |                 '---> UPLOAD --last byte------^ |---ok, stream--> STREAM --0--^
 *     |                                                 |---stop--------> STOPPING
 *     '--unknown------------> CLOSING <-----failure-----'
 */
enum ctl_state { COMMAND, PARAMS, UPLOAD, RUN, STREAM, STOPPING, CLOSING };

struct mox_ctl {
    struct mox_env env;
    const struct mox_ctl_handlers *handlers;
    void *user;
    enum ctl_state state;
    const struct ctl_command *command;
    char *params[CTL_MAX_PARAMS];
    size_t param_count;
    struct buf in;     /* at most one line that is not whole yet, or pipelined lines */
    struct buf out;
    struct buf upload; /* the bytes behind the parameters */
    size_t upload_len; /* how many they will be */
    struct buf answer; /* what is streamed */
    size_t answer_at;
    bool ack_due;     /* a piece was sent and waits for its ok */
    bool peer_closed;
    bool leaving; /* what is streamed is the last */
    int64_t deadline_us;
    const struct ctl_work *work; /* what goes on filling the stream; or NULL */
    void *work_state;            /* its own */
};

/* A command whose answer is made bit by bit, while its client is told how far it is. */
struct ctl_work {
    /* The next piece of it: appends to `answer` now and then, and at the end calls mox__ctl_work_end(). */
    void (*go_on)(struct mox_ctl *c);
    /* Interrupts it, and frees its state. */
    void (*end)(struct mox_ctl *c);
};

struct ctl_command {
    const char *name;
    size_t params;
    bool uploads; /* the last parameter is a number of bytes that follow it */
    /* Called by the engine's `run`, while the state is COMMAND. A failure closes the connection, with
     * its text. */
    int (*run)(struct mox_ctl *c, struct mox_error *err);
};

/* The command of that name, or NULL. ctl_command.c */
const struct ctl_command *mox__ctl_command(struct mox_slice name);
/* ctl_auth.c */
int mox__ctl_list_keys(struct mox_ctl *c, struct mox_error *err);
int mox__ctl_add_key(struct mox_ctl *c, struct mox_error *err);
int mox__ctl_remove_key(struct mox_ctl *c, struct mox_error *err);
int mox__ctl_list_logins(struct mox_ctl *c, struct mox_error *err);
/* ctl_retrain.c */
int mox__ctl_retrain(struct mox_ctl *c, struct mox_error *err);
/* ctl_import.c */
int mox__ctl_import_maildir(struct mox_ctl *c, struct mox_error *err);
int mox__ctl_import_mbox(struct mox_ctl *c, struct mox_error *err);
/* Interrupts what goes on; without anything, nothing happens. */
void mox__ctl_work_end(struct mox_ctl *c);
/* ctl_explain.c */
int mox__ctl_explain(struct mox_ctl *c, struct mox_error *err);
int mox__ctl_check(struct mox_ctl *c, struct mox_error *err);
/* A line of ours. */
void mox__ctl_say(struct mox_ctl *c, const char *line);

#endif
