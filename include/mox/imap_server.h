/* SPDX-License-Identifier: MIT */
#ifndef MOX_IMAP_SERVER_H
#define MOX_IMAP_SERVER_H

#include <mox/engine.h>
#include <mox/env.h>
#include <mox/mailstore.h>

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

    /** LOGIN or AUTHENTICATE. Required. Both texts are NUL-terminated, borrowed until the answer; the
     *  server wipes them. MOX_OK: *store is the user's mail (its `close` is called by the server).
     *  MOX_LATER: mox_imap_server_login() is called later. MOX_EDENIED: wrong name or password. Other
     *  failures are temporary: the client is told to try later; *err goes to the log. */
    int (*login)(void *user, const char *username, const char *password,
                 struct mox_mailstore *store, struct mox_error *err);

    /** Something happened for a server that waits (a write is done, a mailbox changed): have
     *  mox_imap_server_woken() called on the owner's thread soon. Called on any thread, also several
     *  times; never after mox_imap_server_free(). Required unless the store never answers later. */
    void (*wake)(void *user);
};

struct mox_imap_server_config {
    size_t size;              /* sizeof(struct mox_imap_server_config) */
    const char *hostname;     /* for the greeting; copied */
    bool starttls;            /* the host can start TLS */
    bool auth_without_tls;    /* LOGIN and PLAIN on plain connections */
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
};

MOX_API void mox_imap_server_config_init(struct mox_imap_server_config *config);

/** @param callbacks borrowed for the server's life; @param peer copied */
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
MOX_API void mox_imap_server_eof(struct mox_imap_server *s);
MOX_API size_t mox_imap_server_tls_rest(struct mox_imap_server *s, const uint8_t **data);
MOX_API void mox_imap_server_tls_started(struct mox_imap_server *s, const struct mox_tls_info *info);
/** Goes on with a command that reads the store; may wait for the disk. Only while MOX_WANTS_RUN.
 *  Returns after a bounded piece of work, and may want RUN again. */
MOX_API MOX_MUST_USE int mox_imap_server_run(struct mox_imap_server *s);
/** See the `wake` callback. */
MOX_API MOX_MUST_USE int mox_imap_server_woken(struct mox_imap_server *s);
/** The answer to a login callback that returned MOX_LATER, on the owner's thread. With MOX_OK the server
 *  closes *store some time, also when the session is over already. MOX_EINVAL: nobody waits for it,
 *  and the store stays the host's. */
MOX_API MOX_MUST_USE int mox_imap_server_login(struct mox_imap_server *s, int status,
                                               const struct mox_mailstore *store,
                                               const struct mox_error *err);
/** `* BYE` at the next occasion, and close. */
MOX_API void mox_imap_server_shutdown(struct mox_imap_server *s);
/** Bytes per second that the client deserves, 0 for full speed: 1 from the third login that failed
 *  on. A login ends it. */
MOX_API unsigned mox_imap_server_pace(struct mox_imap_server *s);
/** The same calls as an engine for a host of several protocols. `free` frees the server. */
MOX_API struct mox_engine mox_imap_server_engine(struct mox_imap_server *s);

MOX_END_DECLS

#endif
