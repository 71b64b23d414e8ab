/* SPDX-License-Identifier: MIT */
#include "support/cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "imap/talk.h"
#include "support/testenv.h"

/* What commands cost at most, and what they do with a store that offers less. */

static struct mox_slice letter(size_t len)
{
    uint8_t *data = malloc(len);
    assert_non_null(data);
    memset(data, 'x', len);
    memcpy(data, "Subject: s\r\n\r\n", 14);
    for (size_t i = 80; i + 1 < len; i += 80)
        memcpy(data + i, "\r\n", 2);
    return slice(data, len);
}

static void append_letters(struct mox_mailstore store, const struct mox_env *env, size_t count,
                           size_t len)
{
    struct mox_slice content = letter(len);
    for (size_t i = 0; i < count; i++)
        talk_append(store, env, "Inbox", slice(NULL, 0), content, 0, 1);
    free((void *)(uintptr_t)content.data);
}

static size_t count_of(const struct talk *t, const char *text)
{
    size_t count = 0;
    for (const char *at = (const char *)t->got; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

#define OUTPUT_MAX (256 * 1024)
/* A message's answer without its literals. */
#define RESPONSE_SLACK 4096

static void output_waits_in_bounds_whatever_the_mailbox_holds(void **state)
{
    (void)state;
    struct test_env env;
    struct mox_mailstore store;
    struct talk t;
    test_env_init(&env);
    env.log_level = MOX_LOG_ERROR;
    assert_int_equal(mox_memory_mailstore_new(&store, &env.env), MOX_OK);
    append_letters(store, &env.env, 1, 6000000);
    append_letters(store, &env.env, 20, 100000);
    talk_open(&t, &env.env, store);
    talk_ok(&t, "SELECT Inbox");
    const long before = env.allocations;
    talk_ok(&t, "FETCH 1:* (BODY.PEEK[] FLAGS BODY.PEEK[1]<10.5000000>)");
    assert_in_range(t.max_output, OUTPUT_MAX, OUTPUT_MAX + RESPONSE_SLACK);
    assert_in_range(t.len, 14000000, 16000000);
    assert_true(env.allocations - before < 2000);
    talk_close(&t);
    mox_memory_mailstore_free(&store);
    test_env_done(&env);
}

static void a_search_that_reads_much_pauses(void **state)
{
    (void)state;
    struct test_env env;
    struct mox_mailstore store;
    struct talk t;
    test_env_init(&env);
    env.log_level = MOX_LOG_ERROR;
    assert_int_equal(mox_memory_mailstore_new(&store, &env.env), MOX_OK);
    append_letters(store, &env.env, 40, 1000000);
    talk_open(&t, &env.env, store);
    talk_ok(&t, "SELECT Inbox");
    talk_ok(&t, "SEARCH TEXT nothing");
    assert_in_range(t.runs, 3, 10);
    /* One message alone is too much. */
    append_letters(store, &env.env, 1, 50000000);
    talk_ok(&t, "NOOP");
    talk_ok(&t, "SEARCH 41 TEXT nothing");
    assert_in_range(t.runs, 3, 6);
    talk_ok(&t, "SEARCH OR SUBJECT s TEXT nothing");
    assert_non_null(strstr((const char *)t.got, "* SEARCH 1 2 3 4 5 "));
    talk_close(&t);
    mox_memory_mailstore_free(&store);
    test_env_done(&env);
}

static void what_the_view_knows_is_answered_without_the_store(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "FETCH 1:* FLAGS",     "UID FETCH 1:* (UID FLAGS)",  "SEARCH UNSEEN",
        "UID SEARCH 1:2 SEEN", "SEARCH OR ALL TEXT nothing", "STORE 1:* +FLAGS (\\Seen)",
    };
    struct test_env env;
    struct mox_mailstore store;
    struct talk t;
    test_env_init(&env);
    assert_int_equal(mox_memory_mailstore_new(&store, &env.env), MOX_OK);
    append_letters(store, &env.env, 3, 1000);
    talk_open(&t, &env.env, store);
    talk_ok(&t, "SELECT Inbox");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        talk_ok(&t, lines[i]);
        if (t.runs != 0)
            fail_msg("%s runs", lines[i]);
    }
    talk_close(&t);
    mox_memory_mailstore_free(&store);
    test_env_done(&env);
}

/* --- a store that may have to read the disk for each view --- */

static const struct talk *reader;
static const struct mox_mailstore_ops *in_memory;

static bool never_ready(void *self, uint64_t mailbox)
{
    (void)self;
    (void)mailbox;
    return false;
}

static int view_in_run(void *self, uint64_t mailbox, struct mox_view **out, struct mox_error *err)
{
    assert_true(reader->running);
    return in_memory->view(self, mailbox, out, err);
}

