/* SPDX-License-Identifier: MIT */
#include "store/sql.h"

/* Every statement that is used again and again. Parameters are bound in order, from ?1. */
static const char *const texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",

    [SQL_ACCOUNT_READ] = "SELECT modseq, uidvalidity, message, arrivals FROM account",
    [SQL_ACCOUNT_WRITE] =
        "INSERT OR REPLACE INTO account(id, modseq, uidvalidity, message, arrivals)"
        " VALUES(1, ?1, ?2, ?3, ?4)",

    [SQL_MAILBOX_ALL] =
        "SELECT id, name, uidvalidity, uidnext, messages, unseen, deleted, bytes, modseq, recent,"
        " special_use, keywords, removed FROM mailbox m WHERE removed = 0 OR EXISTS"
        " (SELECT 1 FROM gone WHERE mailbox = m.id AND message IS NOT NULL) ORDER BY id",
    [SQL_MAILBOX_STATE] = "SELECT uidnext, modseq FROM mailbox WHERE id = ?1",
    [SQL_MAILBOX_INSERT] =
        "INSERT INTO mailbox(name, uidvalidity, uidnext, messages, unseen, deleted, bytes, modseq,"
        " createseq, recent, special_use, keywords) VALUES(?1, ?2, 1, 0, 0, 0, 0, ?3, ?3, 1, ?4, "
        "'')",
    [SQL_MAILBOX_WRITE] =
        "UPDATE mailbox SET uidnext = ?2, messages = ?3, unseen = ?4, deleted = ?5, bytes = ?6,"
        " modseq = ?7, recent = ?8, special_use = ?9, keywords = ?10 WHERE id = ?1",
    [SQL_MAILBOX_NAME] = "UPDATE mailbox SET name = ?2 WHERE id = ?1",
    [SQL_MAILBOX_REMOVE] = "UPDATE mailbox SET removed = ?2 WHERE id = ?1",
    [SQL_MAILBOX_ERASE] = "DELETE FROM mailbox WHERE id = ?1",

    [SQL_SUBSCRIPTION_ALL] = "SELECT name FROM subscription ORDER BY name",
    [SQL_SUBSCRIPTION_INSERT] = "INSERT OR IGNORE INTO subscription(name) VALUES(?1)",
    [SQL_SUBSCRIPTION_DELETE] = "DELETE FROM subscription WHERE name = ?1",

    [SQL_ENTRY_VIEW] =
        "SELECT uid, modseq, flags, keywords, bytes FROM entry WHERE mailbox = ?1 ORDER BY uid",
    [SQL_ENTRY_RANGE] =
        "SELECT uid, flags, keywords, message, bytes, origin, held FROM entry"
        " WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND flags & ?4 = ?4 ORDER BY uid",
    [SQL_ENTRY_FACTS] =
        "SELECT e.flags, e.origin, e.held, m.received, m.remote_ip, m.ehlo_domain,"
        " m.ehlo_validation, m.mail_from_localpart, m.mail_from_domain, m.mail_from_validation,"
        " m.rcpt_to_localpart, m.rcpt_to_domain, m.msg_from_localpart, m.msg_from_domain,"
        " m.msg_from_org_domain, m.msg_from_validation, m.dkim_domains, m.destined, m.kind,"
        " m.tls_version, m.tls_cipher"
        " FROM entry e JOIN message m ON m.id = e.message WHERE e.mailbox = ?1 AND e.uid = ?2",
    [SQL_ENTRY_RECEIVED] = "SELECT e.uid, m.received FROM (SELECT uid, message FROM entry WHERE "
                           "mailbox = ?1 ORDER BY uid"
                           " LIMIT ?2) e CROSS JOIN message m ON m.id = e.message ORDER BY e.uid",
    [SQL_ENTRY_INSERT] =
        "INSERT INTO entry(mailbox, uid, modseq, flags, keywords, message, bytes, saved, origin,"
        " held) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [SQL_ENTRY_FLAGS_RANGE] =
        "UPDATE entry SET modseq = ?4, flags = flags & ?5 | ?6, keywords = keywords & ?7 | ?8"
        " WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3"
        " AND (flags & ?5 | ?6 <> flags OR keywords & ?7 | ?8 <> keywords)",
    [SQL_ENTRY_DELETE_RANGE] =
        "DELETE FROM entry WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND flags & ?4 = ?4",
    /* What changed later than ?1; of all that there is, what is judged; nothing that is hidden. */
    [SQL_ENTRY_CHANGED] =
        "SELECT e.mailbox, e.uid, e.message, e.flags FROM mailbox m"
        " CROSS JOIN entry e ON e.mailbox = m.id WHERE m.modseq > ?1 AND m.removed = 0"
        " AND substr(m.name, 1, 1) <> '#'"
        " AND e.modseq > ?1 AND (?1 > 0 OR e.flags & 192 <> 0)",

    [SQL_GONE_INSERT_RANGE] = "INSERT INTO gone(mailbox, uid, modseq, message) SELECT mailbox, "
                              "uid, ?5, message FROM entry"
                              " WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND flags & ?4 = ?4",
    [SQL_GONE_OLDEST] = "SELECT min(modseq) FROM gone WHERE mailbox = ?1 AND message IS NOT NULL",
    [SQL_GONE_KEPT] =
        "SELECT uid, message FROM gone WHERE mailbox = ?1 AND modseq <= ?2 AND message IS NOT NULL"
        " ORDER BY modseq LIMIT ?3",
    [SQL_GONE_ERASED] = "UPDATE gone SET message = NULL WHERE mailbox = ?1 AND uid = ?2",
    [SQL_GONE_MAILBOXES] =
        "SELECT mailbox, min(modseq) FROM gone WHERE message IS NOT NULL GROUP BY mailbox",
    [SQL_GONE_CHANGED] =
        "SELECT g.mailbox, g.uid, g.message FROM mailbox m CROSS JOIN gone g ON g.mailbox = m.id"
        " WHERE m.modseq > ?1 AND g.modseq > ?1 AND g.message IS NOT NULL",
    [SQL_GONE_UNLEARNT] =
        "SELECT mailbox, uid, 0 FROM gone WHERE modseq > ?1 AND message IS NULL",

    [SQL_MESSAGE_INSERT] =
        "INSERT INTO message(id, bytes, received, utf8, envelope, body, bodystructure, structure,"
        " thread, parent, missing, message_id, subject, hash, remote_ip, ehlo_domain,"
        " ehlo_validation, mail_from_localpart, mail_from_domain, mail_from_validation,"
        " rcpt_to_localpart, rcpt_to_domain, msg_from_localpart, msg_from_domain,"
        " msg_from_org_domain, msg_from_validation, dkim_domains, destined, kind, tls_version,"
        " tls_cipher, origin, uid) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
        "?14, "
        "?15, ?16,"
        " ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33)",
    [SQL_MESSAGE_FACTS] =
        "SELECT received, kind, destined, remote_ip, ehlo_domain, mail_from_localpart,"
        " mail_from_domain, msg_from_localpart, msg_from_domain, msg_from_org_domain, dkim_domains,"
        " msg_from_validation, mail_from_validation, ehlo_validation FROM message WHERE id = ?1",
    [SQL_MESSAGE_KEYS] =
        "SELECT m.message_id, m.thread, m.hash, typeof(c.data) = 'null', m.subject, m.origin"
        " FROM message m"
        " JOIN content c ON c.message = m.id WHERE m.id = ?1",
    [SQL_MESSAGE_ARRIVED] = "SELECT id, received, bytes, remote_ip FROM message WHERE id >= ?1"
                            " AND received > ?2 AND remote_ip IS NOT NULL ORDER BY id",
    [SQL_MESSAGE_DELETE] = "DELETE FROM message WHERE id = ?1",
    [SQL_MESSAGE_THREAD] =
        "SELECT message_id, subject, thread, origin, received FROM message WHERE id = ?1",

    [SQL_CONTENT_INSERT] =
        "INSERT INTO content(message, prefix, bytes, header, data) VALUES(?1, ?2, ?3, ?4, ?5)",
    [SQL_CONTENT_FILE] = "SELECT 1 FROM content WHERE message = ?1 AND typeof(data) = 'null'",
    [SQL_CONTENT_READ] = "SELECT bytes, data FROM content WHERE message = ?1",
    [SQL_CONTENT_DELETE] = "DELETE FROM content WHERE message = ?1",

    [SQL_RECIPIENT_INSERT] =
        "INSERT OR IGNORE INTO recipient(message, localpart, domain, org_domain, sent)"
        " VALUES(?1, ?2, ?3, ?4, ?5)",
    [SQL_RECIPIENT_LAST] = "SELECT sent FROM recipient WHERE domain = ?1 AND localpart = ?2"
                           " ORDER BY sent DESC LIMIT 1",
    [SQL_RECIPIENT_LAST_DOMAIN] =
        "SELECT sent FROM recipient WHERE domain = ?1 ORDER BY sent DESC LIMIT 1",
    [SQL_RECIPIENT_LAST_ORG_DOMAIN] =
        "SELECT sent FROM recipient WHERE org_domain = ?1 ORDER BY sent DESC LIMIT 1",
    [SQL_RECIPIENT_FROM] = "SELECT message, localpart, domain, org_domain FROM recipient"
                           " WHERE message >= ?1 ORDER BY message LIMIT ?2",
    [SQL_RECIPIENT_DELETE] = "DELETE FROM recipient WHERE message = ?1",

    [SQL_REF_ADD_RANGE] = "INSERT INTO ref(message, extra) SELECT message, 1 FROM entry"
                          " WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3"
                          " ON CONFLICT(message) DO UPDATE SET extra = extra + 1",
    [SQL_REF_FIND] = "SELECT extra FROM ref WHERE message = ?1",
    [SQL_REF_DROP] = "UPDATE ref SET extra = extra - 1 WHERE message = ?1",
    [SQL_REF_DELETE] = "DELETE FROM ref WHERE message = ?1",

    [SQL_KEY_INSERT] = "INSERT OR IGNORE INTO key(hash, message) VALUES(?1, ?2)",
    [SQL_KEY_DELETE] = "DELETE FROM key WHERE hash = ?1 AND message = ?2",
    [SQL_KEY_COPIES] =
        "SELECT e.uid FROM (SELECT message FROM key WHERE hash = ?1 ORDER BY message DESC LIMIT "
        "?2) k"
        " CROSS JOIN message m ON m.id = k.message"
        " CROSS JOIN entry e ON e.mailbox = m.origin AND e.uid = m.uid AND e.message = m.id"
        " WHERE m.origin = ?3 AND (m.message_id = ?4 OR m.hash = ?5)",
    [SQL_KEY_FIND] = "SELECT message FROM key WHERE hash = ?1 ORDER BY message DESC LIMIT ?2",

    [SQL_VERDICT_INSERT] =
        "INSERT OR REPLACE INTO verdict(hash, origin, received, mailbox, uid, junk, message)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_VERDICT_DELETE] = "DELETE FROM verdict WHERE hash = ?1 AND origin = ?2 AND received = ?3"
                           " AND mailbox = ?4 AND uid = ?5",

    [SQL_VERDICT_FIND] =
        "SELECT received, junk, message FROM verdict WHERE hash = ?1 AND origin = ?2"
        " AND received >= ?3 ORDER BY received DESC LIMIT ?4",

    [SQL_VERDICT_HASHES] = "SELECT hash FROM verdict WHERE hash > ?1 ORDER BY hash LIMIT ?2",

    [SQL_OUTGOING_DAY] =
        "SELECT coalesce(sum(recipients), 0), coalesce(sum(fresh), 0) FROM outgoing"
        " WHERE minute BETWEEN ?1 AND ?2",
    [SQL_OUTGOING_ADD] =
        "INSERT INTO outgoing(minute, recipients, fresh) VALUES(?1, ?2, ?3) ON CONFLICT(minute)"
        " DO UPDATE SET recipients = recipients + ?2, fresh = fresh + ?3",
    [SQL_OUTGOING_PRUNE] = "DELETE FROM outgoing WHERE minute < ?1",

    [SQL_CONTACT_FIND] = "SELECT 1 FROM contact WHERE person = ?1",
    [SQL_CONTACT_INSERT] = "INSERT OR IGNORE INTO contact(person) VALUES(?1)",

    [SQL_FILTER_READ] = "SELECT modseq, relearn FROM progress",
    [SQL_FILTER_WRITE] = "UPDATE progress SET modseq = ?1",
    [SQL_FILTER_RELEARN] = "UPDATE progress SET relearn = 1",
    [SQL_TRAINED_FIND] = "SELECT kind, trace FROM trained WHERE mailbox = ?1 AND uid = ?2",
    [SQL_TRAINED_WRITE] =
        "INSERT OR REPLACE INTO trained(mailbox, uid, kind, trace) VALUES(?1, ?2, ?3, ?4)",
    [SQL_TRAINED_DELETE] = "DELETE FROM trained WHERE mailbox = ?1 AND uid = ?2",

    [SQL_CREDENTIAL_ALL] = "SELECT kind, value FROM credential",
    [SQL_CREDENTIAL_CLEAR] = "DELETE FROM credential",
    [SQL_CREDENTIAL_INSERT] = "INSERT INTO credential(kind, value) VALUES(?1, ?2)",

    [SQL_SUBJECTPASS_FIND] = "SELECT key FROM subjectpass WHERE address = ?1",
    [SQL_SUBJECTPASS_INSERT] = "INSERT OR REPLACE INTO subjectpass(address, key) VALUES(?1, ?2)",

    [SQL_AUTH_KEYS] = "SELECT fingerprint, account, address, name, kind, no_imap_preauth, created"
                      " FROM client_key ORDER BY fingerprint",
    [SQL_AUTH_KEY_INSERT] =
        "INSERT INTO client_key(fingerprint, account, address, name, kind, no_imap_preauth,"
        " created) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_AUTH_KEY_DELETE] = "DELETE FROM client_key WHERE fingerprint = ?1",
    [SQL_AUTH_LOGIN_NOTE] =
        "INSERT INTO login_attempt(hash, account, failed, first, last, count, address, remote_ip,"
        " local_ip, tls, protocol, user_agent, mechanism, result)"
        " VALUES(?1, ?2, ?3, ?4, ?4, 1, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT(hash) DO"
        " UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last),"
        " count = count + 1",
    [SQL_AUTH_LOGIN_PRUNE] = "DELETE FROM login_attempt WHERE last < ?1",
    [SQL_AUTH_LOGIN_CAP] =
        "DELETE FROM login_attempt WHERE hash IN (SELECT hash FROM login_attempt"
        " WHERE account = ?1 AND failed = ?2 ORDER BY last DESC LIMIT -1 OFFSET ?3)",
    [SQL_AUTH_LOGINS] = "SELECT account, address, remote_ip, local_ip, tls, protocol, user_agent,"
                        " mechanism, result, first, last, count FROM login_attempt"
                        " ORDER BY last DESC, hash LIMIT ?1",
    [SQL_AUTH_LOGINS_OF] =
        "SELECT account, address, remote_ip, local_ip, tls, protocol, user_agent,"
        " mechanism, result, first, last, count FROM login_attempt WHERE account = ?2"
        " ORDER BY last DESC, hash LIMIT ?1",

    [SQL_JUNK_FILTER] = "SELECT onegrams, twograms, threegrams, max_power, top_words, ignore_words,"
                        " rare_words FROM filter WHERE id = ?1",
    [SQL_JUNK_FILTER_INSERT] =
        "INSERT INTO filter(id, hams, spams, onegrams, twograms, threegrams, max_power, top_words,"
        " ignore_words, rare_words) VALUES(1, 0, 0, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_JUNK_TOTALS] = "SELECT hams, spams FROM filter WHERE id = ?1",
    [SQL_JUNK_TOTALS_ADD] =
        "UPDATE filter SET hams = max(0, hams + ?1), spams = max(0, spams + ?2)",
    [SQL_JUNK_PAGE] = "SELECT words FROM page WHERE id = ?1",
    [SQL_JUNK_PAGE_WRITE] = "INSERT OR REPLACE INTO page(id, words) VALUES(?1, ?2)",
    [SQL_JUNK_PAGE_DELETE] = "DELETE FROM page WHERE id = ?1",
    [SQL_JUNK_PAGES] = "SELECT id, words FROM page WHERE id >= ?1 ORDER BY id",
    [SQL_JUNK_WEIGHTS] = "SELECT id, weights FROM weight WHERE id >= ?1",
    [SQL_JUNK_WEIGHTS_WRITE] = "INSERT OR REPLACE INTO weight(id, weights) VALUES(?1, ?2)",
    [SQL_JUNK_STEPS] = "SELECT by, places FROM step WHERE id >= ?1",
    [SQL_JUNK_STEP_INSERT] = "INSERT INTO step(by, places) VALUES(?1, ?2)",
    [SQL_JUNK_STEPS_CLEAR] = "DELETE FROM step WHERE id >= ?1",
};

const char *mox__sql_text(enum sql which)
{
    return texts[which];
}
