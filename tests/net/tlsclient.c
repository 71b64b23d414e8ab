/* SPDX-License-Identifier: MIT */
#include "net/tlsclient.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mbedtls/net_sockets.h>

#include "support/cm.h"

static int receive(void *user, unsigned char *data, size_t len)
{
    ssize_t n = recv(((struct client *)user)->fd, data, len, 0);
    return n < 0 ? MBEDTLS_ERR_NET_CONN_RESET : (int)n;
}

static int transmit(void *user, const unsigned char *data, size_t len)
{
    ssize_t n = send(((struct client *)user)->fd, data, len, MSG_NOSIGNAL);
    return n < 0 ? MBEDTLS_ERR_NET_CONN_RESET : (int)n;
}

void client_init(struct client *c, const char *cert_file, int fd, const char *name)
{
    memset(c, 0, sizeof *c);
    c->fd = fd;
    mox_env_system(&c->env);
    mbedtls_ssl_init(&c->ssl);
    mbedtls_ssl_config_init(&c->conf);
    mbedtls_x509_crt_init(&c->trusted);
    assert_int_equal(mbedtls_ssl_config_defaults(&c->conf, MBEDTLS_SSL_IS_CLIENT,
                                                 MBEDTLS_SSL_TRANSPORT_STREAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    assert_int_equal(mbedtls_x509_crt_parse_file(&c->trusted, cert_file), 0);
    mbedtls_ssl_conf_ca_chain(&c->conf, &c->trusted, NULL);
    mbedtls_ssl_conf_rng(&c->conf, mox__tls_random, &c->env);
#if defined(MBEDTLS_SSL_PROTO_TLS1_3) && defined(MBEDTLS_SSL_SESSION_TICKETS)
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        &c->conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
    mbedtls_ssl_set_bio(&c->ssl, c, transmit, receive, NULL);
    assert_int_equal(mbedtls_ssl_set_hostname(&c->ssl, name), 0);
}

int client_handshake(struct client *c)
{
    assert_int_equal(mbedtls_ssl_setup(&c->ssl, &c->conf), 0);
    return mbedtls_ssl_handshake(&c->ssl);
}

void client_free(struct client *c)
{
    mbedtls_ssl_free(&c->ssl);
    mbedtls_ssl_config_free(&c->conf);
    mbedtls_x509_crt_free(&c->trusted);
    (void)close(c->fd);
}

void client_say(struct client *c, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(mbedtls_ssl_write(&c->ssl, (const unsigned char *)text, len), (int)len);
}

/* A ticket of TLS 1.3 comes behind the handshake, and is told of like a failure. */
static bool is_no_data(int n)
{
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
    if (n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
        return true;
#endif
    return n == MBEDTLS_ERR_SSL_WANT_READ;
}

int client_read(struct client *c, void *data, size_t len)
{
    int n = mbedtls_ssl_read(&c->ssl, data, len);
    while (is_no_data(n))
        n = mbedtls_ssl_read(&c->ssl, data, len);
    return n;
}

void client_expect(struct client *c, const char *text)
{
    char heard[512] = "";
    size_t len = 0;
    while (len < strlen(text)) {
        int n = client_read(c, heard + len, sizeof heard - 1 - len);
        assert_true(n > 0);
        len += (size_t)n;
    }
    assert_string_equal(heard, text);
}
