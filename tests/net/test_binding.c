/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/certs.h"
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

/* Exit status of bindings.pl. */
static int compare_with_openssl(uint16_t port, const char *version)
{
    const char *tests = getenv("MOX_TESTS");
    assert_non_null(tests);
    char command[512];
    (void)snprintf(command, sizeof command, "perl '%s/net/bindings.pl' %u %s", tests, port,
                   version);
    int status = system(command); /* NOLINT: the path is of the build */
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void openssl_computes_the_same_bindings(void **state)
{
    struct echo_server *s = *state;
    assert_int_equal(compare_with_openssl(s->tls_port, "1.2"), 0);
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
    assert_int_equal(compare_with_openssl(s->tls_port, "1.3"), 0);
#else
    assert_int_equal(compare_with_openssl(s->tls_port, "1.3"), 77);
#endif
}

static void limit_to_tls12(mbedtls_ssl_config *conf)
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    (void)conf;
#else
    mbedtls_ssl_conf_max_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
#endif
}

/* The exporter as the server says it: 64 letters, or "-". */
static void ask_exporter(struct client *c, char exporter[65])
{
    char heard[256];
    size_t len = 0;
    client_say(c, "BINDINGS\n");
    for (unsigned lines = 0; lines < 3;) {
        assert_int_equal(client_read(c, heard + len, 1), 1);
        lines += heard[len++] == '\n';
    }
    size_t n = strcspn(heard, "\n");
    assert_true(n <= 64);
    memcpy(exporter, heard, n);
    exporter[n] = '\0';
}

/* RFC 9266 §4.2: otherwise somebody in the middle can have both sides compute the same. */
static void without_extended_master_secret_there_is_no_exporter_and_no_ticket(void **state)
{
    struct echo_server *s = *state;
    char exporter[65];
    struct client c;
    client_init(&c, s->cert, dial(s->tls_port), "localhost");
    limit_to_tls12(&c.conf);
    mbedtls_ssl_conf_extended_master_secret(&c.conf, MBEDTLS_SSL_EXTENDED_MS_DISABLED);
    assert_int_equal(client_handshake(&c), 0);
    ask_exporter(&c, exporter);
    assert_string_equal(exporter, "-");
    mbedtls_ssl_session session;
    mbedtls_ssl_session_init(&session);
    assert_int_equal(mbedtls_ssl_get_session(&c.ssl, &session), 0);
    assert_int_equal(session.MBED_FIELD(ticket_len), 0);
    mbedtls_ssl_session_free(&session);
    client_free(&c);
}

static void a_resumed_session_has_an_exporter_of_its_own(void **state)
{
    struct echo_server *s = *state;
    char first[65], second[65];
    mbedtls_ssl_session session;
    mbedtls_ssl_session_init(&session);
    struct client c;
    client_init(&c, s->cert, dial(s->tls_port), "localhost");
    limit_to_tls12(&c.conf);
    assert_int_equal(client_handshake(&c), 0);
    ask_exporter(&c, first);
    assert_int_equal(mbedtls_ssl_get_session(&c.ssl, &session), 0);
    assert_true(session.MBED_FIELD(ticket_len) > 0);
    client_free(&c);

    client_init(&c, s->cert, dial(s->tls_port), "localhost");
    limit_to_tls12(&c.conf);
    assert_int_equal(mbedtls_ssl_setup(&c.ssl, &c.conf), 0);
    assert_int_equal(mbedtls_ssl_set_session(&c.ssl, &session), 0);
    assert_int_equal(mbedtls_ssl_handshake(&c.ssl), 0);
    ask_exporter(&c, second);
    client_free(&c);
    mbedtls_ssl_session_free(&session);
    assert_int_equal(strlen(first), 64);
    assert_int_equal(strlen(second), 64);
    assert_string_not_equal(first, second);
}

static void check_end_point(struct echo_server *s, mbedtls_md_type_t signed_with,
                            mbedtls_md_type_t hashed_with)
{
    char cert[128], key[128];
    (void)snprintf(cert, sizeof cert, "%s/other-cert.pem", s->dir);
    (void)snprintf(key, sizeof key, "%s/other-key.pem", s->dir);
    make_cert(CERT_ECDSA, signed_with, cert, key);
    struct tls_context *ctx;
    struct tls_context_config config = {.cert_file = cert, .key_file = key};
    struct mox_error err;
    assert_int_equal(mox__tls_context_new(&ctx, &s->env.env, &config, &err), MOX_OK);

    uint8_t expected[64];
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(hashed_with);
    assert_int_equal(mbedtls_md(md, ctx->chain.raw.p, ctx->chain.raw.len, expected), 0);
    assert_int_equal(ctx->end_point_len, mbedtls_md_get_size(md));
    assert_memory_equal(ctx->end_point, expected, ctx->end_point_len);
    mox__tls_context_unref(ctx);
    (void)unlink(cert);
    (void)unlink(key);
}

static void the_end_point_is_hashed_as_the_certificate_is_signed_but_never_by_sha1(void **state)
{
    check_end_point(*state, MBEDTLS_MD_SHA1, MBEDTLS_MD_SHA256);
    check_end_point(*state, MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA256);
    check_end_point(*state, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA384);
    check_end_point(*state, MBEDTLS_MD_SHA512, MBEDTLS_MD_SHA512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_computes_the_same_bindings),
        cmocka_unit_test(without_extended_master_secret_there_is_no_exporter_and_no_ticket),
        cmocka_unit_test(a_resumed_session_has_an_exporter_of_its_own),
        cmocka_unit_test(the_end_point_is_hashed_as_the_certificate_is_signed_but_never_by_sha1),
    };
    return cmocka_run_group_tests_name("binding", tests, start, stop);
}
