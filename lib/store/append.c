/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <mox/header.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "mailstore/rendered.h"
#include "store/store.h"
#include "store/thread.h"
#include "store/verdict.h"

/* Texts of one message beside its wire forms: references are cut at 64 KiB, a subject at 1,000. */
#define FACTS_MAX (1024 * 1024)

/* A content that is not in a file goes into one row, of which SQLite takes a billion bytes. */
#define INLINE_MAX (512u * 1024 * 1024)

struct append_job {
    struct job job;
    struct mox_append *op;
    struct mox_slice content;
    size_t header_len;
    uint64_t file_id; /* 0: the content goes into the database */
    char *path;       /* of the file, once it is there */
    struct rendered wire;
    struct arena arena;
    struct thread_facts thread;
    const char *dkim_domains;
    uint8_t hash[HASH_MAX];
    /* set by apply() */
    int64_t received;
    uint64_t bytes;
    bool refused; /* and kept in the mailbox for rejects, if that is of use */
    bool left_out;
};

static bool is_reject(const struct mox_append *op)
{
    return op->facts != NULL && op->facts->is_reject;
}

/* ---- on the submitter's thread ---- */

static int join_domains(struct append_job *j)
{
    const struct mox_delivery_facts *f = j->op->facts;
    if (f == NULL || f->dkim_domain_count == 0)
        return MOX_OK;
    size_t bytes = 0;
    for (size_t i = 0; i < f->dkim_domain_count; i++)
        bytes += strlen(f->dkim_domains[i]) + 1;
    char *text = arena_new(&j->arena, char, bytes), *at = text;
    if (text == NULL)
        return MOX_ENOMEM;
    for (size_t i = 0; i < f->dkim_domain_count; i++) {
        size_t len = strlen(f->dkim_domains[i]);
        memcpy(at, f->dkim_domains[i], len);
        at[len] = i + 1 < f->dkim_domain_count ? ' ' : '\0';
        at += len + 1;
    }
    j->dkim_domains = text;
    return MOX_OK;
}

/* An id whose file is there already, as in a folder that could not be looked into, is left out. */
static int link_body(struct mox_account *a, struct append_job *j)
{
    int rc;
    do {
        j->file_id = mox__message_id_take(a);
        rc = mox__body_link(a, j->op->spool, j->file_id, &j->path);
        if (rc == MOX_EEXISTS)
            a->strays = true;
    } while (rc == MOX_EEXISTS);
    return rc;
}

static int prepare(struct mox_account *a, struct append_job *j)
{
    int rc = mox_spool_bytes(j->op->spool, &j->content);
    if (rc == MOX_OK && (j->op->prefix.len > INLINE_MAX ||
                         (mox_spool_fd(j->op->spool) < 0 && j->content.len > INLINE_MAX)))
        rc = MOX_ELIMIT;
    if (rc == MOX_OK)
        rc = mox__rendered_init(&j->wire, a->env, j->op->prefix, j->content);
    if (rc == MOX_OK)
        j->header_len = mox_header_end(j->content);
    if (rc == MOX_OK)
        mox__thread_read(&j->arena, j->op->prefix, slice(j->content.data, j->header_len),
                         &j->thread);
    if (rc == MOX_OK)
        rc = join_domains(j);
    if (rc == MOX_OK && is_reject(j->op))
        mox__hash(HASH_SHA256, j->content, j->hash);
    if (rc == MOX_OK && mox_spool_fd(j->op->spool) >= 0)
        rc = link_body(a, j);
    return rc;
}

/* ---- on the committer's ---- */

static unsigned kind_of(const struct mox_delivery_facts *f)
{
    return (f->is_reject ? KIND_REJECT : 0u) | (f->is_forward ? KIND_FORWARD : 0u) |
           (f->is_mailing_list ? KIND_MAILING_LIST : 0u) | (f->dsn ? KIND_DSN : 0u) |
           (f->requiretls ? KIND_REQUIRETLS : 0u) | (f->is_intro ? KIND_INTRO : 0u);
}

/* A row to be: everything that apply() has found out. */
struct row {
    uint64_t id, bytes;
    int64_t received;
    uint64_t origin; /* the mailbox */
    uint32_t uid;
    uint64_t destined; /* where else it would have gone */
    struct thread_place place;
};

