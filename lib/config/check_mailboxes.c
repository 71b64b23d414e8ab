/* SPDX-License-Identifier: MIT */
#include <mox/mailstore.h>

#include "base/text.h"
#include "config/tables.h"

static void check_mailbox_name(struct bind *b, unsigned line, const char *name)
{
    char normal[MOX_MAILBOX_NAME_MAX + 1];
    struct mox_error err;
    if (mox_mailbox_name_check(name, normal, &err) < 0)
        mox__bind_wrong(b, line, "\"%s\" cannot be a mailbox: %s", name, err.text);
}

void mox__check_mailbox(struct bind *b, const struct sconf_node *node, void *value)
{
    const char *name = *(const char *const *)value;
    if (*name != '\0')
        check_mailbox_name(b, node->line, name);
}

void mox__check_needed_mailbox(struct bind *b, const struct sconf_node *node, void *value)
{
    mox__check_mailbox(b, node, value);
    if (**(const char *const *)value == '\0')
        mox__bind_wrong(b, node->line, "the mailbox is empty; write Inbox or another");
}

void mox__check_other_mailbox(struct bind *b, const struct sconf_node *node, void *value)
{
    mox__check_mailbox(b, node, value);
    if (mox__slice_is_nocase(slice_of(*(const char *const *)value), "inbox"))
        mox__bind_wrong(b, node->line, "this cannot be Inbox; name another mailbox");
}

/* Whether one of the first `count` names is `name`. A list of a few. */
static bool has_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

void mox__check_mailbox_names(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_strings *names = value;
    for (size_t i = 0; i < names->count; i++) {
        if (has_name(names->items, i, names->items[i]))
            mox__bind_wrong(b, mox__bind_item_line(node, i),
                            "mailbox \"%s\" is there twice; remove one", names->items[i]);
        check_mailbox_name(b, mox__bind_item_line(node, i), names->items[i]);
        if (mox__slice_is_nocase(slice_of(names->items[i]), "inbox"))
            mox__bind_wrong(b, mox__bind_item_line(node, i), "Inbox is always there; remove it");
    }
}

static const struct sconf_node *special_use_node(const struct sconf_node *node, size_t i)
{
    static const char *const keys[] = {"Sent", "Archive", "Trash", "Draft", "Junk"};
    const struct sconf_node *n = mox__sconf_find(mox__sconf_find(node, "SpecialUse"), keys[i]);
    return n == NULL ? node : n;
}

static void check_initial_name(struct bind *b, unsigned line, const char *name)
{
    if (strchr(name, '/') != NULL)
        mox__bind_wrong(b, line,
                        "InitialMailboxes cannot have \"%s\" below another mailbox; remove "
                        "the '/'",
                        name);
}

void mox__check_initial_mailboxes(struct bind *b, const struct sconf_node *node, void *value)
{
    const struct mox_config_initial_mailboxes *m = value;
    const struct mox_config_special_use *use = &m->special_use;
    const char *const names[] = {use->sent, use->archive, use->trash, use->drafts, use->junk};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsigned line = special_use_node(node, i)->line;
        check_initial_name(b, line, names[i]);
        if (mox__slice_is_nocase(slice_of(names[i]), "inbox"))
            mox__bind_wrong(b, line,
                            "Inbox is always there and has no such role; use another name");
        if (*names[i] != '\0' && has_name(names, i, names[i]))
            mox__bind_wrong(b, line, "mailbox \"%s\" has two roles; use two mailboxes", names[i]);
    }
    const struct sconf_node *regular = mox__sconf_find(node, "Regular");
    for (size_t i = 0; i < m->regular.count; i++) {
        const char *name = m->regular.items[i];
        check_initial_name(b, mox__bind_item_line(regular, i), name);
        if (has_name(names, sizeof names / sizeof names[0], name))
            mox__bind_wrong(b, mox__bind_item_line(regular, i),
                            "mailbox \"%s\" is also in SpecialUse; remove "
                            "it here",
                            name);
    }
}
