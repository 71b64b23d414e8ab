/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/store.h"

/* A list of keywords in a row: at most 64 of at most 100 bytes. */
#define KEYWORDS_TEXT_MAX (MOX_KEYWORDS_MAX * 101)

/* ---- finding ---- */

struct box *mox__box_find(const struct mox_account *a, uint64_t id)
{
    size_t low = 0, high = a->box_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (a->boxes[mid]->id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < a->box_count && a->boxes[low]->id == id ? a->boxes[low] : NULL;
}

struct box *mox__box_next(const struct mox_account *a, uint64_t id)
{
    struct box *b = mox__box_find(a, id);
    return b != NULL && b->next.live ? b : NULL;
}

struct box *mox__box_named(const struct mox_account *a, const char *name)
{
    for (size_t i = 0; i < a->box_count; i++)
        if (a->boxes[i]->next.live && strcmp(a->boxes[i]->name, name) == 0)
            return a->boxes[i];
    return NULL;
}

uint64_t mox__boxes_bytes(const struct mox_account *a)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < a->box_count; i++)
        bytes += a->boxes[i]->next.live ? a->boxes[i]->next.bytes : 0;
    return bytes;
}

/* ---- making and loading ---- */

static void box_free(const struct mox_env *env, struct box *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < MOX_KEYWORDS_MAX; i++)
        mox__mem_free(env, b->keywords[i]);
    mox__mem_free(env, b->edits);
    mox__mem_free(env, b->name);
    mox__mem_free(env, b);
}

void mox__boxes_free(struct mox_account *a)
{
    for (size_t i = 0; i < a->box_count; i++)
        box_free(a->env, a->boxes[i]);
    mox__mem_free(a->env, a->boxes);
    a->boxes = NULL;
    a->box_count = a->box_cap = 0;
}

/* Ids only grow, so a new box goes to the end. */
static int insert(struct mox_account *a, struct box *b)
{
    pthread_mutex_lock(&a->lock);
    const bool ok = mem_room(a->env, &a->boxes, &a->box_cap, a->box_count, 16);
    if (ok) {
        size_t at = a->box_count++;
        for (; at > 0 && a->boxes[at - 1]->id > b->id; at--)
            a->boxes[at] = a->boxes[at - 1];
        a->boxes[at] = b;
    }
    pthread_mutex_unlock(&a->lock);
    return ok ? MOX_OK : MOX_ENOMEM;
}

static struct box *box_new(struct mox_account *a, uint64_t id, uint32_t uidvalidity)
{
    struct box *b = mem_new(a->env, struct box, 1);
    if (b != NULL) {
        b->account = a;
        b->id = id;
        b->uidvalidity = uidvalidity;
        if (insert(a, b) == MOX_OK)
            return b;
    }
    box_free(a->env, b);
    (void)mox__db_fail(&a->writer, MOX_ENOMEM, "load a mailbox");
    return NULL;
}

static int set_name(struct box *b, const char *name)
{
    struct mox_account *a = b->account;
    char *copy = mox__strndup(a->env, name, strlen(name));
    if (copy == NULL)
        return mox__db_fail(&a->writer, MOX_ENOMEM, "load a mailbox");
    mox__mem_free(a->env, b->name);
    b->name = copy;
    return MOX_OK;
}

struct box *mox__box_create(struct mox_account *a, const char *name, unsigned special_use,
                            uint64_t modseq)
{
    if (a->uidvalidity == UINT32_MAX)
        (void)mox__db_fail(&a->writer, MOX_ELIMIT, "create a mailbox: UIDVALIDITY is used up");
    if (db_run(&a->writer, SQL_MAILBOX_INSERT, V_TEXT(name), V_INT(a->uidvalidity), V_INT(modseq),
               V_INT(special_use)) < 0)
        return NULL;
    uint64_t id = (uint64_t)sqlite3_last_insert_rowid(a->writer.sql);
    struct box *b = box_new(a, id, a->uidvalidity);
    if (b == NULL || set_name(b, name) < 0)
        return NULL;
    a->uidvalidity++;
    b->next = (struct box_state){
        .live = true, .uidnext = 1, .recent_from = 1, .modseq = modseq, .special_use = special_use};
    b->dirty = true;
    a->names_changed = true;
    return b;
}

