/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "store/filterfix.h"
#include "support/cm.h"

/* Crashes between the two databases, memory that fails, and whether verifydata would see what it must. */

#define HAM  MOX_FLAG_NOTJUNK
#define SPAM MOX_FLAG_JUNK

static void copy_file(const struct storefix *f, const char *from, const char *to)
{
    char a[128], b[128], command[300];
    junk_path(f, from, a);
    junk_path(f, to, b);
    (void)snprintf(command, sizeof command, "cp %s %s", a, b);
    assert_int_equal(system(command), 0);
}

/* What a crash takes from a filter are its last transactions: those of the account were there before. A message
 * that was erased meanwhile cannot be forgotten, as after a backup was put back; then it is built anew. */
static void a_filter_that_lost_transactions_learns_them_again(void **state)
{
    struct storefix *f = *state;
    (void)add_marked(f, "Inbox", "Subject: a\r\n", HAM);
    (void)add_marked(f, "Inbox", "Subject: b\r\n", HAM);
    (void)add_marked(f, "Inbox", "Subject: c\r\n", SPAM);
    assert_learnt(f, 2, 1);
    storefix_stop(f);
    copy_file(f, "", ".old");
    storefix_start(f);
    mark(f, "Inbox", 1, SPAM);
    mark(f, "Inbox", 2, 0);
    copy_to(f, "Inbox", 3, "Archive", true);
    (void)add_marked(f, "Inbox", "Subject: d\r\n", HAM);
    assert_learnt(f, 1, 2);
    storefix_stop(f);
    copy_file(f, ".old", "");
    storefix_start(f);
    assert_learnt(f, 1, 2);
}

static void add_unjudged(struct storefix *f, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        (void)add_marked(f, "Inbox", "Subject: b\r\n", 0);
}

/* Leaves the account closed, with a filter that has learnt a message that was removed. */
static void remove_without_forgetting(struct storefix *f)
{
    char path[128], command[160];
    uint32_t uid = add_marked(f, "Inbox", "Subject: a\r\n", HAM);
    assert_learnt(f, 1, 0);
    storefix_stop(f);
    /* a filter that cannot be opened, and so cannot forget */
    copy_file(f, "", ".kept");
    junk_path(f, "", path);
    assert_int_equal(remove(path), 0);
    (void)snprintf(command, sizeof command, "mkdir %s", path);
    assert_int_equal(system(command), 0);
    storefix_start(f);
    expunge(f, "Inbox", uid);
    add_unjudged(f, 20);
    storefix_stop(f);
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 21);
    assert_int_equal(remove(path), 0);
    copy_file(f, ".kept", "");
}

static void nothing_is_erased_before_it_is_forgotten(void **state)
{
    struct storefix *f = *state;
    remove_without_forgetting(f);
    storefix_start(f);
    assert_learnt(f, 0, 0);
    assert_int_equal(test_env_logged(&f->t, "built anew"), 0);
}

/* As a server does that only looks whether its accounts can be opened, before it opens them with all that they
 * are. */
static void nor_by_who_knows_of_no_filter(void **state)
{
    struct storefix *f = *state;
    remove_without_forgetting(f);
    f->config = NULL;
    storefix_start(f);
    add_unjudged(f, 20); /* there is time enough to erase */
    storefix_stop(f);
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 41);
    f->config = filter_config();
    storefix_start(f);
    assert_learnt(f, 0, 0);
    assert_int_equal(test_env_logged(&f->t, "built anew"), 0);
}

/* An account that has no filter any more. */
static void what_no_filter_will_ask_for_is_erased(void **state)
{
    struct storefix *f = *state;
    remove_without_forgetting(f);
    f->config = no_filter_config();
    storefix_start(f);
    add_unjudged(f, 20);
    storefix_stop(f);
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 40);
    storefix_start(f);
}

