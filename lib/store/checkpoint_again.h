/* SPDX-License-Identifier: MIT */
#ifndef STORE_CHECKPOINT_AGAIN_H
#define STORE_CHECKPOINT_AGAIN_H

#include <stdint.h>

#include <mox/env.h>

struct db;

/*
 * SQLite copies the log into the database in parts, and syncs the database when all of it is copied. What it
 * copied it does not copy again. But when a sync fails the kernel takes its pages for written, those of
 * earlier parts too, and may give what they were before. The log, which is on the disk, still has them.
 */

/* What is another number each time that the log begins anew. Returns a result of SQLite. */
int mox__log_salts(struct db *db, uint64_t *out);
/* Writes the pages of the first frames of the log, which were copied before, and syncs them. Through SQLite's
 * own files: to close others of these names would drop its locks. Nobody else copies the log meanwhile. */
int mox__checkpoint_again(const struct mox_env *env, struct db *db, uint32_t frames);

#endif
