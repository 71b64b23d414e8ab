/* SPDX-License-Identifier: MIT */
#include "imap/session.h"

#include <string.h>

#include "base/mem.h"
#include "imap/append.h"

/*
 * From bytes to commands.
 *
 *   GREETING --the host has answered, or was not asked--> COMMAND
 *   COMMAND --line ends a command--> BUSY --result sent--> COMMAND
 *      |  ^                           |  ^
 *      |  +--- literal gathered       |  +-- the command got its lines
 *      |                              +----> ANSWER (AUTHENTICATE, IDLE)
 *      +--literal of APPEND--> STREAM --all there--> COMMAND (the rest of its line)
 *      +--literal of a refused command--> SKIP --all there--> COMMAND (likewise)
 *
 * A command is complete before it is parsed. Its lines and literals stand side by side at the front
 * of s->in, as they came; the lexer finds the literals again by their sizes. Literals of refused
 * commands are read too, since what is in them must never be taken for commands.
 */

static struct mox_slice waiting_input(const struct mox_imap_server *s)
{
    return slice_from(slice(s->in.data, s->in.len), s->in_at);
}

/* Forgets `len` bytes at the front. The memory moves when half of it is free, so that a thousand
 * pipelined commands do not move it a thousand times. */
static void consume(struct mox_imap_server *s, size_t len)
{
    s->in_at += len;
    if (s->in_at == s->in.len) {
        s->in_at = 0;
        mox__buf_free(&s->in); /* idle sessions keep nothing */
    } else if (s->in_at > s->in.len / 2) {
        mox__buf_consume(&s->in, s->in_at);
        s->in_at = 0;
    }
}

void mox__imap_bye(struct mox_imap_server *s, const char *text)
{
    if (s->closing)
        return;
    mox__imap_put(s, "* BYE ");
    mox__imap_put(s, text);
    mox__imap_put(s, "\r\n");
    mox__imap_trace_output(s);
    s->closing = true;
}

/* --- literals --- */

struct announced {
    uint64_t bytes;
    bool sync;              /* the client waits for a continuation */
    struct mox_slice front; /* the line up to the { */
};

/* Whether the line ends with the size of a literal: "{n}" or "{n+}" (RFC 3501 §9, RFC 7888). Sizes
 * that are no number of ours count as the largest. */
static bool ends_with_literal(struct mox_slice line, struct announced *a)
{
    size_t end = line.len;
    if (end < 3 || line.data[end - 1] != '}')
        return false;
    a->sync = line.data[end - 2] != '+';
    size_t digits_end = a->sync ? end - 1 : end - 2;
    size_t at = digits_end;
    while (at > 0 && is_digit(line.data[at - 1]))
        at--;
    if (at == 0 || at == digits_end || line.data[at - 1] != '{')
        return false;
    if (!mox__slice_uint(slice(line.data + at, digits_end - at), INT64_MAX, &a->bytes))
        a->bytes = INT64_MAX;
    a->front = slice(line.data, at - 1);
    return true;
}

static bool too_large(const struct mox_imap_server *s, uint64_t bytes)
{
    return bytes > LITERAL_MAX_BYTES || s->literals >= LITERALS_MAX ||
           bytes > LITERALS_MAX_BYTES - s->literal_bytes;
}

static enum literal judge(struct mox_imap_server *s, const struct announced *a)
{
    struct command *c = &s->cmd;
    if (c->result != RESULT_NONE)
        return LITERAL_REFUSE;
    /* The lexer may look at what is there; nothing that it takes outlives the call. */
    const uint8_t *start = s->in.data + s->in_at;
    mox__lex_init(&c->args, slice(start, (size_t)(a->front.data + a->front.len - start)),
                  &c->arena);
    c->args.at += c->streamed ? 0 : c->args_at;
    enum literal what = c->row->literal != NULL ? c->row->literal(s, c, a->bytes) : LITERAL_GATHER;
    if (what == LITERAL_GATHER && too_large(s, a->bytes)) {
        mox__imap_bad(c, "TOOBIG", "literal too large");
        return LITERAL_REFUSE;
    }
    return what;
}

