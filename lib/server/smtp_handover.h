/* SPDX-License-Identifier: MIT */
#ifndef SERVER_SMTP_HANDOVER_H
#define SERVER_SMTP_HANDOVER_H

#include <mox/delivery.h>
#include <mox/judge.h>

#include "base/buf.h"
#include "server/smtp_checks.h"
#include "server/smtp_dnsbl.h"
#include "server/smtp_submit.h"

/*
 * A message on its way to the store:
 *
 *   delivery    check the sender ─▶ DNS ─▶ judge ─▶ block lists ─▶ DNS ─▶ judge ─▶ wait, when it is a stranger's
 *                                            └─────────────┐                │       │
 *   submission  count it ─▶ sender's store ─▶ hand over    │                │       │
 *                  └ refused ─▶ finish            └────────┴────▶ stores ◀──┴───────┘
 *                                                                   │
 *                                             finish ◀─ tell the sender of those who did not get it
 *
 * Judging is a worker's, who hands over what waits for nothing more.
 *
 * smtp_deliver.c has the steps that both share and those of submissions, smtp_incoming.c those of deliveries;
 * smtp_reports.c reads what reporters send, smtp_targets.c says whose accounts a message is for, smtp_judge.c
 * what they make of it, smtp_outcome.c what the client and the log are told of it, and smtp_bounce.c what the
 * sender is told later. */

/* The report that a message to an address for reports is, or why it is none. Texts may be cut. */
struct report {
    const char *received; /* what the log says of one; NULL: it is none, or was not looked at */
    char domain[256], org[128], id[128];
    const char *counted; /* what is counted: its records, or policies of ours */
    size_t count;
    char dmarc_problem[256], tls_problem[256];
};

/* One account that a recipient's mail goes to: an alias has several. */
struct target {
    size_t recipient; /* of the envelope's */
    const struct mox_config_account *config;
    const struct mox_config_destination *destination; /* NULL: an address that nobody configured */
    const struct mox_rulesets *rulesets;
    const char *mailbox;
    bool dmarc_reports, tls_reports; /* the address is for these */
    struct mox_account *account;     /* an open reference */
    int rc;                          /* why it could not be opened */
    struct mox_error error;
    /* Of a delivery: */
    struct mox_smtp_reply over_limit; /* when query.over_limit */
    struct mox_judge_recipient query;
    struct mox_judge *judge;
    const struct mox_judgement *judgement; /* once it is decided */
    struct report report;
    bool is_added; /* to the delivery, as: */
    size_t copy;
};

/* What a recipient is told. */
struct verdict {
    size_t first, count; /* of the targets */
    bool accepted;       /* by one of them at least, which gave: */
    bool rejects_only;   /* but only by members whose rules take rejects: no others get it */
    bool failed;         /* and then it could not be stored: no longer accepted, for that reason */
    const struct target *decisive;
    struct mox_smtp_reply reply; /* unless accepted */
    const char *reason;          /* the word for it */
};

struct handover {
    struct smtp_session *session;
    struct mox_smtp_envelope envelope; /* as the engine gave it, but for smtputf8 */
    struct mox_delivery *delivery;
    struct target *targets;
    size_t target_count;
    struct verdict *verdicts; /* one for each recipient */
    struct smtp_names names;  /* of a delivery: who its sender is, and who lists it */
    struct smtp_checks checks;
    struct smtp_dnsbl lists;
    struct mox_dns_answers *list_answers;
    struct mox_judge_message message;
    struct submission_count count;
    enum mox_submission_outcome outcome; /* of a submission that is refused */
    struct mox_smtp_reply reply;         /* when `refused` */
    const char *reason;                  /* the word for why it is refused */
    bool refused, cut_short, wants_lists;
    struct smtp_bounce *bounce; /* what the sender is told; NULL: nothing */
    struct work work;
    struct loop_task settled;
    int (*run)(struct handover *h); /* the step under way */
    void (*next)(struct handover *h);
    int rc; /* of what comes before the stores answer */
    struct mox_error error;
    int64_t begun_us;
};

bool mox__handover_is_submission(const struct handover *h);

/* ---- smtp_deliver.c ---- */

