/* SPDX-License-Identifier: MIT */
#include "server/login.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

unsigned mox__login_mechanisms(const struct mox_server *s)
{
    unsigned all = MOX_SASL_PASSWORDS | MOX_SASL_CRAM_MD5 | MOX_SASL_SCRAM_SHA_1 |
                   MOX_SASL_SCRAM_SHA_1_PLUS | MOX_SASL_SCRAM_SHA_256 |
                   MOX_SASL_SCRAM_SHA_256_PLUS | MOX_SASL_EXTERNAL;
    return s->config.token == NULL ? all : all | MOX_SASL_OAUTHBEARER;
}

/* -- accounts --------------------------------------------------------------------------------- */

/* An account for a user that does not exist, for each name always the same: opening and reading it
 * costs what it would cost to look at a real user's. */
static const struct mox_config_account *decoy(const struct login *l)
{
    const struct mox_config_domains *d = l->server->files->domains;
    uint64_t hash = mox__hash64(slice_of(l->question->username));
    return d->accounts.count == 0 ? NULL : &d->accounts.items[hash % d->accounts.count];
}

/* The account in question, or the decoy. */
static int open_account(struct login *l, struct mox_account **out)
{
    const struct mox_config_account *account = l->config != NULL ? l->config : decoy(l);
    *out = NULL;
    if (account == NULL)
        return MOX_EDENIED;
    return mox__account_open(l->server, account->name, out, &l->error);
}

/* Who has proved to be the user gets his account, unless nobody may log in to it. */
static int admit(struct login *l, struct mox_account *account)
{
    if (*l->config->login_disabled == '\0') {
        l->account = account;
        return MOX_OK;
    }
    l->looked_at = account;
    (void)snprintf(l->answer.text, sizeof l->answer.text, "%s", l->config->login_disabled);
    return MOX_EREFUSED;
}

/* -- answers, on a thread that may wait ------------------------------------------------------- */

static int check_password(struct login *l)
{
    struct mox_account *account;
    const char *password = l->question->password;
    int rc = open_account(l, &account);
    if (l->config == NULL) {
        mox_store_dummy_check(l->server->store, password);
        rc = MOX_EDENIED;
    } else if (rc == MOX_OK) {
        rc = mox_account_check_password(account, password, &l->error);
    }
    if (rc == MOX_OK)
        return admit(l, account);
    l->looked_at = account;
    return rc;
}

static int read_record(struct login *l)
{
    struct mox_account *account;
    int rc = open_account(l, &account);
    if (rc == MOX_OK)
        rc = mox_account_credential(account, l->question->record, l->answer.record, &l->error);
    l->looked_at = account;
    if (rc != MOX_OK || l->config == NULL) /* somebody without a record looks the same each time */
        mox__login_canonical(l->server, l->question->username, l->answer.username);
    if (l->config != NULL)
        return rc;
    mox__wipe(l->answer.record, sizeof l->answer.record);
    return MOX_EDENIED;
}

static int open_and_admit(struct login *l)
{
    struct mox_account *account;
    if (l->config == NULL)
        return MOX_EDENIED;
    int rc = open_account(l, &account);
    return rc == MOX_OK ? admit(l, account) : rc;
}

static int check_certificate(struct login *l)
{
    if (l->client->shown.account == NULL)
        return MOX_EDENIED;
    if (*l->question->username == '\0')
        (void)snprintf(l->answer.username, sizeof l->answer.username, "%s",
                       l->client->shown.address);
    return open_and_admit(l);
}

static int check_token(struct login *l)
{
    struct mox_server *s = l->server;
    char *username = l->answer.username;
    (void)snprintf(username, sizeof l->answer.username, "%s", l->question->username);
    int rc = s->config.token(s->config.token_user, l->question->token, username);
    if (rc < 0)
        return rc;
    l->config = mox__login_account(s, username);
    if (l->client->shown.account != NULL && l->config != l->client->shown.account)
        l->config = NULL;
    return open_and_admit(l);
}

static int (*const answers[])(struct login *l) = {
    [MOX_SASL_ASK_PASSWORD] = check_password, [MOX_SASL_ASK_RECORD] = read_record,
    [MOX_SASL_ASK_ADMIT] = open_and_admit,    [MOX_SASL_ASK_CERTIFICATE] = check_certificate,
    [MOX_SASL_ASK_TOKEN] = check_token,
};

/* A crowd that has left does not cost a password's time for each, for which others and a stop would wait. */
static void run(struct work *w)
{
    struct login *l = container_of(w, struct login, work);
    bool gone = atomic_load(&l->client->gone);
    l->status = gone ? MOX_EDENIED : answers[l->question->ask](l);
}

/* -- there and back --------------------------------------------------------------------------- */

/* Why nobody could say, for the operator: that somebody failed to log in is told elsewhere. */
static void log_trouble(const struct login *l)
{
    int rc = l->status;
    if (rc >= 0 || rc == MOX_EDENIED || rc == MOX_EREFUSED || rc == MOX_ENOTFOUND)
        return;
    log_line(l->client->env, MOX_LOG_ERROR, l->client->pkg, "cannot check a login",
             l->error.text[0] == '\0' ? mox_status_text(rc) : l->error.text,
             F_TEXT("mechanism", l->question->mechanism));
}

static void free_login(struct login *l)
{
    const struct mox_env *env = &l->server->env;
    mox__wipe(&l->answer, sizeof l->answer);
    mox__mem_free(env, l);
}

static void answered(struct work *w)
{
    struct login *l = container_of(w, struct login, work);
    log_trouble(l);
    if (l->looked_at != NULL)
        mox__account_looked_at(l->server, l->config != NULL ? l->config : decoy(l), l->looked_at);
    l->client->done(l); /* the client may be gone after this */
    free_login(l);
}

static const struct mox_config_account *account_of(const struct login_client *client,
                                                   const struct mox_sasl_question *q)
{
    const struct mox_config_account *named = NULL;
    if (q->ask == MOX_SASL_ASK_CERTIFICATE && *q->username == '\0')
        return client->shown.account;
    named = mox__login_account(client->server, q->username);
    return client->shown.account == NULL || named == client->shown.account ? named : NULL;
}

void mox__login_identify(struct login_client *client, const struct mox_peer *peer)
{
    if (!mox__client_of(client->server, peer, &client->shown))
        client->shown = (struct client_user){.account = NULL};
}

int mox__login_start(struct login_client *client, const struct mox_sasl_question *q)
{
    struct mox_server *s = client->server;
    struct login *l = mem_new(&s->env, struct login, 1);
    if (l == NULL)
        return MOX_ENOMEM;
    l->server = s;
    l->client = client;
    l->question = q;
    l->config = account_of(client, q);
    l->work.run = run;
    l->work.done = answered;
    mox_sasl_answer_init(&l->answer);
    struct pool *pool = q->ask == MOX_SASL_ASK_PASSWORD ? s->hashing : s->net->workers;
    if (mox__pool_submit(pool, &l->work) == MOX_OK)
        return MOX_LATER; /* from here on the rest is the worker's to write */
    l->status = mox__fail(&l->error, MOX_ETOOMANY, "too many logins at once");
    log_trouble(l);
    free_login(l);
    return MOX_ETOOMANY;
}
