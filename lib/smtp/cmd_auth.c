/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "smtp/server.h"

/* auth = "AUTH" SP sasl-mech [SP initial-response] CRLF
 *        *( "334" SP base64 CRLF  base64 CRLF )  ; or "*" to give up         RFC 4954 §4 */

bool mox__smtp_auth_is_safe(const struct mox_smtp_server *s)
{
    return s->envelope.tls || (s->config.auth_without_tls && !s->config.tls_required);
}

static void end_dialogue(struct mox_smtp_server *s)
{
    mox__sasl_end(&s->sasl);
    s->reading = READ_COMMAND;
}

static void refuse(struct mox_smtp_server *s, int code, const char *enhanced, const char *text)
{
    end_dialogue(s);
    s->bad_commands += code == 501;
    mox__smtp_reply(s, code, enhanced, "%s", text);
}

static void out_of_memory(struct mox_smtp_server *s)
{
    end_dialogue(s);
    s->failure = MOX_ENOMEM;
    mox__smtp_close(s);
}

static void challenge(struct mox_smtp_server *s, struct mox_slice text)
{
    struct buf encoded;
    mox__buf_init(&encoded, &s->env, 256);
    mox__base64_encode(&encoded, text);
    if (encoded.failed) {
        out_of_memory(s);
    } else {
        s->reading = READ_AUTH;
        mox__smtp_send_lines(s, 334, slice(encoded.data, encoded.len));
    }
    mox__buf_free(&encoded);
}

static void ask_host(struct mox_smtp_server *s)
{
    mox__smtp_prepare(s, 535, "5.7.8", "wrong user name or password");
    int rc =
        s->cb.auth(s->user, mox__sasl_username(&s->sasl), mox__sasl_password(&s->sasl), &s->reply);
    mox__smtp_answer(s, ASK_AUTH, rc);
}

static void step(struct mox_smtp_server *s, struct mox_slice response)
{
    struct mox_slice text;
    switch (mox__sasl_step(&s->sasl, response, &text)) {
    case SASL_CHALLENGE:
        challenge(s, text);
        break;
    case SASL_PASSWORD:
        ask_host(s);
        break;
    case SASL_MALFORMED:
        refuse(s, 501, "5.5.4", "the response is not what the mechanism wants");
        break;
    case SASL_REFUSED:
        refuse(s, 535, "5.7.8", "nobody may act for somebody else");
        break;
    case SASL_FAILED:
        out_of_memory(s);
        break;
    }
}

/* The decoded text is a secret; the buffer has all its room from the start, so that it never moves.
 */
static void step_base64(struct mox_smtp_server *s, struct mox_slice encoded)
{
    struct buf text;
    mox__buf_init(&text, &s->env, LINE_MAX_AUTH);
    if (mox__buf_reserve(&text, encoded.len / 4 * 3 + 1) == NULL)
        out_of_memory(s);
    else if (mox__base64_decode(&text, encoded) < 0)
        refuse(s, 501, "5.5.2", "bad syntax: the response is not base64");
    else
        step(s, slice(text.data, text.len));
    if (text.data != NULL)
        mox__wipe(text.data, text.cap);
    mox__buf_free(&text);
}

void mox__smtp_auth_line(struct mox_smtp_server *s, struct mox_slice line)
{
    mox__smtp_trace_auth(s, line);
    if (mox__slice_is(line, "*"))
        refuse(s, 501, "5.5.0", "authentication cancelled");
    else
        step_base64(s, line);
}

/* The initial response with the space in front. */
static void initial_response(struct mox_smtp_server *s, struct mox_slice rest)
{
    struct mox_slice response = slice_from(rest, 1);
    while (!s->config.pedantic && response.len > 0 && response.data[0] == ' ')
        response = slice_from(response, 1);
    if (response.len == 0)
        refuse(s, 501, "5.5.2", "bad syntax: a space but no response behind the mechanism");
    else if (mox__slice_is(response, "="))
        step(s, slice("", 0));
    else
        step_base64(s, response);
}

/* False: not now, or not here. */
static bool is_possible(struct mox_smtp_server *s)
{
    if (s->config.mode != MOX_SMTP_SUBMISSION || s->cb.auth == NULL)
        mox__smtp_reply(s, 503, "5.5.1", "authentication is not available here");
    else if (s->username != NULL)
        mox__smtp_reply(s, 503, "5.5.1", "you are authenticated already");
    else
        return true;
    return false;
}

void mox__smtp_cmd_auth(struct mox_smtp_server *s, struct mox_slice args)
{
    if (!is_possible(s))
        return;
    struct mox_slice name = slice_from(args, args.len > 0), rest;
    const uint8_t *space = name.len == 0 ? NULL : memchr(name.data, ' ', name.len);
    rest = slice(NULL, 0);
    if (space != NULL) {
        rest = slice_from(name, (size_t)(space - name.data));
        name.len -= rest.len;
    }
    const struct sasl_mechanism *m = mox__sasl_find(name);
    if (name.len == 0) {
        mox__smtp_bad_syntax(s, args, "use AUTH mechanism");
    } else if (m == NULL) {
        mox__smtp_reply(s, 504, "5.5.4", "unknown mechanism");
    } else if (mox__sasl_is_clear_text(m) && !mox__smtp_auth_is_safe(s)) {
        mox__smtp_reply(s, 538, "5.7.11", "TLS is required: send STARTTLS first");
    } else {
        mox__smtp_login_begins(s);
        mox__sasl_start(&s->sasl, &s->env, m);
        if (rest.len > 0)
            initial_response(s, rest);
        else
            step(s, SASL_NO_RESPONSE);
    }
}

/* The same line as in IMAP, and only one, for programs that block addresses. */
static void log_failure(struct mox_smtp_server *s)
{
    log_line(&s->env, MOX_LOG_INFO, SMTP_PKG, "failed authentication attempt", NULL,
             F_HEX("cid", s->peer.cid), F_TEXT("remote", s->peer.remote_ip),
             F_TEXT("mechanism", mox__sasl_name(s->sasl.mechanism)),
             F_TEXT("username", mox__sasl_username(&s->sasl)), F_TEXT("result", "badcreds"));
}

void mox__smtp_auth_answered(struct mox_smtp_server *s, int rc)
{
    if (rc < 0) {
        if (rc == MOX_EDENIED)
            log_failure(s);
        else /* the host knows why, and has said so */
            mox__smtp_login_undone(s);
        end_dialogue(s);
        mox__smtp_send(s, &s->reply);
        return;
    }
    const char *name = mox__sasl_username(&s->sasl);
    s->username = mox__strndup(&s->env, name, strlen(name));
    if (s->username == NULL) {
        out_of_memory(s);
        return;
    }
    end_dialogue(s);
    s->envelope.username = s->username;
    mox__smtp_login_succeeded(s);
    mox__smtp_accept(s, 235, "2.7.0", "nice");
}
