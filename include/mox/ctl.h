/* SPDX-License-Identifier: MIT */
#ifndef MOX_CTL_H
#define MOX_CTL_H

#include <mox/auth_db.h>
#include <mox/engine.h>
#include <mox/env.h>
#include <mox/log.h>
#include <mox/metrics.h>
#include <mox/store.h>

MOX_BEGIN_DECLS

/**
 * @file
 * The control socket of a running server, `<data directory>/ctl`: who may open it may command the
 * server. A conversation is lines of text that end in LF:
 *
 *     S: ctlv0
 *     C: setloglevels
 *     C: smtpserver
 *     C: debug
 *     S: ok                      or a line that says what went wrong, and the connection closes
 *
 * Longer answers come as a stream: `<n>` and n bytes, which the receiver acknowledges with `ok` once
 * it has dealt with them, again and again; `0` ends it and is not acknowledged.
 *
 * | command | parameters | answer |
 * |---|---|---|
 * | stop | | none; the connection closes when the server has stopped |
 * | setaccountpassword | address, password | ok |
 * | loglevels | | ok, and a stream of lines `pkg: level`, the default as `(default)` |
 * | setloglevels | pkg, level | ok; an empty pkg is the default, an empty level removes one |
 * | metrics | | ok, and a stream of text as Prometheus reads it |
 * | tlspubkeylist | account, or empty | ok, and a stream of lines: fingerprint (base64url), kind, account, address, `yes` or `no` (logged in when an IMAP connection begins), time, name |
 * | tlspubkeyadd | address, name, `yes` or `no`, certificate (DER in base64) | ok, and a stream of its line |
 * | tlspubkeyrm | fingerprint | ok |
 * | loginattempts | account, `-` or empty; how many, 0 for all | ok, and a stream of lines, the newest first: last time, first time, count, result, account, address, remote address, protocol, mechanism, TLS, user agent |
 * | retrain | account, or empty for all that have a junk filter | ok, and a stream of lines while it goes on: `progress`, account, messages done, of how many; at the end of each account `done`, account, messages, not junk, junk, unreadable, words, or `failed`, account, why. Closing the connection interrupts it |
 * | importmaildir, importmbox | account, mailbox, path (of the server's file system, absolute), empty or `recursive` | ok once it could be opened, and a stream of lines while it goes on: `progress`, messages read; `warning`, a text; at the end `done`, messages, or `failed`, why, and then nothing was imported. Closing the connection interrupts it |
 * | explain | account, mailbox, UID, `text` or `json` | ok, and a stream of text: why the message is there |
 * | check | account, recipient or empty, `text` or `json`, client's address, EHLO, local part and domain of MAIL FROM, time in seconds since 1970, `yes` or `no` (TLS), the list of blocked addresses that has the client, empty for none, `?` for not asked, bytes of names, bytes in all; then these bytes: names as in mox/dns_zone.h, and the message | ok, and a stream of text: what the account would do with the message; or the line `lists`: ask the lists, and then again |
 *
 * The fields of such lines are separated by tabs.
 *
 * Of libmoxd, which stands on libmox: link with `pkg-config --libs moxd`.
 */

/** The answer to `check` when nothing but lists of blocked addresses can decide. */
#define MOX_CTL_ASK_LISTS "lists\n"

/** A message to be judged as if it came now. Texts are NUL-terminated; all is borrowed for the call. */
struct mox_ctl_check {
    size_t size; /* sizeof(struct mox_ctl_check) */
    const char *account, *recipient;
    bool json;
    const char *ip, *helo, *mail_from_localpart, *mail_from_domain;
    int64_t now_us;
    bool tls;
    const char *listed_in;    /* as in struct mox_explain_incoming */
    struct mox_slice zone;    /* what the names of the DNS say: mox/dns_zone.h */
    struct mox_slice content; /* the message */
};

/**
 * What the commands do. Each is called by the engine's `run`, on a thread that may wait, and gets the
 * `user` of mox_ctl_new().
 */
struct mox_ctl_handlers {
    size_t size; /* sizeof(struct mox_ctl_handlers): later versions append members */

    /** Begin to shut down, and return at once. Required. */
    void (*stop)(void *user);

    /** Set the password of the account with that name or address, both borrowed for the call.
     *  Required. A failure's text goes to the client. */
    int (*set_account_password)(void *user, const char *address, const char *password,
                                struct mox_error *err);

    /** Whose levels are shown and set; borrowed. Required. */
    struct mox_logger *logger;

    /** What is shown by `metrics`; borrowed. NULL: nothing is counted here. */
    struct mox_metrics *metrics;

    /** Keys of clients and attempts to log in; borrowed. NULL: there are none here. */
    struct mox_auth_db *auth_db;

    /** Add the key of a certificate (DER) for the user with that address. Fills *added. NULL: keys can
     *  only be listed and removed. */
    int (*add_client_key)(void *user, const char *address, const char *name, bool no_imap_preauth,
                          struct mox_slice certificate, struct mox_client_key *added,
                          struct mox_error *err);

