/* SPDX-License-Identifier: MIT */
#ifndef SERVER_CLIENT_KEYS_H
#define SERVER_CLIENT_KEYS_H

#include <mox/auth_db.h>
#include <mox/config.h>
#include <mox/engine.h>

/* Whose the keys of client certificates are: what auth.db says, as far as the configuration still has
 * that account and address. */

struct mox_server;
struct service_endpoint;

struct client_user {
    const struct mox_config_account *account;
    char address[MOX_CLIENT_KEY_ADDRESS]; /* with which it was registered */
    bool no_imap_preauth;
};

/* Opens auth.db. Without it a server of many users starts too: nobody has a key then, and attempts to
 * log in are not recorded; the log says so. */
MOX_MUST_USE int mox__auth_db_start(struct mox_server *s, struct mox_error *err);

/* Who has this key: quick, any thread. `user` may be NULL. */
bool mox__client_key_user(const struct mox_server *s, const uint8_t *fingerprint,
                          struct client_user *user);
/* The same for a session. False: no key was shown, or it was removed meanwhile. */
bool mox__client_of(const struct mox_server *s, const struct mox_peer *peer,
                    struct client_user *user);

/* `knows_key` of TLS contexts (net/tls.h); `user` is the server. */
bool mox__client_key_is_known(void *user, const uint8_t *fingerprint);
/* `key_refused` of services (net/conn.h): a failed login. `user` is the service_endpoint. */
void mox__client_key_refused(void *user, const struct mox_peer *peer);

/* For the control socket, on a worker: takes a certificate, PEM or DER, for the user with this address.
 * `added` may be NULL. */
MOX_MUST_USE int mox__client_key_add(struct mox_server *s, const char *address, const char *name,
                                     bool no_imap_preauth, struct mox_slice certificate,
                                     struct mox_client_key *added, struct mox_error *err);

#endif
