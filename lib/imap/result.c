/* SPDX-License-Identifier: MIT */
#include "imap/session.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"

/* How commands end. */

/* Commands that we do not know are one. */
static const struct mox_metric command_durations = {
    .name = "mox_imap_command_duration_seconds",
    .help = "From an IMAP command to its tagged result.",
    .type = MOX_METRIC_HISTOGRAM,
    .unit = MOX_METRIC_SECONDS,
    .labels = {"cmd", "result"},
    .bounds = METRIC_BOUNDS_SHORT,
    .max_series = 256,
};

static const char *outcome(const struct mox_imap_server *s, const struct command *c)
{
    if (s->failure < 0)
        return "servererror";
    switch (c->result) {
    case RESULT_OK:
        return "ok";
    case RESULT_NO:
        return c->our_fault ? "servererror" : "usererror";
    case RESULT_BAD:
        return "badsyntax";
    case RESULT_NONE:
        break;
    }
    return c->row == NULL ? "badsyntax" : "ioerror"; /* the connection went before it */
}

void mox__imap_log_result(struct mox_imap_server *s, const struct command *c)
{
    int64_t us = s->env.monotonic_us(s->env.user) - c->began_us;
    const char *cmd = c->row == NULL ? "(unrecognized)" : (const char *)c->word.data;
    const char *result = outcome(s, c);
    metric_add(&s->env, &command_durations, us, cmd, result);
    log_line(&s->env, MOX_LOG_DEBUG, "imapserver", "imap command result", NULL,
             F_HEX("cid", s->peer.cid), F_TEXT("cmd", cmd), F_TEXT("result", result),
             F_DURATION("duration", us));
}

static enum step set_result(struct command *c, enum result result, const char *code,
                            const char *text)
{
    c->result = result;
    c->code = code;
    c->text = text;
    return STEP_DONE;
}

enum step mox__imap_ok(struct command *c, const char *code, const char *text)
{
    return set_result(c, RESULT_OK, code, text);
}

enum step mox__imap_no(struct command *c, const char *code, const char *text)
{
    return set_result(c, RESULT_NO, code, text);
}

enum step mox__imap_bad(struct command *c, const char *code, const char *text)
{
    return set_result(c, RESULT_BAD, code, text);
}

enum step mox__imap_fail(struct command *c, int status)
{
    c->failure = status;
    return STEP_FAIL;
}

/* What the client's doing brings about; other failures are ours. */
static const struct {
    int status;
    const char *code;
    const char *text;
} refusals[] = {
    {MOX_ENOTFOUND, "NONEXISTENT", "no such mailbox"},
    {MOX_EGONE, "NONEXISTENT", "the mailbox was removed"},
    {MOX_EEXISTS, "ALREADYEXISTS", "a mailbox of this name is there already"},
    {MOX_ECHILDREN, "HASCHILDREN", "the mailbox has children, remove them first"},
    {MOX_EQUOTA, "OVERQUOTA", "the account is full, remove messages first"},
    {MOX_ELIMIT, "LIMIT", "a limit of the mailbox is reached"},
    {MOX_EUNSUPPORTED, "CANNOT", "this account cannot do that"},
};

/* RFC 5530 §3: what somebody has to repair is not a mistake of the program. */
static const char *failure_code(int status)
{
    switch (status) {
    case MOX_EIO:
    case MOX_ENOSPACE:
    case MOX_EREADONLY:
    case MOX_EFILES:
    case MOX_EBUSY:
    case MOX_ETOOMANY:
        return "UNAVAILABLE";
    case MOX_ECORRUPT:
        return "CORRUPTION";
    default:
        return "SERVERBUG";
    }
}

/* Which limit it is says only the store. */
static enum step refuse_limit(struct command *c, const char *code, const char *text,
                              const struct mox_error *err)
{
    const char *why = err == NULL || err->text[0] == '\0'
                          ? NULL
                          : mox__arena_strndup(&c->arena, err->text, strlen(err->text));
    return mox__imap_no(c, code, why == NULL ? text : why);
}

enum step mox__imap_no_status(struct mox_imap_server *s, struct command *c, int status,
                              const struct mox_error *err)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].status != status)
            continue;
        if (status == MOX_ELIMIT)
            return refuse_limit(c, refusals[i].code, refusals[i].text, err);
        return mox__imap_no(c, refusals[i].code, refusals[i].text);
    }
    if (status == MOX_ENOMEM)
        return mox__imap_fail(c, status);
    c->our_fault = true;
    log_line(&s->env, MOX_LOG_ERROR, "imapserver", "command failed",
             err == NULL || err->text[0] == '\0' ? mox_status_text(status) : err->text,
             F_HEX("cid", s->peer.cid), F_TEXT("cmd", c->row == NULL ? "" : c->row->name));
    return mox__imap_no(c, failure_code(status), "the server could not do that, try again later");
}

bool mox__imap_name(struct command *c, const char *name, char out[MOX_MAILBOX_NAME_MAX + 1])
{
    struct mox_error err = {0};
    if (mox_mailbox_name_check(name, out, &err) == MOX_OK)
        return true;
    const char *text = mox__arena_strndup(&c->arena, err.text, strlen(err.text));
    mox__imap_no(c, "CANNOT", text == NULL ? "not a mailbox name" : text);
    return false;
}

int mox__imap_parse_nothing(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    return mox__lex_end(&c->args) ? MOX_OK : MOX_ESYNTAX;
}

enum step mox__imap_bad_syntax(struct mox_imap_server *s, struct command *c)
{
    /* Only who has logged in is told what was read (and cannot be made to read his own bytes). */
    struct mox_slice rest = slice(c->args.at, (size_t)(c->args.end - c->args.at));
    char near[41];
    size_t n = 0;
    for (; n < rest.len && n < sizeof near - 1 && rest.data[n] > 0x1f && rest.data[n] < 0x7f; n++)
        near[n] = (char)rest.data[n];
    near[n] = '\0';
    char text[256];
    (void)snprintf(text, sizeof text, "bad syntax: expected %s%s%s%s", c->args.expected,
                   s->state == ST_NOT_AUTHENTICATED ? ""
                   : n == 0                         ? " at the end"
                                                    : ", got \"",
                   s->state == ST_NOT_AUTHENTICATED ? "" : near,
                   s->state == ST_NOT_AUTHENTICATED || n == 0 ? "" : "\"");
    char *kept = mox__arena_strndup(&c->arena, text, strlen(text));
    return mox__imap_bad(c, NULL, kept == NULL ? "bad syntax" : kept);
}

void mox__imap_put_result(struct mox_imap_server *s, const struct command *c)
{
    static const char *const names[] = {
        [RESULT_OK] = " OK ", [RESULT_NO] = " NO ", [RESULT_BAD] = " BAD "};
    mox__buf_slice(&s->out, c->tag);
    mox__imap_put(s, names[c->result]);
    if (c->code != NULL) {
        mox__imap_put(s, "[");
        mox__imap_put(s, c->code);
        mox__imap_put(s, "] ");
    }
    mox__buf_slice(&s->out, c->word);
    mox__imap_put(s, c->word.len > 0 ? " " : "");
    mox__imap_put(s, c->text != NULL ? c->text : "done");
    mox__imap_put(s, "\r\n");
}
