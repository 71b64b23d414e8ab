/* SPDX-License-Identifier: MIT */
#include "smtp_load.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "tcp.h"

#define PATIENCE_MS      60000
#define FILL_CONNECTIONS 50
#define ENVELOPE_ROOM    256

enum state { GREETING, HELLO, ENVELOPE, BODY, BYE };

struct client {
    int fd;
    enum state state;
    unsigned replies; /* still to come in ENVELOPE: MAIL, RCPT, DATA */
    char line[1024];
    size_t line_len;
    const char *out; /* what is left to send */
    size_t out_len;
    char *text; /* of the message */
    size_t text_len;
    char envelope[ENVELOPE_ROOM];
    double started;
    long number;
};

struct run {
    struct smtp_load *load;
    struct client *clients;
    struct pollfd *polls;
    unsigned finished;
    long begun, accepted;
};

static void say(struct client *c, const char *text, size_t len)
{
    c->out = text;
    c->out_len = len;
}

/* MAIL, RCPT and DATA at once (RFC 2920), the message after the 354. */
static void next_message(struct run *r, struct client *c)
{
    const struct smtp_load *l = r->load;
    char sender[64];
    if (r->begun == l->messages) {
        c->state = BYE;
        say(c, "QUIT\r\n", 6);
        return;
    }
    c->number = r->begun++;
    const unsigned long n = l->first + (unsigned long)c->number;
    mails_sender(l->mails, n, sender);
    c->text_len = mails_write(l->mails, n, c->text);
    memcpy(c->text + c->text_len, ".\r\n", 3);
    c->text_len += 3;
    c->state = ENVELOPE;
    c->replies = 3;
    c->started = seconds_now();
    say(c, c->envelope,
        (size_t)snprintf(c->envelope, sizeof c->envelope,
                         "MAIL FROM:<%s>\r\nRCPT TO:<mox@localhost>\r\nDATA\r\n", sender));
}

static void got_line(struct run *r, struct client *c)
{
    if (c->line_len < 4 || c->line[3] == '-')
        return;
    if (c->line[0] != '2' && c->line[0] != '3')
        fail("refused: %.*s", (int)c->line_len, c->line);
    switch (c->state) {
    case GREETING:
        c->state = HELLO;
        say(c, "EHLO bench.example\r\n", 20);
        break;
    case HELLO:
        next_message(r, c);
        break;
    case ENVELOPE:
        if (--c->replies > 0)
            break;
        c->state = BODY;
        say(c, c->text, c->text_len);
        break;
    case BODY:
        if (c->out_len > 0 || c->line[0] != '2')
            fail("a reply before the end of the message: %.*s", (int)c->line_len, c->line);
        r->load->waits[c->number] = seconds_now() - c->started;
        r->accepted++;
        next_message(r, c);
        break;
    case BYE:
        break;
    }
}

static void receive(struct run *r, struct client *c)
{
    char chunk[4096];
    ssize_t n = read(c->fd, chunk, sizeof chunk);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 && c->state != BYE)
        fail("the server closed a connection");
    if (n <= 0) {
        (void)close(c->fd);
        c->fd = -1;
        r->finished++;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (chunk[i] == '\n') {
            got_line(r, c);
            c->line_len = 0;
        } else if (c->line_len < sizeof c->line) {
            c->line[c->line_len++] = chunk[i];
        }
    }
}

static void transmit(struct client *c)
{
    ssize_t n = write(c->fd, c->out, c->out_len);
    if (n < 0 && errno != EAGAIN)
        die("write");
    if (n > 0) {
        c->out += n;
        c->out_len -= (size_t)n;
    }
}

static void move(struct run *r)
{
    const unsigned count = r->load->connections;
    for (unsigned i = 0; i < count; i++)
        r->polls[i] = (struct pollfd){
            .fd = r->clients[i].fd,
            .events = (short)(r->clients[i].out_len > 0 ? POLLIN | POLLOUT : POLLIN)};
    if (poll(r->polls, count, PATIENCE_MS) <= 0)
        fail("nothing happened for %d s", PATIENCE_MS / 1000);
    for (unsigned i = 0; i < count; i++) {
        struct client *c = &r->clients[i];
        if (r->polls[i].revents & (POLLIN | POLLHUP | POLLERR))
            receive(r, c);
        if (c->fd >= 0 && c->out_len > 0)
            transmit(c);
    }
}

void smtp_load_run(struct smtp_load *l)
{
    struct run r = {.load = l};
    r.clients = must_malloc(l->connections * sizeof *r.clients);
    r.polls = must_malloc(l->connections * sizeof *r.polls);
    l->waits = must_malloc((size_t)l->messages * sizeof *l->waits);
    for (unsigned i = 0; i < l->connections; i++) {
        r.clients[i] = (struct client){.fd = tcp_connect(l->port)};
        if (r.clients[i].fd < 0)
            die("connect");
        (void)fcntl(r.clients[i].fd, F_SETFL, O_NONBLOCK);
        r.clients[i].text = must_malloc(mails_room(l->mails) + 3);
    }
    double start = seconds_now();
    while (r.finished < l->connections)
        move(&r);
    l->seconds = seconds_now() - start;
    if (r.accepted != l->messages)
        fail("%ld of %ld messages were accepted", r.accepted, l->messages);
    for (unsigned i = 0; i < l->connections; i++)
        free(r.clients[i].text);
    free(r.clients);
    free(r.polls);
}

void smtp_load_free(struct smtp_load *l)
{
    free(l->waits);
    l->waits = NULL;
}

void smtp_fill(int port, const struct mails *mails, unsigned long first, long count)
{
    struct smtp_load l = {.port = port,
                          .connections = count < FILL_CONNECTIONS ? 1 : FILL_CONNECTIONS,
                          .messages = count,
                          .mails = mails,
                          .first = first};
    if (count == 0)
        return;
    smtp_load_run(&l);
    smtp_load_free(&l);
}
