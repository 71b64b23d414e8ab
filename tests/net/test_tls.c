/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/echo.h"
#include "net/tlsclient.h"
#include "support/cm.h"

static int start(void **state)
{
    struct echo_server *s = calloc(1, sizeof *s);
    assert_non_null(s);
    echo_start(s);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    echo_stop(*state);
    free(*state);
    return 0;
}

/* -- tests ----------------------------------------------------------------------------------- */

static void a_client_that_trusts_the_certificate_is_served(void **state)
{
    struct echo_server *s = *state;
    struct client c;
    client_init(&c, s->cert, dial(s->tls_port), "localhost");
    assert_int_equal(client_handshake(&c), 0);
    client_say(&c, "TLS?\n");
    char version[16] = "";
    const char *cipher = mbedtls_ssl_get_ciphersuite(&c.ssl);
    int n = client_read(&c, version, 7);
    assert_int_equal(n, 7);
    assert_true(strcmp(version, "TLS1.2 ") == 0 || strcmp(version, "TLS1.3 ") == 0);
    assert_non_null(cipher);
    char rest[256] = "";
    n = client_read(&c, rest, sizeof rest - 1);
    assert_true(n > 0);
    assert_non_null(strstr(rest, "TLS_"));
    assert_non_null(strstr(rest, " localhost\n"));
    client_say(&c, "QUIT\n");
    client_expect(&c, "bye\n");
    unsigned char end;
    assert_int_equal(client_read(&c, &end, 1), MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    client_free(&c);
}

static void starttls_goes_over_to_tls(void **state)
{
    struct echo_server *s = *state;
    int fd = dial(s->port);
    say(fd, "plain\nSTARTTLS\n");
    expect(fd, "plain");
    expect(fd, "go");
    struct client c;
    client_init(&c, s->cert, fd, "localhost");
    assert_int_equal(client_handshake(&c), 0);
    client_say(&c, "secret\nRUN\nBIG 1\n");
    client_expect(&c, "secret\n");
    client_free(&c);
}

/* The bytes reach the handshake, not the engine: RFC 3207 §4.2, CVE-2011-0411 and its like. */
static void plain_text_injected_behind_starttls_breaks_the_handshake(void **state)
{
    struct echo_server *s = *state;
    int fd = dial(s->port);
    say(fd, "STARTTLS\ninjected\n");
    expect(fd, "go");
    const char *heard = hear(fd); /* an alert, perhaps; never the line */
    assert_true(heard == NULL || strstr(heard, "injected") == NULL);
    (void)close(fd);

    fd = dial(s->port);
    say(fd, "STARTTLS\nx\n");
    expect(fd, "go");
    struct client c;
    client_init(&c, s->cert, fd, "localhost");
    assert_int_not_equal(client_handshake(&c), 0);
    client_free(&c);
}

/* A client that does not wait for "go" is within its rights as far as TLS is concerned. */
static void a_client_hello_right_behind_starttls_is_handshake(void **state)
{
    struct echo_server *s = *state;
    int fd = dial(s->port), on = 1;
    (void)setsockopt(fd, 6 /* TCP */, 3 /* CORK */, &on, sizeof on);
    struct client c;
    client_init(&c, s->cert, fd, "localhost");
    say(fd, "STARTTLS\n");
    assert_int_equal(mbedtls_ssl_setup(&c.ssl, &c.conf), 0);
    while (mbedtls_ssl_handshake_step(&c.ssl) == 0 &&
           c.ssl.MBED_FIELD(state) < MBEDTLS_SSL_SERVER_HELLO)
        ;
    on = 0;
    (void)setsockopt(fd, 6, 3, &on, sizeof on);
    expect(fd, "go");
    assert_int_equal(mbedtls_ssl_handshake(&c.ssl), 0);
    client_say(&c, "hello\n");
    client_expect(&c, "hello\n");
    client_free(&c);
}

static struct pool *busy, *workers;

static void be_busy(struct echo_server *s)
{
    workers = s->net->workers;
    assert_int_equal(mox__pool_new(&busy, &s->env.env, s->net->loop, "busy", 1, 0), MOX_OK);
    s->net->workers = busy;
}

static void be_ready(struct echo_server *s)
{
    s->net->workers = workers;
    mox__pool_free(busy);
}

static void a_handshake_that_no_worker_takes_ends_the_connection(void **state)
{
    struct echo_server *s = *state;
    echo_call(s, be_busy);
    int fd = dial(s->port);
    say(fd, "STARTTLS\n\x16\x03\x01");
    expect(fd, "go");
    expect_end(fd);
    echo_call(s, be_ready);
}

static void refused(struct echo_server *s, void (*spoil)(mbedtls_ssl_config *conf))
{
    struct client c;
    client_init(&c, s->cert, dial(s->tls_port), "localhost");
    spoil(&c.conf);
    assert_int_not_equal(client_handshake(&c), 0);
    client_free(&c);
}

#if MBEDTLS_VERSION_NUMBER < 0x03000000
static void only_tls11(mbedtls_ssl_config *conf)
{
    mbedtls_ssl_conf_min_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_2);
    mbedtls_ssl_conf_max_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_2);
}
#endif

