/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mox/ctl.h>

#include "base/text.h"
#include "support/cm.h"
#include "support/testenv.h"

/* Who asks a server on its control socket. */

/* It is connected to a fixed script of a server's. */
static struct mox_ctl_client *client_of(struct test_env *t, const char *script, size_t len, int *rc,
                                        struct mox_error *err, int *peer)
{
    int fds[2];
    struct mox_ctl_client *client = NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(write(fds[1], script, len), len);
    assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
    *rc = mox_ctl_connect_fd(&client, &t->env, fds[0], err);
    *peer = fds[1];
    return client;
}

static int collect(void *user, struct mox_slice piece)
{
    char *out = user;
    if (mox__slice_is(piece, "bad"))
        return MOX_ENOSPACE;
    (void)strncat(out, (const char *)piece.data, piece.len);
    return MOX_OK;
}

static void the_client_refuses_other_greetings(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        int rc;
    } cases[] = {
        {"ctlv0\n", MOX_OK},
        {"ctlv1\n", MOX_EUNSUPPORTED},
        {"220 smtp\r\n", MOX_EUNSUPPORTED},
        {"ctlv0", MOX_EGONE},
        {"", MOX_EGONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct test_env t;
        struct mox_error err;
        int rc, peer;
        test_env_init(&t);
        struct mox_ctl_client *c =
            client_of(&t, cases[i].script, strlen(cases[i].script), &rc, &err, &peer);
        assert_int_equal(rc, cases[i].rc);
        mox_ctl_client_free(c);
        (void)close(peer);
        test_env_done(&t);
    }
}

static void the_client_receives_a_stream_and_acknowledges_each_piece(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        int rc;
        const char *got, *sent;
    } cases[] = {
        {"ctlv0\nok\n3\nabc2\nde0\n", MOX_OK, "abcde", "ok\nok\n"},
        {"ctlv0\nok\n0\n", MOX_OK, "", ""},
        {"ctlv0\nok\n3\nabc3\nbad0\n", MOX_ENOSPACE, "abc", "ok\nthe client failed\n"},
        {"ctlv0\nok\n3\nabcoops\n", MOX_EREFUSED, "abc", "ok\n"},
        {"ctlv0\nok\n3\nab", MOX_EGONE, "", ""},
        {"ctlv0\nok\n99999999\n", MOX_EREFUSED, "", ""},
        {"ctlv0\nno such thing\n", MOX_EREFUSED, "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct test_env t;
        struct mox_error err = {0};
        char got[100] = "", sent[100] = "";
        int rc, peer;
        test_env_init(&t);
        struct mox_ctl_client *c =
            client_of(&t, cases[i].script, strlen(cases[i].script), &rc, &err, &peer);
        assert_int_equal(rc, MOX_OK);
        rc = mox_ctl_expect_ok(c, &err);
        if (rc == MOX_OK)
            rc = mox_ctl_receive(c, collect, got, &err);
        assert_int_equal(rc, cases[i].rc);
        assert_true(rc == MOX_OK || (err.status == rc && err.text[0] != '\0'));
        assert_string_equal(got, cases[i].got);
        mox_ctl_client_free(c);
        assert_true(read(peer, sent, sizeof sent - 1) >= 0);
        assert_string_equal(sent, cases[i].sent);
        (void)close(peer);
        test_env_done(&t);
    }
}

static void no_parameter_can_smuggle_a_line(void **state)
{
    (void)state;
    struct test_env t;
    struct mox_error err;
    int rc, peer;
    char sent[100] = "";
    static const char *const bad[] = {"setloglevels", "x\nstop"};
    static const char *const good[] = {"setloglevels", "", "debug"};
    test_env_init(&t);
    struct mox_ctl_client *c = client_of(&t, "ctlv0\n", 6, &rc, &err, &peer);
    assert_int_equal(mox_ctl_send(c, bad, 2, &err), MOX_EINVAL);
    assert_int_equal(mox_ctl_send(c, good, 3, &err), MOX_OK);
    assert_int_equal(mox_ctl_wait_closed(c, &err), MOX_OK);
    assert_true(read(peer, sent, sizeof sent - 1) > 0);
    assert_string_equal(sent, "setloglevels\n\ndebug\n");
    mox_ctl_client_free(c);
    (void)close(peer);
    test_env_done(&t);
}

static void *serve_one(void *user)
{
    struct pollfd p = {.fd = *(int *)user, .events = POLLIN};
    (void)poll(&p, 1, 60000);
    int conn = accept(p.fd, NULL, NULL);
    if (conn >= 0) {
        (void)!write(conn, "ctlv0\n", 6);
        (void)close(conn);
    }
    return NULL;
}

static void client_and_server_meet_in_the_data_directory(void **state)
{
    (void)state;
    struct test_env t;
    test_env_init(&t);
    char base[] = "/tmp/mox-ctl.XXXXXX", dir[200], path[220];
    assert_non_null(mkdtemp(base));
    for (int i = 0; i < 2; i++) { /* the second is too long for the address of a socket */
        struct mox_error err;
        struct mox_ctl_client *client = NULL;
        struct stat st;
        (void)snprintf(dir, sizeof dir, "%s/%0*d", base, i == 0 ? 1 : 150, 0);
        assert_int_equal(mkdir(dir, 0700), 0);
        assert_int_equal(mox_ctl_connect(&client, &t.env, dir, &err), MOX_ENOTFOUND);
        assert_non_null(strstr(err.text, "no server is running for /tmp/"));
        int fd = -1;
        assert_int_equal(mox_ctl_listen(&fd, dir, &err), MOX_OK);
        (void)close(fd);
        assert_int_equal(mox_ctl_connect(&client, &t.env, dir, &err), MOX_ENOTFOUND);
        assert_int_equal(mox_ctl_listen(&fd, dir, &err), MOX_OK); /* over the old file */
        (void)snprintf(path, sizeof path, "%s/ctl", dir);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0660);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, serve_one, &fd), 0);
        assert_int_equal(mox_ctl_connect(&client, &t.env, dir, &err), MOX_OK);
        (void)pthread_join(thread, NULL);
        mox_ctl_client_free(client);
        (void)close(fd);
        mox_ctl_unlink(dir);
        assert_int_equal(rmdir(dir), 0);
    }
    assert_int_equal(rmdir(base), 0);
    int fd;
    assert_int_equal(mox_ctl_listen(&fd, "/nonexistent", NULL), MOX_ENOTFOUND);
    test_env_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_refuses_other_greetings),
        cmocka_unit_test(the_client_receives_a_stream_and_acknowledges_each_piece),
        cmocka_unit_test(no_parameter_can_smuggle_a_line),
        cmocka_unit_test(client_and_server_meet_in_the_data_directory),
    };
    return cmocka_run_group_tests_name("server-ctl-client", tests, NULL, NULL);
}
