/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_SPF_EVAL_H
#define MAILAUTH_SPF_EVAL_H

#include "mailauth/spf_macro.h"
#include "mailauth/spf_term.h"

/*
 * check_host() (RFC 7208 §4). A term whose answer is missing is taken as one that does not match, and
 * evaluation goes on: so all that the terms of a record need is asked at once, and no name that the
 * limits would not let evaluation ask. What comes out then is no result, but the wish for answers; once
 * none is missing in front of the term that decides, it is one. So there are as many rounds of questions
 * as answers that depend on each other, and the same code serves all of them.
 */
struct spf_eval {
    const struct mox_spf_query *query;
    struct mox_dns_answers *answers;
    struct ip ip;
    const char *localpart, *sender_domain; /* of the identity that is checked */
    struct mox_spf_verdict *verdict;
    bool missing; /* an answer is, and nothing from here on is final */
    int rc;       /* MOX_ENOMEM, and then nothing counts */
    unsigned lookups;
    unsigned voids;       /* terms of which a look-up found nothing */
    bool void_counted;    /* the term under way is one of them */
    bool asked, secure;   /* there are answers that it rests on, and DNSSEC proves all of them */
    struct mox_slice exp; /* what explains a fail; empty: nothing does */
    char exp_domain[MOX_DOMAIN_MAX + 1]; /* whose it is */
};

/* RFC 7208 §4.6.4. */
#define SPF_LOOKUPS_MAX 10
#define SPF_VOIDS_MAX   2
#define SPF_NAMES_MAX   10 /* of an MX or PTR answer */

/* What a term came to. */
enum spf_outcome { SPF_NO_MATCH, SPF_MATCH, SPF_TEMPERROR, SPF_PERMERROR, SPF_MISSING };

/* check_host(); `is_top`: of the domain that is checked, or that it redirects to. Not deeper than
 * SPF_LOOKUPS_MAX: each step in is a term that counts. */
enum mox_spf_result mox__spf_check_host(struct spf_eval *e, const char *domain, bool is_top);

/* Text of strangers: what is not printable ASCII becomes `?`. */
void mox__spf_clean(char *text);

/* An answer; SPF_MATCH: it has records; SPF_NO_MATCH: it has none. */
enum spf_outcome mox__spf_ask(struct spf_eval *e, struct mox_slice name, enum mox_dns_type type,
                              const struct mox_dns_answer **out);
/* The same for a term of a record, of which only two may find nothing. */
enum spf_outcome mox__spf_look_up(struct spf_eval *e, struct mox_slice name, enum mox_dns_type type,
                                  const struct mox_dns_answer **out);
/* Says what is wrong, the first time, and gives SPF_PERMERROR or SPF_TEMPERROR. */
enum spf_outcome mox__spf_problem(struct spf_eval *e, enum spf_outcome outcome, const char *format,
                                  ...) MOX_PRINTF(3, 4);

/* The name that a domain-spec means, `domain` when there is none. */
enum spf_outcome mox__spf_target(struct spf_eval *e, struct mox_slice spec, const char *domain,
                                 char out[MOX_DOMAIN_MAX + 1]);
/* What macros stand for in a record of `domain`; `validated` is p. */
struct spf_macros mox__spf_macros(const struct spf_eval *e, const char *domain,
                                  const char *validated);

/* Mechanisms that ask for addresses and names (spf_hosts.c). */
enum spf_outcome mox__spf_a(struct spf_eval *e, const struct spf_term *t, const char *target);
enum spf_outcome mox__spf_mx(struct spf_eval *e, const struct spf_term *t, const char *target);
enum spf_outcome mox__spf_ptr(struct spf_eval *e, const char *target);
enum spf_outcome mox__spf_exists(struct spf_eval *e, const char *target);
/* A name of the client that leads back to it: `target`, or one below, or any; "unknown" (§7.3 p). */
enum spf_outcome mox__spf_validated(struct spf_eval *e, const char *target,
                                    char out[MOX_DOMAIN_MAX + 1]);
/* Whether the client is in the network. */
bool mox__spf_in_network(const struct ip *ip, const struct ip *network, unsigned bits);

#endif
