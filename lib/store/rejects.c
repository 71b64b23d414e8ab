/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/verdict.h"

/*
 * The mailbox for rejects: mail that was refused, kept for a while so that its user can find what was
 * misjudged. Whoever is refused tries again, and again: it is stored once, what is old makes room, and what
 * is accepted after all goes from there.
 */

/* How long they are kept, and how many. */
#define KEPT_US  (INT64_C(14) * 24 * 60 * 60 * 1000000)
#define KEPT_MAX 1000

/* What one transaction removes, and looks at for that: writes that wait behind it wait milliseconds. More
 * than KEPT_MAX are there when old ones were not removed for a time, or when a user put them there; the
 * oldest come first. */
#define REMOVED_AT_ONCE   500
#define LOOKED_AT_AT_ONCE (2 * KEPT_MAX)

/* Messages that share a message-id or a hash, of which a copy is searched among the newest. */
#define SAME_KEY_MAX 50

/* Old mail of the inbox never goes, however this is configured. */
static const char *rejects_name(const struct mox_delivery_facts *facts)
{
    const char *name = facts == NULL ? NULL : facts->rejects_mailbox;
    return name == NULL || strcmp(name, "Inbox") == 0 ? NULL : name;
}

struct box *mox__rejects_box(const struct mox_account *a, const struct mox_delivery_facts *facts)
{
    const char *name = rejects_name(facts);
    return name == NULL ? NULL : mox__box_named(a, name);
}

bool mox__append_is_refused(const struct mox_account *a, const struct mox_append *op)
{
    const char *rejects = rejects_name(op->facts), *name = op->mailbox_name;
    if (rejects == NULL || !op->facts->is_reject)
        return false;
    if (op->mailbox != 0) {
        const struct box *b = mox__box_next(a, op->mailbox);
        name = b == NULL ? "" : b->name;
    }
    return strcmp(name, rejects) == 0;
}

/* ---- the same message ---- */

struct copies {
    uint32_t uids[SAME_KEY_MAX];
    size_t count;
};

static void find_copies(struct mox_account *a, const struct box *b, uint64_t key,
                        const char *message_id, struct mox_slice hash, struct copies *out)
{
    out->count = 0;
    sqlite3_stmt *s = db_query(&a->writer, SQL_KEY_COPIES, V_INT(key), V_INT(SAME_KEY_MAX),
                               V_INT(b->id), V_TEXT(message_id), V_BLOB(hash));
    while (mox__db_step(&a->writer, s) && out->count < SAME_KEY_MAX)
        out->uids[out->count++] = (uint32_t)sqlite3_column_int64(s, 0);
}

static bool is_there(struct mox_account *a, const struct box *b, const char *message_id,
                     const uint8_t *hash)
{
    struct copies copies = {.count = 0};
    struct mox_slice digest = slice(hash, mox__hash_len(HASH_SHA256));
    if (message_id != NULL)
        find_copies(a, b, mox__hash64(slice_of(message_id)), message_id, slice(NULL, 0), &copies);
    if (copies.count == 0)
        find_copies(a, b, mox__hash64(digest), NULL, digest, &copies);
    return copies.count > 0;
}

void mox__rejects_forget(struct mox_account *a, struct job *j, struct box *b,
                         const char *message_id)
{
    struct copies copies;
    if (message_id == NULL)
        return;
    find_copies(a, b, mox__hash64(slice_of(message_id)), message_id, slice(NULL, 0), &copies);
    uint64_t modseq = copies.count == 0 ? 0 : mox__next_modseq(a, j);
    for (size_t i = 0; i < copies.count; i++)
        mox__remove_range(a, b, copies.uids[i], copies.uids[i], 0, modseq);
}

/* ---- making room ---- */

struct old {
    struct mox_uid_range ranges[REMOVED_AT_ONCE];
    size_t range_count, messages;
    int64_t oldest_us; /* of what stays */
};

static void take(struct old *old, uint32_t uid, bool next_to_last)
{
    old->messages++;
    if (next_to_last)
        old->ranges[old->range_count - 1].last = uid;
    else
        old->ranges[old->range_count++] = (struct mox_uid_range){uid, uid};
}

static void find_old(struct mox_account *a, const struct box *b, int64_t before_us, struct old *old)
{
    bool last_was_old = false;
    old->oldest_us = INT64_MAX;
    sqlite3_stmt *s =
        db_query(&a->writer, SQL_ENTRY_RECEIVED, V_INT(b->id), V_INT(LOOKED_AT_AT_ONCE));
    while (mox__db_step(&a->writer, s)) {
        int64_t received_us = sqlite3_column_int64(s, 1);
        bool is_old = received_us < before_us && old->messages < REMOVED_AT_ONCE;
        if (is_old)
            take(old, (uint32_t)sqlite3_column_int64(s, 0), last_was_old);
        else if (received_us < old->oldest_us)
            old->oldest_us = received_us;
        last_was_old = is_old;
    }
}

/* When the oldest was received is remembered, so that few rejects have to look. */
static int remove_old(struct mox_account *a, struct job *j, struct box *b, int64_t now_us)
{
    int64_t before_us = now_us - KEPT_US;
    if (b->knows_oldest && b->oldest_us >= before_us)
        return MOX_OK;
    struct old *old = mem_new(a->env, struct old, 1);
    if (old == NULL)
        return mox__db_fail(&a->writer, MOX_ENOMEM, "remove old rejects");
    find_old(a, b, before_us, old);
    uint64_t modseq = old->messages == 0 ? 0 : mox__next_modseq(a, j);
    for (size_t i = 0; i < old->range_count; i++)
        mox__remove_range(a, b, old->ranges[i].first, old->ranges[i].last, 0, modseq);
    b->knows_oldest = true;
    b->oldest_us = old->oldest_us;
    mox__mem_free(a->env, old);
    return a->writer.status;
}

bool mox__reject_is_wanted(struct mox_account *a, struct job *j, struct box *b,
                           const char *message_id, const uint8_t *hash, bool keep)
{
    if (is_there(a, b, message_id, hash))
        return false;
    if (keep)
        return true;
    return remove_old(a, j, b, a->env->wall_us(a->env->user)) == MOX_OK &&
           b->next.messages < KEPT_MAX;
}
