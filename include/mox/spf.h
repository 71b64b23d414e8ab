/* SPDX-License-Identifier: MIT */
#ifndef MOX_SPF_H
#define MOX_SPF_H

#include <mox/dns.h>
#include <mox/dns_answers.h>

MOX_BEGIN_DECLS

/** Results of RFC 7208 §2.6. */
enum mox_spf_result {
    MOX_SPF_NONE,
    MOX_SPF_NEUTRAL,
    MOX_SPF_PASS,
    MOX_SPF_FAIL,
    MOX_SPF_SOFTFAIL,
    MOX_SPF_TEMPERROR,
    MOX_SPF_PERMERROR
};

/** "none", "neutral", "pass" … */
MOX_API const char *mox_spf_result_name(enum mox_spf_result result);

/** Which name was checked (RFC 7208 §2.3, §2.4). */
enum mox_spf_identity {
    MOX_SPF_IDENTITY_NONE, /* there is none: an address literal and the null path */
    MOX_SPF_IDENTITY_MAILFROM,
    MOX_SPF_IDENTITY_HELO
};

/** Texts are borrowed for the call. */
struct mox_spf_query {
    size_t size;                     /* sizeof(struct mox_spf_query) */
    const char *ip;                  /* the client's, text form: "192.0.2.1" */
    const char *helo;                /* what EHLO said; "" when unknown */
    bool helo_is_literal;            /* with brackets */
    const char *mail_from_localpart; /* decoded */
    const char *mail_from_domain;    /* ASCII form; "": the null path, then HELO is checked */
    const char *receiver;            /* our name, for the macro r; NULL: "unknown" (§7.3) */
    int64_t now_us;                  /* wall clock, for the macro t */
    bool explain; /* on fail look up the domain's explanation too (§6.2); default true */
};

MOX_API void mox_spf_query_init(struct mox_spf_query *query);

#define MOX_SPF_MECHANISM_MAX   255
#define MOX_SPF_EXPLANATION_MAX 800
#define MOX_SPF_PROBLEM_MAX     255

struct mox_spf_verdict {
    enum mox_spf_result result;
    enum mox_spf_identity identity;
    char domain[MOX_DOMAIN_MAX + 1];   /* that was checked; "" without identity */
    char sender[MOX_DOMAIN_MAX + 130]; /* the address that was: MAIL FROM, or postmaster@<helo> */
    /** The directive that decided, as its record has it, "default" when none did; "" for none and
     *  errors. Printable ASCII. */
    char mechanism[MOX_SPF_MECHANISM_MAX + 1];
    /** Of fail, from the domain's owner, if there is one: printable ASCII, a claim of a stranger. */
    char explanation[MOX_SPF_EXPLANATION_MAX + 1];
    char problem[MOX_SPF_PROBLEM_MAX + 1]; /* of errors and none: what was wrong; else "" */
    unsigned lookups, void_lookups;        /* that count (§4.6.4) */
    bool secure;                           /* DNSSEC proves every answer it rests on */
};

/**
 * check_host() of RFC 7208 §4, and the choice of the identity before it.
 *
 * @param verdict  filled with MOX_OK
 * @return MOX_OK; MOX_NEED_DNS: answer what `answers` wants and call again; MOX_ENOMEM; MOX_EINVAL: ip is
 *         no address. The set's MOX_ELIMIT is a permerror.
 */
MOX_API MOX_MUST_USE int mox_spf_check(const struct mox_spf_query *query,
                                       struct mox_dns_answers *answers,
                                       struct mox_spf_verdict *verdict);

/** One term of a record (RFC 7208 §4.6.1). Slices are parts of the record. */
struct mox_spf_term {
    struct mox_slice text;         /* as written */
    const char *name;              /* "all", "include", "a" … "redirect", "exp", or "modifier" */
    bool is_modifier;              /* else a mechanism, and then: */
    enum mox_spf_result qualifier; /* what a match means: PASS, FAIL, SOFTFAIL, NEUTRAL */
    struct mox_slice domain;       /* the domain-spec, with its macros; empty: none */
    char network[46];              /* of ip4 and ip6: the address; else "" */
    unsigned prefix4, prefix6;     /* of a, mx, ip4, ip6: how many bits count in each family */
};

/** Whether a TXT record is an SPF record of version 1 (§4.5). */
MOX_API bool mox_spf_is_record(struct mox_slice text);

/**
 * The next term of an SPF record.
 *
 * @param at  0 for the first; moved on
 * @return MOX_OK; MOX_ENOTFOUND: that was all; MOX_ESYNTAX: *err names the term and what is wrong
 */
MOX_API MOX_MUST_USE int mox_spf_term_next(struct mox_slice record, size_t *at,
                                           struct mox_spf_term *out, struct mox_error *err);

/**
 * Received-SPF (RFC 7208 §9.1) with its CRLF, to be put in front of the message: printable ASCII, folded.
 *
 * @param query  that the verdict answers
 * @param out    set to a NUL-terminated text of the env's allocator, freed with mox_text_free()
 * @return MOX_OK, MOX_ENOMEM
 */
MOX_API MOX_MUST_USE int mox_spf_received(char **out, const struct mox_env *env,
                                          const struct mox_spf_query *query,
                                          const struct mox_spf_verdict *verdict);

MOX_END_DECLS

#endif
