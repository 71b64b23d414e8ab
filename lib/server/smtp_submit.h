/* SPDX-License-Identifier: MIT */
#ifndef SERVER_SMTP_SUBMIT_H
#define SERVER_SMTP_SUBMIT_H

#include <mox/submission.h>

#include "base/arena.h"
#include "server/smtp_session.h"

/* What a submission needs besides being delivered. */

/* Whether the user may send as this address. A failure has its reply. Any thread. */
MOX_MUST_USE int mox__submission_sender(struct smtp_session *ss, struct mox_slice localpart,
                                        const char *domain, struct mox_smtp_reply *reply);

/* Looks at the message, once it is whole; envelope->smtputf8 becomes what is needed. A failure has its
 * outcome, and its reply unless that is MOX_SUBMISSION_QUEUE. Any thread. */
MOX_MUST_USE int mox__submission_examine(struct smtp_session *ss,
                                         struct mox_smtp_envelope *envelope,
                                         struct mox_smtp_reply *reply,
                                         enum mox_submission_outcome *outcome);

/* A message being counted against the limits of its account. Start with zeros. */
struct submission_count {
    struct mox_account *account; /* the sender's, open */
    struct mox_outgoing op;
    struct arena arena;
    struct mox_error error; /* why it was not counted, unless op was submitted */
};

/* Opens the sender's account and submits the count; with MOX_OK `done` is called once, on any thread.
 * Any thread; quick when the account is open. */
MOX_MUST_USE int mox__submission_count(struct submission_count *c, struct smtp_session *ss,
                                       const struct mox_smtp_envelope *envelope,
                                       void (*done)(struct mox_write *w), void *user);
/* What became of it, after `done`. A failure as above. */
MOX_MUST_USE int mox__submission_counted(const struct submission_count *c,
                                         const struct smtp_session *ss,
                                         struct mox_smtp_reply *reply,
                                         enum mox_submission_outcome *outcome);
/* On the loop's thread. May be called for one that was not begun. */
void mox__submission_count_free(struct submission_count *c, struct smtp_session *ss);

/* The one place where submissions end: counts, and logs what was refused and why. */
void mox__submission_ended(struct smtp_session *ss, enum mox_submission_outcome outcome,
                           const struct mox_smtp_reply *reply);

#endif
