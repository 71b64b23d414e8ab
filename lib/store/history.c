/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/ip.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/verdict.h"

/* What a delivery asks of the past. All questions of one message are answered from one snapshot, by
 * one connection: each is a step into an index, and the locks that a snapshot takes cost more. It is taken when
 * something is to be looked for that the account may know something of (known.h).
 *
 * What is not known is so as of the beginning: keys only come. So answers without a snapshot are of one moment;
 * and of the snapshot's too, unless keys came in between. Then all is to be asked again, once. */

/* Copies of a message have a row each, and count once. */
#define ROWS_PER_MESSAGE 4

struct history {
    struct mox_account *a;
    struct reader *r;           /* once there is a snapshot */
    struct known_extent extent; /* at the beginning */
    bool said_unknown;          /* before there was one */
};

/* Takes the snapshot, unless there is one. SQLite does so with the first step, which follows. */
static int take_snapshot(struct history *h, struct mox_error *err)
{
    if (h->r != NULL)
        return MOX_OK;
    struct reader *r = NULL;
    int rc = mox__glancer_take(h->a, &r, err);
    if (rc == MOX_OK && mox__db_run(&r->db, SQL_BEGIN_READ, NULL, 0) < 0) {
        rc = mox__fail(err, r->db.status, "read reputation: %s", r->db.error.text);
        mox__reader_give(h->a, r);
        r = NULL;
    }
    h->r = r;
    return rc;
}

/* An answer that needs no look. */
static bool unknown(struct history *h, bool lacking)
{
    h->said_unknown = h->said_unknown || (lacking && h->r == NULL);
    return lacking;
}

static bool moved(void *user)
{
    struct history *h = user;
    if (h->r == NULL || !h->said_unknown || !mox__known_has_changed(h->a, &h->extent))
        return false;
    h->said_unknown = false;
    return true;
}

/* ---- what was thought of a sender ---- */

static bool text_is(sqlite3_stmt *s, int column, const char *text)
{
    const char *value = mox__db_text(s, column);
    return value != NULL && strcmp(value, text) == 0;
}

static bool has_domain(const char *domains, const char *domain)
{
    size_t len = strlen(domain);
    while (domains != NULL && *domains != '\0') {
        size_t n = strcspn(domains, " ");
        if (n == len && memcmp(domains, domain, len) == 0)
            return true;
        domains += n + (domains[n] == ' ');
    }
    return false;
}

static bool ip_is(const char *text, unsigned class, const char *masked)
{
    struct ip ip, mask;
    char out[IP_TEXT_MAX];
    if (text == NULL || !mox__ip_parse(slice_of(text), &ip))
        return false;
    mox__ip_mask(&ip, class, &mask);
    mox__ip_format(&mask, out);
    return strcmp(out, masked) == 0;
}

/* Whether a row of SQL_MESSAGE_FACTS has the value that its hash stood for. */
static bool agrees(sqlite3_stmt *s, enum mox_sender sender, const char *localpart, const char *name)
{
    switch (sender) {
    case MOX_SENDER_FROM:
    case MOX_SENDER_FROM_UNPROVED:
        return text_is(s, 8, name) && (localpart == NULL || text_is(s, 7, localpart));
    case MOX_SENDER_FROM_DOMAIN:
    case MOX_SENDER_FROM_DOMAIN_UNPROVED:
        return text_is(s, 8, name);
    case MOX_SENDER_FROM_ORG_DOMAIN:
    case MOX_SENDER_FROM_ORG_DOMAIN_UNPROVED:
        return text_is(s, 9, name);
    case MOX_SENDER_MAIL_FROM:
        return text_is(s, 6, name) && (localpart == NULL || text_is(s, 5, localpart));
    case MOX_SENDER_MAIL_FROM_DOMAIN:
        return text_is(s, 6, name);
    case MOX_SENDER_EHLO:
        return text_is(s, 4, name);
    case MOX_SENDER_DKIM:
        return has_domain(mox__db_text(s, 10), name);
    default:
        return ip_is(mox__db_text(s, 3), (unsigned)(sender - MOX_SENDER_IP1) + 1, name);
    }
}

/* A copy of a message that is in the list already: rows of one message are neighbours, for they have
 * one time. What one of them calls junk is. */
static bool is_copy(struct mox_judged *list, size_t count, const struct mox_judged *one)
{
    for (size_t i = count; i > 0 && list[i - 1].received_us == one->received_us; i--)
        if (list[i - 1].message == one->message) {
            list[i - 1].junk = list[i - 1].junk || one->junk;
            return true;
        }
    return false;
}

