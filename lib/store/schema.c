/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "store/db.h"

/*
 * The tables of an account.
 *
 *   mailbox ──< entry >── message ── content
 *           ──< gone  >──
 *
 * - entry: what a mailbox shows now.
 * - gone: what it showed: UIDs that were removed (RFC 7162), with their message while old views may
 *   need it.
 * - ref: how many more than one entry or gone row a message has.
 * - key: hash of a message's message-id, thread, subject or content → message.
 * - verdict: hash of a sender's name or address → what users thought of its messages.
 * - outgoing: how much the account sent in each minute of the past day; contact: hashes of all whom
 *   it ever wrote to.
 * - subjectpass: an address of the account → the secret of its tokens.
 *
 * `entry` is the only row of a message that changes, narrow, and in the order of mailboxes: views,
 * flags and copies touch nothing else. It has no foreign key to `message`: erasing a message would
 * have to search all entries for it; mox_store_verify() looks instead. Times are microseconds since
 * 1970, UTC.
 */
static const char version_1[] =
    "CREATE TABLE account ("
    " id INTEGER PRIMARY KEY CHECK (id = 1),"
    " modseq INTEGER NOT NULL,"      /* the last one given; 2 is the first */
    " uidvalidity INTEGER NOT NULL," /* for the next mailbox */
    " message INTEGER NOT NULL,"     /* id for the next message, never used before */
    " arrivals INTEGER NOT NULL"     /* those with lower ids came no later than 24 hours ago, if by SMTP */
    ") STRICT;"
    "CREATE TABLE mailbox ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL,"
    " uidvalidity INTEGER NOT NULL,"
    " uidnext INTEGER NOT NULL,"
    " messages INTEGER NOT NULL,"
    " unseen INTEGER NOT NULL,"
    " deleted INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " modseq INTEGER NOT NULL,"
    " createseq INTEGER NOT NULL,"
    " recent INTEGER NOT NULL,"           /* the first UID that no read-write SELECT has seen */
    " special_use INTEGER NOT NULL,"      /* enum mox_special_use */
    " keywords TEXT NOT NULL,"            /* by bit, separated by spaces */
    " removed INTEGER NOT NULL DEFAULT 0" /* modseq of its removal */
    ") STRICT;"
    "CREATE UNIQUE INDEX mailbox_name ON mailbox(name) WHERE removed = 0;"
    "CREATE TABLE subscription (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;"
    "CREATE TABLE entry ("
    " mailbox INTEGER NOT NULL REFERENCES mailbox(id),"
    " uid INTEGER NOT NULL,"
    " modseq INTEGER NOT NULL,"
    " flags INTEGER NOT NULL,"    /* enum mox_flag */
    " keywords INTEGER NOT NULL," /* bit n: the mailbox's keyword n */
    " message INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"  /* message.bytes again, for sums without reading it */
    " saved INTEGER NOT NULL,"  /* when it came into this mailbox */
    " origin INTEGER NOT NULL," /* the mailbox it was first delivered to: reputation */
    " held INTEGER NOT NULL,"   /* enum held: message.destined still stands */
    " PRIMARY KEY (mailbox, uid)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE gone ("
    " mailbox INTEGER NOT NULL REFERENCES mailbox(id),"
    " uid INTEGER NOT NULL,"
    " modseq INTEGER NOT NULL,"
    " message INTEGER," /* NULL once erased */
    " PRIMARY KEY (mailbox, uid)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX gone_kept ON gone(mailbox, modseq) WHERE message IS NOT NULL;"
    "CREATE TABLE message ("
    " id INTEGER PRIMARY KEY,"
    " bytes INTEGER NOT NULL," /* prefix and content */
    " received INTEGER NOT NULL,"
    " utf8 INTEGER NOT NULL,"
    " envelope BLOB NOT NULL,"
    " body BLOB NOT NULL,"
    " bodystructure BLOB NOT NULL,"
    " structure BLOB NOT NULL,"
    " thread INTEGER NOT NULL," /* id of the thread's first message */
    " parent INTEGER,"
    " missing INTEGER NOT NULL," /* 1: a message that it refers to was not here */
    " message_id TEXT,"          /* canonical */
    " subject TEXT,"             /* base subject */
    " origin INTEGER NOT NULL,"  /* the mailbox it was delivered to: threads by subject */
    " uid INTEGER NOT NULL,"     /* there: copies of a reject are found by it */
    " hash BLOB,"                /* SHA-256 of the content: rejects only */
    " remote_ip TEXT,"           /* from here on NULL when not received over SMTP */
    " ehlo_domain TEXT,"
    " ehlo_validation INTEGER,"
    " mail_from_localpart TEXT,"
    " mail_from_domain TEXT,"
    " mail_from_validation INTEGER,"
    " rcpt_to_localpart TEXT,"
    " rcpt_to_domain TEXT,"
    " msg_from_localpart TEXT,"
    " msg_from_domain TEXT,"
    " msg_from_org_domain TEXT,"
    " msg_from_validation INTEGER,"
    " dkim_domains TEXT," /* separated by spaces */
    " destined INTEGER,"  /* of what is held: the mailbox it would have gone to */
    " kind INTEGER,"      /* 1 reject, 2 forward, 4 mailing list, 8 dsn, 16 requiretls, 32 first message */
    " tls_version TEXT,"
    " tls_cipher TEXT,"
    " preview TEXT"
    ") STRICT;"
    "CREATE TABLE content ("
    " message INTEGER PRIMARY KEY REFERENCES message(id),"
    " prefix BLOB NOT NULL,"
    " bytes INTEGER NOT NULL,"  /* of the content */
    " header INTEGER NOT NULL," /* of its header, with the empty line: read without the rest */
    " data BLOB"                /* NULL: in the file msg/<xx>/<id> */
    ") STRICT;"
    "CREATE TABLE ref ("
    " message INTEGER PRIMARY KEY REFERENCES message(id),"
    " extra INTEGER NOT NULL CHECK (extra > 0)"
    ") STRICT;"
    "CREATE TABLE key ("
    " hash INTEGER NOT NULL,"
    " message INTEGER NOT NULL,"
    " PRIMARY KEY (hash, message)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE verdict ("
    " hash INTEGER NOT NULL,"
    " origin INTEGER NOT NULL,"
    " received INTEGER NOT NULL,"
    " mailbox INTEGER NOT NULL," /* which entry gave it */
    " uid INTEGER NOT NULL,"
    " junk INTEGER NOT NULL,"
    " message INTEGER NOT NULL,"
    " PRIMARY KEY (hash, origin, received, mailbox, uid)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE recipient ("
    " message INTEGER NOT NULL REFERENCES message(id),"
    " localpart TEXT NOT NULL,"
    " domain TEXT NOT NULL,"     /* in Unicode form */
    " org_domain TEXT NOT NULL," /* its organizational domain, too */
    " sent INTEGER NOT NULL,"
    " PRIMARY KEY (message, localpart, domain)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX recipient_address ON recipient(domain, localpart, sent);"
    "CREATE INDEX recipient_domain ON recipient(domain, sent);"
    "CREATE INDEX recipient_org_domain ON recipient(org_domain, sent);"
    "CREATE TABLE outgoing ("
    " minute INTEGER PRIMARY KEY," /* since 1970 */
    " recipients INTEGER NOT NULL CHECK (recipients > 0),"
    " fresh INTEGER NOT NULL CHECK (fresh BETWEEN 0 AND recipients)" /* written to for the first time */
    ") STRICT;"
    "CREATE TABLE contact (person INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE credential (kind TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE subjectpass (address TEXT PRIMARY KEY, key TEXT NOT NULL) STRICT, WITHOUT ROWID;";

