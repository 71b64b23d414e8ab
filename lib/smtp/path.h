/* SPDX-License-Identifier: MIT */
#ifndef SMTP_PATH_H
#define SMTP_PATH_H

#include <mox/smtp_server.h>

#include "base/arena.h"
#include "base/buf.h"

/* The paths of MAIL and RCPT (RFC 5321 §4.1.2, RFC 6531 §3.3). */

enum path_flags {
    PATH_UTF8 = 1 << 0,       /* SMTPUTF8 was given */
    PATH_NULL = 1 << 1,       /* <> is one */
    PATH_POSTMASTER = 1 << 2, /* <postmaster> is one (RFC 5321 §4.5.1) */
    PATH_PEDANTIC = 1 << 3    /* 64 bytes of local part, IPv6 literals with their tag */
};

/* Takes `<…>` from the front of *in: *inner is what is between the brackets. A bracket within
 * quotes does not end it. */
MOX_PRIV bool mox__smtp_cut_path(struct mox_slice *in, struct mox_slice *inner);

/* Reads what is between the brackets; texts of *out are in the arena. MOX_ESYNTAX with *problem a
 * phrase for people, MOX_EUNSUPPORTED: it needs SMTPUTF8, MOX_ENOMEM. */
MOX_PRIV MOX_MUST_USE int mox__smtp_path_parse(struct arena *a, struct mox_slice inner,
                                               unsigned flags, struct mox_smtp_path *out,
                                               const char **problem);

/* Reads an address literal with its brackets (RFC 5321 §4.1.3) and gives its proper form, which has
 * room for SMTP_LITERAL_MAX bytes. */
#define SMTP_LITERAL_MAX 64
MOX_PRIV bool mox__smtp_literal_parse(struct mox_slice text, bool pedantic,
                                      char out[SMTP_LITERAL_MAX]);

/* Appends the path as it is written, without brackets, its domain in ASCII: with quotes where they
 * are needed; nothing for the null path. */
MOX_PRIV void mox__smtp_path_write(struct buf *out, const struct mox_smtp_path *path);

#endif
