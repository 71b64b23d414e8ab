/* SPDX-License-Identifier: MIT */
#include <ev.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mox/server.h>

#include "server/place.h"
#include "server/server.h"
#include "server/talk.h"
#include "support/cm.h"
#include "support/testenv.h"

/* -- in the loop of another program ---------------------------------------------------------- */

struct host {
    struct ev_loop *loop;
    struct mox_server *server;
    uint16_t base;
    bool stopped, strict;
};

static void stopped(void *user)
{
    struct host *h = user;
    h->stopped = true;
    ev_break(h->loop, EVBREAK_ALL);
}

static const struct step one_message[] = {
    {"EHLO client.example\r\n", "250"},
    {"MAIL FROM:<a@x.example>\r\n", "250"},
    {"RCPT TO:<b@x.example>\r\n", "250"},
    {"DATA\r\n", "354"},
    {"Subject: x\r\n\r\nbody\r\n.\r\n", "250"},
    {"QUIT\r\n", "221"},
    {NULL, NULL},
};

static const struct step strict_delivery[] = {
    {"EHLO client.example\r\n", "250"},
    {"MAIL FROM:<mailfrom550@x.example>\r\n", "250"}, /* nothing special here */
    {"RCPT TO:<b@x.example>\r\n", "550"},
    {"RCPT TO:<mox@[127.0.0.1]>\r\n", "550"},
    {"RCPT TO:<MOX+tag@LocalHost>\r\n", "250"},
    {"RCPT TO:<postmaster>\r\n", "452"}, /* in a message of its own */
    {"RCPT TO:<nobody@localhost>\r\n", "452"},
    {"DATA\r\n", "354"},
    {"Subject: strict\r\n\r\nbody\r\n.\r\n", "250"},
    {"MAIL FROM:<a@x.example>\r\n", "250"},
    {"RCPT TO:<postmaster>\r\n", "250"},
    {"DATA\r\n", "354"},
    {"Subject: strict\r\n\r\nbody\r\n.\r\n", "250"},
    {"MAIL FROM:<a@x.example>\r\n", "250"},
    {"RCPT TO:<nobody@localhost>\r\n", "250"}, /* told at the end, so that guessing costs */
    {"RCPT TO:<mox@localhost>\r\n", "452"},
    {"DATA\r\n", "354"},
    {"Subject: strict\r\n\r\nbody\r\n.\r\n", "550"},
    {"RCPT TO:<mox@localhost>\r\n", "503"},
    {"QUIT\r\n", "221"},
    {NULL, NULL},
};

static const struct step strict_submission[] = {
    {"EHLO client.example\r\n", "250"},
    {"MAIL FROM:<mox@localhost>\r\n", "530"},
    {"AUTH PLAIN AG1veEBsb2NhbGhvc3QAbW94bW94bW94\r\n", "235"},
    {"MAIL FROM:<a@x.example>\r\n", "550"},
    {"MAIL FROM:<nobody@localhost>\r\n", "550"},
    {"MAIL FROM:<mox@[127.0.0.1]>\r\n", "550"},
    {"MAIL FROM:<mox+tag@localhost>\r\n", "250"},
    {"RCPT TO:<b@x.example>\r\n", "550"},
    {"RCPT TO:<nobody@localhost>\r\n", "550"},
    {"RCPT TO:<mox@localhost>\r\n", "250"},
    {"DATA\r\n", "354"},
    {"From: mox@localhost\r\nSubject: strict\r\n\r\nbody\r\n.\r\n", "250"},
    {"MAIL FROM:<>\r\n", "250"},
    {"RCPT TO:<mox@localhost>\r\n", "250"},
    {"DATA\r\n", "354"},
    {"From: other@localhost\r\n\r\nbody\r\n.\r\n", "550"},
    {"MAIL FROM:<mox@localhost>\r\n", "250"},
    {"RCPT TO:<mox@localhost>\r\n", "250"},
    {"DATA\r\n", "354"},
    {"Subject: no From\r\n\r\nbody\r\n.\r\n", "550"},
    {"QUIT\r\n", "221"},
    {NULL, NULL},
};

/* Clients, on a thread of their own; then the server is told to stop, from there. */
static void *send_mail(void *arg)
{
    const struct host *h = arg;
    if (h->strict) {
        talk((uint16_t)(h->base + 25), strict_delivery);
        talk((uint16_t)(h->base + 587), strict_submission);
    } else {
        talk((uint16_t)(h->base + 25), one_message);
    }
    mox_server_stop(h->server);
    return NULL;
}

static void serve_in_loop(bool strict, size_t delivered)
{
    struct test_env t;
    struct place p;
    struct host h = {.loop = ev_loop_new(0), .strict = strict};
    struct mox_server_config config;
    struct mox_error err;
    real_time(&t);
    make_place(&p, &t.env);
    configure(&config, &p);
    config.loop = h.loop;
    config.localserve = !strict;
    config.limits = false;
    config.stopped = stopped;
    config.stopped_user = &h;
    h.base = p.base;
    if (mox_server_new(&h.server, &t.env, &config, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(mox_server_address_count(h.server), 5);
    mox_server_start(h.server);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_mail, &h), 0);
    ev_run(h.loop, 0);
    (void)pthread_join(thread, NULL);
    assert_true(h.stopped);
    mox_server_free(h.server);
    ev_loop_destroy(h.loop);
    size_t found = 0;
    for (const char *at = t.log; (at = strstr(at, "message delivered")) != NULL; at++)
        found++;
    assert_int_equal(found, delivered);
    remove_place(&p);
    test_env_done(&t);
}

