/* SPDX-License-Identifier: MIT */
#ifndef STORE_KNOWN_H
#define STORE_KNOWN_H

#include <pthread.h>

#include <mox/history.h>

/* Whom anything is known of: keys of all that reputation may find in an account, kept in memory. Most mail is
 * of strangers, who ask a dozen times for what is not there, of pages that SQLite reads anew after each commit.
 *
 * A key that is not here has no row, in no snapshot that a history sees; one that is here may have one. For that,
 *
 *   - the committer adds a key before it writes a row with it, and no key is ever taken out;
 *   - rows that were there before are read in order, a few for each message that had to look at the tables anyway.
 *     A history goes by what was read before its snapshot was taken: what was removed since is in no such snapshot.
 *
 * So a full set, a failing allocation, and a table that is not read yet cost a look at the tables, and no more. */

/* Keys are hashes. By their first bits they are in one of the parts, in order; of the rest 16 bits are kept: with
 * the most keys, a million in 2 MB, one stranger in sixteen is taken for somebody known. */
#define KNOWN_PARTS    256
#define KNOWN_PART_MAX 4096

struct known_part {
    uint16_t *keys;
    uint16_t count, cap;
    bool full; /* there is more than is here */
};

/* How much of the tables has been read. */
struct known_extent {
    int64_t senders;  /* all keys up to here; -1: none */
    bool addressees;  /* all of them */
    uint64_t changes; /* keys that writes have added */
};

struct known {
    pthread_mutex_t lock; /* of all that follows */
    struct known_part parts[KNOWN_PARTS];
    struct known_extent extent;
    uint64_t addressees_from; /* the message whose recipients are next */
    bool reading;             /* somebody is */
    bool off;                 /* a test's: everything is looked for in the tables */
};

struct mox_account;
struct db;

void mox__known_init(struct known *k);
void mox__known_free(struct mox_account *a);

/* The hash of a sender in `verdict`; localpart is NULL for domains and masked addresses. */
uint64_t mox__verdict_hash(enum mox_sender sender, const char *localpart, const char *name);
/* The key of whom the user wrote to; localpart is NULL for domains. */
uint64_t mox__addressee_hash(enum mox_addressee addressee, const char *localpart,
                             const char *domain);

/* The committer's: a row with it is about to be written. */
void mox__known_add(struct mox_account *a, uint64_t key);

struct known_extent mox__known_extent(struct mox_account *a);
/* Whether nothing is known of a key, by somebody whose snapshot is not older than the extent. */
bool mox__known_lacks_sender(struct mox_account *a, const struct known_extent *e, uint64_t key);
bool mox__known_lacks_addressee(struct mox_account *a, const struct known_extent *e, uint64_t key);
/* Whether writes have added keys since. */
bool mox__known_has_changed(struct mox_account *a, const struct known_extent *e);
/* Reads on, unless all was read or somebody else does. What fails sticks to `db`. */
void mox__known_read(struct mox_account *a, struct db *db);

#endif
