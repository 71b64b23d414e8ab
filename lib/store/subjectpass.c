/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/mem.h"
#include "store/store.h"

/* The keys of tokens that let a message through (mox/subjectpass.h), one for each of the account's
 * addresses. One that was given out stays: it is on the disk before anybody sees it. */

/* An address as long as SMTP can name it (RFC 5321 §4.5.3.1), with room for Unicode. */
#define ADDRESS_MAX 1100

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
#define LETTERS (sizeof letters - 1)

struct key_job {
    struct job job;
    const char *address;
    char key[MOX_SUBJECTPASS_KEY_LEN + 1];
};

/* Bytes above the last whole multiple of the letters are thrown away: each letter is as likely. */
static void make_key(const struct mox_env *env, char out[MOX_SUBJECTPASS_KEY_LEN + 1])
{
    size_t n = 0;
    uint8_t bytes[MOX_SUBJECTPASS_KEY_LEN];
    while (n < MOX_SUBJECTPASS_KEY_LEN) {
        env->random(env->user, bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes && n < MOX_SUBJECTPASS_KEY_LEN; i++)
            if (bytes[i] < 256 / LETTERS * LETTERS)
                out[n++] = letters[bytes[i] % LETTERS];
    }
    out[n] = '\0';
    mox__wipe(bytes, sizeof bytes);
}

/* Whether there is one. */
static bool find(struct db *db, const char *address, char out[MOX_SUBJECTPASS_KEY_LEN + 1])
{
    bool found = false;
    sqlite3_stmt *s = db_query(db, SQL_SUBJECTPASS_FIND, V_TEXT(address));
    while (mox__db_step(db, s)) {
        const char *key = mox__db_text(s, 0);
        if (key == NULL || strlen(key) != MOX_SUBJECTPASS_KEY_LEN)
            continue;
        memcpy(out, key, MOX_SUBJECTPASS_KEY_LEN + 1);
        found = true;
    }
    return found;
}

/* Somebody else may have asked for it at the same time. */
static int apply(struct mox_account *a, struct job *job)
{
    struct key_job *j = (struct key_job *)job;
    if (find(&a->writer, j->address, j->key))
        return MOX_OK;
    make_key(a->env, j->key);
    return db_run(&a->writer, SQL_SUBJECTPASS_INSERT, V_TEXT(j->address), V_TEXT(j->key));
}

static int read_key(struct mox_account *a, struct key_job *j, bool *found, struct mox_error *err)
{
    struct reader *r = NULL;
    int rc = mox__glancer_take(a, &r, err);
    if (rc < 0)
        return rc;
    *found = find(&r->db, j->address, j->key);
    if (r->db.status < 0)
        rc = mox__fail(err, r->db.status, "read a subjectpass key: %s", r->db.error.text);
    mox__reader_give(a, r);
    return rc;
}

int mox_account_subjectpass_key(struct mox_account *a, const char *address,
                                char out[MOX_SUBJECTPASS_KEY_LEN + 1], struct mox_error *err)
{
    out[0] = '\0';
    if (strlen(address) > ADDRESS_MAX)
        return mox__fail(err, MOX_EINVAL, "read a subjectpass key: the address is too long");
    struct key_job j = {.job = {.apply = apply}, .address = address};
    bool found = false;
    int rc = read_key(a, &j, &found, err);
    if (rc == MOX_OK && !found)
        rc = mox__submit_and_wait(a, &j.job, err);
    if (rc == MOX_OK)
        memcpy(out, j.key, sizeof j.key);
    mox__wipe(j.key, sizeof j.key);
    return rc;
}
