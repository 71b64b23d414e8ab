/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "imap/talk.h"
#include "support/cm.h"
#include "support/testenv.h"

/* What others change while a command on messages is under way, its answer told in part. */

/* Three long ones. */
static void append_letters(struct mox_mailstore store, const struct mox_env *env)
{
    enum { LEN = 400000 };
    uint8_t *data = malloc(LEN);
    assert_non_null(data);
    memset(data, 'x', LEN);
    memcpy(data, "Subject: s\r\n\r\n", 14);
    for (int i = 0; i < 3; i++)
        talk_append(store, env, "Inbox", slice(NULL, 0), slice(data, LEN), 0, 1);
    free(data);
}

static void expect_end(const struct talk *t, const char *end)
{
    const size_t len = strlen(end);
    assert_true(t->len >= len);
    if (memcmp(t->got + t->len - len, end, len) != 0)
        fail_msg("%s", (const char *)t->got + t->len - len);
}

/* Gives the server a command and takes no output but `bytes` of the first. */
static void start(struct talk *t, const char *line, size_t bytes)
{
    const uint8_t *data = NULL;
    t->len = 0;
    assert_int_equal(mox_imap_server_input(t->server, (const uint8_t *)line, strlen(line)), MOX_OK);
    while (mox_imap_server_wants(t->server) & MOX_WANTS_RUN)
        assert_int_equal(mox_imap_server_run(t->server), MOX_OK);
    assert_true(mox_imap_server_output(t->server, &data) >= bytes);
    t->got = realloc(t->got, bytes + 1);
    assert_non_null(t->got);
    memcpy(t->got, data, bytes);
    t->len = t->cap = bytes;
    mox_imap_server_sent(t->server, bytes);
}

static void a_paused_answer_goes_on_when_its_messages_are_expunged(void **state)
{
    (void)state;
    static const char last[] = "x FLAGS ())\r\na OK fetch done\r\n";
    struct test_env env;
    struct mox_mailstore store;
    struct talk t, other;
    test_env_init(&env);
    env.log_level = MOX_LOG_ERROR;
    assert_int_equal(mox_memory_mailstore_new(&store, &env.env), MOX_OK);
    append_letters(store, &env.env);
    talk_open(&other, &env.env, store);
    talk_ok(&other, "SELECT Inbox");
    talk_open(&t, &env.env, store);
    talk_ok(&t, "SELECT Inbox");
    start(&t, "a FETCH 1:3 (FLAGS BODY.PEEK[])\r\n", 1000);
    talk_ok(&other, "STORE 1:* +FLAGS.SILENT (\\Deleted)");
    talk_ok(&other, "EXPUNGE");
    talk_send(&t, NULL, 0);
    assert_in_range(t.len, 1200000, 1201000);
    assert_memory_equal(t.got + t.len - strlen(last), last, strlen(last));
    talk_ok(&t, "NOOP");
    assert_memory_equal(t.got, "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n", 26);
    talk_close(&other);
    talk_close(&t);
    mox_memory_mailstore_free(&store);
    test_env_done(&env);
}

/* The command tells of \Seen, and another session takes it away before the end. */
static void a_flag_that_is_told_and_taken_back_is_told_again(void **state)
{
    (void)state;
    static const struct {
        const char *line, *end, *then;
    } cases[] = {
        {"a UID FETCH 1 BODY[]\r\n",
         "x FLAGS (\\Seen \\Recent))\r\n* 1 FETCH (UID 1 FLAGS (\\Recent))\r\n"
         "a OK uid fetch done\r\n",
         "t OK noop done\r\n"},
        {"a FETCH 1 BODY[]\r\n", "x FLAGS (\\Seen \\Recent))\r\na OK fetch done\r\n",
         "* 1 FETCH (UID 1 FLAGS (\\Recent))\r\nt OK noop done\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct test_env env;
        struct mox_mailstore store;
        struct talk t, other;
        test_env_init(&env);
        env.log_level = MOX_LOG_ERROR;
        assert_int_equal(mox_memory_mailstore_new(&store, &env.env), MOX_OK);
        append_letters(store, &env.env);
        talk_open(&t, &env.env, store);
        talk_ok(&t, "SELECT Inbox");
        talk_open(&other, &env.env, store);
        talk_ok(&other, "SELECT Inbox");
        start(&t, cases[i].line, 1000);
        talk_ok(&other, "STORE 1 -FLAGS (\\Seen)");
        talk_send(&t, NULL, 0);
        expect_end(&t, cases[i].end);
        talk_ok(&t, "NOOP");
        assert_string_equal((const char *)t.got, cases[i].then);
        talk_close(&other);
        talk_close(&t);
        mox_memory_mailstore_free(&store);
        test_env_done(&env);
    }
}

/* --- a store that fails halfway --- */

static const struct mox_mailstore_ops *in_memory;

/* Ends before the second of three messages. */
static int fetch_one(void *self, const struct mox_view *view, const struct mox_uid_range *ranges,
                     size_t range_count, unsigned wants,
                     int (*each)(void *user, const struct mox_message_data *data), void *user,
                     struct mox_error *err)
{
    const struct mox_uid_range first = {1, 1};
    assert_int_equal(ranges[0].first, 1);
    (void)range_count;
    int rc = in_memory->fetch(self, view, &first, 1, wants, each, user, err);
    return rc == MOX_OK ? MOX_EIO : rc;
}

static void what_was_not_answered_is_told(void **state)
{
    (void)state;
    struct test_env env;
    struct mox_mailstore store;
    struct talk t, other;
    test_env_init(&env);
    env.log_level = MOX_LOG_FATAL;
    assert_int_equal(mox_memory_mailstore_new(&store, &env.env), MOX_OK);
    append_letters(store, &env.env);
    in_memory = store.ops;
    struct mox_mailstore_ops ops = *store.ops;
    ops.fetch = fetch_one;
    talk_open(&t, &env.env, (struct mox_mailstore){.ops = &ops, .self = store.self});
    talk_ok(&t, "SELECT Inbox");
    talk_open(&other, &env.env, store);
    talk_ok(&other, "SELECT Inbox");
    talk_ok(&other, "STORE 1:3 +FLAGS (\\Flagged)");
    talk(&t, "UID FETCH 1:3 (FLAGS ENVELOPE)");
    assert_memory_equal(t.got, "* 1 FETCH (UID 1 ENVELOPE (", 27);
    const char *rest = strstr((const char *)t.got, "FLAGS");
    assert_non_null(rest);
    const char *expected = "FLAGS (\\Flagged \\Recent))\r\n"
                           "* 2 FETCH (UID 2 FLAGS (\\Flagged \\Recent))\r\n"
                           "* 3 FETCH (UID 3 FLAGS (\\Flagged \\Recent))\r\n"
                           "t NO [UNAVAILABLE] ";
    if (strncmp(rest, expected, strlen(expected)) != 0)
        fail_msg("%s", rest);
    talk_ok(&t, "NOOP");
    assert_string_equal((const char *)t.got, "t OK noop done\r\n");
    talk_close(&other);
    talk_close(&t);
    mox_memory_mailstore_free(&store);
    test_env_done(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_paused_answer_goes_on_when_its_messages_are_expunged),
        cmocka_unit_test(a_flag_that_is_told_and_taken_back_is_told_again),
        cmocka_unit_test(what_was_not_answered_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
