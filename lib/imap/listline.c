/* SPDX-License-Identifier: MIT */
#include "imap/listline.h"

#include <string.h>

static const char *const names[] = {"\\Subscribed",  "\\NonExistent",   "\\Noselect",
                                    "\\HasChildren", "\\HasNoChildren", "\\Subscribed",
                                    "\\Archive",     "\\Drafts",        "\\Junk",
                                    "\\Sent",        "\\Trash"};

#define NAMES     (sizeof names / sizeof names[0])
#define FIRST_USE 6

unsigned mox__list_uses(unsigned special_use)
{
    return special_use << FIRST_USE;
}

unsigned mox__list_use_named(struct mox_slice name)
{
    for (size_t i = FIRST_USE; i < NAMES; i++)
        if (mox__slice_is_nocase(name, names[i]))
            return 1u << (i - FIRST_USE);
    return 0;
}

/* The index of the first name that is not below `name` and "/", in bytes. */
static size_t lower_bound(const struct mox_mailboxes *list, const char *name, size_t len)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const char *other = list->list[mid].name;
        int order = strncmp(other, name, len);
        if (order == 0)
            order = (unsigned char)other[len] < '/' ? -1 : 1;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool mox__list_has_children(const struct mox_mailboxes *list, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = lower_bound(list, name, len); i < list->count; i++) {
        const char *other = list->list[i].name;
        if (strncmp(other, name, len) != 0 || other[len] != '/')
            return false;
        if (list->list[i].id != 0)
            return true;
    }
    return false;
}

void mox__list_line(struct mox_imap_server *s, const char *verb, unsigned attrs, const char *name)
{
    const char *space = "";
    mox__imap_putf(s, "* %s (", verb);
    for (size_t i = 0; i < NAMES; i++) {
        if ((attrs & 1u << i) == 0)
            continue;
        mox__imap_putf(s, "%s%s", space, names[i]);
        space = " ";
    }
    mox__imap_put(s, ") \"/\" ");
    mox__imap_put_mailbox(s, name);
    mox__imap_put(s, "\r\n");
}
