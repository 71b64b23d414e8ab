/* SPDX-License-Identifier: MIT */
#include "store/auth_db.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

/* The keys of clients. Handshakes ask for them, so all are in memory, sorted. */

/* ---- in memory ---- */

/* Where it is, or would be. */
static size_t place_of(const struct mox_auth_db *db, const uint8_t *fingerprint, bool *found)
{
    size_t low = 0, high = db->key_count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(db->keys[middle]->fingerprint, fingerprint, MOX_FINGERPRINT_BYTES);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Room for one more, so that nothing can fail once the disk has it. */
static int make_room(struct mox_auth_db *db)
{
    return mem_room(&db->env, &db->keys, &db->key_room, db->key_count, 16) ? MOX_OK : MOX_ENOMEM;
}

static void insert(struct mox_auth_db *db, struct mox_client_key *key)
{
    bool found;
    size_t at = place_of(db, key->fingerprint, &found);
    memmove(db->keys + at + 1, db->keys + at, (db->key_count - at) * sizeof db->keys[0]);
    db->keys[at] = key;
    db->key_count++;
}

void mox__auth_keys_free(struct mox_auth_db *db)
{
    for (size_t i = 0; i < db->key_count; i++)
        mox__mem_free(&db->env, db->keys[i]);
    mox__mem_free(&db->env, db->keys);
}

/* ---- in the database ---- */

static void copy_text(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text == NULL ? "" : text);
}

static struct mox_client_key *read_row(struct mox_auth_db *db, sqlite3_stmt *s)
{
    struct mox_client_key *key = mem_new(&db->env, struct mox_client_key, 1);
    struct mox_slice fingerprint = mox__db_blob(s, 0);
    if (key == NULL)
        return NULL;
    key->size = sizeof *key;
    if (fingerprint.len == MOX_FINGERPRINT_BYTES)
        memcpy(key->fingerprint, fingerprint.data, MOX_FINGERPRINT_BYTES);
    copy_text(key->account, sizeof key->account, mox__db_text(s, 1));
    copy_text(key->address, sizeof key->address, mox__db_text(s, 2));
    copy_text(key->name, sizeof key->name, mox__db_text(s, 3));
    copy_text(key->kind, sizeof key->kind, mox__db_text(s, 4));
    key->no_imap_preauth = sqlite3_column_int64(s, 5) != 0;
    key->created_us = sqlite3_column_int64(s, 6);
    return key;
}

/* While it is opened. */
int mox__auth_keys_load(struct mox_auth_db *db, struct mox_error *err)
{
    sqlite3_stmt *s = mox__db_query(&db->db, SQL_AUTH_KEYS, NULL, 0);
    while (mox__db_step(&db->db, s)) {
        struct mox_client_key *key = make_room(db) < 0 ? NULL : read_row(db, s);
        if (key == NULL)
            (void)mox__db_fail(&db->db, MOX_ENOMEM, "read keys");
        else
            insert(db, key);
    }
    return db->db.status < 0 ? mox__db_open_failed(&db->db, db->path, err) : MOX_OK;
}

/* ---- changes ---- */

/* Before the key is written: whether it may be. Only holders of db_lock change the keys. */
static int check_new(struct mox_auth_db *db, const struct mox_client_key *key,
                     struct mox_error *err)
{
    bool found;
    size_t at = place_of(db, key->fingerprint, &found);
    if (found)
        return mox__fail(err, MOX_EEXISTS, "add a key: it is that of %s, account %s, already",
                         db->keys[at]->address, db->keys[at]->account);
    if (db->key_count >= MOX_CLIENT_KEYS_MAX)
        return mox__fail(err, MOX_ELIMIT, "add a key: there are %d; remove some first",
                         MOX_CLIENT_KEYS_MAX);
    return MOX_OK;
}

