/* SPDX-License-Identifier: MIT */
#include "store/password.h"

#include <string.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

/* How long a right password is answered without hashing it again. */
#define CACHE_US (INT64_C(15) * 60 * 1000000)

void mox__store_password_cost(struct mox_store *s, unsigned passes, size_t memory)
{
    s->cost = (struct password_cost){.passes = passes, .memory = memory};
}

static void wipe_buf(struct buf *b)
{
    if (b->data != NULL)
        mox__wipe(b->data, b->cap);
    mox__buf_free(b);
}

/* ---- setting ---- */

struct credentials_job {
    struct job job;
    char records[CREDENTIAL_COUNT][CREDENTIAL_MAX];
};

static int apply(struct mox_account *a, struct job *job)
{
    struct credentials_job *j = (struct credentials_job *)job;
    (void)mox__db_run(&a->writer, SQL_CREDENTIAL_CLEAR, NULL, 0);
    for (int k = 0; k < CREDENTIAL_COUNT; k++)
        (void)db_run(&a->writer, SQL_CREDENTIAL_INSERT,
                     V_TEXT(mox__credential_name((enum credential)k)), V_TEXT(j->records[k]));
    return a->writer.status;
}

static void forget_passwords(struct mox_account *a)
{
    pthread_mutex_lock(&a->password_lock);
    a->password_generation++;
    a->password_count = 0;
    pthread_mutex_unlock(&a->password_lock);
}

int mox_account_set_password(struct mox_account *a, const char *password, struct mox_error *err)
{
    struct buf prepared;
    mox__buf_init(&prepared, a->env, CREDENTIAL_PASSWORD_MAX * 3); /* NFC may lengthen */
    int rc = mox__password_prepare(&prepared, password, err);
    if (rc == MOX_OK && prepared.len < CREDENTIAL_PASSWORD_MIN)
        rc = mox__fail(err, MOX_EDENIED, "the password is too short; use at least %d bytes",
                       CREDENTIAL_PASSWORD_MIN);
    struct credentials_job *j = rc < 0 ? NULL : mem_new(a->env, struct credentials_job, 1);
    if (rc == MOX_OK && j == NULL)
        rc = mox__fail(err, MOX_ENOMEM, "set a password: out of memory");
    if (rc == MOX_OK) {
        mox__gate_enter(&a->store->hashing);
        rc = mox__credentials_derive(j->records, a->env, slice(prepared.data, prepared.len),
                                     &a->store->cost);
        mox__gate_leave(&a->store->hashing);
        if (rc < 0)
            (void)mox__fail(err, rc, "set a password: %s", mox_status_text(rc));
    }
    if (rc == MOX_OK) {
        j->job = (struct job){.apply = apply};
        rc = mox__submit_and_wait(a, &j->job, err);
    }
    forget_passwords(a);
    if (j != NULL)
        mox__wipe(j->records, sizeof j->records);
    mox__mem_free(a->env, j);
    wipe_buf(&prepared);
    return rc;
}

/* ---- checking ---- */

int mox_account_credential(struct mox_account *a, const char *kind, char out[MOX_SASL_RECORD_MAX],
                           struct mox_error *err)
{
    out[0] = '\0';
    struct reader *r = NULL;
    int rc = mox__glancer_take(a, &r, err);
    if (rc < 0)
        return rc;
    bool found = false;
    sqlite3_stmt *s = mox__db_query(&r->db, SQL_CREDENTIAL_ALL, NULL, 0);
    while (mox__db_step(&r->db, s)) {
        const char *name = mox__db_text(s, 0), *value = mox__db_text(s, 1);
        if (name == NULL || value == NULL || strcmp(name, kind) != 0 ||
            strlen(value) >= MOX_SASL_RECORD_MAX)
            continue;
        memcpy(out, value, strlen(value) + 1);
        found = true;
    }
    if (r->db.status < 0)
        rc = mox__fail(err, r->db.status, "read credentials: %s", r->db.error.text);
    else if (!found)
        rc = mox__fail(err, MOX_ENOTFOUND, "account %s has no %s credentials; set its password",
                       a->name, kind);
    mox__reader_give(a, r);
    return rc;
}

/* Under the password lock: drops what is too old. */
static bool is_cached(struct mox_account *a, const uint8_t *digest)
{
    int64_t now = a->env->monotonic_us(a->env->user);
    if (a->password_count > 0 && now - a->password_since_us > CACHE_US)
        a->password_count = 0;
    bool found = false;
    for (unsigned i = 0; i < a->password_count; i++)
        found =
            mox__secret_eq(a->password_digests[i], digest, sizeof a->password_digests[i]) || found;
    return found;
}

static void remember(struct mox_account *a, const uint8_t *digest, uint64_t generation)
{
    pthread_mutex_lock(&a->password_lock);
    if (a->password_generation == generation && !is_cached(a, digest)) {
        if (a->password_count == 0) {
            a->password_since_us = a->env->monotonic_us(a->env->user);
            a->password_next = 0;
        }
        memcpy(a->password_digests[a->password_next], digest, sizeof a->password_digests[0]);
        a->password_next = (a->password_next + 1) % PASSWORD_CACHE;
        if (a->password_count < PASSWORD_CACHE)
            a->password_count++;
    }
    pthread_mutex_unlock(&a->password_lock);
}

static int verify(struct mox_account *a, struct mox_slice password, struct mox_error *err)
{
    char record[CREDENTIAL_MAX];
    int found = mox_account_credential(a, mox__credential_name(CREDENTIAL_PASSWORD), record, err);
    if (found < 0 && found != MOX_ENOTFOUND)
        return found;
    int rc = MOX_EDENIED;
    mox__gate_enter(&a->store->hashing);
    if (found == MOX_ENOTFOUND)
        mox__password_dummy(password, &a->store->cost);
    else
        rc = mox__password_verify(a->env, record, password);
    mox__gate_leave(&a->store->hashing);
    mox__wipe(record, sizeof record);
    return rc < 0
               ? mox__fail(err, rc,
                           rc == MOX_EDENIED ? "wrong password" : "check a password: out of memory")
               : rc;
}

int mox_account_check_password(struct mox_account *a, const char *password, struct mox_error *err)
{
    struct buf prepared;
    mox__buf_init(&prepared, a->env, CREDENTIAL_PASSWORD_MAX * 3);
    int rc = mox__password_prepare(&prepared, password, err);
    if (rc == MOX_EDENIED) { /* no account has such a password; that must not show in the time */
        mox_store_dummy_check(a->store, "");
        rc = mox__fail(err, rc, "wrong password");
    }
    uint8_t digest[HASH_MAX];
    struct mox_slice text = slice(prepared.data, prepared.len);
    bool cached = false;
    uint64_t generation = 0;
    if (rc == MOX_OK) {
        mox__hmac(HASH_SHA256, slice(a->password_key, sizeof a->password_key), text, digest);
        pthread_mutex_lock(&a->password_lock);
        cached = is_cached(a, digest);
        generation = a->password_generation;
        pthread_mutex_unlock(&a->password_lock);
        if (!cached)
            rc = verify(a, text, err);
    }
    if (rc == MOX_OK && !cached)
        remember(a, digest, generation);
    mox__wipe(digest, sizeof digest);
    wipe_buf(&prepared);
    return rc;
}

void mox_store_dummy_check(struct mox_store *s, const char *password)
{
    mox__gate_enter(&s->hashing);
    mox__password_dummy(slice_of(password), &s->cost);
    mox__gate_leave(&s->hashing);
}
