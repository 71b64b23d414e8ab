/* SPDX-License-Identifier: MIT */
#include "smtp/client.h"

#include <stdlib.h>
#include <string.h>

#include "support/cm.h"

int client_setup(void **state)
{
    struct client *c = calloc(1, sizeof *c);
    test_env_init(&c->t);
    smtp_host_init(&c->h);
    c->h.env = &c->t;
    *state = c;
    return 0;
}

void hang_up(struct client *c)
{
    mox_smtp_server_free(c->h.server);
    c->h.server = NULL;
}

int client_teardown(void **state)
{
    struct client *c = *state;
    hang_up(c);
    smtp_host_done(&c->h);
    test_env_done(&c->t);
    free(c);
    return 0;
}

void listen_to(struct client *c)
{
    const uint8_t *data;
    size_t len;
    while ((len = mox_smtp_server_output(c->h.server, &data)) > 0) {
        size_t room = sizeof c->said - 1 - c->said_len, n = len < room ? len : room;
        memcpy(c->said + c->said_len, data, n);
        c->said_len += n;
        c->said[c->said_len] = '\0';
        mox_smtp_server_sent(c->h.server, len);
    }
}

int say_bytes(struct client *c, const void *data, size_t len)
{
    c->said_len = 0;
    c->said[0] = '\0';
    listen_to(c);
    int rc = mox_smtp_server_input(c->h.server, data, len);
    listen_to(c);
    return rc;
}

int say(struct client *c, const char *text)
{
    return say_bytes(c, text, strlen(text));
}

void assert_said(const struct client *c, const char *start)
{
    if (strncmp(c->said, start, strlen(start)) != 0)
        fail_msg("expected %s, got %s", start, c->said);
}

bool wants(const struct client *c, unsigned what)
{
    return (mox_smtp_server_wants(c->h.server) & what) != 0;
}
