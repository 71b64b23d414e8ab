/* SPDX-License-Identifier: MIT */
#include "store/junk_weights.h"

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
    *w = (struct junk_weights){0};
}

/* ---- places ---- */

static void put_gap(struct buf *out, uint32_t gap)
{
    for (; gap >= 0x80; gap >>= 7)
        mox__buf_byte(out, (uint8_t)(0x80 | (gap & 0x7f)));
    mox__buf_byte(out, (uint8_t)gap);
}

/* In ascending order, by way of a bit for each. */
void mox__junk_places_encode(struct buf *out, const uint32_t *places, size_t count)
{
    uint64_t there[MOX_JUNK_WEIGHTS / 64] = {0};
    uint32_t last = 0;
    for (size_t i = 0; i < count; i++)
        there[places[i] / 64] |= UINT64_C(1) << (places[i] % 64);
    for (uint32_t i = 0; i < MOX_JUNK_WEIGHTS / 64; i++) {
        uint32_t place = 64 * i;
        for (uint64_t bits = there[i]; bits != 0; bits >>= 1, place++) {
            for (; (bits & 0xff) == 0; bits >>= 8)
                place += 8;
            if ((bits & 1) == 0)
                continue;
            put_gap(out, place - last);
            last = place;
        }
    }
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

static uint64_t take_number(const uint8_t *b)
{
    uint64_t n = 0;
    for (size_t i = 8; i-- > 0;)
        n = n << 8 | b[i];
    return n;
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

static void read_pages(struct junk_weights *w, struct db *db)
{
    sqlite3_stmt *s = db_query(db, SQL_JUNK_WEIGHTS, V_INT(0));
    while (mox__db_step(db, s))
        if (!take_page(w->table, sqlite3_column_int64(s, 0), mox__db_blob(s, 1)))
            (void)mox__db_fail(db, MOX_ECORRUPT, "a page of weights makes no sense");
}

static void read_steps(struct junk_weights *w, struct db *db, uint32_t *places)
{
    sqlite3_stmt *s = db_query(db, SQL_JUNK_STEPS, V_INT(0));
    while (mox__db_step(db, s)) {
        struct mox_junk_step step = {.places = places, .by = (uint64_t)sqlite3_column_int64(s, 0)};
        const struct mox_slice bytes = mox__db_blob(s, 1);
        if (bytes.len <= MOX_JUNK_WEIGHTS && mox__junk_places_decode(bytes, places, &step.count))
            mox__junk_step(w->table, &step);
        else
            (void)mox__db_fail(db, MOX_ECORRUPT, "a step of weights makes no sense");
        w->steps++;
    }
}

void mox__junk_weights_load(struct junk_weights *w, struct db *db, const struct mox_env *env)
{
    if (w->table != NULL || db->status < 0)
        return;
    uint32_t *places = mem_new(env, uint32_t, MOX_JUNK_WEIGHTS);
    w->table = mem_new(env, uint64_t, MOX_JUNK_WEIGHTS);
    w->steps = 0;
    if (w->table == NULL || places == NULL) {
        (void)mox__db_fail(db, MOX_ENOMEM, "read weights");
    } else {
        read_pages(w, db);
        read_steps(w, db, places);
    }
    mox__mem_free(env, places);
    if (db->status < 0)
        mox__junk_weights_free(w, env);
}

/* ---- writing ---- */

static void keep_step(struct db *db, const struct mox_env *env, const struct mox_junk_step *step)
{
    struct buf bytes;
    mox__buf_init(&bytes, env, 3 * (size_t)MOX_JUNK_WEIGHTS);
    mox__junk_places_encode(&bytes, step->places, step->count);
    if (bytes.failed)
        (void)mox__db_fail(db, MOX_ENOMEM, "keep a step of weights");
    (void)db_run(db, SQL_JUNK_STEP_INSERT, V_INT(step->by), V_BLOB(slice(bytes.data, bytes.len)));
    mox__buf_free(&bytes);
}

void mox__junk_weights_step(struct junk_weights *w, struct db *db, const struct mox_env *env,
                            const struct mox_junk_step *step)
{
    mox__junk_weights_load(w, db, env);
    if (db->status < 0 || step->count == 0)
        return;
    mox__junk_step(w->table, step);
    w->anew = w->anew || w->steps >= STEPS_MAX;
    if (w->anew)
        return;
    keep_step(db, env, step);
    w->steps++;
}

static void put_number(uint8_t *b, uint64_t n)
{
    for (size_t i = 0; i < 8; i++)
        b[i] = (uint8_t)(n >> (8 * i));
}

static void write_page(const struct junk_weights *w, struct db *db, int64_t number, uint8_t *bytes)
{
    const uint64_t *weight = w->table + number * PAGE_WEIGHTS;
    for (uint8_t *b = bytes; b < bytes + PAGE_BYTES; b += 8, weight++)
        put_number(b, *weight);
    (void)db_run(db, SQL_JUNK_WEIGHTS_WRITE, V_INT(number), V_BLOB(slice(bytes, PAGE_BYTES)));
}

void mox__junk_weights_flush(struct junk_weights *w, struct db *db, const struct mox_env *env)
{
    if (!w->anew || db->status < 0)
        return;
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
