/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "net/certs.h"
#include "net/echo.h"
#include "net/tlsclient.h"
#include "support/cm.h"

/* A server that knows one of two certificates. */
struct fixture {
    struct echo_server s;
    char cert[2][128], key[2][128];
};

static void read_text(const char *file, char *out, size_t size)
{
    FILE *f = fopen(file, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, size - 1, f);
    out[n] = '\0';
    (void)fclose(f);
}

static int read_pem(struct tls_client_key *out, const char *pem, struct mox_error *err)
{
    return mox__tls_read_client_key(out, (struct mox_slice){(const uint8_t *)pem, strlen(pem) + 1},
                                    err);
}

static void make_certs(struct fixture *f, const char *dir)
{
    for (int i = 0; i < 2; i++) {
        (void)snprintf(f->cert[i], sizeof f->cert[i], "%s/client-%d-cert.pem", dir, i);
        (void)snprintf(f->key[i], sizeof f->key[i], "%s/client-%d-key.pem", dir, i);
        make_cert(CERT_ECDSA, MBEDTLS_MD_SHA256, f->cert[i], f->key[i]);
    }
}

static int start(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->s.asks_for_keys = true;
    echo_start(&f->s);
    make_certs(f, f->s.dir);
    char pem[4096];
    struct tls_client_key key;
    read_text(f->cert[0], pem, sizeof pem);
    assert_int_equal(read_pem(&key, pem, NULL), MOX_OK);
    assert_string_equal(key.kind, "ecdsa-p256");
    memcpy(f->s.known_key, key.fingerprint, sizeof f->s.known_key);
    atomic_store(&f->s.knows, true);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        (void)unlink(f->cert[i]);
        (void)unlink(f->key[i]);
    }
    echo_stop(&f->s);
    free(f);
    return 0;
}

/* -- a client -------------------------------------------------------------------------------- */

enum tls_versions { ANY_VERSION, ONLY_TLS12 };

static void limit_version(mbedtls_ssl_config *conf, enum tls_versions versions)
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    (void)conf, (void)versions;
#else
    if (versions == ONLY_TLS12)
        mbedtls_ssl_conf_max_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
#endif
}

struct certificate {
    mbedtls_x509_crt crt;
    mbedtls_pk_context key;
};

static void load(struct certificate *c, const char *cert_file, const char *key_file)
{
    mbedtls_x509_crt_init(&c->crt);
    mbedtls_pk_init(&c->key);
    assert_int_equal(mbedtls_x509_crt_parse_file(&c->crt, cert_file), 0);
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    assert_int_equal(mbedtls_pk_parse_keyfile(&c->key, key_file, NULL), 0);
#else
    struct mox_env env;
    mox_env_system(&env);
    assert_int_equal(mbedtls_pk_parse_keyfile(&c->key, key_file, NULL, mox__tls_random, &env), 0);
#endif
}

static void unload(struct certificate *c)
{
    mbedtls_x509_crt_free(&c->crt);
    mbedtls_pk_free(&c->key);
}

/* Connects with a certificate, or NULL. */
static void connect_with(struct client *c, struct fixture *f, struct certificate *cert,
                         enum tls_versions versions)
{
    client_init(c, f->s.cert, dial(f->s.tls_port), "localhost");
    limit_version(&c->conf, versions);
    if (cert != NULL)
        assert_int_equal(mbedtls_ssl_conf_own_cert(&c->conf, &cert->crt, &cert->key), 0);
}

/* 0 when the server talks to us; otherwise how it ended. With TLS 1.3 only a read tells. */
static int talk(struct client *c)
{
    int rc = client_handshake(c);
    if (rc != 0)
        return rc;
    (void)mbedtls_ssl_write(&c->ssl, (const unsigned char *)"x\n", 2);
    unsigned char heard[2];
    rc = client_read(c, heard, sizeof heard);
    return rc > 0 ? 0 : rc;
}

static void expect_key(struct client *c, const uint8_t *key)
{
    char line[80] = "";
    for (size_t i = 0; key != NULL && i < 32; i++)
        (void)snprintf(line + 2 * i, 3, "%02X", key[i]);
    (void)strcat(line, key == NULL ? "-\n" : "\n");
    client_say(c, "KEY?\n");
    client_expect(c, line);
}

/* -- handshakes ------------------------------------------------------------------------------ */

static void a_known_key_is_told_to_the_engine(void **state)
{
    struct fixture *f = *state;
    for (int versions = ANY_VERSION; versions <= ONLY_TLS12; versions++) {
        struct certificate cert;
        struct client c;
        load(&cert, f->cert[0], f->key[0]);
        connect_with(&c, f, &cert, (enum tls_versions)versions);
        assert_int_equal(talk(&c), 0);
        expect_key(&c, f->s.known_key);
        client_free(&c);
        unload(&cert);
    }
}

static void nobody_needs_a_certificate(void **state)
{
    struct fixture *f = *state;
    struct client c;
    connect_with(&c, f, NULL, ANY_VERSION);
    assert_int_equal(talk(&c), 0);
    expect_key(&c, NULL);
    client_free(&c);
}

