/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/storefix.h"
#include "support/cm.h"

/* Folders of a maildir, and what their names say of their messages. */

/* As the expressions of a new account: what is neither is not junk. */
static int meaning(void *user, const char *mailbox)
{
    (void)user;
    return strncmp(mailbox, "Junk", 4) == 0 || strcmp(mailbox, "\xc3\xa9") == 0 ? MOX_JUNK_IS_JUNK
           : strncmp(mailbox, "Inbox", 5) == 0                                  ? MOX_JUNK_NEUTRAL
                                               : MOX_JUNK_IS_NOTJUNK;
}

static const struct mox_account_config judging = {.size = sizeof judging, .junk_flags = meaning};
static const struct mox_account_config silent = {.size = sizeof silent};

static int open_with(void **state, const struct mox_account_config *config)
{
    struct storefix *f = malloc(sizeof *f);
    assert_non_null(f);
    storefix_init(f);
    f->config = config;
    storefix_start(f);
    *state = f;
    return 0;
}

static int open_judging(void **state)
{
    return open_with(state, &judging);
}

static int open_silent(void **state)
{
    return open_with(state, &silent);
}

/* One message in each: `folder` is "" or begins with a dot. */
static void put(const struct storefix *f, const char *folder)
{
    char path[300];
    static const char *const subs[] = {"", "/cur", "/new", "/tmp"};
    (void)snprintf(path, sizeof path, "%s/Maildir", f->dir);
    (void)mkdir(path, 0700);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/Maildir/%s%s", f->dir, folder, subs[i]);
        (void)mkdir(path, 0700);
    }
    (void)snprintf(path, sizeof path, "%s/Maildir/%s/cur/1642970515.M1.host:2,S", f->dir, folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs("Subject: a\n\nb\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void import_into(struct storefix *f, const char *mailbox)
{
    char path[100];
    struct mox_error err = {0};
    (void)snprintf(path, sizeof path, "%s/Maildir", f->dir);
    struct mox_import op = {.size = sizeof op,
                            .kind = MOX_MAILFILE_MAILDIR,
                            .path = path,
                            .mailbox = mailbox,
                            .recursive = true};
    if (mox_account_import(f->account, &op, &err) < 0)
        fail_msg("%s", err.text);
}

static void assert_flags(struct storefix *f, const char *mailbox, const char *below, uint32_t flags)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "SELECT e.flags FROM entry e JOIN mailbox m ON m.id = e.mailbox"
                   " WHERE m.name = '%s%s'",
                   mailbox, below);
    if (query(f, sql) != (long long)(flags | MOX_FLAG_SEEN))
        fail_msg("%s%s has flags %llx", mailbox, below, query(f, sql));
}

static void a_folder_that_was_for_junk_has_junk_wherever_it_comes_to(void **state)
{
    struct storefix *f = *state;
    static const char *const folders[] = {"", ".Junk", ".Junk.2019", ".Sub.Junk"};
    static const char *const targets[] = {"old", "Inbox", "a/b"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        put(f, folders[i]);
    for (size_t i = 0; i < 3; i++) {
        const uint32_t plain = i == 1 ? 0 : MOX_FLAG_NOTJUNK;
        import_into(f, targets[i]);
        assert_flags(f, targets[i], "", plain);
        assert_flags(f, targets[i], "/Junk", MOX_FLAG_JUNK);
        assert_flags(f, targets[i], "/Junk/2019", MOX_FLAG_JUNK);
        assert_flags(f, targets[i], "/Sub/Junk", plain);
    }
}

#ifdef MOX_HAVE_IDN
static void its_name_is_judged_in_its_normal_form(void **state)
{
    struct storefix *f = *state;
    put(f, "");
    put(f, ".e&AwE-");
    import_into(f, "old");
    assert_flags(f, "old", "/\xc3\xa9", MOX_FLAG_JUNK);
}
#endif

static void into_a_mailbox_for_junk_all_folders_are_junk(void **state)
{
    struct storefix *f = *state;
    put(f, "");
    put(f, ".Sub");
    import_into(f, "Junk");
    assert_flags(f, "Junk", "", MOX_FLAG_JUNK);
    assert_flags(f, "Junk", "/Sub", MOX_FLAG_JUNK);
}

static void without_expressions_names_mean_nothing(void **state)
{
    struct storefix *f = *state;
    put(f, "");
    put(f, ".Junk");
    import_into(f, "old");
    assert_flags(f, "old", "/Junk", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_folder_that_was_for_junk_has_junk_wherever_it_comes_to,
                                        open_judging, storefix_close),
#ifdef MOX_HAVE_IDN
        cmocka_unit_test_setup_teardown(its_name_is_judged_in_its_normal_form, open_judging,
                                        storefix_close),
#endif
        cmocka_unit_test_setup_teardown(into_a_mailbox_for_junk_all_folders_are_junk, open_judging,
                                        storefix_close),
        cmocka_unit_test_setup_teardown(without_expressions_names_mean_nothing, open_silent,
                                        storefix_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
