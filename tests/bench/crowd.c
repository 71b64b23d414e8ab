/* SPDX-License-Identifier: MIT */
#include "crowd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "link.h"
#include "program.h"

#define EVENTS 256
/* A server that says nothing for so long hangs. */
#define PATIENCE_MS 60000

enum state { SHAKING, GREETING, LOGIN, SELECT, IDLE, IDLING };

struct client {
    struct link link;
    enum state state;
    bool told;
    char line[64]; /* how the current line begins */
    size_t len;
    double since;
};

struct crowd {
    struct client *clients, mailer; /* the mailer speaks SMTP */
    unsigned count, opened, idling, told;
    unsigned replies; /* of the mailer's server, still to come */
    int imap_port, smtp_port, epoll;
    mbedtls_ssl_config *config;
    double *times; /* of logins, then of EXISTS */
    double accepted;
};

/* ---- what the server says ---- */

static bool begins(const struct client *k, const char *text)
{
    size_t len = strlen(text);
    return k->len >= len && memcmp(k->line, text, len) == 0;
}

static void expect(const struct client *k, const char *text)
{
    if (begins(k, text))
        return;
    fail("expected \"%s\", the server says: %.*s", text, (int)k->len, k->line);
}

static void note_exists(struct crowd *c, struct client *k)
{
    if (k->told || strstr(k->line, " EXISTS") == NULL)
        return;
    k->told = true;
    c->times[c->told++] = seconds_now();
}

static void mail_reply(struct crowd *c, struct client *k)
{
    if (k->len > 3 && k->line[3] == '-')
        return;
    if (k->line[0] != '2' && k->line[0] != '3')
        expect(k, "250");
    c->replies--;
    c->accepted = seconds_now();
}

static void imap_line(struct crowd *c, struct client *k)
{
    if (k->state == IDLING) {
        note_exists(c, k);
        return;
    }
    if (k->state == GREETING) {
        expect(k, "* OK");
        link_write(&k->link, "a LOGIN mox@localhost moxmoxmox\r\n");
    } else if (k->line[0] == '*') {
        return;
    } else if (k->state == LOGIN) {
        expect(k, "a OK");
        link_write(&k->link, "b SELECT INBOX\r\n");
    } else if (k->state == SELECT) {
        expect(k, "b OK");
        link_write(&k->link, "c IDLE\r\n");
    } else {
        expect(k, "+ ");
        c->times[c->idling++] = seconds_now() - k->since;
    }
    k->state++;
}

static void take(struct crowd *c, struct client *k, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n') {
            k->line[k->len] = '\0';
            if (k == &c->mailer)
                mail_reply(c, k);
            else
                imap_line(c, k);
            k->len = 0;
        } else if (k->len < sizeof k->line - 1) {
            k->line[k->len++] = data[i];
        }
    }
}

/* ---- events ---- */

static void add(struct crowd *c, struct client *k)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = k};
    if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, k->link.fd, &e) != 0)
        die("epoll");
}

static void readable(struct crowd *c, struct client *k)
{
    char data[4096];
    if (k->state == SHAKING) {
        if (!link_handshake(&k->link))
            return;
        k->state = GREETING;
    }
    for (size_t n; (n = link_read(&k->link, data, sizeof data)) > 0;) {
        take(c, k, data, n);
        if (k->link.ssl == NULL && n < sizeof data)
            return; /* and the next read would find nothing */
    }
}

static void serve(struct crowd *c)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(c->epoll, events, EVENTS, PATIENCE_MS);
    if (n <= 0)
        fail("nothing happened for a minute");
    for (int i = 0; i < n; i++)
        readable(c, events[i].data.ptr);
}

static void open_one(struct crowd *c)
{
    struct client *k = &c->clients[c->opened++];
    k->since = seconds_now();
    link_open(&k->link, c->imap_port, c->config);
    k->state = c->config != NULL ? SHAKING : GREETING;
    add(c, k);
    if (c->config != NULL)
        (void)link_handshake(&k->link);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- SMTP ---- */

static void mail_say(struct crowd *c, const char *text, unsigned replies)
{
    c->replies = replies;
    if (text != NULL)
        link_write(&c->mailer.link, text);
    while (c->replies > 0)
        serve(c);
}

static void open_mailer(struct crowd *c)
{
    link_open(&c->mailer.link, c->smtp_port, NULL);
    c->mailer.state = GREETING;
    add(c, &c->mailer);
    mail_say(c, NULL, 1);
    mail_say(c, "EHLO bench.example\r\n", 1);
}

/* ---- the crowd ---- */

struct crowd *crowd_new(int imap_port, int smtp_port, bool tls, unsigned count)
{
    struct crowd *c = calloc(1, sizeof *c);
    if (c == NULL || (c->clients = calloc(count, sizeof *c->clients)) == NULL ||
        (c->times = calloc(count, sizeof *c->times)) == NULL)
        die("calloc");
    c->count = count;
    c->imap_port = imap_port;
    c->smtp_port = smtp_port;
    c->config = tls ? link_config_new() : NULL;
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (c->epoll < 0)
        die("epoll");
    open_mailer(c);
    return c;
}

struct crowd_times crowd_idle(struct crowd *c, unsigned at_once)
{
    while (c->idling < c->count) {
        while (c->opened < c->count && c->opened - c->idling < at_once)
            open_one(c);
        serve(c);
    }
    qsort(c->times, c->count, sizeof *c->times, by_size);
    return (struct crowd_times){c->times, c->count};
}

struct crowd_delivery crowd_deliver(struct crowd *c)
{
    for (unsigned i = 0; i < c->count; i++)
        c->clients[i].told = false;
    mail_say(c, "MAIL FROM:<sender@remote.example>\r\nRCPT TO:<mox@localhost>\r\nDATA\r\n", 3);
    c->told = 0;
    c->replies = 1;
    double start = seconds_now();
    link_write(&c->mailer.link,
               "From: <sender@remote.example>\r\nSubject: Told\r\n\r\nHello\r\n.\r\n");
    while (c->replies > 0 || c->told < c->count)
        serve(c);
    return (struct crowd_delivery){.accepted = c->accepted - start,
                                   .first = c->times[0] - start,
                                   .median = c->times[c->count / 2] - start,
                                   .last = c->times[c->count - 1] - start};
}

void crowd_free(struct crowd *c)
{
    if (c == NULL)
        return;
    for (unsigned i = 0; i < c->opened; i++)
        link_close(&c->clients[i].link);
    link_close(&c->mailer.link);
    link_config_free(c->config);
    (void)close(c->epoll);
    free(c->clients);
    free(c->times);
    free(c);
}
