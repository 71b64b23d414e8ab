/* SPDX-License-Identifier: MIT */
#include "store/junk_weights.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "junk/memory.h"

#define PAGE_WEIGHTS 8192
#define PAGE_BYTES   (8 * (size_t)PAGE_WEIGHTS)
#define PAGE_COUNT   (MOX_JUNK_WEIGHTS / PAGE_WEIGHTS)

/* Rows until the table is written: as many bytes, about, as the table has. */
#define STEPS_MAX 400

void mox__junk_weights_free(struct junk_weights *w, const struct mox_env *env)
{
    mox__mem_free(env, w->table);
    mox__mem_free(env, w->waiting.data);
    *w = (struct junk_weights){0};
}

/* ---- places ---- */

static void put_gap(struct buf *out, uint32_t gap)
{
    for (; gap >= 0x80; gap >>= 7)
        mox__buf_byte(out, (uint8_t)(0x80 | (gap & 0x7f)));
    mox__buf_byte(out, (uint8_t)gap);
}

/* The bits of a word, and the last place before. */
static uint32_t put_places(struct buf *out, uint32_t first, uint64_t bits, uint32_t last)
{
    for (uint32_t place = first; bits != 0; bits >>= 1, place++) {
        for (; (bits & 0xff) == 0; bits >>= 8)
            place += 8;
        if ((bits & 1) == 0)
            continue;
        put_gap(out, place - last);
        last = place;
    }
    return last;
}

/* In order by way of a bit for each, in as many words as they spread over. */
void mox__junk_places_encode(struct buf *out, const uint32_t *places, size_t count)
{
    uint64_t there[MOX_JUNK_WEIGHTS / 64];
    uint32_t low = MOX_JUNK_WEIGHTS, high = 0, last = 0;
    for (size_t i = 0; i < count; i++) {
        low = places[i] < low ? places[i] : low;
        high = places[i] > high ? places[i] : high;
    }
    if (count > 0)
        memset(there + low / 64, 0, (high / 64 - low / 64 + 1) * sizeof *there);
    for (size_t i = 0; i < count; i++)
        there[places[i] / 64] |= UINT64_C(1) << (places[i] % 64);
    for (uint32_t i = low / 64; i <= high / 64; i++)
        last = put_places(out, 64 * i, there[i], last);
}

bool mox__junk_places_decode(struct mox_slice bytes, uint32_t *places, size_t *count)
{
    uint32_t place = 0, gap = 0;
    unsigned shift = 0;
    *count = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        gap |= (uint32_t)(bytes.data[i] & 0x7f) << shift;
        if (bytes.data[i] >= 0x80) {
            shift += 7;
            if (shift > 14)
                return false;
            continue;
        }
        place += gap;
        if (place >= MOX_JUNK_WEIGHTS || (gap == 0 && *count > 0))
            return false;
        places[(*count)++] = place;
        gap = 0;
        shift = 0;
    }
    return shift == 0;
}

/* ---- reading ---- */

