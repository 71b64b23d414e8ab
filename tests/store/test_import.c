/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/import.h"
#include "store/storefix.h"
#include "support/cm.h"

/* An mbox of the test's own, beside the accounts. */
static const char *mbox_path(const struct storefix *f)
{
    static char path[100];
    (void)snprintf(path, sizeof path, "%s/box", f->dir);
    return path;
}

static void write_mbox(const struct storefix *f, unsigned count, size_t len, const char *headers)
{
    FILE *file = fopen(mbox_path(f), "wb");
    assert_non_null(file);
    for (unsigned i = 0; i < count; i++) {
        (void)fprintf(
            file,
            "From a@example.org Sun Jan 23 20:41:55 2022\nMessage-ID: <%u@import.example>\n"
            "Subject: number %u\n%s\n",
            i, i, headers);
        for (size_t n = 0; n < len; n += 60)
            (void)fprintf(file, "0123456789 0123456789 0123456789 0123456789 0123456789 0123\n");
        (void)fprintf(file, "\n");
    }
    assert_int_equal(fclose(file), 0);
}

static int import_as(struct storefix *f, struct mox_import *op, struct mox_error *err)
{
    op->size = sizeof *op;
    op->path = mbox_path(f);
    int rc = mox_account_import(f->account, op, err);
    (void)remove(op->path);
    return rc;
}

static void import_into(struct storefix *f, const char *mailbox)
{
    struct mox_import op = {.mailbox = mailbox};
    struct mox_error err = {0};
    if (import_as(f, &op, &err) < 0)
        fail_msg("%s", err.text);
}

static uint32_t messages_in(struct storefix *f, const char *name)
{
    struct mox_mailbox_status status;
    assert_int_equal(f->mail.ops->status(f->mail.self, box_id(f, name), &status, NULL), MOX_OK);
    return status.messages;
}

static bool has_box(struct storefix *f, const char *name)
{
    const struct mox_mailboxes *list = NULL;
    assert_int_equal(f->mail.ops->mailboxes(f->mail.self, &list, NULL), MOX_OK);
    const struct mox_mailbox *m = mox_mailboxes_find(list, name);
    bool found = m != NULL && m->id != 0 && m->subscribed;
    mox_mailboxes_unref(list);
    return found;
}

/* What an import that failed left is removed in the background. */
static void wait_until_clean(struct storefix *f)
{
    for (int i = 0; i < 6000; i++) {
        if (query(f, "SELECT count(*) FROM mailbox WHERE name LIKE '#%'") == 0)
            return;
        (void)usleep(10000);
    }
    fail_msg("a hidden mailbox stayed");
}

static void assert_nothing_is_left(struct storefix *f)
{
    wait_until_clean(f);
    assert_int_equal(query(f, "SELECT count(*) FROM message"), 0);
    assert_int_equal(query(f, "SELECT count(*) FROM entry"), 0);
    assert_int_equal(query(f, "SELECT count(*) FROM recipient"), 0);
    assert_int_equal(query(f, "SELECT count(*) FROM key"), 0);
    assert_false(has_box(f, "old/2022"));
}

static void messages_come_with_flags_keywords_and_times(void **state)
{
    struct storefix *f = *state;
    write_mbox(f, 3, 100, "Status: RO\nX-Status: F\nX-Keywords: Todo,other\n");
    import_into(f, "old/2022");
    assert_true(has_box(f, "old") && has_box(f, "old/2022"));
    assert_int_equal(messages_in(f, "old/2022"), 3);
    assert_int_equal(
        query(f, "SELECT count(*) FROM entry e JOIN mailbox m ON m.id = e.mailbox WHERE"
                 " m.name = 'old/2022' AND e.origin = m.id AND e.flags & 5 = 5 AND e.keywords = 3"
                 " AND m.keywords = 'todo other' AND e.uid BETWEEN 1 AND 3"),
        3);
    assert_int_equal(query(f, "SELECT count(*) FROM message WHERE received = 1642970515000000"), 3);
    assert_int_equal(query(f, "SELECT count(DISTINCT modseq) FROM entry"), 1);
}

