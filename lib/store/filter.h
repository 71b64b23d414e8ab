/* SPDX-License-Identifier: MIT */
#ifndef STORE_FILTER_H
#define STORE_FILTER_H

#include "store/junk_db.h"
#include "store/problems.h"
#include "store/store.h"

/*
 * How an account's filter learns.
 *
 *   filter.c          who has the filter now; opening and closing junk.db; asking it
 *   filter_file.c     junk.db: what it says it has learnt, and a damaged one out of the way
 *   filter_changes.c  what changed in the account since the filter looked last
 *   filter_learn.c    learning that, a few messages in one transaction
 *   filter_retrain.c  a new junk.db beside the old one
 *   trainer.c         the thread that does it behind commits, for all accounts
 *   filter_verify.c   does junk.db agree with the flags?
 *
 * junk.db is a database of its own, and no transaction joins it with index.db. It has, written in
 * the transaction that changes the counts of words, which entry was learnt as what, and the modseq
 * of the account up to which it has learnt all. What changed in index.db since that modseq is
 * compared with what was learnt, and only the difference is done. So nothing is learnt twice or
 * missed, whenever a crash comes; and a write that changes no verdict costs nothing.
 *
 * A message that was learnt must be readable until it was forgotten: as long as the filter is
 * behind, or its account is opened by who says nothing of it, erase.c keeps what was removed since.
 */

/* What was learnt from an entry, or is to be: the column `kind` of junk.db. */
enum learnt {
    LEARNT_NOTHING = 0, /* no row */
    LEARNT_HAM = 1,
    LEARNT_SPAM = 2,
    LEARNT_CLASS = 3,  /* a mask for these */
    LEARNT_SKIPPED = 4 /* with one of the two: its message could not be read */
};

/* An entry whose message is to be learnt, or forgotten. */
struct change {
    uint64_t mailbox, message; /* message 0: erased already */
    uint32_t uid;
    int64_t trace; /* of what it had */
    uint8_t had, wants;
};

/* All that is between what a junk.db has learnt and a state of the account. */
struct changes {
    struct change *list;
    size_t count, cap;
    size_t at;       /* those before are done */
    uint64_t modseq; /* of the account, when they were found; 0: nothing was looked for */
};

/* A junk.db. */
struct filter_file {
    struct mox_junk_file *words; /* NULL: closed */
    struct db index;             /* for reading the account; opened when it is needed */
    bool bulk;                   /* its owner begins and commits the transaction */
    bool looked;                 /* for what was erased while nobody learnt */
    uint64_t modseq;             /* up to which it has learnt all */
    bool relearn;                /* something in it cannot be forgotten: it is to be built anew */
    struct changes due;
};

struct retrain;

struct filter {
    struct mox_account *account;
    struct mox_junk_params params; /* of the configuration */
    char *path, *new_path;         /* junk.db; and where one is built anew */

    /* Whose turn it is: a queue, so that who asks waits for one transaction of who learns. */
    pthread_mutex_t lock;
    pthread_cond_t turn;
    uint64_t next_ticket, serving;
    /* Under the lock: what who asks has to know first. It is right until the next change of the file, so that most
     * who ask need no turn for it. */
    struct {
        bool is_valid, knows_something;
        struct mox_junk_params params; /* how messages are read */
    } outline;

    /* whose turn it is */
    struct filter_file file;
    bool failing;           /* the last transaction did, and it was logged */
    bool disk_failed;       /* messages could not be read, and the filter is not in step since */
    int64_t disk_failed_us; /* the first of them */
    int64_t used_us;
    bool retraining;

    /* the trainer's thread's */
    struct retrain *rebuilding;
    bool rebuild_failed; /* and it was logged */
    bool given_up;       /* it will not go better next time */

    /* the trainer's, under the store's lock */
    struct filter *next, *all_next;
    bool queued, running, leaving, retry;
};

/* How many messages one transaction learns: it amortises a sync, and who waits for the filter waits
 * for some ten milliseconds; with large messages it ends sooner. */
#define LEARN_AT_ONCE 64
/* And when thousands wait: a page of words is written once for all of them. */
#define LEARN_MANY 512
#define LEARN_US   INT64_C(30000)

