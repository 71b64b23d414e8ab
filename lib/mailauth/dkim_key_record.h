/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_DKIM_KEY_RECORD_H
#define MAILAUTH_DKIM_KEY_RECORD_H

#include <mox/dns_answers.h>
#include <mox/error.h>

#include "base/pubkey.h"

/* A key as it is published (RFC 6376 §3.6.1, RFC 8463 §4). */
struct dkim_key_record {
    bool is_rsa;                 /* else Ed25519 */
    bool revoked;                /* p= is empty */
    bool any_hash, sha1, sha256; /* h=: which may be used */
    bool for_email, for_tlsrpt;  /* s= */
    bool testing, strict;        /* t=y, t=s */
    uint8_t key[PUBLIC_DER_MAX]; /* p=, decoded; its length */
    size_t key_len;
};

/* MOX_OK; MOX_ENOTFOUND: it is no DKIM record; MOX_ESYNTAX: it is one that is wrong, *problem says how. */
MOX_MUST_USE int mox__dkim_key_record_parse(struct dkim_key_record *out, struct mox_slice text,
                                            const char **problem);

/* What an answer says about a key. */
enum dkim_key_found {
    DKIM_KEY_FOUND,
    DKIM_KEY_TEMPORARY, /* look again later */
    DKIM_KEY_NONE       /* there is none to be used */
};

/* The key among the records of an answer; *problem says why there is none. */
enum dkim_key_found mox__dkim_key_find(struct dkim_key_record *out,
                                       const struct mox_dns_answer *answer, const char **problem);

#endif