static void insert_message(struct mox_account *a, struct append_job *j, const struct row *r)
{
    static const struct mox_delivery_facts nothing;
    const struct mox_delivery_facts *f = j->op->facts == NULL ? &nothing : j->op->facts;
    struct val hash =
        is_reject(j->op) ? V_BLOB(slice(j->hash, mox__hash_len(HASH_SHA256))) : (struct val)V_NULL;
    struct val parent =
        r->place.parent == 0 ? (struct val)V_NULL : (struct val)V_INT(r->place.parent);
    (void)db_run(
        &a->writer, SQL_MESSAGE_INSERT, V_INT(r->id), V_INT(r->bytes), V_INT(r->received),
        V_INT(j->wire.utf8_headers), V_BLOB(j->wire.envelope), V_BLOB(j->wire.body),
        V_BLOB(j->wire.bodystructure), V_BLOB(j->wire.structure), V_INT(r->place.thread), parent,
        V_INT(r->place.missing), V_TEXT(j->thread.message_id), V_TEXT(j->thread.subject), hash,
        V_TEXT(f->remote_ip), V_TEXT(f->ehlo_domain), V_INT(f->ehlo_validation),
        V_TEXT(f->mail_from_localpart), V_TEXT(f->mail_from_domain), V_INT(f->mail_from_validation),
        V_TEXT(f->rcpt_to_localpart), V_TEXT(f->rcpt_to_domain), V_TEXT(f->msg_from_localpart),
        V_TEXT(f->msg_from_domain), V_TEXT(f->msg_from_org_domain), V_INT(f->msg_from_validation),
        V_TEXT(j->dkim_domains), V_INT(r->destined), V_INT(kind_of(f)), V_TEXT(f->tls_version),
        V_TEXT(f->tls_cipher), V_INT(r->origin), V_INT(r->uid));
    struct val data = j->file_id == 0 ? V_BLOB(j->content) : (struct val)V_NULL;
    (void)db_run(&a->writer, SQL_CONTENT_INSERT, V_INT(r->id), V_BLOB(j->op->prefix),
                 V_INT(j->content.len), V_INT(j->header_len), data);
}

static void insert_keys(struct mox_account *a, struct append_job *j, const struct row *r)
{
    if (j->thread.message_id != NULL)
        (void)db_run(&a->writer, SQL_KEY_INSERT, V_INT(mox__hash64(slice_of(j->thread.message_id))),
                     V_INT(r->id));
    if (r->place.thread != r->id)
        (void)db_run(&a->writer, SQL_KEY_INSERT, V_INT(mox__thread_key(r->place.thread)),
                     V_INT(r->id));
    if (j->thread.subject[0] != '\0')
        (void)db_run(&a->writer, SQL_KEY_INSERT,
                     V_INT(mox__subject_key(r->origin, j->thread.subject)), V_INT(r->id));
    if (is_reject(j->op))
        (void)db_run(&a->writer, SQL_KEY_INSERT,
                     V_INT(mox__hash64(slice(j->hash, mox__hash_len(HASH_SHA256)))), V_INT(r->id));
}

static enum held held_as(const struct mox_append *op, const struct row *r)
{
    if (is_reject(op))
        return HELD_REJECT;
    return op->facts != NULL && op->facts->is_intro && r->destined != 0 ? HELD_INTRO : HELD_NOT;
}

/* A mailbox may make junk of what was refused, but not the opposite: a rule put it there, unread. */
static uint32_t flags_in(const struct mox_account *a, const struct mox_append *op,
                         const struct box *b)
{
    const uint32_t given = op->flags & MOX_FLAG_ALL;
    if (box_is_hidden(b))
        return given;
    const uint32_t flags = mox__junk_flags(a, b, given);
    /* It draws no attention. */
    return is_reject(op) ? (flags & ~(uint32_t)MOX_FLAG_NOTJUNK) | MOX_FLAG_SEEN : flags;
}

