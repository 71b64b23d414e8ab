/* SPDX-License-Identifier: MIT */
#ifndef MOX_JUDGE_H
#define MOX_JUDGE_H

#include <mox/analysis.h>
#include <mox/ruleset.h>
#include <mox/store.h>

MOX_BEGIN_DECLS

/**
 * One message for one recipient: finds in an account what mox_analyze() asks for, and says where the
 * message goes.
 *
 *     rc = mox_judge_new(&j, &env, &message, &recipient);
 *     if (mox_judge_run(j, &err) == MOX_NEED_DNS) {
 *         … ask the lists of blocked addresses …
 *         mox_judge_set_dnsbl(j, MOX_FACT_FOUND, zone);
 *         rc = mox_judge_run(j, &err);
 *     }
 *     const struct mox_judgement *v = mox_judge_judgement(j);
 *
 * Threads: owned by one thread at a time, any thread. mox_judge_new() and mox_judge_run() read the disk.
 */
struct mox_judge;

/** A message, for all of its recipients. Texts are never NULL; borrowed while the judge lives. */
struct mox_judge_message {
    size_t size;                             /* sizeof(struct mox_judge_message) */
    const struct mox_checks_verdict *checks; /* NULL: nobody checked the sender */
    const char *ip;                          /* the client's, text form; "" when not known */
    const char *ehlo_domain; /* in ASCII form, as EHLO gives it; "" for an address literal */
    const char *mail_from;   /* the address; "": the null path */
    const char *mail_from_localpart, *mail_from_domain; /* in Unicode form; "" */
    bool tls;
    struct mox_slice content; /* as received */
    int64_t now_us;           /* wall clock */
    double jitter;            /* of the junk filter's threshold: drawn from -0.05 … 0.05 */
    bool lenient;             /* as in struct mox_analysis_facts */
};

MOX_API void mox_judge_message_init(struct mox_judge_message *message);

/** Whose account it is, and what was configured. Texts are never NULL; borrowed while the judge lives. */
struct mox_judge_recipient {
    size_t size; /* sizeof(struct mox_judge_recipient) */
    struct mox_account *account;
    const char *localpart, *domain;         /* as RCPT gave them; the domain in ASCII form */
    const char *address;                    /* in its normal form: whose subjectpass key it is */
    const char *mailbox;                    /* where mail for the address goes */
    const struct mox_rulesets *rulesets;    /* or NULL */
    const struct mox_ruleset *ruleset_list; /* what they were made from */
    const char *introbox;                   /* "": none */
    bool has_junk_filter;
    double threshold;
    int64_t subjectpass_us;
    const char *auth_required;
    bool has_dnsbl;
    bool over_limit;
    enum mox_fact_state report; /* as in struct mox_analysis_facts */
};

MOX_API void mox_judge_recipient_init(struct mox_judge_recipient *recipient);

/** What becomes of the message. Borrowed from the judge. */
struct mox_judgement {
    const struct mox_analysis *analysis;
    const struct mox_analysis_facts *facts; /* that it rests on */
    const char *reply; /* of a refusal: the analysis's, with a token if it is to have one */
    /** Accepted: the mailbox it goes to. Rejected: the one that it would have gone to. */
    const char *mailbox;
    const char *destined;  /* where else it would have gone, for struct mox_delivery_facts; NULL */
    const char *forwarder; /* of a forward: the domain that vouches for nobody but itself; NULL */
    bool is_reject;        /* accepted, to the mailbox for what a ruleset's mail is rejected */
    bool is_intro;         /* it goes to the mailbox for first messages */
    bool is_forward, is_mailing_list, dsn;
    /** It is accepted, nothing speaks against it, and nobody knows the sender: let it wait. Not for a
     *  mailing list with a domain that is proved. */
    bool first_time;
    const struct mox_ruleset *ruleset; /* that matches; or NULL */
};

/** @return MOX_OK, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_judge_new(struct mox_judge **out, const struct mox_env *env,
                                       const struct mox_judge_message *message,
                                       const struct mox_judge_recipient *recipient);
/** NULL is fine. */
MOX_API void mox_judge_free(struct mox_judge *j);

/** Goes on as far as it can. What the account fails to tell becomes a temporary refusal, and *err says why.
 *
 * @return MOX_OK: it is decided; MOX_NEED_DNS: nothing but block lists can decide; MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_judge_run(struct mox_judge *j, struct mox_error *err);

/** What the lists said. @param state  FOUND, ABSENT, or FAILED: no list answered
 *  @param zone  with FOUND: of the first that has the client; copied */
MOX_API void mox_judge_set_dnsbl(struct mox_judge *j, enum mox_fact_state state, const char *zone);

/** After MOX_OK of mox_judge_run(). */
MOX_API const struct mox_judgement *mox_judge_judgement(const struct mox_judge *j);

MOX_END_DECLS

#endif
