/* SPDX-License-Identifier: MIT */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <mox/ctl.h>
#include <mox/sasl.h>
#include <mox/server.h>
#include <mox/store.h>

#include "net/listener.h"
#include "server/client_keys.h"
#include "server/limits.h"
#include "server/zone_resolver.h"

/* The server from inside. Where to look:
 *
 *   server.c       making it, running it, and its end
 *   addresses.c    listeners and certificates, as configured
 *   accounts.c     which accounts are open; open_account.c: with what is configured for them
 *   login.c        what SASL asks about users; login_name.c: which account is meant
 *   client_keys.c  whose the keys of client certificates are
 *   auth_ended.c   what follows from each attempt to log in, of all protocols
 *   limits.c       which connections and logins are refused, since there were too many;
 *                  delivery_limits.c: which messages
 *   smtp_session.c one SMTP connection: the engine's questions and where they are answered
 *   smtp_delay.c   answers that are late on purpose; nap.c
 *   smtp_rcpt.c    whom it sends to; smtp_submit.c: what users may send
 *   smtp_dnsbl.c   lists of blocked addresses; dnsbl_monitor.c: whether they have our own
 *   smtp_names.c   what waits for the DNS; zone_resolver.c: names of a server for tests
 *   smtp_checks.c  who sent a message; smtp_checks_told.c: the log and the metrics of it
 *   smtp_handover.h its messages, from the spool to the store, and what decides over them
 *   imap_session.c one IMAP connection
 *   explain.c      why a message is where it is; explain.h names its parts
 *   ctl_session.c  one conversation on the control socket
 *   metrics.c      what is counted besides what the engines count
 *   localserve.c   the throw-away server; localserve_files.c: its directory; transcript.c:
 * dialogues
 *
 * All of it runs on the loop's thread, but the `run` of a piece of work and engine runs. */

enum service_kind { SERVE_SMTP, SERVE_SUBMISSION, SERVE_SUBMISSIONS, SERVE_IMAP, SERVE_IMAPS };
#define SERVICE_KINDS 5

/* A service of one configured listener, on each of its addresses. */
struct service_endpoint {
    struct endpoint endpoint; /* its user is this */
    struct mox_server *server;
    const struct mox_config_listener *listener;
    enum service_kind kind;
    const char *hostname;
    int64_t first_time_sender_delay_us; /* 0: none */
};

struct bound_address {
    struct listener *listener;
    const struct service_endpoint *service;
    const char *ip;
};

struct account_slot {
    const struct mox_config_account *config;
    struct mox_account *account; /* NULL: not open as far as we know */
    struct mox_account *closing; /* by a worker */
    struct work work;
    int64_t used_us;
    bool looked_at; /* used for nothing but a look */
};

struct nap;

struct mox_server {
    struct mox_env env;
    struct mox_server_config config;
    const struct mox_config *files;
    bool pedantic;
    struct mox_metrics *metrics; /* NULL: env counts elsewhere */
    bool owns_metrics;
    struct net *net;
    struct pool *hashing;
    struct mox_store *store;
    struct mox_auth_db *auth_db; /* NULL: it could not be opened */
    struct limits limits;
    struct zone_resolver built_in; /* names of a server for tests */
    struct mox_unbound *unbound;   /* else those of the network; NULL: an embedder's resolver */
    uint8_t received_id_key[24];
    uint8_t sasl_secret[32];
    char *spool_dir;
    struct account_slot *accounts; /* in the order of the configuration's */
    size_t account_count, looked_at_count;

    /* SERVICE_KINDS for each listener; those without use are empty. */
    struct service_endpoint *services;
    struct tls_context **contexts; /* two for each listener: for users, and for port 25 */
    struct bound_address *bound;
    size_t bound_count;

    struct endpoint ctl_endpoint;
    struct mox_ctl_handlers ctl_handlers;
    struct listener *ctl;

    struct dnsbl_health *dnsbls; /* smtp_dnsbl.c: the lists of all listeners, each once */
    size_t dnsbl_count;
    struct dnsbl_monitor *monitor; /* NULL: nothing to look up */

    struct mox_config_delays delays; /* all 0 where nobody is slowed down */
    struct nap *naps;                /* answers that are late on purpose */
    struct timer patience;           /* how long sessions have to finish */
    struct timer account_sweep;
    struct loop_task stop_task;
    atomic_bool stop_posted;
    bool stopped;
    bool running; /* mox_server_run() */
    int signal;
};

/* Who answers names; NULL: nobody, and senders are not checked. */
const struct mox_resolver *mox__server_resolver(const struct mox_server *s);

/* addresses.c */
MOX_MUST_USE int mox__server_bind(struct mox_server *s, struct mox_error *err);
void mox__server_unbind(struct mox_server *s);
/* Closes the listeners, nothing else. */
void mox__server_close_listeners(struct mox_server *s);

const char *mox__service_name(const struct service_endpoint *e);

/* accounts.c */
MOX_MUST_USE int mox__accounts_init(struct mox_server *s);
/* Opens and closes the accounts that exist: why one of them cannot be used. */
MOX_MUST_USE int mox__accounts_check(struct mox_server *s, struct mox_error *err);
void mox__accounts_free(struct mox_server *s);
struct account_slot *mox__account_slot(struct mox_server *s,
                                       const struct mox_config_account *account);
/* Opens the account; quick when it is open already (mox__account_is_open()), else it waits for the
 * disk. Any thread. */
MOX_MUST_USE int mox__account_open(struct mox_server *s, const char *name, struct mox_account **out,
                                   struct mox_error *err);
/* Keeps the account open for a while: takes the reference over, or gives it back. */
void mox__account_keep(struct mox_server *s, const struct mox_config_account *config,
                       struct mox_account *account);
/* The same for whoever only looked at the password of one: for less time, and not for many at once. */
void mox__account_looked_at(struct mox_server *s, const struct mox_config_account *config,
                            struct mox_account *account);
bool mox__account_is_open(struct mox_server *s, const struct mox_config_account *account);
/* Sets the password of an account, by its name or one of its addresses. Blocking; any thread. */
MOX_MUST_USE int mox__server_set_password(struct mox_server *s, const char *address,
                                          const char *password, struct mox_error *err);

/* server_explain.c: for the control socket; `user` is the server. Blocking; any thread. */
MOX_MUST_USE int mox__server_explain(void *user, const char *account, const char *mailbox,
                                     uint32_t uid, bool json, char **text, struct mox_error *err);
MOX_MUST_USE int mox__server_check(void *user, const struct mox_ctl_check *check, char **text,
                                   struct mox_error *err);

/* auth_ended.c: an attempt to log in is over, successful or not, on the loop's thread.
 *
 * @param user_agent  what the client calls itself; may be NULL
 * @return its number for mox_auth_db_name_client(), or 0 */
uint64_t mox__auth_ended(struct mox_server *s, const struct service_endpoint *e,
                         const struct mox_peer *peer, const struct mox_sasl_attempt *attempt,
                         const char *user_agent);

/* sessions */
extern const struct service mox__smtp_service;
extern const struct service mox__imap_service;
extern const struct service mox__ctl_service;

/* log lines that every kind of session has */
void mox__log_connection(struct conn *c, const struct service_endpoint *e,
                         const struct mox_peer *peer);

/* received_id.c */
MOX_MUST_USE int mox__received_id_key(const struct mox_env *env, const char *data_dir,
                                      uint8_t key[24], struct mox_error *err);

#endif
