/* SPDX-License-Identifier: MIT */
#include "imap/session.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

/* The text of a command, the copies that its parser makes, and the sets that it computes: a row_set
 * of each second message of a mailbox with 200,000 is the largest. */
#define ARENA_MAX_BYTES (16 * 1024 * 1024)

/* --- opening --- */

/* "select" or "uid fetch": letters; UID and a space go on (RFC 3501 §9). */
static struct mox_slice take_command_word(struct lexer *l)
{
    const uint8_t *start = l->at;
    while (l->at < l->end && is_alpha(*l->at))
        l->at++;
    struct mox_slice word = slice(start, (size_t)(l->at - start));
    if (!mox__slice_is_nocase(word, "UID") || l->at == l->end || *l->at != ' ')
        return word;
    l->at++;
    while (l->at < l->end && is_alpha(*l->at))
        l->at++;
    return slice(start, (size_t)(l->at - start));
}

/* The word in lower case, which is part of every result; "" when there is no word fit to echo. */
static bool keep_names(struct command *c, struct mox_slice tag, struct mox_slice word)
{
    char *t = mox__arena_strndup(&c->arena, tag.data, tag.len);
    char *w = mox__arena_strndup(&c->arena, word.data, word.len);
    if (t == NULL || w == NULL)
        return false;
    for (size_t i = 0; i < word.len; i++)
        w[i] = (char)to_lower((uint8_t)w[i]);
    c->tag = slice(t, tag.len);
    c->word = slice(w, word.len);
    return true;
}

bool mox__imap_is_secret(const struct mox_imap_server *s)
{
    const struct command_row *row = s->cmd.row;
    if (row != NULL)
        return (row->flags & ROW_SECRET) != 0;
    /* A client that did not wait: this could be the password for a login that was refused. */
    return s->secret_stray || (s->secret_seen && s->state == ST_NOT_AUTHENTICATED);
}

static void refuse_at_once(struct mox_imap_server *s, struct command *c)
{
    if (c->row == NULL)
        mox__imap_bad(c, NULL, "unknown command");
    else if ((c->row->states & s->state) == 0)
        mox__imap_no(c, NULL, "not allowed in this connection state");
}

void mox__imap_open(struct mox_imap_server *s, struct mox_slice line)
{
    struct command *c = &s->cmd;
    *c = (struct command){.tag = slice_of("*"), .began_us = s->env.monotonic_us(s->env.user)};
    mox__arena_init(&c->arena, &s->env, ARENA_MAX_BYTES);
    s->cmd_open = true;
    s->cmd_stage = 0;
    s->called = false;

    struct lexer l;
    mox__lex_init(&l, line, &c->arena);
    struct mox_slice tag = slice_of("*");
    struct mox_slice word = {line.data, 0};
    bool whole = mox__lex_tag(&l, &tag) && mox__lex_space(&l);
    if (whole)
        word = take_command_word(&l);
    c->args_at = (size_t)(l.at - line.data);
    c->row = mox__imap_row(word);
    if (c->row == NULL && !s->first_seen) {
        mox__imap_not_imap(s);
        return;
    }
    s->first_seen = true;
    if (mox__imap_is_secret(s)) {
        s->secret_seen = true;
        s->secret_stray = s->secret_stray || (s->state & ST_USER) != 0;
        if (!whole)
            tag = slice_of("*"); /* it goes to the log with the answer */
        if (c->row == NULL)
            word.len = 0;
    }
    if (!keep_names(c, tag, word))
        s->failure = MOX_ENOMEM;
    refuse_at_once(s, c);
}

/* --- stages --- */

/* The selected mailbox still exists? Asked of the list, which is there at any time. */
static int still_there(struct mox_imap_server *s)
{
    const struct mox_mailboxes *list = NULL;
    int rc = s->store.ops->mailboxes(s->store.self, &list, NULL);
    if (rc < 0)
        return rc;
    /* The usual case: nothing has changed since the list that the client was told of. */
    if (list->version != s->mailboxes->version || s->gone)
        s->gone = mox_mailboxes_find_id(list, s->mailbox) == NULL;
    mox_mailboxes_unref(list);
    return s->gone ? MOX_EGONE : MOX_OK;
}

static enum step parse_stage(struct mox_imap_server *s, struct command *c)
{
    if (c->result != RESULT_NONE)
        return STEP_DONE;
    if (!c->streamed) { /* APPEND was parsed before its literal */
        int rc = c->row->parse(s, c);
        if (rc == MOX_ENOMEM)
            return mox__imap_fail(c, rc);
        if (rc < 0)
            return mox__imap_bad_syntax(s, c);
    }
    if ((c->row->flags & ROW_MAILBOX) != 0) {
        int rc = still_there(s);
        if (rc < 0)
            return mox__imap_no_status(s, c, rc, NULL);
    }
    if ((c->row->flags & ROW_WRITES) != 0 && s->read_only)
        return mox__imap_no(c, NULL, "the mailbox is open read-only");
    return STEP_DONE;
}

