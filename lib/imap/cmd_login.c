/* SPDX-License-Identifier: MIT */
#include "imap/commands.h"

#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "imap/auth.h"
#include "imap/capability.h"

/* LOGIN and AUTHENTICATE: how a session gets its user. */

static enum step privacy_required(struct command *c)
{
    return mox__imap_no(c, "PRIVACYREQUIRED", "start TLS first");
}

void mox__cleanup_login(struct mox_imap_server *s, struct command *c)
{
    (void)c;
    mox__imap_auth_close(s);
}

/* --- how it ends --- */

/* OK [CAPABILITY …]: saves the client a command (RFC 3501 §6.2.2). */
static enum step logged_in(struct mox_imap_server *s, struct command *c)
{
    struct buf text;
    mox__buf_init(&text, &s->env, 4096);
    mox__imap_put_capabilities(s, &text);
    char *code = text.failed ? NULL : mox__arena_strndup(&c->arena, text.data, text.len);
    mox__buf_free(&text);
    return code == NULL ? mox__imap_fail(c, MOX_ENOMEM) : mox__imap_ok(c, code, NULL);
}

static enum step succeed(struct mox_imap_server *s, struct command *c)
{
    struct mox_error err = {0};
    int rc = mox__imap_auth_accept(s, &err);
    mox__imap_auth_report(s, rc < 0 ? MOX_SASL_FAILED_TEMPORARY : (enum mox_sasl_failure)0);
    return rc < 0 ? mox__imap_no_status(s, c, rc, &err) : logged_in(s, c);
}

/* The host's words to a user whom it knows and does not let in, without a code, so that clients do
 * not ask for the password again. */
static enum step disabled(struct mox_imap_server *s, struct command *c)
{
    const char *text = mox_sasl_server_text(s->auth->exchange);
    const char *kept = *text == '\0' ? "this account cannot log in"
                                     : mox__arena_strndup(&c->arena, text, strlen(text));
    return kept == NULL ? mox__imap_fail(c, MOX_ENOMEM) : mox__imap_no(c, NULL, kept);
}

static enum step fail(struct mox_imap_server *s, struct command *c)
{
    enum mox_sasl_failure failure = mox_sasl_server_failure(s->auth->exchange);
    bool malformed = failure == MOX_SASL_FAILED_ABORTED && s->auth->malformed;
    mox__imap_auth_report(s, malformed ? MOX_SASL_FAILED_SYNTAX : failure);
    switch (failure) {
    case MOX_SASL_FAILED_SYNTAX:
        return mox__imap_bad(c, NULL, "not a response of this mechanism");
    case MOX_SASL_FAILED_PROTOCOL:
    case MOX_SASL_FAILED_ENCODING:
        return mox__imap_no(c, NULL, "the response breaks the rules of the mechanism");
    case MOX_SASL_FAILED_CREDENTIALS:
        return mox__imap_no(c, "AUTHENTICATIONFAILED", "bad credentials");
    case MOX_SASL_FAILED_BINDING:
        return mox__imap_no(c, "AUTHENTICATIONFAILED",
                            "your channel is not ours, somebody may be in between");
    case MOX_SASL_FAILED_AUTHORIZATION:
        return mox__imap_no(c, "AUTHORIZATIONFAILED", "cannot act as somebody else");
    case MOX_SASL_FAILED_DISABLED:
        return disabled(s, c);
    case MOX_SASL_FAILED_ABORTED:
        return mox__imap_bad(c, NULL, malformed ? "expected base64" : "given up");
    case MOX_SASL_FAILED_MEMORY:
        return mox__imap_fail(c, MOX_ENOMEM);
    case MOX_SASL_FAILED_TEMPORARY:
        break;
    }
    /* RFC 5530 §3: so that the user is not asked for another password. */
    return mox__imap_no(c, "UNAVAILABLE", "cannot log in at the moment, try again later");
}

static enum step challenge(struct mox_imap_server *s)
{
    mox__imap_put_challenge(s, mox_sasl_server_challenge(s->auth->exchange));
    s->reader = READ_ANSWER;
    return STEP_CALL;
}

/* --- LOGIN (RFC 3501 §6.2.3) --- */

/* The password is not asked for where it must not travel. */
enum literal mox__literal_login(struct mox_imap_server *s, struct command *c, uint64_t bytes)
{
    (void)bytes;
    if (mox__imap_may_login(s))
        return LITERAL_GATHER;
    (void)privacy_required(c);
    return LITERAL_REFUSE;
}

static bool has_nul(struct mox_slice text)
{
    return text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
}

/* The name and the password are what the mechanism of the same name asks for one by one. */
static bool play_mechanism(struct mox_imap_server *s, struct mox_slice username,
                           struct mox_slice password)
{
    if (!mox__imap_auth_begin(s, MOX_SASL_LOGIN))
        return false;
    mox__imap_auth_respond(s, username.data == NULL ? slice("", 0) : username);
    if (s->auth->step == MOX_SASL_CHALLENGE)
        mox__imap_auth_respond(s, password.data == NULL ? slice("", 0) : password);
    return true;
}

