/* SPDX-License-Identifier: MIT */
#include "sasl/client.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "dns/nfc.h"
#include "sasl/scram.h"

static const struct client_mechanism *const mechanisms[] = {
    &mox__sasl_client_plain, &mox__sasl_client_login,    &mox__sasl_client_cram_md5,
    &mox__sasl_client_scram, &mox__sasl_client_external, &mox__sasl_client_oauthbearer,
};

void mox_sasl_client_config_init(struct mox_sasl_client_config *config)
{
    *config = (struct mox_sasl_client_config){
        .size = sizeof *config, .min_iterations = 2048, .max_iterations = 1000000};
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static const struct client_mechanism *find(enum mox_sasl_mechanism m)
{
    if (mox_sasl_mechanism_name(m)[0] == '\0')
        return NULL;
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if ((mechanisms[i]->ids & (unsigned)m) != 0)
            return mechanisms[i];
    return NULL;
}

/* All of a configuration, of whichever version its program is. */
static void read_config(struct mox_sasl_client_config *config,
                        const struct mox_sasl_client_config *given)
{
    mox_sasl_client_config_init(config);
    memcpy(config, given, min_size(given->size, sizeof *config));
}

static void read_channel(struct sasl_channel *channel, const struct mox_tls_info *tls)
{
    struct mox_tls_info info = {0};
    if (tls != NULL)
        memcpy(&info, tls, min_size(tls->size, sizeof info));
    mox__sasl_channel_init(channel, &info);
    mox__wipe(&info, sizeof info);
}

/* ---- choosing ---- */

/* Our own order: the best that proves a token or password, then what shows it; the certificate says
 * who we are when nothing else does. */
static const enum mox_sasl_mechanism best_first[] = {
    MOX_SASL_OAUTHBEARER,   MOX_SASL_SCRAM_SHA_256_PLUS,
    MOX_SASL_SCRAM_SHA_256, MOX_SASL_SCRAM_SHA_1_PLUS,
    MOX_SASL_SCRAM_SHA_1,   MOX_SASL_CRAM_MD5,
    MOX_SASL_PLAIN,         MOX_SASL_LOGIN,
    MOX_SASL_EXTERNAL,
};

static bool has_credentials(const struct mox_sasl_client_config *config,
                            const struct sasl_channel *channel, enum mox_sasl_mechanism m)
{
    unsigned needs = find(m)->needs;
    if ((needs & CLIENT_NEEDS_PASSWORD) != 0 &&
        (config->username == NULL || config->password == NULL))
        return false;
    if ((needs & CLIENT_NEEDS_TOKEN) != 0 && config->token == NULL)
        return false;
    return m != MOX_SASL_EXTERNAL || channel->has_client_key;
}

static bool can_bind(const struct sasl_channel *channel)
{
    return channel->has_exporter || channel->end_point_len > 0;
}

enum mox_sasl_mechanism mox_sasl_client_choose(const struct mox_sasl_client_config *given,
                                               unsigned offered, bool clear_text_allowed)
{
    struct mox_sasl_client_config config;
    struct sasl_channel channel;
    enum mox_sasl_mechanism chosen = (enum mox_sasl_mechanism)0;
    read_config(&config, given);
    read_channel(&channel, config.tls);
    if (config.tls == NULL && !clear_text_allowed)
        offered &= ~(unsigned)MOX_SASL_CLEAR_TEXT;
    if (!can_bind(&channel))
        offered &= ~(unsigned)(MOX_SASL_SCRAM_SHA_1_PLUS | MOX_SASL_SCRAM_SHA_256_PLUS);
    for (size_t i = 0; i < sizeof best_first / sizeof best_first[0] && chosen == 0; i++)
        if ((offered & (unsigned)best_first[i]) != 0 &&
            has_credentials(&config, &channel, best_first[i]))
            chosen = best_first[i];
    mox__wipe(&channel, sizeof channel);
    return chosen;
}

/* ---- making ---- */

static char *copy(const struct mox_sasl_client *c, const char *text)
{
    return text == NULL ? mox__strndup(&c->env, "", 0) : mox__strndup(&c->env, text, strlen(text));
}

/* Servers ask for NFC in SCRAM (RFC 8265 §3.4), and all like it. */
static char *copy_username(const struct mox_sasl_client *c, const char *text)
{
    struct buf normal;
    if (text == NULL)
        return copy(c, text);
    mox__buf_init(&normal, &c->env, strlen(text) * 3 + 1); /* NFC may lengthen */
    int rc = mox__nfc(&normal, slice_of(text));
    char *name = rc == MOX_ENOMEM ? NULL
                 : rc == MOX_OK   ? mox__strndup(&c->env, normal.data, normal.len)
                                  : copy(c, text);
    mox__buf_free(&normal);
    return name;
}

static int fill(struct mox_sasl_client *c, const struct mox_sasl_client_config *config)
{
    c->username = copy_username(c, config->username);
    c->authorize = copy_username(c, config->authorize);
    c->password = copy(c, config->password);
    c->token = copy(c, config->token);
    c->hostname = copy(c, config->hostname);
    c->port = config->port;
    c->min_iterations = config->min_iterations;
    c->max_iterations = config->max_iterations;
    return c->username == NULL || c->authorize == NULL || c->password == NULL || c->token == NULL ||
                   c->hostname == NULL
               ? MOX_ENOMEM
               : MOX_OK;
}

/* Whether the configuration has what the mechanism needs. */
static int check_needs(const struct mox_sasl_client_config *config,
                       const struct sasl_channel *channel, enum mox_sasl_mechanism m)
{
    bool is_plus = m == MOX_SASL_SCRAM_SHA_1_PLUS || m == MOX_SASL_SCRAM_SHA_256_PLUS;
    if (is_plus && !can_bind(channel))
        return MOX_EUNSUPPORTED;
    if (m == MOX_SASL_EXTERNAL) /* the host may know of a certificate what TLS does not tell */
        return MOX_OK;
    return has_credentials(config, channel, m) ? MOX_OK : MOX_EINVAL;
}

int mox_sasl_client_new(struct mox_sasl_client **out, const struct mox_env *env,
                        enum mox_sasl_mechanism m, unsigned offered,
                        const struct mox_sasl_client_config *given)
{
    struct mox_sasl_client_config config;
    *out = NULL;
    if (find(m) == NULL)
        return MOX_EINVAL;
    struct mox_sasl_client *c = mem_new(env, struct mox_sasl_client, 1);
    if (c == NULL)
        return MOX_ENOMEM;
    c->env = *env;
    c->mechanism = find(m);
    c->id = m;
    c->offered = offered;
    mox__buf_init(&c->out, &c->env, 0);
    mox__buf_init(&c->scram.header, &c->env, 0);
    mox__buf_init(&c->scram.message, &c->env, 0);
    read_config(&config, given);
    read_channel(&c->channel, config.tls);
    int rc = check_needs(&config, &c->channel, m);
    if (rc == MOX_OK)
        rc = fill(c, &config);
    if (rc == MOX_OK && c->mechanism->start != NULL)
        rc = c->mechanism->start(c);
    if (rc < 0) {
        mox_sasl_client_free(c);
        return rc;
    }
    *out = c;
    return MOX_OK;
}

static void wipe_text(const struct mox_sasl_client *c, char *text)
{
    if (text != NULL)
        mox__wipe(text, strlen(text));
    mox__mem_free(&c->env, text);
}

static void wipe_response(struct mox_sasl_client *c)
{
    if (c->out.data != NULL)
        mox__wipe(c->out.data, c->out.cap);
    mox__buf_free(&c->out);
}

void mox_sasl_client_free(struct mox_sasl_client *c)
{
    if (c == NULL)
        return;
    struct mox_env env = c->env;
    wipe_text(c, c->username);
    wipe_text(c, c->authorize);
    wipe_text(c, c->password);
    wipe_text(c, c->token);
    wipe_text(c, c->hostname);
    wipe_response(c);
    mox__buf_free(&c->scram.header);
    mox__buf_free(&c->scram.message);
    mox__wipe(c, sizeof *c);
    mox__mem_free(&env, c);
}

void mox__sasl_client_set_nonce(struct mox_sasl_client *c, const char *nonce)
{
    (void)snprintf(c->nonce, sizeof c->nonce, "%s", nonce);
}

/* ---- stepping ---- */

int mox__sasl_respond(struct mox_sasl_client *c, size_t max)
{
    wipe_response(c);
    mox__buf_init(&c->out, &c->env, max + 1); /* an empty response has data too */
    return mox__buf_reserve(&c->out, max + 1) == NULL ? MOX_ENOMEM : MOX_OK;
}

int mox__sasl_client_password(const struct mox_sasl_client *c, struct buf *out)
{
    mox__buf_init(out, &c->env, strlen(c->password) + CREDENTIAL_PASSWORD_MAX * 3);
    if (mox__buf_reserve(out, out->max) == NULL)
        return MOX_ENOMEM;
    int rc = mox__password_prepare(out, c->password, NULL);
    if (rc == MOX_EDENIED) /* set on a server that is less strict */
        mox__buf_text(out, c->password);
    return rc == MOX_ENOMEM || out->failed ? MOX_ENOMEM : MOX_OK;
}

int mox_sasl_client_step(struct mox_sasl_client *c, struct mox_slice challenge,
                         struct mox_slice *response)
{
    bool first = !c->started, speaks_first = (c->mechanism->needs & CLIENT_SPEAKS_FIRST) != 0;
    *response = slice(NULL, 0);
    if (c->status < 0)
        return c->status;
    if (challenge.data == NULL && !speaks_first)
        return MOX_OK; /* the server begins */
    c->started = true;
    if (first && speaks_first && challenge.len > 0)
        c->status = MOX_ESYNTAX;
    else
        c->status = c->mechanism->step(c, challenge);
    if (c->status == MOX_OK && c->out.failed)
        c->status = MOX_ENOMEM;
    if (c->status < 0)
        wipe_response(c);
    else
        *response = slice(c->out.data, c->out.len);
    return c->status;
}

int mox_sasl_client_finish(const struct mox_sasl_client *c)
{
    return c->status == MOX_OK && c->is_done ? MOX_OK : MOX_EDENIED;
}
