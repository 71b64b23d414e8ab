/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "smtp/params.h"
#include "smtp/path.h"
#include "smtp/server.h"

/* rcpt = "RCPT TO:" ( "<postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF
 *                                                                          RFC 5321 §4.1.1.3 */

/* No parameter is known. */
static bool take_params(struct mox_smtp_server *s, struct mox_slice rest)
{
    struct smtp_param p;
    int more = mox__smtp_param_next(&rest, &p);
    if (more > 0)
        mox__smtp_reply(s, 555, "5.3.3", "unknown parameter");
    else if (more < 0 || !mox__smtp_at_end(s, rest))
        mox__smtp_bad_syntax(s, rest, "use RCPT TO:<address>");
    else
        return true;
    return false;
}

static bool take_arguments(struct mox_smtp_server *s, struct mox_slice args)
{
    struct mox_slice inner, rest;
    if (!mox__smtp_cut_argument(s, args, " TO:", &inner, &rest)) {
        mox__smtp_bad_syntax(s, args, "use RCPT TO:<address>");
        return false;
    }
    /* The path goes to `scratch`: refused recipients must not fill the transaction's memory. */
    return take_params(s, rest) &&
           mox__smtp_take_path(s, inner, &s->scratch, PATH_POSTMASTER, 553, &s->rcpt);
}

static bool is_wanted(struct mox_smtp_server *s)
{
    const struct mox_smtp_server_config *c = &s->config;
    const struct mox_smtp_envelope *e = &s->envelope;
    bool delivery = c->mode == MOX_SMTP_DELIVERY;
    bool bounce = e->mail_from.address[0] == '\0';
    if (c->tls_required && !e->tls)
        mox__smtp_reply(s, 530, "5.7.0", "TLS is required: send STARTTLS first");
    else if (e->recipient_count >= c->max_recipients)
        mox__smtp_reply(s, 452, "4.5.3", "too many recipients, send the rest in another message");
    else if (delivery && bounce && e->recipient_count > 0 && !c->multiple_bounce_recipients)
        mox__smtp_reply(s, 452, "4.5.3", "one recipient only for a message without a sender");
    else if (delivery && s->rcpt.is_literal)
        mox__smtp_reply(s, 550, "5.1.1", "send to a domain, not to an ip");
    else
        return true;
    return false;
}

void mox__smtp_cmd_rcpt(struct mox_smtp_server *s, struct mox_slice args)
{
    if (!take_arguments(s, args) || !is_wanted(s))
        return;
    mox__smtp_prepare(s, 550, "5.1.1", "no such recipient here");
    mox__smtp_answer(s, ASK_RCPT, s->cb.rcpt(s->user, &s->envelope, &s->rcpt, &s->reply));
}

static char *keep_text(struct mox_smtp_server *s, const char *text)
{
    return mox__arena_strndup(&s->arena, text, strlen(text));
}

static bool make_room(struct mox_smtp_server *s)
{
    bool ok = mem_room(&s->env, &s->recipients, &s->recipients_cap, s->envelope.recipient_count, 4);
    s->envelope.recipients = s->recipients;
    return ok;
}

static bool keep_recipient(struct mox_smtp_server *s)
{
    struct mox_smtp_path p = s->rcpt;
    bool same = p.domain == p.domain_unicode;
    if (!make_room(s))
        return false;
    p.address = keep_text(s, p.address);
    p.localpart = keep_text(s, p.localpart);
    p.domain = keep_text(s, p.domain);
    p.domain_unicode = same ? p.domain : keep_text(s, p.domain_unicode);
    if (p.address == NULL || p.localpart == NULL || p.domain == NULL || p.domain_unicode == NULL)
        return false;
    s->recipients[s->envelope.recipient_count++] = p;
    return true;
}

void mox__smtp_rcpt_answered(struct mox_smtp_server *s, int rc)
{
    if (rc < 0) {
        mox__smtp_send(s, &s->reply);
        return;
    }
    if (!keep_recipient(s)) {
        s->failure = MOX_ENOMEM;
        mox__smtp_close(s);
        return;
    }
    s->state = ST_RCPT;
    mox__smtp_accept(s, 250, "2.1.0", "now on the list");
}