/* Too many open files pass; a message that is not read for that reason is no damaged one. */
static void a_message_is_learnt_once_there_are_descriptors_again(void **state)
{
    struct storefix *f = *state;
    struct rlimit limit;
    struct mox_append op = {.mailbox = box_id(f, "Inbox"),
                            .spool = mail_spool(f, "Subject: large\r\n", 300000)};
    assert_int_equal(wait_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    (void)add_marked(f, "Inbox", "Subject: a\r\n", HAM);
    assert_learnt(f, 1, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = {.rlim_cur = 3, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    mark(f, "Inbox", op.uid, SPAM);
    assert_learnt(f, 1, 0); /* and it can be asked all the while */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_learnt(f, 1, 1);
    assert_int_equal(test_env_logged(&f->t, "cannot read a message"), 0);
}

static void who_asks_hears_that_it_cannot_be_opened(void **state)
{
    struct storefix *f = *state;
    struct mox_junk_verdict v;
    struct mox_error err = {0};
    char path[128];
    bool opened = true;
    junk_path(f, "", path);
    storefix_stop(f);
    (void)unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    storefix_start(f);
    for (int i = 0; i < 2; i++) { /* the cause too, however often */
        assert_true(mox_account_classify(f->account, slice_of("x"), &v, &opened, &err) < 0);
        assert_false(opened);
        assert_non_null(strstr(err.text, "junk.db"));
    }
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mox_account_classify(f->account, slice_of("x"), &v, &opened, &err), MOX_OK);
    assert_true(opened);
}

/* Marks a large message that no file can be read of: their folder is a file. */
static void mark_on_a_failing_disk(struct storefix *f)
{
    char command[300];
    struct mox_append op = {.mailbox = box_id(f, "Inbox"),
                            .spool = mail_spool(f, "Subject: large\r\n", 300000)};
    assert_int_equal(wait_append(f, &op), MOX_OK);
    mox_spool_free(op.spool);
    (void)add_marked(f, "Inbox", "Subject: a\r\n", HAM);
    assert_learnt(f, 1, 0);
    (void)snprintf(command, sizeof command, "cd %s/accounts/mjl && mv msg away && touch msg",
                   f->dir);
    assert_int_equal(system(command), 0);
    mark(f, "Inbox", op.uid, SPAM);
    assert_learnt(f, 1, 0);
    assert_int_equal(test_env_logged(&f->t, "tried again later"), 1);
}

static void mend_the_disk(struct storefix *f)
{
    char command[300];
    (void)snprintf(command, sizeof command, "cd %s/accounts/mjl && rm msg && mv away msg", f->dir);
    assert_int_equal(system(command), 0);
}

static void a_disk_that_fails_for_a_moment_costs_no_message(void **state)
{
    struct storefix *f = *state;
    mark_on_a_failing_disk(f);
    test_env_advance(&f->t, 59000000);
    assert_learnt(f, 1, 0);
    mend_the_disk(f);
    assert_learnt(f, 1, 1);
    assert_int_equal(test_env_logged(&f->t, "cannot read a message"), 0);
}

static void one_that_never_reads_again_does_not_end_learning(void **state)
{
    struct storefix *f = *state;
    mark_on_a_failing_disk(f);
    (void)add_marked(f, "Inbox", "Subject: b\r\n", HAM);
    test_env_advance(&f->t, 61000000);
    assert_learnt(f, 2, 0);
    assert_int_equal(test_env_logged(&f->t, "cannot read a message"), 1);
    mend_the_disk(f);
}

/* ---- what verifydata sees ---- */

static unsigned problems;

static void count_problem(void *user, const char *text)
{
    (void)user;
    (void)text;
    problems++;
}

static void is_noticed(struct storefix *f, const char *sql, const char *undo)
{
    struct mox_error err = {0};
    assert_int_equal(junk_query(f, sql), -1);
    problems = 0;
    assert_int_equal(mox_store_verify(&f->t.env, f->dir, count_problem, NULL, &err), MOX_ECORRUPT);
    assert_true(problems > 0);
    assert_int_equal(junk_query(f, undo), -1);
    assert_int_equal(mox_store_verify(&f->t.env, f->dir, count_problem, NULL, &err), MOX_OK);
}

static void what_disagrees_is_noticed(void **state)
{
    struct storefix *f = *state;
    (void)add_marked(f, "Inbox", "Subject: a\r\n", HAM);
    (void)add_marked(f, "Inbox", "Subject: b\r\n", SPAM);
    assert_learnt(f, 1, 1);
    storefix_stop(f);
    is_noticed(f, "UPDATE trained SET kind = 2 WHERE uid = 1",
               "UPDATE trained SET kind = 1 WHERE uid = 1");
    is_noticed(f, "UPDATE trained SET uid = 7 WHERE uid = 1",
               "UPDATE trained SET uid = 1 WHERE uid = 7");
    is_noticed(f, "UPDATE filter SET hams = 2", "UPDATE filter SET hams = 1");
    is_noticed(f, "UPDATE trained SET trace = trace + 1 WHERE uid = 2",
               "UPDATE trained SET trace = trace - 1 WHERE uid = 2");
    is_noticed(f, "UPDATE progress SET modseq = modseq + 1000",
               "UPDATE progress SET modseq = modseq - 1000");
    storefix_start(f);
}

/* ---- memory ---- */

/* Opens, learns and closes, whatever fails. */
static void try_it(struct storefix *f)
{
    static const char text[] = "Subject: who are you\r\n\r\n";
    struct mox_slice content = {(const uint8_t *)text, sizeof text - 1};
    struct mox_store *store = NULL;
    struct mox_account *account = NULL;
    struct mox_junk_verdict v;
    if (mox_store_open(&store, &f->t.env, f->dir, NULL) == MOX_OK &&
        mox_account_open(&account, store, "mjl", MOX_ACCOUNT_EXISTING, filter_config(), NULL) ==
            MOX_OK) {
        struct mox_retrain r = {.size = sizeof r};
        int rc = mox_account_classify(account, content, &v, NULL, NULL);
        rc = rc < 0 ? rc : mox_account_retrain(account, &r, NULL);
        assert_true(rc == MOX_OK || rc == MOX_ENOMEM || rc == MOX_EIO);
    }
    mox_account_close(account);
    mox_store_close(store);
}

static void learning_survives_each_allocation_that_fails(void **state)
{
    struct storefix *f = *state;
    (void)add_marked(f, "Inbox", "Subject: a\r\n", HAM);
    storefix_stop(f);
    bool failed = true;
    for (long n = 1; failed; n += 3) {
        f->config = no_filter_config();
        storefix_start(f);
        mark(f, "Inbox", 1, n % 2 == 0 ? SPAM : HAM);
        storefix_stop(f);
        f->t.allocations = 0;
        f->t.fail_at = n;
        try_it(f);
        failed = f->t.allocations >= n;
        f->t.fail_at = 0;
    }
    f->config = filter_config();
    storefix_start(f);
    mark(f, "Inbox", 1, SPAM);
    assert_learnt(f, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILTER_TEST(a_filter_that_lost_transactions_learns_them_again),
        FILTER_TEST(nothing_is_erased_before_it_is_forgotten),
        FILTER_TEST(nor_by_who_knows_of_no_filter),
        FILTER_TEST(what_no_filter_will_ask_for_is_erased),
        FILTER_TEST(a_message_is_learnt_once_there_are_descriptors_again),
        FILTER_TEST(who_asks_hears_that_it_cannot_be_opened),
        FILTER_TEST(a_disk_that_fails_for_a_moment_costs_no_message),
        FILTER_TEST(one_that_never_reads_again_does_not_end_learning),
        FILTER_TEST(what_disagrees_is_noticed),
        FILTER_TEST(learning_survives_each_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
