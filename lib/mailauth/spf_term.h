/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_SPF_TERM_H
#define MAILAUTH_SPF_TERM_H

#include <mox/spf.h>

#include "base/ip.h"

/* The terms of a record (RFC 7208 §4.6.1, §12). Slices are parts of the record. */

enum spf_kind {
    SPF_ALL,
    SPF_INCLUDE,
    SPF_A,
    SPF_MX,
    SPF_PTR,
    SPF_IP4,
    SPF_IP6,
    SPF_EXISTS,
    SPF_REDIRECT, /* from here on: modifiers */
    SPF_EXP,
    SPF_UNKNOWN /* a modifier that is ignored */
};

struct spf_term {
    enum spf_kind kind;
    enum mox_spf_result qualifier; /* of a mechanism: what a match means */
    struct mox_slice text;         /* as written */
    struct mox_slice domain;       /* the domain-spec or macro-string; empty: none */
    struct ip network;             /* ip4, ip6 */
    unsigned prefix4, prefix6;     /* bits of addresses that count */
};

/* Whether it is an SPF record of version 1 (§4.5): another text may be anything. */
bool mox__spf_is_record(struct mox_slice text);

/* What is behind the version. */
struct mox_slice mox__spf_terms(struct mox_slice record);

enum spf_next { SPF_TERM, SPF_END, SPF_BROKEN };

/* The next term; *rest moves behind it. With SPF_BROKEN *problem is a constant text, and out->text the term. */
enum spf_next mox__spf_next(struct mox_slice *rest, struct spf_term *out, const char **problem);

/* "include", "a" … */
const char *mox__spf_kind_name(enum spf_kind kind);

#endif
