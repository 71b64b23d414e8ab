/* SPDX-License-Identifier: MIT */
#ifndef MOX_MAILFILE_H
#define MOX_MAILFILE_H

#include <mox/env.h>
#include <mox/error.h>
#include <mox/spool.h>

MOX_BEGIN_DECLS

/**
 * Mail in the files of other programs: an mbox (RFC 4155; lines quoted as mboxrd does), or a maildir
 * with the folders of Maildir++ in it. A reader gives one message after the other, in the order in
 * which they came, and never holds more than one piece of one in memory.
 *
 * Threads: owned by one thread at a time, any thread.
 */
struct mox_mailfile;

enum mox_mailfile_kind { MOX_MAILFILE_MBOX, MOX_MAILFILE_MAILDIR };

struct mox_mailfile_config {
    size_t size; /* sizeof(struct mox_mailfile_config) */
    /** Of a maildir: its folders too, `.Sub.Folder` as "Sub/Folder". */
    bool recursive;
    /** Something that is not as it should be, and does not stop the reader: one line of printable ASCII.
     *  NULL: nobody wants to know. */
    void (*warn)(void *user, const char *text);
    void *user;
};

/** What is known of a message besides its content; borrowed until the reader is called again. */
struct mox_mailfile_item {
    size_t folder;               /* in which one, see mox_mailfile_folder() */
    const char *where;           /* "file:line" or "file", for people: printable ASCII */
    int64_t received_us;         /* UTC; 0: nothing says it, not even a Date field */
    uint32_t flags;              /* enum mox_flag */
    const char *const *keywords; /* valid ones, lower case */
    size_t keyword_count;
};

/** Opens a file or folder. MOX_ENOTFOUND, MOX_EDENIED, MOX_EIO: it cannot be read; MOX_ESYNTAX: it is not of that
 *  kind. */
MOX_API MOX_MUST_USE int mox_mailfile_open(struct mox_mailfile **out, const struct mox_env *env,
                                           enum mox_mailfile_kind kind, const char *path,
                                           const struct mox_mailfile_config *config,
                                           struct mox_error *err);
MOX_API void mox_mailfile_free(struct mox_mailfile *m); /* NULL is fine */

/** The nth folder that messages may be in: "" is the one that was opened, others are names below it, their
 *  levels separated by '/', in UTF-8. NULL: there are no more. */
MOX_API const char *mox_mailfile_folder(const struct mox_mailfile *m, size_t n);

/**
 * The next message; its content goes to the spool, with CRLF at the end of each line.
 *
 * @param found  false: there are no more
 * @return MOX_OK; MOX_ELIMIT: it is larger than the spool takes; MOX_ESYNTAX, MOX_EUNSUPPORTED (it is
 *         compressed), MOX_EIO, MOX_ENOTFOUND (a file
 *         went meanwhile), MOX_ENOSPACE, MOX_ENOMEM. The text, printable ASCII as all others are, begins with
 *         the place.
 */
MOX_API MOX_MUST_USE int mox_mailfile_next(struct mox_mailfile *m, struct mox_spool *to,
                                           struct mox_mailfile_item *item, bool *found,
                                           struct mox_error *err);

MOX_END_DECLS

#endif
