/* SPDX-License-Identifier: MIT */
#include "imap/commands.h"

#include <string.h>

#include "imap/listline.h"

/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 §6.3.3 to §6.3.7). All of them are one
 * change of the list of names; what differs is which names are allowed, and what is told of it. */

struct change {
    const char *asked, *asked_new; /* as the client wrote them, decoded */
    char name[MOX_MAILBOX_NAME_MAX + 1], new_name[MOX_MAILBOX_NAME_MAX + 1];
    struct mox_mailbox_change op;
};

static struct change *change_new(struct command *c)
{
    struct change *change = arena_new(&c->arena, struct change, 1);
    c->data = change;
    return change;
}

int mox__parse_one_name(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    struct change *change = change_new(c);
    if (change == NULL)
        return MOX_ENOMEM;
    if (!mox__lex_space(&c->args) || !mox__lex_mailbox(&c->args, &change->asked) ||
        !mox__lex_end(&c->args))
        return mox__lex_failure(&c->args);
    return MOX_OK;
}

int mox__parse_rename(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    struct lexer *l = &c->args;
    struct change *change = change_new(c);
    if (change == NULL)
        return MOX_ENOMEM;
    if (!mox__lex_space(l) || !mox__lex_mailbox(l, &change->asked) || !mox__lex_space(l) ||
        !mox__lex_mailbox(l, &change->asked_new) || !mox__lex_end(l))
        return mox__lex_failure(l);
    return MOX_OK;
}

/* "USE (\Sent \Trash)" (RFC 6154 §6). */
static bool take_use(struct command *c, struct change *change)
{
    struct lexer *l = &c->args;
    struct mox_slice name;
    if (!mox__lex_word(l, "USE") || !mox__lex_space(l) || !mox__lex_byte(l, '('))
        return false;
    bool first = true;
    while (!mox__lex_byte(l, ')')) {
        if (!first && !mox__lex_space(l))
            return false;
        const uint8_t *start = l->at;
        if (!mox__lex_byte(l, '\\') || !mox__lex_atom(l, &name))
            return false;
        unsigned use = mox__list_use_named(slice(start, (size_t)(l->at - start)));
        if (use == 0)
            (void)mox__imap_no(c, "USEATTR", "only Archive, Drafts, Junk, Sent and Trash");
        change->op.special_use |= use;
        first = false;
    }
    return true;
}

int mox__parse_create(struct mox_imap_server *s, struct command *c)
{
    (void)s;
    struct lexer *l = &c->args;
    struct change *change = change_new(c);
    if (change == NULL)
        return MOX_ENOMEM;
    if (!mox__lex_space(l) || !mox__lex_mailbox(l, &change->asked))
        return mox__lex_failure(l);
    if (l->at < l->end) {
        if (!mox__lex_space(l) || !mox__lex_byte(l, '('))
            return mox__lex_failure(l);
        do {
            if (!take_use(c, change))
                return mox__lex_failure(l);
        } while (mox__lex_space(l));
        if (!mox__lex_byte(l, ')') || !mox__lex_end(l))
            return mox__lex_failure(l);
    }
    /* A name with the delimiter at its end says that names below it will come (RFC 3501 §6.3.3). */
    size_t len = strlen(change->asked);
    while (len > 0 && change->asked[len - 1] == '/')
        len--;
    change->asked = mox__arena_strndup(&c->arena, change->asked, len);
    return change->asked == NULL ? MOX_ENOMEM : MOX_OK;
}

/* --- doing it --- */

static bool is_inbox(const char *name)
{
    return strcmp(name, "Inbox") == 0;
}

static enum step submit(struct mox_imap_server *s, struct command *c,
                        enum mox_mailbox_change_kind kind)
{
    struct change *change = c->data;
    if (s->store.ops->change_mailbox == NULL)
        return mox__imap_no_status(s, c, MOX_EUNSUPPORTED, NULL);
    c->stage = 1;
    change->op.kind = kind;
    change->op.name = change->name;
    change->op.new_name = kind == MOX_MAILBOX_RENAME ? change->new_name : NULL;
    mox__imap_write(s, &change->op.write);
    s->store.ops->change_mailbox(s->store.self, &change->op);
    return STEP_WAIT;
}

static enum step finish(struct mox_imap_server *s, struct command *c)
{
    const struct mox_write *w = &((struct change *)c->data)->op.write;
    if (w->status < 0)
        return mox__imap_no_status(s, c, w->status, &w->error);
    return mox__imap_ok(c, NULL, NULL);
}

static bool is_below(const char *name, const char *top)
{
    size_t len = strlen(top);
    return strncmp(name, top, len) == 0 && name[len] == '/';
}

/* The new name, what is below it, and the parents that were made for it. */
static bool knows_renamed(struct command *c, const struct mox_mailbox *m)
{
    const struct change *change = c->data;
    return strcmp(m->name, change->new_name) == 0 || is_below(m->name, change->new_name) ||
           is_below(change->new_name, m->name);
}

static bool knows_subscription(struct command *c, const struct mox_mailbox *m)
{
    const struct change *change = c->data;
    return strcmp(m->name, change->name) == 0;
}

/* The LIST lines of created names come from the comparison of the lists, as for other sessions. */
enum step mox__cmd_create(struct mox_imap_server *s, struct command *c)
{
    struct change *change = c->data;
    if (c->stage == 1)
        return finish(s, c);
    if (!mox__imap_name(c, change->asked, change->name))
        return STEP_DONE;
    if (is_inbox(change->name))
        return mox__imap_no(c, NULL, "Inbox is there always");
    return submit(s, c, MOX_MAILBOX_CREATE);
}

enum step mox__cmd_delete(struct mox_imap_server *s, struct command *c)
{
    struct change *change = c->data;
    if (c->stage == 1)
        return finish(s, c);
    if (!mox__imap_name(c, change->asked, change->name))
        return STEP_DONE;
    if (is_inbox(change->name))
        return mox__imap_no(c, NULL, "Inbox cannot be removed");
    return submit(s, c, MOX_MAILBOX_DELETE);
}

enum step mox__cmd_rename(struct mox_imap_server *s, struct command *c)
{
    struct change *change = c->data;
    if (c->stage == 1) {
        c->knows_name = knows_renamed;
        return finish(s, c);
    }
    if (!mox__imap_name(c, change->asked, change->name) ||
        !mox__imap_name(c, change->asked_new, change->new_name))
        return STEP_DONE;
    if (is_inbox(change->new_name))
        return mox__imap_no(c, NULL, "nothing can be renamed to Inbox");
    return submit(s, c, MOX_MAILBOX_RENAME);
}

static enum step subscription(struct mox_imap_server *s, struct command *c,
                              enum mox_mailbox_change_kind kind)
{
    struct change *change = c->data;
    if (c->stage == 1) {
        c->knows_name = knows_subscription;
        return finish(s, c);
    }
    if (!mox__imap_name(c, change->asked, change->name))
        return STEP_DONE;
    return submit(s, c, kind);
}

enum step mox__cmd_subscribe(struct mox_imap_server *s, struct command *c)
{
    return subscription(s, c, MOX_MAILBOX_SUBSCRIBE);
}

enum step mox__cmd_unsubscribe(struct mox_imap_server *s, struct command *c)
{
    return subscription(s, c, MOX_MAILBOX_UNSUBSCRIBE);
}
