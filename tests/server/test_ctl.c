/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mox/ctl.h>

#include "base/buf.h"
#include "base/text.h"
#include "server/ctl.h"
#include "support/cm.h"
#include "support/testenv.h"

/* A server's side: what was asked of it. */
struct server {
    struct test_env t;
    struct mox_logger *logger;
    struct mox_metrics *metrics;
    struct mox_ctl_handlers handlers;
    struct mox_ctl *ctl;
    struct mox_engine engine;
    bool stopped;
    char address[64], password[64];
    char out[200000];
    size_t out_len;
};

static void stop(void *user)
{
    ((struct server *)user)->stopped = true;
}

static int set_account_password(void *user, const char *address, const char *password,
                                struct mox_error *err)
{
    struct server *s = user;
    if (strcmp(address, "nobody@example.org") == 0) {
        (void)snprintf(err->text, sizeof err->text, "no account for %s\nadd one", address);
        return MOX_ENOTFOUND;
    }
    (void)snprintf(s->address, sizeof s->address, "%s", address);
    (void)snprintf(s->password, sizeof s->password, "%s", password);
    return MOX_OK;
}

/* Any certificate of three bytes. */
static int add_client_key(void *user, const char *address, const char *name, bool no_imap_preauth,
                          struct mox_slice certificate, struct mox_client_key *added,
                          struct mox_error *err)
{
    struct server *s = user;
    (void)err;
    assert_int_equal(certificate.len, 3);
    *added = (struct mox_client_key){.size = sizeof *added,
                                     .account = "mjl",
                                     .kind = "rsa-2048",
                                     .no_imap_preauth = no_imap_preauth,
                                     .created_us = 0};
    memset(added->fingerprint, certificate.data[0], sizeof added->fingerprint);
    (void)snprintf(added->address, sizeof added->address, "%s", address);
    (void)snprintf(added->name, sizeof added->name, "%s", name);
    return mox_auth_db_add_key(s->handlers.auth_db, added, NULL);
}

static int explain(void *user, const char *account, const char *mailbox, uint32_t uid, bool json,
                   char **text, struct mox_error *err)
{
    struct server *s = user;
    struct buf out;
    mox__buf_init(&out, &s->t.env, 1000);
    mox__buf_printf(&out, "%s %s %u %d\n", account, mailbox, uid, json);
    mox__buf_byte(&out, '\0');
    *text = (char *)out.data;
    if (out.failed) {
        mox__buf_free(&out);
        *text = NULL;
        return MOX_ENOMEM;
    }
    (void)err;
    return MOX_OK;
}

static int check(void *user, const struct mox_ctl_check *q, char **text, struct mox_error *err)
{
    struct server *s = user;
    struct buf out;
    (void)err;
    if (q->listed_in == NULL)
        return MOX_NEED_DNS;
    mox__buf_init(&out, &s->t.env, 1000);
    mox__buf_printf(&out, "%s %s %d %s %s %s@%s %lld %d %s|", q->account, q->recipient, q->json,
                    q->ip, q->helo, q->mail_from_localpart, q->mail_from_domain,
                    (long long)q->now_us, q->tls, q->listed_in);
    mox__buf_slice(&out, q->zone);
    mox__buf_byte(&out, '|');
    mox__buf_slice(&out, q->content);
    mox__buf_byte(&out, '\0');
    *text = (char *)out.data;
    if (!out.failed)
        return MOX_OK;
    mox__buf_free(&out);
    *text = NULL;
    return MOX_ENOMEM;
}

#define CHECK(lists, zone_bytes, bytes)                                                            \
    "check\nmjl\na@b\ntext\n192.0.2.1\nmx\nl\nd.example\n7\nyes\n" lists "\n" zone_bytes           \
    "\n" bytes "\n"

static const struct mox_metric letters = {.name = "letters_total", .help = "Letters."};

