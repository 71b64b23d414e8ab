/* SPDX-License-Identifier: MIT */
#include "store/known.h"

#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/store.h"

/* As long as an address may be (RFC 5321 §4.5.3.1.3), with room for the kind and for UTF-8. */
#define VALUE_MAX 1100

/* Rows that one message pays for, of each table: less than a millisecond. Of recipients more than a message
 * may have, so that there is always a next one. */
#define ROWS_AT_ONCE 2048
/* A sender of many messages has as many rows with one key: after so many the next key is looked for. */
#define ROWS_IN_A_ROW 256

/* ---- keys ---- */

/* Behind the first n bytes, as far as there is room for it and a NUL. */
static size_t put_text(char text[VALUE_MAX], size_t n, const char *more)
{
    size_t len = strnlen(more, VALUE_MAX - 1 - n);
    memcpy(text + n, more, len);
    return n + len;
}

static uint64_t hash(char kind, const char *localpart, const char *name)
{
    char text[VALUE_MAX];
    text[0] = kind;
    size_t n = put_text(text, 1, localpart == NULL ? "" : localpart);
    n = put_text(text, n, "@");
    n = put_text(text, n, name);
    return mox__hash64(slice(text, n));
}

uint64_t mox__verdict_hash(enum mox_sender sender, const char *localpart, const char *name)
{
    return hash((char)('A' + (int)sender), localpart, name);
}

uint64_t mox__addressee_hash(enum mox_addressee addressee, const char *localpart,
                             const char *domain)
{
    return hash((char)('a' + (int)addressee), localpart, domain);
}

/* ---- the set, under its lock ---- */

/* Of the 63 bits that a hash has: eight, and the next sixteen. */
static struct known_part *part_of(struct known *k, uint64_t key)
{
    return &k->parts[key >> 55 & (KNOWN_PARTS - 1)];
}

static uint16_t bits_of(uint64_t key)
{
    return (uint16_t)(key >> 39);
}

