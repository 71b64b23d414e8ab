/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_SPF_MACRO_H
#define MAILAUTH_SPF_MACRO_H

#include <mox/spf.h>

#include "base/buf.h"
#include "base/ip.h"

/* Macros (RFC 7208 §7). */

/* What macro letters stand for. Texts are borrowed. */
struct spf_macros {
    const char *sender_localpart, *sender_domain; /* s, l, o */
    const char *domain;                           /* d: whose record it is */
    const struct ip *ip;                          /* i, v; c */
    const char *helo;                             /* h */
    const char *receiver;                         /* r */
    int64_t now_us;                               /* t */
    const char *validated;                        /* p: "unknown" when it is not known */
};

/* Which letters a text has: enough to know whether a name of the client is needed first. */
bool mox__spf_macro_has_p(struct mox_slice text);

/* Whether the text is a macro-string (§12); `exp`: with the letters of explanations too. */
bool mox__spf_is_macro_string(struct mox_slice text, bool exp);
/* Whether it is a domain-spec: a macro-string that ends in a macro or a top label. With more than 127 macros
 * it is none. */
bool mox__spf_is_domain_spec(struct mox_slice text);

/* Appends the text, which mox__spf_is_macro_string() has seen, with its macros replaced. */
void mox__spf_expand(struct buf *out, struct mox_slice text, const struct spf_macros *m);
/* The same for a name to look up: labels on the left are dropped until 253 bytes are left (§7.3). */
void mox__spf_expand_domain(char out[MOX_DOMAIN_MAX + 1], struct mox_slice text,
                            const struct spf_macros *m);

#endif
