/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/checkpoint_again.h"
#include "store/db.h"

/* The file format of SQLite's write-ahead log, §4.1 and §4.2 of its description. */
#define HEADER       32
#define PAGE_SIZE_AT 8
#define SALTS_AT     16
#define FRAME_HEADER 24
#define PAGE         4096 /* of all our databases */
#define FRAME        (FRAME_HEADER + PAGE)

static uint32_t number_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int log_of(struct db *db, sqlite3_file **out)
{
    *out = NULL;
    int result = sqlite3_file_control(db->sql, "main", SQLITE_FCNTL_JOURNAL_POINTER, out);
    if (result == SQLITE_OK && (*out == NULL || (*out)->pMethods == NULL))
        result = SQLITE_IOERR;
    return result;
}

int mox__log_salts(struct db *db, uint64_t *out)
{
    uint8_t header[HEADER];
    sqlite3_file *log;
    int result = log_of(db, &log);
    if (result == SQLITE_OK)
        result = log->pMethods->xRead(log, header, HEADER, 0);
    if (result == SQLITE_OK && number_at(header + PAGE_SIZE_AT) != PAGE)
        result = SQLITE_CORRUPT;
    if (result == SQLITE_OK)
        *out = (uint64_t)number_at(header + SALTS_AT) << 32 | number_at(header + SALTS_AT + 4);
    return result;
}

/* ---- the last frame of each page ---- */

static int by_page(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Page and frame of each, in one number. */
static int read_frames(sqlite3_file *log, uint64_t *list, uint32_t count)
{
    int result = SQLITE_OK;
    for (uint32_t n = 0; n < count && result == SQLITE_OK; n++) {
        uint8_t header[FRAME_HEADER];
        result = log->pMethods->xRead(log, header, FRAME_HEADER, HEADER + (sqlite3_int64)n * FRAME);
        list[n] = (uint64_t)number_at(header) << 32 | n;
    }
    return result;
}

static int write_page(sqlite3_file *log, sqlite3_file *database, uint32_t page, uint32_t frame)
{
    uint8_t data[PAGE];
    if (page == 0)
        return SQLITE_CORRUPT;
    int result =
        log->pMethods->xRead(log, data, PAGE, HEADER + (sqlite3_int64)frame * FRAME + FRAME_HEADER);
    return result == SQLITE_OK
               ? database->pMethods->xWrite(database, data, PAGE, (sqlite3_int64)(page - 1) * PAGE)
               : result;
}

static int write_pages(sqlite3_file *log, sqlite3_file *database, uint64_t *list, uint32_t count)
{
    int result = read_frames(log, list, count);
    if (result == SQLITE_OK && count > 0)
        qsort(list, count, sizeof list[0], by_page);
    for (uint32_t n = 0; n < count && result == SQLITE_OK; n++)
        if (n + 1 == count || list[n] >> 32 != list[n + 1] >> 32)
            result = write_page(log, database, (uint32_t)(list[n] >> 32), (uint32_t)list[n]);
    return result == SQLITE_OK ? database->pMethods->xSync(database, SQLITE_SYNC_NORMAL) : result;
}

int mox__checkpoint_again(const struct mox_env *env, struct db *db, uint32_t frames)
{
    sqlite3_file *log, *database = NULL;
    uint64_t *list = mem_new(env, uint64_t, frames);
    int result = list == NULL ? SQLITE_NOMEM : log_of(db, &log);
    if (result == SQLITE_OK)
        result = sqlite3_file_control(db->sql, "main", SQLITE_FCNTL_FILE_POINTER, &database);
    if (result == SQLITE_OK)
        result = write_pages(log, database, list, frames);
    mox__mem_free(env, list);
    return result;
}
