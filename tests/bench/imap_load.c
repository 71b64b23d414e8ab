/* SPDX-License-Identifier: MIT */
#include "imap_load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "imap_client.h"
#include "program.h"

#define PATIENCE_MS  60000
#define COMMAND_ROOM 512

struct adder {
    struct imap_client client; /* logged in; after that only its socket is used */
    char *out;                 /* the command with its literal */
    size_t sent, out_len;
    char line[1024];
    size_t line_len;
    double started;
    long number;
    bool busy;
};

struct run {
    struct imap_load *load;
    struct adder *adders;
    struct pollfd *polls;
    long begun, taken;
};

static void next_message(struct run *r, struct adder *a)
{
    const struct imap_load *l = r->load;
    a->busy = r->begun < l->messages;
    if (!a->busy)
        return;
    a->number = r->begun++;
    /* The literal is written at a fixed place, and its command, whose length varies, in front. */
    char head[COMMAND_ROOM];
    size_t len = mails_write(l->mails, l->first + (unsigned long)a->number, a->out + COMMAND_ROOM);
    size_t head_len = (size_t)snprintf(head, sizeof head, "a%ld APPEND %s {%zu+}\r\n", a->number,
                                       l->mailbox, len);
    memcpy(a->out + COMMAND_ROOM - head_len, head, head_len);
    memcpy(a->out + COMMAND_ROOM + len, "\r\n", 2);
    a->sent = COMMAND_ROOM - head_len;
    a->out_len = COMMAND_ROOM + len + 2;
    a->started = seconds_now();
}

static void got_line(struct run *r, struct adder *a)
{
    char wanted[64];
    if (a->line_len > 0 && a->line[0] == '*')
        return;
    size_t len = (size_t)snprintf(wanted, sizeof wanted, "a%ld OK", a->number);
    if (!a->busy || a->line_len < len || memcmp(a->line, wanted, len) != 0)
        fail("APPEND was answered: %.*s", (int)a->line_len, a->line);
    r->load->waits[a->number] = seconds_now() - a->started;
    r->taken++;
    next_message(r, a);
}

static void receive(struct run *r, struct adder *a)
{
    char chunk[4096];
    ssize_t n = recv(a->client.fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        fail("the IMAP server closed a connection");
    for (ssize_t i = 0; i < n; i++) {
        if (chunk[i] == '\n') {
            got_line(r, a);
            a->line_len = 0;
        } else if (a->line_len < sizeof a->line) {
            a->line[a->line_len++] = chunk[i];
        }
    }
}

static void transmit(struct adder *a)
{
    ssize_t n =
        send(a->client.fd, a->out + a->sent, a->out_len - a->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
        die("send to the IMAP server");
    if (n > 0)
        a->sent += (size_t)n;
}

static void move(struct run *r)
{
    const unsigned count = r->load->connections;
    for (unsigned i = 0; i < count; i++) {
        const struct adder *a = &r->adders[i];
        r->polls[i] =
            (struct pollfd){.fd = a->client.fd,
                            .events = (short)(a->sent < a->out_len ? POLLIN | POLLOUT : POLLIN)};
    }
    if (poll(r->polls, count, PATIENCE_MS) <= 0)
        fail("nothing happened for %d s", PATIENCE_MS / 1000);
    for (unsigned i = 0; i < count; i++) {
        struct adder *a = &r->adders[i];
        if (r->polls[i].revents & (POLLIN | POLLHUP | POLLERR))
            receive(r, a);
        if (a->sent < a->out_len)
            transmit(a);
    }
}

void imap_load_run(struct imap_load *l)
{
    struct run r = {.load = l};
    r.adders = must_malloc(l->connections * sizeof *r.adders);
    r.polls = must_malloc(l->connections * sizeof *r.polls);
    l->waits = must_malloc((size_t)l->messages * sizeof *l->waits);
    for (unsigned i = 0; i < l->connections; i++) {
        r.adders[i] = (struct adder){.out = must_malloc(COMMAND_ROOM + mails_room(l->mails) + 2)};
        imap_connect(&r.adders[i].client, l->port);
    }
    double start = seconds_now();
    for (unsigned i = 0; i < l->connections; i++)
        next_message(&r, &r.adders[i]);
    while (r.taken < l->messages)
        move(&r);
    l->seconds = seconds_now() - start;
    for (unsigned i = 0; i < l->connections; i++) {
        imap_close(&r.adders[i].client);
        free(r.adders[i].out);
    }
    free(r.adders);
    free(r.polls);
}

void imap_load_free(struct imap_load *l)
{
    free(l->waits);
    l->waits = NULL;
}
