/* SPDX-License-Identifier: MIT */
#ifndef STORE_VERDICT_H
#define STORE_VERDICT_H

#include "store/store.h"

/* What a verdict is about: the letter in front of what is hashed, so never renumber. */
enum verdict_kind {
    VERDICT_FROM,            /* address in From, proved */
    VERDICT_FROM_DOMAIN,     /* its domain */
    VERDICT_FROM_ORG_DOMAIN, /* its organizational domain */
    VERDICT_FROM_UNPROVED,   /* the same three, not proved */
    VERDICT_FROM_DOMAIN_UNPROVED,
    VERDICT_FROM_ORG_DOMAIN_UNPROVED,
    VERDICT_MAIL_FROM,
    VERDICT_MAIL_FROM_DOMAIN,
    VERDICT_EHLO,
    VERDICT_DKIM,
    VERDICT_IP1, /* masked addresses, from the narrowest class */
    VERDICT_IP2,
    VERDICT_IP3
};

/* Bits of message.kind. */
enum message_kind {
    KIND_REJECT = 1,
    KIND_FORWARD = 2,
    KIND_MAILING_LIST = 4,
    KIND_DSN = 8,
    KIND_REQUIRETLS = 16
};

/* What a user thought of one message. */
struct verdict {
    uint64_t message;
    uint64_t localpart_hash; /* of the address in From: how many senders a domain has */
    int64_t received_us;
    bool junk;
};

/* The verdicts on messages with this sender, first delivered to the mailbox `origin` and received
 * since then, newest first; at most max. `localpart` for addresses, else NULL; addresses masked,
 * domains in Unicode form. Reads the disk. MOX_OK with *count, MOX_EIO, MOX_ENOMEM. */
MOX_PRIV MOX_MUST_USE int mox__account_verdicts(struct mox_account *account, enum verdict_kind kind,
                                                const char *localpart, const char *domain,
                                                uint64_t origin, int64_t since_us,
                                                struct verdict *out, size_t max, size_t *count,
                                                struct mox_error *err);

/* When the user last wrote to the address (localpart NULL: to anybody in the domain); 0: never. */
MOX_PRIV MOX_MUST_USE int mox__account_wrote_to(struct mox_account *account, const char *localpart,
                                                const char *domain, int64_t *last_us,
                                                struct mox_error *err);

/* The UIDs, ascending, in a mailbox of the messages with this message-id (canonical:
 * mox__message_id()) or, of rejects, this SHA-256 of their content; each may be NULL. At most max.
 */
MOX_PRIV MOX_MUST_USE int mox__account_find_copies(struct mox_account *account, uint64_t mailbox,
                                                   const char *message_id, const uint8_t *hash,
                                                   uint32_t *uids, size_t max, size_t *count,
                                                   struct mox_error *err);

/* The hash of a sender's name; localpart is NULL for domains and addresses. */
uint64_t mox__verdict_hash(enum verdict_kind kind, const char *localpart, const char *domain);

#endif
