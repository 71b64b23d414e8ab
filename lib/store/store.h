/* SPDX-License-Identifier: MIT */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <pthread.h>
#include <stdatomic.h>

#include <mox/store.h>

#include "sasl/credentials.h"
#include "store/arrivals.h"
#include "store/db.h"
#include "store/gate.h"
#include "store/known.h"

/*
 * How the durable store is divided:
 *
 *   store.c       the data directory, its lock, who has which account open
 *   account.c     opening and closing an account, its files
 *   committer.c   the thread that writes: everything queued enters one transaction, one sync
 *   waiting.c     a write that its submitter waits for
 *   publish.c     what the world learns after a commit: counts, views, watches
 *   box.c         mailboxes in memory, their counts and keywords
 *   views.c       views of mailboxes, loaded, cached, released
 *   fetch.c       reading messages;  readers.c  connections for that
 *   body_file.c   large bodies are files;  strays.c  those that nothing refers to
 *   append.c, flags.c, expunge.c, copy.c, names.c, names_rename.c   the writes, one kind per file
 *   rejects.c     refused mail is stored once, and not for long
 *   thread.c      message-ids and threads
 *   facts.c, recipients.c  what reputation looks up: who was judged how, whom the user wrote to;
 *                 history.c looks it up, unless known.c knows that there is nothing
 *   outgoing.c    how much the account sends, for its limits
 *   arrivals.c    what came today from which networks, for theirs
 *   erase.c       messages that no view shows any more
 *   import.h      many messages at once, or none of them
 *   filter.h      the junk filter, which learns behind the commits
 *   checkpoint.c  the WAL goes back into the database in the background
 *   wal.c         a WAL that a crash left is on the disk before it is believed
 *   db.c, gather.c  SQLite: connections and statements; its writes, gathered
 *   subjectpass.c keys of tokens in subjects
 *   password.c    credentials;  gate.c  not too many of them at once
 *   verify.c      is all of it right?
 *
 * A write travels: submit (any thread: prepared as far as it can be, queued) → apply (committer,
 * inside the transaction, on `next` of the boxes) → COMMIT → publish (`next` becomes `now`) → done.
 * When a transaction fails, all its writes do, and `next` is read from the database again.
 */

/* Counts and the rest of a mailbox that changes. */
struct box_state {
    bool live; /* exists */
    uint32_t uidnext, messages, unseen, deleted, recent_from;
    uint64_t bytes, modseq;
    unsigned special_use, keyword_count;
};

/* A view that somebody still has. */
struct live_view {
    struct box *box;
    struct mox_view *view;
    uint64_t modseq;
    struct live_view *next, **prev;
};

/* What a transaction changed of a mailbox, kept for a view that is being loaded meanwhile. */
struct edit_batch {
    struct edit_batch *next;
    struct mox_view_edit *edits;
    size_t count;
    uint32_t uidnext;
    uint64_t modseq;
};

/* A mailbox. Never freed while the account is open, so that its views can be released. */
struct box {
    struct mox_account *account;
    uint64_t id;
    uint32_t uidvalidity;
    /* the committer's */
    char *name;
    struct box_state next;
    bool dirty;     /* `next` differs from the row, or there are edits */
    bool published; /* others may know it */
    bool retired;   /* never made it into the database; freed at the next reload */
    bool to_sent;   /* of one that is hidden: what is in it will go to a mailbox for sent mail */
    struct mox_view_edit *edits;
    size_t edit_count, edit_cap;
    bool edits_unsorted;
    bool knows_oldest; /* since when is known: no message that it has was received before */
    int64_t oldest_us;
    bool shown; /* what views show changed, in the transaction being published */
    /* under the account's lock */
    struct box_state now;
    char *keywords[MOX_KEYWORDS_MAX]; /* those below now.keyword_count are published */
    struct live_view *live;           /* all views that exist */
    struct live_view *current;        /* the newest of them; it has no reference of ours… */
    bool owned;                       /* … unless nobody was given it yet */
    bool loading;
    bool erasing;               /* the committer's: in the transaction under way */
    bool abandoned;             /* hidden, and nobody wants what is in it */
    bool recent_dirty;          /* now.recent_from is not in the database */
    struct edit_batch *pending; /* while loading, oldest first */
    uint64_t kept_from;         /* the lowest modseq of removals whose messages are kept; 0: none */
    int64_t erase_after_us;     /* erasing failed: not before this time; 0: at any */
    struct mox_view *drop[2];   /* to be released once the lock is */
};

