/* SPDX-License-Identifier: MIT */
#ifndef FAULTS_DISK_H
#define FAULTS_DISK_H

#include "faults/record.h"

/*
 * What a power cut leaves of recorded files. The model is POSIX taken at its word, which is harsher
 * than any file system in use:
 *
 * - A file's bytes are on the disk once fsync() or fdatasync() of it returned; what was written later
 *   may be there or not, sector by sector of 512 bytes, each as it was after any of those writes. A
 *   sector is never half written, nor are its neighbours touched (SQLite's "powersafe overwrite").
 * - A file's length is bytes' like: it may have grown before they came, and then shows zeros or what
 *   other files left there.
 * - A name, made by creat(), link() or mkdir() or removed by unlink(), is on the disk once its folder
 *   was synced; rename() is both. Syncing a file does not sync its name, syncing a folder not its own name. What was
 *   done to names later may be there or not, each by itself and in no order.
 * - After a failed sync the kernel takes for written what is not: those bytes come to the disk only
 *   by luck, also when a later sync succeeds, unless they are written again.
 */
struct disk;

enum leaving {
    LEAVES_SYNCED, /* nothing but what was synced */
    LEAVES_SOME,   /* some of the rest, by the seed */
    LEAVES_ALL     /* everything in the order it was done: what a killed process leaves */
};

struct disk *disk_new(unsigned files);
void disk_free(struct disk *d);
/* One more operation. Borrows it. */
void disk_do(struct disk *d, const struct op *op);

/* The files after a power cut now. */
struct tree;
struct tree *disk_cut(const struct disk *d, enum leaving leaving, uint64_t seed);
void tree_free(struct tree *t);
/* Equal trees have equal ones. */
uint64_t tree_hash(const struct tree *t);
/* Writes them into a folder that is empty. */
void tree_write(const struct tree *t, const char *dir);
/* Whether a folder has these files and no others; says which one differs. */
bool tree_is(const struct tree *t, const char *dir);

#endif
