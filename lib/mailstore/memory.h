/* SPDX-License-Identifier: MIT */
#ifndef MAILSTORE_MEMORY_H
#define MAILSTORE_MEMORY_H

#include <mox/mailstore.h>
#include <pthread.h>

#include "base/arena.h"
#include "mailstore/rendered.h"

/*
 * The mailstore in memory. One lock guards everything but the watches. A write does all that can
 * fail first, then changes the mailboxes, then, with the lock released, drops the views that it
 * replaced, tells the watches, and is done.
 *
 *   memory.c           making it, reading it, the table of its functions
 *   memory_mailbox.c   one mailbox: entries, keywords, views, what was removed
 *   memory_message.c   one message
 *   memory_draft.c     a new list of mailboxes while it is made
 *   memory_names.c     the changes of that list
 *   memory_watch.c     who is told of changes
 *   memory_write.c     append, flags, expunge, copy
 */

/* What never changes of a message. Shared by its copies. */
struct message {
    uint64_t id;
    unsigned entries; /* that show it */
    int64_t received_us;
    struct mox_slice prefix, content; /* behind the struct, in the same allocation */
    struct rendered rendered;
};

/* A message in a mailbox. A removed one stays while a view shows it; then `message` is NULL until
 * the entries are packed. */
struct entry {
    struct mox_view_row row;
    bool removed;
    int64_t saved_us;
    struct message *message;
};

/* A removed entry that still has its message. */
struct removal {
    uint32_t uid;
    uint64_t modseq; /* views from this one on do not show it */
};

/* A view that somebody holds. Its mailbox stays, gone or not, and so do the messages that it shows.
 */
struct pin {
    struct mailbox *mailbox;
    uint64_t modseq; /* of the view */
    struct pin *older, *newer;
};

struct mailbox {
    struct memory *store;
    uint64_t id;
    bool gone;
    struct mox_mailbox_status status;
    char *keywords[MOX_KEYWORDS_MAX];
    unsigned keyword_count;
    struct entry *entries; /* ascending UIDs */
    size_t count, cap;
    size_t dead;              /* entries without a message */
    struct removal *removals; /* ascending modseq; those before `removal_first` are done */
    size_t removal_first, removal_count, removal_cap;
    struct mox_view *view; /* the current one, or NULL: not made yet */
    struct pin *oldest, *newest;
    struct mailbox *next; /* in a draft */
};

struct memory {
    struct mox_env env;
    pthread_mutex_t lock;
    const struct mox_mailboxes *names;
    struct mailbox *
        *mailboxes; /* ascending ids; also those that are gone, while a view shows them */
    size_t mailbox_count, mailbox_cap;
    uint64_t modseq; /* the last one given */
    uint64_t next_mailbox, next_message;
    uint32_t next_uidvalidity;

    pthread_mutex_t watch_lock; /* held while a watch is called; nothing else is locked inside */
    struct mox_watch *watches;
};

/* What a write leaves to be done when the lock is released: dropping a view takes the lock, watches
 * and `done` are foreign code. */
struct aftermath {
    struct mox_view *views[2]; /* replaced */
    uint64_t changed[2];       /* mailboxes */
    size_t view_count, changed_count;
    bool names_changed;
};

/* Changes of one mailbox's view, ascending. When memory ran out the view is made anew instead. */
struct edits {
    struct mox_view_edit *list;
    size_t count, cap;
    bool failed;
};

/* memory_message.c */

/* Copies the content from the spool and renders what FETCH asks for. */
int mox__memory_message_new(struct message **out, const struct mox_env *env,
                            const struct mox_append *op, struct mox_error *err);
void mox__memory_message_free(const struct mox_env *env, struct message *message);

/* memory_mailbox.c */

struct mailbox *mox__memory_mailbox_new(struct memory *m, uint64_t id, uint32_t uidvalidity);
/* No view of it is left. */
void mox__memory_mailbox_free(struct mailbox *mb);
/* Also one that is gone while a view of it is held; NULL otherwise. */
struct mailbox *mox__memory_mailbox_any(const struct memory *m, uint64_t id);
/* One that exists, or NULL. */
struct mailbox *mox__memory_mailbox(const struct memory *m, uint64_t id);

/* The index of the first entry with this UID or a higher one. */
size_t mox__memory_find(const struct mailbox *mb, uint32_t uid);
/* Room for more entries: MOX_ENOMEM, or MOX_ELIMIT when the UIDs are used up. */
int mox__memory_reserve(struct mailbox *mb, size_t more, struct mox_error *err);
/* Room for more removals. */
int mox__memory_reserve_removals(struct mailbox *mb, size_t more, struct mox_error *err);
/* The bits of keywords; `add` takes new ones into the mailbox, all or none: MOX_ELIMIT, MOX_ENOMEM.
 */
