/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/ip.h"
#include "base/text.h"
#include "store/verdict.h"

/* What a delivery asks: verdicts on a sender, whether the user wrote to it, and whether the message
 * was here before. */

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
static bool agrees(sqlite3_stmt *s, enum verdict_kind kind, const char *localpart,
                   const char *domain)
{
    switch (kind) {
    case VERDICT_FROM:
    case VERDICT_FROM_UNPROVED:
        return text_is(s, 8, domain) && (localpart == NULL || text_is(s, 7, localpart));
    case VERDICT_FROM_DOMAIN:
    case VERDICT_FROM_DOMAIN_UNPROVED:
        return text_is(s, 8, domain);
    case VERDICT_FROM_ORG_DOMAIN:
    case VERDICT_FROM_ORG_DOMAIN_UNPROVED:
        return text_is(s, 9, domain);
    case VERDICT_MAIL_FROM:
        return text_is(s, 6, domain) && (localpart == NULL || text_is(s, 5, localpart));
    case VERDICT_MAIL_FROM_DOMAIN:
        return text_is(s, 6, domain);
    case VERDICT_EHLO:
        return text_is(s, 4, domain);
    case VERDICT_DKIM:
        return has_domain(mox__db_text(s, 10), domain);
    default:
        return ip_is(mox__db_text(s, 3), (unsigned)(kind - VERDICT_IP1) + 1, domain);
    }
}

int mox__account_verdicts(struct mox_account *a, enum verdict_kind kind, const char *localpart,
                          const char *domain, uint64_t origin, int64_t since_us,
                          struct verdict *out, size_t max, size_t *count, struct mox_error *err)
{
    struct reader *r = NULL;
    *count = 0;
    int rc = mox__reader_take(a, &r, err);
    if (rc < 0)
        return rc;
    sqlite3_stmt *rows =
        db_query(&r->db, SQL_VERDICT_FIND, V_INT(mox__verdict_hash(kind, localpart, domain)),
                 V_INT(origin), V_INT(since_us));
    while (*count < max && mox__db_step(&r->db, rows)) {
        struct verdict v = {.received_us = sqlite3_column_int64(rows, 0),
                            .junk = sqlite3_column_int64(rows, 1) != 0,
                            .message = (uint64_t)sqlite3_column_int64(rows, 2)};
        sqlite3_stmt *facts = db_query(&r->db, SQL_MESSAGE_FACTS, V_INT(v.message));
        while (mox__db_step(&r->db, facts)) {
            const char *from = mox__db_text(facts, 7);
            v.localpart_hash = mox__hash64(slice_of(from == NULL ? "" : from));
            if (agrees(facts, kind, localpart, domain) && *count < max)
                out[(*count)++] = v;
        }
    }
    if (rows != NULL)
        (void)sqlite3_reset(rows);
    if (r->db.status < 0)
        rc = mox__fail(err, r->db.status, "read reputation: %s", r->db.error.text);
    mox__reader_give(a, r);
    return rc;
}

int mox__account_wrote_to(struct mox_account *a, const char *localpart, const char *domain,
                          int64_t *last_us, struct mox_error *err)
{
    struct reader *r = NULL;
    *last_us = 0;
    int rc = mox__reader_take(a, &r, err);
    if (rc < 0)
        return rc;
    sqlite3_stmt *s = db_query(&r->db, SQL_RECIPIENT_LAST, V_TEXT(domain), V_TEXT(localpart));
    while (mox__db_step(&r->db, s))
        *last_us = sqlite3_column_int64(s, 0);
    if (r->db.status < 0)
        rc = mox__fail(err, r->db.status, "read recipients: %s", r->db.error.text);
    mox__reader_give(a, r);
    return rc;
}

int mox__account_find_copies(struct mox_account *a, uint64_t mailbox, const char *message_id,
                             const uint8_t *hash, uint32_t *uids, size_t max, size_t *count,
                             struct mox_error *err)
{
    struct reader *r = NULL;
    *count = 0;
    int rc = mox__reader_take(a, &r, err);
    if (rc < 0)
        return rc;
    struct val id_key = V_NULL, hash_key = V_NULL, hash_value = V_NULL;
    if (message_id != NULL)
        id_key = (struct val)V_INT(mox__hash64(slice_of(message_id)));
    if (hash != NULL) {
        hash_value = V_BLOB(slice(hash, mox__hash_len(HASH_SHA256)));
        hash_key = (struct val)V_INT(mox__hash64(hash_value.bytes));
    }
    sqlite3_stmt *s = db_query(&r->db, SQL_KEY_COPIES, V_INT(mailbox), id_key, V_TEXT(message_id),
                               hash_key, hash_value);
    while (*count < max && mox__db_step(&r->db, s))
        uids[(*count)++] = (uint32_t)sqlite3_column_int64(s, 0);
    if (s != NULL)
        (void)sqlite3_reset(s);
    if (r->db.status < 0)
        rc = mox__fail(err, r->db.status, "look for a message: %s", r->db.error.text);
    mox__reader_give(a, r);
    return rc;
}
