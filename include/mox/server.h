/* SPDX-License-Identifier: MIT */
#ifndef MOX_SERVER_H
#define MOX_SERVER_H

#include <mox/config.h>
#include <mox/env.h>
#include <mox/error.h>
#include <mox/log.h>
#include <mox/resolver.h>
#include <mox/sasl.h>
#include <mox/metrics.h>
#include <mox/store.h>

MOX_BEGIN_DECLS

struct ev_loop;

/**
 * A whole mail server: SMTP, submission and IMAP on the addresses of its configuration, over the
 * store in its data directory, with a control socket. It runs on a libev loop, its own or one of
 * the program that embeds it, and has a few threads for what must not hold that up.
 *
 * Of libmoxd, which stands on libmox: link with `pkg-config --libs moxd`.
 *
 * Threads: owned by the thread that runs the loop; only mox_server_stop() may be called from
 * others.
 */
struct mox_server;

struct mox_server_config {
    size_t size;                     /* sizeof(struct mox_server_config) */
    const struct mox_config *config; /* required; borrowed for the server's life */
    struct mox_logger *logger; /* borrowed, for the control socket's levels; NULL: no control socket */
    /** Where it counts; borrowed. NULL: in a registry of its own. Not asked when `env` counts already. */
    struct mox_metrics *metrics;
    struct ev_loop *loop;            /* NULL: one of its own, run by mox_server_run() */
    unsigned workers;                /* threads that wait for the disk and shake hands; default 3 */
    /** Default 10000; but never more than three quarters of the descriptors that the process may open,
     *  since the others are for files: a crowd of connections does not keep mail from being stored. Those to the control socket are
     *  not among them. */
    unsigned max_connections;

    /** Instead of the addresses of the listeners; NULL: as configured. */
    const char *ip;
    /** With it every service listens on its standard port plus this: 1000 makes 1025, 1465, 1587,
     *  1143, 1993. 0: as configured. */
    uint16_t port_base;

    /** A server for tests: every recipient is accepted, unknown ones get into the postmaster's
     *  account; special recipients fail as asked for; users may send from any address, unless it is
     *  pedantic. An address that this machine lacks is left out. */
    bool localserve;
    /** What is usually tolerated is refused; also when the configuration says Pedantic. */
    bool pedantic;

    /** Does the token admit its bearer? With it OAUTHBEARER (RFC 7628) is offered; NULL: not. Called
     *  on any thread, and may wait. `username` has what the client said, perhaps nothing; with MOX_OK
     *  it is set to the user's address in the configuration. MOX_EDENIED; other failures: cannot be
     *  found out now. */
    int (*token)(void *user, const char *token, char username[MOX_SASL_USERNAME_MAX]);
    void *token_user;

    /** The server has stopped, on the loop's thread; not called by mox_server_run(). May be NULL.
     *  The server may be freed once this has returned. */
    void (*stopped)(void *user);
    void *stopped_user;

    /** Connections, failed logins and deliveries of one network are limited, and who guesses
     *  passwords is slowed down, as the configuration says. Default true; a server for tests may do
     *  without, for its clients open thousands of connections. */
    bool limits;

    /** Who answers names, on the loop's thread; borrowed for the server's life. NULL: libunbound, as the
     *  configuration and the two below say; but a server for tests that is told no resolver has names
     *  of its own. */
    const struct mox_resolver *resolver;
    /** Who sends to us must exist in the DNS: the domain of MAIL FROM takes mail itself (550 5.7.27 else; 451
     *  4.4.0 when that cannot be looked up), the host that HELO names has an address (550 5.5.0). Default
     *  true; a server for tests looks only when it is told a resolver. */
    bool check_senders;
    /** As in struct mox_unbound_config, instead of the configuration's Resolver; NULL: as there. */
    const char *resolver_forward, *trust_anchor;
};

MOX_API void mox_server_config_init(struct mox_server_config *config);

/** Opens the data directory (another server there: MOX_EBUSY), reads the certificates, binds every
 *  address (one that is taken: MOX_EBUSY) and makes the control socket. Nothing is accepted yet. */
MOX_API MOX_MUST_USE int mox_server_new(struct mox_server **out, const struct mox_env *env,
                                        const struct mox_server_config *config,
                                        struct mox_error *err);

