/* SPDX-License-Identifier: MIT */
#ifndef MOX_STORE_H
#define MOX_STORE_H

#include <mox/env.h>
#include <mox/error.h>
#include <mox/history.h>
#include <mox/junk.h>
#include <mox/mailfile.h>
#include <mox/mailstore.h>
#include <mox/sasl.h>

MOX_BEGIN_DECLS

/**
 * The durable store: a data directory with one folder and one SQLite database per account. One
 * process at a time has it open.
 *
 * Threads: any, at the same time.
 */
struct mox_store;

/** Opens (and creates, when its parent exists) a data directory and locks it. MOX_EBUSY: another
 *  process has it. MOX_EIO, MOX_ENOSPACE. */
MOX_API MOX_MUST_USE int mox_store_open(struct mox_store **out, const struct mox_env *env,
                                        const char *dir, struct mox_error *err);
/** Call it when all accounts are closed and nobody uses the store any more. Accounts that are still open it closes
 *  itself, so that their writes are not lost, however often they were opened: their handles are then
 *  invalid, for mox_account_close() too. Waits for writes under way. NULL is fine. */
MOX_API void mox_store_close(struct mox_store *store);

/** An open account. Shared by all who open it; references are counted. Threads: any. */
struct mox_account;

enum mox_account_open { MOX_ACCOUNT_EXISTING = 0, MOX_ACCOUNT_CREATE = 1 };

/** What a new account starts with; NULL members have defaults. */
struct mox_account_config {
    size_t size;
    /** Mailboxes besides Inbox; default Sent, Archive, Trash, Drafts, Junk with their roles. */
    const struct mox_mailbox *mailboxes; /* only name and special_use count */
    size_t mailbox_count;
    /** What a mailbox means for the junk flags of messages that come into it; a mailbox with the role
     *  Junk always means junk. NULL: they keep their flags. Called on any thread; must be quick and
     *  not call the store. It and the quota are the first opener's while the account is open. */
    int (*junk_flags)(void *user, const char *mailbox); /* an enum mox_junk_meaning */
    void *junk_flags_user;
    uint64_t quota_bytes; /* of all messages; 0: no limit */
    /** Count what comes in over SMTP (mox_account_arrivals()); then opening the account reads the
     *  messages of the last day. As the quota the first opener's. */
    bool count_arrivals;
    /** The filter that learns from the junk flags of its messages; NULL: none. Copied; as the quota the
     *  first opener's. */
    const struct mox_junk_params *junk;
};

/** Opens an account; waits for the disk the first time. MOX_ENOTFOUND, MOX_ECORRUPT (damaged, foreign or
 *  from a newer version), MOX_EIO. The name is a folder's: letters, digits, '-', '_', '.', not
 *  starting with '.' or '-', at most 64 bytes; MOX_EINVAL for others. `config` NULL: the defaults; if the
 *  account has ever had a filter, what is removed then stays on the disk for it until the account is opened
 *  with a configuration. */
MOX_API MOX_MUST_USE int mox_account_open(struct mox_account **out, struct mox_store *store,
                                          const char *name, enum mox_account_open mode,
                                          const struct mox_account_config *config,
                                          struct mox_error *err);
MOX_API void mox_account_close(struct mox_account *account);
MOX_API const char *mox_account_name(const struct mox_account *account);
/** Its mail. `close` of it closes the account: use it for one reference that is handed over. */
MOX_API struct mox_mailstore mox_account_mailstore(struct mox_account *account);

/** Sets the password: all derived credentials in one transaction. Costs as much as a password hash
 *  should (some 100 ms); blocking. MOX_EDENIED: under 8 bytes, or not fit for a password; the text
 *  says why. */
MOX_API MOX_MUST_USE int mox_account_set_password(struct mox_account *account, const char *password,
                                                  struct mox_error *err);
/** MOX_OK, MOX_EDENIED (wrong, or none set; takes as long as a right one), MOX_EIO. Blocking; repeated
 *  successes are answered from a cache of keyed digests. */
MOX_API MOX_MUST_USE int mox_account_check_password(struct mox_account *account,
                                                    const char *password, struct mox_error *err);