static void views_are_read_where_that_may_take_a_while(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "SELECT Inbox",          "NOOP",
        "FETCH 1 FLAGS",         "UID FETCH 1 FLAGS",
        "STORE 1 +FLAGS (blue)", "UID STORE 1 -FLAGS.SILENT (\\Seen)",
        "SEARCH KEYWORD blue",   "SEARCH TEXT s",
        "COPY 1 Inbox",          "STATUS Inbox (RECENT)",
    };
    struct test_env env;
    struct mox_mailstore store;
    struct talk t;
    test_env_init(&env);
    assert_int_equal(mox_memory_mailstore_new(&store, &env.env), MOX_OK);
    append_letters(store, &env.env, 1, 1000);
    in_memory = store.ops;
    struct mox_mailstore_ops ops = *store.ops;
    ops.view = view_in_run;
    ops.view_ready = never_ready;
    reader = &t;
    talk_open(&t, &env.env, (struct mox_mailstore){.ops = &ops, .self = store.self});
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        talk_ok(&t, lines[i]);
    talk_send(&t, "t IDLE\r\n", 8);
    append_letters(store, &env.env, 1, 1000);
    talk_send(&t, NULL, 0);
    assert_non_null(strstr((const char *)t.got, "* 3 EXISTS"));
    talk_send(&t, "DONE\r\n", 6);
    talk_ok(&t, "SEARCH KEYWORD blue");
    assert_memory_equal(t.got, "* SEARCH 1 2\r\n", 14);
    talk_close(&t);
    mox_memory_mailstore_free(&store);
    test_env_done(&env);
}

/* "LIST "" (*a%aaa…b …)", with so many patterns and letters. */
static const char *costly_list(char *line, int patterns, int letters)
{
    char *at = line + sprintf(line, "LIST \"\" (");
    for (int i = 0; i < patterns; i++)
        at += sprintf(at, "%s*a%%%0*db", i > 0 ? " " : "", letters, 0);
    for (char *c = line; *c != '\0'; c++)
        *c = *c == '0' ? 'a' : *c;
    strcpy(at, " *)");
    return line;
}

static void patterns_that_cost_much_are_matched_in_steps(void **state)
{
    (void)state;
    struct test_env env;
    struct mox_mailstore store;
    struct talk t;
    char line[16000], name[MOX_MAILBOX_NAME_MAX + 1];
    test_env_init(&env);
    assert_int_equal(mox_memory_mailstore_new(&store, &env.env), MOX_OK);
    talk_open(&t, &env.env, store);
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (char c = 'a'; c < 'e'; c++) {
        name[0] = c;
        snprintf(line, sizeof line, "CREATE %s", name);
        talk_ok(&t, line);
    }
    talk_ok(&t, costly_list(line, 90, 150));
    assert_int_equal(count_of(&t, "* LIST "), 5);
    assert_in_range(t.runs, 10, 50);
    snprintf(line, sizeof line, "LSUB \"\" \"%.990s%%%%*\"", name + 1);
    talk_ok(&t, line);
    assert_int_equal(count_of(&t, "* LSUB "), 1);
    talk_ok(&t, "LIST \"\" (% Inbox)");
    assert_int_equal(count_of(&t, "* LIST "), 5);
    assert_int_equal(t.runs, 0);
    talk_close(&t);
    mox_memory_mailstore_free(&store);
    test_env_done(&env);
}

static void a_store_without_writes_can_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *line, *answer;
    } cases[] = {
        {"FETCH 1 BODY[TEXT]<0.1>", "* 1 FETCH (UID 1 BODY[TEXT]<0> {1}\r\nx)\r\nt OK"},
        {"SEARCH TEXT s", "* SEARCH 1 2\r\nt OK"},
        {"STORE 1 +FLAGS (\\Seen)", "t NO "},
        {"COPY 1 Inbox", "t NO [CANNOT]"},
        {"MOVE 1 Inbox", "t NO "},
        {"EXPUNGE", "t NO "},
    };
    struct test_env env;
    struct mox_mailstore memory;
    struct talk t;
    test_env_init(&env);
    assert_int_equal(mox_memory_mailstore_new(&memory, &env.env), MOX_OK);
    append_letters(memory, &env.env, 2, 1000);
    struct mox_mailstore_ops ops = *memory.ops;
    ops.set_flags = NULL;
    ops.copy = NULL;
    ops.expunge = NULL;
    talk_open(&t, &env.env, (struct mox_mailstore){.ops = &ops, .self = memory.self});
    talk_ok(&t, "SELECT Inbox");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *said = talk(&t, cases[i].line);
        if (strncmp(said, cases[i].answer, strlen(cases[i].answer)) != 0)
            fail_msg("%s: %s", cases[i].line, said);
    }
    talk_close(&t);
    mox_memory_mailstore_free(&memory);
    test_env_done(&env);
}