/** What the server counts, to be written for Prometheus: alive as long as the server is. Any thread. NULL
 *  when `env` counted already. */
MOX_API struct mox_metrics *mox_server_metrics(const struct mox_server *server);

/** Begins to accept connections. The embedder's loop does the rest. */
MOX_API void mox_server_start(struct mox_server *server);

/** On a loop of its own: serves until mox_server_stop(), the control socket's `stop`, SIGINT or
 *  SIGTERM. The program is to ignore SIGPIPE, here and in a loop of its own: libunbound does not keep it
 *  away, nor does a log whose reader is gone.
 *  @return the signal's number, or 0 */
MOX_API int mox_server_run(struct mox_server *server);

/** Begins to shut down, and returns at once: sessions say goodbye and have 3 seconds to finish;
 *  what was accepted is on stable storage. Any thread. */
MOX_API void mox_server_stop(struct mox_server *server);

/** Waits for writes under way. Not while sessions are open: after it has stopped, or if it was
 *  never started. NULL is fine. */
MOX_API void mox_server_free(struct mox_server *server);

/** An account as the configuration has it. Borrowed for the call. */
struct mox_server_account {
    size_t size;                     /* sizeof(struct mox_server_account) */
    const struct mox_config *config; /* must live as long as the account is open */
    struct mox_store *store;         /* of its data directory */
    const char *name;
    enum mox_account_open mode;
    bool count_arrivals; /* as in struct mox_account_config */
};

/** Opens an account as a server does: for programs that have the data directory to themselves, since a running
 *  server has its lock. @return as mox_account_open() does; MOX_ENOTFOUND: also when it is not configured, which
 *  the text tells apart */
MOX_API MOX_MUST_USE int mox_server_open_account(struct mox_account **out,
                                                 const struct mox_env *env,
                                                 const struct mox_server_account *account,
                                                 struct mox_error *err);

/** One address that the server listens on. Texts are borrowed for the server's life. */
struct mox_server_address {
    const char *service; /* "smtp", "submission", "submissions", "imap", "imaps" */
    const char *ip;
    uint16_t port;
};

MOX_API size_t mox_server_address_count(const struct mox_server *server);
MOX_API struct mox_server_address mox_server_address(const struct mox_server *server, size_t index);

/**
 * A throw-away server for the developers of programs that send mail: no root, no configuration.
 */
struct mox_localserve_config {
    size_t size;        /* sizeof(struct mox_localserve_config) */
    const char *dir;    /* required; made when it does not exist, used as it is when it does */
    const char *ip;     /* instead of 127.0.0.1 and ::1; may be NULL */
    uint16_t port_base; /* default 0: as in the directory's configuration, 1000 when it is made */
    bool init_only;     /* make the directory, and that is all */
    bool pedantic;      /* as in struct mox_server_config */
    bool transcript;    /* print each dialogue to `transcript_fd` */
    int transcript_fd;  /* default 1 */
    int banner_fd;      /* what it listens on and how to try it; default 1; -1: nothing */
    /** Whose levels the control socket shows and sets; borrowed. It is the caller who makes `env` log to
     *  it (mox_logger_attach()). NULL: there is a control socket all the same, and the levels that
     *  somebody sets there change nothing. */
    struct mox_logger *logger;
    bool limits; /* as in struct mox_server_config, but false by default */
    const char *resolver_forward, *trust_anchor; /* as there */
};

MOX_API void mox_localserve_config_init(struct mox_localserve_config *config);

/** Makes the directory unless it exists: mox.conf, domains.conf, a certificate for localhost, and
 * the account mox with the address mox@localhost and the password `moxmoxmox`. On failure nothing
 * of it stays. Then loads its configuration; free it with mox_config_free(). */
MOX_API MOX_MUST_USE int mox_localserve_prepare(struct mox_config **out, const struct mox_env *env,
                                                const struct mox_localserve_config *config,
                                                struct mox_error *err);

/** All in one: prepares the directory and serves until it is told to stop, as mox_server_run().
 *  @param status  set to what a program should exit with: 0, or the number of the signal
 *  @return MOX_OK, or why it did not start; the text of a taken port says `-port-base` */
MOX_API MOX_MUST_USE int mox_localserve_run(const struct mox_env *env,
                                            const struct mox_localserve_config *config, int *status,
                                            struct mox_error *err);

MOX_END_DECLS

#endif
