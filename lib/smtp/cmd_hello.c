/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <mox/dns.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "smtp/params.h"
#include "smtp/path.h"
#include "smtp/server.h"

/*
 * ehlo = "EHLO" SP ( Domain / address-literal ) CRLF
 * helo = "HELO" SP Domain CRLF                              RFC 5321 §4.1.1.1
 */

/* What is announced: HOLDFOR and HOLDUNTIL within 60 days (RFC 4865). */
#define HOLD_MAX_S 5184000

static bool take_domain(const struct mox_smtp_server *s, struct mox_slice text,
                        struct mox_domain *out)
{
    /* Hosts in containers and Windows networks have underscores in their names. */
    unsigned flags = s->config.pedantic ? 0 : MOX_DOMAIN_UNDERSCORES;
    return mox_domain_parse(out, text, flags) == MOX_OK;
}

/* An address literal; text behind it is let through (spec §4.1), after a space. */
static bool take_literal(const struct mox_smtp_server *s, struct mox_slice text,
                         char out[SMTP_LITERAL_MAX])
{
    const uint8_t *end = text.len == 0 ? NULL : memchr(text.data, ']', text.len);
    if (end == NULL)
        return false;
    size_t len = (size_t)(end - text.data) + 1;
    return (len == text.len || text.data[len] == ' ') &&
           mox__smtp_literal_parse(slice(text.data, len), s->config.pedantic, out);
}

static bool keep_hello(struct mox_smtp_server *s, const char *text, bool literal)
{
    char *copy = mox__strndup(&s->env, text, strlen(text));
    if (copy == NULL) {
        s->failure = MOX_ENOMEM;
        mox__smtp_close(s);
        return false;
    }
    mox__mem_free(&s->env, s->before.hello);
    s->before.hello = s->hello;
    s->before.is_literal = s->envelope.hello_is_literal;
    s->before.esmtp = s->envelope.esmtp;
    s->envelope.hello = s->hello = copy;
    s->envelope.hello_is_literal = literal;
    return true;
}

/* Mail clients say anything, so on submission the address counts: it is at least true. */
static bool keep_remote_ip(struct mox_smtp_server *s)
{
    char text[sizeof s->peer.remote_ip + 8];
    bool v6 = strchr(s->peer.remote_ip, ':') != NULL;
    (void)snprintf(text, sizeof text, v6 ? "[IPv6:%s]" : "[%s]", s->peer.remote_ip);
    return keep_hello(s, text, true);
}

static bool take_hello(struct mox_smtp_server *s, struct mox_slice args, bool esmtp)
{
    struct mox_slice text = mox__slice_trim(args);
    struct mox_domain domain;
    char literal[SMTP_LITERAL_MAX];
    if (s->config.mode == MOX_SMTP_SUBMISSION && !s->config.pedantic)
        return keep_remote_ip(s);
    if (args.len >= 2 && args.data[0] == ' ' && args.data[1] != ' ') {
        if (esmtp && text.data[0] == '[' && take_literal(s, text, literal))
            return keep_hello(s, literal, true);
        if (text.data[0] != '[' && take_domain(s, text, &domain))
            return keep_hello(s, domain.ascii, false);
    }
    mox__smtp_bad_syntax(s, args, esmtp ? "use EHLO hostname or EHLO [ip]" : "use HELO hostname");
    return false;
}

static bool greet(struct mox_smtp_server *s, struct mox_slice args, bool esmtp)
{
    if (!take_hello(s, args, esmtp))
        return false;
    mox__smtp_end_transaction(s); /* RFC 5321 §4.1.4: as RSET */
    s->state = ST_READY;
    s->envelope.esmtp = esmtp;
    return true;
}

static void put_extensions(struct mox_smtp_server *s, struct buf *b)
{
    const struct mox_smtp_server_config *c = &s->config;
    mox__buf_printf(b, "%s\nPIPELINING\nSIZE %" PRIu64 "\n", s->hostname, c->max_message_bytes);
    if (c->starttls && !s->envelope.tls)
        mox__buf_text(b, "STARTTLS\n");
    if (c->requiretls && s->envelope.tls)
        mox__buf_text(b, "REQUIRETLS\n");
    mox__smtp_auth_announce(s, b);
    if (c->future_release && c->mode == MOX_SMTP_SUBMISSION) {
        mox__buf_printf(b, "FUTURERELEASE %d ", HOLD_MAX_S);
        mox__smtp_time_write(b, s->env.wall_us(s->env.user) + HOLD_MAX_S * INT64_C(1000000));
        mox__buf_text(b, "\n");
    }
    mox__buf_printf(b, "ENHANCEDSTATUSCODES\n8BITMIME\nLIMITS RCPTMAX=%u\nCHUNKING\nBINARYMIME",
                    c->max_recipients);
#ifdef MOX_HAVE_IDN
    mox__buf_text(b, "\nSMTPUTF8");
#endif
}

static void announce(struct mox_smtp_server *s)
{
    struct buf lines;
    mox__buf_init(&lines, &s->env, 2048);
    put_extensions(s, &lines);
    if (lines.failed) {
        s->failure = MOX_ENOMEM;
        mox__smtp_close(s);
    } else {
        mox__smtp_send_lines(s, 250, slice(lines.data, lines.len));
    }
    mox__buf_free(&lines);
}

void mox__smtp_welcome(struct mox_smtp_server *s)
{
    if (s->envelope.esmtp)
        announce(s);
    else
        mox__smtp_send_lines(s, 250, slice_of(s->hostname));
}

static void hello(struct mox_smtp_server *s, struct mox_slice args, bool esmtp)
{
    if (!greet(s, args, esmtp))
        return;
    mox__smtp_prepare(s, 550, "5.5.0", "this name is not accepted");
    const bool asks = s->cb.hello != NULL && s->config.mode == MOX_SMTP_DELIVERY;
    mox__smtp_answer(s, ASK_HELLO, asks ? s->cb.hello(s->user, &s->envelope, &s->reply) : MOX_OK);
}

/* RFC 5321 §4.1.4: a hello that is refused changes nothing, but that the transaction is over. */
static void go_back(struct mox_smtp_server *s)
{
    struct mox_smtp_envelope *e = &s->envelope;
    mox__mem_free(&s->env, s->hello);
    s->hello = s->before.hello;
    s->before.hello = NULL;
    s->state = s->hello == NULL ? ST_START : ST_READY;
    e->hello = s->hello == NULL ? "" : s->hello;
    e->hello_is_literal = s->before.is_literal;
    e->esmtp = s->before.esmtp;
}

void mox__smtp_hello_answered(struct mox_smtp_server *s, int rc)
{
    if (rc < 0) {
        go_back(s);
        mox__smtp_send(s, &s->reply);
    } else if (!mox__smtp_auth_by_certificate(s)) {
        mox__smtp_welcome(s);
    }
}

void mox__smtp_cmd_helo(struct mox_smtp_server *s, struct mox_slice args)
{
    hello(s, args, false);
}

void mox__smtp_cmd_hello(struct mox_smtp_server *s, struct mox_slice args)
{
    hello(s, args, true);
}