int mox__memory_keywords(struct mailbox *mb, const char *const *keywords, size_t count, bool add,
                         uint64_t *bits, struct mox_error *err);

/* These cannot fail: room was reserved. */
void mox__memory_add(struct mailbox *mb, const struct entry *entry, struct edits *edits);
void mox__memory_change(struct mailbox *mb, struct entry *e, uint32_t flags, uint64_t keywords,
                        uint64_t modseq, struct edits *edits);
void mox__memory_remove(struct mailbox *mb, struct entry *e, uint64_t modseq, struct edits *edits);
/* After the edits of a write: the new view, if there was an old one. */
void mox__memory_changed(struct mailbox *mb, uint64_t modseq, struct edits *edits,
                         struct aftermath *after);
/* The mailbox is removed with its messages. */
void mox__memory_mailbox_gone(struct mailbox *mb, struct aftermath *after);

/* The current view, borrowed; made when there is none. */
int mox__memory_view(struct mailbox *mb, struct mox_view **out, struct mox_error *err);

/* memory_draft.c */

/* The list of mailboxes being changed. Nothing shows before the commit, which cannot fail. */
struct draft {
    struct memory *store;
    struct mox_mailbox *list; /* names are borrowed: from the current list, the write or `arena` */
    size_t count, cap;
    struct mailbox *created;
    unsigned created_count;
    struct names *frozen;
    struct arena arena;
};

int mox__memory_draft_begin(struct draft *d, struct memory *m, struct mox_error *err);
/* The entry of this name, or NULL. Only in a settled draft. */
struct mox_mailbox *mox__memory_draft_find(const struct draft *d, const char *name);
/* Adds an entry at the end; the draft is to be settled then. */
int mox__memory_draft_add(struct draft *d, const struct mox_mailbox *entry, struct mox_error *err);
/* Sorts, makes one entry of a mailbox and a subscription of the same name, and drops entries that
 * stand for neither. Two mailboxes never have the same name here. */
void mox__memory_draft_settle(struct draft *d);
/* Creates the mailbox and its missing parents, and settles. *out is the mailbox; it may be NULL. */
int mox__memory_draft_create(struct draft *d, const char *name, bool subscribe,
                             struct mailbox **out, struct mox_error *err);
/* All that can fail of the commit. */
int mox__memory_draft_freeze(struct draft *d, struct mox_error *err);
void mox__memory_draft_commit(struct draft *d, uint64_t modseq, struct aftermath *after);
/* Frees what was not committed. */
void mox__memory_draft_end(struct draft *d);

/* MOX_ENOMEM. */
int mox__memory_no_room(struct mox_error *err);
/* The list that a store starts with: Inbox. */
int mox__memory_names_init(struct memory *m);

/* memory_names.c */

int mox__memory_change_names(struct memory *m, struct mox_mailbox_change *op,
                             struct aftermath *after);

/* memory_watch.c */

void mox__memory_watch(void *self, struct mox_watch *w);
void mox__memory_unwatch(void *self, struct mox_watch *w);
/* Releases the lock, drops views, tells the watches, and calls `done`. */
void mox__memory_finish(struct memory *m, struct mox_write *w, int status, struct aftermath *after);

/* memory_write.c */

void mox__memory_append(void *self, struct mox_append *op);
void mox__memory_set_flags(void *self, struct mox_set_flags *op);
void mox__memory_expunge(void *self, struct mox_expunge *op);
void mox__memory_copy(void *self, struct mox_copy *op);
void mox__memory_change_mailbox(void *self, struct mox_mailbox_change *op);

/* A copy or move being made. */
struct transfer {
    struct mailbox *from, *to;
    const struct mox_uid_range *ranges;
    size_t range_count;
    bool move;
    uint32_t count;
    struct mox_uid_range *copied; /* the messages, as ranges; whoever made the transfer frees it */
    size_t copied_count;
    uint64_t bits[MOX_KEYWORDS_MAX]; /* of the destination, by bit of the source */
};

/* All that can fail. It may find nothing to do: then `count` is 0. */
int mox__memory_transfer_prepare(struct transfer *t, struct mox_error *err);
void mox__memory_transfer_commit(struct transfer *t, uint64_t modseq, struct aftermath *after);

#endif
