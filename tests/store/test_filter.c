/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "store/filterfix.h"
#include "support/cm.h"

/* What an account's filter learns, and when. The teardown compares what it has learnt with the flags,
 * and recomputes its counts. */

#define HAM  MOX_FLAG_NOTJUNK
#define SPAM MOX_FLAG_JUNK

static void a_message_is_learnt_as_it_is_marked(void **state)
{
    struct storefix *f = *state;
    uint32_t uid = add_marked(f, "Inbox", "Subject: pills\r\n", 0);
    assert_learnt(f, 0, 0);
    mark(f, "Inbox", uid, SPAM);
    assert_learnt(f, 0, 1);
    mark(f, "Inbox", uid, HAM | MOX_FLAG_SEEN);
    assert_learnt(f, 1, 0);
    mark(f, "Inbox", uid, HAM);
    assert_learnt(f, 1, 0);
    mark(f, "Inbox", uid, 0);
    assert_learnt(f, 0, 0);
}

static void assert_asked(struct storefix *f, unsigned hams, unsigned spams)
{
    struct mox_junk_verdict v;
    const struct mox_slice content = slice_of("Subject: pills\r\n\r\npills at noon\r\n");
    assert_int_equal(mox_account_classify(f->account, content, &v, NULL, NULL), MOX_OK);
    assert_int_equal(v.hams, hams);
    assert_int_equal(v.spams, spams);
}

