/* SPDX-License-Identifier: MIT */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include <mox/mailfile.h>

#include "store/store.h"

/*
 * Importing: many messages become visible together, or none does.
 *
 *   begin ──▶ a hidden mailbox for each target ─▶ add, add, … ─▶ publish: one transaction moves the
 *                        │                                       entries to their targets
 *                        └─ end without publish, or a crash ─▶ abandoned: erase.c removes it bit by bit
 *
 * Messages are appended as any others are, many of them in a transaction, so deliveries wait for a batch and not
 * for an import. Until it is published nobody is told of them, the filter does not learn from them, and they
 * have no verdicts; their bytes count for the quota. A hidden mailbox that is there when an account is opened is
 * one that was abandoned. Publishing writes a narrow row for each message, and no message.
 */

/* What may be on its way to the committer. */
#define IMPORT_AHEAD_MAX       256
#define IMPORT_AHEAD_BYTES_MAX ((size_t)8 * 1024 * 1024)
/* What a message in a file counts as: it takes a descriptor, and 32 of them are enough. */
#define IMPORT_FILE_COST (IMPORT_AHEAD_BYTES_MAX / 32)

struct import;

/* `mailboxes` are names of the targets, valid ones; copied. MOX_ENOMEM, MOX_EIO, MOX_ENOSPACE. */
int mox__import_begin(struct import **out, struct mox_account *a, const char *const *mailboxes,
                      size_t count, struct mox_error *err);
/* What is added to a target is junk, whatever its mailbox makes of it. Before it is published. */
void mox__import_is_junk(struct import *i, size_t target);
/* Adds a message to a target; the spool is the import's from here on. Waits while much is on its way. A failure
 * may be that of an earlier message: its text names the place. It sticks. */
int mox__import_add(struct import *i, size_t target, struct mox_spool *spool,
                    const struct mox_mailfile_item *item, struct mox_error *err);
/* Waits until all is on the disk and visible. MOX_ELIMIT: UIDs are used up. */
int mox__import_publish(struct import *i, struct mox_error *err);
/* What was left out of what is published. */
void mox__import_warn(const struct import *i, const struct mox_mailfile_config *config);
/* Unless it was published, nothing of it will be left. NULL is fine. */
void mox__import_end(struct import *i);

/* ---- import_keywords.c: those of a target, as many as a mailbox may have ---- */
struct import_keywords {
    char *names[MOX_KEYWORDS_MAX];
    unsigned count;
    uint64_t left_out; /* how often one was */
    char *first;       /* of these: where, and which; NULL: nobody knows */
};
/* Those that the mailbox has. */
int mox__import_keywords_set(struct import_keywords *k, const struct mox_env *env,
                             char *const *names, unsigned count);
/* Those of an item for which there is room; borrowed from it. */
int mox__import_keywords_pick(struct import_keywords *k, const struct mox_env *env,
                              const struct mox_mailfile_item *item,
                              const char *picked[MOX_KEYWORDS_MAX], size_t *count);
/* If any were left out. */
void mox__import_keywords_warn(const struct import_keywords *k, const char *mailbox,
                               const struct mox_mailfile_config *config);
void mox__import_keywords_free(struct import_keywords *k, const struct mox_env *env);

/* ---- between import.c and import_add.c ---- */
struct adder;
int mox__adder_new(struct adder **out, struct mox_account *a, struct mox_error *err);
int mox__adder_add(struct adder *d, uint64_t mailbox, struct mox_spool *spool,
                   const struct mox_mailfile_item *item, struct mox_error *err);
/* Waits for all; the first failure. */
int mox__adder_wait(struct adder *d, struct mox_error *err);
void mox__adder_free(struct adder *d); /* waits too; NULL is fine */

/* ---- import_files.c: what is read is imported, in steps ---- */
struct import_files;
MOX_PRIV int mox__import_files_begin(struct import_files **out, struct mox_account *a,
                                     const struct mox_import *what, struct mox_error *err);
/* MOX_LATER: there is more; MOX_OK: all of it is visible. */
MOX_PRIV int mox__import_files_step(struct import_files *f, struct mox_error *err);
/* What did not end is undone. NULL is fine. */
MOX_PRIV void mox__import_files_end(struct import_files *f);
/* How far it is. */
MOX_PRIV void mox__import_files_tell(const struct import_files *f, struct mox_import *out);

#endif
