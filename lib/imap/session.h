/* SPDX-License-Identifier: MIT */
#ifndef IMAP_SESSION_H
#define IMAP_SESSION_H

#include <semaphore.h>
#include <stdatomic.h>

#include <mox/imap_server.h>

#include "base/buf.h"
#include "imap/command.h"

/**
 * The IMAP server engine. Which file does what:
 *
 *   server.c   the public calls: input, output, wants, deadlines
 *   read.c     lines and literals become commands (reader states are drawn there)
 *   table.c    one row per command; dispatch.c runs the steps of the current command
 *   sync.c     compares what the client was told with what is there: EXPUNGE, EXISTS, FETCH
 *   listsync.c the same for the names of mailboxes: LIST
 *   lex.c lexdate.c utf7.c   parsing of arguments
 *   output.c   strings, flags and mailbox names as the client reads them
 *   cmd_*.c    a group of commands each
 */

/* Where the bytes of the client go. */
enum reader {
    READ_COMMAND,  /* lines and literals of a command are gathered */
    READ_STREAM,   /* literal data goes to the spool of APPEND */
    READ_SKIP,     /* literal data of a refused command is thrown away */
    READ_BUSY,     /* a command runs; input waits */
    READ_ANSWER,   /* a running command reads a line: AUTHENTICATE, IDLE */
    READ_TLS       /* what comes belongs to the handshake */
};

/* Somebody else's threads say what happened by setting these bits and calling `wake`. */
enum event {
    EV_WRITTEN = 1 << 0, /* the write that the command waits for is done */
    EV_CHANGED = 1 << 1, /* the selected mailbox, or the list of mailboxes, has changed */
};

#define RECENT_RANGES_MAX 16

struct mox_imap_server {
    struct mox_env env;
    struct mox_imap_server_config config; /* hostname is ours */
    char *hostname;
    struct mox_peer peer;
    const struct mox_imap_server_callbacks *callbacks; /* borrowed */
    void *user;

    enum imap_state state;
    int failure;          /* the first failure; sticks */
    bool closing;         /* close once the output is sent */
    bool shutdown;        /* the host wants to stop: BYE when no command runs */
    bool first_seen;      /* a valid command was there (RFC 3501 has no such rule: it ends probes) */
    bool starttls_due;    /* the OK is in the output, the handshake comes next */
    bool utf8;            /* UTF8=ACCEPT: later */
    unsigned bad_commands;
    unsigned failed_logins;

    /* input */
    enum reader reader;
    struct buf in;        /* what came and is not consumed */
    size_t in_at;         /* consumed bytes at its front */
    size_t scanned;       /* of the current command, relative to in_at: looked through for a line end */
    size_t gathered;      /* of the current command: complete lines and literals */
    uint64_t literal_left; /* bytes of the current literal to come */
    unsigned literals;    /* of the current command */
    size_t literal_bytes; /* of them, in all */
    bool skip_line;       /* the rest of a refused command is thrown away */

    struct buf out;       /* what the peer has not got yet */
    size_t out_at;        /* sent bytes at its front */

    struct command cmd;   /* the current one, while reader != READ_COMMAND or its first line is there */
    bool cmd_open;        /* cmd is in use */
    enum step waiting;    /* what cmd waits for */
    unsigned cmd_stage;   /* of the dispatcher */
    bool may_block;       /* inside run() */
    bool writing;         /* a write is with the store */

    /* other threads */
    atomic_uint events;   /* enum event */
    sem_t written;        /* posted last by a write's `done`: then nobody else touches us */

    /* time, on the monotonic clock */
    int64_t started_us, active_us, sent_us;

    /* the account */
    bool have_store;
    struct mox_mailstore store;
    const struct mox_mailboxes *mailboxes; /* as the client was told */

    /* the selected mailbox */
    uint64_t mailbox;     /* id; 0: none */
    bool read_only;
    bool gone;            /* it was deleted under us */
    struct mox_view *view; /* what the client was told: its sequence numbers count here */
    unsigned keywords_told; /* of the mailbox's keywords, named in FLAGS */
    uint32_t recent_told;
    struct mox_uid_range recent[RECENT_RANGES_MAX]; /* UIDs with \Recent, ascending */
    unsigned recent_count;
    struct sync *sync;    /* under way */

    struct mox_watch watch; /* while idling */
    bool watching;
};

/* --- output (output.c) --- Everything goes to s->out; a failure sticks there and ends the session
 * after the step. */

/* Whether a long answer should pause now: return STEP_OUTPUT. */
bool mox__imap_output_full(const struct mox_imap_server *s);
/* Bytes until then. */
size_t mox__imap_output_room(const struct mox_imap_server *s);
void mox__imap_put(struct mox_imap_server *s, const char *text);
void mox__imap_putf(struct mox_imap_server *s, const char *format, ...) MOX_PRINTF(2, 3);
/* A string: quoted, or a literal if it must be. */
void mox__imap_put_string(struct mox_imap_server *s, struct mox_slice text);
/* A mailbox's name: modified UTF-7 if need be, as an atom if it is one, else quoted. */
void mox__imap_put_mailbox(struct mox_imap_server *s, const char *name);
/* "(\Seen $Junk keyword)", with \Recent where it is due. `view` gives the keywords' names. */
void mox__imap_put_flags(struct mox_imap_server *s, const struct mox_view *view,
                         const struct mox_view_row *row);
bool mox__imap_is_recent(const struct mox_imap_server *s, uint32_t uid);

/* --- the current command (dispatch.c) --- */

/* Inside run(): the step may wait for the disk. */
bool mox__imap_may_block(const struct mox_imap_server *s);
/* Prepares a write of the current command: sets done and user. Then submit it to s->store.ops and
 * return STEP_WAIT; the step is called again when it is done, on the owner's thread or in run(). */
void mox__imap_write(struct mox_imap_server *s, struct mox_write *w);

/* --- changes (sync.c) --- */

/* The current view of the selected mailbox, with a reference. Does not read the disk. MOX_EGONE, and
 * s->gone is set then. */
int mox__imap_current_view(struct mox_imap_server *s, struct mox_view **out, struct mox_error *err);
/* FLAGS and PERMANENTFLAGS if the view has keywords that the client was not told of: before a FETCH
 * response that shows a row of it. */
void mox__imap_tell_keywords(struct mox_imap_server *s, const struct mox_view *view);

/* Whether the name is fit; fills `out`, or sets NO [CANNOT] as the result and returns false. */
bool mox__imap_name(struct command *c, const char *name, char out[MOX_MAILBOX_NAME_MAX + 1]);

#endif
