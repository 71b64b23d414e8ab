/* SPDX-License-Identifier: MIT */
#ifndef BENCH_MAILS_H
#define BENCH_MAILS_H

#include <stdbool.h>
#include <stddef.h>

/* Mail as it comes: each message with its own Message-Id and subject; of many senders, or of one; one in
 * three an answer to a message before it. Or the real mail of the corpora, over and over. */
struct mails {
    size_t bytes;     /* of a message, about */
    unsigned senders; /* 1, or so many addresses in a tenth as many domains */
    bool multipart;   /* text and HTML; otherwise one text */
    unsigned series; /* part of the Message-Ids; other mail of the same numbers needs another one */
    char *text;      /* lines of text, shared by all messages; mails_open() */
    size_t text_len;
    struct real_mail *real; /* mails_open_real(); else NULL */
    size_t real_count;
};

void mails_open(struct mails *m, size_t bytes, unsigned senders, bool multipart);
/* The messages of $MOX_CORPORA/mime up to 64 KiB with CRLF lines, and a header line in front that makes each
 * different. For APPEND alone: lines may begin with dots. False: there are no corpora. */
bool mails_open_real(struct mails *m);
void mails_close(struct mails *m);

/* Room for any message of these. */
size_t mails_room(const struct mails *m);
/* Writes message `n` with CRLF lines, none of which begins with a dot; its bytes. */
size_t mails_write(const struct mails *m, unsigned long n, char *out);
/* The address that message `n` comes from, without <>. */
void mails_sender(const struct mails *m, unsigned long n, char out[64]);

#endif