/* The keywords of both are numbered otherwise. */
static void they_join_those_of_a_mailbox_that_is_there(void **state)
{
    struct storefix *f = *state;
    write_mbox(f, 1, 10, "X-Keywords: one,two\n");
    import_into(f, "inbox");
    struct mox_view *view = NULL;
    assert_int_equal(f->mail.ops->view(f->mail.self, box_id(f, "Inbox"), &view, NULL), MOX_OK);
    write_mbox(f, 2, 10, "X-Keywords: three,two\n");
    import_into(f, "Inbox");
    assert_int_equal(mox_view_count(view), 1);
    mox_view_unref(view);
    assert_int_equal(f->mail.ops->view(f->mail.self, box_id(f, "Inbox"), &view, NULL), MOX_OK);
    assert_int_equal(mox_view_count(view), 3);
    mox_view_unref(view);
    assert_int_equal(query(f, "SELECT count(*) FROM mailbox WHERE name = 'Inbox' AND uidnext = 4"
                              " AND keywords = 'one two three'"),
                     1);
    assert_int_equal(query(f, "SELECT count(*) FROM entry WHERE uid > 1 AND keywords = 6"), 2);
}

static void nothing_is_seen_of_what_fails(void **state)
{
    struct storefix *f = *state;
    struct mox_error err = {0};
    struct mox_import op = {.mailbox = "old/2022", .max_message_bytes = 1000};
    write_mbox(f, 700, 300, "To: somebody@example.org\n");
    FILE *file = fopen(mbox_path(f), "ab");
    assert_non_null(file);
    (void)fprintf(file, "From b\n\n%02000d\n", 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(import_as(f, &op, &err), MOX_ELIMIT);
    assert_non_null(strstr(err.text, "/box:7701: the message is larger"));
    assert_nothing_is_left(f);
}

static int stop(void *user, const struct mox_import *i)
{
    struct storefix *f = user;
    assert_false(has_box(f, "old/2022"));
    return i->messages > 200 ? MOX_EREFUSED : 0;
}

static int stop_without_a_reason(void *user, const struct mox_import *i)
{
    (void)user;
    return i->messages > 100;
}

static void an_interrupted_one_says_so(void **state)
{
    struct storefix *f = *state;
    struct mox_error err = {0};
    struct mox_import op = {.mailbox = "old/2022", .progress = stop_without_a_reason};
    write_mbox(f, 300, 300, "");
    assert_int_equal(import_as(f, &op, &err), MOX_EREFUSED);
    assert_string_equal(err.text, "import: interrupted");
    assert_nothing_is_left(f);
}

static void large_messages_of_an_interrupted_one_go_too(void **state)
{
    struct storefix *f = *state;
    struct mox_error err = {0};
    struct mox_import op = {.mailbox = "old/2022", .progress = stop, .user = f};
    write_mbox(f, 300, 150000, "");
    assert_int_equal(import_as(f, &op, &err), MOX_EREFUSED);
    assert_nothing_is_left(f);
}

static int write_too(void *user, const struct mox_import *i)
{
    struct storefix *f = user;
    (void)i;
    (void)add_mail(f, box_id(f, "Inbox"), "Subject: meanwhile\r\n", 100);
    return 0;
}

static void others_write_meanwhile(void **state)
{
    struct storefix *f = *state;
    struct mox_error err = {0};
    struct mox_import op = {.mailbox = "Inbox", .progress = write_too, .user = f};
    write_mbox(f, 200, 300, "");
    assert_int_equal(import_as(f, &op, &err), MOX_OK);
    assert_int_equal(query(f, "SELECT count(*) FROM entry e JOIN message m ON m.id = e.message"
                              " WHERE e.uid <= 3 AND m.message_id IS NULL"),
                     3);
    assert_int_equal(messages_in(f, "Inbox"), 203);
}

static void recipients_are_known_of_mail_that_was_sent(void **state)
{
    struct storefix *f = *state;
    write_mbox(f, 2, 10, "To: Somebody <somebody@example.org>\n");
    import_into(f, "Sent");
    assert_int_equal(query(f, "SELECT count(*) FROM recipient WHERE localpart = 'somebody'"), 2);
    write_mbox(f, 2, 10, "To: other@example.org\n");
    import_into(f, "Archive");
    assert_int_equal(query(f, "SELECT count(*) FROM recipient"), 2);
}

static void answers_are_in_the_thread_of_what_they_answer(void **state)
{
    struct storefix *f = *state;
    write_mbox(f, 1, 10, "");
    import_into(f, "Archive");
    write_mbox(f, 1, 10, "References: <0@import.example>\n");
    import_into(f, "Inbox");
    assert_int_equal(query(f, "SELECT count(DISTINCT thread) FROM message"), 1);
}

static int meaning(void *user, const char *mailbox)
{
    (void)user;
    return strcmp(mailbox, "Spam") == 0      ? MOX_JUNK_IS_JUNK
           : strcmp(mailbox, "Archive") == 0 ? MOX_JUNK_IS_NOTJUNK
           : strcmp(mailbox, "Inbox") == 0   ? MOX_JUNK_NEUTRAL
                                             : MOX_JUNK_UNCHANGED;
}

static const struct mox_account_config small = {
    .size = sizeof small, .junk_flags = meaning, .quota_bytes = 100000};

static int open_small(void **state)
{
    struct storefix *f = malloc(sizeof *f);
    assert_non_null(f);
    storefix_init(f);
    f->config = &small;
    storefix_start(f);
    *state = f;
    return 0;
}

static long long flags_in(struct storefix *f, const char *mailbox)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "SELECT e.flags FROM entry e JOIN mailbox m ON m.id = e.mailbox"
                   " WHERE m.name = '%s'",
                   mailbox);
    return query(f, sql);
}

