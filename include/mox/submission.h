/* SPDX-License-Identifier: MIT */
#ifndef MOX_SUBMISSION_H
#define MOX_SUBMISSION_H

#include <mox/smtp_server.h>
#include <mox/spool.h>

MOX_BEGIN_DECLS

/**
 * A message that a user submits (RFC 6409): what must be right about it before it may go out, what
 * is taken out of it (Bcc), and what it lacks (Message-Id, Date).
 *
 *     mox_submission_new(&s, &env, spool);                   // when content begins
 *     mox_submission_write(s, piece);                        // each piece: the spool never has a Bcc
 *     if (mox_submission_check(s, envelope, &rules, &reply) == MOX_OK) {
 *         const struct mox_submission_result *r = mox_submission_result(s);
 *         … r->lines go in front of the content, below Received …
 *     }
 *     mox_submission_free(s);
 *
 * Threads: owned by one thread at a time, any thread.
 */
struct mox_submission;

/** @param spool  takes the content; borrowed while the submission lives */
MOX_API MOX_MUST_USE int mox_submission_new(struct mox_submission **out, const struct mox_env *env,
                                            struct mox_spool *spool);
/** NULL is fine. */
MOX_API void mox_submission_free(struct mox_submission *s);

/** Writes to the spool what is to be kept: all but the fields Bcc and Resent-Bcc of the message's
 *  header. Results are those of mox_spool_write(). */
MOX_API MOX_MUST_USE int mox_submission_write(struct mox_submission *s, struct mox_slice piece);
/** Whether writing a piece of `len` bytes may make its caller wait for a disk. */
MOX_API bool mox_submission_write_waits(const struct mox_submission *s, size_t len);

/** How a submission ended: one word each for people and for counting. */
enum mox_submission_outcome {
    MOX_SUBMISSION_OK,
    MOX_SUBMISSION_BAD_MESSAGE,        /* From is not exactly one address */
    MOX_SUBMISSION_BAD_FROM,           /* From is not the user's */
    MOX_SUBMISSION_BAD_HEADER,         /* a field that may not be there, or not twice */
    MOX_SUBMISSION_MISSING_SMTPUTF8,   /* needed and not declared */
    MOX_SUBMISSION_MESSAGE_LIMIT,      /* the account has sent too much */
    MOX_SUBMISSION_RECIPIENT_LIMIT,    /* to too many new recipients */
    MOX_SUBMISSION_LOCALSERVE,         /* an address that asks for a failure */
    MOX_SUBMISSION_QUEUE               /* it could not be kept */
};

/** "ok", "badmessage", "badfrom", "badheader", "missingsmtputf8", "messagelimiterror",
 *  "recipientlimiterror", "localserveerror", "queueerror". */
MOX_API const char *mox_submission_word(enum mox_submission_outcome outcome);

/** What is asked of a message, besides what always holds. */
struct mox_submission_rules {
    size_t size;   /* sizeof(struct mox_submission_rules) */
    bool pedantic; /* refuse Return-Path, and undeclared SMTPUTF8 */
    /** Whether the user may send as this address, which stands in From. Local part without quotes,
     *  domain in ASCII. *reply starts as 550 5.7.1, and is sent with a failure. NULL: as anybody. */
    int (*sender)(void *user, struct mox_slice localpart, const char *domain,
                  struct mox_smtp_reply *reply);
    void *user;
};

/** A field X-Mox-Extra-<key>, for whoever is told what became of the message. */
struct mox_submission_extra {
    struct mox_slice key, value; /* as written, without white space around; of the spool's bytes */
};

/** How many of them a message may have. */
#define MOX_SUBMISSION_EXTRAS_MAX 100

struct mox_submission_result {
    enum mox_submission_outcome outcome;
    struct mox_slice lines; /* the header fields it lacked, with CRLF; may be empty */
    bool smtputf8;          /* SMTPUTF8 is needed to pass it on (RFC 6531), whatever was declared */
    bool tls_optional;      /* it is to arrive even where TLS cannot be had (RFC 8689 §5) */
    const struct mox_submission_extra *extras;
    size_t extra_count;
    const char *from_localpart; /* of the one address in From, once it has been accepted; else NULL */
    const char *from_domain;    /* in ASCII form */
};

/**
 * Looks at the whole message once all is written.
 *
 * @param envelope  as it was given to `deliver`
 * @param rules     borrowed for the call
 * @param reply     filled when the message is refused
 * @return MOX_OK; MOX_EREFUSED, or what rules->sender returned: refused, mox_submission_result() has
 *         the outcome; MOX_ENOMEM, MOX_EIO, MOX_ELIMIT: it could not be looked at
 */
MOX_API MOX_MUST_USE int mox_submission_check(struct mox_submission *s,
                                              const struct mox_smtp_envelope *envelope,
                                              const struct mox_submission_rules *rules,
                                              struct mox_smtp_reply *reply);
/** After mox_submission_check(). Lives until the submission is freed; `extras` point into the spool's
 *  bytes. */
MOX_API const struct mox_submission_result *mox_submission_result(const struct mox_submission *s);

/** Whether a message needs SMTPUTF8 (RFC 6531 §3.4): the local part of an address of the envelope, or
 *  the header of any part, has bytes beyond ASCII. `envelope` as it was given to `deliver`.
 *  MOX_ENOMEM. */
MOX_API MOX_MUST_USE int mox_smtputf8_needed(const struct mox_env *env,
                                             const struct mox_smtp_envelope *envelope,
                                             struct mox_slice content, bool *needed);

MOX_END_DECLS

#endif
