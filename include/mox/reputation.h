/* SPDX-License-Identifier: MIT */
#ifndef MOX_REPUTATION_H
#define MOX_REPUTATION_H

#include <mox/checks.h>
#include <mox/history.h>

MOX_BEGIN_DECLS

/**
 * @file
 * What the past says of a sender: only messages count that the user has marked as junk or not junk,
 * the newest first, and of each question only a few. The first step that finds anything decides.
 */

/** The steps, in their order. */
enum mox_reputation_method {
    MOX_REPUTATION_MSGFROMFULL,      /* mail from the address in From */
    MOX_REPUTATION_MSGTOFULL,        /* the user wrote to it */
    MOX_REPUTATION_MSGFROMDOMAIN,    /* mail from its domain */
    MOX_REPUTATION_MSGTODOMAIN,      /* the user wrote to somebody there */
    MOX_REPUTATION_MSGFROMORGDOMAIN, /* the same two of the organizational domain */
    MOX_REPUTATION_MSGTOORGDOMAIN,
    MOX_REPUTATION_DKIMSPF, /* mail of the domains that signed, or that SPF proves */
    MOX_REPUTATION_IP1,     /* mail from the client's address, and from the networks around it */
    MOX_REPUTATION_IP2,
    MOX_REPUTATION_IP3,
    MOX_REPUTATION_NONE /* nothing is known */
};
#define MOX_REPUTATION_METHODS (MOX_REPUTATION_NONE + 1)

/** "msgfromfull", "msgtofull", … "ip3", "none". */
MOX_API const char *mox_reputation_method_name(enum mox_reputation_method method);

enum mox_leaning { MOX_LEANING_UNKNOWN, MOX_LEANING_NOTJUNK, MOX_LEANING_JUNK };

/** "unknown", "notjunk", "junk". */
MOX_API const char *mox_leaning_name(enum mox_leaning leaning);

/** Who sent a message. Texts are borrowed, never NULL; domains in Unicode form, but for that of EHLO,
 *  which is in ASCII form; "" for what is absent, and then not looked up. */
struct mox_reputation_query {
    size_t size; /* sizeof(struct mox_reputation_query) */
    int64_t now_us;
    uint64_t mailbox; /* whose history counts; 0: there is no such mailbox yet */
    const char *from_localpart, *from_domain, *from_org_domain;
    bool from_validated;
    const char *mail_from_localpart, *mail_from_domain;
    bool mail_from_validated; /* SPF passed for it */
    const char *ehlo_domain;
    bool ehlo_validated;
    const char *const *dkim_domains; /* with a verified signature, each once */
    size_t dkim_domain_count;
    const char *ip; /* the client's, not masked */
};

MOX_API void mox_reputation_query_init(struct mox_reputation_query *query);

/** A step that was looked at. */
struct mox_reputation_step {
    enum mox_reputation_method method;
    unsigned junk, notjunk; /* messages found, up to the limit of the step */
    bool decided;           /* it found something, and no further step was looked at */
    char text[160];         /* in words, printable ASCII: "3 messages of example.org, 1 junk" */
};

struct mox_reputation {
    enum mox_reputation_method method;
    enum mox_leaning leaning;
    bool conclusive;
    struct mox_reputation_step steps[MOX_REPUTATION_METHODS];
    size_t step_count;
};

/** Looks a sender up.
 *
 * @return MOX_OK, or the history's failure */
MOX_API MOX_MUST_USE int mox_reputation_find(struct mox_reputation *out,
                                             const struct mox_reputation_query *query,
                                             const struct mox_history *history,
                                             struct mox_error *err);

MOX_END_DECLS

#endif