static void mailboxes_say_what_is_junk(void **state)
{
    struct storefix *f = *state;
    static const struct {
        const char *mailbox;
        uint32_t flags;
    } cases[] = {{"Junk", MOX_FLAG_JUNK},
                 {"Spam", MOX_FLAG_JUNK},
                 {"Archive", MOX_FLAG_NOTJUNK},
                 {"Inbox", 0},
                 {"other", MOX_FLAG_NOTJUNK}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_mbox(f, 1, 10, "X-Keywords: NonJunk\n");
        import_into(f, cases[i].mailbox);
        assert_int_equal(flags_in(f, cases[i].mailbox), cases[i].flags);
    }
}

static void a_quota_is_kept(void **state)
{
    struct storefix *f = *state;
    struct mox_error err = {0};
    struct mox_import op = {.mailbox = "old/2022"};
    write_mbox(f, 200, 1000, "");
    assert_int_equal(import_as(f, &op, &err), MOX_EQUOTA);
    assert_non_null(strstr(err.text, "/box:"));
    assert_non_null(strstr(err.text, "quota"));
    assert_nothing_is_left(f);
    write_mbox(f, 50, 1000, "");
    import_into(f, "old/2022");
}

static void names_are_checked(void **state)
{
    struct storefix *f = *state;
    static const char *const bad[] = {"", "#import 1", "/a", "a//b", "a/../b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct mox_error err = {0};
        struct mox_import op = {.mailbox = bad[i]};
        write_mbox(f, 1, 10, "");
        assert_int_equal(import_as(f, &op, &err), MOX_ESYNTAX);
        assert_non_null(strstr(err.text, "mailbox name"));
    }
}

/* "X-Keywords: <letter>0 … <letter>39" */
static void keywords_line(char letter, char out[300])
{
    size_t at = (size_t)snprintf(out, 300, "X-Keywords:");
    for (int i = 0; i < 40; i++)
        at += (size_t)snprintf(out + at, 300 - at, " %c%d", letter, i);
    (void)snprintf(out + at, 300 - at, "\n");
}

struct heard {
    struct storefix *f;
    unsigned warnings;
    char last[400];
    bool room_is_taken;
};

static void hear(void *user, const char *text)
{
    struct heard *h = user;
    h->warnings++;
    (void)snprintf(h->last, sizeof h->last, "%s", text);
}

static void assert_keywords(struct storefix *f, unsigned count, const char *mailbox)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "SELECT length(keywords) - length(replace(keywords, ' ', '')) + 1 FROM mailbox"
                   " WHERE name = '%s'",
                   mailbox);
    assert_int_equal(query(f, sql), count);
}

static void keywords_that_a_mailbox_has_no_room_for_are_left_out(void **state)
{
    struct storefix *f = *state;
    struct heard h = {.f = f};
    struct mox_import op = {.mailbox = "Archive", .warn = hear, .user = &h};
    char headers[300];
    keywords_line('a', headers);
    write_mbox(f, 1, 10, headers);
    assert_int_equal(import_as(f, &op, NULL), MOX_OK);
    assert_int_equal(h.warnings, 0);
    keywords_line('b', headers);
    write_mbox(f, 2, 10, headers);
    assert_int_equal(import_as(f, &op, NULL), MOX_OK);
    assert_int_equal(h.warnings, 1);
    assert_non_null(strstr(h.last, "/box:1: the keyword \"b24\" is left out: mailbox Archive has no"
                                   " room for more than 64; 32 in all"));
    assert_int_equal(messages_in(f, "Archive"), 3);
    assert_keywords(f, 64, "Archive");
    assert_int_equal(query(f, "SELECT count(*) FROM entry WHERE keywords = -1 << 40"), 2);
}

