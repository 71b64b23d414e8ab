/* SPDX-License-Identifier: MIT */
#ifndef IMAP_LISTLINE_H
#define IMAP_LISTLINE_H

#include "imap/session.h"

/* Attributes of a name in the order in which a line has them (RFC 9051 §7.3.1). */
enum list_attr {
    ATTR_SUBSCRIBED = 1 << 0,
    ATTR_NONEXISTENT = 1 << 1,
    ATTR_NOSELECT = 1 << 2,
    ATTR_HASCHILDREN = 1 << 3,
    ATTR_HASNOCHILDREN = 1 << 4,
    ATTR_ALSO_SUBSCRIBED = 1 << 5, /* asked for by RETURN (SUBSCRIBED) */
    ATTR_ARCHIVE = 1 << 6,         /* from here on those of enum mox_special_use, in its order */
    ATTR_DRAFTS = 1 << 7,
    ATTR_JUNK = 1 << 8,
    ATTR_SENT = 1 << 9,
    ATTR_TRASH = 1 << 10
};

/* The attributes of a set of enum mox_special_use. */
unsigned mox__list_uses(unsigned special_use);
/* The role with this name, such as "\Sent"; 0 for none. */
unsigned mox__list_use_named(struct mox_slice name);
/* Whether mailboxes below the name exist. O(log names). */
bool mox__list_has_children(const struct mox_mailboxes *list, const char *name);
/* "* LIST (attributes) "/" name" with CRLF. */
void mox__list_line(struct mox_imap_server *s, const char *verb, unsigned attrs, const char *name);

#endif
