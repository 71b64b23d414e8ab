/* SPDX-License-Identifier: MIT */
#include "store/thread.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mox/header.h>

#include "base/crypto.h"
#include "base/text.h"

/* What is longer is no message-id, and no subject that people answer with the same one. */
#define ID_MAX 1000
#define SUBJECT_MAX 1000

/* ---- message-ids ---- */

static bool is_atext(uint8_t c)
{
    return is_alpha(c) || is_digit(c) || c >= 0x80 || (c != 0 && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

/* `"user"@domain` and `user@domain` are the same address. */
static void drop_quotes(char *id)
{
    char *end = id[0] == '"' ? strchr(id + 1, '"') : NULL;
    if (end == NULL || end == id + 1 || end[1] != '@')
        return;
    for (const char *p = id + 1; p < end; p++)
        if (!is_atext((uint8_t)*p))
            return;
    size_t len = (size_t)(end - id - 1);
    memmove(id, id + 1, len);
    memmove(id + len, end + 1, strlen(end + 1) + 1);
}

const char *mox__message_id_canonical(struct arena *arena, struct mox_slice value,
                                      struct mox_slice *rest)
{
    const uint8_t *open = value.len == 0 ? NULL : memchr(value.data, '<', value.len);
    if (rest != NULL)
        *rest = slice(NULL, 0);
    if (open == NULL)
        return NULL;
    struct mox_slice in = slice_from(value, (size_t)(open - value.data) + 1);
    size_t len = 0;
    while (len < in.len && in.data[len] != '>' && in.data[len] != '<')
        len++;
    if (rest != NULL)
        *rest = slice_from(in, len);
    if (len == in.len || len == 0 || len > ID_MAX || in.data[len] == '<')
        return NULL; /* cut off, or empty */
    char *id = mox__arena_strndup(arena, in.data, len);
    if (id == NULL)
        return NULL;
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        if (in.data[i] > ' ') /* folds and blanks inside ids are mistakes of the sender's software */
            id[n++] = (char)to_lower(in.data[i]);
    id[n] = '\0';
    drop_quotes(id);
    return n == 0 ? NULL : id;
}

/* ---- base subjects (RFC 5256 §2.1) ---- */

static bool starts(struct mox_slice s, const char *prefix)
{
    return s.len >= strlen(prefix) && memcmp(s.data, prefix, strlen(prefix)) == 0;
}

static bool ends(struct mox_slice s, const char *suffix)
{
    size_t len = strlen(suffix);
    return s.len >= len && memcmp(s.data + s.len - len, suffix, len) == 0;
}

/* The length of a `[blob]` with the space behind it, 0 if s does not start with one. */
static size_t blob_len(struct mox_slice s)
{
    if (s.len == 0 || s.data[0] != '[')
        return 0;
    size_t i = 1;
    while (i < s.len && s.data[i] != ']' && s.data[i] != '[')
        i++;
    if (i == s.len || s.data[i] != ']')
        return 0;
    i++;
    return i < s.len && s.data[i] == ' ' ? i + 1 : i;
}

/* The length of `re:`, `fw [blob]:` and so on, 0 if there is none. */
static size_t response_len(struct mox_slice s)
{
    static const char *const words[] = {"re", "fwd", "fw"};
    for (size_t i = 0; i < 3; i++) {
        if (!starts(s, words[i]))
            continue;
        size_t at = strlen(words[i]);
        at += at < s.len && s.data[at] == ' ';
        at += blob_len(slice_from(s, at));
        if (at < s.len && s.data[at] == ':')
            return at + 1;
    }
    return 0;
}

static struct mox_slice strip_tail(struct mox_slice s, bool *response)
{
    s = mox__slice_trim(s);
    while (ends(s, "(fwd)")) {
        *response = true;
        s = mox__slice_trim(slice(s.data, s.len - 5));
    }
    return s;
}

static struct mox_slice strip_head(struct mox_slice s, bool *response)
{
    for (;;) {
        s = mox__slice_trim(s);
        size_t blob = blob_len(s), skip = response_len(s);
        if (skip == 0 && blob > 0 && blob < s.len) {
            size_t behind = response_len(slice_from(s, blob));
            skip = blob + behind;
            *response = *response || behind > 0;
        } else if (skip > 0) {
            *response = true;
        }
        if (skip == 0)
            return s;
        s = slice_from(s, skip);
    }
}

/* Lower case, white space as single spaces. */
static struct mox_slice collapse(struct arena *arena, struct mox_slice value)
{
    char *text = mox__arena_strndup(arena, value.data, value.len);
    if (text == NULL)
        return slice(NULL, 0);
    size_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            text[n++] = (char)to_lower(c);
        else if (n > 0 && text[n - 1] != ' ')
            text[n++] = ' ';
    }
    return slice(text, n);
}

const char *mox__base_subject(struct arena *arena, struct mox_slice value, bool *response)
{
    *response = false;
    struct mox_slice s = collapse(arena, slice(value.data, value.len < SUBJECT_MAX ? value.len : SUBJECT_MAX));
    if (s.data == NULL)
        return NULL;
    for (;;) {
        s = strip_head(strip_tail(s, response), response);
        if (!starts(s, "[fwd:") || !ends(s, "]"))
            break;
        *response = true;
        s = slice(s.data + 5, s.len - 6);
    }
    if (s.len > 0 && memchr(s.data, 0, s.len) != NULL)
        s.len = 0;
    return mox__arena_strndup(arena, s.data, s.len);
}

/* ---- reading ---- */

/* All ids of References, the last ones kept, newest first. */
static void read_refs(struct arena *arena, struct mox_slice value, struct thread_facts *out)
{
    /* A line of ids longer than this is cut in front: the newest are at its end. */
    const size_t max = 64 * 1024;
    if (value.len > max)
        value = slice_from(value, value.len - max);
    const char *ring[THREAD_REFS_MAX];
    size_t n = 0;
    while (value.len > 0) {
        const char *id = mox__message_id_canonical(arena, value, &value);
        if (id != NULL)
            ring[n++ % THREAD_REFS_MAX] = id;
    }
    for (size_t i = n; i > 0 && out->ref_count < THREAD_REFS_MAX; i--)
        out->refs[out->ref_count++] = ring[(i - 1) % THREAD_REFS_MAX];
}

int mox__thread_read(struct arena *arena, struct mox_slice headers, struct thread_facts *out)
{
    struct mox_slice value = {NULL, 0};
    *out = (struct thread_facts){.subject = NULL};
    if (mox_header_find(headers, "Message-ID", &value))
        out->message_id = mox__message_id_canonical(arena, value, NULL);
    value = slice("", 0);
    (void)mox_header_find(headers, "Subject", &value);
    out->subject = mox__base_subject(arena, value, &out->response);
    if (out->subject == NULL)
        return MOX_ENOMEM;
    if (mox_header_find(headers, "References", &value))
        read_refs(arena, value, out);
    if (out->ref_count == 0 && mox_header_find(headers, "In-Reply-To", &value)) {
        out->refs[0] = mox__message_id_canonical(arena, value, NULL);
        out->ref_count = out->refs[0] != NULL;
    }
    return MOX_OK;
}

/* ---- placing ---- */

/* How many messages with one message-id are looked at. */
#define CANDIDATES_MAX 10

/* The newest message with this id (and this subject, unless NULL). */
static uint64_t find(struct mox_account *a, const char *id, const char *subject, uint64_t *thread)
{
    uint64_t found = 0;
    sqlite3_stmt *keys = db_query(&a->writer, SQL_KEY_FIND,
                                  V_INT(mox__hash64(slice_of(id))), V_INT(CANDIDATES_MAX));
    while (found == 0 && mox__db_step(&a->writer, keys)) {
        int64_t message = sqlite3_column_int64(keys, 0);
        sqlite3_stmt *s = db_query(&a->writer, SQL_MESSAGE_THREAD, V_INT(message));
        while (mox__db_step(&a->writer, s)) {
            const char *its_id = mox__db_text(s, 0), *its_subject = mox__db_text(s, 1);
            if (its_id == NULL || strcmp(its_id, id) != 0)
                continue; /* another value with the same hash */
            if (subject != NULL && (its_subject == NULL || strcmp(its_subject, subject) != 0))
                continue;
            found = (uint64_t)message;
            *thread = (uint64_t)sqlite3_column_int64(s, 2);
        }
    }
    if (keys != NULL)
        (void)sqlite3_reset(keys);
    return found;
}

void mox__thread_place(struct mox_account *a, const struct thread_facts *facts, bool dsn,
                       uint64_t id, struct thread_place *out)
{
    *out = (struct thread_place){.thread = id};
    if (facts->message_id != NULL)
        out->parent = find(a, facts->message_id, NULL, &out->thread);
    out->missing = out->parent != 0; /* what that one refers to is not looked up again */
    for (size_t i = 0; i < facts->ref_count && out->parent == 0; i++) {
        out->parent = find(a, facts->refs[i], dsn ? NULL : facts->subject, &out->thread);
        out->missing = out->missing || out->parent == 0;
    }
}

uint64_t mox__thread_key(uint64_t thread)
{
    char text[40];
    (void)snprintf(text, sizeof text, "thread %" PRIu64, thread);
    return mox__hash64(slice_of(text));
}
