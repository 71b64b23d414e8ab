/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_SEXP_H
#define SUPPORT_SEXP_H

#include <mox/types.h>

/* IMAP's lists of strings, numbers and NIL, read strictly. */

enum sexp_kind { SEXP_LIST, SEXP_STRING, SEXP_NUMBER, SEXP_NIL };

struct sexp {
    enum sexp_kind kind;
    struct mox_slice text; /* of a string, without quotes and escapes, or of a number; owned */
    struct sexp *items;
    size_t count;
};

/* Reads one item at *at and moves behind it; false if it is not well-formed. Free it either way. */
bool sexp_read(struct mox_slice in, size_t *at, struct sexp *out);
void sexp_free(struct sexp *s);

#endif