/* Written out, compilers make one load of it. */
static uint64_t take_number(const uint8_t *b)
{
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
           (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 |
           (uint64_t)b[7] << 56;
}

static bool take_page(uint64_t *table, int64_t number, struct mox_slice bytes)
{
    if (number < 0 || number >= PAGE_COUNT || bytes.len != PAGE_BYTES)
        return false;
    uint64_t *w = table + number * PAGE_WEIGHTS;
    for (const uint8_t *b = bytes.data; b < bytes.data + bytes.len; b += 8, w++)
        *w = take_number(b);
    return true;
}

static void read_pages(uint64_t *table, struct db *db)
{
    sqlite3_stmt *s = db_query(db, SQL_JUNK_WEIGHTS, V_INT(0));
    while (mox__db_step(db, s))
        if (!take_page(table, sqlite3_column_int64(s, 0), mox__db_blob(s, 1)))
            (void)mox__db_fail(db, MOX_ECORRUPT, "a page of weights makes no sense");
}

static void take_step(uint64_t *table, struct db *db, const struct mox_env *env, uint64_t by,
                      struct mox_slice bytes)
{
    struct mox_junk_step step = {.by = by};
    uint32_t *places = NULL;
    if (bytes.len <= MOX_JUNK_WEIGHTS)
        places = mem_new(env, uint32_t, bytes.len + 1);
    step.places = places;
    if (bytes.len <= MOX_JUNK_WEIGHTS && places == NULL)
        (void)mox__db_fail(db, MOX_ENOMEM, "read weights");
    else if (places != NULL && mox__junk_places_decode(bytes, places, &step.count))
        mox__junk_step(table, &step);
    else
        (void)mox__db_fail(db, MOX_ECORRUPT, "a step of weights makes no sense");
    mox__mem_free(env, places);
}

int64_t mox__junk_weights_read(uint64_t *table, struct db *db, const struct mox_env *env)
{
    int64_t steps = 0;
    read_pages(table, db);
    sqlite3_stmt *s = db_query(db, SQL_JUNK_STEPS, V_INT(0));
    for (; mox__db_step(db, s); steps++)
        take_step(table, db, env, (uint64_t)sqlite3_column_int64(s, 0), mox__db_blob(s, 1));
    return steps;
}

void mox__junk_weights_load(struct junk_weights *w, struct db *db, const struct mox_env *env)
{
    if (w->table != NULL || db->status < 0)
        return;
    w->table = mem_new(env, uint64_t, MOX_JUNK_WEIGHTS);
    mox__buf_init(&w->waiting, env, PAGE_BYTES * PAGE_COUNT);
    if (w->table == NULL)
        (void)mox__db_fail(db, MOX_ENOMEM, "read weights");
    else
        w->steps = mox__junk_weights_read(w->table, db, env);
    if (db->status < 0)
        mox__junk_weights_free(w, env);
}

/* ---- writing ---- */

/* A step as it waits, and its places behind it. */
struct waiting {
    uint64_t by;
    uint64_t count;
};

static void let_wait(struct junk_weights *w, const struct mox_junk_step *step)
{
    const struct waiting head = {step->by, step->count};
    w->anew = w->anew || w->steps >= STEPS_MAX;
    if (!w->anew) {
        mox__buf_append(&w->waiting, &head, sizeof head);
        mox__buf_append(&w->waiting, step->places, step->count * sizeof *step->places);
        w->steps++;
    }
    w->anew = w->anew || w->waiting.failed; /* without memory for it the table is written */
}

void mox__junk_weights_step(struct junk_weights *w, struct db *db, const struct mox_env *env,
                            const struct mox_junk_step *step)
{
    mox__junk_weights_load(w, db, env);
    if (db->status < 0 || step->count == 0)
        return;
    mox__junk_step(w->table, step);
    let_wait(w, step);
}

static void write_step(struct db *db, uint64_t by, struct buf *bytes, const uint32_t *places,
                       size_t count)
{
    mox__buf_clear(bytes);
    mox__junk_places_encode(bytes, places, count);
    if (bytes->failed)
        (void)mox__db_fail(db, MOX_ENOMEM, "keep a step of weights");
    else
        (void)db_run(db, SQL_JUNK_STEP_INSERT, V_INT(by), V_BLOB(slice(bytes->data, bytes->len)));
}

static void write_steps(struct junk_weights *w, struct db *db, const struct mox_env *env)
{
    struct buf bytes;
    mox__buf_init(&bytes, env, 3 * (size_t)MOX_JUNK_WEIGHTS);
    for (size_t at = 0; at < w->waiting.len && db->status == MOX_OK;) {
        struct waiting head;
        memcpy(&head, w->waiting.data + at, sizeof head);
        at += sizeof head;
        write_step(db, head.by, &bytes, (const uint32_t *)(const void *)(w->waiting.data + at),
                   (size_t)head.count);
        at += (size_t)head.count * sizeof(uint32_t);
    }
    mox__buf_free(&bytes);
}

static void put_number(uint8_t *b, uint64_t n)
{
    b[0] = (uint8_t)n;
    b[1] = (uint8_t)(n >> 8);
    b[2] = (uint8_t)(n >> 16);
    b[3] = (uint8_t)(n >> 24);
    b[4] = (uint8_t)(n >> 32);
    b[5] = (uint8_t)(n >> 40);
    b[6] = (uint8_t)(n >> 48);
    b[7] = (uint8_t)(n >> 56);
}

static void write_page(const struct junk_weights *w, struct db *db, int64_t number, uint8_t *bytes)
{
    const uint64_t *weight = w->table + number * PAGE_WEIGHTS;
    for (uint8_t *b = bytes; b < bytes + PAGE_BYTES; b += 8, weight++)
        put_number(b, *weight);
    (void)db_run(db, SQL_JUNK_WEIGHTS_WRITE, V_INT(number), V_BLOB(slice(bytes, PAGE_BYTES)));
}

static void write_table(struct junk_weights *w, struct db *db, const struct mox_env *env)
{
    uint8_t *bytes = mox__calloc(env, PAGE_BYTES, 1);
    if (bytes == NULL)
        (void)mox__db_fail(db, MOX_ENOMEM, "write weights");
    for (int64_t page = 0; page < PAGE_COUNT && db->status == MOX_OK; page++)
        write_page(w, db, page, bytes);
    mox__mem_free(env, bytes);
    (void)db_run(db, SQL_JUNK_STEPS_CLEAR, V_INT(0));
    w->steps = 0;
    w->anew = false;
}

void mox__junk_weights_flush(struct junk_weights *w, struct db *db, const struct mox_env *env)
{
    if (db->status < 0)
        return;
    if (w->anew)
        write_table(w, db, env);
    else
        write_steps(w, db, env);
    mox__buf_clear(&w->waiting);
}
