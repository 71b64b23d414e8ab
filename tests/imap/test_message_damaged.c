/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "imap/talk.h"
#include "support/cm.h"
#include "support/testenv.h"

/* Messages that the store cannot read, among others: the second and the fourth of four. */

static const struct mox_mailstore_ops *in_memory;

static bool is_damaged(uint32_t uid)
{
    return uid % 2 == 0;
}

struct passing {
    int (*each)(void *user, const struct mox_message_data *data);
    void *user;
    struct mox_error *err;
};

static int pass_on(void *user, const struct mox_message_data *data)
{
    struct passing *p = user;
    if (is_damaged(data->uid))
        return mox__fail(p->err, MOX_ECORRUPT, "message %u is damaged", (unsigned)data->uid);
    return p->each(p->user, data);
}

static int fetch(void *self, const struct mox_view *view, const struct mox_uid_range *ranges,
                 size_t range_count, unsigned wants,
                 int (*each)(void *user, const struct mox_message_data *data), void *user,
                 struct mox_error *err)
{
    struct passing p = {each, user, err};
    return in_memory->fetch(self, view, ranges, range_count, wants, pass_on, &p, err);
}

struct fixture {
    struct test_env env;
    struct mox_mailstore store;
    struct mox_mailstore_ops ops;
    struct talk t;
};

static void open_damaged(struct fixture *f)
{
    test_env_init(&f->env);
    f->env.log_level = MOX_LOG_ERROR;
    assert_int_equal(mox_memory_mailstore_new(&f->store, &f->env.env), MOX_OK);
    for (int i = 0; i < 4; i++)
        talk_append(f->store, &f->env.env, "Inbox", slice(NULL, 0), slice_of("Subject: s\r\n\r\nx"),
                    0, 1);
    in_memory = f->store.ops;
    f->ops = *f->store.ops;
    f->ops.fetch = fetch;
    talk_open(&f->t, &f->env.env, (struct mox_mailstore){.ops = &f->ops, .self = f->store.self});
    talk_ok(&f->t, "SELECT Inbox");
}

static void close_damaged(struct fixture *f)
{
    talk_close(&f->t);
    mox_memory_mailstore_free(&f->store);
    test_env_done(&f->env);
}

static void others_are_answered(void **state)
{
    (void)state;
    static const struct {
        const char *line, *answer;
    } cases[] = {
        {"FETCH 1:* BODY.PEEK[TEXT]", "* 1 FETCH (UID 1 BODY[TEXT] {1}\r\nx)\r\n"
                                      "* 3 FETCH (UID 3 BODY[TEXT] {1}\r\nx)\r\n"
                                      "t NO [CORRUPTION] fetch some messages are damaged"},
        {"UID FETCH 2:3 (FLAGS BODY.PEEK[TEXT])",
         "* 2 FETCH (UID 2 FLAGS (\\Recent))\r\n"
         "* 3 FETCH (UID 3 BODY[TEXT] {1}\r\nx FLAGS (\\Recent))\r\n"
         "t NO [CORRUPTION] uid fetch some messages are damaged"},
        {"FETCH 4 BODY[TEXT]", "* 4 FETCH (UID 4 FLAGS (\\Seen \\Recent))\r\nt NO [CORRUPTION]"},
        {"FETCH 4 ENVELOPE", "t NO [CORRUPTION]"},
        {"FETCH 1,3 BODY.PEEK[TEXT]<0.1>", "* 1 FETCH (UID 1 BODY[TEXT]<0> {1}\r\nx)\r\n"
                                           "* 3 FETCH (UID 3 BODY[TEXT]<0> {1}\r\nx)\r\nt OK"},
        {"FETCH 1:* FLAGS", "* 1 FETCH (UID 1 FLAGS (\\Recent))\r\n"
                            "* 2 FETCH (UID 2 FLAGS (\\Recent))\r\n"
                            "* 3 FETCH (UID 3 FLAGS (\\Recent))\r\n"
                            "* 4 FETCH (UID 4 FLAGS (\\Seen \\Recent))\r\nt OK"},
    };
    struct fixture f;
    open_damaged(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *said = talk(&f.t, cases[i].line);
        if (strncmp(said, cases[i].answer, strlen(cases[i].answer)) != 0)
            fail_msg("%s: %s", cases[i].line, said);
    }
    assert_int_equal(test_env_logged(&f.env, "command failed"), 4); /* the first message of each */
    assert_int_equal(test_env_logged(&f.env, "message 2 is damaged"), 2);
    assert_int_equal(test_env_logged(&f.env, "message 4 is damaged"), 2);
    close_damaged(&f);
}

static void others_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *line, *answer;
    } cases[] = {
        {"SEARCH TEXT x", "* SEARCH 1 3\r\nt OK"},
        {"SEARCH SUBJECT s", "* SEARCH 1 3\r\nt OK"},
        {"UID SEARCH 2:4 NOT TEXT y", "* SEARCH 3\r\nt OK"},
        {"SEARCH OR 2 BODY x", "* SEARCH 1 2 3\r\nt OK"},
        {"SEARCH 4 TEXT x", "* SEARCH\r\nt OK"},
    };
    struct fixture f;
    open_damaged(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *said = talk(&f.t, cases[i].line);
        if (strncmp(said, cases[i].answer, strlen(cases[i].answer)) != 0)
            fail_msg("%s: %s", cases[i].line, said);
        assert_int_equal(test_env_logged(&f.env, "damaged messages are not searched"), i + 1);
    }
    close_damaged(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_answered),
        cmocka_unit_test(others_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
