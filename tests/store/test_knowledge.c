/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "store/storefix.h"
#include "store/verdict.h"
#include "support/cm.h"

/* What the store knows about messages beside IMAP's needs: verdicts, recipients, threads, quota. */

static const char *const dkim[] = {"sender.example", "list.example"};

static const struct mox_delivery_facts facts = {
    .size = sizeof facts,
    .remote_ip = "192.0.2.77",
    .ehlo_domain = "mx.sender.example",
    .mail_from_localpart = "bounce",
    .mail_from_domain = "sender.example",
    .rcpt_to_localpart = "mjl",
    .rcpt_to_domain = "mail.example",
    .msg_from_localpart = "Ann",
    .msg_from_domain = "news.sender.example",
    .msg_from_org_domain = "sender.example",
    .mail_from_validation = MOX_VALIDATION_PASS,
    .ehlo_validation = MOX_VALIDATION_PASS,
    .msg_from_validation = MOX_VALIDATION_STRICT,
    .dkim_domains = dkim,
    .dkim_domain_count = 2,
};

static uint32_t deliver(struct storefix *f, uint64_t mailbox, const char *headers, uint32_t flags,
                        const struct mox_delivery_facts *its_facts)
{
    struct mox_append op = {.mailbox = mailbox,
                            .spool = mail_spool(f, headers, 20),
                            .flags = flags,
                            .facts = its_facts};
    if (wait_append(f, &op) < 0)
        fail_msg("%s", op.write.error.text);
    mox_spool_free(op.spool);
    return op.uid;
}

static void set_flags(struct storefix *f, uint64_t mailbox, enum mox_flags_mode mode,
                      uint32_t flags)
{
    struct mox_uid_range all = {1, UINT32_MAX};
    struct mox_set_flags op = {
        .mailbox = mailbox, .ranges = &all, .range_count = 1, .mode = mode, .flags = flags};
    assert_int_equal(wait_set_flags(f, &op), MOX_OK);
}

static long long verdicts(struct storefix *f, enum mox_sender sender, const char *localpart,
                          const char *domain, bool junk)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM verdict WHERE hash = %lld AND junk = %d",
                   (long long)mox__verdict_hash(sender, localpart, domain), junk);
    return query(f, sql);
}

static void verdicts_come_and_go_with_the_flags(void **state)
{
    struct storefix *f = *state;
    uint64_t inbox = box_id(f, "Inbox");
    (void)deliver(f, inbox, "Subject: x\r\n", 0, &facts);
    assert_int_equal(query(f, "SELECT count(*) FROM verdict"), 0);
    set_flags(f, inbox, MOX_FLAGS_ADD, MOX_FLAG_JUNK);
    /* address, domain and organizational domain of From; address and domain of MAIL FROM; EHLO; two
     * of DKIM; three of the address */
    assert_int_equal(query(f, "SELECT count(*) FROM verdict"), 11);
    assert_int_equal(verdicts(f, MOX_SENDER_FROM, "Ann", "news.sender.example", true), 1);
    assert_int_equal(verdicts(f, MOX_SENDER_FROM_UNPROVED, "Ann", "news.sender.example", true), 0);
    assert_int_equal(verdicts(f, MOX_SENDER_FROM_ORG_DOMAIN, NULL, "sender.example", true), 1);
    assert_int_equal(verdicts(f, MOX_SENDER_DKIM, NULL, "list.example", true), 1);
    assert_int_equal(verdicts(f, MOX_SENDER_IP2, NULL, "192.0.2.64", true), 1);
    set_flags(f, inbox, MOX_FLAGS_SET, MOX_FLAG_NOTJUNK);
    assert_int_equal(query(f, "SELECT count(*) FROM verdict"), 11);
    assert_int_equal(verdicts(f, MOX_SENDER_EHLO, NULL, "mx.sender.example", false), 1);
    set_flags(f, inbox, MOX_FLAGS_ADD, MOX_FLAG_JUNK); /* both: as junk */
    assert_int_equal(verdicts(f, MOX_SENDER_EHLO, NULL, "mx.sender.example", true), 1);
    set_flags(f, inbox, MOX_FLAGS_SET, MOX_FLAG_SEEN);
    assert_int_equal(query(f, "SELECT count(*) FROM verdict"), 0);
}