/* Before anything is checked, or a challenge is sent. */
static enum step login_stage(struct mox_imap_server *s, struct command *c)
{
    bool tries = c->result == RESULT_NONE && (c->row->flags & ROW_LOGIN) != 0;
    return tries ? mox__imap_login_begins(s, c) : STEP_DONE;
}

static enum step step_stage(struct mox_imap_server *s, struct command *c)
{
    return c->result != RESULT_NONE ? STEP_DONE : c->row->step(s, c);
}

static bool tells(const struct mox_imap_server *s, const struct command *c)
{
    return c->row != NULL && (c->row->flags & (ROW_NO_SYNC | ROW_KEEP_NUMBERS)) == 0 &&
           (s->state & ST_USER) != 0;
}

static enum step list_stage(struct mox_imap_server *s, struct command *c)
{
    return tells(s, c) ? mox__imap_list_sync(s, c) : STEP_DONE;
}

static enum step view_stage(struct mox_imap_server *s, struct command *c)
{
    if (s->view == NULL)
        return STEP_DONE;
    if (c->row != NULL && (c->row->flags & ROW_KEEP_NUMBERS) != 0)
        return c->told == NULL ? STEP_DONE : mox__imap_settle(s, c);
    return tells(s, c) ? mox__imap_sync(s, c) : STEP_DONE;
}

static enum step result_stage(struct mox_imap_server *s, struct command *c)
{
    mox__imap_put_result(s, c);
    mox__imap_log_result(s, c);
    if (c->result == RESULT_BAD && s->state == ST_NOT_AUTHENTICATED)
        s->bad_commands++;
    return STEP_DONE;
}

static enum step (*const stages[])(struct mox_imap_server *, struct command *) = {
    parse_stage, login_stage, step_stage, list_stage, view_stage, result_stage};

/* What follows a tagged result. */
static void after_command(struct mox_imap_server *s)
{
    if (s->state == ST_LOGOUT)
        s->closing = true;
    else if (s->bad_commands >= s->config.max_bad_commands)
        mox__imap_bye(s, "too many bad commands");
    else if (s->shutdown)
        mox__imap_bye(s, "shutting down");
}

void mox__imap_close_command(struct mox_imap_server *s)
{
    struct command *c = &s->cmd;
    if (!s->cmd_open)
        return;
    if (c->row != NULL && c->row->cleanup != NULL)
        c->row->cleanup(s, c);
    if (c->row != NULL && (c->row->flags & ROW_SECRET) != 0 && c->whole.len > 0)
        mox__wipe((void *)(uintptr_t)c->whole.data, c->whole.len);
    mox__arena_reset(&c->arena);
    s->cmd_open = false;
    s->waiting = STEP_DONE;
}

void mox__imap_advance(struct mox_imap_server *s)
{
    struct command *c = &s->cmd;
    s->waiting = STEP_DONE;
    while (s->failure == MOX_OK && s->cmd_stage < sizeof stages / sizeof stages[0]) {
        enum step step = stages[s->cmd_stage](s, c);
        if (step == STEP_FAIL) {
            s->failure = c->failure < 0 ? c->failure : MOX_ENOMEM;
        } else if (step != STEP_DONE) {
            s->waiting = step;
            mox__imap_trace_output(s);
            return; /* the pump looks whether it can go on at once */
        } else {
            s->cmd_stage++;
        }
    }
    mox__imap_trace_output(s);
    if (s->failure < 0)
        return;
    mox__imap_close_command(s);
    s->reader = s->starttls_due ? READ_TLS : READ_COMMAND;
    after_command(s);
}

/* --- waiting --- */

bool mox__imap_may_block(const struct mox_imap_server *s)
{
    return s->may_block;
}

static void write_done(struct mox_write *w)
{
    struct mox_imap_server *s = w->user;
    atomic_fetch_or(&s->events, EV_WRITTEN);
    s->cb.wake(s->user);
    sem_post(&s->written); /* from here on the session may be gone */
}

void mox__imap_write(struct mox_imap_server *s, struct mox_write *w)
{
    *w = (struct mox_write){.done = write_done, .user = s};
    s->writing = true;
}

/* Takes note of a write that is done. */
static bool written(struct mox_imap_server *s)
{
    if (!s->writing)
        return true;
    if ((atomic_load(&s->events) & EV_WRITTEN) == 0)
        return false;
    /* The other thread is between the flag and its last word to us: no time at all. */
    while (sem_wait(&s->written) != 0)
        ;
    atomic_fetch_and(&s->events, ~(unsigned)EV_WRITTEN);
    s->writing = false;
    return true;
}

bool mox__imap_ready(struct mox_imap_server *s)
{
    bool called = s->called;
    switch (s->waiting) {
    case STEP_RUN:
        return s->may_block;
    case STEP_WAIT:
        return written(s);
    case STEP_OUTPUT: /* not for each byte that was sent: a step may have to read the store */
        return mox__imap_output_room(s) >= s->config.max_output_bytes / 2;
    case STEP_CALL:
        s->called = false;
        return called;
    case STEP_DONE:
    case STEP_FAIL:
        break;
    }
    return false;
}