/* The text so far has done its duty. */
static void drop_gathered(struct mox_imap_server *s)
{
    size_t len = s->scanned;
    if (len > 0 && mox__imap_is_secret(s))
        mox__wipe(s->in.data + s->in_at, len);
    s->gathered = s->scanned = 0;
    s->literal_bytes = 0;
    consume(s, len);
}

static void run_command(struct mox_imap_server *s)
{
    drop_gathered(s);
    s->literals = 0;
    s->reader = READ_BUSY;
    mox__imap_advance(s);
}

/* What a client sends unasked is read up to the size that could have been right, not for ever. */
static uint64_t skip_max(const struct mox_imap_server *s)
{
    bool user = (s->state & ST_USER) != 0;
    return user && s->cmd.row != NULL && s->cmd.row->literal != NULL ? s->config.max_append_bytes
                                                                     : LITERAL_MAX_BYTES;
}

static void refuse_literal(struct mox_imap_server *s, const struct announced *a)
{
    if (a->sync) {
        run_command(s); /* the client has not sent it: the result is the answer */
        return;
    }
    if (a->bytes > skip_max(s) || ++s->literals > LITERALS_MAX) {
        mox__imap_bye(s, "[ALERT] literal too large");
        mox__imap_bad(&s->cmd, "TOOBIG", "literal too large");
        mox__imap_put_result(s, &s->cmd);
        mox__imap_trace_output(s);
        return;
    }
    drop_gathered(s);
    s->literal_left = a->bytes;
    s->reader = READ_SKIP;
}

static void announce_literal(struct mox_imap_server *s, const struct announced *a)
{
    enum literal what = judge(s, a);
    if (s->failure < 0)
        return;
    if (what == LITERAL_REFUSE) {
        refuse_literal(s, a);
        return;
    }
    s->literals++;
    s->literal_left = a->bytes;
    if (a->sync)
        mox__imap_put(s, "+ ready\r\n");
    mox__imap_trace_output(s);
    if (what == LITERAL_STREAM) {
        drop_gathered(s);
        s->reader = READ_STREAM;
        return;
    }
    s->literal_bytes += (size_t)a->bytes;
    s->gathered = s->scanned;
}

/* --- lines --- */

/* The command is whole: its text moves to the arena, since s->in goes on moving. */
static void complete(struct mox_imap_server *s)
{
    struct command *c = &s->cmd;
    if (c->result == RESULT_NONE && !c->streamed) {
        const uint8_t *text = s->in.data + s->in_at;
        size_t len = s->scanned;
        while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
            len--;
        char *copy = mox__arena_strndup(&c->arena, text, len);
        if (copy == NULL) {
            s->failure = MOX_ENOMEM;
            return;
        }
        c->whole = slice(copy, len);
        mox__lex_init(&c->args, slice_from(c->whole, c->args_at), &c->arena);
    }
    run_command(s);
}

static void take_line(struct mox_imap_server *s, struct mox_slice line)
{
    bool first = !s->cmd_open;
    if (first)
        mox__imap_open(s, line);
    mox__imap_trace_input(s, line, mox__imap_is_secret(s));
    if (s->closing || s->failure < 0)
        return;
    if (s->config.pedantic && line.data[line.len] != '\r' && s->cmd.result == RESULT_NONE)
        mox__imap_bad(&s->cmd, NULL, "lines end with CRLF"); /* RFC 3501 §2.2 */
    struct announced a;
    if (ends_with_literal(line, &a)) {
        announce_literal(s, &a);
        return;
    }
    if (s->cmd.streamed && s->cmd.result == RESULT_NONE && line.len > 0)
        mox__imap_bad(&s->cmd, NULL, "one message at a time, and nothing behind it");
    complete(s);
}

/* Finds the end of the line that starts at `from`; *line is without it. */
static bool find_line(struct mox_imap_server *s, size_t from, size_t max, struct mox_slice *line)
{
    struct mox_slice all = waiting_input(s);
    const uint8_t *end =
        all.len == s->scanned ? NULL : memchr(all.data + s->scanned, '\n', all.len - s->scanned);
    size_t len = (end == NULL ? all.len : (size_t)(end - all.data) + 1) - from;
    if (len > max) {
        s->failure = MOX_ELIMIT;
        return false;
    }
    s->scanned = from + len;
    if (end == NULL)
        return false;
    len--;
    if (len > 0 && all.data[from + len - 1] == '\r')
        len--;
    *line = slice(all.data + from, len);
    return true;
}

