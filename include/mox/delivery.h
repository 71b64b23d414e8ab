/* SPDX-License-Identifier: MIT */
#ifndef MOX_DELIVERY_H
#define MOX_DELIVERY_H

#include <mox/checks.h>
#include <mox/mailstore.h>
#include <mox/smtp_server.h>

MOX_BEGIN_DECLS

/**
 * One received message on its way into the accounts of its recipients: each gets a copy of its own,
 * with the header lines that the server adds, and the sender is answered once all are on stable
 * storage.
 *
 *     mox_delivery_new(&d, &env, envelope, MOX_SMTP_DELIVERY, spool);
 *     mox_delivery_copy_init(&copy);  // each of them: for whom, where to
 *     mox_delivery_add(d, &copy);
 *     mox_delivery_start(d, done, user);
 *     … done(user, d) … mox_delivery_reply(d, &reply), on the owner's thread mox_smtp_server_reply()
 *     mox_delivery_free(d);
 *
 * Threads: owned by one thread at a time, any thread; from start to done it is the stores'.
 */
struct mox_delivery;

/** @param envelope  borrowed until done, as it was given to `deliver`
 *  @param spool     the content; borrowed until done */
MOX_API MOX_MUST_USE int mox_delivery_new(struct mox_delivery **out, const struct mox_env *env,
                                          const struct mox_smtp_envelope *envelope,
                                          enum mox_smtp_mode mode, struct mox_spool *spool);
/** Not between start and done. NULL is fine. */
MOX_API void mox_delivery_free(struct mox_delivery *d);

/** Header fields with CRLF that go below Received in each copy added from now on: what a submission
 *  lacked (mox/submission.h). Borrowed until the last is added. */
MOX_API void mox_delivery_set_lines(struct mox_delivery *d, struct mox_slice lines);

/** What checks found out about the sender, for each copy added from now on: it is stored beside the
 *  message, and gives the client's name in Received.
 *
 *  @param verdict  borrowed until done
 *  @param lines    header fields with CRLF that go above Received, those of mox_checks_headers();
 *                  borrowed until the last is added */
MOX_API void mox_delivery_set_checks(struct mox_delivery *d,
                                     const struct mox_checks_verdict *verdict,
                                     struct mox_slice lines);

/** A copy. Texts are copied. */
struct mox_delivery_copy {
    size_t size;                        /* sizeof(struct mox_delivery_copy) */
    const struct mox_mailstore *store;  /* copied; it must stay open until done */
    const char *mailbox;                /* created when it does not exist */
    const struct mox_smtp_path *recipient; /* borrowed until done */
    const char *address; /* the address of ours that it is for, for Delivered-To; NULL: the recipient's */
    struct mox_slice lines; /* header fields with CRLF that go on top; borrowed until it is added */
    uint32_t flags;
    /* As in struct mox_delivery_facts. */
    const char *destined, *rejects_mailbox; /* or NULL */
    bool keep_rejects, is_reject, is_intro, is_mailing_list, dsn;
    /** A forward: the domain of who forwards, in Unicode form. What the message says of that one is not remembered. NULL: it
     *  is none. */
    const char *forwarder;
};

MOX_API void mox_delivery_copy_init(struct mox_delivery_copy *copy);

/** Adds a copy; they count from 0.
 *
 * @return MOX_OK, MOX_ENOMEM, MOX_EUNSUPPORTED: the store takes no messages */
MOX_API MOX_MUST_USE int mox_delivery_add(struct mox_delivery *d,
                                          const struct mox_delivery_copy *copy);

/**
 * Hands the copies to their stores. `done` is called once, when the last has answered: on any thread,
 * perhaps before this returns. It must be quick, and may only pass the word on.
 *
 * When the spool has a file (mox_spool_fd() >= 0) this waits for the disk: then call it where waiting
 * is allowed.
 */
MOX_API void mox_delivery_start(struct mox_delivery *d,
                                void (*done)(void *user, struct mox_delivery *d), void *user);

/** After done: MOX_OK when all copies are on stable storage; else what went wrong with the first that
 *  failed, a full disk or quota before anything else. */
MOX_API int mox_delivery_status(const struct mox_delivery *d);
/** After done: how the copy went. *left_out may be NULL; it says that a reject was not stored, since it is
 *  there already or there is no room for it. */
MOX_API int mox_delivery_copy_status(const struct mox_delivery *d, size_t copy, bool *left_out);
/** After done: that failure in words, for a log; NULL when there is none. Lives as long as `d`. */
MOX_API const char *mox_delivery_problem(const struct mox_delivery *d);
/** After done: sets *reply to a temporary refusal (452 4.3.1 when storage is full, else 451 4.3.0) and
 *  returns mox_delivery_status(); with MOX_OK it leaves *reply alone. The sender tries again for all of
 *  the recipients: some copies may be there already. */
MOX_API MOX_MUST_USE int mox_delivery_reply(const struct mox_delivery *d,
                                            struct mox_smtp_reply *reply);

/** When an address of localserve that means trouble is looked at. */
enum mox_special_stage {
    MOX_SPECIAL_MAIL,       /* a sender: only if its local part starts with `mailfrom` */
    MOX_SPECIAL_RCPT,       /* a recipient: only if it starts with `rcptto` */
    MOX_SPECIAL_SUBMISSION, /* a recipient, after the content; not if it starts with `queue` */
    MOX_SPECIAL_DELIVERY    /* a recipient, after the content */
};

/** What such an address asks for. */
struct mox_special {
    int code;            /* 451, 550, 400..599 */
    char enhanced[8];    /* "4.0.0" */
    int64_t delay_us;    /* before the reply; an hour for `timeout` */
};

/** Whether the local part is one that developers send to in order to see their program fail: it ends
 *  in `temperror`, `permerror`, `timeout` or a number from 400 to 599. */
MOX_API bool mox_special_localpart(const char *localpart, enum mox_special_stage stage,
                                   struct mox_special *out);

MOX_END_DECLS

#endif
