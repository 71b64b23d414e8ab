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
 *   server.c   the public calls: input, output, wants, deadlines; engine.c the same as a table
 *   read.c     lines and literals become commands (reader states are drawn there)
 *   table.c    one row per command; dispatch.c runs the steps of the current command
 *   result.c   how commands end
 *   sync.c     compares what the client was told with what is there: EXPUNGE, EXISTS, FETCH
 *   recent.c   which messages have \Recent
 *   listsync.c the same for the names of mailboxes: LIST
 *   slow.c     what guessers and other protocols get
 *   lex.c lexdate.c   parsing of arguments
 *   output.c   strings, flags and mailbox names as the client reads them
 *   greeting.c the greeting; auth.c: attempts to log in, by a command or a certificate
 *   cmd_*.c    a group of commands each
 */

/* Where the bytes of the client go. */
enum reader {
    READ_GREETING, /* nothing is read: the host says first whose certificate it is */
    READ_COMMAND,  /* lines and literals of a command are gathered */
    READ_STREAM,   /* literal data goes to the spool of APPEND */
    READ_SKIP,     /* literal data of a refused command is thrown away */
    READ_BUSY,     /* a command runs; input waits */
    READ_ANSWER,   /* a command that runs reads lines: AUTHENTICATE, IDLE */
    READ_TLS       /* what comes belongs to the handshake */
};

/* Somebody else's threads say what happened by setting these bits and calling `wake`. */
enum event {
    EV_WRITTEN = 1 << 0, /* the write that the command waits for is done */
    EV_CHANGED = 1 << 1, /* the selected mailbox, or the list of mailboxes, has changed */
};

/* Bounds of what a client sends (RFC 9051 §4.3 leaves them to us). Lines are long enough for a
 * UID set of some thousand ranges. */
#define LINE_MAX_BYTES     (16 * 1024)
#define LITERAL_MAX_BYTES  (100 * 1024)
#define LITERALS_MAX       1000
#define LITERALS_MAX_BYTES 1024000
/* Text of one command besides its literals; each of them costs a line. */
#define COMMAND_TEXT_MAX_BYTES (64 * 1024)
#define AUTH_LINE_MAX_BYTES    12288
/* Pipelined commands that wait while one is being worked on. */
#define PIPELINE_MAX_BYTES (16 * 1024)

/* Two sessions that look at one mailbox take turns in getting \Recent; the client of one that lost
 * a range this often has no use for the first one any more. */
#define RECENT_RANGES_MAX 16

struct mox_imap_server {
    struct mox_env env;
    struct mox_imap_server_config config; /* its hostname is `hostname` */
    char *hostname;
    struct mox_peer peer;
    struct mox_imap_server_callbacks cb; /* what the host's version lacks is NULL */
    void *user;

    enum imap_state state;
    int failure;       /* the first failure; sticks */
    bool closing;      /* close once the output is sent */
    bool shutdown;     /* the host wants to stop: BYE when no command runs */
    bool first_seen;   /* a command was there; before, anything else is a probe */
    bool starttls_due; /* the OK is in the output, the handshake comes next */
    bool secret_seen;  /* there was a LOGIN or AUTHENTICATE */
    bool secret_stray; /* and one of somebody who is logged in: what belongs to it may follow */
    unsigned bad_commands;
    unsigned failed_logins; /* attempts since the last that succeeded, with the one under way */

    /* input (read.c) */
    enum reader reader;
    struct buf in;         /* what came */
    size_t in_at;          /* of it: consumed */
    size_t gathered;       /* behind in_at: complete lines and literals of the command */
    size_t scanned;        /* behind in_at: looked through for the end of a line */
    uint64_t literal_left; /* bytes of the current literal to come */
    unsigned literals;     /* of the current command, so far */
    size_t literal_bytes;  /* in all of them */

    struct buf out;    /* what the peer has not got yet */
    size_t out_at;     /* of it: sent */
    size_t out_traced; /* of it: written to the log */

