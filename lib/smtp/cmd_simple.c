/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "smtp/server.h"

/* Commands that neither ask the host nor change much: RSET, NOOP, HELP, VRFY, EXPN, QUIT. */

void mox__smtp_cmd_rset(struct mox_smtp_server *s, struct mox_slice args)
{
    if (!mox__smtp_at_end(s, args)) {
        mox__smtp_bad_syntax(s, args, "RSET has no arguments");
        return;
    }
    mox__smtp_end_transaction(s);
    mox__smtp_reply(s, 250, "2.0.0", "all cleared");
}

static bool is_string_byte(uint8_t c, bool quoted)
{
    if (quoted)
        return c >= ' ' && c != 0x7f;
    return c > ' ' && c != 0x7f && c != '"' && c != '(' && c != ')' && c != '\\';
}

/* SP String (RFC 5321 §4.1.2), generously: what looks like an address is fine. *rest is what
 * follows. */
static bool take_string(struct mox_slice in, struct mox_slice *rest)
{
    if (in.len < 2 || in.data[0] != ' ')
        return false;
    bool quoted = in.data[1] == '"';
    size_t i = quoted ? 2 : 1;
    for (; i < in.len && is_string_byte(in.data[i], quoted); i++) {
        if (quoted && in.data[i] == '"')
            break;
        if (quoted && in.data[i] == '\\' && i + 1 < in.len)
            i++;
    }
    bool closed = !quoted || (i < in.len && in.data[i] == '"');
    *rest = slice_from(in, i < in.len && quoted ? i + 1 : i);
    return closed && i > 1;
}

void mox__smtp_cmd_noop(struct mox_smtp_server *s, struct mox_slice args)
{
    struct mox_slice rest;
    if (!mox__smtp_at_end(s, args) && (!take_string(args, &rest) || !mox__smtp_at_end(s, rest))) {
        mox__smtp_bad_syntax(s, args, "NOOP has one string at most");
        return;
    }
    mox__smtp_reply(s, 250, "2.0.0", "yes");
}

void mox__smtp_cmd_help(struct mox_smtp_server *s, struct mox_slice args)
{
    (void)args;
    mox__smtp_reply(s, 214, "2.0.0", "see RFC 5321 for the protocol");
}

/* VRFY and EXPN: RFC 5321 §7.3 lets a site keep its users to itself. */
void mox__smtp_cmd_vrfy(struct mox_smtp_server *s, struct mox_slice args)
{
    struct mox_slice rest;
    bool good = take_string(args, &rest);
    if (good && mox__slice_starts_nocase(rest, " SMTPUTF8")) /* RFC 6531 §3.7.4.2 */
        rest = slice_from(rest, sizeof " SMTPUTF8" - 1);
    if (!good || !mox__smtp_at_end(s, rest)) {
        mox__smtp_bad_syntax(s, args, "want one string: an address or a user");
        return;
    }
    mox__smtp_reply(s, 252, "2.7.0", "send a message, and its delivery will tell");
}

void mox__smtp_cmd_quit(struct mox_smtp_server *s, struct mox_slice args)
{
    if (!mox__smtp_at_end(s, args)) {
        mox__smtp_bad_syntax(s, args, "QUIT has no arguments");
        return;
    }
    mox__smtp_reply(s, 221, "2.0.0", "bye");
    mox__smtp_close(s);
}
