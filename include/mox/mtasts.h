/* SPDX-License-Identifier: MIT */
#ifndef MOX_MTASTS_H
#define MOX_MTASTS_H

#include <mox/dns.h>
#include <mox/dns_answers.h>
#include <mox/policy_record.h>

MOX_BEGIN_DECLS

/* MTA-STS (RFC 8461): a domain's record says that it has a policy, and which; the policy, fetched by HTTPS,
 * says which hosts get its mail, and that they have TLS. */

#define MOX_MTASTS_ID_MAX 32

/** The record at _mta-sts.<domain> (RFC 8461 §3.1). */
struct mox_mtasts_record {
    char id[MOX_MTASTS_ID_MAX + 1]; /* changes when the policy does */
};

/** @return MOX_OK; MOX_ENOTFOUND: no such record at all; MOX_ESYNTAX: one that is wrong, *err says how */
MOX_API MOX_MUST_USE int mox_mtasts_record_parse(struct mox_mtasts_record *out,
                                                 struct mox_slice text, struct mox_error *err);

struct mox_mtasts_found {
    enum mox_policy_record_status status;
    struct mox_mtasts_record record;
    char problem[256]; /* of all but found; else "" */
    bool secure;
};

/** @param domain  of recipients as they were given, not where a CNAME leads to; ASCII
 *  @return MOX_OK, MOX_NEED_DNS, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_mtasts_lookup(struct mox_mtasts_found *out, const char *domain,
                                           struct mox_dns_answers *answers);

enum mox_mtasts_mode { MOX_MTASTS_NONE, MOX_MTASTS_TESTING, MOX_MTASTS_ENFORCE };

/** "none", "testing", "enforce". */
MOX_API const char *mox_mtasts_mode_name(enum mox_mtasts_mode mode);

/** What a policy file may have: bytes, hosts, and seconds (RFC 8461 §3.2). */
#define MOX_MTASTS_POLICY_MAX 65536
#define MOX_MTASTS_HOSTS_MAX  256
#define MOX_MTASTS_AGE_MAX    31557600

/** One host, or with `any_label` all that have one label in front of this name: "*.example.org". */
struct mox_mtasts_host {
    bool any_label;
    char name[MOX_DOMAIN_MAX + 1]; /* ASCII, lower case */
};

/** A policy. Threads: read by any number at once. */
struct mox_mtasts_policy {
    enum mox_mtasts_mode mode;
    uint32_t max_age_seconds;
    const struct mox_mtasts_host *hosts;
    size_t host_count; /* at least 1, but for mode none */
};

/** Reads a policy file (RFC 8461 §3.2); lines end in LF or CRLF. The first of a field that stands there twice
 *  counts, and unknown fields are passed over.
 *
 *  @param text  not needed afterwards
 *  @return MOX_OK, MOX_ESYNTAX, MOX_ELIMIT, MOX_ENOMEM; *err says what is wrong, and in which line */
MOX_API MOX_MUST_USE int mox_mtasts_policy_parse(struct mox_mtasts_policy **out,
                                                 const struct mox_env *env, struct mox_slice text,
                                                 struct mox_error *err);
/** With the environment that it was read with. NULL is fine. */
MOX_API void mox_mtasts_policy_free(const struct mox_env *env, struct mox_mtasts_policy *policy);

/** Whether the policy permits a host of an MX record (RFC 8461 §4.1), whatever its case and final dot. */
MOX_API bool mox_mtasts_policy_permits(const struct mox_mtasts_policy *policy, const char *host);

MOX_END_DECLS

#endif
