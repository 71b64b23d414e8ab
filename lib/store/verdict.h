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

/* The hash of a sender's name; localpart is NULL for domains and addresses. */
uint64_t mox__verdict_hash(enum verdict_kind kind, const char *localpart, const char *domain);

#endif
