/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "smtp/params.h"
#include "smtp/path.h"
#include "smtp/server.h"

/* mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF              RFC 5321 §4.1.1.2 */

/* More bad transactions than this and not one good: a guesser. */
#define MAX_BAD_TRANSACTIONS 10
/* Announced sizes below this blame the mailbox, not the system (spec §4.3). */
#define SYSTEM_LIMIT_BYTES (UINT64_C(100) * 1024 * 1024)
/* RFC 4865: how far into the future a message may be held. */
#define HOLD_MAX_US (INT64_C(60) * 86400 * 1000000)

struct refusal {
    int code;
    const char *enhanced, *text;
};
#define NO_REFUSAL                   ((struct refusal){0, NULL, NULL})
#define REFUSE(code, enhanced, text) ((struct refusal){(code), (enhanced), (text)})

static struct refusal take_size(struct mox_smtp_server *s, struct mox_slice value)
{
    uint64_t size;
    if (value.len > 20 || !mox__slice_uint(value, UINT64_MAX, &size))
        return REFUSE(501, "5.5.2", "bad syntax: SIZE is a number of bytes");
    if (size > s->config.max_message_bytes)
        return REFUSE(552, size < SYSTEM_LIMIT_BYTES ? "5.2.3" : "5.3.4", "message is too large");
    s->envelope.declared_bytes = size;
    return NO_REFUSAL;
}

static struct refusal take_body(struct mox_smtp_server *s, struct mox_slice value)
{
    static const struct {
        const char *word;
        enum mox_smtp_body body;
    } bodies[] = {{"7BIT", MOX_SMTP_7BIT},
                  {"8BITMIME", MOX_SMTP_8BITMIME},
                  {"BINARYMIME", MOX_SMTP_BINARYMIME}};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        if (mox__slice_is_nocase(value, bodies[i].word)) {
            s->envelope.body = bodies[i].body;
            return NO_REFUSAL;
        }
    }
    return REFUSE(555, "5.5.4", "BODY is 7BIT, 8BITMIME or BINARYMIME");
}

static struct refusal take_smtputf8(struct mox_smtp_server *s, struct mox_slice value)
{
    (void)value;
#ifdef MOX_HAVE_IDN
    s->envelope.smtputf8 = true;
    return NO_REFUSAL;
#else
    (void)s;
    return REFUSE(555, "5.3.3", "SMTPUTF8 is not available here");
#endif
}

/* RFC 4954 §5: who vouches for the message. We trust nobody's word: checked and dropped. */
static struct refusal take_auth(struct mox_smtp_server *s, struct mox_slice value)
{
    (void)s;
    if (mox__slice_is(value, "<>") || mox__smtp_xtext_decode(value, NULL))
        return NO_REFUSAL;
    return REFUSE(501, "5.5.2", "bad syntax: AUTH is <> or xtext");
}

static struct refusal take_requiretls(struct mox_smtp_server *s, struct mox_slice value)
{
    (void)value;
    if (!s->envelope.tls)
        return REFUSE(523, "5.7.10", "REQUIRETLS needs TLS: send STARTTLS first");
    if (!s->config.requiretls)
        return REFUSE(555, "5.3.3", "REQUIRETLS is not available here");
    s->envelope.requiretls = true;
    return NO_REFUSAL;
}

/* The time until which the message is to be held, once HOLDFOR or HOLDUNTIL is understood. */
static struct refusal hold_until(struct mox_smtp_server *s, int64_t us)
{
    int64_t now = s->env.wall_us(s->env.user);
    if (s->envelope.hold_until_us != 0)
        return REFUSE(501, "5.5.4", "HOLDFOR and HOLDUNTIL exclude each other");
    if (s->config.mode != MOX_SMTP_SUBMISSION || !s->config.future_release)
        return REFUSE(555, "5.3.3", "messages are not held here");
    if (us <= now || us - now > HOLD_MAX_US)
        return REFUSE(554, "5.5.4", "the time is past or too far away");
    s->envelope.hold_until_us = us;
    return NO_REFUSAL;
}

static struct refusal take_holdfor(struct mox_smtp_server *s, struct mox_slice value)
{
    uint64_t seconds;
    if (value.len > 9 || !mox__slice_uint(value, UINT64_MAX, &seconds) || value.data[0] == '0')
        return REFUSE(501, "5.5.2", "bad syntax: HOLDFOR is a number of seconds");
    return hold_until(s, s->env.wall_us(s->env.user) + (int64_t)seconds * 1000000);
}

static struct refusal take_holduntil(struct mox_smtp_server *s, struct mox_slice value)
{
    int64_t us;
    if (!mox__smtp_time_parse(value, &us))
        return REFUSE(501, "5.5.2", "bad syntax: HOLDUNTIL is a time such as 2030-01-02T03:04:05Z");
    return hold_until(s, us);
}