static int server_start(struct server *s, long fail_at)
{
    memset(s, 0, sizeof *s);
    test_env_init(&s->t);
    assert_int_equal(mox_logger_new(&s->logger, STDERR_FILENO), MOX_OK);
    assert_int_equal(mox_logger_level(s->logger, "smtpserver", MOX_LOG_TRACE), MOX_OK);
    assert_int_equal(mox_metrics_new(&s->metrics, &s->t.env), MOX_OK);
    mox_metrics_add(s->metrics, &letters, NULL, 7);
    s->handlers = (struct mox_ctl_handlers){
        .size = sizeof s->handlers,
        .stop = stop,
        .set_account_password = set_account_password,
        .logger = s->logger,
        .metrics = s->metrics,
        .add_client_key = add_client_key,
        .explain = explain,
        .check = check,
    };
    s->t.allocations = 0;
    s->t.fail_at = fail_at;
    int rc = mox_ctl_new(&s->ctl, &s->t.env, &s->handlers, s);
    if (rc == MOX_OK)
        s->engine = mox_ctl_engine(s->ctl);
    return rc;
}

static void server_end(struct server *s)
{
    mox_ctl_free(s->ctl);
    mox_logger_free(s->logger);
    mox_metrics_free(s->metrics);
    test_env_done(&s->t);
}

static unsigned wants(struct server *s)
{
    return s->engine.ops->wants(s->engine.self);
}

/* Does what the engine wants, as a host's loop does. */
static void pump(struct server *s)
{
    for (;;) {
        unsigned w = wants(s);
        if (w & MOX_WANTS_WRITE) {
            const uint8_t *data;
            size_t len = s->engine.ops->output(s->engine.self, &data);
            assert_true(len <= sizeof s->out - s->out_len - 1);
            memcpy(s->out + s->out_len, data, len);
            s->out_len += len;
            s->out[s->out_len] = '\0';
            s->engine.ops->sent(s->engine.self, len);
        } else if (w & MOX_WANTS_RUN) {
            (void)s->engine.ops->run(s->engine.self);
        } else {
            return;
        }
    }
}

static int feed(struct server *s, const char *text, size_t step)
{
    size_t len = strlen(text);
    int rc = MOX_OK;
    for (size_t at = 0; at < len && rc == MOX_OK; at += step) {
        pump(s);
        if (wants(s) & MOX_WANTS_CLOSE)
            return rc;
        rc = s->engine.ops->input(s->engine.self, (const uint8_t *)text + at,
                                  len - at < step ? len - at : step);
    }
    pump(s);
    return rc;
}

static void commands_are_answered_however_the_input_is_split(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
        bool closes;
    } cases[] = {
        {"", "ctlv0\n", false},
        {"stop\n", "ctlv0\n", false},
        {"setaccountpassword\na@example.org\nsecret pass\n", "ctlv0\nok\n", false},
        {"setaccountpassword\nnobody@example.org\nsecret pass\n",
         "ctlv0\nno account for nobody@example.org add one\n", true},
        {"loglevels\nok\n", "ctlv0\nok\n34\n(default): info\nsmtpserver: trace\n0\n", false},
        {"loglevels\nok\nloglevels\nok\n",
         "ctlv0\nok\n34\n(default): info\nsmtpserver: trace\n0\n"
         "ok\n34\n(default): info\nsmtpserver: trace\n0\n",
         false},
        {"loglevels\ndisk full\n", "ctlv0\nok\n34\n(default): info\nsmtpserver: trace\n", true},
        {"setloglevels\nimapserver\ndebug\nsetloglevels\n\nerror\nsetloglevels\nsmtpserver\n\n"
         "loglevels\n",
         "ctlv0\nok\nok\nok\nok\n35\n(default): error\nimapserver: debug\n", false},
        {"setloglevels\nx\nloud\n",
         "ctlv0\nunknown log level \"loud\"; use error, warn, info, debug, trace, traceauth or "
         "tracedata\n",
         true},
        {"setloglevels\nx\n\n", "ctlv0\npackage x has no log level of its own\n", true},
        {"setloglevels\n\n\n", "ctlv0\nthe default log level cannot be removed; give a level\n",
         true},
        {"metrics\nok\n",
         "ctlv0\nok\n75\n# HELP letters_total Letters.\n# TYPE letters_total counter\n"
         "letters_total 7\n0\n",
         false},
        {"explain\nmjl\nA/b c\n4294967295\njson\nok\n",
         "ctlv0\nok\n23\nmjl A/b c 4294967295 1\n0\n", false},
        {"explain\nmjl\nInbox\n0\ntext\n", "ctlv0\n0 is no UID\n", true},
        {"explain\nmjl\nInbox\n1\nxml\n", "ctlv0\nthe form is text or json, not xml\n", true},
        {CHECK("bl.example", "2", "7") "z\nab\ncdok\nloglevels\n",
         "ctlv0\nok\n64\nmjl a@b 0 192.0.2.1 mx l@d.example 7000000 1 bl.example|z\n|ab\ncd0\n"
         "ok\n34\n(default): info\nsmtpserver: trace\n",
         false},
        {CHECK("?", "0", "0") "ok\n", "ctlv0\nok\n6\nlists\n0\n", false},
        {CHECK("?", "1", "0"), "ctlv0\ncheck: a number is wrong\n", true},
        {CHECK("?", "0", "134217729"), "ctlv0\ntoo many bytes\n", true},
        {CHECK("?", "0", "x"), "ctlv0\ntoo many bytes\n", true},
        {CHECK("?", "0", "5") "abcd", "ctlv0\n", false},
        {"restart\n",
         "ctlv0\nunknown command; this server is of another version than its "
         "client\n",
         true},
        {"\n", "ctlv0\nunknown command; this server is of another version than its client\n", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t step = 1; step < 100; step = step * 2 + 1) {
            struct server s;
            assert_int_equal(server_start(&s, 0), MOX_OK);
            assert_int_equal(feed(&s, cases[i].in, step), MOX_OK);
            assert_string_equal(s.out, cases[i].out);
            assert_int_equal((wants(&s) & MOX_WANTS_CLOSE) != 0, cases[i].closes);
            server_end(&s);
        }
    }
}

