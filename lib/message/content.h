/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_CONTENT_H
#define MESSAGE_CONTENT_H

#include "base/buf.h"

/* The values of Content-Type and Content-Disposition (RFC 2045 §5.1, RFC 2183): a type or a word,
 * then parameters. Comments are skipped, and what is wrong is skipped up to the next semicolon. */

/* A place in such a value. */
struct params {
    struct mox_slice text;
    size_t at;
};

struct param {
    struct mox_slice name;  /* as written */
    struct mox_slice value; /* without the quotes, but with escapes and folds if `quoted` */
    bool quoted;
};

/* The most parameters of one field that are looked at: real mail has fewer than ten, and a file
 * name in continuations (RFC 2231 §3) some tens. */
#define PARAMS_MAX 100

/* "type/subtype": true when both are there; either may be empty otherwise. *rest follows. */
bool mox__content_type(struct mox_slice value, struct mox_slice *type, struct mox_slice *subtype,
                       struct params *rest);
/* One token, as of Content-Disposition, Content-Transfer-Encoding and Content-Language; empty if
 * there is none. Skips comments and white space around it. */
struct mox_slice mox__content_token(struct params *p);
/* The next parameter, or false. */
bool mox__param_next(struct params *p, struct param *out);
/* The first parameter of this name. */
bool mox__param_find(struct params p, const char *name, struct param *out);
/* Appends the value of the parameter of this name, decoded: given plainly (then with escapes and
 * folds resolved) or else in one of the forms of RFC 2231: "name*", or "name*0", "name*1*" … in
 * this order. Its bytes are of *charset, which is empty if none is given. Whether there is such a
 * parameter. */
bool mox__param_value(struct params p, const char *name, struct buf *out,
                      struct mox_slice *charset);
/* A value with escapes and folds resolved. */
void mox__param_text(struct buf *out, const struct param *param);
/* Whether mox__param_text() would give anything but `value` itself. */
bool mox__param_is_escaped(const struct param *param);

/* Behind white space, line ends and comments (RFC 5322 §3.2.2) at `at`. Comments nest to any depth;
 * an open one ends with the text. */
size_t mox__skip_cfws(struct mox_slice s, size_t at);

#endif
