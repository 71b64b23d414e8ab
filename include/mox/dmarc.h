/* SPDX-License-Identifier: MIT */
#ifndef MOX_DMARC_H
#define MOX_DMARC_H

#include <mox/dkim.h>
#include <mox/org_domain.h>
#include <mox/spf.h>

MOX_BEGIN_DECLS

/** Results of RFC 7489 §11.2. */
enum mox_dmarc_status {
    MOX_DMARC_NONE,
    MOX_DMARC_PASS,
    MOX_DMARC_FAIL,
    MOX_DMARC_TEMPERROR,
    MOX_DMARC_PERMERROR
};

/** "none", "pass", "fail", "temperror", "permerror". */
MOX_API const char *mox_dmarc_status_name(enum mox_dmarc_status status);

enum mox_dmarc_policy {
    MOX_DMARC_POLICY_NONE,
    MOX_DMARC_POLICY_QUARANTINE,
    MOX_DMARC_POLICY_REJECT
};

/** "none", "quarantine", "reject". */
MOX_API const char *mox_dmarc_policy_name(enum mox_dmarc_policy policy);

#define MOX_DMARC_URIS_MAX 16
#define MOX_DMARC_URI_MAX  320

/** Where reports go (RFC 7489 §6.2). */
struct mox_dmarc_uri {
    char uri[MOX_DMARC_URI_MAX + 1]; /* "mailto:dmarc@example.org", %2C and %21 as written */
    uint64_t max_bytes;              /* of a report; 0: any */
};

/** A record (RFC 7489 §6.3), defaults filled in. */
struct mox_dmarc_record {
    enum mox_dmarc_policy policy, subdomain_policy; /* p=; sp=, else that of p= */
    bool has_subdomain_policy;
    bool strict_dkim, strict_spf;                    /* adkim=s, aspf=s */
    unsigned percent;                                /* pct= */
    uint32_t interval_seconds;                       /* ri= */
    bool failure_0, failure_1, failure_d, failure_s; /* fo= */
    struct mox_dmarc_uri aggregate[MOX_DMARC_URIS_MAX],
        failure[MOX_DMARC_URIS_MAX]; /* rua=, ruf= */
    size_t aggregate_count, failure_count;
};

/** @return MOX_OK; MOX_ENOTFOUND: no DMARC record at all, to be passed over; MOX_ESYNTAX: one that is
 *          wrong, *err says how */
MOX_API MOX_MUST_USE int mox_dmarc_record_parse(struct mox_dmarc_record *out, struct mox_slice text,
                                                struct mox_error *err);

/** A record in the DNS. */
struct mox_dmarc_found {
    enum mox_dmarc_status
        status; /* NONE: there is none; PASS: `record` holds; TEMPERROR, PERMERROR */
    char domain[MOX_DOMAIN_MAX + 1]; /* where it was found, without _dmarc. */
    bool from_org_domain;            /* not at the domain itself */
    struct mox_dmarc_record record;
    char problem[256]; /* of errors and none; else "" */
    bool secure;
};

/** Policy discovery (RFC 7489 §6.6.3). @param domain  ASCII
 *  @return MOX_OK, MOX_NEED_DNS, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_dmarc_lookup(struct mox_dmarc_found *out, const char *domain,
                                          mox_org_domain_fn *org_domain, void *org_domain_user,
                                          struct mox_dns_answers *answers);

/** Whether `external` accepts reports about `domain` (RFC 7489 §7.1), where they are of different
 *  organizations. *accepts is set with MOX_OK; `status` as in struct mox_dmarc_found.
 *  @return MOX_OK, MOX_NEED_DNS, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_dmarc_reports_accepted(bool *accepts, enum mox_dmarc_status *status,
                                                    const char *domain, const char *external,
                                                    struct mox_dns_answers *answers);

/** One DKIM signature for DMARC's purposes. */
struct mox_dmarc_dkim {
    enum mox_dkim_status status;
    const char *domain; /* d= */
};

/** Borrowed for the call. */
struct mox_dmarc_query {
    size_t size; /* sizeof(struct mox_dmarc_query) */
    const char
        *from_domain; /* of the one address in From, ASCII; "": From is absent, many, or wrong, and
                                DMARC does not apply (§6.6.1) */
    enum mox_spf_result spf;
    const char *spf_domain; /* that SPF looked at; "" for none */
    const struct mox_dmarc_dkim *dkim;
    size_t dkim_count;
    unsigned draw;                 /* 0..99, by chance: the policy applies if it is below pct= */
    mox_org_domain_fn *org_domain; /* NULL: mox_org_domain() */
    void *org_domain_user;
};

MOX_API void mox_dmarc_query_init(struct mox_dmarc_query *query);

struct mox_dmarc_verdict {
    enum mox_dmarc_status status;
    struct mox_dmarc_found found;
    enum mox_dmarc_policy policy; /* that holds for this message: p= or sp= */
    /** What the domain's owner asks to do with the message: NONE when it passes, when an error may be
     *  temporary, or when the draw spared it. */
    enum mox_dmarc_policy disposition;
    bool sampled_out;               /* the draw spared it */
    bool spf_aligned, dkim_aligned; /* passing and aligned (§3.1) */
    char reason[256];               /* what a person wants to know; "" for pass */
};

/** RFC 7489 §6.6. @return MOX_OK, MOX_NEED_DNS, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_dmarc_check(const struct mox_dmarc_query *query,
                                         struct mox_dns_answers *answers,
                                         struct mox_dmarc_verdict *verdict);

MOX_END_DECLS

#endif
