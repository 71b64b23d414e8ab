/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/storefix.h"
#include "support/cm.h"

/* kill -9 while messages come in, again and again on one data directory: what was acknowledged is
 * there, once, also in the mailbox for rejects, and the directory is sound. */

#define ROUNDS      12
#define OUTSTANDING 20
#define PER_ROUND   100000 /* numbers of messages, not messages */

struct slot {
    struct mox_append op;
    uint32_t number;
};

static int acknowledged; /* the pipe's end for the child */

static void tell(struct mox_write *w)
{
    struct slot *s = w->user;
    if (w->status != MOX_OK || write(acknowledged, &s->number, sizeof s->number) < 0)
        _exit(3);
}

/* Refused mail that comes again and again. */
static void refuse(struct storefix *f, uint32_t n)
{
    static const struct mox_delivery_facts facts = {.size = sizeof facts,
                                                    .remote_ip = "192.0.2.7",
                                                    .is_reject = true,
                                                    .rejects_mailbox = "Rejects",
                                                    .destined_mailbox = "Inbox"};
    char headers[128];
    (void)snprintf(headers, sizeof headers, "Message-ID: <%lu@refused.example>\r\n",
                   (unsigned long)n);
    struct mox_append op = {.mailbox_name = "Rejects",
                            .spool = mail_spool(f, headers, n % 3 == 0 ? 140000 : 2000),
                            .facts = &facts};
    if (wait_append(f, &op) < 0)
        _exit(5);
    mox_spool_free(op.spool);
}

/* Appends until it is killed: small ones, large ones, some flagged, some removed, some refused. */
static void child(struct storefix *f, uint32_t first)
{
    static struct slot slots[OUTSTANDING];
    char headers[128];
    mox_env_system(&f->t.env);
    storefix_start(f);
    uint64_t inbox = box_id(f, "Inbox"), archive = box_id(f, "Archive");
    for (uint32_t n = first;; n += OUTSTANDING) {
        for (uint32_t i = 0; i < OUTSTANDING; i++) {
            struct slot *s = &slots[i];
            (void)snprintf(headers, sizeof headers, "Message-ID: <%lu@crash.example>\r\n",
                           (unsigned long)(n + i));
            s->number = n + i;
            s->op = (struct mox_append){.write = {.done = tell, .user = s},
                                        .mailbox = inbox,
                                        .spool = mail_spool(f, headers, i == 7 ? 150000 : 2000)};
            f->mail.ops->append(f->mail.self, &s->op);
        }
        /* answered after all that was submitted before it */
        struct mox_uid_range some = {n - first + 1, n - first + 5};
        struct mox_copy move = {.mailbox = inbox,
                                .destination = archive,
                                .ranges = &some,
                                .range_count = 1,
                                .move = true};
        if (wait_copy(f, &move) < 0)
            _exit(4);
        mox_copy_free(&move);
        refuse(f, (n - first) / OUTSTANDING % 7);
        for (uint32_t i = 0; i < OUTSTANDING; i++)
            mox_spool_free(slots[i].op.spool);
    }
}

static void check_messages(struct storefix *f, const uint32_t *numbers, size_t count)
{
    char path[128], id[64];
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    (void)snprintf(path, sizeof path, "%s/accounts/mjl/index.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT count(*) FROM message m JOIN entry e ON"
                                        " e.message = m.id WHERE m.message_id = ?1",
                                        -1, &s, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TEMP TABLE x AS SELECT message_id FROM message;"
                                  "CREATE INDEX message_id_for_test ON message(message_id)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(id, sizeof id, "%lu@crash.example", (unsigned long)numbers[i]);
        sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(s), SQLITE_ROW);
        if (sqlite3_column_int64(s, 0) != 1)
            fail_msg("message %s is there %lld times", id, sqlite3_column_int64(s, 0));
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    assert_int_equal(sqlite3_exec(db, "DROP INDEX message_id_for_test", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
    (void)state;
    struct storefix f;
    storefix_init(&f);
    size_t cap = 1000000, count = 0;
    uint32_t *numbers = malloc(cap * sizeof *numbers);
    assert_non_null(numbers);
    srandom((unsigned)getpid());
    for (uint32_t round = 0; round < ROUNDS; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            close(ends[0]);
            acknowledged = ends[1];
            child(&f, round * PER_ROUND);
        }
        close(ends[1]);
        long left = random() % 150; /* sometimes while it opens, mostly while it writes */
        for (uint32_t n; left > 0 && read(ends[0], &n, sizeof n) == sizeof n; left--)
            numbers[count++] = n;
        usleep((useconds_t)(random() % 5000));
        kill(pid, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status)); /* it did not end by itself */
        for (uint32_t n; count < cap && read(ends[0], &n, sizeof n) == sizeof n;)
            numbers[count++] = n;
        close(ends[0]);

        storefix_start(&f);
        storefix_stop(&f);
        storefix_verify(&f);
        assert_int_equal(query(&f, "SELECT count(*) - count(DISTINCT m.message_id) FROM entry e"
                                   " JOIN message m ON m.id = e.message WHERE e.held = 1"),
                         0);
        check_messages(&f, numbers, count);
    }
    print_message("%zu messages acknowledged in %d lives\n", count, ROUNDS);
    free(numbers);
    storefix_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
