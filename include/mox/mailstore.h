/* SPDX-License-Identifier: MIT */
#ifndef MOX_MAILSTORE_H
#define MOX_MAILSTORE_H

#include <mox/env.h>
#include <mox/error.h>
#include <mox/spool.h>
#include <mox/validation.h>
#include <mox/view.h>

MOX_BEGIN_DECLS

/**
 * @file
 * The mail of one account, as protocols see it. mox/store.h has the durable implementation; an
 * application can put its own data behind this interface: a read-only one needs four functions.
 *
 * Reading is synchronous, on snapshots, and may wait for the disk (only `status`, `view` of a mailbox
 * in use, and `mailboxes` do not). Writing is submitted: the store calls the write's `done` once the
 * change is on stable storage or has failed. What is submitted while a commit is under way shares
 * the next one.
 */

/** Roles of mailboxes (RFC 6154). */
enum mox_special_use {
    MOX_USE_ARCHIVE = 1 << 0,
    MOX_USE_DRAFTS = 1 << 1,
    MOX_USE_JUNK = 1 << 2,
    MOX_USE_SENT = 1 << 3,
    MOX_USE_TRASH = 1 << 4
};

/** What a mailbox says about the messages in it. */
enum mox_junk_meaning {
    MOX_JUNK_UNCHANGED = 0,
    MOX_JUNK_IS_JUNK,
    MOX_JUNK_IS_NOTJUNK,
    MOX_JUNK_NEUTRAL /* neither flag */
};

/** Longest name of a mailbox, in bytes of UTF-8, without the NUL. */
#define MOX_MAILBOX_NAME_MAX 1000

/** One name of the account: a mailbox, or (id 0) a subscription of a name without a mailbox. */
struct mox_mailbox {
    uint64_t id;          /* stays over a rename, never used again; 0: only the subscription exists */
    const char *name;     /* UTF-8, NFC, levels separated by '/'; the inbox is "Inbox" */
    uint32_t uidvalidity;
    unsigned special_use; /* a set of enum mox_special_use */
    bool subscribed;
};

/** The names of an account at one moment, sorted by bytes of the name. Immutable, references are
 *  counted. Threads: any. */
struct mox_mailboxes {
    size_t count;
    const struct mox_mailbox *list;
    uint64_t version; /* grows with every change of the list */
    /** The store's: how references are counted, with mox_mailboxes_ref() and _unref(). NULL: the list
     *  outlives them all. */
    void (*ref)(const struct mox_mailboxes *m, int delta);
};

MOX_API const struct mox_mailboxes *mox_mailboxes_ref(const struct mox_mailboxes *m);
MOX_API void mox_mailboxes_unref(const struct mox_mailboxes *m); /* NULL is fine */
/** The name's entry, or NULL. Names are compared by bytes. */
MOX_API const struct mox_mailbox *mox_mailboxes_find(const struct mox_mailboxes *m,
                                                     const char *name);
MOX_API const struct mox_mailbox *mox_mailboxes_find_id(const struct mox_mailboxes *m, uint64_t id);

/** A mailbox's counts, right after every commit (STATUS, RFC 9051 §6.3.11). */
struct mox_mailbox_status {
    uint32_t messages; /* with and without \Deleted */
    uint32_t unseen;   /* without \Seen, with and without \Deleted */
    uint32_t deleted;
    uint32_t uidnext, uidvalidity;
    uint32_t recent_from; /* the first UID that no read-write SELECT has seen */
    uint64_t bytes;
    uint64_t modseq; /* highest */
};

/** What a caller of `fetch` wants besides uid, message, size and times. */
enum mox_fetch_want {
    MOX_FETCH_ENVELOPE = 1 << 0,
    MOX_FETCH_BODY = 1 << 1,
    MOX_FETCH_BODYSTRUCTURE = 1 << 2,
    MOX_FETCH_STRUCTURE = 1 << 3,
    MOX_FETCH_CONTENT = 1 << 4, /* prefix and content */
    MOX_FETCH_HEADER = 1 << 5   /* the same, but of the content mox_header_end() bytes will do */
};

/** What never changes of a message. All of it is borrowed for the call that gives it. A store may leave
 *  the wire forms and the structure empty and give the content instead: they are worked out then. */
struct mox_message_data {
    uint32_t uid;
    uint64_t message;    /* id in the account, shared by copies */
    uint64_t bytes;      /* RFC822.SIZE: prefix and content */
    int64_t received_us; /* INTERNALDATE: UTC, microseconds since 1970 */
    int64_t saved_us;    /* when it came into this mailbox */
    bool utf8_headers;   /* some header has bytes of 0x80 and more: ENVELOPE differs for UTF8=ACCEPT */
    struct mox_slice envelope, body, bodystructure; /* wire form, with parentheses */
    struct mox_slice structure;                     /* mox__structure_encode(); may be empty */
    struct mox_slice prefix; /* header lines that the server added, in front of the content */
    struct mox_slice content;
};

