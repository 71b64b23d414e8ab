/* SPDX-License-Identifier: MIT */
#ifndef MOX_TLSRPT_H
#define MOX_TLSRPT_H

#include <mox/dns_answers.h>
#include <mox/policy_record.h>

MOX_BEGIN_DECLS

#define MOX_TLSRPT_URIS_MAX 16
#define MOX_TLSRPT_URI_MAX  320

/** The record at _smtp._tls.<domain> (RFC 8460 §3): where reports on TLS go. */
struct mox_tlsrpt_record {
    char uris[MOX_TLSRPT_URIS_MAX]
             [MOX_TLSRPT_URI_MAX + 1]; /* "mailto:…" or "https:…", as written */
    size_t uri_count;                  /* at least 1 */
};

/** @return MOX_OK; MOX_ENOTFOUND: no such record at all; MOX_ESYNTAX: one that is wrong, *err says how */
MOX_API MOX_MUST_USE int mox_tlsrpt_record_parse(struct mox_tlsrpt_record *out,
                                                 struct mox_slice text, struct mox_error *err);

struct mox_tlsrpt_found {
    enum mox_policy_record_status status;
    struct mox_tlsrpt_record record;
    char problem[256]; /* of all but found; else "" */
    bool secure;
};

/** @param domain  ASCII. @return MOX_OK, MOX_NEED_DNS, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_tlsrpt_lookup(struct mox_tlsrpt_found *out, const char *domain,
                                           struct mox_dns_answers *answers);

MOX_END_DECLS

#endif