static void only_cbc(mbedtls_ssl_config *conf)
{
    static const int suites[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, 0};
    mbedtls_ssl_conf_ciphersuites(conf, suites);
}

static void only_ccm(mbedtls_ssl_config *conf)
{
    static const int suites[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM, 0};
    mbedtls_ssl_conf_ciphersuites(conf, suites);
}

static void old_versions_and_weak_suites_are_refused(void **state)
{
    struct echo_server *s = *state;
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    refused(s, only_tls11);
#endif
    refused(s, only_cbc);
    refused(s, only_ccm);
}

static void the_certificate_is_for_its_names_only(void **state)
{
    struct echo_server *s = *state;
    struct client c;
    client_init(&c, s->cert, dial(s->tls_port), "example.org");
    assert_int_not_equal(client_handshake(&c), 0);
    client_free(&c);
}

static void a_session_is_resumed_by_its_ticket(void **state)
{
    struct echo_server *s = *state;
    mbedtls_ssl_session saved;
    mbedtls_ssl_session_init(&saved);
    struct client c;
    client_init(&c, s->cert, dial(s->tls_port), "localhost");
    assert_int_equal(client_handshake(&c), 0);
    client_say(&c, "x\n");
    client_expect(&c, "x\n");
    assert_int_equal(mbedtls_ssl_get_session(&c.ssl, &saved), 0);
    client_free(&c);

    client_init(&c, s->cert, dial(s->tls_port), "localhost");
    assert_int_equal(mbedtls_ssl_setup(&c.ssl, &c.conf), 0);
    assert_int_equal(mbedtls_ssl_set_session(&c.ssl, &saved), 0);
    int steps = 0;
    bool had_certificate = false;
    while (c.ssl.MBED_FIELD(state) != MBEDTLS_SSL_HANDSHAKE_OVER && steps++ < 50) {
        assert_int_equal(mbedtls_ssl_handshake_step(&c.ssl), 0);
        had_certificate =
            had_certificate || c.ssl.MBED_FIELD(state) == MBEDTLS_SSL_CERTIFICATE_VERIFY;
    }
    assert_false(had_certificate);
    client_say(&c, "y\n");
    client_expect(&c, "y\n");
    client_free(&c);
    mbedtls_ssl_session_free(&saved);
}

static void sweep_now(struct echo_server *s)
{
    s->net->sweep.due(&s->net->sweep);
}

/* Its record buffers come back as zeroes, and must not be missed. */
static void an_idle_connection_gives_its_memory_back_and_goes_on(void **state)
{
    struct echo_server *s = *state;
    struct client c;
    client_init(&c, s->cert, dial(s->tls_port), "localhost");
    assert_int_equal(client_handshake(&c), 0);
    for (int i = 0; i < 3; i++) {
        client_say(&c, "before\n");
        client_expect(&c, "before\n");
        echo_call(s, sweep_now);
        echo_call(s, sweep_now);
    }
    client_say(&c, "after\n");
    client_expect(&c, "after\n");
    client_free(&c);
}

