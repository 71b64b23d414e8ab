/* SPDX-License-Identifier: MIT */
#ifndef MOX_ADDRESS_H
#define MOX_ADDRESS_H

#include <mox/env.h>
#include <mox/error.h>

MOX_BEGIN_DECLS

enum mox_address_kind {
    MOX_ADDRESS_MAILBOX,
    MOX_ADDRESS_GROUP, /* a group begins; `name` is its name */
    MOX_ADDRESS_GROUP_END
};

/** One element of a header's list of addresses (RFC 5322 §3.4). */
struct mox_address {
    enum mox_address_kind kind;
    struct mox_slice name; /* the phrase without quotes, or the comment that stands in for it; with
                              its encoded words (RFC 2047) */
    struct mox_slice mailbox; /* the localpart without quotes; empty when there is none */
    struct mox_slice host;    /* the domain, or a literal with brackets; empty when there is none */
};

/**
 * The addresses of a header field. Threads: read by any number at once.
 */
struct mox_address_list;

/** The most elements of a list that are kept, but for the end of a group: mail to more people names
 * a list instead, and whoever shows the message keeps them all in memory. */
#define MOX_ADDRESS_LIST_MAX 20000

/**
 * Reads the value of From, To, Cc and the like, obsolete forms included. What breaks the grammar
 * costs one address at most: one with only a name has neither mailbox nor host. Each group that
 * begins also ends.
 *
 * @param value  as mox_header_next() gives it; not needed afterwards
 * @return MOX_OK or MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_address_list_parse(struct mox_address_list **out,
                                                const struct mox_env *env, struct mox_slice value);
/** NULL is fine. */
MOX_API void mox_address_list_free(struct mox_address_list *list);

MOX_API size_t mox_address_list_count(const struct mox_address_list *list);
/** Element i, of count; owned by the list. */
MOX_API const struct mox_address *mox_address_list_at(const struct mox_address_list *list,
                                                      size_t i);

MOX_END_DECLS

#endif
