/* SPDX-License-Identifier: MIT */
#ifndef STORE_VFSSHIM_H
#define STORE_VFSSHIM_H

#include <stdatomic.h>
#include <stdbool.h>

/* SQLite's own file layer with a counter in front, and faults on demand. Becomes the default of the
 * process, so that a store needs to know nothing of it. */
struct vfsshim {
    atomic_long wal_syncs;  /* xSync of files ending in "-wal" */
    atomic_long wal_writes; /* xWrite of them */
    atomic_long
        db_write; /* the write of a database, not of its log, that fails as if the disk were full: 1 for
                                * the next one, which is counted down; 0 for none */
    atomic_bool full;        /* writes fail as if the disk were full */
    atomic_bool fail_writes; /* writes fail with an input/output error */
    atomic_bool fail_syncs;  /* syncs do */
    /* Syncs of files ending in "index.db" fail, and what was written to them since the last one is gone. */
    atomic_bool lose_index;
    atomic_long lost;          /* pages that are gone so, until they are written again and synced */
    atomic_long opens;         /* of databases, also those that fail */
    atomic_bool fail_opens;    /* a database cannot be opened */
    atomic_long sync_delay_us; /* each sync of a WAL takes this much longer */
};

/* Installs it once and resets it; returns the one there is. */
struct vfsshim *vfsshim(void);

#endif
