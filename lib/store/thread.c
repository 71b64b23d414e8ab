/* SPDX-License-Identifier: MIT */
#include "store/thread.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mox/header.h>

#include "base/crypto.h"
#include "base/text.h"
#include "message/header.h"
#include "message/thread.h"

/* What is longer is no message-id, and no subject that people answer with the same one. */
#define TEXT_MAX 1000
/* Of longer references only the end, with the newest ids, is looked at. */
#define REFS_TEXT_MAX (64 * 1024)

/* ---- reading ---- */

/* What `out` holds, in the arena; NULL when it is empty, too long, or there is no memory. */
static const char *keep(struct arena *arena, struct buf *out)
{
    const char *text = NULL;
    if (out->len > 0 && !out->failed)
        text = mox__arena_strndup(arena, out->data, out->len);
    mox__buf_clear(out);
    return text;
}

/* All ids of References, the last ones kept, newest first; In-Reply-To if there are none. */
static void read_refs(struct arena *arena, struct mox_slice value, struct buf *id,
                      struct thread_facts *out)
{
    if (value.len > REFS_TEXT_MAX)
        value = slice_from(value, value.len - REFS_TEXT_MAX);
    const char *ring[THREAD_REFS_MAX];
    size_t n = 0;
    struct references refs = {.text = value};
    while (mox__references_next(&refs, id)) {
        const char *text = keep(arena, id);
        if (text != NULL)
            ring[n++ % THREAD_REFS_MAX] = text;
    }
    for (size_t i = n; i > 0 && out->ref_count < THREAD_REFS_MAX; i--)
        out->refs[out->ref_count++] = ring[(i - 1) % THREAD_REFS_MAX];
}

void mox__thread_read(struct arena *arena, struct mox_slice prefix, struct mox_slice headers,
                      struct thread_facts *out)
{
    struct mox_slice value = {NULL, 0};
    struct buf text;
    *out = (struct thread_facts){.subject = ""};
    mox__buf_init(&text, arena->env, TEXT_MAX);
    if (mox__headers_find(prefix, headers, "Message-ID", &value) && value.len <= TEXT_MAX &&
        mox__message_id(mox__slice_trim(value), &text))
        out->message_id = keep(arena, &text);
    mox__buf_clear(&text);
    if (mox_header_find(headers, "Subject", &value)) {
        mox__subject_base(slice(value.data, value.len < TEXT_MAX ? value.len : TEXT_MAX), &text,
                          &out->response);
        const char *subject = keep(arena, &text);
        out->subject = subject == NULL ? "" : subject;
    }
    if (mox_header_find(headers, "References", &value))
        read_refs(arena, value, &text, out);
    if (out->ref_count == 0 && mox_header_find(headers, "In-Reply-To", &value)) {
        read_refs(arena, value, &text, out);
        if (out->ref_count > 1) { /* the first is what it answers */
            out->refs[0] = out->refs[out->ref_count - 1];
            out->ref_count = 1;
        }
    }
    mox__buf_free(&text);
}

/* ---- placing ---- */

/* How many messages with one message-id or subject are looked at, the newest first. */
#define CANDIDATES_MAX 10

/* An answer without references belongs to a message of the same subject that came up to four weeks
 * before it, or up to a day after. */
#define DAY_US           (INT64_C(24) * 60 * 60 * 1000000)
#define ANSWER_WITHIN_US (28 * DAY_US)
#define ANSWER_EARLY_US  DAY_US

/* What is looked for; `id` and `subject` may be NULL: any. */
struct wanted {
    const char *id, *subject;
    const struct thread_arrival *near; /* of the same mailbox and time; or NULL */
};

static bool same_text(const char *wanted, const char *text)
{
    return wanted == NULL || (text != NULL && strcmp(wanted, text) == 0);
}

/* A row of SQL_MESSAGE_THREAD. The hash that led to it may be another value's. */
static bool fits(sqlite3_stmt *s, const struct wanted *w)
{
    if (!same_text(w->id, mox__db_text(s, 0)) || !same_text(w->subject, mox__db_text(s, 1)))
        return false;
    if (w->near == NULL)
        return true;
    int64_t received = sqlite3_column_int64(s, 4);
    return (uint64_t)sqlite3_column_int64(s, 3) == w->near->origin &&
           received >= w->near->received - ANSWER_WITHIN_US &&
           received <= w->near->received + ANSWER_EARLY_US;
}

/* The newest such message below `id`: of two that are stored at once, the later may be there first. */
static uint64_t find(struct mox_account *a, uint64_t key, const struct wanted *w, uint64_t id,
                     uint64_t *thread)
{
    uint64_t found = 0;
    sqlite3_stmt *keys = db_query(&a->writer, SQL_KEY_FIND, V_INT(key), V_INT(CANDIDATES_MAX));
    while (found == 0 && mox__db_step(&a->writer, keys)) {
        uint64_t message = (uint64_t)sqlite3_column_int64(keys, 0);
        sqlite3_stmt *s = db_query(&a->writer, SQL_MESSAGE_THREAD, V_INT(message));
        while (mox__db_step(&a->writer, s)) {
            if (message >= id || !fits(s, w))
                continue;
            found = message;
            *thread = (uint64_t)sqlite3_column_int64(s, 2);
        }
    }
    if (keys != NULL)
        (void)sqlite3_reset(keys);
    return found;
}

static uint64_t find_id(struct mox_account *a, const char *message_id, const char *subject,
                        uint64_t id, uint64_t *thread)
{
    return find(a, mox__hash64(slice_of(message_id)),
                &(struct wanted){.id = message_id, .subject = subject}, id, thread);
}

void mox__thread_place(struct mox_account *a, const struct thread_facts *facts,
                       const struct thread_arrival *arrival, struct thread_place *out)
{
    const uint64_t id = arrival->id;
    const char *subject = arrival->dsn ? NULL : facts->subject;
    *out = (struct thread_place){.thread = id};
    if (facts->message_id != NULL)
        out->parent = find_id(a, facts->message_id, NULL, id, &out->thread);
    out->missing = out->parent != 0; /* what that one refers to is not looked up again */
    for (size_t i = 0; i < facts->ref_count && out->parent == 0; i++) {
        out->parent = find_id(a, facts->refs[i], subject, id, &out->thread);
        out->missing = out->missing || out->parent == 0;
    }
    if (out->parent == 0 && facts->ref_count == 0 && facts->response && facts->subject[0] != '\0')
        out->parent =
            find(a, mox__subject_key(arrival->origin, facts->subject),
                 &(struct wanted){.subject = facts->subject, .near = arrival}, id, &out->thread);
}

uint64_t mox__thread_key(uint64_t thread)
{
    char text[40];
    (void)snprintf(text, sizeof text, "thread %" PRIu64, thread);
    return mox__hash64(slice_of(text));
}

uint64_t mox__subject_key(uint64_t origin, const char *subject)
{
    char text[TEXT_MAX + 40];
    (void)snprintf(text, sizeof text, "subject %" PRIu64 " %s", origin, subject);
    return mox__hash64(slice_of(text));
}