/* The first place that is not below. */
static unsigned place_of(const struct known_part *p, uint16_t bits)
{
    unsigned low = 0, high = p->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (p->keys[middle] < bits)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool make_room(const struct mox_env *env, struct known_part *p)
{
    if (p->count < p->cap)
        return true;
    if (p->count == KNOWN_PART_MAX)
        return false;
    const uint16_t cap = p->cap == 0 ? 16 : (uint16_t)(p->cap * 2);
    uint16_t *keys = mox__realloc(env, p->keys, cap, sizeof keys[0]);
    if (keys == NULL)
        return false;
    p->keys = keys;
    p->cap = cap;
    return true;
}

static void add(struct mox_account *a, uint64_t key)
{
    struct known_part *p = part_of(&a->known, key);
    const uint16_t bits = bits_of(key);
    const unsigned at = place_of(p, bits);
    if (p->full || (at < p->count && p->keys[at] == bits))
        return;
    if (!make_room(a->env, p)) {
        p->full = true;
        return;
    }
    memmove(p->keys + at + 1, p->keys + at, (p->count - at) * sizeof p->keys[0]);
    p->keys[at] = bits;
    p->count++;
}

static bool lacks(struct known *k, uint64_t key)
{
    const struct known_part *p = part_of(k, key);
    const unsigned at = place_of(p, bits_of(key));
    return !k->off && !p->full && (at == p->count || p->keys[at] != bits_of(key));
}

/* ---- whoever asks ---- */

void mox__known_init(struct known *k)
{
    (void)pthread_mutex_init(&k->lock, NULL);
    k->extent.senders = -1;
}

void mox__known_free(struct mox_account *a)
{
    for (size_t i = 0; i < KNOWN_PARTS; i++)
        mox__mem_free(a->env, a->known.parts[i].keys);
    (void)pthread_mutex_destroy(&a->known.lock);
}

/* Counted also when it was there already, or had no room: then something may have been added to the rows of
 * a key that others are said to have none of. */
void mox__known_add(struct mox_account *a, uint64_t key)
{
    pthread_mutex_lock(&a->known.lock);
    add(a, key);
    a->known.extent.changes++;
    pthread_mutex_unlock(&a->known.lock);
}

struct known_extent mox__known_extent(struct mox_account *a)
{
    pthread_mutex_lock(&a->known.lock);
    const struct known_extent e = a->known.extent;
    pthread_mutex_unlock(&a->known.lock);
    return e;
}

static bool lacks_now(struct mox_account *a, uint64_t key)
{
    pthread_mutex_lock(&a->known.lock);
    const bool lacking = lacks(&a->known, key);
    pthread_mutex_unlock(&a->known.lock);
    return lacking;
}

bool mox__known_lacks_sender(struct mox_account *a, const struct known_extent *e, uint64_t key)
{
    return (int64_t)key <= e->senders && lacks_now(a, key);
}

bool mox__known_lacks_addressee(struct mox_account *a, const struct known_extent *e, uint64_t key)
{
    return e->addressees && lacks_now(a, key);
}

bool mox__known_has_changed(struct mox_account *a, const struct known_extent *e)
{
    return mox__known_extent(a).changes != e->changes;
}

/* ---- reading what was there before ---- */

static void add_read(struct mox_account *a, uint64_t key)
{
    pthread_mutex_lock(&a->known.lock);
    add(a, key);
    pthread_mutex_unlock(&a->known.lock);
}

/* Keys of verdicts behind `from`. Returns the last that is complete; INT64_MAX at the end of the table. */
static int64_t read_senders(struct mox_account *a, struct db *db, int64_t from)
{
    for (int n = 0; n < ROWS_AT_ONCE; n += ROWS_IN_A_ROW) {
        int64_t last = from;
        unsigned rows = 0;
        sqlite3_stmt *s = db_query(db, SQL_VERDICT_HASHES, V_INT(from), V_INT(ROWS_IN_A_ROW));
        for (; mox__db_step(db, s); rows++) {
            const int64_t key = sqlite3_column_int64(s, 0);
            if (key != last)
                add_read(a, (uint64_t)key);
            last = key;
        }
        if (db->status < 0)
            return from;
        if (rows < ROWS_IN_A_ROW)
            return INT64_MAX;
        from = last;
    }
    return from;
}

static void add_addressee(struct mox_account *a, const char *localpart, const char *domain,
                          const char *org_domain)
{
    if (localpart == NULL || domain == NULL || org_domain == NULL)
        return; /* no column may be NULL; a damaged one is found by nothing that is asked for */
    add_read(a, mox__addressee_hash(MOX_ADDRESSEE_FULL, localpart, domain));
    add_read(a, mox__addressee_hash(MOX_ADDRESSEE_DOMAIN, NULL, domain));
    add_read(a, mox__addressee_hash(MOX_ADDRESSEE_ORG_DOMAIN, NULL, org_domain));
}

/* Recipients of the messages from *from on, which becomes the one to go on with. True at the end of the table. */
static bool read_addressees(struct mox_account *a, struct db *db, uint64_t *from)
{
    uint64_t message = *from;
    unsigned rows = 0;
    sqlite3_stmt *s = db_query(db, SQL_RECIPIENT_FROM, V_INT(*from), V_INT(ROWS_AT_ONCE));
    for (; mox__db_step(db, s); rows++) {
        message = (uint64_t)sqlite3_column_int64(s, 0);
        add_addressee(a, mox__db_text(s, 1), mox__db_text(s, 2), mox__db_text(s, 3));
    }
    if (db->status < 0)
        return false;
    *from = message;
    return rows < ROWS_AT_ONCE;
}

static bool may_read(struct mox_account *a)
{
    struct known *k = &a->known;
    pthread_mutex_lock(&k->lock);
    const bool may = !k->reading && !(k->extent.senders == INT64_MAX && k->extent.addressees);
    k->reading = k->reading || may;
    pthread_mutex_unlock(&k->lock);
    return may;
}

void mox__known_read(struct mox_account *a, struct db *db)
{
    struct known *k = &a->known;
    if (!may_read(a))
        return;
    struct known_extent e = mox__known_extent(a);
    uint64_t from = k->addressees_from;
    if (e.senders < INT64_MAX)
        e.senders = read_senders(a, db, e.senders);
    if (!e.addressees)
        e.addressees = read_addressees(a, db, &from);
    pthread_mutex_lock(&k->lock);
    k->extent.senders = e.senders;
    k->extent.addressees = e.addressees;
    k->addressees_from = from;
    k->reading = false;
    pthread_mutex_unlock(&k->lock);
}