static int check_recalled(void *user, const struct mox_account_facts *a)
{
    assert_int_equal(a->flags, MOX_FLAG_SEEN);
    assert_string_equal(a->origin, "Inbox");
    assert_true(a->over_smtp && !a->is_reject);
    const struct mox_delivery_facts *f = &a->arrival;
    assert_string_equal(f->remote_ip, "192.0.2.77");
    assert_string_equal(f->ehlo_domain, "mx.sender.example");
    assert_string_equal(f->mail_from_localpart, "bounce");
    assert_string_equal(f->mail_from_domain, "sender.example");
    assert_string_equal(f->rcpt_to_localpart, "mjl");
    assert_string_equal(f->rcpt_to_domain, "mail.example");
    assert_string_equal(f->msg_from_localpart, "Ann");
    assert_string_equal(f->msg_from_domain, "news.sender.example");
    assert_string_equal(f->msg_from_org_domain, "sender.example");
    assert_int_equal(f->msg_from_validation, MOX_VALIDATION_STRICT);
    assert_int_equal(f->dkim_domain_count, 2);
    assert_string_equal(f->dkim_domains[1], "list.example");
    assert_true(f->is_mailing_list && f->is_intro && !f->is_forward && !f->dsn);
    assert_null(f->destined_mailbox);
    assert_null(f->tls_version);
    ++*(int *)user;
    return MOX_OK;
}

static int check_appended(void *user, const struct mox_account_facts *a)
{
    assert_false(a->over_smtp);
    assert_null(a->arrival.remote_ip);
    assert_int_equal(a->arrival.dkim_domain_count, 0);
    ++*(int *)user;
    return MOX_EREFUSED;
}

static void how_a_message_came_is_recalled(void **state)
{
    struct storefix *f = *state;
    struct mox_error err;
    uint64_t inbox = box_id(f, "Inbox");
    struct mox_delivery_facts its_facts = facts;
    int calls = 0;
    its_facts.is_mailing_list = its_facts.is_intro = true;
    uint32_t uid = deliver(f, inbox, "Subject: x\r\n", MOX_FLAG_SEEN, &its_facts);
    assert_int_equal(mox_account_recall(f->account, inbox, uid, check_recalled, &calls, &err),
                     MOX_OK);
    assert_int_equal(mox_account_recall(f->account, inbox, uid + 1, check_recalled, &calls, &err),
                     MOX_ENOTFOUND);
    uid = deliver(f, inbox, "Subject: x\r\n", 0, NULL);
    assert_int_equal(mox_account_recall(f->account, inbox, uid, check_appended, &calls, &err),
                     MOX_EREFUSED);
    assert_int_equal(calls, 2);
}

static void verdicts_follow_copies_moves_and_removals(void **state)
{
    struct storefix *f = *state;
    uint64_t inbox = box_id(f, "Inbox"), junk = box_id(f, "Junk"), trash = box_id(f, "Trash");
    struct mox_uid_range all = {1, UINT32_MAX};
    (void)deliver(f, inbox, "Subject: x\r\n", 0, &facts);
    struct mox_copy copy = {
        .mailbox = inbox, .destination = junk, .ranges = &all, .range_count = 1};
    assert_int_equal(wait_copy(f, &copy), MOX_OK); /* Junk makes it junk */
    mox_copy_free(&copy);
    assert_int_equal(query(f, "SELECT count(*) FROM verdict WHERE junk"), 11);
    struct mox_copy move = {
        .mailbox = junk, .destination = trash, .ranges = &all, .range_count = 1, .move = true};
    assert_int_equal(wait_copy(f, &move), MOX_OK);
    mox_copy_free(&move);
    char sql[100];
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM verdict WHERE origin = %lld AND mailbox = %lld",
                   (long long)inbox, (long long)trash);
    assert_int_equal(query(f, sql), 11); /* still of the mailbox that it was delivered to */
    struct mox_expunge op = {.mailbox = trash, .ranges = &all, .range_count = 1};
    assert_int_equal(wait_expunge(f, &op), MOX_OK);
    assert_int_equal(query(f, "SELECT count(*) FROM verdict"), 0);
}

