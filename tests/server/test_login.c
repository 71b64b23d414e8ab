/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <ev.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mox/server.h>

#include "server/place.h"
#include "server/server.h"
#include "server/talk.h"
#include "support/cm.h"

/* Who may log in to a running server: what no client of the tests in e2e/ can show. */

#define WORKERS 2

struct host {
    struct ev_loop *loop;
    struct mox_server *server;
    uint16_t port, imap_port;
    const struct step *steps;
    struct test_env *t;
    bool mox_is_open; /* the account, when the server has stopped */
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
    struct host *h = user;
    const struct mox_config_account *account = mox_config_account(h->server->files, "mox");
    h->mox_is_open = mox__account_is_open(h->server, account);
    ev_break(h->loop, EVBREAK_ALL);
}

/* Judges wait while this is set, and are counted. */
static atomic_bool judges_wait;
static atomic_int judged;

/* The embedder's: a token names its bearer. */
static int judge(void *user, const char *token, char username[MOX_SASL_USERNAME_MAX])
{
    (void)user;
    atomic_fetch_add(&judged, 1);
    while (atomic_load(&judges_wait))
        (void)usleep(1000);
    if (strcmp(token, "bad") == 0)
        return MOX_EDENIED;
    if (strcmp(token, "broken") == 0)
        return MOX_EIO;
    if (username[0] == '\0')
        (void)snprintf(username, MOX_SASL_USERNAME_MAX, "%s@localhost", token);
    return MOX_OK;
}

/* Submission without TLS, to an account with this reason why nobody may log in. */
static void serve_to(void *(*client)(void *host), const struct step *steps,
                     const char *login_disabled, struct host *h)
{
    struct test_env t;
    struct place p;
    *h = (struct host){.loop = ev_loop_new(0), .steps = steps, .t = &t};
    struct mox_server_config config;
    struct mox_error err;
    real_time(&t);
    t.log_level = MOX_LOG_DEBUG;
    make_place(&p, &t.env);
    struct mox_config_account *account =
        (struct mox_config_account *)(uintptr_t)mox_config_account(p.files, "mox");
    const char *before = account->login_disabled;
    account->login_disabled = login_disabled;
    configure(&config, &p);
    config.loop = h->loop;
    config.workers = WORKERS;
    config.limits = false;
    config.token = judge;
    config.stopped = stopped;
    config.stopped_user = h;
    h->port = (uint16_t)(p.base + 587);
    h->imap_port = (uint16_t)(p.base + 143);
    if (mox_server_new(&h->server, &t.env, &config, &err) < 0)
        fail_msg("%s", err.text);
    mox_server_start(h->server);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, client, h), 0);
    ev_run(h->loop, 0);
    (void)pthread_join(thread, NULL);
    mox_server_free(h->server);
    ev_loop_destroy(h->loop);
    account->login_disabled = before;
    remove_place(&p);
    test_env_done(&t);
}

static void serve(const struct step *steps, const char *login_disabled)
{
    struct host h;
    serve_to(speak, steps, login_disabled, &h);
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

/* An unknown name costs what a known one does: somebody else's account is looked at, and kept as well. */
static void an_account_stays_open_after_a_guess_at_its_password(void **state)
{
    static const struct step known[] = {
        {"EHLO client.example\r\n", "250"},
        {"AUTH PLAIN AG1veEBsb2NhbGhvc3QAbm90LXRoZS1wYXNzd29yZA==\r\n", "535 5.7.8"},
        {"QUIT\r\n", "221"},
        {NULL, NULL},
    };
    static const struct step unknown[] = {
        {"EHLO client.example\r\n", "250"},
        {"AUTH PLAIN AG5vYm9keUBsb2NhbGhvc3QAbW94bW94bW94\r\n", "535 5.7.8"},
        {"QUIT\r\n", "221"},
        {NULL, NULL},
    };
    struct host h;
    (void)state;
    serve_to(speak, known, "", &h);
    assert_true(h.mox_is_open);
    serve_to(speak, unknown, "", &h);
    assert_true(h.mox_is_open);
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

/* -- who does not wait ------------------------------------------------------------------------ */

/* A client that has said this, after the greeting. */
static FILE *begin(uint16_t port, const char *words)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char line[512];
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    FILE *f = fdopen(fd, "r+");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    assert_true(fputs(words, f) >= 0 && fflush(f) == 0);
    return f;
}

static void leave(const struct host *h, FILE *f, unsigned closed)
{
    assert_int_equal(fclose(f), 0);
    for (int i = 0; i < 60000 && test_env_logged(h->t, "connection closed") < closed; i++)
        (void)usleep(1000);
    assert_int_equal(test_env_logged(h->t, "connection closed"), closed);
}

static void wait_for_judges(int count)
{
    for (int i = 0; i < 60000 && atomic_load(&judged) < count; i++)
        (void)usleep(1000);
    assert_int_equal(atomic_load(&judged), count);
}

static void *leave_one_after_the_other(void *arg)
{
    static const char imap[] = "a AUTHENTICATE OAUTHBEARER biwsAWF1dGg9QmVhcmVyIG1veAEB\r\n";
    const struct host *h = arg;
    FILE *f[WORKERS + 1];
    atomic_store(&judges_wait, true);
    atomic_store(&judged, 0);
    for (int i = 0; i < WORKERS; i++)
        f[i] = begin(h->imap_port, imap);
    wait_for_judges(WORKERS);
    f[WORKERS] = begin(h->imap_port, imap); /* waits for a worker */
    for (int i = 0; i < WORKERS + 1; i++)
        leave(h, f[i], (unsigned)i + 1);
    atomic_store(&judges_wait, false);
    mox_server_stop(h->server);
    return NULL;
}

/* Who was being judged has an account, which is not closed where it would hold up all others. */
static void a_login_that_nobody_waits_for_is_not_checked(void **state)
{
    struct host h;
    (void)state;
    serve_to(leave_one_after_the_other, NULL, "", &h);
    assert_int_equal(atomic_load(&judged), WORKERS);
    assert_true(h.mox_is_open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_embedder_judges_tokens),
        cmocka_unit_test(an_account_stays_open_after_a_guess_at_its_password),
        cmocka_unit_test(whoever_knows_the_password_of_a_closed_account_is_told_why),
        cmocka_unit_test(a_login_that_nobody_waits_for_is_not_checked),
    };
    return cmocka_run_group_tests_name("server-login", tests, NULL, NULL);
}
