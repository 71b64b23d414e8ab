/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "store/filter.h"
#include "store/filterfix.h"
#include "support/cm.h"

/* junk.db: what happens when it is missing, damaged or of another time, and how it is built anew. */

#define HAM  MOX_FLAG_NOTJUNK
#define SPAM MOX_FLAG_JUNK

static void add_some(struct storefix *f)
{
    (void)add_marked(f, "Inbox", "Subject: meeting\r\n", HAM);
    (void)add_marked(f, "Inbox", "Subject: lunch\r\n", HAM);
    (void)add_marked(f, "Inbox", "Subject: pills\r\n", SPAM);
}

static void overwrite(const struct storefix *f, const char *bytes, size_t len, off_t at)
{
    char path[128];
    junk_path(f, "", path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
    (void)close(fd);
}

static bool file_exists(const struct storefix *f, const char *suffix)
{
    char path[128];
    junk_path(f, suffix, path);
    return access(path, F_OK) == 0;
}

/* Background work is waited for, at most for a while. */
static bool wait_for_log(struct storefix *f, const char *text)
{
    for (int i = 0; i < 6000 && test_env_logged(&f->t, text) == 0; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    return test_env_logged(&f->t, text) > 0;
}

static void begin_relearning(struct filter *filter)
{
    mox__filter_enter(filter);
    filter->file.relearn = true;
    mox__filter_leave(filter);
}

/* Until the thread that learns has tried once more, and failed in a way that passes. */
static void it_fails_again(struct filter *filter)
{
    pthread_mutex_t *lock = &filter->account->store->lock;
    bool tried = false;
    pthread_mutex_lock(lock);
    filter->retry = false;
    pthread_mutex_unlock(lock);
    mox__trainer_wake(filter);
    for (int i = 0; i < 60000 && !tried; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        pthread_mutex_lock(lock);
        tried = filter->retry && !filter->queued && !filter->running;
        pthread_mutex_unlock(lock);
    }
    assert_true(tried);
}

/* ---- opening ---- */

static void what_was_marked_while_nobody_learnt_is_learnt(void **state)
{
    struct storefix *f = *state;
    uint32_t uid = add_marked(f, "Inbox", "Subject: x\r\n", HAM);
    assert_learnt(f, 1, 0);
    storefix_stop(f);
    f->config = no_filter_config();
    storefix_start(f);
    mark(f, "Inbox", uid, SPAM);
    add_some(f);
    storefix_stop(f);
    f->config = filter_config();
    storefix_start(f);
    assert_learnt(f, 2, 2);
}

static void what_was_erased_while_nobody_learnt_makes_it_begin_anew(void **state)
{
    struct storefix *f = *state;
    uint32_t uid = add_marked(f, "Inbox", "Subject: x\r\n", HAM);
    (void)add_marked(f, "Inbox", "Subject: y\r\n", HAM);
    assert_learnt(f, 2, 0);
    storefix_stop(f);
    f->config = no_filter_config();
    storefix_start(f);
    expunge(f, "Inbox", uid);
    for (int i = 0; i < 12000 && query(f, "SELECT count(*) FROM message") > 1; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    storefix_stop(f);
    f->config = filter_config();
    storefix_start(f);
    assert_true(wait_for_log(f, "was built anew"));
    assert_learnt(f, 1, 0);
}

static void a_missing_file_is_made_anew(void **state)
{
    struct storefix *f = *state;
    add_some(f);
    assert_learnt(f, 2, 1);
    storefix_stop(f);
    char path[128];
    junk_path(f, "", path);
    assert_int_equal(unlink(path), 0);
    storefix_start(f);
    assert_learnt(f, 2, 1);
}

static void is_set_aside(struct storefix *f)
{
    storefix_start(f);
    assert_learnt(f, 2, 1);
    assert_int_equal(test_env_logged(&f->t, "was set aside"), 1);
    char pattern[160], command[200];
    junk_path(f, ".damaged-20260102T030405Z", pattern);
    (void)snprintf(command, sizeof command, "test -e %s", pattern);
    assert_int_equal(system(command), 0);
}

static void a_damaged_file_is_set_aside(void **state)
{
    struct storefix *f = *state;
    static const char noise[5000] = "this is no database";
    add_some(f);
    assert_learnt(f, 2, 1);
    storefix_stop(f);
    overwrite(f, noise, sizeof noise, 0);
    is_set_aside(f);
}

static void a_file_damaged_in_its_middle_is_set_aside(void **state)
{
    struct storefix *f = *state;
    static char noise[60000];
    memset(noise, 0x5a, sizeof noise);
    add_some(f);
    assert_learnt(f, 2, 1);
    storefix_stop(f);
    char path[128];
    junk_path(f, "", path);
    overwrite(f, noise, sizeof noise, 4096);
    is_set_aside(f);
}

static void a_foreign_file_is_set_aside(void **state)
{
    struct storefix *f = *state;
    add_some(f);
    assert_learnt(f, 2, 1);
    storefix_stop(f);
    assert_int_equal(junk_query(f, "PRAGMA application_id = 77"), -1);
    is_set_aside(f);
}

static void a_file_of_a_newer_program_is_set_aside(void **state)
{
    struct storefix *f = *state;
    add_some(f);
    assert_learnt(f, 2, 1);
    storefix_stop(f);
    assert_int_equal(junk_query(f, "PRAGMA user_version = 77"), -1);
    is_set_aside(f);
}

static void a_file_that_read_messages_another_way_learns_again(void **state)
{
    struct storefix *f = *state;
    add_some(f);
    assert_learnt(f, 2, 1);
    storefix_stop(f);
    assert_int_equal(junk_query(f, "UPDATE weight SET weights = zeroblob(65536)"), -1);
    assert_int_equal(junk_query(f, "PRAGMA user_version = 1"), -1);
    storefix_start(f); /* and stopping looks whether weights are those of the messages */
    assert_learnt(f, 2, 1);
    assert_int_equal(test_env_logged(&f->t, "was set aside"), 0);
}

static void a_file_that_is_ahead_of_its_account_is_set_aside(void **state)
{
    struct storefix *f = *state;
    add_some(f);
    assert_learnt(f, 2, 1);
    storefix_stop(f);
    assert_int_equal(junk_query(f, "UPDATE progress SET modseq = 100000"), -1);
    is_set_aside(f);
}

static void a_half_built_file_is_removed(void **state)
{
    struct storefix *f = *state;
    add_some(f);
    storefix_stop(f);
    char path[128];
    junk_path(f, ".new", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fclose(file);
    storefix_start(f);
    assert_false(file_exists(f, ".new"));
    assert_learnt(f, 2, 1);
}

static void other_parameters_make_it_begin_anew(void **state)
{
    struct storefix *f = *state;
    add_some(f);
    assert_learnt(f, 2, 1);
    storefix_stop(f);
    struct mox_junk_params params;
    mox_junk_params_init(&params);
    params.twograms = true;
    const struct mox_account_config config = {.size = sizeof config, .junk = &params};
    f->config = &config;
    storefix_start(f);
    assert_true(wait_for_log(f, "was built anew"));
    assert_learnt(f, 2, 1);
    storefix_stop(f);
    storefix_start(f);
    assert_learnt(f, 2, 1);
    assert_int_equal(test_env_logged(&f->t, "was built anew"), 1);
    f->config = NULL;
}

/* Too many open files pass, also while it is built anew. */
static void what_passes_keeps_nobody_from_building_it_anew(void **state)
{
    struct storefix *f = *state;
    struct rlimit limit;
    struct filter *filter = f->account->filter;
    add_some(f);
    assert_learnt(f, 2, 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = {.rlim_cur = 3, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    begin_relearning(filter);
    for (unsigned n = 0; n < 3; n++) {
        it_fails_again(filter);
        assert_true(test_env_logged(&f->t, "cannot be built anew; tried again later") == 1);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    add_some(f);
    assert_true(wait_for_log(f, "was built anew"));
    assert_learnt(f, 4, 2);
    assert_int_equal(test_env_logged(&f->t, "cannot be built anew"), 1);
}

/* ---- retraining ---- */

static void retraining_learns_the_same(void **state)
{
    struct storefix *f = *state;
    struct mox_retrain r = {.size = sizeof r};
    struct mox_error err = {0};
    add_some(f);
    uint32_t uid = add_marked(f, "Inbox", "Subject: gone\r\n", SPAM);
    (void)add_marked(f, "Inbox", "Subject: nothing\r\n", 0);
    (void)add_marked(f, "Inbox", "Subject: both\r\n", HAM | SPAM);
    copy_to(f, "Inbox", 1, "Archive", false);
    assert_learnt(f, 3, 2);
    expunge(f, "Inbox", uid);
    assert_learnt(f, 3, 1);
    char *before = known_words(f);
    if (mox_account_retrain(f->account, &r, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(r.messages, 4);
    assert_int_equal(r.total, 4);
    assert_int_equal(r.hams, 3);
    assert_int_equal(r.spams, 1);
    assert_int_equal(r.failed, 0);
    assert_true(r.words > 0);
    assert_learnt(f, 3, 1);
    char *after = known_words(f);
    assert_string_equal(before, after);
    assert_false(file_exists(f, ".new"));
    free(before);
    free(after);
}

static int stop_at_once(void *user, const struct mox_retrain *r)
{
    struct storefix *f = user;
    assert_true(r->total >= r->messages);
    assert_true(file_exists(f, ".new"));
    return MOX_EGONE;
}

static int stop_without_a_reason(void *user, const struct mox_retrain *r)
{
    (void)user;
    (void)r;
    return MOX_NEED_FACTS; /* any number that is no failure */
}

static void retraining_can_be_interrupted(void **state)
{
    struct storefix *f = *state;
    struct mox_retrain r = {.size = sizeof r, .progress = stop_at_once, .user = f};
    struct mox_error err = {0};
    for (unsigned i = 0; i < 100; i++)
        add_some(f);
    assert_learnt(f, 200, 100);
    assert_int_equal(mox_account_retrain(f->account, &r, &err), MOX_EGONE);
    assert_string_equal(err.text, "retrain account mjl: interrupted");
    assert_false(file_exists(f, ".new"));
    assert_learnt(f, 200, 100);
    r.progress = stop_without_a_reason;
    assert_int_equal(mox_account_retrain(f->account, &r, NULL), MOX_EREFUSED);
    assert_learnt(f, 200, 100);
    r.progress = NULL;
    assert_int_equal(mox_account_retrain(f->account, &r, &err), MOX_OK);
}

/* Once what learns in the background has seen that somebody is at it. */
static int stop_later(void *user, const struct mox_retrain *r)
{
    struct storefix *f = user;
    (void)r;
    assert_learnt(f, 200, 100);
    begin_relearning(f->account->filter);
    it_fails_again(f->account->filter);
    assert_int_equal(test_env_logged(&f->t, "built anew"), 0);
    return MOX_EGONE;
}

static void a_filter_that_has_to_be_built_anew_is_after_an_interruption(void **state)
{
    struct storefix *f = *state;
    struct mox_retrain r = {.size = sizeof r, .progress = stop_later, .user = f};
    struct mox_error err = {0};
    for (unsigned i = 0; i < 100; i++)
        add_some(f);
    assert_learnt(f, 200, 100);
    assert_int_equal(mox_account_retrain(f->account, &r, &err), MOX_EGONE);
    assert_true(wait_for_log(f, "was built anew"));
    assert_learnt(f, 200, 100);
}

/* Between two pieces of it: what is learnt, unlearnt and removed meanwhile. */
static int change_meanwhile(void *user, const struct mox_retrain *r)
{
    struct storefix *f = user;
    struct mox_retrain other = {.size = sizeof other};
    assert_int_equal(mox_account_retrain(f->account, &other, NULL), MOX_EBUSY);
    if (r->messages == 0 || r->messages > 64)
        return 0;
    mark(f, "Inbox", 1, SPAM);
    mark(f, "Inbox", 2, 0);
    expunge(f, "Inbox", 3);
    copy_to(f, "Inbox", 4, "Junk", true);
    (void)add_marked(f, "Inbox", "Subject: fresh\r\n", SPAM);
    assert_learnt(f, 63, 35);
    return 0;
}

static void retraining_takes_in_what_changes_meanwhile(void **state)
{
    struct storefix *f = *state;
    struct mox_retrain r = {.size = sizeof r, .progress = change_meanwhile, .user = f};
    struct mox_error err = {0};
    for (unsigned i = 0; i < 33; i++)
        add_some(f);
    assert_learnt(f, 66, 33);
    if (mox_account_retrain(f->account, &r, &err) < 0)
        fail_msg("%s", err.text);
    assert_learnt(f, 63, 35);
    char *built = known_words(f);
    assert_int_equal(mox_account_retrain(f->account, &(struct mox_retrain){.size = sizeof r}, &err),
                     MOX_OK);
    char *again = known_words(f);
    assert_string_equal(built, again);
    free(built);
    free(again);
}

/* ---- several threads ---- */

struct asking {
    struct storefix *f;
    atomic_bool stop;
};

static void *ask(void *user)
{
    struct asking *a = user;
    static const char message[] = "Subject: a question\r\n\r\nWho are you?\r\n";
    struct mox_slice content = {(const uint8_t *)message, sizeof message - 1};
    while (!atomic_load(&a->stop)) {
        struct mox_junk_verdict v;
        assert_int_equal(mox_account_classify(a->f->account, content, &v, NULL, NULL), MOX_OK);
    }
    return NULL;
}

static void all_of_it_at_once(void **state)
{
    struct storefix *f = *state;
    struct asking a = {.f = f};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &a), 0);
    for (unsigned round = 0; round < 4; round++) {
        struct mox_retrain r = {.size = sizeof r};
        for (unsigned i = 0; i < 10; i++)
            add_some(f);
        expunge(f, "Inbox", round * 30 + 1);
        assert_int_equal(mox_account_retrain(f->account, &r, NULL), MOX_OK);
    }
    atomic_store(&a.stop, true);
    for (size_t i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
    assert_learnt(f, 76, 40);
}

static unsigned open_filters(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char target[256];
        ssize_t len = readlinkat(dirfd(dir), e->d_name, target, sizeof target);
        n += len >= 8 && memcmp(target + len - 8, "/junk.db", 8) == 0;
    }
    (void)closedir(dir);
    return n;
}

/* As for a message to a list of all of them. */
static void hundreds_of_accounts_do_not_have_their_filters_open_at_once(void **state)
{
    enum { ACCOUNTS = 80, AT_ONCE = 64, IN_WORK = 2 };
    static const char text[] = "Subject: to all\r\n\r\n";
    const struct mox_slice content = {(const uint8_t *)text, sizeof text - 1};
    struct storefix *f = *state;
    struct mox_account *accounts[ACCOUNTS];
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        char name[16];
        struct mox_junk_verdict v;
        (void)snprintf(name, sizeof name, "a%u", i);
        assert_int_equal(mox_account_open(&accounts[i], f->store, name, MOX_ACCOUNT_CREATE,
                                          filter_config(), NULL),
                         MOX_OK);
        assert_int_equal(mox_account_classify(accounts[i], content, &v, NULL, NULL), MOX_OK);
        assert_true(open_filters() <= AT_ONCE + IN_WORK);
    }
    for (unsigned i = 0; i < ACCOUNTS; i++)
        mox_account_close(accounts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILTER_TEST(what_was_marked_while_nobody_learnt_is_learnt),
        FILTER_TEST(what_was_erased_while_nobody_learnt_makes_it_begin_anew),
        FILTER_TEST(a_missing_file_is_made_anew),
        FILTER_TEST(a_damaged_file_is_set_aside),
        FILTER_TEST(a_file_damaged_in_its_middle_is_set_aside),
        FILTER_TEST(a_foreign_file_is_set_aside),
        FILTER_TEST(a_file_of_a_newer_program_is_set_aside),
        FILTER_TEST(a_file_that_read_messages_another_way_learns_again),
        FILTER_TEST(a_file_that_is_ahead_of_its_account_is_set_aside),
        FILTER_TEST(a_half_built_file_is_removed),
        FILTER_TEST(other_parameters_make_it_begin_anew),
        FILTER_TEST(what_passes_keeps_nobody_from_building_it_anew),
        FILTER_TEST(retraining_learns_the_same),
        FILTER_TEST(retraining_can_be_interrupted),
        FILTER_TEST(a_filter_that_has_to_be_built_anew_is_after_an_interruption),
        FILTER_TEST(retraining_takes_in_what_changes_meanwhile),
        FILTER_TEST(all_of_it_at_once),
        FILTER_TEST(hundreds_of_accounts_do_not_have_their_filters_open_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