static void forwarders_get_no_verdict(void **state)
{
    struct storefix *f = *state;
    struct mox_delivery_facts forwarded = facts;
    forwarded.is_forward = true;
    (void)deliver(f, box_id(f, "Inbox"), "Subject: x\r\n", MOX_FLAG_NOTJUNK, &forwarded);
    /* who wrote it does, and whose signatures are not the forwarder's */
    assert_int_equal(query(f, "SELECT count(*) FROM verdict"), 5);
    assert_int_equal(verdicts(f, MOX_SENDER_FROM, "Ann", "news.sender.example", false), 1);
    assert_int_equal(verdicts(f, MOX_SENDER_DKIM, NULL, "list.example", false), 1);
}

static size_t judged(struct storefix *f, enum mox_sender sender, const char *localpart,
                     const char *name, int64_t since_us, struct mox_judged out[3])
{
    struct mox_history h;
    size_t n = 99;
    assert_int_equal(mox_account_history_begin(&h, f->account, NULL), MOX_OK);
    assert_int_equal(
        h.judged(h.user, sender, localpart, name, box_id(f, "Inbox"), since_us, out, 3, &n, NULL),
        MOX_OK);
    mox_account_history_end(&h);
    return n;
}

static void reputation_finds_the_newest_verdicts(void **state)
{
    struct storefix *f = *state;
    uint64_t inbox = box_id(f, "Inbox");
    struct mox_delivery_facts other = facts;
    other.msg_from_localpart = "Bob";
    for (int i = 0; i < 4; i++) {
        test_env_advance(&f->t, 1000000);
        (void)deliver(f, inbox, "Subject: x\r\n", i == 3 ? MOX_FLAG_JUNK : MOX_FLAG_NOTJUNK,
                      i % 2 == 0 ? &facts : &other);
    }
    struct mox_judged v[3];
    assert_int_equal(judged(f, MOX_SENDER_FROM_DOMAIN, NULL, "news.sender.example", 0, v), 3);
    assert_true(v[0].junk && !v[1].junk && v[0].received_us > v[1].received_us);
    assert_true(v[0].localpart_hash != v[1].localpart_hash &&
                v[0].localpart_hash == v[2].localpart_hash);
    assert_int_equal(
        judged(f, MOX_SENDER_FROM_DOMAIN, NULL, "news.sender.example", v[0].received_us, v), 1);
    static const struct {
        enum mox_sender sender;
        const char *localpart, *name;
        size_t found;
    } cases[] = {
        {MOX_SENDER_FROM, "Ann", "news.sender.example", 2},
        {MOX_SENDER_FROM, "Carl", "news.sender.example", 0},
        {MOX_SENDER_FROM_UNPROVED, "Ann", "news.sender.example", 0},
        {MOX_SENDER_FROM_ORG_DOMAIN, NULL, "sender.example", 3},
        {MOX_SENDER_MAIL_FROM, "bounce", "sender.example", 3},
        {MOX_SENDER_MAIL_FROM_DOMAIN, NULL, "sender.example", 3},
        {MOX_SENDER_EHLO, NULL, "mx.sender.example", 3},
        {MOX_SENDER_DKIM, NULL, "list.example", 3},
        {MOX_SENDER_IP1, NULL, "192.0.2.77", 3},
        {MOX_SENDER_IP3, NULL, "192.0.0.0", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(judged(f, cases[i].sender, cases[i].localpart, cases[i].name, 0, v),
                         cases[i].found);
}

static void copies_count_once_and_as_junk_if_one_is(void **state)
{
    struct storefix *f = *state;
    struct mox_uid_range all = {1, UINT32_MAX};
    struct mox_judged v[3];
    uint64_t inbox = box_id(f, "Inbox");
    (void)deliver(f, inbox, "Subject: x\r\n", MOX_FLAG_NOTJUNK, &facts);
    (void)deliver(f, inbox, "Subject: y\r\n", MOX_FLAG_NOTJUNK, &facts);
    struct mox_copy copy = {.mailbox = inbox, .ranges = &all, .range_count = 1};
    copy.destination = box_id(f, "Archive");
    assert_int_equal(wait_copy(f, &copy), MOX_OK);
    mox_copy_free(&copy);
    assert_int_equal(judged(f, MOX_SENDER_EHLO, NULL, "mx.sender.example", 0, v), 2);
    assert_true(!v[0].junk && !v[1].junk && v[0].message != v[1].message);
    set_flags(f, inbox, MOX_FLAGS_SET, MOX_FLAG_JUNK);
    assert_int_equal(judged(f, MOX_SENDER_EHLO, NULL, "mx.sender.example", 0, v), 2);
    assert_true(v[0].junk && v[1].junk);
    set_flags(f, inbox, MOX_FLAGS_SET, MOX_FLAG_NOTJUNK);
    set_flags(f, copy.destination, MOX_FLAGS_SET, MOX_FLAG_JUNK);
    assert_int_equal(judged(f, MOX_SENDER_EHLO, NULL, "mx.sender.example", 0, v), 2);
    assert_true(v[0].junk && v[1].junk);
}

static void a_history_stays_as_it_was_at_its_first_question(void **state)
{
    struct storefix *f = *state;
    uint64_t inbox = box_id(f, "Inbox");
    struct mox_history h;
    struct mox_judged v[3];
    size_t n = 99;
    assert_int_equal(mox_account_history_begin(&h, f->account, NULL), MOX_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            h.judged(h.user, MOX_SENDER_EHLO, NULL, "mx.sender.example", inbox, 0, v, 3, &n, NULL),
            MOX_OK);
        assert_int_equal(n, 0);
        (void)deliver(f, inbox, "Subject: x\r\n", MOX_FLAG_NOTJUNK, &facts);
    }
    mox_account_history_end(&h);
    assert_int_equal(judged(f, MOX_SENDER_EHLO, NULL, "mx.sender.example", 0, v), 2);
}

static int64_t wrote_to(struct storefix *f, enum mox_addressee addressee, const char *localpart,
                        const char *domain)
{
    struct mox_history h;
    int64_t last = -1;
    assert_int_equal(mox_account_history_begin(&h, f->account, NULL), MOX_OK);
    assert_int_equal(h.wrote_to(h.user, addressee, localpart, domain, &last, NULL), MOX_OK);
    mox_account_history_end(&h);
    return last;
}

static void whom_the_user_wrote_to_is_known(void **state)
{
    struct storefix *f = *state;
    static const char headers[] = "Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n"
                                  "To: Ann <Ann@eu.Sender.example>, nobody\r\n"
                                  "Cc: people: bob@other.example, c@[192.0.2.1];\r\n";
    static const int64_t then = INT64_C(1767323045) * 1000000;
    (void)deliver(f, box_id(f, "Inbox"), headers, 0, NULL);
    assert_int_equal(wrote_to(f, MOX_ADDRESSEE_FULL, "Ann", "eu.sender.example"), 0);
    uint64_t sent = box_id(f, "Sent");
    (void)deliver(f, sent, headers, MOX_FLAG_SEEN, NULL);
    (void)deliver(f, sent, "Date: Thu, 1 Jan 2026 03:04:05 +0000\r\nTo: x@eu.sender.example\r\n",
                  MOX_FLAG_SEEN, NULL);
    assert_int_equal(wrote_to(f, MOX_ADDRESSEE_FULL, "Ann", "eu.sender.example"), then);
    assert_int_equal(wrote_to(f, MOX_ADDRESSEE_FULL, "ann", "eu.sender.example"), 0);
    assert_int_equal(wrote_to(f, MOX_ADDRESSEE_DOMAIN, NULL, "eu.sender.example"), then);
    assert_int_equal(wrote_to(f, MOX_ADDRESSEE_DOMAIN, NULL, "sender.example"), 0);
    assert_int_equal(wrote_to(f, MOX_ADDRESSEE_ORG_DOMAIN, NULL, "sender.example"), then);
    assert_int_equal(wrote_to(f, MOX_ADDRESSEE_ORG_DOMAIN, NULL, "other.example"), then);
    assert_int_equal(query(f, "SELECT count(*) FROM recipient"), 3);
    struct mox_uid_range all = {1, UINT32_MAX};
    struct mox_expunge op = {.mailbox = sent, .ranges = &all, .range_count = 1};
    assert_int_equal(wait_expunge(f, &op), MOX_OK);
    for (int i = 0; i < 6000 && query(f, "SELECT count(*) FROM recipient") > 0; i++)
        usleep(10000);
    assert_int_equal(query(f, "SELECT count(*) FROM recipient"), 0);
}

/* ---- threads ---- */

static void a_message_id_that_the_server_added_is_answered_too(void **state)
{
    struct storefix *f = *state;
    struct mox_append op = {.mailbox = box_id(f, "Inbox"),
                            .spool = mail_spool(f, "Subject: x\r\n", 10),
                            .prefix = slice_of("Message-Id: <added@mx.example>\r\n")};
    assert_int_equal(wait_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    (void)add_mail(f, op.mailbox, "Subject: Re: x\r\nReferences: <added@mx.example>\r\n", 10);
    assert_int_equal(query(f, "SELECT count(*) FROM message WHERE thread = 1 AND missing = 0"), 2);
}

static void answers_join_the_thread_of_what_they_answer(void **state)
{
    struct storefix *f = *state;
    uint64_t inbox = box_id(f, "Inbox");
    static const struct {
        const char *headers;
        int thread, parent, missing;
    } mails[] = {
        {"Subject: Lunch\r\nMessage-ID: <1@x.example>\r\n", 1, 0, 0},
        {"Subject: Re: lunch\r\nMessage-ID: <2@x.example>\r\nReferences: <1@x.example>\r\n", 1, 1,
         0},
        {"Subject: RE: Lunch\r\nMessage-ID: <3@x.example>\r\n"
         "References: <1@x.example>\r\n <2@X.example>\r\n",
         1, 2, 0},
        {"Subject: Re: Lunch\r\nIn-Reply-To: <1@x.example>\r\n", 1, 1, 0},
        /* another subject is another thread */
        {"Subject: Dinner\r\nMessage-ID: <5@x.example>\r\nReferences: <1@x.example>\r\n", 5, 0, 1},
        {"Subject: Re: Lunch\r\nReferences: <2@x.example> <unknown@x.example>\r\n", 1, 2, 1},
        {"Subject: Other\r\nMessage-ID: <3@x.example>\r\n", 1, 3, 1}, /* the same message again */
        {"Subject: Loop\r\nMessage-ID: <8@x.example>\r\nReferences: <8@x.example>\r\n", 8, 0, 1},
        {"Subject: nothing else\r\n", 9, 0, 0},
        /* no references: the subject decides, if it says that it answers */
        {"Subject: Re: Nothing  else\r\n", 9, 9, 0},
        {"Subject: nothing else\r\n", 11, 0, 0},
        {"Subject: Re: Nothing else\r\n", 11, 11, 0},
        {"Subject: Re: nothing else\r\nReferences: <unknown@x.example>\r\n", 13, 0, 1},
        {"Subject: Re: never asked\r\n", 14, 0, 0},
        {"Subject: Re:\r\n", 15, 0, 0},
        {"Subject: Re:\r\n", 16, 0, 0},
    };
    for (size_t i = 0; i < sizeof mails / sizeof mails[0]; i++) {
        char sql[100];
        (void)deliver(f, inbox, mails[i].headers, 0, NULL);
        (void)snprintf(sql, sizeof sql,
                       "SELECT thread * 10000 + coalesce(parent, 0) * 100 + missing"
                       " FROM message WHERE id = %zu",
                       i + 1);
        long long got = query(f, sql);
        if (got != mails[i].thread * 10000 + mails[i].parent * 100 + mails[i].missing)
            fail_msg("message %zu: %lld", i + 1, got);
    }
    assert_int_equal(query(f, "SELECT count(*) FROM message WHERE message_id = '3@x.example'"), 2);
}

/* Of one mailbox, and from four weeks before the answer to one day after it. */
static void answers_without_references_join_by_subject_in_time(void **state)
{
    struct storefix *f = *state;
    const int64_t day = INT64_C(24) * 60 * 60 * 1000000, then = 1000 * day;
    static const struct {
        const char *mailbox;
        int days;
        bool joins;
    } asked[] = {
        {"Inbox", 0, true}, {"Inbox", -28, true}, {"Inbox", -29, false},
        {"Inbox", 1, true}, {"Inbox", 2, false},  {"Archive", 0, false},
    };
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        char question[40], answer[40], sql[80];
        (void)snprintf(question, sizeof question, "Subject: case %zu\r\n", i);
        (void)snprintf(answer, sizeof answer, "Subject: Re: case %zu\r\n", i);
        struct mox_append ops[2] = {{.mailbox = box_id(f, asked[i].mailbox),
                                     .received_us = then + asked[i].days * day,
                                     .spool = mail_spool(f, question, 0)},
                                    {.mailbox = box_id(f, "Inbox"),
                                     .received_us = then,
                                     .spool = mail_spool(f, answer, 0)}};
        for (int k = 0; k < 2; k++) {
            assert_int_equal(wait_append(f, &ops[k]), MOX_OK);
            mox_spool_free(ops[k].spool);
        }
        (void)snprintf(sql, sizeof sql, "SELECT thread FROM message WHERE id = %zu", 2 * i + 2);
        assert_int_equal(query(f, sql), 2 * i + (asked[i].joins ? 1 : 2));
    }
}

/* ---- quota ---- */

static void a_full_account_takes_no_more(void **state)
{
    struct storefix *f = *state;
    mox_account_close(f->account);
    const struct mox_account_config config = {.size = sizeof config, .quota_bytes = 1000};
    assert_int_equal(
        mox_account_open(&f->account, f->store, "mjl", MOX_ACCOUNT_EXISTING, &config, NULL),
        MOX_OK);
    f->mail = mox_account_mailstore(f->account);
    uint64_t inbox = box_id(f, "Inbox");
    (void)add_mail(f, inbox, "Subject: x\r\n", 800);
    struct mox_append op = {.mailbox = inbox, .spool = mail_spool(f, "Subject: x\r\n", 800)};
    assert_int_equal(wait_append(f, &op), MOX_EQUOTA);
    mox_spool_free(op.spool);
    struct mox_uid_range all = {1, 1};
    struct mox_copy copy = {
        .mailbox = inbox, .destination = inbox, .ranges = &all, .range_count = 1};
    assert_int_equal(wait_copy(f, &copy), MOX_EQUOTA);
    assert_int_equal(copy.count, 0);
    copy.move = true; /* takes no room */
    copy.destination = box_id(f, "Archive");
    assert_int_equal(wait_copy(f, &copy), MOX_OK);
    mox_copy_free(&copy);
}

static int meaning(void *user, const char *mailbox)
{
    (void)user;
    if (strcmp(mailbox, "Archive") == 0)
        return MOX_JUNK_IS_NOTJUNK;
    return strcmp(mailbox, "Inbox") == 0 ? MOX_JUNK_NEUTRAL : MOX_JUNK_UNCHANGED;
}

static void mailboxes_say_what_is_junk(void **state)
{
    struct storefix *f = *state;
    mox_account_close(f->account);
    const struct mox_account_config config = {.size = sizeof config, .junk_flags = meaning};
    assert_int_equal(
        mox_account_open(&f->account, f->store, "mjl", MOX_ACCOUNT_EXISTING, &config, NULL),
        MOX_OK);
    f->mail = mox_account_mailstore(f->account);
    static const struct {
        const char *mailbox;
        uint32_t flags, expected;
    } cases[] = {
        {"Inbox", MOX_FLAG_JUNK, 0},
        {"Junk", MOX_FLAG_NOTJUNK, MOX_FLAG_JUNK},
        {"Archive", MOX_FLAG_JUNK | MOX_FLAG_SEEN, MOX_FLAG_NOTJUNK | MOX_FLAG_SEEN},
        {"Trash", MOX_FLAG_JUNK, MOX_FLAG_JUNK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sql[100];
        uint64_t id = box_id(f, cases[i].mailbox);
        (void)deliver(f, id, "Subject: x\r\n", cases[i].flags, NULL);
        (void)snprintf(sql, sizeof sql, "SELECT flags FROM entry WHERE mailbox = %lld",
                       (long long)id);
        assert_int_equal(query(f, sql), cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(verdicts_come_and_go_with_the_flags),
        STORE_TEST(how_a_message_came_is_recalled),
        STORE_TEST(verdicts_follow_copies_moves_and_removals),
        STORE_TEST(forwarders_get_no_verdict),
        STORE_TEST(reputation_finds_the_newest_verdicts),
        STORE_TEST(copies_count_once_and_as_junk_if_one_is),
        STORE_TEST(a_history_stays_as_it_was_at_its_first_question),
        STORE_TEST(whom_the_user_wrote_to_is_known),
        STORE_TEST(a_message_id_that_the_server_added_is_answered_too),
        STORE_TEST(answers_join_the_thread_of_what_they_answer),
        STORE_TEST(answers_without_references_join_by_subject_in_time),
        STORE_TEST(a_full_account_takes_no_more),
        STORE_TEST(mailboxes_say_what_is_junk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