static void expect_refusal(struct fixture *f, struct client *c, int refusals)
{
    assert_int_equal(talk(c), MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    assert_int_equal(c->ssl.MBED_FIELD(in_msg)[1], MBEDTLS_SSL_ALERT_MSG_BAD_CERT);
    for (int i = 0; atomic_load(&f->s.refusals) == refusals && i < 6000; i++)
        (void)usleep(10000);
    assert_int_equal(atomic_load(&f->s.refusals), refusals + 1);
}

static void an_unknown_key_ends_the_handshake_with_bad_certificate(void **state)
{
    struct fixture *f = *state;
    for (int versions = ANY_VERSION; versions <= ONLY_TLS12; versions++) {
        struct certificate cert;
        struct client c;
        load(&cert, f->cert[1], f->key[1]);
        connect_with(&c, f, &cert, (enum tls_versions)versions);
        expect_refusal(f, &c, atomic_load(&f->s.refusals));
        assert_string_equal(f->s.refused.remote_ip, "127.0.0.1");
        assert_true(f->s.refused.tls_info.has_client_key);
        assert_memory_not_equal(f->s.refused.tls_info.client_key, f->s.known_key, 32);
        client_free(&c);
        unload(&cert);
    }
}

static void the_same_during_starttls(void **state)
{
    struct fixture *f = *state;
    for (int known = 0; known < 2; known++) {
        int fd = dial(f->s.port);
        say(fd, "STARTTLS\n");
        expect(fd, "go");
        struct certificate cert;
        struct client c;
        load(&cert, f->cert[1 - known], f->key[1 - known]);
        client_init(&c, f->s.cert, fd, "localhost");
        assert_int_equal(mbedtls_ssl_conf_own_cert(&c.conf, &cert.crt, &cert.key), 0);
        if (known == 0) {
            expect_refusal(f, &c, atomic_load(&f->s.refusals));
        } else {
            assert_int_equal(talk(&c), 0);
            expect_key(&c, f->s.known_key);
        }
        client_free(&c);
        unload(&cert);
    }
}

/* The certificate is public; the key is not. */
static void who_lacks_the_private_key_is_nobody(void **state)
{
    struct fixture *f = *state;
    struct certificate cert, other;
    struct client c;
    load(&cert, f->cert[0], f->key[0]);
    load(&other, f->cert[1], f->key[1]);
    client_init(&c, f->s.cert, dial(f->s.tls_port), "localhost");
    assert_int_equal(mbedtls_ssl_conf_own_cert(&c.conf, &cert.crt, &other.key), 0);
    int refusals = atomic_load(&f->s.refusals);
    assert_int_not_equal(talk(&c), 0);
    assert_int_equal(atomic_load(&f->s.refusals), refusals); /* nobody has tried to log in */
    client_free(&c);
    unload(&cert);
    unload(&other);
}

static void drain_tickets(struct client *c)
{
    client_say(c, "y\n");
    client_expect(c, "y\n");
}

/* A key that was removed is of no use at once: with a certificate there is no ticket to come back with. */
static void a_session_with_a_client_key_is_not_resumed(void **state)
{
    struct fixture *f = *state;
    for (int versions = ANY_VERSION; versions <= ONLY_TLS12; versions++) {
        mbedtls_ssl_session session;
        mbedtls_ssl_session_init(&session);
        struct certificate cert;
        struct client c;
        load(&cert, f->cert[0], f->key[0]);
        connect_with(&c, f, &cert, (enum tls_versions)versions);
        assert_int_equal(talk(&c), 0);
        drain_tickets(&c);
        /* With TLS 1.3 there is no session without a ticket. */
        if (mbedtls_ssl_get_session(&c.ssl, &session) == 0)
            assert_int_equal(session.MBED_FIELD(ticket_len), 0);
        client_free(&c);

        atomic_store(&f->s.knows, false);
        connect_with(&c, f, &cert, (enum tls_versions)versions);
        assert_int_equal(mbedtls_ssl_setup(&c.ssl, &c.conf), 0);
        (void)mbedtls_ssl_set_session(&c.ssl, &session);
        int rc = mbedtls_ssl_handshake(&c.ssl);
        unsigned char byte;
        if (rc == 0)
            rc = client_read(&c, &byte, 1);
        assert_int_equal(rc, MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
        client_free(&c);
        atomic_store(&f->s.knows, true);
        mbedtls_ssl_session_free(&session);
        unload(&cert);
    }
}

/* A client without a certificate has tickets; who resumes with one has shown no key. */
static void a_resumed_session_has_no_client_key(void **state)
{
    struct fixture *f = *state;
    mbedtls_ssl_session session;
    mbedtls_ssl_session_init(&session);
    struct certificate cert;
    struct client c;
    load(&cert, f->cert[0], f->key[0]);
    connect_with(&c, f, NULL, ONLY_TLS12);
    assert_int_equal(talk(&c), 0);
    assert_int_equal(mbedtls_ssl_get_session(&c.ssl, &session), 0);
    assert_true(session.MBED_FIELD(ticket_len) > 0);
    client_free(&c);

    connect_with(&c, f, &cert, ONLY_TLS12);
    assert_int_equal(mbedtls_ssl_setup(&c.ssl, &c.conf), 0);
    assert_int_equal(mbedtls_ssl_set_session(&c.ssl, &session), 0);
    assert_int_equal(mbedtls_ssl_handshake(&c.ssl), 0);
    expect_key(&c, NULL);
    client_free(&c);
    mbedtls_ssl_session_free(&session);
    unload(&cert);
}

/* -- certificates that a user brings --------------------------------------------------------- */

static int read_kind(struct fixture *f, enum cert_key kind, struct tls_client_key *key,
                     struct mox_error *err)
{
    char cert[160], priv[160], pem[8192];
    (void)snprintf(cert, sizeof cert, "%s/kind-cert.pem", f->s.dir);
    (void)snprintf(priv, sizeof priv, "%s/kind-key.pem", f->s.dir);
    make_cert(kind, MBEDTLS_MD_SHA256, cert, priv);
    read_text(cert, pem, sizeof pem);
    (void)unlink(cert);
    (void)unlink(priv);
    return read_pem(key, pem, err);
}

static void rsa_needs_2048_bits(void **state)
{
    struct tls_client_key key;
    struct mox_error err = {0};
    assert_int_equal(read_kind(*state, CERT_RSA_2048, &key, &err), MOX_OK);
    assert_string_equal(key.kind, "rsa-2048");
    assert_int_equal(read_kind(*state, CERT_RSA_1024, &key, &err), MOX_EDENIED);
    assert_non_null(strstr(err.text, "1024 bits"));
}

/* Made with: openssl req -x509 -newkey ed25519 -nodes -subj /CN=x -days 1 */
static const char ed25519_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBLDCB36ADAgECAhRvricDvAmwzpYcM89E5tylcWwZ3TAFBgMrZXAwDDEKMAgG\n"
    "A1UEAwwBeDAeFw0yNjExMjYxOTQxMjBaFw0yNjExMjcxOTQxMjBaMAwxCjAIBgNV\n"
    "BAMMAXgwKjAFBgMrZXADIQAaGEImt/8J6q5wgTkNPWzEwvOTa7vRujxwafS44EZq\n"
    "06NTMFEwHQYDVR0OBBYEFHB7cy7S1abkdr8jsonW2WNa/9+OMB8GA1UdIwQYMBaA\n"
    "FHB7cy7S1abkdr8jsonW2WNa/9+OMA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EA\n"
    "KzW52UU/QGjX7UBaZjNMwsPdVR7JAmVVkeK4ke0quH3mx7kepuCd2MXk15p4YsxG\n"
    "ClDDJ04TU5QrlMK/xBTBAA==\n"
    "-----END CERTIFICATE-----\n";

static void what_is_no_certificate_of_ours_is_told_so(void **state)
{
    (void)state;
    struct tls_client_key key;
    struct mox_error err = {0};
    assert_int_equal(read_pem(&key, "", &err), MOX_ESYNTAX);
    assert_int_equal(read_pem(&key, "hello", &err), MOX_ESYNTAX);
    assert_non_null(strstr(err.text, "X.509"));
    assert_int_equal(read_pem(&key, ed25519_pem, &err), MOX_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "Ed25519"));
}

/* As `openssl x509 -pubkey` and `openssl pkey -pubin -outform DER` have it. */
static void the_fingerprint_is_that_of_the_public_key_info(void **state)
{
    struct fixture *f = *state;
    unsigned char der[512];
    uint8_t expected[32];
    struct certificate cert;
    load(&cert, f->cert[0], f->key[0]);
    int len = mbedtls_pk_write_pubkey_der(&cert.key, der, sizeof der);
    assert_true(len > 0);
    mox__hash(HASH_SHA256, (struct mox_slice){der + sizeof der - len, (size_t)len}, expected);
    assert_memory_equal(f->s.known_key, expected, sizeof expected);
    unload(&cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_key_is_told_to_the_engine),
        cmocka_unit_test(nobody_needs_a_certificate),
        cmocka_unit_test(an_unknown_key_ends_the_handshake_with_bad_certificate),
        cmocka_unit_test(the_same_during_starttls),
        cmocka_unit_test(who_lacks_the_private_key_is_nobody),
        cmocka_unit_test(a_session_with_a_client_key_is_not_resumed),
        cmocka_unit_test(a_resumed_session_has_no_client_key),
        cmocka_unit_test(rsa_needs_2048_bits),
        cmocka_unit_test(what_is_no_certificate_of_ours_is_told_so),
        cmocka_unit_test(the_fingerprint_is_that_of_the_public_key_info),
    };
    return cmocka_run_group_tests_name("client keys", tests, start, stop);
}
