/* SPDX-License-Identifier: MIT */
#ifndef MAILAUTH_REPORT_H
#define MAILAUTH_REPORT_H

#include <mox/message.h>

#include "base/arena.h"
#include "base/buf.h"

/* What reports of both kinds have in common: report_mail.c finds the part of a mail, report_unpack.c and
 * report_zip.c unpack it, report_text.c cleans what it says. report_dmarc.c and report_tls.c know the
 * formats; without the feature `reports` report_none.c stands for all of them. */

/* What is to be found in a mail. */
struct report_form {
    const char *name; /* "DMARC report" */
    size_t message_max, report_max;
    bool zip; /* may come in a zip file */
    /* Whether a leaf holds the report: MOX_OK; MOX_ENOTFOUND: no, look on; a failure ends the search. */
    int (*judge)(const struct mox_part *leaf, struct mox_slice content, struct mox_error *err);
};

/* Puts the report into *out, decoded and unpacked. `out` is not initialized yet; the caller frees it,
 * also after a failure. */
int mox__report_from_mail(struct buf *out, const struct report_form *form,
                          const struct mox_env *env, struct mox_slice content,
                          struct mox_error *err);

/* A part without its transfer encoding, as mox__part_decode() has it, but text is not touched either: the
 * type of what has none is text, and it may be an archive all the same. */
MOX_MUST_USE int mox__report_decode(const struct mox_part *part, struct mox_slice content,
                                    int (*sink)(void *user, struct mox_slice bytes), void *user);

/* How bytes are packed, by their begin. */
enum report_packing { REPORT_PLAIN, REPORT_GZIP, REPORT_ZIP };
enum report_packing mox__report_packing(struct mox_slice bytes);

/* Appends the bytes unpacked, at most as many as *out takes. */
int mox__report_unpack(struct buf *out, struct mox_slice packed, const struct report_form *form,
                       struct mox_error *err);

/* Appends; a failure is MOX_ELIMIT or MOX_ENOMEM, and has its text. */
int mox__report_append(struct buf *out, const void *data, size_t len, const char *form,
                       struct mox_error *err);

/* The one file of a zip (PKWARE's APPNOTE 6.3). */
int mox__report_unzip(struct buf *out, struct mox_slice zip, const char *form,
                      struct mox_error *err);

/* Deflated data (RFC 1951) at the begin of *in, which moves behind them. `window_bits` as zlib has it:
 * 31 for gzip (RFC 1952), -15 for data without any header. */
int mox__report_inflate(struct buf *out, struct mox_slice *in, int window_bits, const char *form,
                        struct mox_error *err);

/* A text of a report, trimmed, cut at `max` bytes, and cleaned; "" for an empty one. NULL: no memory, or
 * over the arena's limit. The raw text is well-formed UTF-8, but its end may be cut. */
const char *mox__report_text(struct arena *a, struct mox_slice raw, size_t max);
/* The same in lower case. */
const char *mox__report_word(struct arena *a, struct mox_slice raw, size_t max);
/* The failure behind such a NULL, or another of the arena's. */
int mox__report_no_room(const struct arena *a, const char *form, struct mox_error *err);

/* What the texts and lists of one report may take in memory, beside its records. All texts of a report of
 * 20 MB fit, each with its NUL and rounded up. */
#define REPORT_ARENA_MAX (64 * 1024 * 1024)

#endif
