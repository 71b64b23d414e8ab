/* SPDX-License-Identifier: MIT */
#ifndef BENCH_MAILS_H
#define BENCH_MAILS_H

#include <stdbool.h>
#include <stddef.h>

/* Mail as it comes: each message with its own Message-Id and subject; of many senders, or of one; one in
 * three an answer to a message before it. */
struct mails {
    size_t bytes;     /* of a message, about */
    unsigned senders; /* 1, or so many addresses in a tenth as many domains */
    bool multipart;   /* text and HTML; otherwise one text */
    char *text;       /* lines of text, shared by all messages; mails_open() */
    size_t text_len;
};

void mails_open(struct mails *m, size_t bytes, unsigned senders, bool multipart);
void mails_close(struct mails *m);

/* Room for any message of these. */
size_t mails_room(const struct mails *m);
/* Writes message `n` with CRLF lines and no line that begins with a dot; its bytes. */
size_t mails_write(const struct mails *m, unsigned long n, char *out);
/* The address that message `n` comes from, without <>. */
void mails_sender(const struct mails *m, unsigned long n, char out[64]);

#endif