static void a_server_runs_in_the_loop_of_another_program(void **state)
{
    (void)state;
    serve_in_loop(false, 1);
}

static void a_server_that_is_no_test_server_takes_its_own_addresses_only(void **state)
{
    (void)state;
    serve_in_loop(true, 3);
}

/* -- failures -------------------------------------------------------------------------------- */

static void a_server_that_cannot_start_leaves_nothing_behind(void **state)
{
    (void)state;
    struct test_env t;
    struct place p;
    struct mox_server_config config;
    struct mox_server *s = NULL;
    real_time(&t);
    make_place(&p, &t.env);
    configure(&config, &p);
    int rc = MOX_ENOMEM;
    for (long n = 1; rc < 0; n++) {
        struct mox_error err = {.text = ""};
        t.allocations = 0;
        t.fail_at = n;
        rc = mox_server_new(&s, &t.env, &config, &err);
        t.fail_at = 0;
        if (rc < 0) {
            assert_null(s);
            assert_int_not_equal(err.text[0], '\0');
        }
        assert_true(n < 2000);
    }
    mox_server_free(s);
    remove_place(&p);
    test_env_done(&t);
}

static void a_directory_that_cannot_be_made_leaves_nothing_behind(void **state)
{
    (void)state;
    struct test_env t;
    struct place p = {.files = NULL};
    struct mox_localserve_config config;
    real_time(&t);
    (void)snprintf(p.parent, sizeof p.parent, "/tmp/mox-server-XXXXXX");
    assert_non_null(mkdtemp(p.parent));
    (void)snprintf(p.dir, sizeof p.dir, "%s/server", p.parent);
    mox_localserve_config_init(&config);
    config.dir = p.dir;
    for (long n = 1; n < 60; n += 3) { /* each costs a key and a database */
        struct mox_error err = {.text = ""};
        t.allocations = 0;
        t.fail_at = n;
        int rc = mox_localserve_prepare(&p.files, &t.env, &config, &err);
        t.fail_at = 0;
        if (rc == MOX_OK)
            break;
        assert_int_not_equal(err.text[0], '\0');
        if (access(p.dir, F_OK) == 0) /* it was whole, and loading it failed */
            assert_int_equal(mox_localserve_prepare(&p.files, &t.env, &config, &err), MOX_OK);
        mox_config_free(p.files);
        p.files = NULL;
        remove_tree(p.dir);
    }
    remove_place(&p);
    test_env_done(&t);
}

static void a_second_server_on_a_directory_is_refused(void **state)
{
    (void)state;
    struct test_env t;
    struct place p;
    struct mox_server_config config;
    struct mox_server *first = NULL, *second = NULL;
    struct mox_error err;
    real_time(&t);
    make_place(&p, &t.env);
    configure(&config, &p);
    assert_int_equal(mox_server_new(&first, &t.env, &config, &err), MOX_OK);
    assert_int_equal(mox_server_new(&second, &t.env, &config, &err), MOX_EBUSY);
    assert_null(strchr(err.text, '\n'));
    assert_null(strstr(err.text, "port"));
    mox_server_free(first);
    assert_int_equal(mox_server_new(&second, &t.env, &config, &err), MOX_OK);
    mox_server_free(second);
    remove_place(&p);
    test_env_done(&t);
}

static void the_key_of_received_ids_stays(void **state)
{
    (void)state;
    struct test_env t;
    uint8_t first[24], second[24];
    char dir[] = "/tmp/mox-server-XXXXXX";
    struct mox_error err;
    test_env_init(&t);
    assert_non_null(mkdtemp(dir));
    assert_int_equal(mox__received_id_key(&t.env, dir, first, &err), MOX_OK);
    assert_int_equal(mox__received_id_key(&t.env, dir, second, &err), MOX_OK);
    assert_memory_equal(first, second, sizeof first);
    remove_tree(dir);
    assert_int_equal(mox__received_id_key(&t.env, dir, first, &err), MOX_ENOTFOUND);
    test_env_done(&t);
}

/* Received IDs of before would say nothing any more, and users that do not exist get other salts. */
static void a_key_of_received_ids_that_cannot_be_read_is_not_replaced(void **state)
{
    (void)state;
    struct test_env t;
    uint8_t key[24];
    char dir[] = "/tmp/mox-server-XXXXXX", path[100];
    struct mox_error err;
    test_env_init(&t);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/receivedid.key", dir);
    assert_int_equal(symlink("receivedid.key", path), 0); /* to itself: ELOOP */
    assert_true(mox__received_id_key(&t.env, dir, key, &err) < 0);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(unlink(path), 0);

    FILE *f = fopen(path, "w"); /* what a full disk left */
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(mox__received_id_key(&t.env, dir, key, &err), MOX_OK);
    remove_tree(dir);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_runs_in_the_loop_of_another_program),
        cmocka_unit_test(a_server_that_is_no_test_server_takes_its_own_addresses_only),
        cmocka_unit_test(a_server_that_cannot_start_leaves_nothing_behind),
        cmocka_unit_test(a_directory_that_cannot_be_made_leaves_nothing_behind),
        cmocka_unit_test(a_second_server_on_a_directory_is_refused),
        cmocka_unit_test(the_key_of_received_ids_stays),
        cmocka_unit_test(a_key_of_received_ids_that_cannot_be_read_is_not_replaced),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
