/* SPDX-License-Identifier: MIT */
#ifndef MAILFILE_MAILFILE_H
#define MAILFILE_MAILFILE_H

#include <mox/mailfile.h>
#include <mox/mailstore.h>

#include "base/arena.h"
#include "mailfile/crlf.h"

/*
 *   mailfile.c      what both kinds have in common
 *   mbox.c          an mbox, from whatever gives its bytes
 *   maildir.c       a maildir;  maildir_folders.c  which ones are in it;  maildir_name.c  what names of files say
 *   keywords.c      what programs call flags: words to flags and keywords;  dovecot-keywords
 *   item.c          what is known of a message is put together
 *   crlf.c          lines into a spool
 */

#define KEYWORD_MAX 100 /* bytes, as in mox_keyword_is_valid() */
#define WHERE_MAX   1200

/* The item under way, with what it points to. */
struct item {
    struct mox_mailfile_item pub;
    char where[WHERE_MAX];
    char text[MOX_KEYWORDS_MAX][KEYWORD_MAX + 1];
    const char *keywords[MOX_KEYWORDS_MAX];
};

/* Bytes of a file: up to `room`, 0 at the end. */
struct source {
    int (*read)(void *user, uint8_t *to, size_t room, size_t *len);
    void *user;
};

struct mox_mailfile {
    struct mox_env env;
    struct mox_mailfile_config config;
    struct mbox *mbox; /* one of both */
    struct maildir *maildir;
    char *path;
    int fd; /* of an mbox */
    struct item item;
    struct crlf crlf;
};

/* Texts have names of strangers' files in them: what is not printable ASCII becomes `?`. */
void mox__mailfile_clean(char *text);

/* ---- item.c ---- */
void mox__item_begin(struct item *i);
/* Where it is: `line` 0 for none. What is not printable ASCII in `path` becomes `?`. */
void mox__item_where(struct item *i, const char *path, uint64_t line);
/* A word that stands for a flag or a keyword; false: it is neither, or there are too many. */
bool mox__item_mark(struct item *i, struct mox_slice word);
/* When nothing else says when it was received: its Date field. */
void mox__item_date(struct item *i, struct mox_slice headers);
/* A failure there. */
int mox__item_fail(const struct item *i, int status, struct mox_error *err);

/* ---- keywords.c ---- */
/* The flag of a word as programs write it, with or without `$`, in any case; 0: it is none. */
uint32_t mox__keyword_flag(struct mox_slice word);
/* dovecot-keywords: what the letters a to z stand for in a folder. Empty: nothing. */
struct letters {
    char word[26][KEYWORD_MAX + 1];
    uint32_t missed; /* letters that a warning was given for already */
};
/* Reads the file's lines, those that it can; each of the others is a warning. */
void mox__letters_read(struct letters *l, struct mox_slice file, const char *where,
                       const struct mox_mailfile_config *config);
/* A text that is made of strangers' words: made printable. */
void mox__mailfile_warn(const struct mox_mailfile_config *config, const char *format, ...)
    MOX_PRINTF(2, 3);

/* ---- mbox.c ---- */
struct mbox;
/* `name` is for people, and borrowed. */
MOX_MUST_USE int mox__mbox_new(struct mbox **out, const struct mox_env *env, const char *name,
                               struct source source);
void mox__mbox_free(struct mbox *m);
MOX_MUST_USE int mox__mbox_next(struct mbox *m, struct crlf *to, struct item *item, bool *found,
                                const struct mox_mailfile_config *config, struct mox_error *err);

/* ---- maildir.c ---- */
struct maildir;
MOX_MUST_USE int mox__maildir_open(struct maildir **out, const struct mox_env *env,
                                   const char *path, const struct mox_mailfile_config *config,
                                   struct mox_error *err);
void mox__maildir_free(struct maildir *m);
const char *mox__maildir_folder(const struct maildir *m, size_t n);
MOX_MUST_USE int mox__maildir_next(struct maildir *m, struct crlf *to, struct item *item,
                                   bool *found, const struct mox_mailfile_config *config,
                                   struct mox_error *err);

/* `what` of a path in it failed with an errno; a path in it is too long. */
int mox__maildir_fail(const char *what, const char *path, int error, struct mox_error *err);
int mox__maildir_too_long(const char *path, struct mox_error *err);

/* ---- maildir_folders.c ---- */
struct folder {
    char *dir;  /* in the maildir; "." for itself */
    char *name; /* of a mailbox */
};
struct folders {
    const struct mox_env *env;
    const char *path;                         /* borrowed, as is: */
    const struct mox_mailfile_config *config; /* while it is opened */
    struct folder *list;
    size_t count, cap;
};
/* Finds out which there are, "." the first. They are to be freed also after a failure. */
MOX_MUST_USE int mox__folders_open(struct folders *l, const struct mox_env *env, const char *path,
                                   const struct mox_mailfile_config *config, struct mox_error *err);
void mox__folders_free(struct folders *l);

/* ---- maildir_name.c ---- */
/* When it came, as the name of a file says: seconds since 1970, in front of the first of at least two dots.
 * 0: it does not say. */
int64_t mox__maildir_name_time(const char *name);
/* The letters behind ":2,", or "!2," as on file systems that have no colon; "" if there are none. */
const char *mox__maildir_name_flags(const char *name);
/* The flag of an upper-case letter; 0: it is none. */
uint32_t mox__maildir_flag(char letter);
/* The name of the folder `.Sub.Folder`, levels separated by '/'. MOX_ESYNTAX: it is not modified UTF-7. */
MOX_MUST_USE int mox__maildir_folder_name(const char *dir, char *out, size_t size);

#endif
