/* SPDX-License-Identifier: MIT */
#include "imap_client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "program.h"
#include "server.h"
#include "tcp.h"

#define READ_SIZE        (256 * 1024)
#define PATIENCE_SECONDS 120

/* ---- reading ---- */

static void more(struct imap_client *c)
{
    if (c->at > 0) {
        memmove(c->data, c->data + c->at, c->len - c->at);
        c->len -= c->at;
        c->at = 0;
    }
    if (c->cap - c->len < READ_SIZE) {
        c->cap = c->cap * 2 + READ_SIZE;
        c->data = realloc(c->data, c->cap);
        if (c->data == NULL)
            die("malloc");
    }
    ssize_t n = recv(c->fd, c->data + c->len, c->cap - c->len, 0);
    if (n <= 0)
        fail("the IMAP server closed the connection, or was silent for %d s", PATIENCE_SECONDS);
    c->len += (size_t)n;
    c->bytes += (uint64_t)n;
}

/* The next line without its CRLF, until the next call. */
static const char *take_line(struct imap_client *c, size_t *len)
{
    size_t seen = 0;
    for (;;) {
        const char *start = c->data + c->at;
        const char *end = memchr(start + seen, '\n', c->len - c->at - seen);
        if (end != NULL) {
            c->at = (size_t)(end + 1 - c->data);
            *len = (size_t)(end - start) - (end > start && end[-1] == '\r');
            return start;
        }
        seen = c->len - c->at;
        more(c);
    }
}

static void skip(struct imap_client *c, uint64_t bytes)
{
    c->literal_bytes += bytes;
    while (bytes > c->len - c->at) {
        bytes -= c->len - c->at;
        c->at = c->len;
        more(c);
    }
    c->at += bytes;
}

/* The length of the literal that the line announces (RFC 9051 §4.3), or -1. */
static int64_t literal_of(const char *line, size_t len)
{
    size_t digits = 0;
    if (len < 3 || line[len - 1] != '}')
        return -1;
    while (digits < len - 2 && line[len - 2 - digits] >= '0' && line[len - 2 - digits] <= '9')
        digits++;
    if (digits == 0 || line[len - 2 - digits] != '{')
        return -1;
    return strtoll(line + len - 1 - digits, NULL, 10);
}

/* Reads a response to its end; true if it is the command's result. */
static bool take_response(struct imap_client *c)
{
    size_t len;
    const char *line = take_line(c, &len);
    bool untagged = len > 1 && line[0] == '*';
    c->untagged += untagged;
    if (!untagged) {
        char tag[16];
        size_t tag_len = (size_t)snprintf(tag, sizeof tag, "b%u ", c->tag);
        if (len < tag_len || memcmp(line, tag, tag_len) != 0)
            fail("not a response to b%u: %.*s", c->tag, (int)(len < 200 ? len : 200), line);
        (void)snprintf(c->result, sizeof c->result, "%.*s", (int)(len - tag_len), line + tag_len);
        return true;
    }
    for (;;) {
        int64_t literal = literal_of(line, len);
        if (c->line != NULL)
            c->line(c->user, line, len);
        if (literal < 0)
            return false;
        skip(c, (uint64_t)literal);
        line = take_line(c, &len);
    }
}

static void read_result(struct imap_client *c)
{
    c->untagged = 0;
    c->bytes = c->literal_bytes = 0;
    while (!take_response(c))
        continue;
    if (strncmp(c->result, "OK", 2) != 0)
        fail("the server answered: %s", c->result);
}

/* ---- commands ---- */

static void write_all(struct imap_client *c, const char *text, size_t len)
{
    if (send(c->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
        die("send to the IMAP server");
}

static void send_command(struct imap_client *c, const char *format, va_list args)
{
    char text[4096];
    size_t at = (size_t)snprintf(text, sizeof text, "b%u ", ++c->tag);
    at += (size_t)vsnprintf(text + at, sizeof text - at, format, args);
    if (at + 2 >= sizeof text)
        fail("a command is too long");
    memcpy(text + at, "\r\n", 2);
    write_all(c, text, at + 2);
}

void imap_command(struct imap_client *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    send_command(c, format, args);
    va_end(args);
    read_result(c);
}

double imap_timed(struct imap_client *c, const char *format, ...)
{
    va_list args;
    double start = seconds_now();
    va_start(args, format);
    send_command(c, format, args);
    va_end(args);
    read_result(c);
    return seconds_now() - start;
}

static void take_exists(void *user, const char *line, size_t len)
{
    static const char word[] = " EXISTS";
    const size_t tail = sizeof word - 1;
    if (len > tail && memcmp(line + len - tail, word, tail) == 0)
        *(long *)user = strtol(line + 2, NULL, 10);
}

double imap_select(struct imap_client *c, const char *mailbox, long messages)
{
    long exists = -1;
    c->line = take_exists;
    c->user = &exists;
    double took = imap_timed(c, "SELECT %s", mailbox);
    c->line = NULL;
    if (exists != messages)
        fail("%s has %ld messages instead of %ld", mailbox, exists, messages);
    return took;
}

void imap_append(struct imap_client *c, const char *mailbox, const char *text, size_t len)
{
    char head[256], end[] = "\r\n";
    size_t head_len =
        (size_t)snprintf(head, sizeof head, "b%u APPEND %s {%zu+}\r\n", ++c->tag, mailbox, len);
    struct iovec parts[] = {{head, head_len}, {(void *)(uintptr_t)text, len}, {end, 2}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 3};
    if (sendmsg(c->fd, &m, MSG_NOSIGNAL) != (ssize_t)(head_len + len + 2))
        die("send to the IMAP server");
    read_result(c);
}

/* ---- connections ---- */

static void greet(struct imap_client *c, int port)
{
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    size_t len;
    *c = (struct imap_client){.fd = tcp_connect(port)};
    if (c->fd < 0)
        die("connect to the IMAP server");
    (void)setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    more(c);
    const char *line = take_line(c, &len);
    if (len < 4 || memcmp(line, "* OK", 4) != 0)
        fail("no greeting: %.*s", (int)len, line);
}

void imap_connect(struct imap_client *c, int port)
{
    greet(c, port);
    imap_command(c, "LOGIN %s %s", SERVER_USER, SERVER_PASSWORD);
}

void imap_close(struct imap_client *c)
{
    imap_command(c, "LOGOUT");
    (void)close(c->fd);
    free(c->data);
    *c = (struct imap_client){.fd = -1};
}
