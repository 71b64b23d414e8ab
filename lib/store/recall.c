/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/verdict.h"

/* What is kept of a message's way here, for people who ask why it is where it is. */

/* Signatures are checked up to 50 for a message (mox/dkim.h), each with one domain. */
#define DOMAINS_MAX 64

/* Columns of SQL_ENTRY_FACTS. */
enum column {
    C_FLAGS,
    C_ORIGIN,
    C_HELD,
    C_RECEIVED,
    C_REMOTE_IP,
    C_EHLO,
    C_EHLO_VALIDATION,
    C_MAIL_FROM_LOCALPART,
    C_MAIL_FROM_DOMAIN,
    C_MAIL_FROM_VALIDATION,
    C_RCPT_LOCALPART,
    C_RCPT_DOMAIN,
    C_FROM_LOCALPART,
    C_FROM_DOMAIN,
    C_FROM_ORG_DOMAIN,
    C_FROM_VALIDATION,
    C_DKIM,
    C_DESTINED,
    C_KIND,
    C_TLS_VERSION,
    C_TLS_CIPHER
};

struct recalled {
    struct mox_account_facts facts;
    const char *domains[DOMAINS_MAX];
    char *text; /* of the domains; owned */
};

static enum mox_validation validation(sqlite3_stmt *s, enum column column)
{
    return (enum mox_validation)sqlite3_column_int(s, (int)column);
}

/* Cuts the list that is separated by spaces. */
static int read_domains(const struct mox_env *env, struct recalled *r, const char *list)
{
    struct mox_delivery_facts *f = &r->facts.arrival;
    if (list == NULL)
        return MOX_OK;
    r->text = mox__strndup(env, list, strlen(list));
    if (r->text == NULL)
        return MOX_ENOMEM;
    char *next = NULL;
    for (char *d = strtok_r(r->text, " ", &next); d != NULL && f->dkim_domain_count < DOMAINS_MAX;
         d = strtok_r(NULL, " ", &next))
        r->domains[f->dkim_domain_count++] = d;
    f->dkim_domains = r->domains;
    return MOX_OK;
}

static void read_kind(struct mox_delivery_facts *f, unsigned kind)
{
    f->is_reject = (kind & KIND_REJECT) != 0;
    f->is_intro = (kind & KIND_INTRO) != 0;
    f->is_forward = (kind & KIND_FORWARD) != 0;
    f->is_mailing_list = (kind & KIND_MAILING_LIST) != 0;
    f->dsn = (kind & KIND_DSN) != 0;
    f->requiretls = (kind & KIND_REQUIRETLS) != 0;
}

static int read_row(const struct mox_env *env, struct recalled *r, sqlite3_stmt *s)
{
    struct mox_account_facts *a = &r->facts;
    a->size = sizeof *a;
    a->flags = (uint32_t)sqlite3_column_int64(s, C_FLAGS);
    a->received_us = sqlite3_column_int64(s, C_RECEIVED);
    a->is_reject = sqlite3_column_int(s, C_HELD) == HELD_REJECT;
    a->over_smtp = sqlite3_column_type(s, C_REMOTE_IP) != SQLITE_NULL;
    a->arrival = (struct mox_delivery_facts){
        .size = sizeof a->arrival,
        .remote_ip = mox__db_text(s, C_REMOTE_IP),
        .ehlo_domain = mox__db_text(s, C_EHLO),
        .mail_from_localpart = mox__db_text(s, C_MAIL_FROM_LOCALPART),
        .mail_from_domain = mox__db_text(s, C_MAIL_FROM_DOMAIN),
        .rcpt_to_localpart = mox__db_text(s, C_RCPT_LOCALPART),
        .rcpt_to_domain = mox__db_text(s, C_RCPT_DOMAIN),
        .msg_from_localpart = mox__db_text(s, C_FROM_LOCALPART),
        .msg_from_domain = mox__db_text(s, C_FROM_DOMAIN),
        .msg_from_org_domain = mox__db_text(s, C_FROM_ORG_DOMAIN),
        .ehlo_validation = validation(s, C_EHLO_VALIDATION),
        .mail_from_validation = validation(s, C_MAIL_FROM_VALIDATION),
        .msg_from_validation = validation(s, C_FROM_VALIDATION),
        .tls_version = mox__db_text(s, C_TLS_VERSION),
        .tls_cipher = mox__db_text(s, C_TLS_CIPHER),
    };
    read_kind(&a->arrival, (unsigned)sqlite3_column_int(s, C_KIND));
    return read_domains(env, r, mox__db_text(s, C_DKIM));
}

/* NULL: there is no such mailbox now. */
static const char *name_of(const struct mox_mailboxes *all, sqlite3_stmt *s, enum column column)
{
    const struct mox_mailbox *m =
        mox_mailboxes_find_id(all, (uint64_t)sqlite3_column_int64(s, (int)column));
    return m == NULL ? NULL : m->name;
}

static int tell(struct mox_account *a, sqlite3_stmt *s,
                int (*each)(void *user, const struct mox_account_facts *facts), void *user,
                struct mox_error *err)
{
    struct mox_mailstore mail = mox_account_mailstore(a);
    const struct mox_mailboxes *all = NULL;
    struct recalled r = {.text = NULL};
    int rc = mail.ops->mailboxes(mail.self, &all, err);
    if (rc < 0)
        return rc;
    rc = read_row(a->env, &r, s);
    r.facts.origin = name_of(all, s, C_ORIGIN);
    r.facts.arrival.destined_mailbox = name_of(all, s, C_DESTINED);
    rc = rc < 0 ? mox__fail(err, rc, "read a message: out of memory") : each(user, &r.facts);
    mox__mem_free(a->env, r.text);
    mox_mailboxes_unref(all);
    return rc;
}

int mox_account_recall(struct mox_account *a, uint64_t mailbox, uint32_t uid,
                       int (*each)(void *user, const struct mox_account_facts *facts), void *user,
                       struct mox_error *err)
{
    struct reader *r = NULL;
    int rc = mox__glancer_take(a, &r, err);
    if (rc < 0)
        return rc;
    sqlite3_stmt *s = db_query(&r->db, SQL_ENTRY_FACTS, V_INT(mailbox), V_INT(uid));
    bool found = mox__db_step(&r->db, s);
    if (found) {
        rc = tell(a, s, each, user, err);
        (void)sqlite3_reset(s);
    }
    if (r->db.status < 0)
        rc = mox__fail(err, r->db.status, "read a message: %s", r->db.error.text);
    else if (!found)
        rc = mox__fail(err, MOX_ENOTFOUND, "the mailbox has no message with UID %u", uid);
    mox__reader_give(a, r);
    return rc;
}