    /* the command (dispatch.c) */
    struct command cmd;
    bool cmd_open;      /* its first line was there */
    unsigned cmd_stage; /* the dispatcher's */
    enum step waiting;  /* for what; STEP_DONE: nothing */
    bool called;        /* what STEP_CALL waits for has come */
    bool may_block;     /* inside run() */
    bool writing;       /* a write is with the store */

    /* other threads */
    atomic_uint events; /* enum event */
    sem_t written;      /* posted last by a write's `done`: from then on nobody else touches us */

    /* on the monotonic clock */
    int64_t started_us, active_us, sent_us;
    int64_t delayed_until_us; /* a login waits for this; 0: none does */

    struct auth *auth; /* the attempt to log in that is under way, or NULL */

    /* the account */
    bool have_store;
    struct mox_mailstore store;
    const struct mox_mailboxes *mailboxes; /* as the client was told */
    struct list_sync *list_sync;           /* under way (listsync.c) */

    /* the selected mailbox */
    uint64_t mailbox; /* id; 0: none */
    bool read_only;
    bool gone;             /* it was deleted under us */
    struct mox_view *view; /* as the client was told: its sequence numbers count here */
    struct mox_view
        *base; /* the store's view below it, when `view` is our own (mox__imap_settle) */
    unsigned keywords_told;                         /* of the mailbox's keywords: named in FLAGS */
    struct mox_uid_range recent[RECENT_RANGES_MAX]; /* UIDs with \Recent, ascending */
    unsigned recent_count;
    struct sync *sync; /* under way (sync.c) */

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
/* Bytes of a message: the log shows them at tracedata only. */
void mox__imap_put_data(struct mox_imap_server *s, struct mox_slice data);
/* "+ " and a challenge of SASL in base64. With the client's responses it is enough to try passwords
 * by, and so is hidden as they are. */
void mox__imap_put_challenge(struct mox_imap_server *s, struct mox_slice challenge);
void mox__imap_putf(struct mox_imap_server *s, const char *format, ...) MOX_PRINTF(2, 3);
/* A mailbox's name: modified UTF-7 if need be, as an atom if it is one, else quoted. */
void mox__imap_put_mailbox(struct mox_imap_server *s, const char *name);
/* "(\Seen $Junk keyword)", with \Recent where it is due. `view` gives the keywords' names. */
void mox__imap_put_flags(struct mox_imap_server *s, const struct mox_view *view,
                         const struct mox_view_row *row);

/* What the log has not seen of the output yet. */
void mox__imap_trace_output(struct mox_imap_server *s);
/* A line of the client; `secret` if it holds credentials. */
void mox__imap_trace_input(struct mox_imap_server *s, struct mox_slice line, bool secret);
void mox__imap_trace_input_data(struct mox_imap_server *s, struct mox_slice data, bool secret);

/* --- the greeting (greeting.c) --- */

/* Greets, now or when the host has answered. MOX_ENOMEM. */
MOX_MUST_USE int mox__imap_start(struct mox_imap_server *s);
/* The host has answered. */
void mox__imap_greet(struct mox_imap_server *s);

/* --- input (read.c) --- */

/* Goes on with what is there: reads commands and runs them until something is missing. */
void mox__imap_pump(struct mox_imap_server *s);
/* "* BYE text", and close. */
void mox__imap_bye(struct mox_imap_server *s, const char *text);

/* --- the current command (dispatch.c) --- */

/* Makes s->cmd the command on this line, which may be refused at once: then its result is set. */
void mox__imap_open(struct mox_imap_server *s, struct mox_slice line);
/* Whether the command's text must not be logged. */
bool mox__imap_is_secret(const struct mox_imap_server *s);
/* The tagged line (result.c). */
void mox__imap_put_result(struct mox_imap_server *s, const struct command *c);
/* The command has ended, or its session has: says and counts how. */
void mox__imap_log_result(struct mox_imap_server *s, const struct command *c);
/* Runs the command as far as it goes. */
void mox__imap_advance(struct mox_imap_server *s);
/* Whether what it waits for is there. */
bool mox__imap_ready(struct mox_imap_server *s);
/* Forgets the command. */
void mox__imap_close_command(struct mox_imap_server *s);
/* Inside run(): the step may wait for the disk. */
bool mox__imap_may_block(const struct mox_imap_server *s);
/* Prepares a write of the current command: sets done and user. Then submit it to s->store.ops and
 * return STEP_WAIT; the step is called again when it is done, on the owner's thread or in run(). */
void mox__imap_write(struct mox_imap_server *s, struct mox_write *w);
/* Whether the name is fit; fills `out`, or sets NO [CANNOT] as the result and returns false. */
bool mox__imap_name(struct command *c, const char *name, char out[MOX_MAILBOX_NAME_MAX + 1]);

/* --- guessers, other protocols (slow.c) --- */

/* An attempt to log in: counted when it begins, and held up after too many (STEP_CALL); not counted,
 * when it failed by no fault of the client. */
enum step mox__imap_login_begins(struct mox_imap_server *s, struct command *c);
void mox__imap_login_undone(struct mox_imap_server *s);
void mox__imap_login_succeeded(struct mox_imap_server *s);
/* Whether what the session begins with is no command, whatever follows. */
bool mox__imap_is_foreign(const struct mox_imap_server *s, uint8_t first);
/* Says so, and closes. */
void mox__imap_not_imap(struct mox_imap_server *s);

/* --- changes (sync.c, listsync.c) --- */

/* The current view of a mailbox, with a reference. MOX_LATER: the disk may have to be read, return
 * STEP_RUN and ask again. */
int mox__imap_view(struct mox_imap_server *s, uint64_t mailbox, struct mox_view **out,
                   struct mox_error *err);
/* The same for the selected mailbox. MOX_EGONE, and s->gone is set then. */
int mox__imap_current_view(struct mox_imap_server *s, struct mox_view **out, struct mox_error *err);
/* FLAGS and PERMANENTFLAGS if the view has keywords that the client was not told of: before a FETCH
 * response that shows a row of it. */
void mox__imap_tell_keywords(struct mox_imap_server *s, const struct mox_view *view);
/* "* FLAGS (…)" and "* OK [PERMANENTFLAGS (…)]". */
void mox__imap_put_flag_lines(struct mox_imap_server *s, const struct mox_view *view);
/* Tells the client what has changed in the selected mailbox, but what the command `told`. The
 * dispatcher does this at the end of commands. STEP_DONE, _RUN, _OUTPUT or _FAIL. */
enum step mox__imap_sync(struct mox_imap_server *s, struct command *c);
/* Takes note of what the command `told`, and tells nothing (ROW_KEEP_NUMBERS). */
enum step mox__imap_settle(struct mox_imap_server *s, struct command *c);
/* Makes `view` (whose reference it takes) the selected one. */
void mox__imap_select(struct mox_imap_server *s, struct mox_view *view, bool read_only);
void mox__imap_unselect(struct mox_imap_server *s);

/* --- \Recent (recent.c) --- */

/* New UIDs up to the view's are \Recent here unless another session saw them first. EXAMINE looks
 * and leaves them to others (RFC 3501 §6.3.2). Whether there are any. */
bool mox__imap_claim_recent(struct mox_imap_server *s, const struct mox_view *view);
/* Messages with \Recent in the view. */
uint32_t mox__imap_recent(const struct mox_imap_server *s, const struct mox_view *view);
bool mox__imap_is_recent(const struct mox_imap_server *s, uint32_t uid);

/* LIST lines for names that have changed, except those that the command `knows`. */
enum step mox__imap_list_sync(struct mox_imap_server *s, struct command *c);
void mox__imap_drop_list_sync(struct mox_imap_server *s);
/* Has changes told by `wake` (cmd_idle.c). */
void mox__imap_watch(struct mox_imap_server *s);
void mox__imap_unwatch(struct mox_imap_server *s);

#endif