static void a_session_can_end_in_the_middle_of_an_answer(void **state)
{
    (void)state;
    static const char *const lines[] = {"a FETCH 1:* (BODY[] BODY.PEEK[1])\r\n",
                                        "a SEARCH TEXT nothing\r\n", "a FETCH 1:* BODY[1]\r\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct test_env env;
        struct mox_mailstore store;
        struct talk t;
        test_env_init(&env);
        env.log_level = MOX_LOG_ERROR;
        assert_int_equal(mox_memory_mailstore_new(&store, &env.env), MOX_OK);
        append_letters(store, &env.env, 3, 400000);
        talk_open(&t, &env.env, store);
        talk_ok(&t, "SELECT Inbox");
        assert_int_equal(
            mox_imap_server_input(t.server, (const uint8_t *)lines[i], strlen(lines[i])), MOX_OK);
        talk_close(&t);
        mox_memory_mailstore_free(&store);
        test_env_done(&env);
    }
}

static void long_answers_from_the_view_are_whole(void **state)
{
    (void)state;
    struct mox_env env;
    struct mox_mailstore store;
    struct talk t;
    mox_env_system(&env);
    assert_int_equal(mox_memory_mailstore_new(&store, &env), MOX_OK);
    append_letters(store, &env, 1, 100);
    talk_open(&t, &env, store);
    talk_ok(&t, "SELECT Inbox");
    for (int i = 0; i < 16; i++)
        talk_ok(&t, "COPY 1:* Inbox");
    talk_ok(&t, "SEARCH ALL");
    assert_int_equal(count_of(&t, " "), 65536 + 1 + 3); /* and those of both lines */
    assert_non_null(strstr((const char *)t.got, " 65535 65536\r\nt OK"));
    talk_ok(&t, "FETCH 1:* FLAGS");
    assert_int_equal(count_of(&t, "\r\n"), 65536 + 1);
    talk_ok(&t, "STORE 1:* +FLAGS (\\Deleted)");
    assert_int_equal(count_of(&t, "(\\Deleted \\Recent)"), 65536);
    talk_ok(&t, "EXPUNGE");
    assert_int_equal(count_of(&t, "* 1 EXPUNGE\r\n"), 65536);
    talk_close(&t);
    mox_memory_mailstore_free(&store);
}

/* "STORE 1 +FLAGS.SILENT (k<from> … k<to>)" */
static const char *store_keywords(struct talk *t, unsigned from, unsigned to)
{
    char line[1000] = "STORE 1 +FLAGS.SILENT (";
    for (unsigned i = from; i <= to; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), "%sk%u", i > from ? " " : "", i);
    strcat(line, ")");
    return talk(t, line);
}

static void a_mailbox_has_a_limit_of_keywords(void **state)
{
    (void)state;
    struct test_env env;
    struct mox_mailstore store;
    struct talk t;
    test_env_init(&env);
    assert_int_equal(mox_memory_mailstore_new(&store, &env.env), MOX_OK);
    append_letters(store, &env.env, 1, 1000);
    talk_open(&t, &env.env, store);
    talk_ok(&t, "SELECT Inbox");
    assert_non_null(strstr(store_keywords(&t, 1, MOX_KEYWORDS_MAX - 1), "t OK"));
    assert_non_null(strstr((const char *)t.got, " k63 \\*)] "));
    assert_non_null(strstr(store_keywords(&t, MOX_KEYWORDS_MAX, MOX_KEYWORDS_MAX), "t OK"));
    assert_non_null(strstr((const char *)t.got, "* OK [PERMANENTFLAGS ("));
    assert_non_null(strstr((const char *)t.got, " k63 k64)] "));
    assert_memory_equal(store_keywords(&t, 60, MOX_KEYWORDS_MAX + 1), "t NO [LIMIT] ", 13);
    assert_non_null(strstr((const char *)t.got, " 64 keywords already"));
    talk_ok(&t, "SEARCH KEYWORD k64 UNKEYWORD k65");
    assert_memory_equal(t.got, "* SEARCH 1\r\n", 12);
    talk_ok(&t, "STORE 1 FLAGS ()");
    assert_memory_equal(t.got, "* 1 FETCH (UID 1 FLAGS (\\Recent))\r\n", 35);
    talk_close(&t);
    mox_memory_mailstore_free(&store);
    test_env_done(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_waits_in_bounds_whatever_the_mailbox_holds),
        cmocka_unit_test(a_search_that_reads_much_pauses),
        cmocka_unit_test(what_the_view_knows_is_answered_without_the_store),
        cmocka_unit_test(views_are_read_where_that_may_take_a_while),
        cmocka_unit_test(patterns_that_cost_much_are_matched_in_steps),
        cmocka_unit_test(a_store_without_writes_can_be_read),
        cmocka_unit_test(a_session_can_end_in_the_middle_of_an_answer),
        cmocka_unit_test(long_answers_from_the_view_are_whole),
        cmocka_unit_test(a_mailbox_has_a_limit_of_keywords),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