static size_t resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    unsigned long all = 0, pages = 0;
    assert_int_equal(fscanf(f, "%lu %lu", &all, &pages), 2);
    (void)fclose(f);
    return pages * 4096;
}

static void skip_bytes(struct client *c, size_t left)
{
    static unsigned char chunk[16384];
    while (left > 0) {
        int n = client_read(c, chunk, left < sizeof chunk ? left : sizeof chunk);
        assert_true(n > 0);
        left -= (size_t)n;
    }
}

/* The clients are in the same process and count too; they free nothing, so the difference is ours.
 */
static void memory_of_idle_connections_is_measured(void **state)
{
    struct echo_server *s = *state;
    enum { COUNT = 60 };
    struct client *clients = calloc(COUNT, sizeof *clients);
    assert_non_null(clients);
    for (int i = 0; i < COUNT; i++) {
        client_init(&clients[i], s->cert, dial(s->tls_port), "localhost");
        assert_int_equal(client_handshake(&clients[i]), 0);
        client_say(&clients[i], "BIG 1\n"); /* full records, so that the buffers are all in use */
        skip_bytes(&clients[i], 1024 * 1024);
    }
    size_t before = resident();
    echo_call(s, sweep_now);
    echo_call(s, sweep_now);
    size_t after = resident();
    print_message("%d idle TLS connections: %zu bytes each were given back\n", COUNT,
                  (before - after) / COUNT);
    for (int i = 0; i < COUNT; i++) {
        client_say(&clients[i], "y\n");
        client_expect(&clients[i], "y\n");
        client_free(&clients[i]);
    }
    free(clients);
}

static void the_key_is_for_its_owner_and_files_are_never_overwritten(void **state)
{
    struct echo_server *s = *state;
    struct stat st;
    assert_int_equal(stat(s->key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    static const char *const names[] = {"localhost"};
    struct mox_error err;
    assert_int_equal(mox__tls_self_signed(&s->env.env, names, 1, s->cert, s->key, &err),
                     MOX_EEXISTS);
}

static void a_missing_or_foreign_file_is_named(void **state)
{
    struct echo_server *s = *state;
    struct tls_context *ctx;
    struct mox_error err;
    struct tls_context_config missing = {.cert_file = "/nonexistent/cert.pem", .key_file = s->key};
    assert_true(mox__tls_context_new(&ctx, &s->env.env, &missing, &err) < 0);
    assert_non_null(strstr(err.text, "/nonexistent/cert.pem"));
    struct tls_context_config swapped = {.cert_file = s->key, .key_file = s->cert};
    assert_true(mox__tls_context_new(&ctx, &s->env.env, &swapped, &err) < 0);
    assert_non_null(strstr(err.text, s->key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_trusts_the_certificate_is_served),
        cmocka_unit_test(starttls_goes_over_to_tls),
        cmocka_unit_test(plain_text_injected_behind_starttls_breaks_the_handshake),
        cmocka_unit_test(a_client_hello_right_behind_starttls_is_handshake),
        cmocka_unit_test(a_handshake_that_no_worker_takes_ends_the_connection),
        cmocka_unit_test(old_versions_and_weak_suites_are_refused),
        cmocka_unit_test(the_certificate_is_for_its_names_only),
        cmocka_unit_test(a_session_is_resumed_by_its_ticket),
        cmocka_unit_test(an_idle_connection_gives_its_memory_back_and_goes_on),
        cmocka_unit_test(memory_of_idle_connections_is_measured),
        cmocka_unit_test(the_key_is_for_its_owner_and_files_are_never_overwritten),
        cmocka_unit_test(a_missing_or_foreign_file_is_named),
    };
    return cmocka_run_group_tests_name("tls", tests, start, stop);
}