/* Keywords never change their bit, so those that are published stay as they are. */
static int load_keywords(struct box *b, const char *text)
{
    struct mox_account *a = b->account;
    unsigned n = 0;
    for (const char *at = text; at != NULL && *at != '\0' && n < MOX_KEYWORDS_MAX; n++) {
        size_t len = strcspn(at, " ");
        if (n >= b->now.keyword_count) {
            char *copy = mox__strndup(a->env, at, len);
            if (copy == NULL)
                return mox__db_fail(&a->writer, MOX_ENOMEM, "load a mailbox");
            mox__mem_free(a->env, b->keywords[n]);
            b->keywords[n] = copy;
        }
        at += len + (at[len] == ' ');
    }
    b->next.keyword_count = n;
    return MOX_OK;
}

static int load_row(struct mox_account *a, sqlite3_stmt *s)
{
    uint64_t id = (uint64_t)sqlite3_column_int64(s, 0);
    struct box *b = mox__box_find(a, id);
    if (b == NULL)
        b = box_new(a, id, (uint32_t)sqlite3_column_int64(s, 2));
    const char *name = mox__db_text(s, 1);
    if (b == NULL || name == NULL || set_name(b, name) < 0)
        return a->writer.status;
    if (!mox__slice_is_utf8(slice_of(name)))
        return mox__db_fail(&a->writer, MOX_ECORRUPT, "read the name of a mailbox");
    b->retired = false;
    b->next = (struct box_state){
        .live = sqlite3_column_int64(s, 12) == 0,
        .uidnext = (uint32_t)sqlite3_column_int64(s, 3),
        .messages = (uint32_t)sqlite3_column_int64(s, 4),
        .unseen = (uint32_t)sqlite3_column_int64(s, 5),
        .deleted = (uint32_t)sqlite3_column_int64(s, 6),
        .bytes = (uint64_t)sqlite3_column_int64(s, 7),
        .modseq = (uint64_t)sqlite3_column_int64(s, 8),
        .recent_from = (uint32_t)sqlite3_column_int64(s, 9),
        .special_use = (unsigned)sqlite3_column_int64(s, 10),
    };
    return load_keywords(b, mox__db_text(s, 11));
}

static void drop_retired(struct mox_account *a)
{
    pthread_mutex_lock(&a->lock);
    size_t kept = 0;
    for (size_t i = 0; i < a->box_count; i++) {
        if (a->boxes[i]->retired)
            box_free(a->env, a->boxes[i]);
        else
            a->boxes[kept++] = a->boxes[i];
    }
    a->box_count = kept;
    pthread_mutex_unlock(&a->lock);
}

/* A change of a whole mailbox has as many edits as messages, most changes have a few. */
#define EDITS_KEPT 1024

void mox__box_forget_edits(struct box *b)
{
    b->edit_count = 0;
    b->edits_unsorted = false;
    if (b->edit_cap <= EDITS_KEPT)
        return;
    mox__mem_free(b->account->env, b->edits);
    b->edits = NULL;
    b->edit_cap = 0;
}

int mox__boxes_load(struct mox_account *a)
{
    for (size_t i = 0; i < a->box_count; i++) {
        a->boxes[i]->retired = !a->boxes[i]->published;
        a->boxes[i]->next.live = false; /* removed ones that nothing is kept of are not read */
        a->boxes[i]->dirty = false;
        a->boxes[i]->knows_oldest = false;
        mox__box_forget_edits(a->boxes[i]);
    }
    sqlite3_stmt *s = mox__db_query(&a->writer, SQL_MAILBOX_ALL, NULL, 0);
    while (mox__db_step(&a->writer, s))
        (void)load_row(a, s);
    if (a->writer.status < 0)
        return a->writer.status;
    drop_retired(a);
    s = mox__db_query(&a->writer, SQL_ACCOUNT_READ, NULL, 0);
    while (mox__db_step(&a->writer, s)) {
        a->modseq = (uint64_t)sqlite3_column_int64(s, 0);
        a->uidvalidity = (uint32_t)sqlite3_column_int64(s, 1);
        uint64_t message = (uint64_t)sqlite3_column_int64(s, 2);
        a->arrivals_from = (uint64_t)sqlite3_column_int64(s, 3);
        pthread_mutex_lock(&a->lock);
        a->next_message = message > a->next_message ? message : a->next_message;
        pthread_mutex_unlock(&a->lock);
    }
    return a->writer.status;
}