/** The common part of every write; the first member of each. The submitter sets `done` and `user`,
 *  keeps the memory of all that it handed in until then, and reads the rest in or after it. Writes
 *  that one thread submits are done in that order.
 *
 *  `done` is called once, on any thread, perhaps before the submitting call returns. It must be
 *  quick and must not call the store. */
struct mox_write {
    void (*done)(struct mox_write *w);
    void *user;
    int status;             /* MOX_OK: on stable storage */
    struct mox_error error; /* filled unless MOX_OK */
    uint64_t modseq;        /* of the change; 0 when there was nothing to change */
    struct mox_write *next; /* the store's, while the write is queued */
};

/** What is known of a message's way here, for reputation. Texts may be NULL; domains are in Unicode
 *  form, but for that of EHLO, which is in ASCII form. */
struct mox_delivery_facts {
    size_t size; /* sizeof(struct mox_delivery_facts) */
    const char *remote_ip;
    const char *ehlo_domain;
    const char *mail_from_localpart, *mail_from_domain;
    const char *rcpt_to_localpart, *rcpt_to_domain;
    const char *msg_from_localpart, *msg_from_domain, *msg_from_org_domain;
    enum mox_validation ehlo_validation, mail_from_validation, msg_from_validation;
    const char *const *dkim_domains; /* with a verified signature, not a forwarder's */
    size_t dkim_domain_count;
    /** For a reject, and for a message that goes to the mailbox for first messages: where else it would
     *  have gone; created when it does not exist. NULL for all others. */
    const char *destined_mailbox;
    bool is_reject, is_intro, is_forward, is_mailing_list, dsn;
    /** The mailbox for rejects; NULL: none, and Inbox is none. A reject that is added to it is marked as read, and left out when a
     *  message with its id or its content was added there before and still is there, when 1,000 are
     *  there once those received more than 14 days ago are removed, and when it would exceed the quota.
     *  Messages with the id of one that is added elsewhere are removed from it with the commit. */
    const char *rejects_mailbox;
    bool keep_rejects; /* old ones are not removed, and there may be any number */
    const char *tls_version, *tls_cipher; /* NULL: plain text */
    bool requiretls;
};

/** Adds a message. MOX_ENOTFOUND: no such mailbox. MOX_ELIMIT: too many keywords in the mailbox, or
 *  its UIDs are used up. MOX_ENOSPACE, MOX_EQUOTA, MOX_EIO. */
struct mox_append {
    struct mox_write write;
    uint64_t mailbox;         /* id; 0: by name, created (with parents) when it does not exist */
    const char *mailbox_name; /* for mailbox 0 */
    struct mox_spool *spool;  /* the content as received, with CRLF line ends */
    struct mox_slice prefix;
    uint32_t flags;
    const char *const *keywords; /* lower case */
    size_t keyword_count;
    int64_t received_us;                    /* 0: now */
    const struct mox_delivery_facts *facts; /* NULL: not received over SMTP */
    /* set when it is done */
    uint32_t uidvalidity, uid;
    bool left_out; /* a reject that is there already, or for which there is no room: it was not stored.
                      With MOX_OK; a store may know nothing of rejects and keep them all */
};

enum mox_flags_mode { MOX_FLAGS_SET, MOX_FLAGS_ADD, MOX_FLAGS_REMOVE };

/** Changes flags of the messages in the ranges that exist. MOX_EGONE: the mailbox is gone. MOX_ELIMIT:
 *  too many keywords; nothing was changed then. Messages that have the flags already keep their
 *  modseq. */
struct mox_set_flags {
    struct mox_write write;
    uint64_t mailbox;
    const struct mox_uid_range *ranges; /* ascending, disjoint */
    size_t range_count;
    enum mox_flags_mode mode;
    uint32_t flags;
    const char *const *keywords; /* lower case; added to the mailbox's */
    size_t keyword_count;
};

/** Removes messages from a mailbox. They stay readable through views that still show them. */
struct mox_expunge {
    struct mox_write write;
    uint64_t mailbox;
    const struct mox_uid_range *ranges; /* ascending, disjoint */
    size_t range_count;
    bool only_deleted; /* just those with \Deleted */
};

/** Copies or moves messages, in ascending order of UID; those that are gone are left out.
 *  MOX_EGONE: the source mailbox is gone. MOX_ENOTFOUND: the destination is. */
struct mox_copy {
    struct mox_write write;
    uint64_t mailbox, destination;
    const struct mox_uid_range *ranges; /* ascending, disjoint */
    size_t range_count;
    bool move;
    /* set when it is done: the nth message of `copied` has UID first_uid + n in the destination */
    uint32_t uidvalidity, first_uid, count;
    struct mox_uid_range *copied; /* free with mox_copy_free() */
    size_t copied_count;
    const struct mox_env *env; /* the store's, for mox_copy_free() */
};

MOX_API void mox_copy_free(struct mox_copy *op); /* what was set; op itself is the caller's */