static void a_server_that_counts_nothing_says_so(void **state)
{
    (void)state;
    struct server s;
    assert_int_equal(server_start(&s, 0), MOX_OK);
    s.handlers.metrics = NULL;
    (void)feed(&s, "metrics\n", 8);
    assert_string_equal(s.out, "ctlv0\nnothing is counted here\n");
    server_end(&s);
}

static void a_server_that_has_counted_nothing_yet_says_nothing(void **state)
{
    (void)state;
    struct server s;
    struct mox_metrics *empty = NULL;
    assert_int_equal(server_start(&s, 0), MOX_OK);
    assert_int_equal(mox_metrics_new(&empty, &s.t.env), MOX_OK);
    s.handlers.metrics = empty;
    (void)feed(&s, "metrics\n", 8);
    assert_string_equal(s.out, "ctlv0\nok\n0\n");
    mox_metrics_free(empty);
    server_end(&s);
}

#define FINGERPRINT "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
#define LINE        FINGERPRINT "\trsa-2048\tmjl\ta@x.example\tno\t1970-01-01T00:00:00Z\tmy phone\n"

static void keys_and_logins_are_listed_and_changed(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"tlspubkeylist\n\n", "ok\n0\n"},
        {"tlspubkeyadd\na@x.example\nmy phone\nno\nnot base64\n",
         "the certificate is not in base64\n"},
        {"tlspubkeyadd\na@x.example\nmy phone\nno\nAQID\nok\n", "ok\n102\n" LINE "0\n"},
        {"tlspubkeylist\nmjl\nok\n", "ok\n102\n" LINE "0\n"},
        {"tlspubkeylist\neve\n", "ok\n0\n"},
        {"tlspubkeyrm\nAQEB\n", "remove a key: none has the fingerprint AQEB\n"},
        {"tlspubkeyrm\n" FINGERPRINT "\n", "ok\n"},
        {"tlspubkeylist\n\n", "ok\n0\n"},
        {"loginattempts\n\nmany\n", "many is no number of attempts\n"},
        {"loginattempts\n\n0\nok\n", "ok\n100\n2026-01-02T03:04:05Z\t2026-01-02T03:04:"
                                     "05Z\t2\tbadcreds\t-\tb@x.example\t192.0.2.1\t"
                                     "imap\tplain\tTLS1.3\tmutt\n0\n"},
        {"loginattempts\nmjl\n0\n", "ok\n0\n"},
    };
    char dir[] = "/tmp/mox-ctl-XXXXXX", path[64];
    struct mox_env env;
    struct mox_auth_db *db = NULL;
    struct mox_login_attempt a = {.size = sizeof a,
                                  .address = "b@x.example",
                                  .remote_ip = "192.0.2.1",
                                  .tls = "TLS1.3",
                                  .protocol = "imap",
                                  .user_agent = "mutt",
                                  .mechanism = "plain",
                                  .result = "badcreds"};
    struct test_env t;
    test_env_init(&t);
    env = t.env;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(mox_auth_db_open(&db, &env, dir, NULL), MOX_OK);
    mox_auth_db_note_login(db, &a);
    mox_auth_db_note_login(db, &a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server s;
        char expected[512];
        assert_int_equal(server_start(&s, 0), MOX_OK);
        s.handlers.auth_db = db;
        (void)feed(&s, cases[i].in, 7);
        (void)snprintf(expected, sizeof expected, "ctlv0\n%s", cases[i].out);
        assert_string_equal(s.out, expected);
        server_end(&s);
    }
    mox_auth_db_close(db);
    test_env_done(&t);
    (void)snprintf(path, sizeof path, "%s/auth.db", dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void a_server_without_auth_db_says_so(void **state)
{
    (void)state;
    static const char *const commands[] = {"tlspubkeylist\n\n", "tlspubkeyadd\na\nb\nno\nAQID\n",
                                           "tlspubkeyrm\nx\n", "loginattempts\n\n0\n"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct server s;
        assert_int_equal(server_start(&s, 0), MOX_OK);
        (void)feed(&s, commands[i], 100);
        assert_string_equal(s.out, "ctlv0\nthis server has no auth.db; its log may say why\n");
        server_end(&s);
    }
}

static void handlers_get_the_parameters(void **state)
{
    (void)state;
    struct server s;
    assert_int_equal(server_start(&s, 0), MOX_OK);
    (void)feed(&s, "setaccountpassword\na@example.org\n p\xc3\xa4ss \n", 3);
    assert_string_equal(s.address, "a@example.org");
    assert_string_equal(s.password, " p\xc3\xa4ss ");
    assert_false(s.stopped);
    assert_true(s.t.log == NULL || strstr(s.t.log, "p\xc3\xa4ss") == NULL);
    server_end(&s);
}

static void stop_keeps_the_connection_until_the_end(void **state)
{
    (void)state;
    struct server s;
    assert_int_equal(server_start(&s, 0), MOX_OK);
    assert_false(mox_ctl_is_stopping(s.ctl));
    (void)feed(&s, "stop\n", 5);
    assert_true(s.stopped);
    assert_true(mox_ctl_is_stopping(s.ctl));
    s.engine.ops->shutdown(s.engine.self);
    assert_int_equal(wants(&s), MOX_WANTS_APP);
    assert_true(s.engine.ops->deadline(s.engine.self) == INT64_MAX);
    server_end(&s);
}

static void shutdown_and_idleness_close_the_others(void **state)
{
    (void)state;
    struct server s;
    assert_int_equal(server_start(&s, 0), MOX_OK);
    pump(&s);
    s.engine.ops->shutdown(s.engine.self);
    pump(&s);
    assert_true(wants(&s) & MOX_WANTS_CLOSE);
    assert_string_equal(s.out, "ctlv0\nthe server is shutting down\n");
    server_end(&s);

    assert_int_equal(server_start(&s, 0), MOX_OK);
    pump(&s);
    assert_int_equal(s.engine.ops->tick(s.engine.self), MOX_OK);
    assert_int_equal(wants(&s), MOX_WANTS_READ);
    test_env_advance(&s.t, 301 * INT64_C(1000000));
    assert_true(s.engine.ops->deadline(s.engine.self) <= s.t.monotonic_us);
    assert_int_equal(s.engine.ops->tick(s.engine.self), MOX_OK);
    assert_true(wants(&s) & MOX_WANTS_CLOSE);
    server_end(&s);
}

/* Work of two pieces, which tells who ended it. */
static bool on_worker, ended_on_worker;

static void work_ends(struct mox_ctl *c)
{
    (void)c;
    ended_on_worker = on_worker;
}

static void work_goes_on(struct mox_ctl *c)
{
    bool is_first = c->work_state == NULL;
    mox__buf_text(&c->answer, is_first ? "half\n" : "done\n");
    c->work_state = c;
    if (!is_first)
        mox__ctl_work_end(c);
}

static void begin_work(struct server *s)
{
    static const struct ctl_work work = {.go_on = work_goes_on, .end = work_ends};
    assert_int_equal(server_start(s, 0), MOX_OK);
    pump(s);
    s->ctl->work = &work;
    s->ctl->state = STREAM;
    on_worker = ended_on_worker = false;
    assert_true(wants(s) & MOX_WANTS_RUN);
    (void)s->engine.ops->run(s->engine.self);
}

/* What then is left to do until it closes. */
static void close_by_worker(struct server *s)
{
    on_worker = true;
    pump(s);
    on_worker = false;
    assert_true(wants(s) & MOX_WANTS_CLOSE);
    server_end(s);
    assert_true(ended_on_worker);
}

/* Its end may wait for the disk, which the loop must not. */
static void work_is_ended_on_a_worker_whatever_ends_it(void **state)
{
    (void)state;
    struct server s;
    begin_work(&s);
    pump(&s);
    s.engine.ops->shutdown(s.engine.self);
    close_by_worker(&s);
    assert_string_equal(s.out, "ctlv0\n5\nhalf\nthe server is shutting down\n");

    begin_work(&s);
    pump(&s);
    test_env_advance(&s.t, 301 * INT64_C(1000000));
    assert_int_equal(s.engine.ops->tick(s.engine.self), MOX_OK);
    close_by_worker(&s);

    begin_work(&s);
    pump(&s);
    s.engine.ops->eof(s.engine.self);
    close_by_worker(&s);
}

static void what_came_of_work_is_said_though_the_server_stops(void **state)
{
    (void)state;
    struct server s;
    begin_work(&s);
    pump(&s);
    assert_int_equal(s.engine.ops->input(s.engine.self, (const uint8_t *)"ok\n", 3), MOX_OK);
    (void)s.engine.ops->run(s.engine.self); /* does the rest */
    pump(&s);
    s.engine.ops->shutdown(s.engine.self);
    assert_int_equal(wants(&s), MOX_WANTS_READ);
    (void)feed(&s, "ok\n", 3);
    assert_true(wants(&s) & MOX_WANTS_CLOSE);
    assert_string_equal(s.out, "ctlv0\n5\nhalf\n5\ndone\n0\n");
    server_end(&s);
}

static void lines_and_input_are_bounded(void **state)
{
    (void)state;
    struct server s;
    char *text = malloc(100001);
    assert_non_null(text);
    memset(text, 'x', 100000);
    text[100000] = '\0';
    assert_int_equal(server_start(&s, 0), MOX_OK);
    assert_int_equal(feed(&s, text, 1000), MOX_OK);
    assert_string_equal(s.out, "ctlv0\nline too long\n");
    assert_true(wants(&s) & MOX_WANTS_CLOSE);
    server_end(&s);
    free(text);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    bool whole = false;
    for (long fail_at = 1; !whole; fail_at++) {
        struct server s;
        if (server_start(&s, fail_at) == MOX_OK) {
            int rc = feed(&s, "setaccountpassword\na\nb\nloglevels\nok\n", 7);
            whole = rc == MOX_OK && strstr(s.out, "\n0\n") != NULL;
            assert_true(whole || rc == MOX_ENOMEM || (wants(&s) & MOX_WANTS_CLOSE) != 0);
        }
        server_end(&s);
        assert_true(fail_at < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_answered_however_the_input_is_split),
        cmocka_unit_test(a_server_that_counts_nothing_says_so),
        cmocka_unit_test(a_server_that_has_counted_nothing_yet_says_nothing),
        cmocka_unit_test(keys_and_logins_are_listed_and_changed),
        cmocka_unit_test(a_server_without_auth_db_says_so),
        cmocka_unit_test(handlers_get_the_parameters),
        cmocka_unit_test(stop_keeps_the_connection_until_the_end),
        cmocka_unit_test(shutdown_and_idleness_close_the_others),
        cmocka_unit_test(work_is_ended_on_a_worker_whatever_ends_it),
        cmocka_unit_test(what_came_of_work_is_said_though_the_server_stops),
        cmocka_unit_test(lines_and_input_are_bounded),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests_name("server-ctl", tests, NULL, NULL);
}