static const struct param {
    const char *keyword;
    bool has_value;
    struct refusal (*take)(struct mox_smtp_server *s, struct mox_slice value);
} params[] = {
    {"SIZE", true, take_size},
    {"BODY", true, take_body},
    {"SMTPUTF8", false, take_smtputf8},
    {"AUTH", true, take_auth},
    {"REQUIRETLS", false, take_requiretls},
    {"HOLDFOR", true, take_holdfor},
    {"HOLDUNTIL", true, take_holduntil},
};

#define PARAMS (sizeof params / sizeof params[0])

static struct refusal take_param(struct mox_smtp_server *s, const struct smtp_param *p,
                                 unsigned *seen)
{
    size_t i = 0;
    while (i < PARAMS && !mox__slice_is_nocase(p->keyword, params[i].keyword))
        i++;
    if (i == PARAMS)
        return REFUSE(555, "5.3.3", "unknown parameter");
    if ((*seen & 1u << i) != 0)
        return REFUSE(501, "5.5.4", "a parameter is there twice");
    *seen |= 1u << i;
    if (p->has_value != params[i].has_value)
        return REFUSE(501, "5.5.2", "bad syntax: a parameter lacks its value, or has one too many");
    return params[i].take(s, p->value);
}

/* False: refused. */
static bool take_params(struct mox_smtp_server *s, struct mox_slice rest)
{
    struct smtp_param p;
    unsigned seen = 0;
    int more;
    while ((more = mox__smtp_param_next(&rest, &p)) > 0) {
        struct refusal no = take_param(s, &p, &seen);
        if (no.code != 0) {
            s->bad_commands += no.code == 501;
            mox__smtp_reply(s, no.code, no.enhanced, "%s", no.text);
            return false;
        }
    }
    if (more < 0 || !mox__smtp_at_end(s, rest)) {
        mox__smtp_bad_syntax(s, rest, "parameters are KEYWORD or KEYWORD=value");
        return false;
    }
    return true;
}

static bool has_permission(struct mox_smtp_server *s)
{
    const struct mox_smtp_server_config *c = &s->config;
    bool submission = c->mode == MOX_SMTP_SUBMISSION;
    if (submission && c->tls_required && !s->envelope.tls)
        mox__smtp_reply(s, 530, "5.7.0", "TLS is required: send STARTTLS first");
    else if (submission && s->username == NULL)
        mox__smtp_reply(s, 530, "5.7.0", "authentication is required");
    else
        return true;
    return false;
}

static bool is_literal_refused(struct mox_smtp_server *s)
{
    if (!s->envelope.mail_from.is_literal)
        return false;
    bool delivery = s->config.mode == MOX_SMTP_DELIVERY;
    mox__smtp_reply(s, 550, delivery ? "5.7.0" : "5.7.1", "send from a domain, not from an ip");
    return true;
}

static bool take_arguments(struct mox_smtp_server *s, struct mox_slice args)
{
    struct mox_slice inner, rest;
    if (!mox__smtp_cut_argument(s, args, " FROM:", &inner, &rest)) {
        mox__smtp_bad_syntax(s, args, "use MAIL FROM:<address>");
        return false;
    }
    /* The path after the parameters, since SMTPUTF8 decides what may stand in it. */
    return take_params(s, rest) &&
           mox__smtp_take_path(s, inner, &s->arena, PATH_NULL, 550, &s->envelope.mail_from) &&
           !is_literal_refused(s);
}

void mox__smtp_cmd_mail(struct mox_smtp_server *s, struct mox_slice args)
{
    if (s->bad_transactions > MAX_BAD_TRANSACTIONS && s->good_transactions == 0) {
        mox__smtp_reply(s, 550, "5.1.0", "too many failed messages");
        mox__smtp_close(s);
        return;
    }
    if (!has_permission(s))
        return;
    if (!take_arguments(s, args)) {
        mox__smtp_end_transaction(s); /* forgets what was read of it */
        return;
    }
    s->transaction = true;
    mox__smtp_prepare(s, 550, "5.1.0", "sender refused");
    int rc = s->cb.mail == NULL ? MOX_OK : s->cb.mail(s->user, &s->envelope, &s->reply);
    mox__smtp_answer(s, ASK_MAIL, rc);
}

void mox__smtp_mail_answered(struct mox_smtp_server *s, int rc)
{
    if (rc < 0) {
        mox__smtp_send(s, &s->reply);
        mox__smtp_end_transaction(s);
        return;
    }
    s->state = ST_MAIL;
    mox__smtp_accept(s, 250, "2.1.0", "looking good");
}
