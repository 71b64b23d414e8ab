/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/storefix.h"
#include "support/cm.h"

/* What was refused: stored once, not for long, gone when it is accepted, and worth something when its user
 * takes it from there. */

#define DAY_US (INT64_C(24) * 60 * 60 * 1000000)

static const struct mox_delivery_facts accepted = {
    .size = sizeof accepted,
    .remote_ip = "192.0.2.77",
    .msg_from_localpart = "ann",
    .msg_from_domain = "sender.example",
    .msg_from_org_domain = "sender.example",
    .rejects_mailbox = "Rejects",
};

static struct mox_delivery_facts refused(void)
{
    struct mox_delivery_facts facts = accepted;
    facts.is_reject = true;
    facts.destined_mailbox = "Inbox";
    return facts;
}

/* Returns the UID; 0: left out. */
static uint32_t deliver(struct storefix *f, const char *mailbox, const char *headers, size_t len,
                        int64_t received_us, const struct mox_delivery_facts *facts)
{
    struct mox_append op = {.mailbox_name = mailbox,
                            .spool = mail_spool(f, headers, len),
                            .received_us = received_us,
                            .facts = facts};
    if (wait_append(f, &op) < 0)
        fail_msg("%s", op.write.error.text);
    mox_spool_free(op.spool);
    assert_true(op.left_out == (op.uid == 0));
    return op.uid;
}

static uint32_t reject(struct storefix *f, const char *headers)
{
    struct mox_delivery_facts facts = refused();
    return deliver(f, "Rejects", headers, 20, 0, &facts);
}

static long long in_mailbox(struct storefix *f, const char *what, const char *mailbox)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql, "SELECT %s FROM entry WHERE mailbox = %llu", what,
                   (unsigned long long)box_id(f, mailbox));
    return query(f, sql);
}

static void reopen(struct storefix *f, const struct mox_account_config *config)
{
    mox_account_close(f->account);
    assert_int_equal(
        mox_account_open(&f->account, f->store, "mjl", MOX_ACCOUNT_EXISTING, config, NULL), MOX_OK);
    f->mail = mox_account_mailstore(f->account);
}

static void take_to(struct storefix *f, const char *from, const char *to, bool move)
{
    struct mox_uid_range all = {1, UINT32_MAX};
    struct mox_copy op = {.mailbox = box_id(f, from),
                          .destination = box_id(f, to),
                          .ranges = &all,
                          .range_count = 1,
                          .move = move};
    assert_int_equal(wait_copy(f, &op), MOX_OK);
    assert_true(op.count > 0);
    mox_copy_free(&op);
}

/* ---- once ---- */

static void a_reject_is_stored_once(void **state)
{
    struct storefix *f = *state;
    assert_int_equal(reject(f, "Message-ID: <A@x.example>\r\n"), 1);
    assert_int_equal(in_mailbox(f, "flags", "Rejects"), MOX_FLAG_SEEN);
    assert_int_equal(in_mailbox(f, "held", "Rejects"), 1);
    assert_int_equal(reject(f, "Message-ID: <a@X.example>\r\nSubject: other\r\n"), 0);
    assert_int_equal(reject(f, "Message-ID: <b@x.example>\r\n"), 2);
    assert_int_equal(reject(f, "Subject: no id\r\n"), 3);
    assert_int_equal(reject(f, "Subject: no id\r\n"), 0);
    assert_int_equal(reject(f, "Subject: no  id\r\n"), 4);
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 4);
    storefix_stop(f);
    storefix_start(f);
    assert_int_equal(reject(f, "Subject: no id\r\n"), 0);
}

static void an_id_that_the_server_added_does_not_hide_the_same_content(void **state)
{
    struct storefix *f = *state;
    struct mox_delivery_facts facts = refused();
    for (int i = 0; i < 2; i++) {
        char prefix[60];
        (void)snprintf(prefix, sizeof prefix, "Message-Id: <%d@mx.example>\r\n", i);
        struct mox_append op = {.mailbox_name = "Rejects",
                                .spool = mail_spool(f, "Subject: x\r\n", 10),
                                .prefix = {(const uint8_t *)prefix, strlen(prefix)},
                                .facts = &facts};
        assert_int_equal(wait_append(f, &op), MOX_OK);
        mox_spool_free(op.spool);
        assert_true(op.left_out == (i == 1));
    }
}

