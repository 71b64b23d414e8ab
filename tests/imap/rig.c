/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "support/cm.h"
#include "support/sasl_users.h"

static int login(void *user, const struct mox_sasl_question *q, struct mox_sasl_answer *a,
                 struct mox_mailstore *store)
{
    const struct rig *r = user;
    if (q->ask != MOX_SASL_ASK_PASSWORD) {
        int rc = sasl_users_answer(q, a);
        if (rc == MOX_OK && q->ask != MOX_SASL_ASK_RECORD)
            *store = *r->store;
        return rc;
    }
    if (strcmp(q->password, "later") == 0)
        return MOX_LATER;
    if (strcmp(q->password, "broken") == 0)
        return MOX_EIO;
    if (strcmp(q->username, "u@example.org") != 0 || strcmp(q->password, "secret") != 0)
        return MOX_EDENIED;
    *store = *r->store;
    return MOX_OK;
}

static void auth_ended(void *user, const struct mox_sasl_attempt *attempt)
{
    struct rig *r = user;
    r->attempts++;
    r->last_failure = attempt->failure;
    r->last_is_harmless = attempt->harmless;
}

static void wake(void *user)
{
    struct rig *r = user;
    r->wakes++;
}

static const struct mox_imap_server_callbacks callbacks = {
    .size = sizeof callbacks, .auth = login, .wake = wake, .auth_ended = auth_ended};

static int open_with(struct rig *r, const struct mox_env *env, struct mox_mailstore *store,
                     size_t max_output_bytes, long steps)
{
    *r = (struct rig){.env = *env, .store = store, .steps_left = steps};
    struct mox_imap_server_config config;
    mox_imap_server_config_init(&config);
    config.hostname = "mx.example";
    config.auth_without_tls = true;
    config.starttls = true;
    config.mechanisms = ~0u;
    config.login_delay_us = 0;
    config.max_output_bytes = max_output_bytes;
    struct mox_peer peer = {.size = sizeof peer, .cid = 10};
    strcpy(peer.remote_ip, "192.0.2.1");
    return mox_imap_server_new(&r->server, env, &config, &peer, &callbacks, r);
}

int rig_open(struct rig *r, const struct mox_env *env, struct mox_mailstore *store)
{
    return open_with(r, env, store, 256 * 1024, LONG_MAX);
}

int rig_open_short(struct rig *r, const struct mox_env *env, struct mox_mailstore *store,
                   long steps)
{
    return open_with(r, env, store, 64, steps);
}

void rig_close(struct rig *r)
{
    mox_imap_server_free(r->server);
    free(r->said);
}

static void take_output(struct rig *r)
{
    const uint8_t *data = NULL;
    size_t len = mox_imap_server_output(r->server, &data);
    r->said = realloc(r->said, r->said_len + len + 1);
    assert_non_null(r->said);
    memcpy(r->said + r->said_len, data, len);
    r->said_len += len;
    r->said[r->said_len] = '\0';
    mox_imap_server_sent(r->server, len);
}

int rig_settle(struct rig *r)
{
    int rc = MOX_OK;
    for (; r->steps_left > 0; r->steps_left--) {
        unsigned wants = mox_imap_server_wants(r->server);
        if (wants & MOX_WANTS_WRITE) {
            take_output(r);
        } else if (wants & MOX_WANTS_CLOSE) {
            return rc;
        } else if (r->wakes > 0) {
            r->wakes = 0;
            rc = mox_imap_server_woken(r->server);
        } else if (wants & MOX_WANTS_RUN) {
            rc = mox_imap_server_run(r->server);
        } else {
            return rc;
        }
    }
    return rc;
}

int rig_send_bytes(struct rig *r, const void *data, size_t len)
{
    int rc = rig_settle(r);
    if (rc < 0 || r->steps_left == 0 || (mox_imap_server_wants(r->server) & MOX_WANTS_READ) == 0)
        return rc;
    rc = mox_imap_server_input(r->server, data, len);
    int then = rig_settle(r);
    return rc < 0 ? rc : then;
}

int rig_send(struct rig *r, const char *text)
{
    return rig_send_bytes(r, text, strlen(text));
}

bool rig_said(struct rig *r, const char *text)
{
    bool found = r->said != NULL && strstr(r->said, text) != NULL;
    free(r->said);
    r->said = NULL;
    r->said_len = 0;
    return found;
}
