/* SPDX-License-Identifier: MIT */
#include "imap/cmd_message.h"

#include "imap/session.h"

static bool is_set_char(uint8_t c)
{
    return is_digit(c) || c == ',' || c == ':' || c == '*';
}

static struct mox_slice take_set(struct lexer *l)
{
    const uint8_t *start = l->at;
    while (l->at < l->end && is_set_char(*l->at))
        l->at++;
    return slice(start, (size_t)(l->at - start));
}

int mox__message_set(struct mox_imap_server *s, struct command *c, enum seqset_kind kind,
                     struct row_set *out)
{
    struct seqset set;
    if (!mox__lex_space(&c->args))
        return mox__lex_failure(&c->args);
    const uint8_t *start = c->args.at;
    int rc = mox__seqset_parse(&set, &c->arena, take_set(&c->args));
    if (rc == MOX_ESYNTAX) {
        c->args.expected = "a set of messages such as 1:3,5";
        c->args.at = start;
    }
    if (rc < 0)
        return rc;
    rc = mox__seqset_rows(out, &c->arena, &set, kind, s->view);
    if (rc != MOX_EINVAL)
        return rc;
    mox__imap_bad(c, NULL, "no message has that sequence number");
    return MOX_OK;
}

const struct mox_view_row *mox__message_current(const struct mox_view *current,
                                                const struct mox_view *view,
                                                const struct mox_view_row *row)
{
    if (current == view)
        return row;
    const uint32_t index = mox_view_find(current, row->uid);
    if (index == mox_view_count(current))
        return row;
    const struct mox_view_row *now = mox_view_row(current, index);
    return now->uid == row->uid ? now : row;
}

enum step mox__message_bad(struct command *c, const char *text)
{
    const char *kept = mox__arena_strndup(&c->arena, text, strlen(text));
    return mox__imap_bad(c, NULL, kept != NULL ? kept : "bad arguments");
}
