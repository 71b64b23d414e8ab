/* SPDX-License-Identifier: MIT */
#ifndef SMTP_SERVER_H
#define SMTP_SERVER_H

#include <mox/smtp_server.h>

#include "base/arena.h"
#include "base/buf.h"
#include "smtp/data_reader.h"

/* The server engine from inside. Where to look:
 *
 *   server.c     the public calls; input.c cuts the stream into lines and content
 *   dispatch.c   the table of commands and the states in which each is allowed
 *   cmd_*.c      one command each: its grammar, checks, question to the host, answer
 *   auth.c       attempts to log in, from AUTH or a certificate to their end
 *   ask.c        questions to the host and their answers, now or later
 *   content.c    DATA and BDAT: from the stream to the host, in pieces; data_reader.c finds the end
 *   reply.c      replies on the wire; trace.c: the dialogue in the log
 *   slow.c       what guessers, senders of junk and other protocols get
 *   path.c, params.c   the grammar of RFC 5321 §4.1.2
 *
 * Commands return nothing: a client's mistake is a reply, and what ends the connection sticks in
 * `failure`. */

/* Where the dialogue stands. EHLO and RSET lead back to READY from everywhere behind it.
 *
 *   START ──EHLO──▶ READY ──MAIL──▶ MAIL ──RCPT──▶ RCPT ──DATA──▶ READY
 *     ▲               │                             │
 *     └───STARTTLS────┘                             └──BDAT──▶ BDAT ──LAST──▶ READY
 *
 * More RCPT and BDAT stay where they are; content that is refused leads to READY, too. */
enum state {
    ST_START = 1 << 0,
    ST_READY = 1 << 1,
    ST_MAIL = 1 << 2,
    ST_RCPT = 1 << 3,
    ST_BDAT = 1 << 4
};
#define ST_HELLO (ST_READY | ST_MAIL | ST_RCPT | ST_BDAT)
#define ST_ANY   (ST_START | ST_HELLO)

/* What the next bytes are. */
enum reading { READ_COMMAND, READ_AUTH, READ_CONTENT };

/* The question to the host whose answer is pending. */
enum ask { ASK_NOTHING, ASK_AUTH, ASK_HELLO, ASK_MAIL, ASK_RCPT, ASK_BEGIN, ASK_PIECE, ASK_DELIVER };

/* RFC 5321 §4.5.3.1.4 asks for 512, extensions for more; spec: 2048, without the LF. */
#define LINE_MAX_COMMAND 2048
/* RFC 4954 §4. */
#define LINE_MAX_AUTH 12288

/* The content that is being read. */
struct content {
    struct data_reader reader;
    struct buf piece;    /* read, not yet taken by the host */
    bool is_chunk;       /* BDAT */
    bool is_last;        /* of the message's chunks */
    bool is_stray;       /* a chunk where none is allowed: no transaction is concerned */
    bool ended;          /* all of it is read */
    bool refused;        /* s->reply is its answer; what still comes is dropped */
    uint64_t chunk_left; /* bytes of the chunk that are still to come */
    uint64_t read;       /* bytes of the message on the wire */
    int64_t started_us, refused_us;
};

struct mox_smtp_server {
    struct mox_env env;
    struct mox_smtp_server_callbacks cb; /* what the host's version lacks is NULL */
    void *user;
    struct mox_smtp_server_config config;
    struct mox_peer peer;
    char *hostname;
    char received_id[24];

    enum state state;
    enum reading reading;
    enum ask pending;
    int failure;  /* < 0: the connection is over, and this is what calls return */
    bool greeted; /* a known verb was received */
    bool closing; /* CLOSE is wanted when the output is sent */
    bool eof;     /* the client has closed its side */
    bool shutting_down;
    bool starting_tls;
    bool transaction; /* the host was asked for MAIL: it is told of the end */
    bool auth_seen;   /* unknown lines may be responses: they are not logged */
    bool data_refused; /* and they may be the content that was not asked for */
    bool slow;        /* the host said so; until a login */
    bool held_enough; /* the line at the front of `in` has waited */
    bool certificate_asked; /* the host was asked whom it belongs to */
    bool by_certificate;    /* and that is who is logged in */

    struct buf in; /* unread input: from in_at on */
    size_t in_at;
    size_t scanned; /* bytes of the unread line that have no LF */
    struct buf out; /* unsent output: from out_at on */
    size_t out_at;

    int64_t started_us; /* the connection */
    int64_t active_us;  /* the last progress that counts for the timeout */
    unsigned bad_commands;
    unsigned bad_transactions, good_transactions;
    unsigned failed_logins; /* attempts since the last that succeeded, with the one under way */
    int64_t held_until_us;  /* an AUTH line waits in `in`; 0: none does */