/** The record that a mechanism verifies a user by who does not send the password: the answer to
 *  MOX_SASL_ASK_RECORD. Quick: one read of the database, no hashing. Wipe it after use.
 *
 * @param kind  "cram-md5", "scram-sha-1" or "scram-sha-256": `record` of the question
 * @param out   NUL-terminated; empty after a failure
 * @return MOX_OK; MOX_ENOTFOUND: no password was set, or before this kind was known; MOX_EIO,
 *         MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_account_credential(struct mox_account *account, const char *kind,
                                                char out[MOX_SASL_RECORD_MAX],
                                                struct mox_error *err);
/** Takes as long as checking a password, for user names that do not exist. */
MOX_API void mox_store_dummy_check(struct mox_store *store, const char *password);

/** What an account may send in a day, so that a stolen password does little harm. */
enum mox_outgoing_limit {
    MOX_OUTGOING_NOTHING = 0,
    MOX_OUTGOING_RECIPIENTS, /* of all messages, each recipient of each message counted */
    MOX_OUTGOING_FIRST_TIME  /* recipients that the account never wrote to before */
};

/** A message that the account is about to send, counted against its limits of the past 24 hours.
 *  MOX_ELIMIT: over one of them, and nothing was counted. With MOX_OK it is counted durably: a crash
 *  lets no more through. What is then not sent after all stays counted. */
struct mox_outgoing {
    struct mox_write write;
    /** `localpart@domain`, each in one form only, for a recipient is new unless the same text was here
     *  before. At least one; the same one twice counts as two recipients, and as one new. */
    const char *const *recipients;
    size_t recipient_count;
    uint64_t max_recipients, max_first_time; /* UINT64_MAX: no limit, it is just counted */
    /* set when it is done */
    enum mox_outgoing_limit exceeded;
    uint64_t day_recipients, day_first_time; /* of the past 24 hours, without this message */
};

/** Submits it, as the writes of mox/mailstore.h are: `write.done` is called once, on any thread. */
MOX_API void mox_account_outgoing(struct mox_account *account, struct mox_outgoing *op);

/** What the account remembers of senders, as it is at one moment, unless `out->moved` says otherwise; the answers
 *  may need the disk. `out` is used by one thread at a time, and briefly, for what is removed meanwhile takes room
 *  until mox_account_history_end(). A message of which there are copies counts once, and as junk when one of them
 *  does. MOX_ENOMEM. */
MOX_API MOX_MUST_USE int mox_account_history_begin(struct mox_history *out,
                                                   struct mox_account *account,
                                                   struct mox_error *err);
MOX_API void mox_account_history_end(struct mox_history *history); /* also after begin failed */

/** The key of mox/subjectpass.h for one of the account's addresses, made when it is asked for first, and
 *  then waiting for the disk. Letters and digits.
 *
 *  @param address  in its normal form
 *  @param out      a text: wipe it after use; empty after a failure
 *  @return MOX_OK; MOX_EINVAL: the address is longer than any; MOX_EIO, MOX_ENOSPACE, MOX_ENOMEM */
#define MOX_SUBJECTPASS_KEY_LEN 16
MOX_API MOX_MUST_USE int mox_account_subjectpass_key(struct mox_account *account,
                                                     const char *address,
                                                     char out[MOX_SUBJECTPASS_KEY_LEN + 1],
                                                     struct mox_error *err);

/** What the filter says of a message, having learnt from all that was committed before the call (but for what is
 *  left of a retrain). Waits for the disk.
 *
 *  @param content  as received
 *  @param opened   false: what failed is the opening of the filter; NULL is fine
 *  @return MOX_OK; MOX_EUNSUPPORTED: the account has no filter; MOX_EIO, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_account_classify(struct mox_account *account, struct mox_slice content,
                                              struct mox_junk_verdict *verdict, bool *opened,
                                              struct mox_error *err);

struct mox_retrain {
    size_t size; /* sizeof(struct mox_retrain) */
    /** Called now and then; may be NULL. A value other than 0 ends it, and the filter is as before: a negative
     *  one is what the call returns, for a positive one it returns MOX_EREFUSED. */
    int (*progress)(void *user, const struct mox_retrain *r);
    void *user;
    /* what was done so far */
    uint64_t messages, hams, spams, failed; /* looked at; learnt; could not be read */
    uint64_t total;                         /* to be looked at */
    uint64_t words;                         /* in the filter, at the end */
};

/** Builds the filter anew from all messages that are marked as junk or not junk, while the account is in use.
 *  Takes seconds for 10,000 messages; blocking. MOX_EBUSY: it is being retrained; MOX_EUNSUPPORTED: it has no
 *  filter; MOX_EIO, MOX_ENOSPACE, MOX_ENOMEM; MOX_EREFUSED, or what it returned: `progress` ended it. */