/* Has a worker run a step, and goes on with `next` on the loop's thread when all of it is there. `run` returns
 * MOX_LATER when a store has the last word, which calls mox__handover_pass_on() once: from then on, before `run`
 * has returned even, the handover is the loop's. Else it ends with what `run` returns, in h->rc.
 *
 * A failure is the caller's to tell; with MOX_OK the handover is the worker's, and the caller leaves it alone. */
MOX_MUST_USE int mox__handover_step(struct handover *h, int (*run)(struct handover *h),
                                    void (*next)(struct handover *h));
/* The same at once, of what waits for no disk and leaves the last word to a store. */
MOX_MUST_USE int mox__handover_step_here(struct handover *h, int (*run)(struct handover *h),
                                         void (*next)(struct handover *h));
/* On any thread. */
void mox__handover_pass_on(struct handover *h);
/* Goes on with storing what was accepted, and rejects; what cannot begin is told and freed. */
void mox__handover_store(struct handover *h);
/* The step that does it, for the last one before it to go on with on its own thread: in place of its `next`
 * comes the end. */
MOX_MUST_USE int mox__handover_ask_stores(struct handover *h);
/* The end, before stores were asked: rc says why. */
void mox__handover_fail(struct handover *h, int rc);
MOX_MUST_USE int mox__handover_refuse(struct handover *h, const char *reason, int code,
                                      const char *enhanced, const char *text);

/* ---- smtp_incoming.c ---- */
MOX_MUST_USE int mox__incoming_start(struct handover *h);

/* ---- smtp_targets.c ---- */
/* Fills targets and verdicts. A recipient that has none is refused, or nobody is left to be told: then it is
 * accepted. @param from  the address that the message is from, "" for none */
MOX_MUST_USE int mox__targets_find(struct handover *h, const char *from_localpart,
                                   const char *from_domain);
/* Opens the accounts. What fails is kept in its target. Waits for the disk, unless all are open. */
void mox__targets_open(struct handover *h);
bool mox__targets_are_open(const struct handover *h);
void mox__targets_free(struct handover *h);
/* In ASCII form, also when RCPT had none. */
const char *mox__recipient_domain(const struct handover *h, size_t recipient);

/* ---- smtp_judge.c ---- */
/* Goes as far as it can: *wants_lists when block lists have to be asked. Reads the disk. */
MOX_MUST_USE int mox__judge_targets(struct handover *h, bool *wants_lists);
/* Once all have judged: what each recipient is told. A failure when an account cannot be opened that one of them
 * needs: then the message is to come again, for all. */
MOX_MUST_USE int mox__judge_conclude(struct handover *h);
/* Whether a target is one of those who get what its recipient accepts. */
bool mox__judge_gets_it(const struct verdict *v, const struct target *t);
/* Whether somebody takes it whom the sender never wrote to before. */
bool mox__judge_is_first_time(const struct handover *h);
/* Adds the copy of a target to the delivery: into its mailbox, or among its rejects. */
MOX_MUST_USE int mox__judge_add_copy(struct handover *h, struct target *t);

/* ---- smtp_reports.c ---- */
/* Looks whether a message to an address for reports is one. MOX_OK, MOX_ENOMEM. */
MOX_MUST_USE int mox__report_read(struct handover *h, struct target *t);
/* Header fields that say why it is none, for each kind that was to be expected. */
void mox__report_header(const struct target *t, struct buf *out);
/* Logs it, if it is one. */
void mox__report_tell(const struct handover *h, const struct target *t);

/* ---- smtp_outcome.c ---- */
/* After the stores have answered: the reply to all of it. MOX_OK when somebody has got it: then the engine has the
 * words, and the reply says only whether the client is to be slow, for who refused it. */
MOX_MUST_USE int mox__outcome_reply(struct handover *h, struct mox_smtp_reply *reply);
/* Logs and counts, for each recipient. */
void mox__outcome_tell(const struct handover *h, int rc);

/* ---- smtp_bounce.c ---- */
/* Whether the sender is to be told that some did not get it, and can be. */
bool mox__bounce_is_due(const struct handover *h);
/* Composes it and submits it to the sender's account. */
MOX_MUST_USE int mox__bounce_start(struct handover *h);
/* On the loop's thread. */
void mox__bounce_ended(struct handover *h);

#endif
