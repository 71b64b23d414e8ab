/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "smtp/server.h"

/* Who goes on when a question is answered; those of AUTH have answers of their own (auth.c). */
static void (*const answered[])(struct mox_smtp_server *s, int rc) = {
    [ASK_HELLO] = mox__smtp_hello_answered, [ASK_MAIL] = mox__smtp_mail_answered,
    [ASK_RCPT] = mox__smtp_rcpt_answered,   [ASK_BEGIN] = mox__smtp_begin_answered,
    [ASK_PIECE] = mox__smtp_piece_answered, [ASK_DELIVER] = mox__smtp_deliver_answered,
};

void mox__smtp_prepare(struct mox_smtp_server *s, int code, const char *enhanced, const char *text)
{
    mox__smtp_reply_text(&s->reply, code, enhanced, text);
    s->prepared_code = code;
}

static bool is_full(int rc)
{
    return rc == MOX_ENOSPACE || rc == MOX_EQUOTA;
}

static bool is_our_fault(int rc)
{
    return is_full(rc) || rc == MOX_ENOMEM || rc == MOX_EIO || rc == MOX_EREADONLY ||
           rc == MOX_EFILES || rc == MOX_ECORRUPT || rc == MOX_EBUSY || rc == MOX_EINVAL;
}

/* A failure that the host did not put into words must not sound like a verdict; storage that is
 * full has codes of its own (RFC 3463 §3.3, §3.4). */
static void put_into_words(struct mox_smtp_server *s, int rc)
{
    struct mox_smtp_reply *r = &s->reply;
    if (r->code < 400)
        mox_smtp_reply_set(r, 451, "4.3.0", "internal error, try again later");
    if (r->code == s->prepared_code && is_our_fault(rc))
        mox_smtp_reply_set(r, 451, "4.3.0", "internal error, try again later");
    if (r->code != 451 || !is_full(rc))
        return;
    r->code = 452;
    if (strcmp(r->enhanced, "4.3.0") == 0)
        mox_smtp_reply_set(r, 452, "4.3.1", "no space left, try again later");
    else if (strcmp(r->enhanced, "4.2.0") == 0)
        r->enhanced[4] = '2';
}

void mox__smtp_answer(struct mox_smtp_server *s, enum ask ask, int rc)
{
    s->pending = rc == MOX_LATER ? ask : ASK_NOTHING;
    if (rc == MOX_LATER)
        return;
    s->slow = s->slow || s->reply.slow;
    if (rc < 0)
        put_into_words(s, rc);
    answered[ask](s, rc);
    if (s->closing)
        mox__smtp_close(s);
    if (s->pending == ASK_NOTHING)
        mox__arena_reset(&s->scratch);
}

void mox__smtp_accept(struct mox_smtp_server *s, int code, const char *enhanced, const char *text)
{
    if (s->reply.code / 100 != 2)
        mox__smtp_reply_text(&s->reply, code, enhanced, text);
    mox__smtp_send(s, &s->reply);
}

void mox__smtp_end_transaction(struct mox_smtp_server *s)
{
    if (s->transaction && s->cb.reset != NULL)
        s->cb.reset(s->user);
    s->transaction = false;
    if ((s->state & ST_START) == 0)
        s->state = ST_READY;
    struct mox_smtp_envelope *e = &s->envelope;
    e->mail_from = (struct mox_smtp_path){0};
    e->recipients = NULL;
    e->recipient_count = 0;
    e->body = MOX_SMTP_7BIT;
    e->smtputf8 = e->requiretls = e->has_8bit = e->has_body = false;
    e->declared_bytes = e->content_bytes = 0;
    e->hold_until_us = 0;
    mox__mem_free(&s->env, s->recipients);
    s->recipients = NULL;
    s->recipients_cap = 0;
    mox__arena_reset(&s->arena);
    mox__arena_reset(&s->scratch);
    mox__buf_free(&s->content.piece);
}
