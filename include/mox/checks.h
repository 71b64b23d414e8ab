/* SPDX-License-Identifier: MIT */
#ifndef MOX_CHECKS_H
#define MOX_CHECKS_H

#include <mox/arc.h>
#include <mox/dkim.h>
#include <mox/dmarc.h>
#include <mox/iprev.h>
#include <mox/spf.h>
#include <mox/validation.h>

MOX_BEGIN_DECLS

/**
 * Who sent a message: all checks of it over one set of answers, and what they say together.
 *
 *     mox_checks_new(&c, &env, &query, content);
 *     while ((rc = mox_checks_run(c, answers)) == MOX_NEED_DNS)
 *         … answer what `answers` wants: what the checks need next, all at once …
 *     const struct mox_checks_verdict *v = mox_checks_verdict(c);
 *
 * Threads: owned by one thread at a time, any thread.
 */
struct mox_checks;

/** Where the message came from. Copied. */
struct mox_checks_query {
    size_t size;                     /* sizeof(struct mox_checks_query) */
    const char *ip;                  /* the client's, text form */
    const char *helo;                /* "" when unknown */
    bool helo_is_literal;            /* with brackets */
    const char *mail_from_localpart; /* decoded */
    const char *mail_from_domain;    /* ASCII form; "": the null path */
    const char *
        authserv_id; /* our name, for the headers (RFC 8601 §2.5); Unicode form where there is one */
    int64_t now_us;                /* wall clock */
    unsigned draw;                 /* 0..99, by chance: for DMARC's pct */
    bool pedantic;                 /* as in struct mox_dkim_config */
    bool localhost_signs;          /* as in struct mox_dkim_config */
    mox_org_domain_fn *org_domain; /* NULL: mox_org_domain() */
    void *org_domain_user;
};

MOX_API void mox_checks_query_init(struct mox_checks_query *query);

/** All that is borrowed lives as long as the checks. */
struct mox_checks_verdict {
    const struct mox_iprev_verdict *iprev;
    const struct mox_spf_verdict *spf;
    /** As mox/dkim.h says, but a pass with MOX_DKIM_BODY_LIMITED, _SUBJECT_UNSIGNED or _WEAK_HASH is
     *  MOX_DKIM_POLICY. */
    const struct mox_dkim_result *dkim;
    size_t dkim_count;
    const char *dkim_problem; /* NULL: none */
    const struct mox_arc_verdict *arc;
    const struct mox_dmarc_verdict *dmarc;

    /** The address in From, "" when there is none, several, or one whose domain cannot be read. The
     *  localpart alone is "" when it is empty, has a NUL or is too long to be anybody's. */
    const char *from_localpart, *from_domain, *from_org_domain;
    enum mox_validation from;        /* STRICT, DMARC, RELAXED or NONE */
    enum mox_validation mail_from;   /* of MAIL FROM, when SPF looked at it; else UNKNOWN */
    enum mox_validation helo;        /* of EHLO, when SPF looked at that */
    const char *const *dkim_domains; /* of passing signatures, each once */
    size_t dkim_domain_count;
};

/** @param content  borrowed while the checks live; lines end in CRLF
 *  @return MOX_OK, MOX_ENOMEM, MOX_EINVAL: `ip` is no address */
MOX_API MOX_MUST_USE int mox_checks_new(struct mox_checks **out, const struct mox_env *env,
                                        const struct mox_checks_query *query,
                                        struct mox_slice content);
/** NULL is fine. */
MOX_API void mox_checks_free(struct mox_checks *c);

/** Goes as far as the answers reach, with all checks at once.
 *  @return MOX_OK, MOX_NEED_DNS, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_checks_run(struct mox_checks *c, struct mox_dns_answers *answers);

/** After MOX_OK. */
MOX_API const struct mox_checks_verdict *mox_checks_verdict(const struct mox_checks *c);

/** After MOX_OK: Authentication-Results (RFC 8601) and Received-SPF (RFC 7208 §9.1), each with CRLF,
 *  NUL-terminated, freed with mox_text_free(). @return MOX_OK, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_checks_headers(const struct mox_checks *c,
                                            char **authentication_results, char **received_spf);

MOX_END_DECLS

#endif
