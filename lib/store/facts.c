/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/ip.h"
#include "base/text.h"
#include "store/verdict.h"

/*
 * Reputation counts messages that are flagged as junk or not junk. While an entry is, `verdict` has
 * a row for each name and address that its sender used; mail that nobody judged costs nothing.
 */

/* One entry's row of `message`, while its verdicts are written or removed. */
struct judged {
    struct mox_account *a;
    const struct box *box;
    uint32_t uid;
    uint64_t message, origin;
    int64_t received;
    bool set, junk;
};

static void put(struct judged *j, enum mox_sender sender, const char *localpart, const char *domain)
{
    if (domain == NULL || domain[0] == '\0')
        return;
    uint64_t hash = mox__verdict_hash(sender, localpart, domain);
    if (j->set)
        mox__known_add(j->a, hash);
    if (j->set)
        (void)db_run(&j->a->writer, SQL_VERDICT_INSERT, V_INT(hash), V_INT(j->origin),
                     V_INT(j->received), V_INT(j->box->id), V_INT(j->uid), V_INT(j->junk),
                     V_INT(j->message));
    else
        (void)db_run(&j->a->writer, SQL_VERDICT_DELETE, V_INT(hash), V_INT(j->origin),
                     V_INT(j->received), V_INT(j->box->id), V_INT(j->uid));
}

static void put_from(struct judged *j, sqlite3_stmt *s)
{
    int64_t validation = sqlite3_column_int64(s, 11);
    bool proved = validation == MOX_VALIDATION_STRICT || validation == MOX_VALIDATION_DMARC ||
                  validation == MOX_VALIDATION_RELAXED;
    enum mox_sender shift = proved ? 0 : MOX_SENDER_FROM_UNPROVED - MOX_SENDER_FROM;
    put(j, MOX_SENDER_FROM + shift, mox__db_text(s, 7), mox__db_text(s, 8));
    put(j, MOX_SENDER_FROM_DOMAIN + shift, NULL, mox__db_text(s, 8));
    put(j, MOX_SENDER_FROM_ORG_DOMAIN + shift, NULL, mox__db_text(s, 9));
}

/* What SPF did not pass for may be somebody else's, who is not to pay for it. */
static void put_path(struct judged *j, sqlite3_stmt *s)
{
    if (sqlite3_column_int64(s, 12) == MOX_VALIDATION_PASS) {
        put(j, MOX_SENDER_MAIL_FROM, mox__db_text(s, 5), mox__db_text(s, 6));
        put(j, MOX_SENDER_MAIL_FROM_DOMAIN, NULL, mox__db_text(s, 6));
    }
    if (sqlite3_column_int64(s, 13) == MOX_VALIDATION_PASS)
        put(j, MOX_SENDER_EHLO, NULL, mox__db_text(s, 4));
}

static void put_dkim(struct judged *j, const char *domains)
{
    char one[256];
    while (domains != NULL && *domains != '\0') {
        size_t len = strcspn(domains, " ");
        if (len < sizeof one) {
            memcpy(one, domains, len);
            one[len] = '\0';
            put(j, MOX_SENDER_DKIM, NULL, one);
        }
        domains += len + (domains[len] == ' ');
    }
}

static void put_ip(struct judged *j, const char *text)
{
    struct ip ip, masked;
    char out[IP_TEXT_MAX];
    if (text == NULL || !mox__ip_parse(slice_of(text), &ip))
        return;
    for (unsigned class = 1; class <= 3; class ++) {
        mox__ip_mask(&ip, class, &masked);
        mox__ip_format(&masked, out);
        put(j, MOX_SENDER_IP1 + (class - 1), NULL, out);
    }
}

static bool judged(uint32_t flags)
{
    return (flags & (MOX_FLAG_JUNK | MOX_FLAG_NOTJUNK)) != 0;
}

void mox__verdict_change(struct mox_account *a, const struct box *b, uint32_t uid, uint64_t message,
                         uint64_t origin, uint32_t before, uint32_t now)
{
    bool was_junk = (before & MOX_FLAG_JUNK) != 0, is_junk = (now & MOX_FLAG_JUNK) != 0;
    mox__learn_later(a, before, now);
    if (judged(before) == judged(now) && (!judged(now) || was_junk == is_junk))
        return;
    sqlite3_stmt *s = db_query(&a->writer, SQL_MESSAGE_FACTS, V_INT(message));
    while (mox__db_step(&a->writer, s)) {
        struct judged j = {.a = a,
                           .box = b,
                           .uid = uid,
                           .message = message,
                           .origin = origin,
                           .received = sqlite3_column_int64(s, 0),
                           .set = judged(now),
                           .junk = is_junk};
        put_from(&j, s);
        put_dkim(&j, mox__db_text(s, 10)); /* but for a forwarder's */
        if ((sqlite3_column_int64(s, 1) & KIND_FORWARD) != 0)
            continue; /* who forwards neither gains nor loses */
        put_path(&j, s);
        put_ip(&j, mox__db_text(s, 3));
    }
}

uint64_t mox__message_destined(struct mox_account *a, uint64_t message)
{
    uint64_t destined = 0;
    sqlite3_stmt *s = db_query(&a->writer, SQL_MESSAGE_FACTS, V_INT(message));
    while (mox__db_step(&a->writer, s))
        destined = (uint64_t)sqlite3_column_int64(s, 2);
    return destined;
}