static void one_that_left_does_not_count_as_there(void **state)
{
    struct storefix *f = *state;
    (void)reject(f, "Message-ID: <a@x.example>\r\n");
    take_to(f, "Rejects", "Trash", true);
    assert_int_equal(reject(f, "Message-ID: <a@x.example>\r\n"), 2);
}

static void ignore(struct mox_write *w)
{
    (void)w;
}

static void two_at_the_same_time_are_one(void **state)
{
    struct storefix *f = *state;
    struct mox_delivery_facts facts = refused();
    struct mox_append first = {.write = {.done = ignore},
                               .mailbox_name = "Rejects",
                               .spool = mail_spool(f, "Message-ID: <a@x.example>\r\n", 20),
                               .facts = &facts};
    f->mail.ops->append(f->mail.self, &first);
    assert_int_equal(reject(f, "Message-ID: <a@x.example>\r\n"), 0); /* done after the first */
    assert_int_equal(first.write.status, MOX_OK);
    mox_spool_free(first.spool);
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 1);
}

/* storefix_close() finds files that no row names. */
static void a_large_one_that_is_left_out_leaves_no_file(void **state)
{
    struct storefix *f = *state;
    struct mox_delivery_facts facts = refused();
    for (int i = 0; i < 3; i++)
        (void)deliver(f, "Rejects", "Message-ID: <a@x.example>\r\n", 300000, 0, &facts);
    assert_int_equal(in_mailbox(f, "count(*)", "Rejects"), 1);
}

/* ---- room ---- */

