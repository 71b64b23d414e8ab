/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include <mox/view.h>

#include "base/buf.h"
#include "base/text.h"
#include "mailfile/mailfile.h"
#include "support/cm.h"
#include "support/testenv.h"

/* A folder of the test's own, with paths below it. */
static char top[] = "/tmp/mox-maildir-XXXXXX";

static const char *below(const char *relative)
{
    static char path[500];
    (void)snprintf(path, sizeof path, "%s/%s", top, relative);
    return path;
}

/* For a second one at the same time. */
static const char *below_too(const char *relative)
{
    static char path[500];
    (void)snprintf(path, sizeof path, "%s/%s", top, relative);
    return path;
}

static void folder(const char *relative)
{
    assert_int_equal(mkdir(below(relative), 0700), 0);
}

static void maildir(const char *relative)
{
    char path[400];
    static const char *const subs[] = {"cur", "new", "tmp"};
    if (*relative != '\0')
        folder(relative);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", relative, subs[i]);
        folder(path);
    }
}

static void put(const char *relative, const char *text, time_t changed)
{
    FILE *f = fopen(below(relative), "wb");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    const struct utimbuf times = {changed, changed};
    assert_int_equal(utime(below(relative), &times), 0);
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(top, sizeof top, "/tmp/mox-maildir-XXXXXX");
    return mkdtemp(top) == NULL;
}

static int teardown(void **state)
{
    (void)state;
    char command[100];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", top);
    return system(command);
}

static void warn(void *user, const char *text)
{
    mox__buf_printf(user, "! %s\n",
                    text + (strncmp(text, top, strlen(top)) == 0 ? strlen(top) : 0));
}

/* All that is in it, as a text of `out`. */
static void read_all(struct test_env *t, struct buf *out, bool recursive)
{
    struct mox_mailfile *m;
    struct mox_mailfile_item item;
    struct mox_error err = {0};
    const struct mox_mailfile_config config = {
        .size = sizeof config, .recursive = recursive, .warn = warn, .user = out};
    int rc = mox_mailfile_open(&m, &t->env, MOX_MAILFILE_MAILDIR, top, &config, &err);
    for (size_t i = 0; rc == MOX_OK && mox_mailfile_folder(m, i) != NULL; i++)
        mox__buf_printf(out, "[%s]", mox_mailfile_folder(m, i));
    for (bool found = rc == MOX_OK; found && rc == MOX_OK;) {
        struct mox_spool *spool;
        struct mox_slice content;
        assert_int_equal(mox_spool_new(&spool, &t->env, NULL, 1000), MOX_OK);
        rc = mox_mailfile_next(m, spool, &item, &found, &err);
        if (rc == MOX_OK && found) {
            assert_int_equal(mox_spool_bytes(spool, &content), MOX_OK);
            mox__buf_printf(out, "%s %zu %lld %x", item.where + strlen(top), item.folder,
                            (long long)(item.received_us / 1000000), item.flags);
            for (size_t i = 0; i < item.keyword_count; i++)
                mox__buf_printf(out, " %s", item.keywords[i]);
            mox__buf_text(out, " ");
            mox__buf_slice(out, content);
        }
        mox_spool_free(spool);
    }
    if (rc < 0)
        mox__buf_printf(out, "error %s", strstr(err.text, ": ") + 2);
    mox_mailfile_free(m);
    mox__buf_byte(out, '\0');
}

static void reads_as(bool recursive, const char *wanted)
{
    struct test_env t;
    struct buf out;
    test_env_init(&t);
    mox__buf_init(&out, &t.env, 1 << 20);
    read_all(&t, &out, recursive);
    assert_string_equal((char *)out.data, wanted);
    mox__buf_free(&out);
    test_env_done(&t);
}

static void messages_come_in_the_order_of_their_names(void **state)
{
    (void)state;
    maildir("");
    put("new/1000000003.b.host", "three\n", 2000000000);
    put("cur/1000000002.a.host:2,S", "two", 2000000000);
    put("cur/1000000001.c.host,S=5:2,RFTDPS", "one\r\nx\n", 2000000000);
    put("cur/.hidden", "x", 1);
    put("tmp/1000000000.d.host", "x", 1);
    reads_as(false, "[]/cur/1000000001.c.host,S=5:2,RFTDPS 0 1000000001 3f one\r\nx\r\n"
                    "/cur/1000000002.a.host:2,S 0 1000000002 1 two\r\n"
                    "/new/1000000003.b.host 0 1000000003 0 three\r\n");
}

/* Programs keep the time of a message there. */
static void a_file_is_as_old_as_its_older_time(void **state)
{
    (void)state;
    maildir("");
    put("cur/1795366825.M1P2.host:2,", "a\n", 1362132000);
    put("cur/1795366826.host", "b\n", 1362132001);
    reads_as(false, "[]/cur/1795366826.host 0 1362132001 0 b\r\n"
                    "/cur/1795366825.M1P2.host:2, 0 1362132000 0 a\r\n");
}