    /** For `retrain` and importing; all three or none. The name of the nth account, from 0, that has a junk filter, or
     *  NULL; and an account of that name, opened, and given back. */
    const char *(*filtered_account)(void *user, size_t n);
    int (*open_account)(void *user, const char *name, struct mox_account **out,
                        struct mox_error *err);
    void (*close_account)(void *user, struct mox_account *account);

    /** Explain a stored message, as mox/explain.h does. `text` is the engine's env's, and freed by the
     *  engine. NULL: that cannot be asked here. */
    int (*explain)(void *user, const char *account, const char *mailbox, uint32_t uid, bool json,
                   char **text, struct mox_error *err);
    /** Judge a message; `text` as above. Or MOX_NEED_DNS, as mox_explain_received() does. */
    int (*check)(void *user, const struct mox_ctl_check *check, char **text, struct mox_error *err);
};

/**
 * The server side of one connection. It does no I/O; it wants RUN once a command is complete.
 *
 * Threads: owned by one thread at a time, any thread.
 */
struct mox_ctl;

/** `handlers` is borrowed, and must outlive the engine. MOX_ENOMEM. */
MOX_API MOX_MUST_USE int mox_ctl_new(struct mox_ctl **out, const struct mox_env *env,
                                     const struct mox_ctl_handlers *handlers, void *user);
/** NULL is fine. */
MOX_API void mox_ctl_free(struct mox_ctl *ctl);
/** The engine for the host's loop. After `stop` its `shutdown` leaves the connection open and wanting
 *  nothing but APP: the host frees it as the last thing that it does, so that the client knows. */
MOX_API struct mox_engine mox_ctl_engine(struct mox_ctl *ctl);
/** Whether the client waits for the server's end: nothing is lost when it is not waited for. */
MOX_API bool mox_ctl_is_stopping(const struct mox_ctl *ctl);

/**
 * Makes the socket in the data directory and listens, mode 0660, non-blocking. An old file there is
 * removed: call it once the directory is known to be ours.
 *
 * @return the descriptor in *fd; MOX_ENOTFOUND, MOX_EIO
 */
MOX_API MOX_MUST_USE int mox_ctl_listen(int *fd, const char *data_dir, struct mox_error *err);
/** Removes the socket's file. */
MOX_API void mox_ctl_unlink(const char *data_dir);

/**
 * The client side, which waits for each answer.
 *
 * Threads: owned by one thread at a time, any thread.
 */
struct mox_ctl_client;

/** Connects and checks the greeting. MOX_ENOTFOUND: no server runs there; MOX_EDENIED: the user may
 *  not; MOX_EUNSUPPORTED: another version, or no control socket; MOX_EGONE: it closed without a greeting;
 *  MOX_ESYNTAX: it sent a line without an end; MOX_EIO, MOX_ENOMEM. */
MOX_API MOX_MUST_USE int mox_ctl_connect(struct mox_ctl_client **out, const struct mox_env *env,
                                         const char *data_dir, struct mox_error *err);
/** The same on a connected descriptor, which is taken over also when it fails. */
MOX_API MOX_MUST_USE int mox_ctl_connect_fd(struct mox_ctl_client **out, const struct mox_env *env,
                                            int fd, struct mox_error *err);
/** NULL is fine. */
MOX_API void mox_ctl_client_free(struct mox_ctl_client *client);

/** Sends a command and its parameters. MOX_EINVAL for one with a line break; MOX_ELIMIT: more than 64 KiB in all, or
 *  out of memory; MOX_EIO. */
MOX_API MOX_MUST_USE int mox_ctl_send(struct mox_ctl_client *client, const char *const *lines,
                                      size_t count, struct mox_error *err);
/** Sends the bytes behind a command. MOX_EIO. */
MOX_API MOX_MUST_USE int mox_ctl_send_bytes(struct mox_ctl_client *client, struct mox_slice bytes,
                                            struct mox_error *err);
/** Waits for `ok`. MOX_EREFUSED with the server's text; MOX_EGONE: the server closed the connection; MOX_ESYNTAX: a line
 *  without an end; MOX_EIO, MOX_ENOMEM. */
MOX_API MOX_MUST_USE int mox_ctl_expect_ok(struct mox_ctl_client *client, struct mox_error *err);
/** Receives a stream. `each` gets its pieces, and ends it by returning a failure, which is returned. MOX_EREFUSED with
 *  the server's text: it could not go on, or what it sent is no stream; and as mox_ctl_expect_ok(). */
MOX_API MOX_MUST_USE int mox_ctl_receive(struct mox_ctl_client *client,
                                         int (*each)(void *user, struct mox_slice piece),
                                         void *user, struct mox_error *err);
/** Waits until the server closes. MOX_EREFUSED with a text that it sent instead; MOX_ESYNTAX, MOX_EIO, MOX_ENOMEM. */
MOX_API MOX_MUST_USE int mox_ctl_wait_closed(struct mox_ctl_client *client, struct mox_error *err);

MOX_END_DECLS

#endif
