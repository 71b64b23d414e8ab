/* SPDX-License-Identifier: MIT */
#ifndef IMAP_COMMAND_H
#define IMAP_COMMAND_H

#include <mox/mailstore.h>

#include "base/arena.h"
#include "imap/lex.h"

struct mox_imap_server;

/* What a command's step says. A step does a bounded piece of work and must not wait for anything,
 * except when it is called from mox_imap_server_run() (mox__imap_may_block()). */
enum step {
    STEP_DONE,   /* the result is set: mox__imap_ok(), _no(), _bad() */
    STEP_RUN,    /* call again from run(): what comes next may wait for the disk */
    STEP_WAIT,   /* call again when the submitted write is done */
    STEP_OUTPUT, /* call again when there is room for output */
    STEP_CALL,   /* call again when the host or the client has answered (login, IDLE) */
    STEP_FAIL    /* out of memory or the like: `failure` of the command is set, the session ends */
};

enum result { RESULT_NONE, RESULT_OK, RESULT_NO, RESULT_BAD };

/* One command, from its complete text to its tagged result. All memory that it needs lives in its
 * arena and goes with it. */
struct command {
    const struct command_row *row; /* NULL: unknown */
    struct mox_slice tag;          /* "*" while unknown */
    struct mox_slice word;         /* in lower case, for messages */
    struct mox_slice whole;        /* all of the text, literals included */
    size_t args_at;                /* where in it the arguments begin */
    struct lexer args;             /* behind the command word, from the space on */
    bool counted;                  /* as an attempt to log in */
    bool streamed;                 /* its literal went elsewhere, and it was parsed before that */
    struct arena arena;
    void *data;     /* the command's own, made by parse(), in the arena */
    unsigned stage; /* the command's own: where its step goes on; starts at 0 */
    int failure;    /* enum mox_status, for STEP_FAIL */
    bool our_fault; /* its NO is for a failure of ours */
    int64_t began_us;

    enum result result;
    const char *code; /* without brackets, constant or in the arena; NULL: none */
    const char *text; /* constant or in the arena */

    /* What the client takes a message for since this command: changes the flags and keywords of the
     * row, which are as they were told before, to what it told, or to what follows of what was
     * asked for. The sync before the tagged result tells those that differ. NULL: it told nothing. */
    void (*told)(struct command *c, struct mox_view_row *row);
    /* The same for names: the LIST line of this change is not for the client that made it. */
    bool (*knows_name)(struct command *c, const struct mox_mailbox *m);
    uint32_t appended_uid; /* own APPEND to the selected mailbox: no FETCH for it; 0: none */
};

enum row_flags {
    ROW_MAILBOX = 1 << 0, /* needs the selected mailbox to exist still: NO [NONEXISTENT] else */
    ROW_WRITES = 1 << 1,  /* refused in a mailbox opened by EXAMINE */
    /* Plain FETCH, STORE, SEARCH: no changes of others are told (RFC 3501 §7.4.1). */
    ROW_KEEP_NUMBERS = 1 << 2,
    ROW_NO_SYNC = 1 << 3, /* tells nothing at its end: SELECT, LOGOUT … */
    ROW_SECRET = 1 << 4,  /* arguments are credentials: not logged, wiped */
    ROW_UID = 1 << 5,     /* the UID form of the row before it */
    ROW_LOGIN = 1 << 6    /* an attempt to log in: counted, and waits when many have failed */
};

/* States of a session; a row's `states` is a set of them. */
enum imap_state {
    ST_NOT_AUTHENTICATED = 1 << 0,
    ST_AUTHENTICATED = 1 << 1,
    ST_SELECTED = 1 << 2,
    ST_LOGOUT = 1 << 3,
    ST_ANY = ST_NOT_AUTHENTICATED | ST_AUTHENTICATED | ST_SELECTED,
    ST_USER = ST_AUTHENTICATED | ST_SELECTED
};

/* What to do with a literal that a line of a command announces. */
enum literal {
    LITERAL_GATHER, /* it is an argument like any other */
    LITERAL_STREAM, /* APPEND: the bytes go to a spool */
    LITERAL_REFUSE  /* the result is set already; the literal is skipped, or never asked for */
};

/* One row per command. parse() runs once over the complete text and must not touch the store; with
 * MOX_ESYNTAX the answer is BAD and `args.expected` says why. It may set a result, which ends the
 * command too. */
struct command_row {
    const char *name; /* upper case, "UID FETCH" */
    unsigned states;  /* where the command is allowed (RFC 3501 §6) */
    unsigned flags;   /* enum row_flags */
    int (*parse)(struct mox_imap_server *s, struct command *c);
    enum step (*step)(struct mox_imap_server *s, struct command *c);
    /* A literal is announced; `args` covers the text in front of it. NULL: LITERAL_GATHER. */
    enum literal (*literal)(struct mox_imap_server *s, struct command *c, uint64_t bytes);
    /* The command is over, or its session ends while it runs: frees what is not in the arena. */
    void (*cleanup)(struct mox_imap_server *s, struct command *c);
    /* A line for a command that waits with s->reader == READ_ANSWER, without CRLF. */
    void (*answer)(struct mox_imap_server *s, struct command *c, struct mox_slice line);
};

/* The row of a command word such as "fetch" or "UID fetch", NULL when there is none. */
const struct command_row *mox__imap_row(struct mox_slice word);

/* Results. `code` may be NULL; without a text an OK says "<command> done". They return STEP_DONE,
 * so that a step ends with `return`. */
enum step mox__imap_ok(struct command *c, const char *code, const char *text);
enum step mox__imap_no(struct command *c, const char *code, const char *text);
enum step mox__imap_bad(struct command *c, const char *code, const char *text);
/* NO for a failure of the store, and a log line if it is not the client's doing. */
enum step mox__imap_no_status(struct mox_imap_server *s, struct command *c, int status,
                              const struct mox_error *err);
/* BAD, with what args.expected says. */
enum step mox__imap_bad_syntax(struct mox_imap_server *s, struct command *c);
/* STEP_FAIL, with the reason. */
enum step mox__imap_fail(struct command *c, int status);
/* A parse function without arguments (RFC 3501 §9: CHECK, NOOP …). */
int mox__imap_parse_nothing(struct mox_imap_server *s, struct command *c);

#endif
