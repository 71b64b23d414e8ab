/* SPDX-License-Identifier: MIT */
#ifndef SMTP_DATA_READER_H
#define SMTP_DATA_READER_H

#include <mox/types.h>

/* How the content comes over the wire. */
enum data_mode {
    DATA_DOTS,  /* DATA: dots are stuffed, a line with one dot ends it (RFC 5321 §4.5.2) */
    DATA_TEXT,  /* BDAT: the chunk's length ends it, a bare LF becomes CRLF */
    DATA_BINARY /* BDAT with BODY=BINARYMIME: not a byte is changed (RFC 3030 §3) */
};

/* Finds the end of DATA, unstuffs dots, mends bare LFs and notes what is to know about the content.
 * All state is here: reads may be split at any byte. Zeroed but for `mode` it is ready. */
struct data_reader {
    enum data_mode mode;
    unsigned at;   /* data_reader.c: enum at */
    bool done;     /* the end of DATA was seen */
    bool smuggled; /* something that others take for the end, or a CR on its own, was seen */
    bool has_8bit; /* a byte of 0x80 or more */
    bool has_body; /* an empty line */
};

/* What `len` bytes of input can become. */
#define DATA_READER_ROOM(len) (2 * (len) + 2)

/* Reads up to `len` bytes and writes the content to `out`, which has DATA_READER_ROOM(len) bytes.
 * Returns how many were read: less than `len` only when the end was seen. */
size_t mox__data_read(struct data_reader *r, const uint8_t *in, size_t len, uint8_t *out,
                      size_t *written);

#endif