/* A write in the queue. */
struct job {
    struct job *next;
    struct mox_write *write; /* NULL: the store's own */
    /* Inside the transaction. A failure of this write alone is returned, with its text in
     * write->error; one of the database sticks to the writer. */
    int (*apply)(struct mox_account *a, struct job *j);
    /* After the commit or the failure, before `done`; frees what the job holds. May be NULL. */
    void (*finish)(struct mox_account *a, struct job *j, int status);
    size_t cost; /* bytes that it writes, roughly */
    int status;
};

struct reader {
    struct reader *next;
    enum db_role role;
    struct db db;
};

/* Those that nobody uses. */
struct reader_list {
    struct reader *first;
    unsigned count;
};

/* A published list of mailboxes and the memory it points to. */
struct name_list;

struct filter;

/* Argon2id: 64 MiB, 3 passes. */
#define PASSWORD_MEMORY (64u * 1024 * 1024)
#define PASSWORD_PASSES 3
#define HASHING_MAX     2 /* at once; more would let log-ins starve mail */
#define PASSWORD_CACHE  4

/* How many files of transactions in doubt are remembered; others go when the account is opened again. */
#define DOUBTFUL_MAX 64

struct mox_account {
    struct mox_store *store;
    const struct mox_env *env; /* the store's */
    struct mox_account *next;
    char *name, *dir, *db_path;
    unsigned refs; /* under the store's lock */
    bool busy;     /* being opened or closed, under the store's lock */

    pthread_mutex_t lock;
    pthread_cond_t work;   /* the committer has something to do */
    pthread_cond_t loaded; /* a view was loaded */
    struct job *queue, **queue_end;
    bool stop, erase_wanted;
    struct box **boxes; /* by id; changed by the committer, under the lock */
    size_t box_count, box_cap;
    struct name_list *names;
    uint64_t next_message;
    atomic_bool strays;                   /* there may be files that nothing refers to */
    bool folder_synced[256];              /* msg/<xx> is on the disk, and msg */
    struct reader_list readers, glancers; /* DB_READER, DB_SCANNER */

    /* the committer's */
    pthread_t committer;
    bool has_committer;
    struct db writer;
    bool stale;    /* `next` must be read again */
    bool suspect;  /* `writer` must be opened anew */
    bool wrote;    /* the transaction has put something into the WAL */
    bool in_doubt; /* the failed transaction may be found in the WAL after a crash */
    uint64_t doubtful[DOUBTFUL_MAX]; /* body files of such transactions */
    size_t doubtful_count;
    bool names_changed; /* in this transaction */
    struct name_list *new_names;
    uint64_t modseq;
    uint32_t uidvalidity; /* of the next mailbox */
    struct job erase_job;
    uint64_t *erased_files; /* bodies to remove after the commit */
    size_t erased_count;
    struct box *unerasable; /* what the transaction under way could not read, or NULL */
    bool erase_paused;      /* some box has an erase_after_us */
    int wal_pages;          /* after the last commit */

    /* The filter, or NULL; and how far it is behind, under the lock. A removed message stays readable
     * as long as it is: what was removed since a modseq, 0: nothing, must be kept; unless the disk is full. */
    struct filter *filter;
    uint64_t learn_from;   /* the first commit that it has not learnt */
    uint64_t learn_to;     /* the last one that has something to learn */
    uint64_t relearn_from; /* the same as learn_from, of a filter that is being built */
    bool learn_lacks_space;
    uint64_t
        learn_first; /* the committer's: as learn_from, of the transaction; 0: nothing to learn */

    bool count_arrivals;    /* the opener's */
    uint64_t arrivals_from; /* as in the database */
    struct arrivals arrivals;
    struct known known;

