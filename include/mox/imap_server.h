/* SPDX-License-Identifier: MIT */
#ifndef MOX_IMAP_SERVER_H
#define MOX_IMAP_SERVER_H

#include <mox/engine.h>
#include <mox/env.h>
#include <mox/mailstore.h>
#include <mox/sasl.h>

MOX_BEGIN_DECLS

/**
 * The server side of one IMAP connection (RFC 3501, RFC 9051). It does no I/O of its own: bytes of the
 * client go in, responses wait in a bounded output buffer, the mail comes from a struct mox_mailstore
 * that the host hands over at login. What may wait for the disk happens in mox_imap_server_run(),
 * which the host calls on a thread that may.
 *
 * Threads: owned by one thread at a time, any thread. Servers share nothing.
 */
struct mox_imap_server;

/** Decisions of the host. Each gets the `user` of mox_imap_server_new() and must not call the
 *  server. */
struct mox_imap_server_callbacks {
    size_t size; /* sizeof(struct mox_imap_server_callbacks): later versions append members */

    /** LOGIN or AUTHENTICATE: a question of the SASL exchange (mox/sasl.h). Required. As long as
     *  `mechanisms` of the configuration is what it is by default, only MOX_SASL_ASK_PASSWORD comes:
     *  MOX_OK when q->username and q->password are right, MOX_EDENIED when not. With MOX_OK to any
     *  question but MOX_SASL_ASK_RECORD *store is the user's mail (its `close` is called by the
     *  server). MOX_LATER: mox_imap_server_auth() is called when the answer is known. */
    int (*auth)(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a,
                struct mox_mailstore *store);

    /** Something happened for a server that waits (a write is done, a mailbox changed): have
     *  mox_imap_server_woken() called on the owner's thread soon. Called on any thread, also several
     *  times; never after mox_imap_server_free(). Required unless the store never answers later. */
    void (*wake)(void *user);

    /** An attempt to log in is over: it succeeded, failed, was malformed or given up, or
     *  mox_imap_server_eof() was called in the middle. For limits and statistics: the log has its line
     *  already. NULL is fine. */
    void (*auth_ended)(void *user, const struct mox_sasl_attempt *attempt);

    /** ID (RFC 2971): what the client calls itself, its name and version; borrowed. It may say anything.
     *  Called on the thread that owns the server at the time. NULL is fine. */
    void (*client_id)(void *user, const char *text);
};

struct mox_imap_server_config {
    size_t size;              /* sizeof(struct mox_imap_server_config) */
    const char *hostname;     /* for the greeting; copied */
    bool starttls;            /* the host can start TLS */
    bool auth_without_tls;    /* LOGIN, PLAIN, OAUTHBEARER on plain connections */
    bool pedantic;            /* refuse what is usually tolerated */
    uint64_t max_append_bytes; /* default 100 MiB; announced as APPENDLIMIT */
    size_t max_output_bytes;  /* pending output before a long answer pauses; default 256 KiB */

    /* Bounds in time, in microseconds. */
    int64_t first_command_us;  /* default 30 s */
    int64_t login_us;          /* default 3 min: before login, in all */
    int64_t idle_us;           /* default 30 min, after login */
    unsigned max_bad_commands; /* default 10, before login */
    int64_t login_delay_us; /* how much longer each login waits after the third that failed; default
                                  1 s, 0: no delay */

    /** What the host can answer for: a set of enum mox_sasl_mechanism, of which those are announced
     *  that fit the connection. Default MOX_SASL_PASSWORDS, without which there is no LOGIN either.
     *  With MOX_SASL_EXTERNAL a client that shows a certificate at the start of the connection is
     *  asked for before the greeting: MOX_SASL_ASK_CERTIFICATE for the mechanism
     *  MOX_SASL_BY_CERTIFICATE; MOX_OK makes it a greeting of PREAUTH. */
    unsigned mechanisms;
    uint8_t sasl_secret[32]; /* of the installation, for SCRAM: struct mox_sasl_server_config */
};

MOX_API void mox_imap_server_config_init(struct mox_imap_server_config *config);

/** @param env, config, peer, callbacks  copied. Without `auth`: MOX_EINVAL; MOX_ENOMEM. */
MOX_API MOX_MUST_USE int mox_imap_server_new(struct mox_imap_server **out, const struct mox_env *env,
                                             const struct mox_imap_server_config *config,
                                             const struct mox_peer *peer,
                                             const struct mox_imap_server_callbacks *callbacks,
                                             void *user);
/** Also when an answer is pending: it waits for writes that are under way. Not while another thread is
 *  in mox_imap_server_run(). */
MOX_API void mox_imap_server_free(struct mox_imap_server *s);

/** As mox_smtp_server_input(). A failure ends the connection: MOX_ENOMEM, or MOX_ELIMIT for a command
 *  line over 16 KiB. */
MOX_API MOX_MUST_USE int mox_imap_server_input(struct mox_imap_server *s, const uint8_t *data,
                                               size_t len);
MOX_API size_t mox_imap_server_output(struct mox_imap_server *s, const uint8_t **data);
MOX_API void mox_imap_server_sent(struct mox_imap_server *s, size_t len);
MOX_API unsigned mox_imap_server_wants(struct mox_imap_server *s);
MOX_API int64_t mox_imap_server_deadline(struct mox_imap_server *s);
MOX_API MOX_MUST_USE int mox_imap_server_tick(struct mox_imap_server *s);
/** The client closed its side, or is gone. */
MOX_API void mox_imap_server_eof(struct mox_imap_server *s);
MOX_API size_t mox_imap_server_tls_rest(struct mox_imap_server *s, const uint8_t **data);
MOX_API void mox_imap_server_tls_started(struct mox_imap_server *s, const struct mox_tls_info *info);
/** Goes on with a command that reads the store; may wait for the disk. Only while MOX_WANTS_RUN.
 *  Returns after a bounded piece of work, and may want RUN again. */
MOX_API MOX_MUST_USE int mox_imap_server_run(struct mox_imap_server *s);
/** See the `wake` callback. */
MOX_API MOX_MUST_USE int mox_imap_server_woken(struct mox_imap_server *s);
/** The answer to `auth` that returned MOX_LATER, on the owner's thread: its status, and what goes with it
 *  (borrowed for the call; NULL when it is not needed). With MOX_OK the server closes *store some
 *  time, also when the session is over already. MOX_EINVAL: nobody waits for it, and the store stays
 *  the host's. */
MOX_API MOX_MUST_USE int mox_imap_server_auth(struct mox_imap_server *s, int status,
                                              const struct mox_sasl_answer *answer,
                                              const struct mox_mailstore *store);
/** The connection as it is now: with TLS after STARTTLS. Borrowed for the server's life. */
MOX_API const struct mox_peer *mox_imap_server_peer(const struct mox_imap_server *s);
/** `* BYE` at the next occasion, and close. */
MOX_API void mox_imap_server_shutdown(struct mox_imap_server *s);
/** Bytes per second that the client deserves, 0 for full speed: 1 from the third login that failed
 *  on. A login ends it. */
MOX_API unsigned mox_imap_server_pace(struct mox_imap_server *s);
/** The same calls as an engine for a host of several protocols. `free` frees the server. */
MOX_API struct mox_engine mox_imap_server_engine(struct mox_imap_server *s);

MOX_END_DECLS

#endif