static void insert_entry(struct mox_account *a, struct append_job *j, struct box *b,
                         const struct row *r, uint64_t bits)
{
    struct mox_append *op = j->op;
    struct mox_view_row row = {.uid = r->uid,
                               .keywords = bits,
                               .flags = flags_in(a, op, b),
                               .modseq = mox__next_modseq(a, &j->job),
                               .bytes = r->bytes};
    (void)db_run(&a->writer, SQL_ENTRY_INSERT, V_INT(b->id), V_INT(row.uid), V_INT(row.modseq),
                 V_INT(row.flags), V_INT(row.keywords), V_INT(r->id), V_INT(r->bytes),
                 V_INT(a->env->wall_us(a->env->user)), V_INT(b->id), V_INT(held_as(op, r)));
    b->next.uidnext++;
    b->next.modseq = row.modseq;
    b->oldest_us = r->received < b->oldest_us ? r->received : b->oldest_us;
    mox__box_count(b, row.flags, r->bytes, 1);
    mox__box_edit(b, &row, false);
    if (!box_is_hidden(b))
        mox__verdict_change(a, b, row.uid, r->id, b->id, 0, row.flags);
    op->uid = row.uid;
    op->uidvalidity = b->uidvalidity;
}

/* Where it goes; NULL: it is to be made, or there is none. */
static struct box *found(const struct mox_account *a, const struct mox_append *op)
{
    return op->mailbox != 0 ? mox__box_next(a, op->mailbox) : mox__box_named(a, op->mailbox_name);
}

/* The mailbox of the facts, made when it is missing; 0: none other than where it goes. */
static uint64_t destined(struct mox_account *a, struct append_job *j, const struct box *to)
{
    const char *name = j->op->facts == NULL ? NULL : j->op->facts->destined_mailbox;
    if (name == NULL)
        return 0;
    struct box *b = mox__box_named(a, name);
    if (b == NULL)
        b = mox__mailbox_make(a, name, 0, true, mox__next_modseq(a, &j->job));
    return b == NULL || b == to ? 0 : b->id;
}

static bool is_arrival(const struct mox_append *op)
{
    return op->facts != NULL && op->facts->remote_ip != NULL;
}

static bool is_over_quota(const struct mox_account *a, uint64_t bytes)
{
    return a->quota_bytes > 0 && mox__boxes_bytes(a) + bytes > a->quota_bytes;
}

/* A part of the quota, so that nobody can use up all of it with what nobody wants. */
#define REJECTS_QUOTA_PART 4

static bool has_room_for_reject(const struct mox_account *a, const struct box *rejects,
                                uint64_t bytes, bool keep_all)
{
    const bool fits = a->quota_bytes == 0 || keep_all ||
                      rejects->next.bytes + bytes <= a->quota_bytes / REJECTS_QUOTA_PART;
    return fits && !is_over_quota(a, bytes);
}

/* A mailbox that is yet to be made has room for so many different ones. */
static bool fit_into_new(const struct mox_append *op)
{
    size_t different = 0;
    for (size_t i = 0; i < op->keyword_count && different <= MOX_KEYWORDS_MAX; i++) {
        size_t same = 0;
        while (same < i && strcmp(op->keywords[same], op->keywords[i]) != 0)
            same++;
        different += same == i;
    }
    return different <= MOX_KEYWORDS_MAX;
}

static int too_many_keywords(struct append_job *j)
{
    return mox__job_fail(&j->job, MOX_ELIMIT, "add a message: the mailbox has 64 keywords already");
}

/* Refuses before anything is written; finds or makes the mailbox, and the bits of the keywords. */
static int check(struct mox_account *a, struct append_job *j, struct box **to, uint64_t *bits)
{
    const struct mox_append *op = j->op;
    if (!j->refused && is_over_quota(a, j->bytes))
        return mox__job_fail(&j->job, MOX_EQUOTA,
                             "add a message: the account's quota is used up; "
                             "remove messages");
    struct box *b = found(a, op);
    if (b == NULL && op->mailbox != 0)
        return mox__job_fail(&j->job, MOX_ENOTFOUND, "add a message: there is no such mailbox");
    if (b == NULL && !fit_into_new(op))
        return too_many_keywords(j);
    if (b == NULL)
        b = mox__mailbox_make(a, op->mailbox_name, 0, true, mox__next_modseq(a, &j->job));
    if (b == NULL)
        return a->writer.status;
    if (b->next.uidnext == UINT32_MAX)
        return mox__job_fail(&j->job, MOX_ELIMIT,
                             "add a message: the mailbox has used up its UIDs; "
                             "move its messages to a new one");
    *to = b;
    int rc = mox__box_keywords(b, op->keywords, op->keyword_count, true, bits);
    return rc == MOX_ELIMIT ? too_many_keywords(j) : rc;
}