static int judged(void *user, enum mox_sender sender, const char *localpart, const char *name,
                  uint64_t origin, int64_t since_us, struct mox_judged *out, size_t max,
                  size_t *count, struct mox_error *err)
{
    struct history *h = user;
    const uint64_t key = mox__verdict_hash(sender, localpart, name);
    *count = 0;
    if (unknown(h, mox__known_lacks_sender(h->a, &h->extent, key)))
        return MOX_OK;
    int rc = take_snapshot(h, err);
    if (rc < 0)
        return rc;
    struct db *db = &h->r->db;
    sqlite3_stmt *rows = db_query(db, SQL_VERDICT_FIND, V_INT(key), V_INT(origin), V_INT(since_us),
                                  V_INT(max * ROWS_PER_MESSAGE));
    while (mox__db_step(db, rows)) {
        struct mox_judged one = {.received_us = sqlite3_column_int64(rows, 0),
                                 .junk = sqlite3_column_int64(rows, 1) != 0,
                                 .message = (uint64_t)sqlite3_column_int64(rows, 2)};
        if (is_copy(out, *count, &one))
            continue;
        if (*count == max)
            break;
        sqlite3_stmt *facts = db_query(db, SQL_MESSAGE_FACTS, V_INT(one.message));
        bool same = false;
        while (mox__db_step(db, facts)) {
            const char *from = mox__db_text(facts, 7);
            one.localpart_hash = mox__hash64(slice_of(from == NULL ? "" : from));
            same = agrees(facts, sender, localpart, name);
        }
        if (same)
            out[(*count)++] = one;
    }
    if (rows != NULL)
        (void)sqlite3_reset(rows);
    return db->status < 0 ? mox__fail(err, db->status, "read reputation: %s", db->error.text)
                          : MOX_OK;
}

/* ---- whom the user wrote to ---- */

static sqlite3_stmt *last_to(struct db *db, enum mox_addressee addressee, const char *localpart,
                             const char *domain)
{
    switch (addressee) {
    case MOX_ADDRESSEE_FULL:
        return db_query(db, SQL_RECIPIENT_LAST, V_TEXT(domain), V_TEXT(localpart));
    case MOX_ADDRESSEE_DOMAIN:
        return db_query(db, SQL_RECIPIENT_LAST_DOMAIN, V_TEXT(domain));
    default:
        return db_query(db, SQL_RECIPIENT_LAST_ORG_DOMAIN, V_TEXT(domain));
    }
}

static int wrote_to(void *user, enum mox_addressee addressee, const char *localpart,
                    const char *domain, int64_t *last_us, struct mox_error *err)
{
    struct history *h = user;
    const uint64_t key = mox__addressee_hash(addressee, localpart, domain);
    *last_us = 0;
    if (unknown(h, mox__known_lacks_addressee(h->a, &h->extent, key)))
        return MOX_OK;
    int rc = take_snapshot(h, err);
    if (rc < 0)
        return rc;
    struct db *db = &h->r->db;
    sqlite3_stmt *s = last_to(db, addressee, localpart, domain);
    while (mox__db_step(db, s))
        *last_us = sqlite3_column_int64(s, 0);
    return db->status < 0 ? mox__fail(err, db->status, "read recipients: %s", db->error.text)
                          : MOX_OK;
}

/* ---- beginning and ending ---- */

int mox_account_history_begin(struct mox_history *out, struct mox_account *a, struct mox_error *err)
{
    *out = (struct mox_history){0};
    struct history *h = mem_new(a->env, struct history, 1);
    if (h == NULL)
        return mox__fail(err, MOX_ENOMEM, "read reputation: out of memory");
    h->a = a;
    h->extent = mox__known_extent(a);
    *out = (struct mox_history){.user = h, .judged = judged, .wrote_to = wrote_to, .moved = moved};
    return MOX_OK;
}

void mox_account_history_end(struct mox_history *history)
{
    struct history *h = history->user;
    if (h == NULL)
        return;
    if (h->r != NULL) {
        mox__known_read(h->a, &h->r->db);
        (void)mox__db_run(&h->r->db, SQL_COMMIT, NULL, 0);
        mox__reader_give(h->a, h->r);
    }
    mox__mem_free(h->a->env, h);
    *history = (struct mox_history){0};
}