static int take_the_room(void *user, const struct mox_import *i)
{
    struct heard *h = user;
    char text[50][4];
    const char *keywords[50];
    for (int k = 0; k < 50; k++) {
        (void)snprintf(text[k], sizeof text[k], "c%d", k);
        keywords[k] = text[k];
    }
    struct mox_append op = {.mailbox = box_id(h->f, "Archive"),
                            .spool = mail_spool(h->f, "Subject: meanwhile\r\n", 10),
                            .keywords = keywords,
                            .keyword_count = 50};
    (void)i;
    if (!h->room_is_taken)
        assert_int_equal(wait_append(h->f, &op), MOX_OK);
    h->room_is_taken = true;
    mox_spool_free(op.spool);
    return 0;
}

/* It had room when the import began. */
static void keywords_whose_room_is_taken_meanwhile_are_left_out(void **state)
{
    struct storefix *f = *state;
    struct heard h = {.f = f};
    struct mox_import op = {
        .mailbox = "Archive", .warn = hear, .progress = take_the_room, .user = &h};
    char headers[300];
    keywords_line('a', headers);
    write_mbox(f, 100, 10, headers);
    assert_int_equal(import_as(f, &op, NULL), MOX_OK);
    assert_int_equal(h.warnings, 1);
    assert_string_equal(h.last, "keywords are left out: mailbox Archive has no room for more than"
                                " 64; 2600 in all");
    assert_int_equal(messages_in(f, "Archive"), 101);
    assert_keywords(f, 64, "Archive");
    assert_int_equal(query(f, "SELECT count(*) FROM entry WHERE keywords = -1 << 50"), 100);
}

/* ---- kill -9 ---- */

#define NEVER      (-1)
#define LAST_ROUND 11

struct half_way {
    int fd;     /* that is told */
    bool stays; /* there, as long as there is a parent */
    pid_t parent;
};

static int tell(void *user, const struct mox_import *i)
{
    const struct half_way *h = user;
    if (i->messages < 300)
        return 0;
    (void)!write(h->fd, "x", 1);
    while (h->stays && getppid() == h->parent)
        (void)usleep(1000);
    return 0;
}

/* It is killed half-way, or so much later; or NEVER, and has ended then. */
static void killed(struct storefix *f, int delay_us)
{
    int ends[2], status;
    char byte;
    assert_int_equal(pipe(ends), 0);
    const pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        struct mox_import op = {.size = sizeof op,
                                .path = mbox_path(f),
                                .mailbox = "old/2022",
                                .progress = tell,
                                .user = &(struct half_way){ends[1], delay_us == 0, parent}};
        mox_env_system(&f->t.env);
        storefix_start(f);
        _exit(mox_account_import(f->account, &op, NULL) < 0);
    }
    assert_true(pid > 0);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    if (delay_us != NEVER) {
        (void)usleep((useconds_t)delay_us);
        (void)kill(pid, SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(delay_us != NEVER || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    (void)close(ends[0]);
}

static void a_crash_leaves_all_or_nothing(void **state)
{
    struct storefix *f = malloc(sizeof *f);
    (void)state;
    assert_non_null(f);
    storefix_init(f);
    storefix_start(f);
    storefix_stop(f);
    write_mbox(f, 600, 2000, "To: somebody@example.org\nX-Keywords: NonJunk\n");
    uint32_t before = 0;
    for (int round = 0; round <= LAST_ROUND; round++) {
        killed(f, round == LAST_ROUND ? NEVER : round * 8000);
        storefix_verify(f); /* also before anybody cleans up */
        storefix_start(f);
        uint32_t count = has_box(f, "old/2022") ? messages_in(f, "old/2022") : 0;
        assert_true(count == before + 600 || (count == before && round != LAST_ROUND));
        assert_true(count == 0 || round > 0);
        before = count;
        wait_until_clean(f);
        assert_int_equal(query(f, "SELECT count(*) FROM message"), count);
        storefix_stop(f);
        storefix_verify(f);
    }
    storefix_done(f);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(messages_come_with_flags_keywords_and_times),
        STORE_TEST(they_join_those_of_a_mailbox_that_is_there),
        STORE_TEST(nothing_is_seen_of_what_fails),
        STORE_TEST(an_interrupted_one_says_so),
        STORE_TEST(large_messages_of_an_interrupted_one_go_too),
        STORE_TEST(others_write_meanwhile),
        STORE_TEST(recipients_are_known_of_mail_that_was_sent),
        STORE_TEST(answers_are_in_the_thread_of_what_they_answer),
        STORE_TEST(names_are_checked),
        STORE_TEST(keywords_that_a_mailbox_has_no_room_for_are_left_out),
        STORE_TEST(keywords_whose_room_is_taken_meanwhile_are_left_out),
        cmocka_unit_test_setup_teardown(mailboxes_say_what_is_junk, open_small, storefix_close),
        cmocka_unit_test_setup_teardown(a_quota_is_kept, open_small, storefix_close),
        cmocka_unit_test(a_crash_leaves_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