/* ---- changing ---- */

void mox__box_count(struct box *b, uint32_t flags, uint64_t bytes, int sign)
{
    uint32_t one = sign < 0 ? UINT32_MAX : 1; /* unsigned: adding UINT32_MAX takes one away */
    b->next.messages += one;
    b->next.unseen += (flags & MOX_FLAG_SEEN) == 0 ? one : 0;
    b->next.deleted += (flags & MOX_FLAG_DELETED) != 0 ? one : 0;
    b->next.bytes += sign < 0 ? -bytes : bytes;
    b->dirty = true;
}

void mox__box_edit(struct box *b, const struct mox_view_row *row, bool remove)
{
    struct mox_account *a = b->account;
    b->dirty = true;
    if (!mem_room(a->env, &b->edits, &b->edit_cap, b->edit_count, 16)) {
        (void)mox__db_fail(&a->writer, MOX_ENOMEM, "change a mailbox");
        return;
    }
    if (b->edit_count > 0 && b->edits[b->edit_count - 1].row.uid >= row->uid)
        b->edits_unsorted = true;
    b->edits[b->edit_count++] = (struct mox_view_edit){.row = *row, .remove = remove};
}

static int keyword_bit(const struct box *b, const char *keyword)
{
    for (unsigned i = 0; i < b->next.keyword_count; i++)
        if (strcmp(b->keywords[i], keyword) == 0)
            return (int)i;
    return -1;
}

int mox__box_keywords(struct box *b, const char *const *keywords, size_t count, bool add,
                      uint64_t *bits)
{
    struct mox_account *a = b->account;
    unsigned before = b->next.keyword_count;
    *bits = 0;
    for (size_t i = 0; i < count; i++) {
        int bit = keyword_bit(b, keywords[i]);
        if (bit < 0 && add) {
            unsigned at = b->next.keyword_count;
            if (at == MOX_KEYWORDS_MAX) {
                b->next.keyword_count = before;
                return MOX_ELIMIT;
            }
            char *copy = mox__strndup(a->env, keywords[i], strlen(keywords[i]));
            if (copy == NULL)
                return mox__db_fail(&a->writer, MOX_ENOMEM, "add a keyword");
            mox__mem_free(a->env, b->keywords[at]); /* of a transaction that failed */
            b->keywords[at] = copy;
            b->next.keyword_count++;
            b->dirty = true;
            bit = (int)at;
        }
        if (bit >= 0)
            *bits |= UINT64_C(1) << bit;
    }
    return MOX_OK;
}

static void flush_one(struct box *b)
{
    struct mox_account *a = b->account;
    struct buf keywords;
    mox__buf_init(&keywords, a->env, KEYWORDS_TEXT_MAX);
    for (unsigned i = 0; i < b->next.keyword_count; i++) {
        if (i > 0)
            mox__buf_byte(&keywords, ' ');
        mox__buf_text(&keywords, b->keywords[i]);
    }
    if (keywords.failed)
        (void)mox__db_fail(&a->writer, MOX_ENOMEM, "write a mailbox");
    const struct box_state *n = &b->next;
    struct val text = {.type = VAL_TEXT, .bytes = {keywords.data, keywords.len}};
    (void)db_run(&a->writer, SQL_MAILBOX_WRITE, V_INT(b->id), V_INT(n->uidnext), V_INT(n->messages),
                 V_INT(n->unseen), V_INT(n->deleted), V_INT(n->bytes), V_INT(n->modseq),
                 V_INT(n->recent_from), V_INT(n->special_use), text);
    mox__buf_free(&keywords);
}

/* Watermarks of \Recent are moved by readers; they ride along with the next transaction. */
static void take_recent(struct mox_account *a)
{
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->box_count; i++) {
        struct box *b = a->boxes[i];
        if (b->now.live)
            b->next.recent_from = b->now.recent_from;
        b->dirty = b->dirty || (b->recent_dirty && b->next.live);
    }
    pthread_mutex_unlock(&a->lock);
}

void mox__boxes_flush(struct mox_account *a)
{
    take_recent(a);
    for (size_t i = 0; i < a->box_count; i++)
        if (a->boxes[i]->dirty)
            flush_one(a->boxes[i]);
}