/* Nobody asks meanwhile. */
static void await_learnt(struct storefix *f, int64_t count)
{
    for (int i = 0; i < 12000 && junk_query(f, "SELECT count(*) FROM trained") != count; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    assert_int_equal(junk_query(f, "SELECT count(*) FROM trained"), count);
}

/* Whoever asks does not take what was true before, whoever learnt since. */
static void what_was_just_marked_counts(void **state)
{
    struct storefix *f = *state;
    assert_asked(f, 0, 0);
    assert_asked(f, 0, 0);
    uint32_t uid = add_marked(f, "Inbox", "Subject: pills\r\n", SPAM);
    await_learnt(f, 1);
    assert_asked(f, 0, 1);
    (void)add_marked(f, "Inbox", "Subject: noon\r\n", HAM);
    assert_asked(f, 1, 1);
    mark(f, "Inbox", uid, HAM);
    assert_asked(f, 2, 0);
}

static void forgetting_leaves_the_counts_as_they_were(void **state)
{
    struct storefix *f = *state;
    (void)add_marked(f, "Inbox", "Subject: meeting at noon\r\n", HAM);
    assert_learnt(f, 1, 0);
    char *before = known_words(f);
    uint32_t uid = add_marked(f, "Inbox", "Subject: meeting pills\r\n", SPAM);
    assert_learnt(f, 1, 1);
    char *with = known_words(f);
    assert_string_not_equal(before, with);
    mark(f, "Inbox", uid, HAM);
    assert_learnt(f, 2, 0);
    mark(f, "Inbox", uid, 0);
    assert_learnt(f, 1, 0);
    char *after = known_words(f);
    assert_string_equal(before, after);
    free(before);
    free(with);
    free(after);
}

static void both_flags_say_nothing(void **state)
{
    struct storefix *f = *state;
    uint32_t uid = add_marked(f, "Inbox", "Subject: x\r\n", HAM | SPAM);
    assert_learnt(f, 0, 0);
    mark(f, "Inbox", uid, SPAM);
    assert_learnt(f, 0, 1);
    mark(f, "Inbox", uid, HAM | SPAM);
    assert_learnt(f, 0, 0);
}

static void a_copy_is_learnt_too(void **state)
{
    struct storefix *f = *state;
    uint32_t uid = add_marked(f, "Inbox", "Subject: x\r\n", HAM);
    copy_to(f, "Inbox", uid, "Archive", false);
    assert_learnt(f, 2, 0);
    mark(f, "Archive", 1, SPAM);
    assert_learnt(f, 1, 1);
    expunge(f, "Inbox", uid);
    assert_learnt(f, 0, 1);
}

static void a_move_to_junk_is_learnt_as_junk(void **state)
{
    struct storefix *f = *state;
    uint32_t uid = add_marked(f, "Inbox", "Subject: x\r\n", HAM);
    assert_learnt(f, 1, 0);
    copy_to(f, "Inbox", uid, "Junk", true);
    assert_learnt(f, 0, 1);
    copy_to(f, "Junk", 1, "Archive", true);
    assert_learnt(f, 0, 1); /* Archive says nothing about its messages */
    assert_int_equal(junk_query(f, "SELECT count(*) FROM trained"), 1);
}

static void a_removed_message_is_forgotten_and_then_erased(void **state)
{
    struct storefix *f = *state;
    uint32_t uid = add_marked(f, "Inbox", "Subject: x\r\n", SPAM);
    uint32_t other = add_marked(f, "Inbox", "Subject: y\r\n", 0);
    assert_learnt(f, 0, 1);
    expunge(f, "Inbox", uid);
    assert_learnt(f, 0, 0);
    expunge(f, "Inbox", other);
    for (int i = 0; i < 12000 && query(f, "SELECT count(*) FROM message") > 0; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 0);
}

static void a_removed_mailbox_is_forgotten(void **state)
{
    struct storefix *f = *state;
    struct mox_mailbox_change make = {.kind = MOX_MAILBOX_CREATE, .name = "Lists"};
    struct mox_mailbox_change drop = {.kind = MOX_MAILBOX_DELETE, .name = "Lists"};
    assert_int_equal(wait_change(f, &make), MOX_OK);
    for (int i = 0; i < 3; i++)
        (void)add_marked(f, "Lists", "Subject: x\r\n", HAM);
    assert_learnt(f, 3, 0);
    assert_int_equal(wait_change(f, &drop), MOX_OK);
    assert_learnt(f, 0, 0);
}

static void messages_of_a_renamed_inbox_stay_learnt(void **state)
{
    struct storefix *f = *state;
    struct mox_mailbox_change op = {.kind = MOX_MAILBOX_RENAME, .name = "Inbox", .new_name = "Old"};
    (void)add_marked(f, "Inbox", "Subject: x\r\n", HAM);
    (void)add_marked(f, "Inbox", "Subject: y\r\n", SPAM);
    assert_learnt(f, 1, 1);
    assert_int_equal(wait_change(f, &op), MOX_OK);
    assert_learnt(f, 1, 1);
}

/* Its content is in a file of its own. */
static void a_large_message_is_learnt(void **state)
{
    struct storefix *f = *state;
    struct mox_append op = {.mailbox = box_id(f, "Inbox"),
                            .spool = mail_spool(f, "Subject: large\r\n", 300000),
                            .flags = SPAM};
    assert_int_equal(wait_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    assert_learnt(f, 0, 1);
    expunge(f, "Inbox", op.uid);
    assert_learnt(f, 0, 0);
}

static void a_message_that_cannot_be_read_is_skipped(void **state)
{
    struct storefix *f = *state;
    char command[160];
    struct mox_append op = {.mailbox = box_id(f, "Inbox"),
                            .spool = mail_spool(f, "Subject: large\r\n", 300000)};
    assert_int_equal(wait_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    assert_learnt(f, 0, 0);
    (void)snprintf(command, sizeof command, "mv %s/accounts/mjl/msg %s/away", f->dir, f->dir);
    assert_int_equal(system(command), 0);
    mark(f, "Inbox", op.uid, SPAM);
    (void)add_marked(f, "Inbox", "Subject: y\r\n", SPAM);
    assert_learnt(f, 0, 1);
    assert_int_equal(test_env_logged(&f->t, "cannot read a message"), 1);
    (void)snprintf(command, sizeof command, "mv %s/away %s/accounts/mjl/msg", f->dir, f->dir);
    assert_int_equal(system(command), 0);
    mark(f, "Inbox", op.uid, HAM);
    assert_learnt(f, 1, 1);
}

static void unjudged_mail_costs_the_filter_nothing(void **state)
{
    struct storefix *f = *state;
    (void)add_marked(f, "Inbox", "Subject: x\r\n", HAM);
    assert_learnt(f, 1, 0);
    long long before = junk_query(f, "SELECT modseq FROM progress");
    uint32_t uid = add_marked(f, "Inbox", "Subject: y\r\n", 0);
    mark(f, "Inbox", uid, MOX_FLAG_SEEN);
    expunge(f, "Inbox", uid);
    assert_learnt(f, 1, 0);
    assert_int_equal(junk_query(f, "SELECT modseq FROM progress"), before);
}

static void more_than_one_transaction_takes_is_learnt(void **state)
{
    struct storefix *f = *state;
    char headers[64];
    for (unsigned i = 0; i < 150; i++) {
        (void)snprintf(headers, sizeof headers, "Subject: number x%u\r\n", i);
        (void)add_marked(f, "Inbox", headers, i % 3 == 0 ? SPAM : HAM);
    }
    assert_learnt(f, 100, 50);
    struct mox_uid_range all = {1, UINT32_MAX};
    struct mox_set_flags op = {.mailbox = box_id(f, "Inbox"),
                               .ranges = &all,
                               .range_count = 1,
                               .mode = MOX_FLAGS_SET,
                               .flags = HAM};
    assert_int_equal(wait_set_flags(f, &op), MOX_OK);
    assert_learnt(f, 150, 0);
}

static void an_account_without_a_filter_has_none(void **state)
{
    struct storefix *f = *state;
    struct mox_junk_verdict v;
    struct mox_retrain r = {.size = sizeof r};
    struct mox_error err = {0};
    (void)add_marked(f, "Inbox", "Subject: x\r\n", HAM);
    assert_int_equal(mox_account_classify(f->account, (struct mox_slice){0}, &v, NULL, &err),
                     MOX_EUNSUPPORTED);
    assert_int_equal(mox_account_retrain(f->account, &r, &err), MOX_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "JunkFilter"));
    char path[128];
    junk_path(f, "", path);
    assert_null(fopen(path, "r"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILTER_TEST(a_message_is_learnt_as_it_is_marked),
        FILTER_TEST(what_was_just_marked_counts),
        FILTER_TEST(forgetting_leaves_the_counts_as_they_were),
        FILTER_TEST(both_flags_say_nothing),
        FILTER_TEST(a_copy_is_learnt_too),
        FILTER_TEST(a_move_to_junk_is_learnt_as_junk),
        FILTER_TEST(a_removed_message_is_forgotten_and_then_erased),
        FILTER_TEST(a_removed_mailbox_is_forgotten),
        FILTER_TEST(messages_of_a_renamed_inbox_stay_learnt),
        FILTER_TEST(a_large_message_is_learnt),
        FILTER_TEST(a_message_that_cannot_be_read_is_skipped),
        FILTER_TEST(unjudged_mail_costs_the_filter_nothing),
        FILTER_TEST(more_than_one_transaction_takes_is_learnt),
        STORE_TEST(an_account_without_a_filter_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