static void old_ones_go_when_another_comes(void **state)
{
    struct storefix *f = *state;
    struct mox_delivery_facts facts = refused();
    int64_t now = f->t.env.wall_us(f->t.env.user);
    (void)deliver(f, "Rejects", "Message-ID: <1@x>\r\n", 20, now - 15 * DAY_US, &facts);
    (void)deliver(f, "Rejects", "Message-ID: <2@x>\r\n", 20, now - 13 * DAY_US, &facts);
    assert_int_equal(in_mailbox(f, "count(*)", "Rejects"), 1);
    assert_int_equal(in_mailbox(f, "min(uid)", "Rejects"), 2);
    /* by whom ever it was put there */
    struct mox_append op = {.mailbox_name = "Rejects",
                            .received_us = now - 20 * DAY_US,
                            .spool = mail_spool(f, "Subject: x\r\n", 20)};
    assert_int_equal(wait_append(f, &op), MOX_OK);
    op.mailbox_name = "Inbox";
    assert_int_equal(wait_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    (void)deliver(f, "Rejects", "Message-ID: <3@x>\r\n", 20, now, &facts);
    assert_int_equal(in_mailbox(f, "count(*)", "Rejects"), 2);
    take_to(f, "Inbox", "Rejects", true);
    (void)deliver(f, "Rejects", "Message-ID: <4@x>\r\n", 20, now, &facts);
    assert_int_equal(in_mailbox(f, "count(*)", "Rejects"), 3);
    assert_int_equal(in_mailbox(f, "sum(uid)", "Rejects"), 2 + 4 + 6);
    test_env_advance(&f->t, 15 * DAY_US);
    (void)deliver(f, "Rejects", "Message-ID: <5@x>\r\n", 20, 0, &facts);
    assert_int_equal(in_mailbox(f, "count(*)", "Rejects"), 1);
}

static void all_are_kept_on_request(void **state)
{
    struct storefix *f = *state;
    struct mox_delivery_facts facts = refused();
    int64_t now = f->t.env.wall_us(f->t.env.user);
    facts.keep_rejects = true;
    for (int i = 0; i < 1003; i++) {
        char headers[60];
        (void)snprintf(headers, sizeof headers, "Message-ID: <%d@x>\r\n", i);
        (void)deliver(f, "Rejects", headers, 0, now - 20 * DAY_US, &facts);
    }
    assert_int_equal(in_mailbox(f, "count(*)", "Rejects"), 1003);
    /* no longer: those that one transaction may remove */
    facts.keep_rejects = false;
    assert_int_equal(deliver(f, "Rejects", "Message-ID: <a@x>\r\n", 0, 0, &facts), 1004);
    assert_int_equal(in_mailbox(f, "count(*)", "Rejects"), 504);
    (void)deliver(f, "Rejects", "Message-ID: <b@x>\r\n", 0, 0, &facts);
    (void)deliver(f, "Rejects", "Message-ID: <c@x>\r\n", 0, 0, &facts);
    assert_int_equal(in_mailbox(f, "count(*)", "Rejects"), 3);
}

static void a_thousand_young_ones_are_enough(void **state)
{
    struct storefix *f = *state;
    struct mox_delivery_facts facts = refused();
    for (int i = 0; i < 1002; i++) {
        char headers[60];
        (void)snprintf(headers, sizeof headers, "Message-ID: <%d@x>\r\n", i);
        assert_true((deliver(f, "Rejects", headers, 0, 0, &facts) == 0) == (i >= 1000));
    }
    assert_int_equal(in_mailbox(f, "count(*)", "Rejects"), 1000);
}

static void the_inbox_is_no_mailbox_for_rejects(void **state)
{
    struct storefix *f = *state;
    struct mox_delivery_facts facts = refused();
    int64_t now = f->t.env.wall_us(f->t.env.user);
    facts.rejects_mailbox = "Inbox";
    for (int i = 0; i < 2; i++)
        (void)deliver(f, "Inbox", "Message-ID: <1@x>\r\n", 20, now - 15 * DAY_US, &facts);
    assert_int_equal(in_mailbox(f, "count(*)", "Inbox"), 2);
}

static void a_full_account_takes_no_rejects_and_says_nothing(void **state)
{
    struct storefix *f = *state;
    const struct mox_account_config config = {.size = sizeof config, .quota_bytes = 1000};
    struct mox_delivery_facts facts = refused();
    reopen(f, &config);
    assert_int_equal(deliver(f, "Inbox", "Message-ID: <0@x>\r\n", 400, 0, &accepted), 1);
    assert_int_equal(deliver(f, "Rejects", "Message-ID: <1@x>\r\n", 180, 0, &facts), 1);
    assert_int_equal(deliver(f, "Inbox", "Message-ID: <3@x>\r\n", 280, 0, &accepted), 2);
    assert_int_equal(deliver(f, "Rejects", "Message-ID: <2@x>\r\n", 180, 0, &facts), 0);
    struct mox_append op = {
        .mailbox_name = "Inbox", .spool = mail_spool(f, "Subject: x\r\n", 600), .facts = &accepted};
    assert_int_equal(wait_append(f, &op), MOX_EQUOTA);
    op.mailbox_name = "Junk"; /* a reject that is accepted: its sender was told so */
    op.facts = &facts;
    assert_int_equal(wait_append(f, &op), MOX_EQUOTA);
    mox_spool_free(op.spool);
    test_env_advance(&f->t, 15 * DAY_US); /* old ones make room first */
    assert_int_equal(deliver(f, "Rejects", "Message-ID: <2@x>\r\n", 180, 0, &facts), 2);
}

/* What nobody wants leaves room for what is wanted. */
static void rejects_take_a_quarter_of_the_quota(void **state)
{
    struct storefix *f = *state;
    const struct mox_account_config config = {.size = sizeof config, .quota_bytes = 4000};
    struct mox_delivery_facts facts = refused();
    reopen(f, &config);
    assert_int_equal(deliver(f, "Rejects", "Message-ID: <1@x>\r\n", 600, 0, &facts), 1);
    assert_int_equal(deliver(f, "Rejects", "Message-ID: <2@x>\r\n", 600, 0, &facts), 0);
    assert_int_equal(deliver(f, "Inbox", "Message-ID: <3@x>\r\n", 2500, 0, &accepted), 1);
    facts.keep_rejects = true;
    assert_int_equal(deliver(f, "Rejects", "Message-ID: <4@x>\r\n", 600, 0, &facts), 2);
}

/* ---- accepted after all ---- */

static void copies_of_an_accepted_message_go(void **state)
{
    struct storefix *f = *state;
    (void)reject(f, "Message-ID: <a@x.example>\r\n");
    (void)reject(f, "Message-ID: <b@x.example>\r\n");
    (void)reject(f, "Subject: no id\r\n");
    (void)deliver(f, "Inbox", "Message-ID: <A@x.example>\r\nSubject: y\r\n", 20, 0, &accepted);
    (void)deliver(f, "Inbox", "Subject: no id\r\n", 20, 0, &accepted);
    assert_int_equal(in_mailbox(f, "count(*)", "Rejects"), 2);
    assert_int_equal(in_mailbox(f, "min(uid)", "Rejects"), 2);
    assert_int_equal(in_mailbox(f, "count(*)", "Inbox"), 2);
    struct mox_delivery_facts elsewhere = refused(); /* taken in spite of what is said of it */
    (void)deliver(f, "Junk", "Message-ID: <b@x.example>\r\n", 20, 0, &elsewhere);
    assert_int_equal(in_mailbox(f, "count(*)", "Rejects"), 1);
}

static void what_is_removed_leaves_no_verdict(void **state)
{
    struct storefix *f = *state;
    (void)reject(f, "Message-ID: <a@x.example>\r\n");
    struct mox_uid_range all = {1, UINT32_MAX};
    struct mox_set_flags junk = {.mailbox = box_id(f, "Rejects"),
                                 .ranges = &all,
                                 .range_count = 1,
                                 .mode = MOX_FLAGS_ADD,
                                 .flags = MOX_FLAG_JUNK};
    assert_int_equal(wait_set_flags(f, &junk), MOX_OK);
    assert_true(query(f, "SELECT count(*) FROM verdict") > 0);
    (void)deliver(f, "Inbox", "Message-ID: <a@x.example>\r\n", 20, 0, &accepted);
    assert_int_equal(query(f, "SELECT count(*) FROM verdict"), 0);
    for (int i = 0; i < 6000 && query(f, "SELECT count(*) FROM message") > 1; i++)
        usleep(10000);
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 1);
}

