/* SPDX-License-Identifier: MIT */
#ifndef MOX_ANALYSIS_H
#define MOX_ANALYSIS_H

#include <mox/checks.h>
#include <mox/junk.h>
#include <mox/reputation.h>

MOX_BEGIN_DECLS

/**
 * @file
 * Whether one recipient takes a message: a pure function of facts. What it needs and was not given it
 * asks for, so that reputation is only looked up, content only classified, and block lists only asked,
 * when nothing before them has decided:
 *
 *     while ((rc = mox_analyze(&facts, &analysis)) == MOX_NEED_FACTS)
 *         … find out what analysis.wants says, and put it into `facts` …
 *
 * Threads: any.
 */

/** What is not known yet. */
enum mox_fact_state { MOX_FACT_UNKNOWN, MOX_FACT_FOUND, MOX_FACT_ABSENT, MOX_FACT_FAILED };

/** A set of what mox_analyze() asks for. */
enum mox_analysis_wants {
    MOX_ANALYSIS_REPUTATION = 1 << 0,
    MOX_ANALYSIS_SUBJECTPASS = 1 << 1,
    MOX_ANALYSIS_JUNK = 1 << 2,
    MOX_ANALYSIS_DNSBL = 1 << 3
};

/** Texts are borrowed and never NULL. */
struct mox_analysis_facts {
    size_t size; /* sizeof(struct mox_analysis_facts) */

    /* What is known at once. */
    const struct mox_checks_verdict *checks; /* NULL: nobody checked the sender, all is "none" */
    bool tls;
    bool recipient_in_header; /* the address of RCPT is in To or Cc, or has an empty localpart */
    bool over_limit;          /* too much comes from the client's networks */
    const char *list_allow_domain; /* of the ruleset that matches; "": none */
    bool is_forward;               /* it says so */
    const char *accept_rejects_to; /* it takes what is rejected into this mailbox; "": no */
    const char *auth_required;     /* From must be proved, else this is said; "": no */
    bool
        lenient; /* a server for tests: what would be `451` for a strange client alone, such as one without
                     TLS or reverse name, is no reason */

    enum mox_fact_state
        report; /* FOUND: a report was read that this address is for; ABSENT: it is not one */

    /* The junk filter. */
    bool has_junk_filter;
    double threshold; /* configured */
    double jitter;    /* drawn, -0.05 … 0.05 */

    int64_t subjectpass_us; /* how long tokens are good; 0: they are not used */
    bool has_dnsbl;         /* there are lists to ask */

    /* What is found out when it is asked for. */
    enum mox_fact_state reputation_state; /* FOUND or FAILED */
    struct mox_reputation reputation;
    enum mox_fact_state
        subjectpass; /* FOUND: the subject has a good token; ABSENT; FAILED: no key */
    enum mox_fact_state junk_state; /* FOUND; FAILED: it cannot be opened or classify */
    bool junk_open_failed;          /* with FAILED: it was the opening */
    struct mox_junk_verdict junk;
    enum mox_fact_state dnsbl; /* FOUND: listed; ABSENT */
    const char *dnsbl_zone;    /* with FOUND */
};

MOX_API void mox_analysis_facts_init(struct mox_analysis_facts *facts);

enum mox_analysis_reason {
    MOX_REASON_HIGH_RATE,
    MOX_REASON_LIST_ALLOW,
    MOX_REASON_DMARC_POLICY,
    MOX_REASON_MSG_AUTH_REQUIRED,
    MOX_REASON_REPUTATION_ERROR,
    MOX_REASON_REPUTATION, /* its word is the reputation's method */
    MOX_REASON_REPORTING,
    MOX_REASON_SPF_POLICY,
    MOX_REASON_IPREV,
    MOX_REASON_SUBJECTPASS,
    MOX_REASON_SUBJECTPASS_ERROR,
    MOX_REASON_JUNK_CONTENT,
    MOX_REASON_JUNK_CONTENT_STRICT,
    MOX_REASON_JUNK_FILTER_ERROR,
    MOX_REASON_JUNK_CLASSIFY_ERROR,
    MOX_REASON_DNS_BLOCKLISTED,
    MOX_REASON_NO_BAD_SIGNALS,
    MOX_REASON_GIVE_SUBJECTPASS
};

/** A rule that was looked at. */
struct mox_analysis_rule {
    const char *name; /* "dmarc-policy", "msgfromdomain", "junk-content": a word of the reasons */
    bool decided;
    char text[200]; /* its numbers, in words: printable ASCII */
};

#define MOX_ANALYSIS_RULES_MAX 32

struct mox_analysis {
    unsigned wants; /* with MOX_NEED_FACTS: a set of enum mox_analysis_wants */
    bool accept;
    /** It would have been rejected, but the ruleset takes rejects. */
    bool accepted_reject;
    enum mox_analysis_reason reason;
    const char *word; /* the reason, as logs and X-Mox-Reason have it */
    int code;         /* of the refusal: 451, 452 or 550 … */
    char enhanced[8];
    char reply[300];    /* what the client is told: neutral for spam */
    bool give_token;    /* the reply is to end with a subjectpass token */
    double threshold;   /* of the junk filter, as it was used; 0: it was not */
    const char *strict; /* why it was lowered: "iprev", "no TLS", "not addressed"; else "" */
    struct mox_analysis_rule rules[MOX_ANALYSIS_RULES_MAX];
    size_t rule_count;
};

/** @return MOX_OK, or MOX_NEED_FACTS with analysis->wants */
MOX_API MOX_MUST_USE int mox_analyze(const struct mox_analysis_facts *facts,
                                     struct mox_analysis *analysis);

/** The header field X-Mox-Reason, folded, with CRLF: the word, and the rules that were looked at, for people.
 *  `out` is freed with mox_text_free(). @return MOX_OK, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_analysis_header(const struct mox_analysis *analysis,
                                             const struct mox_env *env, char **out);

MOX_END_DECLS

#endif