static int write_new(struct mox_auth_db *db, const struct mox_client_key *key,
                     struct mox_error *err)
{
    mox__auth_begin(db);
    (void)db_run(&db->db, SQL_AUTH_KEY_INSERT,
                 V_BLOB(((struct mox_slice){key->fingerprint, MOX_FINGERPRINT_BYTES})),
                 V_TEXT(key->account), V_TEXT(key->address), V_TEXT(key->name), V_TEXT(key->kind),
                 V_INT(key->no_imap_preauth), V_INT(key->created_us));
    return mox__auth_end(db, "add a key", err);
}

int mox_auth_db_add_key(struct mox_auth_db *db, const struct mox_client_key *key,
                        struct mox_error *err)
{
    struct mox_client_key *copy = mem_new(&db->env, struct mox_client_key, 1);
    if (copy == NULL)
        return mox__fail(err, MOX_ENOMEM, "add a key: out of memory");
    memcpy(copy, key, key->size < sizeof *copy ? key->size : sizeof *copy);
    copy->size = sizeof *copy;

    pthread_mutex_lock(&db->db_lock);
    pthread_mutex_lock(&db->lock);
    int rc = check_new(db, copy, err);
    if (rc == MOX_OK && make_room(db) < 0)
        rc = mox__fail(err, MOX_ENOMEM, "add a key: out of memory");
    pthread_mutex_unlock(&db->lock);
    if (rc == MOX_OK)
        rc = write_new(db, copy, err);
    if (rc == MOX_OK) {
        pthread_mutex_lock(&db->lock);
        insert(db, copy);
        copy = NULL;
        pthread_mutex_unlock(&db->lock);
    }
    pthread_mutex_unlock(&db->db_lock);
    mox__mem_free(&db->env, copy);
    return rc;
}

static void forget(struct mox_auth_db *db, const uint8_t *fingerprint)
{
    bool found;
    pthread_mutex_lock(&db->lock);
    size_t at = place_of(db, fingerprint, &found);
    if (found) {
        mox__mem_free(&db->env, db->keys[at]);
        db->key_count--;
        memmove(db->keys + at, db->keys + at + 1, (db->key_count - at) * sizeof db->keys[0]);
    }
    pthread_mutex_unlock(&db->lock);
}

int mox_auth_db_remove_key(struct mox_auth_db *db, const uint8_t *fingerprint,
                           struct mox_error *err)
{
    int rc = MOX_ENOTFOUND;
    pthread_mutex_lock(&db->db_lock);
    if (mox_auth_db_find_key(db, fingerprint, NULL)) {
        mox__auth_begin(db);
        (void)db_run(&db->db, SQL_AUTH_KEY_DELETE,
                     V_BLOB(((struct mox_slice){fingerprint, MOX_FINGERPRINT_BYTES})));
        rc = mox__auth_end(db, "remove a key", err);
    } else {
        (void)mox__fail(err, rc, "remove a key: there is none with this fingerprint");
    }
    if (rc == MOX_OK)
        forget(db, fingerprint);
    pthread_mutex_unlock(&db->db_lock);
    return rc;
}

/* ---- questions ---- */

bool mox_auth_db_find_key(struct mox_auth_db *db, const uint8_t *fingerprint,
                          struct mox_client_key *key)
{
    bool found;
    pthread_mutex_lock(&db->lock);
    size_t at = place_of(db, fingerprint, &found);
    if (found && key != NULL)
        *key = *db->keys[at];
    pthread_mutex_unlock(&db->lock);
    return found;
}

int mox_auth_db_keys(struct mox_auth_db *db, const char *account,
                     int (*each)(void *user, const struct mox_client_key *key), void *user)
{
    int rc = MOX_OK;
    pthread_mutex_lock(&db->lock);
    for (size_t i = 0; rc >= 0 && i < db->key_count; i++)
        if (account == NULL || strcmp(account, db->keys[i]->account) == 0)
            rc = each(user, db->keys[i]);
    pthread_mutex_unlock(&db->lock);
    return rc < 0 ? rc : MOX_OK;
}