    struct mox_smtp_reply reply; /* what the host may change while it is asked */
    int prepared_code;           /* of the reply as the host got it */
    const char *verb;            /* of the command under way, for the log */
    int64_t verb_us;

    char *hello;
    /* The one before, while the host is asked about a new one. */
    struct {
        char *hello;
        bool is_literal, esmtp;
    } before;
    char *username;
    struct auth *auth; /* the attempt to log in that is under way, or NULL */
    struct mox_smtp_envelope envelope;
    struct mox_smtp_path *recipients;
    size_t recipients_cap;
    struct mox_smtp_path rcpt; /* asked for; in `scratch` */
    struct arena arena;        /* of the transaction */
    struct arena scratch;      /* of the command */
    struct content content;
};

/* ---- input.c ---- */

/* Goes on with unread input as far as it can. */
void mox__smtp_resume(struct mox_smtp_server *s);
/* Takes bytes that have just arrived. */
void mox__smtp_take(struct mox_smtp_server *s, struct mox_slice data);
bool mox__smtp_may_read(const struct mox_smtp_server *s);
/* Forgets unread input. */
void mox__smtp_drop_input(struct mox_smtp_server *s);
struct mox_slice mox__smtp_unread(const struct mox_smtp_server *s);
size_t mox__smtp_unsent(const struct mox_smtp_server *s);

/* ---- dispatch.c ---- */

void mox__smtp_command(struct mox_smtp_server *s, struct mox_slice line);
/* The name of a verb that we know, or NULL. */
const char *mox__smtp_verb(struct mox_slice verb);
/* Whether nothing is left of a command's arguments; blanks are tolerated on delivery. */
bool mox__smtp_at_end(const struct mox_smtp_server *s, struct mox_slice rest);

/* ---- reply.c ---- */

/* mox_smtp_reply_set() of a text that is ready. */
void mox__smtp_reply_text(struct mox_smtp_reply *reply, int code, const char *enhanced,
                          const char *text);
/* Queues a reply; a failure (4xx, 5xx) ends with the received id. `text` may have several lines. */
void mox__smtp_reply(struct mox_smtp_server *s, int code, const char *enhanced, const char *format,
                     ...) MOX_PRINTF(4, 5);
void mox__smtp_send(struct mox_smtp_server *s, const struct mox_smtp_reply *reply);
/* 334, in one line however long it is. */
void mox__smtp_send_challenge(struct mox_smtp_server *s, struct mox_slice text);
/* Lines as they are, without an enhanced code. */
void mox__smtp_send_lines(struct mox_smtp_server *s, int code, struct mox_slice text);
/* 501 5.5.2, and counts as a bad command. `rest` is shown to users only. */
void mox__smtp_bad_syntax(struct mox_smtp_server *s, struct mox_slice rest, const char *advice);
/* The last reply, without the received id: closes. */
void mox__smtp_bye(struct mox_smtp_server *s, int code, const char *enhanced, const char *text);
/* Closes once the output is sent; ends the transaction. */
void mox__smtp_close(struct mox_smtp_server *s);

/* ---- ask.c ---- */

/* Fills s->reply with what a refusal says unless the host knows better. */
void mox__smtp_prepare(struct mox_smtp_server *s, int code, const char *enhanced, const char *text);
/* Takes what a callback returned: goes on, or notes that the answer is pending. */
void mox__smtp_answer(struct mox_smtp_server *s, enum ask ask, int rc);
/* Sends the host's own positive reply, or this one. */
void mox__smtp_accept(struct mox_smtp_server *s, int code, const char *enhanced, const char *text);
/* Tells the host that the transaction is over, if there is one, and forgets it. */
void mox__smtp_end_transaction(struct mox_smtp_server *s);

/* ---- content.c ---- */

/* From now on the stream is content: DATA's, or a chunk of `len` bytes. */
void mox__smtp_content_begin(struct mox_smtp_server *s);
void mox__smtp_chunk_begin(struct mox_smtp_server *s, uint64_t len, bool last);
/* The next chunk of a message. */
void mox__smtp_content_continue(struct mox_smtp_server *s);
/* Reads what comes only to drop it; then s->reply is sent. */
void mox__smtp_content_refuse(struct mox_smtp_server *s);
/* Reads from `src`; the number of bytes used, 0 when it has to wait. */
size_t mox__smtp_content_read(struct mox_smtp_server *s, struct mox_slice src);
/* Hands out what was read. */
void mox__smtp_content_flush(struct mox_smtp_server *s);
/* One step towards the answer to content that has ended; 1. */
size_t mox__smtp_content_finish(struct mox_smtp_server *s);
/* When the content becomes too slow. */
int64_t mox__smtp_content_deadline(const struct mox_smtp_server *s);
void mox__smtp_content_late(struct mox_smtp_server *s);
void mox__smtp_piece_answered(struct mox_smtp_server *s, int rc);
void mox__smtp_deliver_answered(struct mox_smtp_server *s, int rc);

