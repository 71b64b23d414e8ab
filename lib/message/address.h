/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_ADDRESS_H
#define MESSAGE_ADDRESS_H

#include <mox/address.h>

#include "base/buf.h"

/* The addresses of a header field (RFC 5322 §3.4), obsolete forms included (§4.4), one by one. What
 * breaks the grammar costs one address: reading goes on behind the next comma. */

struct address {
    enum mox_address_kind kind;
    struct mox_slice name;    /* the phrase without quotes, or else the last comment; not decoded */
    struct mox_slice route;   /* the obsolete source route, "@a,@b" */
    struct mox_slice mailbox; /* the localpart without quotes; empty when there is none */
    struct mox_slice host;    /* the domain, or a literal with brackets; empty when there is none */
};

/* A place in a list. */
struct addresses {
    struct mox_slice text; /* borrowed */
    size_t at;
    bool in_group;
    bool no_quotes, no_comments; /* one was opened that has no end: none is looked for any more */
    bool failed;                 /* out of memory: the list ends early */
    struct buf name, comment, route, mailbox, host;
};

MOX_PRIV void mox__addresses_init(struct addresses *a, const struct mox_env *env,
                                  struct mox_slice value);
/* Starts over with another value; keeps the memory. */
MOX_PRIV void mox__addresses_reset(struct addresses *a, struct mox_slice value);
/* The next one, or false at the end; its slices live until the next call. Each group that begins
 * also ends. */
MOX_PRIV bool mox__addresses_next(struct addresses *a, struct address *out);
MOX_PRIV void mox__addresses_free(struct addresses *a);

/* What the From fields of a message say. */
enum from_status {
    FROM_ONE,       /* one field with one address */
    FROM_MISSING,   /* no field, or no address in it */
    FROM_SEVERAL,   /* several fields, or several addresses: RFC 7489 §6.6.1 wants one */
    FROM_MALFORMED, /* an address without localpart or domain */
    FROM_NOMEM
};

/* The address in From, when there is exactly one with a domain; fills both buffers, which must be empty, for
 * FROM_ONE, and for FROM_MALFORMED with what there is of it. */
MOX_PRIV enum from_status mox__address_from(const struct mox_env *env, struct mox_slice headers,
                                            struct buf *mailbox, struct buf *host);

#endif