    /* checkpoints, under the store's lock */
    bool checkpoint_queued, checkpoint_running, checkpoint_tail;
    bool checkpoint_fails;    /* the last one did */
    bool checkpoint_failed;   /* and the committer does not know yet */
    bool checkpoint_doubtful; /* a sync failed: what was copied may be on no disk */
    uint64_t copied_log;      /* the salts of the log … */
    uint32_t copied_frames;   /* … so many of whose frames were copied since a sync */
    int checkpoint_from;      /* pages of the WAL before which none is tried again */
    struct mox_account *checkpoint_next;
    struct db checkpoint_db;

    pthread_mutex_t watch_lock;
    struct mox_watch *watches;

    pthread_mutex_t password_lock;
    uint8_t password_key[32];
    uint8_t password_digests[PASSWORD_CACHE][32];
    unsigned password_count, password_next;
    int64_t password_since_us;
    uint64_t password_generation;

    int (*junk_flags)(void *user, const char *mailbox);
    void *junk_flags_user;
    uint64_t quota_bytes;
};

/* Who learns; all of it under the store's lock. trainer.c */
struct trainer {
    pthread_t thread;
    bool has_thread, stop;
    pthread_cond_t work;
    struct filter *queue, **end;
    struct filter *all; /* of open accounts */
    atomic_uint open;   /* how many junk.db are; not under the lock */
};

struct mox_store {
    struct mox_env env;
    char *dir, *spool_dir;
    int lock_fd;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct mox_account *accounts;
    struct clean_account *clean; /* strays.c */
    struct gate hashing;         /* whatever runs Argon2id goes through it */
    struct password_cost cost;

    pthread_t checkpointer;
    int checkpoint_pages; /* CHECKPOINT_PAGES; a test takes fewer */
    bool has_checkpointer, stop;
    struct mox_account *checkpoints, **checkpoints_end;
    pthread_cond_t checkpoint_work;

    struct trainer trainer;
};

/* ---- account.c ---- */
int mox__account_load(struct mox_account *a, enum mox_account_open mode,
                      const struct mox_account_config *config, struct mox_error *err);
void mox__account_unload(struct mox_account *a);
/* The file of a large body: <dir>/msg/<xx>/<id>. Free with mox__mem_free(). */
char *mox__account_body_path(const struct mox_account *a, uint64_t id);
char *mox__path(const struct mox_env *env, const char *format, ...) MOX_PRINTF(2, 3);
int mox__make_dir(const char *path, struct mox_error *err); /* MOX_OK when it is there already */
int mox__sync_dir(const char *path);
int mox__sync_new_dir(const char *path, const char *parent); /* its name is on the disk, or gone */

/* ---- folder.c ---- */
/* Calls `each` for what is in a folder, until it fails; one that is not there is empty, and none that
 * cannot be read is. `err` is filled unless `each` failed. */
int mox__folder_each(const char *path,
                     int (*each)(void *user, const char *folder, const char *name), void *user,
                     struct mox_error *err);

/* ---- strays.c ---- */
/* Before the committer starts: looks for files that nothing refers to, if there may be any, and removes them. */
int mox__strays_remove(struct mox_account *a);
void mox__strays_note(struct mox_account *a); /* when it has stopped: whether to look next time */
void mox__strays_forget(struct mox_store *s);
/* Removes the file of a body; what stays is found when the account is opened again. NULL: there was no memory
 * for its path. */
void mox__body_remove(struct mox_account *a, const char *path);

/* ---- committer.c ---- */
int mox__committer_start(struct mox_account *a, struct mox_error *err);
void mox__committer_stop(struct mox_account *a);
/* Queues a job; it is finished and `done` called in any case. */
void mox__submit(struct mox_account *a, struct job *j);
/* Queues a job without a write, and waits for its end (waiting.c). */
int mox__submit_and_wait(struct mox_account *a, struct job *j, struct mox_error *err);
/* Ends a write that never got a job. */
void mox__write_fail(struct mox_write *w, int status, const char *doing);
/* A failure of one write: fills its error. */
int mox__job_fail(struct job *j, int status, const char *text);
/* The next modseq, for the write of a job. */
uint64_t mox__next_modseq(struct mox_account *a, struct job *j);
int mox__writer_open(struct mox_account *a, struct mox_error *err);

