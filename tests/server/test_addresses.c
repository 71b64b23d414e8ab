/* SPDX-License-Identifier: MIT */
#include <ev.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/login.h"
#include "server/place.h"
#include "server/server.h"
#include "server/talk.h"
#include "support/cm.h"

/* What is configured for addresses and accounts, as clients of a server see it. */

static const char domains[] = "Domains:\n"
                              "\tlocalhost:\n"
                              "\t\tLocalpartCatchallSeparator: +\n"
                              "\t\tAliases:\n"
                              "\t\t\tteam:\n"
                              "\t\t\t\tAddresses:\n"
                              "\t\t\t\t\t- mox@localhost\n"
                              "\t\t\t\tAllowMsgFrom: true\n"
                              "\t\t\tquiet:\n"
                              "\t\t\t\tAddresses:\n"
                              "\t\t\t\t\t- mox@localhost\n"
                              "\t\t\tothers:\n"
                              "\t\t\t\tAddresses:\n"
                              "\t\t\t\t\t- full@localhost\n"
                              "\t\t\t\tAllowMsgFrom: true\n"
                              "Accounts:\n"
                              "\tfull:\n"
                              "\t\tDomain: localhost\n"
                              "\t\tQuotaMessageSize: 10\n"
                              "\t\tDestinations:\n"
                              "\t\t\tfull@localhost: nil\n"
                              "\tmox:\n"
                              "\t\tDomain: localhost\n"
                              "\t\tDestinations:\n"
                              "\t\t\tmox@localhost: nil\n"
                              "\t\t\tgone@localhost:\n"
                              "\t\t\t\tSMTPError: 550 I no longer work here\n"
                              "\t\t\tgone2@localhost:\n"
                              "\t\t\t\tSMTPError: 550\n"
                              "\t\t\tlater@localhost:\n"
                              "\t\t\t\tSMTPError: 421 moving house; %s back on Monday\n"
                              "\t\t\tlater2@localhost:\n"
                              "\t\t\t\tSMTPError: 421\n";

struct host {
    struct test_env t;
    struct place p;
    struct ev_loop *loop;
    struct mox_server *server;
    const struct step *steps;
    uint16_t port;
};

static void stopped(void *user)
{
    struct host *h = user;
    ev_break(h->loop, EVBREAK_ALL);
}

static void *client(void *arg)
{
    struct host *h = arg;
    talk(h->port, h->steps);
    mox_server_stop(h->server);
    return NULL;
}

static void write_domains(struct host *h)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/domains.conf", h->p.dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(domains, f) >= 0);
    assert_int_equal(fclose(f), 0);
    mox_config_free(h->p.files);
    struct mox_config_errors errors;
    mox_config_errors_init(&errors, &h->t.env);
    if (mox_config_load(&h->p.files, &h->t.env, h->p.dir, &errors) != MOX_OK)
        fail_msg("%s", errors.texts[0]);
    mox_config_errors_free(&errors);
}

static int setup(void **state)
{
    struct host *h = calloc(1, sizeof *h);
    struct mox_server_config config;
    struct mox_error err;
    real_time(&h->t);
    make_place(&h->p, &h->t.env);
    write_domains(h);
    configure(&config, &h->p);
    config.loop = h->loop = ev_loop_new(0);
    config.localserve = false;
    config.limits = false;
    config.stopped = stopped;
    config.stopped_user = h;
    if (mox_server_new(&h->server, &h->t.env, &config, &err) < 0)
        fail_msg("%s", err.text);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct host *h = *state;
    mox_server_free(h->server);
    ev_loop_destroy(h->loop);
    remove_place(&h->p);
    test_env_done(&h->t);
    free(h);
    return 0;
}

static void serve(struct host *h, uint16_t service, const struct step *steps)
{
    pthread_t thread;
    h->steps = steps;
    h->port = (uint16_t)(h->p.base + service);
    mox_server_start(h->server);
    assert_int_equal(pthread_create(&thread, NULL, client, h), 0);
    ev_run(h->loop, 0);
    (void)pthread_join(thread, NULL);
}

static void an_address_can_refuse_all_mail(void **state)
{
    static const struct step steps[] = {
        {"EHLO client.example\r\n", "250"},
        {"MAIL FROM:<a@x.example>\r\n", "250"},
        {"RCPT TO:<gone@localhost>\r\n", "550 5.1.1 I no longer work here"},
        {"RCPT TO:<Gone2+tag@localhost>\r\n", "550 5.1.1 no such user"},
        {"RCPT TO:<later@localhost>\r\n", "451 4.3.0 moving house; %s back on Monday"},
        {"RCPT TO:<later2@localhost>\r\n", "451 4.3.0 this address takes no mail for now"},
        {"RCPT TO:<mox@localhost>\r\n", "250"},
        {"QUIT\r\n", "221"},
        {NULL, NULL},
    };
    serve(*state, 25, steps);
}

static void members_send_in_the_name_of_an_alias_that_lets_them(void **state)
{
    static const struct step steps[] = {
        {"EHLO client.example\r\n", "250"},
        {"AUTH PLAIN AG1veEBsb2NhbGhvc3QAbW94bW94bW94\r\n", "235"},
        {"MAIL FROM:<quiet@localhost>\r\n", "550"},
        {"MAIL FROM:<others@localhost>\r\n", "550"},
        {"MAIL FROM:<team@localhost>\r\n", "250"},
        {"RCPT TO:<mox@localhost>\r\n", "250"},
        {"DATA\r\n", "354"},
        {"From: team@localhost\r\n\r\nbody\r\n.\r\n", "250"},
        {"QUIT\r\n", "221"},
        {NULL, NULL},
    };
    serve(*state, 587, steps);
}

static void nobody_logs_in_with_the_address_of_an_alias(void **state)
{
    struct host *h = *state;
    assert_null(mox__login_account(h->server, "team@localhost"));
    assert_non_null(mox__login_account(h->server, "mox@localhost"));
    static const struct step steps[] = {{"QUIT\r\n", "221"}, {NULL, NULL}};
    serve(h, 25, steps);
}

static void an_account_that_is_full_takes_no_message(void **state)
{
    static const struct step steps[] = {
        {"EHLO client.example\r\n", "250"},
        {"MAIL FROM:<a@x.example>\r\n", "250"},
        {"RCPT TO:<full@localhost>\r\n", "250"},
        {"DATA\r\n", "354"},
        {"Subject: too long\r\n\r\nbody\r\n.\r\n", "452"},
        {"QUIT\r\n", "221"},
        {NULL, NULL},
    };
    serve(*state, 25, steps);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_address_can_refuse_all_mail),
        TEST(members_send_in_the_name_of_an_alias_that_lets_them),
        TEST(nobody_logs_in_with_the_address_of_an_alias),
        TEST(an_account_that_is_full_takes_no_message),
    };
    return cmocka_run_group_tests_name("server-addresses", tests, NULL, NULL);
}
