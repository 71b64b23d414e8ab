/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <psa/crypto.h>

#include "program.h"

/* ---- TLS ---- */

static int random_bytes(void *user, unsigned char *out, size_t len)
{
    (void)user;
    return getrandom(out, len, 0) == (ssize_t)len ? 0 : -1;
}

static int receive(void *user, unsigned char *data, size_t len)
{
    ssize_t n = recv(((struct link *)user)->fd, data, len, 0);
    return n < 0 && errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ : (int)n;
}

static int transmit(void *user, const unsigned char *data, size_t len)
{
    ssize_t n = send(((struct link *)user)->fd, data, len, MSG_NOSIGNAL);
    return n < 0 && errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE : (int)n;
}

mbedtls_ssl_config *link_config_new(void)
{
    mbedtls_ssl_config *config = must_malloc(sizeof *config);
    if (psa_crypto_init() != PSA_SUCCESS)
        fail("TLS library");
    mbedtls_ssl_config_init(config);
    if (mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        fail("TLS library");
    mbedtls_ssl_conf_rng(config, random_bytes, NULL);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
    return config;
}

void link_config_free(mbedtls_ssl_config *config)
{
    if (config != NULL)
        mbedtls_ssl_config_free(config);
    free(config);
}

static void set_up_tls(struct link *l, const mbedtls_ssl_config *config)
{
    l->ssl = must_malloc(sizeof *l->ssl);
    mbedtls_ssl_init(l->ssl);
    if (mbedtls_ssl_setup(l->ssl, config) != 0 ||
        mbedtls_ssl_set_hostname(l->ssl, "localhost") != 0)
        fail("TLS library");
    mbedtls_ssl_set_bio(l->ssl, l, transmit, receive, NULL);
}

/* ---- links ---- */

void link_open(struct link *l, int port, const mbedtls_ssl_config *config)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *l = (struct link){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                       .shaken = config == NULL};
    if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        fcntl(l->fd, F_SETFL, O_NONBLOCK) != 0)
        die("connect");
    if (config != NULL)
        set_up_tls(l, config);
}

bool link_handshake(struct link *l)
{
    int rc = l->shaken ? 0 : mbedtls_ssl_handshake(l->ssl);
    if (rc != 0 && rc != MBEDTLS_ERR_SSL_WANT_READ)
        fail("TLS handshake: -0x%x", (unsigned)-rc);
    l->shaken = rc == 0;
    return l->shaken;
}

size_t link_read(struct link *l, char *data, size_t len)
{
    ssize_t n = l->ssl == NULL ? recv(l->fd, data, len, 0)
                               : mbedtls_ssl_read(l->ssl, (unsigned char *)data, len);
    if (n > 0)
        return (size_t)n;
    if (n == MBEDTLS_ERR_SSL_WANT_READ || (n < 0 && l->ssl == NULL && errno == EAGAIN))
        return 0;
    fail("the server closed a connection");
}

void link_write(struct link *l, const char *text)
{
    size_t len = strlen(text);
    ssize_t n = l->ssl == NULL ? send(l->fd, text, len, MSG_NOSIGNAL)
                               : mbedtls_ssl_write(l->ssl, (const unsigned char *)text, len);
    if (n != (ssize_t)len)
        die("write");
}

void link_close(struct link *l)
{
    if (l->ssl != NULL)
        mbedtls_ssl_free(l->ssl);
    free(l->ssl);
    l->ssl = NULL;
    (void)close(l->fd);
}