/* ---- moved by the user ---- */

static int meaning(void *user, const char *mailbox)
{
    (void)user;
    if (strcmp(mailbox, "Archive") == 0)
        return MOX_JUNK_IS_NOTJUNK;
    return strcmp(mailbox, "Drafts") == 0 ? MOX_JUNK_UNCHANGED : MOX_JUNK_NEUTRAL;
}

static const struct mox_account_config with_meaning = {.size = sizeof with_meaning,
                                                       .junk_flags = meaning};

/* A rule put it there, and nobody has read it. */
static void a_reject_is_not_wanted_for_its_mailbox(void **state)
{
    struct storefix *f = *state;
    struct mox_delivery_facts facts = refused();
    reopen(f, &with_meaning);
    assert_int_equal(deliver(f, "Archive", "Message-ID: <a@x.example>\r\n", 20, 0, &facts), 1);
    assert_int_equal(deliver(f, "Junk", "Message-ID: <b@x.example>\r\n", 20, 0, &facts), 1);
    assert_int_equal(in_mailbox(f, "flags", "Archive"), MOX_FLAG_SEEN);
    assert_int_equal(in_mailbox(f, "flags", "Junk"), MOX_FLAG_SEEN | MOX_FLAG_JUNK);
}

static void a_reject_counts_where_it_was_meant_to_go(void **state)
{
    struct storefix *f = *state;
    static const struct {
        const char *to;
        bool move;
        uint32_t flags;
    } cases[] = {
        {"Archive", true, MOX_FLAG_NOTJUNK},
        {"Archive", false, MOX_FLAG_NOTJUNK | MOX_FLAG_SEEN},
        {"Junk", true, MOX_FLAG_JUNK},
        {"Inbox", true, MOX_FLAG_NOTJUNK}, /* neutral, and yet it is wanted */
        {"Inbox", false, MOX_FLAG_NOTJUNK | MOX_FLAG_SEEN},
        {"Trash", true, 0},
    };
    reopen(f, &with_meaning);
    struct mox_uid_range all = {1, UINT32_MAX};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)reject(f, "Message-ID: <a@x.example>\r\n");
        assert_int_equal(in_mailbox(f, "origin", "Rejects"), (long long)box_id(f, "Rejects"));
        take_to(f, "Rejects", cases[i].to, cases[i].move);
        assert_int_equal(in_mailbox(f, "flags", cases[i].to), cases[i].flags);
        assert_int_equal(in_mailbox(f, "held", cases[i].to), 0);
        assert_int_equal(in_mailbox(f, "origin", cases[i].to), (long long)box_id(f, "Inbox"));
        assert_int_equal(in_mailbox(f, "count(*)", "Rejects"), cases[i].move ? 0 : 1);
        struct mox_expunge op = {.ranges = &all, .range_count = 1};
        op.mailbox = box_id(f, cases[i].to);
        assert_int_equal(wait_expunge(f, &op), MOX_OK);
        op.mailbox = box_id(f, "Rejects");
        assert_int_equal(wait_expunge(f, &op), MOX_OK);
    }
}

