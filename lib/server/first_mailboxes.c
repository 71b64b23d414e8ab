/* SPDX-License-Identifier: MIT */
#include "server/first_mailboxes.h"

#include <string.h>

#include "base/mem.h"

#define ROLES 5

/* Names that say their role (RFC 6154), as DefaultMailboxes has them. */
static const struct {
    const char *name;
    unsigned use;
} well_known[ROLES] = {
    {"Sent", MOX_USE_SENT},     {"Archive", MOX_USE_ARCHIVE}, {"Trash", MOX_USE_TRASH},
    {"Drafts", MOX_USE_DRAFTS}, {"Junk", MOX_USE_JUNK},
};

static unsigned use_of(const char *name)
{
    for (size_t i = 0; i < ROLES; i++)
        if (strcmp(well_known[i].name, name) == 0)
            return well_known[i].use;
    return 0;
}

static void add(struct mox_mailbox *list, size_t *count, const char *name, unsigned use)
{
    if (*name == '\0')
        return; /* no mailbox has that role */
    list[*count].name = name;
    list[*count].special_use = use;
    ++*count;
}

static void add_special(struct mox_mailbox *list, size_t *count,
                        const struct mox_config_special_use *use)
{
    add(list, count, use->sent, MOX_USE_SENT);
    add(list, count, use->archive, MOX_USE_ARCHIVE);
    add(list, count, use->trash, MOX_USE_TRASH);
    add(list, count, use->drafts, MOX_USE_DRAFTS);
    add(list, count, use->junk, MOX_USE_JUNK);
}

int mox__first_mailboxes(const struct mox_config_static *mox, const struct mox_env *env,
                         struct mox_mailbox **out, size_t *count)
{
    const struct mox_config_initial_mailboxes *initial = mox->initial_mailboxes;
    const struct mox_config_strings *names =
        initial != NULL ? &initial->regular : &mox->default_mailboxes;
    *out = NULL;
    *count = 0;
    if (initial == NULL && names->count == 0)
        return MOX_OK;
    struct mox_mailbox *list = mem_new(env, struct mox_mailbox, names->count + ROLES);
    if (list == NULL)
        return MOX_ENOMEM;
    if (initial != NULL)
        add_special(list, count, &initial->special_use);
    for (size_t i = 0; i < names->count; i++)
        add(list, count, names->items[i], initial != NULL ? 0 : use_of(names->items[i]));
    *out = list;
    return MOX_OK;
}
