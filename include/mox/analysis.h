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

/** What is known of a fact. */
enum mox_fact_state { MOX_FACT_UNKNOWN, MOX_FACT_FOUND, MOX_FACT_ABSENT, MOX_FACT_FAILED };

/** A set of what mox_analyze() asks for. Whoever answers sets that fact's state to anything but
 *  MOX_FACT_UNKNOWN; then at most MOX_ANALYSIS_ROUNDS_MAX calls end in a verdict. */
enum mox_analysis_wants {
    MOX_ANALYSIS_REPUTATION = 1 << 0,
    MOX_ANALYSIS_SUBJECTPASS = 1 << 1,
    MOX_ANALYSIS_JUNK = 1 << 2,
    MOX_ANALYSIS_DNSBL = 1 << 3
};

#define MOX_ANALYSIS_ROUNDS_MAX 5

/**
 * Texts are borrowed and never NULL.
 *
 * A message that a rule says is forwarded (`is_forward`) says of its last hop nothing about its sender. The
 * analysis leaves out DMARC's policy, SPF of MAIL FROM, and whether the recipient is in To or Cc. Who gathers
 * the facts leaves out of the reputation's query (and of what is stored) the client's address, the domains
 * of EHLO and MAIL FROM, and the signature of the rule's verified domain.
 */
struct mox_analysis_facts {
    size_t size; /* sizeof(struct mox_analysis_facts) */

    /* What is known at once. */
    const struct mox_checks_verdict
        *checks; /* NULL: nobody checked the sender, nothing is proved */
    bool tls;
    bool recipient_in_header; /* the address of RCPT is in To or Cc, or has an empty localpart */
    bool over_limit;          /* too much comes from the client's networks */
    const char *list_allow_domain; /* of the ruleset that matches, in either form; "": none */
    bool is_forward;               /* it says so */
    const char *accept_rejects_to; /* it takes what is rejected into this mailbox; "": no */
    const char
        *auth_required; /* From must be proved, else this is said, at most 256 bytes; "": no */
    /** A server for tests: that a client comes without TLS, or has no name that leads back to its address,
     *  is no reason. */
    bool lenient;

    /** FOUND: a report was read that this address is for; ABSENT: none was looked for; FAILED: the address
     *  is for reports, and this is none. */
    enum mox_fact_state report;

    /* The junk filter. */
    bool has_junk_filter;
    double threshold; /* configured */
    double jitter;    /* drawn, -0.05 … 0.05, so that nobody can try out the threshold */

    int64_t subjectpass_us; /* how long tokens are good; 0: they are not used */
    bool has_dnsbl;         /* there are lists to ask */

    /* What is found out when it is asked for. */
    enum mox_fact_state reputation_state; /* FOUND or FAILED */
    struct mox_reputation reputation;
    /** FOUND: the subject has a good token; ABSENT; FAILED: no key. */
    enum mox_fact_state subjectpass;
    /** FOUND; FAILED: it cannot be opened or classify; ABSENT: there is nothing to classify with. */
    enum mox_fact_state junk_state;
    bool junk_open_failed; /* with FAILED: it was the opening */
    struct mox_junk_verdict junk;
    enum mox_fact_state
        dnsbl;              /* FOUND: listed; ABSENT; FAILED: no list answered, as if not listed */
    const char *dnsbl_zone; /* with FOUND */
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
    bool found_nothing; /* it looked for past mail, and there is none */
    char text[200];     /* its numbers, in words: printable ASCII */
};

#define MOX_ANALYSIS_RULES_MAX 32

/** A junk filter that has learnt from fewer messages that people want takes all that is new for junk: it is believed
 *  only of clients without a name that leads back to their address. */
#define MOX_ANALYSIS_HAMS_MIN 50

/** The junk filter's threshold, unless a lower one is configured, for a client without TLS or, when nothing is known of the
 *  domains in From, without a name that leads back to its address, and for a message that names its recipient neither in
 *  To nor in Cc, but for a forward. */
#define MOX_ANALYSIS_STRICT_THRESHOLD 0.25

/** Texts that are not arrays live for ever. */
struct mox_analysis {
    unsigned wants; /* with MOX_NEED_FACTS: a set of enum mox_analysis_wants */
    bool accept;
    /** It would have been rejected, but the ruleset takes rejects: `accept` is set too. */
    bool accepted_reject;
    enum mox_analysis_reason reason;
    const char *word; /* the reason, as logs and X-Mox-Reason have it */
    /* The refusal, also that of a reject which is accepted. Printable ASCII. */
    int code; /* 451, 452, 550; 0: it is none */
    char enhanced[8];
    char reply[300];    /* what the client is told: neutral for spam */
    bool give_token;    /* the reply is to end with a space and a token, see mox/subjectpass.h */
    double threshold;   /* of the junk filter, as it was used; 0: it was not */
    const char *strict; /* why it was lowered: "iprev", "no TLS", "not addressed"; else "" */
    struct mox_analysis_rule rules[MOX_ANALYSIS_RULES_MAX]; /* the last one decided */
    size_t rule_count;
};

/** The rules, in this order; the first that knows decides:
 *
 *     high-rate            too much comes from the client's networks
 *     list-allow           a mailing list that is proved
 *     dmarc-policy         the domain in From asks for it to be refused
 *     msg-auth-required    the recipient wants From proved
 *     msgfromfull … ip3    reputation, when it is conclusive
 *     reporting            a report for this address
 *  and of those whose address, domain and organizational domain in From nothing is known:
 *     spf-policy           SPF says that MAIL FROM is forged
 *     iprev                no reverse name, and what is known of their network is bad
 *  and again of all:
 *     subjectpass          a good token in the subject
 *     junk-content         the junk filter says so; junk-content-strict with a lower threshold
 *     dns-blocklisted      a block list has the client's address
 *     give-subjectpass     instead of the last two: a token is offered
 *     no-bad-signals       accepted
 *
 *  @param analysis  set as a whole
 *  @return MOX_OK, or MOX_NEED_FACTS with analysis->wants */
MOX_API MOX_MUST_USE int mox_analyze(const struct mox_analysis_facts *facts,
                                     struct mox_analysis *analysis);

/** Whether it is refused for now because the account did not say what it was asked: something of ours is broken. */
MOX_API bool mox_analysis_is_failure(const struct mox_analysis *analysis);

/** The header field X-Mox-Reason, folded, with CRLF, printable ASCII, at most 900 bytes: the word, and the rules
 *  that were looked at, from the one that decided backwards, as many as fit.
 *  `out` is freed with mox_text_free(). @return MOX_OK, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_analysis_header(const struct mox_analysis *analysis,
                                             const struct mox_env *env, char **out);

MOX_END_DECLS

#endif