static const char *const upgrades[SCHEMA_VERSION] = {version_1};

static int64_t pragma(struct db *db, const char *text)
{
    sqlite3_stmt *stmt = NULL;
    int64_t value = 0;
    if (mox__db_prepare(db, &stmt, text) == MOX_OK && mox__db_step(db, stmt))
        value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return value;
}

static int upgrade(struct db *db, const struct schema *schema, int64_t from)
{
    char stamp[96];
    (void)snprintf(stamp, sizeof stamp, "PRAGMA application_id=%d; PRAGMA user_version=%d;",
                   schema->application_id, (int)from + 1);
    (void)mox__db_exec(db, "BEGIN IMMEDIATE");
    (void)mox__db_exec(db, schema->steps[from]);
    (void)mox__db_exec(db, stamp);
    if (mox__db_exec(db, "COMMIT") < 0)
        (void)sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    return db->status;
}

int mox__schema_upgrade_to(struct db *db, const struct schema *schema, const char *path,
                           struct mox_error *err)
{
    int64_t version = pragma(db, "PRAGMA user_version");
    int64_t application = pragma(db, "PRAGMA application_id");
    int64_t tables = pragma(db, "SELECT count(*) FROM sqlite_schema");
    if (db->status == MOX_OK && tables > 0 && application != schema->application_id)
        return mox__fail(err, MOX_ECORRUPT,
                         "open %s %s: this SQLite database is not %s; move it "
                         "away or choose another folder",
                         mox__db_kind(db), path, schema->what);
    if (db->status == MOX_OK && version > schema->newest)
        return mox__fail(err, MOX_ECORRUPT,
                         "open %s %s: its format %" PRId64 " is newer than %d, the newest "
                         "that this program knows; use the newer program",
                         mox__db_kind(db), path, version, schema->newest);
    for (; version < schema->newest && db->status == MOX_OK; version++)
        (void)upgrade(db, schema, version);
    if (db->status < 0)
        return mox__db_open_failed(db, path, err);
    return MOX_OK;
}

int mox__schema_upgrade(struct db *db, const char *path, struct mox_error *err)
{
    static const struct schema account = {
        .application_id = SCHEMA_APPLICATION_ID,
        .what = "a mail store",
        .steps = upgrades,
        .newest = SCHEMA_VERSION,
    };
    return mox__schema_upgrade_to(db, &account, path, err);
}