/* ---- box.c ---- */
/* A mailbox that is in no list, where an import gathers: no name that a client may use begins like that. */
static inline bool box_is_hidden(const struct box *b)
{
    return b->name[0] == '#';
}
int mox__boxes_load(struct mox_account *a); /* all `next` from the database; db.status says more */
void mox__boxes_free(struct mox_account *a);
struct box *mox__box_find(const struct mox_account *a, uint64_t id);       /* also removed ones */
struct box *mox__box_next(const struct mox_account *a, uint64_t id);       /* lives in `next` */
struct box *mox__box_named(const struct mox_account *a, const char *name); /* lives in `next` */
struct box *mox__box_create(struct mox_account *a, const char *name, unsigned special_use,
                            uint64_t modseq);
/* Writes the rows of all boxes that changed. */
void mox__boxes_flush(struct mox_account *a);
/* Remembers what views must learn. */
void mox__box_edit(struct box *b, const struct mox_view_row *row, bool remove);
/* Once views have learnt it, or it was undone. */
void mox__box_forget_edits(struct box *b);
/* Takes a message with these flags and this size into the counts, or out of them. */
void mox__box_count(struct box *b, uint32_t flags, uint64_t bytes, int sign);
/* The bits of keywords; `add` adds those that the mailbox has not. MOX_ELIMIT: added nothing. */
int mox__box_keywords(struct box *b, const char *const *keywords, size_t count, bool add,
                      uint64_t *bits);
/* Bytes of all mailboxes in `next`. */
uint64_t mox__boxes_bytes(const struct mox_account *a);

/* ---- publish.c ---- */
int mox__publish_prepare(struct mox_account *a); /* before COMMIT: what can fail */
void mox__publish(struct mox_account *a);
void mox__publish_discard(struct mox_account *a);
void mox__names_unref(struct name_list *names);
int mox__names_build(struct mox_account *a, struct name_list **out); /* from `next` */
const struct mox_mailboxes *mox__names_get(struct name_list *names); /* with a reference */
void mox__watch(void *self, struct mox_watch *w);
void mox__unwatch(void *self, struct mox_watch *w);

/* ---- views.c ---- */
int mox__view(void *self, uint64_t mailbox, struct mox_view **out, struct mox_error *err);
bool mox__view_ready(void *self, uint64_t mailbox);
/* Makes the current view that of `now`; under the lock. */
void mox__view_advance(struct box *b, struct mox_view_edit *edits, size_t count);
/* The highest modseq up to which removed messages may be erased; under the lock. */
uint64_t mox__view_erasable(const struct box *b);

/* ---- readers.c ---- */
/* A connection to read much with: it has the database mapped. */
int mox__reader_take(struct mox_account *a, struct reader **out, struct mox_error *err);
/* A connection for a few rows. */
int mox__glancer_take(struct mox_account *a, struct reader **out, struct mox_error *err);
void mox__reader_give(struct mox_account *a, struct reader *r);
void mox__readers_free(struct mox_account *a);

/* ---- fetch.c ---- */
int mox__fetch(void *self, const struct mox_view *view, const struct mox_uid_range *ranges,
               size_t range_count, unsigned wants,
               int (*each)(void *user, const struct mox_message_data *data), void *user,
               struct mox_error *err);

/* A large body, mapped; unmap what comes out in *map. MOX_ECORRUPT: it is missing or too short. */
int mox__body_map(const struct mox_account *a, uint64_t id, size_t bytes, void **map,
                  struct mox_error *err);

/* ---- the writes ---- */
void mox__append(void *self, struct mox_append *op);
/* An id that no message ever had. */
uint64_t mox__message_id_take(struct mox_account *a);
/* Links a spool's file to where the body of a message belongs; it and its name are on stable storage
 * then. *out: its path, to be removed with and freed, also after a failure that left the file there. */
int mox__body_link(struct mox_account *a, struct mox_spool *spool, uint64_t id, char **out);
/* After a commit: it has overwritten what transactions in doubt left in the WAL. */
void mox__append_settle(struct mox_account *a);
void mox__set_flags(void *self, struct mox_set_flags *op);
void mox__expunge(void *self, struct mox_expunge *op);
void mox__copy(void *self, struct mox_copy *op);
void mox__change_mailbox(void *self, struct mox_mailbox_change *op);
/* Creates a mailbox and its missing parents; `subscribe` all that is created. NULL: db.status. */
struct box *mox__mailbox_make(struct mox_account *a, const char *name, unsigned special_use,
                              bool subscribe, uint64_t modseq);
