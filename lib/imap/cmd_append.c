/* SPDX-License-Identifier: MIT */
#include "imap/append.h"

#include <string.h>

#include <mox/spool.h>

#include "imap/commands.h"
#include "imap/flags.h"

/*
 * APPEND (RFC 3501 §6.3.11). The arguments are read when the literal is announced, so that a client
 * that waits for the continuation need not send a message that would be refused. The literal goes
 * to a spool piece by piece; bare LF becomes CRLF on the way. The rest of the line ends the
 * command.
 */

#define CHUNK_BYTES 4096

struct append {
    char name[MOX_MAILBOX_NAME_MAX + 1];
    struct flag_list flags;
    int64_t received_us; /* 0: now */
    struct mox_spool *spool;
    bool after_cr; /* the last byte was a CR */
    struct mox_append op;
};

/* Without a literal at its end there is nothing to append. */
int mox__parse_append(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    c->args.at = c->args.end;
    c->args.expected = "mailbox, flags, date and a literal";
    return MOX_ESYNTAX;
}

void mox__cleanup_append(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    struct append *append = c->data;
    if (append != NULL)
        mox_spool_free(append->spool);
    c->data = NULL;
}

/* --- arguments --- */

/* The space in front of the literal is taken with what is before it. */
static int take_options(struct command *c, struct append *append)
{
    struct lexer *l = &c->args;
    struct mox_slice flags;
    struct mox_error err = {0};
    if (mox__lex_parens(l, &flags)) {
        int rc = mox__flags_parse(&append->flags, &c->arena, flags, &err);
        if (rc < 0) {
            l->expected = "flags that can be stored";
            return rc;
        }
        if (!mox__lex_space(l))
            return mox__lex_failure(l);
    }
    if (mox__lex_peek(l) == '"' &&
        (!mox__lex_date_time(l, &append->received_us) || !mox__lex_space(l)))
        return mox__lex_failure(l);
    return mox__lex_end(l) ? MOX_OK : mox__lex_failure(l);
}

static bool has_mailbox(struct mox_imap_server *s, const char *name, uint64_t *id)
{
    const struct mox_mailboxes *list = NULL;
    if (s->store.ops->mailboxes(s->store.self, &list, NULL) < 0)
        return false;
    const struct mox_mailbox *m = mox_mailboxes_find(list, name);
    *id = m == NULL ? 0 : m->id;
    mox_mailboxes_unref(list);
    return *id != 0;
}

static int spool_new(struct mox_imap_server *s, struct append *append)
{
    const struct mox_mailstore_ops *ops = s->store.ops;
    const char *dir = ops->spool_dir == NULL ? NULL : ops->spool_dir(s->store.self);
    return mox_spool_new(&append->spool, &s->env, dir, s->config.max_append_bytes);
}

/* All but the data: what is refused here is refused before it is sent. */
static enum literal accept_literal(struct mox_imap_server *s, struct command *c,
                                   struct append *append, const char *asked, uint64_t bytes)
{
    if (!mox__imap_name(c, asked, append->name))
        return LITERAL_REFUSE;
    if (s->store.ops->append == NULL)
        (void)mox__imap_no_status(s, c, MOX_EUNSUPPORTED, NULL);
    else if (!has_mailbox(s, append->name, &append->op.mailbox))
        (void)mox__imap_no(c, "TRYCREATE", "no such mailbox");
    else if (bytes > s->config.max_append_bytes)
        (void)mox__imap_no(c, "TOOBIG", "the message is too large, see APPENDLIMIT");
    else if (bytes == 0)
        (void)mox__imap_no(c, NULL, "an empty message cannot be stored");
    else if (spool_new(s, append) < 0)
        s->failure = MOX_ENOMEM;
    else
        return LITERAL_STREAM;
    return LITERAL_REFUSE;
}

enum literal mox__literal_append(struct mox_imap_server *s, struct command *c, uint64_t bytes)
{
    const char *asked = NULL;
    struct lexer *l = &c->args;
    if (c->streamed) {
        (void)mox__imap_bad(c, NULL, "one message at a time, and nothing behind it");
        return LITERAL_REFUSE;
    }
    if (!mox__lex_space(l))
        return LITERAL_GATHER; /* complaints come when the command is whole */
    if (l->at == l->end)
        return LITERAL_GATHER; /* it is the mailbox's name */
    struct append *append = arena_new(&c->arena, struct append, 1);
    if (append == NULL) {
        s->failure = MOX_ENOMEM;
        return LITERAL_REFUSE;
    }
    c->data = append;
    int rc = mox__lex_mailbox(l, &asked) && mox__lex_space(l) ? take_options(c, append)
                                                              : mox__lex_failure(l);
    if (rc == MOX_ENOMEM)
        s->failure = rc;
    else if (rc < 0)
        mox__imap_bad_syntax(s, c);
    if (rc < 0)
        return LITERAL_REFUSE;
    enum literal what = accept_literal(s, c, append, asked, bytes);
    c->streamed = what == LITERAL_STREAM;
    return what;
}