/* ---- filter.c ---- */
int mox__filter_new(struct mox_account *a, const struct mox_junk_params *params);
/* Nobody learns any more; what is half-built is removed. Waits. */
void mox__filter_stop(struct filter *f);
void mox__filter_free(struct mox_account *a);
void mox__filter_enter(struct filter *f);
bool mox__filter_try_enter(struct filter *f);
void mox__filter_leave(struct filter *f);
/* With the turn: the file changes, or is closed. */
void mox__filter_changes(struct filter *f);
/* With the turn: opens junk.db if it is not. MOX_ENOMEM, MOX_EIO …: the first of several is logged. */
int mox__filter_open(struct filter *f, struct mox_error *err);
void mox__filter_close(struct filter *f);
/* With the turn, at its end: closes it if too many are open to wait for the sweep. */
void mox__filter_spare(struct filter *f);
/* With the turn: learns up to `max` messages. *more: there is more to do. */
int mox__filter_catch_up(struct filter *f, size_t max, bool *more);
/* With the turn: it should be built anew. */
bool mox__filter_is_stale(const struct filter *f);
/* All that was committed up to `modseq` is learnt, durably: erase.c may go on. */
void mox__filter_in_step(struct filter *f, uint64_t modseq);
/* Takes the failure of a junk.db: sets a damaged one aside. The first of several is logged. */
void mox__filter_failed(struct filter *f, int status, const char *text);

/* ---- filter_file.c ---- */
/* Opens or creates. MOX_ECORRUPT: damaged, foreign or too new. */
int mox__filter_file_open(struct filter *f, struct filter_file *file, const char *path,
                          struct mox_error *err);
void mox__filter_file_close(struct filter *f, struct filter_file *file);
/* Opens file->index, a connection to index.db, if it is not. */
int mox__filter_index(struct filter *f, struct filter_file *file, struct mox_error *err);
/* How many words it knows. */
int mox__filter_file_count(struct filter_file *file, uint64_t *words);
/* Renames junk.db to junk.db.damaged-<time>. */
void mox__filter_set_aside(struct filter *f, const char *why);
/* Removes a database with what belongs to it. */
void mox__filter_file_remove(const struct mox_env *env, const char *path);

/* ---- filter_changes.c ---- */
enum learnt mox__learnt_wanted(uint32_t flags);
/* Fills file->due. MOX_ECORRUPT: the file is ahead of the account. */
int mox__filter_look(struct filter *f, struct filter_file *file, struct mox_error *err);
void mox__changes_free(const struct mox_env *env, struct changes *c);

/* ---- filter_learn.c ---- */
/* The words of a message, by a connection to index.db. MOX_ECORRUPT, MOX_EIO: it cannot be read, others
 * may be. */
int mox__filter_words(struct mox_account *a, struct db *db, const struct mox_junk_params *params,
                      uint64_t message, struct mox_junk_words **out, struct mox_error *err);
/* Whether what failed may go well later: too little memory, too few descriptors, a
 * lock. */
bool mox__learn_passes(int status);
/* Counts of what was done, for whoever wants to know. */
struct learn_counts {
    uint64_t messages, hams, spams, failed;
};
/* Does up to `max` of file->due in one transaction; with the last of them the file is in step. */
int mox__filter_learn(struct filter *f, struct filter_file *file, size_t max,
                      struct learn_counts *counts, struct mox_error *err);

/* ---- filter_retrain.c ---- */
/* MOX_EUNSUPPORTED: the account has no filter; MOX_EBUSY: somebody is at it. */
MOX_PRIV int mox__account_retrain_begin(struct mox_account *a, struct retrain **out,
                                        struct mox_error *err);
/* Without the turn. One piece of it: MOX_LATER: there is more; MOX_OK: the new filter is in place. */
MOX_PRIV int mox__retrain_step(struct retrain *r, struct mox_error *err);
/* Without the turn; what is not finished is undone. NULL is fine. */
MOX_PRIV void mox__retrain_end(struct retrain *r);
MOX_PRIV void mox__retrain_tell(const struct retrain *r, struct mox_retrain *out);

/* ---- filter_verify.c ---- */
/* The account being closed, but for its database. */
int mox__filter_verify(struct mox_account *a, struct problems *problems, struct mox_error *err);

/* ---- trainer.c ---- */
void mox__trainer_init(struct mox_store *s);
void mox__trainer_stop(struct mox_store *s);
/* The account is open: its filter is looked after from now on. */
int mox__trainer_join(struct filter *f, struct mox_error *err);
/* Returns when nobody is at it any more. */
void mox__trainer_leave(struct filter *f);

#endif