MOX_API MOX_MUST_USE int mox_account_retrain(struct mox_account *account, struct mox_retrain *r,
                                             struct mox_error *err);

/** No message that is imported is larger, in bytes. */
#define MOX_IMPORT_MESSAGE_MAX ((uint64_t)512 * 1024 * 1024)

/** Mail of another program that shall go into an account. */
struct mox_import {
    size_t size; /* sizeof(struct mox_import) */
    enum mox_mailfile_kind kind;
    const char *path;
    /** Created with its parents and subscribed if it does not exist; the name need not be in its normal form. */
    const char *mailbox;
    bool recursive;             /* folders of a maildir too, as mailboxes below `mailbox` */
    uint64_t max_message_bytes; /* 0: MOX_IMPORT_MESSAGE_MAX */
    /** As that of struct mox_retrain; ended, nothing of it is left. */
    int (*progress)(void *user, const struct mox_import *i);
    /** What is not as it should be, and does not stop it: a line of printable ASCII. May be NULL. */
    void (*warn)(void *user, const char *text);
    void *user;
    /* what was read so far */
    uint64_t messages, bytes;
};

/** Imports all of it, or nothing: messages become visible together, in the end, whatever ends the process
 *  before. Flags, keywords and times are taken over, AutomaticJunkFlags applied, and the filter learns from it: a
 *  folder whose own name means junk is junk, whatever the name of the mailbox that it becomes means;
 *  importing twice gives all messages twice. Keywords for which a mailbox has no room are left out, with a warning
 *  at the end. Others go on meanwhile. Blocking.
 *  @return MOX_OK; failures of mox/mailfile.h, with the place in the text; MOX_EQUOTA; MOX_ELIMIT: a message
 *          that is too large; MOX_EREFUSED, or what it returned: `progress` ended it;
 *          MOX_EIO, MOX_ENOSPACE, also when less than 64 MiB would be left, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_account_import(struct mox_account *account, struct mox_import *i,
                                            struct mox_error *err);

/** What is kept of a message's way into the account, for people who ask why it is where it is. Texts are borrowed
 *  for the call; NULL: not known. */
struct mox_account_facts {
    size_t size; /* sizeof(struct mox_account_facts) */
    uint32_t flags;
    int64_t received_us;
    /** The mailbox whose senders it counts for, when its user judges it, by the name that this has now. */
    const char *origin;
    bool is_reject; /* it still is in the mailbox for rejects */
    bool over_smtp; /* else nothing more is known */
    /** As it was told at delivery, but for `rejects_mailbox`. Mailboxes have the names of now. */
    struct mox_delivery_facts arrival;
};

/** Calls `each` once, for the message with that UID. Reads the disk.
 *  @return what `each` returned; MOX_ENOTFOUND: there is none; MOX_EIO, MOX_ENOMEM */
MOX_API MOX_MUST_USE int mox_account_recall(struct mox_account *account, uint64_t mailbox,
                                            uint32_t uid,
                                            int (*each)(void *user,
                                                        const struct mox_account_facts *facts),
                                            void *user, struct mox_error *err);

#define MOX_NETWORK_CLASSES 3

struct mox_arrival_sum {
    uint64_t messages, bytes; /* bytes as stored, with the header lines that the server added */
};

/** What came into an account over SMTP from an address and the two networks around it, as in
 *  mox/ratelimit.h, in the last 60 seconds and the last 24 hours. */
struct mox_arrivals {
    struct mox_arrival_sum minute[MOX_NETWORK_CLASSES], day[MOX_NETWORK_CLASSES];
};

/** Quick: from memory. All zero when the account does not count, or for no address. What is being
 *  committed right now is not in it; what was removed since may be. */
MOX_API void mox_account_arrivals(struct mox_account *account, const char *remote_ip,
                                  struct mox_arrivals *out);

/** Checks everything in a data directory that no server uses: database integrity, counts, UIDs,
 *  modseqs, references, files. Opens it as mox_store_open() and mox_account_open() do, with a lock, settled logs
 *  and databases of this version: it must be writable. Calls `report` for each problem. Returns MOX_OK when
 *  there is none, MOX_ECORRUPT when there are some, or a failure to look. */
MOX_API MOX_MUST_USE int mox_store_verify(const struct mox_env *env, const char *dir,
                                          void (*report)(void *user, const char *text), void *user,
                                          struct mox_error *err);

MOX_END_DECLS

#endif
