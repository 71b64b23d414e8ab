/* SPDX-License-Identifier: MIT */
#include "server/client_keys.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "sasl/attempt.h"
#include "server/login.h"

int mox__auth_db_start(struct mox_server *s, struct mox_error *err)
{
    struct mox_error why = {0};
    int rc = mox_auth_db_open(&s->auth_db, &s->env, s->files->data_dir, &why);
    if (rc == MOX_OK)
        return rc;
    if (s->config.localserve) /* a developer looks at the terminal now */
        return mox__fail(err, rc, "%s", why.text);
    log_line(&s->env, MOX_LOG_ERROR, "main",
             "nobody can log in by a client certificate, and logins are not recorded", why.text,
             F_TEXT("dir", s->files->data_dir));
    return MOX_OK;
}

/* -- who it is ------------------------------------------------------------------------------- */

bool mox__client_key_user(const struct mox_server *s, const uint8_t *fingerprint,
                          struct client_user *user)
{
    struct mox_client_key key;
    if (s->auth_db == NULL || !mox_auth_db_find_key(s->auth_db, fingerprint, &key))
        return false;
    /* An address that was given to somebody else takes no key along. */
    const struct mox_config_account *account = mox__login_account(s, key.address);
    if (account == NULL || strcmp(account->name, key.account) != 0)
        return false;
    if (user == NULL)
        return true;
    user->account = account;
    user->no_imap_preauth = key.no_imap_preauth;
    memcpy(user->address, key.address, sizeof user->address);
    return true;
}

bool mox__client_of(const struct mox_server *s, const struct mox_peer *peer,
                    struct client_user *user)
{
    return peer->tls && peer->tls_info.has_client_key &&
           mox__client_key_user(s, peer->tls_info.client_key, user);
}

bool mox__client_key_is_known(void *user, const uint8_t *fingerprint)
{
    return mox__client_key_user(user, fingerprint, NULL);
}

/* -- who it is not --------------------------------------------------------------------------- */

void mox__client_key_refused(void *user, const struct mox_peer *peer)
{
    const struct service_endpoint *e = user;
    struct mox_server *s = e->server;
    const struct mox_sasl_attempt attempt = {
        .size = sizeof attempt,
        .mechanism = MOX_SASL_BY_CERTIFICATE,
        .username = "",
        .failure = MOX_SASL_FAILED_CREDENTIALS,
    };
    char text[96] = "unknown client certificate, key ";
    struct buf fingerprint;
    mox__buf_init(&fingerprint, &s->env, 64);
    mox__base64url_encode(&fingerprint, slice(peer->tls_info.client_key, MOX_FINGERPRINT_BYTES));
    size_t len = strlen(text);
    (void)snprintf(text + len, sizeof text - len, "%.*s", (int)fingerprint.len,
                   fingerprint.len == 0 ? "" : (const char *)fingerprint.data);
    mox__buf_free(&fingerprint);
    mox__sasl_log_attempt(&s->env, e->endpoint.pkg, e->kind >= SERVE_IMAP ? "imap" : "smtp", peer,
                          &attempt, text);
    (void)mox__auth_ended(s, e, peer, &attempt, NULL);
}

/* -- new ones -------------------------------------------------------------------------------- */

static int check_texts(const char *address, const char *name, struct mox_error *err)
{
    if (strlen(address) >= MOX_CLIENT_KEY_ADDRESS)
        return mox__fail(err, MOX_ELIMIT, "add a key: the address is too long");
    if (strlen(name) >= MOX_CLIENT_KEY_NAME || !mox__slice_is_utf8(slice_of(name)))
        return mox__fail(err, MOX_EINVAL, "add a key: its name is not a text of at most %d bytes",
                         MOX_CLIENT_KEY_NAME - 1);
    for (const char *c = name; *c != '\0'; c++)
        if ((uint8_t)*c < 0x20 || *c == 0x7f)
            return mox__fail(err, MOX_EINVAL, "add a key: a control character in its name");
    return MOX_OK;
}

int mox__client_key_add(struct mox_server *s, const char *address, const char *name,
                        bool no_imap_preauth, struct mox_slice certificate,
                        struct mox_client_key *added, struct mox_error *err)
{
    if (s->auth_db == NULL)
        return mox__fail(err, MOX_EIO, "add a key: auth.db could not be opened; see the log");
    int rc = check_texts(address, name, err);
    if (rc < 0)
        return rc;
    const struct mox_config_account *account = mox__login_account(s, address);
    if (account == NULL)
        return mox__fail(err, MOX_ENOTFOUND, "add a key: no account has the address %s", address);
    struct tls_client_key key;
    rc = mox__tls_read_client_key(&key, certificate, err);
    if (rc < 0)
        return rc;
    struct mox_client_key row = {
        .size = sizeof row,
        .no_imap_preauth = no_imap_preauth,
        .created_us = s->env.wall_us(s->env.user),
    };
    memcpy(row.fingerprint, key.fingerprint, sizeof row.fingerprint);
    (void)snprintf(row.account, sizeof row.account, "%s", account->name);
    (void)snprintf(row.address, sizeof row.address, "%s", address);
    (void)snprintf(row.name, sizeof row.name, "%s", name);
    (void)snprintf(row.kind, sizeof row.kind, "%s", key.kind);
    rc = mox_auth_db_add_key(s->auth_db, &row, err);
    if (rc == MOX_OK)
        log_line(&s->env, MOX_LOG_INFO, "main", "client key added", NULL,
                 F_TEXT("account", row.account), F_TEXT("address", row.address),
                 F_TEXT("kind", row.kind));
    if (rc == MOX_OK && added != NULL)
        *added = row;
    return rc;
}
