/* SPDX-License-Identifier: MIT */
#ifndef MOX_HISTORY_H
#define MOX_HISTORY_H

#include <mox/error.h>
#include <mox/types.h>

MOX_BEGIN_DECLS

/**
 * @file
 * What an account remembers of senders, for reputation: what its user thought of their messages, and
 * whom the user wrote to. mox_account_history_begin() (mox/store.h) gives that of the durable store.
 */

/** What is looked up of a sender. The numbers are part of what the store hashes: never renumber. */
enum mox_sender {
    MOX_SENDER_FROM,            /* address in From, proved */
    MOX_SENDER_FROM_DOMAIN,     /* its domain */
    MOX_SENDER_FROM_ORG_DOMAIN, /* its organizational domain */
    MOX_SENDER_FROM_UNPROVED,   /* the same three, not proved */
    MOX_SENDER_FROM_DOMAIN_UNPROVED,
    MOX_SENDER_FROM_ORG_DOMAIN_UNPROVED,
    MOX_SENDER_MAIL_FROM,
    MOX_SENDER_MAIL_FROM_DOMAIN,
    MOX_SENDER_EHLO,
    MOX_SENDER_DKIM, /* a domain with a verified signature */
    MOX_SENDER_IP1,  /* the client's masked address, from the narrowest class */
    MOX_SENDER_IP2,
    MOX_SENDER_IP3
};

/** One message that the user has marked as junk or not junk. */
struct mox_judged {
    int64_t received_us;
    uint64_t message;
    uint64_t localpart_hash; /* of the address in From: how many senders a domain has */
    bool junk;               /* also when both marks are set */
};

enum mox_addressee { MOX_ADDRESSEE_FULL, MOX_ADDRESSEE_DOMAIN, MOX_ADDRESSEE_ORG_DOMAIN };

struct mox_history {
    void *user;
    /** The judged messages of a sender that were first delivered to the mailbox `origin` and received
     *  since then, newest first; at most `max`.
     *
     *  @param localpart  for addresses, else NULL
     *  @param name       a domain in Unicode form, or a masked address
     *  @return MOX_OK with *count, MOX_EIO, MOX_ECORRUPT, MOX_ENOMEM */
    int (*judged)(void *user, enum mox_sender sender, const char *localpart, const char *name,
                  uint64_t origin, int64_t since_us, struct mox_judged *out, size_t max,
                  size_t *count, struct mox_error *err);
    /** When the user last wrote to the address, to anybody of the domain, or of the organizational
     *  domain; 0: never. @param localpart  for MOX_ADDRESSEE_FULL, else NULL */
    int (*wrote_to)(void *user, enum mox_addressee addressee, const char *localpart,
                    const char *domain, int64_t *last_us, struct mox_error *err);
    /** NULL: all answers are of one moment. Else to be called after the last question: when it says true,
     *  they are not, and all have to be asked again; the next answers are. True once at most. */
    bool (*moved)(void *user);
};

MOX_END_DECLS

#endif
