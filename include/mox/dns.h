/* SPDX-License-Identifier: MIT */
#ifndef MOX_DNS_H
#define MOX_DNS_H

#include <mox/error.h>
#include <mox/types.h>

MOX_BEGIN_DECLS

/** Longest domain name in ASCII form, in bytes, without a trailing dot (RFC 1035 §2.3.4). */
#define MOX_DOMAIN_MAX 253
/** The same in Unicode form: every byte of an A-label stands for at most one character. */
#define MOX_DOMAIN_UNICODE_MAX 1023

/** A domain name in both its forms (RFC 5890), lower case, without trailing dot, NUL-terminated. */
struct mox_domain {
    char ascii[MOX_DOMAIN_MAX + 1];           /* A-labels: for DNS and the wire */
    char unicode[MOX_DOMAIN_UNICODE_MAX + 1]; /* U-labels; the same text when there are none */
};

enum mox_domain_flags {
    /** Underscores are fine in labels of ASCII: those of services, and hosts as some are named. */
    MOX_DOMAIN_UNDERSCORES = 1 << 0
};

/**
 * Reads a name as a user or a peer wrote it, in ASCII or Unicode, any case, with the mapping that
 * IDNA2008 has for look-ups (UTS #46, non-transitional). A trailing dot and an IP address are no names.
 *
 * @param flags  a set of enum mox_domain_flags
 * @return MOX_ESYNTAX; MOX_ENOMEM; MOX_EUNSUPPORTED for Unicode in a build without `idn`, where
 *         A-labels are taken as they are
 */
MOX_API MOX_MUST_USE int mox_domain_parse(struct mox_domain *out, struct mox_slice text,
                                          unsigned flags);

MOX_END_DECLS

#endif
