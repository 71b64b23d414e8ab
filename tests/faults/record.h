/* SPDX-License-Identifier: MIT */
#ifndef FAULTS_RECORD_H
#define FAULTS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A record of all that this process does to the files below one folder, in order. The program's own
 * definitions of open(), pwrite(), fsync()… (intercept.c) write it; they stand before the C library's
 * for every library that is linked dynamically, so SQLite's calls are in it as well. A call that the
 * record does not understand ends the program: nothing is missed quietly. Syncs are recorded, not
 * done: the folder is best in memory.
 *
 * One record at a time. Threads: any.
 */

enum op_kind {
    OP_CREATE, /* a new file or folder `file`, as `name` in folder `dir` */
    OP_LINK,   /* one more name of `file`, perhaps one that another file had */
    OP_UNLINK, /* the name goes; the file may have others */
    OP_WRITE,
    OP_TRUNCATE,    /* or made longer: to `at` bytes */
    OP_SYNC,        /* of a file: its bytes; of a folder: its names */
    OP_SYNC_FAILED, /* the kernel now believes that what it could not write is written */
    OP_SUBMITTED,   /* `at` steps have been submitted */
    OP_ACKNOWLEDGED /* the first `at` steps have been answered: they are durable */
};

struct op {
    enum op_kind kind;
    bool folder;
    unsigned file, dir; /* numbers of inodes; 0 is the folder that is recorded */
    char *name;
    uint64_t at;
    size_t len;
    uint8_t *data;
};

struct record {
    struct op *ops;
    size_t count, cap;
    size_t start; /* ops before it describe what was there, all synced */
    unsigned files;
};

/* From now on; `root` is absolute, without a link in it, and stays valid. The numbers are those of the
 * marks below. */
void record_start(const char *root, size_t acknowledged, size_t submitted);
/* The same for files that the first `count` operations of another record led to, and that may not all
 * be on the disk. */
void record_resume(const char *root, const struct record *before, size_t count);
struct record *record_stop(void); /* free with record_free() */
void record_free(struct record *r);
/* The first name of a file. */
const char *record_name(const struct record *r, unsigned file);

/* Marks, in order with the operations. */
void record_submitted(size_t steps);
void record_acknowledged(size_t steps);

/* The other threads' syncs of a write-ahead log wait until it is let go: what is submitted meanwhile
 * shares the next transaction. */
void record_hold_syncs(bool hold);
/* The next sync of a file whose name is like this, see fnmatch(3), fails. */
void record_fail_sync(const char *pattern);

/* ---- for intercept.c ---- */

struct place {
    unsigned dir;
    int file;       /* -1: there is none */
    char name[256]; /* in the folder */
};

void record_lock(void);
void record_unlock(void);
/* Whether a path is below the folder that is being recorded; under the lock, like all below. */
bool record_find(const char *path, struct place *p);
unsigned record_created(const struct place *p, bool folder); /* returns the file */
void record_linked(const struct place *p, unsigned file);
void record_unlinked(const struct place *p);
void record_renamed(const struct place *from, const struct place *to);
void record_wrote(unsigned file, uint64_t at, const void *data, size_t len);
void record_truncated(unsigned file, uint64_t size);
/* 0, or -1 when it shall fail. */
int record_synced(unsigned file);
_Noreturn void record_not_modelled(const char *call, const char *path);

#endif
