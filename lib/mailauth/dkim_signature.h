/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_DKIM_SIGNATURE_H
#define MAILAUTH_DKIM_SIGNATURE_H

#include "base/pubkey.h"
#include "mailauth/signed_message.h"

/* DKIM-Signature (RFC 6376 §3.5), and the two signatures of ARC that have most of its tags (RFC 8617
 * §4.1.2, §4.1.3). */
enum signature_form { SIGNATURE_DKIM, SIGNATURE_ARC_MESSAGE, SIGNATURE_ARC_SEAL };

/* Texts are NUL-terminated, in the arena, "" when absent; all of them are printable ASCII, or UTF-8 in
 * `identity`. */
struct dkim_signature {
    const struct signed_field *field;
    struct mox_slice cut;  /* the value of b= with white space around it, in the field's raw text */
    const char *domain;    /* d=, lower case */
    const char *selector;  /* s=, lower case */
    const char *algorithm; /* a= */
    const char *identity;  /* i= of DKIM, decoded */
    const char *identity_domain; /* behind its last `@`; d= when i= is absent */
    const char *chain;           /* cv= of ARC-Seal */
    unsigned instance;           /* i= of ARC */
    enum hash hash;
    bool is_rsa; /* else Ed25519 */
    enum canon header, body;
    uint64_t limit;                        /* l=; UINT64_MAX when absent */
    uint64_t signed_s, expires_s;          /* t=, x=: seconds since 1970; 0 when absent */
    struct mox_slice headers;              /* h=, as written */
    struct mox_slice signature, body_hash; /* b=, bh=, decoded */
    char begin[13];                        /* of b=, as text, for RFC 8601 §2.7.1 */
};

/**
 * Reads the value of a signature field. What could be read stays in *out, also after a failure.
 *
 * @param problem  set to what is wrong: a constant text
 * @return MOX_OK, MOX_ESYNTAX, MOX_ENOMEM (also when the arena is full)
 */
MOX_MUST_USE int mox__dkim_signature_parse(struct dkim_signature *out, struct arena *a,
                                           const struct signed_field *field,
                                           enum signature_form form, const char **problem);

/* Whether h= names the field. */
bool mox__dkim_names(const struct dkim_signature *s, const char *name);

/* The digest that the signature is made over (RFC 6376 §3.7): the fields of h=, then the field itself. MOX_OK,
 * MOX_ENOMEM. */
MOX_MUST_USE int mox__dkim_header_digest(struct mox_signed_message *m,
                                         const struct dkim_signature *s, uint8_t digest[HASH_MAX]);

#endif
