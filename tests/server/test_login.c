/* SPDX-License-Identifier: MIT */
#include <ev.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <mox/server.h>

#include "server/place.h"
#include "server/talk.h"
#include "support/cm.h"

/* Who may log in to a running server: what no client of the tests in e2e/ can show. */

struct host {
    struct ev_loop *loop;
    struct mox_server *server;
    uint16_t port;
    const struct step *steps;
};

static void *speak(void *arg)
{
    const struct host *h = arg;
    talk(h->port, h->steps);
    mox_server_stop(h->server);
    return NULL;
}

static void stopped(void *user)
{
    ev_break(user, EVBREAK_ALL);
}

/* The embedder's: a token names its bearer. */
static int judge(void *user, const char *token, char username[MOX_SASL_USERNAME_MAX])
{
    (void)user;
    if (strcmp(token, "bad") == 0)
        return MOX_EDENIED;
    if (strcmp(token, "broken") == 0)
        return MOX_EIO;
    if (username[0] == '\0')
        (void)snprintf(username, MOX_SASL_USERNAME_MAX, "%s@localhost", token);
    return MOX_OK;
}

/* Submission without TLS, to an account with this reason why nobody may log in. */
static void serve(const struct step *steps, const char *login_disabled)
{
    struct test_env t;
    struct place p;
    struct host h = {.loop = ev_loop_new(0), .steps = steps};
    struct mox_server_config config;
    struct mox_error err;
    real_time(&t);
    make_place(&p, &t.env);
    struct mox_config_account *account =
        (struct mox_config_account *)(uintptr_t)mox_config_account(p.files, "mox");
    const char *before = account->login_disabled;
    account->login_disabled = login_disabled;
    configure(&config, &p);
    config.loop = h.loop;
    config.limits = false;
    config.token = judge;
    config.stopped = stopped;
    config.stopped_user = h.loop;
    h.port = (uint16_t)(p.base + 587);
    if (mox_server_new(&h.server, &t.env, &config, &err) < 0)
        fail_msg("%s", err.text);
    mox_server_start(h.server);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, speak, &h), 0);
    ev_run(h.loop, 0);
    (void)pthread_join(thread, NULL);
    mox_server_free(h.server);
    ev_loop_destroy(h.loop);
    account->login_disabled = before;
    remove_place(&p);
    test_env_done(&t);
}

static void an_embedder_judges_tokens(void **state)
{
    static const struct step steps[] = {
        {"EHLO client.example\r\n", "250"},
        {"AUTH OAUTHBEARER biwsAWF1dGg9QmVhcmVyIGJhZAEB\r\n", "334"},
        {"AQ==\r\n", "535 5.7.8"},
        /* Somebody whom the configuration does not know. */
        {"AUTH OAUTHBEARER biwsAWF1dGg9QmVhcmVyIG5vYm9keQEB\r\n", "334"},
        {"AQ==\r\n", "535 5.7.8"},
        {"AUTH OAUTHBEARER biwsAWF1dGg9QmVhcmVyIGJyb2tlbgEB\r\n", "454 4.7.0"},
        {"AUTH OAUTHBEARER biwsAWF1dGg9QmVhcmVyIG1veAEB\r\n", "235 2.7.0"},
        {"MAIL FROM:<mox@localhost>\r\n", "250"},
        {"QUIT\r\n", "221"},
        {NULL, NULL},
    };
    (void)state;
    serve(steps, "");
}

static void whoever_knows_the_password_of_a_closed_account_is_told_why(void **state)
{
    static const struct step steps[] = {
        {"EHLO client.example\r\n", "250"},
        {"AUTH PLAIN AG1veEBsb2NhbGhvc3QAbW94bW94bW94\r\n", "525 5.7.13 Closed until Monday"},
        {"AUTH PLAIN AG1veEBsb2NhbGhvc3QAbm90LXRoZS1wYXNzd29yZA==\r\n", "535 5.7.8"},
        {"AUTH PLAIN AG5vYm9keUBsb2NhbGhvc3QAbW94bW94bW94\r\n", "535 5.7.8"},
        {"AUTH OAUTHBEARER biwsAWF1dGg9QmVhcmVyIG1veAEB\r\n", "525 5.7.13 Closed until Monday"},
        {"MAIL FROM:<mox@localhost>\r\n", "530"},
        {"QUIT\r\n", "221"},
        {NULL, NULL},
    };
    (void)state;
    serve(steps, "Closed until Monday");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_embedder_judges_tokens),
        cmocka_unit_test(whoever_knows_the_password_of_a_closed_account_is_told_why),
    };
    return cmocka_run_group_tests_name("server-login", tests, NULL, NULL);
}