/* Each of these takes some input, or returns false: more is needed. */

static bool read_command(struct mox_imap_server *s)
{
    struct mox_slice line;
    size_t left = s->in.len - s->in_at - s->scanned;
    if (s->scanned == 0 && left > 0 && mox__imap_is_foreign(s, *waiting_input(s).data)) {
        mox__imap_not_imap(s);
        return false;
    }
    if (s->literal_left > 0) {
        size_t n = left < s->literal_left ? left : (size_t)s->literal_left;
        s->scanned += n;
        s->literal_left -= n;
        if (s->literal_left > 0)
            return false;
        mox__imap_trace_input_data(
            s, slice(waiting_input(s).data + s->gathered, s->scanned - s->gathered),
            mox__imap_is_secret(s));
        s->gathered = s->scanned;
    }
    if (s->gathered - s->literal_bytes > COMMAND_TEXT_MAX_BYTES) {
        s->failure = MOX_ELIMIT;
        return false;
    }
    if (left == 0 || !find_line(s, s->gathered, LINE_MAX_BYTES, &line))
        return false;
    take_line(s, line);
    return true;
}

static bool read_stream(struct mox_imap_server *s)
{
    struct mox_slice all = waiting_input(s);
    size_t n = all.len < s->literal_left ? all.len : (size_t)s->literal_left;
    if (n == 0 && s->literal_left > 0)
        return false;
    if (mox__append_waits(s, n) && !s->may_block)
        return false;
    struct mox_slice data = slice(all.data, n);
    if (n > 0)
        mox__imap_trace_input_data(s, data, false);
    mox__append_data(s, data);
    s->literal_left -= n;
    if (s->literal_left == 0)
        s->reader = READ_COMMAND;
    consume(s, n);
    return true;
}

static bool read_skip(struct mox_imap_server *s)
{
    size_t n = s->in.len - s->in_at;
    if (n > s->literal_left)
        n = (size_t)s->literal_left;
    if (n == 0 && s->literal_left > 0)
        return false;
    if (n > 0)
        mox__imap_trace_input_data(s, slice(waiting_input(s).data, n), mox__imap_is_secret(s));
    s->literal_left -= n;
    if (s->literal_left == 0)
        s->reader = READ_COMMAND;
    consume(s, n);
    return true;
}

static bool read_answer(struct mox_imap_server *s)
{
    struct mox_slice line;
    if (s->in.len == s->in_at || !find_line(s, 0, AUTH_LINE_MAX_BYTES, &line))
        return false;
    /* A client that idles says DONE; if it says something else, it could be anything. */
    bool secret = mox__imap_is_secret(s) || !mox__slice_is_nocase(line, "DONE");
    mox__imap_trace_input(s, line, secret);
    s->reader = READ_BUSY;
    s->called = false; /* what changed meanwhile is looked at anyway */
    s->cmd.row->answer(s, &s->cmd, line);
    drop_gathered(s);
    if (!s->closing)
        mox__imap_advance(s);
    return true;
}

static bool read_nothing(struct mox_imap_server *s)
{
    (void)s;
    return false;
}

static bool (*const readers[])(struct mox_imap_server *) = {
    [READ_GREETING] = read_nothing, [READ_COMMAND] = read_command, [READ_STREAM] = read_stream,
    [READ_SKIP] = read_skip,        [READ_BUSY] = read_nothing,    [READ_ANSWER] = read_answer,
    [READ_TLS] = read_nothing};

void mox__imap_pump(struct mox_imap_server *s)
{
    bool more = true;
    while (more && s->failure == MOX_OK && !s->closing) {
        if (s->waiting != STEP_DONE && mox__imap_ready(s)) {
            mox__imap_advance(s);
        } else {
            /* A client that sends commands without reading the answers waits. */
            bool full = s->reader == READ_COMMAND && mox__imap_output_full(s);
            more = !full && readers[s->reader](s);
        }
        if (s->out.failed && s->failure == MOX_OK)
            s->failure = MOX_ENOMEM;
    }
}