/* --- data --- */

bool mox__append_waits(const struct mox_imap_server *s, size_t len)
{
    const struct append *append = s->cmd.data;
    /* Each of the bytes may be an LF that becomes two. */
    return s->cmd.result == RESULT_NONE && mox_spool_write_waits(append->spool, 2 * len);
}

/* Writes a piece, with CR in front of each LF that has none. */
static int write_lines(struct append *append, struct mox_slice data)
{
    uint8_t chunk[CHUNK_BYTES];
    size_t n = 0;
    int rc = MOX_OK;
    for (size_t i = 0; i < data.len && rc == MOX_OK; i++) {
        if (n > sizeof chunk - 2) {
            rc = mox_spool_write(append->spool, slice(chunk, n));
            n = 0;
        }
        if (data.data[i] == '\n' && !append->after_cr)
            chunk[n++] = '\r';
        append->after_cr = data.data[i] == '\r';
        chunk[n++] = data.data[i];
    }
    return rc < 0 ? rc : mox_spool_write(append->spool, slice(chunk, n));
}

/* Whether all its LFs follow a CR, which is what most clients send: then it is written as it is. */
static bool is_clean(const struct append *append, struct mox_slice data)
{
    const uint8_t *end = data.data + data.len;
    for (const uint8_t *p = data.data; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        if (p == data.data ? !append->after_cr : p[-1] != '\r')
            return false;
    return true;
}

void mox__append_data(struct mox_imap_server *s, struct mox_slice data)
{
    struct command *c = &s->cmd;
    struct append *append = c->data;
    if (c->result != RESULT_NONE || data.len == 0)
        return;
    int rc = MOX_OK;
    if (is_clean(append, data)) {
        rc = mox_spool_write(append->spool, data);
        append->after_cr = data.data[data.len - 1] == '\r';
    } else {
        rc = write_lines(append, data);
    }
    if (rc == MOX_ENOMEM)
        s->failure = rc;
    else if (rc == MOX_ELIMIT)
        (void)mox__imap_no(c, "TOOBIG", "the message is too large, see APPENDLIMIT");
    else if (rc < 0)
        (void)mox__imap_no_status(s, c, rc, NULL);
}

/* --- storing --- */

static enum step submit(struct mox_imap_server *s, struct command *c, struct append *append)
{
    /* A file is synced by the submitting thread. */
    if (mox_spool_fd(append->spool) >= 0 && !mox__imap_may_block(s))
        return STEP_RUN;
    append->op.spool = append->spool;
    append->op.flags = append->flags.flags;
    append->op.keywords = (const char *const *)append->flags.keywords;
    append->op.keyword_count = append->flags.keyword_count;
    append->op.received_us = append->received_us;
    c->stage = 1;
    mox__imap_write(s, &append->op.write);
    s->store.ops->append(s->store.self, &append->op);
    return STEP_WAIT;
}

static enum step finish(struct mox_imap_server *s, struct command *c, const struct append *append)
{
    const struct mox_write *w = &append->op.write;
    if (w->status == MOX_ENOTFOUND)
        return mox__imap_no(c, "TRYCREATE", "no such mailbox");
    if (w->status < 0)
        return mox__imap_no_status(s, c, w->status, &w->error);
    if (append->op.mailbox == s->mailbox)
        c->appended_uid = append->op.uid;
    struct buf code;
    mox__buf_init(&code, &s->env, 64);
    mox__buf_text(&code, "APPENDUID "); /* RFC 4315 §3 */
    mox__buf_uint(&code, append->op.uidvalidity);
    mox__buf_byte(&code, ' ');
    mox__buf_uint(&code, append->op.uid);
    const char *text = code.failed ? NULL : mox__arena_strndup(&c->arena, code.data, code.len);
    mox__buf_free(&code);
    return text == NULL ? mox__imap_fail(c, MOX_ENOMEM) : mox__imap_ok(c, text, NULL);
}

enum step mox__cmd_append(struct mox_imap_server *s, struct command *c)
{
    struct append *append = c->data;
    return c->stage == 0 ? submit(s, c, append) : finish(s, c, append);
}
