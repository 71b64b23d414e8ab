/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "smtp/server.h"

/* One row per verb, in the order of RFC 5321 §4.1.1; `states` is §4.1.4 as data. */
static const struct command {
    const char *verb, *name; /* as it is sent; as it stands in logs */
    unsigned states;         /* where the verb is allowed: a set of enum state */
    void (*run)(struct mox_smtp_server *s, struct mox_slice args);
    const char *refusal; /* text of the 503 in every other state */
    void (*out_of_order)(struct mox_smtp_server *s, struct mox_slice args); /* instead of it */
} commands[] = {
    {"EHLO", "ehlo", ST_ANY, mox__smtp_cmd_hello, "", NULL},
    {"HELO", "helo", ST_ANY, mox__smtp_cmd_helo, "", NULL},
    {"MAIL", "mail", ST_READY, mox__smtp_cmd_mail,
     "send EHLO first, and finish or RSET an open transaction", NULL},
    {"RCPT", "rcpt", ST_MAIL | ST_RCPT, mox__smtp_cmd_rcpt, "send MAIL FROM first", NULL},
    {"DATA", "data", ST_RCPT, mox__smtp_cmd_data,
     "send MAIL FROM and RCPT TO first; after BDAT only BDAT can follow", NULL},
    {"BDAT", "bdat", ST_RCPT | ST_BDAT, mox__smtp_cmd_bdat, "", mox__smtp_bdat_out_of_order},
    {"RSET", "rset", ST_ANY, mox__smtp_cmd_rset, "", NULL},
    {"VRFY", "vrfy", ST_ANY, mox__smtp_cmd_vrfy, "", NULL},
    {"EXPN", "expn", ST_ANY, mox__smtp_cmd_vrfy, "", NULL},
    {"HELP", "help", ST_ANY, mox__smtp_cmd_help, "", NULL},
    {"NOOP", "noop", ST_ANY, mox__smtp_cmd_noop, "", NULL},
    {"QUIT", "quit", ST_ANY, mox__smtp_cmd_quit, "", NULL},
    {"AUTH", "auth", ST_READY, mox__smtp_cmd_auth, "send EHLO first, and not during a transaction",
     NULL},
    {"STARTTLS", "starttls", ST_HELLO, mox__smtp_cmd_starttls, "send EHLO first", NULL},
};

static const struct command *find(struct mox_slice verb)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (mox__slice_is_nocase(verb, commands[i].verb))
            return &commands[i];
    return NULL;
}

const char *mox__smtp_verb(struct mox_slice verb)
{
    const struct command *c = find(verb);
    return c == NULL ? NULL : c->name;
}

bool mox__smtp_at_end(const struct mox_smtp_server *s, struct mox_slice rest)
{
    return s->config.mode == MOX_SMTP_DELIVERY ? mox__slice_trim(rest).len == 0 : rest.len == 0;
}

static void unknown(struct mox_smtp_server *s)
{
    if (!s->greeted) {
        mox__smtp_not_smtp(s);
        return;
    }
    s->bad_commands++;
    mox__smtp_reply(s, 500, "5.5.1", "unknown command");
}

static void run(struct mox_smtp_server *s, const struct command *c, struct mox_slice args)
{
    s->greeted = true;
    if ((c->states & (unsigned)s->state) != 0)
        c->run(s, args);
    else if (c->out_of_order != NULL)
        c->out_of_order(s, args);
    else
        mox__smtp_reply(s, 503, "5.5.1", "%s", c->refusal);
}

void mox__smtp_command(struct mox_smtp_server *s, struct mox_slice line)
{
    const uint8_t *space = line.len == 0 ? NULL : memchr(line.data, ' ', line.len);
    size_t len = space == NULL ? line.len : (size_t)(space - line.data);
    const struct command *c = find(slice(line.data, len));
    mox__smtp_trace_command(s, line);
    s->verb = c == NULL ? "(unknown)" : c->name;
    s->verb_us = s->env.monotonic_us(s->env.user);
    if (c == NULL)
        unknown(s);
    else
        run(s, c, slice_from(line, len));
    if (s->pending == ASK_NOTHING)
        mox__arena_reset(&s->scratch);
}
