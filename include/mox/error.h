/* SPDX-License-Identifier: MIT */
#ifndef MOX_ERROR_H
#define MOX_ERROR_H

#include <mox/types.h>

MOX_BEGIN_DECLS

/** Results of functions that return `int`. Failures are negative; the positive ones are outcomes
 *  that are not failures. */
enum mox_status {
    MOX_OK = 0,
    MOX_LATER = 1,    /* the answer is not known yet: it is given by a `_reply` or `done` */
    MOX_NEED_DNS = 2, /* call again when the wanted names are answered */
    MOX_NEED_FACTS = 3, /* call again when the wanted facts are known */

    MOX_ENOMEM = -1,       /* out of memory */
    MOX_EIO = -2,          /* the operating system or the disk failed */
    MOX_ELIMIT = -3,       /* a bound of ours was crossed */
    MOX_ESYNTAX = -4,      /* the input breaks its grammar */
    MOX_EINVAL = -5,       /* an argument that makes no sense: a mistake of the caller */
    MOX_ENOTFOUND = -6,    /* no such account, mailbox, message … */
    MOX_EEXISTS = -7,      /* it is there already */
    MOX_ENOSPACE = -8,     /* the disk is full (ENOSPC, EDQUOT) */
    MOX_EQUOTA = -9,       /* the account's quota is used up */
    MOX_ECORRUPT = -10,    /* stored data is damaged, foreign or too new */
    MOX_EBUSY = -11,       /* locked by another process, or shutting down */
    MOX_EDENIED = -12,     /* wrong credentials, or not permitted */
    MOX_EUNSUPPORTED = -13, /* this build or this store cannot do it */
    MOX_EREFUSED = -14,    /* refused by policy; the reply says why */
    MOX_EGONE = -15,       /* it was there and has been removed */
    MOX_ECHILDREN = -16,   /* a mailbox that has children cannot be deleted */
    MOX_ETOOMANY = -17,    /* the connection, table or list is full */
    MOX_EREADONLY = -18,   /* the file, or its file system, is read-only (EROFS) */
    MOX_EFILES = -19       /* too many open files (EMFILE, ENFILE) */
};

/** A failure's text for a person: what was done to what, what went wrong, what helps. Lent by the caller; NULL, with
 *  every function that takes one, when nobody wants the text. A function that returns a failure fills it. After
 *  any other result what is in it means nothing: something may have failed on the way. When a function
 *  returns what a callback of its caller returned, the text is the callback's business. */
struct mox_error {
    int status;     /* enum mox_status */
    char text[512]; /* NUL-terminated, one line, cut when longer */
};

/** A short constant text for a status, such as "out of memory". Never NULL. */
MOX_API const char *mox_status_text(int status);

MOX_END_DECLS

#endif