static void letters_are_keywords_of_their_folder(void **state)
{
    (void)state;
    maildir("");
    maildir(".Sub");
    put("dovecot-keywords", "0 $Junk\n1 Project-X\n25 $label1\nx y\n26 z\n1 again\n3 \n4 a(b\n", 1);
    put(".Sub/dovecot-keywords", "0 NonJunk\n", 1);
    put("cur/1.a.h:2,abz", "a\n", 1);
    put("cur/2.a.h!2,Sce", "b\n", 2);
    put("cur/3.a.h:2,c", "c\n", 3);
    put(".Sub/cur/4.a.h:2,a", "d\n", 4);
    reads_as(
        true,
        "[][Sub]"
        "! /dovecot-keywords:4: the line does not begin with a number from 0 to 25; skipped\n"
        "! /dovecot-keywords:5: the line does not begin with a number from 0 to 25; skipped\n"
        "! /dovecot-keywords:6: the line has a number that was there before; skipped\n"
        "! /dovecot-keywords:7: the line is not a number and a keyword; skipped\n"
        "/cur/1.a.h:2,abz 0 1 40 project-x $label1 a\r\n"
        "! /cur/2.a.h!2,Sce: no keyword belongs to its letter 'c'; left out\n"
        "! /cur/2.a.h!2,Sce: what belongs to its letter 'e' is not fit to be a keyword, or one "
        "too many; left out\n"
        "/cur/2.a.h!2,Sce 0 2 1 b\r\n/cur/3.a.h:2,c 0 3 0 c\r\n"
        "/.Sub/cur/4.a.h:2,a 1 4 80 d\r\n");
}

static void folders_have_names_in_modified_utf7(void **state)
{
    (void)state;
    maildir("");
    maildir(".Lists.lkml");
    maildir(".R&-D");
    maildir(".&BCAEMAQxBD4EQgQw-");
    folder(".no-maildir");
    reads_as(true, "[][Lists/lkml][R&D][Работа]");
    reads_as(false, "[]");
    maildir(".&broken");
    reads_as(true, "error folder .&broken has a name that is not modified UTF-7; rename it");
    assert_int_equal(rename(below(".&broken"), below_too(".\x1b[31m\xff")), 0);
    reads_as(true, "error folder .?[31m? has a name that is not modified UTF-7; rename it");
}

static void a_folder_may_have_one_of_new_and_cur(void **state)
{
    (void)state;
    maildir("");
    folder(".New");
    folder(".New/new");
    folder(".Cur");
    folder(".Cur/cur");
    put(".New/new/1.a.h", "a\n", 1);
    put(".Cur/cur/2.a.h:2,S", "b\n", 2);
    reads_as(true, "[][Cur][New]/.Cur/cur/2.a.h:2,S 1 2 1 b\r\n/.New/new/1.a.h 2 1 0 a\r\n");
}

/* As for somebody without the right to: a link to itself is not to be looked at by root either. */
static void a_folder_that_cannot_be_looked_at_is_not_passed_over(void **state)
{
    (void)state;
    maildir("");
    folder(".Loop");
    assert_int_equal(symlink("cur", below(".Loop/cur")), 0);
    reads_as(false, "[]");
    reads_as(true, "error Too many levels of symbolic links");
}

/* Who owns a maildir does not have to own what its links lead to. */
static void links_are_not_followed(void **state)
{
    (void)state;
    maildir("");
    maildir(".Others");
    put(".Others/cur/1.a.h", "secret\n", 1);
    put(".Others/words", "0 secret\n", 1);
    put("cur/2.a.h:2,a", "mine\n", 2);
    assert_int_equal(symlink("../.Others/cur/1.a.h", below("cur/1.a.h:2,S")), 0);
    reads_as(false, "[]! /cur/1.a.h:2,S: a symbolic link; left out\n"
                    "! /cur/2.a.h:2,a: no keyword belongs to its letter 'a'; left out\n"
                    "/cur/2.a.h:2,a 0 2 0 mine\r\n");
    assert_int_equal(unlink(below("cur/1.a.h:2,S")), 0);
    assert_int_equal(symlink(".Others/words", below("dovecot-keywords")), 0);
    reads_as(false, "[]error Too many levels of symbolic links");
    assert_int_equal(unlink(below("dovecot-keywords")), 0);
    assert_int_equal(unlink(below("cur/2.a.h:2,a")), 0);
    assert_int_equal(symlink(".Others", below(".Link")), 0);
    reads_as(true, "! /.Link: a symbolic link; left out, import what it leads to by itself if that is mail\n"
                   "[][Others]/.Others/cur/1.a.h 1 1 0 secret\r\n");
    assert_int_equal(rmdir(below("cur")), 0);
    assert_int_equal(symlink(".Others/cur", below("cur")), 0);
    reads_as(false, "[]error it is no folder, or a symbolic link, which is not followed");
}

static void packed_files_are_not_taken_for_mail(void **state)
{
    (void)state;
    static const char *const files[] = {
        "\x1f\x8b\x08",           "BZh91AY&SY\x01",  "\x28\xb5\x2f\xfdx",
        "Dovecot-LZ4\r*\x9b\xc5", "CRYPTED\x03\x07",
    };
    maildir("");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        put("cur/1.a.h:2,", files[i], 1);
        reads_as(false, "[]error the file is compressed or encrypted; unpack it first");
    }
    put("cur/1.a.h:2,", "BZh: x\n", 1);
    reads_as(false, "[]/cur/1.a.h:2, 0 1 0 BZh: x\r\n");
}

static void what_is_no_maildir_is_refused(void **state)
{
    (void)state;
    folder("cur");
    reads_as(false, "error a maildir has folders new and cur");
    folder("new");
    reads_as(false, "[]");
    put("new/a", "x\n", 1);
    assert_int_equal(unlink(below("new/a")), 0);
    assert_int_equal(mkfifo(below("new/pipe"), 0600), 0);
    folder("new/folder");
    reads_as(false, "[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_come_in_the_order_of_their_names, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_is_as_old_as_its_older_time, setup, teardown),
        cmocka_unit_test_setup_teardown(letters_are_keywords_of_their_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(folders_have_names_in_modified_utf7, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_may_have_one_of_new_and_cur, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_looked_at_is_not_passed_over, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(links_are_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(packed_files_are_not_taken_for_mail, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_maildir_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