/* ---- path_argument.c ---- */

/* Cuts `keyword<inner>rest`, keyword being " FROM:" or " TO:". */
bool mox__smtp_cut_argument(struct mox_smtp_server *s, struct mox_slice args, const char *keyword,
                            struct mox_slice *inner, struct mox_slice *rest);
/* Reads the path with `flags` (path.h) and those that the session implies. False: it was refused,
 * or memory ran out. */
bool mox__smtp_take_path(struct mox_smtp_server *s, struct mox_slice inner, struct arena *a,
                         unsigned flags, int needs_utf8_code, struct mox_smtp_path *out);

/* ---- commands: one file each ---- */

void mox__smtp_cmd_hello(struct mox_smtp_server *s, struct mox_slice args);
void mox__smtp_cmd_helo(struct mox_smtp_server *s, struct mox_slice args);
void mox__smtp_cmd_starttls(struct mox_smtp_server *s, struct mox_slice args);
void mox__smtp_cmd_auth(struct mox_smtp_server *s, struct mox_slice args);
void mox__smtp_auth_line(struct mox_smtp_server *s, struct mox_slice line);
/* The line of EHLO, if there is AUTH here. */
void mox__smtp_auth_announce(const struct mox_smtp_server *s, struct buf *b);
/* Asks the host whom the client's certificate logs in, once; false: there is nothing to ask. True:
 * mox__smtp_welcome() was called, or will be. */
bool mox__smtp_auth_by_certificate(struct mox_smtp_server *s);
/* The connection ends: so does what is under way. */
void mox__smtp_auth_abandon(struct mox_smtp_server *s);
/* The reply to EHLO or HELO. */
void mox__smtp_welcome(struct mox_smtp_server *s);
void mox__smtp_cmd_mail(struct mox_smtp_server *s, struct mox_slice args);
void mox__smtp_hello_answered(struct mox_smtp_server *s, int rc);
void mox__smtp_mail_answered(struct mox_smtp_server *s, int rc);
void mox__smtp_cmd_rcpt(struct mox_smtp_server *s, struct mox_slice args);
void mox__smtp_rcpt_answered(struct mox_smtp_server *s, int rc);
void mox__smtp_cmd_data(struct mox_smtp_server *s, struct mox_slice args);
void mox__smtp_cmd_bdat(struct mox_smtp_server *s, struct mox_slice args);
/* In a state where it is not allowed: the chunk is read all the same. */
void mox__smtp_bdat_out_of_order(struct mox_smtp_server *s, struct mox_slice args);
void mox__smtp_begin_answered(struct mox_smtp_server *s, int rc);
void mox__smtp_cmd_rset(struct mox_smtp_server *s, struct mox_slice args);
void mox__smtp_cmd_noop(struct mox_smtp_server *s, struct mox_slice args);
void mox__smtp_cmd_help(struct mox_smtp_server *s, struct mox_slice args);
void mox__smtp_cmd_vrfy(struct mox_smtp_server *s, struct mox_slice args);
void mox__smtp_cmd_quit(struct mox_smtp_server *s, struct mox_slice args);

/* ---- slow.c ---- */

/* An attempt to log in: counted when it begins; not, when it failed by no fault of the client. */
void mox__smtp_login_begins(struct mox_smtp_server *s);
void mox__smtp_login_undone(struct mox_smtp_server *s);
void mox__smtp_login_succeeded(struct mox_smtp_server *s);
/* Whether the line is an AUTH that has to wait: until mox__smtp_release(). */
bool mox__smtp_holds(struct mox_smtp_server *s, struct mox_slice line);
void mox__smtp_release(struct mox_smtp_server *s);
/* Whether what the connection begins with is no command, whatever follows. */
bool mox__smtp_is_foreign(const struct mox_smtp_server *s, struct mox_slice src);
/* Says so, and closes. */
void mox__smtp_not_smtp(struct mox_smtp_server *s);
/* Closes after too many bad commands. */
void mox__smtp_check_patience(struct mox_smtp_server *s);

/* ---- trace.c ---- */

#define SMTP_PKG "smtpserver"

/* A command line, once its verb is known; credentials in it are masked. */
void mox__smtp_trace_command(struct mox_smtp_server *s, struct mox_slice line);
/* A line of an AUTH dialogue. */
void mox__smtp_trace_auth(struct mox_smtp_server *s, struct mox_slice line);
/* Bytes of content. */
void mox__smtp_trace_content(struct mox_smtp_server *s, struct mox_slice data);
/* A line of ours, without CRLF. */
void mox__smtp_trace_reply(struct mox_smtp_server *s, struct mox_slice line);

#endif