int mox__parse_login(struct mox_imap_server *s, struct command *c)
{
    struct lexer *l = &c->args;
    struct mox_slice username;
    struct mox_slice password;
    if (!mox__imap_may_login(s)) {
        (void)privacy_required(c);
        return MOX_OK;
    }
    if (!mox__lex_space(l) || !mox__lex_astring(l, &username) || !mox__lex_space(l) ||
        !mox__lex_astring(l, &password) || !mox__lex_end(l))
        return mox__lex_failure(l);
    if (has_nul(username) || has_nul(password)) {
        l->expected = "name and password without NUL";
        return MOX_ESYNTAX;
    }
    bool kept = play_mechanism(s, username, password);
    if (password.len > 0) /* in the command's text, or unescaped in its arena: ours both times */
        mox__wipe((void *)(uintptr_t)password.data, password.len);
    return kept ? MOX_OK : MOX_ENOMEM;
}

/* There is no response here that could be malformed: no account has such a name or password. */
static enum step login_failed(struct mox_imap_server *s, struct command *c)
{
    enum mox_sasl_failure failure = mox_sasl_server_failure(s->auth->exchange);
    if (failure != MOX_SASL_FAILED_SYNTAX && failure != MOX_SASL_FAILED_ENCODING)
        return fail(s, c);
    mox__imap_auth_report(s, MOX_SASL_FAILED_CREDENTIALS);
    return mox__imap_no(c, "AUTHENTICATIONFAILED", "bad credentials");
}

enum step mox__cmd_login(struct mox_imap_server *s, struct command *c)
{
    if (!mox__imap_auth_go_on(s))
        return STEP_CALL;
    return s->auth->step == MOX_SASL_SUCCESS ? succeed(s, c) : login_failed(s, c);
}

/* --- AUTHENTICATE (RFC 3501 §6.2.2, RFC 4959) --- */

/* The decoded text is a secret; the buffer has all its room from the start, so that it never moves.
 * False: memory ran out. */
static bool respond_base64(struct mox_imap_server *s, struct mox_slice line)
{
    struct buf text;
    mox__buf_init(&text, &s->env, LINE_MAX_BYTES);
    bool room = mox__buf_reserve(&text, line.len / 4 * 3 + 1) != NULL;
    if (room && mox__base64_decode(&text, line) == MOX_OK) {
        mox__imap_auth_respond(s, slice(text.data, text.len));
    } else {
        s->auth->malformed = true;
        mox__imap_auth_give_up(s);
    }
    if (text.data != NULL)
        mox__wipe(text.data, text.cap);
    mox__buf_free(&text);
    return room;
}

/* A mechanism that we have, but not on this connection. */
static void refuse_mechanism(struct mox_imap_server *s, struct command *c,
                             enum mox_sasl_mechanism m)
{
    if (!s->peer.tls)
        (void)privacy_required(c);
    else if (m == MOX_SASL_EXTERNAL)
        (void)mox__imap_no(c, "AUTHENTICATIONFAILED", "no certificate was shown");
    else
        (void)mox__imap_no(c, NULL, "this mechanism cannot be used on this connection");
}

/* "=" stands for an empty response (RFC 4959 §3). */
static bool begin(struct mox_imap_server *s, enum mox_sasl_mechanism m, bool has_initial,
                  struct mox_slice initial)
{
    if (!mox__imap_auth_begin(s, m))
        return false;
    if (has_initial && !mox__slice_is(initial, "="))
        return respond_base64(s, initial);
    mox__imap_auth_respond(s, has_initial ? slice("", 0) : slice(NULL, 0));
    return true;
}

int mox__parse_authenticate(struct mox_imap_server *s, struct command *c)
{
    struct lexer *l = &c->args;
    struct mox_slice name;
    struct mox_slice initial = slice(NULL, 0);
    if (!mox__lex_space(l) || !mox__lex_atom(l, &name))
        return mox__lex_failure(l);
    bool has_initial = l->at < l->end;
    if (has_initial && (!mox__lex_space(l) || !mox__lex_rest(l, &initial)))
        return mox__lex_failure(l);
    enum mox_sasl_mechanism m = mox_sasl_mechanism(name);
    if ((s->config.mechanisms & (unsigned)m) == 0)
        (void)mox__imap_no(c, NULL, "no such mechanism");
    else if ((mox__imap_auth_offered(s) & (unsigned)m) == 0)
        refuse_mechanism(s, c, m);
    else if (!begin(s, m, has_initial, initial))
        return MOX_ENOMEM;
    return MOX_OK;
}

void mox__answer_authenticate(struct mox_imap_server *s, struct command *c, struct mox_slice line)
{
    if (mox__slice_is(line, "*"))
        mox__imap_auth_give_up(s);
    else if (!respond_base64(s, line))
        c->failure = s->failure = MOX_ENOMEM;
}

enum step mox__cmd_authenticate(struct mox_imap_server *s, struct command *c)
{
    if (!mox__imap_auth_go_on(s))
        return STEP_CALL;
    if (s->auth->step == MOX_SASL_CHALLENGE)
        return challenge(s);
    return s->auth->step == MOX_SASL_SUCCESS ? succeed(s, c) : fail(s, c);
}