int mox__mailbox_rename(struct mox_account *a, struct job *j, const char *name,
                        const char *new_name);
/* Removes the messages in the ranges; kept until no view shows them. */
void mox__remove_range(struct mox_account *a, struct box *b, uint32_t first, uint32_t last,
                       uint32_t flags, uint64_t modseq);
/* Copies or moves all messages in the ranges; fills the results of op. */
int mox__copy_ranges(struct mox_account *a, struct job *j, struct mox_copy *op, struct box *from,
                     struct box *to, uint64_t modseq);
/* What the mailbox makes of the junk flags of a message that comes into it. */
uint32_t mox__junk_flags(const struct mox_account *a, const struct box *b, uint32_t flags);

/* ---- erase.c ---- */
/* Wakes the committer if something can be erased now; under the lock. */
void mox__erase_check(struct box *b);
/* After a commit, by the committer: what failed a while ago is tried again. */
void mox__erase_again(struct mox_account *a);
int mox__erase_apply(struct mox_account *a, struct job *j);
void mox__erase_finish(struct mox_account *a, struct job *j, int status);
/* One entry or removed entry of a message less: the last one takes it along. In mox__erase_apply(). */
void mox__message_drop(struct mox_account *a, uint64_t message);

/* ---- import.c ---- */
/* Erases up to `max` messages of an import that was abandoned, and in the end its mailbox; returns how many. In
 * mox__erase_apply(). */
size_t mox__import_erase(struct mox_account *a, struct job *j, struct box *b, size_t max);

/* ---- rejects.c ---- */
/* The mailbox for rejects, if the facts name one and it exists; else NULL. */
struct box *mox__rejects_box(const struct mox_account *a, const struct mox_delivery_facts *facts);
/* Whether it adds a reject to that mailbox, and not to one that takes rejects as accepted mail. */
bool mox__append_is_refused(const struct mox_account *a, const struct mox_append *op);
/* Whether a reject shall be stored there: it is not there yet, and there is room, for which old ones are
 * removed unless all are kept. False after a failure of the writer, too. */
bool mox__reject_is_wanted(struct mox_account *a, struct job *j, struct box *b,
                           const char *message_id, const uint8_t *hash, bool keep);
/* A message with this id, NULL for none, was accepted: its rejected copies go. */
void mox__rejects_forget(struct mox_account *a, struct job *j, struct box *b,
                         const char *message_id);

/* ---- facts.c ---- */
/* Writes or removes the verdicts of one entry whose junk flags changed. */
void mox__verdict_change(struct mox_account *a, const struct box *b, uint32_t uid, uint64_t message,
                         uint64_t origin, uint32_t before, uint32_t now);
/* The mailbox where it would have gone but for what it was held for; 0: none. */
uint64_t mox__message_destined(struct mox_account *a, uint64_t message);

/* ---- filter.c ---- */
/* Inside a transaction: an entry's flags, 0 where there is none, are others than before. */
void mox__learn_later(struct mox_account *a, uint32_t before, uint32_t now);
/* The transaction is committed; under the lock. */
void mox__learn_note(struct mox_account *a);

/* ---- trainer.c ---- */
/* There is something to learn. Any thread, without the store's lock. */
void mox__trainer_wake(struct filter *f);

/* ---- recipients.c ---- */
/* Remembers whom a message was sent to. */
void mox__recipients_add(struct mox_account *a, uint64_t message, struct mox_slice headers,
                         int64_t received);

/* ---- wal.c ---- */
/* Before the database is opened: what its log says is on the disk. */
int mox__wal_settle(const struct mox_env *env, const char *db_path, struct mox_error *err);

/* ---- checkpoint.c ---- */
int mox__checkpointer_start(struct mox_store *s, struct mox_error *err);
void mox__checkpointer_stop(struct mox_store *s);
/* After a commit, by the committer. */
void mox__checkpoint_consider(struct mox_account *a);
/* Waits until no checkpoint of the account is under way; the account gets none any more. */
void mox__checkpoint_leave(struct mox_account *a);

#endif
