/* SPDX-License-Identifier: MIT */
#ifndef BENCH_IMAP_CLIENT_H
#define BENCH_IMAP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A blocking IMAP client that costs far less than a server: large reads, lines found with memchr(),
 * literals skipped unseen. */
struct imap_client {
    int fd;
    char *data; /* what was read and not yet looked at: [at, len) */
    size_t at, len, cap;
    unsigned tag;
    /* Sees every untagged line, CRLF and literals left out; may be NULL. */
    void (*line)(void *user, const char *line, size_t len);
    void *user;

    /* Of the last command: */
    unsigned long untagged; /* responses */
    uint64_t bytes;         /* in all */
    uint64_t literal_bytes;
    char result[512]; /* "OK [READ-WRITE] done" */
};

/* Connects and logs in; Failures end the program. */
void imap_connect(struct imap_client *c, int port);
void imap_close(struct imap_client *c);

/* Sends a tagged command (without tag and CRLF) and reads until its result; the program fails unless that
 * is OK. */
void imap_command(struct imap_client *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same, and the seconds that it took. */
double imap_timed(struct imap_client *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* SELECTs a mailbox, which must have so many messages; the seconds that it took. */
double imap_select(struct imap_client *c, const char *mailbox, long messages);

/* Adds a message, by a literal that does not wait (RFC 7888). */
void imap_append(struct imap_client *c, const char *mailbox, const char *text, size_t len);

#endif