enum mox_mailbox_change_kind {
    MOX_MAILBOX_CREATE,      /* with missing parents, all subscribed; MOX_EEXISTS */
    MOX_MAILBOX_DELETE,      /* with its messages; MOX_ENOTFOUND, MOX_ECHILDREN; MOX_EDENIED: Inbox */
    MOX_MAILBOX_RENAME,      /* with its children; MOX_ENOTFOUND, MOX_EEXISTS. Inbox: its messages
                                move to the new name, with new UIDs, and Inbox stays */
    MOX_MAILBOX_SUBSCRIBE,   /* also a name without mailbox */
    MOX_MAILBOX_UNSUBSCRIBE, /* MOX_ENOTFOUND: neither subscribed nor a mailbox */
    MOX_MAILBOX_USE          /* gives roles beside those it has, taking them from other mailboxes */
};

/** Changes the names of the account. Names are valid (mox_mailbox_name_check()). */
struct mox_mailbox_change {
    struct mox_write write;
    enum mox_mailbox_change_kind kind;
    const char *name;
    const char *new_name; /* RENAME */
    unsigned special_use; /* CREATE, USE: a set of enum mox_special_use */
};

/** Somebody who is told of changes. */
struct mox_watch {
    /** The mailbox with this id (0: the list of mailboxes) has changed; a newer view or list is there
     *  now. Called on any thread; must be quick and must not call the store. */
    void (*changed)(struct mox_watch *w, uint64_t mailbox);
    void *user;
    struct mox_watch *next, *prev; /* the store's */
};

/**
 * A store's functions. Each gets the `self` of struct mox_mailstore. Only the first four are required;
 * what is NULL is not offered to clients.
 *
 * Threads: any, at the same time.
 */
struct mox_mailstore_ops {
    size_t size; /* sizeof(struct mox_mailstore_ops) */

    /** The current list of mailboxes, with a reference for the caller. Quick. */
    int (*mailboxes)(void *self, const struct mox_mailboxes **out, struct mox_error *err);
    /** A mailbox's counts. Quick. MOX_EGONE. */
    int (*status)(void *self, uint64_t mailbox, struct mox_mailbox_status *out,
                  struct mox_error *err);
    /** The current view of a mailbox, with a reference for the caller. Reads the disk unless somebody
     *  holds a view of it already. MOX_EGONE. */
    int (*view)(void *self, uint64_t mailbox, struct mox_view **out, struct mox_error *err);
    /** Calls `each` for the messages of the view in the ranges (ascending, disjoint), in ascending
     *  order of UID, also for those removed since. A value other than 0 ends it and is returned.
     *  MOX_EIO, MOX_ENOMEM; MOX_ECORRUPT: the first without a call is damaged, others may be asked for. */
    int (*fetch)(void *self, const struct mox_view *view, const struct mox_uid_range *ranges,
                 size_t range_count, unsigned wants,
                 int (*each)(void *user, const struct mox_message_data *data), void *user,
                 struct mox_error *err);

    /** Whether `view` would answer without reading the disk. NULL: never known. */
    bool (*view_ready)(void *self, uint64_t mailbox);
    void (*watch)(void *self, struct mox_watch *w);
    /** After it returns, `changed` is not called any more. */
    void (*unwatch)(void *self, struct mox_watch *w);
    /** The UIDs from the returned one up to uidnext - 1 are \Recent in the calling session, and in no
     *  later one. */
    uint32_t (*claim_recent)(void *self, uint64_t mailbox, uint32_t uidnext);

    /* Writes. A spool with a file makes `append` wait for the disk; the others only queue. */
    void (*append)(void *self, struct mox_append *op);
    void (*set_flags)(void *self, struct mox_set_flags *op);
    void (*expunge)(void *self, struct mox_expunge *op);
    void (*copy)(void *self, struct mox_copy *op);
    void (*change_mailbox)(void *self, struct mox_mailbox_change *op);

    /** The folder for spools, on the file system of the messages; NULL: keep them in memory. */
    const char *(*spool_dir)(void *self);
    /** The caller is done with the store: no watch, view or write of its is left. */
    void (*close)(void *self);
};

struct mox_mailstore {
    const struct mox_mailstore_ops *ops;
    void *self;
};

/** Whether a name is fit for a mailbox (UTF-8, NFC, no empty level, no "." or "..", no control
 *  character, not starting with '#', within MOX_MAILBOX_NAME_MAX), and its proper form: a first level
 *  "inbox" in any case becomes "Inbox". MOX_ESYNTAX with a text for people, MOX_ELIMIT. */
MOX_API MOX_MUST_USE int mox_mailbox_name_check(const char *name, char out[MOX_MAILBOX_NAME_MAX + 1],
                                                struct mox_error *err);
/** Whether a keyword is fit to be stored (lower case, RFC 9051 atom without ']', at most 100 bytes). */
MOX_API bool mox_keyword_is_valid(struct mox_slice keyword);

/** A mailstore in memory, for tests and throw-away servers: all of the interface, nothing durable.
 *  It starts with Inbox and nothing else. */
MOX_API MOX_MUST_USE int mox_memory_mailstore_new(struct mox_mailstore *out,
                                                  const struct mox_env *env);
MOX_API void mox_memory_mailstore_free(struct mox_mailstore *store);

MOX_END_DECLS

#endif