static void renaming_their_mailbox_is_no_move(void **state)
{
    struct storefix *f = *state;
    (void)reject(f, "Message-ID: <a@x.example>\r\n");
    struct mox_mailbox_change op = {
        .kind = MOX_MAILBOX_RENAME, .name = "Rejects", .new_name = "Refused"};
    assert_int_equal(wait_change(f, &op), MOX_OK);
    assert_int_equal(in_mailbox(f, "held", "Refused"), 1);
    assert_int_equal(in_mailbox(f, "flags", "Refused"), MOX_FLAG_SEEN);
    take_to(f, "Refused", "Refused", false); /* nor is a copy within it */
    assert_int_equal(in_mailbox(f, "sum(held)", "Refused"), 2);
    assert_int_equal(reject(f, "Message-ID: <a@x.example>\r\n"), 1);
}

/* A first message, from the mailbox for such ones to one or two others. */
static void first_messages_count_once_their_user_says_something(void **state)
{
    struct storefix *f = *state;
    struct mox_delivery_facts facts = accepted;
    facts.is_intro = true;
    facts.destined_mailbox = "Inbox";
    static const struct {
        const char *first, *then;
        uint32_t marked, flags;
        bool counts;
    } cases[] = {
        {"Inbox", NULL, 0, MOX_FLAG_NOTJUNK, true}, /* neutral, and yet it is wanted */
        {"Archive", NULL, 0, MOX_FLAG_NOTJUNK, true},
        {"Junk", NULL, 0, MOX_FLAG_JUNK, true},
        {"Trash", NULL, 0, 0, false}, /* that says nothing */
        {"Trash", "Inbox", 0, MOX_FLAG_NOTJUNK, true},
        {"Trash", "Junk", 0, MOX_FLAG_JUNK, true},
        {"Drafts", NULL, MOX_FLAG_JUNK, MOX_FLAG_JUNK, true},
        {"Inbox", "Trash", 0, 0, true}, /* no way back */
    };
    reopen(f, &with_meaning);
    struct mox_uid_range all = {1, UINT32_MAX};
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        size_t n = i / 2;
        const char *last = cases[n].then != NULL ? cases[n].then : cases[n].first;
        (void)deliver(f, "Introbox", "Message-ID: <a@x.example>\r\n", 20, 0, &facts);
        uint64_t introbox = box_id(f, "Introbox");
        struct mox_set_flags mark = {.mailbox = introbox,
                                     .ranges = &all,
                                     .range_count = 1,
                                     .mode = MOX_FLAGS_ADD,
                                     .flags = cases[n].marked};
        assert_int_equal(wait_set_flags(f, &mark), MOX_OK);
        take_to(f, "Introbox", cases[n].first, i % 2 == 0);
        if (cases[n].then != NULL)
            take_to(f, cases[n].first, cases[n].then, i % 2 == 0);
        assert_int_equal(in_mailbox(f, "flags", last), cases[n].flags);
        assert_int_equal(in_mailbox(f, "held", last), cases[n].counts ? 0 : 2);
        assert_int_equal(in_mailbox(f, "origin", last),
                         (long long)(cases[n].counts ? box_id(f, "Inbox") : introbox));
        const char *const used[] = {"Introbox", cases[n].first, last};
        for (size_t k = 0; k < 3; k++) {
            struct mox_expunge op = {
                .mailbox = box_id(f, used[k]), .ranges = &all, .range_count = 1};
            assert_int_equal(wait_expunge(f, &op), MOX_OK);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_reject_is_stored_once),
        STORE_TEST(an_id_that_the_server_added_does_not_hide_the_same_content),
        STORE_TEST(one_that_left_does_not_count_as_there),
        STORE_TEST(two_at_the_same_time_are_one),
        STORE_TEST(a_large_one_that_is_left_out_leaves_no_file),
        STORE_TEST(old_ones_go_when_another_comes),
        STORE_TEST(all_are_kept_on_request),
        STORE_TEST(a_thousand_young_ones_are_enough),
        STORE_TEST(the_inbox_is_no_mailbox_for_rejects),
        STORE_TEST(a_full_account_takes_no_rejects_and_says_nothing),
        STORE_TEST(rejects_take_a_quarter_of_the_quota),
        STORE_TEST(copies_of_an_accepted_message_go),
        STORE_TEST(what_is_removed_leaves_no_verdict),
        STORE_TEST(a_reject_is_not_wanted_for_its_mailbox),
        STORE_TEST(a_reject_counts_where_it_was_meant_to_go),
        STORE_TEST(renaming_their_mailbox_is_no_move),
        STORE_TEST(first_messages_count_once_their_user_says_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
