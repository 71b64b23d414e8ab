/* SPDX-License-Identifier: MIT */
#ifndef STORE_JUNK_DB_H
#define STORE_JUNK_DB_H

#include <mox/junk_file.h>

#include "junk/table.h"
#include "store/db.h"
#include "store/junk_weights.h"

/* The database of a junk filter, from inside. Who has tables of his own in it adds them to the schema
 * in junk_db.c, and runs statements between mox_junk_file_begin() and mox_junk_file_commit(): they
 * are one transaction with what was learned.
 *
 * Words are packed in pages, by the upper bits of their keys: as rows of their own they would take
 * twice the room and ten times the time of a filter that is built anew. (junk_page.c) */
struct mox_junk_file {
    struct mox_env env;
    struct db db;
    struct mox_junk_params params;
    bool in_transaction;
    /* Changes that are not in the database yet. */
    struct junk_table changes;
    int64_t hams, spams;
    struct junk_weights weights;
    uint64_t missed; /* words that were forgotten more often than learned */
};

#endif