/* Whether it is stored. Nobody is told when a message that was refused is not. */
static bool meets_rejects(struct mox_account *a, struct append_job *j, struct box *to)
{
    struct box *rejects = mox__rejects_box(a, j->op->facts);
    if (j->refused) {
        const bool keep_all = j->op->facts->keep_rejects;
        return mox__reject_is_wanted(a, &j->job, to, j->thread.message_id, j->hash, keep_all) &&
               has_room_for_reject(a, to, j->bytes, keep_all);
    }
    if (rejects != NULL && rejects != to)
        mox__rejects_forget(a, &j->job, rejects, j->thread.message_id);
    return true;
}

static void insert(struct mox_account *a, struct append_job *j, struct box *b, uint64_t bits)
{
    const struct mox_append *op = j->op;
    struct row r = {.id = j->file_id != 0 ? j->file_id : mox__message_id_take(a),
                    .bytes = j->bytes,
                    .received = j->received,
                    .origin = b->id,
                    .uid = b->next.uidnext,
                    .destined = destined(a, j, b)};
    if (is_arrival(op))
        mox__arrivals_mark(a, r.id, r.received);
    mox__thread_place(a, &j->thread,
                      &(struct thread_arrival){.id = r.id,
                                               .origin = r.origin,
                                               .received = r.received,
                                               .dsn = op->facts != NULL && op->facts->dsn},
                      &r.place);
    insert_message(a, j, &r);
    insert_keys(a, j, &r);
    if ((b->next.special_use & MOX_USE_SENT) != 0 || b->to_sent)
        mox__recipients_add(a, r.id, slice(j->content.data, j->header_len), r.received);
    insert_entry(a, j, b, &r, bits);
}

static int apply(struct mox_account *a, struct job *job)
{
    struct append_job *j = (struct append_job *)job;
    struct box *b = NULL;
    uint64_t bits = 0;
    j->bytes = j->op->prefix.len + j->content.len;
    j->received = j->op->received_us != 0 ? j->op->received_us : a->env->wall_us(a->env->user);
    j->refused = mox__append_is_refused(a, j->op);
    int rc = check(a, j, &b, &bits);
    if (rc < 0)
        return rc;
    j->left_out = !meets_rejects(a, j, b);
    if (!j->left_out)
        insert(a, j, b, bits);
    return MOX_OK;
}

static void discard(struct mox_account *a, struct append_job *j, bool keep_file)
{
    if (!keep_file && j->path != NULL)
        mox__body_remove(a, j->path);
    mox__mem_free(a->env, j->path);
    mox__arena_reset(&j->arena);
    mox__rendered_free(&j->wire);
    mox__mem_free(a->env, j);
}

static void finish(struct mox_account *a, struct job *job, int status)
{
    struct append_job *j = (struct append_job *)job;
    j->op->left_out = status == MOX_OK && j->left_out;
    if (status == MOX_OK && !j->left_out && is_arrival(j->op))
        mox__arrivals_note(a, j->op->facts->remote_ip, j->received, j->bytes);
    bool doubtful = status < 0 && a->in_doubt && j->path != NULL && !j->left_out;
    if (doubtful && a->doubtful_count < DOUBTFUL_MAX)
        a->doubtful[a->doubtful_count++] = j->file_id;
    else if (doubtful)
        a->strays = true;
    discard(a, j, status == MOX_OK ? !j->left_out : doubtful);
}

void mox__append_settle(struct mox_account *a)
{
    for (size_t i = 0; i < a->doubtful_count; i++) {
        char *path = mox__account_body_path(a, a->doubtful[i]);
        mox__body_remove(a, path);
        mox__mem_free(a->env, path);
    }
    a->doubtful_count = 0;
}

void mox__append(void *self, struct mox_append *op)
{
    struct mox_account *a = self;
    struct append_job *j = mem_new(a->env, struct append_job, 1);
    op->left_out = false;
    op->uid = op->uidvalidity = 0;
    if (j == NULL) {
        mox__write_fail(&op->write, MOX_ENOMEM, "add a message");
        return;
    }
    j->op = op;
    j->job = (struct job){.write = &op->write, .apply = apply, .finish = finish};
    mox__arena_init(&j->arena, a->env, FACTS_MAX);
    int rc = prepare(a, j);
    if (rc < 0) {
        discard(a, j, false);
        mox__write_fail(&op->write, rc, "add a message");
        return;
    }
    j->job.cost = j->file_id == 0 ? j->content.len + 4096 : 4096;
    mox__submit(a, &j->job);
}
